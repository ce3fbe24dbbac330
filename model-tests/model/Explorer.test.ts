import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import * as Specification from "../../src/conformance/Specification.ts"
import * as Explorer from "../../src/model/Explorer.ts"
import { Actions, type Configuration, model, Properties, Witnesses } from "../../src/model/idempotent/index.ts"
import * as Interner from "../../src/model/Interner.ts"
import * as Model from "../../src/model/Model.ts"
import { configuration, reachable, setOf } from "./idempotent/support.ts"

const manifest = JSON.parse(
  readFileSync(join(import.meta.dirname, "../../spec/models/manifest.json"), "utf8")
) as Specification.Manifest

const everything = [...Object.keys(Properties.invariants), ...Object.keys(Properties.stepProperties)]

const explore = (of: Configuration.Configuration, properties: ReadonlyArray<string>, maxStates = Infinity) =>
  Explorer.explore({ model, configuration: of, properties, maxStates })

/** Whether each state of a trace follows from the one before by the step that is named. */
const assertWalk = <Configuration, World>(
  walked: Model.Model<Configuration, World>,
  of: Configuration,
  trace: ReadonlyArray<Explorer.TraceStep<World>>
): void => {
  const { number } = Interner.make(walked.packing(of))
  assert.strictEqual(number(trace[0]!.world), number(walked.initial(of)))
  assert.isUndefined(trace[0]!.action)
  trace.slice(1).forEach((step, i) => {
    const name = Model.render({ action: step.action!, arguments: step.arguments })
    const taken = walked.successors(of, trace[i]!.world).filter((next) => Model.render(next) === name)
    assert.strictEqual(taken.length, 1, `step ${i + 1}: ${name}`)
    assert.strictEqual(number(taken[0]!.world), number(step.world), `step ${i + 1}: ${name}`)
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
        const checked = yield* Specification.load(module, config)

        const found = Explorer.explore({
          ...checked,
          properties: properties.filter((property) => Model.hasProperty(checked.model, property))
        })

        assert.isUndefined(found.violation)
        assert.isTrue(found.complete)
        assert.deepStrictEqual(
          { distinct: found.states, generated: found.edges + 1, depth: found.depth },
          { distinct: counts!.distinct, generated: counts!.generated, depth: counts!.depth }
        )
        assert.strictEqual(Object.values(found.actions).reduce((sum, count) => sum + count), found.edges)
        for (const [action, count] of Object.entries(counts!.actions)) {
          assert.strictEqual(found.actions[action], count, action)
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
        const { configuration: of, model: broken } = yield* Specification.load(module, config)

        const { complete, violation } = Explorer.explore({ model: broken, configuration: of, properties: [property] })

        assert.isTrue(complete)
        assert.strictEqual(violation?.property, property)
        assert.strictEqual(violation?.trace.length, length)
        assertWalk(broken, of, violation!.trace)
        // Each state as an invariant sees it, and each with the one before it as a step property does.
        const verdicts = violation!.trace.map(({ world }, i) =>
          broken.invariants[property]?.(of, world)
            ?? (i === 0 || broken.stepProperties[property]!(of, violation!.trace[i - 1]!.world, world))
        )
        assert.deepStrictEqual(verdicts, verdicts.map((_, i) => i < verdicts.length - 1))
      }))
  }

  it("a step property", () => {
    const of = configuration({}, {
      MayBumpEpoch: "MayBumpEpoch_Kafka",
      RestoreProducers: "RestoreProducers_AutoMQ_437"
    })
    const restarts = { ...of, faultKinds: new Set(["RestartLeader"] as const) }

    const { violation } = explore(restarts, ["Refines"])

    assert.strictEqual(violation?.property, "Refines")
    assertWalk(model, restarts, violation!.trace)
    const [from, to] = violation!.trace.slice(-2)
    assert.isFalse(Properties.stepProperties.Refines(restarts, from!.world, to!.world))
  })
})

describe("explore", () => {
  const of = configuration()

  it("meets every world once and takes every step", () => {
    const worlds = reachable(of)

    const found = explore(of, everything)

    assert.isUndefined(found.violation)
    assert.strictEqual(found.states, worlds.length)
    assert.strictEqual(found.edges, worlds.reduce((sum, world) => sum + Actions.successors(of, world).length, 0))
  })

  it("a smaller bound gives another graph", () => {
    const two = explore(configuration({ FaultBudget: 2 }), [])
    const one = explore(of, [])

    assert.isBelow(one.states, two.states)
    assert.isBelow(one.edges, two.edges)
  })

  for (const maxStates of [1, 50]) {
    it(`stops at ${maxStates} states and says that it is not complete`, () => {
      const found = explore(of, everything, maxStates)

      assert.isFalse(found.complete)
      assert.isUndefined(found.violation)
      assert.isAtLeast(found.states, maxStates)
      assert.isBelow(found.states, maxStates + 20)
    })
  }

  it("watches the properties that it is asked to watch, and no others", () => {
    const lossy = configuration({ Acks: "0", Idempotence: false, FaultKinds: setOf("Disconnect", "LeaderChange") })

    assert.strictEqual(explore(lossy, ["NoLoss"]).violation?.property, "NoLoss")
    assert.isUndefined(explore(lossy, ["NoDuplicate"]).violation)
    assert.isUndefined(explore(lossy, []).violation)
    assert.throws(() => explore(lossy, ["NoLoss", "NoLuck"]), /IdempotentProducer has no NoLuck in code/)
  })

  it("counts in how many worlds each witness is seen, if asked to", () => {
    const worlds = reachable(of)
    const expected = Object.fromEntries(
      Object.entries(Witnesses.witnesses).map((
        [name, holds]
      ) => [name, worlds.filter((world) => holds(of, world)).length])
    )

    const { witnesses } = Explorer.explore({ model, configuration: of, properties: [], witnesses: true })

    assert.deepStrictEqual(witnesses, expected)
    assert.isAbove(witnesses["SeveralInFlight"]!, 0)
    assert.strictEqual(witnesses["ProducerIdReplaced"], 0)
    assert.deepStrictEqual(explore(of, everything).witnesses, {})
  })

  it("sees a witness in the initial world and in one that breaks a property", () => {
    const everywhere = { ...model, witnesses: { Anywhere: () => true } }
    const lossy = configuration({ Acks: "0", Idempotence: false, FaultKinds: setOf("Disconnect", "LeaderChange") })

    const { states, violation, witnesses } = Explorer.explore({
      model: everywhere,
      configuration: lossy,
      properties: ["NoLoss"],
      witnesses: true
    })

    assert.isDefined(violation)
    assert.strictEqual(witnesses["Anywhere"], states)
  })

  it("names what is refused, and with which error", () => {
    const refusing = configuration({ FaultKinds: setOf("KAFKA_STORAGE_ERROR", "TOPIC_AUTHORIZATION_FAILED") })

    assert.deepStrictEqual(explore(refusing, []).refusals, [
      "Produce KAFKA_STORAGE_ERROR",
      "Produce TOPIC_AUTHORIZATION_FAILED"
    ])
    assert.deepStrictEqual(explore(configuration({ FaultKinds: setOf("Disconnect") }), []).refusals, [])
  })
})
