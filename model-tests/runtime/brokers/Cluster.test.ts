import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Result } from "effect"
import { TestClock } from "effect/testing"
import type { Transaction } from "../../../src/core/index.ts"
import { Cluster } from "../../../src/runtime/brokers/index.ts"
import type { Api, ApiKey, Identity, NodeId } from "../../../src/runtime/client/Requests.ts"
import { Connections } from "../../../src/runtime/client/Requests.ts"
import { RecordBatch } from "../../../src/wire/index.ts"

const topic = "t"
const encoder = new TextEncoder()
const decoder = new TextDecoder()

const cluster = (options: Partial<Cluster.Options> = {}) =>
  Cluster.Cluster.layer({ topics: { [topic]: 2 }, ...options })

/** Sends to the node until it is the right one. */
const ask = Effect.fnUntraced(function*<Key extends ApiKey>(api: Key, request: Api[Key]["request"], node: NodeId) {
  return yield* (yield* Connections).send(node, api, request)
})

const batch = (values: ReadonlyArray<string>, identity: Identity, sequence: number, isTransactional: boolean) =>
  RecordBatch.encode({
    compression: "none",
    ...identity,
    baseSequence: sequence,
    isTransactional,
    isControl: false,
    records: values.map((value) => ({ timestamp: 0, key: null, value: encoder.encode(value), headers: [] }))
  })

const leaderOf = Effect.fnUntraced(function*(partition: number) {
  const { partitions } = yield* ask("Metadata", { topics: [topic] }, 1).pipe(
    Effect.catch(() => ask("Metadata", { topics: [topic] }, 2))
  )
  return partitions.find((found) => found.partition === partition)!.leader
})

interface Sending {
  readonly values: ReadonlyArray<string>
  readonly identity?: Identity
  readonly sequence?: number
  readonly transactionalId?: string
  readonly version?: Transaction.Version
}

const nobody: Identity = { producerId: -1, producerEpoch: -1 }

const send = Effect.fnUntraced(function*(partition: number, sending: Sending) {
  const { identity = nobody, sequence = -1, transactionalId, values, version = 2 } = sending
  const bytes = batch(values, identity, sequence, transactionalId !== undefined)
  const { results } = yield* ask(
    "Produce",
    { acks: -1, transactionalId, version, batches: [{ topic, partition, batch: bytes }] },
    yield* leaderOf(partition)
  )
  return results[0]!
})

const fetch = Effect.fnUntraced(function*(
  partition: number,
  isolationLevel: "read_committed" | "read_uncommitted",
  offset = 0
) {
  const { results } = yield* ask("Fetch", {
    isolationLevel,
    minBytes: 0,
    maxWaitMs: 0,
    maxBytes: 1_000_000,
    partitions: [{ topic, partition, offset }]
  }, yield* leaderOf(partition))
  const { batches, ...result } = results[0]!
  const decoded = batches.map((bytes) => Result.getOrThrow(RecordBatch.decode(bytes)))
  return {
    ...result,
    values: decoded.filter(({ header }) => !header.isControl).flatMap(({ records }) =>
      records.map(({ value }) => decoder.decode(value!))
    ),
    offsets: decoded.map(({ header }) => header.baseOffset)
  }
})

const coordinatorOf = Effect.fnUntraced(function*(transactionalId: string) {
  return (yield* ask("FindCoordinator", { key: transactionalId, keyType: "transaction" }, 1).pipe(
    Effect.catch(() => ask("FindCoordinator", { key: transactionalId, keyType: "transaction" }, 2))
  )).node
})

const init = Effect.fnUntraced(function*(transactionalId: string, version: Transaction.Version = 2) {
  return yield* ask(
    "InitProducerId",
    { ...nobody, transactionalId, transactionTimeoutMs: 60_000, version },
    yield* coordinatorOf(transactionalId)
  )
})

const end = Effect.fnUntraced(function*(
  transactionalId: string,
  { producerEpoch, producerId }: Identity,
  result: Transaction.Result,
  version: Transaction.Version = 2
) {
  return yield* ask(
    "EndTxn",
    { transactionalId, producerId, producerEpoch, version, result },
    yield* coordinatorOf(transactionalId)
  )
})

