/**
 * The offsets of one group, as a pure fold over the log of its coordinator: those committed, and those that wait for
 * the end of a transaction.
 *
 * A commit names a partition's next offset. In a transaction it is pending until the marker, which knows producer ids
 * only. What was written later counts, whatever its transaction did in between. A coordinator that loads the log folds
 * it again. `OffsetMetadataManager` in Kafka.
 */
import type * as Errors from "./Errors.ts"
import * as Sequence from "./Sequence.ts"
import * as TopicPartition from "./TopicPartition.ts"
import type { Result } from "./Transaction.ts"

/** The offset of the record to go on with. */
export interface PartitionOffset extends TopicPartition.TopicPartition {
  readonly offset: number
}

/** A record of the log that is about the group, or a marker. */
export type Entry =
  | { readonly _tag: "Commit"; readonly logOffset: number; readonly offsets: ReadonlyArray<PartitionOffset> }
  | {
    readonly _tag: "TransactionalCommit"
    readonly producerId: number
    readonly logOffset: number
    readonly offsets: ReadonlyArray<PartitionOffset>
  }
  | { readonly _tag: "Marker"; readonly producerId: number; readonly result: Result }

/** An offset, and where in the log it was written. */
interface Written {
  readonly offset: number
  readonly logOffset: number
}

/** By `TopicPartition.key`. */
type ByPartition = ReadonlyMap<string, Written>

export interface Offsets {
  readonly committed: ByPartition
  /** By producer id. */
  readonly pending: ReadonlyMap<number, ByPartition>
}

export const initial: Offsets = { committed: new Map(), pending: new Map() }

const noOffsets: ByPartition = new Map()

/** What was written later goes over what was written before. */
const merged = (before: ByPartition, written: Iterable<readonly [string, Written]>): ByPartition => {
  const after = new Map(before)
  for (const [key, next] of written) {
    const known = after.get(key)
    if (known === undefined || known.logOffset < next.logOffset) after.set(key, next)
  }
  return after
}

const writtenAt = (
  logOffset: number,
  offsets: ReadonlyArray<PartitionOffset>
): ReadonlyArray<readonly [string, Written]> =>
  offsets.map((found) => [TopicPartition.key(found), { offset: found.offset, logOffset }] as const)

/** The end of a producer's transaction, whichever its epoch. `OffsetMetadataManager.replayEndTransactionMarker`. */
const complete = (offsets: Offsets, producerId: number, result: Result): Offsets => {
  const ended = offsets.pending.get(producerId)
  if (ended === undefined) return offsets
  const pending = new Map(offsets.pending)
  pending.delete(producerId)
  return { committed: result === "COMMIT" ? merged(offsets.committed, ended) : offsets.committed, pending }
}

/** The offsets after one more entry of the log. `OffsetMetadataManager.replay`. */
export const apply = (offsets: Offsets, entry: Entry): Offsets => {
  switch (entry._tag) {
    case "Commit":
      return { ...offsets, committed: merged(offsets.committed, writtenAt(entry.logOffset, entry.offsets)) }
    case "TransactionalCommit": {
      const written = merged(
        offsets.pending.get(entry.producerId) ?? noOffsets,
        writtenAt(entry.logOffset, entry.offsets)
      )
      return { ...offsets, pending: new Map(offsets.pending).set(entry.producerId, written) }
    }
    case "Marker":
      return complete(offsets, entry.producerId, entry.result)
  }
}

/** The offset of a partition, or `Sequence.none`. */
export const committed = ({ committed: found }: Offsets, partition: TopicPartition.TopicPartition): number =>
  found.get(TopicPartition.key(partition))?.offset ?? Sequence.none

/** Whether a transaction may still change the offset. `OffsetMetadataManager.hasPendingTransactionalOffsets`. */
export const isUnstable = ({ pending }: Offsets, partition: TopicPartition.TopicPartition): boolean => {
  const key = TopicPartition.key(partition)
  for (const written of pending.values()) if (written.has(key)) return true
  return false
}

/** OffsetFetch for one partition; with `requireStable` only what no transaction may change (KIP-447). */
export const fetch = (
  offsets: Offsets,
  partition: TopicPartition.TopicPartition,
  requireStable: boolean
): { readonly error: Errors.Error; readonly offset: number } =>
  requireStable && isUnstable(offsets, partition)
    ? { error: "UNSTABLE_OFFSET_COMMIT", offset: Sequence.none }
    : { error: "NONE", offset: committed(offsets, partition) }
