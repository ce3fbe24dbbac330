/**
 * Breadth-first exploration of the implementation's own state graph, with shortest counterexamples: the model checker
 * of the code, as TLC is that of the specification.
 */
import * as Interner from "./Interner.ts"
import type { Model, Step } from "./Model.ts"
import { hasProperty, refusalOf } from "./Model.ts"

/** One state of a counterexample, with the step that led to it; the first has none. */
export interface TraceStep<World> {
  readonly action: string | undefined
  readonly arguments: ReadonlyArray<string | number>
  readonly world: World
}

export interface Violation<World> {
  readonly property: string
  readonly trace: ReadonlyArray<TraceStep<World>>
}

export interface Exploration<World> {
  /** Distinct states met. */
  readonly states: number
  /** Steps taken out of them, as TLC counts them: generated − initial states. */
  readonly edges: number
  /** States on the longest of the shortest paths, the initial one included. */
  readonly depth: number
  /** Steps by action. */
  readonly actions: Readonly<Record<string, number>>
  /** Distinct pairs of a request and the error that refuses it, as `EndTxn PRODUCER_FENCED`, sorted. */
  readonly refusals: ReadonlyArray<string>
  /** In how many distinct states each witness was seen; empty unless they were asked for. */
  readonly witnesses: Readonly<Record<string, number>>
  /** The first violation met, which is a shortest one; exploration ends there. */
  readonly violation: Violation<World> | undefined
  /** False when `maxStates` ended the exploration before it was complete. */
  readonly complete: boolean
}

export interface Options<Configuration, World> {
  readonly model: Model<Configuration, World>
  readonly configuration: Configuration
  /** Properties of the model to watch. */
  readonly properties: ReadonlyArray<string>
  /** Count the model's witnesses too. */
  readonly witnesses?: boolean
  /** Ends the exploration early, in states. */
  readonly maxStates?: number
  /** Called now and then with the number of distinct states so far. */
  readonly onProgress?: (states: number) => void
}

const progressInterval = 16384

const watched = <Holds>(
  all: Readonly<Record<string, Holds>>,
  names: ReadonlyArray<string>
): ReadonlyArray<{ readonly name: string; readonly holds: Holds }> =>
  Object.entries(all).filter(([name]) => names.includes(name)).map(([name, holds]) => ({ name, holds }))

export const explore = <Configuration, World>(options: Options<Configuration, World>): Exploration<World> => {
  const { configuration, maxStates = Number.POSITIVE_INFINITY, model } = options
  const unknown = options.properties.filter((name) => !hasProperty(model, name))
  if (unknown.length > 0) throw new Error(`${model.specification} has no ${unknown.join(", ")} in code`)
  const invariants = watched(model.invariants, options.properties)
  const stepProperties = watched(model.stepProperties, options.properties)
  const sought = Object.entries(options.witnesses === true ? model.witnesses ?? {} : {})
  const seen = sought.map(() => 0)
  const refusals = new Set<string>()
  const worlds = Interner.make(model.packing(configuration))
  const parents: Array<number> = []
  const actions: Record<string, number> = Object.fromEntries(model.actionNames.map((name) => [name, 0]))
  let edges = 0

  /** The step from one world to the next; there is one, since the explorer took it. */
  const stepBetween = (from: number, to: number): Step<World> => {
    const steps = model.successors(configuration, worlds.world(from))
    const step = steps.find((candidate) => worlds.number(candidate.world) === to)
    if (step === undefined) throw new Error("the explorer took a step that is not there")
    return step
  }

  const traceTo = (state: number, last?: Step<World>): ReadonlyArray<TraceStep<World>> => {
    const path: Array<number> = []
    for (let at = state; at >= 0; at = parents[at]!) path.unshift(at)
    const trace = path.map((at, i): TraceStep<World> =>
      i === 0 ? { action: undefined, arguments: [], world: worlds.world(at) } : stepBetween(path[i - 1]!, at)
    )
    return last === undefined ? trace : [...trace, last]
  }

  const ended = (depth: number, violation: Violation<World> | undefined, complete = true): Exploration<World> => ({
    states: parents.length,
    edges,
    depth,
    actions,
    refusals: [...refusals].toSorted(),
    witnesses: Object.fromEntries(sought.map(([name], i) => [name, seen[i]!])),
    violation,
    complete
  })

  /** The invariant that a new state breaks, if it breaks one. */
  const add = (world: World, parent: number): string | undefined => {
    parents.push(parent)
    if (parents.length % progressInterval === 0) options.onProgress?.(parents.length)
    for (let i = 0; i < sought.length; i++) if (sought[i]![1](configuration, world)) seen[i]!++
    for (const { holds, name } of invariants) if (!holds(configuration, world)) return name
    return undefined
  }

  const start = model.initial(configuration)
  worlds.number(start)
  const broken = add(start, -1)
  if (broken !== undefined) return ended(1, { property: broken, trace: traceTo(0) })

  let depth = 1
  let endOfLevel = 1
  for (let at = 0; at < parents.length; at++) {
    if (at === endOfLevel) {
      depth++
      endOfLevel = parents.length
    }
    const from = worlds.world(at)
    for (const step of model.successors(configuration, from)) {
      edges++
      actions[step.action]!++
      const refusal = refusalOf(step)
      if (refusal !== undefined) refusals.add(refusal)
      for (const { holds, name } of stepProperties) {
        if (!holds(configuration, from, step.world)) {
          return ended(depth + 1, { property: name, trace: traceTo(at, step) })
        }
      }
      if (worlds.number(step.world) < parents.length) continue
      const violated = add(step.world, at)
      if (violated !== undefined) {
        return ended(depth + 1, { property: violated, trace: traceTo(parents.length - 1) })
      }
    }
    if (parents.length >= maxStates) return ended(depth, undefined, false)
  }
  return ended(depth, undefined)
}