describe("a leader", () => {
  it.effect("gives records offsets, and returns them from any of them on", () =>
    Effect.gen(function*() {
      assert.include(yield* send(0, { values: ["a", "b"] }), { error: "NONE", baseOffset: 0 })
      assert.include(yield* send(0, { values: ["c"] }), { error: "NONE", baseOffset: 2 })
      assert.deepInclude(yield* fetch(0, "read_uncommitted"), { values: ["a", "b", "c"], highWatermark: 3 })
      assert.deepInclude(yield* fetch(0, "read_uncommitted", 1), { values: ["a", "b", "c"] })
      assert.deepInclude(yield* fetch(0, "read_uncommitted", 2), { values: ["c"] })
      assert.deepInclude(yield* fetch(0, "read_uncommitted", 4), { error: "OFFSET_OUT_OF_RANGE" })
      assert.deepInclude(yield* fetch(1, "read_uncommitted"), { values: [], highWatermark: 0 })
    }).pipe(Effect.provide(cluster())))

  it.effect("takes a batch of an idempotent producer once", () =>
    Effect.gen(function*() {
      const identity = yield* ask(
        "InitProducerId",
        { ...nobody, transactionalId: undefined, transactionTimeoutMs: 0, version: 2 },
        1
      )
      const sending = { values: ["a", "b"], identity, sequence: 0 }

      assert.include(yield* send(0, sending), { error: "NONE", baseOffset: 0 })
      assert.include(yield* send(0, sending), { error: "NONE", baseOffset: 0 })
      assert.include(yield* send(0, { ...sending, sequence: 3 }), { error: "OUT_OF_ORDER_SEQUENCE_NUMBER" })
      assert.deepInclude(yield* fetch(0, "read_committed"), { values: ["a", "b"], lastStableOffset: 2 })
    }).pipe(Effect.provide(cluster())))

  it.effect("takes a batch of nobody for one outside of transactions, whatever it says", () =>
    Effect.gen(function*() {
      assert.include(yield* send(0, { values: ["a"], transactionalId: "x" }), { error: "NONE", baseOffset: 0 })
      assert.deepInclude(yield* fetch(0, "read_committed"), { values: ["a"], lastStableOffset: 1 })
    }).pipe(Effect.provide(cluster())))

  it.effect("refuses what is no batch", () =>
    Effect.gen(function*() {
      const bytes = batch(["a"], nobody, -1, false)
      bytes[65]! ^= 1
      const { results } = yield* ask(
        "Produce",
        { acks: -1, transactionalId: undefined, version: 2, batches: [{ topic, partition: 0, batch: bytes }] },
        1
      )

      assert.lengthOf(results, 1)
      assert.include(results[0]!, { topic, partition: 0, error: "CORRUPT_MESSAGE", baseOffset: -1 })
    }).pipe(Effect.provide(cluster())))

  it.effect("holds a fetch until there is something, or the time is over", () =>
    Effect.gen(function*() {
      const waiting = (maxWaitMs: number) =>
        ask("Fetch", {
          isolationLevel: "read_uncommitted",
          minBytes: 1,
          maxWaitMs,
          maxBytes: 1000,
          partitions: [{ topic, partition: 0, offset: 0 }]
        }, 1)
      const empty = yield* Effect.forkChild(waiting(100), { startImmediately: true })
      yield* TestClock.adjust(100)
      assert.lengthOf((yield* Fiber.join(empty)).results[0]!.batches, 0)

      const woken = yield* Effect.forkChild(waiting(1_000_000), { startImmediately: true })
      yield* send(0, { values: ["a"] })
      assert.lengthOf((yield* Fiber.join(woken)).results[0]!.batches, 1)
    }).pipe(Effect.provide(cluster())))
})

