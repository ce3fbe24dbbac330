/** OffsetFetch, key 9, by the definitions of Kafka 4.4.0 and 3.9.1. Made by the tests' `regenerate.ts`. */
import type { Api } from "../Definition.ts"

export const OffsetFetch = {
  name: "OffsetFetch",
  key: 9,
  request: {
    name: "OffsetFetchRequest",
    versions: [0, 10],
    flexible: 6,
    fields: {
      groupId: { type: "string", versions: "0-7" },
      topics: {
        type: "[]OffsetFetchRequestTopic",
        versions: "0-7",
        nullable: "2+",
        fields: {
          name: { type: "string" },
          partitionIndexes: { type: "[]int32" }
        }
      },
      groups: {
        type: "[]OffsetFetchRequestGroup",
        versions: "8+",
        fields: {
          groupId: { type: "string" },
          memberId: { type: "string", versions: "9+", nullable: true, default: null, ignorable: true },
          memberEpoch: { type: "int32", versions: "9+", default: -1, ignorable: true },
          topics: {
            type: "[]OffsetFetchRequestTopics",
            nullable: true,
            fields: {
              name: { type: "string", versions: "8-9", ignorable: true },
              topicId: { type: "uuid", versions: "10+", ignorable: true },
              partitionIndexes: { type: "[]int32" }
            }
          }
        }
      },
      requireStable: { type: "bool", versions: "7+", default: false }
    }
  },
  response: {
    name: "OffsetFetchResponse",
    versions: [0, 10],
    flexible: 6,
    fields: {
      throttleTimeMs: { type: "int32", versions: "3+", ignorable: true },
      topics: {
        type: "[]OffsetFetchResponseTopic",
        versions: "0-7",
        fields: {
          name: { type: "string" },
          partitions: {
            type: "[]OffsetFetchResponsePartition",
            fields: {
              partitionIndex: { type: "int32" },
              committedOffset: { type: "int64" },
              committedLeaderEpoch: { type: "int32", versions: "5+", default: -1, ignorable: true },
              metadata: { type: "string", nullable: true },
              errorCode: { type: "int16" }
            }
          }
        }
      },
      errorCode: { type: "int16", versions: "2-7", default: 0, ignorable: true },
      groups: {
        type: "[]OffsetFetchResponseGroup",
        versions: "8+",
        fields: {
          groupId: { type: "string" },
          topics: {
            type: "[]OffsetFetchResponseTopics",
            fields: {
              name: { type: "string", versions: "8-9", ignorable: true },
              topicId: { type: "uuid", versions: "10+", ignorable: true },
              partitions: {
                type: "[]OffsetFetchResponsePartitions",
                fields: {
                  partitionIndex: { type: "int32" },
                  committedOffset: { type: "int64" },
                  committedLeaderEpoch: { type: "int32", default: -1, ignorable: true },
                  metadata: { type: "string", nullable: true },
                  errorCode: { type: "int16" }
                }
              }
            }
          },
          errorCode: { type: "int16", default: 0 }
        }
      }
    }
  }
} as const satisfies Api
