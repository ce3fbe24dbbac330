/**
 * The coordinator of one transactional id as a pure state machine: what it answers, what it writes to its log, and when
 * the markers of a transaction go out.
 *
 * What it knows is not what its log says: a transition is a record that is appended first and applied when it is
 * replicated, and while it is on the way no other begins. `step` is the only way in, and answers `undefined` when the
 * input is not possible in the state. `TransactionCoordinator`, `TransactionStateManager` and
 * `TransactionMarkerChannelManager` in Kafka.
 */
import type * as Errors from "./Errors.ts"
import type { Broker } from "./Partition.ts"
import * as Sequence from "./Sequence.ts"
import type { Context, Name, Result, Version } from "./Transaction.ts"
import type { AddPartitionsToTxn, Answer, EndTxn, InitProducerId, Request } from "./TransactionalProducer.ts"
import type { Metadata, State } from "./TransactionMetadata.ts"
import * as TransactionMetadata from "./TransactionMetadata.ts"

/** The state that a transition on the way leads to; `Dead` is the end of the id. */
export type Pending = "None" | "Dead" | Exclude<State, "Unknown">

export interface Coordinator {
  readonly broker: Broker
  /** The leader epoch of its partition of `__transaction_state`. */
  readonly epoch: number
  readonly metadata: Metadata
  readonly pending: Pending
  /** The record that is being appended to the log. */
  readonly appending: Metadata | undefined
  /** Completions that are due, oldest first. */
  readonly completing: ReadonlyArray<Metadata>
  /** Partitions whose markers are not acknowledged. */
  readonly outstanding: ReadonlyArray<string>
}

/** WriteTxnMarkers for one partition. */
export interface Marker {
  readonly partition: string
  readonly producerId: number
  readonly epoch: number
  readonly coordinatorEpoch: number
  readonly result: Result
  readonly version: Version
  /** Ghost. */
  readonly transaction: Name
}

/** AddPartitionsToTxn as a leader sends it for a batch: version 1 only asks, version 2 adds. */
export interface Verification {
  readonly partition: string
  readonly producerId: number
  readonly epoch: number
  readonly version: Version
  /** Ghost. */
  readonly transaction: Name
}

/** A request from a client, and the broker that it was sent to. */
interface Arrival<R extends Request> {
  readonly request: R
  readonly broker: Broker
}

/** Who waits for the append that ends. Leaders wait as whoever adds a partition. */
interface Ending {
  readonly waiting: Request["kind"] | undefined
}

/** Input that may need a producer id, with the next free one (`ProducerIdManager`). */
interface Allocating {
  readonly nextProducerId: number
}

export type Input =
  | { readonly _tag: "HandleInitProducerId" } & Arrival<InitProducerId> & Allocating
  | { readonly _tag: "HandleAddPartitionsToTxn" } & Arrival<AddPartitionsToTxn>
  | { readonly _tag: "HandleEndTxn" } & Arrival<EndTxn> & Allocating
  | { readonly _tag: "HandleVerification"; readonly verification: Verification }
  | { readonly _tag: "AppendOk" } & Ending
  | { readonly _tag: "AppendFail" } & Ending
  | { readonly _tag: "CompleteTransaction" }
  | { readonly _tag: "ReceiveMarkerAnswer"; readonly marker: Marker; readonly error: Errors.Error }
  | { readonly _tag: "TransactionTimeout" } & Allocating
  | { readonly _tag: "ExpireTransactionalId" }
  /** Another broker takes over; `loaded` is what it read from the log. */
  | { readonly _tag: "CoordinatorFailover"; readonly loaded: Metadata } & Ending

export type Output =
  /** To the request of the input, or to the one that waits for the append that ends. */
  | { readonly _tag: "Answer"; readonly answer: Answer }
  /** To `__transaction_state`; the end of the append is an input. */
  | { readonly _tag: "Append"; readonly record: Metadata }
  | { readonly _tag: "WriteTxnMarker"; readonly marker: Marker }
  /** The free producer id is free no more. */
  | { readonly _tag: "ProducerIdTaken" }

