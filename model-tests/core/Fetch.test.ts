import { assert, describe, it } from "@effect/vitest"
import { Fetch, FetchRules, type TransactionalPartition } from "../../src/core/index.ts"
import { after, entries, fetched, log, writes } from "./fetch.ts"

const { base } = FetchRules

describe("the last stable offset", () => {
  const table: ReadonlyArray<readonly [what: string, log: string, expected: number]> = [
    ["nothing was written", "", 0],
    ["a transaction is open", "1 1", 0],
    ["it was committed", "1 C1", 2],
    ["it was aborted", "1 A1", 2],
    ["one is open behind another that has ended", "1 C1 2", 2],
    ["one is open before another that has ended", "1 2 C2", 0],
    ["the producer has begun another", "1 C1 1", 2],
    ["the earlier of two ends first", "1 2 C1", 1],
    ["the earlier of two begins again behind the later", "1 2 C1 1", 1],
    ["a marker ends a transaction of another producer only", "1 C2", 0],
    ["a transaction without records ends", "C1", 1]
  ]
  for (const [what, written, expected] of table) {
    it(`when ${what}`, () => assert.strictEqual(Fetch.lastStableOffset({ log: entries(written) }), expected))
  }

  it("is that of a partition of transactions", () => {
    const entry: TransactionalPartition.Entry = {
      offset: 0,
      records: 1,
      kind: "DATA",
      producerId: 7,
      epoch: 0,
      sequence: 0,
      isTransactional: true,
      coordinatorEpoch: -1,
      transaction: { client: 1, number: 1 },
      input: 1
    }

    assert.strictEqual(Fetch.lastStableOffset({ log: [entry] }), 0)
  })
})

describe("the index of aborted transactions", () => {
  const table: ReadonlyArray<readonly [what: string, log: string, expected: ReadonlyArray<Fetch.AbortedTransaction>]> =
    [
      ["has no committed ones", "1 C1", []],
      ["has one from its first record to its marker", "1 2 1 A1", [{ producerId: 1, first: 0, last: 3 }]],
      ["has none without records", "A1 1", []],
      ["has none without records since the last marker", "1 C1 A1", []],
      ["is in the order of markers", "1 2 A2 A1", [
        { producerId: 2, first: 1, last: 2 },
        { producerId: 1, first: 0, last: 3 }
      ]],
      ["has every one of a producer", "1 A1 1 A1", [
        { producerId: 1, first: 0, last: 1 },
        { producerId: 1, first: 2, last: 3 }
      ]]
    ]
  for (const [what, written, expected] of table) {
    it(what, () => {
      const [partition] = log(written)

      assert.deepStrictEqual(partition.abortedIndex, expected)
      assert.deepStrictEqual(partition.log, entries(written))
    })
  }
})

describe("a fetch", () => {
  const [aborted] = log("1 1 A1 2 C2 1")

  it("returns what is below the last stable offset, with the aborted transactions that overlap it", () => {
    const list = [{ producerId: 1, first: 0, last: 2 }]

    assert.deepStrictEqual(fetched(aborted, 0, 5), { offset: 0, entries: entries("1 1 A1 2 C2"), aborted: list })
    assert.deepStrictEqual(fetched(aborted, 1, 1), { offset: 1, entries: entries("1"), aborted: list })
    assert.deepStrictEqual(fetched(aborted, 2, 2), { offset: 2, entries: entries("A1 2"), aborted: list })
    assert.deepStrictEqual(fetched(aborted, 3, 2), { offset: 3, entries: entries("2 C2"), aborted: [] })
  })

  it("lists no transaction that begins where it ends", () => {
    assert.deepStrictEqual(fetched(log("2 C2 1 A1")[0], 0, 2)?.aborted, [])
  })

  it("changes nothing", () => {
    assert.strictEqual(after(base, aborted, { _tag: "FetchRecords", offset: 0, count: 2 })[0], aborted)
  })

  it("returns nothing at or above the last stable offset", () => {
    assert.isUndefined(fetched(aborted, 5, 1))
    assert.isUndefined(fetched(aborted, 4, 2))
  })

  it("waits only where there is nothing to return", () => {
    assert.deepStrictEqual(after(base, aborted, { _tag: "ParkFetch", offset: 5 }), [{ ...aborted, parked: 5 }, []])
    assert.isUndefined(Fetch.step(base, aborted, { _tag: "ParkFetch", offset: 4 }))
    assert.isUndefined(Fetch.step(base, aborted, { _tag: "ParkFetch", offset: 6 }))
  })

  it("that waits is the only one", () => {
    const [waiting] = after(base, aborted, { _tag: "ParkFetch", offset: 5 })

    assert.isUndefined(Fetch.step(base, waiting, { _tag: "ParkFetch", offset: 5 }))
    assert.isUndefined(Fetch.step(base, waiting, { _tag: "FetchRecords", offset: 0, count: 1 }))
  })

  it("that waited returns as one that did not", () => {
    const [partition, returned] = after(
      base,
      aborted,
      { _tag: "ParkFetch", offset: 5 },
      ...writes("A1"),
      { _tag: "CompleteFetch", count: 2 }
    )

    assert.isUndefined(partition.parked)
    assert.deepStrictEqual(returned, [{
      offset: 5,
      entries: entries("1 A1"),
      aborted: [{ producerId: 1, first: 5, last: 6 }]
    }])
    assert.deepStrictEqual(returned, [fetched(partition, 5, 2)!])
  })

  it("waits until there is enough, and not without having been parked", () => {
    const [waiting] = after(base, aborted, { _tag: "ParkFetch", offset: 5 })
    const [ready] = after(base, waiting, ...writes("A1"))

    assert.isUndefined(Fetch.step(base, waiting, { _tag: "CompleteFetch", count: 1 }))
    assert.isUndefined(Fetch.step(base, ready, { _tag: "CompleteFetch", count: 3 }))
    assert.isUndefined(Fetch.step(base, aborted, { _tag: "CompleteFetch", count: 1 }))
  })
})
