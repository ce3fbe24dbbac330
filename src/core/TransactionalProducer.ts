/**
 * The transactional producer as a pure state machine: what it sends to the coordinator and to leaders, and what it makes
 * of their answers.
 *
 * `step` is the only way in, and answers `undefined` when the input is not possible in the state. There is one record
 * for each partition and transaction. The producer names no broker: who is coordinator or leader when a message leaves,
 * the host knows. `TransactionManager` in Kafka.
 */
import * as Errors from "./Errors.ts"
import * as Sequence from "./Sequence.ts"
import type { Context, Name, Result, Version } from "./Transaction.ts"
import { groupPartition } from "./Transaction.ts"

/** `TransactionManager.State`. */
export type State =
  | "UNINITIALIZED"
  | "INITIALIZING"
  | "READY"
  | "IN_TRANSACTION"
  | "COMMITTING"
  | "ABORTING"
  | "ABORTABLE_ERROR"
  | "FATAL_ERROR"

/** The record for a partition: its partition is being added to the transaction, was added, or it was sent. */
export type Batch = "adding" | "added" | "inflight" | "acked" | "failed"

/** By partition; there is none for a partition that the transaction did not touch. */
export type Batches = ReadonlyMap<string, Batch>

export interface Producer {
  readonly state: State
  readonly producerId: number
  readonly epoch: number
  /**
   * Ghost: how many transactions the application began, in this and earlier instances. It names them, and no rule reads
   * it.
   */
  readonly number: number
  readonly batches: Batches
  /** The next sequence by partition, where it is not 0. */
  readonly sequences: ReadonlyMap<string, number>
  /** A batch failed, so that the producer wants a new epoch. */
  readonly epochBump: boolean
  /** The generation of the group that the application joined, or `Sequence.none`. */
  readonly generation: number
  /** The group's offset that the application goes on from, or `Sequence.none`. */
  readonly position: number
  /** A transactional request is in flight; there is one at most. `inFlightRequestCorrelationId`. */
  readonly waiting: boolean
}

interface Envelope {
  readonly producerId: number
  readonly epoch: number
  /** The protocol that the request's API version stands for. */
  readonly version: Version
  /** Ghost. */
  readonly transaction: Name
}

/** `initTransactions()`; with an identity, the continuation of that one (KIP-360). */
export interface InitProducerId extends Envelope {
  readonly kind: "InitProducerId"
}

/** AddPartitionsToTxn, and AddOffsetsToTxn for the partition of the group's offsets. */
export interface AddPartitionsToTxn extends Envelope {
  readonly kind: "AddPartitionsToTxn"
  readonly partition: string
}

export interface EndTxn extends Envelope {
  readonly kind: "EndTxn"
  readonly result: Result
}

/** A request to the coordinator. */
export type Request = InitProducerId | AddPartitionsToTxn | EndTxn

/** A request to a leader: Produce with one batch, or TxnOffsetCommit for the partition of the group's offsets. */
export interface Produce extends Envelope {
  readonly partition: string
  /** Of the first record; `Sequence.none` for offsets. */
  readonly sequence: number
  /** How many there are. This producer sends one at a time. */
  readonly records: number
  /** What an idempotent producer sends without a transaction, and what one without idempotence sends, is not. */
  readonly isTransactional: boolean
  readonly generation: number
  /** The group's offset that is committed; in a record, ghost: the input that it is the output of. */
  readonly input: number
}

/** The answer to a transactional request. */
export interface Answer {
  readonly error: Errors.Error
  /** The identity to go on with, where the request has one for an answer. */
  readonly producerId: number
  readonly epoch: number
}

