/**
 * The codec between a TLC state and a `World`. It is total in both directions: every variable of the specification has
 * its image, and a `World` has nothing besides, with two exceptions that other variables determine: whether a producer
 * waits for an answer (there is a live request of its), and the last sequence of a remembered batch (it has one record).
 *
 * It shares names with the specification and no logic.
 */
import {
  type Partition,
  Sequence,
  type Transaction,
  type TransactionalPartition,
  type TransactionalProducer,
  type TransactionCoordinator,
  type TransactionMetadata
} from "../../core/index.ts"
import * as Codec from "../Codec.ts"
import {
  elements,
  entries,
  fail,
  field,
  integer,
  items,
  numbered,
  oneOf,
  record,
  sequence,
  text,
  truth
} from "../Codec.ts"
import type { Value } from "../TlaValue.ts"
import type { Configuration } from "./Configuration.ts"
import type { Memory, SentMarker, SentProduce, SentRequest, World } from "./World.ts"
import { live } from "./World.ts"

/** The variables of `Transactions.tla`. */
export const variables = [
  "client",
  "requests",
  "produces",
  "coordinator",
  "transactionState",
  "markers",
  "partition",
  "nextProducerId",
  "generation",
  "faults",
  "history"
] as const

export type Variable = typeof variables[number]

// Reading.

const named = <Name extends string>(value: Value, name: string, what: string, names: ReadonlyArray<Name>): Name =>
  oneOf(what, names, field(value, name))

const textOf = (value: Value, name: string): string => text(field(value, name))
const truthOf = (value: Value, name: string): boolean => truth(field(value, name))

/** One value for each partition, in the order of the configuration. */
const byPartition = <A>({ partitions }: Configuration, value: Value, read: (value: Value) => A): ReadonlyArray<A> =>
  Codec.on("the partitions", partitions, value, read)

/** A function on all partitions as a map, without the value that means nothing. */
const except = <A>(configuration: Configuration, value: Value, nothing: A, read: (value: Value) => A) => {
  const found = new Map<string, A>()
  byPartition(configuration, value, read).forEach((one, place) => {
    if (one !== nothing) found.set(configuration.partitions[place]!, one)
  })
  return found
}

const names = (value: Value): ReadonlyArray<string> => elements(value).map(text).toSorted()

const broker = (value: Value): Partition.Broker => {
  const found = value
  return found === 1 || found === 2 ? found : fail("a broker", value)
}

const brokerOf = (value: Value): Partition.Broker => broker(field(value, "broker"))

const versionOf = (value: Value): Transaction.Version => {
  const found = field(value, "version")
  return found === 1 || found === 2 ? found : fail("a version", found)
}

const transactionOf = (value: Value): Transaction.Name => {
  const name = field(value, "transaction")
  return { client: numbered(name, "client"), number: numbered(name, "number") }
}

/** One item at most. */
const optional = <A>(value: Value, read: (value: Value) => A): A | undefined => {
  const [found, ...more] = items(value)
  if (more.length > 0) fail("one item at most", value)
  return found === undefined ? undefined : read(found)
}

const clientStates = [
  "UNINITIALIZED",
  "INITIALIZING",
  "READY",
  "IN_TRANSACTION",
  "COMMITTING",
  "ABORTING",
  "ABORTABLE_ERROR",
  "FATAL_ERROR"
] as const satisfies ReadonlyArray<TransactionalProducer.State>

const batches = ["adding", "added", "inflight", "acked", "failed", "none"] as const
const results = ["COMMIT", "ABORT"] as const satisfies ReadonlyArray<Transaction.Result>

const readBatches = (configuration: Configuration, value: Value): TransactionalProducer.Batches => {
  const found = new Map<string, TransactionalProducer.Batch>()
  byPartition(configuration, value, (batch) => oneOf("the state of a batch", batches, batch)).forEach(
    (batch, place) => {
      if (batch !== "none") found.set(configuration.partitions[place]!, batch)
    }
  )
  return found
}

