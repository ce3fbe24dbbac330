/**
 * The core engine: every state of a TLC graph is loaded as a `World`, and the steps that the code can take from it are
 * compared with the edges that TLC has out of it.
 *
 * The comparison is of whole states and goes both ways: an edge that the code lacks and a step that TLC lacks are both
 * divergences. Done for every state, and with the same initial state, this makes the two graphs equal.
 */
import type { Column } from "../model/Codec.ts"
import * as Interner from "../model/Interner.ts"
import type { Model } from "../model/Model.ts"
import { render } from "../model/Model.ts"
import * as Value from "../tlc/Value.ts"
import type { Graph } from "./Graph.ts"
import * as Graphs from "./Graph.ts"
import * as StateDiff from "./StateDiff.ts"

/** Where code and specification part. */
export interface Divergence {
  readonly kind: "initial state" | "missing step" | "extra step" | "other successor" | `violation of ${string}`
  /** Labels of a shortest path from an initial state to the state in question. */
  readonly path: ReadonlyArray<Graphs.Label>
  /** The step that differs; absent for an initial state. */
  readonly step: Graphs.Label | undefined
  /** What differs between the successor that the specification has and the one that the code reaches. */
  readonly differences: ReadonlyArray<StateDiff.Difference>
}

export interface Result {
  readonly states: number
  /** Edges of the graph that were compared. */
  readonly edges: number
  /** How many steps differ, of which `first` are told in full. */
  readonly divergences: number
  readonly first: ReadonlyArray<Divergence>
}

/** How many divergences are told in full. */
const told = 3

/** The values of a variable, as the decoder of a model reads them. */
export const column = (graph: Graph) => (variable: string): Column => {
  const place = graph.variables.indexOf(variable)
  if (place < 0) throw new Graphs.GraphError(`the graph has no variable ${variable}`)
  return {
    key: (state) => graph.states[state * graph.variables.length + place]!,
    value: (state) => Value.parseUnsafe(Graphs.textOf(graph, state, place))
  }
}

/** The edges of a graph by source: `order[starts[s]]` to `order[starts[s + 1] - 1]` are those out of state `s`. */
export interface EdgeIndex {
  readonly starts: Int32Array
  readonly order: Int32Array
}

export const edgesBySource = (graph: Graph): EdgeIndex => {
  const count = Graphs.stateCount(graph)
  const starts = new Int32Array(count + 1)
  for (let e = 0; e < graph.sources.length; e++) starts[graph.sources[e]! + 1]!++
  for (let s = 0; s < count; s++) starts[s + 1]! += starts[s]!
  const next = starts.slice()
  const order = new Int32Array(graph.sources.length)
  for (let e = 0; e < graph.sources.length; e++) order[next[graph.sources[e]!]!++] = e
  return { starts, order }
}

/** A shortest path of edges to every state, as the last edge of each; −1 for initial states and unreachable ones. */
export const shortestPaths = (graph: Graph, { order, starts }: EdgeIndex): Int32Array => {
  const count = Graphs.stateCount(graph)
  const last = new Int32Array(count).fill(-1)
  const reached = new Uint8Array(count)
  const queue = [...graph.initial]
  for (const state of queue) reached[state] = 1
  for (let i = 0; i < queue.length; i++) {
    for (let at = starts[queue[i]!]!; at < starts[queue[i]! + 1]!; at++) {
      const target = graph.targets[order[at]!]!
      if (reached[target] === 1) continue
      reached[target] = 1
      last[target] = order[at]!
      queue.push(target)
    }
  }
  return last
}

/** The edges of the path to a state, from the initial state on. */
export const pathTo = (graph: Graph, last: Int32Array, state: number): ReadonlyArray<number> => {
  const path: Array<number> = []
  for (let edge = last[state]!; edge >= 0; edge = last[graph.sources[edge]!]!) path.unshift(edge)
  return path
}

export interface Options<Configuration, World> {
  readonly model: Model<Configuration, World>
  readonly configuration: Configuration
  readonly graph: Graph
  /** Called now and then with the number of edges compared so far. */
  readonly onProgress?: (edges: number) => void
}

/** The states of a graph as worlds, each with its number. */
export interface States<World> {
  readonly worlds: Interner.Interner<World>
  readonly numbers: Int32Array
}

