/** Heartbeat, key 12, by the definitions of Kafka 4.4.0 and 3.9.1. Made by the tests' `regenerate.ts`. */
import type { Api } from "../Definition.ts"

export const Heartbeat = {
  name: "Heartbeat",
  key: 12,
  request: {
    name: "HeartbeatRequest",
    versions: [0, 4],
    flexible: 4,
    fields: {
      groupId: { type: "string" },
      generationId: { type: "int32" },
      memberId: { type: "string" },
      groupInstanceId: { type: "string", versions: "3+", nullable: true, default: null }
    }
  },
  response: {
    name: "HeartbeatResponse",
    versions: [0, 4],
    flexible: 4,
    fields: {
      throttleTimeMs: { type: "int32", versions: "1+", ignorable: true },
      errorCode: { type: "int16" }
    }
  }
} as const satisfies Api
