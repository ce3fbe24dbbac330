/**
 * How long a client waits before it tries again: twice as long each time up to a limit, and never quite the same.
 * Kafka's `ExponentialBackoff`.
 */
import { Effect, Random } from "effect"

export interface Backoff {
  /** Milliseconds; `retry.backoff.ms` and `retry.backoff.max.ms`. */
  readonly initialMs: number
  readonly maxMs: number
}

const MULTIPLIER = 2
const JITTER = 0.2

/** The wait after so many attempts failed in a row, from 1, in whole milliseconds; `random` is from [0, 1). */
export const delayOf = ({ initialMs, maxMs }: Backoff, attempts: number, random: number): number => {
  const term = Math.min(initialMs * MULTIPLIER ** (attempts - 1), Math.max(initialMs, maxMs))
  return Math.floor(Math.min(term * (1 - JITTER + 2 * JITTER * random), Math.max(initialMs, maxMs)))
}

/** The same by Effect's own chance. */
export const delay = (backoff: Backoff, attempts: number): Effect.Effect<number> =>
  Effect.map(Random.next, (random) => delayOf(backoff, attempts, random))
