import { assert, describe, it } from "@effect/vitest"
import { Effect, Result } from "effect"
import { writeFileSync } from "node:fs"
import { join } from "node:path"
import * as Counterexample from "../../src/conformance/Counterexample.ts"
import * as Exhibits from "../../src/conformance/Exhibits.ts"
import * as ModelCheck from "../../src/conformance/ModelCheck.ts"
import * as Specification from "../../src/conformance/Specification.ts"
import * as Explorer from "../../src/model/Explorer.ts"
import type { TraceState } from "../../src/tlc/index.ts"
import * as Value from "../../src/tlc/Value.ts"
import { describeTlc, toolchain } from "../tlc/support.ts"
import { temporary } from "./support.ts"

const { exhibits, models } = Effect.runSync(Specification.manifest)

/** What the explorer finds in the configuration of an exhibit. */
const found = Effect.fnUntraced(function*(exhibit: Specification.Exhibit) {
  const { config, module, property } = exhibit
  const checked = yield* Specification.load(module, config)
  const { violation } = Explorer.explore({ ...checked, properties: [property] })
  const about = { specification: checked.model.specification, module, config, property, foundBy: "explorer" }
  return {
    ...checked,
    about,
    trace: violation!.trace,
    counterexample: Counterexample.fromExplorer(checked.model, checked.configuration, about, violation!.trace)
  }
})

const named = (name: string) => found(exhibits.find((exhibit) => exhibit.name === name)!)

const { about: origin, configuration, counterexample, model, trace } = Effect.runSync(named("KAFKA-15591"))
const text = Counterexample.print(counterexample)
const states = counterexample.states

/** The states as TLC prints them: as text, and without arguments. */
const asTlc = (of: Counterexample.Counterexample): ReadonlyArray<TraceState> =>
  of.states.map(({ action, variables }, i) => ({
    index: i + 1,
    action,
    location: undefined,
    variables: Object.fromEntries(Object.entries(variables).map(([name, value]) => [name, Value.print(value)]))
  }))

const replay = (changed: Partial<Counterexample.Counterexample>) =>
  Counterexample.replay(model, configuration, { ...counterexample, ...changed })

const notShown = (changed: Partial<Counterexample.Counterexample>): Counterexample.NotShown => {
  const result = replay(changed)
  return result._tag === "NotShown" ? result : assert.fail(result.steps.join(" "))
}

describe("the counterexample of an exhibit", () => {
  for (const exhibit of exhibits) {
    it.effect(`${exhibit.name}: is read as it was written, and shows the bug in the code that has it only`, () =>
      Effect.gen(function*() {
        const bug = yield* found(exhibit)
        const clean = yield* Exhibits.loadClean(exhibit)

        const again = Counterexample.parse(Counterexample.print(bug.counterexample))
        const shown = Counterexample.replay(bug.model, bug.configuration, again)
        const gone = Counterexample.replay(clean.model, clean.configuration, again)

        assert.deepStrictEqual(again, bug.counterexample)
        assert.strictEqual(again.states.length, exhibit.length)
        assert.deepStrictEqual(shown, {
          _tag: "Shown",
          steps: bug.trace.slice(1).map(({ action, arguments: instance }) =>
            instance.length === 0 ? action! : `${action}(${instance.join(", ")})`
          )
        })
        assert.strictEqual(gone._tag, "NotShown")
      }))
  }
})

describe("a trace of TLC", () => {
  it("gets back its arguments", () => {
    const recovered = Counterexample.fromTlc(model, configuration, origin, asTlc(counterexample))

    assert.deepStrictEqual(recovered, counterexample)
    assert.isTrue(trace.some(({ arguments: instance }) => instance.length > 1))
  })

  it("gets back its actions too where it has none", () => {
    const nameless = asTlc(counterexample).map((state) => ({ ...state, action: undefined }))

    assert.deepStrictEqual(Counterexample.fromTlc(model, configuration, origin, nameless), counterexample)
  })

  it("is refused where the code has no such step", () => {
    const all = asTlc(counterexample)
    const refused = (states: ReadonlyArray<TraceState>, message: RegExp) =>
      assert.throws(() => Counterexample.fromTlc(model, configuration, origin, states), message)

    refused(
      all.with(2, { ...all[2]!, action: "Replicate" }),
      /the code has no Replicate from state 2 to state 3 of TLC/
    )
    refused(all.toSpliced(3, 1), /from state 3 to state 4 of TLC/)
    refused(all.with(1, { ...all[1]!, variables: { ...all[1]!.variables, faults: "\"none\"" } }), /state 2 is none of/)
  })
})

