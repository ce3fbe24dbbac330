/**
 * `keos check`: models under TLC and under the code's explorer, against what is pinned.
 */
import { Effect, Semaphore } from "effect"
import { Command, Flag } from "effect/cli"
import * as Coverage from "../conformance/Coverage.ts"
import * as Models from "../conformance/Models.ts"
import * as Pins from "../conformance/Pins.ts"
import * as Specification from "../conformance/Specification.ts"
import * as Workers from "../conformance/Workers.ts"
import * as Engine from "./Engine.ts"
import * as Output from "./Output.ts"
import { finish } from "./ProgressLine.ts"
import * as Reached from "./Reached.ts"
import * as Selection from "./Selection.ts"
import * as Verdict from "./Verdict.ts"

const updateFlag = Flag.Boolean("update").pipe(
  Flag.withDefault(false),
  Flag.withDescription("write today's counts into the manifest, and the graphs that are committed")
)

const witnessesFlag = Flag.Boolean("witnesses").pipe(
  Flag.withDefault(false),
  Flag.withDescription("print in how many states each witness is reached")
)

const lineOf = (report: Models.ModelReport): string => {
  const { depth, distinct, length, name, property, refusals, seconds, verdict } = report
  const found = verdict === "violated"
    ? [`${name}: violates ${property} ${length === undefined ? "in a lasso" : `in ${length} states`}`]
    : [`${name}: holds`, `${Output.count(distinct)} states`, `depth ${depth}`]
  return [
    ...found,
    ...(refusals === undefined ? [] : [`${refusals} refusals`]),
    `${Output.seconds(seconds)} s`
  ].join(" · ")
}

export const check = Command.make("check", {
  models: Selection.modelArguments,
  tier: Selection.tierFlag,
  json: Engine.jsonFlag,
  jar: Engine.jarFlag,
  update: updateFlag,
  witnesses: witnessesFlag
}, ({ jar, json, models, tier, update, witnesses }) =>
  Effect.gen(function*() {
    const manifest = yield* Specification.manifest
    const chosen = yield* Selection.models("model", manifest.models, tier, models)
    const toolchain = yield* Engine.require(jar)
    if (update) {
      yield* Pins.update(toolchain, chosen, { exhibits: models.length === 0 })
      finish()
      return yield* Output.print([`renewed: ${chosen.map(({ name }) => name).join(", ")}`])
    }
    const context = { toolchain, workers: yield* Workers.make(1), tlc: Semaphore.makeUnsafe(2) }
    const found = yield* Effect.forEach(chosen, (model) =>
      Effect.gen(function*() {
        const report = yield* Models.verify(context, model, [])
        const explored = yield* Models.explore(context, model)
        return { report: Models.joined(report, explored), explored: explored.explored }
      }), { concurrency: 2 })
    const reports = found.map(({ report }) => report)
    const coverage = Coverage.of(found.flatMap(({ explored }) => explored ?? []))
    return yield* Verdict.conclude({
      json,
      // What only some models reach is no verdict on all of them.
      checks: [
        ...reports.flatMap((report) => report.checks),
        ...(models.length === 0 ? Coverage.checksOf(coverage) : [])
      ],
      document: {
        engine: Verdict.engineOf(toolchain),
        tier,
        models: reports.map(({ checks, ...report }) => report),
        ...coverage
      },
      lines: [
        ...reports.map(lineOf),
        "",
        ...Reached.summary(coverage),
        ...(witnesses ? ["", ...Reached.table(coverage)] : [])
      ]
    })
  }).pipe(Effect.scoped)).pipe(Command.withDescription("Model-check the specification and compare with what is pinned"))