const readProducer = (
  configuration: Configuration,
  value: Value,
  waiting: boolean
): TransactionalProducer.Producer => ({
  state: named(value, "state", "the state of a client", clientStates),
  producerId: numbered(value, "producerId"),
  epoch: numbered(value, "epoch"),
  number: numbered(value, "number"),
  batches: readBatches(configuration, field(value, "batches")),
  sequences: except(configuration, field(value, "sequences"), 0, integer),
  epochBump: truthOf(value, "epochBump"),
  generation: numbered(value, "generation"),
  position: numbered(value, "position"),
  waiting
})

const readEnvelope = (value: Value) => ({
  producerId: numbered(value, "producerId"),
  epoch: numbered(value, "epoch"),
  version: versionOf(value),
  transaction: transactionOf(value)
})

const readRequest = (value: Value): TransactionalProducer.Request => {
  const kind = named(value, "kind", "a request", ["InitProducerId", "AddPartitionsToTxn", "EndTxn"])
  const partition = textOf(value, "partition")
  const result = named(value, "result", "a result", ["", ...results])
  const envelope = readEnvelope(value)
  switch (kind) {
    case "InitProducerId":
      return partition === "" && result === "" ? { kind, ...envelope } : fail("no partition and no result", value)
    case "AddPartitionsToTxn":
      return partition !== "" && result === "" ? { kind, partition, ...envelope } : fail("a partition alone", value)
    case "EndTxn":
      return partition === "" && result !== "" ? { kind, result, ...envelope } : fail("a result alone", value)
  }
}

const readSentRequest = (value: Value): SentRequest => ({
  client: numbered(value, "client"),
  copy: numbered(value, "copy"),
  broker: brokerOf(value),
  stage: named(value, "stage", "the stage of a request", ["sent", "appending"]),
  request: readRequest(value)
})

const readSentProduce = (value: Value): SentProduce => ({
  client: numbered(value, "client"),
  copy: numbered(value, "copy"),
  broker: brokerOf(value),
  stage: named(value, "stage", "the stage of a produce request", [
    "sent",
    "verifying",
    "adding",
    "verified",
    "appended"
  ]),
  guard: truthOf(value, "guard"),
  offset: numbered(value, "offset"),
  produce: {
    partition: textOf(value, "partition"),
    ...readEnvelope(value),
    sequence: numbered(value, "sequence"),
    ...alone,
    isTransactional: true,
    generation: numbered(value, "generation"),
    input: numbered(value, "input")
  }
})

const readSentMarker = (value: Value): SentMarker => ({
  id: numbered(value, "id"),
  copy: numbered(value, "copy"),
  broker: brokerOf(value),
  stage: named(value, "stage", "the stage of a marker", ["sent", "appended"]),
  offset: numbered(value, "offset"),
  marker: {
    partition: textOf(value, "partition"),
    ...readEnvelope(value),
    coordinatorEpoch: numbered(value, "coordinatorEpoch"),
    result: named(value, "result", "a result", results)
  }
})

const metadataStates = [
  "Unknown",
  "Empty",
  "Ongoing",
  "PrepareCommit",
  "PrepareAbort",
  "CompleteCommit",
  "CompleteAbort"
] as const satisfies ReadonlyArray<TransactionMetadata.State>

const readMetadata = (value: Value): TransactionMetadata.Metadata => ({
  producerId: numbered(value, "producerId"),
  previousProducerId: numbered(value, "previousProducerId"),
  nextProducerId: numbered(value, "nextProducerId"),
  epoch: numbered(value, "epoch"),
  lastEpoch: numbered(value, "lastEpoch"),
  state: named(value, "state", "the state of a transaction", metadataStates),
  partitions: names(field(value, "partitions")),
  version: versionOf(value),
  failedEpochFence: truthOf(value, "failedEpochFence"),
  transaction: transactionOf(value)
})

const pendings = [
  "None",
  "Dead",
  "Empty",
  "Ongoing",
  "PrepareCommit",
  "PrepareAbort",
  "CompleteCommit",
  "CompleteAbort"
] as const satisfies ReadonlyArray<TransactionCoordinator.Pending>

const readCoordinator = (value: Value): TransactionCoordinator.Coordinator => ({
  broker: brokerOf(value),
  epoch: numbered(value, "epoch"),
  metadata: readMetadata(field(value, "metadata")),
  pending: named(value, "pending", "a pending state", pendings),
  appending: optional(field(value, "appending"), readMetadata),
  completing: items(field(value, "completing")).map(readMetadata),
  outstanding: names(field(value, "outstanding"))
})

