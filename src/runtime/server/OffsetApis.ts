/**
 * What a member or a producer asks of the coordinator of a group about its offsets: OffsetCommit, TxnOffsetCommit,
 * OffsetFetch.
 */
import { Effect } from "effect"
import type { Errors } from "../../core/index.ts"
import type { OffsetRecords, OffsetRequests } from "../brokers/index.ts"
import type { Member, TopicPartition } from "../client/Requests.ts"
import {
  type Answer,
  codeOf,
  type Handler,
  type Handlers,
  type Message,
  node,
  notThrottled,
  type Served
} from "./Handler.ts"
import * as Naming from "./Naming.ts"
import * as Versions from "./Versions.ts"

interface Committing extends Naming.Reference {
  readonly partitions: ReadonlyArray<{
    readonly partitionIndex: number
    readonly committedOffset: number
    readonly committedLeaderEpoch: number
    readonly committedMetadata: string | null
  }>
}

interface Committer {
  readonly groupId: string
  readonly generationIdOrMemberEpoch: number
  readonly memberId: string
  readonly groupInstanceId: string | null
}

/** Who commits. Nobody is a static member here, so whoever says that it is one is not known. */
const memberOf = ({ generationIdOrMemberEpoch, groupId, groupInstanceId, memberId }: Committer): Member => ({
  group: groupId,
  generation: generationIdOrMemberEpoch,
  member: groupInstanceId === null ? memberId : `instance ${groupInstanceId}`
})

const errorOf = (results: ReadonlyArray<{ readonly error: Errors.Error }> | undefined, at: number): Errors.Error =>
  results?.[at]?.error ?? "UNKNOWN_TOPIC_ID"

const committed = (
  { brokers: { topics } }: Served,
  byId: boolean,
  asked: ReadonlyArray<Committing>,
  commit: (
    offsets: ReadonlyArray<OffsetRecords.Committed>
  ) => Effect.Effect<{ readonly results: ReadonlyArray<{ readonly error: Errors.Error }> }>,
  told: (error: Errors.Error) => Errors.Error
) =>
  Effect.map(
    Naming.ask(asked, (reference) => {
      const topic = Naming.nameOf(topics, byId, reference)
      return topic === undefined
        ? undefined
        : reference.partitions.map((
          { committedLeaderEpoch: leaderEpoch, committedMetadata, committedOffset: offset, partitionIndex: partition }
        ) => ({ topic, partition, offset, note: { leaderEpoch, metadata: committedMetadata ?? "" } }))
    }, (offsets) => Effect.map(commit(offsets), ({ results }) => results)),
    (answered) =>
      answered.map(([{ name, partitions, topicId }, results]) => ({
        name,
        topicId,
        partitions: partitions.map(({ partitionIndex }, at) => ({
          partitionIndex,
          errorCode: codeOf(told(errorOf(results, at)))
        }))
      }))
  )

/** The first versions that are told of a group that there is not: a generation is all that those before know of. */
const UNKNOWN_GROUP_SINCE = { OffsetCommit: 9, TxnOffsetCommit: 6 }

const offsetCommit = (served: Served): Handler<"OffsetCommit"> => (message, { version }) =>
  Effect.suspend(() => {
    const { groups, offsets: { commit } } = served.brokers
    const isUnknown = !groups.has(message.groupId) && version >= UNKNOWN_GROUP_SINCE.OffsetCommit
    return Effect.map(
      committed(
        served,
        Versions.hasTopicIds("OffsetCommit", version),
        message.topics,
        (offsets) => commit(node, { ...memberOf(message), offsets }, undefined),
        (error) => isUnknown && error === "ILLEGAL_GENERATION" ? "GROUP_ID_NOT_FOUND" : error
      ),
      (topics) => ({ topics })
    )
  })

