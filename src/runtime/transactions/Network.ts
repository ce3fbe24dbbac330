/**
 * The network of the transactional cluster: who is sent what, and whom an answer reaches.
 *
 * A message is known from its sending until nobody works on it any more. Its sender may stop waiting; then it stays where
 * it is and its answer reaches nobody. An answer is received when it is given: what can be lost or late is the message,
 * since losing an answer is nothing else than not waiting for it.
 *
 * Nothing moves by itself in this module, and nothing is decided: a message is delivered when somebody says so.
 */
import { Context, Effect } from "effect"
import {
  type Errors,
  type Partition,
  Sequence,
  type TransactionalProducer,
  type TransactionCoordinator
} from "../../core/index.ts"
import type { Exchanges, SentMarker, SentProduce, SentRequest } from "./Messages.ts"
import { live, makeExchanges } from "./Messages.ts"
import type { Setup } from "./Setup.ts"
import { clientNumbered } from "./Setup.ts"

/** The client's end: answers to what it waits for. Each call is one turn. */
export interface ClientEnd {
  readonly answered: (
    request: TransactionalProducer.Request,
    answer: TransactionalProducer.Answer
  ) => Effect.Effect<boolean>
  readonly produced: (produce: TransactionalProducer.Produce, error: Errors.Error) => Effect.Effect<boolean>
}

/** A coordinator's end. Its calls are turns where they say whether they were possible. */
export interface CoordinatorEnd {
  /** Where the coordinator is. */
  readonly broker: () => Partition.Broker
  /** The request is there. */
  readonly handle: (correlation: number) => Effect.Effect<boolean>
  /** A leader asks about this batch. */
  readonly verify: (correlation: number) => Effect.Effect<boolean>
  readonly acknowledged: (marker: TransactionCoordinator.Marker, error: Errors.Error) => Effect.Effect<boolean>
}

/** A leader's end. Its calls are turns where they say whether they were possible. */
export interface LeaderEnd {
  readonly broker: () => Partition.Broker
  /** The batch is there. */
  readonly handle: (correlation: number) => Effect.Effect<boolean>
  /** The coordinator has answered the question about this batch. No turn of its own: what follows from it is one. */
  readonly verified: (correlation: number, error: Errors.Error) => Effect.Effect<void>
  /** It is the turn of a batch that the coordinator has agreed to. */
  readonly append: (correlation: number) => Effect.Effect<boolean>
  /** The marker is there. */
  readonly mark: (correlation: number) => Effect.Effect<boolean>
}

/** The messages of the cluster, and the ways in which they move. */
export class Network extends Context.Service<Network, {
  readonly attachClient: (client: number, end: ClientEnd) => void
  readonly attachCoordinator: (id: number, end: CoordinatorEnd) => void
  readonly attachLeader: (partition: string, end: LeaderEnd) => void

  readonly requests: Exchanges<SentRequest>
  readonly produces: Exchanges<SentProduce>
  readonly markers: Exchanges<SentMarker>

  /** Sends a request to the coordinator of the moment. */
  readonly sendRequest: (client: number, request: TransactionalProducer.Request) => Effect.Effect<void>
  /** Sends a batch to the leader of the moment. */
  readonly sendProduce: (client: number, produce: TransactionalProducer.Produce) => Effect.Effect<void>
  /** Sends a marker to the leader of the moment. */
  readonly sendMarker: (id: number, marker: TransactionCoordinator.Marker) => Effect.Effect<void>

  readonly answerRequest: (correlation: number, answer: TransactionalProducer.Answer) => Effect.Effect<void>
  readonly answerProduce: (correlation: number, error: Errors.Error) => Effect.Effect<void>
  readonly answerMarker: (correlation: number, error: Errors.Error) => Effect.Effect<void>
  /** The coordinator answers a leader's question about a batch. */
  readonly answerVerification: (correlation: number, error: Errors.Error) => Effect.Effect<void>

