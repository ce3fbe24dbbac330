/**
 * A campaign: many runs of one trial, steered towards what earlier ones reached seldom.
 *
 * A run is known by its number, or, where it varies an earlier one, by the numbers of all its ancestors and its own; with
 * the seed of the campaign that is all it takes to make its scenario again. Steps of shrinking follow behind colons:
 * `17.230:4:0` is run 230, which varies run 17, made smaller twice.
 *
 * Which runs are varied is decided between chunks of runs, from the chunks before. So a campaign is a function of its seed,
 * however many threads work on it and however fast.
 */
import * as fc from "fast-check"
import { createHash } from "node:crypto"
import { Choices } from "../runtime/index.ts"
import type { Asked, Judgement, Simulated, Trial } from "./Histories.ts"
import * as Variations from "./Variations.ts"

/** A run to be varied. */
export interface Parent {
  readonly path: string
  readonly parts: object
}

/** A chunk of a campaign. */
export interface Order {
  readonly seed: number
  /** The number of the first run, and how many there are. */
  readonly from: number
  readonly runs: number
  /** Every other run varies one of these; without any, no run does. */
  readonly parents: ReadonlyArray<Parent>
  /** Invariants of the model to watch in every world. */
  readonly watched?: ReadonlyArray<string>
  /** End with the first run that shows the bug. */
  readonly detecting?: boolean
}

/** What a number of runs showed under one head. */
export interface Tally {
  readonly violated: number
  /** The path of the first run. */
  readonly first?: string
}

/** A bug showed: after so many runs, to whom, and what was seen. */
export interface Detection {
  readonly run: number
  readonly path: string
  readonly by: "history" | "model"
  readonly property: string
  readonly sentence: string
}

/** What a chunk found. */
export interface Found {
  readonly runs: number
  readonly operations: number
  readonly calls: number
  readonly properties: Readonly<Record<string, Tally>>
  /** Runs that could not be judged. */
  readonly broken: Tally
  /** Of the watched properties, in how many runs each was the first that the model saw violated. */
  readonly seen: Readonly<Record<string, Tally>>
  /** In how many runs each was reached. */
  readonly actions: Readonly<Record<string, number>>
  readonly refusals: Readonly<Record<string, number>>
  readonly witnesses: Readonly<Record<string, number>>
  /** In how many runs each situation was, and which of `parents` is the first of them. */
  readonly situations: ReadonlyArray<readonly [situation: number, runs: number, parent: number]>
  readonly parents: ReadonlyArray<Parent>
  /** SHA-256 of everything that happened in all runs. */
  readonly trace: string
  readonly detection?: Detection
}

/** A violation, as small as it was made. */
export interface Shrunk {
  readonly path: string
  readonly scenario: string
  readonly sentence: string
}

/** What is said against a run: the name of a property, or `broken` where it cannot be judged. */
export type Complaint = string

/** What can be done with the scenarios of one configuration. */
export interface Campaign {
  /** What is judged. */
  readonly properties: ReadonlyArray<string>
  /** `control` is the same without the bug, where one is looked for: what shows there too is not the bug. */
  readonly chunk: (order: Order, control?: Campaign, onProgress?: (runs: number) => void) => Found
  /** The scenario of a path. Throws where the path is none. */
  readonly at: (seed: number, path: string) => Simulated
  /** Makes the scenario of a path smaller as long as there is the complaint, or the watched property is violated. */
  readonly shrink: (seed: number, path: string, complaint: Complaint, watched?: string) => Shrunk
  readonly run: (parts: object, asked?: Asked) => Judgement
  /** The scenario in words. */
  readonly describe: (parts: object) => string
}

/** A path that leads nowhere. */
export class PathError extends Error {}

/** How many scenarios are tried to make one smaller. */
const shrinkSteps = 400

const progressInterval = 50

/** How often a scenario that shows a bug is run without the bug, each time with other choices. */
const otherChances = 20

/** A seed of its own for every run. */
const seedOf = (seed: number, run: number): number =>
  Choices.wholeNumbers(Math.imul(seed, 0x85ebca6b) ^ Math.imul(run + 1, 0x9e3779b1))() | 0

/** What `judgement` says under this head. */
const sentenceOf = (judgement: Judgement, complaint: Complaint, watched?: string): string | undefined => {
  if (complaint === "broken") return judgement.broken
  return judgement.violated.get(complaint)
    ?? (judgement.seen?.property === watched ? judgement.seen?.sentence : undefined)
}

const parsed = (path: string): { readonly runs: ReadonlyArray<number>; readonly shrinking: ReadonlyArray<number> } => {
  if (!/^\d+(\.\d+)*(:\d+)*$/.test(path)) throw new PathError(`${path} is no path of a run, such as 17.230:4:0`)
  const [lineage = "", ...shrinking] = path.split(":")
  return { runs: lineage.split(".").map(Number), shrinking: shrinking.map(Number) }
}

interface Counted {
  violated: number
  first?: string
}

const count = (tally: Counted, path: string): void => {
  tally.violated++
  tally.first ??= path
}

const increase = (counts: Record<string, number>, name: string): void => {
  counts[name] = (counts[name] ?? 0) + 1
}

