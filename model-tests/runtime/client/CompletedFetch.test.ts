import { assert, describe, it } from "@effect/vitest"
import type { Transaction } from "../../../src/core/index.ts"
import * as CompletedFetch from "../../../src/runtime/client/CompletedFetch.ts"
import type { ConsumerRecord } from "../../../src/runtime/client/ConsumerRecord.ts"
import type { FetchResult, IsolationLevel } from "../../../src/runtime/client/Requests.ts"
import { BatchHeader, ControlRecord } from "../../../src/wire/index.ts"
import { batch, t, text } from "./consuming.ts"

const at = (offset: number, bytes: Uint8Array): Uint8Array => BatchHeader.withBaseOffset(bytes, offset, 0)

const data = (offset: number, producerId: number, ...values: ReadonlyArray<string>): Uint8Array =>
  at(offset, batch(values, { producerId, producerEpoch: 0 }, 0, producerId >= 0))

const marker = (offset: number, producerId: number, result: Transaction.Result): Uint8Array =>
  at(offset, ControlRecord.encodeMarker({ producerId, producerEpoch: 0, result, coordinatorEpoch: 0, timestamp: 0 }))

interface Fetched {
  readonly batches: ReadonlyArray<Uint8Array>
  /** Producer id and first offset. */
  readonly aborted?: ReadonlyArray<readonly [number, number]>
  readonly isolation?: IsolationLevel
  readonly from?: number
}

const completed = ({ aborted = [], batches, from = 0, isolation = "read_committed" }: Fetched) => {
  const result: FetchResult = {
    ...t(0),
    error: "NONE",
    highWatermark: 100,
    lastStableOffset: 100,
    abortedTransactions: aborted.map(([producerId, firstOffset]) => ({ producerId, firstOffset })),
    batches
  }
  return CompletedFetch.make(isolation, from, result)
}

/** Everything that is handed out at once, and where that ends. */
const all = (fetched: Fetched) => {
  const records: Array<ConsumerRecord> = []
  const fetch = completed(fetched)
  const reason = fetch.take(1000, records)
  return { values: records.map(text).join(""), position: fetch.position(), isExhausted: fetch.isExhausted(), reason }
}

const done = { isExhausted: true, reason: undefined }

describe("take", () => {
  it("leaves out what lies before the position", () => {
    assert.deepStrictEqual(all({ batches: [data(3, -1, "a", "b", "c")], from: 4 }), {
      ...done,
      values: "bc",
      position: 6
    })
  })

  it("ends where the last batch ends, even without a record", () => {
    assert.deepStrictEqual(all({ batches: [marker(3, 7, "COMMIT")], from: 3 }), { ...done, values: "", position: 4 })
    assert.deepStrictEqual(all({ batches: [] }), { ...done, values: "", position: 0 })
  })

  it("drops whole batches of aborted transactions, up to the marker", () => {
    const batches = [
      data(0, 7, "a", "b"),
      data(2, 8, "c"),
      data(3, 7, "d"),
      marker(4, 7, "ABORT"),
      data(5, 7, "e"),
      marker(6, 7, "COMMIT"),
      marker(7, 8, "COMMIT")
    ]

    assert.deepStrictEqual(all({ batches, aborted: [[7, 0]] }), { ...done, values: "ce", position: 8 })
    assert.deepStrictEqual(all({ batches, isolation: "read_uncommitted" }), { ...done, values: "abcde", position: 8 })
  })

  it("goes by first offsets, in whichever order they are listed", () => {
    const batches = [
      data(0, 7, "a"),
      marker(1, 7, "ABORT"),
      data(2, 7, "b"),
      marker(3, 7, "COMMIT"),
      data(4, 7, "c"),
      marker(5, 7, "ABORT")
    ]

    assert.deepStrictEqual(all({ batches, aborted: [[7, 4], [7, 0]] }), { ...done, values: "b", position: 6 })
  })

  it("keeps what is not in a transaction, whoever sent it", () => {
    const idempotent = at(1, batch(["b"], { producerId: 7, producerEpoch: 0 }, 0, false))

    assert.deepStrictEqual(all({ batches: [data(0, 7, "a"), idempotent], aborted: [[7, 0]] }), {
      ...done,
      values: "b",
      position: 2
    })
  })

  it("stops within a batch and goes on there", () => {
    const fetch = completed({ batches: [data(0, -1, "a", "b", "c"), marker(3, 7, "COMMIT"), data(4, -1, "d")] })
    const seen: Array<readonly [string, number]> = []
    while (!fetch.isExhausted()) {
      const records: Array<ConsumerRecord> = []
      fetch.take(2, records)
      seen.push([records.map(text).join(""), fetch.position()])
    }

    assert.deepStrictEqual(seen, [["ab", 2], ["cd", 5]])
  })

  it("hands out what comes before a damaged batch, and stays there", () => {
    const damaged = data(2, -1, "c")
    damaged[damaged.length - 1]! ^= 1
    const found = all({ batches: [data(0, -1, "a", "b"), damaged] })

    assert.include(found.reason, "checksum")
    assert.deepInclude(found, { values: "ab", position: 2, isExhausted: false })
  })

  it("has topic, partition, offset, key and headers of the record", () => {
    const records: Array<ConsumerRecord> = []
    completed({ batches: [data(5, -1, "a")], from: 5 }).take(1, records)

    assert.deepInclude(records[0], { topic: "t", partition: 0, offset: 5, timestamp: 0, key: null, headers: [] })
  })
})