export type Step = readonly [Coordinator, ReadonlyArray<Output>]

/** The coordinator of an id that nobody used before. */
export const initial: Coordinator = {
  broker: 1,
  epoch: 0,
  metadata: TransactionMetadata.unknown,
  pending: "None",
  appending: undefined,
  completing: [],
  outstanding: []
}

/** What the log has when the append under way succeeds. */
export const persisted = ({ rules }: Context, { appending }: Coordinator): Metadata | undefined =>
  appending === undefined ? undefined : rules.Persisted(appending)

/** What the coordinator makes of a request: an error, success without a record, or a record to be written. */
export type Decision =
  | { readonly _tag: "Refuse"; readonly error: Errors.Error }
  | { readonly _tag: "Accept" }
  | { readonly _tag: "Write"; readonly record: Metadata }

const refuse = (error: Errors.Error): Decision => ({ _tag: "Refuse", error })
const write = (record: Metadata): Decision => ({ _tag: "Write", record })
const accept: Decision = { _tag: "Accept" }

/** Whether a producer that comes back with its identity is the latest one, or was until its producer id ended. */
const isCurrent = (context: Context, metadata: Metadata, { epoch, producerId }: InitProducerId): boolean =>
  metadata.epoch === Sequence.none || producerId === metadata.producerId
  || (producerId === metadata.previousProducerId && TransactionMetadata.isExhausted(context, epoch))

/** `prepareIncrementProducerEpoch`, and `prepareProducerIdRotation` where the epochs are used up. */
const nextInstance = (context: Context, metadata: Metadata, request: InitProducerId, free: number): Decision => {
  const { epoch, lastEpoch, producerId } = metadata
  const given = request.producerId !== Sequence.none
  if (TransactionMetadata.isExhausted(context, epoch)) {
    // Kafka throws here, although the last epoch may be given.
    if (given && request.epoch !== epoch) return refuse("UNKNOWN_SERVER_ERROR")
    return write(TransactionMetadata.initialized(metadata, free, 0, given ? epoch : Sequence.none))
  }
  if (!given) return write(TransactionMetadata.initialized(metadata, producerId, epoch + 1, Sequence.none))
  if (epoch === Sequence.none || request.epoch === epoch) {
    return write(TransactionMetadata.initialized(metadata, producerId, epoch + 1, epoch))
  }
  // The same request again: its first answer was lost.
  if (request.epoch === lastEpoch) return write(TransactionMetadata.initialized(metadata, producerId, epoch, lastEpoch))
  return refuse("PRODUCER_FENCED")
}

/** A new instance, or the next epoch of the same; an open transaction is aborted first. `prepareInitProducerIdTransit`. */
export const initProducerId = (
  context: Context,
  metadata: Metadata,
  pending: Pending,
  request: InitProducerId,
  free: number
): Decision => {
  if (pending !== "None") return refuse("CONCURRENT_TRANSACTIONS")
  if (request.producerId !== Sequence.none && !isCurrent(context, metadata, request)) return refuse("PRODUCER_FENCED")
  if (TransactionMetadata.isPrepared(metadata.state)) return refuse("CONCURRENT_TRANSACTIONS")
  if (metadata.state !== "Ongoing") return nextInstance(context, metadata, request, free)
  return write(TransactionMetadata.fenced(context, metadata, context.rules.FenceEpoch(context, metadata), free))
}

