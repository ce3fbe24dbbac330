/**
 * Random histories: scenarios run on the Effect runtime in a simulation, judged, and shrunk by fast-check to the shortest
 * that still fails.
 *
 * Everything is a function of a seed. A violation is reported with the seed and the path under which fast-check finds
 * the same scenario again. What a scenario is, how it runs and who judges it, a `Trial` says.
 */
import * as fc from "fast-check"
import type { Choices } from "../runtime/index.ts"
import type { Reach } from "./Reach.ts"

/** What can be said against one run. */
export interface Judgement {
  /** What was handed over to the system, what was handed over again included. */
  readonly operations: number
  /** The violated properties, each with what was seen. */
  readonly violated: ReadonlyMap<string, string>
  /**
   * Why the run cannot be judged, if so: it did not come to rest, its history is one that no run can produce, or its log is
   * none of the model.
   */
  readonly broken: string | undefined
  /** How often each action of the model was taken, those never taken included; absent where nobody keeps a log. */
  readonly actions?: Readonly<Record<string, number>>
  /**
   * Calls of clients that did something: records and offsets handed over, transactions begun and ended, producers
   * initialised, groups joined, and polls that returned records.
   */
  readonly calls: number
  /** The first of the watched properties of the model that some world violates, and where. */
  readonly seen?: { readonly property: string; readonly sentence: string }
  /** Absent unless it is asked for. */
  readonly reach?: Reach
  /** Everything that clients saw and every action that is known, as one text; absent unless it is asked for. */
  readonly trace?: string
}

/** What is asked of a run beside the verdict. */
export interface Asked {
  /** Who chooses what is left to chance; the scenario's seed, unless it is given. */
  readonly choices?: Choices.Choices
  /** Invariants of the model to watch in every world of the run. */
  readonly watched?: ReadonlyArray<string>
  /** Take note of what the run reaches, and of all that it does. */
  readonly reaching?: boolean
}

/** What has parts has a text that tells it to people. */
export interface Simulated {
  readonly parts: object
  toString(): string
}

/** Scenarios of one kind. A run is a function of its scenario. */
export interface Trial<Scenario> {
  /** What is judged. */
  readonly properties: ReadonlyArray<string>
  readonly scenarios: fc.Arbitrary<Scenario>
  /** The scenario of these parts, without what does not fit together: parts of several scenarios may be mixed. */
  readonly of: (parts: object) => Scenario
  readonly run: (scenario: Scenario, asked?: Asked) => Judgement
}

/** A scenario that violates a property, as short as shrinking made it. */
export interface Counterexample {
  readonly scenario: string
  /** What the scenario is made of. */
  readonly parts: object
  /** What was seen. */
  readonly sentence: string
  /** With these, `at` finds the scenario again. */
  readonly seed: number
  readonly path: string
}

/** What a number of runs showed of one property. */
export interface Tally {
  readonly violated: number
  /** Of the first run that violates it. */
  readonly first?: Counterexample
}

export interface Explored {
  readonly runs: number
  readonly operations: number
  readonly seed: number
  readonly properties: Readonly<Record<string, Tally>>
  /** In how many runs each action of the model was taken, those never taken included; absent where nobody keeps a log. */
  readonly actions?: Readonly<Record<string, number>>
  /** Runs that could not be judged; never to be tolerated. */
  readonly broken: Tally
}

export interface Options {
  readonly runs: number
  readonly seed: number
  /** Runs the one scenario that has this path instead. */
  readonly path?: string
  /** Shortens the first violation of each property, by default; where it is expected, counting is enough. */
  readonly shorten?: boolean
  /** Told of every so many runs. */
  readonly onProgress?: (runs: number) => void
}

/** The scenario that a seed leads to on a path: the number of the run, then the steps of shrinking. */
export const at = <Scenario>({ scenarios }: Pick<Trial<Scenario>, "scenarios">, seed: number, path: string): Scenario =>
  fc.sample(scenarios, { seed, path, numRuns: 1 })[0]!

const progressInterval = 100

/** How many scenarios are tried to shorten one; steps and not seconds, so that the result is the same everywhere. */
const shrinkSteps = 300

/** What a judgement says against a run under this head: a property, or the run as such. */
type Complaint = (judgement: Judgement) => string | undefined

/** Shortens the scenario at `path` as long as there is the complaint. */
const shrink = <Scenario extends Simulated>(
  { run, scenarios }: Trial<Scenario>,
  seed: number,
  path: string,
  complaint: Complaint
): Counterexample | undefined => {
  let steps = 0
  const holds = (scenario: Scenario): boolean => steps++ >= shrinkSteps || complaint(run(scenario)) === undefined
  const found = fc.check(fc.property(scenarios, holds), { seed, path, numRuns: 1 })
  const scenario = found.counterexample?.[0]
  if (scenario === undefined || found.counterexamplePath === null) return undefined
  return {
    scenario: String(scenario),
    parts: scenario.parts,
    sentence: complaint(run(scenario))!,
    seed,
    path: found.counterexamplePath
  }
}

/** Runs that many scenarios and judges each; the first violation of every property is shortened. */
export const explore = <Scenario extends Simulated>(trial: Trial<Scenario>, options: Options): Explored => {
  const { onProgress, path, runs, seed, shorten = true } = options
  let operations = 0
  let run = 0

  const counting = (complaint: Complaint) => ({ complaint, violated: 0, at: undefined as string | undefined })
  const properties = trial.properties.map((property) =>
    [property, counting(({ violated }) => violated.get(property))] as const
  )
  const broken = counting((judgement) => judgement.broken)
  const counts = [...properties.map(([, count]) => count), broken]
  const actions: Record<string, number> = {}

  const record = (scenario: Scenario): void => {
    const place = path ?? String(run)
    run++
    const judgement = trial.run(scenario)
    operations += judgement.operations
    for (const [action, times] of Object.entries(judgement.actions ?? {})) {
      actions[action] = (actions[action] ?? 0) + Math.min(times, 1)
    }
    for (const count of counts) {
      if (count.complaint(judgement) === undefined) continue
      count.violated++
      count.at ??= place
    }
    if (run % progressInterval === 0) onProgress?.(run)
  }
  if (path === undefined) fc.assert(fc.property(trial.scenarios, record), { seed, numRuns: runs })
  else record(at(trial, seed, path))

  const tally = (count: typeof broken): Tally => {
    const first = count.at === undefined || !shorten ? undefined : shrink(trial, seed, count.at, count.complaint)
    return { violated: count.violated, ...(first === undefined ? {} : { first }) }
  }
  return {
    runs: run,
    operations,
    seed,
    properties: Object.fromEntries(properties.map(([property, count]) => [property, tally(count)])),
    ...(Object.keys(actions).length === 0 ? {} : { actions }),
    broken: tally(broken)
  }
}
