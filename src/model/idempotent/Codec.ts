/**
 * The codec between a TLC state and a `World`. It is total in both directions: every variable of the specification has
 * its image, and a `World` has nothing besides.
 *
 * It shares names with the specification and no logic. Two things are told by shape alone: a batch that is decided
 * stands among the outcomes here and keeps its place in `sender` there; and the content of a record is its batch's
 * number.
 */
import { Errors, type Partition, type Producer, type Replica, type Sender, Sequence } from "../../core/index.ts"
import * as Codec from "../Codec.ts"
import { fail, field, integer, items, numbered, record, sequence, text, truth } from "../Codec.ts"
import type { Value } from "../TlaValue.ts"
import type { Configuration } from "./Configuration.ts"
import * as Configurations from "./Configuration.ts"
import type { Outcome, Outcomes, World } from "./World.ts"

/** The variables of `IdempotentProducer.tla`. */
export const variables = [
  "producer",
  "sender",
  "requests",
  "responses",
  "leader",
  "highWatermark",
  "delayedProduce",
  "replica",
  "faults"
] as const

export type Variable = typeof variables[number]

// Reading.

/** One value for each partition, in the order of the configuration. */
const byPartition = <A>({ partitions }: Configuration, value: Value, read: (value: Value) => A): ReadonlyArray<A> =>
  Codec.on("the partitions", partitions, value, read)

const records = (value: Value): ReadonlyArray<number> =>
  Array.from({ length: numbered(value, "count") }, () => numbered(value, "batch"))

const producerBatch = (value: Value): Replica.ProducerBatch => ({
  producerId: numbered(value, "producerId"),
  epoch: numbered(value, "epoch"),
  sequence: numbered(value, "sequence"),
  records: records(value)
})

const readSender = (configuration: Configuration, value: Value): readonly [Sender.Sender, Outcomes] => {
  const batches = new Map<number, Sender.Batch>()
  const outcomes = new Map<number, Outcome>()
  const all = items(field(value, "batches"))
  if (all.length !== configuration.batchesPerPartition) fail(`${configuration.batchesPerPartition} batches`, value)
  all.forEach((found, i) => {
    const id = i + 1
    const status = text(field(found, "status"))
    const sequence = numbered(found, "sequence")
    if (status === "acked") outcomes.set(id, { _tag: "Acknowledged", offset: numbered(found, "offset") })
    if (status === "failed") outcomes.set(id, { _tag: "Failed" })
    if (status === "acked" || (status === "failed" && sequence === Sequence.none)) return
    batches.set(id, {
      id,
      records: Configurations.records(configuration, id),
      status: status === "failed"
        ? "expired"
        : status === "queued" || status === "inflight"
        ? status
        : fail("the status of a batch", found),
      sequence,
      attempts: numbered(found, "attempts"),
      maybeWritten: truth(field(found, "maybeWritten")),
      reset: truth(field(found, "reset"))
    })
  })
  // Without idempotence nothing tells an expired batch from one whose answer came, but the answers that are to come.
  const inFlight = items(field(value, "inFlight")).map(integer)
  for (const id of inFlight) {
    if (batches.has(id)) continue
    batches.set(id, {
      id,
      records: Configurations.records(configuration, id),
      status: "expired",
      sequence: Sequence.none,
      attempts: 0,
      maybeWritten: false,
      reset: false
    })
  }
  const sender: Sender.Sender = {
    producerId: numbered(value, "producerId"),
    epoch: numbered(value, "epoch"),
    nextSequence: numbered(value, "nextSequence"),
    lastAcked: numbered(value, "lastAcked"),
    unresolved: numbered(value, "unresolved"),
    epochBump: truth(field(value, "epochBump")),
    queue: items(field(value, "queue")).map(integer),
    inFlight,
    connection: numbered(value, "connection"),
    batches
  }
  return [sender, outcomes]
}

const readRequest = (value: Value): Producer.Request => ({
  connection: numbered(value, "connection"),
  broker: numbered(value, "broker"),
  batch: numbered(value, "batch"),
  ...producerBatch(value)
})

const isError = (name: string): name is Errors.Error => name in Errors.codes

const readError = (value: Value): Errors.Error => {
  const name = text(value)
  return isError(name) ? name : fail("the name of an error", value)
}

const readResponse = (value: Value): Producer.Response => ({
  batch: numbered(value, "batch"),
  error: readError(field(value, "error")),
  offset: numbered(value, "offset")
})

const readReplica = (value: Value): Replica.Replica => ({
  log: items(field(value, "log")).map((entry) => ({ ...producerBatch(entry), offset: numbered(entry, "offset") })),
  producers: new Map(
    Codec.entries(field(value, "producers")).map(([id, state]) => [integer(id), {
      epoch: numbered(state, "epoch"),
      batches: items(field(state, "batches")).map((written) => ({
        sequence: numbered(written, "sequence"),
        last: numbered(written, "last"),
        offset: numbered(written, "offset")
      }))
    }])
  )
})

const readReplicas = (value: Value): Partition.Partition["replicas"] => {
  const [first, second, ...more] = items(value).map(readReplica)
  return first === undefined || second === undefined || more.length > 0 ? fail("two replicas", value) : [first, second]
}