/** `TransactionCoordinator.handleAddPartitionsToTransaction`. */
export const addPartitions = (
  context: Context,
  metadata: Metadata,
  pending: Pending,
  asked: Verification
): Decision => {
  const { rules } = context
  if (metadata.state === "Unknown") return refuse("INVALID_PRODUCER_ID_MAPPING")
  if (rules.AsksPendingFirst() && pending !== "None") return refuse("CONCURRENT_TRANSACTIONS")
  if (metadata.producerId !== asked.producerId) return refuse("INVALID_PRODUCER_ID_MAPPING")
  if (metadata.epoch !== asked.epoch) return refuse("PRODUCER_FENCED")
  if (pending !== "None" || TransactionMetadata.isPrepared(metadata.state)) return refuse("CONCURRENT_TRANSACTIONS")
  if (rules.IsRegistered(metadata, asked.partition)) return accept
  return write(TransactionMetadata.ongoing(context, metadata, asked))
}

/** `TransactionCoordinator.handleVerifyPartitionsInTransaction`: a pending transition does not matter. */
export const verifyPartition = (metadata: Metadata, asked: Verification): Decision => {
  if (metadata.state === "Unknown" || metadata.producerId !== asked.producerId) {
    return refuse("INVALID_PRODUCER_ID_MAPPING")
  }
  if (metadata.epoch !== asked.epoch) return refuse("PRODUCER_FENCED")
  if (TransactionMetadata.isPrepared(metadata.state)) return refuse("CONCURRENT_TRANSACTIONS")
  return metadata.partitions.includes(asked.partition) ? accept : refuse("TRANSACTION_ABORTABLE")
}

/** Version 1: the epoch stays, so an answer that was lost is found by the state alone. */
const endTxn1 = (
  metadata: Metadata,
  pending: Pending,
  { epoch, producerId, result, transaction }: EndTxn
): Decision => {
  if (metadata.state === "Unknown" || metadata.producerId !== producerId) return refuse("INVALID_PRODUCER_ID_MAPPING")
  if (metadata.epoch !== epoch) return refuse("PRODUCER_FENCED")
  if (pending !== "None") return refuse("CONCURRENT_TRANSACTIONS")
  const prepared = TransactionMetadata.preparedState(result)
  switch (metadata.state) {
    case "Ongoing":
      return write(TransactionMetadata.prepared(metadata, result, transaction))
    case prepared:
      return refuse("CONCURRENT_TRANSACTIONS")
    case TransactionMetadata.completedState(prepared):
      return accept
    default:
      return refuse("INVALID_TXN_STATE")
  }
}

/**
 * Version 2: a request with the epoch before the present one is one that was answered already. A transaction that never
 * reached the coordinator may be aborted.
 */
const endTxn2 = (
  context: Context,
  metadata: Metadata,
  pending: Pending,
  { epoch, producerId, result, transaction }: EndTxn,
  free: number
): Decision => {
  if (metadata.state === "Unknown") return refuse("INVALID_PRODUCER_ID_MAPPING")
  if (pending !== "None") return refuse("CONCURRENT_TRANSACTIONS")
  const rotated = producerId === metadata.previousProducerId && metadata.epoch === 0
    && epoch === context.replica.limits.maxEpoch - 1
  if (metadata.producerId !== producerId && !rotated) return refuse("INVALID_PRODUCER_ID_MAPPING")
  const again = rotated || epoch + 1 === metadata.epoch
  if (!again && epoch !== metadata.epoch) return refuse("PRODUCER_FENCED")
  const prepared = TransactionMetadata.preparedState(result)
  const end = () => write(TransactionMetadata.preparedWithNewEpoch(context, metadata, result, transaction, free))
  switch (metadata.state) {
    case "Ongoing":
      return again ? refuse("PRODUCER_FENCED") : end()
    case "PrepareCommit":
    case "PrepareAbort":
      if (!again) return refuse("PRODUCER_FENCED")
      return refuse(metadata.state === prepared ? "CONCURRENT_TRANSACTIONS" : "INVALID_TXN_STATE")
    case "Empty":
      if (again) return refuse("PRODUCER_FENCED")
      return result === "ABORT" ? end() : refuse("INVALID_TXN_STATE")
    case "CompleteCommit":
    case "CompleteAbort":
      if (!again) return result === "ABORT" ? end() : refuse("INVALID_TXN_STATE")
      return metadata.state === TransactionMetadata.completedState(prepared) ? accept : refuse("INVALID_TXN_STATE")
  }
}

