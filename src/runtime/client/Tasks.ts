/**
 * What turns leave to be done: effects to run beside them, and a reason to take another turn. It is how synchronous turns
 * begin what takes time, without anything happening in the midst of one.
 */
import { Effect, Latch } from "effect"

export interface Tasks {
  /** There may be something to do: another turn, soon. */
  readonly wake: () => void
  /** Runs an effect beside the turns, soon. */
  readonly start: (effect: Effect.Effect<void>) => void
  /** Takes a turn whenever there may be something to do. What it began ends with it. */
  readonly run: (turn: () => void) => Effect.Effect<never>
}

export const make = (): Tasks => {
  const latch = Latch.makeUnsafe(false)
  let started: Array<Effect.Effect<void>> = []
  let isTurning = false

  const wake = (): void => {
    latch.openUnsafe()
  }

  return {
    wake,
    start: (effect) => {
      started.push(effect)
      // What a turn begins is run after it anyway.
      if (!isTurning) wake()
    },
    run: Effect.fnUntraced(function*(turn) {
      const scope = yield* Effect.scope
      while (true) {
        yield* latch.await
        latch.closeUnsafe()
        isTurning = true
        turn()
        isTurning = false
        const effects = started
        started = []
        for (const effect of effects) yield* Effect.forkIn(effect, scope, { startImmediately: true })
      }
    }, Effect.scoped)
  }
}
