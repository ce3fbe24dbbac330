/**
 * The work that needs only the code and a core: explorations, replays and histories, as data that can be sent to a
 * worker.
 */
import { Effect } from "effect"
import * as Explorer from "../model/Explorer.ts"
import * as Model from "../model/Model.ts"
import type * as Campaign from "./Campaign.ts"
import { edgeCount, type Graph } from "./Graph.ts"
import type * as Histories from "./Histories.ts"
import * as Replay from "./Replay.ts"
import * as Runtimes from "./Runtimes.ts"
import * as Specification from "./Specification.ts"

/** A configuration, and the properties to watch in it; without them those that the configuration lists. */
export interface ExploreTask {
  readonly _tag: "Explore"
  readonly module: string
  readonly config: string
  readonly changes: Specification.Changes
  /** Count the witnesses too. */
  readonly witnesses?: boolean
}

/** Histories of the runtime under the rules and faults of a configuration. */
export interface HistoriesTask {
  readonly _tag: "Histories"
  readonly config: string
  readonly module: string
  readonly runs: number
  readonly seed: number
  /** Replays one run of an earlier exploration. */
  readonly path?: string
  /** Shortens the first violation of each property, by default. */
  readonly shorten?: boolean
}

/** A chunk of a campaign under the rules and faults of a configuration. */
export interface CampaignTask {
  readonly _tag: "Campaign"
  readonly module: string
  readonly config: string
  readonly order: Campaign.Order
  /** What takes the bug away that is looked for. */
  readonly cure?: Specification.Changes
  /** Scenarios have every kind of fault, and as much of everything else, whatever the configuration has. */
  readonly everyFault?: boolean
}

/** Makes a violation smaller that a campaign found. */
export interface ShrinkTask {
  readonly _tag: "Shrink"
  readonly module: string
  readonly config: string
  readonly seed: number
  readonly path: string
  readonly complaint: Campaign.Complaint
  /** The property of the model that is violated, if it was the model that saw it. */
  readonly watched?: string
}

/** A state graph against the code of a configuration. */
export interface ReplayTask {
  readonly _tag: "Replay"
  readonly engine: "core" | "runtime"
  readonly module: string
  readonly config: string
  readonly changes: Specification.Changes
  readonly graph: Graph
}

export type Task = ExploreTask | HistoriesTask | CampaignTask | ShrinkTask | ReplayTask

/** What a task is about, for whoever waits for it. */
export const describe = (task: Task): string => {
  const what = task.config.replace(/^.*\/|\.cfg$/g, "")
  switch (task._tag) {
    case "Explore":
      return `explorer: ${what}`
    case "Histories":
      return `histories: ${what}`
    case "Campaign":
      return `campaign: ${what}`
    case "Shrink":
      return `shrinking: ${what}`
    case "Replay":
      return `${task.engine} replay: ${what}`
  }
}

/** Told now and then how much is done, of how much where that is known. */
export type OnProgress = (done: number, expected?: number) => void

export interface Replayed extends Replay.Result {
  readonly seconds: number
}

/** What an exploration found; worlds stay where they are. */
export interface Explored {
  /** The specification that the model implements. */
  readonly specification: string
  readonly states: number
  readonly edges: number
  readonly depth: number
  readonly actions: Readonly<Record<string, number>>
  /** Distinct pairs of a request and the error that refuses it. */
  readonly refusals: ReadonlyArray<string>
  /** In how many states each witness was seen; empty unless asked for. */
  readonly witnesses: Readonly<Record<string, number>>
  readonly seconds: number
  readonly property?: string
  /** The labels of the steps of the counterexample. */
  readonly steps?: ReadonlyArray<string>
}

export type Output<T extends Task> = T extends ExploreTask ? Explored
  : T extends ReplayTask ? Replayed
  : T extends CampaignTask ? Campaign.Found
  : T extends ShrinkTask ? Campaign.Shrunk
  : Histories.Explored

const explore = Effect.fnUntraced(function*(
  task: ExploreTask,
  onProgress: OnProgress
): Effect.fn.Return<Explored, Specification.SpecificationError> {
  const checked = yield* Specification.load(task.module, task.config, task.changes)
  const { configuration, model } = checked
  const { judged } = yield* Specification.judgesOf(checked)
  const began = performance.now()
  const { actions, depth, edges, refusals, states, violation, witnesses } = Explorer.explore({
    model,
    configuration,
    properties: judged,
    witnesses: task.witnesses === true,
    onProgress
  })
  const counts = {
    specification: model.specification,
    states,
    edges,
    depth,
    actions,
    refusals,
    witnesses,
    seconds: (performance.now() - began) / 1000
  }
  if (violation === undefined) return counts
  const steps = violation.trace.slice(1).map(({ action, arguments: instance }) =>
    Model.render({ action: action!, arguments: instance })
  )
  return { ...counts, property: violation.property, steps }
})

