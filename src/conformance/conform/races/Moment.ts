/**
 * A cluster in the middle of things: a world, and how far each request of a round has come. `next` has every moment that
 * may follow, by one turn of one role, or by the end of the broker.
 *
 * What the roles do is the core's. What is decided here is only what may be next: whose turn it is, that a connection is
 * read no further before its request is answered, that leaders may have to give up asking the coordinator, and what is
 * lost with a broker. A broker has no followers here, so that what is appended is replicated.
 */
import {
  Sequence,
  Transaction,
  TransactionalPartition,
  type TransactionalProducer,
  TransactionCoordinator
} from "../../../core/index.ts"
import { Transactions } from "../../../model/index.ts"
import type { Ask } from "./Race.ts"

type Configuration = Transactions.Configuration.Configuration
type World = Transactions.World.World
type Answer = Transactions.Requests.Answer

/** A request with the identity and the sequence that it has, whatever has happened since. */
export type Sent =
  & { readonly id: number; readonly connection: number }
  & ({ readonly request: TransactionalProducer.Request } | { readonly produce: TransactionalProducer.Produce })

/**
 * How far a request has come: it waits on its connection or is the next there; the coordinator is about to fence, or waits
 * for its log; the leader asks the coordinator, which may wait for its log; the leader goes on; it is answered; the client
 * has the answer, or knows that there will be none.
 */
type Stage = "sent" | "fencing" | "appending" | "verifying" | "adding" | "verified" | "answered" | "told" | "closed"

export interface Flight {
  readonly stage: Stage
  readonly guard: boolean
  readonly answer: Answer | undefined
}

export interface Moment {
  /** Markers on the way are in it. */
  readonly world: World
  /** In the order of the requests. */
  readonly flights: ReadonlyArray<Flight>
  /** The broker was killed, and runs again. */
  readonly restarted: boolean
}

export interface Round {
  readonly configuration: Configuration
  /** Those of a connection one after the other. */
  readonly sent: ReadonlyArray<Sent>
  /** The broker is killed at one of the moments. */
  readonly kill: boolean
}

/** The request as it is in the world that its identity and sequence are of. */
export const sentOf = (configuration: Configuration, world: World, { request }: Ask, connection: number): Sent => {
  const { id } = request
  const claimed = Transactions.Requests.claim(configuration, world, id, request.identity)
  if (claimed === undefined) throw new Error(`${request._tag} has no identity ${request.identity} here`)
  const common = { ...claimed, transaction: Transaction.noName }
  switch (request._tag) {
    case "InitProducerId":
      return { id, connection, request: { kind: "InitProducerId", ...common, version: 1 } }
    case "AddPartitionsToTxn":
      return {
        id,
        connection,
        request: { kind: "AddPartitionsToTxn", ...common, partition: request.partition, version: 1 }
      }
    case "EndTxn":
      return {
        id,
        connection,
        request: { kind: "EndTxn", ...common, result: request.result, version: request.version }
      }
    case "Produce": {
      const produce = Transactions.Requests.batch(configuration, world, request)
      if (produce === undefined) throw new Error(`Produce has no sequence ${request.position} here`)
      return { id, connection, produce }
    }
  }
}

export const first = (world: World, sent: ReadonlyArray<Sent>): Moment => ({
  world,
  flights: sent.map(() => ({ stage: "sent", guard: false, answer: undefined })),
  restarted: false
})

const withFlight = (moment: Moment, index: number, flight: Partial<Flight>): Moment => ({
  ...moment,
  flights: moment.flights.with(index, { ...moment.flights[index]!, ...flight })
})

const answered = (moment: Moment, index: number, answer: Answer): Moment =>
  withFlight(moment, index, { stage: "answered", guard: false, answer })

const refused = (error: Answer["error"]): Answer => ({
  error,
  producerId: Sequence.none,
  epoch: Sequence.none,
  offset: Sequence.none
})

const partitionNamed = ({ partitions }: Configuration, world: World, name: string) =>
  world.partitions[partitions.indexOf(name)]!

