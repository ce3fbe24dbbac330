/**
 * `keos replay`: state graphs against the code, on both engines.
 */
import { Effect, Semaphore } from "effect"
import { Command, Flag } from "effect/cli"
import * as Models from "../conformance/Models.ts"
import * as Specification from "../conformance/Specification.ts"
import * as Workers from "../conformance/Workers.ts"
import * as Engine from "./Engine.ts"
import * as Output from "./Output.ts"
import * as Selection from "./Selection.ts"
import * as Verdict from "./Verdict.ts"

const engineFlag = Flag.Literals("engine", ["core", "runtime", "both"]).pipe(
  Flag.withDefault("both" as const),
  Flag.withDescription("the pure core, the Effect runtime, or both")
)

export const replay = Command.make("replay", {
  models: Selection.modelArguments,
  tier: Selection.tierFlag,
  engine: engineFlag,
  json: Engine.jsonFlag,
  jar: Engine.jarFlag
}, ({ engine, jar, json, models, tier }) =>
  Effect.gen(function*() {
    const manifest = yield* Specification.manifest
    const replayable = manifest.models.filter((model) => model.replay.length > 0)
    const chosen = yield* Selection.models("model with a graph", replayable, tier, models)
    const { toolchain } = yield* Engine.find(jar)
    const context = { toolchain, workers: yield* Workers.make(1), tlc: Semaphore.makeUnsafe(1) }
    const engines = engine === "both" ? (["core", "runtime"] as const) : [engine]
    const reports = yield* Effect.forEach(chosen, (model) => Models.verify(context, model, engines))
    const totals = Models.totalsOf(reports)
    const cells = ({ core, runtime }: Models.ModelReport["replay"]) => [
      Output.count(core?.edges),
      Output.count(core?.divergences),
      Output.count(runtime?.edges),
      Output.count(runtime?.divergences)
    ]
    return yield* Verdict.conclude({
      json,
      checks: reports.flatMap((report) => report.checks),
      document: {
        engine: Verdict.engineOf(toolchain),
        models: reports.map(({ name, replay: replayed }) => ({ name, replay: replayed })),
        totals: { core: totals.core, runtime: totals.runtime }
      },
      lines: Output.table([
        ["model", "core edges", "divergences", "runtime edges", "divergences"],
        ...reports.map(({ name, replay: replayed }) => [name, ...cells(replayed)]),
        [`${reports.length} models`, ...cells(totals)]
      ], ["left", "right", "right", "right", "right"])
    })
  }).pipe(Effect.scoped)).pipe(
    Command.withDescription("Replay TLC's state graphs on the code; without TLC, the committed ones")
  )
