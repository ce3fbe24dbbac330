/**
 * What a producer can fail with, each with Kafka's name of the error. What passes by itself it tries again; what is told
 * here needs the application.
 */
import { Data } from "effect"
import type { Errors } from "../../core/index.ts"

/**
 * The record is larger than a property allows, and was not sent. Kafka's `RecordTooLargeException`. A leader that refuses a
 * batch for its size answers the same error, by `ProduceRefused`.
 */
export class RecordTooLarge extends Data.TaggedError("RecordTooLarge")<{
  /** In bytes, at most. */
  readonly size: number
  readonly property: "max.request.size" | "buffer.memory"
  /** The value of the property. */
  readonly limit: number
}> {
  readonly error = "MESSAGE_TOO_LARGE"
  override get message() {
    return `a record of up to ${this.size} bytes is larger than ${this.property}, which is ${this.limit}`
  }
}

/**
 * It did not happen in time: `max.block.ms` for a call, `delivery.timeout.ms` for a record, which may be written all the
 * same. Kafka's `TimeoutException`. A call for a transaction goes on and must be repeated.
 */
export class ProducerTimeout extends Data.TaggedError("ProducerTimeout")<{
  /** What took too long. */
  readonly operation: string
  readonly property: "max.block.ms" | "delivery.timeout.ms"
  /** The value of the property. */
  readonly limit: number
}> {
  readonly error = "REQUEST_TIMED_OUT"
  override get message() {
    return `${this.operation} took longer than ${this.property}, which is ${this.limit}`
  }
}

/** The leader refused the batch of the record for good, or more often than `retries` allows. */
export class ProduceRefused extends Data.TaggedError("ProduceRefused")<{
  readonly topic: string
  readonly partition: number
  readonly error: Errors.Error
}> {
  override get message() {
    return `${this.topic}-${this.partition}: ${this.error}`
  }
}

/**
 * The transaction can only be aborted: something of it failed, or may have. After `abortTransaction` the producer can begin
 * the next one. Kafka's `TransactionAbortableException`, and all errors that its producer gets over in this way.
 */
export class TransactionAbortable extends Data.TaggedError("TransactionAbortable")<{
  readonly error: Errors.Error
}> {
  override get message() {
    return `the transaction must be aborted: ${this.error}`
  }
}

/** The record was not sent, as its transaction was aborted before. Kafka's `TransactionAbortedException`. */
export class TransactionAborted extends Data.TaggedError("TransactionAborted")<{}> {
  override get message() {
    return "the transaction was aborted before the record was sent"
  }
}

/**
 * Another producer with the same transactional id has taken over, or the coordinator has given up on this one. It is of no
 * use any more. Kafka's `ProducerFencedException`.
 */
export class ProducerFenced extends Data.TaggedError("ProducerFenced")<{
  readonly error: "PRODUCER_FENCED" | "INVALID_PRODUCER_EPOCH"
}> {
  override get message() {
    return `another producer with this transactional id is in its place (${this.error}): close this one`
  }
}

/** The producer is of no use any more, for another reason. */
export class ProducerFailed extends Data.TaggedError("ProducerFailed")<{
  readonly error: Errors.Error
}> {
  override get message() {
    return `the producer cannot go on (${this.error}): close it`
  }
}

/** The call is not possible now. Kafka's `IllegalStateException`; nothing was changed. */
export class IllegalState extends Data.TaggedError("IllegalState")<{
  readonly call: string
  readonly reason: string
}> {
  override get message() {
    return `${this.call}: ${this.reason}`
  }
}

/** What ends a producer. */
export type FatalError = ProducerFenced | ProducerFailed

export const fatal = (error: Errors.Error): FatalError =>
  error === "PRODUCER_FENCED" || error === "INVALID_PRODUCER_EPOCH"
    ? new ProducerFenced({ error })
    : new ProducerFailed({ error })

/** What a record can come to that was appended. */
export type RecordError = ProduceRefused | ProducerTimeout | TransactionAbortable | TransactionAborted | FatalError
