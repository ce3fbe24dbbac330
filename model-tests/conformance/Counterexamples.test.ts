import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { readFileSync, writeFileSync } from "node:fs"
import { join, relative } from "node:path"
import * as Counterexample from "../../src/conformance/Counterexample.ts"
import * as Counterexamples from "../../src/conformance/Counterexamples.ts"
import * as Exhibits from "../../src/conformance/Exhibits.ts"
import * as Specification from "../../src/conformance/Specification.ts"
import { temporary } from "./support.ts"

const { exhibits } = Effect.runSync(Specification.manifest)
const exhibit = exhibits.find(({ name }) => name === "KAFKA-15591")!
const clean = Effect.runSync(Exhibits.loadClean(exhibit))
const text = readFileSync(Counterexamples.pathOf(exhibit.name), "utf8")
const counterexample = Counterexample.parse(text)
const { origin, states } = counterexample

/** The document without one of its states. */
const withoutState = (index: number): unknown => {
  const document = JSON.parse(text) as { readonly states: ReadonlyArray<unknown> }
  return { ...document, states: document.states.toSpliced(index, 1) }
}

/** The name under which the committed ones would have `counterexample` in a folder of the test. */
const written = Effect.fnUntraced(function*(of: Counterexample.Counterexample | string) {
  const folder = yield* temporary
  const path = Counterexamples.pathOf("changed", folder)
  writeFileSync(path, typeof of === "string" ? of : Counterexample.print(of))
  return { path, name: relative(join(Specification.home, "traces/counterexamples"), join(folder, "changed")) }
})

describe("the committed counterexamples", () => {
  it("are those of the exhibits, and all of them", () => {
    assert.isNotEmpty(exhibits)
    assert.includeMembers([...Counterexamples.names()], exhibits.map(({ name }) => name))
  })

  for (const one of exhibits) {
    it.effect(`${one.name} shows, and not without the bug`, () =>
      Effect.gen(function*() {
        assert.deepStrictEqual(yield* Counterexamples.missed(one, yield* Exhibits.loadClean(one)), [])
      }))
  }
})

describe("the counterexample of an exhibit is red when it", () => {
  const missing = (of: Counterexample.Counterexample, pinned: Partial<Specification.Exhibit> = {}) =>
    Effect.gen(function*() {
      const { name } = yield* written(of)
      return yield* Counterexamples.missed({ ...exhibit, ...pinned, name }, clean)
    })

  it.effect("has another length than is pinned", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* missing(counterexample, { length: 7 }), ["it has 8 states, pinned 7"])
    }))

  it.effect("is about something else", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* missing(counterexample, { property: "NoLoss" }), [
        "it is about NoGap in museum/KAFKA_15591.cfg"
      ])
    }))

  it.effect("ends before the violation", () =>
    Effect.gen(function*() {
      const [length, end, ...others] = yield* missing({ origin, states: states.slice(0, -1) })

      assert.strictEqual(length, "it has 7 states, pinned 8")
      assert.match(end!, /^state 7: NoGap holds in the last state$/m)
      assert.match(end!, /the code can: .*Replicate\(p1\)/)
      assert.deepStrictEqual(others, [])
    }))

  it.effect("takes a step that the code cannot take", () =>
    Effect.gen(function*() {
      const [step] = yield* missing({ origin, states: states.with(2, { ...states[2]!, action: "Replicate" }) })

      assert.match(step!, /^state 3: the code cannot take Replicate/)
    }))

  it.effect("shows in the code without the bug too", () =>
    Effect.gen(function*() {
      const { checked } = yield* Counterexample.read(Counterexamples.pathOf(exhibit.name))

      assert.deepStrictEqual(yield* Counterexamples.missed(exhibit, checked), ["the code without the bug shows it too"])
    }))
})

describe("a file that is no counterexample", () => {
  const damages: ReadonlyArray<readonly [what: string, text: string, message: RegExp]> = [
    ["is cut off", text.slice(0, text.length / 2), /changed\.itf\.json: /],
    ["is of another tool", JSON.stringify({ "#meta": {}, vars: ["x"], states: [{ x: 1 }] }), /none of ours|no states?/],
    ["lacks a state", JSON.stringify(withoutState(3)), /state 4 is not numbered 3/],
    ["is about a property that there is not", text.replace("\"NoGap\"", "\"NoLuck\""), /does not have NoLuck/],
    [
      "is about a configuration that there is not",
      text.replaceAll("KAFKA_15591.cfg", "KAFKA_0.cfg"),
      /KAFKA_0\.cfg cannot be read/
    ]
  ]
  for (const [what, damaged, message] of damages) {
    it.effect(`because it ${what} is refused by one message`, () =>
      Effect.gen(function*() {
        const { name, path } = yield* written(damaged)

        const refused = yield* Effect.flip(Counterexamples.replay(path))
        const checked = yield* Effect.flip(Counterexamples.check(name))

        assert.match(refused.message, message)
        assert.notInclude(refused.message, "\n")
        assert.strictEqual(checked.message, refused.message)
      }))
  }

  it.effect("because there is none is refused, and how to get it is said", () =>
    Effect.gen(function*() {
      const { message } = yield* Effect.flip(Counterexamples.missed({ ...exhibit, name: "KAFKA-0" }, clean))

      assert.match(message, /traces\/counterexamples\/KAFKA-0\.itf\.json: there is no such .*bugs run KAFKA-0 --update/)
    }))
})

it.effect("a counterexample that is of no exhibit is checked too", () =>
  Effect.gen(function*() {
    const whole = yield* Counterexamples.check((yield* written(counterexample)).name)
    const cut = yield* Counterexamples.check((yield* written({ origin, states: states.slice(0, -1) })).name)

    assert.strictEqual(whole.status, "passed")
    assert.strictEqual(cut.status, "failed")
    assert.match(cut.detail!, /NoGap holds in the last state/)
    assert.match(cut.rerun!, /keos -- replay .*changed\.itf\.json/)
  }))

it.effect("writes what it reads, into a folder that need not be there", () =>
  Effect.gen(function*() {
    const path = Counterexamples.pathOf("new", join(yield* temporary, "not", "yet"))

    yield* Counterexamples.write(path, counterexample)

    assert.strictEqual(readFileSync(path, "utf8"), text)
  }))
