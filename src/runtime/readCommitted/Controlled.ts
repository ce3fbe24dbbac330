/**
 * A leader and a consumer on which nothing happens until they are told: every action of the specification is one call,
 * which runs the fibers until they rest.
 */
import { Effect, Exit, Scope } from "effect"
import type { Fetch, FetchRules } from "../../core/index.ts"
import * as Simulation from "../Simulation.ts"
import * as Consumer from "./Consumer.ts"
import * as Leader from "./Leader.ts"

/** An action of the specification; `count` is how many entries a fetch returns. */
export type Action =
  | Extract<Fetch.Input, { readonly _tag: "WriteRecord" | "WriteMarker" | "CompleteFetch" }>
  | { readonly _tag: "FetchRecords"; readonly count: number }
  | { readonly _tag: "ParkFetch" }

/** The state of leader, consumer and application. */
export interface Snapshot {
  readonly partition: Fetch.Partition
  /** The offset that the consumer fetches next. */
  readonly position: number
  /** The offsets of the records that the application was given, in that order. */
  readonly delivered: ReadonlyArray<number>
}

export interface Options {
  readonly rules: FetchRules.Rules
  /** Decides in which order fibers that are ready at once continue; the state at rest must not depend on it. */
  readonly seed?: number
}

export interface Controlled {
  /** Performs an action and lets everything that follows from it happen; `false` when it is not possible. */
  readonly perform: (action: Action) => boolean
  /** The state at rest. */
  readonly snapshot: () => Snapshot
  /** Ends the fibers. */
  readonly close: () => void
}

/** Starts leader and consumer on an empty partition. */
export const make = ({ rules, seed = 0 }: Options): Controlled => {
  const { settled } = Simulation.make({ seed })
  const scope = Scope.makeUnsafe()
  const delivered: Array<number> = []

  const [leader, consumer] = settled(
    Effect.gen(function*() {
      const leader = yield* Leader.make({ rules })
      const options = { rules, delivered: (offset: number) => void delivered.push(offset) }
      return [leader, yield* Effect.provideService(Consumer.make(options), Leader.Leader, leader)] as const
    }).pipe(Scope.provide(scope))
  )

  const effectOf = (action: Action): Effect.Effect<boolean> => {
    switch (action._tag) {
      case "FetchRecords":
        return consumer.fetch(action.count)
      case "ParkFetch":
        return consumer.park
      default:
        return leader.turn(action)
    }
  }

  return {
    perform: (action) => settled(effectOf(action)),
    snapshot: () => ({ partition: leader.partition(), position: consumer.position(), delivered: [...delivered] }),
    close: () => settled(Scope.close(scope, Exit.void))
  }
}