/** The campaign of a trial. */
export const of = <Scenario extends Simulated>(trial: Trial<Scenario>): Campaign => {
  const fresh = (seed: number, run: number): Scenario =>
    fc.sample(trial.scenarios, { seed: seedOf(seed, run), numRuns: 1 })[0]!

  const varied = (parts: object, seed: number, run: number): Scenario => {
    const next = Choices.wholeNumbers(seedOf(seed, ~run))
    return trial.of(Variations.vary(parts, fresh(seed, run).parts, () => next() / Choices.range))
  }

  const at = (seed: number, path: string): Scenario => {
    const { runs: [first, ...later], shrinking } = parsed(path)
    let scenario = later.reduce((parent, run) => varied(parent.parts, seed, run), fresh(seed, first!))
    for (const step of shrinking) {
      const candidate = [...Variations.smaller(scenario.parts)][step]
      if (candidate === undefined) throw new PathError(`${path} makes a scenario smaller that is not so large`)
      scenario = trial.of(candidate)
    }
    return scenario
  }

  const shrink = (seed: number, path: string, complaint: Complaint, watched?: string): Shrunk => {
    const asked: Asked = watched === undefined ? {} : { watched: [watched] }
    const complained = (scenario: Scenario): string | undefined =>
      sentenceOf(trial.run(scenario, asked), complaint, watched)
    let smallest = at(seed, path)
    let found = { path, scenario: String(smallest), sentence: complained(smallest) ?? "" }
    let tries = 0
    for (let again = true; again;) {
      again = false
      let step = -1
      for (const parts of Variations.smaller(smallest.parts)) {
        step++
        const candidate = trial.of(parts)
        if (String(candidate) === found.scenario) continue
        if (tries++ >= shrinkSteps) break
        const sentence = complained(candidate)
        if (sentence === undefined) continue
        smallest = candidate
        found = { path: `${found.path}:${step}`, scenario: String(candidate), sentence }
        again = true
        break
      }
    }
    return found
  }

  /** What shows in the run and not without the bug, however the rest is left to chance. */
  const detected = (
    { parts }: Scenario,
    { seen, violated }: Judgement,
    asked: Asked,
    control: Campaign | undefined
  ): Pick<Detection, "by" | "property" | "sentence"> | undefined => {
    const shown = new Map<string, Pick<Detection, "by" | "sentence">>([
      ...(seen === undefined ? [] : [[seen.property, { by: "model", sentence: seen.sentence }] as const]),
      ...Array.from(violated, ([property, sentence]) => [property, { by: "history", sentence }] as const)
    ])
    for (let chance = 0; chance <= otherChances && shown.size > 0; chance++) {
      const clean = control?.run(parts, chance === 0 ? asked : { ...asked, choices: Choices.seeded(chance) })
      for (const property of clean?.violated.keys() ?? []) shown.delete(property)
      if (clean?.seen !== undefined) shown.delete(clean.seen.property)
    }
    const [first] = shown
    return first && { property: first[0], ...first[1] }
  }

  const chunk = (order: Order, control?: Campaign, onProgress?: (runs: number) => void): Found => {
    const { detecting = false, from, parents, runs, seed, watched = [] } = order
    const properties: Record<string, Counted> = Object.fromEntries(
      trial.properties.map((property) => [property, { violated: 0 }])
    )
    const broken: Counted = { violated: 0 }
    const seen: Record<string, Counted> = {}
    const actions: Record<string, number> = {}
    const refusals: Record<string, number> = {}
    const witnesses: Record<string, number> = {}
    const situations = new Map<number, { runs: number; readonly parent: number }>()
    const held: Array<Parent> = []
    const trace = createHash("sha256")
    let operations = 0
    let calls = 0
    let done = 0
    let detection: Detection | undefined

    for (let run = from; run < from + runs && detection === undefined; run++) {
      const parent = parents.length > 0 && run % 2 === 1
        ? parents[(seedOf(seed, run) >>> 1) % parents.length]
        : undefined
      const path = parent === undefined ? String(run) : `${parent.path}.${run}`
      const scenario = parent === undefined ? fresh(seed, run) : varied(parent.parts, seed, run)
      const judgement = trial.run(scenario, { reaching: true, watched })
      done++
      operations += judgement.operations
      calls += judgement.calls
      trace.update(judgement.trace ?? "").update("\n")
      for (const property of judgement.violated.keys()) count(properties[property]!, path)
      if (judgement.broken !== undefined) count(broken, path)
      if (judgement.seen !== undefined) count(seen[judgement.seen.property] ??= { violated: 0 }, path)
      for (const [action, times] of Object.entries(judgement.actions ?? {})) {
        actions[action] = (actions[action] ?? 0) + Math.min(times, 1)
      }
      if (judgement.reach !== undefined) {
        for (const refusal of judgement.reach.refusals) increase(refusals, refusal)
        for (const witness of judgement.reach.witnesses) increase(witnesses, witness)
        let place = -1
        for (const situation of judgement.reach.situations) {
          const known = situations.get(situation)
          if (known !== undefined) {
            known.runs++
            continue
          }
          if (place < 0) place = held.push({ path, parts: scenario.parts }) - 1
          situations.set(situation, { runs: 1, parent: place })
        }
      }
      if (detecting) {
        const shown = detected(scenario, judgement, { watched }, control)
        if (shown !== undefined) detection = { run: run + 1, path, ...shown }
      }
      if (done % progressInterval === 0) onProgress?.(done)
    }
    return {
      runs: done,
      operations,
      calls,
      properties,
      broken,
      seen,
      actions,
      refusals,
      witnesses,
      situations: Array.from(situations, ([situation, { parent, runs: times }]) => [situation, times, parent] as const),
      parents: held,
      trace: trace.digest("hex"),
      ...(detection === undefined ? {} : { detection })
    }
  }

  return {
    properties: trial.properties,
    chunk,
    at,
    shrink,
    run: (parts, asked) => trial.run(trial.of(parts), asked),
    describe: (parts) => String(trial.of(parts))
  }
}
