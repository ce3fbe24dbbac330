import { assert, describe, it } from "@effect/vitest"
import { TransactionMetadata } from "../../src/core/index.ts"
import { context, first, metadata, ongoing, second } from "./transactions.ts"

describe("states", () => {
  const table: ReadonlyArray<readonly [TransactionMetadata.State, prepared: boolean, complete: boolean]> = [
    ["Unknown", false, false],
    ["Empty", false, false],
    ["Ongoing", false, false],
    ["PrepareCommit", true, false],
    ["PrepareAbort", true, false],
    ["CompleteCommit", false, true],
    ["CompleteAbort", false, true]
  ]
  for (const [state, prepared, complete] of table) {
    it(`${state} is ${prepared ? "" : "not "}prepared and ${complete ? "" : "not "}complete`, () => {
      assert.strictEqual(TransactionMetadata.isPrepared(state), prepared)
      assert.strictEqual(TransactionMetadata.isComplete(state), complete)
    })
  }

  it("prepared states lead to the complete ones with the same result", () => {
    for (const result of ["COMMIT", "ABORT"] as const) {
      assert.strictEqual(TransactionMetadata.resultOf(TransactionMetadata.preparedState(result)), result)
    }
    assert.strictEqual(TransactionMetadata.completedState("PrepareCommit"), "CompleteCommit")
    assert.strictEqual(TransactionMetadata.completedState("PrepareAbort"), "CompleteAbort")
  })

  it("the last epoch but one is the last that a client gets", () => {
    assert.isFalse(TransactionMetadata.isExhausted(context(), 32765))
    assert.isTrue(TransactionMetadata.isExhausted(context(), 32766))
    assert.isTrue(TransactionMetadata.isExhausted(context(), 32767))
  })
})

describe("every transition", () => {
  const before = ongoing({ previousProducerId: 3, failedEpochFence: true })
  const records: Readonly<Record<string, TransactionMetadata.Metadata>> = {
    initialized: TransactionMetadata.initialized(before, 8, 0, 5),
    ongoing: TransactionMetadata.ongoing(context(), before, { partition: "B", version: 2, transaction: first }),
    prepared: TransactionMetadata.prepared(before, "COMMIT", first),
    preparedWithNewEpoch: TransactionMetadata.preparedWithNewEpoch(context(), before, "COMMIT", first, 8),
    fenced: TransactionMetadata.fenced(context(), before, 6, 8),
    completed: TransactionMetadata.completed(context(), { ...before, state: "PrepareAbort" })
  }
  for (const [name, record] of Object.entries(records)) {
    it(`${name} remembers the producer id before it, and no failed fence`, () => {
      assert.strictEqual(record.previousProducerId, 7)
      assert.isFalse(record.failedEpochFence)
    })
  }
})

describe("ongoing", () => {
  const added = { partition: "A", version: 2, transaction: second } as const

  it("the first partition begins a transaction", () => {
    const record = TransactionMetadata.ongoing(context(), metadata({ state: "CompleteCommit" }), added)

    assert.deepStrictEqual(record, metadata({ state: "Ongoing", partitions: ["A"], version: 2, transaction: second }))
  })

  it("further partitions join it, once each and sorted", () => {
    const before = ongoing({ partitions: ["B"] })

    const both = TransactionMetadata.ongoing(context(), before, added)
    const again = TransactionMetadata.ongoing(context(), both, added)

    assert.deepStrictEqual(both, { ...before, partitions: ["A", "B"] })
    assert.deepStrictEqual(again, both)
  })

  it("what a completed transaction left is in the next one", () => {
    const rules = { PartitionsAfterCompletion: (partitions: ReadonlyArray<string>) => partitions }
    const before = metadata({ state: "CompleteAbort", partitions: ["B"] })

    const record = TransactionMetadata.ongoing(context({ rules }), before, added)

    assert.deepStrictEqual(record.partitions, ["A", "B"])
  })
})

describe("the end of a transaction", () => {
  it("keeps the epoch under version 1", () => {
    const record = TransactionMetadata.prepared(ongoing(), "ABORT", first)

    assert.deepStrictEqual(record, ongoing({ state: "PrepareAbort", version: 1 }))
  })

  it("raises the epoch under version 2", () => {
    const record = TransactionMetadata.preparedWithNewEpoch(context(), ongoing(), "COMMIT", first, 8)

    assert.deepStrictEqual(record, ongoing({ state: "PrepareCommit", epoch: 6, lastEpoch: 5 }))
  })

  it("is the end of a producer id whose epochs are used up", () => {
    const before = ongoing({ epoch: 32766, lastEpoch: 32765 })

    const prepared = TransactionMetadata.preparedWithNewEpoch(context(), before, "COMMIT", first, 8)
    const completed = TransactionMetadata.completed(context(), prepared)

    assert.deepStrictEqual(
      prepared,
      ongoing({ state: "PrepareCommit", epoch: 32767, lastEpoch: 32766, nextProducerId: 8 })
    )
    assert.deepStrictEqual(
      completed,
      ongoing({ state: "CompleteCommit", producerId: 8, epoch: 0, lastEpoch: 32766, partitions: [] })
    )
  })

  it("has no partitions where there was no transaction", () => {
    const before = metadata({ state: "CompleteCommit", partitions: ["A"] })

    const record = TransactionMetadata.preparedWithNewEpoch(context(), before, "ABORT", second, 8)

    assert.deepStrictEqual(record.partitions, [])
  })

  it("lets go of the partitions when it is complete", () => {
    assert.deepStrictEqual(
      TransactionMetadata.completed(context(), ongoing({ state: "PrepareCommit" })),
      ongoing({ state: "CompleteCommit", partitions: [] })
    )
  })
})

describe("fenced", () => {
  it("forgets the last epoch under version 1", () => {
    const record = TransactionMetadata.fenced(context({ transactionVersion: 1 }), ongoing(), 6, 8)

    assert.deepStrictEqual(record, ongoing({ state: "PrepareAbort", epoch: 6, lastEpoch: -1, version: 1 }))
  })

  it("remembers it under version 2, so that its owner can abort and go on", () => {
    const record = TransactionMetadata.fenced(context(), ongoing({ version: 1 }), 6, 8)

    assert.deepStrictEqual(record, ongoing({ state: "PrepareAbort", epoch: 6, lastEpoch: 5, version: 2 }))
  })

  it("ends a producer id under version 2 only", () => {
    const last = ongoing({ epoch: 32766 })

    assert.strictEqual(TransactionMetadata.fenced(context(), last, 32767, 8).nextProducerId, 8)
    assert.strictEqual(
      TransactionMetadata.fenced(context({ transactionVersion: 1 }), last, 32767, 8).nextProducerId,
      -1
    )
  })
})
