/**
 * What a simulation leaves to chance: which of the ready fibers continues, and the numbers that the program draws. A run is
 * a function of these choices, whether a seed makes them or a tape has them from an earlier run.
 */

/** Who chooses. */
export interface Choices {
  /** Which of so many continues, from 0; there are two at least. */
  readonly ready: (count: number) => number
  /** A whole number from 0 up to 2^32. */
  readonly draw: () => number
}

/** The choices of a run, in the order in which they were made. */
export interface Tape {
  readonly ready: ReadonlyArray<number>
  readonly drawn: ReadonlyArray<number>
}

/** One more than the largest number that is drawn. */
export const range = 2 ** 32

/** Whole numbers from 0 up to 2^32, from a 32-bit seed (mulberry32). */
export const wholeNumbers = (seed: number): () => number => {
  let state = seed | 0
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return (mixed ^ (mixed >>> 14)) >>> 0
  }
}

/** Choices of a seed: two streams, so that how fibers interleave does not shift what the program draws. */
export const seeded = (seed: number): Choices => {
  const next = wholeNumbers(seed)
  return {
    ready: (count) => Math.floor(next() / range * count),
    draw: wholeNumbers(Math.imul(seed, 0x9e3779b1) ^ 0x5bd1e995)
  }
}

/** The same choices, with a tape of those made so far. */
export const recorded = (choices: Choices): Choices & { readonly tape: () => Tape } => {
  const ready: Array<number> = []
  const drawn: Array<number> = []
  const kept = (list: Array<number>, choice: number): number => {
    list.push(choice)
    return choice
  }
  return {
    ready: (count) => kept(ready, choices.ready(count)),
    draw: () => kept(drawn, choices.draw()),
    tape: () => ({ ready, drawn })
  }
}

/**
 * The choices of a tape. Code that has changed since may ask for others than the tape has: a choice that is not possible
 * becomes the last one that is, and behind the end of the tape others go on.
 */
export const taped = ({ drawn, ready }: Tape, behind: Choices): Choices => {
  let readyAt = 0
  let drawnAt = 0
  return {
    ready: (count) => {
      const choice = ready[readyAt++]
      return choice === undefined ? behind.ready(count) : Math.min(choice, count - 1)
    },
    draw: () => drawn[drawnAt++] ?? behind.draw()
  }
}
