import { Effect, Exit } from "effect"
import { assert, describe, it } from "vitest"
import type { Producer } from "../../../src/core/index.ts"
import { Network, Traffic } from "../../../src/runtime/idempotent/index.ts"
import { Simulation } from "../../../src/runtime/index.ts"

const request = (batch: number, connection: number, broker: 1 | 2 = 1): Producer.Request => ({
  batch,
  connection,
  broker,
  records: [batch],
  producerId: 1,
  epoch: 0,
  sequence: batch
})

interface Ends {
  /** What happened at either end, in order. */
  readonly events: Array<string>
  /** While true, the broker reads nothing from the open connection. */
  muted: boolean
}

/** Ends that take everything and write it down. */
const attach = Effect.fnUntraced(function*(network: Network.Network["Service"]) {
  const ends: Ends = { events: [], muted: false }
  const { events } = ends
  yield* network.attachBroker(0, {
    deliver: (connection) =>
      Effect.sync(() => {
        const arrival = network.arriving(0, connection)
        if (arrival === undefined || (arrival.open && ends.muted)) return false
        network.arrived(0, arrival.request)
        events.push(`${connection}:${arrival.request.batch}${arrival.open ? "" : " late"}`)
        return true
      }),
    refuse: () => Effect.succeed(false),
    disconnected: (connection) => Effect.sync(() => void events.push(`broker lost ${connection}`))
  })
  yield* network.attachProducer({
    acks: "all",
    deliver: (partition, connection) =>
      Effect.sync(() => {
        const response = network.answering(partition, connection)
        if (response === undefined) return false
        network.answered(partition)
        events.push(`answer ${response.batch}`)
        return true
      }),
    disconnected: (_partition, connection) => Effect.sync(() => void events.push(`producer lost ${connection}`))
  })
  return ends
})

const delays: Traffic.Delays = { request: [1, 20], response: [1, 20], late: 1_000, lateness: 1, loss: 0 }

/** Runs on a network that moves by itself. */
const simulated = <A>(
  seed: number,
  body: (network: Network.Network["Service"], ends: Ends) => Effect.Effect<A>,
  options: Traffic.Delays = delays
): A => {
  const program = Effect.gen(function*() {
    const { network } = yield* Traffic.make({ partitions: 1, delays: options })
    return yield* body(network, yield* attach(network))
  })
  const exit = Simulation.run(Effect.scoped(program), { seed })
  return Exit.isSuccess(exit) ? exit.value : assert.fail(String(exit))
}

const seeds = Array.from({ length: 50 }, (_, seed) => seed)

describe("a controlled network", () => {
  it("moves nothing by itself, and then in order on each connection", () => {
    const simulation = Simulation.make({ seed: 1 })
    const network = Network.make({ partitions: 1 })
    const program = Effect.gen(function*() {
      const { events } = yield* attach(network)
      for (const batch of [1, 2]) yield* network.send(0, request(batch, 0))
      yield* network.disconnect(0)
      for (const batch of [3, 4]) yield* network.send(0, request(batch, 1))
      yield* Effect.yieldNow
      assert.deepStrictEqual(events, ["broker lost 0", "producer lost 0"])
      assert.deepStrictEqual(network.requests(0).map(({ batch }) => batch), [1, 2, 3, 4])
      for (const connection of [1, 0, 0, 1, 0, 2]) yield* network.deliverRequest(0, connection)
      return events.slice(2)
    })

    assert.deepStrictEqual(simulation.run(program), Exit.succeed(["1:3", "0:1 late", "0:2 late", "1:4"]))
  })

  it("loses the answers on a connection that closes, and those that come after", () => {
    const network = Network.make({ partitions: 1 })
    const program = Effect.gen(function*() {
      yield* attach(network)
      yield* network.respond(0, 0, { batch: 1, error: "NONE", offset: 0 })
      yield* network.disconnect(0)
      yield* network.respond(0, 0, { batch: 2, error: "NONE", offset: 1 })
      return network.responses(0)
    })

    assert.deepStrictEqual(Simulation.run(program, { seed: 1 }), Exit.succeed([]))
  })

  it("closes a connection once, and leads the next one where it is told", () => {
    const network = Network.make({ partitions: 1 })
    const program = Effect.gen(function*() {
      const { events } = yield* attach(network)
      const first = yield* network.close(0, 0, { by: "broker", leader: 2 })
      const second = yield* network.close(0, 0, { by: "network" })
      return [first, second, network.connection(0), network.leader(0, 0), network.leader(0, 1), events.join()]
    })

    const expected = [true, false, 1, 1, 2, "producer lost 0"]
    assert.deepStrictEqual(Simulation.run(program, { seed: 1 }), Exit.succeed(expected))
  })
})

describe("a network with traffic", () => {
  it("delivers in the order of sending on a connection, whatever the delays", () => {
    for (const seed of seeds) {
      const events = simulated(seed, (network, { events }) =>
        Effect.gen(function*() {
          for (let batch = 0; batch < 10; batch++) {
            yield* network.send(0, request(batch, 0))
            yield* Effect.sleep(batch % 3)
          }
          yield* Effect.sleep(1_000)
          return events
        }))

      assert.deepStrictEqual(events, Array.from({ length: 10 }, (_, batch) => `0:${batch}`))
    }
  })

  it("delivers late copies in order among themselves, before and after those of the next connection", () => {
    const overtaken = seeds.filter((seed) => {
      const events = simulated(seed, (network, { events }) =>
        Effect.gen(function*() {
          for (const batch of [1, 2]) yield* network.send(0, request(batch, 0))
          yield* network.disconnect(0)
          for (const batch of [1, 2]) yield* network.send(0, request(batch, 1))
          yield* Effect.sleep(5_000)
          return events.slice(2)
        }))
      assert.deepStrictEqual(events.filter((event) => event.startsWith("0:")), ["0:1 late", "0:2 late"])
      assert.deepStrictEqual(events.filter((event) => event.startsWith("1:")), ["1:1", "1:2"])
      return events[0] === "1:1"
    })

    assert.isAbove(overtaken.length, 0)
    assert.isBelow(overtaken.length, seeds.length + 1)
  })

  it("keeps a request that the broker does not read, until it does", () => {
    const events = simulated(1, (network, ends) =>
      Effect.gen(function*() {
        ends.muted = true
        yield* network.send(0, request(1, 0))
        yield* Effect.sleep(500)
        ends.events.push(`waiting ${network.requests(0).length}`)
        ends.muted = false
        yield* network.readable(0)
        yield* Effect.sleep(500)
        return ends.events
      }))

    assert.deepStrictEqual(events, ["waiting 1", "0:1"])
  })

  it("loses what is left on a closed connection when told to", () => {
    const events = simulated(1, (network, { events }) =>
      Effect.gen(function*() {
        for (const batch of [1, 2, 3]) yield* network.send(0, request(batch, 0))
        yield* network.disconnect(0)
        yield* Effect.sleep(5_000)
        return [...events, network.requests(0).length]
      }), { ...delays, loss: 1 })

    assert.deepStrictEqual(events, ["broker lost 0", "producer lost 0", 0])
  })
})
