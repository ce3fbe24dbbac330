/** DeleteRecords, key 21, by the definitions of Kafka 4.4.0 and 3.9.1. Made by the tests' `regenerate.ts`. */
import type { Api } from "../Definition.ts"

export const DeleteRecords = {
  name: "DeleteRecords",
  key: 21,
  request: {
    name: "DeleteRecordsRequest",
    versions: [0, 2],
    flexible: 2,
    fields: {
      topics: {
        type: "[]DeleteRecordsTopic",
        fields: {
          name: { type: "string" },
          partitions: {
            type: "[]DeleteRecordsPartition",
            fields: {
              partitionIndex: { type: "int32" },
              offset: { type: "int64" }
            }
          }
        }
      },
      timeoutMs: { type: "int32" }
    }
  },
  response: {
    name: "DeleteRecordsResponse",
    versions: [0, 2],
    flexible: 2,
    fields: {
      throttleTimeMs: { type: "int32" },
      topics: {
        type: "[]DeleteRecordsTopicResult",
        fields: {
          name: { type: "string" },
          partitions: {
            type: "[]DeleteRecordsPartitionResult",
            fields: {
              partitionIndex: { type: "int32" },
              lowWatermark: { type: "int64" },
              errorCode: { type: "int16" }
            }
          }
        }
      }
    }
  }
} as const satisfies Api
