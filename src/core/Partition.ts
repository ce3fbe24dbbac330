/**
 * A topic partition with two replicas as a pure state machine: the leader that judges and appends, the follower that
 * copies, and the high watermark between them.
 *
 * The follower's fetch and its effect on the leader are one step here, so the follower ends where the high watermark
 * is. `ReplicaManager`, `Partition`, `DelayedProduce` in Kafka.
 */
import type * as Errors from "./Errors.ts"
import type { Request, Response } from "./Producer.ts"
import type { Context } from "./Replica.ts"
import * as Replica from "./Replica.ts"
import * as Sequence from "./Sequence.ts"

/** A request that was appended and waits for replication. `DelayedProduce`. */
export interface Delayed {
  readonly batch: number
  /** Offset of the first record. */
  readonly offset: number
  /** Number of records. */
  readonly count: number
}

export type Broker = 1 | 2

export interface Partition {
  readonly leader: Broker
  /** Consumers read below this offset. */
  readonly highWatermark: number
  /** A connection is read no further while one of its requests waits, so there is at most one. */
  readonly delayed: Delayed | undefined
  /** The replicas of brokers 1 and 2. */
  readonly replicas: readonly [Replica.Replica, Replica.Replica]
}

/** How the leader refuses a request it would otherwise judge. */
export type Refusal = "NOT_LEADER_OR_FOLLOWER" | "KAFKA_STORAGE_ERROR" | "TOPIC_AUTHORIZATION_FAILED"

/** A request as it comes off a connection. */
export interface Arrival {
  readonly request: Request
  readonly acks: "0" | "1" | "all"
  /** The producer still listens on the connection. */
  readonly open: boolean
}

export type Input =
  | { readonly _tag: "HandleProduce"; readonly arrival: Arrival }
  | { readonly _tag: "RefuseProduce"; readonly arrival: Arrival; readonly error: Refusal }
  | { readonly _tag: "TimeOutProduce" }
  | { readonly _tag: "Replicate" }
  | { readonly _tag: "LeaderChange" }
  | { readonly _tag: "RestartLeader" }
  | { readonly _tag: "ExpireProducerState" }
  | { readonly _tag: "Disconnect" }

export type Output =
  | { readonly _tag: "Response"; readonly response: Response }
  /** The broker closes the producer's connection. */
  | { readonly _tag: "CloseConnection" }

export type Step = readonly [Partition, ReadonlyArray<Output>]

/** A partition whose replicas both hold `log`. */
export const make = (context: Context, log: ReadonlyArray<Replica.Entry>): Partition => {
  const replica = log.length === 0 ? Replica.empty : { log, producers: Replica.rebuild(context, log) }
  return { leader: 1, highWatermark: Replica.logEndOffset(log), delayed: undefined, replicas: [replica, replica] }
}

export const follower = (partition: Partition): Broker => partition.leader === 1 ? 2 : 1

export const replicaOf = (partition: Partition, broker: Broker): Replica.Replica => partition.replicas[broker - 1]!

export const leaderReplica = (partition: Partition): Replica.Replica => replicaOf(partition, partition.leader)

/** What a consumer can read: the leader's log below the high watermark. */
export const readable = (partition: Partition): ReadonlyArray<Replica.Entry> =>
  leaderReplica(partition).log.filter((entry) => Replica.endOffset(entry) <= partition.highWatermark)

const withReplica = (partition: Partition, broker: Broker, replica: Replica.Replica): Partition => ({
  ...partition,
  replicas: broker === 1 ? [replica, partition.replicas[1]] : [partition.replicas[0], replica]
})

const respond = (batch: number, error: Errors.Error, offset: number): Output => ({
  _tag: "Response",
  response: { batch, error, offset }
})

/** acks=0 has no answer, so an error closes the connection. `KafkaApis.handleProduceRequest`. */
const refuse = (partition: Partition, arrival: Arrival, error: Errors.Error): Step => {
  if (!arrival.open) return [partition, []]
  if (arrival.acks === "0") return [partition, [{ _tag: "CloseConnection" }]]
  return [partition, [respond(arrival.request.batch, error, Sequence.none)]]
}

/** acks=1 is answered at once, acks=all when the high watermark has passed the batch. */
const accept = (partition: Partition, arrival: Arrival, offset: number): Step => {
  if (!arrival.open || arrival.acks === "0") return [partition, []]
  const { batch, records } = arrival.request
  if (arrival.acks === "1" || partition.highWatermark >= offset + records.length) {
    return [partition, [respond(batch, "NONE", offset)]]
  }
  return [{ ...partition, delayed: { batch, offset, count: records.length } }, []]
}

/** TCP and the muted channel: nothing is read from an open connection while a request of it waits. */
const isReadable = (partition: Partition, arrival: Arrival): boolean => !arrival.open || partition.delayed === undefined

const entryOf = (request: Request, offset: number): Replica.Entry => ({
  producerId: request.producerId,
  epoch: request.epoch,
  sequence: request.sequence,
  records: request.records,
  offset
})

