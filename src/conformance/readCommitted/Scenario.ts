/**
 * A scenario of the fetch path: how many producers write how much, how large a fetch may be, and what is picked at every
 * step of what is possible there. Nothing else is left to chance: there is one partition and one consumer of it.
 */
import * as fc from "fast-check"

/** One of what is possible, counted around. */
export interface Pick {
  /** Which of the actions that are possible. */
  readonly action: number
  /** With which of the arguments that it can have. */
  readonly instance: number
}

/** What a scenario is made of. */
export interface Parts {
  readonly producers: number
  /** The log ends here. */
  readonly maxEntries: number
  /** Entries that one fetch returns at most. */
  readonly fetchSize: number
  /** At every step. */
  readonly picks: ReadonlyArray<Pick>
}

/** Parts with a text. */
export class Scenario {
  readonly parts: Parts

  constructor(parts: Parts) {
    this.parts = parts
  }

  toString(): string {
    const { fetchSize, maxEntries, picks, producers } = this.parts
    return `${producers} producers, ${maxEntries} entries, ${fetchSize} of them in a fetch\n`
      + `picks ${picks.map(({ action, instance }) => `${action}/${instance}`).join(" ")}`
  }
}

/** More than in the models of the specification, so that transactions enclose and interleave each other. */
const most = { producers: 3, entries: 14, fetchSize: 4, picks: 60 } as const

/** There are so many kinds of actions, and so many instances of one, or fewer. */
const pick: fc.Arbitrary<Pick> = fc.record({ action: fc.nat(59), instance: fc.nat(59) })

export const arbitrary: fc.Arbitrary<Scenario> = fc.record({
  producers: fc.integer({ min: 1, max: most.producers }),
  maxEntries: fc.integer({ min: 3, max: most.entries }),
  fetchSize: fc.integer({ min: 1, max: most.fetchSize }),
  picks: fc.array(pick, { minLength: 4, maxLength: most.picks, size: "max" })
}).map((parts) => new Scenario(parts))
