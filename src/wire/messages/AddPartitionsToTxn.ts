/** AddPartitionsToTxn, key 24, by the definitions of Kafka 4.4.0 and 3.9.1. Made by the tests' `regenerate.ts`. */
import type { Api } from "../Definition.ts"

export const AddPartitionsToTxn = {
  name: "AddPartitionsToTxn",
  key: 24,
  request: {
    name: "AddPartitionsToTxnRequest",
    versions: [0, 5],
    flexible: 3,
    fields: {
      transactions: {
        type: "[]AddPartitionsToTxnTransaction",
        versions: "4+",
        fields: {
          transactionalId: { type: "string" },
          producerId: { type: "int64" },
          producerEpoch: { type: "int16" },
          verifyOnly: { type: "bool", default: false },
          topics: {
            type: "[]AddPartitionsToTxnTopic",
            fields: {
              name: { type: "string" },
              partitions: { type: "[]int32" }
            }
          }
        }
      },
      v3AndBelowTransactionalId: { type: "string", versions: "0-3" },
      v3AndBelowProducerId: { type: "int64", versions: "0-3" },
      v3AndBelowProducerEpoch: { type: "int16", versions: "0-3" },
      v3AndBelowTopics: {
        type: "[]AddPartitionsToTxnTopic",
        versions: "0-3",
        fields: {
          name: { type: "string" },
          partitions: { type: "[]int32" }
        }
      }
    }
  },
  response: {
    name: "AddPartitionsToTxnResponse",
    versions: [0, 5],
    flexible: 3,
    fields: {
      throttleTimeMs: { type: "int32" },
      errorCode: { type: "int16", versions: "4+", ignorable: true },
      resultsByTransaction: {
        type: "[]AddPartitionsToTxnResult",
        versions: "4+",
        fields: {
          transactionalId: { type: "string" },
          topicResults: {
            type: "[]AddPartitionsToTxnTopicResult",
            fields: {
              name: { type: "string" },
              resultsByPartition: {
                type: "[]AddPartitionsToTxnPartitionResult",
                fields: {
                  partitionIndex: { type: "int32" },
                  partitionErrorCode: { type: "int16" }
                }
              }
            }
          }
        }
      },
      resultsByTopicV3AndBelow: {
        type: "[]AddPartitionsToTxnTopicResult",
        versions: "0-3",
        fields: {
          name: { type: "string" },
          resultsByPartition: {
            type: "[]AddPartitionsToTxnPartitionResult",
            fields: {
              partitionIndex: { type: "int32" },
              partitionErrorCode: { type: "int16" }
            }
          }
        }
      }
    }
  }
} as const satisfies Api
