/**
 * A cluster on which nothing happens until it is told: every action of the specification is one call, which runs the
 * fibers until they rest.
 *
 * The hosts, mailboxes and connections are those of the autonomous cluster; only delays, timers and the sender's loop
 * are absent. A snapshot has the fields of the world that the specification describes, but for the fault budget, which
 * is the caller's.
 */
import { Context, Effect, Exit, Scope } from "effect"
import type { Partition, Producer, Replica } from "../../core/index.ts"
import * as Simulation from "../Simulation.ts"
import * as Broker from "./Broker.ts"
import * as Initial from "./Initial.ts"
import * as Network from "./Network.ts"
import * as ProducerHost from "./ProducerHost.ts"

/** An action of the specification; `partition` is a partition number, `connection` the count of earlier ones. */
export type Action =
  | { readonly _tag: "Send"; readonly partition: number }
  | { readonly _tag: "Resend"; readonly partition: number }
  | { readonly _tag: "ReceiveResponse"; readonly partition: number }
  | { readonly _tag: "ExpireBatch"; readonly partition: number; readonly batch: number }
  | { readonly _tag: "ResolveSequences"; readonly partition: number }
  | { readonly _tag: "BumpEpoch" }
  | { readonly _tag: "RestartProducer" }
  | { readonly _tag: "Disconnect"; readonly partition: number }
  | { readonly _tag: "HandleProduce"; readonly partition: number; readonly connection: number }
  | {
    readonly _tag: "RefuseProduce"
    readonly partition: number
    readonly connection: number
    readonly error: Partition.Refusal
  }
  | { readonly _tag: "TimeOutProduce"; readonly partition: number }
  | { readonly _tag: "Replicate"; readonly partition: number }
  | { readonly _tag: "LeaderChange"; readonly partition: number }
  | { readonly _tag: "RestartLeader"; readonly partition: number }
  | { readonly _tag: "ExpireProducerState"; readonly partition: number }

/** The state of the whole cluster; all lists are by partition number. */
export interface Snapshot {
  readonly producer: Producer.Producer
  readonly outcomes: ReadonlyArray<ProducerHost.Outcomes>
  /** Requests on the way, in the order of sending. */
  readonly requests: ReadonlyArray<ReadonlyArray<Producer.Request>>
  /** Answers on the way on the current connection. */
  readonly responses: ReadonlyArray<ReadonlyArray<Producer.Response>>
  readonly partitions: ReadonlyArray<Partition.Partition>
}

export interface Options extends Initial.Options {
  /** Decides in which order fibers that are ready at once continue; the state at rest must not depend on it. */
  readonly seed?: number
}

export interface Controlled {
  /** Hands a batch over to the producer. Its number is new on the partition and above all earlier ones. */
  readonly enqueue: (partition: number, batch: number, records: ReadonlyArray<Replica.Payload>) => void
  /** Performs an action and lets everything that follows from it happen; `false` when it is not possible. */
  readonly perform: (action: Action) => boolean
  /** The state at rest. Parts that did not change since the last snapshot are the same objects. */
  readonly snapshot: () => Snapshot
  /** Ends the fibers. */
  readonly close: () => void
}

/** Starts a cluster in its initial state. */
export const make = (options: Options): Controlled => {
  const { settled } = Simulation.make({ seed: options.seed ?? 0 })
  const scope = Scope.makeUnsafe()
  const network = Network.make({ partitions: options.partitions })
  const context = Context.make(Network.Network, network).pipe(Context.add(Scope.Scope, scope))

  const [broker, host] = settled(Effect.provideContext(
    Effect.gen(function*() {
      const broker = yield* Broker.make({ replica: options.replica, logs: Initial.logs(options) })
      const host = yield* ProducerHost.make({ sender: options.sender, initial: Initial.producer(options) })
      return [broker, host] as const
    }),
    context
  ))

  /** Only a connection with something on it is worth breaking. */
  const isUsed = (partition: number): boolean => {
    const { connection, inFlight } = host.producer().senders[partition]!
    return inFlight.length > 0 || network.arriving(partition, connection) !== undefined
  }

  const effectOf = (action: Action): Effect.Effect<boolean> => {
    switch (action._tag) {
      case "Send":
      case "Resend":
      case "ExpireBatch":
      case "ResolveSequences":
      case "BumpEpoch":
        return host.turn(action)
      case "RestartProducer":
        return host.turn({ _tag: "Restart" })
      case "ReceiveResponse":
        return network.deliverResponse(action.partition)
      case "Disconnect":
        return isUsed(action.partition) ? network.disconnect(action.partition) : Effect.succeed(false)
      case "HandleProduce":
        return network.deliverRequest(action.partition, action.connection)
      case "RefuseProduce":
        return network.deliverRefused(action.partition, action.connection, action.error)
      default:
        return broker.turn(action.partition, action)
    }
  }

  const numbers = Array.from({ length: options.partitions }, (_, partition) => partition)

  return {
    enqueue: (partition, batch, records) => {
      settled(host.turn({ _tag: "Enqueue", partition, batch, records }))
    },
    perform: (action) => settled(effectOf(action)),
    snapshot: () => ({
      producer: host.producer(),
      outcomes: numbers.map(host.outcomes),
      requests: numbers.map(network.requests),
      responses: numbers.map(network.responses),
      partitions: numbers.map(broker.partition)
    }),
    close: () => settled(Scope.close(scope, Exit.void))
  }
}
