import { assert, describe, it } from "@effect/vitest"
import * as fc from "fast-check"
import * as Properties from "../../../src/runtime/client/Properties.ts"

describe("editDistance", () => {
  const table: ReadonlyArray<readonly [string, string, number]> = [
    ["", "", 0],
    ["", "abc", 3],
    ["abc", "", 3],
    ["acks", "acks", 0],
    ["ack", "acks", 1],
    ["liner.ms", "linger.ms", 1],
    ["kitten", "sitting", 3]
  ]
  for (const [from, to, distance] of table) {
    it(`from "${from}" to "${to}" is ${distance}`, () =>
      assert.strictEqual(Properties.editDistance(from, to), distance))
  }

  it("is the same in both directions", () => {
    fc.assert(fc.property(fc.string({ maxLength: 12 }), fc.string({ maxLength: 12 }), (a, b) => {
      assert.strictEqual(Properties.editDistance(a, b), Properties.editDistance(b, a))
    }))
  })
})

describe("nearest", () => {
  it("is the nearest of those near enough", () => {
    assert.strictEqual(
      Properties.nearest("retry.backoff", ["retry.backoff.ms", "retry.backoff.max.ms"]),
      "retry.backoff.ms"
    )
    assert.isUndefined(Properties.nearest("colour", ["acks", "retries"]))
  })
})
