import { assert, describe, it } from "@effect/vitest"
import { SinkRules, SinkVariants } from "../../../src/core/index.ts"
import * as Codec from "../../../src/model/Codec.ts"
import { ConfigurationError } from "../../../src/model/Constants.ts"
import * as Explorer from "../../../src/model/Explorer.ts"
import { Configuration, model, Properties, type World } from "../../../src/model/externalSink/index.ts"
import * as Interner from "../../../src/model/Interner.ts"
import type { Value } from "../../../src/model/TlaValue.ts"
import { configuration, reachable } from "./support.ts"

const base = configuration()
const properties: ReadonlyArray<Properties.PropertyName> = [
  "NoLoss",
  "NoDuplicate",
  "OffsetsAgreeWithOutputs",
  "ZombieFenced",
  "FenceMonotone"
]

describe("the state graph of the code", () => {
  const found = Explorer.explore({ model, configuration: base, properties, witnesses: true })

  it("is as large as TLC's, and nothing is violated in it", () => {
    assert.deepStrictEqual([found.states, found.edges, found.depth], [2_456, 9_163, 22])
    assert.isUndefined(found.violation)
  })

  it("takes every action and reaches every witness", () => {
    for (const [name, count] of Object.entries({ ...found.actions, ...found.witnesses })) {
      assert.isAbove(count, 0, name)
    }
    assert.sameMembers(Object.keys(found.witnesses), Object.keys(model.witnesses!))
  })
})

describe("a sink", () => {
  type Rule = keyof SinkRules.Rules
  type Broken = Partial<Record<Properties.PropertyName, number>>

  /** The lengths of TLC's counterexamples; what is not named holds. */
  const table: ReadonlyArray<
    readonly [title: string, variants: Partial<Record<Rule, SinkVariants.Name>>, connections: number, broken: Broken]
  > = [
    ["that is transactional", {}, 2, {}],
    ["that looks at the offset alone", { Delivery: "SkipOnly" }, 2, { ZombieFenced: 9 }],
    ["that looks at the fence alone", { Delivery: "FenceOnly" }, 2, { NoDuplicate: 10, OffsetsAgreeWithOutputs: 13 }],
    ["that looks at the fence alone, while no connection is lost,", { Delivery: "FenceOnly" }, 1, {}],
    [
      "that looks at nothing",
      { Delivery: "Unfenced" },
      2,
      { NoDuplicate: 10, OffsetsAgreeWithOutputs: 13, ZombieFenced: 9 }
    ],
    [
      "with keys",
      { Delivery: "Upsert", HasKeys: "Upsert" },
      2,
      { OffsetsAgreeWithOutputs: 7, ZombieFenced: 9 }
    ],
    [
      "that writes the output first",
      { Delivery: "OutputFirst" },
      2,
      { NoDuplicate: 10, OffsetsAgreeWithOutputs: 7, ZombieFenced: 9 }
    ],
    [
      "that writes the offset first",
      { Delivery: "OffsetFirst" },
      2,
      { NoLoss: 7, NoDuplicate: 14, OffsetsAgreeWithOutputs: 7, ZombieFenced: 11 }
    ],
    [
      "that writes the offset first, while no connection is lost,",
      { Delivery: "OffsetFirst" },
      1,
      { NoLoss: 7, OffsetsAgreeWithOutputs: 7, ZombieFenced: 11 }
    ],
    ["that looks at the fence in another transaction", { Delivery: "FenceApart" }, 2, { ZombieFenced: 11 }],
    ["whose fence may fall", { MayFence: "LastWins" }, 2, { FenceMonotone: 5 }],
    [
      "whose members read the offset before they raise the fence, while no connection is lost,",
      { Delivery: "FenceOnly", MayRestore: "BeforeFence" },
      1,
      { NoDuplicate: 13, OffsetsAgreeWithOutputs: 16 }
    ],
    [
      "whose members take a lost answer for a commit",
      { AfterUnknown: "Committed" },
      2,
      { NoLoss: 10, OffsetsAgreeWithOutputs: 10 }
    ],
    ["whose members read the offset after a lost answer", { AfterUnknown: "Reread" }, 2, {}]
  ]

  it("of every variant is here", () => {
    const variants = table.flatMap(([, chosen]) => Object.values(chosen))

    assert.sameMembers([...new Set(variants)], Object.keys(SinkVariants.overrides))
  })

  for (const [title, variants, MaxConnections, broken] of table) {
    const names = Object.entries(broken).map(([name, length]) => `${name} in ${length} states`)
    const of = configuration({ MaxConnections }, variants)

    it(`${title} violates ${names.join(", ") || "nothing"}`, () => {
      const found: Record<string, number> = {}
      for (const property of properties) {
        const { violation } = Explorer.explore({ model, configuration: of, properties: [property] })
        if (violation !== undefined) found[property] = violation.trace.length
      }

      assert.deepStrictEqual(found, { ...broken })
    })
  }
})

