import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import { TestClock } from "effect/testing"
import * as Sinks from "../../../src/runtime/sinks/index.ts"

const { Sink, SinkMember } = Sinks

const partition = { topic: "inputs", partition: 0 }
const record: Sinks.Sink.SinkRecord = { ...partition, offset: 5, key: null, value: "output" }
const fenced = new Sink.SinkFenced({ group: "group", generation: 1 })
const failure = (retryable: boolean) => new Sink.SinkFailure({ operation: "deliver", retryable, cause: "no answer" })

type Answer = Sinks.Sink.SinkFenced | Sinks.Sink.SinkFailure | undefined

/** A sink that answers as it is told, and then always well; what it was asked is in `calls`. */
const scripted = (...answers: ReadonlyArray<Answer>) => {
  const calls: Array<string> = []
  const rest = [...answers]
  const answer = (call: string): Effect.Effect<void, Sinks.Sink.SinkFenced | Sinks.Sink.SinkFailure> =>
    Effect.suspend(() => {
      calls.push(call)
      const error = rest.shift()
      return error === undefined ? Effect.void : Effect.fail(error)
    })
  const sink = Sink.Sink.of({
    fence: (generation) => answer(`fence ${generation}`),
    positions: () =>
      Effect.sync(() => {
        calls.push("positions")
        return [{ ...partition, offset: 5 }]
      }),
    deliver: (records, generation) => answer(`deliver ${records.map(({ offset }) => offset).join()} in ${generation}`)
  })
  return { calls, sink }
}

describe("a member", () => {
  it.effect("raises the fence, reads the positions, seeks, and delivers what it polls until it is fenced", () =>
    Effect.gen(function*() {
      const { calls, sink } = scripted(undefined, undefined, undefined, fenced)
      const error = yield* SinkMember.run({
        generation: 3,
        partitions: [partition],
        seek: ([position]) => Effect.sync(() => void calls.push(`seek ${position?.offset}`)),
        poll: Effect.sync(() => {
          calls.push("poll")
          return [record]
        })
      }).pipe(Effect.provideService(Sink.Sink, sink), Effect.flip)

      assert.strictEqual(error, fenced)
      assert.deepStrictEqual(calls, [
        "fence 3",
        "positions",
        "seek 5",
        ...Array.from({ length: 3 }, () => ["poll", "deliver 5 in 3"]).flat()
      ])
    }))

  it.effect("delivers again while the outcome is unknown, later each time", () =>
    Effect.gen(function*() {
      const { calls, sink } = scripted(failure(true), failure(true), failure(true))
      const fiber = yield* Effect.forkChild(
        SinkMember.deliver([record], 1).pipe(Effect.provideService(Sink.Sink, sink))
      )
      yield* TestClock.adjust("50 millis")
      assert.strictEqual(calls.length, 1)
      yield* TestClock.adjust("1 minute")
      yield* Fiber.join(fiber)

      assert.deepStrictEqual(calls, Array.from({ length: 4 }, () => "deliver 5 in 1"))
    }))

  it.effect("never waits longer than some seconds", () =>
    Effect.gen(function*() {
      const attempts = 40
      const { calls, sink } = scripted(...Array.from({ length: attempts }, () => failure(true)))
      const fiber = yield* Effect.forkChild(
        SinkMember.deliver([record], 1).pipe(Effect.provideService(Sink.Sink, sink))
      )
      yield* TestClock.adjust(`${attempts * 12} seconds`)
      yield* Fiber.join(fiber)

      assert.strictEqual(calls.length, attempts + 1)
    }))

  it.effect("gives up what cannot succeed", () =>
    Effect.gen(function*() {
      for (const error of [fenced, failure(false)]) {
        const { calls, sink } = scripted(error)
        const found = yield* SinkMember.assigned(1, [partition]).pipe(
          Effect.provideService(Sink.Sink, sink),
          Effect.flip
        )

        assert.strictEqual(found, error)
        assert.deepStrictEqual(calls, ["fence 1"])
      }
    }))
})

describe("errors of a sink", () => {
  it("say what happened", () => {
    assert.strictEqual(
      fenced.message,
      "generation 1 of group group is not the newest that has opened the storage"
    )
    assert.strictEqual(failure(true).message, "deliver failed: no answer")
  })
})