// Coordinators.

/** The leader goes on with what the coordinator agreed to, and refuses its client otherwise. */
const verified = (moment: Moment, index: number, produce: TransactionalProducer.Produce, { error }: Answer): Moment =>
  error === "NONE"
    ? withFlight(moment, index, { stage: "verified" })
    : answered(
      moment,
      index,
      refused(TransactionalPartition.verificationError(produce.partition, produce.version, error))
    )

/** A turn of a coordinator; `asker` is the place of the request that it answers or keeps waiting. */
const coordinate = (
  { configuration, sent }: Round,
  moment: Moment,
  id: number,
  input: TransactionCoordinator.Input,
  asker?: number
): Moment | undefined => {
  const step = TransactionCoordinator.step(configuration.context, moment.world.coordinators[id - 1]!, input)
  if (step === undefined) return undefined
  let next: Moment = {
    ...moment,
    world: { ...moment.world, coordinators: moment.world.coordinators.with(id - 1, step[0]) }
  }
  for (const output of step[1]) {
    switch (output._tag) {
      case "Answer": {
        if (asker === undefined) break
        const answer = { ...output.answer, offset: Sequence.none }
        const asking = sent[asker]!
        next = "produce" in asking
          ? verified(next, asker, asking.produce, answer)
          : answered(next, asker, answer)
        break
      }
      case "Append":
        if (asker !== undefined) {
          next = withFlight(next, asker, { stage: "produce" in sent[asker]! ? "adding" : "appending" })
        }
        break
      case "ProducerIdTaken":
        next = { ...next, world: { ...next.world, nextProducerId: next.world.nextProducerId + 1 } }
        break
      case "WriteTxnMarker": {
        const marker: Transactions.World.SentMarker = {
          id,
          copy: Transactions.World.live,
          broker: 1,
          stage: "sent",
          offset: Sequence.none,
          marker: output.marker
        }
        next = { ...next, world: { ...next.world, markers: [...next.world.markers, marker] } }
        break
      }
    }
  }
  return next
}

/** The record that is being appended is in the log. */
const logged = ({ context }: Configuration, world: World, id: number): World => {
  const record = TransactionCoordinator.persisted(context, world.coordinators[id - 1]!)
  return record === undefined
    ? world
    : { ...world, transactionStates: world.transactionStates.with(id - 1, record) }
}

const appendOk = (round: Round, moment: Moment, id: number): Moment | undefined => {
  if (moment.world.coordinators[id - 1]!.appending === undefined) return undefined
  const waits = ({ stage }: Flight, index: number): boolean =>
    (stage === "appending" || stage === "adding") && round.sent[index]!.id === id
  const index = moment.flights.findIndex(waits)
  const asking = round.sent[index]
  const kind = asking === undefined ? undefined : "request" in asking ? asking.request.kind : "AddPartitionsToTxn"
  const after = { ...moment, world: logged(round.configuration, moment.world, id) }
  return coordinate(round, after, id, { _tag: "AppendOk", waiting: kind }, asking === undefined ? undefined : index)
}

const inputOf = (
  request: TransactionalProducer.Request,
  { coordinators, nextProducerId }: World,
  id: number
): TransactionCoordinator.Input => {
  const { broker } = coordinators[id - 1]!
  switch (request.kind) {
    case "InitProducerId":
      return { _tag: "HandleInitProducerId", request, broker, nextProducerId }
    case "AddPartitionsToTxn":
      return { _tag: "HandleAddPartitionsToTxn", request, broker }
    case "EndTxn":
      return { _tag: "HandleEndTxn", request, broker, nextProducerId }
  }
}

/** What a coordinator does with a request, where nothing is between. */
const handle = (round: Round, moment: Moment, index: number, request: TransactionalProducer.Request): Moment => {
  const { id } = round.sent[index]!
  return coordinate(round, moment, id, inputOf(request, moment.world, id), index)!
}

