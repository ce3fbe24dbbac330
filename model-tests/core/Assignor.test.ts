import { assert, describe, it } from "@effect/vitest"
import * as fc from "fast-check"
import { Assignor, TopicPartition } from "../../src/core/index.ts"

/** `{ member: "topic-partition …" }`. */
const told = (
  assignor: Assignor.Assignor,
  subscriptions: Readonly<Record<string, string>>,
  counts: Readonly<Record<string, number>>
): Readonly<Record<string, string>> =>
  Object.fromEntries(
    assignor(
      Object.entries(subscriptions).map(([member, topics]) => ({ member, topics: topics.split(" ") })),
      new Map(Object.entries(counts))
    ).map(({ member, partitions }) => [member, partitions.map(TopicPartition.key).join(" ")])
  )

// The examples in the documentation of Kafka's RangeAssignor and RoundRobinAssignor, and of their tests.
describe("range", () => {
  it("gives each member a run of every topic", () => {
    assert.deepStrictEqual(told(Assignor.range, { c1: "t0 t1", c0: "t0 t1" }, { t0: 3, t1: 3 }), {
      c0: "t0-0 t0-1 t1-0 t1-1",
      c1: "t0-2 t1-2"
    })
  })

  it("asks who subscribes", () => {
    assert.deepStrictEqual(told(Assignor.range, { a: "x", b: "x y", c: "x" }, { x: 3, y: 2 }), {
      a: "x-0",
      b: "x-1 y-0 y-1",
      c: "x-2"
    })
  })

  it("leaves out topics that are not there", () => {
    assert.deepStrictEqual(told(Assignor.range, { a: "x" }, {}), { a: "" })
  })
})

describe("roundRobin", () => {
  it("deals all partitions out in turn", () => {
    assert.deepStrictEqual(told(Assignor.roundRobin, { c1: "t0 t1", c0: "t0 t1" }, { t0: 3, t1: 3 }), {
      c0: "t0-0 t0-2 t1-1",
      c1: "t0-1 t1-0 t1-2"
    })
  })

  it("passes over who does not subscribe", () => {
    assert.deepStrictEqual(
      told(Assignor.roundRobin, { c0: "t0", c1: "t0 t1", c2: "t0 t1 t2" }, { t0: 1, t1: 2, t2: 3 }),
      { c0: "t0-0", c1: "t1-0", c2: "t1-1 t2-0 t2-1 t2-2" }
    )
  })
})

describe("both", () => {
  const topic = fc.constantFrom<Array<string>>("t", "u", "v")
  const subscriptions = fc.dictionary(fc.constantFrom("a", "b", "c", "d"), fc.uniqueArray(topic, { minLength: 1 }), {
    minKeys: 1
  })
  const counts = fc.record({ t: fc.nat(7), u: fc.nat(7), v: fc.nat(7) })

  for (const [name, assignor] of Object.entries({ range: Assignor.range, roundRobin: Assignor.roundRobin })) {
    it(`${name} gives every partition of a subscribed topic to one of its subscribers`, () => {
      fc.assert(
        fc.property(subscriptions, counts, (subscribed, partitionCounts) => {
          const subscribers = Object.entries(subscribed).map(([member, topics]) => ({ member, topics }))

          const found = assignor(subscribers, new Map(Object.entries(partitionCounts)))

          assert.sameMembers(found.map(({ member }) => member), Object.keys(subscribed))
          for (const { member, partitions } of found) {
            for (const partition of partitions) assert.include(subscribed[member] ?? [], partition.topic)
          }
          const topics = new Set(Object.values(subscribed).flat())
          const expected = Object.entries(partitionCounts).flatMap(([of, count]) =>
            topics.has(of) ? Array.from({ length: count }, (_, i) => `${of}-${i}`) : []
          )
          assert.sameMembers(found.flatMap(({ partitions }) => partitions.map(TopicPartition.key)), expected)
        }),
        { numRuns: 300, seed: 1 }
      )
    })
  }

  it("roundRobin differs by one at most where all subscribe to the same", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 5 }), counts, (members, partitionCounts) => {
        const subscribers = Array.from({ length: members }, (_, i) => ({ member: `m${i}`, topics: ["t", "u", "v"] }))
        const sizes = Assignor.roundRobin(subscribers, new Map(Object.entries(partitionCounts)))
          .map(({ partitions }) => partitions.length)
        assert.isAtMost(Math.max(...sizes) - Math.min(...sizes), 1)
      }),
      { numRuns: 200, seed: 1 }
    )
  })
})
