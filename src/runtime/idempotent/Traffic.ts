/**
 * What makes a network move by itself: every request and every answer arrives after a delay from the run's random
 * source, in order on its connection.
 *
 * When a connection closes, what is left on it arrives on time, or much later, or from some request on never. All this
 * is one carrier fiber per connection and direction, which ends when there is nothing left to carry.
 */
import { Clock, Context, Effect, Layer, Queue, type Scope } from "effect"
import type { Partition } from "../../core/index.ts"
import { draw, randomStreams, type Range } from "../RandomStreams.ts"
import * as Network from "./Network.ts"

export interface Delays {
  readonly request: Range
  readonly response: Range
  /** How long after the closing of its connection a late request may arrive. */
  readonly late: number
  /** How likely what is left on a closed connection is late. */
  readonly lateness: number
  /** How likely a request that is left on a closed connection is lost, with all behind it. */
  readonly loss: number
}

/** What can be done to the network's traffic from outside. */
export class Traffic extends Context.Service<Traffic, {
  /** The next request that arrives on the partition's current connection is refused, if the leader would judge it. */
  readonly refuseNext: (partition: number, error: Partition.Refusal) => Effect.Effect<void>
  /** For so many milliseconds nothing arrives on the partition's connections, on either side. */
  readonly isolate: (partition: number, duration: number) => Effect.Effect<void>
  /** For so many milliseconds all that is sent on them takes ten times as long. */
  readonly slow: (partition: number, duration: number) => Effect.Effect<void>
}>()("keos/runtime/Traffic") {
  /** A network on which everything moves by itself. */
  static readonly layer = (options: Options): Layer.Layer<Network.Network | Traffic> =>
    Layer.effectContext(
      Effect.map(make(options), ({ network, traffic }) =>
        Context.make(Network.Network, network).pipe(Context.add(Traffic, traffic)))
    )
}

export interface Options {
  readonly partitions: number
  readonly delays: Delays
  /** Hears of every connection that breaks. */
  readonly disconnected?: (partition: number) => void
}

/** How many times as long a message takes on a slow connection. */
const slowness = 10

/** What is on one connection in one direction: when each message arrives at the earliest. */
interface Lane {
  readonly times: Array<number>
  latest: number
  running: boolean
  /** Nothing arrives before. */
  heldUntil: number
}

const makeLane = (): Lane => ({ times: [], latest: 0, running: false, heldUntil: 0 })

/** A network with one open connection per partition to broker 1, and its carriers, which end with the scope. */
export const make = Effect.fnUntraced(function*(
  { delays, disconnected, partitions }: Options
): Effect.fn.Return<
  { readonly network: Network.Network["Service"]; readonly traffic: Traffic["Service"] },
  never,
  Scope.Scope
> {
  const scope = yield* Effect.scope
  const clock = yield* Clock.Clock
  const streams = yield* randomStreams(partitions)
  const requestLanes = Array.from({ length: partitions }, () => new Map<number, Lane>())
  const responseLanes = Array.from({ length: partitions }, () => new Map<number, Lane>())
  const refusals = Array.from({ length: partitions }, (): Array<Partition.Refusal> => [])
  // A leader reads no further while a request waits, on one connection at most.
  const readOn = yield* Effect.all(Array.from({ length: partitions }, () => Queue.sliding<void>(1)))
  const isolatedUntil = refusals.map(() => 0)
  const slowUntil = refusals.map(() => 0)
  const laneOf = (lanes: Map<number, Lane>, connection: number): Lane => {
    let lane = lanes.get(connection)
    if (lane === undefined) lanes.set(connection, lane = makeLane())
    return lane
  }

  const waitFor = Effect.fnUntraced(function*(partition: number, lane: Lane) {
    for (;;) {
      const delay = Math.max(lane.times[0]!, lane.heldUntil, isolatedUntil[partition]!)
        - clock.currentTimeMillisUnsafe()
      if (delay <= 0) return
      yield* Effect.sleep(delay)
    }
  })

  /** The fate of what is left on a connection that is gone. */
  const strand = (partition: number, lane: Lane): void => {
    const next = streams[partition]!
    if (next() < delays.lateness) lane.heldUntil = clock.currentTimeMillisUnsafe() + draw(next, [0, delays.late])
  }

  const deliver = Effect.fnUntraced(function*(partition: number, connection: number) {
    if (network.connection(partition) === connection) {
      const error = refusals[partition]![0]
      if (error !== undefined && (yield* network.deliverRefused(partition, connection, error))) {
        refusals[partition]!.shift()
        return true
      }
    } else if (streams[partition]!() < delays.loss) {
      yield* network.lose(partition, (request) => request.connection === connection)
      return true
    }
    return yield* network.deliverRequest(partition, connection)
  })

  const carryRequests = Effect.fnUntraced(function*(partition: number, connection: number, lane: Lane) {
    while (network.arriving(partition, connection) !== undefined) {
      yield* waitFor(partition, lane)
      if (network.arriving(partition, connection) === undefined) break
      if (yield* deliver(partition, connection)) lane.times.shift()
      else if (network.arriving(partition, connection) !== undefined) yield* Queue.take(readOn[partition]!)
    }
    lane.times.length = 0
    lane.running = false
  })

  const carryResponses = Effect.fnUntraced(function*(partition: number, connection: number, lane: Lane) {
    while (network.answering(partition, connection) !== undefined) {
      yield* waitFor(partition, lane)
      if (network.answering(partition, connection) === undefined) break
      yield* network.deliverResponse(partition)
      lane.times.shift()
    }
    lane.times.length = 0
    lane.running = false
  })

  const enter = (partition: number, lane: Lane, range: Range, carry: () => Effect.Effect<void>): Effect.Effect<void> =>
    Effect.suspend(() => {
      const now = clock.currentTimeMillisUnsafe()
      const delay = draw(streams[partition]!, range) * (now < slowUntil[partition]! ? slowness : 1)
      lane.latest = Math.max(lane.latest, now + delay)
      lane.times.push(lane.latest)
      if (lane.running) return Effect.void
      lane.running = true
      return Effect.asVoid(Effect.forkIn(carry(), scope))
    })

  /** Keeps the later of two ends. */
  const lengthen = (ends: Array<number>, partition: number, duration: number): Effect.Effect<void> =>
    Effect.sync(() => {
      ends[partition] = Math.max(ends[partition]!, clock.currentTimeMillisUnsafe() + duration)
    })

  const network: Network.Network["Service"] = Network.make({
    partitions,
    observer: {
      requestSent: (partition, connection) => {
        const lane = laneOf(requestLanes[partition]!, connection)
        return enter(partition, lane, delays.request, () => carryRequests(partition, connection, lane))
      },
      responseSent: (partition, connection) => {
        const lane = laneOf(responseLanes[partition]!, connection)
        return enter(partition, lane, delays.response, () => carryResponses(partition, connection, lane))
      },
      closed: (partition, connection, by) =>
        Effect.sync(() => {
          if (by === "network") disconnected?.(partition)
          responseLanes[partition]!.delete(connection)
          strand(partition, laneOf(requestLanes[partition]!, connection))
        }),
      readable: (partition) => Effect.asVoid(Queue.offer(readOn[partition]!, undefined))
    }
  })
  return {
    network,
    traffic: Traffic.of({
      refuseNext: (partition, error) => Effect.sync(() => void refusals[partition]!.push(error)),
      isolate: (partition, duration) => lengthen(isolatedUntil, partition, duration),
      slow: (partition, duration) => lengthen(slowUntil, partition, duration)
    })
  }
})