const isFenced = ({ flights }: Moment, { sent }: Round, id: number): boolean =>
  flights.some(({ stage }, i) => stage === "fencing" && sent[i]!.id === id)

/**
 * Kafka fences an open transaction in two turns, of which the specification has one. Between them `PrepareEpochFence` is
 * pending, which holds off everybody but who ends the transaction: an abort is that of the owner, and a commit fails in
 * the broker, because no other transition may begin. `TransactionCoordinator.endTransaction`,
 * `TransactionMetadata.prepareTransitionTo`.
 */
const whileFenced = (
  round: Round,
  moment: Moment,
  index: number,
  request: TransactionalProducer.Request
): Moment => {
  const { configuration: { context }, sent } = round
  const { id } = sent[index]!
  const coordinator = moment.world.coordinators[id - 1]!
  if (request.kind === "EndTxn") {
    const { nextProducerId } = moment.world
    const decision = TransactionCoordinator.endTxn(context, coordinator.metadata, "None", request, nextProducerId)
    return decision._tag === "Write" && decision.record.state === "PrepareCommit"
      ? answered(moment, index, refused("UNKNOWN_SERVER_ERROR"))
      : handle(round, moment, index, request)
  }
  const held = moment.world.coordinators.with(id - 1, { ...coordinator, pending: "PrepareAbort" })
  const after = handle(round, { ...moment, world: { ...moment.world, coordinators: held } }, index, request)
  return { ...after, world: { ...after.world, coordinators: moment.world.coordinators } }
}

/** The first turn of a fence, where the request leads to one. */
const fence = (
  round: Round,
  moment: Moment,
  index: number,
  request: TransactionalProducer.Request
): Moment | undefined => {
  if (request.kind !== "InitProducerId") return undefined
  const after = handle(round, moment, index, request)
  const { id } = round.sent[index]!
  return after.world.coordinators[id - 1]!.appending?.state === "PrepareAbort"
    ? withFlight(moment, index, { stage: "fencing" })
    : undefined
}

/** The second turn, which finds the transaction open or already ended. */
const finishFence = (
  round: Round,
  moment: Moment,
  index: number,
  request: TransactionalProducer.Request
): Moment => {
  const { metadata, pending } = moment.world.coordinators[round.sent[index]!.id - 1]!
  return metadata.state === "Ongoing" && pending === "None"
    ? handle(round, moment, index, request)
    : answered(moment, index, refused("CONCURRENT_TRANSACTIONS"))
}

// Leaders.

const replicated = (
  configuration: Configuration,
  partition: TransactionalPartition.Partition
): TransactionalPartition.Partition => {
  const step = TransactionalPartition.step(configuration.context, partition, { _tag: "Replicate" })
  return step === undefined ? partition : replicated(configuration, step[0])
}

/** A guard is gone when the leader has forgotten what it was given for. */
const withoutLostGuards = ({ configuration, sent }: Round, moment: Moment, name: string): Moment => {
  const partition = partitionNamed(configuration, moment.world, name)
  return {
    ...moment,
    flights: moment.flights.map((flight, i) => {
      const asking = sent[i]!
      const isLost = flight.guard && "produce" in asking && asking.produce.partition === name
        && !TransactionalPartition.isGuarded(partition, asking.produce.producerId)
      return isLost ? { ...flight, guard: false } : flight
    })
  }
}

/** A turn of a leader, and what it says to it. */
const serve = (
  round: Round,
  moment: Moment,
  name: string,
  input: TransactionalPartition.Input
): readonly [Moment, TransactionalPartition.Output | undefined] => {
  const { configuration } = round
  const place = configuration.partitions.indexOf(name)
  const [after, outputs] = TransactionalPartition.step(configuration.context, moment.world.partitions[place]!, input)!
  const partitions = moment.world.partitions.with(place, replicated(configuration, after))
  const next = { ...moment, world: { ...moment.world, partitions } }
  return [withoutLostGuards(round, next, name), outputs[0]]
}

