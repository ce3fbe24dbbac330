/**
 * The name of a partition, as clients and groups use it. Kafka's `TopicPartition`.
 */
export interface TopicPartition {
  readonly topic: string
  /** From 0. */
  readonly partition: number
}

/** One string for a partition, to find it by. No two partitions have the same: the number follows the last dash. */
export const key = ({ partition, topic }: TopicPartition): string => `${topic}-${partition}`
