import { assert, describe, it } from "@effect/vitest"
import * as Backoff from "../../../src/runtime/client/Backoff.ts"

const backoff: Backoff.Backoff = { initialMs: 100, maxMs: 1000 }
const delays = (random: number) => [1, 2, 3, 4, 5, 9].map((attempts) => Backoff.delayOf(backoff, attempts, random))

describe("delayOf", () => {
  it("doubles up to the limit, give or take a fifth", () => {
    assert.deepStrictEqual(delays(0.5), [100, 200, 400, 800, 1000, 1000])
    assert.deepStrictEqual(delays(0), [80, 160, 320, 640, 800, 800])
    assert.deepStrictEqual(delays(1), [120, 240, 480, 960, 1000, 1000])
  })

  it("comes to whole milliseconds", () => {
    for (const delay of delays(0.123)) assert.isTrue(Number.isInteger(delay))
  })

  it("is never less than at first where the limit is", () => {
    assert.strictEqual(Backoff.delayOf({ initialMs: 100, maxMs: 10 }, 5, 0.5), 100)
  })
})
