import { assert, describe, it } from "@effect/vitest"
import { Cause, Clock, Context, Effect, Exit, Layer, Metric, Result, Scope, Tracer } from "effect"
import { TestClock } from "effect/testing"
import type { Errors } from "../../../src/core/index.ts"
import * as Partitioner from "../../../src/runtime/client/Partitioner.ts"
import * as Producer from "../../../src/runtime/client/Producer.ts"
import * as ProducerMetrics from "../../../src/runtime/client/ProducerMetrics.ts"
import * as Serde from "../../../src/runtime/client/Serde.ts"
import { RecordBatch } from "../../../src/wire/index.ts"
import { begin, errorOf, make, outcomeOf, sentBy, stamps } from "./producers.ts"
import * as Scripted from "./scripted.ts"

const record = (value: string, over: Partial<Producer.ProducerRecord<string, string>> = {}) => ({
  topic: "t",
  value,
  ...over
})

/** The number of Produce requests so far. */
const requestsOf = (broker: Scripted.Broker): number => broker.of("Produce").length

describe("send", () => {
  it.effect("answers with where the record is", () =>
    Effect.gen(function*() {
      const broker = Scripted.make()
      const producer = yield* make(broker)

      const first = yield* begin(producer.send(record("a", { timestamp: 3 })))
      const second = yield* begin(producer.send(record("b")))
      yield* TestClock.adjust(5)

      assert.deepStrictEqual(outcomeOf(first), { topic: "t", partition: 0, offset: 0, timestamp: 3 })
      assert.deepStrictEqual(outcomeOf(second), { topic: "t", partition: 0, offset: 1, timestamp: 0 })
    }))

  it.effect("carries key, value, headers and timestamp", () =>
    Effect.gen(function*() {
      const broker = Scripted.make()
      const producer = yield* make(broker, { "linger.ms": 0 })
      const headers = [{ key: "h", value: Uint8Array.of(1) }, { key: "none", value: null }]

      yield* begin(producer.send({ topic: "t", key: "k", value: "v", headers, timestamp: 9 }))
      yield* begin(producer.send({ topic: "t", value: null, timestamp: 8 }))

      const decoded = broker.of("Produce").map(({ request }) =>
        Result.getOrThrow(RecordBatch.decode(request.batches[0]!.batch)).records[0]
      )
      assert.deepStrictEqual(decoded.map((one) => [one?.timestamp, one?.key && Buffer.from(one.key).toString()]), [
        [9, "k"],
        [8, null]
      ])
      assert.deepStrictEqual(decoded[0]?.headers.map(({ key, value }) => [key, value && [...value]]), [["h", [1]], [
        "none",
        null
      ]])
      assert.isNull(decoded[1]?.value)
    }))

  it.effect("is in flight with acks=all and the identity of an idempotent producer", () =>
    Effect.gen(function*() {
      const broker = Scripted.make()
      const producer = yield* make(broker, { "linger.ms": 0 })

      yield* begin(producer.send(record("a")))
      yield* begin(producer.send(record("b")))

      assert.deepStrictEqual(broker.of("InitProducerId").map(({ request }) => request.transactionalId), [undefined])
      const [request] = broker.of("Produce")
      assert.deepInclude(request?.request, { acks: -1, transactionalId: undefined })
      assert.isFalse(sentBy(broker)[0]?.header.isTransactional)
      assert.deepStrictEqual(stamps(broker), ["a: 7/0/0", "b: 7/0/1"])
    }))

  it.effect("asks for no identity without idempotence", () =>
    Effect.gen(function*() {
      const broker = Scripted.make()
      const producer = yield* make(broker, { "linger.ms": 0, acks: "1" })

      const sent = yield* begin(producer.send(record("a")))

      assert.deepStrictEqual(broker.of("InitProducerId"), [])
      assert.deepStrictEqual(stamps(broker), ["a: -1/-1/-1"])
      assert.strictEqual(broker.of("Produce")[0]?.request.acks, 1)
      assert.deepInclude(outcomeOf(sent), { offset: 0 })
    }))

  it.effect("does not wait for an answer with acks=0, and knows no offset", () =>
    Effect.gen(function*() {
      const broker = Scripted.make()
      broker.next("Produce", () => Scripted.never)
      const producer = yield* make(broker, { "linger.ms": 0, acks: "0" })

      const sent = yield* begin(producer.send(record("a")))

      assert.strictEqual(requestsOf(broker), 1)
      assert.deepInclude(outcomeOf(sent), { offset: -1 })
    }))

  for (const codec of ["gzip", "snappy", "lz4", "zstd"] as const) {
    it.effect(`compresses with ${codec}`, () =>
      Effect.gen(function*() {
        const broker = Scripted.make()
        const producer = yield* make(broker, { "linger.ms": 0, "compression.type": codec })

        yield* begin(producer.send(record("a")))

        assert.strictEqual(broker.taken[0]?.header.compression, codec)
        assert.deepStrictEqual(broker.taken[0]?.values, ["a"])
      }))
  }

  it.effect("fails with a SerializationError, and sends what comes after", () =>
    Effect.gen(function*() {
      const broker = Scripted.make()
      const refusing = Serde.serializer<string>((value) => {
        if (value === "bad") throw new Error("bad")
        return Buffer.from(value)
      })
      const producer = yield* Producer.make({}, { key: Serde.string, value: refusing }).pipe(
        Effect.provide(broker.layer)
      )

      const bad = yield* begin(producer.send(record("bad")))
      const good = yield* begin(producer.send(record("good")))
      yield* TestClock.adjust(5)

      assert.strictEqual(errorOf(outcomeOf(bad)), "SerializationError")
      assert.deepInclude(outcomeOf(good), { offset: 0 })
    }))

  it.effect("fails with RecordTooLarge for what no request or no memory can hold", () =>
    Effect.gen(function*() {
      const broker = Scripted.make()
      const limited = yield* make(broker, { "max.request.size": 200 })
      const small = yield* make(broker, { "buffer.memory": 150 })

      const first = yield* begin(limited.send(record("x".repeat(200))))
      const second = yield* begin(small.send(record("x".repeat(150))))

      assert.deepInclude(outcomeOf(first), { property: "max.request.size", limit: 200, size: 61 + 21 + 204 })
      assert.deepInclude(outcomeOf(second), { property: "buffer.memory", limit: 150 })
      assert.strictEqual(errorOf(outcomeOf(first)), "RecordTooLarge MESSAGE_TOO_LARGE")
    }))
})

