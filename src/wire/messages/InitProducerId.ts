/** InitProducerId, key 22, by the definitions of Kafka 4.4.0 and 3.9.1. Made by the tests' `regenerate.ts`. */
import type { Api } from "../Definition.ts"

export const InitProducerId = {
  name: "InitProducerId",
  key: 22,
  latestVersionUnstable: true,
  request: {
    name: "InitProducerIdRequest",
    versions: [0, 6],
    flexible: 2,
    fields: {
      transactionalId: { type: "string", nullable: true },
      transactionTimeoutMs: { type: "int32" },
      producerId: { type: "int64", versions: "3+", default: -1 },
      producerEpoch: { type: "int16", versions: "3+", default: -1 },
      enable2Pc: { type: "bool", versions: "6+", default: false },
      keepPreparedTxn: { type: "bool", versions: "6+", default: false }
    }
  },
  response: {
    name: "InitProducerIdResponse",
    versions: [0, 6],
    flexible: 2,
    fields: {
      throttleTimeMs: { type: "int32", ignorable: true },
      errorCode: { type: "int16" },
      producerId: { type: "int64", default: -1 },
      producerEpoch: { type: "int16" },
      ongoingTxnProducerId: { type: "int64", versions: "6+", default: -1 },
      ongoingTxnProducerEpoch: { type: "int16", versions: "6+", default: -1 }
    }
  }
} as const satisfies Api
