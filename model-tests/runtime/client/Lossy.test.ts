import { assert, describe, it } from "@effect/vitest"
import { Data, Effect, Exit, Layer, Random, Scope } from "effect"
import { Cluster } from "../../../src/runtime/brokers/index.ts"
import type { ConsumerRecord } from "../../../src/runtime/client/ConsumerRecord.ts"
import * as Processing from "../../../src/runtime/client/Processing.ts"
import * as Producer from "../../../src/runtime/client/Producer.ts"
import { Connections, Disconnected } from "../../../src/runtime/client/Requests.ts"
import * as Serde from "../../../src/runtime/client/Serde.ts"
import { brokers, consumer, passing, put, text } from "./consuming.ts"

/** Every so many requests one is lost, or its answer; all of them take a while. */
const LOST_OF = 12

const lossy = Effect.map(Connections, (connections): Connections["Service"] => ({
  ...connections,
  send: (node, api, request) =>
    Effect.gen(function*() {
      const gone = new Disconnected({ node, api })
      yield* Effect.sleep(yield* Random.nextIntBetween(0, 30))
      const chance = yield* Random.nextIntBetween(0, 2 * LOST_OF)
      if (chance === 0) return yield* gone
      const answer = yield* connections.send(node, api, request)
      return chance === 1 ? yield* gone : answer
    })
}))

class Broken extends Data.TaggedError("Broken")<{}> {}

const values = Array.from({ length: 40 }, (_, i) => `v${i}`)

/** What readers of the output see in the end. */
const output = Effect.scoped(Effect.gen(function*() {
  const reader = yield* consumer({ "isolation.level": "read_committed" })
  yield* reader.assign([{ topic: "u", partition: 0 }])
  const found: Array<string> = []
  for (let quiet = 0; quiet < 3;) {
    const records = yield* reader.poll
    quiet = records.length === 0 ? quiet + 1 : 0
    found.push(...records.map(text))
  }
  return found
}))

/** Two instances of an application, on a bad network to brokers that stop, one of which is replaced in between. */
const story = Effect.fnUntraced(function*(guarantee: Processing.Guarantee) {
  const cluster = yield* Cluster.Cluster
  const connections = yield* lossy
  const transform = Effect.fnUntraced(function*(records: ReadonlyArray<ConsumerRecord>) {
    if ((yield* Random.nextIntBetween(0, 10)) === 0) return yield* new Broken()
    return records.map((record) => ({ topic: "u", value: text(record) }))
  })
  const start = (id: string) =>
    Effect.gen(function*() {
      const scope = yield* Scope.make()
      yield* Effect.gen(function*() {
        const reader = yield* consumer({
          "group.id": "g",
          "isolation.level": "read_committed",
          "session.timeout.ms": 6000,
          "heartbeat.interval.ms": 1000
        })
        yield* reader.subscribe(["t"])
        const transactional = guarantee === "exactly-once" ? { "transactional.id": id } : {}
        const producer = yield* Producer.make(transactional, { key: Serde.string, value: Serde.string })
        if (guarantee === "exactly-once") yield* producer.initTransactions
        const loop = Processing.run({ guarantee, consumer: reader, producer, transform })
        yield* Effect.forkScoped(Effect.retry(loop, { while: ({ _tag }) => _tag === "Broken" }))
      }).pipe(Effect.provideService(Connections, connections), Scope.provide(scope))
      return { stop: Scope.close(scope, Exit.void) }
    })
  const first = yield* start("first")
  yield* start("second")
  for (const [i, value] of values.entries()) {
    yield* put(i % 3, value)
    if (i === 8) yield* cluster.stop(1)
    if (i === 16) yield* cluster.start(1)
    if (i === 20) yield* first.stop
    if (i === 22) yield* start("third")
    if (i === 26) yield* cluster.stop(2)
    if (i === 34) yield* cluster.start(2)
    yield* Effect.sleep(400)
  }
  yield* Effect.sleep(120_000)
  return yield* output
})

const told = (guarantee: Processing.Guarantee, seed: number) =>
  passing(story(guarantee), 1000).pipe(Random.withSeed(seed), Effect.provide(Layer.fresh(brokers)))

const seeds = Array.from({ length: 10 }, (_, i) => i + 1)

describe("on a bad network", () => {
  for (const seed of seeds) {
    it.effect(`exactly-once: everything comes out once, seed ${seed}`, () =>
      Effect.gen(function*() {
        assert.deepStrictEqual((yield* told("exactly-once", seed)).toSorted(), values.toSorted())
      }), 60_000)
  }

  it.effect("at-least-once: nothing is missing, something is there twice", () =>
    Effect.gen(function*() {
      let twice = 0
      for (const seed of seeds.slice(0, 5)) {
        const found = yield* told("at-least-once", seed)
        assert.sameMembers([...new Set(found)], values)
        twice += found.length - values.length
      }
      assert.isAbove(twice, 0)
    }), 60_000)

  it.effect("at-most-once: nothing is there twice, something is missing", () =>
    Effect.gen(function*() {
      let missing = 0
      for (const seed of seeds.slice(0, 5)) {
        const found = yield* told("at-most-once", seed)
        assert.strictEqual(new Set(found).size, found.length)
        missing += values.length - found.length
      }
      assert.isAbove(missing, 0)
    }), 60_000)
})
