/**
 * What a client asks to find its way: ApiVersions, Metadata, FindCoordinator; and topics that come and go: CreateTopics,
 * DeleteTopics.
 *
 * Topics do not come by being asked about, as with `auto.create.topics.enable=false`.
 */
import { Effect } from "effect"
import type { Errors } from "../../core/index.ts"
import { Messages } from "../../wire/index.ts"
import type { Topics } from "../brokers/index.ts"
import {
  type Answer,
  codeOf,
  type Handler,
  type Handlers,
  leaderEpoch,
  type Message,
  node,
  type Served
} from "./Handler.ts"
import * as Naming from "./Naming.ts"
import * as Versions from "./Versions.ts"

const clusterId = "keos"

/** Every API that is served, with its versions. */
const apiKeys: Answer<"ApiVersions">["apiKeys"] = Messages.apis.flatMap(({ key: apiKey, name }) => {
  if (!Versions.isServed(name)) return []
  const [minVersion, maxVersion] = Versions.advertised(name)
  return [{ apiKey, minVersion, maxVersion }]
})

/** To a version of ApiVersions that is not served; in version 0 (KIP-511). */
export const unsupportedApiVersions: Answer<"ApiVersions"> = {
  errorCode: codeOf("UNSUPPORTED_VERSION"),
  apiKeys: apiKeys.filter(({ apiKey }) => apiKey === Messages.ApiVersions.key)
}

/** `ApiVersionsRequest.isValid`. */
const software = /^[a-zA-Z0-9](?:[a-zA-Z0-9.-]*[a-zA-Z0-9])?$/

/** Features that begin at 0 are shown from this version on (KIP-1022). */
const SHOWS_FEATURES_FROM_0 = 4

const apiVersions = ({ brokers: { transactionVersion } }: Served): Handler<"ApiVersions"> =>
(
  { clientSoftwareName, clientSoftwareVersion },
  { version }
) =>
  Effect.succeed(
    version >= 3 && !(software.test(clientSoftwareName) && software.test(clientSoftwareVersion))
      ? { errorCode: codeOf("INVALID_REQUEST"), apiKeys: [] }
      : {
        errorCode: codeOf("NONE"),
        apiKeys,
        supportedFeatures: version >= SHOWS_FEATURES_FROM_0
          ? [{ name: "transaction.version", minVersion: 0, maxVersion: 2 }]
          : [],
        finalizedFeaturesEpoch: 0,
        finalizedFeatures: [{
          name: "transaction.version",
          maxVersionLevel: transactionVersion,
          minVersionLevel: transactionVersion
        }]
      }
  )

type TopicMetadata = Answer<"Metadata">["topics"][number]

const metadataOf = ({ id, isInternal, name, partitions }: Topics.Topic): TopicMetadata => ({
  errorCode: codeOf("NONE"),
  name,
  topicId: id,
  isInternal,
  partitions: Array.from({ length: partitions }, (_, partitionIndex) => ({
    errorCode: codeOf("NONE"),
    partitionIndex,
    leaderId: node,
    leaderEpoch,
    replicaNodes: [node],
    isrNodes: [node]
  }))
})

/** Kafka's `Topic.validate`. */
const isTopicName = (name: string): boolean => /^[a-zA-Z0-9._-]{1,249}$/.test(name) && name !== "." && name !== ".."

const metadata = ({ address: { host, port }, brokers: { topics } }: Served): Handler<"Metadata"> => {
  const described = ({ name, topicId }: { readonly name: string | null; readonly topicId: string }): TopicMetadata => {
    const found = name === null ? topics.withId(topicId) : topics.named(name)
    if (found !== undefined) return metadataOf(found)
    const error: Errors.Error = name === null
      ? "UNKNOWN_TOPIC_ID"
      : isTopicName(name)
      ? "UNKNOWN_TOPIC_OR_PARTITION"
      : "INVALID_TOPIC_EXCEPTION"
    return { errorCode: codeOf(error), name, topicId, partitions: [] }
  }
  return ({ topics: wanted }, { version }) =>
    Effect.sync(() => ({
      brokers: [{ nodeId: node, host, port }],
      clusterId,
      controllerId: node,
      topics: wanted === null || (version === 0 && wanted.length === 0)
        ? topics.all().map(metadataOf)
        : wanted.map(described)
    }))
}

/** `FindCoordinatorRequest.CoordinatorType`: groups and transactions. */
const KEY_TYPES = [0, 1]

/** The first version that asks for several keys at once. */
const KEYS_TOGETHER_SINCE = 4

