import { assert, describe, it } from "@effect/vitest"
import * as Idempotent from "../../src/model/idempotent/index.ts"
import * as Model from "../../src/model/Model.ts"
import * as Models from "../../src/model/Models.ts"
import { configuration, constants } from "./idempotent/support.ts"

describe("every model", () => {
  for (const model of Models.models) {
    const { actionNames, invariants, sentences, specification, stepProperties, variables } = model
    const { leftToTlc = {}, witnesses = {} } = model

    it(`${specification} can be found by its specification`, () => {
      assert.strictEqual(Models.named(specification), model)
      assert.deepStrictEqual(Models.among(["Naturals", specification]), [model])
    })

    it(`${specification} has a sentence for each of its properties and witnesses, and no other`, () => {
      const judged = [...Object.keys(invariants), ...Object.keys(stepProperties)]

      assert.sameMembers(Object.keys(sentences), [...judged, ...Object.keys(witnesses)])
      for (const name of judged) assert.isTrue(Model.hasProperty(model, name))
    })

    it(`${specification} leaves to TLC only what it does not judge, and says why`, () => {
      for (const [property, why] of Object.entries(leftToTlc)) {
        assert.isFalse(Model.hasProperty(model, property))
        assert.isNotEmpty(why)
      }
    })

    it(`${specification} names its actions and variables once`, () => {
      for (const names of [actionNames, variables]) {
        assert.isNotEmpty(names)
        assert.strictEqual(new Set(names).size, names.length)
      }
    })
  }

  it("has a specification of its own", () => {
    assert.strictEqual(new Set(Models.models.map(({ specification }) => specification)).size, Models.models.length)
    assert.throws(() => Models.named("Naturals"), /no model implements Naturals/)
    assert.isEmpty(Models.among(["Naturals"]))
  })
})

describe("a configuration whose model is forgotten", () => {
  it("has its type again under that model, and under no other", () => {
    const model = Model.erase(Idempotent.model)
    const configured = { model, configuration: model.configuration(constants(), {}) }

    assert.deepStrictEqual(Model.configurationOf(Idempotent.model, configured), configuration())
    assert.isUndefined(Model.configurationOf({ ...Idempotent.model }, configured))
  })
})

it("a step reads as its action with its arguments", () => {
  assert.strictEqual(Model.render({ action: "BumpEpoch", arguments: [] }), "BumpEpoch")
  assert.strictEqual(Model.render({ action: "HandleProduce", arguments: ["p1", 0] }), "HandleProduce(p1, 0)")
})

it("a refusal has its request from the name of the step, and its error from the last argument", () => {
  const refusal = { action: "RefuseEndTxn", arguments: [1, "COMMIT", "PRODUCER_FENCED"] }

  assert.strictEqual(Model.refusalOf(refusal), "EndTxn PRODUCER_FENCED")
  assert.isUndefined(Model.refusalOf({ ...refusal, action: "EndTxn" }))
  assert.isUndefined(Model.refusalOf({ ...refusal, arguments: [] }))
})
