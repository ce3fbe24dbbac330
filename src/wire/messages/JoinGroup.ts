/** JoinGroup, key 11, by the definitions of Kafka 4.4.0 and 3.9.1. Made by the tests' `regenerate.ts`. */
import type { Api } from "../Definition.ts"

export const JoinGroup = {
  name: "JoinGroup",
  key: 11,
  request: {
    name: "JoinGroupRequest",
    versions: [0, 9],
    flexible: 6,
    fields: {
      groupId: { type: "string" },
      sessionTimeoutMs: { type: "int32" },
      rebalanceTimeoutMs: { type: "int32", versions: "1+", default: -1, ignorable: true },
      memberId: { type: "string" },
      groupInstanceId: { type: "string", versions: "5+", nullable: true, default: null },
      protocolType: { type: "string" },
      protocols: {
        type: "[]JoinGroupRequestProtocol",
        fields: {
          name: { type: "string" },
          metadata: { type: "bytes" }
        }
      },
      reason: { type: "string", versions: "8+", nullable: true, default: null, ignorable: true }
    }
  },
  response: {
    name: "JoinGroupResponse",
    versions: [0, 9],
    flexible: 6,
    fields: {
      throttleTimeMs: { type: "int32", versions: "2+", ignorable: true },
      errorCode: { type: "int16" },
      generationId: { type: "int32", default: -1 },
      protocolType: { type: "string", versions: "7+", nullable: true, default: null, ignorable: true },
      protocolName: { type: "string", nullable: "7+" },
      leader: { type: "string" },
      skipAssignment: { type: "bool", versions: "9+", default: false },
      memberId: { type: "string" },
      members: {
        type: "[]JoinGroupResponseMember",
        fields: {
          memberId: { type: "string" },
          groupInstanceId: { type: "string", versions: "5+", nullable: true, default: null, ignorable: true },
          metadata: { type: "bytes" }
        }
      }
    }
  }
} as const satisfies Api
