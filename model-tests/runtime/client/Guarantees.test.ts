/**
 * The producer before real brokers in this process, over a network that loses requests and answers and repeats some late,
 * while brokers stop and start: what it promises is what is in the logs.
 */
import { assert, describe, it } from "@effect/vitest"
import { Context, Effect, Fiber, Layer, Random, Result } from "effect"
import { TestClock } from "effect/testing"
import type { Transaction } from "../../../src/core/index.ts"
import { Cluster, Faults } from "../../../src/runtime/brokers/index.ts"
import * as Producer from "../../../src/runtime/client/Producer.ts"
import type * as ProducerConfig from "../../../src/runtime/client/ProducerConfig.ts"
import { Connections, type IsolationLevel } from "../../../src/runtime/client/Requests.ts"
import * as Serde from "../../../src/runtime/client/Serde.ts"
import { RecordBatch } from "../../../src/wire/index.ts"
import { errorOf } from "./producers.ts"

const partitions = [0, 1, 2]

const network: Faults.Faults = { lostRequest: 0.06, lostAnswer: 0.06, lateCopy: 0.04, lateMs: 700 }

/** Everything that a consumer reads of a partition, over a network without faults. */
const readAll = Effect.fnUntraced(function*(partition: number, isolationLevel: IsolationLevel) {
  const connections = yield* Connections
  const values: Array<string> = []
  const { partitions: found } = yield* connections.send(1, "Metadata", { topics: ["t"] })
  const node = found.find((one) => one.partition === partition)!.leader
  for (let offset = 0;;) {
    const { results } = yield* connections.send(node, "Fetch", {
      isolationLevel,
      minBytes: 0,
      maxWaitMs: 0,
      maxBytes: 100_000_000,
      partitions: [{ topic: "t", partition, offset }]
    })
    const { abortedTransactions, batches } = results[0]!
    if (batches.length === 0) return values
    const aborted = new Set<number>()
    for (const { header, records } of batches.map((bytes) => Result.getOrThrow(RecordBatch.decode(bytes)))) {
      offset = header.baseOffset + header.lastOffsetDelta + 1
      for (const { firstOffset, producerId } of abortedTransactions) {
        if (firstOffset === header.baseOffset) aborted.add(producerId)
      }
      if (header.isControl) aborted.delete(header.producerId)
      else if (!aborted.has(header.producerId)) {
        values.push(...records.map(({ value }) => Buffer.from(value!).toString()))
      }
    }
  }
})

/** Stops one broker and then the other for a while, again and again. */
const failovers = Effect.gen(function*() {
  const { start, stop } = yield* Cluster.Cluster
  for (let turn = 0;; turn++) {
    yield* Effect.sleep(2000)
    yield* stop(turn % 2 + 1)
    yield* Effect.sleep(800)
    yield* start(turn % 2 + 1)
  }
})

/** Lets time pass until it has come to its end. */
const finish = Effect.fnUntraced(function*<A, E>(effect: Effect.Effect<A, E, Cluster.Cluster | Connections>) {
  const fiber = yield* Effect.forkChild(effect, { startImmediately: true })
  for (let i = 0; i < 20_000 && fiber.pollUnsafe() === undefined; i++) yield* TestClock.adjust(25)
  return yield* Fiber.join(fiber)
})

interface Setup {
  readonly config?: ProducerConfig.Given
  readonly faults?: Faults.Faults
  readonly version?: Transaction.Version
}

/** Runs it with a producer behind the network, while brokers fail over. */
const withProducer = <A, E>(
  { config = {}, faults = network, version = 2 }: Setup,
  use: (producer: Producer.Producer<string, string>) => Effect.Effect<A, E>
) =>
  Effect.gen(function*() {
    const connections = yield* Connections
    const lossy = yield* Faults.lossy(connections, faults)
    // A late InitProducerId fences whoever came after it, which is what it is for.
    const sparing: Connections["Service"] = {
      ...lossy,
      send: (node, api, request) => (api === "InitProducerId" ? connections : lossy).send(node, api, request)
    }
    const producer = yield* Producer.make(
      { "request.timeout.ms": 1500, "linger.ms": 20, "batch.size": 200, ...config },
      { key: Serde.string, value: Serde.string, transactionVersion: version }
    ).pipe(Effect.provide(Layer.succeedContext(Context.make(Connections, sparing))))
    const disturbance = yield* Effect.forkChild(failovers)
    const used = yield* use(producer)
    yield* Fiber.interrupt(disturbance)
    yield* (yield* Cluster.Cluster).start(1)
    yield* (yield* Cluster.Cluster).start(2)
    return used
  }).pipe(Effect.scoped)

