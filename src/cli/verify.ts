/**
 * `keos verify`: the main job.
 */
import { Effect, Schema } from "effect"
import { Command, Flag } from "effect/cli"
import type { CellReport, RowReport, Verdict as Mark } from "../conformance/Guarantees.ts"
import type { ModelReport } from "../conformance/Models.ts"
import * as Verify from "../conformance/Verify.ts"
import * as Engine from "./Engine.ts"
import * as Output from "./Output.ts"
import * as Verdict from "./Verdict.ts"

const positive = Schema.Int.check(Schema.isGreaterThan(0))

export const seedFlag = Flag.Int("seed").pipe(Flag.withDefault(1), Flag.withDescription("seed of all that is random"))

export const runsFlag = (runs: number) =>
  Flag.Int("runs").pipe(
    Flag.withSchema(positive),
    Flag.withDefault(runs),
    Flag.withDescription("histories per configuration")
  )

const tierFlag = Flag.Literals("tier", ["default", "nightly"]).pipe(
  Flag.withDefault("default" as const),
  Flag.withDescription("nightly adds the larger bounds")
)

const models = (reports: ReadonlyArray<ModelReport>): ReadonlyArray<string> =>
  Output.table([
    ["model", "TLC", "states", "edges", "depth", "TLC s", "explorer s", "core edges", "s", "runtime edges", "s"],
    ...reports.map(({ depth, distinct, explorer, generated, length, name, property, replay, seconds, verdict }) => [
      name,
      verdict === "violated" ? `✘ ${property} ${length}` : verdict === "holds" ? "✔ holds" : "skipped",
      Output.count(distinct ?? explorer?.states),
      Output.count(generated === undefined ? explorer?.edges : generated - 1),
      Output.count(depth ?? explorer?.depth),
      Output.seconds(seconds),
      Output.seconds(explorer?.seconds),
      Output.count(replay.core?.edges),
      Output.seconds(replay.core?.seconds),
      Output.count(replay.runtime?.edges),
      Output.seconds(replay.runtime?.seconds)
    ])
  ], ["left", "left", ...Array.from({ length: 9 }, () => "right" as const)])

const verdictMark = (verdict: Mark): string => verdict === "holds" ? "✔" : verdict === "violated" ? "✘" : "–"

/** One mark when all witnesses agree, and otherwise one for each. */
const cell = ({ explorer, histories, shortest, spec }: CellReport): string => {
  const witnesses = spec === "skipped" ? [explorer, histories] : [spec, explorer, histories]
  if (witnesses.every((verdict) => verdict === explorer)) {
    return explorer === "holds" ? "✔" : `✘ ${shortest}`
  }
  return `TLC ${verdictMark(spec)} explorer ${verdictMark(explorer)} histories ${verdictMark(histories)}`
}

/** `NoDuplicate` as the head of a column: no duplicate. */
const head = (property: string): string => property.replaceAll(/(?<!^)(?=[A-Z])/g, " ").toLowerCase()

/** One table for all rows that ask the same. */
const guarantees = (rows: ReadonlyArray<RowReport>): ReadonlyArray<string> =>
  Array.from(Map.groupBy(rows, ({ cells }) => Object.keys(cells).join()).values(), (alike) => {
    const asked = Object.keys(alike[0]!.cells)
    return Output.table([
      ["producer", ...asked.map(head), "guarantee"],
      ...alike.map(({ cells, label, title }) => [title, ...asked.map((guarantee) => cell(cells[guarantee]!)), label])
    ], ["left", ...asked.map(() => "left" as const), "left"])
  }).flatMap((lines, i) => i === 0 ? lines : ["", ...lines])

const render = (report: Verify.Report): ReadonlyArray<string> => [
  `engine: ${report.engine === null ? "none" : `TLC ${report.engine.version}`}; seed: ${report.histories.seed}`,
  "",
  ...models(report.models),
  "",
  "✔ holds; ✘ n: violated, shortest counterexample in n states; by "
  + `${report.engine === null ? "" : "TLC, "}explorer and ${report.histories.runs} histories`,
  ...guarantees(report.guarantees),
  "",
  ...Output.table([
    ["exhibit", "violates", "specification", "code", "replay", ""],
    ...report.exhibits.map((
      { code, name, property, replay, spec, title }
    ) => [name, property, spec, code, replay, title])
  ], ["left", "left", "left", "left", "left", "left"])
]

export const verify = Command.make("verify", {
  json: Engine.jsonFlag,
  jar: Engine.jarFlag,
  runs: runsFlag(2000),
  seed: seedFlag,
  tier: tierFlag
}, ({ jar, json, runs, seed, tier }) =>
  Effect.gen(function*() {
    const { missing, toolchain } = yield* Engine.find(jar)
    if (missing !== undefined) {
      yield* Effect.sync(() => process.stderr.write(`TLC is skipped: ${missing}\n${Engine.advice}\n`))
    }
    const report = yield* Verify.verify({ toolchain, runs, seed, tier })
    yield* Verdict.conclude({ json, checks: report.checks, document: Verify.toJson(report), lines: render(report) })
  }).pipe(Effect.scoped)).pipe(
    Command.withDescription(
      "Check the specification, the code and their agreement: all models, guarantees and exhibits"
    )
  )
