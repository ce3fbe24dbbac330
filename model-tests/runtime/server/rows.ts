/**
 * What Apache Kafka 4.4.0 answers, observed on live brokers with `transaction.version` 1 and 2: one row for each rule, with
 * the answers that are expected of both. A client of version 1 adds partitions and speaks Produce 11 and EndTxn 4, one of
 * version 2 speaks Produce 12 and EndTxn 5.
 */
import { Effect } from "effect"
import type { Transaction } from "../../../src/core/index.ts"
import type { Connection } from "../../../src/runtime/remote/index.ts"
import { BatchHeader, Messages } from "../../../src/wire/index.ts"
import * as Probe from "./probe.ts"
import { type Identity, nobody, type Partition } from "./probe.ts"

/** What each row has for itself. */
export interface Bench {
  readonly probe: Probe.Probe
  readonly version: Transaction.Version
  /** Used by nobody else; add to it for more of them. */
  readonly id: string
  /** Of a topic with two. */
  readonly partitions: readonly [Partition, Partition]
  readonly group: string
}

type Asked = Effect.Effect<unknown, Connection.ConnectionError>

export interface Row {
  /** Of the table. */
  readonly row: string
  readonly what: string
  readonly ask: (bench: Bench) => Asked
  /** The answers under version 1, and under version 2 where they are others. */
  readonly expected: readonly [unknown] | readonly [unknown, unknown]
}

const OUT_OF_ORDER = "OUT_OF_ORDER_SEQUENCE_NUMBER"
const STALE = "INVALID_PRODUCER_EPOCH"
const FENCED = "PRODUCER_FENCED"
const BUSY = "CONCURRENT_TRANSACTIONS"
const STATE = "INVALID_TXN_STATE"
const MAPPING = "INVALID_PRODUCER_ID_MAPPING"
const ABORTABLE = "TRANSACTION_ABORTABLE"
const UNKNOWN = "UNKNOWN_TOPIC_OR_PARTITION"
const LAST_SEQUENCE = 2_147_483_647

const errorOf = Effect.map(({ error }: { readonly error: string }) => error)

const errors = <E>(
  ...asked: ReadonlyArray<Effect.Effect<{ readonly error: string } | string | ReadonlyArray<string>, E>>
): Effect.Effect<ReadonlyArray<string>, E> =>
  Effect.map(
    Effect.all(asked),
    (answers) =>
      answers.flatMap((answer) => typeof answer === "string" ? [answer] : "error" in answer ? [answer.error] : answer)
  )

const produceVersion = ({ version }: Bench): number => version === 1 ? 11 : 12
const endVersion = ({ version }: Bench): number => version === 1 ? 4 : 5

const moved = ({ producerEpoch, producerId }: Identity, by: number): Identity => ({
  producerId,
  producerEpoch: producerEpoch + by
})

const stranger = { producerId: 1_234_567_890, producerEpoch: 0 }

/** A batch in the transaction of the id. */
const write = (
  bench: Bench,
  identity: Identity,
  partition: Partition = bench.partitions[0],
  given: Probe.Producing = {}
) =>
  bench.probe.produce(partition, {
    identity,
    sequence: 0,
    transactionalId: bench.id,
    version: produceVersion(bench),
    ...given
  })

const addTo = (bench: Bench, identity: Identity, ...partitions: ReadonlyArray<Partition>) =>
  bench.version === 1
    ? Probe.settled(Effect.map(bench.probe.add(bench.id, identity, partitions), ([error]) => ({ error: error! })))
    : Effect.succeed({ error: "NONE" })

/** The first batch of a transaction, whatever is left of the one before. */
const begin = Effect.fnUntraced(function*(
  bench: Bench,
  identity: Identity,
  partition: Partition = bench.partitions[0],
  given: Probe.Producing = {}
) {
  yield* addTo(bench, identity, partition)
  return yield* Probe.settled(write(bench, identity, partition, given))
})

const end = (bench: Bench, identity: Identity, result: "COMMIT" | "ABORT") =>
  bench.probe.end(bench.id, identity, result, endVersion(bench))

/** Ends the transaction, and waits until it is over. The identity to go on with. */
const finish = Effect.fnUntraced(function*(bench: Bench, identity: Identity, result: "COMMIT" | "ABORT") {
  const answer = yield* end(bench, identity, result)
  yield* Probe.untilState(bench.probe, bench.id, result === "COMMIT" ? "CompleteCommit" : "CompleteAbort")
  return bench.version === 1 || answer.error !== "NONE" ? identity : answer
})

/** An instance with this epoch. */
const initAt = Effect.fnUntraced(function*(bench: Bench, epoch: number) {
  let identity = yield* bench.probe.init(bench.id)
  while (identity.producerEpoch < epoch) identity = yield* bench.probe.init(bench.id)
  return identity
})

/** A transaction that is decided and never over: a marker on the first partition has gone too far. The second is written. */
const held = Effect.fnUntraced(function*(bench: Bench) {
  const { partitions: [first, second], probe } = bench
  const identity = yield* initAt(bench, 1)
  yield* addTo(bench, identity, first, second)
  yield* write(bench, identity, first)
  yield* write(bench, identity, second)
  yield* probe.mark(first, moved(identity, 3), "COMMIT")
  yield* end(bench, identity, "COMMIT")
  for (let times = 0; times < 200 && (yield* probe.describe(bench.id)).partitions.length > 1; times++) {
    yield* Effect.sleep(5)
  }
  return identity
})

/** The coordinator aborts a transaction that takes too long, which has a batch on the first partition. */
const timedOut = Effect.fnUntraced(function*(bench: Bench) {
  const { epoch, producerId } = yield* Effect.map(
    bench.probe.init(bench.id, nobody, { timeoutMs: 300 }),
    ({ producerEpoch: epoch, producerId }) => ({ epoch, producerId })
  )
  const identity = { producerId, producerEpoch: epoch }
  yield* begin(bench, identity)
  yield* Probe.untilState(bench.probe, bench.id, "CompleteAbort")
  return identity
})

const epochsAndSequences = (headers: ReadonlyArray<BatchHeader.BatchHeader>) =>
  headers.map(({ baseSequence, isControl, producerEpoch }) =>
    isControl ? `marker ${producerEpoch}` : `data ${producerEpoch} ${baseSequence}`
  )