for (const version of [1, 2] as const) {
  describe(`a transaction of version ${version}`, () => {
    const transactionalId = "x"
    /** A record on both partitions. */
    const write = Effect.fnUntraced(function*(identity: Identity, value: string, sequence: number) {
      if (version === 1) {
        const { results } = yield* ask("AddPartitionsToTxn", {
          transactionalId,
          producerId: identity.producerId,
          producerEpoch: identity.producerEpoch,
          version,
          partitions: [{ topic, partition: 0 }, { topic, partition: 1 }]
        }, yield* coordinatorOf(transactionalId))
        if (results[0]!.error !== "NONE") return results[0]!.error
      }
      yield* send(0, { values: [value], identity, sequence, transactionalId, version })
      return (yield* send(1, { values: [value], identity, sequence, transactionalId, version })).error
    })
    const options = { transactionVersion: version }
    const sequence = (transaction: number) => version === 1 ? transaction : 0

    it.effect("can be read when it is committed, and not when it is aborted", () =>
      Effect.gen(function*() {
        const first = yield* init(transactionalId, version)
        assert.strictEqual(yield* write(first, "a", 0), "NONE")
        assert.deepInclude(yield* fetch(0, "read_committed"), { values: [], lastStableOffset: 0, highWatermark: 1 })
        assert.deepInclude(yield* fetch(0, "read_uncommitted"), { values: ["a"] })

        const second = yield* end(transactionalId, first, "COMMIT", version)
        assert.deepInclude(yield* fetch(0, "read_committed"), { values: ["a"], lastStableOffset: 2 })
        assert.strictEqual(yield* write(second, "b", sequence(1)), "NONE")
        yield* end(transactionalId, second, "ABORT", version)

        const after = yield* fetch(1, "read_committed")
        assert.strictEqual(after.lastStableOffset, 4)
        assert.deepStrictEqual(after.abortedTransactions, [{ producerId: first.producerId, firstOffset: 2 }])
        assert.deepStrictEqual((yield* fetch(1, "read_committed", 0)).offsets, [0, 1, 2, 3])
        assert.deepStrictEqual((yield* fetch(1, "read_uncommitted", 0)).abortedTransactions, [])
      }).pipe(Effect.provide(cluster(options))))

    it.effect("of an instance that has a successor is aborted, and the instance is fenced", () =>
      Effect.gen(function*() {
        const old = yield* init(transactionalId, version)
        yield* write(old, "a", 0)
        const refused = yield* init(transactionalId, version)
        assert.strictEqual(refused.error, "CONCURRENT_TRANSACTIONS")
        const next = yield* init(transactionalId, version)
        assert.strictEqual(next.error, "NONE")
        assert.strictEqual((yield* end(transactionalId, old, "COMMIT", version)).error, "PRODUCER_FENCED")
        assert.include(["INVALID_PRODUCER_EPOCH", "PRODUCER_FENCED"], yield* write(old, "b", 1))
        assert.strictEqual(yield* write(next, "c", 0), "NONE")
        yield* end(transactionalId, next, "COMMIT", version)
        assert.strictEqual((yield* fetch(0, "read_committed")).lastStableOffset, 4)
      }).pipe(Effect.provide(cluster(options))))

    it.effect("that takes too long is aborted", () =>
      Effect.gen(function*() {
        yield* write(yield* init(transactionalId, version), "a", 0)
        yield* TestClock.adjust("80 seconds")
        assert.deepInclude(yield* fetch(0, "read_committed"), { lastStableOffset: 2 })
      }).pipe(Effect.provide(cluster(options))))

    it.effect("survives the end of its coordinator, and of the leader of a partition", () =>
      Effect.gen(function*() {
        const brokers = yield* Cluster.Cluster
        for (const node of [1, 2]) {
          const identity = yield* init(transactionalId, version)
          assert.strictEqual(yield* write(identity, `before ${node}`, 0), "NONE")
          yield* brokers.stop(node)
          assert.strictEqual((yield* Effect.flip(ask("Metadata", { topics: [] }, node)))._tag, "Disconnected")
          assert.strictEqual((yield* end(transactionalId, identity, "COMMIT", version)).error, "NONE")
          yield* brokers.start(node)
        }
        assert.deepInclude(yield* fetch(0, "read_committed"), { values: ["before 1", "before 2"], lastStableOffset: 4 })
      }).pipe(Effect.provide(cluster(options))))
  })
}

