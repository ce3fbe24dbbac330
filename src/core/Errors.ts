/**
 * Kafka's error names and codes, as far as producers, coordinators and leaders meet them here.
 *
 * From `org.apache.kafka.common.protocol.Errors`. A name is what the specification, the logs and the reports use; the
 * code is what goes over the wire.
 */
export const codes = {
  UNKNOWN_SERVER_ERROR: -1,
  NONE: 0,
  NOT_LEADER_OR_FOLLOWER: 6,
  REQUEST_TIMED_OUT: 7,
  NETWORK_EXCEPTION: 13,
  COORDINATOR_NOT_AVAILABLE: 15,
  NOT_COORDINATOR: 16,
  NOT_ENOUGH_REPLICAS: 19,
  NOT_ENOUGH_REPLICAS_AFTER_APPEND: 20,
  ILLEGAL_GENERATION: 22,
  TOPIC_AUTHORIZATION_FAILED: 29,
  OUT_OF_ORDER_SEQUENCE_NUMBER: 45,
  INVALID_PRODUCER_EPOCH: 47,
  INVALID_TXN_STATE: 48,
  INVALID_PRODUCER_ID_MAPPING: 49,
  CONCURRENT_TRANSACTIONS: 51,
  TRANSACTION_COORDINATOR_FENCED: 52,
  KAFKA_STORAGE_ERROR: 56,
  INVALID_RECORD: 87,
  UNSTABLE_OFFSET_COMMIT: 88,
  PRODUCER_FENCED: 90,
  TRANSACTION_ABORTABLE: 120
} as const

/** The name of an answer; `NONE` is success. */
export type Error = keyof typeof codes

/** Whether the same request may succeed later. Kafka's `RetriableException`. */
export const isRetriable = (error: Error): boolean => {
  switch (error) {
    case "NOT_LEADER_OR_FOLLOWER":
    case "REQUEST_TIMED_OUT":
    case "NETWORK_EXCEPTION":
    case "COORDINATOR_NOT_AVAILABLE":
    case "NOT_COORDINATOR":
    case "NOT_ENOUGH_REPLICAS":
    case "NOT_ENOUGH_REPLICAS_AFTER_APPEND":
    case "CONCURRENT_TRANSACTIONS":
    case "KAFKA_STORAGE_ERROR":
    case "UNSTABLE_OFFSET_COMMIT":
      return true
    default:
      return false
  }
}
