/**
 * `keos schema`: the JSON Schemas of the files that are read.
 */
import { Effect, Schema } from "effect"
import { Argument, Command } from "effect/cli"
import * as EventLog from "../conformance/EventLog.ts"
import * as Format from "../conformance/judge/Format.ts"
import * as Output from "./Output.ts"

/** The files that have a schema, by the name that is asked for. */
const schemas = {
  "event-log": EventLog.Document,
  history: Format.Event
} as const satisfies Record<string, Schema.Constraint>

const dialect = "https://json-schema.org/draft/2020-12/schema"

const names = Object.keys(schemas) as ReadonlyArray<keyof typeof schemas>

/** A schema as a document that stands alone. */
const documentOf = (schema: Schema.Constraint) => {
  const { definitions, schema: root } = Schema.toJsonSchemaDocument(schema, { onExcessProperty: "error" })
  return { $schema: dialect, ...root, $defs: definitions }
}

export const schema = Command.make("schema", {
  name: Argument.Literals("name", names).pipe(Argument.withDescription("the file"))
}, ({ name }) => Effect.suspend(() => Output.json(documentOf(schemas[name])))).pipe(
  Command.withDescription("Print the JSON Schema of a file: of each line, where the file has one document a line")
)
