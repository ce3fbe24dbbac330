/**
 * The cluster as a client sees it: one request, and everything that follows from it until nothing moves any more, is one
 * step. Appends succeed, markers are written and transactions completed before the next request; so the step has one
 * answer and one world after it, and a sequence of them can be asked of any broker.
 *
 * Requests are any client's, right or wrong. Who a request says it is from, and which sequence a batch has, is named by
 * what it is to the cluster at that moment. `spec/TransactionRequests.tla` has the same.
 */
import {
  type Errors,
  Sequence,
  Transaction,
  TransactionalPartition,
  type TransactionalProducer,
  TransactionCoordinator,
  type TransactionMetadata
} from "../../core/index.ts"
import { replaced } from "../Choice.ts"
import type { Configuration } from "./Configuration.ts"
import type { World } from "./World.ts"

const { groupPartition } = Transaction

/**
 * Who a request says it is from, by what the coordinator of its transactional id knows: nobody; the id's producer with
 * its epoch, the one before or the next; the last instance of the producer id before this one; a producer id that was
 * never given.
 */
export const identities = ["none", "current", "previous", "next", "retired", "stranger"] as const
export type Identity = typeof identities[number]

/**
 * The sequence of a batch, by what the leader knows of the epoch of its producer: the one that follows, or 0; 0 where that
 * is another; one too high; that of the newest batch.
 */
export const positions = ["next", "first", "gap", "newest"] as const

/** `last`: the highest sequence there is, for the first batch of a producer; after it they begin anew. */
export type Position = typeof positions[number] | "last"

/** A request; `id` is the number of its transactional id. */
export type Request =
  | { readonly _tag: "InitProducerId"; readonly id: number; readonly identity: Identity }
  /** AddOffsetsToTxn, for the partition of the group's offsets. */
  | {
    readonly _tag: "AddPartitionsToTxn"
    readonly id: number
    readonly identity: Identity
    readonly partition: string
  }
  /** AddPartitionsToTxn that only asks, as a leader does. */
  | {
    readonly _tag: "VerifyPartition"
    readonly id: number
    readonly identity: Identity
    readonly partition: string
  }
  | {
    readonly _tag: "EndTxn"
    readonly id: number
    readonly identity: Identity
    readonly result: Transaction.Result
    readonly version: Transaction.Version
  }
  /**
   * A batch, in a transaction or of an idempotent producer without any; TxnOffsetCommit for the partition of the group's
   * offsets, which has no sequence.
   */
  | {
    readonly _tag: "Produce"
    readonly id: number
    readonly identity: Identity
    readonly partition: string
    readonly position: Position | "none"
    /** How many records it has. */
    readonly records: number
    readonly version: Transaction.Version
  }
  /** From whoever may write markers, with the epoch of a coordinator. */
  | {
    readonly _tag: "WriteTxnMarker"
    readonly id: number
    readonly identity: Identity
    readonly partition: string
    readonly result: Transaction.Result
    readonly coordinatorEpoch: number
    readonly version: Transaction.Version
  }
  /** Nothing is asked until the open transaction is aborted for taking too long. */
  | { readonly _tag: "TransactionTimeout"; readonly id: number }

export const kinds = [
  "InitProducerId",
  "AddPartitionsToTxn",
  "VerifyPartition",
  "EndTxn",
  "Produce",
  "WriteTxnMarker",
  "TransactionTimeout"
] as const satisfies ReadonlyArray<Request["_tag"]>

export type Kind = Request["_tag"]

/** What a request is answered with; numbers are `Sequence.none` where the answer has none. */
export interface Answer {
  readonly error: Errors.Error
  readonly producerId: number
  readonly epoch: number
  /** Of the batch in the log. */
  readonly offset: number
}

export interface Performed {
  readonly world: World
  readonly answer: Answer
}

/** A producer id that no coordinator has given. */
export const stranger = 99

interface Claimed {
  readonly producerId: number
  readonly epoch: number
}

/** The producer id and epoch of an identity; `undefined` where there is none such now. */
export const claim = (
  { context }: Configuration,
  world: World,
  id: number,
  identity: Identity
): Claimed | undefined => {
  const { epoch, previousProducerId, producerId } = world.coordinators[id - 1]!.metadata
  const { maxEpoch } = context.replica.limits
  const isKnown = producerId !== Sequence.none
  switch (identity) {
    case "none":
      return { producerId: Sequence.none, epoch: Sequence.none }
    case "current":
      return isKnown ? { producerId, epoch } : undefined
    case "previous":
      return isKnown && epoch > 0 ? { producerId, epoch: epoch - 1 } : undefined
    case "next":
      return isKnown && epoch < maxEpoch ? { producerId, epoch: epoch + 1 } : undefined
    case "retired":
      return previousProducerId === Sequence.none || previousProducerId === producerId
        ? undefined
        : { producerId: previousProducerId, epoch: maxEpoch - 1 }
    case "stranger":
      return { producerId: stranger, epoch: 0 }
  }
}

