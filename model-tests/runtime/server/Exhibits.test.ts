import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import {
  FetchMuseum,
  FetchRules,
  Museum,
  Rules,
  type Transaction,
  TransactionMuseum,
  TransactionRules
} from "../../../src/core/index.ts"
import { Connection } from "../../../src/runtime/remote/index.ts"
import { Server } from "../../../src/runtime/server/index.ts"
import { Messages } from "../../../src/wire/index.ts"
import * as Probe from "./probe.ts"
import type { Partition } from "./probe.ts"

const first: Partition = ["t", 0]
const second: Partition = ["t", 1]

interface Subject {
  readonly probe: Probe.Probe
  /** On another connection. */
  readonly other: Probe.Probe
}

interface Exhibit {
  readonly name: string
  readonly version: Transaction.Version
  readonly options: Server.Options
  readonly ask: (subject: Subject) => Effect.Effect<unknown, Connection.ConnectionError>
  /** Under the base rules, and under those of the exhibit. */
  readonly shows: readonly [unknown, unknown]
}

const transactional = (name: TransactionMuseum.Name): Pick<Exhibit, "name" | "options"> => ({
  name,
  options: { rules: { ...TransactionRules.base, ...TransactionMuseum.overrides[name] } }
})

const idempotent = (name: Museum.Name): Pick<Exhibit, "name" | "options" | "version"> => ({
  name,
  version: 2,
  options: { idempotentRules: { ...Rules.base, ...Museum.overrides[name] } }
})

const fetching = (name: FetchMuseum.Name): Pick<Exhibit, "name" | "options" | "version"> => ({
  name,
  version: 2,
  options: { fetchRules: { ...FetchRules.base, ...FetchMuseum.overrides[name] } }
})

const write = ({ probe }: Subject, identity: Probe.Identity, at: Partition, version: number, sequence = 0) =>
  Probe.settled(probe.produce(at, { identity, sequence, transactionalId: "x", version }))

/** A transaction of version 1 on both partitions that is committed and over, and the first of the next one. */
const twoTransactions = Effect.fnUntraced(function*(subject: Subject) {
  const { probe } = subject
  const identity = yield* probe.init("x")
  yield* probe.add("x", identity, [first, second])
  yield* write(subject, identity, first, 11)
  yield* write(subject, identity, second, 11)
  yield* probe.end("x", identity, "COMMIT", 4)
  yield* Probe.untilState(probe, "x", "CompleteCommit")
  yield* probe.add("x", identity, [first])
  return (yield* probe.describe("x")).state
})

const markerEpochs = ({ probe }: Subject) =>
  Effect.map(
    probe.fetch(first),
    ({ headers }) => headers.filter(({ isControl }) => isControl).map(({ producerEpoch }) => producerEpoch)
  )

/** An aborted transaction of three records. */
const aborted = Effect.fnUntraced(function*(subject: Subject) {
  const { probe } = subject
  const identity = yield* probe.init("x")
  for (const sequence of [0, 1, 2]) yield* write(subject, identity, first, 12, sequence)
  yield* probe.end("x", identity, "ABORT", 5)
  yield* Probe.untilState(probe, "x", "CompleteAbort")
})

