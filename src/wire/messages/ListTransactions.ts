/** ListTransactions, key 66, by the definitions of Kafka 4.4.0 and 3.9.1. Made by the tests' `regenerate.ts`. */
import type { Api } from "../Definition.ts"

export const ListTransactions = {
  name: "ListTransactions",
  key: 66,
  request: {
    name: "ListTransactionsRequest",
    versions: [0, 2],
    flexible: 0,
    fields: {
      stateFilters: { type: "[]string" },
      producerIdFilters: { type: "[]int64" },
      durationFilter: { type: "int64", versions: "1+", default: -1 },
      transactionalIdPattern: { type: "string", versions: "2+", nullable: true, default: null }
    }
  },
  response: {
    name: "ListTransactionsResponse",
    versions: [0, 2],
    flexible: 0,
    fields: {
      throttleTimeMs: { type: "int32" },
      errorCode: { type: "int16" },
      unknownStateFilters: { type: "[]string" },
      transactionStates: {
        type: "[]TransactionState",
        fields: {
          transactionalId: { type: "string" },
          producerId: { type: "int64" },
          transactionState: { type: "string" }
        }
      }
    }
  }
} as const satisfies Api
