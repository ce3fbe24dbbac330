/**
 * The application behind a producer: when it hands over what, and what it remembers of its transactions.
 *
 * It consumes, transforms and produces when it has a group: then a transaction is the output of one input, and the group's
 * offset goes with it, behind its first record. What its producer can do, the core says.
 */
import { Sequence, Transaction, type TransactionalProducer } from "../../core/index.ts"
import type { Setup } from "./Setup.ts"
import { clientNumbered, hasGroup } from "./Setup.ts"

const { groupPartition } = Transaction

/** What the application did in one transaction, and what it was told. */
export interface Memory {
  /** The partitions that it handed records over for, sorted. */
  readonly partitions: ReadonlyArray<string>
  /** The input that it worked on, or `Sequence.none`. */
  readonly input: number
  readonly intent: "none" | "commit" | "abort"
  readonly outcome: "none" | "committed" | "aborted"
}

export const nothing: Memory = { partitions: [], input: Sequence.none, intent: "none", outcome: "none" }

/** By number of the transaction. */
export type Memories = ReadonlyArray<Memory>

/** What it remembers after a change to a transaction, which may be a new one. */
export const remember = (memories: Memories, number: number, changes: Partial<Memory>): Memories => {
  const changed = memories.slice()
  changed[number - 1] = { ...(memories[number - 1] ?? nothing), ...changes }
  return changed
}

/** What it remembers after a record is handed over for a partition. */
export const handOver = (memories: Memories, number: number, partition: string, input: number): Memories => {
  const { partitions } = memories[number - 1] ?? nothing
  return remember(memories, number, {
    partitions: partitions.includes(partition) ? partitions : [...partitions, partition].sort(),
    input
  })
}

/** Whether a transaction is open that the application has not been told the end of. */
export const isOpen = ({ state }: TransactionalProducer.Producer): boolean =>
  state === "IN_TRANSACTION" || state === "COMMITTING" || state === "ABORTING" || state === "ABORTABLE_ERROR"

/** Whether it has something to write to the partition: in an open transaction, or in one that it may begin. */
export const mayWrite = (
  setup: Setup,
  client: number,
  { batches, generation, number, state }: TransactionalProducer.Producer,
  partition: string
): boolean => {
  const begins = state === "READY"
  if (begins && number >= clientNumbered(setup, client).transactions) return false
  if (!hasGroup(setup)) return true
  if (begins && generation === Sequence.none) return false
  if (partition !== groupPartition) return true
  return sendsOffsets(setup) && batches.size > (batches.has(groupPartition) ? 1 : 0)
}

/** Whether the group's offset goes with the transaction. */
export const sendsOffsets = (setup: Setup): boolean => hasGroup(setup) && setup.context.rules.OffsetsInTransaction()

/** Whether it may commit: not before it has sent the offset, where that goes with the transaction. */
export const mayCommit = (setup: Setup, { batches }: TransactionalProducer.Producer): boolean =>
  !sendsOffsets(setup) || batches.has(groupPartition)

/** Whether it may commit the group's offset by itself: between transactions, as a member of this generation. */
export const mayCommitOffset = (
  setup: Setup,
  { generation, state }: TransactionalProducer.Producer,
  present: number
): boolean => hasGroup(setup) && !sendsOffsets(setup) && state === "READY" && generation === present