describe("enqueue", () => {
  it.effect("answers when the record is appended, and then what waits for it", () =>
    Effect.gen(function*() {
      const broker = Scripted.make()
      const producer = yield* make(broker)
      yield* begin(producer.partitionsFor("t"))

      const appended = yield* producer.enqueue(record("a"))
      assert.strictEqual(requestsOf(broker), 0)
      const acknowledged = yield* begin(appended)
      yield* TestClock.adjust(5)

      assert.deepInclude(outcomeOf(acknowledged), { offset: 0 })
    }))
})

describe("a batch is sent", () => {
  it.effect("linger.ms after its first record, with all that came until then", () =>
    Effect.gen(function*() {
      const broker = Scripted.make()
      const producer = yield* make(broker, { "linger.ms": 20 })
      yield* begin(producer.send(record("a")))
      yield* TestClock.adjust(10)
      yield* begin(producer.send(record("b")))

      yield* TestClock.adjust(9)
      assert.strictEqual(requestsOf(broker), 0)
      yield* TestClock.adjust(1)

      assert.deepStrictEqual(broker.taken.map(({ values }) => values), [["a", "b"]])
    }))

  it.effect("when it has batch.size bytes", () =>
    Effect.gen(function*() {
      const broker = Scripted.make()
      const producer = yield* make(broker, { "batch.size": 100 })

      yield* begin(producer.send(record("x".repeat(30))))
      assert.strictEqual(requestsOf(broker), 0)
      yield* begin(producer.send(record("y".repeat(30))))

      assert.strictEqual(requestsOf(broker), 1)
    }))

  it.effect("when somebody flushes, who waits for all of it", () =>
    Effect.gen(function*() {
      const broker = Scripted.make()
      broker.next("Produce", () =>
        Effect.andThen(Effect.sleep(50), broker.healthy.Produce!(broker.of("Produce")[0]!.request)))
      const producer = yield* make(broker)
      yield* begin(producer.send(record("a")))

      const flushed = yield* begin(producer.flush)
      assert.strictEqual(requestsOf(broker), 1)
      assert.isUndefined(flushed.pollUnsafe())
      yield* TestClock.adjust(50)

      assert.isDefined(flushed.pollUnsafe())
    }))

  it.effect("when the producer is closed, which waits for it", () =>
    Effect.gen(function*() {
      const broker = Scripted.make()
      const scope = yield* Scope.make()
      const producer = yield* Producer.make({}, { key: Serde.string, value: Serde.string }).pipe(
        Effect.provide(broker.layer),
        Scope.provide(scope)
      )
      const sent = yield* begin(producer.send(record("a")))

      yield* Scope.close(scope, Exit.void)
      const late = yield* begin(producer.send(record("b")))

      assert.deepInclude(outcomeOf(sent), { offset: 0 })
      assert.deepInclude(outcomeOf(late), { _tag: "IllegalState", reason: "the producer is closed" })
    }))

  it.effect("and not what still waits for memory when the producer is closed", () =>
    Effect.gen(function*() {
      const broker = Scripted.make({ t: 2 })
      broker.next("Produce", (request) => Effect.andThen(Effect.sleep(50), broker.healthy.Produce!(request)))
      const scope = yield* Scope.make()
      const producer = yield* Producer.make({ "buffer.memory": 100 }, { key: Serde.string, value: Serde.string }).pipe(
        Effect.provide(broker.layer),
        Scope.provide(scope)
      )
      const sent = yield* begin(producer.send(record("a", { partition: 0 })))
      const blocked = yield* begin(producer.send(record("b", { partition: 1 })))

      yield* begin(Scope.close(scope, Exit.void))
      yield* TestClock.adjust(50)

      assert.deepInclude(outcomeOf(sent), { offset: 0 })
      assert.strictEqual(errorOf(outcomeOf(blocked)), "IllegalState")
    }))

  it.effect("in one request with those of other partitions, up to max.request.size", () =>
    Effect.gen(function*() {
      const sizes = Effect.fnUntraced(function*(maxRequestSize: number) {
        const broker = Scripted.make({ t: 3 })
        const producer = yield* make(broker, { "max.request.size": maxRequestSize })
        for (const partition of [0, 1, 2]) yield* begin(producer.send(record("x".repeat(50), { partition })))
        yield* TestClock.adjust(5)
        return broker.of("Produce").map(({ request }) => request.batches.length)
      })

      assert.deepStrictEqual(yield* sizes(1000), [3])
      assert.deepStrictEqual(yield* sizes(250), [2, 1])
    }))

  it.effect("to each leader on a connection of its own", () =>
    Effect.gen(function*() {
      const broker = Scripted.make({ t: 2 })
      broker.always("Metadata", () =>
        Effect.succeed({
          brokers: [1, 2],
          partitions: [0, 1].map((partition) => ({ topic: "t", partition, leader: partition + 1, error: "NONE" }))
        }))
      const producer = yield* make(broker, { "linger.ms": 0 })

      yield* begin(producer.send(record("a", { partition: 0 })))
      yield* begin(producer.send(record("b", { partition: 1 })))

      assert.deepStrictEqual(broker.of("Produce").map(({ node }) => node), [1, 2])
    }))

  it.effect("with max.in.flight.requests.per.connection requests in flight at most", () =>
    Effect.gen(function*() {
      const broker = Scripted.make({ t: 2 })
      broker.always("Produce", (request) => Effect.andThen(Effect.sleep(100), broker.healthy.Produce!(request)))
      const producer = yield* make(broker, { "linger.ms": 0, "max.in.flight.requests.per.connection": 2 })

      for (const [i, partition] of [0, 1, 0, 1].entries()) yield* begin(producer.send(record(`${i}`, { partition })))
      assert.deepStrictEqual(stamps(broker), ["0: 7/0/0", "1: 7/0/0"])
      yield* TestClock.adjust(100)

      assert.sameMembers([...stamps(broker)], ["0: 7/0/0", "1: 7/0/0", "2: 7/0/1", "3: 7/0/1"])
    }))
})

