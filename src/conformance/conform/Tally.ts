/**
 * Keeps count of what a campaign tells: of each case how often it was to be compared, was compared, and diverged, and the
 * shortest way to each divergence.
 *
 * Walks end where they diverge. What would have come after is not judged, and nobody can say that it is right.
 */
import type * as Campaign from "./Campaign.ts"
import type * as Case from "./Case.ts"
import type { Part } from "./Parts.ts"
import * as Rules from "./Rules.ts"
import * as Walking from "./Walking.ts"
import type { Walk } from "./Walks.ts"

/** Walks of a part. */
export interface Chosen {
  readonly part: Part
  readonly walks: ReadonlyArray<Walk>
}

export interface CaseTally extends Pick<Case.Case, "id" | "topic"> {
  /** What is answered in it; more than one where that hangs on more than the name says. */
  readonly errors: Set<string>
  /** How many comparisons the walks have. */
  expected: number
  compared: number
  diverged: number
}

/** One way in which a case diverged, as seen in the walk with the fewest steps. */
export interface Divergence {
  readonly case: Rules.Judged
  /** None for a preparation. */
  readonly walk: Campaign.WalkName | undefined
  /** Place in the walk, from 0. */
  readonly step: number
  readonly expected: unknown
  readonly actual: unknown
  /** In how many walks. */
  readonly walks: number
}

export interface Tally {
  readonly tell: (told: Campaign.Told) => void
  /** The connection failed where nothing of a walk was asked. */
  readonly failed: (preparation: Rules.Preparation, message: string) => void
  readonly cases: () => ReadonlyArray<CaseTally>
  readonly divergences: () => ReadonlyArray<Divergence>
  /** Walks in which something of a topic was compared. */
  readonly walksOf: (topic: Case.Topic) => number
  /** Walks of a part that are over. */
  readonly taken: (part: string) => number
  /** Walks in which the connection failed. */
  readonly broken: () => number
}

/** What stands for an answer where there is none. */
export interface NoAnswer {
  readonly connection: string
}

/** What tells one way to diverge from another; numbers in an answer do not. */
const kindOf = (actual: unknown): string => {
  if (typeof actual !== "object" || actual === null) return "other"
  for (const key of ["error", "failed", "connection"]) {
    if (key in actual) return `${key} ${String((actual as Readonly<Record<string, unknown>>)[key])}`
  }
  return "other"
}

const nameOf = ({ number, part }: Campaign.WalkName): string => `${part}/${number}`

export const make = (chosen: ReadonlyArray<Chosen>): Tally => {
  const cases = new Map<string, CaseTally>()
  const order = new Map<string, number>()
  for (const { part, walks } of chosen) {
    for (const { number, steps } of walks) {
      order.set(nameOf({ part: part.name, number }), order.size)
      for (const of of steps.flatMap((step) => Walking.casesOf(part.configuration, step))) {
        const { error, id, topic } = of
        const known = cases.get(id)
        if (known === undefined) {
          cases.set(id, { id, topic, errors: new Set([error]), expected: 1, compared: 0, diverged: 0 })
        } else {
          known.errors.add(error)
          known.expected++
        }
      }
    }
  }
  const divergences = new Map<string, Divergence>()
  const walksOfTopics = new Map<string, Set<string>>()
  const taken = new Map<string, number>()
  let broken = 0

  const isBefore = (a: Divergence, b: Divergence): boolean => {
    if (a.walk === undefined || b.walk === undefined) return false
    return a.step !== b.step ? a.step < b.step : order.get(nameOf(a.walk))! < order.get(nameOf(b.walk))!
  }

  const diverge = (key: string, one: Omit<Divergence, "walks">): void => {
    const known = divergences.get(key)
    const found = { ...one, walks: (known?.walks ?? 0) + 1 }
    divergences.set(key, known === undefined || isBefore(found, known) ? found : { ...known, walks: found.walks })
  }

  const compare = (walk: Campaign.WalkName, { actual, agrees, case: of, expected, step }: Walking.Comparison): void => {
    const known = cases.get(of.id)!
    known.compared++
    const walks = walksOfTopics.get(of.topic) ?? new Set()
    walksOfTopics.set(of.topic, walks.add(nameOf(walk)))
    if (agrees) return
    known.diverged++
    diverge(`${of.id} ${of.error} ${kindOf(actual)}`, { case: of, walk, step, expected, actual })
  }

  const failed: Tally["failed"] = (preparation, message) => {
    const actual: NoAnswer = { connection: message }
    const of = Rules.preparation(preparation)
    diverge(of.id, { case: of, walk: undefined, step: 0, expected: "an answer", actual })
  }

  return {
    tell: (told) => {
      switch (told._tag) {
        case "Compared":
          return compare(told.walk, told.comparison)
        case "Broken": {
          broken++
          const { message, pending } = told
          const actual: NoAnswer = { connection: message }
          return pending === undefined
            ? failed("Preparation", message)
            : compare(told.walk, { ...pending, agrees: false, actual })
        }
        case "Taken":
          taken.set(told.walk.part, (taken.get(told.walk.part) ?? 0) + 1)
      }
    },
    failed,
    cases: () => [...cases.values()],
    divergences: () => [...divergences.values()],
    walksOf: (topic) => walksOfTopics.get(topic)?.size ?? 0,
    taken: (part) => taken.get(part) ?? 0,
    broken: () => broken
  }
}
