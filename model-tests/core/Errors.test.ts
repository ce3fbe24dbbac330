import { assert, describe, it } from "@effect/vitest"
import { Errors } from "../../src/core/index.ts"

// From org.apache.kafka.common.protocol.Errors, written down independently of the table under test.
const kafka: Readonly<Record<Errors.Error, number>> = {
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
    "NOT_LEADER_OR_FOLLOWER",
    "REQUEST_TIMED_OUT",
    "NETWORK_EXCEPTION",
    "COORDINATOR_NOT_AVAILABLE",
    "NOT_COORDINATOR",
    "NOT_ENOUGH_REPLICAS",
    "NOT_ENOUGH_REPLICAS_AFTER_APPEND",
    "CONCURRENT_TRANSACTIONS",
    "KAFKA_STORAGE_ERROR",
    "UNSTABLE_OFFSET_COMMIT"
  ]

  it("holds for what passes by itself, and for nothing else", () => {
    const found = (Object.keys(Errors.codes) as ReadonlyArray<Errors.Error>).filter(Errors.isRetriable)

    assert.sameMembers(found, [...retriable])
  })
})
