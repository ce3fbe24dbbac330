/**
 * What a client asks of the coordinator of its transactional id, and what others ask about transactions: InitProducerId,
 * AddPartitionsToTxn, AddOffsetsToTxn, EndTxn, WriteTxnMarkers, DescribeTransactions, ListTransactions.
 */
import { Clock, Effect } from "effect"
import { type Errors, Transaction, type TransactionMetadata } from "../../core/index.ts"
import { Topics, type TransactionCoordinators } from "../brokers/index.ts"
import type { TopicPartition } from "../client/Requests.ts"
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

const initProducerId =
  ({ brokers: { handlers, transactionVersion } }: Served): Handler<"InitProducerId"> =>
  ({ producerEpoch, producerId, transactionTimeoutMs, transactionalId }, { version }) =>
    Effect.map(
      handlers.InitProducerId(node, {
        transactionalId: transactionalId ?? undefined,
        transactionTimeoutMs,
        version: transactionVersion,
        producerId,
        producerEpoch
      }),
      ({ error, ...identity }) => ({
        ...notThrottled,
        errorCode: codeOf(Versions.errorIn("InitProducerId", version, error)),
        ...identity
      })
    )

/** Partitions as this API has them, in requests and in answers. */
type NamedPartitions = ReadonlyArray<{ readonly name: string; readonly partitions: ReadonlyArray<number> }>

const flattened = ({ name: topic, partitions }: NamedPartitions[number]): ReadonlyArray<TopicPartition> =>
  partitions.map((partition) => ({ topic, partition }))

type TopicResults = NonNullable<Answer<"AddPartitionsToTxn">["resultsByTopicV3AndBelow"]>

const addPartitionsToTxn = ({ brokers: { handlers, topics, transactions } }: Served): Handler<"AddPartitionsToTxn"> => {
  type Added = Message<"AddPartitionsToTxn">["transactions"][number]

  const verified = (
    { producerEpoch: epoch, producerId, transactionalId }: Added,
    partition: TopicPartition
  ): Effect.Effect<Errors.Error> =>
    transactionalId === ""
      ? Effect.succeed("INVALID_REQUEST")
      : transactions.verify(transactionalId, {
        partition: Topics.nameOf(partition),
        producerId,
        epoch,
        version: 1,
        transaction: Transaction.noName
      })

  const isInternal = ({ topic }: TopicPartition): boolean => topics.named(topic)?.isInternal === true
  const isUnknown = (partition: TopicPartition): boolean => topics.leader(partition) === undefined

  /** Clients do not get at internal topics, brokers do. Where one partition is refused, none is looked at. */
  const refusal = (partition: TopicPartition, version: number): Errors.Error => {
    if (version <= 3 && isInternal(partition)) return "TOPIC_AUTHORIZATION_FAILED"
    return isUnknown(partition) ? "UNKNOWN_TOPIC_OR_PARTITION" : "NONE"
  }

  const asked = (
    added: Added,
    version: number,
    partitions: ReadonlyArray<TopicPartition>
  ): Effect.Effect<ReadonlyArray<Errors.Error>> => {
    const refusals = partitions.map((partition) => refusal(partition, version))
    if (refusals.some((error) => error !== "NONE")) {
      return Effect.succeed(refusals.map((error) => error === "NONE" ? "OPERATION_NOT_ATTEMPTED" : error))
    }
    if (added.verifyOnly) return Effect.forEach(partitions, (partition) => verified(added, partition))
    const { producerEpoch, producerId, transactionalId } = added
    return Effect.map(
      handlers.AddPartitionsToTxn(node, {
        transactionalId,
        producerId,
        producerEpoch,
        version: Versions.transactionVersion("AddPartitionsToTxn", version),
        partitions
      }),
      ({ results }) => results.map(({ error }) => error)
    )
  }

  const results = (added: Added, version: number): Effect.Effect<TopicResults> =>
    Effect.map(
      Naming.ask(added.topics, flattened, (partitions) => asked(added, version, partitions)),
      (answered) =>
        answered.map(([{ name, partitions }, errors]) => ({
          name,
          resultsByPartition: partitions.map((partitionIndex, at) => ({
            partitionIndex,
            partitionErrorCode: codeOf(Versions.errorIn("AddPartitionsToTxn", version, errors![at]!))
          }))
        }))
    )

  return (message, { version }) =>
    version <= 3
      ? Effect.map(
        results({
          transactionalId: message.v3AndBelowTransactionalId,
          producerId: message.v3AndBelowProducerId,
          producerEpoch: message.v3AndBelowProducerEpoch,
          verifyOnly: false,
          topics: message.v3AndBelowTopics
        }, version),
        (resultsByTopicV3AndBelow) => ({ ...notThrottled, resultsByTopicV3AndBelow })
      )
      : Effect.map(
        Effect.forEach(message.transactions, (added) =>
          Effect.map(results(added, version), (topicResults) => ({
            transactionalId: added.transactionalId,
            topicResults
          }))),
        (resultsByTransaction) => ({ ...notThrottled, resultsByTransaction })
      )
}

