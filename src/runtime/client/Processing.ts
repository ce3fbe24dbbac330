/**
 * The loop of consuming, transforming and producing, with the guarantee that it is to give. All the difference is when
 * the offsets of the input are committed: in the transaction of the output, after the output, or before it.
 *
 * The consumer is the loop's own while it runs. Whatever fails, the next step begins where the guarantee says.
 */
import { Effect, Predicate, Schedule } from "effect"
import { TopicPartition } from "../../core/index.ts"
import type { Consumer } from "./Consumer.ts"
import type { ConsumerError } from "./ConsumerErrors.ts"
import type { ConsumerRecord } from "./ConsumerRecord.ts"
import type { Producer, ProducerRecord, SendError, TransactionError } from "./Producer.ts"
import { type ConfigException, refuse } from "./Properties.ts"
import type { CommittedOffset } from "./Requests.ts"

/**
 * What a record of the input comes to in the output, for readers that only read what is committed.
 *
 * - `exactly-once`: once. Needs a producer with a `transactional.id`, after `initTransactions`.
 * - `at-least-once`: once, or again where the offset was not committed after the output.
 * - `at-most-once`: once, or never where the offset was committed and the output failed.
 */
export type Guarantee = "exactly-once" | "at-least-once" | "at-most-once"

export interface Options<Key, Value, E, R> {
  readonly guarantee: Guarantee
  /** Subscribed, or assigned partitions of a group. */
  readonly consumer: Consumer["Service"]
  readonly producer: Pick<Producer<Key, Value>, "enqueue" | "flush" | "transaction" | "sendOffsetsToTransaction">
  /** The output for the records of one poll. It may run again for the same records. */
  readonly transform: (
    records: ReadonlyArray<ConsumerRecord>
  ) => Effect.Effect<ReadonlyArray<ProducerRecord<Key, Value>>, E, R>
}

export type ProcessingError = ConfigException | ConsumerError | SendError | TransactionError

/** Settings that would break the guarantee behind its back. */
const check = <Key, Value, E, R>(
  { consumer: { config }, guarantee }: Options<Key, Value, E, R>
): Effect.Effect<void, ConfigException> => {
  if (config["enable.auto.commit"]) {
    return Effect.fail(refuse("enable.auto.commit", true, `it must be false: offsets are committed ${guarantee}`))
  }
  const isolation = config["isolation.level"]
  return guarantee === "exactly-once" && isolation !== "read_committed"
    ? Effect.fail(
      refuse("isolation.level", isolation, "exactly-once needs read_committed, or it reads what is aborted")
    )
    : Effect.void
}

/** Where the partitions of the records are now. */
const offsetsOf = Effect.fnUntraced(
  function*(consumer: Consumer["Service"], records: ReadonlyArray<ConsumerRecord>) {
    const read = new Set(records.map(TopicPartition.key))
    const positions = yield* consumer.positions
    return positions.filter((position) => read.has(TopicPartition.key(position)))
  }
)

/** Output, acknowledged. */
const produce = Effect.fnUntraced(function*<Key, Value, E, R>(
  { producer, transform }: Options<Key, Value, E, R>,
  records: ReadonlyArray<ConsumerRecord>
) {
  const acknowledgements = yield* Effect.forEach(yield* transform(records), producer.enqueue)
  yield* producer.flush
  for (const acknowledgement of acknowledgements) yield* acknowledgement
})

/** Output and offsets, all or nothing. */
const transact = Effect.fnUntraced(function*<Key, Value, E, R>(
  { consumer, producer, transform }: Options<Key, Value, E, R>,
  records: ReadonlyArray<ConsumerRecord>,
  offsets: ReadonlyArray<CommittedOffset>
) {
  const groupMetadata = yield* consumer.groupMetadata
  yield* producer.transaction(Effect.gen(function*() {
    yield* Effect.forEach(yield* transform(records), producer.enqueue, { discard: true })
    yield* producer.sendOffsetsToTransaction(offsets, groupMetadata)
  }))
})

/**
 * One poll and what comes of it; how many records that were. When it fails or is interrupted the consumer goes back to
 * what is committed, unless that was the only chance of the records.
 */
export const step = <Key, Value, E, R>(
  options: Options<Key, Value, E, R>
): Effect.Effect<number, E | ProcessingError, R> =>
  Effect.suspend(() => {
    const { consumer, guarantee } = options
    let isSpent = false
    const process = Effect.gen(function*() {
      yield* check(options)
      const records = yield* consumer.poll
      if (records.length === 0) return 0
      const offsets = yield* offsetsOf(consumer, records)
      switch (guarantee) {
        case "exactly-once":
          yield* transact(options, records, offsets)
          break
        case "at-least-once":
          yield* produce(options, records)
          yield* consumer.commit(offsets)
          break
        case "at-most-once":
          yield* consumer.commit(offsets)
          isSpent = true
          yield* produce(options, records)
      }
      return records.length
    })
    return Effect.onError(process, () => isSpent ? Effect.void : consumer.rewind)
  })

/** After 100 ms, 200 ms and so on, but never later than after 10 s. */
const backoff = Schedule.min([Schedule.exponential(100), Schedule.spaced("10 seconds")])

/** What is over when the next step begins. */
const isPassing = (error: unknown): boolean =>
  Predicate.isTagged(error, "TransactionAbortable") || Predicate.isTagged(error, "CommitFailed")

/**
 * A step that goes on until it has come through. A transaction that was aborted and offsets that were not committed, as
 * when the group has moved on, are for the log: the next attempt reads again what they were about.
 */
export const persist = <Key, Value, E, R>(
  options: Options<Key, Value, E, R>
): Effect.Effect<number, E | ProcessingError, R> =>
  step(options).pipe(
    Effect.tapError((error) =>
      isPassing(error) ? Effect.logWarning("reading again what was not committed", error) : Effect.void
    ),
    Effect.retry({ schedule: backoff, while: isPassing })
  )

/** Step after step, until something fails that does not pass. */
export const run = <Key, Value, E, R>(
  options: Options<Key, Value, E, R>
): Effect.Effect<never, E | ProcessingError, R> => Effect.forever(persist(options))
