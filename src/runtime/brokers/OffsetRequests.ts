/**
 * What the coordinator of groups does with offsets: OffsetCommit, TxnOffsetCommit and OffsetFetch. All groups have their
 * offsets in one partition, whose leader judges them like any other batch. `GroupCoordinatorService`.
 */
import { Clock, Effect } from "effect"
import { type Errors, type Partition, Transaction } from "../../core/index.ts"
import type { Api, Identity } from "../client/Requests.ts"
import type * as GroupCoordinators from "./GroupCoordinators.ts"
import * as OffsetRecords from "./OffsetRecords.ts"
import * as ProduceRequests from "./ProduceRequests.ts"
import type * as Topics from "./Topics.ts"
import type * as TransactionCoordinators from "./TransactionCoordinators.ts"

type Transactional = Identity & { readonly transactionalId: string; readonly version: Transaction.Version }

/** A client's request, where offsets may have notes. */
export interface Request extends Omit<Api["OffsetCommit"]["request"], "offsets"> {
  readonly offsets: ReadonlyArray<OffsetRecords.Committed>
}

/** An offset as clients have it, with its note. */
export type Fetched = Api["OffsetFetch"]["response"]["results"][number] & { readonly note: OffsetRecords.Note }

export interface OffsetRequests {
  /** Offsets of partitions that there are, and an error for the others. */
  readonly commit: (
    broker: Partition.Broker,
    request: Request,
    transactional: Transactional | undefined
  ) => Effect.Effect<Api["OffsetCommit"]["response"]>
  readonly fetch: (request: Api["OffsetFetch"]["request"]) => { readonly results: ReadonlyArray<Fetched> }
}

export const make = (
  topics: Topics.Topics,
  transactions: TransactionCoordinators.TransactionCoordinators,
  groups: GroupCoordinators.GroupCoordinators
): OffsetRequests => {
  const log = topics.leaderOf(Transaction.groupPartition)!

  const commit: OffsetRequests["commit"] = Effect.fnUntraced(function*(broker, request, transactional) {
    const { group } = request
    const offsets = request.offsets.filter((partition) => topics.leader(partition) !== undefined)
    let error: Errors.Error = "NONE"
    if (offsets.length > 0) {
      const timestamp = yield* Clock.currentTimeMillis
      const outcome = log.commit({ broker, version: transactional?.version ?? 2 }, {
        bytes: OffsetRecords.encode(group, offsets, timestamp, transactional),
        records: offsets.length,
        timestamp,
        transactional,
        mayCommit: () => groups.mayCommit(group, request, transactional !== undefined)
      })
      const written = yield* ProduceRequests.settle(transactions, transactional?.transactionalId, outcome)
      error = written.error
      if (error === "NONE") groups.appended(group, entryOf(written.offset, offsets, transactional))
    }
    return {
      results: request.offsets.map(({ partition, topic }) => ({
        topic,
        partition,
        error: topics.leader({ topic, partition }) === undefined ? "UNKNOWN_TOPIC_OR_PARTITION" as const : error
      }))
    }
  })

  const noteOf = (group: string, found: Api["OffsetFetch"]["response"]["results"][number]): OffsetRecords.Note => {
    const written = found.error === "NONE" ? groups.written(group, found) : undefined
    const batch = written === undefined ? undefined : log.batchAt(written)
    return batch === undefined ? OffsetRecords.noNote : OffsetRecords.noteOf(batch, found)
  }

  return {
    commit,
    fetch: (request) => {
      // What is pending for a group is unstable in the log too, whatever the rules make of that.
      const { results } = groups.fetch({ ...request, requireStable: request.requireStable && log.isUnstable() })
      return { results: results.map((found) => ({ ...found, note: noteOf(request.group, found) })) }
    }
  }
}

const entryOf = (
  logOffset: number,
  offsets: Request["offsets"],
  transactional: Transactional | undefined
) =>
  transactional === undefined
    ? { _tag: "Commit", logOffset, offsets } as const
    : { _tag: "TransactionalCommit", producerId: transactional.producerId, logOffset, offsets } as const
