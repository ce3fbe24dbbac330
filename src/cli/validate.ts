/**
 * `keos validate`: event logs against the specification, by the code, by TLC, or by both.
 */
import { Effect, Option } from "effect"
import { Argument, Command, Flag } from "effect/cli"
import { createReadStream } from "node:fs"
import * as Checks from "../conformance/Check.ts"
import * as EventLogs from "../conformance/EventLogs.ts"
import * as TlcValidation from "../conformance/TlcValidation.ts"
import * as Validation from "../conformance/Validation.ts"
import * as Ending from "./Ending.ts"
import * as Engine from "./Engine.ts"
import * as Verdict from "./Verdict.ts"

const files = Argument.String("file").pipe(
  Argument.withDescription("event logs, as 'keos schema event-log' describes them; - is standard input"),
  Argument.variadic({ min: 1 })
)

const engineFlag = Flag.Literals("engine", ["code", "tlc", "both"]).pipe(
  Flag.withDefault("code" as const),
  Flag.withDescription("who judges; both must agree")
)

const propertiesFlag = Flag.String("properties").pipe(
  Flag.withDescription("names with commas between, or none: what to watch, by default what the configuration claims"),
  Flag.optional
)

const propertiesOf = (text: string): ReadonlyArray<string> =>
  text === "none" ? [] : text.split(",").map((name) => name.trim()).filter((name) => name !== "")

const standardInput = "-"

/** Larger pieces than by default: a line of a log is short, and there are many. */
const pieceSize = 1 << 20

const open = (file: string): AsyncIterable<Buffer> =>
  file === standardInput ? process.stdin : createReadStream(file, { highWaterMark: pieceSize })

/** A verdict of the code as a document has it: with the lines of the file, and without the world. */
const documentOf = (verdict: Validation.Verdict<unknown>) => {
  const { world, ...rest } = verdict
  if (rest._tag === "Accepted") return rest
  const line = EventLogs.lineInFile(rest.line)
  if (rest._tag === "Violating" || rest.obstacle?._tag !== "Late") return { ...rest, line }
  return { ...rest, line, obstacle: { ...rest.obstacle, line: EventLogs.lineInFile(rest.obstacle.line) } }
}

const tlcDocumentOf = (verdict: TlcValidation.Verdict) =>
  verdict._tag === "Accepted" ? verdict : { ...verdict, line: EventLogs.lineInFile(verdict.line) }

/** What one file comes to. */
interface Judged {
  readonly check: Checks.Check
  readonly lines: ReadonlyArray<string>
  readonly document: Readonly<Record<string, unknown>>
}

const shownName = (file: string): string => file === standardInput ? "standard input" : file

/** The verdict of the code, and where they part that of TLC too. */
const judgedBy = (file: string, { code, header, properties, tlc }: EventLogs.Report, again: string): Judged => {
  const name = shownName(file)
  const verdict = code ?? tlc!
  const texts = [
    ...(code === undefined ? [] : [Validation.summarize(code, EventLogs.lineInFile)]),
    ...(tlc === undefined ? [] : [`TLC: ${TlcValidation.summarize(tlc, EventLogs.lineInFile)}`])
  ]
  const document = {
    file,
    ...header,
    properties,
    ...(code === undefined ? {} : { code: documentOf(code) }),
    ...(tlc === undefined ? {} : { tlc: tlcDocumentOf(tlc) })
  }
  if (code !== undefined && tlc !== undefined && !EventLogs.agree(code, tlc)) {
    const detail = ["the code and TLC do not agree", ...texts].join("\n")
    return { check: Checks.failed(name, detail, again), lines: [], document: { ...document, verdict: "disagreement" } }
  }
  switch (verdict._tag) {
    case "Accepted":
      return {
        check: Checks.passed(name),
        lines: [`${name}: ${texts.join("; ")}; ${properties.length} properties held at every line`],
        document: { ...document, verdict: "accepted" }
      }
    case "Rejected":
      return {
        check: Checks.failed(name, texts.join("\n"), again),
        lines: [],
        document: { ...document, verdict: "rejected" }
      }
    case "Violating":
      return {
        check: Checks.failed(name, texts.join("\n"), again),
        lines: [],
        document: { ...document, verdict: "violated" }
      }
  }
}

const unjudged = (file: string) => ({ message }: { readonly message: string }): Effect.Effect<Judged> =>
  Effect.succeed({
    check: Checks.skipped(shownName(file), message),
    lines: [],
    document: { file, verdict: "none", reason: message }
  })

export const validate = Command.make("validate", {
  files,
  engine: engineFlag,
  properties: propertiesFlag,
  json: Engine.jsonFlag,
  jar: Engine.jarFlag
}, ({ engine, files: named, jar, json, properties }) =>
  Effect.gen(function*() {
    const judges: EventLogs.Judges = engine === "code"
      ? { engine }
      : { engine, toolchain: yield* Engine.require(jar) }
    const options = {
      ...judges,
      ...(Option.isNone(properties) ? {} : { properties: propertiesOf(properties.value) })
    }
    const judged = yield* Effect.forEach(named, (file): Effect.Effect<Judged, Ending.UsageError> => {
      const again = `npm run -s keos -- validate ${file}`
      return EventLogs.validate(open(file), options).pipe(
        Effect.map((report) => judgedBy(file, report, again)),
        Effect.catchTags({
          UnknownProperty: ({ message }) => Effect.fail(new Ending.UsageError({ message })),
          Unreadable: unjudged(file),
          SpecificationError: unjudged(file),
          TlcFailure: unjudged(file)
        })
      )
    })
    const checks = judged.map(({ check }) => check)
    yield* Verdict.report({
      json,
      checks,
      document: {
        engine: Verdict.engineOf(judges.engine === "code" ? undefined : judges.toolchain),
        logs: judged.map(({ document }) => document)
      },
      lines: judged.flatMap(({ lines }) => lines)
    })
    const { failed, skipped } = Checks.tally(checks)
    if (failed > 0) return yield* new Ending.Negative()
    // A log that nobody could read was not accepted.
    if (skipped > 0) {
      const message = checks.flatMap(({ detail, name, status }) => status === "skipped" ? [`${name}: ${detail}`] : [])
      return yield* new Ending.NoVerdict({ message: message.join("\n") })
    }
  })).pipe(
    Command.withDescription("Check event logs as behaviours of the specification, with its properties at every line")
  )
