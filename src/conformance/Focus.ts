/**
 * What of a long run its properties have to be asked of. A property speaks of all that ever happened, and to ask it of that
 * at every line takes time with the square of the lines; but what is settled for good was judged when it was not.
 */

/** A step, with as much of what went before as matters, and the configuration that such worlds are of. */
export interface Focused<Configuration, World> {
  readonly configuration: Configuration
  readonly from: World
  readonly to: World
}

/**
 * Follows a run step by step. A property holds of what it answers if and only if it holds of the step, provided that it
 * held of all steps before.
 */
export type Focus<Configuration, World> = (from: World, to: World) => Focused<Configuration, World>

/** Looks at everything. */
export const everything =
  <Configuration, World>(configuration: Configuration): Focus<Configuration, World> => (from, to) => ({
    configuration,
    from,
    to
  })
