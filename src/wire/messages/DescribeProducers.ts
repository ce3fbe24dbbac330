/** DescribeProducers, key 61, by the definitions of Kafka 4.4.0 and 3.9.1. Made by the tests' `regenerate.ts`. */
import type { Api } from "../Definition.ts"

export const DescribeProducers = {
  name: "DescribeProducers",
  key: 61,
  request: {
    name: "DescribeProducersRequest",
    versions: [0, 0],
    flexible: 0,
    fields: {
      topics: {
        type: "[]TopicRequest",
        fields: {
          name: { type: "string" },
          partitionIndexes: { type: "[]int32" }
        }
      }
    }
  },
  response: {
    name: "DescribeProducersResponse",
    versions: [0, 0],
    flexible: 0,
    fields: {
      throttleTimeMs: { type: "int32" },
      topics: {
        type: "[]TopicResponse",
        fields: {
          name: { type: "string" },
          partitions: {
            type: "[]PartitionResponse",
            fields: {
              partitionIndex: { type: "int32" },
              errorCode: { type: "int16" },
              errorMessage: { type: "string", nullable: true, default: null },
              activeProducers: {
                type: "[]ProducerState",
                fields: {
                  producerId: { type: "int64" },
                  producerEpoch: { type: "int32" },
                  lastSequence: { type: "int32", default: -1 },
                  lastTimestamp: { type: "int64", default: -1 },
                  coordinatorEpoch: { type: "int32" },
                  currentTxnStartOffset: { type: "int64", default: -1 }
                }
              }
            }
          }
        }
      }
    }
  }
} as const satisfies Api