describe("a record is placed", () => {
  const placed = Effect.fnUntraced(function*(
    config: Parameters<typeof make>[1],
    records: ReadonlyArray<Producer.ProducerRecord<string, string>>
  ) {
    const broker = Scripted.make({ t: 10 })
    const producer = yield* make(broker, { "linger.ms": 0, ...config })
    const fibers = yield* Effect.forEach(records, (one) => begin(producer.send(one)))
    return fibers.map((fiber) => {
      const outcome = outcomeOf(fiber)
      return outcome !== undefined && "partition" in outcome ? outcome.partition : errorOf(outcome)
    })
  })

  it.effect("where it says", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* placed({}, [record("a", { partition: 4, key: "abc" })]), [4])
    }))

  it.effect("by the hash of its key", () =>
    Effect.gen(function*() {
      // 479470107 mod 10, and 1173551340 mod 10.
      const records = [record("a", { key: "abc" }), record("b", { key: "21" }), record("c", { key: "abc" })]

      assert.deepStrictEqual(yield* placed({}, records), [7, 0, 7])
    }))

  it.effect("by turns, whatever its key", () =>
    Effect.gen(function*() {
      const records = ["a", "b", "c"].map((value) => record(value, { key: "abc" }))

      assert.deepStrictEqual(yield* placed({ "partitioner.class": "RoundRobinPartitioner" }, records), [0, 1, 2])
    }))

  it.effect("by a function", () =>
    Effect.gen(function*() {
      const partitioner = Partitioner.custom(({ value }) => value![0]! - 97)

      assert.deepStrictEqual(yield* placed({ "partitioner.class": partitioner }, [record("c"), record("a")]), [2, 0])
    }))

  it.effect("anywhere without a key, or with one that is to be ignored", () =>
    Effect.gen(function*() {
      const records = Array.from({ length: 40 }, (_, i) => record(`${i}`, { key: "abc" }))

      const found = yield* placed({ "partitioner.ignore.keys": true, "batch.size": 0 }, records)

      assert.isAbove(new Set(found).size, 3)
    }))

  it.effect("not where the leader does not keep up, beyond partitioner.availability.timeout.ms", () =>
    Effect.gen(function*() {
      const chosen = Effect.fnUntraced(function*(availabilityTimeout: number) {
        const broker = Scripted.make({ t: 2 })
        broker.always("Metadata", () =>
          Effect.succeed({
            brokers: [1, 2],
            partitions: [0, 1].map((partition) => ({ topic: "t", partition, leader: partition + 1, error: "NONE" }))
          }))
        broker.always(
          "Produce",
          (request) => request.batches[0]!.partition === 0 ? Scripted.never : broker.healthy.Produce!(request)
        )
        const producer = yield* make(broker, {
          "linger.ms": 0,
          "batch.size": 0,
          "max.in.flight.requests.per.connection": 1,
          "partitioner.availability.timeout.ms": availabilityTimeout
        })
        const appendMany = Effect.forEach(numbers, (value) => begin(producer.send(record(value))))
        yield* appendMany
        yield* TestClock.adjust(5000)
        const later = yield* appendMany
        return later.filter((fiber) => fiber.pollUnsafe() === undefined).length
      })
      const numbers = Array.from({ length: 30 }, (_, i) => `${i}`)

      assert.strictEqual(yield* chosen(1000), 0)
      assert.isAbove(yield* chosen(0), 0)
    }))

  it.effect("on another partition for every batch with the sticky partitioner", () =>
    Effect.gen(function*() {
      const records = Array.from({ length: 20 }, (_, i) => record(`${i}`))

      const found = yield* placed({ "partitioner.class": Partitioner.sticky }, records)

      for (const [i, partition] of found.entries()) assert.notStrictEqual(partition, found[i + 1])
    }))
})

