/**
 * Fibers under a scheduler, a clock and a random source that belong to one seed: a run is a function of it.
 *
 * A simulation runs synchronously: which of the ready fibers continues is drawn from the seed, and when none is ready,
 * virtual time moves to the earliest timer. It is not a test clock over the ordinary runtime: with that, timers are
 * ordered and the fibers between them are not.
 *
 * Gotchas: promises, `setTimeout` and sockets escape it; code that runs here gets time, chance and messages from services
 * alone. The completion of a `Deferred` continues its waiter at once, inside the completing fiber, so that only what
 * passes a `Queue`, a fork or a sleep is reordered.
 */
import { Clock, Context, Data, Duration, Effect, Exit, type Fiber, Random, Scheduler } from "effect"
import * as Choices from "./Choices.ts"

/** The effect waits, no fiber can continue, and no timer is left that could change this. */
export class Deadlock extends Data.TaggedError("Deadlock")<{
  readonly seed: number
  /** The virtual time, in milliseconds, at which nothing was left to do. */
  readonly time: number
}> {
  override get message() {
    return `deadlock at ${this.time} ms, seed ${this.seed}: nothing is ready and no timer is set`
  }
}

export interface Simulation {
  readonly seed: number
  /** The virtual time in milliseconds; it begins at 0. */
  readonly now: () => number
  /** Starts an effect under this simulation; it runs up to its first wait. */
  readonly fork: <A, E>(effect: Effect.Effect<A, E>) => Fiber.Fiber<A, E>
  /** Runs until no fiber is ready. Time stands still. */
  readonly settle: () => void
  /**
   * Runs an effect to its end, and all fibers until none is ready. Time stands still, so that an effect that is not done
   * by then waits for something lost; that is a `Deadlock`, and a defect.
   */
  readonly settled: <A>(effect: Effect.Effect<A>) => A
  /** Moves time to the earliest timers and makes their fibers ready; `false` when there is none. */
  readonly advance: () => boolean
  /** Runs an effect to its end, through as much virtual time as that takes. */
  readonly run: <A, E>(effect: Effect.Effect<A, E>) => Exit.Exit<A, E | Deadlock>
}

/** Numbers from 0 up to 1, from a 32-bit seed. */
export const randomNumbers = (seed: number): () => number => {
  const next = Choices.wholeNumbers(seed)
  return () => next() / Choices.range
}

const randomOf = ({ draw }: Choices.Choices): Context.Service.Shape<typeof Random.Random> => {
  const next = (): number => draw() / Choices.range
  return {
    nextDoubleUnsafe: next,
    nextIntUnsafe: () => Math.floor((next() * 2 - 1) * Number.MAX_SAFE_INTEGER)
  }
}

/** What is ready to continue, taken out in the order that is chosen. */
class ChoosingScheduler implements Scheduler.Scheduler {
  readonly executionMode = "sync" as const
  readonly #ready: Array<() => void> = []
  readonly #choose: Choices.Choices["ready"]
  readonly #dispatcher = { scheduleTask: (task: () => void) => void this.#ready.push(task), flush: () => {} }

  constructor(choose: Choices.Choices["ready"]) {
    this.#choose = choose
  }

  shouldYield() {
    return false
  }

  makeDispatcher() {
    return this.#dispatcher
  }

  schedule(task: () => void): void {
    this.#ready.push(task)
  }

  runOne(): boolean {
    const ready = this.#ready
    if (ready.length === 0) return false
    const index = ready.length === 1 ? 0 : this.#choose(ready.length)
    const task = ready[index]!
    const last = ready.pop()!
    if (index < ready.length) ready[index] = last
    task()
    return true
  }
}

interface Timer {
  readonly time: number
  /** Order of setting, so that equal times have an order. */
  readonly order: number
  cancelled: boolean
  readonly fire: () => void
}

const isBefore = (a: Timer, b: Timer): boolean => a.time < b.time || (a.time === b.time && a.order < b.order)

/** A binary heap; cancelled timers stay in it until they come up. */
class Timers {
  readonly #heap: Array<Timer> = []

