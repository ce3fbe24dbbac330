import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as Exhibits from "../../src/conformance/Exhibits.ts"
import * as Graphs from "../../src/conformance/Graph.ts"
import { driver } from "../../src/conformance/idempotent/index.ts"
import * as Replay from "../../src/conformance/Replay.ts"
import * as RuntimeReplay from "../../src/conformance/RuntimeReplay.ts"
import * as Specification from "../../src/conformance/Specification.ts"
import * as Traces from "../../src/conformance/Traces.ts"
import { Museum } from "../../src/core/index.ts"
import { type Configuration, model, World } from "../../src/model/idempotent/index.ts"
import * as Interner from "../../src/model/Interner.ts"
import * as Value from "../../src/tlc/Value.ts"
import { committed, distances, labelOf, walk, withEdges, withRules } from "./support.ts"

const manifest = Effect.runSync(Specification.manifest)

const small = Effect.runSync(committed("wrap-small"))

/** The variables in which two states differ, by their texts. */
const differing = (graph: Graphs.Graph, a: number, b: number): ReadonlyArray<string> =>
  graph.variables.filter((_name, v) =>
    !Value.equals(Value.parseUnsafe(Graphs.textOf(graph, a, v)), Value.parseUnsafe(Graphs.textOf(graph, b, v)))
  )

/** An edge some way into the graph whose target is reached by others too, so that without it the rest stays whole. */
const edge = ((): number => {
  const { graph } = small
  const far = distances(graph)
  const into = new Map<number, number>()
  for (const target of Array.from(graph.targets)) into.set(target, (into.get(target) ?? 0) + 1)
  for (let at = 0; at < Graphs.edgeCount(graph); at++) {
    const [source, target] = [graph.sources[at]!, graph.targets[at]!]
    if (source !== target && into.get(target)! > 1 && far.get(source) === 6 && far.get(target)! < 7) return at
  }
  throw new Error("no such edge")
})()
const source = small.graph.sources[edge]!
const target = small.graph.targets[edge]!
const label = labelOf(small.graph, edge)
const depth = distances(small.graph).get(source)!

const replay = (graph: Graphs.Graph, configuration: Configuration.Configuration = small.configuration) =>
  Replay.replay({ model, configuration, graph })

const replayRuntime = (graph: Graphs.Graph, configuration: Configuration.Configuration = small.configuration) =>
  RuntimeReplay.replay({ driver, configuration, graph })

/** A shortest path to the state, and one that the graph has. */
const assertShortestPath = (divergence: Replay.Divergence, state: number, length: number): void => {
  assert.strictEqual(divergence.path.length, length)
  assert.strictEqual(walk(small.graph, divergence.path), state)
}

describe("the committed graphs", () => {
  const models = manifest.models.filter((model) => model.committed)

  it("are there", () => {
    assert.includeMembers(models.map(({ name }) => name), ["base-small", "wrap-small", "acks-1-small"])
  })

  for (const { counts, name, replay: engines } of models) {
    it.effect(`${name}: the core takes every edge as TLC does, and no other`, () =>
      Effect.gen(function*() {
        const { checked, graph } = yield* committed(name)

        const found = Replay.replay({ ...checked, graph })

        assert.include(engines, "core")
        assert.deepStrictEqual(found, {
          states: counts!.distinct,
          edges: counts!.generated - 1,
          divergences: 0,
          first: []
        })
        assert.isAbove(found.edges, 0)
      }))
  }

  for (const exhibit of manifest.exhibits) {
    it.effect(`${exhibit.name}: the code diverges with the bug, and only with it`, () =>
      Effect.gen(function*() {
        const bug = yield* Specification.load(exhibit.module, exhibit.config)
        const clean = yield* Exhibits.loadClean(exhibit)
        const graph = yield* Traces.read(Exhibits.graphName(exhibit), clean)

        const diverging = Replay.replay({ ...bug, graph })
        const judging = Replay.judge({ ...bug, graph }, exhibit.property)
        const agreeing = Replay.replay({ ...clean, graph })
        const approving = Replay.judge({ ...clean, graph }, exhibit.property)

        assert.isAbove(diverging.divergences + judging.violations, 0)
        assert.isDefined(diverging.first[0] ?? judging.first)
        assert.isAbove(agreeing.edges, 0)
        assert.deepStrictEqual([agreeing.divergences, approving.violations], [0, 0])
      }))
  }
})