/** A batch has one record in the specification, so an entry's offset is its place in the log. */
const alone = { records: 1 } as const

const readEntry = (value: Value, offset: number): TransactionalPartition.Entry => ({
  offset,
  ...alone,
  kind: named(value, "kind", "the kind of an entry", ["DATA", ...results]),
  producerId: numbered(value, "producerId"),
  epoch: numbered(value, "epoch"),
  sequence: numbered(value, "sequence"),
  // What is written outside of transactions has no producer id there.
  isTransactional: numbered(value, "producerId") !== Sequence.none,
  coordinatorEpoch: numbered(value, "coordinatorEpoch"),
  transaction: transactionOf(value),
  input: numbered(value, "input")
})

const readPartition = (value: Value): TransactionalPartition.Partition => ({
  leader: broker(field(value, "leader")),
  log: items(field(value, "log")).map(readEntry),
  highWatermark: numbered(value, "highWatermark"),
  producers: new Map(
    entries(field(value, "producers")).map(([id, state]) => [integer(id), {
      epoch: numbered(state, "epoch"),
      coordinatorEpoch: numbered(state, "coordinatorEpoch"),
      batches: items(field(state, "batches")).map((written) => ({
        sequence: numbered(written, "sequence"),
        last: numbered(written, "sequence"),
        offset: numbered(written, "offset")
      })),
      firstOffset: numbered(state, "firstOffset")
    }])
  ),
  verification: new Map(
    entries(field(value, "verification")).map(([id, state]) => [integer(id), {
      epoch: numbered(state, "epoch"),
      lowestSequence: numbered(state, "lowestSequence"),
      version: versionOf(state)
    }])
  )
})

const readMemory = (value: Value): Memory => ({
  partitions: names(field(value, "partitions")),
  input: numbered(value, "input"),
  intent: named(value, "intent", "an intent", ["none", "commit", "abort"]),
  outcome: named(value, "outcome", "an outcome", ["none", "committed", "aborted"])
})

/** A sequence of as many items as there are. */
const counted = <A>(count: number, value: Value, read: (value: Value, number: number) => A): ReadonlyArray<A> => {
  const found = items(value)
  if (found.length !== count) fail(`${count} items`, value)
  return found.map((item, i) => read(item, i + 1))
}

const parts = {
  clients: Codec.part(["client", "requests"], (configuration: Configuration, value) => {
    const waiting = new Set(
      elements(value("requests")).filter((sent) => field(sent, "copy") === live).map((sent) => numbered(sent, "client"))
    )
    return counted(
      configuration.clients,
      value("client"),
      (client, number) => readProducer(configuration, client, waiting.has(number))
    )
  }),
  requests: Codec.part(["requests"], (_: Configuration, value) => elements(value("requests")).map(readSentRequest)),
  produces: Codec.part(["produces"], (_: Configuration, value) => elements(value("produces")).map(readSentProduce)),
  coordinators: Codec.part(
    ["coordinator"],
    ({ transactionalIds }: Configuration, value) => counted(transactionalIds, value("coordinator"), readCoordinator)
  ),
  transactionStates: Codec.part(
    ["transactionState"],
    ({ transactionalIds }: Configuration, value) => counted(transactionalIds, value("transactionState"), readMetadata)
  ),
  markers: Codec.part(["markers"], (_: Configuration, value) => elements(value("markers")).map(readSentMarker)),
  partitions: Codec.part(
    ["partition"],
    (configuration: Configuration, value) => byPartition(configuration, value("partition"), readPartition)
  ),
  counters: Codec.part(["nextProducerId", "generation", "faults"], (_: Configuration, value) => ({
    nextProducerId: integer(value("nextProducerId")),
    generation: integer(value("generation")),
    faults: integer(value("faults"))
  })),
  history: Codec.part(
    ["history"],
    ({ clients, transactionsPerClient }: Configuration, value) =>
      counted(clients, value("history"), (memories) => counted(transactionsPerClient, memories, readMemory))
  )
}

// Writing.

const writeTransaction = ({ client, number }: Transaction.Name): Value => record({ client, number })

const writeNames = (partitions: ReadonlyArray<string>): Value => Codec.set(partitions)

