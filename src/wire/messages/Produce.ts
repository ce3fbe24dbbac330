/** Produce, key 0, by the definitions of Kafka 4.4.0 and 3.9.1. Made by the tests' `regenerate.ts`. */
import type { Api } from "../Definition.ts"

export const Produce = {
  name: "Produce",
  key: 0,
  request: {
    name: "ProduceRequest",
    versions: [0, 13],
    flexible: 9,
    fields: {
      transactionalId: { type: "string", versions: "3+", nullable: true, default: null },
      acks: { type: "int16" },
      timeoutMs: { type: "int32" },
      topicData: {
        type: "[]TopicProduceData",
        fields: {
          name: { type: "string", versions: "0-12", ignorable: true },
          topicId: { type: "uuid", versions: "13+", ignorable: true },
          partitionData: {
            type: "[]PartitionProduceData",
            fields: {
              index: { type: "int32" },
              records: { type: "records", nullable: true }
            }
          }
        }
      }
    }
  },
  response: {
    name: "ProduceResponse",
    versions: [0, 13],
    flexible: 9,
    fields: {
      responses: {
        type: "[]TopicProduceResponse",
        fields: {
          name: { type: "string", versions: "0-12", ignorable: true },
          topicId: { type: "uuid", versions: "13+", ignorable: true },
          partitionResponses: {
            type: "[]PartitionProduceResponse",
            fields: {
              index: { type: "int32" },
              errorCode: { type: "int16" },
              baseOffset: { type: "int64" },
              logAppendTimeMs: { type: "int64", versions: "2+", default: -1, ignorable: true },
              logStartOffset: { type: "int64", versions: "5+", default: -1, ignorable: true },
              recordErrors: {
                type: "[]BatchIndexAndErrorMessage",
                versions: "8+",
                ignorable: true,
                fields: {
                  batchIndex: { type: "int32" },
                  batchIndexErrorMessage: { type: "string", nullable: true, default: null }
                }
              },
              errorMessage: { type: "string", versions: "8+", nullable: true, default: null, ignorable: true },
              currentLeader: {
                type: "LeaderIdAndEpoch",
                versions: "10+",
                tag: 0,
                fields: {
                  leaderId: { type: "int32", default: -1 },
                  leaderEpoch: { type: "int32", default: -1 }
                }
              }
            }
          }
        }
      },
      throttleTimeMs: { type: "int32", versions: "1+", default: 0, ignorable: true },
      nodeEndpoints: {
        type: "[]NodeEndpoint",
        versions: "10+",
        tag: 0,
        fields: {
          nodeId: { type: "int32" },
          host: { type: "string" },
          port: { type: "int32" },
          rack: { type: "string", nullable: true, default: null }
        }
      }
    }
  }
} as const satisfies Api
