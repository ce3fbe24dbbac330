/**
 * `keos replay`: state graphs against the code, on both engines, and single counterexamples.
 */
import { Effect, Option, Semaphore } from "effect"
import { Argument, Command, Flag } from "effect/cli"
import { existsSync } from "node:fs"
import * as Checks from "../conformance/Check.ts"
import * as Counterexamples from "../conformance/Counterexamples.ts"
import * as Models from "../conformance/Models.ts"
import * as Specification from "../conformance/Specification.ts"
import * as Workers from "../conformance/Workers.ts"
import * as Ending from "./Ending.ts"
import * as Engine from "./Engine.ts"
import * as Output from "./Output.ts"
import * as Selection from "./Selection.ts"
import * as Verdict from "./Verdict.ts"

const engineFlag = Flag.Literals("engine", ["core", "runtime", "both"]).pipe(
  Flag.withDescription("the pure core, the Effect runtime, or both; by default as the manifest says"),
  Flag.optional
)

const subjects = Argument.String("model or file").pipe(
  Argument.withDescription("names from the manifest, of any tier, or ITF files; all models of the tier without any"),
  Argument.variadic()
)

const isFile = (subject: string): boolean => subject.endsWith(".json")

/** Replays what the files hold on the code of the configurations that they name. */
const replayFiles = (paths: ReadonlyArray<string>) =>
  Effect.forEach(paths, (path) =>
    Effect.gen(function*() {
      if (!existsSync(path)) return yield* new Ending.UsageError({ message: `there is no file ${path}` })
      const { counterexample: { origin }, result } = yield* Counterexamples.replay(path)
      const shown = result._tag === "Shown"
      const again = `npm run -s keos -- replay ${path}`
      return {
        check: shown ? Checks.passed(path) : Checks.failed(path, Counterexamples.render(result), again),
        lines: shown
          ? [`${path}: violates ${origin.property} in ${result.steps.length + 1} states`, `  ${result.steps.join(" ")}`]
          : [`${path}: ${origin.property} is not violated as the file says`],
        document: { file: path, ...origin, ...result }
      }
    }))

const replayModels = Effect.fnUntraced(function*(
  chosen: ReadonlyArray<Specification.Model>,
  engine: Option.Option<"core" | "runtime" | "both">,
  jar: Option.Option<string>
) {
  const { toolchain } = yield* Engine.find(jar)
  const context = { toolchain, workers: yield* Workers.make(1), tlc: Semaphore.makeUnsafe(1) }
  const enginesOf = (model: Specification.Model) =>
    Option.match(engine, {
      onNone: () => model.replay,
      onSome: (one) => one === "both" ? (["core", "runtime"] as const) : [one]
    })
  const reports = yield* Effect.forEach(chosen, (model) => Models.verify(context, model, enginesOf(model)))
  const totals = Models.totalsOf(reports)
  const cells = ({ core, runtime }: Models.ModelReport["replay"]) => [
    Output.count(core?.edges),
    Output.count(core?.divergences),
    Output.count(runtime?.edges),
    Output.count(runtime?.divergences)
  ]
  return {
    checks: reports.flatMap((report) => report.checks),
    document: {
      engine: Verdict.engineOf(toolchain),
      models: reports.map(({ name, replay: replayed }) => ({ name, replay: replayed })),
      totals: { core: totals.core, runtime: totals.runtime }
    },
    lines: Output.table([
      ["model", "core edges", "divergences", "runtime edges", "divergences"],
      ...reports.map(({ name, replay: replayed }) => [name, ...cells(replayed)]),
      ["total", ...cells(totals)]
    ], ["left", "right", "right", "right", "right"])
  }
})

const nothing = { checks: [], document: {}, lines: [] }

export const replay = Command.make("replay", {
  subjects,
  tier: Selection.tierFlag,
  engine: engineFlag,
  json: Engine.jsonFlag,
  jar: Engine.jarFlag
}, ({ engine, jar, json, subjects: named, tier }) =>
  Effect.gen(function*() {
    const names = named.filter((subject) => !isFile(subject))
    const manifest = yield* Specification.manifest
    const replayable = manifest.models.filter((model) => model.replay.length > 0)
    const chosen = named.length > 0 && names.length === 0
      ? []
      : yield* Selection.models("model with a graph", replayable, tier, names)
    const files = yield* replayFiles(named.filter(isFile))
    const models = chosen.length === 0 ? nothing : yield* replayModels(chosen, engine, jar)
    return yield* Verdict.conclude({
      json,
      checks: [...files.map(({ check }) => check), ...models.checks],
      document: {
        ...models.document,
        ...(files.length === 0 ? {} : { counterexamples: files.map(({ document }) => document) })
      },
      lines: [...files.flatMap(({ lines }) => lines), ...models.lines]
    })
  }).pipe(Effect.scoped)).pipe(
    Command.withDescription(
      "Replay TLC's state graphs on the code, without TLC the committed ones; and counterexamples from files"
    )
  )