describe("max.block.ms", () => {
  it.effect("a topic that appears in time is written to", () =>
    Effect.gen(function*() {
      const broker = Scripted.make()
      broker.next("Metadata", () => Effect.succeed({ brokers: [1], partitions: [] }))
      broker.next("Metadata", () => Scripted.disconnected)
      const producer = yield* make(broker, { "linger.ms": 0 })

      const sent = yield* begin(producer.send(record("a")))
      assert.isUndefined(outcomeOf(sent))
      yield* TestClock.adjust(1000)

      assert.deepInclude(outcomeOf(sent), { offset: 0 })
    }))

  for (const [what, over] of [["topic", { topic: "none" }], ["partition", { partition: 3 }]] as const) {
    it.effect(`a ${what} that is not there`, () =>
      Effect.gen(function*() {
        const producer = yield* make(Scripted.make())

        const sent = yield* begin(producer.send(record("a", over)))
        yield* TestClock.adjust(59_999)
        assert.isUndefined(outcomeOf(sent))
        yield* TestClock.adjust(1)

        assert.deepInclude(outcomeOf(sent), { _tag: "ProducerTimeout", property: "max.block.ms", limit: 60_000 })
      }))
  }

  it.effect("memory that does not become free", () =>
    Effect.gen(function*() {
      const broker = Scripted.make({ t: 2 })
      broker.always("Produce", () => Scripted.never)
      const producer = yield* make(broker, { "buffer.memory": 100, "max.block.ms": 500, "linger.ms": 0 })
      yield* begin(producer.send(record("a", { partition: 0 })))

      const blocked = yield* begin(producer.enqueue(record("b", { partition: 1 })))
      assert.isUndefined(outcomeOf(blocked))
      yield* TestClock.adjust(500)

      assert.deepInclude(outcomeOf(blocked), { _tag: "ProducerTimeout", operation: "waiting for memory" })
    }))

  it.effect("memory that becomes free when records are acknowledged, which are sent for that", () =>
    Effect.gen(function*() {
      const broker = Scripted.make({ t: 2 })
      const producer = yield* make(broker, { "buffer.memory": 100, "linger.ms": 100 })
      yield* begin(producer.send(record("a", { partition: 0 })))

      const blocked = yield* begin(producer.send(record("b", { partition: 1 })))
      yield* TestClock.adjust(99)
      assert.deepStrictEqual(broker.taken.map(({ values }) => values), [["a"]])
      yield* TestClock.adjust(1)

      assert.deepInclude(outcomeOf(blocked), { partition: 1, offset: 0 })
    }))
})

