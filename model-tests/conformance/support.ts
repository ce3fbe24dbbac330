/** Committed graphs with the configurations they belong to, and graphs that are wrong in one place. */
import { Effect } from "effect"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join, relative } from "node:path"
import type * as Graphs from "../../src/conformance/Graph.ts"
import * as Specification from "../../src/conformance/Specification.ts"
import * as Traces from "../../src/conformance/Traces.ts"
import { type Museum, Rules } from "../../src/core/index.ts"
import { type Configuration, model as idempotent } from "../../src/model/idempotent/index.ts"
import { configurationOf } from "../../src/model/Model.ts"

export const modelNamed = Effect.fnUntraced(function*(name: string) {
  const { models } = yield* Specification.manifest
  const model = models.find((candidate) => candidate.name === name)
  return model ?? (yield* Effect.die(new Error(`the manifest has no ${name}`)))
})

/** A model of the manifest, its configuration of the idempotent producer, and its committed graph. */
export const committed = Effect.fnUntraced(function*(name: string) {
  const model = yield* modelNamed(name)
  const checked = yield* Specification.load(model.module, model.config)
  const graph = yield* Traces.read(name, checked)
  return { model, checked, configuration: configurationOf(idempotent, checked)!, graph }
})

/** A folder that is gone after the test. */
export const temporary = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "keos-test-"))),
  (folder) => Effect.sync(() => rmSync(folder, { recursive: true, force: true }))
)

/** The name under which `Traces` finds the graph `file` (without its `.json.gz`) of any folder. */
export const graphName = (folder: string, file: string): string =>
  relative(join(Specification.home, "traces", "graphs"), join(folder, file))

/** The path under which `Specification` finds a file of any folder. */
export const configPath = (folder: string, file: string): string => relative(Specification.folder, join(folder, file))

export const withRules = (
  configuration: Configuration.Configuration,
  override: Museum.Override
): Configuration.Configuration => {
  const rules = { ...Rules.base, ...override }
  return {
    ...configuration,
    sender: { ...configuration.sender, rules },
    replica: { ...configuration.replica, rules }
  }
}

export const labelOf = (graph: Graphs.Graph, edge: number): string => graph.labels[graph.edgeLabels[edge]!]!

/** The steps from the initial state to every state, counted without the code under test. */
export const distances = (graph: Graphs.Graph): ReadonlyMap<number, number> => {
  const found = new Map(graph.initial.map((state) => [state, 0]))
  for (let level = 0, before = 0; before < found.size; level++) {
    before = found.size
    for (let edge = 0; edge < graph.sources.length; edge++) {
      const target = graph.targets[edge]!
      if (found.get(graph.sources[edge]!) === level && !found.has(target)) found.set(target, level + 1)
    }
  }
  return found
}

/** Where labels lead from the initial state. */
export const walk = (graph: Graphs.Graph, labels: ReadonlyArray<string>): number =>
  labels.reduce((state, label) => {
    for (let edge = 0; edge < graph.sources.length; edge++) {
      if (graph.sources[edge] === state && labelOf(graph, edge) === label) return graph.targets[edge]!
    }
    throw new Error(`no ${label} in state ${state}`)
  }, graph.initial[0]!)

/** The graph with other edges. */
export const withEdges = (
  graph: Graphs.Graph,
  edit: (
    edges: ReadonlyArray<readonly [source: number, target: number, label: string]>
  ) => ReadonlyArray<readonly [source: number, target: number, label: string]>
): Graphs.Graph => {
  const edges = edit(Array.from(
    { length: graph.sources.length },
    (_, edge) => [graph.sources[edge]!, graph.targets[edge]!, labelOf(graph, edge)] as const
  ))
  const labels = [...new Set(edges.map(([, , label]) => label))]
  return {
    ...graph,
    labels,
    sources: edges.map(([source]) => source),
    targets: edges.map(([, target]) => target),
    edgeLabels: edges.map(([, , label]) => labels.indexOf(label))
  }
}
