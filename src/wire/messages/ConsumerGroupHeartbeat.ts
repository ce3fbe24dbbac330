/** ConsumerGroupHeartbeat, key 68, by the definitions of Kafka 4.4.0 and 3.9.1. Made by the tests' `regenerate.ts`. */
import type { Api } from "../Definition.ts"

export const ConsumerGroupHeartbeat = {
  name: "ConsumerGroupHeartbeat",
  key: 68,
  request: {
    name: "ConsumerGroupHeartbeatRequest",
    versions: [0, 1],
    flexible: 0,
    fields: {
      groupId: { type: "string" },
      memberId: { type: "string" },
      memberEpoch: { type: "int32" },
      instanceId: { type: "string", nullable: true, default: null },
      rackId: { type: "string", nullable: true, default: null },
      rebalanceTimeoutMs: { type: "int32", default: -1 },
      subscribedTopicNames: { type: "[]string", nullable: true, default: null },
      subscribedTopicRegex: { type: "string", versions: "1+", nullable: true, default: null },
      serverAssignor: { type: "string", nullable: true, default: null },
      topicPartitions: {
        type: "[]TopicPartitions",
        nullable: true,
        default: null,
        fields: {
          topicId: { type: "uuid" },
          partitions: { type: "[]int32" }
        }
      }
    }
  },
  response: {
    name: "ConsumerGroupHeartbeatResponse",
    versions: [0, 1],
    flexible: 0,
    fields: {
      throttleTimeMs: { type: "int32" },
      errorCode: { type: "int16" },
      errorMessage: { type: "string", nullable: true, default: null },
      memberId: { type: "string", nullable: true, default: null },
      memberEpoch: { type: "int32" },
      heartbeatIntervalMs: { type: "int32" },
      assignment: {
        type: "Assignment",
        nullable: true,
        default: null,
        fields: {
          topicPartitions: {
            type: "[]TopicPartitions",
            fields: {
              topicId: { type: "uuid" },
              partitions: { type: "[]int32" }
            }
          }
        }
      }
    }
  }
} as const satisfies Api
