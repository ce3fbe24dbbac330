/** EndTxn, key 26, by the definitions of Kafka 4.4.0 and 3.9.1. Made by the tests' `regenerate.ts`. */
import type { Api } from "../Definition.ts"

export const EndTxn = {
  name: "EndTxn",
  key: 26,
  request: {
    name: "EndTxnRequest",
    versions: [0, 5],
    flexible: 3,
    fields: {
      transactionalId: { type: "string" },
      producerId: { type: "int64" },
      producerEpoch: { type: "int16" },
      committed: { type: "bool" }
    }
  },
  response: {
    name: "EndTxnResponse",
    versions: [0, 5],
    flexible: 3,
    fields: {
      throttleTimeMs: { type: "int32" },
      errorCode: { type: "int16" },
      producerId: { type: "int64", versions: "5+", default: -1, ignorable: true },
      producerEpoch: { type: "int16", versions: "5+", default: -1, ignorable: true }
    }
  }
} as const satisfies Api
