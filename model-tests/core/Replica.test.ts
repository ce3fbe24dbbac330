import { assert, describe, it } from "@effect/vitest"
import { Replica } from "../../src/core/index.ts"
import { batch, context, maxSequence } from "./support.ts"

/** The replica after appending the batches one behind the other. */
const written = (rules: Replica.Context, ...batches: ReadonlyArray<Replica.ProducerBatch>): Replica.Replica =>
  batches.reduce<Replica.Replica>(
    (replica, sent) => Replica.append(rules, replica, { ...sent, offset: Replica.logEndOffset(replica.log) }),
    Replica.empty
  )

const outOfOrder: Replica.Validation = { _tag: "Refuse", error: "OUT_OF_ORDER_SEQUENCE_NUMBER" }
const append: Replica.Validation = { _tag: "Append" }
const duplicate = (offset: number): Replica.Validation => ({ _tag: "Duplicate", offset })

describe("validate", () => {
  const two = ["a", "b"]
  const three = ["a", "b", "c"]
  const none = { producerId: -1, epoch: -1 }
  const epoch1 = { epoch: 1 }
  const table: ReadonlyArray<
    readonly [
      what: string,
      log: ReadonlyArray<Replica.ProducerBatch>,
      sent: Replica.ProducerBatch,
      judgement: Replica.Validation
    ]
  > = [
    ["an unknown producer id begins with 0", [], batch(0), append],
    ["an unknown producer id does not begin elsewhere", [], batch(1), outOfOrder],
    ["the next sequence is appended", [batch(0, two)], batch(2), append],
    ["a gap is out of order", [batch(0, two)], batch(3), outOfOrder],
    ["a batch that was written is a duplicate at its offset", [batch(0, two), batch(2)], batch(0, two), duplicate(0)],
    ["so is the newest", [batch(0, two), batch(2)], batch(2), duplicate(2)],
    ["the same first sequence with another last one is no duplicate", [batch(0, two)], batch(0, three), outOfOrder],
    ["the same last sequence with another first one is no duplicate", [batch(0, two)], batch(1), outOfOrder],
    ["another producer id is no duplicate", [batch(0)], batch(0, ["r"], { producerId: 8 }), append],
    ["what fell out of the window is out of order", [batch(0), batch(1), batch(2)], batch(0), outOfOrder],
    ["what is just inside the window is a duplicate", [batch(0), batch(1), batch(2)], batch(1), duplicate(1)],
    ["a new epoch begins with 0", [batch(0), batch(1)], batch(0, ["r"], epoch1), append],
    ["a new epoch does not go on where the old one ended", [batch(0), batch(1)], batch(2, ["r"], epoch1), outOfOrder],
    [
      "an old epoch is refused even with a batch it wrote",
      [batch(0), batch(0, ["r"], epoch1)],
      batch(0),
      { _tag: "Refuse", error: "INVALID_PRODUCER_EPOCH" }
    ],
    ["no identity, no judgement", [batch(0)], batch(-1, ["r"], none), append],
    ["an identity without a sequence is invalid", [], batch(-1), { _tag: "Refuse", error: "INVALID_RECORD" }],
    [
      "0 follows the last sequence",
      [batch(0), batch(0, ["r"], epoch1), batch(maxSequence, ["r"], { epoch: 1 })],
      batch(0, two, epoch1),
      append
    ]
  ]
  for (const [what, log, sent, judgement] of table) {
    it(what, () => {
      const rules = context({ limits: { dedupWindow: 2 } })

      const found = Replica.validate(rules, written(rules, ...log).producers, sent)

      assert.deepStrictEqual(found, judgement)
    })
  }

  it("recognises a batch that straddles the wrap, and what comes after it", () => {
    const rules = context()
    const { producers } = written(rules, batch(maxSequence - 1), batch(maxSequence, two))

    assert.deepStrictEqual(Replica.validate(rules, producers, batch(maxSequence, two)), duplicate(1))
    assert.deepStrictEqual(Replica.validate(rules, producers, batch(1)), append)
    assert.deepStrictEqual(Replica.validate(rules, producers, batch(0)), outOfOrder)
  })

  it("asks the rule whether an unknown producer id may begin, and only then", () => {
    const rules = context({ rules: { IsFirstSequence: (sequence) => sequence === 42 } })

    assert.deepStrictEqual(Replica.validate(rules, Replica.noProducers, batch(42)), append)
    assert.deepStrictEqual(Replica.validate(rules, written(rules, batch(0)).producers, batch(42)), outOfOrder)
  })

  it("a producer that is known without batches begins with 0", () => {
    const known: Replica.Producers = new Map([[7, { epoch: 0, batches: [] }]])

    assert.deepStrictEqual(Replica.validate(context(), known, batch(0)), append)
    assert.deepStrictEqual(Replica.validate(context(), known, batch(1)), outOfOrder)
  })
})

describe("append", () => {
  it("remembers as many batches as the window has", () => {
    const rules = context({ limits: { dedupWindow: 2 } })

    const { log, producers } = written(rules, batch(0, ["a", "b"]), batch(2), batch(3))

    assert.deepStrictEqual(log.map(({ offset }) => offset), [0, 2, 3])
    assert.deepStrictEqual(producers.get(7), {
      epoch: 0,
      batches: [{ sequence: 2, last: 2, offset: 2 }, { sequence: 3, last: 3, offset: 3 }]
    })
  })

  it("a new epoch forgets the batches of the old one", () => {
    const { producers } = written(context(), batch(0), batch(1), batch(0, ["r"], { epoch: 1 }))

    assert.deepStrictEqual(producers.get(7), { epoch: 1, batches: [{ sequence: 0, last: 0, offset: 2 }] })
  })

  it("keeps producer ids apart", () => {
    const { producers } = written(context(), batch(0), batch(0, ["r"], { producerId: 8 }))

    assert.deepStrictEqual(producers.get(7)?.batches, [{ sequence: 0, last: 0, offset: 0 }])
    assert.deepStrictEqual(producers.get(8)?.batches, [{ sequence: 0, last: 0, offset: 1 }])
  })

  it("knows nothing of batches without an identity", () => {
    const { log, producers } = written(context(), batch(-1, ["a", "b"], { producerId: -1, epoch: -1 }))

    assert.strictEqual(Replica.logEndOffset(log), 2)
    assert.strictEqual(producers.size, 0)
  })
})

describe("truncate", () => {
  const rules = context({ limits: { dedupWindow: 2 } })
  const replica = written(rules, batch(0), batch(1), batch(2), batch(0, ["r"], { epoch: 1 }))

  it("rebuilds what is known of producers from the log that is left", () => {
    const { log, producers } = Replica.truncate(rules, replica, 2)

    assert.deepStrictEqual(log, replica.log.slice(0, 2))
    assert.deepStrictEqual(producers, written(rules, batch(0), batch(1)).producers)
  })

  it("forgets everything with the whole log", () => {
    assert.deepStrictEqual(Replica.truncate(rules, replica, 0), Replica.empty)
  })

  for (const length of [4, 5]) {
    it(`keeps state that the log does not tell when it keeps ${length} of 4 batches`, () => {
      const snapshot: Replica.Replica = { ...replica, producers: Replica.noProducers }

      assert.deepStrictEqual(Replica.truncate(rules, snapshot, length), snapshot)
    })
  }
})
