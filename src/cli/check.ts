/**
 * `keos check`: models under TLC and under the code's explorer, against what is pinned.
 */
import { Effect, Semaphore } from "effect"
import { Argument, Command, Flag } from "effect/cli"
import * as Models from "../conformance/Models.ts"
import * as Pins from "../conformance/Pins.ts"
import * as Specification from "../conformance/Specification.ts"
import * as Workers from "../conformance/Workers.ts"
import * as Ending from "./Ending.ts"
import * as Engine from "./Engine.ts"
import * as Output from "./Output.ts"
import { finish } from "./ProgressLine.ts"
import * as Verdict from "./Verdict.ts"

export const modelArguments = Argument.String("model").pipe(
  Argument.withDescription("names from the manifest; all without any"),
  Argument.variadic()
)

const updateFlag = Flag.Boolean("update").pipe(
  Flag.withDefault(false),
  Flag.withDescription("write today's counts into the manifest, and the graphs that are committed")
)

export const check = Command.make("check", {
  models: modelArguments,
  json: Engine.jsonFlag,
  jar: Engine.jarFlag,
  update: updateFlag
}, ({ jar, json, models, update }) =>
  Effect.gen(function*() {
    const manifest = yield* Specification.manifest
    const chosen = yield* Ending.select("model", manifest.models, ({ name }) => name, models)
    const toolchain = yield* Engine.require(jar)
    if (update) {
      yield* Pins.update(toolchain, chosen)
      finish()
      return yield* Output.print([`renewed: ${chosen.map(({ name }) => name).join(", ")}`])
    }
    const context = { toolchain, workers: yield* Workers.make(1), tlc: Semaphore.makeUnsafe(1) }
    const reports = yield* Effect.forEach(chosen, (model) =>
      Effect.gen(function*() {
        const report = yield* Models.verify(context, model, [])
        const { checks, explorer } = yield* Models.explore(context, model)
        return { ...report, explorer, checks: [...report.checks, ...checks] }
      }))
    const checks = reports.flatMap((report) => report.checks)
    return yield* Verdict.conclude({
      json,
      checks,
      document: { engine: Verdict.engineOf(toolchain), models: reports.map(({ checks, ...report }) => report) },
      lines: reports.map(({ depth, distinct, length, name, property, seconds, verdict }) =>
        verdict === "violated"
          ? `${name}: violates ${property} in ${length} states · ${Output.seconds(seconds)} s`
          : `${name}: holds · ${Output.count(distinct)} states · depth ${depth} · ${Output.seconds(seconds)} s`
      )
    })
  }).pipe(Effect.scoped)).pipe(Command.withDescription("Model-check the specification and compare with what is pinned"))
