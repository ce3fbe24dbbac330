/**
 * What a coordinator knows of a transactional id, and what each transition makes of it.
 *
 * The constructions only; `TransactionCoordinator.ts` decides which of them happens. `TransactionMetadata` in Kafka,
 * whose `prepare…` methods these are.
 */
import * as Sequence from "./Sequence.ts"
import type { Context, Name, Result, Version } from "./Transaction.ts"
import { noName } from "./Transaction.ts"

/** `Unknown` is an id that the coordinator has nothing about. */
export type State =
  | "Unknown"
  | "Empty"
  | "Ongoing"
  | "PrepareCommit"
  | "PrepareAbort"
  | "CompleteCommit"
  | "CompleteAbort"

export interface Metadata {
  readonly producerId: number
  /** The producer id before the last transition. */
  readonly previousProducerId: number
  /** The producer id that begins when the transaction is complete, or `Sequence.none`. */
  readonly nextProducerId: number
  readonly epoch: number
  /** The epoch before this one, when its owner has both; it may come back with it. */
  readonly lastEpoch: number
  readonly state: State
  /** The partitions of the transaction, sorted. */
  readonly partitions: ReadonlyArray<string>
  /** The protocol of whoever made the last transition. */
  readonly version: Version
  /** The epoch was raised for a fence that could not be written. In memory only. */
  readonly failedEpochFence: boolean
  /** Ghost: the transaction that this is about. */
  readonly transaction: Name
}

export const unknown: Metadata = {
  producerId: Sequence.none,
  previousProducerId: Sequence.none,
  nextProducerId: Sequence.none,
  epoch: Sequence.none,
  lastEpoch: Sequence.none,
  state: "Unknown",
  partitions: [],
  version: 1,
  failedEpochFence: false,
  transaction: noName
}

/** An id that nobody used before. In memory only. */
export const created = (producerId: number): Metadata => ({ ...unknown, producerId, state: "Empty" })

export const isComplete = (state: State): boolean => state === "CompleteCommit" || state === "CompleteAbort"

export const isPrepared = (state: State): boolean => state === "PrepareCommit" || state === "PrepareAbort"

/** What the markers of a prepared transaction say. */
export const resultOf = (prepared: State): Result => prepared === "PrepareCommit" ? "COMMIT" : "ABORT"

export const preparedState = (result: Result): "PrepareCommit" | "PrepareAbort" =>
  result === "COMMIT" ? "PrepareCommit" : "PrepareAbort"

export const completedState = (prepared: State): "CompleteCommit" | "CompleteAbort" =>
  prepared === "PrepareCommit" ? "CompleteCommit" : "CompleteAbort"

/**
 * No client may be given the successor of this epoch: it is kept for the coordinator, which must always be able to fence.
 * `TransactionMetadata.isEpochExhausted`.
 */
export const isExhausted = ({ replica }: Context, epoch: number): boolean => epoch >= replica.limits.maxEpoch - 1

/** Every transition remembers the producer id before it. `TransactionMetadata.prepareTransitionTo`. */
const successor = (metadata: Metadata, changes: Partial<Metadata>): Metadata => ({
  ...metadata,
  previousProducerId: metadata.producerId,
  failedEpochFence: false,
  ...changes
})

/** The id gets an instance that has nothing to end. `prepareIncrementProducerEpoch`, `prepareProducerIdRotation`. */
export const initialized = (metadata: Metadata, producerId: number, epoch: number, lastEpoch: number): Metadata =>
  successor(metadata, { state: "Empty", producerId, epoch, lastEpoch, partitions: [], transaction: noName })

/** A partition that is added to a transaction. */
export interface Addition {
  readonly partition: string
  readonly version: Version
  readonly transaction: Name
}

const withPartition = (partitions: ReadonlyArray<string>, partition: string): ReadonlyArray<string> =>
  partitions.includes(partition) ? partitions : [...partitions, partition].sort()

/** The partition joins the transaction, or begins the next one. `prepareAddPartitions`. */
export const ongoing = ({ rules }: Context, metadata: Metadata, { partition, transaction, version }: Addition) => {
  const continues = metadata.state === "Ongoing"
  const before = continues ? metadata.partitions : rules.PartitionsAfterCompletion(metadata.partitions)
  return successor(metadata, {
    state: "Ongoing",
    version,
    partitions: withPartition(before, partition),
    transaction: continues ? metadata.transaction : transaction
  })
}

/** The end of a transaction as its client asks for it under version 1. `prepareAbortOrCommit`. */
export const prepared = (metadata: Metadata, result: Result, transaction: Name): Metadata =>
  successor(metadata, { state: preparedState(result), version: 1, transaction })

/**
 * The same under version 2, which ends every transaction with a new epoch, and an exhausted one with a new producer id
 * (`free`). Nothing may be ended too: then there are no partitions. `prepareAbortOrCommit`, KIP-890.
 */
export const preparedWithNewEpoch = (
  context: Context,
  metadata: Metadata,
  result: Result,
  transaction: Name,
  free: number
): Metadata =>
  successor(metadata, {
    state: preparedState(result),
    version: 2,
    transaction,
    epoch: metadata.epoch + 1,
    lastEpoch: metadata.epoch,
    nextProducerId: isExhausted(context, metadata.epoch) ? free : Sequence.none,
    partitions: metadata.state === "Ongoing" ? metadata.partitions : []
  })

/** The coordinator ends the transaction by itself, with an `epoch` that fences its owner. `prepareFenceProducerEpoch`. */
export const fenced = (context: Context, metadata: Metadata, epoch: number, free: number): Metadata =>
  successor(metadata, {
    state: "PrepareAbort",
    epoch,
    version: context.transactionVersion,
    lastEpoch: context.transactionVersion === 2 ? metadata.epoch : Sequence.none,
    nextProducerId: context.rules.RotatesWhenFenced(context, metadata.epoch) ? free : Sequence.none
  })

/** All markers are written; after the last epoch the next producer id begins. `prepareComplete`. */
export const completed = ({ rules }: Context, metadata: Metadata): Metadata => {
  const rotates = metadata.nextProducerId !== Sequence.none
  return successor(metadata, {
    state: completedState(metadata.state),
    partitions: rules.PartitionsAfterCompletion(metadata.partitions),
    nextProducerId: Sequence.none,
    producerId: rotates ? metadata.nextProducerId : metadata.producerId,
    epoch: rotates ? 0 : metadata.epoch
  })
}
