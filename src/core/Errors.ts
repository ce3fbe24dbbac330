/**
 * Kafka's error names and codes, as far as produce requests meet them.
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
  NOT_ENOUGH_REPLICAS: 19,
  NOT_ENOUGH_REPLICAS_AFTER_APPEND: 20,
  TOPIC_AUTHORIZATION_FAILED: 29,
  OUT_OF_ORDER_SEQUENCE_NUMBER: 45,
  INVALID_PRODUCER_EPOCH: 47,
  KAFKA_STORAGE_ERROR: 56,
  INVALID_RECORD: 87
} as const

/** The name of an answer; `NONE` is success. */
export type Error = keyof typeof codes
