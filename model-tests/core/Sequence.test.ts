import { assert, describe, it } from "@effect/vitest"
import * as fc from "fast-check"
import { Limits, Sequence } from "../../src/core/index.ts"

const max = Limits.kafka.maxSequence

describe("increment", () => {
  const table: ReadonlyArray<readonly [sequence: number, count: number, next: number]> = [
    [0, 1, 1],
    [0, 5, 5],
    [max - 1, 1, max],
    [max, 1, 0],
    [max - 1, 2, 0],
    [max, 2, 1],
    [max - 2, 5, 2],
    [max, 0, max]
  ]
  for (const [sequence, count, next] of table) {
    it(`${count} records after ${sequence} comes ${next}`, () => {
      assert.strictEqual(Sequence.increment(max, sequence, count), next)
    })
  }

  it("counts modulo 2^31, which no sum of two sequences leaves", () => {
    fc.assert(fc.property(fc.integer({ min: 0, max }), fc.integer({ min: 0, max: 100_000 }), (sequence, count) => {
      assert.strictEqual(Sequence.increment(max, sequence, count), (sequence + count) % 2 ** 31)
    }))
  })
})

describe("last", () => {
  const table: ReadonlyArray<readonly [sequence: number, count: number, last: number]> = [
    [0, 1, 0],
    [0, 3, 2],
    [max, 1, max],
    [max, 2, 0],
    [max - 1, 2, max],
    [max - 1, 4, 1]
  ]
  for (const [sequence, count, last] of table) {
    it(`a batch of ${count} that begins with ${sequence} ends with ${last}`, () => {
      assert.strictEqual(Sequence.last(max, sequence, count), last)
    })
  }
})
