import { assert, describe, it } from "@effect/vitest"
import * as fc from "fast-check"
import { Errors, Limits, type Producer, type Replica, Rules, Sequence } from "../../src/core/index.ts"
import { after, answer, config, context, producer, send } from "./support.ts"

const { base } = Rules
const limits = Limits.kafka
const max = limits.maxSequence
const half = 2 ** 30 - 1

describe("SequencePrecedes", () => {
  const table: ReadonlyArray<readonly [a: number, b: number, precedes: boolean]> = [
    [0, 0, false],
    [max, max, false],
    [0, 1, true],
    [1, 0, false],
    [max, 0, true],
    [0, max, false],
    [max - 1, 3, true],
    [3, max - 1, false],
    [0, half, true],
    [half, 0, false],
    [0, half + 1, false],
    [half + 1, 0, true]
  ]
  for (const [a, b, precedes] of table) {
    it(`${a} ${precedes ? "comes" : "does not come"} before ${b}`, () => {
      assert.strictEqual(base.SequencePrecedes(limits, a, b), precedes)
    })
  }

  const spaces = fc.oneof(fc.integer({ min: 1, max: 9 }), fc.constant(max))
  const pairs = spaces.chain((maxSequence) =>
    fc.tuple(
      fc.constant(maxSequence),
      fc.integer({ min: 0, max: maxSequence }),
      fc.integer({ min: 0, max: maxSequence })
    )
  )

  it("orders any two different sequences one way", () => {
    fc.assert(fc.property(pairs, ([maxSequence, a, b]) => {
      const there = base.SequencePrecedes({ ...limits, maxSequence }, a, b)
      const back = base.SequencePrecedes({ ...limits, maxSequence }, b, a)
      assert.strictEqual(Number(there) + Number(back), a === b ? 0 : 1)
    }))
  })

  it("puts a sequence before all that follow it within half the space, wrapped or not", () => {
    fc.assert(fc.property(fc.integer({ min: 0, max }), fc.integer({ min: 1, max: half }), (sequence, count) => {
      assert.isTrue(base.SequencePrecedes(limits, sequence, Sequence.increment(max, sequence, count)))
    }))
  })
})

describe("IsNextSequence", () => {
  const table: ReadonlyArray<readonly [sequence: number, lastAcked: number, next: boolean]> = [
    [0, Sequence.none, true],
    [1, Sequence.none, false],
    [max, Sequence.none, false],
    [1, 0, true],
    [0, 0, false],
    [2, 0, false],
    [0, max, true],
    [1, max, false],
    [max, max - 1, true]
  ]
  for (const [sequence, lastAcked, next] of table) {
    it(`${sequence} ${next ? "follows" : "does not follow"} ${lastAcked}`, () => {
      assert.strictEqual(base.IsNextSequence(limits, sequence, lastAcked), next)
    })
  }
})

describe("errors", () => {
  const table: Readonly<Record<Errors.Error, readonly [retriable: boolean, provesNotWritten: boolean]>> = {
    NONE: [false, false],
    UNKNOWN_SERVER_ERROR: [false, false],
    NOT_LEADER_OR_FOLLOWER: [true, false],
    REQUEST_TIMED_OUT: [true, false],
    NETWORK_EXCEPTION: [true, false],
    NOT_ENOUGH_REPLICAS: [true, false],
    NOT_ENOUGH_REPLICAS_AFTER_APPEND: [true, false],
    KAFKA_STORAGE_ERROR: [true, false],
    CORRUPT_MESSAGE: [true, false],
    UNKNOWN_TOPIC_OR_PARTITION: [true, false],
    LEADER_NOT_AVAILABLE: [true, false],
    MESSAGE_TOO_LARGE: [false, false],
    INVALID_TOPIC_EXCEPTION: [false, false],
    INVALID_REQUIRED_ACKS: [false, false],
    CLUSTER_AUTHORIZATION_FAILED: [false, false],
    UNSUPPORTED_VERSION: [false, false],
    INVALID_REQUEST: [false, false],
    DUPLICATE_SEQUENCE_NUMBER: [false, false],
    UNKNOWN_PRODUCER_ID: [true, true],
    OUT_OF_ORDER_SEQUENCE_NUMBER: [true, true],
    TOPIC_AUTHORIZATION_FAILED: [false, true],
    INVALID_PRODUCER_EPOCH: [false, true],
    INVALID_RECORD: [false, true],
    // A producer without transactions meets none of these.
    COORDINATOR_NOT_AVAILABLE: [true, false],
    NOT_COORDINATOR: [true, false],
    CONCURRENT_TRANSACTIONS: [true, false],
    UNSTABLE_OFFSET_COMMIT: [true, false],
    COORDINATOR_LOAD_IN_PROGRESS: [true, false],
    OFFSET_OUT_OF_RANGE: [false, false],
    UNKNOWN_MEMBER_ID: [false, false],
    REBALANCE_IN_PROGRESS: [false, false],
    MEMBER_ID_REQUIRED: [false, false],
    GROUP_AUTHORIZATION_FAILED: [false, false],
    INVALID_TRANSACTION_TIMEOUT: [false, false],
    TRANSACTIONAL_ID_AUTHORIZATION_FAILED: [false, false],
    OPERATION_NOT_ATTEMPTED: [false, false],
    FENCED_INSTANCE_ID: [false, false],
    ILLEGAL_GENERATION: [false, false],
    INVALID_TXN_STATE: [false, false],
    INVALID_PRODUCER_ID_MAPPING: [false, false],
    TRANSACTION_COORDINATOR_FENCED: [false, false],
    PRODUCER_FENCED: [false, false],
    TRANSACTIONAL_ID_NOT_FOUND: [false, false],
    INCONSISTENT_GROUP_PROTOCOL: [false, false],
    INVALID_GROUP_ID: [false, false],
    INVALID_SESSION_TIMEOUT: [false, false],
    TOPIC_ALREADY_EXISTS: [false, false],
    INVALID_PARTITIONS: [false, false],
    INVALID_REPLICATION_FACTOR: [false, false],
    INVALID_REPLICA_ASSIGNMENT: [false, false],
    POLICY_VIOLATION: [false, false],
    NON_EMPTY_GROUP: [false, false],
    GROUP_ID_NOT_FOUND: [false, false],
    FETCH_SESSION_ID_NOT_FOUND: [true, false],
    UNKNOWN_LEADER_EPOCH: [true, false],
    UNKNOWN_TOPIC_ID: [true, false],
    INVALID_REGULAR_EXPRESSION: [false, false],
    TRANSACTION_ABORTABLE: [false, false]
  }
  for (const error of Object.keys(Errors.codes) as ReadonlyArray<Errors.Error>) {
    const [retriable, provesNotWritten] = table[error]
    it(`${error} is ${retriable ? "" : "not "}retriable and ${provesNotWritten ? "" : "does not "}prove that nothing was written`, () => {
      assert.strictEqual(base.IsRetriable(error), retriable)
      assert.strictEqual(base.ProvesNotWritten(error), provesNotWritten)
    })
  }
})

