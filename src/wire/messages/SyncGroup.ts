/** SyncGroup, key 14, by the definitions of Kafka 4.4.0 and 3.9.1. Made by the tests' `regenerate.ts`. */
import type { Api } from "../Definition.ts"

export const SyncGroup = {
  name: "SyncGroup",
  key: 14,
  request: {
    name: "SyncGroupRequest",
    versions: [0, 5],
    flexible: 4,
    fields: {
      groupId: { type: "string" },
      generationId: { type: "int32" },
      memberId: { type: "string" },
      groupInstanceId: { type: "string", versions: "3+", nullable: true, default: null },
      protocolType: { type: "string", versions: "5+", nullable: true, default: null, ignorable: true },
      protocolName: { type: "string", versions: "5+", nullable: true, default: null, ignorable: true },
      assignments: {
        type: "[]SyncGroupRequestAssignment",
        fields: {
          memberId: { type: "string" },
          assignment: { type: "bytes" }
        }
      }
    }
  },
  response: {
    name: "SyncGroupResponse",
    versions: [0, 5],
    flexible: 4,
    fields: {
      throttleTimeMs: { type: "int32", versions: "1+", ignorable: true },
      errorCode: { type: "int16" },
      protocolType: { type: "string", versions: "5+", nullable: true, default: null, ignorable: true },
      protocolName: { type: "string", versions: "5+", nullable: true, default: null, ignorable: true },
      assignment: { type: "bytes" }
    }
  }
} as const satisfies Api
