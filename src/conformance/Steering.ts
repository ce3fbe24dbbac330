/**
 * Where a campaign goes next: to the neighbourhood of runs that reached what few others did.
 *
 * Of every situation it keeps how many runs were in it, and the first of them. The situations that were met least often say
 * which runs are to be varied.
 */
import type { Found, Parent } from "./Campaign.ts"

export interface Steering {
  /** Takes in what a chunk found; chunks in the order of their runs. */
  readonly learn: (found: Pick<Found, "situations" | "parents">) => void
  /** The runs to vary next. */
  readonly parents: () => ReadonlyArray<Parent>
  /** How many situations there were. */
  readonly situations: () => number
}

/** How many runs are varied at a time. */
const width = 24

/** Steering that knows nothing yet. */
export const make = (): Steering => {
  const known = new Map<number, { runs: number; readonly parent: Parent }>()
  return {
    learn: ({ parents, situations }) => {
      for (const [situation, runs, parent] of situations) {
        const one = known.get(situation)
        if (one === undefined) known.set(situation, { runs, parent: parents[parent]! })
        else one.runs += runs
      }
    },
    parents: () => {
      const rarest = [...known].toSorted(([a, one], [b, other]) => one.runs - other.runs || a - b)
      const chosen = new Map<string, Parent>()
      for (const [, { parent }] of rarest) {
        if (chosen.size === width) break
        chosen.set(parent.path, parent)
      }
      return [...chosen.values()]
    },
    situations: () => known.size
  }
}
