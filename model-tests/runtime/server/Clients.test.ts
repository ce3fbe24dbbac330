import { assert, describe, it } from "@effect/vitest"
import {
  Admin as PlatformaticAdmin,
  Consumer,
  MessagesStreamModes,
  Producer,
  stringDeserializers,
  stringSerializers
} from "@platformatic/kafka"
import { Effect, type Scope } from "effect"
import { Kafka, logLevel } from "kafkajs"
import { Server } from "../../../src/runtime/server/index.ts"

/** Something that is used as long as the test runs. */
const using = <A>(
  open: () => Promise<A>,
  close: (opened: A) => Promise<unknown>
): Effect.Effect<A, never, Scope.Scope> =>
  Effect.acquireRelease(Effect.promise(open), (opened) => Effect.promise(() => close(opened)))

/** The first so many that are handed in. */
const collector = (count: number) => {
  const found: Array<string> = []
  let done = (_: ReadonlyArray<string>): void => {}
  const all = new Promise<ReadonlyArray<string>>((resolve) => (done = resolve))
  return {
    all: Effect.promise(() => all),
    take: (value: string): void => {
      found.push(value)
      if (found.length === count) done(found.toSorted())
    }
  }
}

describe("kafkajs", () => {
  it.live("creates topics, and produces and consumes in transactions by a group", () =>
    Effect.gen(function*() {
      const { host, port } = yield* Server.make()
      const kafka = new Kafka({ clientId: "kafkajs", brokers: [`${host}:${port}`], logLevel: logLevel.NOTHING })
      const admin = yield* using(async () => {
        const admin = kafka.admin()
        await admin.connect()
        return admin
      }, (admin) => admin.disconnect())
      yield* Effect.promise(() => admin.createTopics({ topics: [{ topic: "t", numPartitions: 3 }] }))
      const producer = yield* using(async () => {
        const producer = kafka.producer({ transactionalId: "x", idempotent: true, maxInFlightRequests: 1 })
        await producer.connect()
        return producer
      }, (producer) => producer.disconnect())

      yield* Effect.promise(async () => {
        for (const [prefix, end] of [["a", "commit"], ["b", "abort"], ["c", "commit"]] as const) {
          const transaction = await producer.transaction()
          await transaction.send({
            topic: "t",
            messages: [0, 1, 2].map((partition) => ({ partition, key: "k", value: `${prefix}${partition}` }))
          })
          await transaction.sendOffsets({
            consumerGroupId: "other",
            topics: [{ topic: "t", partitions: [{ partition: 0, offset: prefix === "b" ? "99" : "1" }] }]
          })
          await transaction[end]()
        }
      })
      const { all, take } = collector(6)
      yield* using(async () => {
        const consumer = kafka.consumer({ groupId: "g" })
        await consumer.connect()
        await consumer.subscribe({ topic: "t", fromBeginning: true })
        await consumer.run({ eachMessage: async ({ message }) => take(message.value!.toString()) })
        return consumer
      }, (consumer) => consumer.disconnect())

      assert.deepStrictEqual(yield* all, ["a0", "a1", "a2", "c0", "c1", "c2"])
      const offsets = yield* Effect.promise(() => admin.fetchOffsets({ groupId: "other", topics: ["t"] }))
      assert.strictEqual(offsets[0]!.partitions.find(({ partition }) => partition === 0)!.offset, "1")
    }))
})

describe("@platformatic/kafka", () => {
  it.live("creates topics, and produces with idempotence and consumes by a group", () =>
    Effect.gen(function*() {
      const { host, port } = yield* Server.make()
      const base = { clientId: "platformatic", bootstrapBrokers: [`${host}:${port}`] }
      const admin = yield* using(async () => new PlatformaticAdmin(base), (admin) => admin.close())
      yield* Effect.promise(() => admin.createTopics({ topics: ["t"], partitions: 2, replicas: 1 }))
      const producer = yield* using(
        async () => new Producer({ ...base, serializers: stringSerializers, idempotent: true }),
        (producer) => producer.close()
      )
      yield* Effect.promise(async () => {
        for (let i = 0; i < 4; i++) {
          await producer.send({ messages: [{ topic: "t", partition: i % 2, key: "k", value: `v${i}` }] })
        }
      })
      const { all, take } = collector(4)
      const consumer = yield* using(
        async () => new Consumer({ ...base, groupId: "g", deserializers: stringDeserializers }),
        (consumer) => consumer.close(true)
      )
      const stream = yield* Effect.promise(() =>
        consumer.consume({ topics: ["t"], mode: MessagesStreamModes.EARLIEST, sessionTimeout: 10_000 })
      )
      stream.on("data", ({ value }) => take(value))

      assert.deepStrictEqual(yield* all, ["v0", "v1", "v2", "v3"])
    }))
})
