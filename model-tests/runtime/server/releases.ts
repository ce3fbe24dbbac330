import { Releases, Rules, TransactionReleases, TransactionRules } from "../../../src/core/index.ts"
import type { Server } from "../../../src/runtime/server/index.ts"

/** The rules of the newest release of Kafka. */
export const kafka = {
  rules: { ...TransactionRules.base, ...TransactionReleases.overrides.Kafka },
  idempotentRules: { ...Rules.base, ...Releases.overrides["4.4"] },
  "transaction.abort.timed.out.transaction.cleanup.interval.ms": 50
} satisfies Server.Options
