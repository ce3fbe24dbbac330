/**
 * The network between a producer and the leaders of its partitions: one connection per partition at a time, counted
 * from 0, as TCP keeps them.
 *
 * On a connection requests arrive in the order of sending and none arrives twice. When a connection closes, its answers
 * are lost, while what was sent on it may still arrive, in order, arbitrarily late; so copies come about only because the
 * producer sends again on the next connection. A request stays here until the broker takes it, which a broker with a
 * waiting request does not do.
 *
 * Nothing moves by itself in this module: `Traffic.ts` adds the delays.
 */
import { Context, Effect, Layer } from "effect"
import type { Partition, Producer } from "../../core/index.ts"

/** The broker's end of a partition's connections. Each call is one turn; whether it was possible. */
export interface BrokerEnd {
  /** The oldest request of the connection is there to be handled. */
  readonly deliver: (connection: number) => Effect.Effect<boolean>
  /** The same, to be refused with this error. */
  readonly refuse: (connection: number, error: Partition.Refusal) => Effect.Effect<boolean>
  /** The connection is gone. */
  readonly disconnected: (connection: number) => Effect.Effect<void>
}

/** The producer's end of all connections. */
export interface ProducerEnd {
  /** `acks` as it stands in every produce request. */
  readonly acks: Partition.Arrival["acks"]
  /** The oldest answer on the connection is there to be received. */
  readonly deliver: (partition: number, connection: number) => Effect.Effect<boolean>
  /** The connection is gone. */
  readonly disconnected: (partition: number, connection: number) => Effect.Effect<void>
}

/** Which end closes a connection; that end knows already, the others are told. */
export type Closer = "producer" | "broker" | "network"

/** What the delays are told. */
export interface Observer {
  readonly requestSent: (partition: number, connection: number) => Effect.Effect<void>
  readonly responseSent: (partition: number, connection: number) => Effect.Effect<void>
  readonly closed: (partition: number, connection: number, by: Closer) => Effect.Effect<void>
  /** The broker may read a request now that it did not read before. */
  readonly readable: (partition: number) => Effect.Effect<void>
}

/** Connections, what is on them, and the ways in which that moves. */
export class Network extends Context.Service<Network, {
  readonly attachProducer: (end: ProducerEnd) => Effect.Effect<void>
  readonly attachBroker: (partition: number, end: BrokerEnd) => Effect.Effect<void>

  /** The number of the current connection. */
  readonly connection: (partition: number) => number
  /** The broker that a connection leads to. */
  readonly leader: (partition: number, connection: number) => Partition.Broker
  /** Requests on the way on all connections, in the order of sending. */
  readonly requests: (partition: number) => ReadonlyArray<Producer.Request>
  /** Answers on the way on the current connection, oldest first. */
  readonly responses: (partition: number) => ReadonlyArray<Producer.Response>

  readonly send: (partition: number, request: Producer.Request) => Effect.Effect<void>
  /** What is sent on a connection that is gone is lost. */
  readonly respond: (partition: number, connection: number, response: Producer.Response) => Effect.Effect<void>
  /** Closes a connection if it is current; the next one leads to `leader`, or to where this one led. */
  readonly close: (
    partition: number,
    connection: number,
    options: { readonly by: Closer; readonly leader?: Partition.Broker }
  ) => Effect.Effect<boolean>
  /** Loses requests that are on the way. */
  readonly lose: (partition: number, isLost: (request: Producer.Request) => boolean) => Effect.Effect<void>

  /** The oldest request of a connection, as the broker finds it in its buffer. */
  readonly arriving: (partition: number, connection: number) => Partition.Arrival | undefined
  /** The broker may read what it did not read before. */
  readonly readable: (partition: number) => Effect.Effect<void>
  /** The broker has taken it. */
  readonly arrived: (partition: number, request: Producer.Request) => void
  /** The oldest answer of a connection, as the producer finds it in its buffer. */
  readonly answering: (partition: number, connection: number) => Producer.Response | undefined
  /** The producer has taken it. */
  readonly answered: (partition: number) => void

