/**
 * The actions of transaction coordinators: requests that arrive, the end of what they append to their log, and what they do
 * by themselves.
 */
import { type TransactionalProducer, TransactionCoordinator } from "../../core/index.ts"
import * as Choice from "../Choice.ts"
import type { Configuration } from "./Configuration.ts"
import * as Configurations from "./Configuration.ts"
import { coordinate, endAppend, mayFail, perProduce, withFault } from "./Turns.ts"
import type { SentRequest, World } from "./World.ts"
import { live } from "./World.ts"

type Action = Choice.Action<Configuration, World>
const { replaced } = Choice

/** An action of the coordinator of one transactional id. */
const perId = (apply: (configuration: Configuration, world: World, id: number) => World | undefined): Action => ({
  forEach: (configuration, world, found) => {
    for (let id = 1; id <= configuration.transactionalIds; id++) {
      const next = apply(configuration, world, id)
      if (next !== undefined) found(next, [id])
    }
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
const hasOwner = (configuration: Configuration, world: World, id: number): boolean => {
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

/** In the order of the specification's `Next`. */
export const actions = {
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
  CoordinatorFailover
} as const satisfies Record<string, Action>
