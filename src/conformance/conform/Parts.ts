/**
 * The parts of a campaign: which configurations of the specification are walked on a target, with how many requests that
 * change something, and by the rules of which release.
 *
 * What a part asks is what its file in `spec/models` says, but for three things: how many requests may change something
 * (the walks of a whole file take hours), the rules, which are those of the target's release line, and what the
 * specification leaves out (idempotent producers, and epochs as high as those of a real broker).
 */
import { Effect } from "effect"
import { Limits } from "../../core/index.ts"
import { Transactions } from "../../model/index.ts"
import * as Progress from "../Progress.ts"
import * as Specification from "../Specification.ts"
import * as Campaign from "./Campaign.ts"
import type { Release } from "./launch/index.ts"
import type { Walks } from "./Walks.ts"

type Configuration = Transactions.Configuration.Configuration
type RawRequests = NonNullable<Configuration["requests"]>

/** What of a target decides what it is asked. */
export interface Profile {
  readonly line: Release.Line
  readonly transactionVersion: number
  /** The highest version of WriteTxnMarkers that it understands. */
  readonly writeTxnMarkers: number
}

/** How much is walked: all, or what takes less than a minute. */
export type Extent = "full" | "quick"

interface Plan {
  /** Of the part, permanent: walks are named by it. */
  readonly name: string
  /** Of the model in the manifest. */
  readonly model: string
  /** The version of transactions that the cluster has; 1 stands for 0, too, which differs in how records are kept. */
  readonly transactionVersion: 1 | 2
  /** How many requests may change something; 0 where there is no time for any. */
  readonly budget: Readonly<Record<Extent, number>>
  /** Sends markers of version 2 itself (KIP-1228). */
  readonly marks?: true
  readonly requests?: Partial<RawRequests>
  readonly epoch?: number
}

const budget = (full: number, quick: number): Plan["budget"] => ({ full, quick })

/** A file of the specification as it is. */
const file = (name: string, transactionVersion: 1 | 2, ofPart: Plan["budget"], marks?: true): Plan => ({
  name,
  model: `requests-${name}`,
  transactionVersion,
  budget: ofPart,
  ...(marks === undefined ? {} : { marks })
})

/** Idempotent producers have no transactions, and are the same for clusters of either version. */
const idempotent = (transactionVersion: 1 | 2): ReadonlyArray<Plan> => {
  const requests = { idempotent: true, kinds: new Set(["InitProducerId", "Produce"] as const) }
  const common = { model: "requests-version-1", transactionVersion }
  return [
    {
      ...common,
      name: "idempotent",
      budget: budget(3, 2),
      requests: { ...requests, identities: ["none", "current", "next", "stranger"] }
    },
    // One batch more than a leader remembers (KIP-98: 5), after the producer id.
    {
      ...common,
      name: "idempotent-window",
      budget: budget(7, 7),
      requests: { ...requests, identities: ["none", "current"] }
    }
  ]
}

/**
 * Producers at the last epoch that a client can be given (`TransactionMetadata.isEpochExhausted`). Each walk asks for every
 * epoch up to there, which takes seconds; so there are few.
 */
const exhausted = (
  name: string,
  transactionVersion: 1 | 2,
  identities: RawRequests["identities"],
  ...kinds: ReadonlyArray<Transactions.Requests.Kind>
): Plan => ({
  name,
  model: `requests-version-${transactionVersion}`,
  transactionVersion,
  budget: budget(2, 0),
  requests: { identities, kinds: new Set(kinds) },
  epoch: Limits.kafka.maxEpoch - 1
})

const plans: ReadonlyArray<Plan> = [
  file("version-2", 2, budget(4, 3)),
  file("version-1-client", 2, budget(4, 3)),
  file("mixed", 2, budget(3, 2)),
  file("group-version-2", 2, budget(3, 2)),
  file("markers-version-2", 2, budget(3, 2), true),
  file("two-ids", 2, budget(3, 2)),
  file("two-partitions", 2, budget(4, 3)),
  file("timeout-version-2", 2, budget(4, 3)),
  exhausted("exhausted-version-2", 2, ["none", "current", "retired"], "InitProducerId", "EndTxn"),
  exhausted("exhausted-open-version-2", 2, ["current"], "InitProducerId", "Produce"),
  ...idempotent(2),
  file("version-1", 1, budget(4, 3)),
  file("group-version-1", 1, budget(4, 2)),
  file("markers-version-1", 1, budget(3, 2)),
  file("timeout-version-1", 1, budget(4, 3)),
  exhausted(
    "exhausted-version-1",
    1,
    ["none", "current", "retired"],
    "InitProducerId",
    "EndTxn",
    "AddPartitionsToTxn"
  ),
  ...idempotent(1)
]

