/**
 * What brokers do with Fetch: what there is, or a wait until there is enough. `ReplicaManager.fetchMessages`,
 * `DelayedFetch`.
 */
import { Clock, Effect } from "effect"
import type { Partition } from "../../core/index.ts"
import type { Api, TopicPartition } from "../client/Requests.ts"
import type * as Topics from "./Topics.ts"

/** A client's request, where partitions may have a limit of their own. */
export interface Request extends Omit<Api["Fetch"]["request"], "partitions"> {
  readonly partitions: ReadonlyArray<TopicPartition & { readonly offset: number; readonly maxBytes?: number }>
}

export interface FetchRequests {
  /** There is more to read somewhere. */
  readonly appended: () => void
  readonly fetch: (
    broker: Partition.Broker,
    request: Request
  ) => Effect.Effect<Api["Fetch"]["response"]>
}

const nothing = { highWatermark: -1, lastStableOffset: -1, abortedTransactions: [], batches: [] } as const
const unknownPartition = { error: "UNKNOWN_TOPIC_OR_PARTITION", ...nothing } as const
const notLeader = { error: "NOT_LEADER_OR_FOLLOWER", ...nothing } as const

/** `topics` is asked when a fetch comes. */
export const make = (topics: () => Topics.Topics): FetchRequests => {
  const readers = new Set<() => void>()

  const more = Effect.callback<void>((resume) => {
    const wake = (): void => resume(Effect.void)
    readers.add(wake)
    return Effect.sync(() => void readers.delete(wake))
  })

  const read = (broker: Partition.Broker, request: Request, isParked: boolean) => {
    let size = 0
    let isRefused = false
    const results = request.partitions.map(({ maxBytes = Infinity, offset, partition, topic }) => {
      const leader = topics().leader({ topic, partition })
      const left = Math.min(maxBytes, Math.max(0, request.maxBytes - size))
      const found = leader === undefined
        ? unknownPartition
        : leader.leader() === broker
        ? leader.fetch(offset, request.isolationLevel, left, isParked)
        : notLeader
      for (const batch of found.batches) size += batch.length
      isRefused ||= found.error !== "NONE"
      return { topic, partition, ...found }
    })
    return { results, isDone: isRefused || size >= request.minBytes }
  }

  return {
    appended: () => {
      // Who is woken may wait again at once, for the next time.
      const waiting = [...readers]
      readers.clear()
      for (const wake of waiting) wake()
    },
    fetch: Effect.fnUntraced(function*(broker, request) {
      const deadline = (yield* Clock.currentTimeMillis) + request.maxWaitMs
      for (let isParked = false;; isParked = true) {
        const { isDone, results } = read(broker, request, isParked)
        const now = yield* Clock.currentTimeMillis
        if (isDone || now >= deadline) return { results }
        yield* Effect.timeoutOption(more, deadline - now)
      }
    })
  }
}
