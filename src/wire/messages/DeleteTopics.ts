/** DeleteTopics, key 20, by the definitions of Kafka 4.4.0 and 3.9.1. Made by the tests' `regenerate.ts`. */
import type { Api } from "../Definition.ts"

export const DeleteTopics = {
  name: "DeleteTopics",
  key: 20,
  request: {
    name: "DeleteTopicsRequest",
    versions: [0, 6],
    flexible: 4,
    fields: {
      topics: {
        type: "[]DeleteTopicState",
        versions: "6+",
        fields: {
          name: { type: "string", nullable: true, default: null },
          topicId: { type: "uuid" }
        }
      },
      topicNames: { type: "[]string", versions: "0-5", ignorable: true },
      timeoutMs: { type: "int32" }
    }
  },
  response: {
    name: "DeleteTopicsResponse",
    versions: [0, 6],
    flexible: 4,
    fields: {
      throttleTimeMs: { type: "int32", versions: "1+", ignorable: true },
      responses: {
        type: "[]DeletableTopicResult",
        fields: {
          name: { type: "string", nullable: "6+" },
          topicId: { type: "uuid", versions: "6+", ignorable: true },
          errorCode: { type: "int16" },
          errorMessage: { type: "string", versions: "5+", nullable: true, default: null, ignorable: true }
        }
      }
    }
  }
} as const satisfies Api
