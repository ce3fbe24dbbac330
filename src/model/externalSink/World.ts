/**
 * The world that the specification describes, built from the core: the members of a group, the database, and the
 * transactions on their way to it.
 */
import { ExternalSink, SinkMember } from "../../core/index.ts"
import type { Configuration } from "./Configuration.ts"

export interface World {
  /** Of the group. */
  readonly generation: number
  readonly members: ReadonlyArray<SinkMember.Member>
  readonly storage: ExternalSink.Storage
  /** In the order of generations and connections, which tell them apart. */
  readonly inFlight: ReadonlyArray<ExternalSink.Transaction>
}

export const initial = ({ members }: Configuration): World => ({
  generation: 0,
  members: Array.from({ length: members }, () => SinkMember.down),
  storage: ExternalSink.initial,
  inFlight: []
})

/** Whether a member waits for the answer to a transaction. */
export const awaits = (member: SinkMember.Member, transaction: ExternalSink.Transaction): boolean =>
  member.generation === transaction.generation && member.connection === transaction.connection

/** The order in which a world lists transactions. */
export const inOrder = (
  transactions: ReadonlyArray<ExternalSink.Transaction>
): ReadonlyArray<ExternalSink.Transaction> =>
  transactions.toSorted((a, b) => a.generation - b.generation || a.connection - b.connection)
