/**
 * The runtime engine: drives the Effect runtime from its initial state along walks that together take every edge of a
 * TLC graph, and compares the whole projected state after every step.
 *
 * The core engine loads states; this one has to reach them. It is what finds state that the shell hides.
 */
import type { Configuration } from "../model/Configuration.ts"
import * as Configurations from "../model/Configuration.ts"
import { Codec, type World } from "../model/index.ts"
import * as Keys from "../model/Keys.ts"
import { Controlled } from "../runtime/index.ts"
import * as Graphs from "./Graph.ts"
import type { Divergence, Options, Result } from "./Replay.ts"
import { decoder, edgesBySource, pathTo, shortestPaths } from "./Replay.ts"
import * as StateDiff from "./StateDiff.ts"

/** How many divergences are told in full. */
const told = 3

const progressInterval = 1024

/** The action that a label of the graph names. */
const actionOf = ({ partitions }: Configuration, name: Graphs.Label): Controlled.Action => {
  const [action, ...rest] = name.split(/[(), ]+/).filter((part) => part !== "")
  const [first, second, third] = rest
  const partition = first === undefined ? Number.NaN : partitions.indexOf(first)
  return {
    _tag: action,
    ...(first === undefined ? {} : { partition }),
    ...(action === "ExpireBatch" ? { batch: Number(second) } : {}),
    ...(action === "HandleProduce" || action === "RefuseProduce" ? { connection: Number(second) } : {}),
    ...(action === "RefuseProduce" ? { error: third } : {})
  } as Controlled.Action
}

const start = (configuration: Configuration): Controlled.Controlled => {
  const controlled = Controlled.make({
    sender: configuration.sender,
    replica: configuration.replica,
    partitions: configuration.partitions.length,
    startSequence: configuration.startSequence
  })
  for (let partition = 0; partition < configuration.partitions.length; partition++) {
    for (let batch = 1; batch <= configuration.batchesPerPartition; batch++) {
      controlled.enqueue(partition, batch, Configurations.records(configuration, batch))
    }
  }
  return controlled
}

/** The steps taken count those that only lead to an edge; `edges` are the distinct ones that were compared. */
export const replay = ({ configuration, graph, onProgress }: Options): Result & { readonly steps: number } => {
  const worldAt = decoder(configuration, graph)
  const interner = Keys.make()
  const index = edgesBySource(graph)
  const paths = shortestPaths(graph, index)
  const actions = graph.labels.map((name) => actionOf(configuration, name))
  const count = Graphs.stateCount(graph)
  const worlds = Array.from({ length: count }, (_, state) => interner.share(worldAt(state)))
  const keys = worlds.map(interner.key)
  const covered = new Uint8Array(Graphs.edgeCount(graph))
  const first: Array<Divergence> = []
  let coveredEdges = 0
  let divergences = 0
  let steps = 0

  const label = (edge: number): Graphs.Label => graph.labels[graph.edgeLabels[edge]!]!

  /** The environment owns the fault budget, so it comes from the graph. */
  const project = (controlled: Controlled.Controlled, state: number): World.World => ({
    ...controlled.snapshot(),
    faults: worlds[state]!.faults
  })

  const diverge = (
    kind: Divergence["kind"],
    state: number,
    step: Graphs.Label | undefined,
    expected: World.World,
    actual: World.World
  ): void => {
    divergences++
    if (first.length >= told) return
    first.push({
      kind,
      path: pathTo(graph, paths, state).map(label),
      step,
      differences: StateDiff.between(Codec.encode(configuration, expected), Codec.encode(configuration, actual))
    })
  }

  /** Takes an edge; false when the runtime did not end where the specification does. */
  const take = (controlled: Controlled.Controlled, edge: number): boolean => {
    steps++
    if (covered[edge] === 0) {
      covered[edge] = 1
      coveredEdges++
      if (coveredEdges % progressInterval === 0) onProgress?.(coveredEdges)
    }
    const target = graph.targets[edge]!
    const possible = controlled.perform(actions[graph.edgeLabels[edge]!]!)
    const reached = project(controlled, target)
    if (possible && interner.key(reached) === keys[target]) return true
    diverge(possible ? "other successor" : "missing step", graph.sources[edge]!, label(edge), worlds[target]!, reached)
    return false
  }

  const uncoveredFrom = (state: number): number => {
    for (let at = index.starts[state]!; at < index.starts[state + 1]!; at++) {
      if (covered[index.order[at]!] === 0) return index.order[at]!
    }
    return -1
  }

  /** From the initial state to the edge, and on along edges not taken yet. */
  const walk = (towards: number): void => {
    const controlled = start(configuration)
    const initial = graph.initial[0]!
    if (interner.key(project(controlled, initial)) !== keys[initial]) {
      diverge("initial state", initial, undefined, worlds[initial]!, project(controlled, initial))
    }
    let ahead = pathTo(graph, paths, graph.sources[towards]!).every((edge) => take(controlled, edge))
    for (let edge = towards; ahead && edge >= 0; edge = uncoveredFrom(graph.targets[edge]!)) {
      ahead = take(controlled, edge)
    }
    controlled.close()
    // An edge that cannot be reached because the path to it diverges is not tried again.
    if (covered[towards] === 0) covered[towards] = 1
  }

  for (let state = 0; state < count; state++) {
    for (let edge = uncoveredFrom(state); edge >= 0; edge = uncoveredFrom(state)) walk(edge)
  }
  return { states: count, edges: coveredEdges, steps, divergences, first }
}
