import { assert, describe, it } from "@effect/vitest"
import { Result } from "effect"
import * as ConsumerRecord from "../../../src/runtime/client/ConsumerRecord.ts"
import * as Serde from "../../../src/runtime/client/Serde.ts"

const record: ConsumerRecord.ConsumerRecord = {
  topic: "t",
  partition: 2,
  offset: 5,
  timestamp: 7,
  key: null,
  value: new Uint8Array([0x61]),
  headers: []
}

describe("deserialize", () => {
  it("reads key and value, and leaves the rest", () => {
    assert.deepStrictEqual(
      ConsumerRecord.deserialize(record, { key: Serde.string, value: Serde.string }),
      Result.succeed({ ...record, key: null, value: "a" })
    )
  })

  it("says which part of which topic is not what it should be", () => {
    const found = ConsumerRecord.deserialize(
      { ...record, key: new Uint8Array([0xff]) },
      { key: Serde.string, value: Serde.string }
    )

    assert.isTrue(Result.isFailure(found))
    assert.deepInclude(Result.isFailure(found) ? found.failure : {}, { topic: "t", part: "key" })
  })
})
