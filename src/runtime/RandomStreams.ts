/**
 * Random numbers for whoever needs their own: streams out of the run's source, and whole numbers of a range.
 */
import { Effect, Random } from "effect"
import { randomNumbers } from "./Simulation.ts"

/** From the shortest to the longest, in milliseconds. */
export type Range = readonly [number, number]

/** A random whole number of the range; whole, so that a time waited for is a time reached. */
export const draw = (next: () => number, [least, most]: Range): number =>
  least + Math.floor((most - least + 1) * next())

/**
 * So many streams of random numbers from 0 up to 1 out of the run's source. With one for every partition, what happens to
 * one partition does not depend on how much happens to the others, which is what makes scenarios shrink well.
 */
export const randomStreams = (count: number): Effect.Effect<ReadonlyArray<() => number>> =>
  Effect.map(Random.Random, (random) => Array.from({ length: count }, () => randomNumbers(random.nextIntUnsafe())))
