/**
 * Renews what is pinned from what TLC finds today, or the explorer where it is alone: the counts in the manifest, the
 * committed graphs and counterexamples.
 *
 * A verdict is never renewed: a configuration that stops holding, or is violated elsewhere, is for people to judge.
 */
import { Effect } from "effect"
import { writeFileSync } from "node:fs"
import type { TlcFailure, Toolchain } from "../tlc/index.ts"
import * as Exhibits from "./Exhibits.ts"
import * as ModelCheck from "./ModelCheck.ts"
import * as Models from "./Models.ts"
import * as Progress from "./Progress.ts"
import * as Specification from "./Specification.ts"
import * as Task from "./Task.ts"
import * as Traces from "./Traces.ts"

const renewed = Effect.fnUntraced(function*(
  toolchain: Toolchain.Toolchain,
  model: Specification.Model
): Effect.fn.Return<Specification.Model, Specification.SpecificationError | TlcFailure> {
  const checked = yield* Models.load(model)
  const properties = Specification.propertiesOf(checked)
  if (model.explorerAlone === true) {
    const { config, module, name } = model
    yield* Progress.report(`explorer: ${name}`)
    const explored = yield* Task.run({ _tag: "Explore", module, config, changes: {} })
    const { actions, depth, edges, states } = explored
    return { ...model, properties, counts: { distinct: states, generated: edges + 1, depth, actions } }
  }
  yield* Progress.report(`TLC: ${model.name}`)
  const wantsGraph = model.committed || model.replay.length > 0
  const { graph, outcome } = wantsGraph
    ? yield* ModelCheck.graph(toolchain, checked)
    : { outcome: yield* ModelCheck.verdict(toolchain, checked), graph: undefined }
  if (model.committed && graph !== undefined) yield* Traces.write(model.name, checked, graph, toolchain.version)
  if (outcome._tag === "Violated") return { ...model, properties }
  const { depth, distinct, generated } = outcome
  const actions = graph === undefined ? {} : Models.actionCounts(graph)
  const refusals = graph === undefined ? 0 : Models.refusalsOf(graph).size
  const counts = { distinct, generated, depth, actions, ...(refusals === 0 ? {} : { refusals }) }
  return { ...model, properties, counts }
})

/** What to renew besides the models that are named. */
export interface Options {
  /** The graphs and counterexamples of all exhibits. */
  readonly exhibits: boolean
}

export const update = Effect.fn("Pins.update")(function*(
  toolchain: Toolchain.Toolchain,
  chosen: ReadonlyArray<Specification.Model>,
  { exhibits }: Options
): Effect.fn.Return<void, Specification.SpecificationError | TlcFailure> {
  const manifest = yield* Specification.manifest
  const models = yield* Effect.forEach(
    manifest.models,
    (model) => chosen.some(({ name }) => name === model.name) ? renewed(toolchain, model) : Effect.succeed(model),
    { concurrency: 2 }
  )
  if (exhibits) {
    yield* Effect.forEach(manifest.exhibits, (exhibit) => Exhibits.renew(toolchain, exhibit), { concurrency: 2 })
  }
  const text = JSON.stringify({ ...manifest, models }, undefined, 2)
  writeFileSync(Specification.manifestPath, `${text}\n`)
})
