import { assert, describe, it } from "@effect/vitest"
import * as Graphs from "../../../src/conformance/Graph.ts"
import { driver } from "../../../src/conformance/readCommitted/index.ts"
import * as RuntimeReplay from "../../../src/conformance/RuntimeReplay.ts"
import * as Runtimes from "../../../src/conformance/Runtimes.ts"
import { FetchMuseum } from "../../../src/core/index.ts"
import * as Interner from "../../../src/model/Interner.ts"
import { erase } from "../../../src/model/Model.ts"
import { type Configuration, model } from "../../../src/model/readCommitted/index.ts"
import { print } from "../../../src/tlc/Value.ts"
import { configuration, constants, reachable } from "../../model/readCommitted/support.ts"

/** The state graph of the model, as TLC would write it. */
const graphOf = (of: Configuration.Configuration): Graphs.Graph => {
  const builder = Graphs.builder(model.variables)
  const worlds = reachable(of)
  const { number } = Interner.make(model.packing(of))
  for (const world of worlds) {
    const values = Object.entries(model.encode(of, world)).map(([variable, value]) => [variable, print(value)])
    const state = number(world)
    builder.state(String(state), state === 0, Object.fromEntries(values))
  }
  for (const world of worlds) {
    for (const { action, arguments: instance, world: target } of model.successors(of, world)) {
      builder.edge(
        String(number(world)),
        String(number(target)),
        action,
        Object.fromEntries(instance.map(print).entries())
      )
    }
  }
  return builder.done()
}

const small = configuration({ MaxEntries: 3 })
const graph = graphOf(small)

const withBug = (name: FetchMuseum.Name): Configuration.Configuration => ({
  ...small,
  rules: { ...small.rules, ...FetchMuseum.overrides[name] }
})

describe("the runtime of the fetch path", () => {
  it("takes every edge of the model, and ends where it ends", () => {
    const found = RuntimeReplay.replay({ driver, configuration: small, graph })

    assert.deepStrictEqual(found.first, [])
    assert.strictEqual(found.divergences, 0)
    assert.strictEqual(found.edges, Graphs.edgeCount(graph))
    assert.isAbove(found.edges, 1_000)
  })

  it("diverges with a bug in the broker, and with one in the consumer", () => {
    for (const name of ["KAFKA-5376", "librdkafka-3369"] as const) {
      assert.isAbove(RuntimeReplay.replay({ driver, configuration: withBug(name), graph }).divergences, 0, name)
    }
  })

  it("is known to the harness, which throws histories at it", () => {
    const erased = erase(model)
    const runtime = Runtimes.of({ model: erased, configuration: erased.configuration(constants(), {}) })

    const explored = runtime?.histories?.({ runs: 20, seed: 1 })
    assert.strictEqual(explored?.runs, 20)
    assert.isAbove(explored?.operations ?? 0, 0)
  })

  it("does not know other actions", () => {
    const controlled = driver.start(small)

    assert.throws(() => controlled.perform({ action: "Send", arguments: [] }), /no Send/)
    controlled.close()
  })
})