const addOffsetsToTxn =
  ({ brokers: { handlers } }: Served): Handler<"AddOffsetsToTxn"> => ({ groupId: group, ...request }, { version }) =>
    Effect.map(
      // Version 2 of transactions has no such request: offsets are added when they are committed.
      handlers.AddOffsetsToTxn(node, { ...request, group, version: 1 }),
      ({ error }) => ({ ...notThrottled, errorCode: codeOf(Versions.errorIn("AddOffsetsToTxn", version, error)) })
    )

const endTxn = ({ brokers: { handlers } }: Served): Handler<"EndTxn"> => ({ committed, ...request }, { version }) =>
  Effect.map(
    handlers.EndTxn(node, {
      ...request,
      result: committed ? "COMMIT" : "ABORT",
      version: Versions.transactionVersion("EndTxn", version)
    }),
    ({ error, producerEpoch, producerId }) => ({
      ...notThrottled,
      errorCode: codeOf(Versions.errorIn("EndTxn", version, error)),
      producerId,
      producerEpoch
    })
  )

const writeTxnMarkers = ({ brokers: { mark } }: Served): Handler<"WriteTxnMarkers"> => {
  const written = (
    { coordinatorEpoch, producerEpoch: epoch, producerId, transactionResult, transactionVersion }: Message<
      "WriteTxnMarkers"
    >["markers"][number],
    partition: TopicPartition,
    timestamp: number
  ): Errors.Error =>
    // Kafka throws here.
    epoch < 0 ? "UNKNOWN_SERVER_ERROR" : mark({
      partition: Topics.nameOf(partition),
      producerId,
      epoch,
      coordinatorEpoch,
      result: transactionResult ? "COMMIT" : "ABORT",
      version: transactionVersion >= 2 ? 2 : 1,
      transaction: Transaction.noName
    }, timestamp)

  return ({ markers }) =>
    Effect.map(Clock.currentTimeMillis, (timestamp) => ({
      markers: markers.map((marker) => ({
        producerId: marker.producerId,
        topics: marker.topics.map(({ name, partitionIndexes }) => ({
          name,
          partitions: partitionIndexes.map((partitionIndex) => ({
            partitionIndex,
            errorCode: codeOf(written(marker, { topic: name, partition: partitionIndex }, timestamp))
          }))
        }))
      }))
    }))
}

/** Partitions by their names in the core, topic by topic. */
const byTopic = (
  names: ReadonlyArray<string>
): ReadonlyArray<{ readonly topic: string; readonly partitions: Array<number> }> => {
  const topics = new Map<string, Array<number>>()
  for (const { partition, topic } of names.map(Topics.partitionOf)) {
    topics.set(topic, [...topics.get(topic) ?? [], partition])
  }
  return Array.from(topics, ([topic, partitions]) => ({ topic, partitions }))
}

