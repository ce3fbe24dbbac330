/**
 * The campaign that covers everything: configurations of all specifications, each with a share of the runs, spread over the
 * workers; what they promise, and what they reach together.
 */
import { Effect } from "effect"
import { createHash } from "node:crypto"
import { isRequest } from "../model/Model.ts"
import * as Models from "../model/Models.ts"
import type * as Campaign from "./Campaign.ts"
import type { Check } from "./Check.ts"
import * as Checks from "./Check.ts"
import { judged } from "./Models.ts"
import * as Specification from "./Specification.ts"
import * as Steering from "./Steering.ts"
import type { Workers } from "./Workers.ts"

/** A configuration that is run, and what must hold in all of its runs. */
export interface Part {
  readonly name: string
  readonly module: string
  readonly config: string
  /** Of all runs, as a part of 1. */
  readonly share: number
  readonly claims: ReadonlyArray<string>
}

/**
 * Rows of the guarantee matrix and models, by name. Together they have both versions, several instances and ids, groups,
 * followers that lag, epochs that run out, every kind of fault, and sessions that end.
 */
const shares: Readonly<Record<string, number>> = {
  idempotent: 0.2,
  "new-producer-id": 0.04,
  "expired-state": 0.04,
  "every-fault": 0.08,
  "every-fault-exhaustion": 0.08,
  "transactions-beyond-two-instances": 0.08,
  "transactions-beyond-group-two-ids": 0.08,
  "transactions-lag-two-faults": 0.05,
  "transactions-beyond-two-instances-version-1": 0.05,
  "transactions-beyond-group-version-1": 0.05,
  "transactions-version-1-client": 0.05,
  "offsets-outside-two-instances": 0.04,
  "read-committed": 0.16
}

/**
 * A model claims what holds within its bounds, and a run is not held to those. With version 1 and a group these claims end
 * behind the first transaction: a late marker makes two outputs of one input, and a late TxnOffsetCommit joins the next
 * transaction, since its epoch is the same and offsets have no sequence.
 */
const endingBehindBounds: Readonly<Record<string, ReadonlyArray<string>>> = {
  "transactions-beyond-group-version-1": ["NoDuplicate", "OffsetsAgreeWithOutputs"]
}

const claimsOf = ({ name, properties }: Specification.Model): ReadonlyArray<string> =>
  properties.filter((property) => endingBehindBounds[name]?.includes(property) !== true)

/** The parts, as the manifest has them. */
export const parts: Effect.Effect<ReadonlyArray<Part>, Specification.SpecificationError> = Effect.gen(function*() {
  const manifest = yield* Specification.manifest
  return yield* Effect.forEach(Object.entries(shares), ([name, share]) => {
    const row = manifest.guarantees.find(({ configuration }) => configuration === name)
    if (row !== undefined) {
      const claims = Specification.guaranteesOf(row).filter((guarantee) => row.cells[guarantee]!.verdict === "holds")
      return Effect.succeed({ name, module: row.module, config: row.config, share, claims })
    }
    const model = manifest.models.find((candidate) => candidate.name === name && candidate.verdict === "holds")
    return model === undefined
      ? Effect.fail(
        new Specification.SpecificationError({ message: `the manifest has nothing that holds named ${name}` })
      )
      : Effect.succeed({ name, module: model.module, config: model.config, share, claims: claimsOf(model) })
  })
})

/** Something that must hold and did not. */
export interface Violation extends Campaign.Shrunk {
  readonly complaint: string
  /** In how many runs. */
  readonly runs: number
}

export interface PartReport {
  readonly name: string
  readonly specification: string
  readonly runs: number
  readonly operations: number
  readonly calls: number
  readonly violations: ReadonlyArray<Violation>
  readonly situations: number
  /** In how many runs each was reached. */
  readonly actions: Readonly<Record<string, number>>
  readonly refusals: Readonly<Record<string, number>>
  readonly witnesses: Readonly<Record<string, number>>
  /** SHA-256 of all that happened, chunk by chunk. */
  readonly trace: string
}

export interface Options {
  readonly workers: Workers
  readonly runs: number
  readonly seed: number
  /** Vary what was reached seldom, by default. */
  readonly steered?: boolean
}

/** The seed of a part, so that parts do not have the same runs. */
export const seedOf = (seed: number, name: string): number => {
  let hash = seed | 0
  for (const character of name) hash = Math.imul(hash ^ character.codePointAt(0)!, 0x01000193)
  return hash
}

const digest = (traces: ReadonlyArray<string>): string => createHash("sha256").update(traces.join()).digest("hex")

