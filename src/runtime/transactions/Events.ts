/**
 * What a run of the transactional cluster tells whoever listens: what its clients saw, in the order in which they saw it,
 * and which actions of the specification it was made of.
 *
 * An observation holds nothing that a client cannot see. An action holds nothing that the specification does not name.
 */
import type { Transaction } from "../../core/index.ts"

/** Which transaction of which instance of the application; instances and their transactions are numbered from 1. */
export type Name = Transaction.Name

/** `isolation.level`. */
export type Isolation = "read_committed" | "read_uncommitted"

/** Why the application will not learn how its transaction ended. */
export type Loss =
  /** It died and started again under the same transactional id. */
  | "crash"
  /** Its producer met an error that it cannot go on from. */
  | "fatal error"

/** `initTransactions()` was called, or the producer goes on with a new epoch by itself. */
export interface Initializing {
  readonly _tag: "Initializing"
  readonly client: number
}

/** What was initializing is done: from now on this is the instance of its transactional id. */
export interface Initialized {
  readonly _tag: "Initialized"
  readonly client: number
  readonly transactionalId: number
}

/** A transaction began. */
export interface Began {
  readonly _tag: "Began"
  readonly transaction: Name
  /** The input that its records are the output of: the group's offset; −1 without a group. */
  readonly input: number
}

/** A record of the transaction was handed over to the producer. There is one for each partition at most. */
export interface HandedOver {
  readonly _tag: "HandedOver"
  readonly transaction: Name
  readonly partition: string
  /** Unique in the run. */
  readonly record: number
}

/** The group's offset was handed over, to be committed with the transaction. `sendOffsetsToTransaction()`. */
export interface OffsetHandedOver {
  readonly _tag: "OffsetHandedOver"
  readonly transaction: Name
  /** The offset that the group goes on from: the one after the input. */
  readonly offset: number
}

/** `commitTransaction()` was called. */
export interface CommitCalled {
  readonly _tag: "CommitCalled"
  readonly transaction: Name
}

/** `abortTransaction()` was called; also after a commit that failed with an error which aborting gets over. */
export interface AbortCalled {
  readonly _tag: "AbortCalled"
  readonly transaction: Name
}

/** `commitTransaction()` returned. */
export interface Committed {
  readonly _tag: "Committed"
  readonly transaction: Name
}

/** `abortTransaction()` returned. */
export interface Aborted {
  readonly _tag: "Aborted"
  readonly transaction: Name
}

/**
 * The application will not learn how the transaction ended. If it had called `commitTransaction()`, the transaction may
 * be committed; otherwise it cannot be.
 */
export interface Lost {
  readonly _tag: "Lost"
  readonly transaction: Name
  readonly reason: Loss
}

/** The application joined its group, and was told the offset that the group goes on from. */
export interface Joined {
  readonly _tag: "Joined"
  readonly client: number
  readonly generation: number
  readonly offset: number
}

/** The group's offset was committed by itself, after the transaction that it belongs to. `commitSync()`. */
export interface OffsetCommitted {
  readonly _tag: "OffsetCommitted"
  readonly client: number
  /** The offset that the group goes on from. */
  readonly offset: number
}

/** A consumer read a record. Every consumer reads a partition from its start, in increasing offset order. */
export interface Read {
  readonly _tag: "Read"
  readonly consumer: number
  readonly isolation: Isolation
  readonly partition: string
  readonly offset: number
  readonly record: number
}

/**
 * A consumer has read everything that it will ever be given of a partition: nothing is on the way any more, no
 * transaction is open, and everything is replicated. A run that was cut short does not say this.
 */
export interface End {
  readonly _tag: "End"
  readonly consumer: number
  readonly isolation: Isolation
  readonly partition: string
  /** The last stable offset, or the high watermark, whichever bounds the consumer. */
  readonly offset: number
}

/** The offset of the group at the end of the run, as a stable fetch tells it. */
export interface GroupEnd {
  readonly _tag: "GroupEnd"
  readonly offset: number
}

/** Anything that a client can see. */
export type Observation =
  | Initializing
  | Initialized
  | Began
  | HandedOver
  | OffsetHandedOver
  | CommitCalled
  | AbortCalled
  | Committed
  | Aborted
  | Lost
  | Joined
  | OffsetCommitted
  | Read
  | End
  | GroupEnd

/**
 * An action of the specification, under its name and with its arguments, in the order of the specification's parameters:
 * numbers of clients, transactional ids and copies, names of partitions, `"TRUE"` and `"FALSE"`. It is what the label of
 * an edge says.
 */
export interface ActionTaken {
  readonly action: string
  readonly arguments: ReadonlyArray<string | number>
  /**
   * The number of the fault that the action took, if it took one: how many were left before it. A message that its
   * sender gave up with this action has the number for its copy from now on.
   */
  readonly fault?: number
}

/** Hears everything in the order in which it happens. What an action lets a client see comes after the action. */
export interface Listener {
  readonly observed: (observation: Observation) => void
  readonly taken: (action: ActionTaken) => void
}
