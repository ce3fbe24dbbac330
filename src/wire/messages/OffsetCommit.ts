/** OffsetCommit, key 8, by the definitions of Kafka 4.4.0 and 3.9.1. Made by the tests' `regenerate.ts`. */
import type { Api } from "../Definition.ts"

export const OffsetCommit = {
  name: "OffsetCommit",
  key: 8,
  request: {
    name: "OffsetCommitRequest",
    versions: [0, 10],
    flexible: 8,
    fields: {
      groupId: { type: "string" },
      generationIdOrMemberEpoch: { type: "int32", versions: "1+", default: -1, ignorable: true },
      memberId: { type: "string", versions: "1+", ignorable: true },
      groupInstanceId: { type: "string", versions: "7+", nullable: true, default: null },
      retentionTimeMs: { type: "int64", versions: "2-4", default: -1, ignorable: true },
      topics: {
        type: "[]OffsetCommitRequestTopic",
        fields: {
          name: { type: "string", versions: "0-9", ignorable: true },
          topicId: { type: "uuid", versions: "10+", ignorable: true },
          partitions: {
            type: "[]OffsetCommitRequestPartition",
            fields: {
              partitionIndex: { type: "int32" },
              committedOffset: { type: "int64" },
              committedLeaderEpoch: { type: "int32", versions: "6+", default: -1, ignorable: true },
              commitTimestamp: { type: "int64", versions: "1", default: -1 },
              committedMetadata: { type: "string", nullable: true }
            }
          }
        }
      }
    }
  },
  response: {
    name: "OffsetCommitResponse",
    versions: [0, 10],
    flexible: 8,
    fields: {
      throttleTimeMs: { type: "int32", versions: "3+", ignorable: true },
      topics: {
        type: "[]OffsetCommitResponseTopic",
        fields: {
          name: { type: "string", versions: "0-9", ignorable: true },
          topicId: { type: "uuid", versions: "10+", ignorable: true },
          partitions: {
            type: "[]OffsetCommitResponsePartition",
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
