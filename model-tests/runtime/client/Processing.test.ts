import { assert, describe, it } from "@effect/vitest"
import { Data, Effect, Exit, Fiber, Scope } from "effect"
import { Cluster } from "../../../src/runtime/brokers/index.ts"
import type * as Consumer from "../../../src/runtime/client/Consumer.ts"
import type { ConsumerRecord } from "../../../src/runtime/client/ConsumerRecord.ts"
import * as Processing from "../../../src/runtime/client/Processing.ts"
import * as Producer from "../../../src/runtime/client/Producer.ts"
import * as Serde from "../../../src/runtime/client/Serde.ts"
import { brokers, consumer, passing, put, t, text } from "./consuming.ts"

const serdes = { key: Serde.string, value: Serde.string }
const isolation = { "isolation.level": "read_committed" } as const

const input = (over: Parameters<typeof consumer>[0] = {}) =>
  Effect.tap(
    consumer({ "group.id": "g", ...isolation, "max.poll.records": 2, ...over }),
    (reader) => reader.subscribe(["t"])
  )

const plain = Producer.make({}, serdes)
const transactional = Effect.tap(
  Producer.make({ "transactional.id": "x" }, serdes),
  (producer) => producer.initTransactions
)

const producing = (guarantee: Processing.Guarantee) => guarantee === "exactly-once" ? transactional : plain

/** In capitals, into topic `u`. */
const upper = (records: ReadonlyArray<ConsumerRecord>) =>
  Effect.succeed(records.map((record) => ({ topic: "u", value: text(record).toUpperCase() })))

class Broken extends Data.TaggedError("Broken")<{}> {}

/** What readers of the output see, until nothing more comes. */
const output = Effect.scoped(Effect.gen(function*() {
  const reader = yield* consumer(isolation)
  yield* reader.assign([{ topic: "u", partition: 0 }])
  const found: Array<string> = []
  for (let quiet = 0; quiet < 3;) {
    const records = yield* reader.poll
    quiet = records.length === 0 ? quiet + 1 : 0
    found.push(...records.map(text))
  }
  return found
}))

const committed = (reader: Consumer.Consumer["Service"]) =>
  Effect.map(reader.committed([t(0)]), ([found]) => found!.offset)

const guarantees: ReadonlyArray<Processing.Guarantee> = ["exactly-once", "at-least-once", "at-most-once"]

/** Takes steps until so many records went through. */
const steps = Effect.fnUntraced(function*<E>(
  options: Processing.Options<string, string, E, never>,
  count: number
) {
  for (let taken = 0; taken < count;) taken += yield* Processing.step(options)
})

describe("each guarantee", () => {
  for (const guarantee of guarantees) {
    it.effect(`${guarantee}: everything once, where nothing fails`, () =>
      passing(Effect.gen(function*() {
        yield* put(0, "a", "b", "c")
        const reader = yield* input()
        const producer = yield* producing(guarantee)
        const running = yield* Effect.forkChild(
          Processing.run({ guarantee, consumer: reader, producer, transform: upper })
        )
        yield* Effect.sleep(3000)
        yield* put(0, "d")
        yield* Effect.sleep(3000)
        yield* Fiber.interrupt(running)

        assert.deepStrictEqual(yield* output, ["A", "B", "C", "D"])
        assert.strictEqual(yield* committed(reader), 4)
      })).pipe(Effect.provide(brokers)))
  }
})

describe("a transformation that fails", () => {
  /** Fails once, when it comes to "b". */
  const failingOnce = () => {
    let hasFailed = false
    return (records: ReadonlyArray<ConsumerRecord>): ReturnType<typeof upper> | Effect.Effect<never, Broken> => {
      if (hasFailed || !records.some((record) => text(record) === "b")) return upper(records)
      hasFailed = true
      return Effect.fail(new Broken())
    }
  }
  const expected: Readonly<Record<Processing.Guarantee, ReadonlyArray<string>>> = {
    "exactly-once": ["A", "B", "C"],
    "at-least-once": ["A", "B", "C"],
    "at-most-once": ["A", "C"]
  }
  for (const guarantee of guarantees) {
    it.effect(`${guarantee}: is told, and the same consumer goes on with ${expected[guarantee].join("")}`, () =>
      passing(Effect.gen(function*() {
        yield* put(0, "a", "b", "c")
        const reader = yield* input({ "max.poll.records": 1 })
        const producer = yield* producing(guarantee)
        const options = { guarantee, consumer: reader, producer, transform: failingOnce() }

        assert.strictEqual((yield* Effect.flip(Processing.run(options)))._tag, "Broken")
        const goingOn = yield* Effect.forkChild(Processing.run(options))
        yield* Effect.sleep(3000)
        yield* Fiber.interrupt(goingOn)
        assert.deepStrictEqual(yield* output, expected[guarantee])
      })).pipe(Effect.provide(brokers)))
  }
})

