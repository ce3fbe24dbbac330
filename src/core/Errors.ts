/**
 * Kafka's error names and codes, as far as producers, coordinators and leaders meet them here.
 *
 * From `org.apache.kafka.common.protocol.Errors`. A name is what the specification, the logs and the reports use; the
 * code is what goes over the wire.
 */
export const codes = {
  UNKNOWN_SERVER_ERROR: -1,
  NONE: 0,
  OFFSET_OUT_OF_RANGE: 1,
  CORRUPT_MESSAGE: 2,
  UNKNOWN_TOPIC_OR_PARTITION: 3,
  LEADER_NOT_AVAILABLE: 5,
  NOT_LEADER_OR_FOLLOWER: 6,
  REQUEST_TIMED_OUT: 7,
  MESSAGE_TOO_LARGE: 10,
  NETWORK_EXCEPTION: 13,
  COORDINATOR_LOAD_IN_PROGRESS: 14,
  COORDINATOR_NOT_AVAILABLE: 15,
  NOT_COORDINATOR: 16,
  INVALID_TOPIC_EXCEPTION: 17,
  NOT_ENOUGH_REPLICAS: 19,
  NOT_ENOUGH_REPLICAS_AFTER_APPEND: 20,
  INVALID_REQUIRED_ACKS: 21,
  ILLEGAL_GENERATION: 22,
  INCONSISTENT_GROUP_PROTOCOL: 23,
  INVALID_GROUP_ID: 24,
  UNKNOWN_MEMBER_ID: 25,
  INVALID_SESSION_TIMEOUT: 26,
  REBALANCE_IN_PROGRESS: 27,
  TOPIC_AUTHORIZATION_FAILED: 29,
  GROUP_AUTHORIZATION_FAILED: 30,
  CLUSTER_AUTHORIZATION_FAILED: 31,
  UNSUPPORTED_VERSION: 35,
  TOPIC_ALREADY_EXISTS: 36,
  INVALID_PARTITIONS: 37,
  INVALID_REPLICATION_FACTOR: 38,
  INVALID_REPLICA_ASSIGNMENT: 39,
  INVALID_REQUEST: 42,
  POLICY_VIOLATION: 44,
  OUT_OF_ORDER_SEQUENCE_NUMBER: 45,
  DUPLICATE_SEQUENCE_NUMBER: 46,
  INVALID_PRODUCER_EPOCH: 47,
  INVALID_TXN_STATE: 48,
  INVALID_PRODUCER_ID_MAPPING: 49,
  INVALID_TRANSACTION_TIMEOUT: 50,
  CONCURRENT_TRANSACTIONS: 51,
  TRANSACTION_COORDINATOR_FENCED: 52,
  TRANSACTIONAL_ID_AUTHORIZATION_FAILED: 53,
  OPERATION_NOT_ATTEMPTED: 55,
  KAFKA_STORAGE_ERROR: 56,
  UNKNOWN_PRODUCER_ID: 59,
  NON_EMPTY_GROUP: 68,
  GROUP_ID_NOT_FOUND: 69,
  FETCH_SESSION_ID_NOT_FOUND: 70,
  UNKNOWN_LEADER_EPOCH: 75,
  MEMBER_ID_REQUIRED: 79,
  FENCED_INSTANCE_ID: 82,
  INVALID_RECORD: 87,
  UNSTABLE_OFFSET_COMMIT: 88,
  PRODUCER_FENCED: 90,
  UNKNOWN_TOPIC_ID: 100,
  TRANSACTIONAL_ID_NOT_FOUND: 105,
  TRANSACTION_ABORTABLE: 120,
  INVALID_REGULAR_EXPRESSION: 128
} as const

/** The name of an answer; `NONE` is success. */
export type Error = keyof typeof codes

/** Whether the same request may succeed later. Kafka's `RetriableException`. */
export const isRetriable = (error: Error): boolean => {
  switch (error) {
    case "CORRUPT_MESSAGE":
    case "UNKNOWN_TOPIC_OR_PARTITION":
    case "LEADER_NOT_AVAILABLE":
    case "NOT_LEADER_OR_FOLLOWER":
    case "REQUEST_TIMED_OUT":
    case "NETWORK_EXCEPTION":
    case "COORDINATOR_LOAD_IN_PROGRESS":
    case "COORDINATOR_NOT_AVAILABLE":
    case "NOT_COORDINATOR":
    case "NOT_ENOUGH_REPLICAS":
    case "NOT_ENOUGH_REPLICAS_AFTER_APPEND":
    case "CONCURRENT_TRANSACTIONS":
    case "KAFKA_STORAGE_ERROR":
    case "FETCH_SESSION_ID_NOT_FOUND":
    case "UNKNOWN_LEADER_EPOCH":
    case "UNSTABLE_OFFSET_COMMIT":
    case "UNKNOWN_TOPIC_ID":
      return true
    default:
      return false
  }
}

/**
 * Whether a producer that gets this for a batch cannot go on at all, with or without transactions.
 * `TransactionManager.maybeTransitionToErrorState`.
 */
export const isFatal = (error: Error): boolean => {
  switch (error) {
    case "CLUSTER_AUTHORIZATION_FAILED":
    case "UNSUPPORTED_VERSION":
    case "INVALID_PRODUCER_ID_MAPPING":
    case "TRANSACTIONAL_ID_AUTHORIZATION_FAILED":
    case "PRODUCER_FENCED":
      return true
    default:
      return false
  }
}

/** Whether whoever gets this knows something that is old about the cluster. Kafka's `InvalidMetadataException`. */
export const isInvalidMetadata = (error: Error): boolean => {
  switch (error) {
    case "UNKNOWN_TOPIC_OR_PARTITION":
    case "LEADER_NOT_AVAILABLE":
    case "NOT_LEADER_OR_FOLLOWER":
    case "NETWORK_EXCEPTION":
    case "KAFKA_STORAGE_ERROR":
    case "UNKNOWN_TOPIC_ID":
      return true
    default:
      return false
  }
}
