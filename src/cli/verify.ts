/**
 * `keos verify`: the main job.
 */
import { Effect, Schema } from "effect"
import { Command, Flag } from "effect/cli"
import type { ModelReport, Totals } from "../conformance/Models.ts"
import * as Verify from "../conformance/Verify.ts"
import * as Engine from "./Engine.ts"
import * as Matrix from "./Matrix.ts"
import * as Output from "./Output.ts"
import * as Reached from "./Reached.ts"
import * as Selection from "./Selection.ts"
import * as Verdict from "./Verdict.ts"

const positive = Schema.Int.check(Schema.isGreaterThan(0))

export const seedFlag = Flag.Int("seed").pipe(Flag.withDefault(1), Flag.withDescription("seed of all that is random"))

export const runsFlag = (runs: number) =>
  Flag.Int("runs").pipe(
    Flag.withSchema(positive),
    Flag.withDefault(runs),
    Flag.withDescription("histories per configuration")
  )

const verboseFlag = Flag.Boolean("verbose").pipe(
  Flag.withDefault(false),
  Flag.withDescription("print in how many states each witness is reached")
)

/** `✘ NoGap 9`; a lasso has no length. */
const verdictOf = ({ explorerAlone, length, property, verdict }: ModelReport): string =>
  explorerAlone === true
    ? "too large"
    : verdict === "violated"
    ? `✘ ${property} ${length ?? "lasso"}`
    : verdict === "holds"
    ? "✔ holds"
    : "skipped"

const models = (reports: ReadonlyArray<ModelReport>, totals: Totals): ReadonlyArray<string> =>
  Output.table([
    ["model", "TLC", "states", "edges", "depth", "TLC s", "explorer s", "core edges", "s", "runtime edges", "s"],
    ...reports.map((report) => {
      const { depth, distinct, explorer, generated, name, replay, seconds } = report
      return [
        name,
        verdictOf(report),
        Output.count(distinct ?? explorer?.states),
        Output.count(generated === undefined ? explorer?.edges : generated - 1),
        Output.count(depth ?? explorer?.depth),
        Output.seconds(seconds),
        Output.seconds(explorer?.seconds),
        Output.count(replay.core?.edges),
        Output.seconds(replay.core?.seconds),
        Output.count(replay.runtime?.edges),
        Output.seconds(replay.runtime?.seconds)
      ]
    }),
    [
      "total",
      "",
      "",
      "",
      "",
      Output.seconds(totals.seconds.tlc),
      Output.seconds(totals.seconds.explorer),
      Output.count(totals.core.edges),
      Output.seconds(totals.core.seconds),
      Output.count(totals.runtime.edges),
      Output.seconds(totals.runtime.seconds)
    ]
  ], ["left", "left", ...Array.from({ length: 9 }, () => "right" as const)])

/** What the code does not judge, in how many models, and why not. */
const leftToTlc = (reports: ReadonlyArray<ModelReport>): ReadonlyArray<string> => {
  const left = Map.groupBy(
    reports.flatMap((report) => report.explorerAlone === true ? [] : Object.entries(report.leftToTlc)),
    ([property, why]) => `${property} (${why})`
  )
  return left.size === 0
    ? []
    : [
      `judged by TLC alone: ${
        Array.from(left, ([what, { length }]) => `${what}, in ${length} ${length === 1 ? "model" : "models"}`).join(
          "; "
        )
      }`
    ]
}

const render = (report: Verify.Report, verbose: boolean): ReadonlyArray<string> => [
  [
    `engine: ${report.engine === null ? "none" : `TLC ${report.engine.version}`}`,
    `tier: ${report.tier}`,
    `seed: ${report.histories.seed}`
  ].join("; "),
  "",
  ...models(report.models, report.totals),
  "",
  ...leftToTlc(report.models),
  ...Reached.summary(report.coverage),
  ...(verbose ? ["", ...Reached.table(report.coverage)] : []),
  "",
  "✔ holds; ✘ n: violated, shortest counterexample in n states; by "
  + `${report.engine === null ? "" : "TLC, "}explorer and ${report.histories.runs} histories`,
  ...Matrix.render(report.guarantees),
  "",
  ...Output.table([
    ["exhibit", "violates", "specification", "code", "replay", "counterexample", ""],
    ...report.exhibits.map((
      { code, counterexample, name, property, replay, spec, title }
    ) => [name, property, spec, code, replay, counterexample, title])
  ], ["left", "left", "left", "left", "left", "left", "left"]),
  "",
  `${Output.seconds(report.seconds)} s in all`
]

export const verify = Command.make("verify", {
  json: Engine.jsonFlag,
  jar: Engine.jarFlag,
  runs: runsFlag(2000),
  seed: seedFlag,
  tier: Selection.tierFlag,
  verbose: verboseFlag
}, ({ jar, json, runs, seed, tier, verbose }) =>
  Effect.gen(function*() {
    const { missing, toolchain } = yield* Engine.find(jar)
    if (missing !== undefined) {
      yield* Effect.sync(() => process.stderr.write(`TLC is skipped: ${missing}\n${Engine.advice}\n`))
    }
    const report = yield* Verify.verify({ toolchain, runs, seed, tier })
    yield* Verdict.conclude({
      json,
      checks: report.checks,
      document: Verify.toJson(report),
      lines: render(report, verbose)
    })
  }).pipe(Effect.scoped)).pipe(
    Command.withDescription(
      "Check the specification, the code and their agreement: all models, guarantees and exhibits"
    )
  )
