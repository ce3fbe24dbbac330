/**
 * A whole cluster that lives by itself: a producer, the network, the partitions' leaders and followers; and the faults
 * that can be made to happen to it.
 *
 * With the clock, the scheduler and the random source of a simulation, what it does is a function of their seed and of
 * when it is asked to do what.
 */
import { Context, Effect, Layer, type Scope } from "effect"
import type { Partition } from "../core/index.ts"
import type { Broker } from "./Broker.ts"
import * as Initial from "./Initial.ts"
import * as Network from "./Network.ts"
import * as Producer from "./Producer.ts"
import * as Replication from "./Replication.ts"
import * as Traffic from "./Traffic.ts"

export interface Options extends Producer.Options {
  readonly delays: Traffic.Delays
  /** How long a follower takes for a fetch. */
  readonly fetch: Traffic.Range
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

/** The cluster. */
export class Cluster extends Context.Service<Cluster, {
  readonly producer: Producer.Producer["Service"]
  readonly broker: Broker["Service"]
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
  const { delays, fetch, partitions, replica } = options
  const { network, traffic } = yield* Traffic.make({ partitions, delays })
  const connected = Effect.provideService(Network.Network, network)
  const { broker, timeOutNext } = yield* connected(Replication.make({ replica, logs: Initial.logs(options), fetch }))
  const producer = yield* connected(Producer.make(options))

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
