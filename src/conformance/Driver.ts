/**
 * How the harness holds a runtime still: nothing happens on it until an action is asked for, and its whole state can be
 * seen at rest.
 */
import type { Model } from "../model/Model.ts"
import type { Call } from "./Graph.ts"

/** A runtime on which nothing happens until it is told. */
export interface Controlled<World> {
  /** Performs an action and lets everything that follows from it happen; `false` when it is not possible. */
  readonly perform: (call: Call) => boolean
  /**
   * The world at rest. What the environment owns, such as the budget of faults, is nothing that a runtime could know; it
   * comes from `expected`.
   */
  readonly project: (expected: World) => World
  readonly close: () => void
}

/** Starts the runtime of a model in its initial state. */
export interface Driver<Configuration, World> {
  readonly model: Model<Configuration, World>
  readonly start: (configuration: Configuration) => Controlled<World>
}
