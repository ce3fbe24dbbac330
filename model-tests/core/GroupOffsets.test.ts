import { assert, describe, it } from "@effect/vitest"
import * as fc from "fast-check"
import { GroupOffsets, TransactionalPartition } from "../../src/core/index.ts"
import { control, data, partition } from "./transactions.ts"

const t0 = { topic: "t", partition: 0 }
const t1 = { topic: "t", partition: 1 }

const commit = (logOffset: number, offset: number, of = t0): GroupOffsets.Entry => ({
  _tag: "Commit",
  logOffset,
  offsets: [{ ...of, offset }]
})

const pending = (logOffset: number, offset: number, producerId = 7, of = t0): GroupOffsets.Entry => ({
  _tag: "TransactionalCommit",
  producerId,
  logOffset,
  offsets: [{ ...of, offset }]
})

const marker = (result: "COMMIT" | "ABORT", producerId = 7): GroupOffsets.Entry => ({
  _tag: "Marker",
  producerId,
  result
})

const fold = (...entries: ReadonlyArray<GroupOffsets.Entry>): GroupOffsets.Offsets =>
  entries.reduce(GroupOffsets.apply, GroupOffsets.initial)

describe("committed", () => {
  const table: ReadonlyArray<
    readonly [what: string, entries: ReadonlyArray<GroupOffsets.Entry>, offset: number, unstable: boolean]
  > = [
    ["is nothing at first", [], -1, false],
    ["is what was committed last", [commit(0, 5), commit(1, 3)], 3, false],
    ["is not what is pending", [commit(0, 5), pending(1, 9)], 5, true],
    ["is what a transaction committed", [commit(0, 5), pending(1, 9), marker("COMMIT")], 9, false],
    ["is not what a transaction aborted", [commit(0, 5), pending(1, 9), marker("ABORT")], 5, false],
    ["is the last of the transaction", [pending(0, 9), pending(1, 4), marker("COMMIT")], 4, false],
    ["stays when it was written later", [pending(0, 9), commit(1, 5), marker("COMMIT")], 5, false],
    ["asks for the producer id", [pending(0, 9), marker("COMMIT", 8)], -1, true],
    ["is unstable as long as one is open", [pending(0, 1), pending(1, 2, 8), marker("COMMIT")], 1, true],
    [
      "is of the later write, not of the later marker",
      [pending(0, 1), pending(1, 2, 8), marker("COMMIT", 8), marker("COMMIT")],
      2,
      false
    ],
    ["survives a second marker", [pending(0, 9), marker("COMMIT"), marker("ABORT")], 9, false]
  ]
  for (const [what, entries, offset, unstable] of table) {
    it(what, () => {
      const offsets = fold(...entries)

      assert.strictEqual(GroupOffsets.committed(offsets, t0), offset)
      assert.strictEqual(GroupOffsets.isUnstable(offsets, t0), unstable)
    })
  }

  it("is of all partitions of the transaction, in however many commits", () => {
    const offsets = fold(pending(0, 5), pending(1, 9, 7, t1), marker("COMMIT"))

    assert.strictEqual(GroupOffsets.committed(offsets, t0), 5)
    assert.strictEqual(GroupOffsets.committed(offsets, t1), 9)
  })

  it("is of one partition", () => {
    const offsets = fold(commit(0, 5), pending(1, 9, 7, t1))

    assert.strictEqual(GroupOffsets.committed(offsets, t1), -1)
    assert.isFalse(GroupOffsets.isUnstable(offsets, t0))
    assert.isTrue(GroupOffsets.isUnstable(offsets, t1))
  })
})

describe("fetch", () => {
  it("refuses what a transaction may change to who requires a stable offset", () => {
    const offsets = fold(commit(0, 5), pending(1, 9))

    assert.deepStrictEqual(GroupOffsets.fetch(offsets, t0, true), { error: "UNSTABLE_OFFSET_COMMIT", offset: -1 })
    assert.deepStrictEqual(GroupOffsets.fetch(offsets, t0, false), { error: "NONE", offset: 5 })
    assert.deepStrictEqual(GroupOffsets.fetch(offsets, t1, true), { error: "NONE", offset: -1 })
  })
})

describe("the partition of a group with one offset", () => {
  // 0 stands for a commit outside of transactions.
  const write = fc.record({ producerId: fc.integer({ min: 0, max: 3 }), position: fc.integer({ min: 1, max: 9 }) })
  const end = fc.record({
    producerId: fc.integer({ min: 1, max: 3 }),
    result: fc.constantFrom<["COMMIT", "ABORT"]>("COMMIT", "ABORT")
  })

  it("comes to the same offset", () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(write, end), { maxLength: 30 }), (written) => {
        const log = written.map((entry) =>
          "result" in entry
            ? control(entry.result, { producerId: entry.producerId })
            : data({
              producerId: entry.producerId === 0 ? -1 : entry.producerId,
              isTransactional: entry.producerId !== 0,
              sequence: -1,
              input: entry.position - 1
            })
        )
        const offsets = fold(...written.map((entry, logOffset): GroupOffsets.Entry =>
          "result" in entry
            ? marker(entry.result, entry.producerId)
            : entry.producerId === 0
            ? commit(logOffset, entry.position)
            : pending(logOffset, entry.position, entry.producerId)
        ))

        const told = GroupOffsets.committed(offsets, t0)
        const expected = TransactionalPartition.committedOffset(partition(log, { highWatermark: log.length }))
        assert.strictEqual(told === -1 ? 0 : told, expected)
        const isOpen = TransactionalPartition.fates(log).includes("OPEN")
        assert.strictEqual(GroupOffsets.isUnstable(offsets, t0), isOpen)
      }),
      { numRuns: 1000, seed: 1 }
    )
  })
})
