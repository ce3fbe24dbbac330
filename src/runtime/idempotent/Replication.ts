/**
 * What the brokers do by themselves: the follower fetches, some time after it falls behind; and a request that waits for
 * replication can be made to wait too long.
 */
import { Effect, type Scope } from "effect"
import { Partition } from "../../core/index.ts"
import { draw, randomStreams, type Range } from "../RandomStreams.ts"
import * as Broker from "./Broker.ts"
import type { Network } from "./Network.ts"

/** Brokers with a life of their own. */
export interface Replicated {
  readonly broker: Broker.Broker["Service"]
  /** Makes the next request that waits for replication of the partition time out. */
  readonly timeOutNext: (partition: number) => Effect.Effect<void>
}

export interface Options extends Pick<Broker.Options, "replica" | "logs" | "stepped"> {
  /** How long the follower takes for a fetch. */
  readonly fetch: Range
}

/** Whether the follower lacks something that the leader has. */
export const isBehind = (partition: Partition.Partition): boolean =>
  Partition.replicaOf(partition, Partition.follower(partition)).log.length
    < Partition.leaderReplica(partition).log.length

/** Starts the brokers; they end with the scope. */
export const make = Effect.fnUntraced(function*(
  { fetch, logs, replica, stepped }: Options
): Effect.fn.Return<Replicated, never, Network | Scope.Scope> {
  const scope = yield* Effect.scope
  const streams = yield* randomStreams(logs.length)
  const fetching = logs.map(() => false)
  const toTimeOut = logs.map(() => 0)

  const fetchLater = Effect.fnUntraced(function*(partition: number) {
    yield* Effect.sleep(draw(streams[partition]!, fetch))
    fetching[partition] = false
    yield* broker.post(partition, { _tag: "Replicate" })
  })

  const turned = Effect.fnUntraced(function*(partition: number, state: Partition.Partition) {
    if (toTimeOut[partition]! > 0 && state.delayed !== undefined) {
      toTimeOut[partition]!--
      yield* broker.post(partition, { _tag: "TimeOutProduce" })
    }
    if (fetching[partition] || !isBehind(state)) return
    fetching[partition] = true
    yield* Effect.forkIn(fetchLater(partition), scope)
  })

  const broker: Broker.Broker["Service"] = yield* Broker.make({
    replica,
    logs,
    turned,
    ...(stepped === undefined ? {} : { stepped })
  })
  return {
    broker,
    timeOutNext: (partition) =>
      Effect.suspend(() => {
        if (broker.partition(partition).delayed !== undefined) {
          return broker.post(partition, { _tag: "TimeOutProduce" })
        }
        toTimeOut[partition]!++
        return Effect.void
      })
  }
})