const brokers = (version: Transaction.Version = 2) =>
  Cluster.Cluster.layer({ topics: { t: partitions.length }, transactionVersion: version })

const numbers = (count: number): ReadonlyArray<string> =>
  Array.from({ length: count }, (_, i) => String(i).padStart(4, "0"))

const seeds = ["one", "two", "three", "four", "five", "six"]

/** Enqueues records one after the other and waits for all. */
const sendAll = (producer: Producer.Producer<string, string>, values: ReadonlyArray<string>) =>
  Effect.gen(function*() {
    const acknowledged = []
    for (const [i, value] of values.entries()) {
      acknowledged.push(yield* producer.enqueue({ topic: "t", partition: i % partitions.length, value }))
      if (i % 7 === 0) yield* Effect.sleep(30)
    }
    return yield* Effect.all(acknowledged)
  })

describe("an idempotent producer", () => {
  for (const seed of seeds) {
    it.effect(`writes every record once, in its order (seed ${seed})`, () =>
      Effect.gen(function*() {
        const values = numbers(600)

        const acknowledged = yield* finish(withProducer({}, (producer) => sendAll(producer, values)))

        for (const partition of partitions) {
          const own = values.filter((_, i) => i % partitions.length === partition)
          const log = yield* readAll(partition, "read_uncommitted")
          assert.deepStrictEqual(log, own)
          for (const [i, value] of own.entries()) {
            const told = acknowledged[values.indexOf(value)]!
            assert.deepInclude(told, { partition, offset: i })
          }
        }
      }).pipe(Effect.provide(brokers()), Random.withSeed(seed)))
  }
})

describe("a producer without idempotence", () => {
  it.effect("writes some record twice, which shows that the network has faults", () =>
    Effect.gen(function*() {
      const values = numbers(600)

      yield* finish(
        withProducer({ config: { "enable.idempotence": false } }, (producer) => sendAll(producer, values))
      )

      const logs = yield* Effect.forEach(partitions, (partition) => readAll(partition, "read_uncommitted"))
      assert.sameMembers([...new Set(logs.flat())], [...values])
      assert.isAbove(logs.flat().length, values.length)
    }).pipe(Effect.provide(brokers()), Random.withSeed("one")))
})

describe("a transactional producer", () => {
  const changedItsMind = { _tag: "ChangedItsMind" } as const
  /** After these the next transaction can begin. */
  const passing: ReadonlyArray<string> = ["ChangedItsMind", "TransactionAbortable"]
  // A late request of version 1 can be taken for one of the next transaction, which KIP-890 put an end to.
  const faultsOf = { 1: { ...network, lateCopy: 0 }, 2: network }

  for (const version of [1, 2] as const) {
    for (const seed of seeds) {
      it.effect(`writes what is committed once, and nothing else (version ${version}, seed ${seed})`, () =>
        Effect.gen(function*() {
          const committed: Array<string> = []
          const ends: Array<string | undefined> = []

          const config = { "transactional.id": "x" }
          yield* finish(
            withProducer({ config, faults: faultsOf[version], version }, (producer) =>
              Effect.gen(function*() {
                yield* producer.initTransactions
                for (let number = 0; number < 40; number++) {
                  const values = numbers(6).map((value) => `${number}.${value}`)
                  const write = Effect.forEach(values, (value, i) =>
                    producer.enqueue({ topic: "t", partition: i % partitions.length, value }))
                  const body = number % 5 === 4 ? Effect.andThen(write, Effect.fail(changedItsMind)) : write
                  const result = yield* Effect.result(producer.transaction(body))
                  if (Result.isSuccess(result)) {
                    committed.push(...values)
                  } else if (!passing.includes(result.failure._tag)) {
                    ends.push(errorOf(result.failure))
                  }
                  yield* Effect.sleep(50)
                }
              }))
          )

          const logs = yield* Effect.forEach(partitions, (partition) => readAll(partition, "read_committed"))
          assert.deepStrictEqual(ends, [])
          assert.deepStrictEqual(
            logs,
            partitions.map((partition) => committed.filter((value) => Number(value.split(".")[1]) % 3 === partition))
          )
          assert.isAbove(committed.length, 100)
        }).pipe(Effect.provide(brokers(version)), Random.withSeed(seed)))
    }
  }
})
