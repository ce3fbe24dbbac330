import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import * as Specification from "../../src/conformance/Specification.ts"
import { Actions, type Configuration, Explorer, Properties, World } from "../../src/model/index.ts"
import * as Keys from "../../src/model/Keys.ts"
import { configuration, reachable, setOf } from "./support.ts"

const manifest = JSON.parse(
  readFileSync(join(import.meta.dirname, "../../spec/models/manifest.json"), "utf8")
) as Specification.Manifest

const isProperty = (name: string): name is Properties.PropertyName =>
  name in Properties.invariants || name in Properties.stepProperties

const load = (module: string, config: string): Effect.Effect<Configuration.Configuration, unknown> =>
  Effect.map(Specification.load(module, config), (checked) => checked.configuration)

const everything = [...Object.keys(Properties.invariants), ...Object.keys(Properties.stepProperties)].filter(isProperty)

/** Whether each state of a trace follows from the one before by the step that is named. */
const assertWalk = (of: Configuration.Configuration, trace: ReadonlyArray<Explorer.TraceStep>): void => {
  const { key } = Keys.make()
  assert.strictEqual(key(trace[0]!.world), key(World.initial(of)))
  assert.isUndefined(trace[0]!.action)
  trace.slice(1).forEach((step, i) => {
    const name = Actions.render({ action: step.action!, arguments: step.arguments })
    const taken = Actions.successors(of, trace[i]!.world).filter((next) => Actions.render(next) === name)
    assert.strictEqual(taken.length, 1, `step ${i + 1}: ${name}`)
    assert.strictEqual(key(taken[0]!.world), key(step.world), `step ${i + 1}: ${name}`)
  })
}

describe("explores the graph that is pinned for", () => {
  const small = manifest.models.filter(({ counts }) => counts !== undefined && counts.distinct < 4000)

  it("the small models, and there are some", () => {
    assert.includeMembers(small.map(({ name }) => name), ["wrap-small", "acks-1-small", "base-two-partitions"])
  })

  for (const { config, counts, module, name, properties } of small) {
    it.effect(name, () =>
      Effect.gen(function*() {
        const of = yield* load(module, config)

        const found = Explorer.explore({ configuration: of, properties: properties.filter(isProperty) })

        assert.isUndefined(found.violation)
        assert.isTrue(found.complete)
        assert.deepStrictEqual(
          { distinct: found.states, generated: found.edges + 1, depth: found.depth },
          { distinct: counts!.distinct, generated: counts!.generated, depth: counts!.depth }
        )
        assert.strictEqual(Object.values(found.actions).reduce((sum, count) => sum + count), found.edges)
        for (const [action, count] of Object.entries(counts!.actions)) {
          assert.strictEqual(found.actions[action as Actions.ActionName], count, action)
        }
      }))
  }
})

describe("finds a shortest counterexample of", () => {
  it("the exhibits, and there are some", () => {
    assert.isNotEmpty(manifest.exhibits)
  })

  for (const { config, length, module, name, property } of manifest.exhibits) {
    it.effect(name, () =>
      Effect.gen(function*() {
        const of = yield* load(module, config)

        const { complete, violation } = Explorer.explore({
          configuration: of,
          properties: [property].filter(isProperty)
        })

        assert.isTrue(complete)
        assert.strictEqual(violation?.property, property)
        assert.strictEqual(violation?.trace.length, length)
        assertWalk(of, violation!.trace)
        const last = violation!.trace.at(-1)!.world
        const holds = Properties.invariants[property as keyof typeof Properties.invariants]
        assert.isFalse(holds(of, last))
        for (const step of violation!.trace.slice(0, -1)) assert.isTrue(holds(of, step.world))
      }))
  }

  it("a step property", () => {
    const of = configuration({}, {
      MayBumpEpoch: "MayBumpEpoch_Kafka",
      RestoreProducers: "RestoreProducers_AutoMQ_437"
    })
    const restarts = { ...of, faultKinds: new Set(["RestartLeader"] as const) }

    const { violation } = Explorer.explore({ configuration: restarts, properties: ["Refines"] })

    assert.strictEqual(violation?.property, "Refines")
    assertWalk(restarts, violation!.trace)
    const [from, to] = violation!.trace.slice(-2)
    assert.isFalse(Properties.stepProperties.Refines(restarts, from!.world, to!.world))
  })
})

describe("explore", () => {
  const of = configuration()

  it("meets every world once and takes every step", () => {
    const worlds = reachable(of)

    const found = Explorer.explore({ configuration: of, properties: everything })

    assert.isUndefined(found.violation)
    assert.strictEqual(found.states, worlds.length)
    assert.strictEqual(found.edges, worlds.reduce((sum, world) => sum + Actions.successors(of, world).length, 0))
  })

  it("a smaller bound gives another graph", () => {
    const two = Explorer.explore({ configuration: configuration({ FaultBudget: 2 }), properties: [] })
    const one = Explorer.explore({ configuration: of, properties: [] })

    assert.isBelow(one.states, two.states)
    assert.isBelow(one.edges, two.edges)
  })

  for (const maxStates of [1, 50]) {
    it(`stops at ${maxStates} states and says that it is not complete`, () => {
      const found = Explorer.explore({ configuration: of, properties: everything, maxStates })

      assert.isFalse(found.complete)
      assert.isUndefined(found.violation)
      assert.isAtLeast(found.states, maxStates)
      assert.isBelow(found.states, maxStates + 20)
    })
  }

  it("watches the properties that it is asked to watch, and no others", () => {
    const lossy = configuration({ Acks: "0", Idempotence: false, FaultKinds: setOf("Disconnect", "LeaderChange") })

    assert.strictEqual(
      Explorer.explore({ configuration: lossy, properties: ["NoLoss"] }).violation?.property,
      "NoLoss"
    )
    assert.isUndefined(Explorer.explore({ configuration: lossy, properties: ["NoDuplicate"] }).violation)
    assert.isUndefined(Explorer.explore({ configuration: lossy, properties: [] }).violation)
  })
})