const readDelayed = (value: Value): Partition.Delayed | undefined => {
  const [delayed, ...more] = items(value)
  if (more.length > 0) fail("one delayed request at most", value)
  if (delayed === undefined) return undefined
  return {
    batch: numbered(delayed, "batch"),
    offset: numbered(delayed, "offset"),
    count: numbered(delayed, "count")
  }
}

const parts = {
  producer: Codec.part(["producer"], (_: Configuration, value): Sender.Identity => ({
    id: numbered(value("producer"), "id"),
    epoch: numbered(value("producer"), "epoch")
  })),
  sender: Codec.part(["sender"], (configuration: Configuration, value) => {
    const both = byPartition(configuration, value("sender"), (found) => readSender(configuration, found))
    return { senders: both.map(([sender]) => sender), outcomes: both.map(([, outcomes]) => outcomes) }
  }),
  requests: Codec.part(
    ["requests"],
    (configuration: Configuration, value) =>
      byPartition(configuration, value("requests"), (found) => items(found).map(readRequest))
  ),
  responses: Codec.part(
    ["responses"],
    (configuration: Configuration, value) =>
      byPartition(configuration, value("responses"), (found) => items(found).map(readResponse))
  ),
  partitions: Codec.part(
    ["leader", "highWatermark", "delayedProduce", "replica"],
    (configuration: Configuration, value) => {
      const leaders = byPartition(configuration, value("leader"), integer)
      const highWatermarks = byPartition(configuration, value("highWatermark"), integer)
      const delayed = byPartition(configuration, value("delayedProduce"), readDelayed)
      const replicas = byPartition(configuration, value("replica"), readReplicas)
      return leaders.map((leader, i): Partition.Partition => ({
        leader: leader === 1 || leader === 2 ? leader : fail("a broker", leader),
        highWatermark: highWatermarks[i]!,
        delayed: delayed[i],
        replicas: replicas[i]!
      }))
    }
  ),
  faults: Codec.part(["faults"], (_: Configuration, value) => integer(value("faults")))
}

// Writing.

const writeBatch = ({ epoch, producerId, records, sequence: first }: Replica.ProducerBatch) => ({
  producerId,
  epoch,
  sequence: first,
  count: records.length,
  batch: Number(records[0])
})

const writeSender = (configuration: Configuration, sender: Sender.Sender, outcomes: Outcomes): Value => {
  const batches = Array.from({ length: configuration.batchesPerPartition }, (_, i) => {
    const outcome = outcomes.get(i + 1)
    const batch = sender.batches.get(i + 1)
    return record({
      status: outcome === undefined ? batch!.status : outcome._tag === "Acknowledged" ? "acked" : "failed",
      sequence: batch?.sequence ?? Sequence.none,
      attempts: batch?.attempts ?? 0,
      maybeWritten: batch?.maybeWritten ?? false,
      reset: batch?.reset ?? false,
      offset: outcome?._tag === "Acknowledged" ? outcome.offset : Sequence.none
    })
  })
  const { connection, epoch, epochBump, inFlight, lastAcked, nextSequence, producerId, queue, unresolved } = sender
  return record({
    producerId,
    epoch,
    nextSequence,
    lastAcked,
    unresolved,
    epochBump,
    queue: sequence(queue),
    inFlight: sequence(inFlight),
    connection,
    batches: sequence(batches)
  })
}

const writeReplica = ({ log, producers }: Replica.Replica): Value =>
  record({
    log: sequence(log.map((entry) => record({ ...writeBatch(entry), offset: entry.offset }))),
    producers: Codec.onNumbers(producers, (state) =>
      record({ epoch: state.epoch, batches: sequence(state.batches.map((written) => record({ ...written }))) }))
  })

const encoders = (configuration: Configuration): Codec.Encoders<Variable, World> => {
  const each = (write: (partition: number) => Value): Value => Codec.onNames(configuration.partitions, write)
  return {
    producer: (world) => record({ ...world.producer.identity }),
    sender: (world) => each((i) => writeSender(configuration, world.producer.senders[i]!, world.outcomes[i]!)),
    requests: (world) =>
      each((i) =>
        sequence(
          world.requests[i]!.map((request) =>
            record({ connection: request.connection, broker: request.broker, ...writeBatch(request) })
          )
        )
      ),
    responses: (world) => each((i) => sequence(world.responses[i]!.map((response) => record({ ...response })))),
    leader: (world) => each((i) => world.partitions[i]!.leader),
    highWatermark: (world) => each((i) => world.partitions[i]!.highWatermark),
    delayedProduce: (world) =>
      each((i) => {
        const { delayed } = world.partitions[i]!
        return sequence(delayed === undefined ? [] : [record({ ...delayed })])
      }),
    replica: (world) => each((i) => sequence(world.partitions[i]!.replicas.map(writeReplica))),
    faults: (world) => world.faults
  }
}

export const codec = Codec.make({
  variables,
  parts,
  assemble: ({ faults, partitions, producer, requests, responses, sender }): World => ({
    producer: { identity: producer, senders: sender.senders },
    outcomes: sender.outcomes,
    requests,
    responses,
    partitions,
    faults
  }),
  encoders
})
