/** FindCoordinator, key 10, by the definitions of Kafka 4.4.0 and 3.9.1. Made by the tests' `regenerate.ts`. */
import type { Api } from "../Definition.ts"

export const FindCoordinator = {
  name: "FindCoordinator",
  key: 10,
  request: {
    name: "FindCoordinatorRequest",
    versions: [0, 6],
    flexible: 3,
    fields: {
      key: { type: "string", versions: "0-3" },
      keyType: { type: "int8", versions: "1+", default: 0 },
      coordinatorKeys: { type: "[]string", versions: "4+" }
    }
  },
  response: {
    name: "FindCoordinatorResponse",
    versions: [0, 6],
    flexible: 3,
    fields: {
      throttleTimeMs: { type: "int32", versions: "1+", ignorable: true },
      errorCode: { type: "int16", versions: "0-3" },
      errorMessage: { type: "string", versions: "1-3", nullable: true, ignorable: true },
      nodeId: { type: "int32", versions: "0-3" },
      host: { type: "string", versions: "0-3" },
      port: { type: "int32", versions: "0-3" },
      coordinators: {
        type: "[]Coordinator",
        versions: "4+",
        fields: {
          key: { type: "string" },
          nodeId: { type: "int32" },
          host: { type: "string" },
          port: { type: "int32" },
          errorCode: { type: "int16" },
          errorMessage: { type: "string", nullable: true, ignorable: true }
        }
      }
    }
  }
} as const satisfies Api