// kafka-rules §1.6, the first table, for a producer without transactions.
describe("an answer to a batch, with idempotence", () => {
  const retried: ReadonlyArray<Errors.Error> = [
    "CORRUPT_MESSAGE",
    "UNKNOWN_TOPIC_OR_PARTITION",
    "LEADER_NOT_AVAILABLE",
    "NOT_LEADER_OR_FOLLOWER",
    "REQUEST_TIMED_OUT",
    "NETWORK_EXCEPTION",
    "COORDINATOR_LOAD_IN_PROGRESS",
    "COORDINATOR_NOT_AVAILABLE",
    "NOT_COORDINATOR",
    "NOT_ENOUGH_REPLICAS",
    "NOT_ENOUGH_REPLICAS_AFTER_APPEND",
    "CONCURRENT_TRANSACTIONS",
    "KAFKA_STORAGE_ERROR"
  ]
  const bumped: ReadonlyArray<Errors.Error> = ["OUT_OF_ORDER_SEQUENCE_NUMBER", "UNKNOWN_PRODUCER_ID"]
  const failed: ReadonlyArray<Errors.Error> = [
    "INVALID_PRODUCER_EPOCH",
    "INVALID_TXN_STATE",
    "TRANSACTION_ABORTABLE",
    "MESSAGE_TOO_LARGE",
    "INVALID_RECORD",
    "INVALID_TOPIC_EXCEPTION",
    "INVALID_REQUIRED_ACKS",
    "TOPIC_AUTHORIZATION_FAILED",
    "UNKNOWN_SERVER_ERROR"
  ]
  const fatal: Readonly<Partial<Record<Errors.Error, string>>> = {
    PRODUCER_FENCED: "ProducerFenced",
    INVALID_PRODUCER_ID_MAPPING: "ProducerFailed",
    TRANSACTIONAL_ID_AUTHORIZATION_FAILED: "ProducerFailed",
    CLUSTER_AUTHORIZATION_FAILED: "ProducerFailed",
    UNSUPPORTED_VERSION: "ProducerFailed"
  }

  const refused = Effect.fnUntraced(function*(error: Errors.Error) {
    const broker = Scripted.make()
    broker.next("Produce", Scripted.refuse(error))
    const producer = yield* make(broker, { "linger.ms": 0 })
    const first = yield* begin(producer.send(record("a")))
    yield* TestClock.adjust(200)
    const second = yield* begin(producer.send(record("b")))
    yield* TestClock.adjust(200)
    return { broker, first: outcomeOf(first), second: outcomeOf(second) }
  })

  for (const error of retried) {
    it.effect(`${error}: sent again as it was`, () =>
      Effect.gen(function*() {
        const { broker, first } = yield* refused(error)

        assert.deepInclude(first, { offset: 0 })
        assert.deepStrictEqual(stamps(broker), ["a: 7/0/0", "a: 7/0/0", "b: 7/0/1"])
      }))
  }

  for (const error of bumped) {
    it.effect(`${error}: sent again under the next epoch`, () =>
      Effect.gen(function*() {
        const { broker, first } = yield* refused(error)

        assert.deepInclude(first, { offset: 0 })
        assert.deepStrictEqual(stamps(broker), ["a: 7/0/0", "a: 7/1/0", "b: 7/1/1"])
      }))
  }

  for (const error of failed) {
    it.effect(`${error}: the batch fails, the next one has the next epoch`, () =>
      Effect.gen(function*() {
        const { broker, first, second } = yield* refused(error)

        assert.deepInclude(first, { _tag: "ProduceRefused", topic: "t", partition: 0, error })
        assert.deepInclude(second, { offset: 0 })
        assert.deepStrictEqual(stamps(broker), ["a: 7/0/0", "b: 7/1/0"])
      }))
  }

  for (const [error, tag] of Object.entries(fatal) as ReadonlyArray<[Errors.Error, string]>) {
    it.effect(`${error}: the end of the producer`, () =>
      Effect.gen(function*() {
        const { broker, first, second } = yield* refused(error)

        assert.strictEqual(errorOf(first), `${tag} ${error}`)
        assert.strictEqual(errorOf(second), `${tag} ${error}`)
        assert.strictEqual(requestsOf(broker), 1)
      }))
  }

  it.effect("DUPLICATE_SEQUENCE_NUMBER: written, nobody knows where", () =>
    Effect.gen(function*() {
      const { broker, first } = yield* refused("DUPLICATE_SEQUENCE_NUMBER")

      assert.deepInclude(first, { offset: -1 })
      assert.deepStrictEqual(stamps(broker), ["a: 7/0/0", "b: 7/0/1"])
    }))

  it.effect("without idempotence what is not retriable fails the batch and nothing else", () =>
    Effect.gen(function*() {
      const broker = Scripted.make()
      broker.next("Produce", Scripted.refuse("PRODUCER_FENCED"))
      const producer = yield* make(broker, { "linger.ms": 0, acks: "1" })

      const first = yield* begin(producer.send(record("a")))
      const second = yield* begin(producer.send(record("b")))

      assert.deepInclude(outcomeOf(first), { _tag: "ProduceRefused", error: "PRODUCER_FENCED" })
      assert.deepInclude(outcomeOf(second), { offset: 0 })
    }))

  it.effect("without retries even what is retriable fails it", () =>
    Effect.gen(function*() {
      const broker = Scripted.make()
      broker.next("Produce", Scripted.refuse("NOT_ENOUGH_REPLICAS"))
      const producer = yield* make(broker, { "linger.ms": 0, retries: 0 })

      const sent = yield* begin(producer.send(record("a")))

      assert.deepInclude(outcomeOf(sent), { _tag: "ProduceRefused", error: "NOT_ENOUGH_REPLICAS" })
    }))
})