/** `TransactionCoordinator.endTransaction`. The version is that of the request. */
export const endTxn = (
  context: Context,
  metadata: Metadata,
  pending: Pending,
  request: EndTxn,
  free: number
): Decision =>
  request.version === 2
    ? endTxn2(context, metadata, pending, request, free)
    : endTxn1(metadata, pending, request)

const answerOf = (error: Errors.Error, producerId: number = Sequence.none, epoch: number = Sequence.none): Output => ({
  _tag: "Answer",
  answer: { error, producerId, epoch }
})

/** An id that nobody used before takes one too: it is always given an instance. */
const takesProducerId = (free: number | undefined, decision: Decision): boolean =>
  decision._tag === "Write" && (decision.record.producerId === free || decision.record.nextProducerId === free)

/** Does what was decided, with the metadata as the decision left it in memory. */
const begin = (context: Context, before: Coordinator, metadata: Metadata, decision: Decision, free?: number): Step => {
  const outputs: Array<Output> = []
  if (takesProducerId(free, decision)) outputs.push({ _tag: "ProducerIdTaken" })
  const coordinator = metadata === before.metadata ? before : { ...before, metadata }
  switch (decision._tag) {
    case "Refuse":
      outputs.push(answerOf(decision.error))
      return [coordinator, outputs]
    case "Accept":
      outputs.push(answerOf("NONE", metadata.producerId, metadata.epoch))
      return [coordinator, outputs]
    case "Write": {
      const { record } = decision
      outputs.push({ _tag: "Append", record: context.rules.Persisted(record) })
      return [
        { ...coordinator, pending: record.state === "Unknown" ? "Dead" : record.state, appending: record },
        outputs
      ]
    }
  }
}

/**
 * What is in memory while a fence is written: version 1 raises the epoch at once, and does not raise it again when the
 * append fails (`hasFailedEpochFence`).
 */
const whileFencing = ({ transactionVersion }: Context, metadata: Metadata, { epoch, state }: Metadata): Metadata =>
  state === "PrepareAbort" && transactionVersion === 1
    ? { ...metadata, epoch, failedEpochFence: true }
    : metadata

const notHere = (coordinator: Coordinator): Step => [coordinator, [answerOf("NOT_COORDINATOR")]]

const handleInitProducerId = (
  context: Context,
  coordinator: Coordinator,
  { broker, nextProducerId, request }: Arrival<InitProducerId> & Allocating
): Step => {
  if (broker !== coordinator.broker) return notHere(coordinator)
  // A new id takes the free producer id, and needs no other: its epochs are all left.
  const isNew = coordinator.metadata.state === "Unknown"
  const metadata = isNew ? TransactionMetadata.created(nextProducerId) : coordinator.metadata
  const decision = initProducerId(context, metadata, coordinator.pending, request, nextProducerId)
  const known = decision._tag === "Write" ? whileFencing(context, metadata, decision.record) : metadata
  return begin(context, coordinator, known, decision, nextProducerId)
}

const handleAddPartitionsToTxn = (
  context: Context,
  coordinator: Coordinator,
  { broker, request }: Arrival<AddPartitionsToTxn>
): Step =>
  broker === coordinator.broker
    ? begin(
      context,
      coordinator,
      coordinator.metadata,
      addPartitions(context, coordinator.metadata, coordinator.pending, request)
    )
    : notHere(coordinator)

const handleEndTxn = (
  context: Context,
  coordinator: Coordinator,
  { broker, nextProducerId, request }: Arrival<EndTxn> & Allocating
): Step => {
  if (broker !== coordinator.broker) return notHere(coordinator)
  const { metadata, pending } = coordinator
  const decision = endTxn(context, metadata, pending, request, nextProducerId)
  return begin(context, coordinator, metadata, decision, nextProducerId)
}

