import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Exit, Fiber, Scope } from "effect"
import { TestClock } from "effect/testing"
import type { Errors, Transaction } from "../../../src/core/index.ts"
import * as Producer from "../../../src/runtime/client/Producer.ts"
import type { ApiKey } from "../../../src/runtime/client/Requests.ts"
import * as Serde from "../../../src/runtime/client/Serde.ts"
import { begin, errorOf, make, outcomeOf, sentBy, stamps, type StringProducer } from "./producers.ts"
import * as Scripted from "./scripted.ts"

const record = (value: string, over: Partial<Producer.ProducerRecord<string, string>> = {}) => ({
  topic: "t",
  value,
  ...over
})

const member = { group: "g", generation: 3, member: "m" }
const offsets = [{ topic: "in", partition: 0, offset: 5 }]

/** A transactional producer that has its identity. */
const ready = Effect.fnUntraced(function*(
  broker: Scripted.Broker,
  version: Transaction.Version = 2,
  config: Parameters<typeof make>[1] = {}
) {
  const producer = yield* make(broker, { "transactional.id": "x", "linger.ms": 0, ...config }, version)
  const initialized = yield* begin(producer.initTransactions)
  assert.isTrue(Exit.isSuccess(initialized.pollUnsafe()!))
  return producer
})

/** Does something and answers with what has come of it, when everything that takes no time has happened. */
const now = Effect.fnUntraced(function*<A, E>(effect: Effect.Effect<A, E>) {
  const fiber = yield* begin(effect)
  assert.isDefined(fiber.pollUnsafe(), "it has not come to its end")
  return outcomeOf(fiber)
})

/** The transactional requests by their API. */
const asked = (broker: Scripted.Broker): ReadonlyArray<ApiKey> =>
  broker.requests.map(({ api }) => api).filter((api) => api !== "Metadata" && api !== "FindCoordinator")

const answer = (error: Errors.Error) => Effect.succeed({ error, producerId: -1, producerEpoch: -1 })

const ended = (broker: Scripted.Broker): ReadonlyArray<string> =>
  broker.of("EndTxn").map(({ request }) => request.result)

const abortAndSend = Effect.fnUntraced(function*(producer: StringProducer) {
  assert.isUndefined(yield* now(producer.abortTransaction))
  yield* now(producer.beginTransaction)
  const sent = yield* now(producer.send(record("next")))
  assert.isUndefined(yield* now(producer.commitTransaction))
  return sent
})

