/** CreateTopics, key 19, by the definitions of Kafka 4.4.0 and 3.9.1. Made by the tests' `regenerate.ts`. */
import type { Api } from "../Definition.ts"

export const CreateTopics = {
  name: "CreateTopics",
  key: 19,
  request: {
    name: "CreateTopicsRequest",
    versions: [0, 7],
    flexible: 5,
    fields: {
      topics: {
        type: "[]CreatableTopic",
        fields: {
          name: { type: "string" },
          numPartitions: { type: "int32" },
          replicationFactor: { type: "int16" },
          assignments: {
            type: "[]CreatableReplicaAssignment",
            fields: {
              partitionIndex: { type: "int32" },
              brokerIds: { type: "[]int32" }
            }
          },
          configs: {
            type: "[]CreatableTopicConfig",
            fields: {
              name: { type: "string" },
              value: { type: "string", nullable: true }
            }
          }
        }
      },
      timeoutMs: { type: "int32", default: 60000 },
      validateOnly: { type: "bool", versions: "1+", default: false }
    }
  },
  response: {
    name: "CreateTopicsResponse",
    versions: [0, 7],
    flexible: 5,
    fields: {
      throttleTimeMs: { type: "int32", versions: "2+", ignorable: true },
      topics: {
        type: "[]CreatableTopicResult",
        fields: {
          name: { type: "string" },
          topicId: { type: "uuid", versions: "7+", ignorable: true },
          errorCode: { type: "int16" },
          errorMessage: { type: "string", versions: "1+", nullable: true, ignorable: true },
          topicConfigErrorCode: { type: "int16", versions: "5+", tag: 0, ignorable: true },
          numPartitions: { type: "int32", versions: "5+", default: -1, ignorable: true },
          replicationFactor: { type: "int16", versions: "5+", default: -1, ignorable: true },
          configs: {
            type: "[]CreatableTopicConfigs",
            versions: "5+",
            nullable: true,
            ignorable: true,
            fields: {
              name: { type: "string" },
              value: { type: "string", nullable: true },
              readOnly: { type: "bool" },
              configSource: { type: "int8", default: -1, ignorable: true },
              isSensitive: { type: "bool" }
            }
          }
        }
      }
    }
  }
} as const satisfies Api
