import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Queue, Random } from "effect"
import { Choices, Simulation } from "../../src/runtime/index.ts"

/** Several fibers that draw, wait, and say what they did. */
const program = Effect.gen(function*() {
  const said: Array<string> = []
  const queue = yield* Queue.unbounded<number>()
  for (let fiber = 0; fiber < 4; fiber++) {
    yield* Effect.forkScoped(Effect.gen(function*() {
      for (let turn = 0; turn < 5; turn++) {
        yield* Effect.sleep(Math.floor((yield* Random.next) * 3))
        said.push(`${fiber}/${turn}`)
        yield* Queue.offer(queue, fiber)
      }
    }))
  }
  for (let taken = 0; taken < 20; taken++) said.push(`took ${yield* Queue.take(queue)}`)
  return said
}).pipe(Effect.scoped)

const run = (choices: Choices.Choices) => {
  const exit = Simulation.run(program, { seed: 0, choices })
  return Exit.isSuccess(exit) ? exit.value : assert.fail("the program does not end")
}

describe("the choices of a run", () => {
  it("are those of the seed where nobody else makes them", () => {
    assert.deepStrictEqual(Exit.succeed(run(Choices.seeded(7))), Simulation.run(program, { seed: 7 }))
    assert.notDeepEqual(run(Choices.seeded(7)), run(Choices.seeded(8)))
  })

  it("are enough to make the same run again, whatever is behind the tape", () => {
    for (let seed = 0; seed < 20; seed++) {
      const recorded = Choices.recorded(Choices.seeded(seed))
      const first = run(recorded)
      const { drawn, ready } = recorded.tape()

      assert.isAbove(ready.length, 5)
      assert.strictEqual(drawn.length, 20)
      assert.deepStrictEqual(run(Choices.taped(recorded.tape(), Choices.seeded(seed + 1))), first)
    }
  })

  it("make another run when one of them is changed", () => {
    const recorded = Choices.recorded(Choices.seeded(3))
    const first = run(recorded)
    const { drawn, ready } = recorded.tape()

    assert.notDeepEqual(run(Choices.taped({ drawn: drawn.with(0, 0).with(1, 0), ready }, Choices.seeded(3))), first)
  })

  it("become possible ones where the tape has none, and others behind its end", () => {
    const taped = Choices.taped({ ready: [5], drawn: [17] }, { ready: () => 1, draw: () => 99 })

    assert.deepStrictEqual([taped.ready(3), taped.ready(3), taped.draw(), taped.draw()], [2, 1, 17, 99])
  })
})
