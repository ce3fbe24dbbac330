/**
 * The consumer as an application meets it: it subscribes to topics with its group, or is given partitions; it polls, or
 * runs a stream; it commits. Kafka's `KafkaConsumer` with the classic protocol.
 *
 * Nothing happens to the application's partitions but within a poll: there the group is joined again, and there records
 * are handed out. Keys and values are bytes; `ConsumerRecord.deserialize` makes more of them.
 */
import { Cause, Clock, Context, Effect, Latch, Layer, Metric, Random, Result, Semaphore, Stream } from "effect"
import { Errors, Sequence, type TopicPartition } from "../../core/index.ts"
import * as Backoff from "./Backoff.ts"
import * as ClusterMetadata from "./ClusterMetadata.ts"
import * as ConsumerConfig from "./ConsumerConfig.ts"
import {
  ApiTimeout,
  BrokerRefused,
  CommitFailed,
  type ConsumerError,
  InvalidGroupId,
  NoOffsetForPartition,
  NotAssigned,
  NotSubscribed,
  Retriable,
  SubscriptionConflict
} from "./ConsumerErrors.ts"
import * as ConsumerMetrics from "./ConsumerMetrics.ts"
import type { ConsumerRecord } from "./ConsumerRecord.ts"
import * as Fetcher from "./Fetcher.ts"
import * as Membership from "./Membership.ts"
import type { ConfigException } from "./Properties.ts"
import { type CommittedOffset, Connections, type Member, type NodeId } from "./Requests.ts"

type Partition = TopicPartition.TopicPartition

/** What an application does when its partitions change, within a poll. `ConsumerRebalanceListener`. */
export interface RebalanceListener {
  /** The partitions are about to be given up; offsets can still be committed. */
  readonly revoked?: (partitions: ReadonlyArray<Partition>) => Effect.Effect<void>
  /** The partitions may be somebody else's already. */
  readonly lost?: (partitions: ReadonlyArray<Partition>) => Effect.Effect<void>
  readonly assigned?: (partitions: ReadonlyArray<Partition>) => Effect.Effect<void>
}

export class Consumer extends Context.Service<Consumer, {
  readonly config: ConsumerConfig.ConsumerConfig
  /** Shares these topics with the group from the next poll on, instead of those before. */
  readonly subscribe: (
    topics: ReadonlyArray<string>,
    listener?: RebalanceListener
  ) => Effect.Effect<void, InvalidGroupId | SubscriptionConflict>
  /** Takes these partitions, instead of those before, without asking any group. */
  readonly assign: (partitions: ReadonlyArray<Partition>) => Effect.Effect<void, SubscriptionConflict>
  readonly assignment: Effect.Effect<ReadonlyArray<Partition>>
  /**
   * Up to `max.poll.records` of the records that are there. It joins the group when that is due, which takes as long as
   * the other members take; else it waits for records no longer than `fetch.max.wait.ms`, and may come back with none.
   *
   * With `enable.auto.commit` the next poll commits what this one gives, and so does the end of the scope.
   */
  readonly poll: Effect.Effect<ReadonlyArray<ConsumerRecord>, ConsumerError>
  /** All records, poll by poll: the next poll is when the records of the last one are taken. It does not end. */
  readonly records: Stream.Stream<ConsumerRecord, ConsumerError>
  /** The records of one partition, until it is not this consumer's any more. */
  readonly recordsOf: (partition: Partition) => Stream.Stream<ConsumerRecord, ConsumerError>
  /** The offset of the record that comes next, markers of transactions and aborted records left aside. */
  readonly position: (partition: Partition) => Effect.Effect<number, ConsumerError>
  readonly seek: (partition: Partition, offset: number) => Effect.Effect<void, NotAssigned>
  /**
   * Goes back in all partitions to what the group has committed, or else to where this consumer began. With the next
   * poll, when no transaction can change the offsets any more.
   */
  readonly rewind: Effect.Effect<void>
  /** Commits offsets, by default all positions. */
  readonly commit: (offsets?: ReadonlyArray<CommittedOffset>) => Effect.Effect<void, ConsumerError>
  /**
   * What the group has committed, once no transaction can change it any more (KIP-447). -1 where there is nothing.
   */
  readonly committed: (
    partitions: ReadonlyArray<Partition>
  ) => Effect.Effect<ReadonlyArray<CommittedOffset>, ConsumerError>
  /** All positions that are known, as offsets to commit. */
  readonly positions: Effect.Effect<ReadonlyArray<CommittedOffset>>
  /** Who commits the offsets in a producer's transaction. */
  readonly groupMetadata: Effect.Effect<Member, InvalidGroupId>
}>()("keos/client/Consumer") {
  /** The consumer leaves its group when the scope ends. */
  static readonly layer = (
    given: ConsumerConfig.Given
  ): Layer.Layer<Consumer, ConfigException, Connections> => Layer.effect(this, make(given))
}