const writeProducer = (
  partitions: ReadonlyArray<string>,
  { batches, epoch, epochBump, generation, number, position, producerId, sequences, state }:
    TransactionalProducer.Producer
): Value =>
  record({
    state,
    producerId,
    epoch,
    number,
    batches: Codec.onNames(partitions, (place) => batches.get(partitions[place]!) ?? "none"),
    sequences: Codec.onNames(partitions, (place) => sequences.get(partitions[place]!) ?? 0),
    epochBump,
    generation,
    position
  })

const writeSentRequest = ({ broker, client, copy, request, stage }: SentRequest): Value =>
  record({
    client,
    copy,
    broker,
    stage,
    ...request,
    partition: request.kind === "AddPartitionsToTxn" ? request.partition : "",
    result: request.kind === "EndTxn" ? request.result : "",
    transaction: writeTransaction(request.transaction)
  })

const writeSentProduce = ({ produce: { isTransactional, records, ...produce }, ...delivery }: SentProduce): Value =>
  record({ ...delivery, ...produce, transaction: writeTransaction(produce.transaction) })

const writeSentMarker = ({ marker, ...delivery }: SentMarker): Value =>
  record({ ...delivery, ...marker, transaction: writeTransaction(marker.transaction) })

const writeMetadata = (metadata: TransactionMetadata.Metadata): Value =>
  record({
    ...metadata,
    partitions: writeNames(metadata.partitions),
    transaction: writeTransaction(metadata.transaction)
  })

const writeCoordinator = (coordinator: TransactionCoordinator.Coordinator): Value =>
  record({
    ...coordinator,
    metadata: writeMetadata(coordinator.metadata),
    appending: sequence(coordinator.appending === undefined ? [] : [writeMetadata(coordinator.appending)]),
    completing: sequence(coordinator.completing.map(writeMetadata)),
    outstanding: writeNames(coordinator.outstanding)
  })

const writeEntry = ({ isTransactional, offset, records, ...entry }: TransactionalPartition.Entry): Value =>
  record({ ...entry, transaction: writeTransaction(entry.transaction) })

const writePartition = (
  { highWatermark, leader, log, producers, verification }: TransactionalPartition.Partition
): Value =>
  record({
    leader,
    log: Codec.lazySequence(log, writeEntry),
    highWatermark,
    producers: Codec.onNumbers(producers, ({ batches: written, coordinatorEpoch, epoch, firstOffset }) =>
      record({
        epoch,
        coordinatorEpoch,
        batches: sequence(written.map((batch) => record({ sequence: batch.sequence, offset: batch.offset }))),
        firstOffset
      })),
    verification: Codec.onNumbers(verification, (state) => record({ ...state }))
  })

const writeMemory = (memory: Memory): Value => record({ ...memory, partitions: writeNames(memory.partitions) })

const encoders = ({ partitions: names }: Configuration): Codec.Encoders<Variable, World> => {
  const clients = Codec.listWriter((client: TransactionalProducer.Producer) => writeProducer(names, client), sequence)
  const requests = Codec.listWriter(writeSentRequest, Codec.set)
  const produces = Codec.listWriter(writeSentProduce, Codec.set)
  const coordinators = Codec.listWriter(writeCoordinator, sequence)
  const transactionStates = Codec.listWriter(writeMetadata, sequence)
  const markers = Codec.listWriter(writeSentMarker, Codec.set)
  const partitions = Codec.listWriter(writePartition, (written) => Codec.onNames(names, (place) => written[place]!))
  const history = Codec.listWriter(
    (memories: ReadonlyArray<Memory>) => Codec.lazySequence(memories, writeMemory),
    sequence
  )
  return {
    client: (world) => clients(world.clients),
    requests: (world) => requests(world.requests),
    produces: (world) => produces(world.produces),
    coordinator: (world) => coordinators(world.coordinators),
    transactionState: (world) => transactionStates(world.transactionStates),
    markers: (world) => markers(world.markers),
    partition: (world) => partitions(world.partitions),
    nextProducerId: (world) => world.nextProducerId,
    generation: (world) => world.generation,
    faults: (world) => world.faults,
    history: (world) => history(world.history)
  }
}

export const codec = Codec.make({
  variables,
  parts,
  assemble: ({ counters, ...rest }): World => ({ ...rest, ...counters }),
  encoders
})
