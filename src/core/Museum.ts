/**
 * The museum: real bugs of real brokers and clients, each as one changed rule (two where the bug needs both halves).
 *
 * `spec/museum` has the same exhibits as operator overrides, under the same names.
 */
import * as Replica from "./Replica.ts"
import * as Rules from "./Rules.ts"
import * as Sequence from "./Sequence.ts"

/** The rules an exhibit puts in place of others. */
export type Override = Partial<Rules.Rules>

export const overrides = {
  // The counter advances when the answer comes, so two batches in flight get the same sequence.
  "kafkajs-1005": {
    SequenceAfterSend: (_limits, sequence) => sequence,
    SequenceAfterAcknowledgement: (limits, sequence, count) => Sequence.increment(limits.maxSequence, sequence, count)
  },
  // A timed-out request counts as not written, and the next record gets its sequence.
  "franz-go-1217": {
    IsRetriable: (error) => error !== "REQUEST_TIMED_OUT" && Rules.base.IsRetriable(error),
    AfterFailure: (sender, batch) => ({ ...sender, nextSequence: batch.sequence })
  },
  // A bump renames batches that may be in the log.
  "KAFKA-14034": { MayBumpEpoch: () => true },
  // 32-bit addition without the wrap to 0.
  "KAFKA-7693": { SequenceAfterSend: (_limits, sequence, count) => (sequence + count) | 0 },
  // The leader remembers one batch of a producer.
  "redpanda-3038": { RememberedBatches: (_limits, batches) => batches.slice(-1) },
  // A producer id the partition does not know may begin anywhere.
  "KAFKA-15591": { IsFirstSequence: () => true },
  // Producer state is changed before the append is known to have succeeded.
  "KAFKA-6683": {
    ProducersAfterFailedAppend: (context, producers, entry) => Replica.recordProducer(context, producers, entry)
  },
  // The snapshot that a restarted broker loads has nothing of the newest batches.
  "AutoMQ-437": { RestoreProducers: () => Replica.noProducers }
} as const satisfies Record<string, Override>

export type Name = keyof typeof overrides
