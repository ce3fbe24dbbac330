/**
 * Requests of the specification as messages, and the answers to them in the specification's terms.
 */
import { Effect } from "effect"
import { Errors, Sequence, type TransactionalProducer } from "../../core/index.ts"
import { Transactions } from "../../model/index.ts"
import type { Remote } from "../../runtime/index.ts"
import { BatchHeader, Messages, RecordBatch } from "../../wire/index.ts"
import type { Dialect } from "./Dialect.ts"
import * as Subject from "./Subject.ts"

type Connection = Remote.Connection.Connection
type Request = Transactions.Requests.Request
type Answer = Transactions.Requests.Answer
type World = Transactions.World.World
type Configuration = Transactions.Configuration.Configuration

/** An answer as a broker gives it: an error that the specification does not know is its number. */
export type Told = Omit<Answer, "error"> & { readonly error: Errors.Error | number }

const names: ReadonlyMap<number, Errors.Error> = new Map(
  Object.entries(Errors.codes).map(([name, code]) => [code, name as Errors.Error])
)

export const errorOf = (code: number): Errors.Error | number => names.get(code) ?? code

const told = (code: number): Told => ({
  error: errorOf(code),
  producerId: Sequence.none,
  epoch: Sequence.none,
  offset: Sequence.none
})

/** What is asked of whom, on what connection and in which versions. */
export interface Asking {
  readonly connection: Connection
  readonly dialect: Dialect
  readonly subject: Subject.Subject
}

const identityOf = (
  { subject }: Asking,
  { epoch, producerId }: { readonly epoch: number; readonly producerId: number }
): { readonly producerId: number; readonly producerEpoch: number } => ({
  producerId: Subject.toBroker(subject, producerId),
  producerEpoch: epoch
})

const payload = new TextEncoder().encode("keos")

const batchOf = (
  { timestamp = Date.now() }: Subject.Subject,
  identity: { readonly producerId: number; readonly producerEpoch: number },
  { isTransactional, records, sequence }: TransactionalProducer.Produce
): Uint8Array =>
  RecordBatch.encode({
    ...BatchHeader.noProducer,
    ...identity,
    baseSequence: sequence,
    isTransactional,
    compression: "none",
    records: Array.from({ length: records }, () => ({ timestamp, key: null, value: payload, headers: [] }))
  })

const initProducerId = Effect.fnUntraced(function*(
  asking: Asking,
  { requests }: Configuration,
  request: Request & { readonly _tag: "InitProducerId" },
  identity: { readonly producerId: number; readonly producerEpoch: number },
  expected: Answer
) {
  const { connection, dialect, subject } = asking
  const answer = yield* connection.request(Messages.InitProducerId, dialect.InitProducerId, {
    transactionalId: requests?.idempotent === true ? null : subject.transactionalIds[request.id - 1]!,
    transactionTimeoutMs: subject.transactionTimeoutMs,
    ...identity
  })
  return identified(subject, told(answer.errorCode), answer, expected)
})

/** The answer with the identity that it has; an answer that refuses has none, whatever the bytes say. */
const identified = (
  subject: Subject.Subject,
  answer: Told,
  { producerEpoch, producerId }: { readonly producerId: number; readonly producerEpoch: number },
  expected: Answer
): Told =>
  answer.error === "NONE"
    ? { ...answer, producerId: Subject.learn(subject, expected.producerId, producerId), epoch: producerEpoch }
    : answer

const addPartition = Effect.fnUntraced(function*(
  { connection, dialect, subject }: Asking,
  { id, partition }: Request & { readonly _tag: "AddPartitionsToTxn" },
  identity: { readonly producerId: number; readonly producerEpoch: number }
) {
  const transactionalId = subject.transactionalIds[id - 1]!
  if (Subject.isGroup(partition)) {
    const answer = yield* connection.request(Messages.AddOffsetsToTxn, dialect.AddOffsetsToTxn, {
      transactionalId,
      ...identity,
      groupId: subject.group
    })
    return told(answer.errorCode)
  }
  const { partition: index, topic } = Subject.placeOf(subject, partition)
  const answer = yield* connection.request(Messages.AddPartitionsToTxn, dialect.AddPartitionsToTxn, {
    v3AndBelowTransactionalId: transactionalId,
    v3AndBelowProducerId: identity.producerId,
    v3AndBelowProducerEpoch: identity.producerEpoch,
    v3AndBelowTopics: [{ name: topic, partitions: [index] }]
  })
  return told(answer.resultsByTopicV3AndBelow[0]?.resultsByPartition[0]?.partitionErrorCode ?? missing)
})

/** No error of Kafka's: the answer says nothing about what was asked. */
export const missing = 32_767