export const statesOf = <Configuration, World>(
  { configuration, graph, model }: Options<Configuration, World>
): States<World> => {
  const worlds = Interner.make(model.packing(configuration))
  const worldAt = model.decoder(configuration, column(graph))
  const numbers = Int32Array.from({ length: Graphs.stateCount(graph) }, (_, state) => worlds.number(worldAt(state)))
  return { worlds, numbers }
}

const progressInterval = 8192

export const replay = <Configuration, World>(options: Options<Configuration, World>): Result => {
  const { configuration, graph, model, onProgress } = options
  const { numbers, worlds } = statesOf(options)
  const count = Graphs.stateCount(graph)
  const index = edgesBySource(graph)
  const first: Array<Divergence> = []
  let divergences = 0
  let paths: Int32Array | undefined

  const diverge = (
    kind: Divergence["kind"],
    state: number,
    step: Graphs.Label | undefined,
    compared?: { readonly expected: number; readonly actual: World }
  ): void => {
    divergences++
    if (first.length >= told) return
    paths ??= shortestPaths(graph, index)
    first.push({
      kind,
      path: pathTo(graph, paths, state).map((edge) => graph.labels[graph.edgeLabels[edge]!]!),
      step,
      differences: compared === undefined ? [] : StateDiff.between(
        model.encode(configuration, worlds.world(numbers[compared.expected]!)),
        model.encode(configuration, compared.actual)
      )
    })
  }

  const start = model.initial(configuration)
  const initial = graph.initial[0]!
  if (graph.initial.length !== 1 || worlds.number(start) !== numbers[initial]) {
    diverge("initial state", initial, undefined, { expected: initial, actual: start })
  }

  for (let state = 0; state < count; state++) {
    if (state % progressInterval === 0) onProgress?.(index.starts[state]!)
    const steps = new Map<Graphs.Label, World>()
    for (const step of model.successors(configuration, worlds.world(numbers[state]!))) {
      steps.set(render(step), step.world)
    }
    for (let at = index.starts[state]!; at < index.starts[state + 1]!; at++) {
      const edge = index.order[at]!
      const name = graph.labels[graph.edgeLabels[edge]!]!
      const target = graph.targets[edge]!
      const reached = steps.get(name)
      steps.delete(name)
      if (reached === undefined) diverge("missing step", state, name)
      else if (worlds.number(reached) !== numbers[target]) {
        diverge("other successor", state, name, { expected: target, actual: reached })
      }
    }
    for (const name of steps.keys()) diverge("extra step", state, name)
  }
  return { states: count, edges: Graphs.edgeCount(graph), divergences, first }
}

/**
 * Where the code finds a property violated in states and steps of a graph in which the specification has it hold. This is
 * how a rule differs that only readers follow: it changes no state.
 */
export const judge = <Configuration, World>(
  options: Options<Configuration, World>,
  property: string
): { readonly violations: number; readonly first: Divergence | undefined } => {
  const { configuration, graph, model } = options
  const invariant = model.invariants[property]
  const stepProperty = model.stepProperties[property]
  const { numbers, worlds } = statesOf(options)
  const index = edgesBySource(graph)
  let paths: Int32Array | undefined
  let violations = 0
  let first: Divergence | undefined

  const violated = (state: number, step?: Graphs.Label): void => {
    violations++
    if (first !== undefined) return
    paths ??= shortestPaths(graph, index)
    const path = pathTo(graph, paths, state).map((edge) => graph.labels[graph.edgeLabels[edge]!]!)
    first = { kind: `violation of ${property}`, path, step, differences: [] }
  }

  for (let state = 0; state < Graphs.stateCount(graph); state++) {
    const from = worlds.world(numbers[state]!)
    if (invariant !== undefined && !invariant(configuration, from)) violated(state)
    if (stepProperty === undefined) continue
    for (let at = index.starts[state]!; at < index.starts[state + 1]!; at++) {
      const edge = index.order[at]!
      const to = worlds.world(numbers[graph.targets[edge]!]!)
      if (!stepProperty(configuration, from, to)) violated(state, graph.labels[graph.edgeLabels[edge]!]!)
    }
  }
  return { violations, first }
}