describeTlc("what TLC finds", () => {
  for (const name of ["KAFKA-15591", "redpanda-3038"]) {
    it.live(`${name}: is shown by the code too`, () =>
      Effect.gen(function*() {
        const { about, ...checked } = yield* named(name)

        const outcome = yield* ModelCheck.verdict(toolchain(), checked, { quick: true })
        if (outcome._tag === "Holds") return assert.fail("TLC finds nothing")
        const written = Counterexample.fromTlc(checked.model, checked.configuration, about, outcome.trace)
        const read = Counterexample.parse(Counterexample.print(written))

        assert.strictEqual(read.states.length, outcome.trace.length)
        assert.strictEqual(Counterexample.replay(checked.model, checked.configuration, read)._tag, "Shown")
      }))
  }
})

describe("a counterexample that was changed", () => {
  it("in its first state begins elsewhere", () => {
    const result = notShown({ states: states.slice(1) })

    assert.deepInclude(result, { state: 1, sentence: "the code begins in another state" })
    assert.isNotEmpty(result.differences)
  })

  it("in the name of an action has a step that the code cannot take", () => {
    const result = notShown({ states: states.with(3, { ...states[3]!, action: "LeaderChange", arguments: ["p7"] }) })

    assert.deepInclude(result, { state: 4, sentence: "the code cannot take LeaderChange(p7)" })
    const { action, arguments: instance } = states[3]!
    assert.include(result.allowed, `${action}(${instance.join(", ")})`)
  })

  it("in a state has a step that leads elsewhere, and the differences", () => {
    const variables = { ...states[2]!.variables, highWatermark: Value.record({ p1: 3 }) }

    const result = notShown({ states: states.with(2, { ...states[2]!, variables }) })

    assert.strictEqual(result.state, 3)
    assert.match(result.sentence, /leads the code elsewhere$/)
    assert.deepStrictEqual(result.differences.map(({ expected, path }) => [path, expected]), [[
      "highWatermark.p1",
      "3"
    ]])
  })

  it("by a step left out does not get past it", () => {
    for (let at = 1; at < states.length - 1; at++) {
      assert.strictEqual(notShown({ states: states.toSpliced(at, 1) }).state, at + 1)
    }
  })

  it("by its last step left out violates nothing", () => {
    assert.deepInclude(notShown({ states: states.slice(0, -1) }), {
      state: states.length - 1,
      sentence: "NoGap holds in the last state"
    })
  })

  it("by a step added violates the property too early", () => {
    const world = trace.at(-1)!.world
    const next = model.successors(configuration, world)[0]!
    const more = Counterexample.fromExplorer(model, configuration, origin, [...trace, next])

    assert.deepInclude(notShown(more), { state: states.length, sentence: "NoGap is violated before the last state" })
  })

  it("in its property shows another, or none", () => {
    assert.strictEqual(notShown({ origin: { ...origin, property: "ReplicasAgree" } }).state, states.length)
    assert.throws(
      () => replay({ origin: { ...origin, property: "Fame" } }),
      /the code of IdempotentProducer does not have Fame/
    )
  })

  it("in its variables is none of the specification", () => {
    const { faults, ...others } = states[1]!.variables
    const changed = (variables: Readonly<Record<string, Value.Value>>) => () =>
      replay({ states: states.with(1, { ...states[1]!, variables }) })

    assert.throws(changed(others), /state 2 has no faults, which IdempotentProducer has/)
    assert.throws(changed({ ...states[1]!.variables, clock: 1 }), /state 2 has clock, which IdempotentProducer has not/)
    assert.throws(changed({ ...others, faults: "2" }), /state 2 is none of IdempotentProducer: expected a number/)
    assert.throws(changed({ ...others, faults: faults!, leader: 7 }), Counterexample.CounterexampleError)
    assert.throws(() => replay({ states: [] }), /there is no state/)
  })

  it("to a step property is judged by its last step", () => {
    const { arguments: _, ...first } = trace[0]!
    const stepProperties = { NothingIsSent: (_of: unknown, from: unknown, to: unknown) => from === to }
    const short = Counterexample.fromExplorer(
      model,
      configuration,
      { ...origin, property: "NothingIsSent" },
      [{ ...first, arguments: [] }, trace[1]!]
    )

    const result = Counterexample.replay({ ...model, stepProperties }, configuration, short)

    assert.strictEqual(result._tag, "Shown")
  })
})