/** The sequence of a batch at a position; `undefined` where there is none such now. */
const sequenceAt = (
  { context }: Configuration,
  { producers }: TransactionalPartition.Partition,
  { epoch, producerId }: Claimed,
  position: Position
): number | undefined => {
  const known = producers.get(producerId)
  const newest = known?.epoch === epoch ? known.batches.at(-1) : undefined
  const next = newest === undefined
    ? 0
    : Sequence.increment(context.replica.limits.maxSequence, newest.last, 1)
  switch (position) {
    case "next":
      return next
    case "first":
      return next === 0 || newest?.sequence === 0 ? undefined : 0
    case "gap":
      return next + 1
    case "newest":
      return newest?.sequence
    case "last":
      return known === undefined ? context.replica.limits.maxSequence : undefined
  }
}

const refused = (error: Errors.Error): Answer => ({
  error,
  producerId: Sequence.none,
  epoch: Sequence.none,
  offset: Sequence.none
})

type Waiting = TransactionalProducer.Request["kind"] | undefined

/** A turn of a coordinator, and all that follows from it. */
const coordinate = (
  configuration: Configuration,
  world: World,
  id: number,
  input: TransactionCoordinator.Input,
  waiting: Waiting
): Performed | undefined => {
  const { context } = configuration
  const step = TransactionCoordinator.step(context, world.coordinators[id - 1]!, input)
  if (step === undefined) return undefined
  let next: World = { ...world, coordinators: replaced(world.coordinators, id - 1, step[0]) }
  let answer = refused("NONE")
  const then = (following: TransactionCoordinator.Input, waits: Waiting): void => {
    const after = coordinate(configuration, next, id, following, waits)
    if (after === undefined) return
    next = after.world
    if (waits !== undefined) answer = after.answer
  }
  for (const output of step[1]) {
    switch (output._tag) {
      case "ProducerIdTaken":
        next = { ...next, nextProducerId: next.nextProducerId + 1 }
        break
      case "Answer":
        answer = { ...output.answer, offset: Sequence.none }
        break
      case "Append":
        next = { ...next, transactionStates: replaced(next.transactionStates, id - 1, output.record) }
        then({ _tag: "AppendOk", waiting }, waiting)
        break
      case "WriteTxnMarker": {
        const { marker } = output
        const marked = serve(configuration, next, marker.partition, (broker) => ({
          _tag: "HandleMarker",
          marker,
          broker
        }))
        next = marked.world
        then({ _tag: "ReceiveMarkerAnswer", marker, error: marked.answer.error }, undefined)
        break
      }
    }
  }
  then({ _tag: "CompleteTransaction" }, undefined)
  return { world: next, answer }
}

/** A turn of a leader, whose follower is in step. `verify` asks the coordinator, where the leader has to. */
const serve = (
  configuration: Configuration,
  world: World,
  name: string,
  input: (broker: TransactionalPartition.Partition["leader"]) => TransactionalPartition.Input,
  verify?: (world: World) => Performed
): Performed => {
  const { context, partitions } = configuration
  const place = partitions.indexOf(name)
  const before = world.partitions[place]!
  const step = TransactionalPartition.step(context, before, input(before.leader))!
  const partition = replicated(configuration, step[0])
  const next = { ...world, partitions: replaced(world.partitions, place, partition) }
  for (const output of step[1]) {
    if (output._tag === "Verify") return verify!(next)
    if (output._tag === "Answer" || output._tag === "Wait") {
      const error = output._tag === "Answer" ? output.error : "NONE"
      return { world: next, answer: { ...refused(error), offset: output.offset } }
    }
  }
  return { world: next, answer: refused("NONE") }
}

const replicated = (
  { context }: Configuration,
  partition: TransactionalPartition.Partition
): TransactionalPartition.Partition => {
  let after = partition
  for (;;) {
    const step = TransactionalPartition.step(context, after, { _tag: "Replicate" })
    if (step === undefined) return after
    after = step[0]
  }
}

const transaction = Transaction.noName

