/**
 * What a client asks of the leaders of partitions: Produce, Fetch, ListOffsets, DescribeProducers.
 */
import { Effect } from "effect"
import type { Errors } from "../../core/index.ts"
import type { Leader, ProduceRequests } from "../brokers/index.ts"
import type { FetchResult, IsolationLevel } from "../client/Requests.ts"
import {
  type Answer,
  codeOf,
  type Handler,
  type Handlers,
  Hangup,
  leaderEpoch,
  type Message,
  node,
  notThrottled,
  type Served,
  silence
} from "./Handler.ts"
import * as Naming from "./Naming.ts"
import * as Versions from "./Versions.ts"

const noBytes = new Uint8Array()

const isolationOf = (level: number): IsolationLevel => level === 1 ? "read_committed" : "read_uncommitted"

const produceAnswer = (
  index: number,
  version: number,
  { baseOffset, error, timestamp }: Pick<ProduceRequests.Result, "baseOffset" | "error" | "timestamp">
) => ({
  index,
  errorCode: codeOf(Versions.errorIn("Produce", version, error)),
  baseOffset,
  logAppendTimeMs: timestamp,
  logStartOffset: error === "NONE" ? 0 : -1
})

const produce =
  ({ brokers: { produce, topics } }: Served): Handler<"Produce"> =>
  ({ acks, topicData, transactionalId }, { version }) =>
    Effect.gen(function*() {
      const byId = Versions.hasTopicIds("Produce", version)
      const answered = yield* Naming.ask(topicData, (data) => {
        const topic = Naming.nameOf(topics, byId, data)
        return topic === undefined
          ? undefined
          : data.partitionData.map(({ index, records }) => ({ topic, partition: index, batch: records ?? noBytes }))
      }, (batches) =>
        Effect.map(
          produce(node, {
            // Who asks for no answer is told by the end of the connection.
            acks: acks === 0 ? 1 : acks,
            transactionalId: transactionalId ?? undefined,
            version: Versions.transactionVersion("Produce", version),
            batches
          }),
          ({ results }) => results
        ))
      const responses = answered.map(([{ name, partitionData, topicId }, results]) => ({
        name,
        topicId,
        partitionResponses: partitionData.map(({ index }, at) =>
          produceAnswer(index, version, results?.[at] ?? { error: "UNKNOWN_TOPIC_ID", baseOffset: -1, timestamp: -1 })
        )
      }))
      if (acks !== 0) return { responses }
      const isRefused = responses.some(({ partitionResponses }) =>
        partitionResponses.some(({ errorCode }) => errorCode !== codeOf("NONE"))
      )
      return isRefused ? yield* new Hangup({ reason: "a batch without acknowledgement was refused" }) : silence
    })

/** Who asks knows of a leader that comes later (KIP-320). */
const isAhead = ({ currentLeaderEpoch }: { readonly currentLeaderEpoch: number }): boolean =>
  currentLeaderEpoch > leaderEpoch

type FetchAnswer = Answer<"Fetch">["responses"][number]["partitions"][number]

const refusedFetch = (partitionIndex: number, error: Errors.Error): FetchAnswer => ({
  partitionIndex,
  errorCode: codeOf(error),
  highWatermark: -1,
  // Nothing is known of a partition that nothing was read from, and nothing is told of one where that failed.
  abortedTransactions: error === "UNKNOWN_TOPIC_ID" || error === "UNKNOWN_TOPIC_OR_PARTITION" ? [] : null,
  records: noBytes
})

const fetchAnswer = (partitionIndex: number, isolationLevel: IsolationLevel, result: FetchResult): FetchAnswer =>
  result.error === "NONE"
    ? {
      partitionIndex,
      errorCode: codeOf("NONE"),
      highWatermark: result.highWatermark,
      lastStableOffset: result.lastStableOffset,
      logStartOffset: 0,
      abortedTransactions: isolationLevel === "read_committed" ? result.abortedTransactions : null,
      records: Buffer.concat(result.batches)
    }
    : refusedFetch(partitionIndex, result.error)

/** Every fetch is a whole one: no session is ever given (KIP-227), so none can be gone on with. */
const fetch = ({ brokers: { fetch, topics } }: Served): Handler<"Fetch"> => (message, { version }) =>
  Effect.gen(function*() {
    if (message.sessionEpoch > 0) {
      return { ...notThrottled, errorCode: codeOf("FETCH_SESSION_ID_NOT_FOUND"), responses: [] }
    }
    const byId = Versions.hasTopicIds("Fetch", version)
    const isolationLevel = isolationOf(message.isolationLevel)
    const named = message.topics.map((topic) => ({
      ...topic,
      name: Naming.nameOf(topics, byId, { name: topic.topic, topicId: topic.topicId })
    }))
    const isAnyRefused = named.some(({ name, partitions }) => name === undefined || partitions.some(isAhead))
    const answered = yield* Naming.ask(named, ({ name: topic, partitions }) =>
      topic === undefined
        ? undefined
        : partitions.map(({ fetchOffset: offset, partition, partitionMaxBytes: maxBytes }) => ({
          topic,
          partition,
          offset,
          maxBytes
        })), (partitions) =>
      Effect.map(
        fetch(node, {
          isolationLevel,
          // What is refused is refused at once.
          minBytes: isAnyRefused ? 0 : message.minBytes,
          maxWaitMs: message.maxWaitMs,
          maxBytes: message.maxBytes,
          partitions
        }),
        ({ results }) => results
      ))
    return {
      ...notThrottled,
      errorCode: codeOf("NONE"),
      responses: answered.map(([{ partitions, topic, topicId }, results]) => ({
        topic,
        topicId,
        partitions: partitions.map((asked, at) => {
          const result = results?.[at]
          if (result === undefined) return refusedFetch(asked.partition, "UNKNOWN_TOPIC_ID")
          return result.error === "NONE" && isAhead(asked)
            ? refusedFetch(asked.partition, "UNKNOWN_LEADER_EPOCH")
            : fetchAnswer(asked.partition, isolationLevel, result)
        })
      }))
    }
  })

