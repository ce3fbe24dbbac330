/**
 * Turns of the roles on the world: each is one `step` of the core, and what the network does with its outputs. An answer is
 * received when it is given.
 */
import { memoize } from "effect/Function"
import {
  type Errors,
  Sequence,
  TransactionalPartition,
  TransactionalProducer,
  TransactionCoordinator
} from "../../core/index.ts"
import * as Choice from "../Choice.ts"
import type { Configuration, FaultKind } from "./Configuration.ts"
import * as Configurations from "./Configuration.ts"
import type { Memory, SentMarker, SentProduce, SentRequest, World } from "./World.ts"
import { live } from "./World.ts"

type Action = Choice.Action<Configuration, World>
const { replaced } = Choice

/** The list with `other` in the place of this item, or without it. */
export const exchanged = <A>(list: ReadonlyArray<A>, item: A, other?: A): ReadonlyArray<A> => {
  const copy: Array<A> = []
  for (const one of list) {
    if (one !== item) copy.push(one)
    else if (other !== undefined) copy.push(other)
  }
  return copy
}

/** Whether there is a fault of this kind left to take. */
export const mayFail = (configuration: Configuration, world: World, kind: FaultKind): boolean =>
  world.faults > 0 && configuration.faultKinds.has(kind)

/** The world with a fault taken. */
export const withFault = (world: World): World => ({ ...world, faults: world.faults - 1 })

// The network: addresses, and whom an answer reaches.

/** The place of a partition in the lists of the world. */
export const placeOf = ({ partitions }: Configuration, partition: string): number => partitions.indexOf(partition)

export const partitionNamed = (configuration: Configuration, world: World, partition: string) =>
  world.partitions[placeOf(configuration, partition)]!

const coordinatorOf = (configuration: Configuration, world: World, client: number) =>
  world.coordinators[Configurations.idOf(configuration, client) - 1]!

const sendRequest = (
  configuration: Configuration,
  world: World,
  client: number,
  request: TransactionalProducer.Request
): World => {
  const { broker } = coordinatorOf(configuration, world, client)
  return { ...world, requests: [...world.requests, { client, copy: live, broker, stage: "sent", request }] }
}

const sendProduce = (
  configuration: Configuration,
  world: World,
  client: number,
  produce: TransactionalProducer.Produce
): World => {
  const broker = partitionNamed(configuration, world, produce.partition).leader
  const sent: SentProduce = {
    client,
    copy: live,
    broker,
    stage: "sent",
    guard: false,
    offset: Sequence.none,
    produce
  }
  return { ...world, produces: [...world.produces, sent] }
}

const sendMarker = (
  configuration: Configuration,
  world: World,
  id: number,
  marker: TransactionCoordinator.Marker
): World => {
  const broker = partitionNamed(configuration, world, marker.partition).leader
  const sent: SentMarker = { id, copy: live, broker, stage: "sent", offset: Sequence.none, marker }
  return { ...world, markers: [...world.markers, sent] }
}

/** The world that remembers this, too, of a transaction of a client. */
export const remember = (world: World, client: number, number: number, change: Partial<Memory>): World => {
  const memories = world.history[client - 1]!
  const changed = replaced(memories, number - 1, { ...memories[number - 1]!, ...change })
  return { ...world, history: replaced(world.history, client - 1, changed) }
}

/** The configurations of the clients' producers, by number. */
const producers = memoize((configuration: Configuration): ReadonlyArray<TransactionalProducer.Config> =>
  Array.from({ length: configuration.clients }, (_, i) => ({
    ...configuration.context,
    version: Configurations.versionOf(configuration, i + 1),
    client: i + 1
  }))
)

const producerOf = (configuration: Configuration, client: number): TransactionalProducer.Config =>
  producers(configuration)[client - 1]!

/** A turn of a producer: what it sends goes to the network, what it says to the application. */
export const produce = (
  configuration: Configuration,
  world: World,
  client: number,
  input: TransactionalProducer.Input
): World | undefined => {
  const step = TransactionalProducer.step(producerOf(configuration, client), world.clients[client - 1]!, input)
  if (step === undefined) return undefined
  const [producer, outputs] = step
  let next: World = { ...world, clients: replaced(world.clients, client - 1, producer) }
  for (const output of outputs) {
    switch (output._tag) {
      case "Request":
        next = sendRequest(configuration, next, client, output.request)
        break
      case "Produce":
        next = sendProduce(configuration, next, client, output.produce)
        break
      case "Ended":
        next = remember(next, client, producer.number, {
          outcome: output.result === "COMMIT" ? "committed" : "aborted"
        })
        break
    }
  }
  return next
}

