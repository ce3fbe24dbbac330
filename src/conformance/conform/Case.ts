/**
 * The situations in which a cluster is asked something, by name: a case is one of them with everything that walks ask in
 * it. Names are permanent. They say what is asked, and what decides the answer.
 */
import { Sequence, Transaction, TransactionMetadata } from "../../core/index.ts"
import type { TransactionalPartition } from "../../core/index.ts"
import { Transactions } from "../../model/index.ts"

type Configuration = Transactions.Configuration.Configuration
type World = Transactions.World.World
type Request = Transactions.Requests.Request

/** Of a case: what is asked, in the version of transactions that it is asked in, where there are two. */
export type Topic =
  | "InitProducerId"
  | "AddPartitionsToTxn"
  | "AddOffsetsToTxn"
  | "VerifyPartition"
  | "EndTxn-v1"
  | "EndTxn-v2"
  | "Produce-idempotent"
  | "Produce-v1"
  | "Produce-v2"
  | "TxnOffsetCommit-v1"
  | "TxnOffsetCommit-v2"
  | "WriteTxnMarkers-v1"
  | "WriteTxnMarkers-v2"
  | "TransactionTimeout"
  | "Fetch-read_committed"
  | "Fetch-read_uncommitted"
  | "DescribeProducers"
  | "DescribeTransactions"
  | "OffsetFetch"
  | "OffsetFetch-stable"

export interface Case {
  readonly topic: Topic
  /** `EndTxn-v2/CompleteCommit/previous/COMMIT`: the topic, and what else decides. */
  readonly id: string
  /** What the specification answers; `NONE` for what is not refused. */
  readonly error: string
}

const make = (topic: Topic, error: string, ...decisive: ReadonlyArray<string>): Case => ({
  topic,
  id: [topic, ...decisive].join("/"),
  error
})

/** The coordinator's state; the last epochs of a producer id are a state of their own. */
const stateOf = ({ context }: Configuration, { coordinators }: World, id: number): string => {
  const { epoch, state } = coordinators[id - 1]!.metadata
  return state !== "Unknown" && TransactionMetadata.isExhausted(context, epoch) ? `${state}-exhausted` : state
}

/** What the leader knows of a producer, beside its claim. */
const producerState = (
  { producers, verification }: TransactionalPartition.Partition,
  { epoch, producerId }: { readonly epoch: number; readonly producerId: number }
): string => {
  const known = producers.get(producerId)
  const verifying = verification.has(producerId) ? "-verifying" : ""
  if (known === undefined) return `unknown${verifying}`
  const relation = epoch < known.epoch ? "older" : epoch === known.epoch ? "same" : "newer"
  const open = known.firstOffset === Sequence.none ? "closed" : "open"
  return `${relation}-${open}${verifying}`
}

const partitionOf = ({ partitions }: Configuration, world: World, name: string) =>
  world.partitions[partitions.indexOf(name)]!

const registered = ({ coordinators }: World, id: number, partition: string): string =>
  coordinators[id - 1]!.metadata.partitions.includes(partition) ? "registered" : "not-registered"

/** The case of a request. */
export const ofRequest = (
  configuration: Configuration,
  world: World,
  request: Request,
  error: string
): Case => {
  const state = stateOf(configuration, world, request.id)
  if (request._tag === "TransactionTimeout") return make("TransactionTimeout", error, state)
  const { identity } = request
  const claimed = Transactions.Requests.claim(configuration, world, request.id, identity)!
  switch (request._tag) {
    case "InitProducerId":
      return make("InitProducerId", error, state, identity)
    case "AddPartitionsToTxn": {
      const topic = request.partition === Transaction.groupPartition ? "AddOffsetsToTxn" : "AddPartitionsToTxn"
      return make(topic, error, state, identity, registered(world, request.id, request.partition))
    }
    case "VerifyPartition":
      return make("VerifyPartition", error, state, identity, registered(world, request.id, request.partition))
    case "EndTxn":
      return make(`EndTxn-v${request.version}`, error, state, identity, request.result)
    case "Produce": {
      const known = producerState(partitionOf(configuration, world, request.partition), claimed)
      if (configuration.requests?.idempotent === true) {
        const records = request.records === 1 ? "one-record" : "several-records"
        return make("Produce-idempotent", error, identity, request.position, known, records)
      }
      return request.position === "none"
        ? make(`TxnOffsetCommit-v${request.version}`, error, state, identity, known)
        : make(`Produce-v${request.version}`, error, state, identity, request.position, known)
    }
    case "WriteTxnMarker": {
      const { coordinatorEpoch, partition, result, version } = request
      const leader = partitionOf(configuration, world, partition)
      const newest = leader.producers.get(claimed.producerId)?.coordinatorEpoch ?? Sequence.none
      const relation = coordinatorEpoch < newest ? "older" : coordinatorEpoch === newest ? "same" : "newer"
      return make(
        `WriteTxnMarkers-v${version}`,
        error,
        producerState(leader, claimed),
        `coordinator-${relation}`,
        result
      )
    }
  }
}

/** The case of a Fetch from the beginning of a partition, or from the middle. */
export const ofFetch = (
  configuration: Configuration,
  world: World,
  name: string,
  isolationLevel: "read_committed" | "read_uncommitted",
  from = 0
): Case => {
  const partition = partitionOf(configuration, world, name)
  const stable = configuration.context.rules.LastStableOffset(partition) === partition.highWatermark
  const kinds = (["DATA", "COMMIT", "ABORT"] as const).filter((kind) =>
    partition.log.some((entry) => entry.kind === kind)
  )
  return make(
    `Fetch-${isolationLevel}`,
    "NONE",
    stable ? "nothing-open" : "open",
    kinds.length === 0 ? "empty" : kinds.join("-").toLowerCase(),
    ...(from === 0 ? [] : ["from-the-middle"])
  )
}

export const ofProducers = (configuration: Configuration, world: World, name: string): Case => {
  const { producers } = partitionOf(configuration, world, name)
  const states = Array.from(
    producers.values(),
    ({ batches, firstOffset }) =>
      `${firstOffset === Sequence.none ? "closed" : "open"}-${batches.length === 0 ? "no-batches" : "batches"}`
  )
  return make("DescribeProducers", "NONE", states.length === 0 ? "none" : [...new Set(states)].toSorted().join("+"))
}

export const ofDescription = (configuration: Configuration, world: World, id: number): Case => {
  const { metadata } = world.coordinators[id - 1]!
  const error = metadata.state === "Unknown" ? "TRANSACTIONAL_ID_NOT_FOUND" : "NONE"
  const partitions = metadata.partitions.length === 0 ? "no-partitions" : "partitions"
  return make("DescribeTransactions", error, stateOf(configuration, world, id), partitions)
}

export const ofGroupOffset = (configuration: Configuration, world: World, requireStable: boolean): Case => {
  const partition = partitionOf(configuration, world, Transaction.groupPartition)
  const unstable = configuration.context.rules.IsUnstable(partition)
  const committed = partition.log.some(({ kind }) => kind === "COMMIT") ? "committed" : "never-committed"
  return make(
    requireStable ? "OffsetFetch-stable" : "OffsetFetch",
    requireStable && unstable ? "UNSTABLE_OFFSET_COMMIT" : "NONE",
    unstable ? "pending" : "nothing-pending",
    committed
  )
}
