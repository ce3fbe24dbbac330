/**
 * The rules that have been wrong in some broker or client, each as one named function.
 *
 * `base` is the set under which the guarantees hold. A museum exhibit and a Kafka release replace some of them
 * (`Museum.ts`, `Releases.ts`); nothing else in the core branches on which set is in force. The names are those of the
 * operators in `spec/IdempotentProducer.tla`.
 */
import * as Errors from "./Errors.ts"
import type { Limits } from "./Limits.ts"
import type { Context, Entry, Producers, RememberedBatch } from "./Replica.ts"
import * as Sender from "./Sender.ts"
import * as Sequence from "./Sequence.ts"

export interface Rules {
  /** The producer's counter after it first sends a batch of `count` records. */
  readonly SequenceAfterSend: (limits: Limits, sequence: number, count: number) => number
  /** The producer's counter after a batch of `count` records is acknowledged. */
  readonly SequenceAfterAcknowledgement: (limits: Limits, sequence: number, count: number) => number
  /** Whether `a` comes before `b` when both number batches in flight. */
  readonly SequencePrecedes: (limits: Limits, a: number, b: number) => boolean
  /** Whether `sequence` follows the last acknowledged one (`Sequence.none` when there is none yet). */
  readonly IsNextSequence: (limits: Limits, sequence: number, lastAcked: number) => boolean
  /** Whether the producer sends a batch again after this error. */
  readonly IsRetriable: (error: Errors.Error) => boolean
  /** Whether this answer proves that the batch is not in the log. */
  readonly ProvesNotWritten: (error: Errors.Error) => boolean
  /** What the definite failure of a batch does to the numbering of those behind it. */
  readonly AfterFailure: (sender: Sender.Sender, batch: Sender.Batch) => Sender.Sender
  /** Whether the partition's batches may be given a new identity now. */
  readonly MayBumpEpoch: (sender: Sender.Sender) => boolean
  /** What a leader keeps of the batches of a producer id, oldest first. */
  readonly RememberedBatches: (
    limits: Limits,
    batches: ReadonlyArray<RememberedBatch>
  ) => ReadonlyArray<RememberedBatch>
  /** Whether a producer id that the partition does not know may begin with this sequence. */
  readonly IsFirstSequence: (sequence: number) => boolean
  /** What a broker knows of its producers after a restart. */
  readonly RestoreProducers: (producers: Producers) => Producers
  /** What a leader knows of its producers when appending the validated `entry` has failed. */
  readonly ProducersAfterFailedAppend: (context: Context, producers: Producers, entry: Entry) => Producers
}

export const base: Rules = {
  SequenceAfterSend: (limits, sequence, count) => Sequence.increment(limits.maxSequence, sequence, count),
  SequenceAfterAcknowledgement: (_limits, sequence) => sequence,
  // Half of the sequence space decides, so that the order survives the wrap.
  SequencePrecedes: ({ maxSequence }, a, b) => {
    const half = Math.floor(maxSequence / 2)
    return b > a ? b - a <= half : a - b > half
  },
  IsNextSequence: ({ maxSequence }, sequence, lastAcked) =>
    sequence === (lastAcked === Sequence.none ? 0 : Sequence.increment(maxSequence, lastAcked, 1)),
  // What TransactionManager.canRetry adds for the idempotent producer.
  IsRetriable: (error) =>
    Errors.isRetriable(error) || error === "OUT_OF_ORDER_SEQUENCE_NUMBER" || error === "UNKNOWN_PRODUCER_ID",
  ProvesNotWritten: (error) => {
    switch (error) {
      case "OUT_OF_ORDER_SEQUENCE_NUMBER":
      case "UNKNOWN_PRODUCER_ID":
      case "INVALID_PRODUCER_EPOCH":
      case "TOPIC_AUTHORIZATION_FAILED":
      case "INVALID_RECORD":
        return true
      default:
        return false
    }
  },
  // TransactionManager.handleFailedBatch: the hole stays behind in the old epoch.
  AfterFailure: (sender) => ({ ...sender, epochBump: true }),
  // A leader cannot recognise a batch under its new identity, so no batch that gets one may be in the log already.
  MayBumpEpoch: (sender) => Sender.sequenced(sender).every((batch) => batch.status === "queued" && !batch.maybeWritten),
  RememberedBatches: ({ dedupWindow }, batches) => batches.slice(Math.max(0, batches.length - dedupWindow)),
  IsFirstSequence: (sequence) => sequence === 0,
  RestoreProducers: (producers) => producers,
  ProducersAfterFailedAppend: (_context, producers) => producers
}
