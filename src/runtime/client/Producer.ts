/**
 * The producer that an application writes with: Kafka's `KafkaProducer`, idempotent and transactional, on Effect.
 *
 * It hosts the core. `Sender.ts` has the half that numbers batches and sends them again, `TransactionManager.ts` the half
 * that knows the states of a transaction; their headers say what is mapped to what. Here a record is serialized, placed and
 * appended, which takes no fiber and no more than one batch has: its records share what they wait for.
 */
import { Clock, type Context, Effect, Exit, Layer, Random, Result, Schedule, type Scope } from "effect"
import type { Transaction } from "../../core/index.ts"
import { BatchBuilder, type Records } from "../../wire/index.ts"
import * as Accumulator from "./Accumulator.ts"
import type { Backoff } from "./Backoff.ts"
import * as BufferPool from "./BufferPool.ts"
import * as ClusterMetadata from "./ClusterMetadata.ts"
import type { BrokerRefused } from "./ConsumerErrors.ts"
import * as Partitioner from "./Partitioner.ts"
import * as ProducerConfig from "./ProducerConfig.ts"
import { IllegalState, ProducerTimeout, type RecordError, RecordTooLarge } from "./ProducerErrors.ts"
import * as ProducerTopics from "./ProducerTopics.ts"
import type { ConfigException } from "./Properties.ts"
import { type CommittedOffset, Connections, type Member, type NodeId, type TopicPartition } from "./Requests.ts"
import * as Sender from "./Sender.ts"
import * as Serde from "./Serde.ts"
import * as Tasks from "./Tasks.ts"
import * as TransactionManager from "./TransactionManager.ts"

/** Kafka's `ProducerRecord`. */
export interface ProducerRecord<Key, Value> {
  readonly topic: string
  /** By default the partitioner decides. */
  readonly partition?: number | undefined
  /** In ms since 1970; by default the time of the call. */
  readonly timestamp?: number | undefined
  /** By default `null`, which is no key. */
  readonly key?: Key | null | undefined
  /** `null` is a tombstone. */
  readonly value: Value | null
  readonly headers?: ReadonlyArray<Records.RecordHeader> | undefined
}

/** Where a record is in the log. Kafka's `RecordMetadata`. */
export interface RecordMetadata extends TopicPartition {
  /** -1 where nobody knows: with `acks=0`, and for a record that had been written before. */
  readonly offset: number
  /** In ms since 1970. */
  readonly timestamp: number
}

/** What can keep a record from being appended. */
export type EnqueueError =
  | Serde.SerializationError
  | RecordTooLarge
  | ProducerTimeout
  | TransactionManager.TransactionFailure
  | IllegalState

export type SendError = EnqueueError | RecordError

/** What a transaction can fail with. */
export type TransactionError = TransactionManager.CallError

export interface PartitionInfo extends TopicPartition {
  /** `undefined` while there is none. */
  readonly leader: NodeId | undefined
}

export interface Producer<in Key, in Value> {
  /** Appends a record and waits until it is acknowledged. */
  readonly send: (record: ProducerRecord<Key, Value>) => Effect.Effect<RecordMetadata, SendError>
  /**
   * Appends a record, and answers at once with what waits for its acknowledgement. Blocks for up to `max.block.ms` while the
   * topic is not known or the memory is full.
   */
  readonly enqueue: (
    record: ProducerRecord<Key, Value>
  ) => Effect.Effect<Effect.Effect<RecordMetadata, RecordError>, EnqueueError>
  /** Sends what was appended without waiting for more, and waits until it is acknowledged or has failed. */
  readonly flush: Effect.Effect<void>
  /** The partitions of a topic. */
  readonly partitionsFor: (topic: string) => Effect.Effect<ReadonlyArray<PartitionInfo>, ProducerTimeout>

