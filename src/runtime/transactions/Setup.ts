/**
 * What a transactional cluster is made of.
 */
import { Transaction } from "../../core/index.ts"

/** One instance of the application. */
export interface ClientSetup {
  /** Several instances with one id fence each other. Numbered from 1. */
  readonly transactionalId: number
  /** What its producer speaks. */
  readonly version: Transaction.Version
  /** How many transactions it begins at most, restarts included. */
  readonly transactions: number
}

export interface Setup {
  /** The rules and limits of all roles. */
  readonly context: Transaction.Context
  /** In the order of their numbers, which begin with 1. */
  readonly clients: ReadonlyArray<ClientSetup>
  /** How many transactional ids there are, each with a coordinator. */
  readonly transactionalIds: number
  /** Names of all partitions; with a group, that of its offsets among them. */
  readonly partitions: ReadonlyArray<string>
  /** Followers fetch when they are told; otherwise they have at once what their leader has. */
  readonly replicationLag: boolean
}

/** Whether the application consumes with a group, and commits its offsets in its transactions. */
export const hasGroup = ({ partitions }: Setup): boolean => partitions.includes(Transaction.groupPartition)

export const clientNumbered = ({ clients }: Setup, client: number): ClientSetup => clients[client - 1]!
