/** LeaveGroup, key 13, by the definitions of Kafka 4.4.0 and 3.9.1. Made by the tests' `regenerate.ts`. */
import type { Api } from "../Definition.ts"

export const LeaveGroup = {
  name: "LeaveGroup",
  key: 13,
  request: {
    name: "LeaveGroupRequest",
    versions: [0, 5],
    flexible: 4,
    fields: {
      groupId: { type: "string" },
      memberId: { type: "string", versions: "0-2" },
      members: {
        type: "[]MemberIdentity",
        versions: "3+",
        fields: {
          memberId: { type: "string" },
          groupInstanceId: { type: "string", nullable: true, default: null },
          reason: { type: "string", versions: "5+", nullable: true, default: null, ignorable: true }
        }
      }
    }
  },
  response: {
    name: "LeaveGroupResponse",
    versions: [0, 5],
    flexible: 4,
    fields: {
      throttleTimeMs: { type: "int32", versions: "1+", ignorable: true },
      errorCode: { type: "int16" },
      members: {
        type: "[]MemberResponse",
        versions: "3+",
        fields: {
          memberId: { type: "string" },
          groupInstanceId: { type: "string", nullable: true },
          errorCode: { type: "int16" }
        }
      }
    }
  }
} as const satisfies Api