/** The leader finds the coordinator of the moment by itself. `AddPartitionsToTxnManager`. */
const handleVerification = (context: Context, coordinator: Coordinator, asked: Verification): Step => {
  const { metadata, pending } = coordinator
  const decision = asked.version === 2
    ? addPartitions(context, metadata, pending, asked)
    : verifyPartition(metadata, asked)
  return begin(context, coordinator, metadata, decision)
}

const markers = ({ epoch: coordinatorEpoch, metadata }: Coordinator): ReadonlyArray<Output> => {
  const { epoch, partitions, producerId, state, transaction, version } = metadata
  if (!TransactionMetadata.isPrepared(state)) return []
  const result = TransactionMetadata.resultOf(state)
  return partitions.map((partition): Output => ({
    _tag: "WriteTxnMarker",
    marker: { partition, producerId, epoch, coordinatorEpoch, result, version, transaction }
  }))
}

/**
 * The record is what the coordinator goes by now. A prepared transaction is as good as decided: its markers go out, and
 * its completion is pending, or due where there is no marker to wait for.
 */
const apply = (context: Context, coordinator: Coordinator, record: Metadata): Coordinator => {
  const known: Coordinator = {
    ...coordinator,
    metadata: record,
    appending: undefined,
    pending: "None",
    outstanding: []
  }
  if (!TransactionMetadata.isPrepared(record.state)) return known
  return {
    ...known,
    pending: TransactionMetadata.completedState(record.state),
    outstanding: record.partitions,
    completing: record.partitions.length === 0
      ? [TransactionMetadata.completed(context, record)]
      : known.completing
  }
}

/** A new instance has to wait for the end of the transaction that it fenced. */
const answerAfterAppend = (kind: Request["kind"], { epoch, nextProducerId, producerId, state }: Metadata): Output => {
  const error = kind === "InitProducerId" && state === "PrepareAbort" ? "CONCURRENT_TRANSACTIONS" : "NONE"
  return nextProducerId === Sequence.none ? answerOf(error, producerId, epoch) : answerOf(error, nextProducerId, 0)
}

/** `TransactionStateManager.appendTransactionToLog`, `updateCacheCallback`. */
const appendOk = (context: Context, coordinator: Coordinator, { waiting }: Ending): Step | undefined => {
  const record = coordinator.appending
  if (record === undefined) return undefined
  const after = apply(context, coordinator, record)
  const answers = waiting === undefined ? [] : [answerAfterAppend(waiting, record)]
  return [after, [...answers, ...markers(after)]]
}

/**
 * The append failed for the coordinator, whether or not the record is in the log. The completion of a transaction is
 * tried again.
 */
const appendFail = ({ rules }: Context, coordinator: Coordinator, { waiting }: Ending): Step | undefined => {
  const record = coordinator.appending
  if (record === undefined) return undefined
  const after: Coordinator = TransactionMetadata.isComplete(record.state)
    ? { ...coordinator, appending: undefined, completing: [record] }
    : { ...coordinator, appending: undefined, pending: rules.PendingAfterFailedAppend(coordinator.pending) }
  return [after, waiting === undefined ? [] : [answerOf("COORDINATOR_NOT_AVAILABLE")]]
}

/** `TransactionMarkerChannelManager.maybeWriteTxnCompletion`. */
const completeTransaction = ({ rules }: Context, coordinator: Coordinator): Step | undefined => {
  const [record, ...completing] = coordinator.completing
  if (record === undefined || coordinator.appending !== undefined) return undefined
  if (!rules.MayComplete(coordinator.metadata.state)) return [{ ...coordinator, completing }, []]
  return [{ ...coordinator, completing, appending: record }, [{ _tag: "Append", record: rules.Persisted(record) }]]
}

