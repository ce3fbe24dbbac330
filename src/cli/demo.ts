/**
 * `keos demo`: the delivery guarantees, on a file of records, with everything dying in the middle.
 */
import { Effect, Result } from "effect"
import { Argument, Command } from "effect/cli"
import { readFileSync } from "node:fs"
import { basename, join } from "node:path"
import * as Checks from "../conformance/Check.ts"
import * as Demonstration from "../conformance/demonstration/Demonstration.ts"
import * as Input from "../conformance/demonstration/Input.ts"
import * as Specification from "../conformance/Specification.ts"
import * as Ending from "./Ending.ts"
import * as Engine from "./Engine.ts"
import * as Output from "./Output.ts"
import * as Verdict from "./Verdict.ts"
import { seedFlag } from "./verify.ts"

const sample = join(Specification.home, "traces/samples/payments.csv")

const file = Argument.String("file").pipe(
  Argument.withDefault(sample),
  Argument.withDescription("comma-separated values, a line of column names first; the first column is the key")
)

const readInput = Effect.fnUntraced(function*(path: string) {
  const text = yield* Effect.try({
    try: () => readFileSync(path, "utf8"),
    catch: (error) => new Ending.UsageError({ message: `${path} cannot be read: ${(error as Error).message}` })
  })
  const input = Input.read(path, text)
  if (Result.isFailure(input)) return yield* new Ending.NoVerdict({ message: input.failure.message })
  return input.success
})

const judged = (path: string, seed: number, outcome: Demonstration.Outcome): Checks.Check =>
  Demonstration.isKept(outcome)
    ? Checks.passed(outcome.guarantee)
    : Checks.failed(
      outcome.guarantee,
      `lost ${outcome.lost}, duplicated ${outcome.duplicated}`,
      `npm run -s keos -- demo ${path === sample ? "" : `${path} `}--seed ${seed}`
    )

const heading = [
  "consume, transform, produce, deliver",
  "lost",
  "duplicated",
  "restarted",
  "brokers stopped",
  "sessions ended",
  "s"
]

const row = (outcome: Demonstration.Outcome): ReadonlyArray<string> => [
  `${Demonstration.isKept(outcome) ? "✔" : "✘"} ${outcome.guarantee}`,
  Output.count(outcome.lost),
  Output.count(outcome.duplicated),
  String(outcome.restarts),
  String(outcome.stops),
  String(outcome.sessions),
  Output.seconds(outcome.seconds)
]

export const demo = Command.make(
  "demo",
  { file, seed: seedFlag, json: Engine.jsonFlag },
  Effect.fnUntraced(function*({ file: path, json, seed }) {
    const { loaded, outcomes } = yield* Demonstration.tell(yield* readInput(path), seed)
    const { batchBytes, batches, bytes, records } = loaded
    yield* Verdict.conclude({
      json,
      document: { file: path, seed, loaded, outcomes },
      checks: outcomes.map((outcome) => judged(path, seed, outcome)),
      lines: [
        `${basename(path)}: ${Output.count(records)} records, ${Output.count(bytes)} bytes, sent in `
        + `${Output.count(batches)} batches of ${Output.count(batchBytes)} bytes; seed ${seed}`,
        "",
        ...Output.table([heading, ...outcomes.map(row)], heading.map((_, column) => column === 0 ? "left" : "right"))
      ]
    })
  })
).pipe(
  Command.withDescription("Take a file of records through a cluster into a database, and see what each guarantee keeps")
)