describe("a transaction", () => {
  it.effect("of version 2 adds its partitions by writing to them, and has a new epoch each time", () =>
    Effect.gen(function*() {
      const broker = Scripted.make()
      const producer = yield* ready(broker)
      for (const value of ["a", "b"]) {
        yield* now(producer.beginTransaction)
        yield* begin(producer.send(record(value)))
        yield* begin(producer.send(record(`${value}'`)))
        assert.isUndefined(yield* now(producer.commitTransaction))
      }

      assert.deepStrictEqual(asked(broker), [
        "InitProducerId",
        "Produce",
        "Produce",
        "EndTxn",
        "Produce",
        "Produce",
        "EndTxn"
      ])
      assert.deepStrictEqual(stamps(broker), ["a: 7/0/0", "a': 7/0/1", "b: 7/1/0", "b': 7/1/1"])
      assert.isTrue(sentBy(broker).every(({ header }) => header.isTransactional))
      assert.deepInclude(broker.of("Produce")[0]!.request, { transactionalId: "x", version: 2, acks: -1 })
      assert.deepInclude(broker.of("InitProducerId")[0]!.request, {
        transactionalId: "x",
        producerId: -1,
        producerEpoch: -1,
        transactionTimeoutMs: 60_000
      })
    }))

  it.effect("of version 1 adds each partition first, and sequences go on", () =>
    Effect.gen(function*() {
      const broker = Scripted.make({ t: 2 })
      const producer = yield* ready(broker, 1)
      for (const value of ["a", "b"]) {
        yield* now(producer.beginTransaction)
        yield* begin(producer.send(record(value, { partition: 0 })))
        yield* begin(producer.send(record(value, { partition: 1 })))
        yield* begin(producer.send(record(`${value}'`, { partition: 0 })))
        assert.isUndefined(yield* now(producer.commitTransaction))
      }

      assert.deepStrictEqual(stamps(broker), ["a: 7/0/0", "a: 7/0/0", "a': 7/0/1", "b: 7/0/2", "b: 7/0/1", "b': 7/0/3"])
      assert.deepStrictEqual(
        broker.of("AddPartitionsToTxn").map(({ request }) => request.partitions.map(({ partition }) => partition)),
        [[0], [1], [0], [1]]
      )
      assert.strictEqual(asked(broker)[1], "AddPartitionsToTxn")
      assert.deepStrictEqual(ended(broker), ["COMMIT", "COMMIT"])
    }))

  it.effect("is not sent to anybody when it is empty", () =>
    Effect.gen(function*() {
      for (const version of [1, 2] as const) {
        const broker = Scripted.make()
        const producer = yield* ready(broker, version)
        for (const end of [producer.commitTransaction, producer.abortTransaction]) {
          yield* now(producer.beginTransaction)
          assert.isUndefined(yield* now(end))
        }

        assert.deepStrictEqual(asked(broker), ["InitProducerId"])
      }
    }))

  it.effect("sends what lingers before it is committed", () =>
    Effect.gen(function*() {
      const broker = Scripted.make()
      const producer = yield* ready(broker, 2, { "linger.ms": 1000 })
      yield* now(producer.beginTransaction)
      const sent = yield* begin(producer.send(record("a")))
      assert.isUndefined(outcomeOf(sent))

      yield* now(producer.commitTransaction)

      assert.deepInclude(outcomeOf(sent), { offset: 0 })
      assert.deepStrictEqual(asked(broker), ["InitProducerId", "Produce", "EndTxn"])
    }))

  it.effect("drops what was not sent when it is aborted", () =>
    Effect.gen(function*() {
      const broker = Scripted.make()
      const producer = yield* ready(broker, 2, { "linger.ms": 1000 })
      yield* now(producer.beginTransaction)
      const sent = yield* begin(producer.send(record("a")))

      yield* now(producer.abortTransaction)

      assert.strictEqual(errorOf(outcomeOf(sent)), "TransactionAborted")
      assert.deepStrictEqual(asked(broker), ["InitProducerId"])
    }))

  it.effect("of version 1 adds nothing more when it is aborted", () =>
    Effect.gen(function*() {
      const broker = Scripted.make({ t: 2 })
      broker.next("AddPartitionsToTxn", (request) =>
        Effect.andThen(Effect.sleep(50), broker.healthy.AddPartitionsToTxn!(request)))
      const producer = yield* ready(broker, 1, { "linger.ms": 1000 })
      yield* now(producer.beginTransaction)
      for (const partition of [0, 1]) {
        yield* begin(producer.send(record("a", { partition })))
      }

      const aborted = yield* begin(producer.abortTransaction)
      yield* TestClock.adjust(50)

      assert.isTrue(Exit.isSuccess(aborted.pollUnsafe()!))
      assert.deepStrictEqual(asked(broker), ["InitProducerId", "AddPartitionsToTxn", "EndTxn"])
    }))

  it.effect("of version 1 is aborted when the producer has its new epoch", () =>
    Effect.gen(function*() {
      const broker = Scripted.make()
      broker.next("Produce", Scripted.refuse("INVALID_RECORD"))
      const producer = yield* ready(broker, 1)
      broker.next("InitProducerId", (request) =>
        Effect.andThen(Effect.sleep(50), broker.healthy.InitProducerId!(request)))
      yield* now(producer.beginTransaction)
      yield* now(producer.send(record("a")))

      const aborted = yield* begin(producer.abortTransaction)
      assert.deepStrictEqual(ended(broker), ["ABORT"])
      assert.isUndefined(aborted.pollUnsafe())
      yield* TestClock.adjust(50)

      assert.isTrue(Exit.isSuccess(aborted.pollUnsafe()!))
      assert.isUndefined(yield* now(producer.beginTransaction))
    }))

  it.effect("waits for what was sent when it is aborted", () =>
    Effect.gen(function*() {
      const broker = Scripted.make()
      broker.next("Produce", (request) => Effect.andThen(Effect.sleep(50), broker.healthy.Produce!(request)))
      const producer = yield* ready(broker)
      yield* now(producer.beginTransaction)
      const sent = yield* begin(producer.send(record("a")))

      const aborted = yield* begin(producer.abortTransaction)
      assert.deepStrictEqual(ended(broker), [])
      yield* TestClock.adjust(50)

      assert.deepInclude(outcomeOf(sent), { offset: 0 })
      assert.isTrue(Exit.isSuccess(aborted.pollUnsafe()!))
      assert.deepStrictEqual(ended(broker), ["ABORT"])
    }))

  it.effect("that is open when the producer is closed is aborted", () =>
    Effect.gen(function*() {
      const broker = Scripted.make()
      const scope = yield* Scope.make()
      const producer = yield* Producer.make({ "transactional.id": "x" }, { key: Serde.string, value: Serde.string })
        .pipe(
          Effect.provide(broker.layer),
          Scope.provide(scope)
        )
      yield* now(producer.initTransactions)
      yield* now(producer.beginTransaction)
      yield* begin(producer.send(record("a")))
      yield* TestClock.adjust(5)

      yield* Scope.close(scope, Exit.void)

      assert.deepStrictEqual(ended(broker), ["ABORT"])
    }))
})