describe("a group", () => {
  const group = "g"
  const join = (member: string, node: NodeId = 1) =>
    ask("JoinGroup", { group, member, sessionTimeoutMs: 1000, rebalanceTimeoutMs: 1000, topics: [topic] }, node)

  /** A member with an id, alone in the group. */
  const alone = Effect.gen(function*() {
    const { member } = yield* join("")
    const joined = yield* join(member)
    const { partitions } = yield* ask("SyncGroup", {
      group,
      member,
      generation: joined.generation,
      assignments: [{ member, partitions: [{ topic, partition: 0 }] }]
    }, 1)
    assert.deepStrictEqual(partitions, [{ topic, partition: 0 }])
    return joined
  })

  const offsets = (requireStable: boolean, node: NodeId = 1) =>
    Effect.map(
      ask("OffsetFetch", { group, requireStable, partitions: [{ topic, partition: 0 }] }, node),
      ({ results }) => results[0]!
    )

  it.effect("keeps the offsets of its members, and refuses those of nobody", () =>
    Effect.gen(function*() {
      const { generation, member } = yield* alone
      const commit = (of: number, node: NodeId = 1) =>
        Effect.map(
          ask("OffsetCommit", { group, member, generation: of, offsets: [{ topic, partition: 0, offset: 7 }] }, node),
          ({ results }) => results[0]!.error
        )

      assert.deepInclude(yield* offsets(true), { error: "NONE", offset: -1 })
      assert.strictEqual(yield* commit(generation + 1), "ILLEGAL_GENERATION")
      assert.strictEqual(yield* commit(generation, 2), "NOT_COORDINATOR")
      assert.strictEqual(yield* commit(generation), "NONE")
      assert.deepInclude(yield* offsets(true), { error: "NONE", offset: 7 })
      assert.strictEqual((yield* ask("Heartbeat", { group, generation, member }, 1)).error, "NONE")
      yield* TestClock.adjust("2 seconds")
      assert.strictEqual((yield* ask("Heartbeat", { group, generation, member }, 1)).error, "UNKNOWN_MEMBER_ID")
    }).pipe(Effect.provide(cluster())))

  it.effect("has offsets that a transaction may still change", () =>
    Effect.gen(function*() {
      const { generation, member } = yield* alone
      const identity = yield* init("x")
      const committed = yield* ask("TxnOffsetCommit", {
        transactionalId: "x",
        version: 2,
        producerId: identity.producerId,
        producerEpoch: identity.producerEpoch,
        group,
        generation,
        member,
        offsets: [{ topic, partition: 0, offset: 3 }]
      }, 1)
      assert.strictEqual(committed.results[0]!.error, "NONE")
      assert.deepInclude(yield* offsets(true), { error: "UNSTABLE_OFFSET_COMMIT" })
      assert.deepInclude(yield* offsets(false), { error: "NONE", offset: -1 })
      yield* end("x", identity, "COMMIT")
      assert.deepInclude(yield* offsets(true), { error: "NONE", offset: 3 })
    }).pipe(Effect.provide(cluster())))
})

describe("what a broker is asked that it does not lead or know", () => {
  const ends = (node: NodeId, partition: number) =>
    Effect.map(
      ask("ListOffsets", { isolationLevel: "read_committed", at: "latest", partitions: [{ topic, partition }] }, node),
      ({ results }) => results[0]!.error
    )

  it.effect("is refused", () =>
    Effect.gen(function*() {
      const leader = yield* leaderOf(0)
      assert.strictEqual(yield* ends(leader, 0), "NONE")
      assert.strictEqual(yield* ends(3 - leader, 0), "NOT_LEADER_OR_FOLLOWER")
      assert.strictEqual(yield* ends(leader, 9), "UNKNOWN_TOPIC_OR_PARTITION")

      const { results } = yield* ask("OffsetCommit", {
        group: "g",
        generation: -1,
        member: "",
        offsets: [{ topic, partition: 0, offset: 1 }, { topic, partition: 9, offset: 1 }]
      }, 1)
      assert.deepStrictEqual(results.map(({ error }) => error), ["NONE", "UNKNOWN_TOPIC_OR_PARTITION"])
    }).pipe(Effect.provide(cluster())))
})

