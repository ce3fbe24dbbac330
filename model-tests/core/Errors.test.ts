import { assert, describe, it } from "@effect/vitest"
import { Errors } from "../../src/core/index.ts"

// From org.apache.kafka.common.protocol.Errors, written down independently of the table under test.
const kafka: Readonly<Record<Errors.Error, number>> = {
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
}

describe("codes", () => {
  it("are Kafka's", () => {
    assert.deepStrictEqual<Readonly<Record<string, number>>>(Errors.codes, kafka)
  })

  it("are given once each", () => {
    const codes = Object.values(Errors.codes)

    assert.strictEqual(new Set(codes).size, codes.length)
  })
})

describe("isRetriable", () => {
  // The subclasses of org.apache.kafka.common.errors.RetriableException.
  const retriable: ReadonlyArray<Errors.Error> = [
    "CORRUPT_MESSAGE",
    "UNKNOWN_TOPIC_OR_PARTITION",
    "LEADER_NOT_AVAILABLE",
    "NOT_LEADER_OR_FOLLOWER",
    "REQUEST_TIMED_OUT",
    "NETWORK_EXCEPTION",
    "COORDINATOR_LOAD_IN_PROGRESS",
    "COORDINATOR_NOT_AVAILABLE",
    "NOT_COORDINATOR",
    "NOT_ENOUGH_REPLICAS",
    "NOT_ENOUGH_REPLICAS_AFTER_APPEND",
    "CONCURRENT_TRANSACTIONS",
    "KAFKA_STORAGE_ERROR",
    "FETCH_SESSION_ID_NOT_FOUND",
    "UNKNOWN_LEADER_EPOCH",
    "UNSTABLE_OFFSET_COMMIT",
    "UNKNOWN_TOPIC_ID"
  ]

  it("holds for what passes by itself, and for nothing else", () => {
    const found = (Object.keys(Errors.codes) as ReadonlyArray<Errors.Error>).filter(Errors.isRetriable)

    assert.sameMembers(found, [...retriable])
  })
})

describe("isFatal", () => {
  const fatal: ReadonlyArray<Errors.Error> = [
    "PRODUCER_FENCED",
    "INVALID_PRODUCER_ID_MAPPING",
    "TRANSACTIONAL_ID_AUTHORIZATION_FAILED",
    "CLUSTER_AUTHORIZATION_FAILED",
    "UNSUPPORTED_VERSION"
  ]

  it("holds for what ends a producer, and for nothing else", () => {
    const found = (Object.keys(Errors.codes) as ReadonlyArray<Errors.Error>).filter(Errors.isFatal)

    assert.sameMembers(found, [...fatal])
  })
})

describe("isInvalidMetadata", () => {
  // The subclasses of org.apache.kafka.common.errors.InvalidMetadataException.
  const invalid: ReadonlyArray<Errors.Error> = [
    "UNKNOWN_TOPIC_OR_PARTITION",
    "LEADER_NOT_AVAILABLE",
    "NOT_LEADER_OR_FOLLOWER",
    "NETWORK_EXCEPTION",
    "KAFKA_STORAGE_ERROR",
    "UNKNOWN_TOPIC_ID"
  ]

  it("holds for what another leader explains, and for nothing else", () => {
    const found = (Object.keys(Errors.codes) as ReadonlyArray<Errors.Error>).filter(Errors.isInvalidMetadata)

    assert.sameMembers(found, [...invalid])
    assert.isTrue(found.every(Errors.isRetriable))
  })
})
