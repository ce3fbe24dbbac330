/**
 * A partition that read_committed consumers fetch from, as a pure state machine: what lies below the last stable offset,
 * aborted records included, and the list of aborted transactions that goes with it.
 *
 * Which batches and markers a leader takes is another subject (`TransactionalPartition.ts`); what is written here is
 * there for good. Every batch has one record, so offsets count entries. `step` is the only way in, and answers
 * `undefined` when the input is not possible in the state. `LocalLog`, `TransactionIndex` and `DelayedFetch` in Kafka.
 */
import type { Rules } from "./FetchRules.ts"
import type { Result } from "./Transaction.ts"

/** A batch of one record in a transaction, or a control batch. */
export interface Entry {
  readonly kind: "DATA" | Result
  readonly producerId: number
}

/** An aborted transaction as consumers are told of it. `FetchResponseData.AbortedTransaction`. */
export interface ListedTransaction {
  readonly producerId: number
  /** The offset of its first record. */
  readonly first: number
}

/** An entry of the index of aborted transactions. `AbortedTxn`. */
export interface AbortedTransaction extends ListedTransaction {
  /** The offset of its marker. */
  readonly last: number
}

export interface Partition {
  readonly log: ReadonlyArray<Entry>
  /** In the order of markers. */
  readonly abortedIndex: ReadonlyArray<AbortedTransaction>
  /** The offset from which a fetch waits for data, if one does. */
  readonly parked: number | undefined
}

/** What a fetch returns. `FetchResponse.PartitionData`. */
export interface Fetched {
  /** The offset of the first entry. */
  readonly offset: number
  readonly entries: ReadonlyArray<Entry>
  /** The transactions to leave out, in the order of their markers. */
  readonly aborted: ReadonlyArray<AbortedTransaction>
}

/** `count` is how many entries there is room for, or as many as the leader likes to return. */
export type Input =
  | { readonly _tag: "WriteRecord"; readonly producerId: number }
  | { readonly _tag: "WriteMarker"; readonly producerId: number; readonly result: Result }
  | { readonly _tag: "FetchRecords"; readonly offset: number; readonly count: number }
  | { readonly _tag: "ParkFetch"; readonly offset: number }
  | { readonly _tag: "CompleteFetch"; readonly count: number }

export type Step = readonly [Partition, ReadonlyArray<Fetched>]

export const initial: Partition = { log: [], abortedIndex: [], parked: undefined }

/** A control batch, which ends the transaction of its producer id. */
export const isMarker = ({ kind }: Entry): boolean => kind !== "DATA"

/** Where the open transaction of each producer id begins, in the order of these offsets. */
const openTransactions = (log: ReadonlyArray<Entry>): ReadonlyMap<number, number> => {
  const open = new Map<number, number>()
  log.forEach((entry, offset) => {
    if (isMarker(entry)) open.delete(entry.producerId)
    else if (!open.has(entry.producerId)) open.set(entry.producerId, offset)
  })
  return open
}

/** What lies below can be read. `UnifiedLog.lastStableOffset`. */
export const lastStableOffset = ({ log }: Pick<Partition, "log">): number => {
  const [first = log.length] = openTransactions(log).values()
  return first
}

const written = (partition: Partition, entry: Entry): Partition => ({ ...partition, log: [...partition.log, entry] })

/** A record in the producer's transaction. `UnifiedLog.append`. */
const writeRecord = (partition: Partition, producerId: number): Step => [
  written(partition, { kind: "DATA", producerId }),
  []
]

/**
 * What is listed of a transaction that began at `first` and is ended by the marker at `last`, if anything: not one that is
 * committed, nor one that has no records here. `LogSegment.updateTxnIndex`.
 */
export const abortedBy = (
  producerId: number,
  result: Result,
  first: number | undefined,
  last: number
): AbortedTransaction | undefined =>
  result === "COMMIT" || first === undefined ? undefined : { producerId, first, last }

/** The end of a transaction, also of one that has no records here. */
const writeMarker = (partition: Partition, producerId: number, result: Result): Step => {
  const marked = written(partition, { kind: result, producerId })
  const first = openTransactions(partition.log).get(producerId)
  const aborted = abortedBy(producerId, result, first, partition.log.length)
  return [aborted === undefined ? marked : { ...marked, abortedIndex: [...partition.abortedIndex, aborted] }, []]
}

/** The records and the list come from one look at the log. `LocalLog.read`, `LocalLog.addAbortedTransactions`. */
const read = (rules: Rules, { abortedIndex, log }: Partition, offset: number, count: number): Fetched => {
  const upper = offset + count
  return {
    offset,
    entries: log.slice(offset, upper),
    aborted: abortedIndex.filter((aborted) => rules.IsAbortedIn(aborted, offset, upper))
  }
}

/** A fetch returns some of what is below the last stable offset. `ReplicaManager.readFromLog`. */
const fetchRecords = (rules: Rules, partition: Partition, offset: number, count: number): Step | undefined =>
  partition.parked === undefined && offset + count <= lastStableOffset(partition)
    ? [partition, [read(rules, partition, offset, count)]]
    : undefined

/** With nothing to return the fetch waits. `fetch.min.bytes`, `DelayedFetch.tryComplete`. */
const parkFetch = (partition: Partition, offset: number): Step | undefined =>
  partition.parked === undefined && offset === lastStableOffset(partition)
    ? [{ ...partition, parked: offset }, []]
    : undefined

/** There is data now, and the waiting fetch returns it. `DelayedFetch.onComplete`. */
const completeFetch = (rules: Rules, partition: Partition, count: number): Step | undefined => {
  const { parked } = partition
  if (parked === undefined || parked + count > lastStableOffset(partition)) return undefined
  const fetched = read(rules, partition, parked, count)
  return [{ ...partition, parked: undefined }, [{ ...fetched, aborted: rules.AbortedOfParked(fetched.aborted) }]]
}

/** One turn of the partition; `undefined` when `input` is not possible in this state. */
export const step = (rules: Rules, partition: Partition, input: Input): Step | undefined => {
  switch (input._tag) {
    case "WriteRecord":
      return writeRecord(partition, input.producerId)
    case "WriteMarker":
      return writeMarker(partition, input.producerId, input.result)
    case "FetchRecords":
      return fetchRecords(rules, partition, input.offset, input.count)
    case "ParkFetch":
      return parkFetch(partition, input.offset)
    case "CompleteFetch":
      return completeFetch(rules, partition, input.count)
  }
}
