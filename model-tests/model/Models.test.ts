import { assert, describe, it } from "@effect/vitest"
import * as Idempotent from "../../src/model/idempotent/index.ts"
import * as Model from "../../src/model/Model.ts"
import * as Models from "../../src/model/Models.ts"
import { configuration, constants } from "./idempotent/support.ts"

describe("every model", () => {
  for (const model of Models.models) {
    const { actionNames, invariants, sentences, specification, stepProperties, variables } = model

    it(`${specification} can be found by its specification, and has a sentence for each of its properties`, () => {
      assert.strictEqual(Models.named(specification), model)
      assert.deepStrictEqual(Models.among(["Naturals", specification]), [model])
      assert.sameMembers(Object.keys(sentences), [...Object.keys(invariants), ...Object.keys(stepProperties)])
      for (const name of Object.keys(sentences)) assert.isTrue(Model.hasProperty(model, name))
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
