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

export const make = (
  topics: Topics.Topics,
  transactions: TransactionCoordinators.TransactionCoordinators,
  groups: GroupCoordinators.GroupCoordinators
) => {
  const log = topics.leaderOf(Transaction.groupPartition)!

  /** Offsets of partitions that there are, and an error for the others. */
  const commit = Effect.fnUntraced(function*(
    broker: Partition.Broker,
    request: Api["OffsetCommit"]["request"],
    transactional: Transactional | undefined
  ) {
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

  return {
    commit,
    fetch: (request: Api["OffsetFetch"]["request"]): Api["OffsetFetch"]["response"] =>
      // What is pending for a group is unstable in the log too, whatever the rules make of that.
      groups.fetch({ ...request, requireStable: request.requireStable && log.isUnstable() })
  }
}

const entryOf = (
  logOffset: number,
  offsets: Api["OffsetCommit"]["request"]["offsets"],
  transactional: Transactional | undefined
) =>
  transactional === undefined
    ? { _tag: "Commit", logOffset, offsets } as const
    : { _tag: "TransactionalCommit", producerId: transactional.producerId, logOffset, offsets } as const
