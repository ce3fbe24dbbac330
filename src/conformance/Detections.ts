/**
 * How soon campaigns find the bugs of the museum: how many runs it takes until one shows what the same run without the bug
 * does not show.
 *
 * Nothing about the bug is told to the campaign but its rules: scenarios have every kind of fault there is, and are steered
 * by what was reached seldom, as they are where nothing is looked for. What shows it is the verdict on the history of what
 * clients saw, or the property of the model that the exhibit violates, in the worlds that the run comes through.
 */
import { Effect } from "effect"
import type * as Campaign from "./Campaign.ts"
import { seedOf } from "./Campaigns.ts"
import * as Exhibits from "./Exhibits.ts"
import type * as Specification from "./Specification.ts"
import * as Steering from "./Steering.ts"
import type { Workers } from "./Workers.ts"

export interface Options {
  readonly workers: Workers
  /** Seeds of the campaigns, of which each exhibit has one each. */
  readonly seeds: ReadonlyArray<number>
  /** Runs after which a campaign ends that has not found the bug. */
  readonly limit: number
}

export interface Detected {
  readonly exhibit: string
  /** What was found, by seed; undefined where nothing was. */
  readonly found: ReadonlyArray<Campaign.Detection | undefined>
  /** Runs to the first detection, the median over the seeds; undefined if most campaigns found nothing. */
  readonly median: number | undefined
}

/** Runs between two decisions where to go. */
const chunk = 100

const search = Effect.fnUntraced(function*(
  { limit, workers }: Options,
  { config, module, name, property, ...exhibit }: Specification.Exhibit,
  campaignSeed: number
): Effect.fn.Return<Campaign.Detection | undefined, Specification.SpecificationError> {
  const seed = seedOf(campaignSeed, name)
  const cure = Exhibits.cure({ config, module, name, property, ...exhibit })
  const steering = Steering.make()
  for (let from = 0; from < limit; from += chunk) {
    const order: Campaign.Order = {
      seed,
      from,
      runs: Math.min(chunk, limit - from),
      parents: steering.parents(),
      watched: [property],
      detecting: true
    }
    const found = yield* workers.run({ _tag: "Campaign", module, config, order, cure, everyFault: true })
    if (found.detection !== undefined) return found.detection
    steering.learn(found)
  }
  return undefined
})

/** The middle one of an odd number of campaigns, where one that found nothing took longer than any other. */
const medianOf = (found: Detected["found"]): number | undefined => {
  const runs = found.map((one) => one?.run ?? Number.POSITIVE_INFINITY).toSorted((a, b) => a - b)
  const middle = runs[Math.floor(runs.length / 2)]!
  return middle === Number.POSITIVE_INFINITY ? undefined : middle
}

/** Looks for every one of these exhibits with every seed. */
export const run = Effect.fn("Detections.run")(function*(
  options: Options,
  exhibits: ReadonlyArray<Specification.Exhibit>
): Effect.fn.Return<ReadonlyArray<Detected>, Specification.SpecificationError> {
  return yield* Effect.forEach(exhibits, (exhibit) =>
    Effect.map(
      Effect.forEach(options.seeds, (seed) => search(options, exhibit, seed), { concurrency: "unbounded" }),
      (found) => ({ exhibit: exhibit.name, found, median: medianOf(found) })
    ), { concurrency: 2 })
})