describe("a fetch that waits", () => {
  it.effect("is told of the transaction whose end it waited for", () =>
    Effect.gen(function*() {
      const identity = yield* init("x")
      yield* send(0, { values: ["a"], identity, sequence: 0, transactionalId: "x" })
      const waiting = yield* Effect.forkChild(
        ask("Fetch", {
          isolationLevel: "read_committed",
          minBytes: 1,
          maxWaitMs: 1_000_000,
          maxBytes: 1000,
          partitions: [{ topic, partition: 0, offset: 0 }]
        }, yield* leaderOf(0)),
        { startImmediately: true }
      )
      yield* end("x", identity, "ABORT")

      const { abortedTransactions, batches } = (yield* Fiber.join(waiting)).results[0]!
      assert.lengthOf(batches, 2)
      assert.deepStrictEqual(abortedTransactions, [{ producerId: identity.producerId, firstOffset: 0 }])
    }).pipe(Effect.provide(cluster())))
})

describe("a whole request", () => {
  it.effect("that adds a partition which is not there adds none", () =>
    Effect.gen(function*() {
      const { producerEpoch, producerId } = yield* init("x")
      const add = Effect.fnUntraced(function*(...partitions: ReadonlyArray<number>) {
        const { results } = yield* ask("AddPartitionsToTxn", {
          transactionalId: "x",
          producerId,
          producerEpoch,
          version: 1,
          partitions: partitions.map((partition) => ({ topic, partition }))
        }, yield* coordinatorOf("x"))
        return results.map(({ error }) => error)
      })

      assert.deepStrictEqual(yield* add(0, 9, 1), [
        "OPERATION_NOT_ATTEMPTED",
        "UNKNOWN_TOPIC_OR_PARTITION",
        "OPERATION_NOT_ATTEMPTED"
      ])
      const end = { transactionalId: "x", producerId, producerEpoch, version: 1, result: "COMMIT" } as const
      assert.strictEqual((yield* ask("EndTxn", end, yield* coordinatorOf("x"))).error, "INVALID_TXN_STATE")
      assert.deepStrictEqual(yield* add(0, 1), ["NONE", "NONE"])
      assert.strictEqual((yield* ask("EndTxn", end, yield* coordinatorOf("x"))).error, "NONE")
    }).pipe(Effect.provide(cluster({ transactionVersion: 1 }))))

  it.effect("of InitProducerId has arguments that fit", () =>
    Effect.gen(function*() {
      const node = yield* coordinatorOf("x")
      const asked = (transactionTimeoutMs: number, identity: Identity = nobody, transactionalId = "x") =>
        Effect.map(
          ask("InitProducerId", { transactionalId, transactionTimeoutMs, version: 2, ...identity }, node),
          ({ error }) => error
        )

      assert.deepStrictEqual(
        yield* Effect.all([
          asked(0),
          asked(1001),
          asked(1000, { producerId: 1, producerEpoch: -1 }),
          asked(1000, nobody, ""),
          asked(1000)
        ]),
        ["INVALID_TRANSACTION_TIMEOUT", "INVALID_TRANSACTION_TIMEOUT", "INVALID_REQUEST", "INVALID_REQUEST", "NONE"]
      )
    }).pipe(Effect.provide(cluster({ "transaction.max.timeout.ms": 1000 }))))
})