/** One input is one message, timer or call. Answers are those to what the producer still waits for. */
export type Input =
  | { readonly _tag: "InitTransactions" }
  | { readonly _tag: "AddPartitionsToTxn"; readonly partition: string }
  | { readonly _tag: "SendProduce"; readonly partition: string }
  | { readonly _tag: "Commit" }
  | { readonly _tag: "Abort" }
  | { readonly _tag: "JoinGroup"; readonly generation: number; readonly position: number }
  | { readonly _tag: "ReceiveAnswer"; readonly request: Request; readonly answer: Answer }
  | { readonly _tag: "ReceiveProduceAnswer"; readonly produce: Produce; readonly error: Errors.Error }
  | { readonly _tag: "ExpireBatch"; readonly partition: string }
  | { readonly _tag: "Crash" }

export type Output =
  | { readonly _tag: "Request"; readonly request: Request }
  | { readonly _tag: "Produce"; readonly produce: Produce }
  /** What the application is told. */
  | { readonly _tag: "Ended"; readonly result: Result }

export type Step = readonly [Producer, ReadonlyArray<Output>]

export interface Config extends Context {
  /** What the client speaks. */
  readonly version: Version
  /** Ghost: which instance of the application this is. */
  readonly client: number
}

/** A producer that has no identity yet. */
export const initial: Producer = {
  state: "UNINITIALIZED",
  producerId: Sequence.none,
  epoch: Sequence.none,
  number: 0,
  batches: new Map(),
  sequences: new Map(),
  epochBump: false,
  generation: Sequence.none,
  position: Sequence.none,
  waiting: false
}

const withBatch = (producer: Producer, partition: string, batch: Batch): Producer => ({
  ...producer,
  batches: new Map(producer.batches).set(partition, batch)
})

const envelope = ({ client, version }: Config, { epoch, number, producerId }: Producer): Envelope => ({
  producerId,
  epoch,
  version,
  transaction: { client, number }
})

const sent = (request: Request): ReadonlyArray<Output> => [{ _tag: "Request", request }]

/** The first record of a transaction begins it: `beginTransaction()` changes nothing but the producer. */
const writing = (producer: Producer): Producer | undefined => {
  switch (producer.state) {
    case "IN_TRANSACTION":
      return producer
    case "READY":
      return { ...producer, state: "IN_TRANSACTION", number: producer.number + 1 }
    default:
      return undefined
  }
}

const initTransactions = (config: Config, producer: Producer): Step | undefined => {
  if (producer.state !== "UNINITIALIZED") return undefined
  return [
    { ...producer, state: "INITIALIZING", waiting: true },
    sent({ kind: "InitProducerId", ...envelope(config, producer) })
  ]
}

/** Version 1 adds a partition to the transaction before the first record goes to it. */
const addPartitionsToTxn = (config: Config, producer: Producer, partition: string): Step | undefined => {
  const begun = writing(producer)
  if (begun === undefined || config.version !== 1 || producer.batches.has(partition) || producer.waiting) {
    return undefined
  }
  return [
    { ...withBatch(begun, partition, "adding"), waiting: true },
    sent({ kind: "AddPartitionsToTxn", partition, ...envelope(config, begun) })
  ]
}

/** `Sender.sendProduceRequest`, `TransactionManager.TxnOffsetCommitHandler`. */
const sendProduce = (config: Config, producer: Producer, partition: string): Step | undefined => {
  const begun = writing(producer)
  const needed = config.version === 1 ? "added" : undefined
  if (begun === undefined || producer.batches.get(partition) !== needed) return undefined
  const { limits, rules } = config.replica
  const sequence = begun.sequences.get(partition) ?? 0
  const next = rules.SequenceAfterSend(limits, sequence, 1)
  const produce: Produce = {
    partition,
    ...envelope(config, begun),
    sequence: partition === groupPartition ? Sequence.none : sequence,
    records: 1,
    isTransactional: true,
    generation: begun.generation,
    input: begun.position
  }
  return [
    { ...withBatch(begun, partition, "inflight"), sequences: new Map(begun.sequences).set(partition, next) },
    [{ _tag: "Produce", produce }]
  ]
}