const findCoordinator =
  ({ address }: Served): Handler<"FindCoordinator"> => ({ coordinatorKeys, keyType }, { version }) =>
    Effect.sync(() => {
      const here = KEY_TYPES.includes(keyType)
        ? { errorCode: codeOf("NONE"), errorMessage: "NONE", nodeId: node, ...address }
        : { errorCode: codeOf("INVALID_REQUEST"), errorMessage: null, nodeId: -1, host: "", port: -1 }
      return version < KEYS_TOGETHER_SINCE ? here : { coordinators: coordinatorKeys.map((key) => ({ key, ...here })) }
    })

type NewTopic = Message<"CreateTopics">["topics"][number]

/** `num.partitions`. */
const DEFAULT_PARTITIONS = 1

/** `ReplicationControlManager.MAX_PARTITIONS_PER_BATCH`. */
const MAX_PARTITIONS = 10_000

const partitionsOf = ({ assignments, numPartitions }: NewTopic): number => {
  if (assignments.length > 0) return assignments.length
  return numPartitions === -1 ? DEFAULT_PARTITIONS : numPartitions
}

/** Partitions that are given their brokers have numbers without gaps, and the only broker there is. */
const isAssignment = (assignments: NewTopic["assignments"]): boolean =>
  assignments.toSorted((a, b) => a.partitionIndex - b.partitionIndex).every(({ brokerIds, partitionIndex }, index) =>
    partitionIndex === index && brokerIds.length === 1 && brokerIds[0] === node
  )

/** `ReplicationControlManager.createTopics`. */
const creationError = (topics: Topics.Topics, all: ReadonlyArray<NewTopic>, topic: NewTopic): Errors.Error => {
  const { assignments, name, replicationFactor } = topic
  if (all.filter((other) => other.name === name).length > 1) return "INVALID_REQUEST"
  if (!isTopicName(name)) return "INVALID_TOPIC_EXCEPTION"
  if (topics.named(name) !== undefined) return "TOPIC_ALREADY_EXISTS"
  if (assignments.length > 0) {
    if (topic.numPartitions !== -1 || replicationFactor !== -1) return "INVALID_REQUEST"
    return isAssignment(assignments) ? "NONE" : "INVALID_REPLICA_ASSIGNMENT"
  }
  if (replicationFactor !== -1 && replicationFactor !== 1) return "INVALID_REPLICATION_FACTOR"
  if (partitionsOf(topic) <= 0) return "INVALID_PARTITIONS"
  return all.reduce((sum, other) => sum + partitionsOf(other), 0) > MAX_PARTITIONS ? "POLICY_VIOLATION" : "NONE"
}

const createTopics = ({ brokers: { topics } }: Served): Handler<"CreateTopics"> => ({ topics: all, validateOnly }) =>
  Effect.sync(() => ({
    topics: all.map((topic) => {
      const { name } = topic
      const error = creationError(topics, all, topic)
      if (error !== "NONE") return { name, errorCode: codeOf(error), errorMessage: null, configs: null }
      const numPartitions = partitionsOf(topic)
      const topicId = validateOnly ? Naming.noId : topics.create(name, numPartitions).id
      return {
        name,
        topicId,
        errorCode: codeOf("NONE"),
        errorMessage: null,
        numPartitions,
        replicationFactor: 1,
        configs: []
      }
    })
  }))

type DeletedTopic = Message<"DeleteTopics">["topics"][number]

const deleteTopics = ({ brokers: { topics } }: Served): Handler<"DeleteTopics"> => {
  const remove = ({ name, topicId }: DeletedTopic): Answer<"DeleteTopics">["responses"][number] => {
    const found = name === null ? topics.withId(topicId) : topics.named(name)
    if (found === undefined) {
      const error = name === null ? "UNKNOWN_TOPIC_ID" : "UNKNOWN_TOPIC_OR_PARTITION"
      return { name, topicId, errorCode: codeOf(error) }
    }
    // The brokers cannot do without it, other than Kafka's.
    if (found.isInternal) return { name, topicId, errorCode: codeOf("INVALID_TOPIC_EXCEPTION") }
    topics.remove(found.name)
    return { name: found.name, topicId: found.id, errorCode: codeOf("NONE") }
  }
  return ({ topicNames, topics: listed }, { version }) =>
    Effect.sync(() => ({
      responses: (version >= 6 ? listed : topicNames.map((name) => ({ name, topicId: Naming.noId }))).map(remove)
    }))
}

export const make = (served: Served) =>
  ({
    ApiVersions: apiVersions(served),
    Metadata: metadata(served),
    FindCoordinator: findCoordinator(served),
    CreateTopics: createTopics(served),
    DeleteTopics: deleteTopics(served)
  }) satisfies Partial<Handlers>