/** A request is done with; its sender is told, if it still listens. */
const answerRequest = (
  configuration: Configuration,
  world: World,
  sent: SentRequest,
  answer: TransactionalProducer.Answer
): World => {
  const done = { ...world, requests: exchanged(world.requests, sent) }
  if (sent.copy !== live) return done
  return produce(configuration, done, sent.client, { _tag: "ReceiveAnswer", request: sent.request, answer })!
}

const answerProduce = (configuration: Configuration, world: World, sent: SentProduce, error: Errors.Error): World => {
  const done = { ...world, produces: exchanged(world.produces, sent) }
  if (sent.copy !== live) return done
  return produce(configuration, done, sent.client, { _tag: "ReceiveProduceAnswer", produce: sent.produce, error })!
}

const answerMarker = (configuration: Configuration, world: World, sent: SentMarker, error: Errors.Error): World => {
  const done = { ...world, markers: exchanged(world.markers, sent) }
  if (sent.copy !== live) return done
  return coordinate(configuration, done, sent.id, { _tag: "ReceiveMarkerAnswer", marker: sent.marker, error })!
}

/** Whose request the coordinator works on, or whose append ends. */
type Asker =
  | { readonly _tag: "Client"; readonly sent: SentRequest }
  | { readonly _tag: "Leader"; readonly sent: SentProduce }

/** The coordinator answers. A leader that is refused refuses its producer. */
const answerAsker = (
  configuration: Configuration,
  world: World,
  asker: Asker,
  answer: TransactionalProducer.Answer
): World => {
  if (asker._tag === "Client") return answerRequest(configuration, world, asker.sent, answer)
  const { sent } = asker
  if (answer.error === "NONE") {
    return { ...world, produces: exchanged(world.produces, sent, { ...sent, stage: "verified" }) }
  }
  const { partition, version } = sent.produce
  const error = TransactionalPartition.verificationError(partition, version, answer.error)
  return answerProduce(configuration, world, sent, error)
}

const keepWaiting = (world: World, asker: Asker): World =>
  asker._tag === "Client"
    ? { ...world, requests: exchanged(world.requests, asker.sent, { ...asker.sent, stage: "appending" }) }
    : { ...world, produces: exchanged(world.produces, asker.sent, { ...asker.sent, stage: "adding" }) }

/** A turn of a coordinator: its answers and markers go to the network. */
export const coordinate = (
  configuration: Configuration,
  world: World,
  id: number,
  input: TransactionCoordinator.Input,
  asker?: Asker
): World | undefined => {
  const step = TransactionCoordinator.step(configuration.context, world.coordinators[id - 1]!, input)
  if (step === undefined) return undefined
  let next: World = { ...world, coordinators: replaced(world.coordinators, id - 1, step[0]) }
  for (const output of step[1]) {
    switch (output._tag) {
      case "Answer":
        if (asker !== undefined) next = answerAsker(configuration, next, asker, output.answer)
        break
      case "Append":
        if (asker !== undefined) next = keepWaiting(next, asker)
        break
      case "WriteTxnMarker":
        next = sendMarker(configuration, next, id, output.marker)
        break
      case "ProducerIdTaken":
        next = { ...next, nextProducerId: next.nextProducerId + 1 }
        break
    }
  }
  return next
}

/** Whoever waits for the append of a coordinator; there is one at most. */
const askerWaiting = (configuration: Configuration, world: World, id: number): Asker | undefined => {
  for (const sent of world.requests) {
    if (sent.stage === "appending" && Configurations.idOf(configuration, sent.client) === id) {
      return { _tag: "Client", sent }
    }
  }
  for (const sent of world.produces) {
    if (sent.stage === "adding" && Configurations.idOf(configuration, sent.client) === id) {
      return { _tag: "Leader", sent }
    }
  }
  return undefined
}

const waitingKind = (asker: Asker): TransactionalProducer.Request["kind"] =>
  asker._tag === "Client" ? asker.sent.request.kind : "AddPartitionsToTxn"

