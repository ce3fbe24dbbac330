/**
 * The history of one transactional run as its clients saw it: what the applications did in their transactions, what they
 * were told, what consumers read.
 *
 * A history holds nothing a client cannot see: no epochs, coordinators, markers or faults. That is why the same judge,
 * `HistoryChecker`, serves the model, the reference implementation and a real cluster; what the runtime reports is a
 * history as it is. Events stand in the order the observer saw them; every number is an integer from 0 to
 * `Number.MAX_SAFE_INTEGER` unless said otherwise.
 */

/** A transaction, by the instance of the application that began it and how many that instance had begun, this included. */
export interface Name {
  readonly client: number
  readonly number: number
}

/** `isolation.level`. */
export type Isolation = "read_committed" | "read_uncommitted"

/**
 * `initTransactions()` was called; again, if the application started again before the call returned.
 *
 * It may be left out. Then the coordinator must have served the instances of one transactional id in the order in which
 * their calls returned.
 */
export interface Initializing {
  readonly _tag: "Initializing"
  readonly client: number
}

/**
 * `initTransactions()` returned: this is now the instance of its transactional id, and others that were it before are
 * fenced. So does the recovery of a producer that goes on with a new epoch.
 */
export interface Initialized {
  readonly _tag: "Initialized"
  readonly client: number
  /** One for the whole run. */
  readonly transactionalId: number
}

/** A transaction began. */
export interface Began {
  readonly _tag: "Began"
  /** Its number is above those of the client's earlier transactions, all of which have ended. */
  readonly transaction: Name
  /** The input that its records are the output of: the offset that the group went on from; -1 without a group. */
  readonly input: number
}

/** A record was handed over to the producer in its transaction. */
export interface HandedOver {
  readonly _tag: "HandedOver"
  readonly transaction: Name
  readonly partition: string
  /** Unique in the run. */
  readonly record: number
}

/** The group's offset was handed over, to be committed with the transaction; of several the last counts. */
export interface OffsetHandedOver {
  readonly _tag: "OffsetHandedOver"
  readonly transaction: Name
  /** The offset that the group is to go on from. */
  readonly offset: number
}

/** `commitTransaction()` was called. */
export interface CommitCalled {
  readonly _tag: "CommitCalled"
  readonly transaction: Name
}

/** `abortTransaction()` was called, perhaps after a commit that failed. */
export interface AbortCalled {
  readonly _tag: "AbortCalled"
  readonly transaction: Name
}

/** `commitTransaction()` returned. */
export interface Committed {
  readonly _tag: "Committed"
  readonly transaction: Name
}

/** `abortTransaction()` returned, or a commit failed with an error that says that the transaction is aborted. */
export interface Aborted {
  readonly _tag: "Aborted"
  readonly transaction: Name
}

/**
 * The application will not learn how its transaction ended. If the last that it called was `commitTransaction()`, the
 * transaction may be committed; otherwise it cannot be.
 */
export interface Lost {
  readonly _tag: "Lost"
  readonly transaction: Name
  readonly reason: "crash" | "fatal error" | "timeout"
}

/** A member joined the application's group and was told, by a stable fetch, the offset that the group goes on from. */
export interface Joined {
  readonly _tag: "Joined"
  readonly client: number
  readonly generation: number
  readonly offset: number
}

/** The group's offset was committed outside of any transaction, and the group coordinator has said so. */
export interface OffsetCommitted {
  readonly _tag: "OffsetCommitted"
  readonly client: number
  /** The offset that the group is to go on from. */
  readonly offset: number
}

/** A consumer read a record. Every consumer reads a partition from its start, in increasing offset order. */
export interface Read {
  readonly _tag: "Read"
  readonly consumer: number
  /** One for the whole run. */
  readonly isolation: Isolation
  readonly partition: string
  readonly offset: number
  readonly record: number
}

/**
 * A consumer has read everything that it will ever be given of a partition.
 *
 * It states that the run is at rest: every report has arrived, replication is complete, every coordinator is done. From then
 * on there is only reading. Of one partition, the ends of read_uncommitted consumers come before those of read_committed
 * ones.
 */
export interface End {
  readonly _tag: "End"
  readonly consumer: number
  readonly isolation: Isolation
  readonly partition: string
  /** Where it stands: at the last stable offset, or at the high watermark if it reads uncommitted records. */
  readonly offset: number
}

/** The offset of the group at the end of the run, as a stable fetch tells it. From then on there is only reading. */
export interface GroupEnd {
  readonly _tag: "GroupEnd"
  readonly offset: number
}

/** What an application does in a transaction, or is told of it. */
export type TransactionEvent =
  | Began
  | HandedOver
  | OffsetHandedOver
  | CommitCalled
  | AbortCalled
  | Committed
  | Aborted
  | Lost

/** Anything a client can see. */
export type Event = Initializing | Initialized | TransactionEvent | Joined | OffsetCommitted | Read | End | GroupEnd
