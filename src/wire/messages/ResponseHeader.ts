/** ResponseHeader, by the definitions of Kafka 4.4.0 and 3.9.1. Made by the tests' `regenerate.ts`. */
import type { Definition } from "../Definition.ts"

export const ResponseHeader = {
  name: "ResponseHeader",
  versions: [0, 1],
  flexible: 1,
  fields: {
    correlationId: { type: "int32" }
  }
} as const satisfies Definition