const verifyPartition = Effect.fnUntraced(function*(
  { connection, dialect, subject }: Asking,
  { id, partition }: Request & { readonly _tag: "VerifyPartition" },
  identity: { readonly producerId: number; readonly producerEpoch: number }
) {
  const { partition: index, topic } = Subject.isGroup(partition)
    ? { topic: partition, partition: 0 }
    : Subject.placeOf(subject, partition)
  const answer = yield* connection.request(Messages.AddPartitionsToTxn, dialect.VerifyPartition, {
    transactions: [{
      transactionalId: subject.transactionalIds[id - 1]!,
      ...identity,
      verifyOnly: true,
      topics: [{ name: topic, partitions: [index] }]
    }]
  })
  const result = answer.resultsByTransaction[0]?.topicResults[0]?.resultsByPartition[0]?.partitionErrorCode
  return told(answer.errorCode === 0 ? result ?? missing : answer.errorCode)
})

const endTxn = Effect.fnUntraced(function*(
  { connection, dialect, subject }: Asking,
  { id, result, version }: Request & { readonly _tag: "EndTxn" },
  identity: { readonly producerId: number; readonly producerEpoch: number },
  expected: Answer
) {
  const answer = yield* connection.request(Messages.EndTxn, dialect.EndTxn[version], {
    transactionalId: subject.transactionalIds[id - 1]!,
    ...identity,
    committed: result === "COMMIT"
  })
  return version === 2 ? identified(subject, told(answer.errorCode), answer, expected) : told(answer.errorCode)
})

const produce = Effect.fnUntraced(function*(
  { connection, dialect, subject }: Asking,
  { id, partition, version }: Request & { readonly _tag: "Produce" },
  identity: { readonly producerId: number; readonly producerEpoch: number },
  batch: TransactionalProducer.Produce
) {
  const place = Subject.placeOf(subject, partition)
  const { partition: index, topic } = place
  const answer = yield* connection.request(Messages.Produce, dialect.Produce[version], {
    transactionalId: batch.isTransactional ? subject.transactionalIds[id - 1]! : null,
    acks: -1,
    timeoutMs: 10_000,
    topicData: [{ name: topic, partitionData: [{ index, records: batchOf(subject, identity, batch) }] }]
  })
  const result = answer.responses[0]?.partitionResponses[0]
  return result === undefined
    ? told(missing)
    : { ...told(result.errorCode), offset: Subject.offsetAt(place, result.baseOffset) }
})

const commitOffset = Effect.fnUntraced(function*(
  { connection, dialect, subject }: Asking,
  { id, version }: Request & { readonly _tag: "Produce" },
  identity: { readonly producerId: number; readonly producerEpoch: number },
  committedOffset: number
) {
  const { partition: partitionIndex, topic: name } = subject.places.values().next().value!
  const answer = yield* connection.request(Messages.TxnOffsetCommit, dialect.TxnOffsetCommit[version], {
    transactionalId: subject.transactionalIds[id - 1]!,
    groupId: subject.group,
    ...identity,
    topics: [{ name, partitions: [{ partitionIndex, committedOffset, committedMetadata: "" }] }]
  })
  return told(answer.topics[0]?.partitions[0]?.errorCode ?? missing)
})

const writeMarker = Effect.fnUntraced(function*(
  { connection, dialect, subject }: Asking,
  { coordinatorEpoch, partition, result, version }: Request & { readonly _tag: "WriteTxnMarker" },
  identity: { readonly producerId: number; readonly producerEpoch: number }
) {
  const { partition: index, topic: name } = Subject.placeOf(subject, partition)
  const answer = yield* connection.request(Messages.WriteTxnMarkers, dialect.WriteTxnMarkers, {
    markers: [{
      ...identity,
      transactionResult: result === "COMMIT",
      topics: [{ name, partitionIndexes: [index] }],
      coordinatorEpoch: subject.coordinatorEpoch + coordinatorEpoch,
      transactionVersion: version
    }]
  })
  return told(answer.markers[0]?.topics[0]?.partitions[0]?.errorCode ?? missing)
})

/** Asks a broker what the specification answers with `expected`. A timeout is not asked for. */
export const ask = (
  asking: Asking,
  configuration: Configuration,
  world: World,
  request: Exclude<Request, { readonly _tag: "TransactionTimeout" }>,
  expected: Answer
): Effect.Effect<Told, Remote.Connection.ConnectionError> => {
  const identity = identityOf(asking, Transactions.Requests.claim(configuration, world, request.id, request.identity)!)
  switch (request._tag) {
    case "InitProducerId":
      return initProducerId(asking, configuration, request, identity, expected)
    case "AddPartitionsToTxn":
      return addPartition(asking, request, identity)
    case "VerifyPartition":
      return verifyPartition(asking, request, identity)
    case "EndTxn":
      return endTxn(asking, request, identity, expected)
    case "Produce": {
      const batch = Transactions.Requests.batch(configuration, world, request)!
      return Subject.isGroup(request.partition)
        ? commitOffset(asking, request, identity, batch.input + 1)
        : produce(asking, request, identity, batch)
    }
    case "WriteTxnMarker":
      return writeMarker(asking, request, identity)
  }
}
