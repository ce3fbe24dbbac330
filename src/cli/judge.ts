/**
 * `keos judge`: histories of any system, for the anomalies that a delivery guarantee forbids.
 */
import { Data, Effect, Result } from "effect"
import { Argument, Command, Flag } from "effect/cli"
import { createReadStream } from "node:fs"
import * as Checks from "../conformance/Check.ts"
import * as Anomalies from "../conformance/judge/Anomalies.ts"
import type { Report } from "../conformance/judge/Judge.ts"
import * as Reading from "../conformance/judge/Reading.ts"
import { Progress } from "../conformance/Progress.ts"
import * as Ending from "./Ending.ts"
import * as Engine from "./Engine.ts"
import * as Output from "./Output.ts"
import * as Verdict from "./Verdict.ts"

const files = Argument.String("file").pipe(
  Argument.withDescription("histories, as 'keos schema history' describes them; - is standard input"),
  Argument.variadic({ min: 1 })
)

const guaranteeFlag = Flag.Literals("guarantee", Anomalies.guarantees).pipe(
  Flag.withDefault("exactly-once" as const),
  Flag.withDescription("what the system claims; other anomalies are told, and do not count")
)

const standardInput = "-"

const shownName = (file: string): string => file === standardInput ? "standard input" : file

/** Larger pieces than by default: a line is short, and there are many. */
const pieceSize = 1 << 20

const open = (file: string): AsyncIterable<Uint8Array> =>
  file === standardInput ? process.stdin : createReadStream(file, { highWaterMark: pieceSize })

/** The file could not be read. */
class Unreadable extends Data.TaggedError("Unreadable")<{ readonly message: string }> {}

const unreadable = (file: string, { code, message }: NodeJS.ErrnoException): string =>
  code === "ENOENT" ? `there is no file ${file}` : `${shownName(file)} cannot be read: ${message}`

const read = Effect.fnUntraced(function*(file: string) {
  const { report } = yield* Progress
  const reading = Reading.make()
  yield* Effect.tryPromise({
    try: async (signal) => {
      for await (const bytes of open(file)) {
        if (signal.aborted || !reading.push(bytes)) break
        report(`${shownName(file)}: line`, reading.lines())
      }
    },
    catch: (error) => new Unreadable({ message: unreadable(file, error as NodeJS.ErrnoException) })
  })
  return reading.end()
})

/** What one history comes to. */
interface Judged {
  readonly checks: ReadonlyArray<Checks.Check>
  readonly lines: ReadonlyArray<string>
  readonly document: Readonly<Record<string, unknown>>
  /** Why there is no verdict on it, if there is none. */
  readonly reason?: string
}

const tellFinding = (name: string, { lines, sentence }: Anomalies.Finding): ReadonlyArray<string> => [
  sentence,
  `  ${lines.length === 1 ? "line" : "lines"} ${lines.join(", ")} of ${name}`
]

const tellFound = (
  name: string,
  { count, findings }: Extract<Anomalies.Verdict, { readonly _tag: "Found" }>
): ReadonlyArray<string> => [
  ...findings.flatMap((finding) => tellFinding(name, finding)),
  ...(count > findings.length ? [`and ${Output.count(count - findings.length)} more`] : [])
]

const judgedBy = (file: string, guarantee: Anomalies.Guarantee, report: Report): Judged => {
  const name = shownName(file)
  const checks: Array<Checks.Check> = []
  const allowed: Array<string> = []
  for (const anomaly of Anomalies.anomalies) {
    const verdict = report.anomalies[anomaly]
    const title = `${name}: ${anomaly}`
    if (verdict._tag === "NotJudged") {
      checks.push(Checks.skipped(title, verdict.why))
    } else if (verdict._tag === "Found" && Anomalies.isForbidden(anomaly, guarantee)) {
      checks.push(Checks.failed(title, tellFound(name, verdict).join("\n")))
    } else {
      checks.push(Checks.passed(title))
      if (verdict._tag === "Found") {
        allowed.push(
          `  ${anomaly}, which ${guarantee} does not rule out`,
          ...tellFound(name, verdict).map((line) => `    ${line}`)
        )
      }
    }
  }
  const { lines, reads, sends, transactions } = report
  return {
    checks,
    lines: [
      `${name}: ${Output.count(lines)} lines, ${Output.count(sends)} sends, ${
        Output.count(transactions)
      } transactions, `
      + `${Output.count(reads)} reads`,
      ...allowed
    ],
    document: {
      file,
      lines,
      sends,
      transactions,
      reads,
      anomalies: Object.fromEntries(
        Anomalies.anomalies.map((anomaly) => {
          const { _tag, ...rest } = report.anomalies[anomaly]
          const verdict = { Found: "found", Absent: "absent", NotJudged: "not judged" }[_tag]
          return [anomaly, { verdict, isForbidden: Anomalies.isForbidden(anomaly, guarantee), ...rest }]
        })
      )
    },
    ...(checks.every(({ status }) => status === "skipped") ? { reason: `${name}: nothing could be judged` } : {})
  }
}

const refused = (file: string, { line, message }: Reading.Refused): Judged => {
  const name = shownName(file)
  const reason = `${name}${line === 0 ? "" : `:${line}`}: ${message}`
  return {
    checks: [Checks.skipped(name, line === 0 ? message : `line ${line}: ${message}`)],
    lines: [],
    document: { file, refused: { line, message } },
    reason
  }
}

export const judge = Command.make("judge", {
  files,
  guarantee: guaranteeFlag,
  json: Engine.jsonFlag
}, ({ files: named, guarantee, json }) =>
  Effect.gen(function*() {
    const judged = yield* Effect.forEach(named, (file) =>
      read(file).pipe(
        Effect.catchTag("Unreadable", ({ message }) => Effect.fail(new Ending.UsageError({ message }))),
        Effect.map((result) =>
          Result.isSuccess(result) ? judgedBy(file, guarantee, result.success) : refused(file, result.failure)
        )
      ))
    const checks = judged.flatMap((one) => one.checks)
    yield* Verdict.report({
      json,
      checks,
      document: { guarantee, histories: judged.map(({ document }) => document) },
      lines: judged.flatMap(({ lines }) => lines)
    })
    if (Checks.tally(checks).failed > 0) return yield* new Ending.Negative()
    // A history that shows nothing keeps no promise.
    const reasons = judged.flatMap(({ reason }) => reason === undefined ? [] : [reason])
    if (reasons.length > 0) return yield* new Ending.NoVerdict({ message: reasons.join("\n") })
  })).pipe(
    Command.withDescription("Judge histories of any system: what its clients saw that its delivery guarantee forbids")
  )