/** After the last marker the completion is due. */
const acknowledge = (context: Context, coordinator: Coordinator, partition: string): Coordinator => {
  const { metadata, outstanding } = coordinator
  const left = outstanding.filter((other) => other !== partition)
  if (left.length > 0 || left.length === outstanding.length) return { ...coordinator, outstanding: left }
  const count = context.rules.Completions(metadata.partitions)
  const record = TransactionMetadata.completed(context, metadata)
  return { ...coordinator, outstanding: left, completing: Array.from({ length: count }, () => record) }
}

/**
 * A marker for a broker that leads no more goes to the next one. When the leader knows better the coordinator gives up,
 * and leaves the transaction to its successor. `TransactionMarkerRequestCompletionHandler`.
 */
const receiveMarkerAnswer = (
  context: Context,
  coordinator: Coordinator,
  marker: Marker,
  error: Errors.Error
): Step => {
  switch (error) {
    case "NONE":
      return [acknowledge(context, coordinator, marker.partition), []]
    case "NOT_LEADER_OR_FOLLOWER":
    case "NETWORK_EXCEPTION":
      return [coordinator, [{ _tag: "WriteTxnMarker", marker }]]
    default:
      return [coordinator, []]
  }
}

/** The coordinator aborts a transaction that takes too long. `TransactionCoordinator.abortTimedOutTransactions`. */
const transactionTimeout = (
  context: Context,
  coordinator: Coordinator,
  { nextProducerId }: Allocating
): Step | undefined => {
  const { metadata, pending } = coordinator
  if (metadata.state !== "Ongoing" || pending !== "None") return undefined
  const epoch = context.rules.TimeoutEpoch(context, metadata)
  const record = TransactionMetadata.fenced(context, metadata, epoch, nextProducerId)
  return begin(context, coordinator, whileFencing(context, metadata, record), write(record), nextProducerId)
}

/** `transactional.id.expiration.ms`: an id that has nothing to end is forgotten. */
const expireTransactionalId = (context: Context, coordinator: Coordinator): Step | undefined => {
  const { metadata, pending } = coordinator
  const idle = metadata.state === "Empty" || TransactionMetadata.isComplete(metadata.state)
  if (!idle || pending !== "None" || metadata.epoch === Sequence.none) return undefined
  return begin(context, coordinator, metadata, write(TransactionMetadata.unknown))
}

/**
 * The next coordinator knows what the log says, and sends the markers of a prepared transaction again.
 * `TransactionStateManager.loadTransactionsForTxnTopicPartition`.
 */
const coordinatorFailover = (
  context: Context,
  { broker, epoch }: Coordinator,
  loaded: Metadata,
  { waiting }: Ending
): Step => {
  const successor: Coordinator = { ...initial, broker: broker === 1 ? 2 : 1, epoch: epoch + 1 }
  const after = apply(context, successor, loaded)
  return [after, [...(waiting === undefined ? [] : [answerOf("NOT_COORDINATOR")]), ...markers(after)]]
}

/** One turn of the coordinator; `undefined` when `input` is not possible in this state. */
export const step = (context: Context, coordinator: Coordinator, input: Input): Step | undefined => {
  switch (input._tag) {
    case "HandleInitProducerId":
      return handleInitProducerId(context, coordinator, input)
    case "HandleAddPartitionsToTxn":
      return handleAddPartitionsToTxn(context, coordinator, input)
    case "HandleEndTxn":
      return handleEndTxn(context, coordinator, input)
    case "HandleVerification":
      return handleVerification(context, coordinator, input.verification)
    case "AppendOk":
      return appendOk(context, coordinator, input)
    case "AppendFail":
      return appendFail(context, coordinator, input)
    case "CompleteTransaction":
      return completeTransaction(context, coordinator)
    case "ReceiveMarkerAnswer":
      return receiveMarkerAnswer(context, coordinator, input.marker, input.error)
    case "TransactionTimeout":
      return transactionTimeout(context, coordinator, input)
    case "ExpireTransactionalId":
      return expireTransactionalId(context, coordinator)
    case "CoordinatorFailover":
      return coordinatorFailover(context, coordinator, input.loaded, input)
  }
}