/** `ReplicaManager.appendRecords`. */
const handleProduce = (context: Context, partition: Partition, arrival: Arrival): Step | undefined => {
  if (!isReadable(partition, arrival)) return undefined
  const { request } = arrival
  if (request.broker !== partition.leader) return refuse(partition, arrival, "NOT_LEADER_OR_FOLLOWER")
  const replica = leaderReplica(partition)
  const validation = Replica.validate(context, replica.producers, request)
  switch (validation._tag) {
    case "Refuse":
      return refuse(partition, arrival, validation.error)
    case "Duplicate":
      return accept(partition, arrival, validation.offset)
    case "Append": {
      const entry = entryOf(request, Replica.logEndOffset(replica.log))
      const appended = withReplica(partition, partition.leader, Replica.append(context, replica, entry))
      return accept(appended, arrival, entry.offset)
    }
  }
}

/**
 * The leader refuses what it would have judged: it does not serve the partition yet, the append fails on disk, or the
 * producer has lost its permission.
 */
const refuseProduce = (
  context: Context,
  partition: Partition,
  arrival: Arrival,
  error: Refusal
): Step | undefined => {
  const { request } = arrival
  if (!arrival.open || !isReadable(partition, arrival) || request.broker !== partition.leader) return undefined
  if (error !== "KAFKA_STORAGE_ERROR") return refuse(partition, arrival, error)
  const replica = leaderReplica(partition)
  if (Replica.validate(context, replica.producers, request)._tag !== "Append") return undefined
  const entry = entryOf(request, Replica.logEndOffset(replica.log))
  const producers = request.producerId === Sequence.none
    ? replica.producers
    : context.rules.ProducersAfterFailedAppend(context, replica.producers, entry)
  return refuse(withReplica(partition, partition.leader, { ...replica, producers }), arrival, error)
}

/** The answer to a request that waits too long for replication, although its batch is in the log. */
const timeOutProduce = (partition: Partition): Step | undefined => {
  const { delayed } = partition
  if (delayed === undefined) return undefined
  return [{ ...partition, delayed: undefined }, [respond(delayed.batch, "REQUEST_TIMED_OUT", Sequence.none)]]
}

/** The follower fetches one batch, the high watermark passes it, and a request that waited for that is answered. */
const replicate = (context: Context, partition: Partition): Step | undefined => {
  const behind = replicaOf(partition, follower(partition))
  const entry = leaderReplica(partition).log[behind.log.length]
  if (entry === undefined) return undefined
  const { delayed } = partition
  const copied = withReplica(partition, follower(partition), Replica.append(context, behind, entry))
  const highWatermark = Replica.endOffset(entry)
  if (delayed === undefined || highWatermark < delayed.offset + delayed.count) {
    return [{ ...copied, highWatermark }, []]
  }
  return [{ ...copied, highWatermark, delayed: undefined }, [respond(delayed.batch, "NONE", delayed.offset)]]
}

/** The follower leads with what it has; the old leader follows and drops the rest. */
const leaderChange = (context: Context, partition: Partition): Step => {
  const successor = follower(partition)
  const kept = replicaOf(partition, successor).log.length
  const truncated = Replica.truncate(context, leaderReplica(partition), kept)
  const changed = { ...withReplica(partition, partition.leader, truncated), leader: successor, delayed: undefined }
  return [changed, [{ _tag: "CloseConnection" }]]
}

/** The leader restarts so quickly that it stays leader; it knows of producers what its snapshot tells. */
const restartLeader = ({ rules }: Context, partition: Partition): Step => {
  const replica = leaderReplica(partition)
  const restored = { ...replica, producers: rules.RestoreProducers(replica.producers) }
  return [{ ...withReplica(partition, partition.leader, restored), delayed: undefined }, [{ _tag: "CloseConnection" }]]
}

/** `producer.id.expiration.ms`: both replicas forget all producers. */
const expireProducerState = (partition: Partition): Step | undefined => {
  const [first, second] = partition.replicas
  if (first.producers.size + second.producers.size === 0) return undefined
  const producers = Replica.noProducers
  return [{ ...partition, replicas: [{ ...first, producers }, { ...second, producers }] }, []]
}

/** One turn of the partition; `undefined` when `input` is not possible in this state. */
export const step = (context: Context, partition: Partition, input: Input): Step | undefined => {
  switch (input._tag) {
    case "HandleProduce":
      return handleProduce(context, partition, input.arrival)
    case "RefuseProduce":
      return refuseProduce(context, partition, input.arrival, input.error)
    case "TimeOutProduce":
      return timeOutProduce(partition)
    case "Replicate":
      return replicate(context, partition)
    case "LeaderChange":
      return leaderChange(context, partition)
    case "RestartLeader":
      return restartLeader(context, partition)
    case "ExpireProducerState":
      return expireProducerState(partition)
    case "Disconnect":
      return [{ ...partition, delayed: undefined }, []]
  }
}