describe("a graph that is wrong in one place", () => {
  it("a missing edge is a step too many", () => {
    const { divergences, edges, first } = replay(withEdges(small.graph, (all) => all.toSpliced(edge, 1)))

    assert.strictEqual(divergences, 1)
    assert.strictEqual(edges, Graphs.edgeCount(small.graph) - 1)
    assert.deepInclude(first[0], { kind: "extra step", step: label, differences: [] })
    assertShortestPath(first[0]!, source, depth)
  })

  it("an added edge is a step that is missing", () => {
    const { divergences, first } = replay(withEdges(small.graph, (all) => [...all, [source, target, "BumpEpoch(p9)"]]))

    assert.strictEqual(divergences, 1)
    assert.deepInclude(first[0], { kind: "missing step", step: "BumpEpoch(p9)", differences: [] })
    assertShortestPath(first[0]!, source, depth)
  })

  it("an edge that leads elsewhere is another successor, with the fields that differ and no others", () => {
    const elsewhere = source
    const doctored = withEdges(small.graph, (all) => all.with(edge, [source, elsewhere, label]))

    const { divergences, first } = replay(doctored)

    assert.strictEqual(divergences, 1)
    assert.deepInclude(first[0], { kind: "other successor", step: label })
    assertShortestPath(first[0]!, source, depth)
    const { differences } = first[0]!
    assert.sameMembers(
      [...new Set(differences.map(({ path }) => path.replace(/[.[].*/, "")))],
      [...differing(small.graph, elsewhere, target)]
    )
    for (const { actual, expected } of differences) assert.notStrictEqual(actual, expected)
  })

  it("another initial state is told with what differs", () => {
    const { divergences, first } = replay({ ...small.graph, initial: [target] })

    assert.strictEqual(divergences, 1)
    assert.deepInclude(first[0], { kind: "initial state", step: undefined, path: [] })
    assert.sameMembers(
      [...new Set(first[0]!.differences.map(({ path }) => path.replace(/[.[].*/, "")))],
      [...differing(small.graph, target, small.graph.initial[0]!)]
    )
  })

  it("two initial states are one too many", () => {
    const { divergences, first } = replay({ ...small.graph, initial: [...small.graph.initial, target] })

    assert.strictEqual(divergences, 1)
    assert.strictEqual(first[0]?.kind, "initial state")
  })

  it("a changed label is a step that is missing and one too many", () => {
    const { divergences, first } = replay(
      withEdges(small.graph, (all) => all.with(edge, [source, target, "Teleport(p1)"]))
    )

    assert.strictEqual(divergences, 2)
    assert.sameDeepMembers(first.map(({ kind, step }) => [kind, step]), [
      ["missing step", "Teleport(p1)"],
      ["extra step", label]
    ])
    for (const divergence of first) assertShortestPath(divergence, source, depth)
  })

  it("counts what it does not tell in full", () => {
    const { divergences, edges, first } = replay(withEdges(small.graph, () => []))

    assert.strictEqual(edges, 0)
    assert.strictEqual(divergences, Graphs.edgeCount(small.graph))
    assert.strictEqual(first.length, 3)
  })

  it("refuses a graph without one of the variables", () => {
    assert.throws(
      () => replay({ ...small.graph, variables: small.graph.variables.map((name) => name === "leader" ? "x" : name) }),
      Graphs.GraphError,
      /the graph has no variable leader/
    )
  })

  it("reports how many edges it has compared, beginning with none", () => {
    const seen: Array<number> = []

    Replay.replay({ ...small, model, onProgress: (edges) => seen.push(edges) })

    assert.strictEqual(seen[0], 0)
  })
})

describe("edgesBySource and shortestPaths", () => {
  const graph: Graphs.Graph = {
    variables: ["x"],
    texts: [["0", "1", "2", "3", "4"]],
    states: [0, 1, 2, 3, 4],
    initial: [0],
    labels: ["A"],
    // A detour to 2, a loop, and a state that nothing leads to.
    sources: [1, 0, 0, 2, 3, 4],
    targets: [2, 1, 2, 3, 0, 0],
    edgeLabels: [0, 0, 0, 0, 0, 0]
  }
  const index = Replay.edgesBySource(graph)

  it("find every edge at its source", () => {
    const found = [0, 1, 2, 3, 4].map((state) =>
      Array.from(index.order.slice(index.starts[state], index.starts[state + 1]))
    )

    assert.deepStrictEqual(found, [[1, 2], [0], [3], [4], [5]])
  })

  it("find the shortest path, and none to the initial state or one that cannot be reached", () => {
    const paths = Replay.shortestPaths(graph, index)

    assert.deepStrictEqual([0, 1, 2, 3, 4].map((state) => Replay.pathTo(graph, paths, state)), [
      [],
      [1],
      [2],
      [2, 3],
      []
    ])
  })
})

describe("decoder", () => {
  it("gives equal parts of states as one object", () => {
    const worldAt = model.decoder(small.configuration, Replay.column(small.graph))

    assert.strictEqual(worldAt(source).producer.identity, worldAt(source).producer.identity)
    assert.deepStrictEqual(worldAt(small.graph.initial[0]!), World.initial(small.configuration))
  })
})

describe("the runtime engine", () => {
  for (const name of ["wrap-small", "acks-1-small"]) {
    it.effect(`${name}: takes every edge and ends where TLC does`, () =>
      Effect.gen(function*() {
        const { configuration, graph, model } = yield* committed(name)

        const { divergences, edges, first, states, steps } = replayRuntime(graph, configuration)

        assert.deepStrictEqual({ divergences, edges, first, states }, {
          divergences: 0,
          edges: model.counts!.generated - 1,
          first: [],
          states: model.counts!.distinct
        })
        assert.isAtLeast(steps, edges)
      }))
  }

  it("an edge that the code cannot take is a step that is missing", () => {
    const added = withEdges(small.graph, (all) => [...all, [source, target, "TimeOutProduce(p1)"]])
    assert.isFalse(
      Array.from(small.graph.sources).some((from, at) =>
        from === source && labelOf(small.graph, at) === "TimeOutProduce(p1)"
      )
    )

    const { divergences, first } = replayRuntime(added)

    assert.strictEqual(divergences, 1)
    assert.deepInclude(first[0], { kind: "missing step", step: "TimeOutProduce(p1)" })
    assertShortestPath(first[0]!, source, depth)
  })

  it("an edge that leads elsewhere is another successor, with the fields that differ", () => {
    const doctored = withEdges(small.graph, (all) => all.with(edge, [source, source, label]))

    const { divergences, first } = replayRuntime(doctored)

    // The walks that pass there stop there, so nothing else differs.
    assert.strictEqual(divergences, 1)
    assert.deepInclude(first[0], { kind: "other successor", step: label })
    assertShortestPath(first[0]!, source, depth)
    assert.sameMembers(
      [...new Set(first[0]!.differences.map(({ path }) => path.replace(/[.[].*/, "")))],
      // The budget of faults is the graph's own.
      [...differing(small.graph, source, target)].filter((name) => name !== "faults")
    )
  })

  it("another initial state is told", () => {
    const { divergences, first } = replayRuntime({ ...small.graph, initial: [target] })

    assert.isAbove(divergences, 0)
    assert.deepInclude(first[0], { kind: "initial state", path: [], step: undefined })
  })
})

describe("a bug of the museum in the code", () => {
  // Exhibits whose bug shows within the small graph: it needs the wrap, a failed append, a restart or a retry there.
  for (const name of ["KAFKA-7693", "KAFKA-6683", "AutoMQ-437", "kafkajs-1005", "franz-go-1217"] as const) {
    it(`${name} makes both engines diverge`, () => {
      const configuration = withRules(small.configuration, Museum.overrides[name])

      assert.isAbove(replay(small.graph, configuration).divergences, 0)
      assert.isAbove(replayRuntime(small.graph, configuration).divergences, 0)
    })
  }

  it.effect("without idempotence a rule of the retry does", () =>
    Effect.gen(function*() {
      const acks1 = yield* committed("acks-1-small")
      const configuration = withRules(acks1.configuration, { IsRetriable: () => false })

      assert.isAbove(replay(acks1.graph, configuration).divergences, 0)
      assert.isAbove(replayRuntime(acks1.graph, configuration).divergences, 0)
    }))
})

describe("a rule that only readers follow", () => {
  /** The model with a property that fails in one state of the graph, and one that fails in one step. */
  const numbers = Interner.make(model.packing(small.configuration))
  const decode = model.decoder(small.configuration, Replay.column(small.graph))
  const [from, to] = [source, target].map((state) => numbers.number(decode(state)))
  const reading = {
    ...model,
    invariants: {
      ...model.invariants,
      NotHere: (_configuration: unknown, world: World.World) => numbers.number(world) !== to
    },
    stepProperties: {
      ...model.stepProperties,
      NotThere: (_configuration: unknown, before: World.World, after: World.World) =>
        numbers.number(before) !== from || numbers.number(after) !== to
    }
  }
  const judge = (property: string) =>
    Replay.judge({ model: reading, configuration: small.configuration, graph: small.graph }, property)

  it("is found where it judges a state otherwise", () => {
    const { first, violations } = judge("NotHere")

    assert.strictEqual(violations, 1)
    assert.strictEqual(first!.kind, "violation of NotHere")
    assert.isUndefined(first!.step)
    assertShortestPath(first!, target, distances(small.graph).get(target)!)
  })

  it("is found where it judges a step otherwise", () => {
    const { first, violations } = judge("NotThere")

    assert.isAtLeast(violations, 1)
    assert.strictEqual(first!.kind, "violation of NotThere")
    assert.strictEqual(walk(small.graph, [...first!.path, first!.step!]), target)
  })

  it("is not found where it judges all alike", () => {
    for (const property of ["NoGap", "StableReads"]) {
      assert.deepStrictEqual(judge(property), { violations: 0, first: undefined })
    }
  })
})
