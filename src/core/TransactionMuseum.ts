/**
 * The museum of transactions: real bugs of real brokers and clients, each as one changed rule (two where the bug needs
 * both halves). Where the bug is a whole protocol version, it is a constant of the configuration and not here.
 *
 * `spec/museum` has the same exhibits as operator overrides, under the same names.
 */
import type * as TransactionRules from "./TransactionRules.ts"

/** The rules an exhibit puts in place of others. */
export type Override = Partial<TransactionRules.Rules>

export const overrides = {
  // A client without KIP-360 goes on with the same epoch after an abort.
  "KAFKA-14402-next": { BumpsEpochAfterAbort: () => false },
  // Nothing is compared between the coordinator's agreement and the append.
  "KAFKA-14884": { HasGuard: () => true },
  // That some batch of the producer id is being verified stands for the guard.
  "KAFKA-14884-flag": { HasGuard: ({ verification }, { produce }) => verification.has(produce.producerId) },
  // The transaction of an older instance is aborted with the epoch that it has.
  "KAFKA-5231": { FenceEpoch: (_context, { epoch }) => epoch },
  // Partitions stay in the record of a completed transaction, and whoever is in the record is not added again.
  "KAFKA-5268": {
    IsRegistered: ({ partitions }, partition) => partitions.includes(partition),
    PartitionsAfterCompletion: (partitions) => partitions
  },
  // A transaction that takes too long is aborted with the epoch that its producer has.
  "KAFKA-6119": { TimeoutEpoch: (_context, { epoch }) => epoch },
  // Two acknowledgements at once both find no marker missing, and the second completion is written over the next state.
  "KAFKA-10080": {
    Completions: (partitions) => partitions.length > 1 ? 2 : 1,
    MayComplete: () => true
  },
  // After a failed append the transition stays pending.
  "KAFKA-5351": { PendingAfterFailedAppend: (pending) => pending },
  // A marker with the epoch of the next transaction ends it.
  "KAFKA-19446": { AcceptsMarker: (known, _open, { epoch }) => epoch >= known },
  // A marker that is sent again is refused.
  "KAFKA-19999": {
    AcceptsMarker: (known, _open, { epoch, version }) => version === 2 ? epoch > known : epoch >= known
  },
  // Open transactions do not hold readers back.
  "redpanda-3036": { LastStableOffset: ({ highWatermark }) => highWatermark },
  // OffsetFetch does not wait for the transactions that are under way.
  "KAFKA-8587": { IsUnstable: () => false },
  // EndTxn does not wait for batches in flight.
  "KAFKA-5449": { MayCommit: (batches) => [...batches.values()].includes("acked") }
} as const satisfies Record<string, Override>

export type Name = keyof typeof overrides