/** A member of the group, alone in it. */
export const joined = Effect.fnUntraced(
  function*({ group: groupId, probe: { request } }: Pick<Bench, "group" | "probe">) {
    const join = (memberId: string) =>
      request(Messages.JoinGroup, 5, {
        groupId,
        sessionTimeoutMs: 30_000,
        rebalanceTimeoutMs: 1000,
        memberId,
        protocolType: "consumer",
        protocols: [{ name: "range", metadata: Uint8Array.of(0, 0, 0, 0, 0, 0, 255, 255, 255, 255) }]
      })
    const { memberId } = yield* join("")
    const { generationId } = yield* join(memberId)
    yield* request(Messages.SyncGroup, 3, {
      groupId,
      generationId,
      memberId,
      assignments: [{ memberId, assignment: Uint8Array.of(1, 2, 3) }]
    })
    return { memberId, generationId }
  }
)

const idempotent = ({ probe }: Bench) => probe.init(null)

export const rows: ReadonlyArray<Row> = [
  {
    row: "1",
    what: "five batches are remembered",
    ask: Effect.fnUntraced(function*(bench) {
      const { partitions: [at], probe } = bench
      const identity = yield* idempotent(bench)
      for (let sequence = 0; sequence < 6; sequence++) yield* probe.produce(at, { identity, sequence })
      const again = yield* Effect.forEach([0, 1, 2, 3, 4, 5], (sequence) => probe.produce(at, { identity, sequence }))
      return [again.map(({ error }) => error), again.map(({ baseOffset }) => baseOffset), yield* probe.offsetOf(at)]
    }),
    expected: [[[OUT_OF_ORDER, ...Array.from({ length: 5 }, () => "NONE")], [-1, 1, 2, 3, 4, 5], 6]]
  },
  {
    row: "2",
    what: "gaps and overlaps are refused",
    ask: Effect.fnUntraced(function*(bench) {
      const { partitions: [at], probe } = bench
      const identity = yield* idempotent(bench)
      const send = (sequence: number, values = ["a"]) => probe.produce(at, { identity, sequence, values })
      for (let sequence = 0; sequence < 6; sequence++) yield* send(sequence)
      return yield* errors(send(7), send(5, ["a", "b", "c"]), send(6), send(6, ["a", "b"]))
    }),
    expected: [[OUT_OF_ORDER, OUT_OF_ORDER, "NONE", OUT_OF_ORDER]]
  },
  {
    row: "3",
    what: "an unknown producer begins anywhere",
    ask: Effect.fnUntraced(function*(bench) {
      const { partitions: [at], probe } = bench
      return yield* errors(
        probe.produce(at, { identity: yield* idempotent(bench), sequence: 17 }),
        probe.produce(at, { identity: { producerId: 987_654_321, producerEpoch: 9 }, sequence: 3 }),
        probe.produce(at, { identity: { producerId: 987_654_322, producerEpoch: -1 }, sequence: 0 })
      )
    }),
    expected: [["NONE", "NONE", "NONE"]]
  },
  {
    row: "4",
    what: "an idempotent producer raises its epoch by itself",
    ask: Effect.fnUntraced(function*(bench) {
      const { partitions: [at], probe } = bench
      const identity = yield* idempotent(bench)
      const send = (by: number, sequence: number) => probe.produce(at, { identity: moved(identity, by), sequence })
      yield* send(0, 0)
      yield* send(0, 1)
      return yield* errors(send(1, 2), send(1, 0), send(0, 2), send(0, 1), send(32_767 - identity.producerEpoch, 0))
    }),
    expected: [[OUT_OF_ORDER, "NONE", STALE, STALE, "NONE"]]
  },
  {
    row: "5",
    what: "sequences wrap to 0",
    ask: Effect.fnUntraced(function*(bench) {
      const { partitions: [first, second], probe } = bench
      const identity = yield* idempotent(bench)
      const send = (at: Partition, sequence: number, count = 1) =>
        probe.produce(at, { identity, sequence, values: Array.from({ length: count }, () => "a") })
      return yield* errors(
        send(first, LAST_SEQUENCE - 1, 2),
        send(first, 1),
        send(first, 0),
        send(second, LAST_SEQUENCE - 1, 4),
        send(second, 2)
      )
    }),
    expected: [["NONE", OUT_OF_ORDER, "NONE", "NONE", "NONE"]]
  },
  {
    row: "6",
    what: "what is no batch of a client is refused",
    ask: Effect.fnUntraced(function*(bench) {
      const { partitions: [at], probe } = bench
      const identity = yield* idempotent(bench)
      const good = Probe.batch({ identity, sequence: 0, values: ["a"] })
      const changed = (change: (copy: Uint8Array) => void) => {
        const copy = Uint8Array.from(good)
        change(copy)
        return copy
      }
      // The length counts one record, and the header two offsets.
      const gap = changed((copy) => copy.set([0, 0, 0, 1], 23))
      const withChecksum = BatchHeader.withProducerState(gap, { ...identity, baseSequence: 0 })
      return yield* errors(
        probe.produce(at, { identity, sequence: -1 }),
        probe.produce(at, { identity: nobody, isControl: true }),
        probe.produce(at, { bytes: withChecksum }),
        probe.produce(at, { bytes: changed((copy) => copy.set([1], 16)) }),
        probe.produce(at, { bytes: Buffer.concat([good, good]) }),
        probe.produce(at, { bytes: changed((copy) => copy[good.length - 2]! ^= 1) })
      )
    }),
    expected: [[...Array.from({ length: 5 }, () => "INVALID_RECORD"), "CORRUPT_MESSAGE"]]
  },
  {
    row: "7",
    what: "whole requests are refused",
    ask: Effect.fnUntraced(function*(bench) {
      const { id, partitions: [first, second], probe } = bench
      const identity = yield* probe.init(id)
      const two = yield* probe.request(Messages.Produce, 11, {
        transactionalId: id,
        acks: -1,
        timeoutMs: 1000,
        topicData: [{
          name: first[0],
          partitionData: [identity, stranger].map((identity, index) => ({
            index,
            records: Probe.batch({ identity, sequence: 0, isTransactional: true })
          }))
        }]
      })
      return [
        two.responses.flatMap(({ partitionResponses }) =>
          partitionResponses.map(({ errorCode }) => Probe.nameOf(errorCode))
        ),
        yield* errors(
          probe.produce(second, { identity, sequence: 0, isTransactional: true }),
          probe.produce(second, { acks: 2 }),
          probe.produce(["__consumer_offsets", 0]),
          probe.produce(["no such topic".replaceAll(" ", "-"), 0])
        )
      ]
    }),
    expected: [[
      [MAPPING, MAPPING],
      ["TRANSACTIONAL_ID_AUTHORIZATION_FAILED", "INVALID_REQUIRED_ACKS", "INVALID_TOPIC_EXCEPTION", UNKNOWN]
    ]]
  },
  {
    row: "9",
    what: "a transaction needs no acks=all",
    ask: Effect.fnUntraced(function*(bench) {
      const identity = yield* bench.probe.init(bench.id)
      yield* addTo(bench, identity, bench.partitions[0])
      return yield* errors(
        write(bench, identity, bench.partitions[0], { acks: 1 }),
        end(bench, identity, "COMMIT")
      )
    }),
    expected: [["NONE", "NONE"]]
  },
  {
    row: "10",
    what: "arguments of InitProducerId",
    ask: ({ id, probe }) =>
      errors(
        probe.init(id, { producerId: 5, producerEpoch: -1 }),
        probe.init(id, { producerId: -1, producerEpoch: 5 }),
        probe.init(""),
        ...[0, -1, 900_001].map((timeoutMs) => probe.init(id, nobody, { timeoutMs }))
      ),
    expected: [[
      ...Array.from({ length: 3 }, () => "INVALID_REQUEST"),
      ...Array.from({ length: 3 }, () => "INVALID_TRANSACTION_TIMEOUT")
    ]]
  },
  {
    row: "11",
    what: "InitProducerId of an instance that comes back, and of others",
    ask: Effect.fnUntraced(function*(bench) {
      const { id, probe } = bench
      const identity = yield* initAt(bench, 1)
      const epochs = yield* Effect.forEach([0, 1, 2], () => probe.init(id, identity))
      return [
        epochs.map(({ producerEpoch }) => producerEpoch),
        yield* errors(
          probe.init(id, moved(identity, -1)),
          probe.init(id, moved(identity, 9)),
          probe.init(id, { ...stranger, producerEpoch: 1 }),
          probe.init(id, moved(identity, -1), { version: 3 })
        )
      ]
    }),
    expected: [[[2, 2, 2], [FENCED, FENCED, FENCED, STALE]]]
  },
  {
    row: "12",
    what: "an unknown id with an identity gets another one",
    ask: Effect.fnUntraced(function*({ id, probe }) {
      const { error, producerEpoch, producerId } = yield* probe.init(id, { producerId: 77_777_777, producerEpoch: 5 })
      return [error, producerId !== 77_777_777, producerEpoch]
    }),
    expected: [["NONE", true, 0]]
  },
  {
    row: "13",
    what: "a new instance fences the old one",
    ask: Effect.fnUntraced(function*(bench) {
      const { id, partitions: [at], probe } = bench
      yield* begin(bench, yield* probe.init(id))
      const first = yield* probe.init(id)
      const { producerEpoch } = yield* Probe.settled(probe.init(id))
      return [first.error, producerEpoch, epochsAndSequences((yield* probe.fetch(at)).headers)]
    }),
    expected: [[BUSY, 2, ["data 0 0", "marker 1"]]]
  },
  {
    row: "14",
    what: "an instance that comes back with its identity aborts its own transaction",
    ask: Effect.fnUntraced(function*(bench) {
      const { id, probe } = bench
      const identity = yield* probe.init(id)
      yield* begin(bench, identity)
      const first = yield* probe.init(id, identity)
      const { error, producerEpoch } = yield* Probe.settled(probe.init(id, identity))
      return [first.error, error, producerEpoch]
    }),
    expected: [[BUSY, FENCED, -1], [BUSY, "NONE", 1]]
  },
  {
    row: "15",
    what: "a stale instance aborts the transaction of its successor",
    ask: Effect.fnUntraced(function*(bench) {
      const { id, probe } = bench
      const identity = yield* initAt(bench, 1)
      yield* begin(bench, identity)
      const first = yield* probe.init(id, moved(identity, -1))
      const again = yield* Probe.settled(probe.init(id, moved(identity, -1)))
      return [first.error, again.error, (yield* end(bench, identity, "COMMIT")).error]
    }),
    expected: [[BUSY, FENCED, FENCED], [BUSY, FENCED, STATE]]
  },
  {
    row: "16",
    what: "a fenced instance gets nothing from the coordinator",
    ask: Effect.fnUntraced(function*(bench) {
      const { group, id, partitions, probe } = bench
      const old = yield* probe.init(id)
      yield* probe.init(id)
      return yield* errors(
        end(bench, old, "COMMIT"),
        probe.add(id, old, [partitions[0]]),
        probe.addOffsets(id, old, group),
        probe.init(id, old)
      )
    }),
    expected: [[FENCED, FENCED, FENCED, FENCED]]
  },
  {
    row: "17",
    what: "a fenced instance writes to no partition, touched or not",
    ask: Effect.fnUntraced(function*(bench) {
      const { group, id, partitions: [touched, other], probe } = bench
      const old = yield* probe.init(id)
      yield* begin(bench, old, touched)
      yield* probe.init(id)
      yield* Probe.settled(probe.init(id))
      return yield* errors(
        write(bench, old, touched, { sequence: 1 }),
        write(bench, old, other),
        probe.commitInTransaction(id, old, group, touched, 1, { version: bench.version === 1 ? 3 : 5 })
      )
    }),
    expected: [[STALE, STALE, STALE]]
  },
  {
    row: "18",
    what: "a fenced instance writes outside of transactions where its successor has not been",
    ask: Effect.fnUntraced(function*(bench) {
      const { id, partitions: [touched, other], probe } = bench
      const old = yield* probe.init(id)
      yield* begin(bench, old, touched)
      yield* probe.init(id)
      return yield* errors(probe.produce(other, { identity: old, sequence: 0 }))
    }),
    expected: [["NONE"]]
  },
  {
    row: "19",
    what: "AddPartitionsToTxn",
    ask: Effect.fnUntraced(function*(bench) {
      const { id, partitions: [first, second], probe } = bench
      const identity = yield* initAt(bench, 1)
      return yield* errors(
        probe.add(`${id}-unknown`, identity, [first]),
        probe.add(id, { ...stranger, producerEpoch: 1 }, [first]),
        probe.add(id, moved(identity, 1), [first]),
        probe.add(id, moved(identity, -1), [first]),
        probe.add(id, moved(identity, -1), [first], 1),
        probe.add("", identity, [first]),
        probe.add(id, identity, [["no-such-topic", 0], second]),
        probe.add(id, identity, [first]),
        probe.add(id, identity, [first])
      )
    }),
    expected: [[
      MAPPING,
      MAPPING,
      FENCED,
      FENCED,
      STALE,
      "INVALID_REQUEST",
      UNKNOWN,
      "OPERATION_NOT_ATTEMPTED",
      "NONE",
      "NONE"
    ]]
  },
  ...[4, 5].map((version): Row => ({
    row: `20, version ${version}`,
    what: "a partition is verified, and not added",
    ask: Effect.fnUntraced(function*(bench) {
      const { id, partitions: [first, second], probe } = bench
      const identity = yield* initAt(bench, 1)
      const verify = (transactionalId: string, by: Identity, partition: Partition) =>
        probe.verify(transactionalId, by, [partition], version)
      const empty = yield* verify(id, identity, first)
      yield* probe.add(id, identity, [first])
      return yield* errors(
        Effect.succeed(empty),
        verify(id, identity, first),
        verify(id, identity, second),
        verify(`${id}-unknown`, identity, first),
        verify(id, moved(identity, -1), first)
      )
    }),
    expected: [[ABORTABLE, "NONE", ABORTABLE, MAPPING, FENCED]]
  })),
  {
    row: "21–24",
    what: "requests while a transaction is decided and not over",
    ask: Effect.fnUntraced(function*(bench) {
      const { group, id, partitions: [first], probe } = bench
      const identity = yield* held(bench)
      return [
        yield* errors(
          probe.add(id, identity, [first]),
          probe.add(id, moved(identity, 9), [first]),
          probe.add(id, stranger, [first])
        ),
        yield* errors(end(bench, identity, "COMMIT"), end(bench, identity, "ABORT")),
        yield* errors(end(bench, moved(identity, 9), "COMMIT"), end(bench, stranger, "COMMIT")),
        yield* errors(
          probe.init(id),
          probe.init(id, { ...stranger, producerEpoch: 1 }),
          probe.addOffsets(id, identity, group)
        )
      ]
    }),
    expected: [
      [[BUSY, BUSY, BUSY], [BUSY, BUSY], [FENCED, MAPPING], [BUSY, BUSY, BUSY]],
      [[BUSY, BUSY, BUSY], [BUSY, BUSY], [BUSY, BUSY], [BUSY, BUSY, BUSY]]
    ]
  },
  {
    row: "25–27",
    what: "a partition whose marker is written, while the transaction is not over",
    ask: Effect.fnUntraced(function*(bench) {
      const { id, partitions: [first, second], probe, version } = bench
      const identity = yield* held(bench)
      const current = moved(identity, version === 1 ? 0 : 1)
      const next = version === 1 ? 1 : 0
      const { producerEpoch, state, partitions } = yield* probe.describe(id)
      const { highWatermark, lastStableOffset } = yield* probe.fetch(second, "read_committed")
      return [
        yield* errors(
          write(bench, current, second, { sequence: next }),
          probe.verify(id, identity, [first]),
          probe.verify(id, current, [first])
        ),
        [state, producerEpoch - identity.producerEpoch, partitions.map(([, partition]) => partition)],
        highWatermark - lastStableOffset
      ]
    }),
    expected: [
      [["NOT_ENOUGH_REPLICAS", BUSY, BUSY], ["PrepareCommit", 0, [0]], 0],
      [[BUSY, FENCED, BUSY], ["PrepareCommit", 1, [0]], 0]
    ]
  },
  {
    row: "28",
    what: "a batch of a partition that was not added",
    ask: Effect.fnUntraced(function*(bench) {
      const identity = yield* bench.probe.init(bench.id)
      return yield* errors(
        ...[9, 10, 11, 12].map((version) => write(bench, identity, bench.partitions[0], { version }))
      )
    }),
    expected: [[STATE, STATE, ABORTABLE, "NONE"]]
  },
  {
    row: "29",
    what: "a batch of somebody else",
    ask: Effect.fnUntraced(function*(bench) {
      const { id, partitions: [at], probe } = bench
      const identity = yield* initAt(bench, 1)
      yield* probe.add(id, identity, [at])
      return yield* errors(
        write(bench, stranger),
        write(bench, identity, at, { transactionalId: `${id}-unknown` }),
        write(bench, moved(identity, 1)),
        write(bench, moved(identity, -1))
      )
    }),
    expected: [[MAPPING, MAPPING, STALE, STALE]]
  },
  {
    row: "30",
    what: "a refused batch with the next epoch stands in the way of its owner",
    ask: Effect.fnUntraced(function*(bench) {
      const { partitions: [at], probe } = bench
      const identity = yield* probe.init(bench.id)
      yield* begin(bench, identity)
      return yield* errors(write(bench, moved(identity, 1)), write(bench, identity, at, { sequence: 1 }))
    }),
    expected: [[STALE, OUT_OF_ORDER]]
  },
  {
    row: "31",
    what: "nobody asks for the id once the transaction is open",
    ask: Effect.fnUntraced(function*(bench) {
      const { partitions: [at], probe } = bench
      const identity = yield* probe.init(bench.id)
      yield* begin(bench, identity)
      return yield* errors(write(bench, identity, at, { sequence: 1, transactionalId: `${bench.id}-unknown` }))
    }),
    expected: [["NONE"]]
  },
  {
    row: "32",
    what: "no batch goes outside of a transaction that is open, but for one that is there",
    ask: Effect.fnUntraced(function*(bench) {
      const { partitions: [at], probe } = bench
      const identity = yield* probe.init(bench.id)
      yield* begin(bench, identity)
      return yield* errors(probe.produce(at, { identity, sequence: 1 }), probe.produce(at, { identity, sequence: 0 }))
    }),
    expected: [[STATE, "NONE"]]
  },
  {
    row: "33",
    what: "where the first batch of a transaction may begin",
    ask: Effect.fnUntraced(function*(bench) {
      const identity = yield* bench.probe.init(bench.id)
      yield* addTo(bench, identity, bench.partitions[0])
      return yield* errors(write(bench, identity, bench.partitions[0], { sequence: 5 }))
    }),
    expected: [["NONE"], [OUT_OF_ORDER]]
  },
  {
    row: "34",
    what: "where the second transaction begins",
    ask: Effect.fnUntraced(function*(bench) {
      const { partitions: [first, second], probe } = bench
      const identity = yield* probe.init(bench.id)
      yield* addTo(bench, identity, first, second)
      yield* write(bench, identity, first, { values: ["a", "b"] })
      yield* write(bench, identity, second, { values: ["a", "b"] })
      const next = yield* finish(bench, identity, "COMMIT")
      yield* addTo(bench, next, first, second)
      return yield* errors(write(bench, next, first, { sequence: 2 }), write(bench, next, second))
    }),
    expected: [["NONE", OUT_OF_ORDER], [OUT_OF_ORDER, "NONE"]]
  },
  {
    row: "35",
    what: "a batch comes again after its transaction",
    ask: Effect.fnUntraced(function*(bench) {
      const { id, partitions: [at], probe } = bench
      const identity = yield* probe.init(id)
      yield* begin(bench, identity)
      const next = yield* finish(bench, identity, "COMMIT")
      const without = yield* write(bench, identity)
      yield* probe.add(id, next, [at])
      const after = yield* write(bench, identity)
      return [without.error, after.error, after.baseOffset]
    }),
    expected: [[ABORTABLE, "NONE", 0], [STALE, STALE, -1]]
  },
  {
    row: "36",
    what: "the log of three transactions",
    ask: Effect.fnUntraced(function*(bench) {
      const { partitions: [at], probe, version } = bench
      let identity: Identity = yield* probe.init(bench.id)
      for (let number = 0; number < 3; number++) {
        yield* begin(bench, identity, at, { sequence: version === 1 ? number : 0 })
        identity = yield* finish(bench, identity, "COMMIT")
      }
      return epochsAndSequences((yield* probe.fetch(at)).headers)
    }),
    expected: [
      ["data 0 0", "marker 0", "data 0 1", "marker 0", "data 0 2", "marker 0"],
      ["data 0 0", "marker 1", "data 1 0", "marker 2", "data 2 0", "marker 3"]
    ]
  },
  {
    row: "37",
    what: "EndTxn of somebody else",
    ask: Effect.fnUntraced(function*(bench) {
      const { id, probe } = bench
      const identity = yield* initAt(bench, 1)
      yield* begin(bench, identity)
      const refused = yield* end(bench, stranger, "COMMIT")
      return [
        refused,
        yield* errors(
          probe.end(`${id}-unknown`, identity, "COMMIT", endVersion(bench)),
          end(bench, moved(identity, 1), "COMMIT"),
          end(bench, moved(identity, -1), "COMMIT"),
          probe.end(id, moved(identity, -1), "COMMIT", 1),
          probe.end("", identity, "COMMIT", endVersion(bench))
        )
      ]
    }),
    expected: [[{ error: MAPPING, ...nobody }, [MAPPING, FENCED, FENCED, STALE, "INVALID_REQUEST"]]]
  },
  {
    row: "38",
    what: "EndTxn where nothing has begun",
    ask: Effect.fnUntraced(function*(bench) {
      const { id, probe } = bench
      const identity = yield* probe.init(id)
      const answers = yield* errors(end(bench, identity, "COMMIT"), end(bench, identity, "ABORT"))
      const state = yield* Probe.untilState(probe, id, bench.version === 1 ? "Empty" : "CompleteAbort")
      return [answers, state, (yield* probe.describe(id)).producerEpoch]
    }),
    expected: [[[STATE, STATE], "Empty", 0], [[STATE, "NONE"], "CompleteAbort", 1]]
  },
  ...(["COMMIT", "ABORT"] as const).flatMap((result): ReadonlyArray<Row> => [
    {
      row: result === "COMMIT" ? "39" : "41",
      what: `EndTxn after ${result}, with the present epoch`,
      ask: Effect.fnUntraced(function*(bench) {
        const identity = yield* initAt(bench, 1)
        yield* begin(bench, identity)
        const next = yield* finish(bench, identity, result)
        const commit = yield* end(bench, next, "COMMIT")
        const abort = yield* end(bench, next, "ABORT")
        return [commit.error, abort.error, bench.version === 1 ? 0 : abort.producerEpoch - next.producerEpoch]
      }),
      expected: [result === "COMMIT" ? ["NONE", STATE, 0] : [STATE, "NONE", 0], [STATE, "NONE", 1]]
    },
    {
      row: result === "COMMIT" ? "40" : "42",
      what: `EndTxn after ${result}, with the epoch before the present one`,
      ask: Effect.fnUntraced(function*(bench) {
        const identity = yield* initAt(bench, 1)
        yield* begin(bench, identity)
        const next = yield* finish(bench, identity, result)
        const answers = yield* Effect.forEach(
          ["COMMIT", "ABORT"] as const,
          (again) => end(bench, moved(next, -1), again)
        )
        return answers.map((
          { error, producerEpoch }
        ) => [error, error === "NONE" ? producerEpoch - next.producerEpoch : 0])
      }),
      expected: [
        [[FENCED, 0], [FENCED, 0]],
        result === "COMMIT" ? [["NONE", 0], [STATE, 0]] : [[STATE, 0], ["NONE", 0]]
      ]
    }
  ]),
  {
    row: "43",
    what: "EndTxn with other epochs",
    ask: Effect.fnUntraced(function*(bench) {
      const identity = yield* initAt(bench, 2)
      yield* begin(bench, identity)
      const open = yield* errors(
        end(bench, moved(identity, -1), "ABORT"),
        end(bench, moved(identity, 1), "ABORT")
      )
      const next = yield* finish(bench, identity, "COMMIT")
      return [...open, yield* errorOf(end(bench, moved(next, -2), "COMMIT"))]
    }),
    expected: [[FENCED, FENCED, FENCED]]
  },
  {
    row: "44",
    what: "EndTxn comes twice in one go",
    ask: Effect.fnUntraced(function*(bench) {
      const identity = yield* bench.probe.init(bench.id)
      yield* begin(bench, identity)
      const twice = [end(bench, identity, "COMMIT"), end(bench, identity, "COMMIT")]
      return (yield* Effect.all(twice, { concurrency: 2 })).map(({ error }) => error)
    }),
    expected: [["NONE", BUSY]]
  },
  {
    row: "45",
    what: "a transaction without records leaves a marker alone",
    ask: Effect.fnUntraced(function*(bench) {
      const { id, partitions: [at], probe } = bench
      const identity = yield* probe.init(id)
      yield* probe.add(id, identity, [at])
      yield* finish(bench, identity, "ABORT")
      const { aborted, headers } = yield* probe.fetch(at, "read_committed")
      return [epochsAndSequences(headers), aborted]
    }),
    expected: [[["marker 0"], []], [["marker 1"], []]]
  },
  {
    row: "46",
    what: "a transaction that takes too long is aborted",
    ask: Effect.fnUntraced(function*(bench) {
      const { id, partitions: [at], probe } = bench
      const identity = yield* timedOut(bench)
      const { aborted, headers } = yield* probe.fetch(at, "read_committed")
      const { producerEpoch, state } = yield* probe.describe(id)
      return [
        state,
        producerEpoch,
        epochsAndSequences(headers),
        aborted?.map(({ firstOffset, producerId }) => [producerId - identity.producerId, firstOffset])
      ]
    }),
    expected: [["CompleteAbort", 1, ["data 0 0", "marker 1"], [[0, 0]]]]
  },
  {
    row: "47",
    what: "its producer writes nothing any more",
    ask: Effect.fnUntraced(function*(bench) {
      const { group, id, partitions: [at, other], probe } = bench
      const identity = yield* timedOut(bench)
      return yield* errors(
        write(bench, identity, at, { sequence: 1 }),
        write(bench, identity),
        write(bench, identity, other),
        probe.commitInTransaction(id, identity, group, at, 1, { version: bench.version === 1 ? 3 : 5 }),
        probe.add(id, identity, [other])
      )
    }),
    expected: [[STALE, STALE, STALE, STALE, FENCED]]
  },
  {
    row: "48",
    what: "under version 2 its producer can go on",
    ask: Effect.fnUntraced(function*(bench) {
      const { id, probe } = bench
      const identity = yield* timedOut(bench)
      const commit = yield* end(bench, identity, "COMMIT")
      const abort = yield* end(bench, identity, "ABORT")
      const same = yield* probe.init(id, identity)
      const other = yield* probe.init(id)
      return [
        commit.error,
        [abort.error, bench.version === 1 ? -1 : abort.producerEpoch],
        [same.error, same.producerEpoch],
        other.producerEpoch
      ]
    }),
    expected: [
      [FENCED, [FENCED, -1], [FENCED, -1], 2],
      [STATE, ["NONE", 1], ["NONE", 1], 2]
    ]
  },
  {
    row: "50",
    what: "what has not begun does not take too long",
    ask: Effect.fnUntraced(function*({ id, probe }) {
      yield* probe.init(id, nobody, { timeoutMs: 100 })
      yield* Effect.sleep(700)
      return (yield* probe.describe(id)).state
    }),
    expected: ["Empty"]
  },
  {
    row: "56",
    what: "markers of version 1",
    ask: Effect.fnUntraced(function*(bench) {
      const { partitions: [at], probe } = bench
      const identity = yield* initAt(bench, 1)
      yield* begin(bench, identity)
      const mark = (by: number, coordinatorEpoch: number) =>
        probe.mark(at, moved(identity, by), "COMMIT", { coordinatorEpoch })
      return yield* errors(mark(-1, 5), mark(0, 5), mark(0, 5), mark(0, 4), mark(-1, 4))
    }),
    expected: [[STALE, "NONE", "NONE", "TRANSACTION_COORDINATOR_FENCED", STALE]]
  },
  {
    row: "57–58",
    what: "a marker that goes ahead, of unknown producers and partitions",
    ask: Effect.fnUntraced(function*(bench) {
      const { partitions: [at], probe } = bench
      const identity = yield* idempotent(bench)
      const send = (by: number, sequence: number) => probe.produce(at, { identity: moved(identity, by), sequence })
      yield* send(0, 0)
      const unseen = { producerId: stranger.producerId + identity.producerId, producerEpoch: 1 }
      const marked = yield* errors(
        probe.mark(at, moved(identity, 3), "COMMIT"),
        probe.mark(at, unseen, "COMMIT"),
        probe.mark(["no-such-topic", 0], unseen, "COMMIT")
      )
      const { active } = yield* probe.producers(at)
      return [
        marked,
        [active.get(identity.producerId), active.get(unseen.producerId)],
        yield* errors(send(0, 1), send(3, 1), send(3, 0))
      ]
    }),
    expected: [[["NONE", "NONE", UNKNOWN], [[3, -1, 0, -1], [1, -1, 0, -1]], [STALE, OUT_OF_ORDER, "NONE"]]]
  },
  {
    row: "59",
    what: "a transaction whose marker comes too late is never over",
    ask: Effect.fnUntraced(function*(bench) {
      const { id, partitions: [at], probe } = bench
      const identity = yield* probe.init(id)
      yield* begin(bench, identity)
      yield* probe.mark(at, moved(identity, 3), "COMMIT")
      const { error } = yield* end(bench, identity, "COMMIT")
      yield* Effect.sleep(100)
      return [error, (yield* probe.describe(id)).state, (yield* end(bench, identity, "COMMIT")).error]
    }),
    expected: [["NONE", "PrepareCommit", BUSY]]
  },
  {
    row: "60",
    what: "markers of version 2",
    ask: Effect.fnUntraced(function*(bench) {
      const { partitions: [at], probe } = bench
      const identity = yield* initAt(bench, 1)
      yield* begin(bench, identity)
      const mark = (by: number, result: "COMMIT" | "ABORT" = "COMMIT") =>
        probe.mark(at, moved(identity, by), result, { version: 2, transactionVersion: 2 })
      return yield* errors(mark(0), mark(1), mark(1), mark(1, "ABORT"), mark(0))
    }),
    expected: [[STALE, "NONE", "NONE", "NONE", STALE]]
  },
  ...[0, 1].map((transactionVersion): Row => ({
    row: `61, version ${transactionVersion}`,
    what: "markers that say they are of an older version",
    ask: Effect.fnUntraced(function*(bench) {
      const { partitions: [at], probe } = bench
      const identity = yield* initAt(bench, 1)
      yield* begin(bench, identity)
      return yield* errors(probe.mark(at, identity, "COMMIT", { version: 2, transactionVersion }))
    }),
    expected: [["NONE"]]
  })),
  {
    row: "62",
    what: "the marker of a transaction comes again in the next one",
    ask: Effect.fnUntraced(function*(bench) {
      const { partitions: [at], probe, version } = bench
      const identity = yield* probe.init(bench.id)
      yield* begin(bench, identity)
      const next = yield* finish(bench, identity, "COMMIT")
      yield* begin(bench, next, at, { sequence: version === 1 ? 1 : 0 })
      const error = version === 1
        ? yield* probe.mark(at, next, "COMMIT")
        : yield* probe.mark(at, next, "COMMIT", { version: 2, transactionVersion: 2 })
      const { highWatermark, lastStableOffset } = yield* probe.fetch(at)
      return [error, highWatermark, lastStableOffset]
    }),
    expected: [["NONE", 4, 4], [STALE, 3, 2]]
  },
  {
    row: "63",
    what: "the bytes of a marker",
    ask: Effect.fnUntraced(function*(bench) {
      const { partitions: [at], probe } = bench
      const identity = yield* probe.init(bench.id)
      yield* begin(bench, identity)
      yield* probe.mark(at, identity, "COMMIT", { coordinatorEpoch: 7 })
      const bytes = (yield* probe.fetch(at)).bytes[1]!
      return [bytes.length, bytes[22], [...bytes.subarray(53, 57)], [...bytes.subarray(61)]]
    }),
    // Length, attributes, timestamp, offset; key: version 0, type 1; value: version 0, coordinator epoch 7; no headers.
    expected: [[78, 0x30, [255, 255, 255, 255], [32, 0, 0, 0, 8, 0, 0, 0, 1, 12, 0, 0, 0, 0, 0, 7, 0]]]
  },
  {
    row: "64",
    what: "an open transaction holds back what is behind it",
    ask: Effect.fnUntraced(function*(bench) {
      const { partitions: [at], probe } = bench
      const behind: Bench = { ...bench, id: `${bench.id}-behind` }
      yield* probe.produce(at, { values: ["before"] })
      const x = yield* probe.init(bench.id)
      yield* begin(bench, x, at, { values: ["x"] })
      const y = yield* probe.init(behind.id)
      yield* begin(behind, y, at, { values: ["y"] })
      yield* finish(behind, y, "COMMIT")
      const open = yield* probe.fetch(at, "read_committed")
      const ends = [yield* probe.offsetOf(at, -1, "read_committed"), yield* probe.offsetOf(at)]
      yield* finish(bench, x, "COMMIT")
      const over = yield* probe.fetch(at, "read_committed")
      return [open.lastStableOffset, open.values, ends, over.lastStableOffset, over.values]
    }),
    expected: [[1, ["before"], [1, 4], 5, ["before", "x", "y"]]]
  },
  {
    row: "65",
    what: "aborted transactions are listed as far as they reach",
    ask: Effect.fnUntraced(function*(bench) {
      const { partitions: [at], probe } = bench
      const identity = yield* probe.init(bench.id)
      yield* probe.produce(at)
      yield* begin(bench, identity)
      for (let sequence = 1; sequence < 5; sequence++) yield* write(bench, identity, at, { sequence })
      yield* finish(bench, identity, "ABORT")
      const listed = yield* Effect.forEach([0, 5, 6, 7], (offset) => probe.fetch(at, "read_committed", { offset }))
      return [
        listed.map(({ aborted }) => aborted?.map(({ firstOffset }) => firstOffset)),
        (yield* probe.fetch(at)).aborted
      ]
    }),
    expected: [[[[1], [1], [1], []], null]]
  },
  {
    row: "67",
    what: "a topic is deleted with a transaction on it",
    ask: Effect.fnUntraced(function*(bench) {
      const { id, partitions: [at], probe } = bench
      const identity = yield* probe.init(id)
      yield* begin(bench, identity)
      const deleted = yield* probe.request(Messages.DeleteTopics, 5, { topicNames: [at[0]], timeoutMs: 5000 })
      const { error } = yield* end(bench, identity, "COMMIT")
      return [
        Probe.nameOf(deleted.responses[0]!.errorCode),
        error,
        yield* Probe.untilState(probe, id, "CompleteCommit")
      ]
    }),
    expected: [["NONE", "NONE", "CompleteCommit"]]
  },
  {
    row: "68",
    what: "offsets of a group that was not added",
    ask: Effect.fnUntraced(function*(bench) {
      const { group, id, partitions: [at], probe } = bench
      const identity = yield* probe.init(id)
      const answers = yield* errors(
        ...[3, 4, 5].map((version) => probe.commitInTransaction(id, identity, group, at, 1, { version }))
      )
      return [answers, (yield* probe.describe(id)).partitions]
    }),
    expected: [[[STATE, ABORTABLE, "NONE"], [["__consumer_offsets", 0]]]]
  },
  {
    row: "69, 71",
    what: "offsets of an open transaction are not stable, and are not there after an abort",
    ask: Effect.fnUntraced(function*(bench) {
      const { group, id, partitions: [at, other], probe } = bench
      const identity = yield* probe.init(id)
      yield* probe.commit(group, at, 3)
      yield* probe.commit(group, other, 4)
      yield* probe.addOffsets(id, identity, group)
      yield* probe.commitInTransaction(id, identity, group, at, 7)
      const open = [
        yield* probe.committed(group, at, true),
        yield* probe.committed(group, at),
        yield* probe.committed(group, other, true)
      ]
      yield* finish(bench, identity, "ABORT")
      return [open, yield* probe.committed(group, at, true)]
    }),
    expected: [[["UNSTABLE_OFFSET_COMMIT", 3, 4], 3]]
  },
  {
    row: "70",
    what: "of two offsets the one that was written later counts",
    ask: Effect.fnUntraced(function*(bench) {
      const { group, id, partitions: [at, other], probe } = bench
      const identity = yield* probe.init(id)
      yield* probe.addOffsets(id, identity, group)
      yield* probe.commit(group, at, 9)
      yield* probe.commitInTransaction(id, identity, group, at, 7)
      yield* probe.commitInTransaction(id, identity, group, other, 7)
      yield* probe.commit(group, other, 5)
      yield* finish(bench, identity, "COMMIT")
      return [yield* probe.committed(group, at, true), yield* probe.committed(group, other, true)]
    }),
    expected: [[7, 5]]
  },
  {
    row: "72",
    what: "offsets of members and others",
    ask: Effect.fnUntraced(function*(bench) {
      const { group, id, partitions: [at], probe } = bench
      const identity = yield* probe.init(id)
      const { generationId: generation, memberId: member } = yield* joined(bench)
      yield* probe.addOffsets(id, identity, group)
      const commit = (given: Probe.Committing) => probe.commitInTransaction(id, identity, group, at, 1, given)
      return yield* errors(
        commit({ member, generation }),
        commit({ member, generation: generation + 1 }),
        commit({ member, generation: generation - 1 }),
        commit({ member, generation: -1 }),
        commit({ member: "nobody", generation }),
        commit({ member: "", generation }),
        commit({}),
        commit({ member, generation, instance: "one" })
      )
    }),
    expected: [[
      "NONE",
      "ILLEGAL_GENERATION",
      "ILLEGAL_GENERATION",
      "ILLEGAL_GENERATION",
      "UNKNOWN_MEMBER_ID",
      "UNKNOWN_MEMBER_ID",
      "NONE",
      "UNKNOWN_MEMBER_ID"
    ]]
  },
  ...[3, 5].map((version): Row => ({
    row: `73, version ${version}`,
    what: "offsets of other producers",
    ask: Effect.fnUntraced(function*(bench) {
      const { group, id, partitions: [at], probe } = bench
      const identity = yield* probe.init(id)
      yield* probe.addOffsets(id, identity, group)
      const commit = (transactionalId: string, by: Identity, partition: Partition = at) =>
        probe.commitInTransaction(transactionalId, by, group, partition, 1, { version })
      return yield* errors(
        commit(id, stranger),
        commit(id, moved(identity, 1)),
        commit(`${id}-unknown`, identity),
        commit(id, identity, ["no-such-topic", 0]),
        commit(id, identity, [at[0], 99])
      )
    }),
    expected: [[MAPPING, STALE, MAPPING, UNKNOWN, UNKNOWN]]
  })),
  {
    row: "74",
    what: "a marker for offsets ends them, whoever sends it",
    ask: Effect.fnUntraced(function*(bench) {
      const { group, id, partitions: [at], probe } = bench
      const identity = yield* initAt(bench, 1)
      yield* probe.addOffsets(id, identity, group)
      yield* probe.commitInTransaction(id, identity, group, at, 7)
      const offsets: Partition = ["__consumer_offsets", 0]
      const stale = yield* probe.mark(offsets, moved(identity, -1), "COMMIT")
      const pending = yield* probe.committed(group, at, true)
      const taken = yield* probe.mark(offsets, identity, "COMMIT")
      const visible = yield* probe.committed(group, at, true)
      yield* probe.mark(offsets, identity, "ABORT")
      return [stale, pending, taken, visible, yield* probe.committed(group, at, true)]
    }),
    expected: [[STALE, "UNSTABLE_OFFSET_COMMIT", "NONE", 7, 7]]
  },
  {
    row: "75",
    what: "a group is deleted with offsets pending",
    ask: Effect.fnUntraced(function*(bench) {
      const { group, id, partitions: [at], probe } = bench
      const identity = yield* probe.init(id)
      yield* probe.addOffsets(id, identity, group)
      yield* probe.commitInTransaction(id, identity, group, at, 7)
      const { results } = yield* probe.request(Messages.DeleteGroups, 2, { groupsNames: [group] })
      const stable = yield* probe.committed(group, at, true)
      const { error } = yield* end(bench, identity, "COMMIT")
      yield* Probe.untilState(probe, id, "CompleteCommit")
      return [Probe.nameOf(results[0]!.errorCode), stable, error, yield* probe.committed(group, at, true)]
    }),
    expected: [["NONE", -1, "NONE", -1]]
  },
  {
    row: "89",
    what: "who asks about transactions",
    ask: Effect.fnUntraced(function*(bench) {
      const { id, probe } = bench
      const identity = yield* probe.init(id)
      const list = Effect.fnUntraced(function*(
        stateFilters: ReadonlyArray<string>,
        producerIdFilters: ReadonlyArray<number>,
        transactionalIdPattern: string | null = null
      ) {
        const { transactionStates, unknownStateFilters } = yield* probe.request(Messages.ListTransactions, 2, {
          stateFilters,
          producerIdFilters,
          durationFilter: -1,
          transactionalIdPattern
        })
        const ids = transactionStates.map(({ transactionalId }) => transactionalId)
        return [unknownStateFilters, ids.includes(id), ids.length > 0]
      })
      return [
        (yield* probe.describe(`${id}-unknown`)).error,
        (yield* probe.describe("")).error,
        yield* list([], []),
        yield* list(["Empty", "Unheard"], [identity.producerId]),
        yield* list(["Ongoing"], [identity.producerId]),
        yield* list([], [stranger.producerId]),
        yield* list([], [], `${id}.*`),
        yield* list([], [], id.slice(1))
      ]
    }),
    expected: [[
      "TRANSACTIONAL_ID_NOT_FOUND",
      "INVALID_REQUEST",
      [[], true, true],
      [["Unheard"], true, true],
      [[], false, false],
      [[], false, false],
      [[], true, true],
      [[], false, false]
    ]]
  },
  {
    row: "90",
    what: "what a leader says of a producer",
    ask: Effect.fnUntraced(function*(bench) {
      const { partitions: [at], probe } = bench
      const identity = yield* probe.init(bench.id)
      yield* begin(bench, identity)
      const open = (yield* probe.producers(at)).active.get(identity.producerId)
      yield* finish(bench, identity, "COMMIT")
      const [epoch, lastSequence, coordinatorEpoch, begins] = (yield* probe.producers(at)).active.get(
        identity.producerId
      )!
      return [open, epoch, lastSequence, coordinatorEpoch! >= 0, begins]
    }),
    expected: [[[0, 0, -1, 0], 0, 0, true, -1], [[0, 0, -1, 0], 1, -1, true, -1]]
  }
]
