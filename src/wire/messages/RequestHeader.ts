/** RequestHeader, by the definitions of Kafka 4.4.0 and 3.9.1. Made by the tests' `regenerate.ts`. */
import type { Definition } from "../Definition.ts"

export const RequestHeader = {
  name: "RequestHeader",
  versions: [0, 2],
  flexible: 2,
  fields: {
    requestApiKey: { type: "int16" },
    requestApiVersion: { type: "int16" },
    correlationId: { type: "int32" },
    clientId: { type: "string", versions: "1+", nullable: true, flexibleVersions: "none" }
  }
} as const satisfies Definition