/** Chunks that go on at the same time. A constant, since what they learn from each other depends on it. */
const abreast = 2

/** How often a part is steered, unless its chunks would be too small or too large for that. */
const rounds = 40
const smallestChunk = 25
const largestChunk = 250

const added = (
  sum: Readonly<Record<string, number>>,
  more: Readonly<Record<string, number>>
): Readonly<Record<string, number>> =>
  Object.fromEntries(
    [...new Set([...Object.keys(sum), ...Object.keys(more)])].map((
      name
    ) => [name, (sum[name] ?? 0) + (more[name] ?? 0)])
  )

/** The chunks of so many runs, round by round. */
const roundsOf = (runs: number): ReadonlyArray<ReadonlyArray<{ readonly from: number; readonly runs: number }>> => {
  const size = Math.min(largestChunk, Math.max(smallestChunk, Math.ceil(runs / rounds / abreast)))
  const chunks = Array.from({ length: Math.ceil(runs / size) }, (_, i) => ({
    from: i * size,
    runs: Math.min(size, runs - i * size)
  }))
  return Array.from(
    { length: Math.ceil(chunks.length / abreast) },
    (_, i) => chunks.slice(i * abreast, (i + 1) * abreast)
  )
}

/** What is complained of, how often, and the first run; what the model saw goes by its property too. */
interface Complained {
  runs: number
  readonly first: string
  readonly watched: string | undefined
}

/** Runs one part. */
export const runPart = Effect.fn("Campaigns.runPart")(function*(
  { runs, seed: campaignSeed, steered = true, workers }: Options,
  part: Part
): Effect.fn.Return<PartReport, Specification.SpecificationError> {
  const { claims, config, module, name } = part
  const { model } = yield* Specification.load(module, config)
  const seed = seedOf(campaignSeed, name)
  const steering = Steering.make()
  const complained = new Map<string, Complained>()
  const traces: Array<string> = []
  let total = { runs: 0, operations: 0, calls: 0 }
  let actions: Readonly<Record<string, number>> = {}
  let refusals: Readonly<Record<string, number>> = {}
  let witnesses: Readonly<Record<string, number>> = {}

  const complain = (complaint: string, { first, violated }: Campaign.Tally, watched?: string): void => {
    if (first === undefined) return
    const known = complained.get(complaint)
    if (known === undefined) complained.set(complaint, { runs: violated, first, watched })
    else known.runs += violated
  }

  for (const chunks of roundsOf(runs)) {
    const parents = steered ? steering.parents() : []
    const round = yield* Effect.forEach(
      chunks,
      (chunk) => workers.run({ _tag: "Campaign", module, config, order: { seed, parents, watched: claims, ...chunk } }),
      { concurrency: abreast }
    )
    for (const found of round) {
      steering.learn(found)
      total = {
        runs: total.runs + found.runs,
        operations: total.operations + found.operations,
        calls: total.calls + found.calls
      }
      actions = added(actions, found.actions)
      refusals = added(refusals, found.refusals)
      witnesses = added(witnesses, found.witnesses)
      traces.push(found.trace)
      complain("broken", found.broken)
      for (const [property, tally] of Object.entries(found.properties)) {
        if (claims.includes(property)) complain(property, tally)
      }
      for (const [property, tally] of Object.entries(found.seen)) complain(property, tally, property)
    }
  }
  const violations = yield* Effect.forEach(
    complained,
    ([complaint, { first: path, runs: times, watched }]) =>
      Effect.map(
        workers.run({
          _tag: "Shrink",
          module,
          config,
          seed,
          path,
          complaint,
          ...(watched === undefined ? {} : { watched })
        }),
        (shrunk) => ({ ...shrunk, complaint, runs: times })
      )
  )
  return {
    name,
    specification: model.specification,
    ...total,
    violations,
    situations: steering.situations(),
    actions,
    refusals,
    witnesses,
    trace: digest(traces)
  }
})

/** What a campaign reached of a specification, and what there is to reach. */
export interface Reached {
  readonly specification: string
  readonly runs: number
  readonly actions: Share
  readonly refusals: Share
  readonly witnesses: Share
}

export interface Share {
  /** In how many runs each was, by name; those in none included. */
  readonly met: Readonly<Record<string, number>>
}

/** The names that no run has met. */
export const missing = ({ met }: Share): ReadonlyArray<string> =>
  Object.entries(met).flatMap(([name, runs]) => runs === 0 ? [name] : [])

/** How many names there are, and how many were met. */
export const sizes = (share: Share): { readonly met: number; readonly all: number } => {
  const all = Object.keys(share.met).length
  return { all, met: all - missing(share).length }
}

