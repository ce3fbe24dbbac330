/**
 * The versions of requests that the server answers: those of Kafka 4.4.0 (`ApiKeys`), for what there is here. What a
 * version stands for in transactions, and which errors it does not know yet, is here too.
 */
import type { Errors, Transaction } from "../../core/index.ts"
import type { Definition } from "../../wire/index.ts"

type Versions = Definition.Versions

export const served = {
  Produce: [3, 13],
  Fetch: [4, 18],
  ListOffsets: [1, 11],
  Metadata: [0, 13],
  OffsetCommit: [2, 10],
  OffsetFetch: [1, 10],
  FindCoordinator: [0, 6],
  JoinGroup: [0, 9],
  Heartbeat: [0, 4],
  LeaveGroup: [0, 5],
  SyncGroup: [0, 5],
  ApiVersions: [0, 5],
  CreateTopics: [2, 7],
  DeleteTopics: [1, 6],
  InitProducerId: [0, 5],
  AddPartitionsToTxn: [0, 5],
  AddOffsetsToTxn: [0, 4],
  EndTxn: [0, 5],
  WriteTxnMarkers: [1, 2],
  TxnOffsetCommit: [0, 6],
  DeleteGroups: [0, 3],
  DescribeProducers: [0, 0],
  DescribeTransactions: [0, 0],
  ListTransactions: [0, 2]
} as const satisfies Record<string, Versions>

export type Name = keyof typeof served

export const isServed = (name: string): name is Name => Object.hasOwn(served, name)

export const includes = ([first, last]: Versions, version: number): boolean => first <= version && version <= last

/** What ApiVersions says: old clients look for versions of Produce that nobody serves any more (KAFKA-18659). */
export const advertised = (name: Name): Versions => name === "Produce" ? [0, served.Produce[1]] : served[name]

/** The first version of a request that belongs to version 2 of transactions (KIP-890). */
const since = { Produce: 12, AddPartitionsToTxn: 4, EndTxn: 5, TxnOffsetCommit: 5 } as const

export const transactionVersion = (name: keyof typeof since, version: number): Transaction.Version =>
  version >= since[name] ? 2 : 1

/** The first version of a request or answer that names its topics by their ids (KIP-516). */
const idsSince = { Produce: 13, Fetch: 13, OffsetCommit: 10, OffsetFetch: 10, TxnOffsetCommit: 6 } as const

export const hasTopicIds = (name: keyof typeof idsSince, version: number): boolean => version >= idsSince[name]

/** The first version that is told of a fenced producer as such (KIP-588); those before know stale epochs only. */
const fencedSince = { InitProducerId: 4, AddPartitionsToTxn: 2, AddOffsetsToTxn: 2, EndTxn: 2 } as const

/** The first version that can be told to abort (KIP-890); those before are told that the transaction is in no such state. */
const abortableSince = { Produce: 11, TxnOffsetCommit: 4 } as const

/** The error as the version has it. */
export const errorIn = (
  name: keyof typeof fencedSince | keyof typeof abortableSince,
  version: number,
  error: Errors.Error
): Errors.Error => {
  if (error === "PRODUCER_FENCED" && name in fencedSince) {
    return version < fencedSince[name as keyof typeof fencedSince] ? "INVALID_PRODUCER_EPOCH" : error
  }
  if (error === "TRANSACTION_ABORTABLE" && name in abortableSince) {
    return version < abortableSince[name as keyof typeof abortableSince] ? "INVALID_TXN_STATE" : error
  }
  return error
}
