/**
 * The partitions of a consumer, where it is in each, and the fetches that go ahead of it: one at a time to each
 * leader, for what is not fetched yet. Kafka's `SubscriptionState`, `Fetcher` and `FetchBuffer`.
 *
 * A position is the offset of the next record that the application is given. Whatever comes in for another position is
 * thrown away.
 */
import { Effect, Metric, Random, Result, type Scope } from "effect"
import { Errors, TopicPartition } from "../../core/index.ts"
import * as Backoff from "./Backoff.ts"
import type { ClusterMetadata } from "./ClusterMetadata.ts"
import * as CompletedFetch from "./CompletedFetch.ts"
import type { ConsumerConfig } from "./ConsumerConfig.ts"
import { BrokerRefused, type ConsumerError, InvalidRecords, OffsetOutOfRange } from "./ConsumerErrors.ts"
import * as ConsumerMetrics from "./ConsumerMetrics.ts"
import type { ConsumerRecord } from "./ConsumerRecord.ts"
import type { CommittedOffset, FetchResult, NodeId } from "./Requests.ts"

export type Position =
  | { readonly _tag: "At"; readonly offset: number }
  /** Where the group has committed; `otherwise` where it has not, if that was decided before. */
  | { readonly _tag: "AtCommitted"; readonly otherwise: number | undefined }
  /** Where `auto.offset.reset` says. */
  | { readonly _tag: "AtReset" }

interface Assigned {
  readonly partition: TopicPartition.TopicPartition
  position: Position
  /** Where the consumer began without a committed offset. */
  began: number | undefined
}

export interface Fetcher {
  /** Gives up all partitions for others. */
  readonly assign: (partitions: ReadonlyArray<TopicPartition.TopicPartition>) => void
  readonly assigned: () => ReadonlyArray<TopicPartition.TopicPartition>
  /** `undefined` where the partition is not assigned. */
  readonly position: (partition: TopicPartition.TopicPartition) => Position | undefined
  /** Goes on elsewhere; nothing where the partition is not assigned. */
  readonly move: (partition: TopicPartition.TopicPartition, to: Position) => void
  /** Goes back to what is committed, or else to where the consumer began. */
  readonly rewind: () => void
  /** The offsets to commit: all positions that are known. */
  readonly consumed: () => ReadonlyArray<CommittedOffset>
  /** Whether it is not known who leads, or known wrongly. */
  readonly isStale: () => boolean
  readonly updated: () => void
  /** Up to `count` of the records that have come in, of all partitions or of one. */
  readonly take: (
    count: number,
    only?: TopicPartition.TopicPartition
  ) => Result.Result<ReadonlyArray<ConsumerRecord>, ConsumerError>
  /** Fetches what is not there yet, without waiting for it. */
  readonly send: Effect.Effect<void>
}

export interface Options {
  readonly config: ConsumerConfig
  readonly cluster: ClusterMetadata
  readonly backoff: Backoff.Backoff
  /** Runs when something has come in. */
  readonly arrived: () => void
}

interface Wanted extends TopicPartition.TopicPartition {
  readonly offset: number
}

