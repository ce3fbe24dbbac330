/** ListOffsets, key 2, by the definitions of Kafka 4.4.0 and 3.9.1. Made by the tests' `regenerate.ts`. */
import type { Api } from "../Definition.ts"

export const ListOffsets = {
  name: "ListOffsets",
  key: 2,
  request: {
    name: "ListOffsetsRequest",
    versions: [0, 11],
    flexible: 6,
    fields: {
      replicaId: { type: "int32" },
      isolationLevel: { type: "int8", versions: "2+" },
      topics: {
        type: "[]ListOffsetsTopic",
        fields: {
          name: { type: "string" },
          partitions: {
            type: "[]ListOffsetsPartition",
            fields: {
              partitionIndex: { type: "int32" },
              currentLeaderEpoch: { type: "int32", versions: "4+", default: -1, ignorable: true },
              timestamp: { type: "int64" },
              maxNumOffsets: { type: "int32", versions: "0", default: 1 }
            }
          }
        }
      },
      timeoutMs: { type: "int32", versions: "10+", ignorable: true }
    }
  },
  response: {
    name: "ListOffsetsResponse",
    versions: [0, 11],
    flexible: 6,
    fields: {
      throttleTimeMs: { type: "int32", versions: "2+", ignorable: true },
      topics: {
        type: "[]ListOffsetsTopicResponse",
        fields: {
          name: { type: "string" },
          partitions: {
            type: "[]ListOffsetsPartitionResponse",
            fields: {
              partitionIndex: { type: "int32" },
              errorCode: { type: "int16" },
              oldStyleOffsets: { type: "[]int64", versions: "0" },
              timestamp: { type: "int64", versions: "1+", default: -1 },
              offset: { type: "int64", versions: "1+", default: -1 },
              leaderEpoch: { type: "int32", versions: "4+", default: -1 }
            }
          }
        }
      }
    }
  }
} as const satisfies Api