type Subscription =
  | { readonly _tag: "None" }
  | { readonly _tag: "Topics"; readonly topics: ReadonlyArray<string>; readonly listener: RebalanceListener }
  | { readonly _tag: "Partitions"; readonly topics: ReadonlyArray<string> }

/** A consumer of its own, that ends with the scope. */
export const make = Effect.fnUntraced(function*(given: ConsumerConfig.Given) {
  const config = yield* Effect.fromResult(ConsumerConfig.decode(given))
  const connections = yield* Connections
  const cluster = ClusterMetadata.make(connections, config["request.timeout.ms"])
  const backoff: Backoff.Backoff = { initialMs: config["retry.backoff.ms"], maxMs: config["retry.backoff.max.ms"] }
  const group = config["group.id"]
  const isAutoCommit = config["enable.auto.commit"]

  const count = (metric: Metric.Counter<number>, amount: number): Effect.Effect<void> =>
    Metric.update(Metric.withAttributes(metric, { client_id: config["client.id"] }), amount)

  const polling = yield* Semaphore.make(1)
  const news = yield* Latch.make(false)
  const wake = (): void => void news.openUnsafe()
  const fetcher = yield* Fetcher.make({ config, cluster, backoff, arrived: wake })
  const membership = group === undefined
    ? undefined
    : yield* Membership.make({ config, group, cluster, changed: wake })

  let subscription: Subscription = { _tag: "None" }
  let failedInARow = 0
  let nextUpdate = 0
  let nextAutoCommit = (yield* Clock.currentTimeMillis) + config["auto.commit.interval.ms"]

  const grouped = membership === undefined ? Effect.fail(new InvalidGroupId()) : Effect.succeed(membership)

  const pause = (attempts: number): Effect.Effect<void> =>
    Effect.flatMap(Random.next, (random) => Effect.sleep(Backoff.delayOf(backoff, attempts, random)))

  /** Asks again until it succeeds, or `default.api.timeout.ms` are over. */
  const retrying = Effect.fnUntraced(function*<A, E>(
    attempt: Effect.Effect<A, E | Retriable>
  ): Effect.fn.Return<A, Exclude<E, Retriable> | ApiTimeout> {
    const deadline = (yield* Clock.currentTimeMillis) + config["default.api.timeout.ms"]
    for (let attempts = 1;; attempts++) {
      const result = yield* Effect.result(attempt)
      if (Result.isSuccess(result)) return result.success
      const { failure } = result
      if (!(failure instanceof Retriable)) return yield* Effect.fail(failure as Exclude<E, Retriable>)
      if ((yield* Clock.currentTimeMillis) >= deadline) {
        return yield* new ApiTimeout({ api: failure.api, error: failure.error })
      }
      yield* pause(attempts)
    }
  })

  // Commits.

  /** A member that is lost says who it was; one that never was a member is nobody, and must not commit as one. */
  const commitOnce = Effect.fnUntraced(function*(offsets: ReadonlyArray<CommittedOffset>) {
    const member = yield* grouped
    if (subscription._tag === "Topics" && member.metadata().generation === Sequence.none) {
      return yield* new CommitFailed({ error: "UNKNOWN_MEMBER_ID" })
    }
    if (offsets.length === 0) return
    yield* member.commit(offsets)
    yield* count(ConsumerMetrics.commits, 1)
  })

  /** What is not committed is given again: that is for the log, not for the application. */
  const autoCommit = Effect.suspend(() => commitOnce(fetcher.consumed())).pipe(
    Effect.catch((error) => Effect.logWarning("offsets were not committed automatically", error))
  )

  const autoCommitIfDue = Effect.fnUntraced(function*(now: number) {
    if (!isAutoCommit || now < nextAutoCommit) return
    nextAutoCommit = now + config["auto.commit.interval.ms"]
    yield* autoCommit
  })

  // The group.

  const giveUp = Effect.fnUntraced(function*(standing: Membership.Standing, listener: RebalanceListener) {
    const partitions = fetcher.assigned()
    if (partitions.length === 0) return
    if (standing === "Lost") yield* listener.lost?.(partitions) ?? Effect.void
    else {
      if (isAutoCommit) yield* autoCommit
      yield* listener.revoked?.(partitions) ?? Effect.void
    }
    fetcher.assign([])
  })

  /** Who is interrupted is either a member that its listener knows of, or none. */
  const ensureMember = ({ listener, topics }: Subscription & { readonly _tag: "Topics" }) =>
    Effect.uninterruptibleMask(Effect.fnUntraced(function*(restore) {
      const member = yield* grouped
      const standing = member.standing()
      if (standing === "Member") return
      yield* giveUp(standing, listener)
      yield* restore(member.join(topics, fetcher.assign))
      member.polled(yield* Clock.currentTimeMillis)
      yield* count(ConsumerMetrics.rebalances, 1)
      yield* listener.assigned?.(fetcher.assigned()) ?? Effect.void
    }))

  // Positions.

  const update = Effect.fnUntraced(function*(topics: ReadonlyArray<string>) {
    yield* Effect.mapError(
      cluster.update(topics),
      () => new Retriable({ api: "Metadata", error: "NETWORK_EXCEPTION" })
    )
    nextUpdate = (yield* Clock.currentTimeMillis) + config["metadata.max.age.ms"]
    fetcher.updated()
  })

  /** Where there are more partitions than before, the leader of the group shares them out anew. */
  const updateIfDue = Effect.gen(function*() {
    if (subscription._tag === "None") return
    if (!fetcher.isStale() && (yield* Clock.currentTimeMillis) < nextUpdate) return
    yield* update(subscription.topics)
    if (membership?.isOutdated() === true) membership.rejoin()
  })

  const listOffsets = Effect.fnUntraced(function*(
    at: "earliest" | "latest",
    node: NodeId,
    partitions: ReadonlyArray<Partition>
  ) {
    const api = "ListOffsets"
    const { results } = yield* Effect.mapError(
      cluster.ask(node, api, { isolationLevel: config["isolation.level"], at, partitions }),
      () => new Retriable({ api, error: "NETWORK_EXCEPTION" })
    )
    for (const { error, offset, partition, topic } of results) {
      if (error === "NONE") {
        fetcher.move({ topic, partition }, { _tag: "At", offset })
        continue
      }
      if (!Errors.isRetriable(error)) return yield* new BrokerRefused({ api, error })
      yield* update([topic])
      return yield* new Retriable({ api, error })
    }
  })

  const reset = Effect.fnUntraced(function*(partitions: ReadonlyArray<Partition>) {
    const at = config["auto.offset.reset"]
    const byLeader = Map.groupBy(partitions, (partition) => cluster.leader(partition))
    for (const [node, of] of byLeader) {
      if (at === "none") return yield* new NoOffsetForPartition({ partition: of[0]! })
      if (node === undefined) return yield* new Retriable({ api: "ListOffsets", error: "LEADER_NOT_AVAILABLE" })
      yield* listOffsets(at, node, of)
    }
  })

  /** Every partition gets a position: the committed one, or by `auto.offset.reset`. One attempt. */
  const ensurePositions = Effect.gen(function*() {
    const unknown = fetcher.assigned().filter((partition) => fetcher.position(partition)?._tag === "AtCommitted")
    if (unknown.length > 0) {
      const offsets = membership === undefined
        ? unknown.map((partition) => ({ ...partition, offset: Sequence.none }))
        : yield* membership.committed(unknown)
      for (const { offset, partition, topic } of offsets) {
        const position = fetcher.position({ topic, partition })
        // The application may have gone elsewhere meanwhile.
        if (position?._tag !== "AtCommitted") continue
        const known = offset === Sequence.none ? position.otherwise : offset
        fetcher.move({ topic, partition }, known === undefined ? { _tag: "AtReset" } : { _tag: "At", offset: known })
      }
    }
    const toReset = fetcher.assigned().filter((partition) => fetcher.position(partition)?._tag === "AtReset")
    if (toReset.length > 0) yield* reset(toReset)
  })

  // Polls.

  const take = (only: Partition | undefined) => Effect.fromResult(fetcher.take(config["max.poll.records"], only))

  const pollOnce = Effect.fnUntraced(function*(only: Partition | undefined) {
    if (subscription._tag === "None") return yield* new NotSubscribed()
    const now = yield* Clock.currentTimeMillis
    const failure = membership?.failure()
    if (failure !== undefined) return yield* failure
    membership?.polled(now)
    yield* autoCommitIfDue(now)
    if (subscription._tag === "Topics") yield* ensureMember(subscription)
    yield* updateIfDue
    yield* ensurePositions
    failedInARow = 0
    const there = yield* take(only)
    news.closeUnsafe()
    yield* fetcher.send
    if (there.length > 0) return there
    yield* Effect.timeoutOption(news.await, config["fetch.max.wait.ms"])
    // Whoever has to join the group again is given nothing more of before.
    if (subscription._tag === "Topics" && membership?.standing() !== "Member") return []
    const arrived = yield* take(only)
    yield* fetcher.send
    return arrived
  })

  /** What stands in the way of a poll is tried once; then it is for the next one. */
  const poll = (only?: Partition): Effect.Effect<ReadonlyArray<ConsumerRecord>, ConsumerError> =>
    polling.withPermit(
      Effect.catchTag(
        pollOnce(only),
        "Retriable",
        () => Effect.as(Effect.suspend(() => pause(++failedInARow)), [])
      ).pipe(Effect.tap((records) => count(ConsumerMetrics.recordsConsumed, records.length)))
    )

  const pull = Effect.fnUntraced(function*(only?: Partition) {
    for (;;) {
      const [first, ...others] = yield* poll(only)
      if (first !== undefined) return [first, ...others] as const
      if (only !== undefined && fetcher.position(only) === undefined) return yield* Cause.done()
    }
  })

  const conflict = (tag: Subscription["_tag"]) =>
    subscription._tag === "None" || subscription._tag === tag ? Effect.void : Effect.fail(new SubscriptionConflict())

  const consumer: Consumer["Service"] = {
    config,
    subscribe: Effect.fnUntraced(function*(topics, listener = {}) {
      const member = yield* grouped
      yield* conflict("Topics")
      subscription = { _tag: "Topics", topics, listener }
      member.rejoin()
    }),
    assign: Effect.fnUntraced(function*(partitions) {
      yield* conflict("Partitions")
      subscription = { _tag: "Partitions", topics: [...new Set(partitions.map(({ topic }) => topic))] }
      fetcher.assign(partitions)
    }),
    assignment: Effect.sync(fetcher.assigned),
    poll: poll(),
    records: Stream.fromPull(Effect.succeed(pull())),
    recordsOf: (partition) => Stream.fromPull(Effect.succeed(pull(partition))),
    position: Effect.fnUntraced(function*(partition) {
      const known = Effect.gen(function*() {
        yield* updateIfDue
        yield* ensurePositions
        const position = fetcher.position(partition)
        if (position === undefined) return yield* new NotAssigned({ partition })
        if (position._tag !== "At") return yield* new Retriable({ api: "ListOffsets", error: "LEADER_NOT_AVAILABLE" })
        return position.offset
      })
      return yield* retrying(known)
    }),
    seek: Effect.fnUntraced(function*(partition, offset) {
      if (fetcher.position(partition) === undefined) return yield* new NotAssigned({ partition })
      fetcher.move(partition, { _tag: "At", offset })
    }),
    rewind: Effect.sync(fetcher.rewind),
    commit: (offsets) => Effect.suspend(() => retrying(commitOnce(offsets ?? fetcher.consumed()))),
    committed: (partitions) => Effect.flatMap(grouped, (member) => retrying(member.committed(partitions))),
    positions: Effect.sync(fetcher.consumed),
    groupMetadata: Effect.map(grouped, (member) => member.metadata())
  }

  yield* Effect.addFinalizer(Effect.fnUntraced(function*() {
    if (isAutoCommit && subscription._tag !== "None") yield* autoCommit
    if (membership !== undefined && subscription._tag === "Topics") yield* membership.leave
  }))
  return consumer
})