const serveProduce = (
  round: Round,
  moment: Moment,
  index: number,
  produce: TransactionalProducer.Produce,
  _tag: "HandleProduce" | "AppendVerified"
): Moment => {
  const { generation } = moment.world
  const { leader: broker } = partitionNamed(round.configuration, moment.world, produce.partition)
  const { guard } = moment.flights[index]!
  const input = { _tag, produce, broker, generation, guard }
  const [next, output] = serve(round, moment, produce.partition, input)
  switch (output?._tag) {
    case "Verify":
      return withFlight(next, index, { stage: "verifying", guard: true })
    case "Wait":
      return answered(next, index, { ...refused("NONE"), offset: output.offset })
    case "Answer":
      return answered(next, index, { ...refused(output.error), offset: output.offset })
    default:
      throw new Error(`a leader says nothing to ${_tag}`)
  }
}

/**
 * A leader asks for one epoch of a transactional id at a time. Another question about the same takes the place of one that
 * was not sent yet, which is then given up, and its client told to send again; unless it is about an older epoch, which is
 * stale then. `AddPartitionsToTxnManager.addTxnData`.
 */
const giveUp = (
  round: Round,
  moment: Moment,
  index: number,
  produce: TransactionalProducer.Produce
): Moment | undefined => {
  const { id } = round.sent[index]!
  const isOther = (one: Sent, i: number): boolean =>
    i !== index && one.id === id && "produce" in one && moment.flights[i]!.stage === "verifying"
    && one.produce.epoch >= produce.epoch
  const other = round.sent.find(isOther)
  if (other === undefined || !("produce" in other)) return undefined
  if (other.produce.epoch > produce.epoch) return verified(moment, index, produce, refused("PRODUCER_FENCED"))
  // GroupCoordinatorAdapter has the group's client ask again as while it loads.
  const isGroup = produce.partition === Transaction.groupPartition
  return verified(
    moment,
    index,
    produce,
    refused(isGroup ? "COORDINATOR_LOAD_IN_PROGRESS" : "COORDINATOR_NOT_AVAILABLE")
  )
}

/**
 * A leader that finds the transaction open asks nobody, and appends in a turn of its own: a marker that comes in between
 * leaves the batch without the guard that it would need then. `VerificationGuard.SENTINEL`.
 */
const join = (
  { configuration }: Round,
  moment: Moment,
  index: number,
  { epoch, isTransactional, partition, producerId }: TransactionalProducer.Produce
): Moment | undefined => {
  const { producers } = partitionNamed(configuration, moment.world, partition)
  const joins = isTransactional && configuration.context.rules.JoinsOpenTransaction(producers, producerId, epoch)
  return joins ? withFlight(moment, index, { stage: "verified" }) : undefined
}

/** A marker arrives, or the answer to one does. */
const mark = (round: Round, moment: Moment, sent: Transactions.World.SentMarker): Moment => {
  const { marker } = sent
  const { markers } = moment.world
  const others = markers.filter((one) => one !== sent)
  const receive = (after: Moment, error: Answer["error"]): Moment =>
    coordinate(
      round,
      { ...after, world: { ...after.world, markers: others } },
      sent.id,
      { _tag: "ReceiveMarkerAnswer", marker, error }
    )!
  if (sent.stage === "appended") return receive(moment, "NONE")
  const { leader: broker } = partitionNamed(round.configuration, moment.world, marker.partition)
  const [next, output] = serve(round, moment, marker.partition, { _tag: "HandleMarker", marker, broker })
  if (output?._tag === "Answer" && output.error !== "NONE") return receive(next, output.error)
  return { ...next, world: { ...next.world, markers: [...others, { ...sent, stage: "appended" }] } }
}

// The end of a broker.