  /** Gets an identity from the coordinator, which ends what an earlier producer with the same `transactional.id` left. */
  readonly initTransactions: Effect.Effect<void, TransactionError | BrokerRefused>
  readonly beginTransaction: Effect.Effect<void, TransactionManager.TransactionFailure | IllegalState>
  /** Commits a group's offsets with the transaction; they are the next ones to read. One group for each transaction. */
  readonly sendOffsetsToTransaction: (
    offsets: ReadonlyArray<CommittedOffset>,
    groupMetadata: Member
  ) => Effect.Effect<void, TransactionError>
  /** Sends everything, and commits it. When it fails with `TransactionAbortable`, abort; when it takes too long, repeat. */
  readonly commitTransaction: Effect.Effect<void, TransactionError>
  /** Drops what was not sent, and aborts the rest. When it takes too long, repeat. */
  readonly abortTransaction: Effect.Effect<void, TransactionError>
  /**
   * Runs an effect in a transaction, which is committed if it succeeds and aborted if it fails or is interrupted. An end that
   * takes too long is repeated until it is known. With `TransactionAbortable` the transaction was aborted.
   */
  readonly transaction: <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.Effect<A, E | TransactionError, R>
}

export interface Options<Key, Value> {
  readonly key: Serde.Serializer<Key>
  readonly value: Serde.Serializer<Value>
  /** The protocol of transactions; by default 2, that of Kafka 4. */
  readonly transactionVersion?: Transaction.Version
}

/** What the producer keeps of a topic. */
interface Placing {
  readonly chooser: Partitioner.Chooser
  readonly view: Partitioner.Topic
}

const noHeaders: ReadonlyArray<Records.RecordHeader> = []