const txnOffsetCommit = (served: Served): Handler<"TxnOffsetCommit"> => (message, { version }) =>
  Effect.suspend(() => {
    const { groups, offsets: { commit }, topics } = served.brokers
    const { groupId, producerEpoch, producerId, transactionalId } = message
    const isUnknown = !groups.has(groupId) && version >= UNKNOWN_GROUP_SINCE.TxnOffsetCommit
    return Effect.map(
      committed(
        served,
        Versions.hasTopicIds("TxnOffsetCommit", version),
        message.topics,
        (offsets) =>
          groupId === ""
            ? Effect.succeed({
              results: offsets.map((offset) => ({
                error: topics.leader(offset) === undefined ? "UNKNOWN_TOPIC_OR_PARTITION" : "INVALID_GROUP_ID"
              }))
            })
            : commit(node, { ...memberOf(message), offsets }, {
              transactionalId,
              producerId,
              producerEpoch,
              version: Versions.transactionVersion("TxnOffsetCommit", version)
            }),
        (error) =>
          isUnknown && error === "ILLEGAL_GENERATION"
            ? "GROUP_ID_NOT_FOUND"
            : Versions.errorIn("TxnOffsetCommit", version, error)
      ),
      (topics) => ({ ...notThrottled, topics })
    )
  })

/** The first version that asks for several groups at once. */
const GROUPS_TOGETHER_SINCE = 8

/** `undefined` where the topic is not known. */
const fetchedPartition = (partitionIndex: number, fetched: OffsetRequests.Fetched | undefined) =>
  fetched === undefined
    ? { partitionIndex, committedOffset: -1, metadata: "", errorCode: codeOf("UNKNOWN_TOPIC_ID") }
    : {
      partitionIndex,
      committedOffset: fetched.offset,
      committedLeaderEpoch: fetched.note.leaderEpoch,
      metadata: fetched.note.metadata,
      errorCode: codeOf(fetched.error)
    }

type FetchedTopics = NonNullable<Answer<"OffsetFetch">["groups"]>[number]["topics"]

const offsetFetch = ({ brokers: { groups, offsets, topics } }: Served): Handler<"OffsetFetch"> => {
  type Asked = NonNullable<Message<"OffsetFetch">["groups"][number]["topics"]>

  const fetch = (group: string, requireStable: boolean, partitions: ReadonlyArray<TopicPartition>) =>
    Effect.sync(() => offsets.fetch({ group, requireStable, partitions }).results)

  /** Every partition that the group has an offset of. */
  const all = (group: string): Asked => {
    const found = new Map<string, Array<number>>()
    for (const { partition, topic } of groups.committed(group)) {
      found.set(topic, [...found.get(topic) ?? [], partition])
    }
    return Array.from(found, ([name, partitionIndexes]) => ({
      name,
      topicId: topics.named(name)?.id ?? Naming.noId,
      partitionIndexes
    }))
  }

  const fetched = (
    group: string,
    asked: Asked | null,
    requireStable: boolean,
    byId: boolean
  ): Effect.Effect<FetchedTopics> =>
    Effect.map(
      Naming.ask(asked ?? all(group), (reference) => {
        const topic = Naming.nameOf(topics, byId && asked !== null, reference)
        return topic === undefined
          ? undefined
          : reference.partitionIndexes.map((partition) => ({ topic, partition }))
      }, (partitions) => fetch(group, requireStable, partitions)),
      (answered) =>
        answered.map(([{ name, partitionIndexes, topicId }, results]) => ({
          name,
          topicId,
          partitions: partitionIndexes.map((partitionIndex, at) => fetchedPartition(partitionIndex, results?.[at]))
        }))
    )

  return (message, { version }) => {
    const { requireStable } = message
    if (version < GROUPS_TOGETHER_SINCE) {
      const asked = message.topics?.map(({ name, partitionIndexes }) => ({
        name,
        topicId: Naming.noId,
        partitionIndexes
      })) ?? null
      return Effect.map(fetched(message.groupId, asked, requireStable, false), (found) => ({
        topics: found.map(({ name = "", partitions }) => ({ name, partitions }))
      }))
    }
    return Effect.map(
      Effect.forEach(message.groups, ({ groupId, topics: asked }) =>
        Effect.map(
          fetched(groupId, asked, requireStable, Versions.hasTopicIds("OffsetFetch", version)),
          (found) => ({ groupId, topics: found, errorCode: codeOf("NONE") })
        )),
      (answers) => ({ groups: answers })
    )
  }
}

export const make = (served: Served) =>
  ({
    OffsetCommit: offsetCommit(served),
    TxnOffsetCommit: txnOffsetCommit(served),
    OffsetFetch: offsetFetch(served)
  }) satisfies Partial<Handlers>
