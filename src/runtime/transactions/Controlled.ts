/**
 * A transactional cluster on which nothing happens until it is told: every action of the specification is one call, which
 * runs the fibers until they rest.
 *
 * The hosts are those of the autonomous cluster; only delays, timers and the application's own will are absent. A snapshot
 * has the variables of the specification, but for the budget of faults, which is the caller's.
 */
import { Effect, Exit, type Layer, Scope } from "effect"
import * as Simulation from "../Simulation.ts"
import type { Action } from "./Action.ts"
import * as Hosts from "./Hosts.ts"
import type { Setup } from "./Setup.ts"
import { TransactionLog } from "./TransactionLog.ts"

export interface Options extends Setup, Pick<Hosts.Options, "observed"> {
  /** In memory, unless it is given. The layer is built for every coordinator that takes over. */
  readonly log?: Layer.Layer<TransactionLog>
  /** Decides in which order fibers that are ready at once continue; the state at rest must not depend on it. */
  readonly seed?: number
}

export interface Controlled {
  /**
   * Performs an action and lets everything that follows from it happen; `false` when it is not possible. `fault` is the
   * number of the fault that the action takes, if it takes one: a message whose sender stops waiting has it for its copy.
   */
  readonly perform: (action: Action, fault: number) => boolean
  /** The state at rest. Parts that did not change since the last snapshot are the same objects. */
  readonly snapshot: () => Hosts.Snapshot
  /** Ends the fibers. */
  readonly close: () => void
}

/** Starts a cluster in its initial state. */
export const make = ({ log, seed = 0, ...options }: Options): Controlled => {
  const { settled } = Simulation.make({ seed })
  const scope = Scope.makeUnsafe()

  const hosts = settled(
    Hosts.make({ ...options, log: log ?? TransactionLog.layerMemory(new Map()) }).pipe(
      Effect.provideService(Scope.Scope, scope)
    )
  )
  return {
    perform: (action, fault) => settled(hosts.perform(action, fault)),
    snapshot: () => settled(hosts.snapshot),
    close: () => settled(Scope.close(scope, Exit.void))
  }
}
