/** AddOffsetsToTxn, key 25, by the definitions of Kafka 4.4.0 and 3.9.1. Made by the tests' `regenerate.ts`. */
import type { Api } from "../Definition.ts"

export const AddOffsetsToTxn = {
  name: "AddOffsetsToTxn",
  key: 25,
  request: {
    name: "AddOffsetsToTxnRequest",
    versions: [0, 4],
    flexible: 3,
    fields: {
      transactionalId: { type: "string" },
      producerId: { type: "int64" },
      producerEpoch: { type: "int16" },
      groupId: { type: "string" }
    }
  },
  response: {
    name: "AddOffsetsToTxnResponse",
    versions: [0, 4],
    flexible: 3,
    fields: {
      throttleTimeMs: { type: "int32" },
      errorCode: { type: "int16" }
    }
  }
} as const satisfies Api