describe("the states of a producer", () => {
  const refused = Effect.fnUntraced(function*(call: Effect.Effect<unknown, unknown>) {
    return errorOf(yield* now(call))
  })

  it.effect("before initTransactions", () =>
    Effect.gen(function*() {
      const producer = yield* make(Scripted.make(), { "transactional.id": "x" })

      for (
        const call of [
          producer.beginTransaction,
          producer.send(record("a")),
          producer.commitTransaction,
          producer.abortTransaction,
          producer.sendOffsetsToTransaction(offsets, member)
        ]
      ) assert.strictEqual(yield* refused(call), "IllegalState")
    }))

  it.effect("outside of a transaction", () =>
    Effect.gen(function*() {
      const producer = yield* ready(Scripted.make())

      for (
        const call of [
          producer.initTransactions,
          producer.send(record("a")),
          producer.commitTransaction,
          producer.abortTransaction,
          producer.sendOffsetsToTransaction(offsets, member)
        ]
      ) assert.strictEqual(yield* refused(call), "IllegalState")
    }))

  it.effect("in a transaction", () =>
    Effect.gen(function*() {
      const producer = yield* ready(Scripted.make())
      yield* now(producer.beginTransaction)

      assert.strictEqual(yield* refused(producer.beginTransaction), "IllegalState")
      assert.strictEqual(yield* refused(producer.initTransactions), "IllegalState")
      assert.isUndefined(yield* now(producer.commitTransaction))
    }))

  it.effect("while a call has not come to its end", () =>
    Effect.gen(function*() {
      const broker = Scripted.make()
      broker.next("EndTxn", () => Effect.andThen(Effect.sleep(70_000), answer("NONE")))
      const producer = yield* ready(broker, 1, { "request.timeout.ms": 100_000 })
      yield* now(producer.beginTransaction)
      yield* now(producer.send(record("a")))

      const first = yield* begin(producer.commitTransaction)
      yield* TestClock.adjust(60_000)
      assert.strictEqual(errorOf(outcomeOf(first)), "ProducerTimeout REQUEST_TIMED_OUT")
      for (const call of [producer.abortTransaction, producer.beginTransaction, producer.send(record("b"))]) {
        assert.strictEqual(yield* refused(call), "IllegalState")
      }

      const again = yield* begin(producer.commitTransaction)
      yield* TestClock.adjust(10_000)

      assert.isTrue(Exit.isSuccess(again.pollUnsafe()!))
      assert.deepStrictEqual(ended(broker), ["COMMIT"])
      assert.isUndefined(yield* now(producer.beginTransaction))
    }))

  it.effect("a call that came to its end while nobody waited tells it when it is repeated", () =>
    Effect.gen(function*() {
      const broker = Scripted.make()
      broker.next("EndTxn", () => Effect.andThen(Effect.sleep(70_000), answer("NONE")))
      const producer = yield* ready(broker, 1, { "request.timeout.ms": 100_000 })
      yield* now(producer.beginTransaction)
      yield* now(producer.send(record("a")))
      yield* begin(Effect.ignore(producer.commitTransaction))
      yield* TestClock.adjust(80_000)

      assert.strictEqual(yield* refused(producer.beginTransaction), "IllegalState")
      assert.isUndefined(yield* now(producer.commitTransaction))
      assert.isUndefined(yield* now(producer.beginTransaction))
    }))
})

