/**
 * Two brokers in this process: topics with their leaders, transaction coordinators and group coordinators, behind the
 * interface that clients have to any cluster.
 *
 * A request to a broker that is stopped, and one that waits at it when it stops, gets no answer. What a stopped broker led
 * or coordinated, the other one takes over: followers have every batch, and coordinators read what was logged.
 */
import { Clock, Context, Deferred, Effect, Layer } from "effect"
import {
  type Errors,
  Limits,
  type Partition,
  Rules,
  Sequence,
  TopicPartition,
  Transaction,
  TransactionRules
} from "../../core/index.ts"
import type { Api, ApiKey, Identity, NodeId } from "../client/Requests.ts"
import { Connections, Disconnected } from "../client/Requests.ts"
import * as GroupCoordinators from "./GroupCoordinators.ts"
import * as Leader from "./Leader.ts"
import * as TransactionCoordinators from "./TransactionCoordinators.ts"

export interface Options {
  /** How many partitions each topic has. */
  readonly topics: Readonly<Record<string, number>>
  /** By default 2. */
  readonly transactionVersion?: Transaction.Version
  /** By default the base rules, under which all guarantees hold. */
  readonly rules?: TransactionRules.Rules
}

/** What can be done to the brokers. */
export class Cluster extends Context.Service<Cluster, {
  /** The broker answers nobody, and the other one takes over. Nothing happens to one that is stopped. */
  readonly stop: (node: NodeId) => Effect.Effect<void>
  readonly start: (node: NodeId) => Effect.Effect<void>
}>()("keos/brokers/Cluster") {
  static readonly layer = (options: Options): Layer.Layer<Cluster | Connections> =>
    Layer.effectContext(
      Effect.map(make(options), ({ cluster, connections }) =>
        Context.make(Cluster, cluster).pipe(Context.add(Connections, connections)))
    )
}

type Handlers = {
  readonly [Key in ApiKey]: (node: Broker, request: Api[Key]["request"]) => Effect.Effect<Api[Key]["response"]>
}

type Broker = Partition.Broker
const nodes: ReadonlyArray<Broker> = [1, 2]

const isBroker = (node: NodeId): node is Broker => node === 1 || node === 2

/** Names are spread over the brokers. */
const place = (name: string): Broker => {
  let hash = 0
  for (let i = 0; i < name.length; i++) hash = (Math.imul(hash, 31) + name.charCodeAt(i)) | 0
  return (hash & 1) === 0 ? 1 : 2
}

const noName = { transaction: Transaction.noName } as const

const identified = ({ producerEpoch: epoch, producerId }: Identity) => ({ producerId, epoch, ...noName })

