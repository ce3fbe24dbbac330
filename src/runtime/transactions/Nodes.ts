/**
 * The machines of a simulated cluster, and what can be wrong with them for a while without anything being lost: one is cut
 * off, one is slow, and the clock of one is not that of the others.
 */
import { Clock, Effect } from "effect"
import type { Partition } from "../../core/index.ts"

/** An instance of the application, or a broker. */
export type Node = `client ${number}` | `broker ${Partition.Broker}`

/** Nothing reaches the node or leaves it; or all that it sends and works on takes ten times as long. */
export type Outage = "Isolate" | "Slow"

/** How fast clocks are, 1 being true time: where it is 2, a timeout passes after half of it. Those not named are true. */
export type Clocks = Readonly<Partial<Record<Node, number>>>

export interface Nodes {
  /** The outage begins; it ends after so many milliseconds. */
  readonly begin: (outage: Outage, node: Node, duration: number) => Effect.Effect<void>
  /** When the last of these nodes that are cut off is so no more; now or earlier if none is. */
  readonly isolatedUntil: (nodes: ReadonlyArray<Node>) => number
  /** How many times as long something takes in which these nodes take part. */
  readonly slowness: (nodes: ReadonlyArray<Node>) => number
  /** How long it really takes until this much time has passed on the node's clock. */
  readonly elapsing: (node: Node, timeout: number) => number
}

const slowness = 10

/** Nodes that work, with these clocks. */
export const make = (clocks: Clocks = {}): Effect.Effect<Nodes> =>
  Effect.map(Clock.Clock, (clock) => {
    const ends = { Isolate: new Map<Node, number>(), Slow: new Map<Node, number>() } as const
    const endOf = (outage: Outage, nodes: ReadonlyArray<Node>): number =>
      ends[outage].size === 0 ? 0 : Math.max(0, ...nodes.map((node) => ends[outage].get(node) ?? 0))
    return {
      begin: (outage, node, duration) =>
        Effect.sync(() => {
          const end = clock.currentTimeMillisUnsafe() + duration
          ends[outage].set(node, Math.max(end, endOf(outage, [node])))
        }),
      isolatedUntil: (nodes) => endOf("Isolate", nodes),
      slowness: (nodes) => endOf("Slow", nodes) > clock.currentTimeMillisUnsafe() ? slowness : 1,
      elapsing: (node, timeout) => timeout / (clocks[node] ?? 1)
    }
  })
