/**
 * A race: requests that reach a cluster at the same time, from a state that a few requests before them have led to. What
 * comes of it is not one answer but one of several.
 */
import type { Transaction } from "../../../core/index.ts"
import type { Transactions } from "../../../model/index.ts"
import type { Level } from "../Level.ts"
import * as Telling from "../Telling.ts"

/** What takes part in races. */
export type Request = Exclude<
  Transactions.Requests.Request,
  { readonly _tag: "WriteTxnMarker" | "VerifyPartition" | "TransactionTimeout" }
>

export interface Ask {
  readonly request: Request
  /**
   * Place in the preparation, from 0: the request has the identity and the sequence that it would have there, so it can be
   * the same one again. By default they are those after the preparation, whatever has happened since.
   */
  readonly at?: number
}

/** What happens at the same time; when it is over, the cluster comes to rest. */
export interface Round {
  /** What each connection sends, without waiting for answers in between. */
  readonly connections: ReadonlyArray<ReadonlyArray<Ask>>
  /** The broker ends, at any moment of the round if it is killed and after it if it is stopped, and comes back. */
  readonly restart?: "kill" | "stop"
}

export interface Plan {
  /** Names of the partitions that have records. */
  readonly partitions: ReadonlyArray<string>
  readonly transactionalIds: number
  /** There is a group, whose offsets are committed in transactions. */
  readonly group: boolean
  /** The producers have no transactions. */
  readonly idempotent: boolean
  /** Asked one after the other. */
  readonly preparation: ReadonlyArray<Request>
  readonly rounds: ReadonlyArray<Round>
}

export interface Race {
  /** `race/…`, permanent. */
  readonly id: string
  /** What must hold, whoever comes first. */
  readonly sentence: string
  readonly level: Level
  /** Class and method of Apache Kafka where it is decided, with the KIP or the issue where there is one. */
  readonly source: string
  /** Kills or stops the broker, and starts it again. */
  readonly needsRestart: boolean
  /** What is asked in this version of transactions. */
  readonly plan: (version: Transaction.Version) => Plan
}

/** A request for a person. */
export const textOf = ({ at, request }: Ask): string =>
  `${Telling.request(request)}${at === undefined ? "" : `, the same as ${at + 1}. of the preparation`}`
