/**
 * A consumer's part in its group: it finds the coordinator, joins, is told its partitions, and sends heartbeats as
 * long as the application keeps polling. Kafka's `ConsumerCoordinator` and `AbstractCoordinator`.
 *
 * Rebalances are eager: everything is given up before the group is joined again. What to do then is the matter of
 * whoever calls `join`.
 */
import { Clock, Effect, type Scope } from "effect"
import { Errors, Sequence, type TopicPartition } from "../../core/index.ts"
import type { ClusterMetadata } from "./ClusterMetadata.ts"
import * as ConsumerConfig from "./ConsumerConfig.ts"
import { BrokerRefused, CommitFailed, Retriable } from "./ConsumerErrors.ts"
import type { Api, ApiKey, CommittedOffset, Member, NodeId } from "./Requests.ts"

/** How the consumer stands with its group. */
export type Standing =
  /** It is a member, and knows its partitions. */
  | "Member"
  /** It has to join; what it did as a member of its generation still counts. */
  | "Rejoining"
  /** It has to join, and its partitions may be somebody else's already. */
  | "Lost"

type GroupApi = Extract<ApiKey, "JoinGroup" | "SyncGroup" | "Heartbeat" | "LeaveGroup" | "OffsetCommit" | "OffsetFetch">

export interface Membership {
  readonly standing: () => Standing
  /**
   * Who commits offsets: generation -1 and member "" for one that has never joined. Who is lost still says who it was,
   * and is refused for it (KIP-447).
   */
  readonly metadata: () => Member
  /** One attempt to join. The partitions that it is assigned are told in the same moment in which it is a member. */
  readonly join: (
    topics: ReadonlyArray<string>,
    joined: (partitions: ReadonlyArray<TopicPartition.TopicPartition>) => void
  ) => Effect.Effect<void, Retriable | BrokerRefused>
  /** The group has to meet again, since what the member has said of itself is true no more. */
  readonly rejoin: () => void
  /** Whether the member has shared out, as leader, other numbers of partitions than are known now. */
  readonly isOutdated: () => boolean
  /** The application polls. */
  readonly polled: (now: number) => void
  /** What a heartbeat was refused with for good. */
  readonly failure: () => BrokerRefused | undefined
  /** One attempt to commit, as the member that it is. */
  readonly commit: (
    offsets: ReadonlyArray<CommittedOffset>
  ) => Effect.Effect<void, Retriable | CommitFailed | BrokerRefused>
  /** One attempt to learn committed offsets that no transaction may change any more; -1 where there is none. */
  readonly committed: (
    partitions: ReadonlyArray<TopicPartition.TopicPartition>
  ) => Effect.Effect<ReadonlyArray<CommittedOffset>, Retriable | BrokerRefused>
  /** Tells the group, if it can be told. */
  readonly leave: Effect.Effect<void>
}

export interface Options {
  readonly config: ConsumerConfig.ConsumerConfig
  readonly group: string
  readonly cluster: ClusterMetadata
  /** Runs when the standing may have changed. */
  readonly changed: () => void
}

/** The answer to a JoinGroup waits for the others, and that may take as long as one of them may take to poll. */
const JOIN_GROUP_EXTRA_MS = 5000

