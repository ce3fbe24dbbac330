import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { type Fetch, FetchRules } from "../../../src/core/index.ts"
import { ReadCommitted, Simulation } from "../../../src/runtime/index.ts"
import { entries, writes } from "../../core/fetch.ts"

const { Controlled, Leader } = ReadCommitted
const rules = FetchRules.base

const start = (text: string, seed = 0) => {
  const controlled = Controlled.make({ rules, seed })
  const write = (more: string): void => {
    for (const input of writes(more)) assert.isTrue(controlled.perform(input))
  }
  write(text)
  return { ...controlled, write }
}

describe("a controlled leader with its consumer", () => {
  it("delivers what was committed and advances past the rest", () => {
    const { close, perform, snapshot } = start("1 2 A1 C2")

    assert.isTrue(perform({ _tag: "FetchRecords", count: 3 }))
    assert.deepInclude(snapshot(), { position: 3, delivered: [1] })
    assert.isTrue(perform({ _tag: "FetchRecords", count: 1 }))
    assert.deepInclude(snapshot(), { position: 4, delivered: [1] })
    assert.isFalse(perform({ _tag: "FetchRecords", count: 1 }))
    assert.deepStrictEqual(snapshot().partition.log, entries("1 2 A1 C2"))
    close()
  })

  it("answers a fetch that waits when there is something, and one fetch at a time", () => {
    const { close, perform, snapshot, write } = start("")

    assert.isTrue(perform({ _tag: "ParkFetch" }))
    assert.isFalse(perform({ _tag: "ParkFetch" }))
    assert.isFalse(perform({ _tag: "CompleteFetch", count: 1 }))
    write("1 C1")
    assert.isFalse(perform({ _tag: "FetchRecords", count: 1 }))
    assert.deepInclude(snapshot(), { position: 0, delivered: [] })
    assert.isTrue(perform({ _tag: "CompleteFetch", count: 2 }))
    assert.deepInclude(snapshot(), { position: 2, delivered: [0] })
    assert.isUndefined(snapshot().partition.parked)
    close()
  })

  it("rests in the same state in whatever order its fibers continue", () => {
    const states = Array.from({ length: 20 }, (_, seed) => {
      const { close, perform, snapshot, write } = start("1 2 A2 A1", seed)
      perform({ _tag: "FetchRecords", count: 3 })
      perform({ _tag: "FetchRecords", count: 1 })
      perform({ _tag: "ParkFetch" })
      write("1 C1")
      perform({ _tag: "CompleteFetch", count: 1 })
      close()
      return snapshot()
    })

    assert.deepInclude(states[0], { position: 5, delivered: [4] })
    for (const state of states) assert.deepStrictEqual(state, states[0])
  })

  it("shows a state that does not change any more", () => {
    const { close, perform, snapshot } = start("1 C1 1 C1")
    perform({ _tag: "FetchRecords", count: 2 })
    const before = snapshot()
    perform({ _tag: "FetchRecords", count: 2 })

    assert.deepStrictEqual(before.delivered, [0])
    assert.deepStrictEqual(snapshot().delivered, [0, 2])
    close()
  })
})

describe("a leader", () => {
  /** Runs it with the answers that two clients get. */
  const run = (
    use: (
      leader: ReadCommitted.Leader.Leader["Service"],
      reply: (client: number) => ReadCommitted.Leader.Reply
    ) => Effect.Effect<void>
  ) => {
    const answers: Array<readonly [client: number, fetched: Fetch.Fetched]> = []
    const reply = (client: number): ReadCommitted.Leader.Reply => (fetched) =>
      Effect.sync(() => void answers.push([client, fetched]))
    Simulation.make({ seed: 0 }).settled(
      Leader.Leader.use((leader) => use(leader, reply)).pipe(Effect.provide(Leader.Leader.layer({ rules })))
    )
    return answers.map(([client, { offset }]) => [client, offset])
  }

  it("answers who has asked, and whose fetch waits", () => {
    const answers = run((leader, reply) =>
      Effect.gen(function*() {
        for (const input of writes("1 C1")) yield* leader.turn(input)
        yield* leader.turn({ _tag: "FetchRecords", offset: 0, count: 1, reply: reply(1) })
        yield* leader.turn({ _tag: "ParkFetch", offset: 2, reply: reply(2) })
        yield* leader.turn({ _tag: "FetchRecords", offset: 1, count: 1, reply: reply(1) })
        for (const input of writes("1 C1")) yield* leader.turn(input)
        yield* leader.turn({ _tag: "CompleteFetch", count: 1 })
        yield* leader.turn({ _tag: "FetchRecords", offset: 3, count: 1, reply: reply(1) })
      })
    )

    assert.deepStrictEqual(answers, [[1, 0], [2, 2], [1, 3]])
  })
})
