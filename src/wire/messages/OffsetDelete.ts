/** OffsetDelete, key 47, by the definitions of Kafka 4.4.0 and 3.9.1. Made by the tests' `regenerate.ts`. */
import type { Api } from "../Definition.ts"

export const OffsetDelete = {
  name: "OffsetDelete",
  key: 47,
  request: {
    name: "OffsetDeleteRequest",
    versions: [0, 0],
    flexible: NaN,
    fields: {
      groupId: { type: "string" },
      topics: {
        type: "[]OffsetDeleteRequestTopic",
        fields: {
          name: { type: "string" },
          partitions: {
            type: "[]OffsetDeleteRequestPartition",
            fields: {
              partitionIndex: { type: "int32" }
            }
          }
        }
      }
    }
  },
  response: {
    name: "OffsetDeleteResponse",
    versions: [0, 0],
    flexible: NaN,
    fields: {
      errorCode: { type: "int16" },
      throttleTimeMs: { type: "int32", ignorable: true },
      topics: {
        type: "[]OffsetDeleteResponseTopic",
        fields: {
          name: { type: "string" },
          partitions: {
            type: "[]OffsetDeleteResponsePartition",
            fields: {
              partitionIndex: { type: "int32" },
              errorCode: { type: "int16" }
            }
          }
        }
      }
    }
  }
} as const satisfies Api
