import { Clock, Deferred, Effect, Exit, Fiber, Queue, Random } from "effect"
import { assert, describe, it } from "vitest"
import { Simulation } from "../../src/runtime/index.ts"

/** Four fibers that sleep for random times and report through one queue. */
const race = Effect.gen(function*() {
  const reports = yield* Queue.unbounded<string>()
  const racer = Effect.fnUntraced(function*(name: string) {
    for (let lap = 0; lap < 5; lap++) {
      yield* Effect.sleep(yield* Random.nextIntBetween(0, 3))
      yield* Queue.offer(reports, `${name}${lap} at ${yield* Clock.currentTimeMillis}`)
    }
  })
  for (const name of ["a", "b", "c", "d"]) yield* Effect.forkChild(racer(name))
  const events: Array<string> = []
  while (events.length < 20) events.push(yield* Queue.take(reports))
  return events
})

const run = <A>(effect: Effect.Effect<A>, seed: number): A => {
  const exit = Simulation.run(effect, { seed })
  return Exit.isSuccess(exit) ? exit.value : assert.fail(String(exit))
}

const raced = (seed: number): ReadonlyArray<string> => run(race, seed)

describe("a simulation", () => {
  it("gives the same events for the same seed", () => {
    for (let seed = 0; seed < 20; seed++) assert.deepStrictEqual(raced(seed), raced(seed))
  })

  it("gives other events for other seeds", () => {
    const orders = new Set(Array.from({ length: 20 }, (_, seed) => raced(seed).join()))

    assert.strictEqual(orders.size, 20)
  })

  it("lets fibers that are ready at once continue in an order that the seed decides", () => {
    const order = Effect.gen(function*() {
      const names: Array<string> = []
      const fibers: Array<Fiber.Fiber<void>> = []
      for (const name of ["a", "b", "c"]) {
        fibers.push(yield* Effect.forkChild(Effect.andThen(Effect.sleep(5), Effect.sync(() => void names.push(name)))))
      }
      for (const fiber of fibers) yield* Fiber.join(fiber)
      return names.join("")
    })

    const seen = new Set(Array.from({ length: 60 }, (_, seed) => run(order, seed)))

    assert.strictEqual(seen.size, 6)
  })

  it("lets a day pass at once", () => {
    const exit = Simulation.run(Effect.andThen(Effect.sleep("1 day"), Clock.currentTimeMillis), { seed: 1 })

    assert.deepStrictEqual(exit, Exit.succeed(86_400_000))
  })

  it("forgets the timer of an interrupted fiber", () => {
    const program = Effect.gen(function*() {
      const sleeper = yield* Effect.forkChild(Effect.sleep("1 hour"))
      yield* Effect.sleep("1 second")
      yield* Fiber.interrupt(sleeper)
    })
    const simulation = Simulation.make({ seed: 1 })

    assert.isTrue(Exit.isSuccess(simulation.run(program)))
    assert.isFalse(simulation.advance())
    assert.strictEqual(simulation.now(), 1_000)
  })

  it("reports a deadlock, with the seed and the time", () => {
    const program = Effect.gen(function*() {
      yield* Effect.sleep(7)
      yield* Deferred.await(yield* Deferred.make<void>())
    })

    const exit = Simulation.run(program, { seed: 42 })

    assert.deepStrictEqual(exit, Exit.fail(new Simulation.Deadlock({ seed: 42, time: 7 })))
  })

  it("settles without letting time pass", () => {
    const simulation = Simulation.make({ seed: 1 })
    const reached: Array<string> = []
    const reach = (name: string): Effect.Effect<void> => Effect.sync(() => void reached.push(name))
    simulation.fork(
      Effect.andThen(Effect.andThen(Effect.yieldNow, reach("now")), Effect.andThen(Effect.sleep(1), reach("later")))
    )

    simulation.settle()
    assert.deepStrictEqual([reached.join(), simulation.now()], ["now", 0])

    assert.isTrue(simulation.advance())
    simulation.settle()
    assert.deepStrictEqual([reached.join(), simulation.now()], ["now,later", 1])
  })
})
