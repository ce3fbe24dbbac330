/**
 * The consumer group of the application: its generations, and the offset that it goes on from.
 *
 * Its coordinator is the leader of `__consumer_offsets`. Members and generations are in that log in Kafka; here they
 * outlive every leader.
 */
import { type Transaction, TransactionalPartition } from "../../core/index.ts"

export interface Group {
  readonly generation: () => number
  /** What a member that joins is given, or nothing while a transaction may still change the offset. */
  readonly joining: () => { readonly generation: number; readonly position: number } | undefined
  /** A member has joined. */
  readonly joined: (generation: number) => void
}

export interface Options {
  readonly context: Transaction.Context
  /** The partition of the group's offsets. */
  readonly offsets: () => TransactionalPartition.Partition
}

/** A group that nobody has joined. */
export const make = ({ context, offsets }: Options): Group => {
  let generation = 0
  return {
    generation: () => generation,
    joining: () => {
      const fetched = TransactionalPartition.fetchOffset(context, offsets())
      return fetched.error === "NONE" ? { generation: generation + 1, position: fetched.offset } : undefined
    },
    joined: (next) => {
      generation = next
    }
  }
}
