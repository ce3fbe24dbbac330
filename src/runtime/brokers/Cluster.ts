/**
 * Brokers in this process: topics with their leaders, transaction coordinators and group coordinators, behind the
 * interface that clients have to any cluster.
 *
 * A request to a broker that is stopped, and one that waits at it when it stops, gets no answer. What a stopped broker led
 * or coordinated, the other one takes over: followers have every batch, and coordinators read what was logged. A broker
 * that is alone takes over from itself when it starts again.
 */
import { Context, Deferred, Effect, Layer } from "effect"
import {
  type Errors,
  FetchRules,
  Limits,
  type Partition,
  Rules,
  Sequence,
  Transaction,
  type TransactionCoordinator,
  TransactionRules
} from "../../core/index.ts"
import type { Api, ApiKey, NodeId, TopicPartition } from "../client/Requests.ts"
import { Connections, Disconnected } from "../client/Requests.ts"
import * as FetchRequests from "./FetchRequests.ts"
import * as GroupCoordinators from "./GroupCoordinators.ts"
import * as Leader from "./Leader.ts"
import * as OffsetRequests from "./OffsetRequests.ts"
import * as ProduceRequests from "./ProduceRequests.ts"
import * as Topics from "./Topics.ts"
import * as TransactionCoordinators from "./TransactionCoordinators.ts"
import * as TransactionRequests from "./TransactionRequests.ts"

