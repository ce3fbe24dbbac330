import { assert, describe, it } from "@effect/vitest"
import { FetchedRecords, FetchRules } from "../../src/core/index.ts"
import { entries, fetched, log } from "./fetch.ts"

/** What the consumer makes of a fetch of so many entries of such a log, all of it by default. */
const received = (text: string, offset = 0, count = entries(text).length - offset): FetchedRecords.Received =>
  FetchedRecords.receive(FetchRules.base, fetched(log(text)[0], offset, count)!)

describe("a consumer", () => {
  const table: ReadonlyArray<
    readonly [what: string, log: string, delivered: ReadonlyArray<number>, offset?: number, count?: number]
  > = [
    ["gives away committed records and no markers", "1 1 C1", [0, 1]],
    ["leaves out aborted records", "1 1 A1", []],
    ["tells the transactions of a producer apart", "1 C1 1 A1 1 C1", [0, 4]],
    ["tells producers apart", "1 2 1 A1 C2", [1]],
    ["leaves out aborted records although a commit is among them", "1 2 C2 1 A1", [1]],
    ["leaves out one transaction that encloses another", "1 2 A2 1 A1", []],
    ["is not misled by an abort without records", "A1 1 A1 1 C1", [3]],
    ["leaves out what was aborted before an empty abort", "1 A1 A1 1 C1", [3]],
    ["begins in the midst of an aborted transaction", "1 1 A1 1 C1", [3], 1],
    ["ends in the midst of one", "2 C2 1 1 A1", [0], 0, 3],
    ["begins at the marker of one", "1 A1 1 C1", [2], 1]
  ]
  for (const [what, written, delivered, offset, count] of table) {
    it(what, () => assert.deepStrictEqual(received(written, offset, count).delivered, delivered))
  }

  it("advances past everything that was returned", () => {
    assert.strictEqual(received("1 A1 2 C2").position, 4)
    assert.strictEqual(received("1 A1 2 C2", 1, 1).position, 2)
  })

  it("keeps nothing of one fetch for the next", () => {
    const { delivered, position } = received("1 1 A1 1 C1", 0, 1)

    assert.deepStrictEqual(delivered, [])
    assert.deepStrictEqual(received("1 1 A1 1 C1", position).delivered, [3])
  })
})

describe("batch by batch", () => {
  const rules = FetchRules.base
  const data = (producerId: number) => ({ kind: "DATA", producerId }) as const

  it("a batch is dropped whose last record lies in an aborted transaction", () => {
    const filter = FetchedRecords.begin(rules, [{ producerId: 1, first: 3 }])
    const [before, isBefore] = FetchedRecords.take(rules, filter, data(1), 2)
    const [within, isWithin] = FetchedRecords.take(rules, before, data(1), 5)
    const [, isOther] = FetchedRecords.take(rules, within, data(2), 8)
    const [ended, isMarker] = FetchedRecords.take(rules, within, { kind: "ABORT", producerId: 1 }, 9)
    const [, isAfter] = FetchedRecords.take(rules, ended, data(1), 12)

    assert.deepStrictEqual([isBefore, isWithin, isOther, isMarker, isAfter], [true, false, true, false, true])
  })
})
