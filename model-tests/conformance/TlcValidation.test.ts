import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as Specification from "../../src/conformance/Specification.ts"
import * as TlcValidation from "../../src/conformance/TlcValidation.ts"
import * as Models from "../../src/model/Models.ts"
import { TlcFailure } from "../../src/tlc/index.ts"
import { describeTlc, toolchain } from "../tlc/support.ts"

const { restricted } = TlcValidation

describe("a next-state relation, restricted to a line", () => {
  const actions = ["Send", "Refuse", "Park"]

  it("has the arguments of the line one by one, the bound ones where they are bound", () => {
    const relation = [
      "  \\/ \\E p \\in Partitions : Send(p)",
      "  \\/ \\E p \\in Partitions, result \\in {\"COMMIT\", \"ABORT\"},",
      "        error \\in Errors : Refuse(p, None, result, error)",
      "  \\/ Park",
      ""
    ].join("\n")

    assert.deepStrictEqual(restricted(relation, actions), [
      "LoggedCall(\"Send\", 1) /\\ \\E p \\in Partitions : LoggedIs(1, p) /\\ Send(p)",
      "LoggedCall(\"Refuse\", 4) /\\ LoggedIs(2, None) /\\ \\E p \\in Partitions : LoggedIs(1, p)"
      + " /\\ \\E result \\in {\"COMMIT\", \"ABORT\"} : LoggedIs(3, result)"
      + " /\\ \\E error \\in Errors : LoggedIs(4, error) /\\ Refuse(p, None, result, error)",
      "LoggedCall(\"Park\", 0) /\\ Park"
    ])
  })

  const strange: ReadonlyArray<string> = [
    "  \\/ \\E p \\in Partitions : Fetch(p)\n",
    "  \\/ x = 1 /\\ Park\n",
    "  \\/ \\A p \\in Partitions : Send(p)\n",
    "  \\/ \\E p \\in Partitions : x = p /\\ Send(p)\n",
    "  \\/ Park /\\ x' = x\n"
  ]
  it.each(strange)("is refused where it has %s", (relation) => {
    assert.throws(() => restricted(relation, actions), TlcFailure, /no action of the model in the disjunct/)
  })

  it("takes all actions of every specification, and no others", () => {
    const { models } = Effect.runSync(Specification.manifest)
    for (const { specification } of Models.models) {
      const ofModel = models.flatMap(({ config, module }) => {
        const checked = Effect.runSync(Specification.load(module, config))
        return checked.model.specification === specification ? [checked] : []
      })
      assert.isNotEmpty(ofModel, specification)
      const taken = new Set(ofModel.flatMap((checked) => {
        const module = TlcValidation.moduleOf(checked, [{ action: "None", arguments: [] }])
        return Array.from(module.matchAll(/LoggedCall\("(\w+)", \d\)/g), ([, action]) => action!)
      }))
      assert.sameMembers([...taken], [...Models.named(specification).actionNames], specification)
    }
  })
})

describeTlc("a log that TLC cannot read", () => {
  const checked = Effect.runSync(Specification.load("IdempotentProducer.tla", "models/base-small.cfg"))
  const validate = (...log: Parameters<typeof TlcValidation.validate>[2]) =>
    TlcValidation.validate(toolchain(), checked, log, [])
  const send = { action: "Send", arguments: ["p1"] }

  it.effect("is rejected at the line with a number that it cannot hold, if those before are accepted", () =>
    Effect.gen(function*() {
      const large = { ...send, observed: { faults: 2 ** 31 } }

      const first = yield* validate(large)
      const second = yield* validate(send, large)
      const earlier = yield* validate({ ...send, action: "Resend" }, large)

      assert.deepStrictEqual(first, { _tag: "Rejected", line: 1, reason: "other state" })
      assert.deepStrictEqual(second, { _tag: "Rejected", line: 2, reason: "other state" })
      assert.deepStrictEqual(earlier, { _tag: "Rejected", line: 1, reason: "not enabled" })
    }))

  it.effect("is rejected without lines", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* validate(), { _tag: "Rejected", line: 0, reason: "empty log" })
    }))

  it.effect("takes arguments as texts too, and no others", () =>
    Effect.gen(function*() {
      const handled = { action: "HandleProduce", arguments: ["p1", "0"] }

      assert.deepStrictEqual(yield* validate(send, handled), { _tag: "Accepted", lines: 2 })
      assert.deepStrictEqual(yield* validate(send, { ...handled, arguments: ["p1"] }), {
        _tag: "Rejected",
        line: 2,
        reason: "not enabled"
      })
    }))
})
