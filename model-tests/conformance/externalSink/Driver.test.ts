import { assert, describe, it } from "@effect/vitest"
import { driver } from "../../../src/conformance/externalSink/index.ts"
import * as Graphs from "../../../src/conformance/Graph.ts"
import * as RuntimeReplay from "../../../src/conformance/RuntimeReplay.ts"
import * as Runtimes from "../../../src/conformance/Runtimes.ts"
import { type Configuration, model } from "../../../src/model/externalSink/index.ts"
import * as Interner from "../../../src/model/Interner.ts"
import { erase } from "../../../src/model/Model.ts"
import { print } from "../../../src/tlc/Value.ts"
import { configuration, constants, reachable } from "../../model/externalSink/support.ts"

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

const small = { Inputs: 1 }

const replay = (of: Configuration.Configuration, graph: Graphs.Graph) =>
  RuntimeReplay.replay({ driver, configuration: of, graph })

describe("the sinks on SQLite", () => {
  const table: ReadonlyArray<readonly [title: string, connections: number, variants: Record<string, string>]> = [
    ["transactional", 2, {}],
    ["unfenced", 2, { Delivery: "Unfenced" }],
    ["upsert", 1, { Delivery: "Upsert", HasKeys: "Upsert" }],
    ["output first", 1, { Delivery: "OutputFirst" }]
  ]
  for (const [title, MaxConnections, variants] of table) {
    const of = configuration({ ...small, MaxConnections }, variants)
    const graph = graphOf(of)

    it(`take every edge of the model, and end where it ends: ${title}, ${Graphs.edgeCount(graph)} edges`, () => {
      const found = replay(of, graph)

      assert.deepStrictEqual(found.first, [])
      assert.strictEqual(found.divergences, 0)
      assert.strictEqual(found.edges, Graphs.edgeCount(graph))
      assert.isAbove(found.edges, 500)
    })
  }

  it("diverge from the graph of the transactional sink when a part is left out", () => {
    const graph = graphOf(configuration({ ...small, MaxConnections: 1 }))
    for (const Delivery of ["Unfenced", "OutputFirst", "SkipOnly"]) {
      const other = configuration({ ...small, MaxConnections: 1 }, { Delivery })

      assert.isAbove(replay(other, graph).divergences, 0, Delivery)
    }
  })

  it("are known to the harness, which has no histories of them", () => {
    const erased = erase(model)
    const runtime = Runtimes.of({ model: erased, configuration: erased.configuration(constants(), {}) })

    assert.isDefined(runtime)
    assert.isUndefined(runtime.histories)
  })

  it("have no other actions, and no other members", () => {
    const controlled = driver.start(configuration(small))

    assert.throws(() => controlled.perform({ action: "Send", arguments: [] }), /no Send/)
    controlled.close()
    for (const [rule, variant] of [["MayFence", "LastWins"], ["AfterUnknown", "Reread"]] as const) {
      assert.throws(() => driver.start(configuration(small, { [rule]: variant })), new RegExp(`no other ${rule}`))
    }
  })
})