  add(timer: Timer): void {
    const heap = this.#heap
    let index = heap.push(timer) - 1
    while (index > 0) {
      const parent = (index - 1) >> 1
      if (!isBefore(timer, heap[parent]!)) break
      heap[index] = heap[parent]!
      index = parent
    }
    heap[index] = timer
  }

  earliest(): Timer | undefined {
    while (this.#heap[0]?.cancelled === true) this.remove()
    return this.#heap[0]
  }

  remove(): void {
    const heap = this.#heap
    const last = heap.pop()!
    if (heap.length === 0) return
    let index = 0
    for (;;) {
      let child = 2 * index + 1
      if (child >= heap.length) break
      if (child + 1 < heap.length && isBefore(heap[child + 1]!, heap[child]!)) child++
      if (!isBefore(heap[child]!, last)) break
      heap[index] = heap[child]!
      index = child
    }
    heap[index] = last
  }
}

/** A clock that stands until it is moved. */
class VirtualClock implements Clock.Clock {
  time = 0
  readonly timers = new Timers()
  #order = 0

  readonly currentTimeMillis = Effect.sync(() => this.time)
  readonly currentTimeNanos = Effect.sync(() => this.currentTimeNanosUnsafe())
  readonly monotonicTimeNanos = this.currentTimeNanos

  currentTimeMillisUnsafe(): number {
    return this.time
  }

  currentTimeNanosUnsafe(): bigint {
    return BigInt(Math.floor(this.time * 1e6))
  }

  monotonicTimeNanosUnsafe(): bigint {
    return this.currentTimeNanosUnsafe()
  }

  sleep(duration: Duration.Duration): Effect.Effect<void> {
    return Effect.callback((resume) => {
      const time = this.time + Math.max(0, Duration.toMillis(duration))
      const timer: Timer = {
        time,
        order: this.#order++,
        cancelled: false,
        fire: () => {
          if (!timer.cancelled) resume(Exit.void)
        }
      }
      this.timers.add(timer)
      return Effect.sync(() => {
        timer.cancelled = true
      })
    })
  }
}

export interface Options {
  readonly seed: number
  /** Those of the seed, unless they are given. */
  readonly choices?: Choices.Choices
}

/** A simulation at time 0 with nothing running. */
export const make = ({ seed, choices = Choices.seeded(seed) }: Options): Simulation => {
  const clock = new VirtualClock()
  const scheduler = new ChoosingScheduler(choices.ready)
  const context = Context.make(Scheduler.Scheduler, scheduler).pipe(
    Context.add(Clock.Clock, clock),
    Context.add(Random.Random, randomOf(choices))
  )

  const fork = Effect.runForkWith(context)

  const settle = (): void => {
    while (scheduler.runOne());
  }

  const settled = <A>(effect: Effect.Effect<A>): A => {
    const fiber = fork(effect)
    settle()
    return Effect.runSync(fiber.pollUnsafe() ?? Exit.die(new Deadlock({ seed, time: clock.time })))
  }

  const advance = (): boolean => {
    const earliest = clock.timers.earliest()
    if (earliest === undefined) return false
    clock.time = earliest.time
    for (let timer = clock.timers.earliest(); timer?.time === clock.time; timer = clock.timers.earliest()) {
      clock.timers.remove()
      scheduler.schedule(timer.fire)
    }
    return true
  }

  const run = <A, E>(effect: Effect.Effect<A, E>): Exit.Exit<A, E | Deadlock> => {
    const fiber = fork(effect)
    for (;;) {
      const exit = fiber.pollUnsafe()
      if (exit !== undefined) return exit
      if (!scheduler.runOne() && !advance()) return Exit.fail(new Deadlock({ seed, time: clock.time }))
    }
  }

  return { seed, now: () => clock.time, fork, settle, settled, advance, run }
}

/** Runs an effect to its end; the result is a function of the effect and the choices. */
export const run = <A, E>(
  effect: Effect.Effect<A, E>,
  options: Options
): Exit.Exit<A, E | Deadlock> => make(options).run(effect)
