/**
 * Sequence numbers: they count the records of one producer id on one partition, and wrap from `maxSequence` to 0.
 *
 * Arithmetic only. Which sequence is acceptable where is a rule (`Rules.ts`).
 */

/** Kafka's `NO_PRODUCER_ID`, `NO_PRODUCER_EPOCH`, `NO_SEQUENCE` and "no offset". */
export const none = -1

/** `sequence` moved on by `count` records. `DefaultRecordBatch.incrementSequence`. */
export const increment = (maxSequence: number, sequence: number, count: number): number =>
  sequence > maxSequence - count ? count - (maxSequence - sequence) - 1 : sequence + count

/** The sequence of the last record in a batch of `count` records that begins with `sequence`. */
export const last = (maxSequence: number, sequence: number, count: number): number =>
  increment(maxSequence, sequence, count - 1)
