import { assert, describe, it } from "@effect/vitest"
import { Cause, Effect, Exit, Fiber, Random, Result } from "effect"
import { TestClock } from "effect/testing"
import { Faults } from "../../../src/runtime/brokers/index.ts"
import type { Connections } from "../../../src/runtime/client/Requests.ts"

/** Brokers that count what they are asked. */
const counting = () => {
  let count = 0
  const connections: Connections["Service"] = {
    bootstrap: [1],
    send: () => Effect.sync(() => ({ brokers: [++count], partitions: [] }) as never)
  }
  return { connections, count: () => count }
}

const none: Faults.Faults = { lostRequest: 0, lostAnswer: 0, lateCopy: 0, lateMs: 5 }
const ask = (connections: Connections["Service"]) => Effect.result(connections.send(1, "Metadata", { topics: [] }))

describe("a lossy network", () => {
  const table: ReadonlyArray<readonly [Partial<Faults.Faults>, isAnswered: boolean, atOnce: number, later: number]> = [
    [{}, true, 1, 1],
    [{ lostRequest: 1 }, false, 0, 0],
    [{ lostAnswer: 1 }, false, 1, 1],
    [{ lateCopy: 1 }, false, 0, 1]
  ]
  for (const [faults, isAnswered, atOnce, later] of table) {
    it.effect(`with ${JSON.stringify(faults)}`, () =>
      Effect.gen(function*() {
        const brokers = counting()
        const connections = yield* Faults.lossy(brokers.connections, { ...none, ...faults })

        assert.strictEqual(Result.isSuccess(yield* ask(connections)), isAnswered)
        assert.strictEqual(brokers.count(), atOnce)
        yield* TestClock.adjust(10)
        assert.strictEqual(brokers.count(), later)
      }))
  }

  it.effect("does the same for the same seed, and not always the same", () =>
    Effect.gen(function*() {
      const run = Effect.gen(function*() {
        const connections = yield* Faults.lossy(counting().connections, { ...none, lostRequest: 0.5 })
        const answers = yield* Effect.forEach(Array.from({ length: 20 }), () => ask(connections))
        return answers.map(Result.isSuccess)
      }).pipe(Random.withSeed("seed"), Effect.scoped)

      const first = yield* run
      assert.deepStrictEqual(yield* run, first)
      assert.sameMembers([...new Set(first)], [true, false])
    }))
})

describe("a process that is killed", () => {
  it.effect("hears no answer and reaches nobody", () =>
    Effect.gen(function*() {
      const brokers = counting()
      const { connections, kill } = Faults.process({
        ...brokers.connections,
        send: (...asked) => Effect.delay(brokers.connections.send(...asked), 10)
      })
      const before = yield* Effect.forkChild(ask(connections), { startImmediately: true })
      yield* kill
      const after = yield* Effect.forkChild(ask(connections), { startImmediately: true })
      yield* TestClock.adjust(10)

      assert.strictEqual(brokers.count(), 1)
      for (const fiber of [before, after]) {
        const exit = yield* Fiber.await(fiber)
        assert.instanceOf(Exit.isFailure(exit) && Cause.squash(exit.cause), Faults.Killed)
      }
    }))
})
