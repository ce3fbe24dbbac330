import { assert, describe, it } from "vitest"
import * as Variations from "../../src/conformance/Variations.ts"
import { Simulation } from "../../src/runtime/index.ts"

const base = {
  seed: 1,
  linger: 5,
  stop: 90 as number | undefined,
  events: [{ at: 10, kind: "A" }, { at: 20, kind: "B" }, { at: 30, kind: "C" }],
  instances: [{ start: 0, plans: ["p", "q"] }]
}
const other = {
  seed: 2,
  linger: 10,
  stop: undefined,
  events: [{ at: 100, kind: "X" }],
  instances: [{ start: 7, plans: ["r"] }, { start: 8, plans: [] }]
}

describe("a variation", () => {
  const varied = Array.from(
    { length: 400 },
    (_, seed) => Variations.vary(base, other, Simulation.randomNumbers(seed)) as typeof base
  )

  it("is a function of the numbers drawn", () => {
    varied.forEach((parts, seed) => {
      assert.deepStrictEqual(Variations.vary(base, other, Simulation.randomNumbers(seed)), parts)
    })
  })

  it("leaves much as it is, and keeps the seed every other time", () => {
    const keeping = (kept: (parts: typeof base) => boolean): number => varied.filter(kept).length

    assert.isAbove(keeping(({ linger }) => linger === base.linger), 300)
    assert.isBelow(keeping(({ linger }) => linger === base.linger), 400)
    assert.isAbove(keeping(({ seed }) => seed === base.seed), 150)
    assert.isBelow(keeping(({ seed }) => seed === base.seed), 250)
  })

  it("removes, moves and adds events", () => {
    const some = (is: (events: typeof base["events"]) => boolean): boolean => varied.some(({ events }) => is(events))

    assert.isTrue(some((events) => events.length < 3))
    assert.isTrue(some((events) => events.some(({ kind }) => kind === "X")))
    assert.isTrue(some((events) => events.some(({ at, kind }) => kind === "B" && at !== 20 && Math.abs(at - 20) <= 30)))
    assert.isTrue(varied.every(({ events }) => events.every(({ at }) => at >= 0)))
  })
})

describe("what is smaller", () => {
  const size = (value: unknown): number =>
    typeof value !== "object" || value === null
      ? value === undefined ? 0 : 1
      : Object.values(value).reduce((sum: number, part) => sum + size(part), 1)

  it("lacks something, wherever that is, and comes in the same order every time", () => {
    const smaller = [...Variations.smaller(base)]

    assert.isTrue(smaller.every((parts) => size(parts) < size(base)))
    assert.deepStrictEqual(smaller, [...Variations.smaller(base)])
    assert.isTrue(smaller.some((parts) => "stop" in parts && parts.stop === undefined))
    assert.deepInclude(smaller, { ...base, events: base.events.slice(1) })
    assert.deepInclude(smaller, { ...base, instances: [{ start: 0, plans: ["q"] }] })
    assert.deepInclude(smaller, { ...base, instances: [] })
  })
})
