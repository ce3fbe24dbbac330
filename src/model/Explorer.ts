/**
 * Breadth-first exploration of the implementation's own state graph, with shortest counterexamples: the model checker
 * of the code, as TLC is that of the specification.
 */
import type { ActionName, Step } from "./Actions.ts"
import * as Actions from "./Actions.ts"
import type { Configuration } from "./Configuration.ts"
import * as Keys from "./Keys.ts"
import type { PropertyName } from "./Properties.ts"
import * as Properties from "./Properties.ts"
import type { World } from "./World.ts"
import * as Worlds from "./World.ts"

/** One state of a counterexample, with the step that led to it; the first has none. */
export interface TraceStep {
  readonly action: ActionName | undefined
  readonly arguments: ReadonlyArray<string | number>
  readonly world: World
}

export interface Exploration {
  /** Distinct states met. */
  readonly states: number
  /** Steps taken out of them, as TLC counts them: generated − initial states. */
  readonly edges: number
  /** States on the longest of the shortest paths, the initial one included. */
  readonly depth: number
  /** Steps by action. */
  readonly actions: Readonly<Record<ActionName, number>>
  /** The first violation met, which is a shortest one; exploration ends there. */
  readonly violation: { readonly property: PropertyName; readonly trace: ReadonlyArray<TraceStep> } | undefined
  /** False when `maxStates` ended the exploration before it was complete. */
  readonly complete: boolean
}

export interface Options {
  readonly configuration: Configuration
  /** Properties to watch. */
  readonly properties: ReadonlyArray<PropertyName>
  /** Ends the exploration early, in states. */
  readonly maxStates?: number
  /** Called now and then with the number of distinct states so far. */
  readonly onProgress?: (states: number) => void
}

const noCounts = (): Record<ActionName, number> =>
  Object.fromEntries(Object.keys(Actions.actions).map((name) => [name, 0])) as Record<ActionName, number>

const progressInterval = 16384

export const explore = (options: Options): Exploration => {
  const { configuration, maxStates = Number.POSITIVE_INFINITY } = options
  const invariants = Object.entries(Properties.invariants).filter(([name]) => isWatched(options, name))
  const stepProperties = Object.entries(Properties.stepProperties).filter(([name]) => isWatched(options, name))
  const interner = Keys.make()
  const worlds: Array<World> = []
  const parents: Array<number> = []
  const seen = new Set<string>()
  const actions = noCounts()
  let edges = 0

  const traceTo = (state: number, last?: Step): ReadonlyArray<TraceStep> => {
    const path: Array<number> = []
    for (let at = state; at >= 0; at = parents[at]!) path.unshift(at)
    const trace = path.map((at, i): TraceStep => {
      const step = i === 0 ? undefined : stepBetween(configuration, interner, worlds[path[i - 1]!]!, worlds[at]!)
      return { action: step?.action, arguments: step?.arguments ?? [], world: worlds[at]! }
    })
    return last === undefined ? trace : [...trace, last]
  }

  const ended = (depth: number, violation: Exploration["violation"], complete = true): Exploration => ({
    states: worlds.length,
    edges,
    depth,
    actions,
    violation,
    complete
  })

  /** The invariant that a new state breaks, if it breaks one. */
  const add = (world: World, key: string, parent: number): PropertyName | undefined => {
    seen.add(key)
    worlds.push(interner.share(world))
    parents.push(parent)
    if (worlds.length % progressInterval === 0) options.onProgress?.(worlds.length)
    for (const [name, holds] of invariants) if (!holds(configuration, world)) return name as PropertyName
    return undefined
  }

  const start = Worlds.initial(configuration)
  const broken = add(start, interner.key(start), -1)
  if (broken !== undefined) return ended(1, { property: broken, trace: traceTo(0) })

  let depth = 1
  let endOfLevel = 1
  for (let at = 0; at < worlds.length; at++) {
    if (at === endOfLevel) {
      depth++
      endOfLevel = worlds.length
    }
    const from = worlds[at]!
    for (const step of Actions.successors(configuration, from)) {
      edges++
      actions[step.action]++
      for (const [name, holds] of stepProperties) {
        if (!holds(configuration, from, step.world)) {
          return ended(depth + 1, { property: name as PropertyName, trace: traceTo(at, step) })
        }
      }
      const key = interner.key(step.world)
      if (seen.has(key)) continue
      const violated = add(step.world, key, at)
      if (violated !== undefined) {
        return ended(depth + 1, { property: violated, trace: traceTo(worlds.length - 1) })
      }
    }
    if (worlds.length >= maxStates) return ended(depth, undefined, false)
  }
  return ended(depth, undefined)
}

const isWatched = (options: Options, name: string): boolean => options.properties.some((watched) => watched === name)

/** The step from one world to the next; there is one, since the explorer took it. */
const stepBetween = (configuration: Configuration, interner: Keys.Interner, from: World, to: World): Step => {
  const key = interner.key(to)
  const step = Actions.successors(configuration, from).find((candidate) => interner.key(candidate.world) === key)
  if (step === undefined) throw new Error("the explorer took a step that is not there")
  return step
}
