/**
 * The named actions of the specification, as functions on the world: each is one `step` of one role of the core, and
 * what the network does with its outputs. An answer is received when it is given.
 *
 * Nothing is decided here but what the environment may do: which message arrives next, which fault happens, and what the
 * application wants of its producer.
 */
import { memoize } from "effect/Function"
import {
  type Errors,
  Sequence,
  Transaction,
  TransactionalPartition,
  TransactionalProducer,
  TransactionCoordinator,
  TransactionMetadata
} from "../../core/index.ts"
import * as Choice from "../Choice.ts"
import type { Configuration, FaultKind } from "./Configuration.ts"
import * as Configurations from "./Configuration.ts"
import * as RequestActions from "./RequestActions.ts"
import type { Memory, SentMarker, SentProduce, SentRequest, World } from "./World.ts"
import { live } from "./World.ts"

const { groupPartition } = Transaction

type Action = Choice.Action<Configuration, World>

const { replaced } = Choice

/** The list with `other` in the place of this item, or without it. */
const exchanged = <A>(list: ReadonlyArray<A>, item: A, other?: A): ReadonlyArray<A> => {
  const copy: Array<A> = []
  for (const one of list) {
    if (one !== item) copy.push(one)
    else if (other !== undefined) copy.push(other)
  }
  return copy
}

/** Whether there is a fault of this kind left to take. */
const mayFail = (configuration: Configuration, world: World, kind: FaultKind): boolean =>
  world.faults > 0 && configuration.faultKinds.has(kind)

/** The world with a fault taken. */
const withFault = (world: World): World => ({ ...world, faults: world.faults - 1 })

// The network: addresses, and whom an answer reaches.

const placeOf = ({ partitions }: Configuration, partition: string): number => partitions.indexOf(partition)

const partitionNamed = (configuration: Configuration, world: World, partition: string) =>
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

