/** DeleteGroups, key 42, by the definitions of Kafka 4.4.0 and 3.9.1. Made by the tests' `regenerate.ts`. */
import type { Api } from "../Definition.ts"

export const DeleteGroups = {
  name: "DeleteGroups",
  key: 42,
  request: {
    name: "DeleteGroupsRequest",
    versions: [0, 3],
    flexible: 2,
    fields: {
      groupsNames: { type: "[]string" }
    }
  },
  response: {
    name: "DeleteGroupsResponse",
    versions: [0, 3],
    flexible: 2,
    fields: {
      throttleTimeMs: { type: "int32" },
      results: {
        type: "[]DeletableGroupResult",
        fields: {
          groupId: { type: "string" },
          errorCode: { type: "int16" },
          errorMessage: { type: "string", versions: "3+", nullable: true, default: null, ignorable: true }
        }
      }
    }
  }
} as const satisfies Api
