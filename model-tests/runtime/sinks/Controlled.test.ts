import { assert, describe, it } from "@effect/vitest"
import { SinkMember, SinkRules, SinkVariants } from "../../../src/core/index.ts"
import * as Sinks from "../../../src/runtime/sinks/index.ts"

const { Controlled } = Sinks

type Action = Sinks.Controlled.Action

/** `Fence 0`, or `Execute 1 1`. */
const action = (text: string): Action => {
  const [tag, first, second] = text.split(" ")
  return tag === "Execute"
    ? { _tag: tag, generation: Number(first), connection: Number(second) }
    : { _tag: tag, member: Number(first) } as Action
}

const start = (texts: ReadonlyArray<string> = [], rules: Sinks.SqlSink.Rules = SinkRules.base, seed = 0) => {
  const controlled = Controlled.make({ rules, members: 2, inputs: 2, seed })
  const perform = (text: string): boolean => controlled.perform(action(text))
  for (const text of texts) assert.isTrue(perform(text), text)
  return { ...controlled, perform }
}

const untilSubmitted = ["Join 0", "Fence 0", "Restore 0", "Poll 0", "Submit 0"]

describe("controlled members", () => {
  it("do one thing after the other, and nothing else", () => {
    const { close, perform, snapshot } = start()

    for (const text of ["Fence 0", "Restore 0", "Poll 0", "Submit 0", "Disconnect 0", "Crash 0", "Execute 1 1"]) {
      assert.isFalse(perform(text), text)
    }
    const expected = ["Join 0", "Fence 0", "Restore 0", "Poll 0", "Submit 0", "Execute 1 1"]
    for (const [done, text] of expected.entries()) {
      for (const other of ["Join 0", "Fence 0", "Restore 0", "Poll 0", "Submit 0"]) {
        if (other !== text) assert.isFalse(perform(other), `${other} for ${expected[done]}`)
      }
      assert.isTrue(perform(text), text)
    }
    assert.deepStrictEqual(snapshot(), {
      generation: 1,
      members: [
        { generation: 1, connection: 1, fenced: true, position: 1, batch: undefined, step: 1 },
        SinkMember.down
      ],
      storage: { fence: 1, stored: 1, outputs: [{ offset: 0, generation: 1 }] },
      inFlight: []
    })
    close()
  })

  it("poll no more than there is", () => {
    const { close, perform } = start([
      ...untilSubmitted,
      "Execute 1 1",
      "Poll 0",
      "Submit 0",
      "Execute 1 1"
    ])

    assert.isFalse(perform("Poll 0"))
    close()
  })

  it("leave what they have sent on its way when they crash or are cut off", () => {
    const { close, perform, snapshot } = start([...untilSubmitted, "Disconnect 0", "Submit 0", "Crash 0"])

    assert.deepStrictEqual(snapshot().inFlight.map(({ connection }) => connection), [1, 2])
    assert.isTrue(perform("Execute 1 2"))
    assert.isTrue(perform("Execute 1 1"))
    assert.deepStrictEqual(snapshot().storage.outputs, [{ offset: 0, generation: 1 }])
    assert.deepStrictEqual(snapshot().members[0], SinkMember.down)
    close()
  })

  it("learn from the database that they are outdated, and give up", () => {
    const { close, perform, snapshot } = start([...untilSubmitted, "Join 1", "Fence 1"])

    assert.strictEqual(snapshot().members[0]!.generation, 1)
    assert.isTrue(perform("Execute 1 1"))
    assert.deepStrictEqual(snapshot().members[0], SinkMember.down)
    assert.deepStrictEqual(snapshot().storage, { fence: 2, stored: 0, outputs: [] })
    close()
  })

  it("of a sink of two transactions send the second when the first is answered", () => {
    const rules = { ...SinkRules.base, ...SinkVariants.overrides.OutputFirst }
    const { close, perform, snapshot } = start([...untilSubmitted, "Execute 1 1"], rules)

    assert.strictEqual(snapshot().members[0]!.step, 2)
    assert.deepStrictEqual(snapshot().storage, { fence: 1, stored: 0, outputs: [{ offset: 0, generation: 1 }] })
    assert.isTrue(perform("Submit 0"))
    assert.isTrue(perform("Execute 1 1"))
    assert.strictEqual(snapshot().storage.stored, 1)
    close()
  })

  it("rest in the same state in whatever order their fibers continue", () => {
    const states = Array.from({ length: 10 }, (_, seed) => {
      const { close, perform, snapshot } = start([...untilSubmitted, "Disconnect 0", "Join 1"], SinkRules.base, seed)
      for (const text of ["Fence 1", "Submit 0", "Restore 1", "Execute 1 1"]) assert.isTrue(perform(text), text)
      close()
      return snapshot()
    })

    for (const state of states) assert.deepStrictEqual(state, states[0])
  })
})