describe("a crash between output and offsets", () => {
  /** The process ends when it is about to commit, or has just done so: nothing of it is closed. */
  const crashes = (guarantee: Processing.Guarantee) =>
    Effect.gen(function*() {
      const scope = yield* Scope.make()
      const reader = yield* Scope.provide(input(), scope)
      const producer = yield* Scope.provide(producing(guarantee), scope)
      const hang = <A>(before: Effect.Effect<A, never>) => Effect.andThen(before, Effect.never)
      const dying: typeof reader = {
        ...reader,
        commit: (offsets) => guarantee === "at-most-once" ? hang(Effect.orDie(reader.commit(offsets))) : Effect.never
      }
      const tired: typeof producer = { ...producer, sendOffsetsToTransaction: () => Effect.never }
      const crashing = yield* Effect.forkDetach(
        Processing.run({ guarantee, consumer: dying, producer: tired, transform: upper })
      )
      yield* Effect.sleep(3000)
      return crashing
    })
  const expected: Readonly<Record<Processing.Guarantee, ReadonlyArray<string>>> = {
    "exactly-once": ["A", "B", "C"],
    "at-least-once": ["A", "B", "A", "B", "C"],
    "at-most-once": ["C"]
  }
  for (const guarantee of guarantees) {
    it.effect(`${guarantee}: readers see ${expected[guarantee].join("")}`, () =>
      passing(Effect.gen(function*() {
        yield* put(0, "a", "b", "c")
        yield* crashes(guarantee)
        const reader = yield* input()
        const producer = yield* producing(guarantee)
        const running = yield* Effect.forkChild(
          Processing.run({ guarantee, consumer: reader, producer, transform: upper })
        )
        // The one that is gone has to be missed first.
        yield* Effect.sleep(400_000)
        yield* Fiber.interrupt(running)

        assert.deepStrictEqual(yield* output, expected[guarantee])
      })).pipe(Effect.provide(brokers)))
  }
})

describe("exactly-once", () => {
  const guarantee = "exactly-once"

  it.effect("survives brokers that stop, instances that come and go, and transformations that fail", () =>
    passing(Effect.gen(function*() {
      let calls = 0
      const transform = (
        records: ReadonlyArray<ConsumerRecord>
      ): ReturnType<typeof upper> | Effect.Effect<never, Broken> =>
        calls++ % 7 === 3 ? Effect.fail(new Broken()) : upper(records)
      const cluster = yield* Cluster.Cluster
      const values = Array.from({ length: 60 }, (_, i) => `v${i}`)
      const start = (id: string) =>
        Effect.gen(function*() {
          const scope = yield* Scope.make()
          const reader = yield* Scope.provide(
            input({ "session.timeout.ms": 6000, "heartbeat.interval.ms": 1000 }),
            scope
          )
          const producer = yield* Scope.provide(Producer.make({ "transactional.id": id }, serdes), scope)
          yield* producer.initTransactions
          yield* Effect.forkIn(
            Effect.retry(Processing.run({ guarantee, consumer: reader, producer, transform }), {
              while: ({ _tag }) => _tag === "Broken"
            }),
            scope
          )
          return { stop: Scope.close(scope, Exit.void) }
        })
      const first = yield* start("first")
      for (const [i, value] of values.entries()) {
        yield* put(i % 3, value)
        if (i === 10) yield* cluster.stop(1)
        if (i === 20) {
          yield* cluster.start(1)
          yield* start("second")
        }
        if (i === 35) yield* cluster.stop(2)
        if (i === 45) {
          yield* cluster.start(2)
          yield* first.stop
        }
        yield* Effect.sleep(500)
      }
      yield* Effect.sleep(60_000)

      const found = yield* output
      assert.sameMembers(found, values.map((value) => value.toUpperCase()))
      assert.lengthOf(found, values.length)
      assert.isAbove(calls, 20)
    })).pipe(Effect.provide(brokers)))

  it.effect("of a member that was given up for lost does not count", () =>
    passing(Effect.gen(function*() {
      yield* put(0, "a", "b")
      const slow = yield* input({ "max.poll.interval.ms": 10_000 })
      const slowProducer = yield* Producer.make({ "transactional.id": "slow" }, serdes)
      yield* slowProducer.initTransactions
      let runs = 0
      const late = yield* Effect.forkChild(Effect.flip(Processing.step({
        guarantee,
        consumer: slow,
        producer: slowProducer,
        transform: (records) => Effect.andThen(Effect.sleep(runs++ === 0 ? 30_000 : 0), upper(records))
      })))
      yield* Effect.sleep(15_000)
      const quick = yield* input()
      const producer = yield* transactional
      yield* steps({ guarantee, consumer: quick, producer, transform: upper }, 2)

      assert.strictEqual((yield* Fiber.join(late))._tag, "TransactionAbortable")
      assert.deepStrictEqual(yield* output, ["A", "B"])
    })).pipe(Effect.provide(brokers)))

  it.effect("is refused where a setting breaks it", () =>
    Effect.gen(function*() {
      const producer = yield* plain
      const refusal = (over: Parameters<typeof consumer>[0]) =>
        Effect.flatMap(input(over), (reader) =>
          Effect.flip(Processing.step({ guarantee, consumer: reader, producer, transform: upper })))

      assert.deepInclude(yield* refusal({ "enable.auto.commit": true }), {
        _tag: "ConfigException",
        property: "enable.auto.commit"
      })
      assert.deepInclude(yield* refusal({ "isolation.level": "read_uncommitted" }), {
        _tag: "ConfigException",
        property: "isolation.level"
      })
    }).pipe(Effect.provide(brokers)))

  it.effect("needs a producer that has transactions", () =>
    passing(Effect.gen(function*() {
      yield* put(0, "a")
      const reader = yield* input()
      const producer = yield* plain
      const found = yield* Effect.flip(Processing.run({ guarantee, consumer: reader, producer, transform: upper }))

      assert.strictEqual(found._tag, "IllegalState")
    })).pipe(Effect.provide(brokers)))
})