describe("sending again", () => {
  it.effect("waits longer each time, with a jitter of a fifth", () =>
    Effect.gen(function*() {
      const times: Array<number> = []
      const broker = Scripted.make()
      broker.always("Produce", (request) =>
        Effect.andThen(
          Effect.map(Clock.currentTimeMillis, (now) => {
            times.push(now)
          }),
          Scripted.refuse("NOT_ENOUGH_REPLICAS")(request)
        ))
      const producer = yield* make(broker, { "linger.ms": 0 })
      yield* begin(producer.send(record("a")))
      for (let i = 0; i < 6000; i++) yield* TestClock.adjust(1)

      const waits = times.slice(1, 8).map((time, i) => time - times[i]!)
      assert.strictEqual(waits.length, 7)
      for (const [i, expected] of [100, 200, 400, 800, 1000, 1000, 1000].entries()) {
        assert.isAtLeast(waits[i]!, Math.floor(expected * 0.8))
        assert.isAtMost(waits[i]!, Math.min(1001, Math.ceil(expected * 1.2) + 1))
      }
    }))

  it.effect("goes to another leader", () =>
    Effect.gen(function*() {
      const broker = Scripted.make()
      broker.next("Metadata", broker.healthy.Metadata!)
      broker.always("Metadata", () =>
        Effect.succeed({ brokers: [1, 2], partitions: [{ topic: "t", partition: 0, leader: 2, error: "NONE" }] }))
      broker.always("Produce", (request) =>
        broker.of("Produce").at(-1)?.node === 1
          ? Scripted.refuse("NOT_LEADER_OR_FOLLOWER")(request)
          : broker.healthy.Produce!(request))
      const producer = yield* make(broker, { "linger.ms": 0 })

      const sent = yield* begin(producer.send(record("a")))
      assert.deepStrictEqual(
        broker.of("Produce").map(({ node }) =>
          node
        ),
        [1]
      )
      yield* TestClock.adjust(1000)

      assert.strictEqual(broker.of("Produce").at(-1)?.node, 2)
      assert.deepInclude(outcomeOf(sent), { offset: 0 })
    }))

  it.effect("and anything else goes to the new leader only when the old one owes no answer", () =>
    Effect.gen(function*() {
      const broker = Scripted.make()
      broker.next("Metadata", broker.healthy.Metadata!)
      broker.always(
        "Metadata",
        () => Effect.succeed({ brokers: [1, 2], partitions: [{ topic: "t", partition: 0, leader: 2, error: "NONE" }] })
      )
      broker.next("Produce", (request) => Effect.andThen(Effect.sleep(500), broker.healthy.Produce!(request)))
      const producer = yield* make(broker, { "linger.ms": 0, "metadata.max.age.ms": 200 })
      yield* begin(producer.send(record("a")))
      yield* TestClock.adjust(400)

      const sent = yield* begin(producer.send(record("b")))
      assert.deepStrictEqual(broker.of("Produce").map(({ node }) => node), [1])
      yield* TestClock.adjust(100)

      assert.deepStrictEqual(broker.of("Produce").map(({ node }) => node), [1, 2])
      assert.deepInclude(outcomeOf(sent), { offset: 1 })
    }))

  it.effect("answers are taken in the order of the requests", () =>
    Effect.gen(function*() {
      const broker = Scripted.make()
      const answered = (baseOffset: number) =>
        Effect.succeed({ results: [{ topic: "t", partition: 0, error: "NONE" as const, baseOffset }] })
      broker.next("Produce", () => Effect.andThen(Effect.sleep(50), answered(0)))
      broker.next("Produce", () => answered(1))
      const producer = yield* make(broker, { "linger.ms": 0 })

      const sent = yield* Effect.forEach(["a", "b"], (value) => begin(producer.send(record(value))))
      assert.deepStrictEqual(sent.map((fiber) => outcomeOf(fiber)), [undefined, undefined])
      yield* TestClock.adjust(50)

      for (const [offset, fiber] of sent.entries()) assert.deepInclude(outcomeOf(fiber), { offset })
    }))

  it.effect("a batch that the answer does not mention counts as refused for an unknown reason", () =>
    Effect.gen(function*() {
      const broker = Scripted.make()
      broker.next("Produce", () => Effect.succeed({ results: [] }))
      const producer = yield* make(broker, { "linger.ms": 0 })

      const sent = yield* begin(producer.send(record("a")))

      assert.deepInclude(outcomeOf(sent), { _tag: "ProduceRefused", error: "UNKNOWN_SERVER_ERROR" })
    }))

  it.effect("waits for a leader where there is none", () =>
    Effect.gen(function*() {
      const broker = Scripted.make()
      const orphaned = { topic: "t", partition: 0, leader: -1, error: "LEADER_NOT_AVAILABLE" } as const
      for (let i = 0; i < 3; i++) {
        broker.next("Metadata", () => Effect.succeed({ brokers: [1], partitions: [orphaned] }))
      }
      const producer = yield* make(broker, { "linger.ms": 0 })

      const sent = yield* begin(producer.send(record("a")))
      assert.strictEqual(requestsOf(broker), 0)
      yield* TestClock.adjust(1000)

      assert.deepInclude(outcomeOf(sent), { offset: 0 })
    }))

  it.effect("a lost connection is no answer to any request on it, and their order stays", () =>
    Effect.gen(function*() {
      const broker = Scripted.make()
      broker.next("Produce", () => Effect.andThen(Effect.sleep(10), Scripted.disconnected))
      broker.next("Produce", () => Scripted.never)
      broker.next("Produce", () => Scripted.never)
      const producer = yield* make(broker, { "linger.ms": 0 })

      const sent = yield* Effect.forEach(["a", "b", "c"], (value) => begin(producer.send(record(value))))
      assert.strictEqual(requestsOf(broker), 3)
      yield* TestClock.adjust(500)

      assert.deepStrictEqual(stamps(broker).slice(3), ["a: 7/0/0", "b: 7/0/1", "c: 7/0/2"])
      assert.deepStrictEqual(
        sent.map((fiber) => outcomeOf(fiber)).map((outcome) => (outcome as { offset: number }).offset),
        [0, 1, 2]
      )
    }))

  it.effect("an answer that comes over a lost connection frees no place on the next one", () =>
    Effect.gen(function*() {
      const broker = Scripted.make({ t: 4 })
      broker.next("Produce", () => Effect.andThen(Effect.sleep(10), Scripted.disconnected))
      broker.next("Produce", (request) => Effect.andThen(Effect.sleep(1000), broker.healthy.Produce!(request)))
      broker.always("Produce", () => Scripted.never)
      const producer = yield* make(broker, { "linger.ms": 0, "max.in.flight.requests.per.connection": 2 })
      for (const partition of [0, 1, 2, 3]) yield* begin(producer.send(record("a", { partition })))

      yield* TestClock.adjust(500)
      assert.strictEqual(requestsOf(broker), 4)
      yield* TestClock.adjust(1000)

      assert.strictEqual(requestsOf(broker), 4)
    }))

  it.effect("a request without an answer for request.timeout.ms is one on a lost connection", () =>
    Effect.gen(function*() {
      const broker = Scripted.make()
      broker.next("Produce", () => Scripted.never)
      const producer = yield* make(broker, { "linger.ms": 0, "request.timeout.ms": 2000 })

      const sent = yield* begin(producer.send(record("a")))
      yield* TestClock.adjust(1999)
      assert.strictEqual(requestsOf(broker), 1)
      yield* TestClock.adjust(200)

      assert.deepInclude(outcomeOf(sent), { offset: 0 })
    }))

  it.effect("ends delivery.timeout.ms after the record", () =>
    Effect.gen(function*() {
      const broker = Scripted.make()
      broker.always("Produce", Scripted.refuse("NOT_ENOUGH_REPLICAS"))
      const producer = yield* make(broker, { "linger.ms": 0 })

      const sent = yield* begin(producer.send(record("a")))
      yield* TestClock.adjust(119_999)
      assert.isUndefined(outcomeOf(sent))
      yield* TestClock.adjust(1)

      assert.deepInclude(outcomeOf(sent), { _tag: "ProducerTimeout", property: "delivery.timeout.ms", limit: 120_000 })
    }))

  it.effect("what waits behind a batch that expires goes at once, under the next epoch", () =>
    Effect.gen(function*() {
      const broker = Scripted.make()
      broker.always("Produce", (request) =>
        Scripted.valuesOf(request.batches[0]!.batch)[0] === "a"
          ? Scripted.refuse("NOT_ENOUGH_REPLICAS")(request)
          : broker.healthy.Produce!(request))
      const producer = yield* make(broker, { "linger.ms": 0, "max.in.flight.requests.per.connection": 1 })
      yield* begin(producer.send(record("a")))
      yield* TestClock.adjust(110_000)
      const behind = yield* begin(producer.send(record("b")))
      assert.isUndefined(outcomeOf(behind))

      yield* TestClock.adjust(10_000)

      assert.deepInclude(outcomeOf(behind), { offset: 0 })
      assert.strictEqual(stamps(broker).at(-1), "b: 7/1/0")
    }))

  it.effect("all batches that are due fail at once", () =>
    Effect.gen(function*() {
      const broker = Scripted.make()
      broker.always("Produce", () => Scripted.disconnected)
      const producer = yield* make(broker, { "linger.ms": 0, "batch.size": 0 })
      const sent = yield* Effect.forEach(["a", "b", "c", "d"], (value) => begin(producer.send(record(value))))

      yield* TestClock.adjust(119_999)
      assert.deepStrictEqual(sent.map((fiber) => outcomeOf(fiber)), [undefined, undefined, undefined, undefined])
      yield* TestClock.adjust(1)

      for (const fiber of sent) assert.deepInclude(outcomeOf(fiber), { _tag: "ProducerTimeout" })
    }))

  it.effect("a record that could not be sent in time fails too", () =>
    Effect.gen(function*() {
      const broker = Scripted.make()
      broker.always("InitProducerId", () => Scripted.disconnected)
      const producer = yield* make(broker, { "linger.ms": 0 })

      const sent = yield* begin(producer.send(record("a")))
      yield* TestClock.adjust(120_000)

      assert.deepInclude(outcomeOf(sent), { _tag: "ProducerTimeout", property: "delivery.timeout.ms" })
      assert.strictEqual(requestsOf(broker), 0)
    }))

  it.effect("what may have been written when it expired is left behind in the old epoch", () =>
    Effect.gen(function*() {
      const broker = Scripted.make()
      broker.always("Produce", Scripted.refuse("NOT_ENOUGH_REPLICAS"))
      const producer = yield* make(broker, { "linger.ms": 0 })
      yield* begin(producer.send(record("a")))
      yield* TestClock.adjust(120_000)

      broker.always("Produce", broker.healthy.Produce!)
      yield* begin(producer.send(record("b")))
      yield* TestClock.adjust(1000)

      assert.strictEqual(stamps(broker).at(-1), "b: 7/1/0")
    }))
})

