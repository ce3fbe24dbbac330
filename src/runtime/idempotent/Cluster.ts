/**
 * A whole cluster that lives by itself: a producer, the network, the partitions' leaders and followers; and the faults
 * that can be made to happen to it.
 *
 * With the clock, the scheduler and the random source of a simulation, what it does is a function of their seed and of
 * when it is asked to do what.
 */
import { Context, Effect, Layer, type Scope } from "effect"
import type { Partition } from "../../core/index.ts"
import type { Range } from "../RandomStreams.ts"
import type * as Broker from "./Broker.ts"
import * as Initial from "./Initial.ts"
import * as Network from "./Network.ts"
import * as Producer from "./Producer.ts"
import type * as ProducerHost from "./ProducerHost.ts"
import * as Replication from "./Replication.ts"
import * as Traffic from "./Traffic.ts"

/** A step that a role took: an action of the specification, and for a refusal the error. */
export interface Taken {
  readonly action: string
  readonly error?: Partition.Refusal
}

export interface Options extends Omit<Producer.Options, "stepped"> {
  readonly delays: Traffic.Delays
  /** How long a follower takes for a fetch. */
  readonly fetch: Range
  /** Hears of every step of every role. */
  readonly taken?: (taken: Taken) => void
}

/** What can go wrong, under the names of the specification; a batch expires by `delivery.timeout.ms` alone. */
export type Fault =
  | {
    readonly _tag: "Disconnect" | "TimeOutProduce" | "LeaderChange" | "RestartLeader" | "ExpireProducerState"
    readonly partition: number
  }
  /** The next request that arrives is refused. */
  | { readonly _tag: Partition.Refusal; readonly partition: number }
  | { readonly _tag: "RestartProducer" }
  /** Every partition that the broker leads: its leader moves, or forgets what it had not stored. */
  | { readonly _tag: "CrashBroker" | "RestartBroker"; readonly broker: Partition.Broker }
  /** For some milliseconds nothing gets through between producer and leader, or everything is slow. */
  | { readonly _tag: "Isolate" | "Slow"; readonly partition: number; readonly duration: number }

/** What the roles are told and the specification has no action for. */
const unnamed: ReadonlySet<string> = new Set(["Enqueue", "Wake", "Disconnect"])

/** The cluster. */
export class Cluster extends Context.Service<Cluster, {
  readonly producer: Producer.Producer["Service"]
  readonly broker: Broker.Broker["Service"]
  readonly network: Network.Network["Service"]
  /** Lets a fault happen now, or at the next occasion. */
  readonly fault: (fault: Fault) => Effect.Effect<void>
  /** Nothing is on the way, nothing waits for an outcome, and followers have what leaders have. */
  readonly isAtRest: () => boolean
}>()("keos/runtime/Cluster") {
  static readonly layer = (options: Options): Layer.Layer<Cluster> => Layer.effect(this, make(options))
}

/** Starts a cluster; it ends with the scope. */
export const make = Effect.fnUntraced(function*(
  options: Options
): Effect.fn.Return<Cluster["Service"], never, Scope.Scope> {
  const { delays, fetch, partitions, replica, taken, ...rest } = options
  const heard = (message: ProducerHost.Message | Broker.Message): void => {
    if (unnamed.has(message._tag)) return
    if (message._tag === "RefuseProduce") taken?.({ action: message._tag, error: message.error })
    else taken?.({ action: message._tag === "Restart" ? "RestartProducer" : message._tag })
  }
  const watched = taken !== undefined
  const { network, traffic } = yield* Traffic.make({
    partitions,
    delays,
    ...(watched ? { disconnected: () => taken({ action: "Disconnect" }) } : {})
  })
  const connected = Effect.provideService(Network.Network, network)
  const { broker, timeOutNext } = yield* connected(Replication.make({
    replica,
    logs: Initial.logs(options),
    fetch,
    ...(watched ? { stepped: (_: number, message: Broker.Message) => heard(message) } : {})
  }))
  const producer = yield* connected(Producer.make({
    ...rest,
    partitions,
    replica,
    ...(watched ? { stepped: heard } : {})
  }))

  /** Every partition that the broker leads takes this turn. */
  const everywhere = Effect.fnUntraced(function*(crashed: Partition.Broker, _tag: "LeaderChange" | "RestartLeader") {
    for (let partition = 0; partition < partitions; partition++) {
      if (broker.partition(partition).leader === crashed) yield* broker.turn(partition, { _tag })
    }
  })

  const fault = (fault: Fault): Effect.Effect<void> => {
    switch (fault._tag) {
      case "Disconnect":
        return Effect.asVoid(network.disconnect(fault.partition))
      case "TimeOutProduce":
        return timeOutNext(fault.partition)
      case "LeaderChange":
      case "RestartLeader":
      case "ExpireProducerState":
        return Effect.asVoid(broker.turn(fault.partition, { _tag: fault._tag }))
      case "RestartProducer":
        return producer.restart
      case "CrashBroker":
        return everywhere(fault.broker, "LeaderChange")
      case "RestartBroker":
        return everywhere(fault.broker, "RestartLeader")
      case "Isolate":
        return traffic.isolate(fault.partition, fault.duration)
      case "Slow":
        return traffic.slow(fault.partition, fault.duration)
      default:
        return traffic.refuseNext(fault.partition, fault._tag)
    }
  }

  const isAtRest = (): boolean => {
    if (producer.undecided() > 0) return false
    for (let partition = 0; partition < partitions; partition++) {
      if (network.requests(partition).length > 0 || network.responses(partition).length > 0) return false
      if (Replication.isBehind(broker.partition(partition))) return false
    }
    return true
  }

  return Cluster.of({ producer, broker, network, fault, isAtRest })
})
