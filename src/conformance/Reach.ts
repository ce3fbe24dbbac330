/**
 * What a run reaches of its model: actions, refusals, witnesses, and situations: two witnesses in one world, a witness in
 * the world that an action leads to, or a refusal.
 *
 * Situations are what tells runs apart. Witnesses are the states that a specification names because something could go
 * wrong there, so a run that brings two of them together for the first time is worth to be varied.
 */
import type { Invariant, Step } from "../model/Model.ts"
import { refusalOf } from "../model/Model.ts"

export interface Reach {
  /** How often each action was taken, those never taken included. */
  readonly actions: Readonly<Record<string, number>>
  /** Distinct pairs of a request and the error that refused it, as `EndTxn PRODUCER_FENCED`. */
  readonly refusals: ReadonlyArray<string>
  /** Those that some world of the run is. */
  readonly witnesses: ReadonlyArray<string>
  /** By numbers that are the same in all runs of a model. */
  readonly situations: ReadonlyArray<number>
}

/** What is there to be reached. */
export interface Sought<Configuration, World> {
  readonly actionNames: ReadonlyArray<string>
  readonly witnesses?: Readonly<Record<string, Invariant<Configuration, World>>>
}

/** Takes note while a run goes on. */
export interface Observer<World> {
  /** An action was taken and led to this world. */
  readonly stepped: (step: Omit<Step<World>, "world">, world: World) => void
  readonly reach: () => Reach
}

/** Refusals have so many numbers. That two of them have the same is unlikely, and no harm. */
const refusalNumbers = 4096

const numberOf = (refusal: string): number => {
  let hash = 0
  for (let i = 0; i < refusal.length; i++) hash = Math.imul(hash, 31) + refusal.charCodeAt(i)
  return (hash >>> 0) % refusalNumbers
}

/** An observer that has seen nothing. */
export const observe = <Configuration, World>(
  { actionNames, witnesses = {} }: Sought<Configuration, World>,
  configuration: Configuration
): Observer<World> => {
  const sought = Object.entries(witnesses)
  const counts = actionNames.map(() => 0)
  const places = new Map(actionNames.map((name, place) => [name, place]))
  const refusals = new Set<string>()
  const pairs = sought.length ** 2
  const met = new Uint8Array(pairs + actionNames.length * sought.length)
  // The witnesses of the world before, whose parts are often those of the next.
  let last: World | undefined
  let here: ReadonlyArray<number> = []

  return {
    stepped: (step, world) => {
      const action = places.get(step.action)
      if (action === undefined) return
      counts[action]!++
      const refusal = refusalOf(step)
      if (refusal !== undefined) refusals.add(refusal)
      if (world !== last) {
        last = world
        const found: Array<number> = []
        for (let i = 0; i < sought.length; i++) if (sought[i]![1](configuration, world)) found.push(i)
        here = found
      }
      for (let i = 0; i < here.length; i++) {
        const first = here[i]!
        met[pairs + action * sought.length + first] = 1
        for (let j = i; j < here.length; j++) met[first * sought.length + here[j]!] = 1
      }
    },
    reach: () => {
      const situations: Array<number> = []
      for (let number = 0; number < met.length; number++) if (met[number] === 1) situations.push(number)
      for (const refusal of refusals) situations.push(met.length + numberOf(refusal))
      return {
        actions: Object.fromEntries(actionNames.map((name, place) => [name, counts[place]!])),
        refusals: [...refusals].toSorted(),
        witnesses: sought.flatMap(([name], i) => met[i * sought.length + i] === 1 ? [name] : []),
        situations
      }
    }
  }
}
