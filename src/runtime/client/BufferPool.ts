/**
 * The memory that a producer's records may take: `buffer.memory`, and who waits for it. Kafka's `BufferPool`.
 *
 * It counts bytes and holds none. Who came first gets memory first, so that a large record is not starved by small ones.
 */
import { Effect } from "effect"

export interface BufferPool {
  readonly total: number
  /** Bytes that are not reserved. */
  readonly available: () => number
  /** How many wait. */
  readonly waiting: () => number
  /** Reserves at once, or not at all: not before those who wait. */
  readonly tryReserve: (size: number) => boolean
  /** Waits until so many bytes are reserved; they must not be more than there are at all. */
  readonly reserve: (size: number) => Effect.Effect<void>
  /** Gives reserved bytes back. Whoever waited for them goes on at once. */
  readonly release: (size: number) => void
}

interface Waiter {
  readonly size: number
  readonly resume: () => void
}

/** `began` is told when somebody begins to wait. */
export const make = (total: number, began: () => void): BufferPool => {
  let available = total
  const waiters: Array<Waiter> = []

  const release = (size: number): void => {
    available += size
    while (waiters.length > 0 && waiters[0]!.size <= available) {
      const { resume, size: wanted } = waiters.shift()!
      available -= wanted
      resume()
    }
  }

  const tryReserve = (size: number): boolean => {
    if (waiters.length > 0 || size > available) return false
    available -= size
    return true
  }

  return {
    total,
    available: () => available,
    waiting: () => waiters.length,
    tryReserve,
    release,
    reserve: (size) =>
      Effect.callback((resume) => {
        if (tryReserve(size)) return resume(Effect.void)
        const waiter: Waiter = { size, resume: () => resume(Effect.void) }
        waiters.push(waiter)
        began()
        return Effect.sync(() => {
          const at = waiters.indexOf(waiter)
          if (at >= 0) waiters.splice(at, 1)
          // Those behind may be content with less.
          release(0)
        })
      })
  }
}