/** The turn of a coordinator with which an append ends. */
export const endAppend = (
  configuration: Configuration,
  world: World,
  id: number,
  ending: (waiting: TransactionalProducer.Request["kind"] | undefined) => TransactionCoordinator.Input
): World | undefined => {
  const asker = askerWaiting(configuration, world, id)
  return coordinate(configuration, world, id, ending(asker === undefined ? undefined : waitingKind(asker)), asker)
}

/** The message that a leader works on. */
type Served =
  | { readonly _tag: "Produce"; readonly sent: SentProduce }
  | { readonly _tag: "Marker"; readonly sent: SentMarker }

const answerServed = (configuration: Configuration, world: World, served: Served, error: Errors.Error): World =>
  served._tag === "Produce"
    ? answerProduce(configuration, world, served.sent, error)
    : answerMarker(configuration, world, served.sent, error)

const waitForFollower = (world: World, served: Served, offset: number): World => {
  if (served._tag === "Produce") {
    const waiting: SentProduce = { ...served.sent, stage: "appended", guard: false, offset }
    return { ...world, produces: exchanged(world.produces, served.sent, waiting) }
  }
  const waiting: SentMarker = { ...served.sent, stage: "appended", offset }
  return { ...world, markers: exchanged(world.markers, served.sent, waiting) }
}

/** Answers whoever waits at the partition for an offset below this. */
export const answerBelow = (
  configuration: Configuration,
  world: World,
  place: number,
  offset: number,
  error: Errors.Error
): World => {
  const name = configuration.partitions[place]!
  let next = world
  for (const sent of world.produces) {
    if (sent.produce.partition === name && sent.stage === "appended" && sent.offset < offset) {
      next = answerProduce(configuration, next, sent, error)
    }
  }
  for (const sent of world.markers) {
    if (sent.marker.partition === name && sent.stage === "appended" && sent.offset < offset) {
      next = answerMarker(configuration, next, sent, error)
    }
  }
  return next
}

/** A guard is gone when the leader has forgotten what it was given for. */
const withoutLostGuards = (configuration: Configuration, world: World, place: number): World => {
  const name = configuration.partitions[place]!
  const partition = world.partitions[place]!
  const isLost = ({ guard, produce: { partition: at, producerId } }: SentProduce): boolean =>
    guard && at === name && !TransactionalPartition.isGuarded(partition, producerId)
  if (!world.produces.some(isLost)) return world
  return { ...world, produces: world.produces.map((sent) => isLost(sent) ? { ...sent, guard: false } : sent) }
}

/** A turn of a leader: its answers go to the network. Followers in step fetch at once. */
export const serve = (
  configuration: Configuration,
  world: World,
  place: number,
  input: TransactionalPartition.Input,
  served?: Served
): World | undefined => {
  const before = world.partitions[place]!
  const step = TransactionalPartition.step(configuration.context, before, input)
  if (step === undefined) return undefined
  const [partition, outputs] = step
  let next: World = partition === before
    ? world
    : { ...world, partitions: replaced(world.partitions, place, partition) }
  for (const output of outputs) {
    switch (output._tag) {
      case "Answer":
        if (served !== undefined) next = answerServed(configuration, next, served, output.error)
        break
      case "Verify":
        if (served?._tag === "Produce") {
          const verifying: SentProduce = { ...served.sent, stage: "verifying", guard: true }
          next = { ...next, produces: exchanged(next.produces, served.sent, verifying) }
        }
        break
      case "Wait":
        if (served !== undefined) next = waitForFollower(next, served, output.offset)
        if (!configuration.replicationLag) next = serve(configuration, next, place, { _tag: "Replicate" }) ?? next
        break
      case "Replicated":
        next = answerBelow(configuration, next, place, output.highWatermark, "NONE")
        break
    }
  }
  return partition.verification === before.verification ? next : withoutLostGuards(configuration, next, place)
}

/** What a leader, or the coordinator for it, does with a batch that has come this far. */
export const perProduce = (
  stage: SentProduce["stage"],
  apply: (configuration: Configuration, world: World, sent: SentProduce) => World | undefined
): Action => ({
  forEach: (configuration, world, found, wanted) => {
    for (const sent of world.produces) {
      const instance = [sent.client, sent.produce.partition, sent.copy]
      if (sent.stage !== stage || !Choice.isWanted(wanted, instance)) continue
      const next = apply(configuration, world, sent)
      if (next !== undefined) found(next, instance)
    }
  }
})
