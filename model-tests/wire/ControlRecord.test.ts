import { assert, describe, it } from "@effect/vitest"
import { Result } from "effect"
import { ControlRecord, RecordBatch } from "../../src/wire/index.ts"

describe("a marker", () => {
  for (const result of ["COMMIT", "ABORT"] as const) {
    it(`says ${result}, alone in a control batch`, () => {
      const bytes = ControlRecord.encodeMarker({
        producerId: 4_711,
        producerEpoch: 8,
        result,
        coordinatorEpoch: 12,
        timestamp: 1_000
      })
      const { header, records } = Result.getOrThrow(RecordBatch.decode(bytes))

      assert.deepStrictEqual(header, {
        baseOffset: 0,
        partitionLeaderEpoch: -1,
        compression: "none",
        timestampType: "CreateTime",
        isTransactional: true,
        isControl: true,
        lastOffsetDelta: 0,
        baseTimestamp: 1_000,
        maxTimestamp: 1_000,
        producerId: 4_711,
        producerEpoch: 8,
        baseSequence: -1,
        count: 1
      })
      assert.deepStrictEqual(
        records.map(ControlRecord.read),
        [Result.succeed({ _tag: "EndTransactionMarker", result, coordinatorEpoch: 12 } as const)]
      )
    })
  }
})

describe("a control record", () => {
  const read = (key: ReadonlyArray<number> | null, value: ReadonlyArray<number> | null) =>
    ControlRecord.read({
      key: key === null ? null : Uint8Array.from(key),
      value: value === null ? null : Uint8Array.from(value)
    })
  const epoch7 = [0, 0, 0, 0, 0, 7]

  it("of a later version may say more", () => {
    assert.deepStrictEqual(
      read([0, 1, 0, 1, 99], [0, 3, 0, 0, 0, 7, 99]),
      Result.succeed({ _tag: "EndTransactionMarker", result: "COMMIT", coordinatorEpoch: 7 })
    )
  })

  it("of another type is passed over", () => {
    assert.deepStrictEqual(read([0, 0, 0, 2], null), Result.succeed({ _tag: "Unknown", type: 2 }))
    assert.deepStrictEqual(read([0, 0, 255, 255], epoch7), Result.succeed({ _tag: "Unknown", type: -1 }))
  })

  const wrong: ReadonlyArray<
    readonly [what: string, key: ReadonlyArray<number> | null, value: ReadonlyArray<number> | null]
  > = [
    ["no key", null, epoch7],
    ["a key that is cut off", [0, 0, 0], epoch7],
    ["a key of a negative version", [255, 255, 0, 0], epoch7],
    ["no value", [0, 0, 0, 0], null],
    ["a value that is cut off", [0, 0, 0, 0], [0, 0, 0, 0, 0]],
    ["a value of a negative version", [0, 0, 0, 0], [255, 255, 0, 0, 0, 7]]
  ]
  for (const [what, key, value] of wrong) {
    it(`with ${what} is refused`, () => {
      const result = read(key, value)

      assert.isTrue(Result.isFailure(result) && result.failure._tag === "InvalidRecord")
    })
  }
})
