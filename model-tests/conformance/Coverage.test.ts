import { assert, describe, it } from "@effect/vitest"
import * as Coverage from "../../src/conformance/Coverage.ts"
import type { Explored } from "../../src/conformance/Task.ts"
import * as Models from "../../src/model/Models.ts"

const specification = "IdempotentProducer"
const model = Models.named(specification)
const witnesses = Object.keys(model.witnesses!)

const each = (names: ReadonlyArray<string>, count: number): Readonly<Record<string, number>> =>
  Object.fromEntries(names.map((name) => [name, count]))

/** An exploration that takes every action twice and reaches every witness in three states. */
const explored = (over: Partial<Explored> = {}): Explored => ({
  specification,
  states: 10,
  edges: 20,
  depth: 5,
  actions: each(model.actionNames, 2),
  refusals: ["Produce KAFKA_STORAGE_ERROR"],
  witnesses: each(witnesses, 3),
  seconds: 1,
  ...over
})

const red = (explorations: ReadonlyArray<Explored>) =>
  Coverage.checksOf(Coverage.of(explorations)).flatMap(({ detail, name, status }) =>
    status === "failed" ? [`${name}: ${detail}`] : []
  )

describe("of", () => {
  it("adds up what the models reach, and counts the models that reach it", () => {
    const coverage = Coverage.of([
      explored(),
      explored({ witnesses: { ...each(witnesses, 3), LateCopy: 0 }, actions: { Send: 5 } }),
      explored({ refusals: ["Produce KAFKA_STORAGE_ERROR", "Produce NOT_LEADER_OR_FOLLOWER"] })
    ])

    assert.deepStrictEqual(coverage.witnesses.map(({ name }) => name), witnesses)
    assert.deepStrictEqual(coverage.witnesses.find(({ name }) => name === "LateCopy"), {
      specification,
      name: "LateCopy",
      sentence: "a request of a connection that is gone may still arrive",
      states: 6,
      models: 2
    })
    assert.deepStrictEqual(coverage.actions.slice(0, 2), [
      { specification, name: "Send", steps: 9, models: 3 },
      { specification, name: "Resend", steps: 4, models: 2 }
    ])
    assert.deepStrictEqual(coverage.refusals, [
      { specification, pairs: ["Produce KAFKA_STORAGE_ERROR", "Produce NOT_LEADER_OR_FOLLOWER"] }
    ])
  })

  it("is nothing of nothing", () => {
    assert.deepStrictEqual(Coverage.of([]), { witnesses: [], actions: [], refusals: [] })
    assert.deepStrictEqual(Coverage.checksOf(Coverage.of([])), [])
  })
})

describe("the checks", () => {
  it("pass when some model reaches what another does not", () => {
    const [first, second] = [model.actionNames.slice(0, 3), model.actionNames.slice(3)]
    const checks = Coverage.checksOf(Coverage.of([
      explored({ actions: each(first, 1), witnesses: {} }),
      explored({ actions: each(second, 1) })
    ]))

    assert.deepStrictEqual(checks, [
      { name: "IdempotentProducer: every action is taken", status: "passed" },
      { name: "IdempotentProducer: every witness is reached", status: "passed" }
    ])
  })

  it("are red for an action that no model takes", () => {
    const without = { actions: { ...each(model.actionNames, 2), BumpEpoch: 0 } }

    assert.deepStrictEqual(red([explored(without), explored(without)]), [
      "IdempotentProducer: every action is taken: BumpEpoch in no model"
    ])
  })

  it("are red for a witness that no model reaches, and name it", () => {
    const without = { witnesses: { ...each(witnesses, 3), LateCopy: 0, EpochBumped: 0 } }

    assert.deepStrictEqual(red([explored(without)]), [
      "IdempotentProducer: every witness is reached: LateCopy in no model; EpochBumped in no model"
    ])
  })

  it("are red when nobody counted", () => {
    assert.strictEqual(red([explored({ witnesses: {}, actions: {} })]).length, 2)
  })
})
