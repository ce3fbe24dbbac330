/**
 * The rules in which releases of Apache Kafka differ from the base rules of transactions, by the last release that has
 * them. `spec/KafkaTransactionReleases.tla` has the same as operator overrides.
 */
import * as Sequence from "./Sequence.ts"
import * as TransactionalPartition from "./TransactionalPartition.ts"
import type { Override } from "./TransactionMuseum.ts"
import * as TransactionMuseum from "./TransactionMuseum.ts"

/** Since 4.1 (KAFKA-18202): only outside of version 2 may an unknown producer id begin anywhere. */
const current: Override = { IsFirstSequence: (sequence, version) => version === 1 || sequence === 0 }

const until42: Override = {
  // KAFKA-20310: the log did not keep the previous and the next producer id.
  Persisted: (metadata) => ({
    ...metadata,
    lastEpoch: Sequence.none,
    failedEpochFence: false,
    previousProducerId: Sequence.none,
    nextProducerId: Sequence.none
  }),
  // KAFKA-20090: a fence did not end a producer id.
  RotatesWhenFenced: () => false
}

/** KIP-1228: every marker with the leader's epoch was taken. */
const until41: Override = TransactionMuseum.overrides["KAFKA-19446"]

const until40: Override = {
  // KAFKA-18202.
  IsFirstSequence: () => true,
  // KAFKA-18042: a batch was verified before its epoch was looked at.
  IsStaleOnArrival: () => false,
  // KAFKA-19690: the guard was looked at before the epoch.
  AsksEpochFirst: () => false
}

const until39: Override = {
  // The coordinator asked who it is before it looked at a pending transition.
  AsksPendingFirst: () => false,
  // A batch joined any open transaction of its producer id.
  JoinsOpenTransaction: (producers, producerId) =>
    TransactionalPartition.firstOffsetOf(producers, producerId) !== undefined
}

/** `isolation.level=read_uncommitted`. */
const readUncommitted: Override = {
  ...TransactionMuseum.overrides["redpanda-3036"],
  IsFiltered: () => false
}

/** By the suffix that the overriding operators have; the last two are what a client's configuration chooses. */
export const overrides = {
  Kafka: current,
  "Kafka-4-2": until42,
  "Kafka-4-1": until41,
  "Kafka-4-0": until40,
  "Kafka-3-9": until39,
  ReadUncommitted: readUncommitted,
  Outside: { OffsetsInTransaction: () => false }
} as const satisfies Record<string, Override>