const describeTransactions = ({ brokers: { transactions } }: Served): Handler<"DescribeTransactions"> => {
  type Described = Answer<"DescribeTransactions">["transactionStates"][number]

  const refused = (transactionalId: string, error: Errors.Error): Described => ({
    errorCode: codeOf(error),
    transactionalId,
    transactionState: "",
    transactionTimeoutMs: 0,
    transactionStartTimeMs: 0,
    producerId: 0,
    producerEpoch: 0,
    topics: []
  })

  const described = (transactionalId: string): Described => {
    if (transactionalId === "") return refused(transactionalId, "INVALID_REQUEST")
    const found = transactions.describe(transactionalId)
    if (found === undefined) return refused(transactionalId, "TRANSACTIONAL_ID_NOT_FOUND")
    return {
      errorCode: codeOf("NONE"),
      transactionalId,
      transactionState: found.state,
      transactionTimeoutMs: found.timeoutMs,
      transactionStartTimeMs: found.began,
      producerId: found.producerId,
      producerEpoch: found.epoch,
      topics: byTopic(found.partitions)
    }
  }

  return ({ transactionalIds }) =>
    Effect.sync(() => ({ ...notThrottled, transactionStates: transactionalIds.map(described) }))
}

const states: ReadonlySet<string> = new Set<Exclude<TransactionMetadata.State, "Unknown"> | "Dead">([
  "Empty",
  "Ongoing",
  "PrepareCommit",
  "PrepareAbort",
  "CompleteCommit",
  "CompleteAbort",
  "Dead"
])

const everything = /^/

/** What a pattern says of whole ids; `undefined` where it is none. */
const patternOf = (text: string | null): RegExp | undefined => {
  if (text === null || text === "") return everything
  try {
    return new RegExp(`^(?:${text})$`, "u")
  } catch {
    return undefined
  }
}

const listTransactions = ({ brokers: { transactions } }: Served): Handler<"ListTransactions"> => {
  /** `TransactionStateManager.listTransactionStates`. */
  const isListed = (
    { durationFilter, producerIdFilters, stateFilters }: Message<"ListTransactions">,
    { began, producerId, state }: TransactionCoordinators.Description,
    now: number
  ): boolean =>
    (producerIdFilters.length === 0 || producerIdFilters.includes(producerId))
    && (stateFilters.length === 0 || stateFilters.includes(state))
    && (durationFilter < 0 || now - began > durationFilter)

  return (message) =>
    Effect.map(Clock.currentTimeMillis, (now) => {
      const { stateFilters, transactionalIdPattern } = message
      const unknownStateFilters = stateFilters.filter((name) => !states.has(name))
      const pattern = patternOf(transactionalIdPattern)
      if (pattern === undefined) {
        return {
          ...notThrottled,
          errorCode: codeOf("INVALID_REGULAR_EXPRESSION"),
          unknownStateFilters,
          transactionStates: []
        }
      }
      return {
        ...notThrottled,
        errorCode: codeOf("NONE"),
        unknownStateFilters,
        transactionStates: transactions.ids().flatMap((transactionalId) => {
          const found = transactions.describe(transactionalId)
          return found !== undefined && pattern.test(transactionalId) && isListed(message, found, now)
            ? [{ transactionalId, producerId: found.producerId, transactionState: found.state }]
            : []
        })
      }
    })
}

export const make = (served: Served) =>
  ({
    InitProducerId: initProducerId(served),
    AddPartitionsToTxn: addPartitionsToTxn(served),
    AddOffsetsToTxn: addOffsetsToTxn(served),
    EndTxn: endTxn(served),
    WriteTxnMarkers: writeTxnMarkers(served),
    DescribeTransactions: describeTransactions(served),
    ListTransactions: listTransactions(served)
  }) satisfies Partial<Handlers>
