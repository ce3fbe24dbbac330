import { assert, describe, it } from "@effect/vitest"
import { model, type World } from "../../src/model/idempotent/index.ts"
import * as Model from "../../src/model/Model.ts"
import { configuration, reachable, setOf } from "./idempotent/support.ts"

const of = configuration({ Partitions: setOf("p1", "p2"), BatchesPerPartition: 1, FaultBudget: 1 })
const worlds = reachable(of)

/** The way without `apply`. */
const { apply, ...slow } = model

describe("the world after a call", () => {
  it("is the successor with that name and these arguments, in every world", () => {
    let steps = 0
    for (const world of worlds) {
      for (const step of model.successors(of, world)) {
        assert.deepStrictEqual(apply!(of, world, step), step.world)
        steps++
      }
    }

    assert.isAbove(steps, 1_000)
  })

  it("is the same without apply", () => {
    const everything = [...new Set(worlds.flatMap((world) => model.successors(of, world).map(Model.render)))]
    const calls = everything.map((text) => {
      const [action, ...instance] = text.split(/[(), ]+/).filter((part) => part !== "")
      return { action: action!, arguments: instance }
    })
    const disabled = (world: World.World) => calls.filter((call) => apply!(of, world, call) === undefined)

    for (const world of worlds.filter((_, i) => i % 50 === 0)) {
      for (const call of calls) {
        assert.deepStrictEqual(apply!(of, world, call), Model.worldAfter(slow, of, world, call))
        assert.deepStrictEqual(apply!(of, world, call), Model.worldAfter(model, of, world, call))
      }
      assert.isNotEmpty(disabled(world))
    }
  })

  it("is none where the action does not exist or has other arguments", () => {
    const [world] = worlds
    const after = (action: string, ...instance: ReadonlyArray<string | number>) =>
      Model.worldAfter(model, of, world!, { action, arguments: instance })

    assert.isDefined(after("Send", "p1"))
    assert.isUndefined(after("Send", "p3"))
    assert.isUndefined(after("Send"))
    assert.isUndefined(after("Send", "p1", 0))
    assert.isUndefined(after("Teleport", "p1"))
    assert.isUndefined(after("constructor"))
  })
})