/** `commitTransaction()`. */
const commit = (config: Config, producer: Producer): Step | undefined => {
  if (producer.state !== "IN_TRANSACTION" || producer.waiting || !config.rules.MayCommit(producer.batches)) {
    return undefined
  }
  return [
    { ...producer, state: "COMMITTING", waiting: true },
    sent({ kind: "EndTxn", result: "COMMIT", ...envelope(config, producer) })
  ]
}

const noBatches: Batches = new Map()
const noSequences: Producer["sequences"] = new Map()

/** A producer that never got an identity needs one first. */
const ended = (producer: Producer): Producer => ({
  ...producer,
  state: producer.producerId === Sequence.none ? "UNINITIALIZED" : "READY",
  batches: noBatches
})

/** The producer goes on with a new epoch, which only the coordinator gives (KIP-360). */
const bumping = (producer: Producer): Producer => ({
  ...producer,
  state: "INITIALIZING",
  epochBump: false,
  batches: noBatches,
  waiting: true
})

const some = (batches: Batches, holds: (batch: Batch) => boolean): boolean => {
  for (const batch of batches.values()) if (holds(batch)) return true
  return false
}

/**
 * `abortTransaction()`: what was not sent is dropped, what was is waited for. The coordinator is told only if it may know
 * of the transaction.
 */
const abort = (config: Config, producer: Producer): Step | undefined => {
  if (producer.state !== "IN_TRANSACTION" && producer.state !== "ABORTABLE_ERROR") return undefined
  if (producer.waiting || some(producer.batches, (batch) => batch === "inflight")) return undefined
  const identity = envelope(config, producer)
  if (some(producer.batches, (batch) => batch !== "adding")) {
    return [
      { ...producer, state: "ABORTING", waiting: true },
      sent({ kind: "EndTxn", result: "ABORT", ...identity })
    ]
  }
  const told: Output = { _tag: "Ended", result: "ABORT" }
  return config.rules.BumpsEpochAfterAbort(producer.epochBump, config.version)
    ? [bumping(producer), [told, ...sent({ kind: "InitProducerId", ...identity })]]
    : [ended(producer), [told]]
}

/** The application joins its group, and goes on from the group's offset. */
const joinGroup = (producer: Producer, generation: number, position: number): Step | undefined =>
  producer.state === "READY" && producer.generation === Sequence.none
    ? [{ ...producer, generation, position }, []]
    : undefined

/** An error that aborting the transaction gets over. `TransactionManager`'s handlers of requests. */
const isAbortable = (request: Request, error: Errors.Error): boolean => {
  if (request.kind === "EndTxn" && request.result === "ABORT") return false
  switch (error) {
    case "TRANSACTION_ABORTABLE":
      return true
    case "UNKNOWN_PRODUCER_ID":
      return request.kind !== "InitProducerId"
    case "TOPIC_AUTHORIZATION_FAILED":
    case "GROUP_AUTHORIZATION_FAILED":
    case "OPERATION_NOT_ATTEMPTED":
      return request.kind === "AddPartitionsToTxn"
    default:
      return false
  }
}

const receiveEnd = (config: Config, producer: Producer, request: EndTxn, { epoch, producerId }: Answer): Step => {
  const done = !config.rules.OffsetsInTransaction() || producer.batches.get(groupPartition) === "acked"
  const committed = producer.position !== Sequence.none && request.result === "COMMIT" && done
  const moved: Producer = {
    ...producer,
    producerId,
    epoch,
    position: committed ? producer.position + 1 : producer.position,
    sequences: request.version === 2 ? noSequences : producer.sequences
  }
  const told: Output = { _tag: "Ended", result: request.result }
  if (request.result === "COMMIT" || !config.rules.BumpsEpochAfterAbort(moved.epochBump, request.version)) {
    return [ended(moved), [told]]
  }
  const { transaction, version } = request
  const continued: Request = {
    kind: "InitProducerId",
    producerId: request.producerId,
    epoch: request.epoch,
    version,
    transaction
  }
  return [bumping(moved), [told, ...sent(continued)]]
}

