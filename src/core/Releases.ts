/**
 * Apache Kafka releases as sets of rules that differ from the base, where the base is what the guarantees need.
 *
 * For the idempotent producer the releases from 2.5 to 4.4 differ from the base in the same five rules.
 */
import * as Museum from "./Museum.ts"
import type { Override } from "./Museum.ts"
import type { Producers } from "./Replica.ts"

/** A producer snapshot keeps the last batch of a producer id only. `ProducerStateManager.writeSnapshot`. */
const lastBatchOnly = (producers: Producers): Producers =>
  new Map(Array.from(producers, ([id, state]) => [id, { ...state, batches: state.batches.slice(-1) }]))

/** The client since KIP-360, the leader since it accepts unknown producers. */
const since25: Override = {
  ...Museum.overrides["KAFKA-14034"],
  ...Museum.overrides["KAFKA-15591"],
  RestoreProducers: lastBatchOnly,
  // TxnPartitionEntry orders and compares raw integers; only the generation of the next sequence wraps.
  SequencePrecedes: (_limits, a, b) => a < b,
  IsNextSequence: (_limits, sequence, lastAcked) => sequence - lastAcked === 1
}

export const overrides = {
  "2.5": since25,
  "3.9": since25,
  "4.4": since25,
  /** One difference alone: what a restarted broker remembers. */
  snapshot: { RestoreProducers: lastBatchOnly }
} as const satisfies Record<string, Override>

export type Name = keyof typeof overrides
