/**
 * External storage that a consumer group writes its outputs into, together with the offsets up to which it has consumed.
 *
 * A sink knows records and generations and nothing of a consumer. Which promise it keeps depends on the layer:
 * `TransactionalSink` is exactly-once, `UpsertSink` replaces duplicates, `NaiveSink` loses or duplicates. What a member
 * does with a sink, and in which order, is in `SinkMember.ts`.
 */
import { Context, Data, type Effect } from "effect"
import type { TopicPartition } from "../../core/index.ts"

/** An output, under the place of the input that it comes from. */
export interface SinkRecord extends TopicPartition.TopicPartition {
  /** Of the input. Offsets of a partition rise and may have gaps. */
  readonly offset: number
  readonly key: string | null
  readonly value: string | null
}

/** The offset from which to go on: that of the first input that is not done. */
export interface Position extends TopicPartition.TopicPartition {
  readonly offset: number
}

/**
 * The generation is not the newest that has opened the storage: in general this member has lost its partitions, and must
 * join the group again.
 */
export class SinkFenced extends Data.TaggedError("SinkFenced")<{
  readonly group: string
  /** Of the member that was refused. */
  readonly generation: number
}> {
  override get message() {
    return `generation ${this.generation} of group ${this.group} is not the newest that has opened the storage`
  }
}

/** The storage failed. What was to be written may be there all the same. */
export class SinkFailure extends Data.TaggedError("SinkFailure")<{
  readonly operation: "open" | "fence" | "positions" | "deliver"
  /** Whether another attempt may succeed; otherwise somebody has to mend something first. */
  readonly retryable: boolean
  readonly cause: unknown
}> {
  override get message() {
    return `${this.operation} failed: ${this.cause instanceof Error ? this.cause.message : String(this.cause)}`
  }
}

/**
 * The storage of one consumer group. A generation is that of the group (`ConsumerGroupMetadata.generationId`); all members
 * of a generation may write, each the partitions that it has. With the protocol of KIP-848 it is the epoch of the member:
 * members reach an epoch one after the other, and one that lags behind is refused until it has. That is safe, and costs
 * time.
 */
export class Sink extends Context.Service<Sink, {
  /** Shuts older generations out. To be called with every new generation, before the positions are read. */
  readonly fence: (generation: number) => Effect.Effect<void, SinkFenced | SinkFailure>
  /** Where to go on, for those of the partitions that have a stored offset. */
  readonly positions: (
    partitions: ReadonlyArray<TopicPartition.TopicPartition>
  ) => Effect.Effect<ReadonlyArray<Position>, SinkFailure>
  /**
   * Writes records and moves the offsets of their partitions behind them. Records of a partition come in the order of
   * their offsets, each offset once. After a `SinkFailure` it is unknown whether they were written; a sink that is
   * exactly-once may be given them again.
   */
  readonly deliver: (
    records: ReadonlyArray<SinkRecord>,
    generation: number
  ) => Effect.Effect<void, SinkFenced | SinkFailure>
}>()("keos/runtime/Sink") {}