// kafka-rules §1.6, the first table, for a producer with transactions.
describe("an answer to a batch", () => {
  const retried: ReadonlyArray<Errors.Error> = [
    "CORRUPT_MESSAGE",
    "UNKNOWN_TOPIC_OR_PARTITION",
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
  const abortable: ReadonlyArray<Errors.Error> = [
    "OUT_OF_ORDER_SEQUENCE_NUMBER",
    "UNKNOWN_PRODUCER_ID",
    "INVALID_PRODUCER_EPOCH",
    "INVALID_TXN_STATE",
    "TRANSACTION_ABORTABLE",
    "MESSAGE_TOO_LARGE",
    "INVALID_RECORD",
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

  const refused = Effect.fnUntraced(function*(error: Errors.Error, version: Transaction.Version) {
    const broker = Scripted.make()
    broker.next("Produce", Scripted.refuse(error))
    const producer = yield* ready(broker, version)
    yield* now(producer.beginTransaction)
    const sent = yield* begin(producer.send(record("a")))
    yield* TestClock.adjust(200)
    return { broker, producer, sent: outcomeOf(sent) }
  })

  for (const version of [1, 2] as const) {
    for (const error of retried) {
      it.effect(`${error}: sent again (version ${version})`, () =>
        Effect.gen(function*() {
          const { broker, producer, sent } = yield* refused(error, version)

          assert.deepInclude(sent, { offset: 0 })
          assert.isUndefined(yield* now(producer.commitTransaction))
          assert.deepStrictEqual(stamps(broker), ["a: 7/0/0", "a: 7/0/0"])
        }))
    }

    for (const error of abortable) {
      it.effect(`${error}: to be aborted, and the next transaction has a new epoch (version ${version})`, () =>
        Effect.gen(function*() {
          const { broker, producer, sent } = yield* refused(error, version)
          const told = `TransactionAbortable ${error}`

          assert.strictEqual(errorOf(sent), told)
          for (
            const call of [
              producer.send(record("b")),
              producer.commitTransaction,
              producer.beginTransaction,
              producer.sendOffsetsToTransaction(offsets, member)
            ]
          ) assert.strictEqual(errorOf(yield* now(call as Effect.Effect<unknown, unknown>)), told)
          assert.deepInclude(yield* abortAndSend(producer), { offset: 0 })
          assert.deepStrictEqual(stamps(broker), ["a: 7/0/0", "next: 7/1/0"])
          assert.deepStrictEqual(ended(broker), ["ABORT", "COMMIT"])
          const bumps = broker.of("InitProducerId").slice(1).map(({ request }) => request.producerEpoch)
          assert.deepStrictEqual(bumps, version === 1 ? [0] : [])
        }))
    }
  }

  for (const [error, tag] of Object.entries(fatal) as ReadonlyArray<[Errors.Error, string]>) {
    it.effect(`${error}: the end of the producer`, () =>
      Effect.gen(function*() {
        const { broker, producer, sent } = yield* refused(error, 2)
        const told = `${tag} ${error}`

        assert.strictEqual(errorOf(sent), told)
        for (
          const call of [
            producer.send(record("b")),
            producer.commitTransaction,
            producer.abortTransaction,
            producer.beginTransaction,
            producer.initTransactions
          ]
        ) assert.strictEqual(errorOf(yield* now(call as Effect.Effect<unknown, unknown>)), told)
        assert.deepStrictEqual(ended(broker), [])
      }))
  }

  it.effect("none in time: to be aborted", () =>
    Effect.gen(function*() {
      const broker = Scripted.make()
      broker.always("Produce", Scripted.refuse("NOT_ENOUGH_REPLICAS"))
      const producer = yield* ready(broker)
      yield* now(producer.beginTransaction)
      const sent = yield* begin(producer.send(record("a")))
      yield* TestClock.adjust(120_000)
      broker.always("Produce", broker.healthy.Produce!)

      assert.strictEqual(errorOf(outcomeOf(sent)), "TransactionAbortable REQUEST_TIMED_OUT")
      assert.deepInclude(yield* abortAndSend(producer), { offset: 0 })
      assert.strictEqual(stamps(broker).at(-1), "next: 7/1/0")
    }))

  it.effect("the batches behind one that failed fail with it", () =>
    Effect.gen(function*() {
      const broker = Scripted.make()
      const later = (error: Errors.Error, ms: number) =>
        broker.next("Produce", (request) => Effect.andThen(Effect.sleep(ms), Scripted.refuse(error)(request)))
      later("INVALID_RECORD", 10)
      later("OUT_OF_ORDER_SEQUENCE_NUMBER", 20)
      const producer = yield* ready(broker)
      yield* now(producer.beginTransaction)
      const sent = yield* Effect.forEach(["a", "b"], (value) => begin(producer.send(record(value))))

      yield* TestClock.adjust(10)
      assert.deepStrictEqual(sent.map((fiber) => errorOf(outcomeOf(fiber))), [
        "TransactionAbortable INVALID_RECORD",
        undefined
      ])
      const aborted = yield* begin(producer.abortTransaction)
      assert.deepStrictEqual(ended(broker), [])
      yield* TestClock.adjust(10)

      assert.strictEqual(errorOf(outcomeOf(sent[1]!)), "TransactionAbortable INVALID_RECORD")
      assert.isTrue(Exit.isSuccess(aborted.pollUnsafe()!))
      assert.deepStrictEqual(ended(broker), ["ABORT"])
    }))

  it.effect("other partitions are sent again before the abort, as their sequences go on", () =>
    Effect.gen(function*() {
      const broker = Scripted.make({ t: 2 })
      broker.next("Produce", () => Effect.andThen(Effect.sleep(10), Scripted.disconnected))
      const producer = yield* ready(broker, 1)
      yield* now(producer.beginTransaction)
      const sent = yield* begin(producer.send(record("a", { partition: 0 })))

      const aborted = yield* begin(producer.abortTransaction)
      yield* TestClock.adjust(500)

      assert.deepInclude(outcomeOf(sent), { offset: 0 })
      assert.isTrue(Exit.isSuccess(aborted.pollUnsafe()!))
      assert.deepStrictEqual(stamps(broker), ["a: 7/0/0", "a: 7/0/0"])
    }))

  it.effect("other partitions are sent again before the abort, whatever the one that failed wants", () =>
    Effect.gen(function*() {
      const broker = Scripted.make({ t: 2 })
      broker.next("Produce", (request) => Effect.andThen(Effect.sleep(10), Scripted.refuse("INVALID_RECORD")(request)))
      broker.next("Produce", Scripted.refuse("NOT_ENOUGH_REPLICAS"))
      const producer = yield* ready(broker)
      yield* now(producer.beginTransaction)
      yield* begin(producer.send(record("a", { partition: 0 })))
      const other = yield* begin(producer.send(record("b", { partition: 1 })))
      yield* TestClock.adjust(10)

      const aborted = yield* begin(producer.abortTransaction)
      yield* TestClock.adjust(200)

      assert.deepInclude(outcomeOf(other), { offset: 0 })
      assert.isTrue(Exit.isSuccess(aborted.pollUnsafe()!))
    }))

  it.effect("whoever waits for memory hears that the transaction is to be aborted, and keeps none", () =>
    Effect.gen(function*() {
      const broker = Scripted.make({ t: 2 })
      broker.next("Produce", (request) => Effect.andThen(Effect.sleep(50), Scripted.refuse("INVALID_RECORD")(request)))
      const producer = yield* ready(broker, 2, { "buffer.memory": 100 })
      yield* now(producer.beginTransaction)
      yield* begin(producer.send(record("a", { partition: 0 })))
      const blocked = yield* begin(producer.send(record("b", { partition: 1 })))
      assert.isUndefined(outcomeOf(blocked))

      yield* TestClock.adjust(50)

      assert.strictEqual(errorOf(outcomeOf(blocked)), "TransactionAbortable INVALID_RECORD")
      assert.deepInclude(yield* abortAndSend(producer), { offset: 0 })
      assert.deepStrictEqual(stamps(broker).map((stamp) => stamp[0]), ["a", "n"])
    }))

  it.effect("a record that fails before it is sent is lost to the transaction", () =>
    Effect.gen(function*() {
      for (const version of [1, 2] as const) {
        const broker = Scripted.make()
        const producer = yield* ready(broker, version, { "max.request.size": 500 })
        yield* now(producer.beginTransaction)

        const sent = yield* now(producer.send(record("x".repeat(500))))

        assert.strictEqual(errorOf(sent), "RecordTooLarge MESSAGE_TOO_LARGE")
        assert.strictEqual(errorOf(yield* now(producer.commitTransaction)), "TransactionAbortable MESSAGE_TOO_LARGE")
        assert.deepInclude(yield* abortAndSend(producer), { offset: 0 })
        assert.deepStrictEqual(ended(broker), ["COMMIT"])
      }
    }))

  it.effect("a record that cannot be serialized is not", () =>
    Effect.gen(function*() {
      const broker = Scripted.make()
      const refusing = Serde.serializer<string>(() => {
        throw new Error("bad")
      })
      const producer = yield* Producer.make({ "transactional.id": "x" }, { key: Serde.string, value: refusing }).pipe(
        Effect.provide(broker.layer)
      )
      yield* now(producer.initTransactions)
      yield* now(producer.beginTransaction)
      yield* begin(producer.send(record("a")))

      assert.isUndefined(yield* now(producer.commitTransaction))
    }))
})

// kafka-rules §1.6, the second table.
describe("an answer of a coordinator", () => {
  type Request = "InitProducerId" | "AddPartitionsToTxn" | "AddOffsetsToTxn" | "TxnOffsetCommit" | "COMMIT" | "ABORT"
  const requests: ReadonlyArray<Request> = [
    "InitProducerId",
    "AddPartitionsToTxn",
    "AddOffsetsToTxn",
    "TxnOffsetCommit",
    "COMMIT",
    "ABORT"
  ]

  /** What the call comes to whose request is answered with an error first, and what the broker was asked. */
  const outcome = Effect.fnUntraced(function*(request: Request, error: Errors.Error | "disconnected") {
    const broker = Scripted.make()
    const version = request === "AddPartitionsToTxn" || request === "AddOffsetsToTxn" ? 1 : 2
    const api = request === "COMMIT" || request === "ABORT" ? "EndTxn" : request
    const lost = error === "disconnected" ? Scripted.disconnected : undefined
    switch (api) {
      case "AddPartitionsToTxn":
        broker.next(
          api,
          ({ partitions }) =>
            lost ?? Effect.succeed({ results: partitions.map((one) => ({ ...one, error: error as Errors.Error })) })
        )
        break
      case "TxnOffsetCommit":
        broker.next(
          api,
          (asked) =>
            lost ?? Effect.succeed({ results: asked.offsets.map((one) => ({ ...one, error: error as Errors.Error })) })
        )
        break
      default:
        broker.next(api, () => lost ?? answer(error as Errors.Error))
    }
    const producer = yield* make(broker, { "transactional.id": "x", "linger.ms": 0 }, version)
    const call = Effect.gen(function*() {
      yield* producer.initTransactions
      yield* producer.beginTransaction
      yield* producer.send(record("a"))
      if (request === "AddOffsetsToTxn" || request === "TxnOffsetCommit") {
        yield* producer.sendOffsetsToTransaction(offsets, member)
      }
      yield* request === "ABORT" ? producer.abortTransaction : producer.commitTransaction
    })
    const fiber = yield* begin(call)
    yield* TestClock.adjust(500)
    const exit = fiber.pollUnsafe()
    const told = exit !== undefined && Exit.isSuccess(exit) ? "success" : errorOf(outcomeOf(fiber))?.split(" ")[0]
    const lookups = broker.of("FindCoordinator").length
    return { told, lookups, times: broker.of(api).length, producer }
  })

  const always: ReadonlyArray<Errors.Error | "disconnected"> = [
    "COORDINATOR_LOAD_IN_PROGRESS",
    "CONCURRENT_TRANSACTIONS",
    "UNKNOWN_TOPIC_OR_PARTITION"
  ]
  for (const request of requests) {
    const groups = request === "TxnOffsetCommit" || request === "AddOffsetsToTxn" ? 2 : 1
    for (const error of always) {
      it.effect(`${error} to ${request}: asked again`, () =>
        Effect.gen(function*() {
          const { lookups, times, told } = yield* outcome(request, error)

          assert.deepStrictEqual([told, times, lookups], ["success", 2, groups])
        }))
    }
    for (const error of ["NOT_COORDINATOR", "COORDINATOR_NOT_AVAILABLE", "disconnected"] as const) {
      it.effect(`${error} to ${request}: the coordinator is looked for, and asked`, () =>
        Effect.gen(function*() {
          const { lookups, times, told } = yield* outcome(request, error)

          assert.deepStrictEqual([told, times, lookups], ["success", 2, groups + 1])
        }))
    }
  }

  const abortable: Readonly<Partial<Record<Errors.Error, ReadonlyArray<Request>>>> = {
    TRANSACTION_ABORTABLE: ["InitProducerId", "AddPartitionsToTxn", "AddOffsetsToTxn", "TxnOffsetCommit", "COMMIT"],
    UNKNOWN_PRODUCER_ID: ["AddPartitionsToTxn", "AddOffsetsToTxn", "COMMIT"],
    ILLEGAL_GENERATION: ["TxnOffsetCommit"],
    UNKNOWN_MEMBER_ID: ["TxnOffsetCommit"],
    FENCED_INSTANCE_ID: ["TxnOffsetCommit"],
    GROUP_AUTHORIZATION_FAILED: ["AddPartitionsToTxn", "AddOffsetsToTxn", "TxnOffsetCommit"],
    INVALID_TXN_STATE: [],
    INVALID_PRODUCER_ID_MAPPING: []
  }
  for (const [error, found] of Object.entries(abortable) as ReadonlyArray<[Errors.Error, ReadonlyArray<Request>]>) {
    for (const request of requests) {
      const expected = found.includes(request) ? "TransactionAbortable" : "ProducerFailed"
      it.effect(`${error} to ${request}: ${expected}`, () =>
        Effect.gen(function*() {
          const { told, times } = yield* outcome(request, error)

          assert.deepStrictEqual([told, times], [expected, 1])
        }))
    }
  }

  for (const error of ["PRODUCER_FENCED", "INVALID_PRODUCER_EPOCH"] as const) {
    for (const request of requests) {
      it.effect(`${error} to ${request}: fenced`, () =>
        Effect.gen(function*() {
          const { producer, told, times } = yield* outcome(request, error)

          assert.deepStrictEqual([told, times], ["ProducerFenced", 1])
          assert.strictEqual(errorOf(yield* now(producer.beginTransaction)), `ProducerFenced ${error}`)
        }))
    }
  }

  for (const request of requests.slice(1)) {
    it.effect(`TRANSACTIONAL_ID_AUTHORIZATION_FAILED to ${request}: the end`, () =>
      Effect.gen(function*() {
        assert.strictEqual((yield* outcome(request, "TRANSACTIONAL_ID_AUTHORIZATION_FAILED")).told, "ProducerFailed")
      }))
  }

  it.effect("TRANSACTIONAL_ID_AUTHORIZATION_FAILED to InitProducerId: it can be called again", () =>
    Effect.gen(function*() {
      const { producer, told } = yield* outcome("InitProducerId", "TRANSACTIONAL_ID_AUTHORIZATION_FAILED")

      assert.strictEqual(told, "BrokerRefused")
      assert.isUndefined(yield* now(producer.initTransactions))
      assert.isUndefined(yield* now(producer.beginTransaction))
    }))

  it.effect("after TRANSACTION_ABORTABLE to InitProducerId an abort leads back to the beginning", () =>
    Effect.gen(function*() {
      const { producer } = yield* outcome("InitProducerId", "TRANSACTION_ABORTABLE")

      assert.isUndefined(yield* now(producer.abortTransaction))
      assert.isUndefined(yield* now(producer.initTransactions))
    }))

  it.effect("REQUEST_TIMED_OUT to TxnOffsetCommit: the group's coordinator is looked for", () =>
    Effect.gen(function*() {
      const { lookups, told } = yield* outcome("TxnOffsetCommit", "REQUEST_TIMED_OUT")

      assert.deepStrictEqual([told, lookups], ["success", 3])
    }))

  it.effect("CONCURRENT_TRANSACTIONS to the first AddPartitionsToTxn: asked again after 20 ms", () =>
    Effect.gen(function*() {
      const broker = Scripted.make()
      broker.next(
        "AddPartitionsToTxn",
        ({ partitions }) =>
          Effect.succeed({ results: partitions.map((one) => ({ ...one, error: "CONCURRENT_TRANSACTIONS" })) })
      )
      const producer = yield* ready(broker, 1)
      yield* now(producer.beginTransaction)
      const sent = yield* begin(producer.send(record("a")))

      yield* TestClock.adjust(20)

      assert.deepInclude(outcomeOf(sent), { offset: 0 })
    }))

  it.effect("CONCURRENT_TRANSACTIONS to a later AddPartitionsToTxn: asked again after the usual backoff", () =>
    Effect.gen(function*() {
      const broker = Scripted.make({ t: 2 })
      const producer = yield* ready(broker, 1)
      yield* now(producer.beginTransaction)
      yield* now(producer.send(record("a", { partition: 0 })))
      broker.next(
        "AddPartitionsToTxn",
        ({ partitions }) =>
          Effect.succeed({ results: partitions.map((one) => ({ ...one, error: "CONCURRENT_TRANSACTIONS" })) })
      )
      const sent = yield* begin(producer.send(record("b", { partition: 1 })))

      yield* TestClock.adjust(79)
      assert.isUndefined(outcomeOf(sent))
      yield* TestClock.adjust(42)

      assert.deepInclude(outcomeOf(sent), { offset: 0 })
    }))

  it.effect("none at all: initTransactions takes too long, and is repeated", () =>
    Effect.gen(function*() {
      const broker = Scripted.make()
      broker.always("FindCoordinator", () => Effect.succeed({ error: "COORDINATOR_NOT_AVAILABLE", node: -1 }))
      const producer = yield* make(broker, { "transactional.id": "x" })

      const first = yield* begin(producer.initTransactions)
      yield* TestClock.adjust(60_000)
      assert.deepInclude(outcomeOf(first), { _tag: "ProducerTimeout", operation: "initTransactions" })
      broker.always("FindCoordinator", broker.healthy.FindCoordinator!)
      const second = yield* begin(producer.initTransactions)
      yield* TestClock.adjust(2000)

      assert.isTrue(Exit.isSuccess(second.pollUnsafe()!))
    }))
})

describe("sendOffsetsToTransaction", () => {
  it.effect("commits the offsets with the generation, under version 1 after the coordinator was told", () =>
    Effect.gen(function*() {
      for (const version of [1, 2] as const) {
        const broker = Scripted.make()
        const producer = yield* ready(broker, version)
        yield* now(producer.beginTransaction)

        assert.isUndefined(yield* now(producer.sendOffsetsToTransaction(offsets, member)))
        assert.isUndefined(yield* now(producer.sendOffsetsToTransaction([{ ...offsets[0]!, offset: 6 }], member)))
        assert.isUndefined(yield* now(producer.commitTransaction))

        const added: ReadonlyArray<ApiKey> = version === 1 ? ["AddOffsetsToTxn"] : []
        assert.deepStrictEqual(asked(broker), [
          "InitProducerId",
          ...added,
          "TxnOffsetCommit",
          "TxnOffsetCommit",
          "EndTxn"
        ])
        assert.deepInclude(broker.of("TxnOffsetCommit")[0]!.request, {
          ...member,
          transactionalId: "x",
          producerId: 7,
          producerEpoch: 0
        })
        assert.deepStrictEqual(broker.of("TxnOffsetCommit").map(({ request }) => request.offsets[0]!.offset), [5, 6])
      }
    }))

  it.effect("sends only those again that were refused", () =>
    Effect.gen(function*() {
      const broker = Scripted.make()
      broker.next("TxnOffsetCommit", ({ offsets: both }) =>
        Effect.succeed({
          results: both.map(({ partition, topic }) => ({
            topic,
            partition,
            error: partition === 1 ? "COORDINATOR_LOAD_IN_PROGRESS" : "NONE"
          }))
        }))
      const producer = yield* ready(broker)
      yield* now(producer.beginTransaction)
      const sent = yield* begin(
        producer.sendOffsetsToTransaction([...offsets, { topic: "in", partition: 1, offset: 2 }], member)
      )
      yield* TestClock.adjust(200)

      assert.isTrue(Exit.isSuccess(sent.pollUnsafe()!))
      assert.deepStrictEqual(
        broker.of("TxnOffsetCommit").map(({ request }) => request.offsets.map(({ partition }) => partition)),
        [[0, 1], [1]]
      )
    }))

  it.effect("that is under way holds a commit up", () =>
    Effect.gen(function*() {
      const broker = Scripted.make()
      broker.next("TxnOffsetCommit", (request) =>
        Effect.andThen(Effect.sleep(50), broker.healthy.TxnOffsetCommit!(request)))
      const producer = yield* ready(broker)
      yield* now(producer.beginTransaction)
      yield* begin(producer.sendOffsetsToTransaction(offsets, member))

      const committed = yield* begin(producer.commitTransaction)
      assert.deepStrictEqual(ended(broker), [])
      yield* TestClock.adjust(50)

      assert.isTrue(Exit.isSuccess(committed.pollUnsafe()!))
      assert.deepStrictEqual(ended(broker), ["COMMIT"])
    }))

  it.effect("of nothing does nothing, and of two groups is refused", () =>
    Effect.gen(function*() {
      const broker = Scripted.make()
      const producer = yield* ready(broker)
      yield* now(producer.beginTransaction)

      assert.isUndefined(yield* now(producer.sendOffsetsToTransaction([], member)))
      assert.deepStrictEqual(broker.of("TxnOffsetCommit"), [])
      yield* now(producer.sendOffsetsToTransaction(offsets, member))
      const other = yield* now(producer.sendOffsetsToTransaction(offsets, { ...member, group: "other" }))

      assert.strictEqual(errorOf(other), "IllegalState")
    }))

  it.effect("that nobody waits for any more leaves nothing but to abort", () =>
    Effect.gen(function*() {
      for (const version of [1, 2] as const) {
        const broker = Scripted.make()
        broker.always(version === 1 ? "AddOffsetsToTxn" : "TxnOffsetCommit", () => Scripted.never)
        const producer = yield* ready(broker, version)
        yield* now(producer.beginTransaction)
        const sent = yield* begin(producer.sendOffsetsToTransaction(offsets, member))
        yield* TestClock.adjust(60_000)

        assert.strictEqual(errorOf(outcomeOf(sent)), "ProducerTimeout REQUEST_TIMED_OUT")
        assert.strictEqual(errorOf(yield* now(producer.commitTransaction)), "TransactionAbortable REQUEST_TIMED_OUT")
      }
    }))
})

describe("transaction", () => {
  it.effect("commits what succeeds", () =>
    Effect.gen(function*() {
      const broker = Scripted.make()
      const producer = yield* ready(broker)

      const done = yield* now(producer.transaction(Effect.as(producer.enqueue(record("a")), "done")))

      assert.strictEqual(done, "done")
      assert.deepStrictEqual(ended(broker), ["COMMIT"])
      assert.deepStrictEqual(broker.taken.map(({ values }) => values), [["a"]])
    }))

  it.effect("aborts what fails, and fails with it", () =>
    Effect.gen(function*() {
      const broker = Scripted.make()
      const producer = yield* ready(broker)

      const failed = yield* now(producer.transaction(Effect.andThen(producer.send(record("a")), Effect.fail("no"))))

      assert.strictEqual(failed, "no")
      assert.deepStrictEqual(ended(broker), ["ABORT"])
    }))

  it.effect("aborts what is interrupted", () =>
    Effect.gen(function*() {
      const broker = Scripted.make()
      const producer = yield* ready(broker)
      const fiber = yield* begin(producer.transaction(Effect.andThen(producer.send(record("a")), Effect.never)))
      assert.deepStrictEqual(ended(broker), [])

      yield* Fiber.interrupt(fiber)

      assert.deepStrictEqual(ended(broker), ["ABORT"])
      assert.isUndefined(yield* now(producer.beginTransaction))
    }))

  it.effect("aborts when a record has failed that nobody waited for", () =>
    Effect.gen(function*() {
      const broker = Scripted.make()
      broker.next("Produce", Scripted.refuse("INVALID_RECORD"))
      const producer = yield* ready(broker, 2, { "linger.ms": 10 })

      const failed = yield* now(producer.transaction(producer.enqueue(record("a"))))

      assert.strictEqual(errorOf(failed), "TransactionAbortable INVALID_RECORD")
      assert.deepStrictEqual(ended(broker), ["ABORT"])
      assert.strictEqual(yield* now(producer.transaction(Effect.succeed(1))), 1)
    }))

  it.effect("ends with the producer when that is fenced", () =>
    Effect.gen(function*() {
      const broker = Scripted.make()
      broker.next("EndTxn", () => answer("PRODUCER_FENCED"))
      const producer = yield* ready(broker)

      const failed = yield* now(producer.transaction(producer.send(record("a"))))

      assert.strictEqual(errorOf(failed), "ProducerFenced PRODUCER_FENCED")
      assert.strictEqual(errorOf(yield* now(producer.transaction(Effect.void))), "ProducerFenced PRODUCER_FENCED")
    }))

  it.effect("repeats a commit until its end is known", () =>
    Effect.gen(function*() {
      const broker = Scripted.make()
      const gate = yield* Deferred.make<void>()
      broker.always("EndTxn", (request) => Effect.andThen(Deferred.await(gate), broker.healthy.EndTxn!(request)))
      const producer = yield* ready(broker, 2, { "request.timeout.ms": 1_000_000 })

      const fiber = yield* begin(producer.transaction(producer.send(record("a"))))
      yield* TestClock.adjust(200_000)
      assert.isUndefined(fiber.pollUnsafe())
      yield* Deferred.succeed(gate, undefined)
      yield* TestClock.adjust(0)

      assert.deepInclude(outcomeOf(fiber), { offset: 0 })
      assert.deepStrictEqual(ended(broker), ["COMMIT"])
    }))
})