/** The runtime of a configuration; asking for one that is not there is the manifest's mistake. */
const runtimeOf = (
  checked: Specification.Checked
): Effect.Effect<Runtimes.Runtime, Specification.SpecificationError> => {
  const runtime = Runtimes.of(checked)
  return runtime === undefined
    ? Effect.fail(
      new Specification.SpecificationError({ message: `${checked.model.specification} has no runtime to run` })
    )
    : Effect.succeed(runtime)
}

const histories = Effect.fnUntraced(function*(
  task: HistoriesTask,
  onProgress: OnProgress
): Effect.fn.Return<Histories.Explored, Specification.SpecificationError> {
  const checked = yield* Specification.load(task.module, task.config)
  const { histories } = yield* runtimeOf(checked)
  if (histories === undefined) {
    return yield* new Specification.SpecificationError({
      message: `${checked.model.specification} has no histories to run`
    })
  }
  return histories({
    runs: task.runs,
    seed: task.seed,
    onProgress: (runs) => onProgress(runs, task.runs),
    ...(task.path === undefined ? {} : { path: task.path }),
    ...(task.shorten === undefined ? {} : { shorten: task.shorten })
  })
})

/** The campaign of a configuration; asking for one that is not there is the manifest's mistake. */
export const campaignOf = Effect.fnUntraced(function*(
  module: string,
  config: string,
  changes: Specification.Changes = {},
  everyFault = false
): Effect.fn.Return<Campaign.Campaign, Specification.SpecificationError> {
  const checked = yield* Specification.load(module, config, changes)
  const { campaign } = yield* runtimeOf(checked)
  if (campaign !== undefined) return campaign(everyFault)
  return yield* new Specification.SpecificationError({
    message: `${checked.model.specification} has no scenarios to run`
  })
})

const campaign = Effect.fnUntraced(function*(
  { config, cure, everyFault, module, order }: CampaignTask,
  onProgress: OnProgress
): Effect.fn.Return<Campaign.Found, Specification.SpecificationError> {
  const own = yield* campaignOf(module, config, {}, everyFault)
  const control = cure === undefined ? undefined : yield* campaignOf(module, config, cure, everyFault)
  return own.chunk(order, control, (runs) => onProgress(order.from + runs))
})

const shrink = Effect.fnUntraced(function*(
  { complaint, config, module, path, seed, watched }: ShrinkTask
): Effect.fn.Return<Campaign.Shrunk, Specification.SpecificationError> {
  const own = yield* campaignOf(module, config)
  return own.shrink(seed, path, complaint, watched)
})

const replay = Effect.fnUntraced(function*(
  { changes, config, engine, graph, module }: ReplayTask,
  onProgress: OnProgress
): Effect.fn.Return<Replayed, Specification.SpecificationError> {
  const checked = yield* Specification.load(module, config, changes)
  const edges = edgeCount(graph)
  const told = (done: number): void => onProgress(done, edges)
  const replayed = engine === "core"
    ? Effect.sync(() => Replay.replay({ ...checked, graph, onProgress: told }))
    : Effect.map(runtimeOf(checked), (runtime) => runtime.replay(graph, told))
  const began = performance.now()
  const result = yield* replayed
  return { ...result, seconds: (performance.now() - began) / 1000 }
})

const dispatch = (
  task: Task,
  onProgress: OnProgress
): Effect.Effect<Output<Task>, Specification.SpecificationError> => {
  switch (task._tag) {
    case "Explore":
      return explore(task, onProgress)
    case "Histories":
      return histories(task, onProgress)
    case "Campaign":
      return campaign(task, onProgress)
    case "Shrink":
      return shrink(task)
    case "Replay":
      return replay(task, onProgress)
  }
}

export const run = <T extends Task>(
  task: T,
  onProgress: OnProgress = () => {}
): Effect.Effect<Output<T>, Specification.SpecificationError> =>
  dispatch(task, onProgress) as Effect.Effect<Output<T>, Specification.SpecificationError>