export interface Options {
  /** How many partitions each topic has. */
  readonly topics: Readonly<Record<string, number>>
  /** By default 2. */
  readonly nodes?: 1 | 2
  /** By default 2. */
  readonly transactionVersion?: Transaction.Version
  /** By default the base rules, under which all guarantees hold. */
  readonly rules?: TransactionRules.Rules
  /** Those of sequences and deduplication; by default the base rules. */
  readonly idempotentRules?: Rules.Rules
  /** Those of what readers are told of aborted transactions; by default the base rules. */
  readonly fetchRules?: FetchRules.Rules
  /** How long markers are on the way from the coordinator to leaders, in milliseconds; by default 0. */
  readonly markerLatencyMs?: number
  readonly "transaction.abort.timed.out.transaction.cleanup.interval.ms"?: number
  readonly "transaction.max.timeout.ms"?: number
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

type Broker = Partition.Broker

/** What each broker makes of each request. */
export type Handlers = {
  readonly [Key in ApiKey]: (node: Broker, request: Api[Key]["request"]) => Effect.Effect<Api[Key]["response"]>
}

/** What a broker has for whoever speaks for it in another way than `Connections`. */
export interface Brokers {
  readonly transactionVersion: Transaction.Version
  readonly handlers: Handlers
  readonly produce: ProduceRequests.Produce
  readonly fetch: FetchRequests.FetchRequests["fetch"]
  readonly offsets: OffsetRequests.OffsetRequests
  readonly topics: Topics.Topics
  readonly transactions: TransactionCoordinators.TransactionCoordinators
  readonly groups: GroupCoordinators.GroupCoordinators
  /** A marker that a client or a coordinator sends. `UNKNOWN_TOPIC_OR_PARTITION` where there is no such partition. */
  readonly mark: (marker: TransactionCoordinator.Marker, timestamp: number) => Errors.Error
  readonly cluster: Cluster["Service"]
  readonly connections: Connections["Service"]
}

const isBroker = (node: NodeId): node is Broker => node === 1 || node === 2

/** Names are spread over two brokers. */
const hashed = (name: string): Broker => {
  let hash = 0
  for (let i = 0; i < name.length; i++) hash = (Math.imul(hash, 31) + name.charCodeAt(i)) | 0
  return (hash & 1) === 0 ? 1 : 2
}

/** Starts the brokers with empty topics; they end with the scope. */
export const make = Effect.fnUntraced(function*(options: Options) {
  const { fetchRules = FetchRules.base, idempotentRules = Rules.base, transactionVersion = 2 } = options
  const context: Transaction.Context = {
    transactionVersion,
    verification: true,
    rules: options.rules ?? TransactionRules.base,
    replica: { rules: idempotentRules, limits: Limits.kafka }
  }
  const nodes: ReadonlyArray<Broker> = options.nodes === 1 ? [1] : [1, 2]
  const isAlone = nodes.length === 1

  const { appended, fetch } = FetchRequests.make(() => topics)
  const topics: Topics.Topics = Topics.make((name, index) =>
    Leader.make({
      context,
      fetchRules,
      name,
      first: isAlone || name === Transaction.groupPartition || index % 2 === 0 ? 1 : 2,
      appended
    })
  )
  for (const [topic, count] of Object.entries(options.topics)) topics.create(topic, count)
  topics.create(Transaction.groupPartition, 1)
  const offsetLeader = topics.leaderOf(Transaction.groupPartition)!

  const groups = yield* GroupCoordinators.make

  const mark: Brokers["mark"] = (marker, timestamp) => {
    const leader = topics.leaderOf(marker.partition)
    if (leader === undefined) return "UNKNOWN_TOPIC_OR_PARTITION"
    const error = leader.mark(leader.leader(), marker, timestamp)
    if (error === "NONE" && leader === offsetLeader) groups.ended(marker.producerId, marker.result)
    return error
  }

  const transactions = yield* TransactionCoordinators.make({
    context,
    place: isAlone ? () => 1 : hashed,
    mark: (marker, timestamp) => {
      const error = mark(marker, timestamp)
      // TransactionMarkerChannelManager: nobody waits for the markers of a topic that is deleted.
      return error === "UNKNOWN_TOPIC_OR_PARTITION" ? "NONE" : error
    },
    markerLatencyMs: options.markerLatencyMs ?? 0,
    timeoutIntervalMs: options["transaction.abort.timed.out.transaction.cleanup.interval.ms"] ?? 10_000
  })
  const transactional = TransactionRequests.make({
    topics,
    transactions,
    maxTimeoutMs: options["transaction.max.timeout.ms"] ?? 900_000
  })
  const produce = ProduceRequests.make(topics, transactions)
  const offsets = OffsetRequests.make(topics, transactions, groups)

  const stopped = new Set<Broker>()
  /** Ends the requests that wait at a broker. */
  const stopping = new Map<Broker, Deferred.Deferred<void>>()
  for (const node of nodes) stopping.set(node, yield* Deferred.make<void>())

  const groupNode = (): Broker => offsetLeader.leader()

  /** What a broker that does not coordinate groups says. */
  const here = <A>(node: Broker, answer: Effect.Effect<A>, elsewhere: A): Effect.Effect<A> =>
    Effect.suspend(() => node === groupNode() ? answer : Effect.succeed(elsewhere))

  const handlers: Handlers = {
    Metadata: (_node, { topics: wanted }) =>
      Effect.sync(() => ({
        brokers: nodes.filter((node) => !stopped.has(node)),
        partitions: topics.all()
          .filter(({ isInternal, name }) => wanted.length === 0 ? !isInternal : wanted.includes(name))
          .flatMap(({ name: topic, partitions }) =>
            Array.from({ length: partitions }, (_, partition) => ({
              topic,
              partition,
              error: "NONE" as const,
              leader: topics.leader({ topic, partition })!.leader()
            }))
          )
      })),
    FindCoordinator: (_node, { key, keyType }) =>
      Effect.sync(() => ({ error: "NONE", node: keyType === "group" ? groupNode() : transactions.node(key) })),
    InitProducerId: transactional.initProducerId,
    AddPartitionsToTxn: transactional.addPartitions,
    AddOffsetsToTxn: transactional.addOffsets,
    EndTxn: transactional.endTxn,
    Produce: produce,
    Fetch: fetch,
    ListOffsets: (node, { at, isolationLevel, partitions }) =>
      Effect.sync(() => ({
        results: partitions.map(({ partition, topic }) => ({
          topic,
          partition,
          ...endOf(topics.leader({ topic, partition }), node, at, isolationLevel)
        }))
      })),
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
    OffsetCommit: (node, request) =>
      here(node, offsets.commit(node, request, undefined), notCoordinator(request.offsets)),
    TxnOffsetCommit: (node, request) =>
      here(node, offsets.commit(node, request, request), notCoordinator(request.offsets)),
    OffsetFetch: (node, request) =>
      here<Api["OffsetFetch"]["response"]>(
        node,
        Effect.sync(() => offsets.fetch(request)),
        notCoordinator(request.partitions)
      )
  }

  /** The other broker takes over what this one does. */
  const takeOver = Effect.fnUntraced(function*(from: Broker) {
    for (const leader of topics.leaders()) if (leader.leader() === from) leader.change()
    yield* transactions.failover(from)
  })

  const cluster: Cluster["Service"] = {
    stop: Effect.fnUntraced(function*(node) {
      if (!isBroker(node) || stopped.has(node) || !nodes.includes(node)) return
      yield* Deferred.succeed(stopping.get(node)!, undefined)
      stopping.set(node, yield* Deferred.make<void>())
      stopped.add(node)
      yield* takeOver(node)
    }),
    start: Effect.fnUntraced(function*(node) {
      if (!isBroker(node) || !stopped.delete(node)) return
      const other: Broker = node === 1 ? 2 : 1
      if (isAlone || stopped.has(other)) yield* takeOver(other)
    })
  }

  const connections: Connections["Service"] = {
    bootstrap: nodes,
    send: (node, api, request) =>
      Effect.suspend(() => {
        const gone = new Disconnected({ node, api })
        if (!isBroker(node) || stopped.has(node) || !nodes.includes(node)) return Effect.fail(gone)
        const answer = handlers[api](node, request)
        return waits.has(api)
          ? Effect.raceFirst(answer, Effect.andThen(Deferred.await(stopping.get(node)!), Effect.fail(gone)))
          : answer
      })
  }
  return {
    transactionVersion,
    handlers,
    produce,
    fetch,
    offsets,
    topics,
    transactions,
    groups,
    mark,
    cluster,
    connections
  } satisfies Brokers
})

/** Requests that wait for others than the broker. */
const waits: ReadonlySet<ApiKey> = new Set(["Fetch", "JoinGroup", "SyncGroup"])

const endOf = (
  leader: Leader.Leader | undefined,
  node: Broker,
  at: Api["ListOffsets"]["request"]["at"],
  isolationLevel: Api["ListOffsets"]["request"]["isolationLevel"]
): { readonly error: Errors.Error; readonly offset: number } => {
  if (leader === undefined) return { error: "UNKNOWN_TOPIC_OR_PARTITION", offset: Sequence.none }
  if (leader.leader() !== node) return { error: "NOT_LEADER_OR_FOLLOWER", offset: Sequence.none }
  return { error: "NONE", offset: at === "earliest" ? 0 : leader.end(isolationLevel) }
}

const notCoordinator = (items: ReadonlyArray<TopicPartition>) => ({
  results: items.map(({ partition, topic }) => ({
    topic,
    partition,
    error: "NOT_COORDINATOR" as const,
    offset: Sequence.none
  }))
})
