/**
 * The core engine: every state of a TLC graph is loaded as a `World`, and the steps that the code can take from it are
 * compared with the edges that TLC has out of it.
 *
 * The comparison is of whole states and goes both ways: an edge that the code lacks and a step that TLC lacks are both
 * divergences. Done for every state, and with the same initial state, this makes the two graphs equal.
 */
import type { Configuration } from "../model/Configuration.ts"
import { Actions, Codec, World } from "../model/index.ts"
import * as Keys from "../model/Keys.ts"
import * as Value from "../tlc/Value.ts"
import type { Graph } from "./Graph.ts"
import * as Graphs from "./Graph.ts"
import * as StateDiff from "./StateDiff.ts"

/** Where code and specification part. */
export interface Divergence {
  readonly kind: "initial state" | "missing step" | "extra step" | "other successor"
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

/** Decodes states, remembering every distinct part. */
export const decoder = (configuration: Configuration, graph: Graph): (state: number) => World.World => {
  const columns = new Map(graph.variables.map((name, i) => [name, i]))
  const width = graph.variables.length
  const remember = <K extends Codec.Part>(part: K): (state: number) => Codec.DecodedParts[K] => {
    const known = new Map<string, Codec.DecodedParts[K]>()
    const places = Codec.parts[part].map((name) => {
      const column = columns.get(name)
      if (column === undefined) throw new Graphs.GraphError(`the graph has no variable ${name}`)
      return column
    })
    const decode = Codec.decodePart[part] as (
      configuration: Configuration,
      get: (name: Codec.Variable) => Value.Value
    ) => Codec.DecodedParts[K]
    return (state) => {
      let key = ""
      for (const column of places) key += `${graph.states[state * width + column]},`
      const found = known.get(key)
      if (found !== undefined) return found
      const decoded = decode(
        configuration,
        (name) => Value.parseUnsafe(Graphs.textOf(graph, state, columns.get(name)!))
      )
      known.set(key, decoded)
      return decoded
    }
  }
  const producer = remember("producer")
  const sender = remember("sender")
  const requests = remember("requests")
  const responses = remember("responses")
  const partitions = remember("partitions")
  const faults = remember("faults")
  return (state) =>
    Codec.assemble({
      producer: producer(state),
      sender: sender(state),
      requests: requests(state),
      responses: responses(state),
      partitions: partitions(state),
      faults: faults(state)
    })
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

export interface Options {
  readonly configuration: Configuration
  readonly graph: Graph
  /** Called now and then with the number of edges compared so far. */
  readonly onProgress?: (edges: number) => void
}

const progressInterval = 8192

export const replay = ({ configuration, graph, onProgress }: Options): Result => {
  const worldAt = decoder(configuration, graph)
  const interner = Keys.make()
  const count = Graphs.stateCount(graph)
  const index = edgesBySource(graph)
  const worlds = Array.from({ length: count }, (_, state) => interner.share(worldAt(state)))
  const keys = worlds.map(interner.key)
  const first: Array<Divergence> = []
  let divergences = 0
  let paths: Int32Array | undefined

  const diverge = (
    kind: Divergence["kind"],
    state: number,
    step: Graphs.Label | undefined,
    expected: World.World | undefined,
    actual: World.World | undefined
  ): void => {
    divergences++
    if (first.length >= told) return
    paths ??= shortestPaths(graph, index)
    first.push({
      kind,
      path: pathTo(graph, paths, state).map((edge) => graph.labels[graph.edgeLabels[edge]!]!),
      step,
      differences: expected === undefined || actual === undefined
        ? []
        : StateDiff.between(Codec.encode(configuration, expected), Codec.encode(configuration, actual))
    })
  }

  const start = World.initial(configuration)
  if (graph.initial.length !== 1 || keys[graph.initial[0]!] !== interner.key(start)) {
    diverge("initial state", graph.initial[0]!, undefined, worlds[graph.initial[0]!], start)
  }

  for (let state = 0; state < count; state++) {
    if (state % progressInterval === 0) onProgress?.(index.starts[state]!)
    const steps = new Map<Graphs.Label, World.World>()
    for (const step of Actions.successors(configuration, worlds[state]!)) steps.set(Actions.render(step), step.world)
    for (let at = index.starts[state]!; at < index.starts[state + 1]!; at++) {
      const edge = index.order[at]!
      const name = graph.labels[graph.edgeLabels[edge]!]!
      const target = graph.targets[edge]!
      const reached = steps.get(name)
      steps.delete(name)
      if (reached === undefined) diverge("missing step", state, name, undefined, undefined)
      else if (interner.key(reached) !== keys[target]) diverge("other successor", state, name, worlds[target], reached)
    }
    for (const name of steps.keys()) diverge("extra step", state, name, undefined, undefined)
  }
  return { states: count, edges: Graphs.edgeCount(graph), divergences, first }
}