/** Starts as somebody who is in no group; heartbeats end with the scope. */
export const make = Effect.fnUntraced(function*(
  { changed, cluster, config, group }: Options
): Effect.fn.Return<Membership, never, Scope.Scope> {
  const assignor = ConsumerConfig.assignor(config)
  const maxPollInterval = config["max.poll.interval.ms"]
  let coordinator: NodeId | undefined
  let standing: Standing = "Lost"
  let isJoining = false
  /** "" to be given a new id. */
  let joiningAs = ""
  let metadata: Member = { group, generation: Sequence.none, member: "" }
  /** What the leader has shared out; nothing where it is another member. */
  let partitionCounts: ReadonlyMap<string, number> = new Map()
  let lastPoll = 0
  let lastHeard = 0
  let failure: BrokerRefused | undefined

  const become = (next: "Rejoining" | "Lost"): void => {
    if (standing !== "Lost") standing = next
    changed()
  }

  const findCoordinator = Effect.fnUntraced(function*(): Effect.fn.Return<NodeId, Retriable | BrokerRefused> {
    if (coordinator !== undefined) return coordinator
    const api = "FindCoordinator"
    const { error, node } = yield* cluster.askAny(api, { key: group, keyType: "group" }).pipe(
      Effect.mapError(() => new Retriable({ api, error: "NETWORK_EXCEPTION" }))
    )
    if (error !== "NONE") {
      return yield* Errors.isRetriable(error) ? new Retriable({ api, error }) : new BrokerRefused({ api, error })
    }
    coordinator = node
    return node
  })

  /** Where an answer is not there, the coordinator may be somebody else. */
  const ask = Effect.fnUntraced(function*<Key extends GroupApi>(
    api: Key,
    request: Api[Key]["request"],
    extraMs = 0
  ): Effect.fn.Return<Api[Key]["response"], Retriable | BrokerRefused> {
    const node = yield* findCoordinator()
    return yield* cluster.ask(node, api, request, extraMs).pipe(
      Effect.withSpan(api, { kind: "client", attributes: { node, group } }),
      Effect.mapError(() => {
        coordinator = undefined
        return new Retriable({ api, error: "NETWORK_EXCEPTION" })
      })
    )
  })

  /** What an error of a request is about to the membership, whichever request it was. */
  const learn = (error: Errors.Error): void => {
    switch (error) {
      case "COORDINATOR_NOT_AVAILABLE":
      case "NOT_COORDINATOR":
        coordinator = undefined
        return
      case "REBALANCE_IN_PROGRESS":
        return become("Rejoining")
      case "UNKNOWN_MEMBER_ID":
        joiningAs = ""
        return become("Lost")
      case "ILLEGAL_GENERATION":
        return become("Lost")
      default:
    }
  }

  const refusal = (api: ApiKey, error: Errors.Error): Retriable | BrokerRefused => {
    learn(error)
    return Errors.isRetriable(error) || isOfGroup(error)
      ? new Retriable({ api, error })
      : new BrokerRefused({ api, error })
  }

  const joinGroup = Effect.fnUntraced(function*(
    topics: ReadonlyArray<string>
  ): Effect.fn.Return<Api["JoinGroup"]["response"], Retriable | BrokerRefused> {
    const joined = yield* ask("JoinGroup", {
      group,
      member: joiningAs,
      sessionTimeoutMs: config["session.timeout.ms"],
      rebalanceTimeoutMs: maxPollInterval,
      topics
    }, maxPollInterval + JOIN_GROUP_EXTRA_MS)
    if (joined.error !== "NONE" && joined.error !== "MEMBER_ID_REQUIRED") {
      return yield* refusal("JoinGroup", joined.error)
    }
    joiningAs = joined.member
    return joined.error === "NONE" ? joined : yield* joinGroup(topics)
  })

  /** The leader shares out what there is. `ConsumerCoordinator.onLeaderElected`. */
  const assign = Effect.fnUntraced(function*({ members }: Api["JoinGroup"]["response"]) {
    partitionCounts = new Map()
    if (members.length === 0) return []
    const topics = [...new Set(members.flatMap((subscriber) => subscriber.topics))]
    yield* cluster.update(topics).pipe(
      Effect.mapError(() => new Retriable({ api: "Metadata", error: "NETWORK_EXCEPTION" }))
    )
    partitionCounts = new Map(topics.map((topic) => [topic, cluster.partitionCount(topic)]))
    return assignor(members, partitionCounts)
  })

  const join: Membership["join"] = Effect.fnUntraced(
    function*(topics, told) {
      isJoining = true
      const joined = yield* joinGroup(topics)
      const assignments = yield* assign(joined)
      const { generation, member } = joined
      const synced = yield* ask("SyncGroup", { group, member, generation, assignments })
      if (synced.error !== "NONE") return yield* refusal("SyncGroup", synced.error)
      metadata = { group, generation, member }
      lastHeard = yield* Clock.currentTimeMillis
      standing = "Member"
      told(synced.partitions)
    },
    Effect.ensuring(Effect.sync(() => {
      isJoining = false
    }))
  )

  const leave = Effect.suspend(() => {
    const member = joiningAs
    become("Lost")
    joiningAs = ""
    return member === "" ? Effect.void : Effect.ignore(ask("LeaveGroup", { ...metadata, member }))
  })

  /** Whoever does not poll makes no progress, and has to leave the partitions to others. */
  const heartbeat = Effect.gen(function*() {
    yield* Effect.sleep(config["heartbeat.interval.ms"])
    if (standing === "Lost" || isJoining) return
    const now = yield* Clock.currentTimeMillis
    if (now - lastPoll > maxPollInterval) {
      yield* Effect.logWarning(
        `${metadata.member} leaves ${group}: it was not polled within max.poll.interval.ms (${maxPollInterval})`
      )
      return yield* leave
    }
    // Nobody can say whether the session is still alive.
    if (now - lastHeard > config["session.timeout.ms"]) coordinator = undefined
    const sent = metadata
    const { error } = yield* ask("Heartbeat", sent)
    // The group may have met again meanwhile, or be about to.
    if (sent !== metadata || isJoining) return
    if (error !== "NONE") return yield* refusal("Heartbeat", error)
    lastHeard = yield* Clock.currentTimeMillis
  }).pipe(
    Effect.catchTags({
      Retriable: () => Effect.void,
      BrokerRefused: (refused) =>
        Effect.sync(() => {
          failure = refused
          changed()
        })
    })
  )

  yield* Effect.forkScoped(Effect.forever(heartbeat))

  return {
    standing: () => standing,
    metadata: () => metadata,
    join,
    rejoin: () => become("Rejoining"),
    isOutdated: () => Array.from(partitionCounts).some(([topic, count]) => cluster.partitionCount(topic) !== count),
    polled: (now) => {
      lastPoll = now
    },
    failure: () => failure,
    commit: Effect.fnUntraced(function*(offsets) {
      const { results } = yield* ask("OffsetCommit", { ...metadata, offsets })
      for (const { error } of results) {
        if (error === "NONE") continue
        const refused = refusal("OffsetCommit", error)
        return yield* isOfGroup(error) ? new CommitFailed({ error }) : refused
      }
    }),
    committed: Effect.fnUntraced(function*(partitions) {
      const { results } = yield* ask("OffsetFetch", { group, requireStable: true, partitions })
      for (const { error } of results) if (error !== "NONE") return yield* refusal("OffsetFetch", error)
      return results.map(({ offset, partition, topic }) => ({ topic, partition, offset }))
    }),
    leave
  }
})

/** The member has to join again. */
const isOfGroup = (error: Errors.Error): error is CommitFailed["error"] =>
  error === "ILLEGAL_GENERATION" || error === "UNKNOWN_MEMBER_ID" || error === "REBALANCE_IN_PROGRESS"