/** A producer, until the scope ends. It sends what was appended before it goes, and aborts an open transaction. */
export const make = Effect.fnUntraced(function*<Key, Value>(
  given: ProducerConfig.Given,
  serializers: Options<Key, Value>
): Effect.fn.Return<Producer<Key, Value>, ConfigException, Connections | Scope.Scope> {
  const config = yield* Effect.fromResult(ProducerConfig.decode(given))
  const clock = yield* Clock.Clock
  const random = yield* Random.Random
  const maxBlock = config["max.block.ms"]
  const batchSize = config["batch.size"]
  const version = serializers.transactionVersion ?? 2
  const backoff: Backoff = { initialMs: config["retry.backoff.ms"], maxMs: config["retry.backoff.max.ms"] }
  const cluster = ClusterMetadata.make(yield* Connections, config["request.timeout.ms"])
  const tasks = Tasks.make()
  const pool = BufferPool.make(config["buffer.memory"], tasks.wake)
  const accumulator = Accumulator.make<RecordError>({
    batchSize,
    linger: config["linger.ms"],
    deliveryTimeout: config["delivery.timeout.ms"],
    compression: config["compression.type"],
    pool
  })
  const transactionalId = config["transactional.id"]
  const transactions = transactionalId === undefined ? undefined : TransactionManager.make({
    transactionalId,
    transactionTimeout: config["transaction.timeout.ms"],
    maxBlock,
    version,
    cluster,
    backoff,
    start: tasks.start,
    wake: tasks.wake
  })
  const topics: ProducerTopics.ProducerTopics = yield* ProducerTopics.make({
    cluster,
    backoff,
    maxAge: config["metadata.max.age.ms"],
    added: (partition) => sender.addPartition(partition),
    changed: tasks.wake
  })
  const sender = Sender.make({
    config,
    version,
    cluster,
    accumulator,
    pool,
    backoff,
    clock,
    random,
    tasks,
    transactions,
    invalidate: topics.invalidate
  })
  let isClosed = false
  yield* Effect.forkScoped(sender.run)

  const illegal = (call: string, reason: string): IllegalState => new IllegalState({ call, reason })

  const refusal = (): TransactionManager.TransactionFailure | IllegalState | undefined => {
    if (isClosed) return illegal("send", "the producer is closed")
    return sender.failure() ?? transactions?.refusal("send")
  }

  const partitioner = config["partitioner.class"]
  const usesKeys = partitioner.usesKeys && !config["partitioner.ignore.keys"]
  const availabilityTimeout = config["partitioner.availability.timeout.ms"]
  const placings = new Map<ProducerTopics.Topic, Placing>()

  /** Whether the first batch of the partition could have been sent for longer than brokers usually take. */
  const isSlow = (index: number): boolean => {
    const first = accumulator.peek(index)
    if (availabilityTimeout === 0 || first === undefined) return false
    return clock.currentTimeMillisUnsafe() - (first.created + config["linger.ms"]) > availabilityTimeout
  }

  const placingOf = (topic: ProducerTopics.Topic): Placing => {
    const known = placings.get(topic)
    if (known !== undefined) return known
    const chooser = partitioner.make({
      random: () => random.nextDoubleUnsafe(),
      batchSize,
      adaptive: config["partitioner.adaptive.partitioning.enable"]
    })
    const view: Partitioner.Topic = {
      name: topic.name,
      get partitions() {
        return topic.partitions.length
      },
      get available() {
        return topic.available
      },
      load: () =>
        topic.partitions.filter(({ index, leader }) => leader !== undefined && !isSlow(index)).map((
          { index, partition }
        ) => ({ partition, size: accumulator.queued(index) }))
    }
    const placing = { chooser, view }
    placings.set(topic, placing)
    return placing
  }

  /** The partition that the partitioner gives a record without one. */
  const choose = (topic: ProducerTopics.Topic, record: Records.Record): ProducerTopics.Partition => {
    const { partitions } = topic
    if (usesKeys && record.key !== null) return partitions[Partitioner.partitionForKey(record.key, partitions.length)]!
    const { chooser, view } = placingOf(topic)
    const chosen = partitions[chooser.choose(record, view)]
    if (chosen === undefined) throw new RangeError(`the partitioner chose no partition of ${topic.name}`)
    return accumulator.hasRoom(chosen.index, record) || !chooser.begins(chosen.partition, view)
      ? chosen
      : partitions[chooser.choose(record, view)]!
  }

  const serialize = (
    { headers, key, timestamp, topic, value }: ProducerRecord<Key, Value>,
    now: number
  ): Result.Result<Records.Record, Serde.SerializationError> => {
    const keyBytes = Serde.serialize(serializers.key, topic, "key", key ?? null)
    if (Result.isFailure(keyBytes)) return Result.fail(keyBytes.failure)
    const valueBytes = Serde.serialize(serializers.value, topic, "value", value)
    if (Result.isFailure(valueBytes)) return Result.fail(valueBytes.failure)
    return Result.succeed({
      timestamp: timestamp ?? now,
      key: keyBytes.success,
      value: valueBytes.success,
      headers: headers ?? noHeaders
    })
  }

  const limits = [["max.request.size", config["max.request.size"]], ["buffer.memory", pool.total]] as const

  /** A record that fails before it is appended is lost to its transaction. */
  const lost = <E extends RecordTooLarge | ProducerTimeout>(error: E): Effect.Effect<never, E> => {
    transactions?.refused(error.error)
    return Effect.fail(error)
  }

  const tooLarge = (size: number): RecordTooLarge | undefined => {
    for (const [property, limit] of limits) if (size > limit) return new RecordTooLarge({ size, property, limit })
    return undefined
  }

  /** What placed the record, if not its key or the application. */
  const placedBy = (topic: ProducerTopics.Topic, partition: number | undefined, key: Uint8Array | null) =>
    partition !== undefined || (usesKeys && key !== null) ? undefined : placings.get(topic)?.chooser

  /** Takes note of a record that was appended, and answers with what waits for it. */
  const appended = (
    chooser: Partitioner.Chooser | undefined,
    partition: ProducerTopics.Partition,
    batch: Accumulator.Batch<RecordError>,
    record: Records.Record,
    size: number
  ): Effect.Effect<RecordMetadata, RecordError> => {
    const isFull = accumulator.isFull(partition.index, batch)
    const index = batch.builder.count - 1
    chooser?.appended(partition.partition, size, isFull)
    transactions?.appended(partition)
    if (index === 0) sender.began(batch)
    if (index === 0 || isFull) tasks.wake()
    return Effect.map(batch.outcome, (offset) => ({
      topic: partition.topic,
      partition: partition.partition,
      offset: offset < 0 ? offset : offset + index,
      timestamp: record.timestamp
    }))
  }

  const timedOut = (operation: string): ProducerTimeout =>
    new ProducerTimeout({ operation, property: "max.block.ms", limit: maxBlock })

  const remaining = (started: number): number => Math.max(0, started + maxBlock - clock.currentTimeMillisUnsafe())

  /** Waits until the topic is known, with the partition if one is asked for. */
  const awaitTopic = Effect.fnUntraced(function*(name: string, partition: number, started: number) {
    while (true) {
      const topic = topics.find(name)
      if (topic !== undefined && topic.partitions.length > partition) return topic
      if (topic !== undefined) topics.invalidate()
      yield* topics.answer.pipe(Effect.timeoutOrElse({
        duration: remaining(started),
        orElse: () => Effect.fail(timedOut(`finding ${name}${partition < 0 ? "" : `-${partition}`}`))
      }))
    }
  })

  /** Waits until there is memory for a batch, in the order of those who wait. */
  const reserve = (size: number, started: number): Effect.Effect<void, ProducerTimeout> =>
    pool.reserve(size).pipe(Effect.timeoutOrElse({
      duration: remaining(started),
      orElse: () => Effect.fail(timedOut("waiting for memory"))
    }))

  /** Appends what cannot be appended at once. */
  const block = Effect.fnUntraced(function*(record: ProducerRecord<Key, Value>) {
    const started = clock.currentTimeMillisUnsafe()
    const topic = yield* Effect.catchTag(
      awaitTopic(record.topic, record.partition ?? -1, started),
      "ProducerTimeout",
      lost
    )
    const serialized = yield* Effect.fromResult(serialize(record, started))
    const size = BatchBuilder.sizeUpperBound(serialized)
    const excess = tooLarge(size)
    if (excess !== undefined) return yield* lost(excess)
    const partition = record.partition === undefined ? choose(topic, serialized) : topic.partitions[record.partition]!
    const stale = refusal()
    if (stale !== undefined) return yield* stale
    const batch = accumulator.append(partition.index, serialized, clock.currentTimeMillisUnsafe())
    const chooser = placedBy(topic, record.partition, serialized.key)
    if (batch !== undefined) return { acknowledged: appended(chooser, partition, batch, serialized, size) }
    const reserved = accumulator.reservation(serialized)
    yield* Effect.catchTag(reserve(reserved, started), "ProducerTimeout", lost)
    const refused = refusal()
    if (refused !== undefined) {
      pool.release(reserved)
      return yield* refused
    }
    const begun = accumulator.appendReserved(partition.index, serialized, clock.currentTimeMillisUnsafe(), reserved)
    return { acknowledged: appended(chooser, partition, begun, serialized, size) }
  })

  type Acknowledgement = Effect.Effect<RecordMetadata, RecordError>

  const enqueueWith = <B, E>(
    record: ProducerRecord<Key, Value>,
    then: (acknowledgement: Acknowledgement) => Effect.Effect<B, E>
  ): Effect.Effect<B, E | EnqueueError> =>
    Effect.suspend((): Effect.Effect<B, E | EnqueueError> => {
      const refused = refusal()
      if (refused !== undefined) return Effect.fail(refused)
      const topic = topics.find(record.topic)
      if (topic === undefined || (record.partition ?? 0) >= topic.partitions.length) {
        return Effect.flatMap(block(record), ({ acknowledged }) => then(acknowledged))
      }
      const now = clock.currentTimeMillisUnsafe()
      const serialized = serialize(record, now)
      if (Result.isFailure(serialized)) return Effect.fail(serialized.failure)
      const size = BatchBuilder.sizeUpperBound(serialized.success)
      const excess = tooLarge(size)
      if (excess !== undefined) return lost(excess)
      const partition = record.partition === undefined
        ? choose(topic, serialized.success)
        : topic.partitions[record.partition]!
      const batch = accumulator.append(partition.index, serialized.success, now)
      return batch === undefined
        ? Effect.flatMap(block({ ...record, partition: partition.partition }), ({ acknowledged }) => then(acknowledged))
        : then(
          appended(
            placedBy(topic, record.partition, serialized.success.key),
            partition,
            batch,
            serialized.success,
            size
          )
        )
    })

  const notTransactional = (call: string): Effect.Effect<never, IllegalState> =>
    Effect.fail(illegal(call, "set transactional.id for transactions"))

  const beginTransaction = transactions?.beginTransaction ?? notTransactional("beginTransaction")
  const commitTransaction = transactions?.commitTransaction ?? notTransactional("commitTransaction")
  const abortTransaction = transactions?.abortTransaction ?? notTransactional("abortTransaction")

  /** Calls again what takes too long, until it comes to something. */
  const untilKnown = <E extends TransactionError>(call: Effect.Effect<void, E>): Effect.Effect<void, E> =>
    Effect.retry(call, {
      while: ({ _tag }) => _tag === "ProducerTimeout",
      schedule: Schedule.spaced(backoff.initialMs)
    })

  const transaction = <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E | TransactionError, R> =>
    Effect.uninterruptibleMask((restore) =>
      Effect.gen(function*() {
        yield* beginTransaction
        const exit = yield* Effect.exit(restore(effect))
        if (Exit.isFailure(exit)) {
          // What made the effect fail is told, and not that the producer cannot abort any more.
          yield* Effect.ignore(untilKnown(abortTransaction))
          return yield* exit
        }
        yield* untilKnown(commitTransaction).pipe(
          Effect.catchTag("TransactionAbortable", (cause) =>
            Effect.andThen(untilKnown(abortTransaction), Effect.fail(cause)))
        )
        return exit.value
      })
    ).pipe(Effect.withSpan("transaction", { attributes: { "transactional.id": transactionalId } }))

  yield* Effect.addFinalizer(Effect.fnUntraced(function*(exit) {
    isClosed = true
    if (Exit.isFailure(exit)) return
    if (transactions?.isOpen() === true) yield* Effect.ignore(abortTransaction)
    else yield* sender.flush
  }))

  return {
    send: (record) =>
      enqueueWith(record, (acknowledgement): Effect.Effect<RecordMetadata, RecordError> => acknowledgement),
    enqueue: (record) => enqueueWith(record, Effect.succeed),
    flush: sender.flush,
    partitionsFor: (name) =>
      Effect.suspend(() => awaitTopic(name, -1, clock.currentTimeMillisUnsafe())).pipe(
        Effect.map(({ partitions }) => partitions.map(({ leader, partition, topic }) => ({ topic, partition, leader })))
      ),
    initTransactions: transactions?.initTransactions ?? notTransactional("initTransactions"),
    beginTransaction,
    commitTransaction,
    abortTransaction,
    sendOffsetsToTransaction: transactions?.sendOffsetsToTransaction
      ?? (() => notTransactional("sendOffsetsToTransaction")),
    transaction
  }
})

/** The same as a layer, for a service of one's own. */
export const layer = <Identifier, Key, Value>(
  service: Context.Key<Identifier, Producer<Key, Value>>,
  given: ProducerConfig.Given,
  serializers: Options<Key, Value>
): Layer.Layer<Identifier, ConfigException, Connections> => Layer.effect(service, make(given, serializers))