/** A part with its walks. */
export interface Part extends Campaign.Part {
  readonly budget: number
  readonly graph: Walks
}

/** A part that the target cannot be asked, or for which there is no time. */
export interface LeftOut {
  readonly name: string
  readonly reason: string
}

export interface Parts {
  /** The configuration of the guarantee matrix whose rules are those of the target. */
  readonly profile: string
  readonly parts: ReadonlyArray<Part>
  readonly leftOut: ReadonlyArray<LeftOut>
}

const found = <A>(one: A | undefined, what: string): Effect.Effect<A, Specification.SpecificationError> =>
  one === undefined
    ? Effect.fail(
      new Specification.SpecificationError({
        message: `${Specification.shown(Specification.manifestPath)} has no ${what}`
      })
    )
    : Effect.succeed(one)

/** The rules in which a release differs from the base. */
const overridesOf = Effect.fnUntraced(function*(manifest: Specification.Manifest, profile: string) {
  const row = yield* found(manifest.guarantees.find(({ configuration }) => configuration === profile), profile)
  const { config } = yield* Specification.load(row.module, row.config)
  return Object.fromEntries(
    Object.entries(config.substitutions).map(([name, { definition }]) => [name, definition])
  )
})

const configured = Effect.fnUntraced(function*(
  manifest: Specification.Manifest,
  plan: Plan,
  extent: Extent,
  overrides: Readonly<Record<string, string>>
): Effect.fn.Return<Configuration, Specification.SpecificationError> {
  const { config, module } = yield* found(manifest.models.find(({ name }) => name === plan.model), plan.model)
  const loaded = yield* Specification.load(module, config)
  return yield* Effect.try({
    try: () => {
      const configuration = Transactions.model.configuration(loaded.config.constants, overrides)
      return {
        ...configuration,
        faultBudget: plan.budget[extent],
        requests: { ...configuration.requests!, ...plan.requests }
      }
    },
    catch: (error) =>
      new Specification.SpecificationError({ message: `${Specification.shown(loaded.origin)}: ${String(error)}` })
  })
})

/** The parts for a target, in the order in which they are walked. */
export const of = Effect.fn("Parts.of")(function*(
  { line, transactionVersion, writeTxnMarkers }: Profile,
  extent: Extent
): Effect.fn.Return<Parts, Specification.SpecificationError> {
  const manifest = yield* Specification.manifest
  const profile = `transactional-kafka-${line}`
  const overrides = yield* overridesOf(manifest, profile)
  const parts: Array<Part> = []
  const leftOut: Array<LeftOut> = []
  for (const plan of plans.filter((one) => one.transactionVersion === (transactionVersion >= 2 ? 2 : 1))) {
    const { epoch, marks, name } = plan
    if (marks === true && writeTxnMarkers < 2) {
      leftOut.push({
        name,
        reason: `WriteTxnMarkers goes to version ${writeTxnMarkers}, which has no markers of version 2`
      })
      continue
    }
    if (plan.budget[extent] === 0) {
      leftOut.push({ name, reason: "it takes minutes" })
      continue
    }
    yield* Progress.report(`finding the walks of ${name}`)
    const configuration = yield* configured(manifest, plan, extent, overrides)
    const part: Campaign.Part = { name, configuration, ...(epoch === undefined ? {} : { epoch }) }
    const graph = Campaign.walksOf(part)
    parts.push({ ...part, budget: plan.budget[extent], graph, walks: graph.walks })
    // Whoever interrupts does not wait for all of them.
    yield* Effect.yieldNow
  }
  return { profile, parts, leftOut }
})
