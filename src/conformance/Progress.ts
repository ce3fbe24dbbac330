/**
 * Where long work says how far it has come. Results go elsewhere.
 */
import { Context, Effect } from "effect"

export interface Progress {
  /** A piece of work has begun or moved on; `done` of `expected` where both are known. */
  readonly report: (what: string, done?: number, expected?: number) => void
}

/** Silent unless somebody provides another. */
export const Progress = Context.Reference<Progress>("keos/Progress", { defaultValue: () => ({ report: () => {} }) })

export const report = (what: string): Effect.Effect<void> =>
  Effect.gen(function*() {
    const progress = yield* Progress
    progress.report(what)
  })
