/**
 * Races: requests that reach a broker at the same time, and brokers that end in the middle of things. What comes of them is
 * judged by the set of what the specification allows.
 */
import { Effect } from "effect"
import { Simulation } from "../../../runtime/index.ts"
import type { Remote } from "../../../runtime/index.ts"
import type * as Specification from "../../Specification.ts"
import type { ApacheKafka } from "../launch/index.ts"
import { Release } from "../launch/index.ts"
import { NoTarget } from "../NoTarget.ts"
import type { Target } from "../Target.ts"
import type { Outcome } from "./Interleavings.ts"
import * as Interleavings from "./Interleavings.ts"
import type { Race } from "./Race.ts"
import type { Judged, Report } from "./Report.ts"
import * as Running from "./Running.ts"
import * as Setting from "./Setting.ts"

export type { Ending, Outcome } from "./Interleavings.ts"
export type { Plan, Race } from "./Race.ts"
export { describe, type Judged, type Report, type Skipped, summary } from "./Report.ts"
export type { Divergence } from "./Running.ts"
export type { Said } from "./Said.ts"
export { all } from "./Scenarios.ts"
export type { Statement } from "./Statement.ts"

export interface Options {
  readonly repetitions: number
  /** Of the order and the time in which things are sent. What a broker makes of it is its own. */
  readonly seed: number
  /** Tells the names of this run from those of others on the same broker. */
  readonly run: string
  /** One that can be restarted. */
  readonly broker?: ApacheKafka.Broker
}

/** A restart takes seconds, and there is room for several at once between the first request and the end of the broker. */
const perRestart = 10

type Failure =
  | NoTarget
  | Specification.SpecificationError
  | Remote.Connection.ConnectionError
  | ApacheKafka.LaunchFailed

/** What may come of a race on a cluster of a release line, and what has to be known to run it there. */
export const courseOf = (
  profile: Setting.Profile,
  race: Race
): Effect.Effect<Running.Course, Specification.SpecificationError> =>
  Effect.map(Setting.of(profile), (rules) => {
    const plan = race.plan(profile.version)
    const configuration = Setting.forPlan(rules, plan)
    return {
      configuration,
      plan,
      prepared: Interleavings.prepare(configuration, plan),
      allowed: Interleavings.outcomes(configuration, plan)
    }
  })

/** So often in a row may the broker be busy with itself. */
const voidLimit = 3

const raceWith = Effect.fnUntraced(function*(
  target: Pick<Target, "address" | "dialect">,
  race: Race,
  course: Running.Course,
  { broker, repetitions, run: name, seed }: Options
): Effect.fn.Return<ReadonlyArray<Running.Result>, Failure> {
  const random = Simulation.randomNumbers(seed)
  const own = `${name}-${race.id.replaceAll("/", "-")}`
  const results: Array<Running.Result> = []
  const isOver = (): boolean => results.length >= repetitions || results.some(({ _tag }) => _tag === "Diverges")
  let attempts = 0
  let voids = 0
  const runOn = Effect.fnUntraced(function*(grounds: Running.Grounds, most: number) {
    const count = Math.min(most, repetitions - results.length)
    const numbers = Array.from({ length: count }, (_, i) => results.length + i + 1)
    const heat = { course, target, repetitions: numbers, run: `${own}-${attempts++}`, random }
    const found = yield* Effect.scoped(Running.run(heat, grounds, broker))
    const valid = found.filter(({ _tag }) => _tag !== "Void")
    voids = valid.length === 0 ? voids + 1 : 0
    if (voids === voidLimit) {
      const message = `the broker's coordinator was replaced in the middle of a race, ${voidLimit} times in a row`
      return yield* new NoTarget({ message })
    }
    results.push(...valid)
    return valid.length > 0
  })
  while (!isOver()) {
    yield* Effect.scoped(Effect.gen(function*() {
      // What was known at the beginning does not hold after the end of a broker or of its coordinator.
      const grounds = yield* Running.grounds(target, `${own}-${attempts}-grounds`)
      let mayGoOn = true
      while (mayGoOn && !isOver()) {
        mayGoOn = (yield* runOn(grounds, race.needsRestart ? perRestart : 1)) && !race.needsRestart
      }
    }))
  }
  return results
})

/** Runs a race so often, or until it comes out as it may not. */
export const run = Effect.fn("Races.run")(function*(
  target: Pick<Target, "address" | "apiVersions" | "dialect">,
  race: Race,
  options: Options
): Effect.fn.Return<Report, Failure> {
  if (race.needsRestart && options.broker === undefined) {
    const reason = "it ends the broker and starts it again, which only a broker can be asked for that was launched here"
    return { verdict: "skipped", race, reason }
  }
  const { line, transactionVersion } = Release.identify(target.apiVersions)
  const course = yield* courseOf({ line, version: transactionVersion >= 2 ? 2 : 1 }, race)
  return judged(race, course, yield* raceWith(target, race, course, options))
})

const judged = (race: Race, { allowed, plan }: Running.Course, results: ReadonlyArray<Running.Result>): Judged => {
  const observed = new Map<string, { readonly outcome: Outcome; readonly times: number }>()
  for (const result of results) {
    if (result._tag !== "Allowed") continue
    const { outcome } = result
    const key = Interleavings.keyOf(outcome)
    observed.set(key, { outcome, times: (observed.get(key)?.times ?? 0) + 1 })
  }
  const diverging = results.find((result) => result._tag === "Diverges")
  return {
    verdict: diverging === undefined ? "agrees" : "diverges",
    race,
    plan,
    repetitions: results.length,
    allowed,
    observed: [...observed.values()].toSorted((a, b) => b.times - a.times),
    ...(diverging === undefined ? {} : { divergence: diverging.divergence })
  }
}
