/**
 * The runtime engine: drives the Effect runtime from its initial state along walks that together take every edge of a
 * TLC graph, and compares the whole projected state after every step.
 *
 * The core engine loads states; this one has to reach them. It is what finds state that the shell hides.
 */
import type { Controlled, Driver } from "./Driver.ts"
import * as Graphs from "./Graph.ts"
import type { Divergence, Options, Result } from "./Replay.ts"
import { edgesBySource, pathTo, shortestPaths, statesOf } from "./Replay.ts"
import * as StateDiff from "./StateDiff.ts"

/** How many divergences are told in full. */
const told = 3

const progressInterval = 1024

export interface RuntimeOptions<Configuration, World> extends Omit<Options<Configuration, World>, "model"> {
  /** Starts the runtime of a model; the model is the driver's. */
  readonly driver: Driver<Configuration, World>
}

/** The steps taken count those that only lead to an edge; `edges` are the distinct ones that were compared. */
export const replay = <Configuration, World>(
  { configuration, driver, graph, onProgress }: RuntimeOptions<Configuration, World>
): Result & { readonly steps: number } => {
  const { model } = driver
  const { numbers, worlds } = statesOf({ model, configuration, graph })
  const index = edgesBySource(graph)
  const paths = shortestPaths(graph, index)
  const calls = graph.labels.map(Graphs.callOf)
  const count = Graphs.stateCount(graph)
  const covered = new Uint8Array(Graphs.edgeCount(graph))
  const first: Array<Divergence> = []
  let coveredEdges = 0
  let divergences = 0
  let steps = 0

  const label = (edge: number): Graphs.Label => graph.labels[graph.edgeLabels[edge]!]!

  const worldAt = (state: number): World => worlds.world(numbers[state]!)

  const diverge = (
    kind: Divergence["kind"],
    state: number,
    step: Graphs.Label | undefined,
    expected: World,
    actual: World
  ): void => {
    divergences++
    if (first.length >= told) return
    first.push({
      kind,
      path: pathTo(graph, paths, state).map(label),
      step,
      differences: StateDiff.between(model.encode(configuration, expected), model.encode(configuration, actual))
    })
  }

  /** Takes an edge; false when the runtime did not end where the specification does. */
  const take = (controlled: Controlled<World>, edge: number): boolean => {
    steps++
    if (covered[edge] === 0) {
      covered[edge] = 1
      coveredEdges++
      if (coveredEdges % progressInterval === 0) onProgress?.(coveredEdges)
    }
    const target = graph.targets[edge]!
    const possible = controlled.perform(calls[graph.edgeLabels[edge]!]!)
    const expected = worldAt(target)
    const reached = controlled.project(expected)
    if (possible && worlds.number(reached) === numbers[target]) return true
    diverge(possible ? "other successor" : "missing step", graph.sources[edge]!, label(edge), expected, reached)
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
    const controlled = driver.start(configuration)
    const initial = graph.initial[0]!
    const begun = controlled.project(worldAt(initial))
    if (worlds.number(begun) !== numbers[initial]) {
      diverge("initial state", initial, undefined, worldAt(initial), begun)
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
