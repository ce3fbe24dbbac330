import { assert, describe, it } from "@effect/vitest"
import { FetchMuseum, FetchRules } from "../../../src/core/index.ts"
import * as Codec from "../../../src/model/Codec.ts"
import { ConfigurationError, suffixOf } from "../../../src/model/Constants.ts"
import * as Explorer from "../../../src/model/Explorer.ts"
import * as Interner from "../../../src/model/Interner.ts"
import { Configuration, model, Properties } from "../../../src/model/readCommitted/index.ts"
import type { Value } from "../../../src/model/TlaValue.ts"
import { configuration, constants, reachable } from "./support.ts"

const base = configuration()
const properties = Object.keys(Properties.invariants)

describe("the state graph of the code", () => {
  const found = Explorer.explore({ model, configuration: base, properties, witnesses: true })

  it("is as large as TLC's, and nothing is violated in it", () => {
    assert.deepStrictEqual([found.states, found.edges, found.depth], [10_554, 22_599, 8])
    assert.isUndefined(found.violation)
  })

  it("takes every action and reaches every witness", () => {
    for (const [name, count] of Object.entries({ ...found.actions, ...found.witnesses })) {
      assert.isAbove(count, 0, name)
    }
    assert.sameMembers(Object.keys(found.witnesses), Object.keys(model.witnesses!))
  })
})

describe("an exhibit", () => {
  /** The lengths of TLC's counterexamples under `spec/museum/*.cfg`. */
  const table: ReadonlyArray<
    readonly [
      name: FetchMuseum.Name,
      rule: keyof FetchRules.Rules,
      constants: readonly [producers: number, maxEntries: number, fetchSize: number],
      length: number
    ]
  > = [
    ["KAFKA-5376", "AbortedOfParked", [1, 3, 2], 5],
    ["AutoMQ-754", "IsAbortedIn", [1, 4, 2], 6],
    ["librdkafka-3369", "AfterMarker", [1, 4, 3], 5],
    ["kafkajs-unsorted", "ByFirstOffset", [2, 4, 3], 6]
  ]

  it("of every name is here", () => {
    assert.sameMembers(table.map(([name]) => name), Object.keys(FetchMuseum.overrides))
  })

  for (const [name, rule, [Producers, MaxEntries, FetchSize], length] of table) {
    const bounds = { Producers, MaxEntries, FetchSize }
    const bug = configuration(bounds, { [rule]: `${rule}_${suffixOf(name)}` })
    const clean = configuration(bounds)
    const violationOf = (of: Configuration.Configuration, property: string) =>
      Explorer.explore({ model, configuration: of, properties: [property] }).violation

    it(`${name} violates NoAbortedRead alone, in ${length} states`, () => {
      assert.strictEqual(violationOf(bug, "NoAbortedRead")?.trace.length, length)
      for (const property of properties) {
        if (property !== "NoAbortedRead") assert.isUndefined(violationOf(bug, property), property)
        assert.isUndefined(violationOf(clean, property), property)
      }
    })
  }
})

describe("a configuration", () => {
  it("has the constants and the rules of its file", () => {
    const of = configuration({ FetchSize: 3 }, { IsAbortedIn: "IsAbortedIn_AutoMQ_754" })

    assert.deepStrictEqual(of, {
      producers: 2,
      maxEntries: 4,
      fetchSize: 3,
      rules: { ...FetchRules.base, ...FetchMuseum.overrides["AutoMQ-754"] }
    })
    assert.deepStrictEqual(base.rules, FetchRules.base)
  })

  const wrong: ReadonlyArray<readonly [what: string, read: () => unknown, message: RegExp]> = [
    ["a constant too many", () => configuration({ Partitions: 1 }), /unknown constants: Partitions/],
    ["a constant of another shape", () => configuration({ Producers: "1" }), /Producers is not a number/],
    ["a constant too few", () => Configuration.fromConstants({ Producers: 1 }, {}), /MaxEntries is missing/],
    [
      "a rule of another exhibit",
      () => Configuration.fromConstants(constants(), { IsAbortedIn: "IsAbortedIn_KAFKA_5376" }),
      /no rule of the code stands for IsAbortedIn/
    ]
  ]
  for (const [what, read, message] of wrong) {
    it(`with ${what} is none`, () => {
      assert.throws(read, ConfigurationError)
      assert.throws(read, message)
    })
  }
})

describe("every world", () => {
  const worlds = reachable(configuration({ MaxEntries: 3 }))

  it("survives the way to TLA+ and back, and no two are encoded alike", () => {
    const { number } = Interner.make(model.packing(base))
    const texts = new Set<string>()
    for (const world of worlds) {
      const encoded = model.encode(base, world)
      assert.deepStrictEqual(Object.keys(encoded), [...model.variables])
      assert.deepStrictEqual(Codec.decode(model, base, encoded), world)
      texts.add(JSON.stringify(encoded))
      number(world)
    }

    assert.isAbove(worlds.length, 500)
    assert.strictEqual(texts.size, worlds.length)
  })

  it("can be put together again from its number", () => {
    const { number, size, world: at } = Interner.make(model.packing(base))
    const numbers = worlds.map(number)

    assert.strictEqual(size(), worlds.length)
    worlds.forEach((world, i) => assert.deepStrictEqual(at(numbers[i]!), world))
  })

  const encoded = model.encode(base, worlds[0]!)
  const entry = (kind: Value): Value => ({
    kind: "function",
    entries: [[1, { kind: "function", entries: [["kind", kind], ["producerId", 1]] }]]
  })
  const broken: ReadonlyArray<readonly [what: string, state: Readonly<Record<string, Value>>]> = [
    ["an entry of an unknown kind", { ...encoded, log: entry("data") }],
    ["a log that is no sequence", { ...encoded, log: 0 }],
    ["a position that is no number", { ...encoded, position: "0" }],
    ["a fetch parked nowhere", { ...encoded, parked: false }]
  ]
  for (const [what, state] of broken) {
    it(`that has ${what} is none`, () => assert.throws(() => Codec.decode(model, base, state), Codec.CodecError))
  }

  it("with an entry of a known kind is one", () => {
    const log = [{ kind: "ABORT", producerId: 1 } as const]

    assert.deepStrictEqual(Codec.decode(model, base, { ...encoded, log: entry("ABORT") }).partition.log, log)
  })
})