describe("the other base rules", () => {
  it("the counter moves on with the send, and not with the acknowledgement", () => {
    assert.strictEqual(base.SequenceAfterSend(limits, max - 1, 3), 1)
    assert.strictEqual(base.SequenceAfterAcknowledgement(limits, 5, 3), 5)
  })

  it("a failure asks for a new epoch and changes nothing else", () => {
    const [{ senders: [sender] }] = after(config(), producer([1]), send())

    const failed = base.AfterFailure(sender!, sender!.batches.get(1)!)

    assert.deepStrictEqual(failed, { ...sender!, epochBump: true })
  })

  it("identities may change only when all sequenced batches wait and none may be written", () => {
    const senderAfter = (...inputs: ReadonlyArray<Producer.Input>) =>
      after(config(), producer([1, 1]), ...inputs)[0].senders[0]!

    assert.isTrue(base.MayBumpEpoch(senderAfter()))
    assert.isFalse(base.MayBumpEpoch(senderAfter(send())))
    assert.isFalse(base.MayBumpEpoch(senderAfter(send(), answer(1, "NETWORK_EXCEPTION"))))
    assert.isTrue(base.MayBumpEpoch(senderAfter(send(), answer(1, "OUT_OF_ORDER_SEQUENCE_NUMBER"))))
    assert.isFalse(base.MayBumpEpoch(senderAfter(send(), send(), answer(1, "OUT_OF_ORDER_SEQUENCE_NUMBER"))))
    assert.isTrue(base.MayBumpEpoch(senderAfter(send(), answer(1))))
  })

  it("a leader remembers the newest batches, as many as the window has", () => {
    const written = [0, 1, 2].map((sequence) => ({ sequence, last: sequence, offset: sequence }))

    assert.deepStrictEqual(base.RememberedBatches({ ...limits, dedupWindow: 2 }, written), written.slice(1))
    assert.deepStrictEqual(base.RememberedBatches({ ...limits, dedupWindow: 3 }, written), written)
    assert.deepStrictEqual(base.RememberedBatches({ ...limits, dedupWindow: 4 }, written), written)
  })

  it("an unknown producer id begins with 0", () => {
    assert.isTrue(base.IsFirstSequence(0))
    assert.isFalse(base.IsFirstSequence(1))
    assert.isFalse(base.IsFirstSequence(max))
  })

  it("neither a restart nor a failed append changes what a leader knows", () => {
    const known: Replica.Producers = new Map([[7, { epoch: 0, batches: [{ sequence: 0, last: 0, offset: 0 }] }]])
    const entry: Replica.Entry = { producerId: 7, epoch: 0, sequence: 1, records: ["r"], offset: 1 }

    assert.deepStrictEqual(base.RestoreProducers(known), known)
    assert.deepStrictEqual(base.ProducersAfterFailedAppend(context(), known, entry), known)
  })
})
