/**
 * The sizes built into the protocol. The defaults are Kafka's; a model scales some of them down so that exhausting
 * them lies inside its bounds.
 */
export interface Limits {
  /** The last sequence number before the wrap to 0. */
  readonly maxSequence: number
  /** The last producer epoch before a new producer id is taken. */
  readonly maxEpoch: number
  /** How many batches a leader remembers of a producer id (`ProducerStateEntry.NUM_BATCHES_TO_RETAIN`). */
  readonly dedupWindow: number
  /** Retries are counted up to here and no further. */
  readonly maxAttempts: number
}

export const kafka: Limits = { maxSequence: 2147483647, maxEpoch: 32767, dedupWindow: 5, maxAttempts: 2147483647 }
