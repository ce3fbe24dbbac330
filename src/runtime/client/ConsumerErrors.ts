/**
 * What a consumer can fail with. What passes by itself it tries again; what is told here needs the application.
 */
import { Data } from "effect"
import { type Errors, TopicPartition } from "../../core/index.ts"
import type { ApiKey } from "./Requests.ts"

/** There is no `group.id`. Kafka's `InvalidGroupIdException`. */
export class InvalidGroupId extends Data.TaggedError("InvalidGroupId")<{}> {
  override get message() {
    return "this needs a group: set group.id"
  }
}

/** There is nothing to poll: neither `subscribe` nor `assign` was called. */
export class NotSubscribed extends Data.TaggedError("NotSubscribed")<{}> {
  override get message() {
    return "subscribe to topics or assign partitions first"
  }
}

/**
 * Topics are shared with a group, or partitions are assigned: a consumer does one of the two.
 * `IllegalStateException`.
 */
export class SubscriptionConflict extends Data.TaggedError("SubscriptionConflict")<{}> {
  override get message() {
    return "a consumer either subscribes to topics or is assigned partitions"
  }
}

/** The partition is not the consumer's, or no more. */
export class NotAssigned extends Data.TaggedError("NotAssigned")<{
  readonly partition: TopicPartition.TopicPartition
}> {
  override get message() {
    return `${TopicPartition.key(this.partition)} is not assigned to this consumer`
  }
}

/** The group has no offset of the partition, and `auto.offset.reset` is none. */
export class NoOffsetForPartition extends Data.TaggedError("NoOffsetForPartition")<{
  readonly partition: TopicPartition.TopicPartition
}> {
  override get message() {
    return `there is no committed offset of ${TopicPartition.key(this.partition)}, and auto.offset.reset is none`
  }
}

/** The log does not have the offset, and `auto.offset.reset` is none. */
export class OffsetOutOfRange extends Data.TaggedError("OffsetOutOfRange")<{
  readonly partition: TopicPartition.TopicPartition
  readonly offset: number
}> {
  override get message() {
    return `${TopicPartition.key(this.partition)} does not have offset ${this.offset}, and auto.offset.reset is none`
  }
}

/**
 * The offsets were not committed, as the group has moved on or is moving: the partitions may be somebody else's. Poll,
 * to join it again. Kafka's `CommitFailedException` and `RebalanceInProgressException`.
 */
export class CommitFailed extends Data.TaggedError("CommitFailed")<{
  readonly error: "ILLEGAL_GENERATION" | "UNKNOWN_MEMBER_ID" | "REBALANCE_IN_PROGRESS"
}> {
  override get message() {
    return `the offsets were not committed (${this.error}): the group gives the partitions to others, or has done so`
  }
}

/** What was fetched is not what a producer has sent. To go on without it, seek beyond. */
export class InvalidRecords extends Data.TaggedError("InvalidRecords")<{
  readonly partition: TopicPartition.TopicPartition
  /** Of the first record that is not read. */
  readonly offset: number
  readonly reason: string
}> {
  override get message() {
    return `${TopicPartition.key(this.partition)} cannot be read from offset ${this.offset}: ${this.reason}`
  }
}

/** A broker has refused for good. */
export class BrokerRefused extends Data.TaggedError("BrokerRefused")<{
  readonly api: ApiKey
  readonly error: Errors.Error
}> {
  override get message() {
    return `${this.api}: ${this.error}`
  }
}

/** What stood in the way has not passed within `default.api.timeout.ms`. */
export class ApiTimeout extends Data.TaggedError("ApiTimeout")<{
  readonly api: ApiKey
  /** What was last answered. */
  readonly error: Errors.Error
}> {
  override get message() {
    return `${this.api}: ${this.error} has not passed in time`
  }
}

export type ConsumerError =
  | InvalidGroupId
  | NotSubscribed
  | SubscriptionConflict
  | NotAssigned
  | NoOffsetForPartition
  | OffsetOutOfRange
  | CommitFailed
  | InvalidRecords
  | BrokerRefused
  | ApiTimeout

/**
 * The same may succeed later. No application sees this: whoever asks waits and asks again.
 * @internal
 */
export class Retriable extends Data.TaggedError("Retriable")<{
  readonly api: ApiKey
  readonly error: Errors.Error
}> {}
