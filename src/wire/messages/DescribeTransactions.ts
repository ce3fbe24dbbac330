/** DescribeTransactions, key 65, by the definitions of Kafka 4.4.0 and 3.9.1. Made by the tests' `regenerate.ts`. */
import type { Api } from "../Definition.ts"

export const DescribeTransactions = {
  name: "DescribeTransactions",
  key: 65,
  request: {
    name: "DescribeTransactionsRequest",
    versions: [0, 0],
    flexible: 0,
    fields: {
      transactionalIds: { type: "[]string" }
    }
  },
  response: {
    name: "DescribeTransactionsResponse",
    versions: [0, 0],
    flexible: 0,
    fields: {
      throttleTimeMs: { type: "int32" },
      transactionStates: {
        type: "[]TransactionState",
        fields: {
          errorCode: { type: "int16" },
          transactionalId: { type: "string" },
          transactionState: { type: "string" },
          transactionTimeoutMs: { type: "int32" },
          transactionStartTimeMs: { type: "int64" },
          producerId: { type: "int64" },
          producerEpoch: { type: "int16" },
          topics: {
            type: "[]TopicData",
            fields: {
              topic: { type: "string" },
              partitions: { type: "[]int32" }
            }
          }
        }
      }
    }
  }
} as const satisfies Api