describe("a damaged file", () => {
  const without = (name: string) => text.replace(new RegExp(`,?"${name}":("[^"]*"|\\[[^\\]]*\\]|\\d+)`), "")
  const damaged: ReadonlyArray<readonly [what: string, text: string, message: RegExp]> = [
    ["empty", "", /^not JSON: cut off, damaged, or no trace$/],
    ["cut off", text.slice(0, -200), /^not JSON/],
    ["of another format", text.replace("\"ITF\"", "\"OTF\""), /none of ours/],
    ["of another version", text.replace("\"schemaVersion\":1", "\"schemaVersion\":2"), /of another version/],
    ["of another tool", `{"vars":["x"],"states":[{"x":1}]}`, /none of ours/],
    ["without its module", without("source"), /#meta has no source/],
    ["without its configuration", without("config"), /#meta has no config/],
    ["without its property", without("property"), /#meta has no property/],
    ["without its specification", without("specification"), /#meta has no specification/],
    ["without who found it", without("foundBy"), /#meta has no foundBy/],
    ["without an action", without("action"), /state 2 does not say which action led to it/],
    ["without arguments", without("arguments"), /state 2 does not say with which arguments/],
    ["with an odd argument", text.replace("\"arguments\":[\"p1\"]", "\"arguments\":[true]"), /neither text nor number/],
    ["with a state moved", text.replace("\"index\":2", "\"index\":3"), /state 3 is not numbered 2/],
    ["with a damaged value", text.replace(/"faults": \d/, "\"faults\": null"), /state 0, faults: null is no value/]
  ]
  it.each(damaged)("%s: is refused in one sentence", (_what, damagedText, message) => {
    assert.notStrictEqual(damagedText, text)
    const result = Result.try(() => Counterexample.parse(damagedText))

    const error = Result.isFailure(result) ? result.failure : assert.fail("accepted")
    assert.instanceOf(error, Counterexample.CounterexampleError)
    assert.match((error as Error).message, message)
    assert.notInclude((error as Error).message, "\n")
  })

  it.effect("is named where it is read", () =>
    Effect.gen(function*() {
      const path = join(yield* temporary, "cut.itf.json")
      const reading = (content: string) =>
        Effect.map(
          Effect.flip(Effect.suspend(() => {
            writeFileSync(path, content)
            return Counterexample.read(path)
          })),
          ({ message }) => message
        )

      assert.match(yield* reading(text.slice(0, 99)), /cut\.itf\.json: not JSON/)
      assert.match(yield* reading(text.replace(".cfg", ".cgf")), /\.cgf cannot be read/)
      assert.match(
        yield* reading(text.replace("\"IdempotentProducer\"", "\"Nothing\"")),
        /cut\.itf\.json: .* is no longer about Nothing/
      )
    }))

  it.effect("is read with its configuration when it is whole", () =>
    Effect.gen(function*() {
      const path = join(yield* temporary, "whole.itf.json")
      writeFileSync(path, text)

      const { checked, counterexample: again } = yield* Counterexample.read(path)

      assert.deepStrictEqual(again, counterexample)
      assert.strictEqual(Counterexample.replay(checked.model, checked.configuration, again)._tag, "Shown")
    }))
})

it("there are exhibits and models to make counterexamples of", () => {
  assert.isAtLeast(exhibits.length, 8)
  assert.isNotEmpty(models)
})