describe("the identity of an idempotent producer", () => {
  it.effect("is asked for until there is one", () =>
    Effect.gen(function*() {
      const broker = Scripted.make()
      broker.next("InitProducerId", () => Scripted.disconnected)
      broker.next("InitProducerId", () =>
        Effect.succeed({ error: "COORDINATOR_LOAD_IN_PROGRESS", producerId: -1, producerEpoch: -1 }))
      const producer = yield* make(broker, { "linger.ms": 0 })

      const sent = yield* begin(producer.send(record("a")))
      assert.strictEqual(requestsOf(broker), 0)
      yield* TestClock.adjust(1000)

      assert.deepInclude(outcomeOf(sent), { offset: 0 })
    }))

  it.effect("is refused for good", () =>
    Effect.gen(function*() {
      const broker = Scripted.make()
      broker.always("InitProducerId", () =>
        Effect.succeed({ error: "CLUSTER_AUTHORIZATION_FAILED", producerId: -1, producerEpoch: -1 }))
      const producer = yield* make(broker, { "linger.ms": 0 })

      const sent = yield* begin(producer.send(record("a")))

      assert.strictEqual(errorOf(outcomeOf(sent)), "ProducerFailed CLUSTER_AUTHORIZATION_FAILED")
    }))

  it.effect("is a new one from the broker after the last epoch", () =>
    Effect.gen(function*() {
      const broker = Scripted.make()
      broker.next("InitProducerId", () => Effect.succeed({ error: "NONE", producerId: 7, producerEpoch: 32767 }))
      broker.next("InitProducerId", () => Effect.succeed({ error: "NONE", producerId: 40, producerEpoch: 0 }))
      broker.next("Produce", Scripted.refuse("INVALID_RECORD"))
      const producer = yield* make(broker, { "linger.ms": 0 })
      yield* begin(producer.send(record("a")))

      yield* begin(producer.send(record("b")))

      assert.deepStrictEqual(stamps(broker), ["a: 7/32767/0", "b: 40/0/0"])
    }))
})

