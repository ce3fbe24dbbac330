import { assert, describe, it } from "@effect/vitest"
import { ExternalSink, SinkMember, SinkRules, SinkVariants } from "../../src/core/index.ts"

const { base } = SinkRules

const row = (offset: number, generation: number): ExternalSink.Row => ({ offset, generation })

const storage = (over: Partial<ExternalSink.Storage> = {}): ExternalSink.Storage => ({
  ...ExternalSink.initial,
  ...over
})

const execute = (
  rules: SinkRules.Rules,
  before: ExternalSink.Storage,
  batch: number,
  generation: number,
  step = 1
): ExternalSink.Step =>
  ExternalSink.step(rules, before, { _tag: "Execute", transaction: { generation, connection: 1, batch, step } })

describe("the transactional sink", () => {
  it("writes output and offset of its own generation", () => {
    const [after, answer] = execute(base, storage({ fence: 2 }), 0, 2)

    assert.strictEqual(answer, "DONE")
    assert.deepStrictEqual(after, { fence: 2, stored: 1, outputs: [row(0, 2)] })
  })

  it("refuses older and newer generations, and changes nothing", () => {
    const before = storage({ fence: 2, stored: 1 })
    for (const generation of [1, 3]) {
      assert.deepStrictEqual(execute(base, before, 1, generation), [before, "FENCED"])
    }
  })

  it("answers a second copy as the first, and writes nothing", () => {
    const [once] = execute(base, storage({ fence: 1 }), 0, 1)

    assert.deepStrictEqual(execute(base, once, 0, 1), [once, "DONE"])
  })
})

describe("the fence", () => {
  const raise = (rules: SinkRules.Rules, fence: number, generation: number): ExternalSink.Step =>
    ExternalSink.step(rules, storage({ fence }), { _tag: "Fence", generation })

  it("rises, may be raised again by its own generation, and does not fall", () => {
    assert.deepStrictEqual(raise(base, 0, 1), [storage({ fence: 1 }), "DONE"])
    assert.deepStrictEqual(raise(base, 2, 2), [storage({ fence: 2 }), "DONE"])
    assert.deepStrictEqual(raise(base, 2, 1), [storage({ fence: 2 }), "FENCED"])
  })
})

describe("a sink with keys", () => {
  const upsert = { ...base, ...SinkVariants.overrides.Upsert }

  it("puts a second output of an input in the place of the first", () => {
    const before = storage({ fence: 2, outputs: [row(0, 1), row(1, 1)] })

    assert.deepStrictEqual(execute(upsert, before, 0, 2)[0].outputs, [row(0, 2), row(1, 1)])
    assert.deepStrictEqual(execute(upsert, before, 2, 2)[0].outputs, [row(0, 1), row(1, 1), row(2, 2)])
    assert.deepStrictEqual(execute(base, before, 2, 2)[0].outputs, [row(0, 1), row(1, 1), row(2, 2)])
  })
})

describe("a member", () => {
  const step = (member: SinkMember.Member, input: SinkMember.Input, rules = base): SinkMember.Member | undefined =>
    SinkMember.step(rules, member, input)

  const joined = step(SinkMember.down, { _tag: "Join", generation: 3 })!
  const fenced = step(joined, { _tag: "Fence", answer: "DONE" })!
  const restored = step(fenced, { _tag: "Restore", stored: 5 })!
  const polled = step(restored, { _tag: "Poll", end: 6 })!

  it("joins, raises the fence, reads the offset, and takes the next input", () => {
    assert.deepStrictEqual(joined, { ...SinkMember.down, generation: 3, connection: 1 })
    assert.deepStrictEqual(polled, { ...joined, fenced: true, position: 6, batch: 5 })
    assert.deepStrictEqual(SinkMember.submit(polled), { generation: 3, connection: 1, batch: 5, step: 1 })
    assert.isUndefined(SinkMember.submit(restored))
  })

  it("does each of these once, and in this order", () => {
    const impossible: ReadonlyArray<readonly [member: SinkMember.Member, input: SinkMember.Input]> = [
      [SinkMember.down, { _tag: "Fence", answer: "DONE" }],
      [SinkMember.down, { _tag: "Restore", stored: 0 }],
      [SinkMember.down, { _tag: "Crash" }],
      [joined, { _tag: "Join", generation: 4 }],
      [joined, { _tag: "Restore", stored: 0 }],
      [joined, { _tag: "Poll", end: 1 }],
      [fenced, { _tag: "Fence", answer: "DONE" }],
      [fenced, { _tag: "Poll", end: 1 }],
      [restored, { _tag: "Restore", stored: 0 }],
      [restored, { _tag: "Poll", end: 5 }],
      [polled, { _tag: "Poll", end: 7 }]
    ]
    for (const [member, input] of impossible) assert.isUndefined(step(member, input), input._tag)
  })

  it("goes on with the next input when the whole delivery is answered", () => {
    const rules = { ...base, ...SinkVariants.overrides.OutputFirst }
    const half = step(polled, { _tag: "Answer", answer: "DONE" }, rules)

    assert.deepStrictEqual(half, { ...polled, step: 2 })
    assert.deepStrictEqual(step(half!, { _tag: "Answer", answer: "DONE" }, rules), { ...polled, batch: undefined })
  })

  it("begins the delivery again when the connection is lost", () => {
    const half = { ...polled, step: 2 }

    assert.deepStrictEqual(step(half, { _tag: "Disconnect" }), { ...polled, connection: 2 })
  })

  it("gives up when it is refused or crashes", () => {
    assert.deepStrictEqual(step(joined, { _tag: "Fence", answer: "FENCED" }), SinkMember.down)
    assert.deepStrictEqual(step(polled, { _tag: "Answer", answer: "FENCED" }), SinkMember.down)
    assert.deepStrictEqual(step(polled, { _tag: "Crash" }), SinkMember.down)
  })
})

describe("SinkVariants", () => {
  const member: SinkMember.Member = { ...SinkMember.down, generation: 1, connection: 2, position: 1, batch: 0 }

  /** What the rules of each variant say where the base says otherwise. */
  const table: Readonly<Record<SinkVariants.Name, (rules: SinkRules.Rules) => unknown>> = {
    Upsert: (rules) => [rules.Delivery.length, rules.HasKeys],
    OutputFirst: ({ Delivery }) => Delivery[0]?.has("OFFSET"),
    OffsetFirst: ({ Delivery }) => Delivery[0]?.has("OUTPUT"),
    Unfenced: ({ Delivery }) => [Delivery[0]?.has("FENCE"), Delivery[0]?.has("SKIP")],
    FenceOnly: ({ Delivery }) => Delivery[0]?.has("SKIP"),
    SkipOnly: ({ Delivery }) => Delivery[0]?.has("FENCE"),
    FenceApart: ({ Delivery }) => Delivery[1]?.has("OUTPUT"),
    LastWins: ({ MayFence }) => MayFence(2, 1),
    BeforeFence: ({ MayRestore }) => MayRestore(member),
    Committed: (rules) => rules.AfterUnknown(rules, member).batch,
    Reread: (rules) => rules.AfterUnknown(rules, member).position
  }

  it("has a row here for every variant", () => {
    assert.sameMembers(Object.keys(table), Object.keys(SinkVariants.overrides))
  })

  for (const [name, says] of Object.entries(table)) {
    it(`${name} differs from the base`, () => {
      const override: SinkVariants.Override = SinkVariants.overrides[name as SinkVariants.Name]

      assert.notDeepEqual(says({ ...base, ...override }), says(base))
    })
  }
})
