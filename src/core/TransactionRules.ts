/**
 * The rules of transactions that have been wrong in some coordinator, leader or client, each as one named function.
 *
 * `base` is the set under which the guarantees hold. A museum exhibit and a Kafka release replace some of them; nothing
 * else in the core branches on which set is in force. The names are those of the section RULES in
 * `spec/TransactionRules.tla`; sequences and deduplication have theirs in `Rules.ts`.
 */
import * as IdempotentRules from "./Rules.ts"
import * as Sequence from "./Sequence.ts"
import type { Context, Version } from "./Transaction.ts"
import type { Fate, Partition, Producers, Verified } from "./TransactionalPartition.ts"
import * as TransactionalPartition from "./TransactionalPartition.ts"
import type { Batches } from "./TransactionalProducer.ts"
import type { Marker, Pending } from "./TransactionCoordinator.ts"
import type { Metadata, State } from "./TransactionMetadata.ts"
import * as TransactionMetadata from "./TransactionMetadata.ts"

export interface Rules {
  /** The epoch of a transaction that the coordinator aborts for a new instance: nobody may go on with the old one. */
  readonly FenceEpoch: (context: Context, metadata: Metadata) => number
  /** The same for one that it aborts because it takes too long. */
  readonly TimeoutEpoch: (context: Context, metadata: Metadata) => number
  /** Whether such an abort ends the producer id, when it had this epoch. */
  readonly RotatesWhenFenced: (context: Context, epoch: number) => boolean
  /** Whether the partition is in the transaction already, so that nothing needs writing. */
  readonly IsRegistered: (metadata: Metadata, partition: string) => boolean
  /** What a completed transaction keeps of its partitions. */
  readonly PartitionsAfterCompletion: (partitions: ReadonlyArray<string>) => ReadonlyArray<string>
  /** How many completions are written when the markers of these partitions are acknowledged. */
  readonly Completions: (partitions: ReadonlyArray<string>) => number
  /** Whether a completion that was due still may be written in this state. */
  readonly MayComplete: (state: State) => boolean
  /** What a transition that could not be written leaves pending. */
  readonly PendingAfterFailedAppend: (pending: Pending) => Pending
  /** What `__transaction_state` keeps of the metadata. */
  readonly Persisted: (metadata: Metadata) => Metadata
  /** Whether the coordinator looks at a pending transition before it looks at who asks. */
  readonly AsksPendingFirst: () => boolean
  /** Whether a batch needs no verification because its transaction is open on the partition. */
  readonly JoinsOpenTransaction: (producers: Producers, producerId: number, epoch: number) => boolean
  /** Whether a batch that needs verification is refused before it, where the leader knows this epoch. */
  readonly IsStaleOnArrival: (known: number, epoch: number) => boolean
  /** Whether a leader that appends looks at the epoch before the guard. */
  readonly AsksEpochFirst: () => boolean
  /** Whether the batch was verified in this transaction of its producer id. */
  readonly HasGuard: (partition: Partition, verified: Verified) => boolean
  /** Whether a producer id that the partition does not know may begin with this sequence. */
  readonly IsFirstSequence: (sequence: number, version: Version) => boolean
  /** Whether a leader that knows this epoch, with a transaction `open` or not, takes a marker. */
  readonly AcceptsMarker: (known: number, open: boolean, marker: Marker) => boolean
  /** What read_committed consumers read up to. */
  readonly LastStableOffset: (partition: Partition) => number
  /** Whether a transaction may still change the group's offset. */
  readonly IsUnstable: (partition: Partition) => boolean
  /** Whether read_committed consumers leave out the records of a transaction that ended, or has not, like this. */
  readonly IsFiltered: (fate: Fate) => boolean
  /** Whether a group's offset is committed in the transaction of its outputs. */
  readonly OffsetsInTransaction: () => boolean
  /** Whether a transaction with these batches may be committed. */
  readonly MayCommit: (batches: Batches) => boolean
  /** Whether the producer asks for a new epoch after an abort, when one is `wanted`. */
  readonly BumpsEpochAfterAbort: (wanted: boolean, version: Version) => boolean
}

export const base: Rules = {
  // hasFailedEpochFence: the epoch was raised and never given to anybody.
  FenceEpoch: (_context, { epoch, failedEpochFence }) => failedEpochFence ? epoch : epoch + 1,
  TimeoutEpoch: (context, metadata) => context.rules.FenceEpoch(context, metadata),
  // KAFKA-20090.
  RotatesWhenFenced: (context, epoch) =>
    context.transactionVersion === 2 && TransactionMetadata.isExhausted(context, epoch),
  IsRegistered: ({ partitions, state }, partition) => state === "Ongoing" && partitions.includes(partition),
  PartitionsAfterCompletion: () => [],
  Completions: () => 1,
  MayComplete: TransactionMetadata.isPrepared,
  PendingAfterFailedAppend: () => "None",
  // TransactionLogValue; the previous and the next producer id are in it since KAFKA-20310.
  Persisted: (metadata) =>
    metadata.lastEpoch === Sequence.none && !metadata.failedEpochFence
      ? metadata
      : { ...metadata, lastEpoch: Sequence.none, failedEpochFence: false },
  AsksPendingFirst: () => true,
  JoinsOpenTransaction: TransactionalPartition.isOpen,
  // KAFKA-18042.
  IsStaleOnArrival: (known, epoch) => epoch < known,
  // KAFKA-19690.
  AsksEpochFirst: () => true,
  // KAFKA-14884: the guard that the batch was given is still there.
  HasGuard: (_partition, { guard }) => guard,
  IsFirstSequence: IdempotentRules.base.IsFirstSequence,
  // Under version 2 the epoch is new with every marker, or the marker is here already (KIP-1228, KAFKA-19999).
  AcceptsMarker: (known, open, { epoch, version }) =>
    version === 2 ? epoch > known || (epoch === known && !open) : epoch >= known,
  LastStableOffset: (partition) =>
    Math.min(TransactionalPartition.firstUnstableOffset(partition) ?? partition.highWatermark, partition.highWatermark),
  // KIP-447.
  IsUnstable: (partition) => TransactionalPartition.firstUnstableOffset(partition) !== undefined,
  IsFiltered: (fate) => fate === "ABORT",
  // sendOffsetsToTransaction.
  OffsetsInTransaction: () => true,
  // Every record is acknowledged, and there is one.
  MayCommit: (batches) => {
    for (const batch of batches.values()) if (batch !== "acked") return false
    return batches.size > 0
  },
  // KIP-360; version 2 gives a new epoch with the end of every transaction.
  BumpsEpochAfterAbort: (wanted, version) => version === 1 && wanted
}