/** The batch of a request; `undefined` where the world has nothing that it names. */
export const batch = (
  configuration: Configuration,
  world: World,
  { id, identity, partition: name, position, records, version }: Request & { readonly _tag: "Produce" }
): TransactionalProducer.Produce | undefined => {
  const partition = world.partitions[configuration.partitions.indexOf(name)]!
  const claimed = claim(configuration, world, id, identity)
  if (claimed === undefined) return undefined
  const sequence = position === "none" ? Sequence.none : sequenceAt(configuration, partition, claimed, position)
  return sequence === undefined ? undefined : {
    partition: name,
    ...claimed,
    version,
    transaction,
    sequence,
    records,
    isTransactional: configuration.requests?.idempotent !== true,
    generation: world.generation,
    input: name === groupPartition ? partition.log.length : Sequence.none
  }
}

const produce = (
  configuration: Configuration,
  world: World,
  request: Request & { readonly _tag: "Produce" }
): Performed | undefined => {
  const { id, partition: name, version } = request
  const sent = batch(configuration, world, request)
  if (sent === undefined) return undefined
  const arrival = { produce: sent, generation: world.generation }
  return serve(configuration, world, name, (broker) => ({ _tag: "HandleProduce", ...arrival, broker }), (waiting) => {
    const verification = { _tag: "HandleVerification", verification: sent } as const
    const verified = coordinate(configuration, waiting, id, verification, "AddPartitionsToTxn")!
    const { error } = verified.answer
    return error === "NONE"
      ? serve(configuration, verified.world, name, (broker) => ({
        _tag: "AppendVerified",
        ...arrival,
        broker,
        guard: true
      }))
      : {
        world: verified.world,
        answer: refused(TransactionalPartition.verificationError(name, version, error))
      }
  })
}

/** The request and what comes of it; `undefined` where the world has nothing that it names, or nothing to wait for. */
export const perform = (configuration: Configuration, world: World, request: Request): Performed | undefined => {
  const { id } = request
  const { nextProducerId } = world
  if (request._tag === "TransactionTimeout") {
    return coordinate(configuration, world, id, { _tag: "TransactionTimeout", nextProducerId }, undefined)
  }
  const claimed = claim(configuration, world, id, request.identity)
  if (claimed === undefined) return undefined
  const { broker, metadata } = world.coordinators[id - 1]!
  switch (request._tag) {
    case "InitProducerId":
      // Without a transactional id each is another producer.
      if (configuration.requests?.idempotent === true && metadata.state !== "Unknown") return undefined
      return coordinate(
        configuration,
        world,
        id,
        {
          _tag: "HandleInitProducerId",
          request: { kind: "InitProducerId", ...claimed, version: 1, transaction },
          broker,
          nextProducerId
        },
        "InitProducerId"
      )
    case "AddPartitionsToTxn":
      return coordinate(
        configuration,
        world,
        id,
        {
          _tag: "HandleAddPartitionsToTxn",
          request: {
            kind: "AddPartitionsToTxn",
            ...claimed,
            partition: request.partition,
            version: 1,
            transaction
          },
          broker
        },
        "AddPartitionsToTxn"
      )
    case "VerifyPartition": {
      const { partition } = request
      const asked = { partition, ...claimed, version: 1, transaction } as const
      const decision = TransactionCoordinator.verifyPartition(metadata, asked)
      return { world, answer: refused(decision._tag === "Refuse" ? decision.error : "NONE") }
    }
    case "EndTxn":
      return coordinate(
        configuration,
        world,
        id,
        {
          _tag: "HandleEndTxn",
          request: { kind: "EndTxn", ...claimed, result: request.result, version: request.version, transaction },
          broker,
          nextProducerId
        },
        "EndTxn"
      )
    case "Produce":
      return produce(configuration, world, request)
    case "WriteTxnMarker": {
      const { coordinatorEpoch, partition, result, version } = request
      const marker = { partition, ...claimed, coordinatorEpoch, result, version, transaction } as const
      return serve(configuration, world, partition, (leader) => ({ _tag: "HandleMarker", marker, broker: leader }))
    }
  }
}

/** The world after InitProducerId was asked so often that every producer has this epoch, which is 1 or more. */
export const raised = (configuration: Configuration, world: World, epoch: number): World =>
  world.coordinators.reduce((before, _, i) => {
    const id = i + 1
    const request = { _tag: "InitProducerId", id, identity: "none" } as const
    const first = perform(configuration, before, request)!.world
    const { coordinators, transactionStates, ...rest } = perform(configuration, first, request)!.world
    const raise = (metadata: TransactionMetadata.Metadata) => ({ ...metadata, epoch })
    const coordinator = coordinators[i]!
    return {
      ...rest,
      coordinators: replaced(coordinators, i, { ...coordinator, metadata: raise(coordinator.metadata) }),
      transactionStates: replaced(transactionStates, i, raise(transactionStates[i]!))
    }
  }, world)