describe("a configuration", () => {
  it("has the constants and the rules of its file", () => {
    const of = configuration({ Inputs: 3 }, { Delivery: "Unfenced" })

    assert.deepStrictEqual(of, {
      members: 2,
      inputs: 3,
      maxGeneration: 2,
      maxConnections: 2,
      rules: { ...SinkRules.base, ...SinkVariants.overrides.Unfenced }
    })
    assert.deepStrictEqual(base.rules, SinkRules.base)
  })

  const wrong: ReadonlyArray<readonly [what: string, read: () => unknown, message: RegExp]> = [
    ["a constant too many", () => configuration({ Partitions: 1 }), /unknown constants: Partitions/],
    ["a constant of another shape", () => configuration({ Members: "1" }), /Members is not a number/],
    ["a constant too few", () => Configuration.fromConstants({ Members: 1 }, {}), /Inputs is missing/],
    ["a rule that the variant leaves alone", () => configuration({}, { HasKeys: "Unfenced" }), /no rule of the code/]
  ]
  for (const [what, read, message] of wrong) {
    it(`with ${what} is none`, () => {
      assert.throws(read, ConfigurationError)
      assert.throws(read, message)
    })
  }
})

describe("every world", () => {
  const of = configuration({ MaxConnections: 1 }, { Delivery: "OutputFirst" })
  const worlds = reachable(of)

  it("survives the way to TLA+ and back, and no two are encoded alike", () => {
    const texts = new Set<string>()
    for (const world of worlds) {
      const encoded = model.encode(of, world)
      assert.deepStrictEqual(Object.keys(encoded), [...model.variables])
      assert.deepStrictEqual(Codec.decode(model, of, encoded), world)
      texts.add(JSON.stringify(encoded))
    }

    assert.isAbove(worlds.length, 1_000)
    assert.strictEqual(texts.size, worlds.length)
  })

  it("can be put together again from its number", () => {
    const { number, size, world: at } = Interner.make(model.packing(of))
    const numbers = worlds.map(number)

    assert.strictEqual(size(), worlds.length)
    worlds.forEach((world, i) => assert.deepStrictEqual(at(numbers[i]!), world))
  })

  it("lists what is on its way in the same order as TLC's sets come to", () => {
    const crowded = reachable(base).find(({ inFlight }) => inFlight.length > 2)!
    const { inFlight, ...rest } = model.encode(base, crowded)
    const turned: Value = {
      kind: "set",
      elements: (inFlight as { elements: ReadonlyArray<Value> }).elements.toReversed()
    }

    assert.deepStrictEqual(Codec.decode(model, base, { ...rest, inFlight: turned }), crowded)
  })

  const encoded = model.encode(of, worlds[0]!)
  const broken: ReadonlyArray<readonly [what: string, state: Readonly<Record<string, Value>>]> = [
    ["a member that is no record", { ...encoded, member: { kind: "function", entries: [[1, 0]] } }],
    ["outputs that are no sequence", { ...encoded, outputs: 0 }],
    ["an offset that is no number", { ...encoded, stored: "0" }],
    ["transactions that are no set", { ...encoded, inFlight: encoded["outputs"]! }]
  ]
  for (const [what, state] of broken) {
    it(`that has ${what} is none`, () => assert.throws(() => Codec.decode(model, of, state), Codec.CodecError))
  }
})

describe("properties and witnesses", () => {
  const world = (over: Partial<World.World["storage"]>): World.World => {
    const initial = model.initial(base)
    return { ...initial, storage: { ...initial.storage, ...over } }
  }
  const row = (offset: number, generation: number) => ({ offset, generation })
  const violated = (at: World.World): ReadonlyArray<string> =>
    Object.entries(Properties.invariants).flatMap(([name, holds]) => holds(base, at) ? [] : [name])

  it("of a world are judged by offset and outputs", () => {
    assert.deepStrictEqual(violated(world({ stored: 1, outputs: [row(0, 1)] })), [])
    assert.deepStrictEqual(violated(world({ stored: 1 })), ["NoLoss", "OffsetsAgreeWithOutputs"])
    assert.deepStrictEqual(violated(world({ outputs: [row(0, 1)] })), ["OffsetsAgreeWithOutputs"])
    assert.deepStrictEqual(violated(world({ stored: 1, outputs: [row(0, 1), row(0, 2)] })), ["NoDuplicate"])
  })

  it("of a step are judged by what is new", () => {
    const { FenceMonotone, ZombieFenced } = Properties.stepProperties
    const before = world({ fence: 2, outputs: [row(0, 1)] })

    assert.isTrue(ZombieFenced(base, before, before))
    assert.isTrue(ZombieFenced(base, before, world({ outputs: [row(0, 2)] })))
    assert.isFalse(ZombieFenced(base, before, world({ outputs: [row(0, 1), row(1, 1)] })))
    assert.isFalse(ZombieFenced(base, world({ fence: 2, outputs: [row(0, 2)] }), world({ outputs: [row(0, 1)] })))
    assert.isFalse(FenceMonotone(base, before, world({ fence: 1 })))
    assert.isTrue(FenceMonotone(base, before, world({ fence: 3 })))
  })
})