describe("markers that take a while", () => {
  const options = { markerLatencyMs: 50 }

  it.effect("leave a transaction decided and not over, and the next one waits at the leader", () =>
    Effect.gen(function*() {
      const first = yield* init("x")
      yield* send(0, { values: ["a"], identity: first, sequence: 0, transactionalId: "x" })
      const next = yield* end("x", first, "COMMIT")
      assert.strictEqual((yield* init("x")).error, "CONCURRENT_TRANSACTIONS")
      assert.deepInclude(yield* fetch(0, "read_committed"), { values: [], lastStableOffset: 0 })
      const waiting = yield* Effect.forkChild(
        send(0, { values: ["b"], identity: next, sequence: 0, transactionalId: "x" }),
        { startImmediately: true }
      )
      yield* TestClock.adjust(60)

      assert.include(yield* Fiber.join(waiting), { error: "NONE", baseOffset: 2 })
      assert.deepInclude(yield* fetch(0, "read_committed"), { values: ["a"], lastStableOffset: 2 })
    }).pipe(Effect.provide(cluster(options))))

  it.effect("are waited for only so long", () =>
    Effect.gen(function*() {
      const first = yield* init("x")
      yield* send(0, { values: ["a"], identity: first, sequence: 0, transactionalId: "x" })
      const next = yield* end("x", first, "COMMIT")
      const waiting = yield* Effect.forkChild(
        send(0, { values: ["b"], identity: next, sequence: 0, transactionalId: "x" }),
        { startImmediately: true }
      )
      yield* TestClock.adjust(200)

      assert.include(yield* Fiber.join(waiting), { error: "CONCURRENT_TRANSACTIONS" })
    }).pipe(Effect.provide(cluster({ markerLatencyMs: 1000 }))))
})

describe("a broker that is alone", () => {
  it.effect("leads and coordinates everything, also after it was stopped, and goes on with what it had", () =>
    Effect.gen(function*() {
      const brokers = yield* Cluster.Cluster
      assert.deepStrictEqual([yield* leaderOf(0), yield* leaderOf(1), yield* coordinatorOf("x")], [1, 1, 1])
      const identity = yield* init("x")
      yield* send(0, { values: ["a"], identity, sequence: 0, transactionalId: "x" })
      yield* send(0, { values: ["b"], identity, sequence: 1, transactionalId: "x" })
      yield* brokers.stop(1)
      yield* Effect.flip(ask("Metadata", { topics: [] }, 1))
      yield* Effect.flip(ask("Metadata", { topics: [] }, 2))
      yield* brokers.start(1)

      assert.strictEqual(yield* leaderOf(0), 1)
      assert.include(
        yield* send(0, { values: ["b"], identity, sequence: 1, transactionalId: "x" }),
        { error: "NONE", baseOffset: 1 }
      )
      assert.strictEqual((yield* end("x", identity, "COMMIT")).error, "NONE")
      assert.deepInclude(yield* fetch(0, "read_committed"), { values: ["a", "b"], lastStableOffset: 3 })
    }).pipe(Effect.provide(cluster({ nodes: 1 }))))
})

describe("topics", () => {
  it.effect("come and go while the brokers run", () =>
    Effect.gen(function*() {
      const { connections: { send }, topics } = yield* Cluster.make({ topics: { [topic]: 1 } })
      const partitions = (of: string) =>
        Effect.map(send(1, "Metadata", { topics: [of] }), ({ partitions }) => partitions.length)
      assert.strictEqual(yield* partitions("u"), 0)
      const { id } = topics.create("u", 3)
      assert.strictEqual(yield* partitions("u"), 3)
      assert.strictEqual(topics.withId(id)?.name, "u")
      topics.remove("u")
      assert.strictEqual(yield* partitions("u"), 0)
      assert.notStrictEqual(topics.create("u", 1).id, id)
      assert.strictEqual(yield* partitions(topic), 1)
    }))
})

describe("offsets", () => {
  it.effect("are judged by the group when they are written, after the coordinator was asked", () =>
    Effect.gen(function*() {
      const { producerEpoch, producerId } = yield* init("x")
      const commit = (given: Identity) =>
        Effect.map(
          ask("TxnOffsetCommit", {
            transactionalId: "x",
            version: 2,
            ...given,
            group: "g",
            generation: 5,
            member: "nobody",
            offsets: [{ topic, partition: 0, offset: 3 }]
          }, 1),
          ({ results }) => results[0]!.error
        )

      assert.strictEqual(yield* commit({ producerId: 99, producerEpoch }), "INVALID_PRODUCER_ID_MAPPING")
      assert.strictEqual(yield* commit({ producerId, producerEpoch }), "ILLEGAL_GENERATION")
      // The group was added nevertheless.
      assert.strictEqual((yield* end("x", { producerId, producerEpoch }, "COMMIT")).error, "NONE")
    }).pipe(Effect.provide(cluster())))
})