/** `ListOffsetsRequest`: timestamps that are none. */
const LATEST = -1
const EARLIEST = -2
const MAX_TIMESTAMP = -3
const EARLIEST_LOCAL = -4

/** The first version that has such a timestamp. The last two are about tiered storage, which there is not. */
const timestampSince = new Map([[LATEST, 1], [EARLIEST, 1], [MAX_TIMESTAMP, 7], [EARLIEST_LOCAL, 8], [-5, 9], [-6, 11]])

/** The first version whose answers have the epoch of the leader. */
const LEADER_EPOCH_SINCE = 4

type Listed = Answer<"ListOffsets">["topics"][number]["partitions"][number]

/** What was found; `undefined` where there is no such record. */
const found = (
  leader: Leader.Leader,
  timestamp: number,
  isolationLevel: IsolationLevel
): { readonly offset: number; readonly timestamp?: number } | undefined => {
  switch (timestamp) {
    case LATEST:
      return { offset: leader.end(isolationLevel) }
    case EARLIEST:
    case EARLIEST_LOCAL:
      return { offset: 0 }
    case MAX_TIMESTAMP:
      return leader.find(leader.maxTimestamp(), isolationLevel)
    default:
      return timestamp < 0 ? undefined : leader.find(timestamp, isolationLevel)
  }
}

const listed = (
  leader: Leader.Leader | undefined,
  asked: Message<"ListOffsets">["topics"][number]["partitions"][number],
  isolationLevel: IsolationLevel,
  version: number
): Listed => {
  const { partitionIndex, timestamp } = asked
  const isUnsupported = timestamp < 0 && version < (timestampSince.get(timestamp) ?? Infinity)
  if (isUnsupported) return { partitionIndex, errorCode: codeOf("UNSUPPORTED_VERSION") }
  if (leader === undefined) return { partitionIndex, errorCode: codeOf("UNKNOWN_TOPIC_OR_PARTITION") }
  if (isAhead(asked)) return { partitionIndex, errorCode: codeOf("UNKNOWN_LEADER_EPOCH") }
  const record = found(leader, timestamp, isolationLevel)
  return {
    partitionIndex,
    errorCode: codeOf("NONE"),
    ...record,
    ...(record !== undefined && version >= LEADER_EPOCH_SINCE ? { leaderEpoch } : {})
  }
}

const listOffsets =
  ({ brokers: { topics } }: Served): Handler<"ListOffsets"> => ({ isolationLevel, topics: asked }, { version }) =>
    Effect.sync(() => ({
      topics: asked.map(({ name, partitions }) => ({
        name,
        partitions: partitions.map((partition) => {
          const leader = topics.leader({ topic: name, partition: partition.partitionIndex })
          return listed(leader, partition, isolationOf(isolationLevel), version)
        })
      }))
    }))

const describeProducers = ({ brokers: { topics } }: Served): Handler<"DescribeProducers"> => ({ topics: asked }) =>
  Effect.sync(() => ({
    ...notThrottled,
    topics: asked.map(({ name, partitionIndexes }) => ({
      name,
      partitions: partitionIndexes.map((partitionIndex) => {
        const leader = topics.leader({ topic: name, partition: partitionIndex })
        if (leader === undefined) {
          return { partitionIndex, errorCode: codeOf("UNKNOWN_TOPIC_OR_PARTITION"), activeProducers: [] }
        }
        return {
          partitionIndex,
          errorCode: codeOf("NONE"),
          activeProducers: leader.producers().map((
            { coordinatorEpoch, epoch, firstOffset, lastSequence, lastTimestamp, producerId }
          ) => ({
            producerId,
            producerEpoch: epoch,
            lastSequence,
            lastTimestamp,
            coordinatorEpoch,
            currentTxnStartOffset: firstOffset
          }))
        }
      })
    }))
  }))

export const make = (served: Served) =>
  ({
    Produce: produce(served),
    Fetch: fetch(served),
    ListOffsets: listOffsets(served),
    DescribeProducers: describeProducers(served)
  }) satisfies Partial<Handlers>