  /** Lets a message that is on the way arrive; `false` when there is none such. */
  readonly deliverRequest: (
    client: number,
    copy: number,
    kind: TransactionalProducer.Request["kind"]
  ) => Effect.Effect<boolean>
  readonly deliverProduce: (client: number, partition: string, copy: number) => Effect.Effect<boolean>
  readonly deliverMarker: (id: number, partition: string, copy: number) => Effect.Effect<boolean>
  /** Lets the question of a leader arrive at the coordinator. */
  readonly deliverVerification: (client: number, partition: string, copy: number) => Effect.Effect<boolean>
  /** Lets the leader append a batch that the coordinator has agreed to. */
  readonly resumeProduce: (client: number, partition: string, copy: number) => Effect.Effect<boolean>

  /** The connection is lost on which the client waits for its coordinator; it learns that. `fault` is the copy's number. */
  readonly disconnectRequest: (client: number, fault: number) => Effect.Effect<boolean>
  readonly disconnectProduce: (client: number, partition: string, fault: number) => Effect.Effect<boolean>
  readonly disconnectMarker: (id: number, partition: string, fault: number) => Effect.Effect<boolean>
  /** The client waits for this batch no more; whether it did. It is not told. */
  readonly leaveProduce: (client: number, partition: string, fault: number) => boolean
  /** The client waits for nothing any more. */
  readonly leaveClient: (client: number, fault: number) => void
  /** The coordinator waits for no marker any more. */
  readonly leaveCoordinator: (id: number, fault: number) => void
}>()("keos/runtime/TransactionNetwork") {}

const disconnected: TransactionalProducer.Answer = {
  error: "NETWORK_EXCEPTION",
  producerId: Sequence.none,
  epoch: Sequence.none
}

const impossible = Effect.succeed(false)

