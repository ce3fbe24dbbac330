/**
 * Other sinks than the transactional one, and sinks that leave out a part of it, each as the rules in which it differs.
 *
 * `spec/SinkVariants.tla` has the same as operator overrides, under the same names. An offset that is kept in Kafka is one
 * that has a transaction of its own: OffsetCommit refuses older generations as "FENCE" does.
 */
import type { Part } from "./ExternalSink.ts"
import * as SinkMember from "./SinkMember.ts"
import type { Rules } from "./SinkRules.ts"

export type Override = Partial<Rules>

const delivery = (...transactions: ReadonlyArray<ReadonlyArray<Part>>): Rules["Delivery"] =>
  transactions.map((parts) => new Set(parts))

export const overrides = {
  /** The output is inserted or replaced under the key of its input, and the offset committed behind it. */
  Upsert: { Delivery: delivery(["OUTPUT"], ["FENCE", "OFFSET"]), HasKeys: true },
  /** At-least-once: the output, then the offset. */
  OutputFirst: { Delivery: delivery(["OUTPUT"], ["FENCE", "OFFSET"]) },
  /** At-most-once: the offset, then the output. */
  OffsetFirst: { Delivery: delivery(["FENCE", "OFFSET"], ["OUTPUT"]) },
  /** One transaction that trusts whoever sends it. */
  Unfenced: { Delivery: delivery(["OUTPUT", "OFFSET"]) },
  /** One half of what the transactional sink looks at. */
  FenceOnly: { Delivery: delivery(["FENCE", "OUTPUT", "OFFSET"]) },
  /** The other half. */
  SkipOnly: { Delivery: delivery(["SKIP", "OUTPUT", "OFFSET"]) },
  /** The fence is looked at before the transaction, not in it. */
  FenceApart: { Delivery: delivery(["FENCE"], ["SKIP", "OUTPUT", "OFFSET"]) },
  /** Whoever opens the database last is the newest. */
  LastWins: { MayFence: () => true },
  /** The offset is read first, and the fence raised then. */
  BeforeFence: { MayRestore: () => true },
  /** A lost answer counts as a commit. */
  Committed: { AfterUnknown: (rules, member) => SinkMember.answered(rules, member) },
  /** A member that does not know reads the offset again. */
  Reread: { AfterUnknown: (_, member) => ({ ...member, step: 1, batch: undefined, position: undefined }) }
} as const satisfies Record<string, Override>

export type Name = keyof typeof overrides
