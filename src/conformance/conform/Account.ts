/**
 * What a cluster says of itself and shows to consumers, in the terms of the specification: partitions by name, producer
 * ids by the order in which they were given. What the specification expects is read off a world here; what a broker
 * says is translated into the same by `Looking.ts`, so the two can be compared as they are.
 */
import { Fetch, FetchRules, Sequence, Transaction, TransactionalPartition } from "../../core/index.ts"
import type { Transactions } from "../../model/index.ts"

type Configuration = Transactions.Configuration.Configuration
type World = Transactions.World.World

/** A batch of a log, as a consumer that takes everything gets it. */
export interface Batch {
  readonly offset: number
  readonly kind: "DATA" | Transaction.Result
  readonly producerId: number
  readonly epoch: number
  /** -1 in a control batch. */
  readonly sequence: number
  readonly isTransactional: boolean
  readonly records: number
}

/** Fetch from some offset on. */
export interface Fetched {
  readonly highWatermark: number
  readonly lastStableOffset: number
  readonly batches: ReadonlyArray<Batch>
  /** By first offset; none for `read_uncommitted`. */
  readonly aborted: ReadonlyArray<{ readonly producerId: number; readonly firstOffset: number }>
}

/** DescribeProducers, by producer id. Numbers are -1 where there is none such. */
export interface ActiveProducer {
  readonly producerId: number
  readonly epoch: number
  readonly lastSequence: number
  readonly coordinatorEpoch: number
  readonly transactionStartOffset: number
}

/** DescribeTransactions. */
export type Described =
  | { readonly error: "TRANSACTIONAL_ID_NOT_FOUND" }
  | {
    readonly error: "NONE"
    readonly state: string
    readonly producerId: number
    readonly epoch: number
    /** Sorted. */
    readonly partitions: ReadonlyArray<string>
  }

/** OffsetFetch; the offset is -1 where there is none. */
export interface GroupOffset {
  readonly error: string
  readonly offset: number
}

const batchOf = (entry: TransactionalPartition.Entry): Batch => ({
  offset: entry.offset,
  kind: entry.kind,
  producerId: entry.producerId,
  epoch: entry.epoch,
  sequence: entry.sequence,
  isTransactional: entry.isTransactional,
  records: entry.records
})

const partitionOf = ({ partitions }: Configuration, world: World, name: string) =>
  world.partitions[partitions.indexOf(name)]!

/**
 * Aborted transactions that reach into the offsets from `from` up to `end`, by first offset. A broker may list others
 * behind them too, which no reader of what is before looks at.
 */
const abortedIn = (
  log: ReadonlyArray<TransactionalPartition.Entry>,
  from: number,
  end: number
): Fetched["aborted"] => {
  const open = new Map<number, number>()
  const aborted: Array<Fetched["aborted"][number]> = []
  for (const { isTransactional, kind, offset, producerId } of log) {
    if (kind === "DATA") {
      if (isTransactional && !open.has(producerId)) open.set(producerId, offset)
      continue
    }
    const found = Fetch.abortedBy(producerId, kind, open.get(producerId), offset)
    if (found !== undefined && FetchRules.base.IsAbortedIn(found, from, end)) {
      aborted.push({ producerId, firstOffset: found.first })
    }
    open.delete(producerId)
  }
  return aborted.toSorted((a, b) => a.firstOffset - b.firstOffset)
}

const endOf = (
  configuration: Configuration,
  partition: TransactionalPartition.Partition,
  isolationLevel: IsolationLevel
) =>
  isolationLevel === "read_committed"
    ? configuration.context.rules.LastStableOffset(partition)
    : partition.highWatermark

export type IsolationLevel = "read_committed" | "read_uncommitted"

export const fetched = (
  configuration: Configuration,
  world: World,
  name: string,
  isolationLevel: IsolationLevel,
  from = 0
): Fetched => {
  const partition = partitionOf(configuration, world, name)
  const end = endOf(configuration, partition, isolationLevel)
  return {
    highWatermark: partition.highWatermark,
    lastStableOffset: endOf(configuration, partition, "read_committed"),
    // A batch comes whole, also where it begins before the offset.
    batches: partition.log.filter(({ offset, records }) => offset + records > from && offset < end).map(batchOf),
    aborted: isolationLevel === "read_committed" ? abortedIn(partition.log, from, end) : []
  }
}

/** The last data that a reader of committed records gets to, where there is anything before it. */
export const middleOf = (configuration: Configuration, world: World, name: string): number | undefined => {
  const partition = partitionOf(configuration, world, name)
  const end = endOf(configuration, partition, "read_committed")
  const last = partition.log.findLast(({ kind, offset }) => kind === "DATA" && offset < end)
  return last === undefined || last.offset === 0 ? undefined : last.offset
}

export const activeProducers = (
  configuration: Configuration,
  world: World,
  name: string
): ReadonlyArray<ActiveProducer> =>
  Array.from(partitionOf(configuration, world, name).producers, ([producerId, known]) => ({
    producerId,
    epoch: known.epoch,
    lastSequence: known.batches.at(-1)?.last ?? Sequence.none,
    coordinatorEpoch: known.coordinatorEpoch,
    transactionStartOffset: known.firstOffset
  })).toSorted((a, b) => a.producerId - b.producerId)

/** Of a prepared transaction only the partitions are listed that still wait for their markers. */
export const described = ({ coordinators }: World, id: number): Described => {
  const { metadata: { epoch, partitions, producerId, state }, outstanding } = coordinators[id - 1]!
  if (state === "Unknown") return { error: "TRANSACTIONAL_ID_NOT_FOUND" }
  const isPrepared = state === "PrepareCommit" || state === "PrepareAbort"
  return { error: "NONE", state, producerId, epoch, partitions: isPrepared ? outstanding : partitions }
}

export const groupOffset = (configuration: Configuration, world: World, requireStable: boolean): GroupOffset => {
  const partition = partitionOf(configuration, world, Transaction.groupPartition)
  const fetched = TransactionalPartition.fetchOffset(configuration.context, partition)
  if (requireStable && fetched.error !== "NONE") return { error: fetched.error, offset: Sequence.none }
  const committed = TransactionalPartition.committedOffset(partition)
  return { error: "NONE", offset: committed === 0 ? Sequence.none : committed }
}
