/**
 * The rules of reading committed records that have been wrong in some broker or client, each as one named function.
 *
 * `base` is the set under which no aborted record is read. A museum exhibit replaces one of them (`FetchMuseum.ts`);
 * nothing else in the core branches on which set is in force. The names are those of the section RULES in
 * `spec/ReadCommitted.tla`.
 */
import type { AbortedTransaction, Entry, ListedTransaction } from "./Fetch.ts"
import type { Filter } from "./FetchedRecords.ts"

export interface Rules {
  /** Whether an aborted transaction overlaps the offsets from `from` up to `upper`, that one left out. */
  readonly IsAbortedIn: (aborted: AbortedTransaction, from: number, upper: number) => boolean
  /** The list that a fetch which had to wait for data carries, of the transactions that belong on it. */
  readonly AbortedOfParked: (aborted: ReadonlyArray<AbortedTransaction>) => ReadonlyArray<AbortedTransaction>
  /** In which order the consumer looks at a list that comes in the order of markers. */
  readonly ByFirstOffset: (aborted: ReadonlyArray<ListedTransaction>) => ReadonlyArray<ListedTransaction>
  /** What a marker does to the transactions that the consumer has to drop. */
  readonly AfterMarker: (filter: Filter, marker: Entry) => Filter
}

export const base: Rules = {
  // TransactionIndex.collectAbortedTxns.
  IsAbortedIn: ({ first, last }, from, upper) => last >= from && first < upper,
  // KAFKA-5376: a delayed fetch reads again, and answers as one that did not wait.
  AbortedOfParked: (aborted) => aborted,
  // CompletedFetch.abortedTransactions.
  ByFirstOffset: (aborted) => aborted.toSorted((a, b) => a.first - b.first),
  // CompletedFetch.containsAbortMarker. Transactions of the producer that begin later stay in the queue.
  AfterMarker: (filter, { kind, producerId }) => {
    if (kind !== "ABORT") return filter
    const dropping = new Set(filter.dropping)
    dropping.delete(producerId)
    return { ...filter, dropping }
  }
}
