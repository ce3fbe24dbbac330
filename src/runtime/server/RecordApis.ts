/**
 * What a client asks of the leaders of partitions: Produce, Fetch, ListOffsets, DescribeProducers.
 */
import { Effect } from "effect"
import type { Errors } from "../../core/index.ts"
import type { Leader } from "../brokers/index.ts"
import type { FetchResult, IsolationLevel, ProduceResult } from "../client/Requests.ts"
import {
  type Answer,
  codeOf,
  type Handler,
  type Handlers,
  Hangup,
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
  { baseOffset, error }: Pick<ProduceResult, "baseOffset" | "error">
) => ({
  index,
  errorCode: codeOf(Versions.errorIn("Produce", version, error)),
  baseOffset,
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
          produceAnswer(index, version, results?.[at] ?? { error: "UNKNOWN_TOPIC_ID", baseOffset: -1 })
        )
      }))
      if (acks !== 0) return { responses }
      const isRefused = responses.some(({ partitionResponses }) =>
        partitionResponses.some(({ errorCode }) => errorCode !== codeOf("NONE"))
      )
      return isRefused ? yield* new Hangup({ reason: "a batch without acknowledgement was refused" }) : silence
    })

type FetchAnswer = Answer<"Fetch">["responses"][number]["partitions"][number]

const refusedFetch = (partitionIndex: number, error: Errors.Error): FetchAnswer => ({
  partitionIndex,
  errorCode: codeOf(error),
  highWatermark: -1,
  abortedTransactions: null,
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
          minBytes: named.some(({ name }) => name === undefined) ? 0 : message.minBytes,
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
        partitions: partitions.map(({ partition }, at) => {
          const result = results?.[at]
          return result === undefined
            ? refusedFetch(partition, "UNKNOWN_TOPIC_ID")
            : fetchAnswer(partition, isolationLevel, result)
        })
      }))
    }
  })

/** `ListOffsetsRequest`: timestamps that are none. */
const LATEST = -1
const EARLIEST = -2
const EARLIEST_LOCAL = -4

type Listed = Answer<"ListOffsets">["topics"][number]["partitions"][number]

const listed = (
  leader: Leader.Leader | undefined,
  { partitionIndex, timestamp }: Message<"ListOffsets">["topics"][number]["partitions"][number],
  isolationLevel: IsolationLevel
): Listed => {
  const at = (offset: number, timestamp = -1): Listed => ({
    partitionIndex,
    errorCode: codeOf("NONE"),
    timestamp,
    offset,
    leaderEpoch: 0
  })
  if (leader === undefined) return { partitionIndex, errorCode: codeOf("UNKNOWN_TOPIC_OR_PARTITION") }
  switch (timestamp) {
    case LATEST:
      return at(leader.end(isolationLevel))
    case EARLIEST:
    case EARLIEST_LOCAL:
      return at(0)
    default: {
      if (timestamp < 0) return { partitionIndex, errorCode: codeOf("UNSUPPORTED_VERSION") }
      const found = leader.find(timestamp, isolationLevel)
      return found === undefined
        ? { partitionIndex, errorCode: codeOf("NONE") }
        : at(found.offset, found.timestamp)
    }
  }
}

const listOffsets = ({ brokers: { topics } }: Served): Handler<"ListOffsets"> => ({ isolationLevel, topics: asked }) =>
  Effect.sync(() => ({
    topics: asked.map(({ name, partitions }) => ({
      name,
      partitions: partitions.map((partition) =>
        listed(
          topics.leader({ topic: name, partition: partition.partitionIndex }),
          partition,
          isolationOf(isolationLevel)
        )
      )
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