  /** Lets the oldest request of a connection arrive; `false` when there is none or the broker does not read it now. */
  readonly deliverRequest: (partition: number, connection: number) => Effect.Effect<boolean>
  /** The same, with the broker refusing it. */
  readonly deliverRefused: (
    partition: number,
    connection: number,
    error: Partition.Refusal
  ) => Effect.Effect<boolean>
  /** Lets the oldest answer of the current connection arrive. */
  readonly deliverResponse: (partition: number) => Effect.Effect<boolean>
  /** Breaks the current connection. */
  readonly disconnect: (partition: number) => Effect.Effect<boolean>
}>()("keos/runtime/Network") {
  /** A network on which nothing moves until it is told. */
  static readonly layerControlled = (options: { readonly partitions: number }): Layer.Layer<Network> =>
    Layer.sync(this, () => make(options))
}

interface Link {
  /** By connection number; the last one is current. */
  readonly leaders: Array<Partition.Broker>
  requests: ReadonlyArray<Producer.Request>
  responses: ReadonlyArray<Producer.Response>
  broker: BrokerEnd | undefined
}

const none: ReadonlyArray<never> = []

/** A network with one open connection per partition to broker 1. */
export const make = (
  { observer, partitions }: { readonly partitions: number; readonly observer?: Observer }
): Network["Service"] => {
  const links = Array.from(
    { length: partitions },
    (): Link => ({ leaders: [1], requests: none, responses: none, broker: undefined })
  )
  let producer: ProducerEnd | undefined

  const current = (link: Link): number => link.leaders.length - 1

  const arriving = (partition: number, connection: number): Partition.Arrival | undefined => {
    const link = links[partition]!
    const request = link.requests.find((candidate) => candidate.connection === connection)
    if (request === undefined) return undefined
    return { request, acks: producer!.acks, open: connection === current(link) }
  }

  const close = Effect.fnUntraced(function*(
    partition: number,
    connection: number,
    { by, leader }: { readonly by: Closer; readonly leader?: Partition.Broker }
  ) {
    const link = links[partition]!
    if (connection !== current(link)) return false
    link.leaders.push(leader ?? link.leaders[connection]!)
    link.responses = none
    if (observer !== undefined) yield* observer.closed(partition, connection, by)
    if (by !== "broker") yield* link.broker!.disconnected(connection)
    if (by !== "producer") yield* producer!.disconnected(partition, connection)
    return true
  })

  return Network.of({
    attachProducer: (end) =>
      Effect.sync(() => {
        producer = end
      }),
    attachBroker: (partition, end) =>
      Effect.sync(() => {
        links[partition]!.broker = end
      }),
    connection: (partition) => current(links[partition]!),
    leader: (partition, connection) => links[partition]!.leaders[connection]!,
    requests: (partition) => links[partition]!.requests,
    responses: (partition) => links[partition]!.responses,
    send: (partition, request) => {
      const link = links[partition]!
      return Effect.suspend(() => {
        link.requests = [...link.requests, request]
        return observer === undefined ? Effect.void : observer.requestSent(partition, request.connection)
      })
    },
    respond: (partition, connection, response) => {
      const link = links[partition]!
      return Effect.suspend(() => {
        if (connection !== current(link)) return Effect.void
        link.responses = [...link.responses, response]
        return observer === undefined ? Effect.void : observer.responseSent(partition, connection)
      })
    },
    close,
    lose: (partition, isLost) =>
      Effect.sync(() => {
        const link = links[partition]!
        if (link.requests.some(isLost)) link.requests = link.requests.filter((request) => !isLost(request))
      }),
    arriving,
    readable: (partition) => observer === undefined ? Effect.void : observer.readable(partition),
    arrived: (partition, request) => {
      const link = links[partition]!
      link.requests = link.requests.filter((other) => other !== request)
    },
    answering: (partition, connection) => {
      const link = links[partition]!
      return connection === current(link) ? link.responses[0] : undefined
    },
    answered: (partition) => {
      const link = links[partition]!
      link.responses = link.responses.slice(1)
    },
    deliverRequest: (partition, connection) => Effect.suspend(() => links[partition]!.broker!.deliver(connection)),
    deliverRefused: (partition, connection, error) =>
      Effect.suspend(() => links[partition]!.broker!.refuse(connection, error)),
    deliverResponse: (partition) => Effect.suspend(() => producer!.deliver(partition, current(links[partition]!))),
    disconnect: (partition) => Effect.suspend(() => close(partition, current(links[partition]!), { by: "network" }))
  })
}
