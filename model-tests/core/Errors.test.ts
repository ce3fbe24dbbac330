import { assert, describe, it } from "@effect/vitest"
import { Errors } from "../../src/core/index.ts"

// From org.apache.kafka.common.protocol.Errors, written down independently of the table under test.
const kafka: Readonly<Record<Errors.Error, number>> = {
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