/** A consumer without partitions; fetches end with the scope. */
export const make = Effect.fnUntraced(function*(
  { arrived, backoff, cluster, config }: Options
): Effect.fn.Return<Fetcher, never, Scope.Scope> {
  const scope = yield* Effect.scope
  const isolationLevel = config["isolation.level"]
  let assigned = new Map<string, Assigned>()
  /** In the order of arrival. */
  let completed: Array<CompletedFetch.CompletedFetch> = []
  /** Leaders that a fetch is on its way to, or that have just failed to answer one. */
  const busy = new Set<NodeId>()
  const fetches = Metric.withAttributes(ConsumerMetrics.fetches, { client_id: config["client.id"] })
  let isStale = false
  let failure: ConsumerError | undefined
  let failedInARow = 0

  const find = (partition: TopicPartition.TopicPartition): Assigned | undefined =>
    assigned.get(TopicPartition.key(partition))

  const move: Fetcher["move"] = (partition, to) => {
    const found = find(partition)
    if (found === undefined) return
    found.position = to
    const key = TopicPartition.key(partition)
    completed = completed.filter((fetch) => TopicPartition.key(fetch.partition) !== key)
    if (to._tag === "At") found.began ??= to.offset
  }

  /** What has come in for a partition; whether it may be fetched again at once. */
  const received = (result: FetchResult, offset: number): boolean => {
    const found = find(result)
    if (found === undefined || found.position._tag !== "At" || found.position.offset !== offset) return true
    const { partition } = found
    if (result.error === "NONE") {
      if (result.batches.length === 0) return true
      completed.push(CompletedFetch.make(isolationLevel, offset, result))
      // Where a fetch has no room for all, others are first the next time.
      const key = TopicPartition.key(partition)
      assigned.delete(key)
      assigned.set(key, found)
      return true
    }
    if (result.error === "OFFSET_OUT_OF_RANGE") {
      if (config["auto.offset.reset"] === "none") failure = new OffsetOutOfRange({ partition, offset })
      else found.position = { _tag: "AtReset" }
      return true
    }
    if (Errors.isRetriable(result.error)) isStale = true
    else failure = new BrokerRefused({ api: "Fetch", error: result.error })
    return false
  }

  /** Where the answer says to try again, or there is none, the leader is left alone for a while. */
  const fetch = Effect.fnUntraced(
    function*(node: NodeId, partitions: ReadonlyArray<Wanted>) {
      yield* Metric.update(fetches, 1)
      const asking = cluster.ask(node, "Fetch", {
        isolationLevel,
        minBytes: config["fetch.min.bytes"],
        maxWaitMs: config["fetch.max.wait.ms"],
        maxBytes: config["fetch.max.bytes"],
        partitions
      })
      const response = yield* Effect.result(
        Effect.withSpan(asking, "Fetch", { kind: "client", attributes: { node, partitions: partitions.length } })
      )
      let isGood = true
      if (Result.isSuccess(response)) {
        const offsets = new Map(partitions.map((wanted) => [TopicPartition.key(wanted), wanted.offset]))
        for (const result of response.success.results) {
          const offset = offsets.get(TopicPartition.key(result))
          if (offset !== undefined) isGood = received(result, offset) && isGood
        }
      } else {
        isStale = true
        isGood = false
      }
      failedInARow = isGood ? 0 : failedInARow + 1
      if (!isGood) yield* Effect.sleep(Backoff.delayOf(backoff, failedInARow, yield* Random.next))
    },
    (fetching, node) =>
      Effect.ensuring(
        fetching,
        Effect.sync(() => {
          busy.delete(node)
          arrived()
        })
      )
  )

  const wanted = (): ReadonlyMap<NodeId, ReadonlyArray<Wanted>> => {
    const there = new Set(completed.map(({ partition }) => TopicPartition.key(partition)))
    const byLeader = new Map<NodeId, Array<Wanted>>()
    for (const [key, { partition, position }] of assigned) {
      if (position._tag !== "At" || there.has(key)) continue
      const leader = cluster.leader(partition)
      if (leader === undefined) isStale = true
      else if (!busy.has(leader)) {
        const others = byLeader.get(leader)
        const want = { ...partition, offset: position.offset }
        if (others === undefined) byLeader.set(leader, [want])
        else others.push(want)
      }
    }
    return byLeader
  }

  const take: Fetcher["take"] = (count, only) => {
    const records: Array<ConsumerRecord> = []
    if (failure !== undefined) {
      const told = failure
      failure = undefined
      return Result.fail(told)
    }
    const onlyKey = only === undefined ? undefined : TopicPartition.key(only)
    for (let i = 0; i < completed.length && records.length < count;) {
      const next = completed[i]!
      if (onlyKey !== undefined && TopicPartition.key(next.partition) !== onlyKey) {
        i++
        continue
      }
      const reason = next.take(count - records.length, records)
      const offset = next.position()
      find(next.partition)!.position = { _tag: "At", offset }
      if (reason !== undefined) {
        // What was read before the flaw is handed out first.
        if (records.length > 0) break
        completed.splice(i, 1)
        return Result.fail(new InvalidRecords({ partition: next.partition, offset, reason }))
      }
      if (next.isExhausted()) completed.splice(i, 1)
    }
    return Result.succeed(records)
  }

  return {
    assign: (partitions) => {
      completed = []
      failure = undefined
      assigned = new Map(
        partitions.map((partition): readonly [string, Assigned] => [
          TopicPartition.key(partition),
          { partition, position: { _tag: "AtCommitted", otherwise: undefined }, began: undefined }
        ])
      )
    },
    assigned: () => Array.from(assigned.values(), ({ partition }) => partition),
    position: (partition) => find(partition)?.position,
    move,
    rewind: () => {
      for (const { began, partition } of assigned.values()) {
        move(partition, { _tag: "AtCommitted", otherwise: began })
      }
    },
    consumed: () =>
      Array.from(assigned.values()).flatMap(({ partition, position }) =>
        position._tag === "At" ? [{ ...partition, offset: position.offset }] : []
      ),
    isStale: () =>
      isStale || Array.from(assigned.values()).some(({ partition }) => cluster.leader(partition) === undefined),
    updated: () => {
      isStale = false
    },
    take,
    send: Effect.suspend(() =>
      Effect.forEach(wanted(), ([node, partitions]) => {
        busy.add(node)
        return Effect.forkIn(fetch(node, partitions), scope)
      }, { discard: true })
    )
  }
})
