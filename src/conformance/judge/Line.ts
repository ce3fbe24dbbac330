/**
 * One line of a history: its text, checked against the published schema.
 *
 * The schema's own strict decoder is too slow for millions of lines. So a line is first tried by a compiled check of its
 * shape, which does not see unknown fields, and those are looked for apart; whatever does not pass both goes to the strict
 * decoder, which has the last word and the message.
 */
import { Result, Schema, SchemaAST, SchemaIssue } from "effect"
import * as SchemaJITCompiler from "effect/schema/SchemaJITCompiler"
import * as Format from "./Format.ts"

/** What a line of one shape is checked by. */
interface Shape {
  readonly name: string
  readonly matches: (json: unknown) => boolean
  readonly hasOnlyKnownFields: Check
  readonly decode: (json: unknown) => Result.Result<unknown, Schema.SchemaError>
}

type Check = (json: unknown) => boolean

/**
 * Whether values that match a schema have no field that the schema does not name; absent for values without fields.
 * `false` for one that may be of several shapes: which it is, only the decoder knows.
 */
const knows = (ast: SchemaAST.AST): Check | undefined => {
  if (SchemaAST.isUnion(ast)) return ast.types.every((type) => knows(type) === undefined) ? undefined : () => false
  if (SchemaAST.isArrays(ast)) {
    const item = knows(ast.rest[0]!)
    return item === undefined ? undefined : (json) => {
      for (const one of json as ReadonlyArray<unknown>) if (!item(one)) return false
      return true
    }
  }
  if (!SchemaAST.isObjects(ast)) return undefined
  const fields = new Map(ast.propertySignatures.map(({ name, type }) => [name as string, knows(type)]))
  return (json) => {
    for (const field in json as object) {
      const known = fields.get(field)
      if (known === undefined) {
        if (!fields.has(field)) return false
      } else if (!known((json as Readonly<Record<string, unknown>>)[field])) return false
    }
    return true
  }
}

const shapeOf = (name: string, schema: Schema.Decoder<unknown>): Shape => {
  SchemaJITCompiler.enable(schema.ast)
  return {
    name,
    matches: Schema.is(schema),
    hasOnlyKnownFields: knows(schema.ast)!,
    decode: Schema.decodeUnknownResult(schema, { onExcessProperty: "error" })
  }
}

const shapes: ReadonlyMap<string, ReadonlyMap<string, Shape>> = new Map(
  Object.entries(Format.shapes).map(([operation, types]) => [
    operation,
    new Map(
      Object.entries(types).map(([type, schema]) => [type, shapeOf(`${operation} of type ${type}`, schema)])
    )
  ])
)

const leafHook: SchemaIssue.LeafHook = (issue) => {
  switch (issue._tag) {
    case "MissingKey":
      return "is missing"
    case "UnexpectedKey":
      return "is no field of it"
    default:
      return SchemaIssue.defaultLeafHook(issue)
  }
}

const format = SchemaIssue.makeFormatterStandardSchemaV1({ leafHook })

const pathOf = (path: ReadonlyArray<PropertyKey | { readonly key: PropertyKey }> = []): string =>
  path.map((part) => {
    const key = typeof part === "object" ? part.key : part
    return typeof key === "number" ? `[${key}]` : `.${String(key)}`
  }).join("").slice(1)

const complaint = (name: string, { issue }: Schema.SchemaError): string => {
  const { message, path } = format(issue).issues[0]!
  return `${name}: ${pathOf(path)} ${message.replace(/^Expected/, "expected")}`
}

const list = (names: Iterable<string>): string => [...names].join(", ")

/** Checks what a line holds; a failure says what is wrong with it. */
export const check = (json: unknown): Result.Result<Format.Event, string> => {
  if (typeof json !== "object" || json === null || Array.isArray(json)) return Result.fail("not an object")
  const { operation, type } = json as Readonly<Record<string, unknown>>
  const types = shapes.get(operation as string)
  if (types === undefined) {
    const found = operation === undefined ? "no operation" : `${JSON.stringify(operation)} is no operation`
    return Result.fail(`${found}; there are ${list(shapes.keys())}`)
  }
  const shape = types.get(type as string)
  if (shape === undefined) {
    const found = type === undefined ? "no type" : `${JSON.stringify(type)} is no type`
    return Result.fail(`${found} of ${operation as string}; there are ${list(types.keys())}`)
  }
  if (shape.matches(json) && shape.hasOnlyKnownFields(json)) return Result.succeed(json as Format.Event)
  const decoded = shape.decode(json)
  return Result.isSuccess(decoded)
    ? Result.succeed(decoded.success as Format.Event)
    : Result.fail(complaint(shape.name, decoded.failure))
}

/** Reads the text of a line, without its end; a failure says what is wrong with it. */
export const parse = (text: string): Result.Result<Format.Event, string> => {
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch {
    return Result.fail(text.trim() === "" ? "empty" : "not JSON: cut off or damaged")
  }
  return check(json)
}
