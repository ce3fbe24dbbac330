/**
 * The configuration of the specification that a race takes place in: the rules of the target's release line, and what the
 * plan has.
 */
import { Effect } from "effect"
import { Limits, Releases, Rules, Transaction } from "../../../core/index.ts"
import { Transactions } from "../../../model/index.ts"
import * as Specification from "../../Specification.ts"
import type { Release } from "../launch/index.ts"
import type { Plan } from "./Race.ts"

type Configuration = Transactions.Configuration.Configuration

/** Of a cluster, what decides how it answers. */
export interface Profile {
  readonly line: Release.Line
  /** 1 stands for 0, too, which differs in how records are kept. */
  readonly version: Transaction.Version
}

/** The rules of a profile, in a configuration that has nothing else of interest. */
export const of = Effect.fnUntraced(function*(
  { line, version }: Profile
): Effect.fn.Return<Configuration, Specification.SpecificationError> {
  const manifest = yield* Specification.manifest
  const name = `transactional-kafka-${line}`
  const row = manifest.guarantees.find(({ configuration }) => configuration === name)
  if (row === undefined) {
    const message = `${Specification.shown(Specification.manifestPath)} has no ${name}`
    return yield* new Specification.SpecificationError({ message })
  }
  const { config } = yield* Specification.load(row.module, row.config)
  const overrides = Object.fromEntries(
    Object.entries(config.substitutions).map(([rule, { definition }]) => [rule, definition])
  )
  const { context, ...configuration } = Transactions.model.configuration(config.constants, overrides)
  return {
    ...configuration,
    context: {
      ...context,
      transactionVersion: version,
      replica: {
        limits: Limits.kafka,
        rules: { ...Rules.base, ...Releases.overrides[line === "3.9" ? line : "4.4"] }
      }
    }
  }
})

/** The configuration with what a plan has. */
export const forPlan = (
  configuration: Configuration,
  { group, idempotent, partitions, transactionalIds }: Plan
): Configuration => ({
  ...configuration,
  clients: 1,
  transactionalIds,
  group,
  partitions: (group ? [...partitions, Transaction.groupPartition] : partitions).toSorted(),
  requests: {
    idempotent,
    versions: [configuration.context.transactionVersion],
    kinds: new Set(Transactions.Requests.kinds),
    identities: Transactions.Requests.identities
  }
})