const remember = (world: World, client: number, number: number, change: Partial<Memory>): World => {
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
const produce = (
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
const coordinate = (
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
const endAppend = (
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
const answerBelow = (
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
const serve = (
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

// Kinds of actions.

/** An action of one client. */
const perClient = (
  apply: (configuration: Configuration, world: World, client: number) => World | undefined
): Action => ({
  forEach: (configuration, world, found) => {
    for (let client = 1; client <= configuration.clients; client++) {
      const next = apply(configuration, world, client)
      if (next !== undefined) found(next, [client])
    }
  }
})

/** An action of one client on one partition. */
const perClientAndPartition = (
  apply: (configuration: Configuration, world: World, client: number, partition: string) => World | undefined
): Action => ({
  forEach: (configuration, world, found) => {
    for (let client = 1; client <= configuration.clients; client++) {
      for (const partition of configuration.partitions) {
        const next = apply(configuration, world, client, partition)
        if (next !== undefined) found(next, [client, partition])
      }
    }
  }
})

/** An action of the coordinator of one transactional id. */
const perId = (apply: (configuration: Configuration, world: World, id: number) => World | undefined): Action => ({
  forEach: (configuration, world, found) => {
    for (let id = 1; id <= configuration.transactionalIds; id++) {
      const next = apply(configuration, world, id)
      if (next !== undefined) found(next, [id])
    }
  }
})

/** An action of one partition. */
const perPartition = (
  apply: (configuration: Configuration, world: World, place: number) => World | undefined
): Action => ({
  forEach: (configuration, world, found) => {
    configuration.partitions.forEach((name, place) => {
      const next = apply(configuration, world, place)
      if (next !== undefined) found(next, [name])
    })
  }
})

/** The arrival of a request of this kind at a coordinator. */
const arrivals = <Kind extends TransactionalProducer.Request["kind"]>(
  kind: Kind,
  input: (
    request: TransactionalProducer.Request & { readonly kind: Kind },
    sent: SentRequest,
    world: World
  ) => TransactionCoordinator.Input
): Action => ({
  forEach: (configuration, world, found, wanted) => {
    for (const sent of world.requests) {
      const { request } = sent
      const instance = [sent.client, sent.copy]
      if (sent.stage !== "sent" || !isKind(request, kind) || !Choice.isWanted(wanted, instance)) continue
      const id = Configurations.idOf(configuration, sent.client)
      const next = coordinate(configuration, world, id, input(request, sent, world), { _tag: "Client", sent })
      if (next !== undefined) found(next, instance)
    }
  }
})

const isKind = <Kind extends TransactionalProducer.Request["kind"]>(
  request: TransactionalProducer.Request,
  kind: Kind
): request is TransactionalProducer.Request & { readonly kind: Kind } => request.kind === kind

/** What a leader, or the coordinator for it, does with a batch that has come this far. */
const perProduce = (
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

// Clients, and what the application asks of its producer.

const InitTransactions = perClient((configuration, world, client) =>
  produce(configuration, world, client, { _tag: "InitTransactions" })
)

/** The application has a transaction open, or one left to begin, for which it knows its inputs. */
const mayWrite = ({ group, transactionsPerClient }: Configuration, producer: TransactionalProducer.Producer): boolean =>
  producer.state !== "READY"
  || (producer.number < transactionsPerClient && (!group || producer.generation !== Sequence.none))

/** The group's offset is committed behind the transaction's first record. */
const isInTurn = (
  { context }: Configuration,
  { batches }: TransactionalProducer.Producer,
  partition: string
): boolean => partition !== groupPartition || (context.rules.OffsetsInTransaction() && batches.size > 0)

/** The application hands a record over. */
const handOver = (
  configuration: Configuration,
  world: World,
  client: number,
  input: TransactionalProducer.Input & { readonly partition: string }
): World | undefined => {
  const before = world.clients[client - 1]!
  if (!mayWrite(configuration, before)) return undefined
  const next = produce(configuration, world, client, input)
  if (next === undefined) return undefined
  const { number } = next.clients[client - 1]!
  const { partitions } = next.history[client - 1]![number - 1]!
  return remember(next, client, number, {
    partitions: partitions.includes(input.partition) ? partitions : [...partitions, input.partition].sort(),
    input: before.position
  })
}

const AddPartitionsToTxn = perClientAndPartition((configuration, world, client, partition) =>
  isInTurn(configuration, world.clients[client - 1]!, partition)
    ? handOver(configuration, world, client, { _tag: "AddPartitionsToTxn", partition })
    : undefined
)

const SendProduce = perClientAndPartition((configuration, world, client, partition) =>
  isInTurn(configuration, world.clients[client - 1]!, partition)
    ? handOver(configuration, world, client, { _tag: "SendProduce", partition })
    : undefined
)

/** With a group the application commits when it has sent the offset too. */
const Commit = perClient((configuration, world, client) => {
  const { batches, number } = world.clients[client - 1]!
  const { context, group } = configuration
  if (group && context.rules.OffsetsInTransaction() && !batches.has(groupPartition)) return undefined
  const next = produce(configuration, world, client, { _tag: "Commit" })
  return next === undefined ? undefined : remember(next, client, number, { intent: "commit" })
})

const Abort = perClient((configuration, world, client) => {
  const next = produce(configuration, world, client, { _tag: "Abort" })
  return next === undefined ? undefined : remember(next, client, world.clients[client - 1]!.number, { intent: "abort" })
})

/** The member that joins makes a new generation, and waits until its offset is stable. */
const JoinGroup = perClient((configuration, world, client) => {
  if (!configuration.group) return undefined
  const partition = partitionNamed(configuration, world, groupPartition)
  const fetched = TransactionalPartition.fetchOffset(configuration.context, partition)
  if (fetched.error !== "NONE") return undefined
  const generation = world.generation + 1
  const next = produce(configuration, world, client, { _tag: "JoinGroup", generation, position: fetched.offset })
  return next === undefined ? undefined : { ...next, generation }
})

/** Outside of the transaction the application commits its offset after it; a member of an old generation may not. */
const CommitOffset = perClient((configuration, world, client) => {
  const { context, group } = configuration
  const { generation, position, state } = world.clients[client - 1]!
  if (!group || context.rules.OffsetsInTransaction()) return undefined
  if (state !== "READY" || generation !== world.generation) return undefined
  const place = placeOf(configuration, groupPartition)
  const next = serve(configuration, world, place, { _tag: "CommitOffset", position })
  if (next === undefined || configuration.replicationLag) return next
  return serve(configuration, next, place, { _tag: "Replicate" })
})

/** The sender gives up waiting and sends again; the first copy may still arrive. */
const DisconnectCoordinator: Action = {
  forEach: (configuration, world, found) => {
    if (!mayFail(configuration, world, "DisconnectCoordinator")) return
    for (const sent of world.requests) {
      if (sent.copy !== live) continue
      const { client, request } = sent
      const left = { ...world, requests: exchanged(world.requests, sent, { ...sent, copy: world.faults }) }
      const input: TransactionalProducer.Input = { _tag: "ReceiveAnswer", request, answer: disconnected }
      found(withFault(produce(configuration, left, client, input)!), [client])
    }
  }
}

const disconnected: TransactionalProducer.Answer = {
  error: "NETWORK_EXCEPTION",
  producerId: Sequence.none,
  epoch: Sequence.none
}

const DisconnectLeader: Action = {
  forEach: (configuration, world, found) => {
    if (!mayFail(configuration, world, "DisconnectLeader")) return
    for (const sent of world.produces) {
      if (sent.copy !== live) continue
      const left = { ...world, produces: exchanged(world.produces, sent, { ...sent, copy: world.faults }) }
      const input: TransactionalProducer.Input = {
        _tag: "ReceiveProduceAnswer",
        produce: sent.produce,
        error: "NETWORK_EXCEPTION"
      }
      found(withFault(produce(configuration, left, sent.client, input)!), [sent.client, sent.produce.partition])
    }
  }
}

const ExpireBatch: Action = {
  forEach: (configuration, world, found) => {
    if (!mayFail(configuration, world, "ExpireBatch")) return
    for (const sent of world.produces) {
      if (sent.copy !== live) continue
      const { client, produce: { partition } } = sent
      const left = { ...world, produces: exchanged(world.produces, sent, { ...sent, copy: world.faults }) }
      const next = produce(configuration, left, client, { _tag: "ExpireBatch", partition })
      if (next !== undefined) found(withFault(next), [client, partition])
    }
  }
}

/** The application dies and starts again under its transactional id. */
const CrashClient = perClient((configuration, world, client) => {
  if (!mayFail(configuration, world, "CrashClient")) return undefined
  const copy = world.faults
  const left = <Sent extends SentRequest | SentProduce>(sent: Sent): Sent =>
    sent.client === client && sent.copy === live ? { ...sent, copy } : sent
  const lost = { ...world, requests: world.requests.map(left), produces: world.produces.map(left) }
  const next = produce(configuration, lost, client, { _tag: "Crash" })
  return next === undefined ? undefined : withFault(next)
})

// Coordinators.

const HandleInitProducerId = arrivals("InitProducerId", (request, { broker }, { nextProducerId }) => ({
  _tag: "HandleInitProducerId",
  request,
  broker,
  nextProducerId
}))

const HandleAddPartitionsToTxn = arrivals("AddPartitionsToTxn", (request, { broker }) => ({
  _tag: "HandleAddPartitionsToTxn",
  request,
  broker
}))

const HandleEndTxn = arrivals("EndTxn", (request, { broker }, { nextProducerId }) => ({
  _tag: "HandleEndTxn",
  request,
  broker,
  nextProducerId
}))

const HandleVerification = perProduce("verifying", (configuration, world, sent) =>
  coordinate(
    configuration,
    world,
    Configurations.idOf(configuration, sent.client),
    { _tag: "HandleVerification", verification: sent.produce },
    { _tag: "Leader", sent }
  ))

/** The record that is being appended is in the log. */
const logged = ({ context }: Configuration, world: World, id: number): World => {
  const record = TransactionCoordinator.persisted(context, world.coordinators[id - 1]!)
  return record === undefined
    ? world
    : { ...world, transactionStates: replaced(world.transactionStates, id - 1, record) }
}

const AppendOk = perId((configuration, world, id) =>
  endAppend(configuration, logged(configuration, world, id), id, (waiting) => ({ _tag: "AppendOk", waiting }))
)

const AppendFail = perId((configuration, world, id) => {
  if (!mayFail(configuration, world, "AppendFail")) return undefined
  const next = endAppend(configuration, world, id, (waiting) => ({ _tag: "AppendFail", waiting }))
  return next === undefined ? undefined : withFault(next)
})

/** For the coordinator the append has failed; the record is in the log all the same. */
const AppendUnknown = perId((configuration, world, id) => {
  if (!mayFail(configuration, world, "AppendUnknown")) return undefined
  const written = logged(configuration, world, id)
  const next = endAppend(configuration, written, id, (waiting) => ({ _tag: "AppendFail", waiting }))
  return next === undefined ? undefined : withFault(next)
})

const CompleteTransaction = perId((configuration, world, id) =>
  coordinate(configuration, world, id, { _tag: "CompleteTransaction" })
)

/** Somebody works on the transaction that the coordinator has open. */
export const hasOwner = (configuration: Configuration, world: World, id: number): boolean => {
  const { epoch, producerId } = world.coordinators[id - 1]!.metadata
  return world.clients.some((producer, i) =>
    Configurations.idOf(configuration, i + 1) === id && producer.state !== "UNINITIALIZED"
    && producer.state !== "FATAL_ERROR" && producer.producerId === producerId && producer.epoch === epoch
  )
}

/** A fault while somebody works on the transaction, and the last way out when nobody does any more. */
const TransactionTimeout = perId((configuration, world, id) => {
  const owned = hasOwner(configuration, world, id)
  if (owned && !mayFail(configuration, world, "TransactionTimeout")) return undefined
  const { nextProducerId } = world
  const next = coordinate(configuration, world, id, { _tag: "TransactionTimeout", nextProducerId })
  return next === undefined || !owned ? next : withFault(next)
})

const ExpireTransactionalId = perId((configuration, world, id) => {
  if (!mayFail(configuration, world, "ExpireTransactionalId")) return undefined
  const next = coordinate(configuration, world, id, { _tag: "ExpireTransactionalId" })
  return next === undefined ? undefined : withFault(next)
})

/** Nobody listens for answers to the old coordinator's markers. An append under way is in the log, or is not. */
const failOver = (configuration: Configuration, world: World, id: number): World => {
  const copy = world.faults
  const markers = world.markers.map((sent) => sent.id === id && sent.copy === live ? { ...sent, copy } : sent)
  const loaded = world.transactionStates[id - 1]!
  return withFault(
    endAppend(configuration, { ...world, markers }, id, (waiting) => ({
      _tag: "CoordinatorFailover",
      loaded,
      waiting
    }))!
  )
}

const CoordinatorFailover: Action = {
  forEach: (configuration, world, found) => {
    if (!mayFail(configuration, world, "CoordinatorFailover")) return
    world.coordinators.forEach(({ appending }, i) => {
      const id = i + 1
      found(failOver(configuration, world, id), [id, "FALSE"])
      if (appending !== undefined) {
        found(failOver(configuration, logged(configuration, world, id), id), [id, "TRUE"])
      }
    })
  }
}

// Leaders.

const HandleProduce = perProduce("sent", (configuration, world, sent) => {
  const { broker, produce } = sent
  const input = { _tag: "HandleProduce", produce, broker, generation: world.generation } as const
  return serve(configuration, world, placeOf(configuration, produce.partition), input, { _tag: "Produce", sent })
})

const AppendVerified = perProduce("verified", (configuration, world, sent) => {
  const { broker, guard, produce } = sent
  const input = { _tag: "AppendVerified", produce, broker, guard, generation: world.generation } as const
  return serve(configuration, world, placeOf(configuration, produce.partition), input, { _tag: "Produce", sent })
})

const HandleMarker: Action = {
  forEach: (configuration, world, found, wanted) => {
    for (const sent of world.markers) {
      const { broker, copy, id, marker } = sent
      const instance = [id, marker.partition, copy]
      if (sent.stage !== "sent" || !Choice.isWanted(wanted, instance)) continue
      const input: TransactionalPartition.Input = { _tag: "HandleMarker", marker, broker }
      const place = placeOf(configuration, marker.partition)
      const next = serve(configuration, world, place, input, { _tag: "Marker", sent })
      if (next !== undefined) found(next, instance)
    }
  }
}

const DisconnectMarker: Action = {
  forEach: (configuration, world, found) => {
    if (!mayFail(configuration, world, "DisconnectMarker")) return
    for (const sent of world.markers) {
      if (sent.copy !== live) continue
      const { id, marker } = sent
      const left = { ...world, markers: exchanged(world.markers, sent, { ...sent, copy: world.faults }) }
      const input: TransactionCoordinator.Input = { _tag: "ReceiveMarkerAnswer", marker, error: "NETWORK_EXCEPTION" }
      found(withFault(coordinate(configuration, left, id, input)!), [id, marker.partition])
    }
  }
}

const Replicate = perPartition((configuration, world, place) =>
  serve(configuration, world, place, { _tag: "Replicate" })
)

/** What waited at the old leader is refused by it, and sent to the new one. */
const LeaderChange = perPartition((configuration, world, place) => {
  if (!mayFail(configuration, world, "LeaderChange")) return undefined
  const next = serve(configuration, world, place, { _tag: "LeaderChange" })
  if (next === undefined) return undefined
  return withFault(answerBelow(configuration, next, place, Number.POSITIVE_INFINITY, "NOT_LEADER_OR_FOLLOWER"))
})

// Refusals: every request in every state, also those that nobody sends (`TransactionRefusals.tla`). They change nothing.

const coordinatorErrors: ReadonlySet<Errors.Error> = new Set([
  "INVALID_PRODUCER_ID_MAPPING",
  "PRODUCER_FENCED",
  "CONCURRENT_TRANSACTIONS",
  "INVALID_TXN_STATE",
  "TRANSACTION_ABORTABLE",
  "UNKNOWN_SERVER_ERROR"
])

const leaderErrors: ReadonlySet<Errors.Error> = new Set([
  "INVALID_PRODUCER_EPOCH",
  "INVALID_TXN_STATE",
  "OUT_OF_ORDER_SEQUENCE_NUMBER",
  "ILLEGAL_GENERATION",
  "TRANSACTION_COORDINATOR_FENCED"
])

const versions = [1, 2] as const
const results = ["COMMIT", "ABORT"] as const

/** A probe of the coordinators, and of the leaders, with each identity. */
const perIdentity = (
  probe: (
    configuration: Configuration,
    world: World,
    identity: { readonly producerId: number; readonly epoch: number },
    refused: (...instance: ReadonlyArray<string | number>) => void
  ) => void
): Action => ({
  forEach: (configuration, world, found) => {
    const { probes } = configuration
    if (probes === undefined) return
    for (const producerId of probes.producerIds) {
      for (const epoch of probes.epochs) {
        probe(configuration, world, { producerId, epoch }, (...instance) => found(world, instance))
      }
    }
  }
})

/** The error of a decision, if it is one of these. */
const refusal = (
  decision: TransactionCoordinator.Decision | { readonly _tag: "Append" | "Duplicate" },
  errors: ReadonlySet<Errors.Error>
): string | undefined => decision._tag === "Refuse" && errors.has(decision.error) ? decision.error : undefined

const probeInitProducerId = (
  { context }: Configuration,
  world: World,
  identity: { readonly producerId: number; readonly epoch: number },
  refused: (...instance: ReadonlyArray<string | number>) => void
): void => {
  const request = { kind: "InitProducerId", ...identity, version: 1, transaction: Transaction.noName } as const
  world.coordinators.forEach(({ metadata, pending }, i) => {
    const known = metadata.state === "Unknown" ? TransactionMetadata.created(world.nextProducerId) : metadata
    const decision = TransactionCoordinator.initProducerId(context, known, pending, request, world.nextProducerId)
    const error = refusal(decision, coordinatorErrors)
    if (error !== undefined) refused(i + 1, identity.producerId, identity.epoch, error)
  })
}

/** With the identities to try, and first with none. */
const RefuseInitProducerId: Action = {
  forEach: (configuration, world, found) => {
    if (configuration.probes === undefined) return
    const none = { producerId: Sequence.none, epoch: Sequence.none }
    probeInitProducerId(configuration, world, none, (...instance) => found(world, instance))
    perIdentity(probeInitProducerId).forEach(configuration, world, found)
  }
}

/** A probe of the coordinators with each partition. */
const perAddition = (
  decide: (
    configuration: Configuration,
    coordinator: TransactionCoordinator.Coordinator,
    verification: TransactionCoordinator.Verification
  ) => TransactionCoordinator.Decision
): Action =>
  perIdentity((configuration, world, identity, refused) => {
    world.coordinators.forEach((coordinator, i) => {
      for (const partition of configuration.partitions) {
        const asked = { partition, ...identity, version: 1, transaction: Transaction.noName } as const
        const error = refusal(decide(configuration, coordinator, asked), coordinatorErrors)
        if (error !== undefined) refused(i + 1, identity.producerId, identity.epoch, partition, error)
      }
    })
  })

const RefuseAddPartitionsToTxn = perAddition(({ context }, { metadata, pending }, asked) =>
  TransactionCoordinator.addPartitions(context, metadata, pending, asked)
)

const RefuseVerification = perAddition((_configuration, { metadata }, asked) =>
  TransactionCoordinator.verifyPartition(metadata, asked)
)

const RefuseEndTxn = perIdentity(({ context }, world, identity, refused) => {
  world.coordinators.forEach(({ metadata, pending }, i) => {
    for (const result of results) {
      for (const version of versions) {
        const request = { kind: "EndTxn", result, version, ...identity, transaction: Transaction.noName } as const
        const decision = TransactionCoordinator.endTxn(context, metadata, pending, request, world.nextProducerId)
        const error = refusal(decision, coordinatorErrors)
        if (error !== undefined) refused(i + 1, identity.producerId, identity.epoch, result, version, error)
      }
    }
  })
})

/** A batch that was verified, but in no transaction of this moment. */
const RefuseBatch = perIdentity((configuration, world, identity, refused) => {
  const { context, partitions, probes } = configuration
  partitions.forEach((partition, place) => {
    if (partition === groupPartition) return
    for (const sequence of probes!.sequences) {
      const validation = TransactionalPartition.validate(context, world.partitions[place]!, {
        _tag: "AppendVerified",
        produce: {
          partition,
          ...identity,
          version: 1,
          sequence,
          records: 1,
          isTransactional: true,
          generation: Sequence.none,
          transaction: Transaction.noName,
          input: Sequence.none
        },
        broker: world.partitions[place]!.leader,
        generation: world.generation,
        guard: false
      })
      const error = refusal(validation, leaderErrors)
      if (error !== undefined) refused(partition, identity.producerId, identity.epoch, sequence, error)
    }
  })
})

/** The same for offsets, with a generation of the group. */
const RefuseOffsets = perIdentity((configuration, world, identity, refused) => {
  const { context, group, partitions } = configuration
  if (!group) return
  const offsets = world.partitions[partitions.indexOf(groupPartition)]!
  for (const generation of [0, 1]) {
    const validation = TransactionalPartition.validate(context, offsets, {
      _tag: "AppendVerified",
      produce: {
        partition: groupPartition,
        ...identity,
        version: 1,
        sequence: Sequence.none,
        records: 1,
        isTransactional: true,
        generation,
        transaction: Transaction.noName,
        input: Sequence.none
      },
      broker: offsets.leader,
      generation: world.generation,
      guard: false
    })
    const error = refusal(validation, leaderErrors)
    if (error !== undefined) refused(identity.producerId, identity.epoch, generation, error)
  }
})

const RefuseMarker = perIdentity(({ context, partitions }, world, identity, refused) => {
  const coordinatorEpoch = 0
  partitions.forEach((partition, place) => {
    for (const version of versions) {
      const error = TransactionalPartition.validateMarker(context, world.partitions[place]!, {
        partition,
        ...identity,
        coordinatorEpoch,
        version,
        result: "ABORT",
        transaction: Transaction.noName
      })
      if (leaderErrors.has(error)) {
        refused(partition, identity.producerId, identity.epoch, coordinatorEpoch, version, error)
      }
    }
  })
})

/** In the order of the specification's `Next`, and of `Refusals` after it. */
const actions = {
  InitTransactions,
  AddPartitionsToTxn,
  SendProduce,
  Commit,
  Abort,
  JoinGroup,
  CommitOffset,
  DisconnectCoordinator,
  DisconnectLeader,
  ExpireBatch,
  CrashClient,
  HandleInitProducerId,
  HandleAddPartitionsToTxn,
  HandleEndTxn,
  HandleVerification,
  AppendOk,
  AppendFail,
  AppendUnknown,
  CompleteTransaction,
  TransactionTimeout,
  ExpireTransactionalId,
  CoordinatorFailover,
  HandleProduce,
  AppendVerified,
  HandleMarker,
  DisconnectMarker,
  Replicate,
  LeaderChange,
  RefuseInitProducerId,
  RefuseAddPartitionsToTxn,
  RefuseVerification,
  RefuseEndTxn,
  RefuseBatch,
  RefuseOffsets,
  RefuseMarker
} as const satisfies Record<string, Action>

const own = Choice.of<Configuration, World>(actions)
const requested = Choice.of<Configuration, World>(RequestActions.actions)

/** Raw clients have the cluster for themselves. */
const stepsOf = ({ requests }: Configuration) => requests === undefined ? own : requested

/** What the world can do. */
export const successors: typeof own.successors = (configuration, world) =>
  stepsOf(configuration).successors(configuration, world)

/** What one action makes of the world. */
export const apply: typeof own.apply = (configuration, world, call) =>
  stepsOf(configuration).apply(configuration, world, call)

export const actionNames: ReadonlyArray<string> = [...Object.keys(actions), ...Object.keys(RequestActions.actions)]