/** `TransactionManager.TxnRequestHandler.onComplete`: after an error that passes the request is sent again. */
const receiveAnswer = (config: Config, waiting: Producer, request: Request, answer: Answer): Step => {
  const { epoch, error, producerId } = answer
  if (Errors.isRetriable(error)) return [waiting, sent(request)]
  const producer = { ...waiting, waiting: false }
  if (isAbortable(request, error)) return [{ ...producer, state: "ABORTABLE_ERROR" }, []]
  if (request.kind === "InitProducerId" && error === "TRANSACTIONAL_ID_AUTHORIZATION_FAILED") {
    return [{ ...producer, state: "UNINITIALIZED" }, []]
  }
  if (error !== "NONE") return [{ ...producer, state: "FATAL_ERROR" }, []]
  switch (request.kind) {
    case "InitProducerId":
      return [{ ...producer, state: "READY", producerId, epoch, sequences: noSequences }, []]
    case "AddPartitionsToTxn":
      return [withBatch(producer, request.partition, "added"), []]
    case "EndTxn":
      return receiveEnd(config, producer, request, answer)
  }
}

/** `Sender.failBatch`, `TransactionManager.TxnOffsetCommitHandler`. */
const isFatal = (partition: string, error: Errors.Error): boolean => {
  switch (error) {
    case "INVALID_PRODUCER_EPOCH":
    case "INVALID_TXN_STATE":
    case "UNKNOWN_PRODUCER_ID":
      return partition === groupPartition
    default:
      return Errors.isFatal(error)
  }
}

/** A batch that failed may be written all the same, so the transaction can only be aborted. */
const failed = (producer: Producer, partition: string, error: Errors.Error): Producer => {
  const known = withBatch(producer, partition, "failed")
  return producer.state === "FATAL_ERROR" || isFatal(partition, error)
    ? { ...known, state: "FATAL_ERROR" }
    : { ...known, state: "ABORTABLE_ERROR", epochBump: true }
}

/** `Sender.completeBatch`. */
const receiveProduceAnswer = (producer: Producer, produce: Produce, error: Errors.Error): Step => {
  if (error === "NONE") return [withBatch(producer, produce.partition, "acked"), []]
  if (Errors.isRetriable(error)) return [producer, [{ _tag: "Produce", produce }]]
  return [failed(producer, produce.partition, error), []]
}

/**
 * A record failed before any of it was sent: the application lost it, so that the transaction can only be aborted.
 * `KafkaProducer.doSend`, `TransactionManager.maybeTransitionToErrorState`.
 */
export const refuseRecord = (producer: Producer): Producer => {
  const begun = writing(producer)
  return begun === undefined ? producer : { ...begun, state: "ABORTABLE_ERROR" }
}

/** One turn of the producer; `undefined` when `input` is not possible in this state. */
export const step = (config: Config, producer: Producer, input: Input): Step | undefined => {
  switch (input._tag) {
    case "InitTransactions":
      return initTransactions(config, producer)
    case "AddPartitionsToTxn":
      return addPartitionsToTxn(config, producer, input.partition)
    case "SendProduce":
      return sendProduce(config, producer, input.partition)
    case "Commit":
      return commit(config, producer)
    case "Abort":
      return abort(config, producer)
    case "JoinGroup":
      return joinGroup(producer, input.generation, input.position)
    case "ReceiveAnswer":
      return receiveAnswer(config, producer, input.request, input.answer)
    case "ReceiveProduceAnswer":
      return receiveProduceAnswer(producer, input.produce, input.error)
    case "ExpireBatch":
      return [failed(producer, input.partition, "REQUEST_TIMED_OUT"), []]
    case "Crash":
      return producer.state === "UNINITIALIZED" ? undefined : [{ ...initial, number: producer.number }, []]
  }
}