/** What a broker knows of a partition after a restart: its log, and of the producers what their snapshot has. */
const reloaded = (
  { context }: Configuration,
  { verification: _, ...partition }: TransactionalPartition.Partition
): TransactionalPartition.Partition => {
  const restored = context.replica.rules.RestoreProducers(partition.producers)
  const producers = new Map(
    Array.from(partition.producers, ([id, known]) => [id, { ...known, batches: restored.get(id)?.batches ?? [] }])
  )
  return { ...TransactionalPartition.initial, ...partition, producers }
}

const subsets = <A>(items: ReadonlyArray<A>): ReadonlyArray<ReadonlyArray<A>> =>
  items.reduce<ReadonlyArray<ReadonlyArray<A>>>(
    (found, item) => [...found, ...found.map((subset) => [...subset, item])],
    [[]]
  )

/** The broker is gone and comes back: what was in the logs is there, and nobody hears of what was on the way. */
const restart = (round: Round, { flights, world }: Moment): Moment => {
  const { configuration } = round
  let next: Moment = {
    world: {
      ...world,
      markers: [],
      partitions: world.partitions.map((partition) => reloaded(configuration, partition))
    },
    flights: flights.map((flight) => flight.stage === "told" ? flight : { ...flight, stage: "closed", guard: false }),
    restarted: true
  }
  for (const [i, loaded] of world.transactionStates.entries()) {
    next = coordinate(round, next, i + 1, { _tag: "CoordinatorFailover", loaded, waiting: undefined })!
  }
  return next
}

/** The worlds that a broker which is killed now may leave: what it was appending is in the log or is not. */
const restarts = (round: Round, moment: Moment): ReadonlyArray<Moment> => {
  const appending = moment.world.coordinators.flatMap((one, i) => one.appending === undefined ? [] : [i + 1])
  return subsets(appending).map((ids) =>
    restart(round, {
      ...moment,
      world: ids.reduce((world, id) => logged(round.configuration, world, id), moment.world)
    })
  )
}

/** Nothing before it on its connection waits for an answer. */
const isNextOnConnection = ({ sent }: Round, { flights }: Moment, index: number): boolean => {
  const { connection } = sent[index]!
  return sent.every((one, i) => i >= index || one.connection !== connection || flights[i]!.stage === "told")
}

const turnsOf = (round: Round, moment: Moment, index: number): ReadonlyArray<Moment | undefined> => {
  const sent = round.sent[index]!
  const { id } = sent
  switch (moment.flights[index]!.stage) {
    case "sent":
      if (!isNextOnConnection(round, moment, index)) return []
      if ("produce" in sent) {
        return [
          serveProduce(round, moment, index, sent.produce, "HandleProduce"),
          join(round, moment, index, sent.produce)
        ]
      }
      return isFenced(moment, round, id)
        ? [whileFenced(round, moment, index, sent.request)]
        : [handle(round, moment, index, sent.request), fence(round, moment, index, sent.request)]
    case "fencing":
      return "request" in sent ? [finishFence(round, moment, index, sent.request)] : []
    case "verifying": {
      if (!("produce" in sent)) return []
      const { produce } = sent
      return [
        coordinate(round, moment, id, { _tag: "HandleVerification", verification: produce }, index),
        giveUp(round, moment, index, produce)
      ]
    }
    case "verified":
      return "produce" in sent ? [serveProduce(round, moment, index, sent.produce, "AppendVerified")] : []
    case "answered":
      return [withFlight(moment, index, { stage: "told" })]
    default:
      return []
  }
}

/** Every moment that may follow; none where nothing moves any more. */
export const next = (round: Round, moment: Moment): ReadonlyArray<Moment> => {
  const found = [
    ...round.sent.flatMap((_, index) => turnsOf(round, moment, index)),
    ...moment.world.coordinators.flatMap((_, i) => [
      appendOk(round, moment, i + 1),
      coordinate(round, moment, i + 1, { _tag: "CompleteTransaction" })
    ]),
    ...moment.world.markers.map((sent) => mark(round, moment, sent)),
    ...(round.kill && !moment.restarted ? restarts(round, moment) : [])
  ]
  return found.filter((one) => one !== undefined)
}
