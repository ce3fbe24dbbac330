/**
 * Where a campaign goes next: to the neighbourhood of runs that reached what few others did.
 *
 * Of every situation it keeps how many runs were in it, and the last of them that it has heard of, so that what is varied
 * was often varied already. The situations that were met least often say which runs are next.
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

/** How many runs are varied at a time: no more than this, and few of few situations, so that only what is rare counts. */
const width = 24
const rare = 8

/** Steering that knows nothing yet. */
export const make = (): Steering => {
  const known = new Map<number, { runs: number; parent: Parent }>()
  return {
    learn: ({ parents, situations }) => {
      for (const [situation, runs, parent] of situations) {
        const one = known.get(situation)
        if (one === undefined) known.set(situation, { runs, parent: parents[parent]! })
        else {
          one.runs += runs
          one.parent = parents[parent]!
        }
      }
    },
    parents: () => {
      const rarest = [...known].toSorted(([a, one], [b, other]) => one.runs - other.runs || a - b)
      const most = Math.min(width, Math.ceil(known.size / rare))
      const chosen = new Map<string, Parent>()
      for (const [, { parent }] of rarest) {
        if (chosen.size === most) break
        chosen.set(parent.path, parent)
      }
      return [...chosen.values()]
    },
    situations: () => known.size
  }
}