export interface Report {
  readonly seed: number
  readonly parts: ReadonlyArray<PartReport>
  readonly reached: ReadonlyArray<Reached>
  /** SHA-256 of all that happened in all parts. */
  readonly trace: string
  readonly checks: ReadonlyArray<Check>
}

/** Models up to this size are explored for what they refuse; larger ones refuse nothing else. */
const fewStates = 10_000

/** The refusals that there are, by specification: those that the code's explorer meets in the models that count them. */
const refusalsOf = Effect.fnUntraced(function*(
  workers: Workers
): Effect.fn.Return<ReadonlyMap<string, ReadonlyArray<string>>, Specification.SpecificationError> {
  const { models } = yield* Specification.manifest
  const small = models.filter(({ counts }) =>
    counts?.refusals !== undefined && counts.refusals > 0 && counts.distinct <= fewStates
  )
  const explored = yield* Effect.forEach(
    small,
    ({ config, module }) => workers.run({ _tag: "Explore", module, config, changes: { only: [] } }),
    { concurrency: "unbounded" }
  )
  const known = new Map<string, ReadonlyArray<string>>()
  for (const { refusals, specification } of explored) {
    known.set(specification, [...new Set([...(known.get(specification) ?? []), ...refusals])].toSorted())
  }
  return known
})

const shareOf = (names: ReadonlyArray<string>, counts: Readonly<Record<string, number>>): Share => ({
  met: Object.fromEntries(names.map((name) => [name, counts[name] ?? 0]))
})

/** What these parts reached together. */
export const reachedBy = (
  reports: ReadonlyArray<PartReport>,
  refusals: ReadonlyMap<string, ReadonlyArray<string>>
): ReadonlyArray<Reached> =>
  Array.from(Map.groupBy(reports, ({ specification }) => specification), ([specification, own]) => {
    const model = Models.named(specification)
    const counts = (of: (report: PartReport) => Readonly<Record<string, number>>) => own.map(of).reduce(added, {})
    return {
      specification,
      runs: own.reduce((sum, { runs }) => sum + runs, 0),
      actions: shareOf(model.actionNames.filter((action) => !isRequest(action)), counts((report) => report.actions)),
      refusals: shareOf(refusals.get(specification) ?? [], counts((report) => report.refusals)),
      witnesses: shareOf(Object.keys(model.witnesses ?? {}), counts((report) => report.witnesses))
    }
  })

/** The part of all refusals that a campaign must meet. */
const refusalsToMeet = 0.95

/** Fewer runs than these need not reach everything. */
export const enoughRuns = 20_000

/** Red for what was violated, and for what a campaign that is large enough has not reached. */
export const checksOf = (
  { parts: reports, reached, runs }: Pick<Report, "parts" | "reached"> & { readonly runs: number },
  again: string
): ReadonlyArray<Check> => {
  const reaching = (name: string, missed: ReadonlyArray<string>): Check =>
    runs < enoughRuns
      ? Checks.skipped(name, `fewer runs than ${enoughRuns}`)
      : judged(name, missed, again)
  return [
    ...reports.map(({ name, violations }) =>
      judged(
        `${name}: nothing is violated`,
        violations.map(({ complaint, runs: times, sentence }) => `${complaint} in ${times} runs: ${sentence}`),
        again
      )
    ),
    ...reached.flatMap(({ actions, refusals, specification }) => {
      const { all, met } = sizes(refusals)
      return [
        reaching(`${specification}: every action is taken`, missing(actions)),
        ...(all === 0 ? [] : [
          reaching(
            `${specification}: 95% of the refusals are met`,
            met >= refusalsToMeet * all ? [] : missing(refusals)
          )
        ])
      ]
    })
  ]
}

/** Runs a campaign of all parts. */
export const run = Effect.fn("Campaigns.run")(function*(
  options: Options,
  chosen: ReadonlyArray<Part>,
  again: string
): Effect.fn.Return<Report, Specification.SpecificationError> {
  const { runs, seed, workers } = options
  const refusals = yield* refusalsOf(workers)
  const reports = yield* Effect.forEach(
    chosen,
    (part) => runPart({ ...options, runs: Math.max(1, Math.round(runs * part.share)) }, part),
    { concurrency: "unbounded" }
  )
  const reached = reachedBy(reports, refusals)
  const report = { seed, parts: reports, reached, trace: digest(reports.map(({ trace }) => trace)) }
  return { ...report, checks: checksOf({ ...report, runs }, again) }
})
