/**
 * The history of one run as its clients saw it: what the application handed over, what it was told, what consumers read.
 *
 * A history holds nothing a client cannot see: no epochs, sequence numbers, leaders or faults. That is why the same
 * judge, `HistoryChecker`, serves the model, the reference implementation and a real cluster. Events stand in the order
 * the observer saw them; every number is an integer from 0 to `Number.MAX_SAFE_INTEGER` unless said otherwise.
 */

/**
 * The application handed a record to the producer.
 *
 * The order of these events on one partition is the send order of that partition. A partition has one writing
 * application: a restart of its producer opens a session with a higher number.
 */
export interface Send {
  readonly _tag: "Send"
  /** Unique in the run. It may be sent again, to the same partition, in a later session only. */
  readonly record: number
  readonly partition: string
  /** The producer's incarnation: rises with every restart. */
  readonly session: number
}

/** The producer reported success for the latest send of the record. */
export interface Acknowledged {
  readonly _tag: "Acknowledged"
  readonly record: number
  /** Where the record was said to be, or -1 when the answer does not tell (acks=0, a duplicate of a forgotten batch). */
  readonly offset: number
}

/** The producer reported that the latest send of the record was certainly refused. */
export interface Failed {
  readonly _tag: "Failed"
  readonly record: number
}

/** The producer reported an outcome that proves nothing for the latest send: a timeout, a lost connection. */
export interface Unknown {
  readonly _tag: "Unknown"
  readonly record: number
}

/** A consumer read a record. Every consumer reads a partition from its start, in increasing offset order. */
export interface Read {
  readonly _tag: "Read"
  readonly consumer: number
  readonly partition: string
  readonly offset: number
  readonly record: number
}

/**
 * A consumer has read everything below the partition's final high watermark.
 *
 * It states that the partition is at rest: every report has arrived, replication is complete, nothing is sent after it.
 * A partition without this event was cut short.
 */
export interface End {
  readonly _tag: "End"
  readonly consumer: number
  readonly partition: string
  /** The final high watermark: one above the last offset that can be read. */
  readonly offset: number
}

/** Anything a client can see. */
export type Event = Send | Acknowledged | Failed | Unknown | Read | End
