/**
 * Whether the consumers of a partition read one and the same log: what one of them has read, another of the same isolation
 * cannot pass over, what is given to read_committed consumers is in the log that read_uncommitted ones read, and one
 * offset holds one record.
 */
import { Column } from "../Columns.ts"
import type { Isolation } from "./History.ts"

/** The log as the fastest consumers of one isolation read it. */
interface View {
  /** Offsets, increasing, and the record at each. */
  readonly offsets: Column
  readonly records: Column
  /** The consumer that reached the end first. */
  end: { readonly consumer: number; readonly offset: number } | undefined
}

/** How far a consumer agrees with the others of its isolation. */
export interface Progress {
  /** How many entries of their log it has confirmed. */
  confirmed: number
}

/** Two consumers that cannot both have read one log. */
export interface Disagreement {
  /** Numbers of records, the wronged one first. */
  readonly records: ReadonlyArray<number>
  readonly offset: number
  /** What is wrong, to follow the name of the first record; `there` is where the offset goes. */
  readonly tell: (there: string, tellRecord: (record: number) => string) => string
}

export interface Stability {
  readonly read: (
    progress: Progress,
    isolation: Isolation,
    consumer: number,
    record: number,
    offset: number
  ) => Disagreement | undefined
  /** The consumer has reached its end. */
  readonly end: (
    progress: Progress,
    isolation: Isolation,
    consumer: number,
    offset: number
  ) => Disagreement | undefined
  /** Where consumers of this isolation end, once one has. */
  readonly endOf: (isolation: Isolation) => number | undefined
}

const makeView = (): View => ({ offsets: new Column(), records: new Column(), end: undefined })

/** The record at `offset`, or undefined. */
const recordAt = ({ offsets, records }: View, offset: number): number | undefined => {
  let low = 0
  let high = offsets.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (offsets.at(middle) < offset) low = middle + 1
    else high = middle
  }
  return low < offsets.length && offsets.at(low) === offset ? records.at(low) : undefined
}

/** Whether somebody has read as far as `offset`. */
const reaches = ({ end, offsets }: View, offset: number): boolean =>
  end !== undefined || (offsets.length > 0 && offsets.at(offsets.length - 1) >= offset)

const passedOver = (record: number, offset: number, consumer: number, how = "passed over it"): Disagreement => ({
  records: [record],
  offset,
  tell: (there) => `was read ${there}, but consumer ${consumer} ${how}.`
})

const clash = (record: number, offset: number, consumer: number, other: number): Disagreement => ({
  records: [record, other],
  offset,
  tell: (there, tellRecord) => `was read ${there}, where consumer ${consumer} read ${tellRecord(other)}.`
})

const withoutReading = "reached the end without reading it"

/** Starts with nothing read. */
export const make = (): Stability => {
  const views: Readonly<Record<Isolation, View>> = { read_committed: makeView(), read_uncommitted: makeView() }
  const { read_committed: committed, read_uncommitted: uncommitted } = views
  /** How many entries of the committed view the uncommitted one reaches; those are compared. */
  let compared = 0

  /** Compares a new entry of one view with the other view. */
  const compare = (
    isolation: Isolation,
    consumer: number,
    record: number,
    offset: number
  ): Disagreement | undefined => {
    if (isolation === "read_committed") {
      if (!reaches(uncommitted, offset)) return undefined
      compared = committed.offsets.length
      const there = recordAt(uncommitted, offset)
      if (there === undefined) {
        return {
          records: [record],
          offset,
          tell: (where) => `was read ${where} by consumer ${consumer}, but read_uncommitted consumers passed over it.`
        }
      }
      return there === record ? undefined : clash(there, offset, consumer, record)
    }
    for (; compared < committed.offsets.length && committed.offsets.at(compared) <= offset; compared++) {
      const other = committed.records.at(compared)
      const at = committed.offsets.at(compared)
      if (at < offset) return passedOver(other, at, consumer)
      if (other !== record) return clash(other, offset, consumer, record)
    }
    return undefined
  }

  return {
    read: (progress, isolation, consumer, record, offset) => {
      const view = views[isolation]
      if (progress.confirmed === view.offsets.length) {
        if (view.end !== undefined) return passedOver(record, offset, view.end.consumer, withoutReading)
        view.offsets.push(offset)
        view.records.push(record)
        progress.confirmed++
        return compare(isolation, consumer, record, offset)
      }
      const expected = view.records.at(progress.confirmed)
      const expectedAt = view.offsets.at(progress.confirmed)
      progress.confirmed++
      if (expectedAt < offset) return passedOver(expected, expectedAt, consumer)
      if (expectedAt > offset) {
        return {
          records: [record],
          offset,
          tell: (there) => `was read ${there} by consumer ${consumer}, but another consumer passed over it.`
        }
      }
      return expected === record ? undefined : clash(expected, offset, consumer, record)
    },
    end: (progress, isolation, consumer, offset) => {
      const view = views[isolation]
      view.end ??= { consumer, offset }
      if (progress.confirmed < view.offsets.length) {
        const { confirmed } = progress
        return passedOver(view.records.at(confirmed), view.offsets.at(confirmed), consumer, withoutReading)
      }
      if (isolation === "read_committed" || compared === committed.offsets.length) return undefined
      return passedOver(committed.records.at(compared), committed.offsets.at(compared), consumer, withoutReading)
    },
    endOf: (isolation) => views[isolation].end?.offset
  }
}
