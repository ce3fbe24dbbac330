/** TxnOffsetCommit, key 28, by the definitions of Kafka 4.4.0 and 3.9.1. Made by the tests' `regenerate.ts`. */
import type { Api } from "../Definition.ts"

export const TxnOffsetCommit = {
  name: "TxnOffsetCommit",
  key: 28,
  request: {
    name: "TxnOffsetCommitRequest",
    versions: [0, 6],
    flexible: 3,
    fields: {
      transactionalId: { type: "string" },
      groupId: { type: "string" },
      producerId: { type: "int64" },
      producerEpoch: { type: "int16" },
      generationIdOrMemberEpoch: { type: "int32", versions: "3+", default: -1 },
      memberId: { type: "string", versions: "3+", default: "" },
      groupInstanceId: { type: "string", versions: "3+", nullable: true, default: null },
      topics: {
        type: "[]TxnOffsetCommitRequestTopic",
        fields: {
          name: { type: "string", versions: "0-5", ignorable: true },
          topicId: { type: "uuid", versions: "6+", ignorable: true },
          partitions: {
            type: "[]TxnOffsetCommitRequestPartition",
            fields: {
              partitionIndex: { type: "int32" },
              committedOffset: { type: "int64" },
              committedLeaderEpoch: { type: "int32", versions: "2+", default: -1, ignorable: true },
              committedMetadata: { type: "string", nullable: true }
            }
          }
        }
      }
    }
  },
  response: {
    name: "TxnOffsetCommitResponse",
    versions: [0, 6],
    flexible: 3,
    fields: {
      throttleTimeMs: { type: "int32" },
      topics: {
        type: "[]TxnOffsetCommitResponseTopic",
        fields: {
          name: { type: "string", versions: "0-5", ignorable: true },
          topicId: { type: "uuid", versions: "6+", ignorable: true },
          partitions: {
            type: "[]TxnOffsetCommitResponsePartition",
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