/** Starts the brokers with empty topics; they end with the scope. */
export const make = Effect.fnUntraced(function*({ rules, topics, transactionVersion = 2 }: Options) {
  const context: Transaction.Context = {
    transactionVersion,
    verification: true,
    rules: rules ?? TransactionRules.base,
    replica: { rules: Rules.base, limits: Limits.kafka }
  }

  /** Fetches that wait for more. */
  const readers = new Set<() => void>()
  const appended = (): void => {
    // Who is woken may wait again at once, for the next time.
    const waiting = [...readers]
    readers.clear()
    for (const wake of waiting) wake()
  }

  const leaders = new Map<string, Leader.Leader>()
  const partitions: ReadonlyArray<TopicPartition.TopicPartition> = Object.entries(topics).flatMap(([topic, count]) =>
    Array.from({ length: count }, (_, partition) => ({ topic, partition }))
  )
  partitions.forEach((partition, index) => {
    leaders.set(
      TopicPartition.key(partition),
      Leader.make(context, TopicPartition.key(partition), index % 2 === 0 ? 1 : 2, appended)
    )
  })
  const offsets = Leader.make(context, Transaction.groupPartition, 1, () => {})
  leaders.set(Transaction.groupPartition, offsets)

  const groups = yield* GroupCoordinators.make
  const stopped = new Set<Broker>()
  /** Ends the requests that wait at a broker. */
  const stopping = new Map<Broker, Deferred.Deferred<void>>()
  for (const node of nodes) stopping.set(node, yield* Deferred.make<void>())

  const transactions = yield* TransactionCoordinators.make({
    context,
    place,
    mark: (marker, timestamp) => {
      const leader = leaders.get(marker.partition)!
      const error = leader.mark(leader.leader(), marker, timestamp)
      if (error === "NONE" && marker.partition === Transaction.groupPartition) {
        groups.ended(marker.producerId, marker.result)
      }
      return error
    }
  })

  /** The coordinator's answer comes before the batch is appended, where it is asked. */
  const produced = Effect.fnUntraced(function*(
    transactionalId: string | undefined,
    outcome: Leader.Produced | Leader.Verifying,
    afterwards: () => Errors.Error = () => "NONE"
  ) {
    if ("error" in outcome) return outcome
    const error = transactionalId === undefined
      ? "INVALID_TXN_STATE" as const
      : yield* transactions.verify(transactionalId, outcome.verification)
    return outcome.verified(error === "NONE" ? afterwards() : error)
  })

  const each = <A extends TopicPartition.TopicPartition, B>(
    items: ReadonlyArray<A>,
    handle: (leader: Leader.Leader, item: A) => Effect.Effect<{ readonly error: Errors.Error } & B>,
    nothing: B
  ) =>
    Effect.forEach(items, (item) => {
      const leader = leaders.get(TopicPartition.key(item))
      const { partition, topic } = item
      return leader === undefined
        ? Effect.succeed({ topic, partition, error: "UNKNOWN_TOPIC_OR_PARTITION" as const, ...nothing })
        : Effect.map(handle(leader, item), (result) => ({ topic, partition, ...result }))
    })

  const commit = Effect.fnUntraced(function*(
    node: Broker,
    request: Api["OffsetCommit"]["request"],
    transactional: (Identity & { readonly transactionalId: string; readonly version: Transaction.Version }) | undefined
  ) {
    const { group } = request
    const committed = request.offsets.filter((partition) => leaders.has(TopicPartition.key(partition)))
    const mayCommit = (): Errors.Error => groups.mayCommit(group, request, transactional !== undefined)
    const fenced = mayCommit()
    const { error, offset: logOffset } = fenced === "NONE"
      ? yield* produced(
        transactional?.transactionalId,
        offsets.commit({ broker: node, version: transactional?.version ?? 2 }, transactional),
        // The group may have moved on while the coordinator was asked.
        mayCommit
      )
      : { error: fenced, offset: Sequence.none }
    if (error === "NONE") {
      groups.appended(
        group,
        transactional === undefined
          ? { _tag: "Commit", logOffset, offsets: committed }
          : { _tag: "TransactionalCommit", producerId: transactional.producerId, logOffset, offsets: committed }
      )
    }
    return {
      results: request.offsets.map(({ partition, topic }) => ({
        topic,
        partition,
        error: leaders.has(TopicPartition.key({ topic, partition })) ? error : "UNKNOWN_TOPIC_OR_PARTITION" as const
      }))
    }
  })

  const fetch = Effect.fnUntraced(function*(node: Broker, request: Api["Fetch"]["request"]) {
    const { isolationLevel, maxBytes, maxWaitMs, minBytes } = request
    const deadline = (yield* Clock.currentTimeMillis) + maxWaitMs
    for (;;) {
      let left = maxBytes
      let size = 0
      let isAtOnce = false
      const results = request.partitions.map(({ offset, partition, topic }) => {
        const leader = leaders.get(TopicPartition.key({ topic, partition }))
        const found = leader === undefined
          ? unknownPartition
          : leader.leader() === node
          ? leader.fetch(offset, isolationLevel, left)
          : notLeader
        for (const batch of found.batches) size += batch.length
        left = Math.max(0, maxBytes - size)
        isAtOnce ||= found.error !== "NONE"
        return { topic, partition, ...found }
      })
      const now = yield* Clock.currentTimeMillis
      if (isAtOnce || size >= minBytes || now >= deadline) return { results }
      yield* Effect.timeoutOption(more, deadline - now)
    }
  })

  const more = Effect.callback<void>((resume) => {
    const wake = (): void => resume(Effect.void)
    readers.add(wake)
    return Effect.sync(() => void readers.delete(wake))
  })

  const groupNode = (): Broker => offsets.leader() === 1 ? 1 : 2

  /** What a broker that does not coordinate groups says. */
  const here = <A>(node: Broker, answer: Effect.Effect<A>, elsewhere: A): Effect.Effect<A> =>
    Effect.suspend(() => node === groupNode() ? answer : Effect.succeed(elsewhere))

  const handlers: Handlers = {
    Metadata: (_node, { topics: wanted }) =>
      Effect.sync(() => ({
        brokers: nodes.filter((node) => !stopped.has(node)),
        partitions: partitions.filter(({ topic }) => wanted.length === 0 || wanted.includes(topic)).map((
          partition
        ) => ({
          ...partition,
          error: "NONE" as const,
          leader: leaders.get(TopicPartition.key(partition))!.leader()
        }))
      })),
    FindCoordinator: (_node, { key, keyType }) =>
      Effect.sync(() => ({ error: "NONE", node: keyType === "group" ? groupNode() : transactions.node(key) })),
    InitProducerId: (node, request) => {
      const { transactionTimeoutMs, transactionalId, version } = request
      if (transactionalId === undefined) {
        return Effect.sync(() => ({ error: "NONE", producerId: transactions.allocate(), producerEpoch: 0 }))
      }
      transactions.limit(transactionalId, transactionTimeoutMs)
      return Effect.map(
        transactions.handle(transactionalId, node, { kind: "InitProducerId", version, ...identified(request) }),
        ({ epoch: producerEpoch, error, producerId }) => ({ error, producerId, producerEpoch })
      )
    },
    AddPartitionsToTxn: (node, request) =>
      Effect.map(
        each(request.partitions, (_leader, partition) => {
          const { transactionalId, version } = request
          const added = {
            kind: "AddPartitionsToTxn",
            version,
            partition: TopicPartition.key(partition),
            ...identified(request)
          } as const
          return Effect.map(transactions.handle(transactionalId, node, added), ({ error }) => ({ error }))
        }, {}),
        (results) => ({ results })
      ),
    AddOffsetsToTxn: (node, request) =>
      Effect.map(
        transactions.handle(request.transactionalId, node, {
          kind: "AddPartitionsToTxn",
          version: request.version,
          partition: Transaction.groupPartition,
          ...identified(request)
        }),
        ({ error }) => ({ error })
      ),
    EndTxn: (node, request) =>
      Effect.map(
        transactions.handle(request.transactionalId, node, {
          kind: "EndTxn",
          version: request.version,
          result: request.result,
          ...identified(request)
        }),
        ({ epoch: producerEpoch, error, producerId }) => ({ error, producerId, producerEpoch })
      ),
    Produce: (node, { acks, batches, transactionalId, version }) =>
      Effect.map(
        each(
          batches,
          (leader, { batch }) =>
            Effect.map(
              produced(transactionalId, leader.produce(batch, { broker: node, version })),
              ({ error, offset: baseOffset }) => ({ error, baseOffset })
            ),
          { baseOffset: Sequence.none }
        ),
        (results) => ({ results: acks === 0 ? [] : results })
      ),
    Fetch: fetch,
    ListOffsets: (node, { at, isolationLevel, partitions: wanted }) =>
      Effect.map(
        each(
          wanted,
          (leader) =>
            Effect.sync(() =>
              leader.leader() === node
                ? { error: "NONE", offset: at === "earliest" ? 0 : leader.end(isolationLevel) }
                : { error: "NOT_LEADER_OR_FOLLOWER", offset: Sequence.none }
            ),
          { offset: Sequence.none }
        ),
        (results) => ({ results })
      ),
    JoinGroup: (node, request) =>
      here(node, groups.join(request), {
        error: "NOT_COORDINATOR",
        group: request.group,
        generation: Sequence.none,
        member: request.member,
        leader: "",
        members: []
      }),
    SyncGroup: (node, request) => here(node, groups.sync(request), { error: "NOT_COORDINATOR", partitions: [] }),
    Heartbeat: (node, request) => here(node, groups.heartbeat(request), { error: "NOT_COORDINATOR" }),
    LeaveGroup: (node, request) => here(node, groups.leave(request), { error: "NOT_COORDINATOR" }),
    OffsetCommit: (node, request) => here(node, commit(node, request, undefined), notCoordinator(request.offsets)),
    TxnOffsetCommit: (node, request) => here(node, commit(node, request, request), notCoordinator(request.offsets)),
    OffsetFetch: (node, request) =>
      here(node, Effect.sync(() => groups.fetch(request)), {
        results: request.partitions.map((partition) => ({
          ...partition,
          error: "NOT_COORDINATOR",
          offset: Sequence.none
        }))
      })
  }

  const cluster: Cluster["Service"] = {
    stop: Effect.fnUntraced(function*(node) {
      if (!isBroker(node) || stopped.has(node)) return
      yield* Deferred.succeed(stopping.get(node)!, undefined)
      stopping.set(node, yield* Deferred.make<void>())
      stopped.add(node)
      for (const leader of leaders.values()) if (leader.leader() === node) leader.change()
      yield* transactions.failover(node)
    }),
    start: (node) => Effect.sync(() => void (isBroker(node) && stopped.delete(node)))
  }

  const connections: Connections["Service"] = {
    bootstrap: nodes,
    send: (node, api, request) =>
      Effect.suspend(() => {
        const gone = new Disconnected({ node, api })
        if (!isBroker(node) || stopped.has(node)) return Effect.fail(gone)
        const answer = handlers[api](node, request)
        return waits.has(api)
          ? Effect.raceFirst(answer, Effect.andThen(Deferred.await(stopping.get(node)!), Effect.fail(gone)))
          : answer
      })
  }
  return { cluster, connections }
})

/** Requests that wait for others than the broker. */
const waits: ReadonlySet<ApiKey> = new Set(["Fetch", "JoinGroup", "SyncGroup"])

const notCoordinator = (items: ReadonlyArray<TopicPartition.TopicPartition>) => ({
  results: items.map(({ partition, topic }) => ({ topic, partition, error: "NOT_COORDINATOR" as const }))
})

const nothingFetched = { highWatermark: -1, lastStableOffset: -1, abortedTransactions: [], batches: [] } as const
const unknownPartition = { error: "UNKNOWN_TOPIC_OR_PARTITION", ...nothingFetched } as const
const notLeader = { error: "NOT_LEADER_OR_FOLLOWER", ...nothingFetched } as const
