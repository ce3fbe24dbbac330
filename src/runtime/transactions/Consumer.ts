/**
 * A consumer of all topic partitions: it polls, reads as far as its isolation level lets it, and reports every record once,
 * in offset order.
 */
import { Effect } from "effect"
import { Transaction, TransactionalPartition } from "../../core/index.ts"
import { draw, randomStreams, type Range } from "../RandomStreams.ts"
import type { Conductor } from "./Conductor.ts"
import type { Isolation, Observation } from "./Events.ts"
import type { Setup } from "./Setup.ts"

export interface Options {
  readonly conductor: Conductor
  readonly setup: Setup
  readonly consumer: number
  readonly isolation: Isolation
  readonly observed: (observation: Observation) => void
}

export interface Consumer {
  /** Reads what can be read now, of all partitions. */
  readonly poll: Effect.Effect<void>
  /** Says of all partitions that there is nothing more to come. */
  readonly end: Effect.Effect<void>
}

/** A consumer at the beginning of all partitions, which polls when it is told. */
export const make = ({ conductor, consumer, isolation, observed, setup }: Options): Consumer => {
  const { hosts } = conductor
  const topics = setup.partitions.filter((partition) => partition !== Transaction.groupPartition)
  const positions = new Map<string, number>()

  const boundOf = (partition: TransactionalPartition.Partition): number =>
    isolation === "read_committed" ? setup.context.rules.LastStableOffset(partition) : partition.highWatermark

  /** The offsets of what it would be given from the start. */
  const readable = (partition: TransactionalPartition.Partition): ReadonlyArray<number> => {
    if (isolation === "read_committed") return TransactionalPartition.readCommitted(setup.context, partition)
    const found: Array<number> = []
    for (let offset = 0; offset < partition.highWatermark; offset++) {
      if (partition.log[offset]!.kind === "DATA") found.push(offset)
    }
    return found
  }

  const read = (name: string): void => {
    const partition = hosts.partition(name)
    const position = positions.get(name) ?? 0
    for (const offset of readable(partition)) {
      if (offset < position) continue
      const record = hosts.recordOf(partition.log[offset]!.transaction, name)
      observed({ _tag: "Read", consumer, isolation, partition: name, offset, record })
    }
    positions.set(name, Math.max(position, boundOf(partition)))
  }

  return {
    poll: conductor.between(Effect.sync(() => topics.forEach(read))),
    end: conductor.between(Effect.sync(() => {
      for (const partition of topics) {
        observed({ _tag: "End", consumer, isolation, partition, offset: positions.get(partition) ?? 0 })
      }
    }))
  }
}

/** Polls for ever, pausing for a random time. */
export const polling = Effect.fnUntraced(function*({ poll }: Consumer, pause: Range): Effect.fn.Return<never> {
  const [next] = yield* randomStreams(1)
  while (true) {
    yield* Effect.sleep(draw(next!, pause))
    yield* poll
  }
})
