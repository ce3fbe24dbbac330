/**
 * What a read_committed consumer makes of a fetch, as pure functions: it advances past everything that was returned, and
 * keeps what is neither a marker nor a record of an aborted transaction.
 *
 * The list of aborted transactions says where each begins; its marker says where it ends. Nothing of it outlives the
 * fetch. `CompletedFetch.nextFetchedRecord` in Kafka.
 */
import type { Entry, Fetched, ListedTransaction } from "./Fetch.ts"
import { isMarker } from "./Fetch.ts"
import type { Rules } from "./FetchRules.ts"

/** What the consumer has to leave out. */
export interface Filter {
  /** Aborted transactions that have not begun yet. */
  readonly queue: ReadonlyArray<ListedTransaction>
  /** Producer ids in an aborted transaction. */
  readonly dropping: ReadonlySet<number>
}

/** What a fetch comes to. */
export interface Received {
  /** The offset to fetch next. */
  readonly position: number
  /** The offsets of the records that the application is given. */
  readonly delivered: ReadonlyArray<number>
}

/** Nothing of the fetch has been looked at. */
export const begin = (rules: Rules, aborted: ReadonlyArray<ListedTransaction>): Filter => ({
  queue: rules.ByFirstOffset(aborted),
  dropping: new Set()
})

/** Transactions that begin at or before an offset are being dropped there. `consumeAbortedTransactionsUpTo`. */
const activated = (filter: Filter, offset: number): Filter => {
  const { dropping, queue } = filter
  if (queue.length === 0 || queue[0]!.first > offset) return filter
  const begun = new Set(dropping)
  let next = 0
  for (; next < queue.length && queue[next]!.first <= offset; next++) begun.add(queue[next]!.producerId)
  return { queue: queue.slice(next), dropping: begun }
}

/**
 * The next batch of the fetch, whose last record has this offset: the filter after it, and whether the application is given
 * its records. Batches outside of transactions are let through unasked.
 */
export const take = (
  rules: Rules,
  before: Filter,
  batch: Entry,
  lastOffset: number
): readonly [Filter, isDelivered: boolean] => {
  const filter = activated(before, lastOffset)
  return isMarker(batch)
    ? [rules.AfterMarker(filter, batch), false]
    : [filter, !filter.dropping.has(batch.producerId)]
}

/** The offsets that the filter lets through. */
const kept = (rules: Rules, { aborted, entries, offset: first }: Fetched): ReadonlyArray<number> => {
  let filter = begin(rules, aborted)
  const found: Array<number> = []
  entries.forEach((entry, i) => {
    const [next, isDelivered] = take(rules, filter, entry, first + i)
    filter = next
    if (isDelivered) found.push(first + i)
  })
  return found
}

/** The consumer gets the answer to its fetch. */
export const receive = (rules: Rules, fetched: Fetched): Received => ({
  position: fetched.offset + fetched.entries.length,
  delivered: kept(rules, fetched)
})