const exhibits: ReadonlyArray<Exhibit> = [
  {
    ...idempotent("redpanda-3038"),
    ask: Effect.fnUntraced(function*({ probe }) {
      const identity = yield* probe.init(null)
      for (const sequence of [0, 1]) yield* probe.produce(first, { identity, sequence })
      return (yield* probe.produce(first, { identity, sequence: 0 })).error
    }),
    shows: ["NONE", "OUT_OF_ORDER_SEQUENCE_NUMBER"]
  },
  {
    ...idempotent("KAFKA-15591"),
    ask: Effect.fnUntraced(function*({ probe }) {
      const identity = yield* probe.init(null)
      return (yield* probe.produce(first, { identity, sequence: 17 })).error
    }),
    shows: ["OUT_OF_ORDER_SEQUENCE_NUMBER", "NONE"]
  },
  { ...transactional("KAFKA-5268"), version: 1, ask: twoTransactions, shows: ["Ongoing", "CompleteCommit"] },
  { ...transactional("KAFKA-10080"), version: 1, ask: twoTransactions, shows: ["Ongoing", "CompleteCommit"] },
  {
    ...transactional("KAFKA-5231"),
    version: 1,
    ask: Effect.fnUntraced(function*(subject) {
      const { probe } = subject
      yield* probe.add("x", yield* probe.init("x"), [first])
      yield* probe.init("x")
      yield* Probe.untilState(probe, "x", "CompleteAbort")
      return yield* markerEpochs(subject)
    }),
    shows: [[1], [0]]
  },
  {
    ...transactional("KAFKA-6119"),
    version: 1,
    ask: Effect.fnUntraced(function*(subject) {
      const { probe } = subject
      const identity = yield* probe.init("x", Probe.nobody, { timeoutMs: 50 })
      yield* probe.add("x", identity, [first])
      yield* Probe.untilState(probe, "x", "CompleteAbort")
      return yield* markerEpochs(subject)
    }),
    shows: [[1], [0]]
  },
  {
    ...transactional("KAFKA-19446"),
    version: 2,
    ask: Effect.fnUntraced(function*(subject) {
      const { probe } = subject
      const identity = yield* probe.init("x")
      yield* write(subject, identity, first, 12)
      const next = yield* probe.end("x", identity, "COMMIT", 5)
      yield* write(subject, next, first, 12)
      return yield* probe.mark(first, next, "COMMIT", { version: 2, transactionVersion: 2 })
    }),
    shows: ["INVALID_PRODUCER_EPOCH", "NONE"]
  },
  {
    ...transactional("KAFKA-19999"),
    version: 2,
    ask: Effect.fnUntraced(function*(subject) {
      const { probe } = subject
      const { producerEpoch, producerId } = yield* probe.init("x")
      yield* write(subject, { producerEpoch, producerId }, first, 12)
      const marker = probe.mark(first, { producerId, producerEpoch: producerEpoch + 1 }, "COMMIT", {
        version: 2,
        transactionVersion: 2
      })
      return [yield* marker, yield* marker]
    }),
    shows: [["NONE", "NONE"], ["NONE", "INVALID_PRODUCER_EPOCH"]]
  },
  {
    ...transactional("redpanda-3036"),
    version: 2,
    ask: Effect.fnUntraced(function*(subject) {
      yield* write(subject, yield* subject.probe.init("x"), first, 12)
      return (yield* subject.probe.fetch(first, "read_committed")).values
    }),
    shows: [[], ["a"]]
  },
  {
    ...transactional("KAFKA-8587"),
    version: 2,
    ask: Effect.fnUntraced(function*({ probe }) {
      const identity = yield* probe.init("x")
      yield* probe.commit("g", first, 3)
      yield* probe.commitInTransaction("x", identity, "g", first, 7, { version: 5 })
      return yield* probe.committed("g", first, true)
    }),
    shows: ["UNSTABLE_OFFSET_COMMIT", 3]
  },
  {
    ...fetching("AutoMQ-754"),
    ask: Effect.fnUntraced(function*(subject) {
      yield* aborted(subject)
      const { aborted: listed } = yield* subject.probe.fetch(first, "read_committed", { offset: 1 })
      return listed?.map(({ firstOffset }) => firstOffset)
    }),
    shows: [[0], []]
  },
  {
    ...fetching("KAFKA-5376"),
    ask: Effect.fnUntraced(function*(subject) {
      const { other, probe } = subject
      const identity = yield* probe.init("x")
      yield* write(subject, identity, first, 12)
      const waiting = yield* Effect.forkChild(
        other.request(Messages.Fetch, 12, {
          maxWaitMs: 5000,
          minBytes: 1,
          maxBytes: 1_000_000,
          isolationLevel: 1,
          topics: [{ topic: "t", partitions: [{ partition: 0, fetchOffset: 0, partitionMaxBytes: 1_000_000 }] }]
        }),
        { startImmediately: true }
      )
      // It is there before the end of the transaction is, and waits.
      yield* Effect.sleep(50)
      yield* probe.end("x", identity, "ABORT", 5)
      const { responses } = yield* Fiber.join(waiting)
      return responses[0]!.partitions[0]!.abortedTransactions?.map(({ firstOffset }) => firstOffset)
    }),
    shows: [[0], []]
  }
]

describe("a server", () => {
  for (const { ask, name, options, shows, version } of exhibits) {
    const asked = (given: Server.Options) =>
      Effect.gen(function*() {
        const server = yield* Server.make({
          topics: { t: 2 },
          transactionVersion: version,
          "transaction.abort.timed.out.transaction.cleanup.interval.ms": 20,
          ...given
        })
        const [probe, other] = [yield* Connection.connect(server), yield* Connection.connect(server)].map(Probe.make)
        return yield* ask({ probe: probe!, other: other! })
      }).pipe(Effect.scoped)

    it.live(`with the rules of ${name} shows what is wrong`, () =>
      Effect.gen(function*() {
        assert.deepStrictEqual([yield* asked({}), yield* asked(options)], [...shows])
      }))
  }
})
