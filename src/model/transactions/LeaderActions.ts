/**
 * The actions of partition leaders: batches and markers that arrive, replication, and a new leader.
 */
import type { TransactionalPartition, TransactionCoordinator } from "../../core/index.ts"
import * as Choice from "../Choice.ts"
import type { Configuration } from "./Configuration.ts"
import { answerBelow, coordinate, exchanged, mayFail, perProduce, placeOf, serve, withFault } from "./Turns.ts"
import type { World } from "./World.ts"
import { live } from "./World.ts"

type Action = Choice.Action<Configuration, World>

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

/** In the order of the specification's `Next`. */
export const actions = {
  HandleProduce,
  AppendVerified,
  HandleMarker,
  DisconnectMarker,
  Replicate,
  LeaderChange
} as const satisfies Record<string, Action>
