/**
 * Which offsets of a partition observers of one kind have looked at, and where.
 */
import { Column } from "../Columns.ts"
import type { View } from "./Ledger.ts"
import { none } from "./Ledger.ts"

export interface Coverage {
  /** A stretch that the offset lies in, or `none`. */
  readonly at: (offset: number) => number
  /** The first offset that nobody has looked at. */
  readonly completeTo: number
}

/** The last position whose value is not above `bound`, or -1. */
const lastNotAbove = (column: Column, bound: number): number => {
  let low = 0
  let high = column.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (column.at(middle) <= bound) low = middle + 1
    else high = middle
  }
  return low - 1
}

/** The stretches in the order of their beginnings. */
const inOrder = ({ from }: View): ReadonlyArray<number> => {
  const stretches = Array.from({ length: from.length }, (_, stretch) => stretch)
  const isSorted = stretches.every((stretch) => stretch === 0 || from.at(stretch - 1) <= from.at(stretch))
  return isSorted ? stretches : stretches.toSorted((a, b) => from.at(a) - from.at(b))
}

/** Lays the stretches of a view side by side. */
export const make = (view: View): Coverage => {
  const starts = new Column()
  const ends = new Column()
  const stretches = new Column()
  let end = 0
  let completeTo = 0
  for (const stretch of inOrder(view)) {
    const to = view.to.at(stretch)
    if (starts.length > 0 && to <= end) continue
    const from = Math.max(view.from.at(stretch), end)
    starts.push(from)
    ends.push(to)
    stretches.push(stretch)
    if (from === completeTo) completeTo = to
    end = to
  }
  return {
    at: (offset) => {
      const position = lastNotAbove(starts, offset)
      return position >= 0 && offset < ends.at(position) ? stretches.at(position) : none
    },
    completeTo
  }
}