/** A network without messages; the ends have to be attached before anything moves. */
export const make = (setup: Setup): Network["Service"] => {
  const clients = new Map<number, ClientEnd>()
  const coordinators = new Map<number, CoordinatorEnd>()
  const leaders = new Map<string, LeaderEnd>()
  const requests = makeExchanges<SentRequest>()
  const produces = makeExchanges<SentProduce>()
  const markers = makeExchanges<SentMarker>()

  const coordinatorOf = (client: number): CoordinatorEnd =>
    coordinators.get(clientNumbered(setup, client).transactionalId)!

  const produceAt = (client: number, partition: string, copy: number, stage?: SentProduce["stage"]) =>
    produces.find((sent) =>
      sent.client === client && sent.copy === copy && sent.produce.partition === partition
      && (stage === undefined || sent.stage === stage)
    )

  const markerAt = (id: number, partition: string, copy: number, stage?: SentMarker["stage"]) =>
    markers.find((sent) =>
      sent.id === id && sent.copy === copy && sent.marker.partition === partition
      && (stage === undefined || sent.stage === stage)
    )

  const whenFound = (
    correlation: number | undefined,
    deliver: (correlation: number) => Effect.Effect<boolean>
  ): Effect.Effect<boolean> => correlation === undefined ? impossible : deliver(correlation)

  const leave = <Sent extends { readonly copy: number }>(
    exchanges: Exchanges<Sent>,
    isLeft: (sent: Sent) => boolean,
    fault: number
  ): void => {
    const left: Array<number> = []
    for (const [correlation, sent] of exchanges.entries()) {
      if (sent.copy === live && isLeft(sent)) left.push(correlation)
    }
    for (const correlation of left) exchanges.change(correlation, { copy: fault } as Partial<Sent>)
  }

  const leaveProduce = (client: number, partition: string, fault: number): SentProduce | undefined => {
    const correlation = produceAt(client, partition, live)
    if (correlation === undefined) return undefined
    const sent = produces.get(correlation)!
    produces.change(correlation, { copy: fault })
    return sent
  }

  return Network.of({
    attachClient: (client, end) => void clients.set(client, end),
    attachCoordinator: (id, end) => void coordinators.set(id, end),
    attachLeader: (partition, end) => void leaders.set(partition, end),
    requests,
    produces,
    markers,
    sendRequest: (client, request) =>
      Effect.sync(() =>
        requests.open({ client, copy: live, broker: coordinatorOf(client).broker(), stage: "sent", request })
      ),
    sendProduce: (client, produce) =>
      Effect.sync(() =>
        produces.open({
          client,
          copy: live,
          broker: leaders.get(produce.partition)!.broker(),
          stage: "sent",
          guard: false,
          offset: Sequence.none,
          produce
        })
      ),
    sendMarker: (id, marker) =>
      Effect.sync(() =>
        markers.open({
          id,
          copy: live,
          broker: leaders.get(marker.partition)!.broker(),
          stage: "sent",
          offset: Sequence.none,
          marker
        })
      ),
    answerRequest: Effect.fnUntraced(function*(correlation, answer) {
      const sent = requests.close(correlation)
      if (sent?.copy === live) yield* clients.get(sent.client)!.answered(sent.request, answer)
    }),
    answerProduce: Effect.fnUntraced(function*(correlation, error) {
      const sent = produces.close(correlation)
      if (sent?.copy === live) yield* clients.get(sent.client)!.produced(sent.produce, error)
    }),
    answerMarker: Effect.fnUntraced(function*(correlation, error) {
      const sent = markers.close(correlation)
      if (sent?.copy === live) yield* coordinators.get(sent.id)!.acknowledged(sent.marker, error)
    }),
    answerVerification: (correlation, error) =>
      Effect.suspend(() => {
        const asked = produces.get(correlation)
        return asked === undefined
          ? Effect.void
          : leaders.get(asked.produce.partition)!.verified(correlation, error)
      }),
    deliverRequest: (client, copy, kind) =>
      whenFound(
        requests.find((sent) =>
          sent.client === client && sent.copy === copy && sent.stage === "sent" && sent.request.kind === kind
        ),
        coordinatorOf(client).handle
      ),
    deliverProduce: (client, partition, copy) =>
      whenFound(produceAt(client, partition, copy, "sent"), leaders.get(partition)!.handle),
    deliverMarker: (id, partition, copy) =>
      whenFound(markerAt(id, partition, copy, "sent"), leaders.get(partition)!.mark),
    deliverVerification: (client, partition, copy) =>
      whenFound(produceAt(client, partition, copy, "verifying"), coordinatorOf(client).verify),
    resumeProduce: (client, partition, copy) =>
      whenFound(produceAt(client, partition, copy, "verified"), leaders.get(partition)!.append),
    disconnectRequest: (client, fault) =>
      whenFound(requests.find((sent) => sent.client === client && sent.copy === live), (correlation) => {
        const { request } = requests.get(correlation)!
        requests.change(correlation, { copy: fault })
        return clients.get(client)!.answered(request, disconnected)
      }),
    disconnectProduce: (client, partition, fault) => {
      const left = leaveProduce(client, partition, fault)
      return left === undefined ? impossible : clients.get(client)!.produced(left.produce, disconnected.error)
    },
    disconnectMarker: (id, partition, fault) =>
      whenFound(markerAt(id, partition, live), (correlation) => {
        const { marker } = markers.get(correlation)!
        markers.change(correlation, { copy: fault })
        return coordinators.get(id)!.acknowledged(marker, disconnected.error)
      }),
    leaveProduce: (client, partition, fault) => leaveProduce(client, partition, fault) !== undefined,
    leaveClient: (client, fault) => {
      leave(requests, (sent) => sent.client === client, fault)
      leave(produces, (sent) => sent.client === client, fault)
    },
    leaveCoordinator: (id, fault) => leave(markers, (sent) => sent.id === id, fault)
  })
}
