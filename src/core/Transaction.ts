/**
 * What the roles of a transaction have in common: its vocabulary, and the cluster that they live in.
 */
import type * as Replica from "./Replica.ts"
import type { Rules } from "./TransactionRules.ts"

/** The protocol of transactions: the cluster's feature `transaction.version`, and what a client speaks. */
export type Version = 1 | 2

/** How a transaction ends. Kafka's `TransactionResult`. */
export type Result = "COMMIT" | "ABORT"

/** The partition that has the group's offsets. A commit of offsets is a batch for it, without sequence. */
export const groupPartition = "__consumer_offsets"

/**
 * Which transaction of which instance of the application something is about.
 *
 * It goes with requests, records and markers so that properties can tell whose they are. No rule reads it.
 */
export interface Name {
  readonly client: number
  readonly number: number
}

export const noName: Name = { client: 0, number: 0 }

/** The rules and limits in force. */
export interface Context {
  readonly transactionVersion: Version
  /** `transaction.partition.verification.enable`. */
  readonly verification: boolean
  readonly rules: Rules
  /** Sequences, epochs and deduplication are those of the idempotent producer. */
  readonly replica: Replica.Context
}