describe("the rest", () => {
  it.effect("partitions of a topic with their leaders", () =>
    Effect.gen(function*() {
      const producer = yield* make(Scripted.make({ t: 2 }))

      const found = yield* begin(producer.partitionsFor("t"))

      assert.deepStrictEqual(outcomeOf(found), [0, 1].map((partition) => ({ topic: "t", partition, leader: 1 })))
    }))

  it.effect("what is known of topics is asked for again when it is old", () =>
    Effect.gen(function*() {
      const topics: Record<string, number> = { t: 1 }
      const broker = Scripted.make(topics)
      const producer = yield* make(broker)
      yield* begin(producer.partitionsFor("t"))

      topics["t"] = 2
      yield* TestClock.adjust(300_000)

      assert.lengthOf(yield* producer.partitionsFor("t"), 2)
    }))

  it.effect("a producer without transactional.id has no transactions", () =>
    Effect.gen(function*() {
      const producer = yield* make(Scripted.make())
      const calls = [
        producer.initTransactions,
        producer.beginTransaction,
        producer.commitTransaction,
        producer.abortTransaction,
        producer.sendOffsetsToTransaction([], { group: "g", generation: -1, member: "" }),
        producer.transaction(Effect.void)
      ]

      for (const call of calls) {
        const fiber = yield* begin(call)
        assert.strictEqual(errorOf(outcomeOf(fiber)), "IllegalState")
      }
    }))

  it.effect("a configuration that is refused", () =>
    Effect.gen(function*() {
      const exit = yield* Effect.exit(make(Scripted.make(), { acks: "1", "enable.idempotence": "true" }))

      assert.isTrue(Exit.isFailure(exit) && Cause.pretty(exit.cause).includes("the idempotent producer needs acks=all"))
    }))

  it.effect("a partitioner that chooses no partition is a defect", () =>
    Effect.gen(function*() {
      const producer = yield* make(Scripted.make(), { "partitioner.class": Partitioner.custom(() => 5) })

      const sent = yield* begin(producer.send(record("a")))

      assert.isTrue(Exit.hasDies(sent.pollUnsafe()!))
    }))

  it.effect("a service of one's own as a layer", () =>
    Effect.gen(function*() {
      class Orders extends Context.Service<Orders, Producer.Producer<string, string>>()("test/Orders") {}
      const broker = Scripted.make()
      const layer = Producer.layer(Orders, { "linger.ms": 0 }, { key: Serde.string, value: Serde.string })

      const sent = yield* begin(
        Orders.use((orders) => orders.send(record("a"))).pipe(Effect.provide(Layer.provide(layer, broker.layer)))
      )

      assert.deepInclude(outcomeOf(sent), { offset: 0 })
    }))

  it.effect("records, retries and failures are counted, by client.id", () =>
    Effect.gen(function*() {
      const broker = Scripted.make()
      broker.next("Produce", Scripted.refuse("NOT_ENOUGH_REPLICAS"))
      broker.next("Produce", broker.healthy.Produce!)
      broker.next("Produce", Scripted.refuse("INVALID_RECORD"))
      const producer = yield* make(broker, { "client.id": "counted" })
      yield* begin(producer.send(record("a")))
      yield* begin(producer.send(record("b")))
      yield* TestClock.adjust(500)
      yield* begin(producer.send(record("c")))
      yield* TestClock.adjust(500)

      const counted = (metric: Metric.Counter<number>) =>
        Effect.map(Metric.value(Metric.withAttributes(metric, { client_id: "counted" })), ({ count }) => count)

      assert.strictEqual(yield* counted(ProducerMetrics.recordsSent), 2)
      assert.strictEqual(yield* counted(ProducerMetrics.recordsRetried), 2)
      assert.strictEqual(yield* counted(ProducerMetrics.recordsFailed), 1)
      assert.strictEqual(yield* counted(ProducerMetrics.requests), 3)
      assert.strictEqual(
        yield* counted(ProducerMetrics.bytesSent),
        broker.of("Produce").reduce((sum, { request }) => sum + request.batches[0]!.batch.length, 0)
      )
    }))

  it.effect("every request has a span", () =>
    Effect.gen(function*() {
      const spans: Array<Tracer.NativeSpan> = []
      const tracer = Tracer.make({
        span: (options) => {
          const span = new Tracer.NativeSpan(options)
          spans.push(span)
          return span
        }
      })
      const broker = Scripted.make()
      yield* Effect.gen(function*() {
        const producer = yield* make(broker, { "linger.ms": 0 })
        yield* begin(producer.send(record("a")))
      }).pipe(Effect.withTracer(tracer))

      const [produce] = spans.filter(({ name }) => name === "Produce")
      assert.deepInclude(Object.fromEntries(produce!.attributes), { node: 1, batches: 1 })
      assert.strictEqual(produce!.kind, "client")
    }))
})
