/** Fetch, key 1, by the definitions of Kafka 4.4.0 and 3.9.1. Made by the tests' `regenerate.ts`. */
import type { Api } from "../Definition.ts"

export const Fetch = {
  name: "Fetch",
  key: 1,
  request: {
    name: "FetchRequest",
    versions: [0, 18],
    flexible: 12,
    fields: {
      clusterId: { type: "string", versions: "12+", nullable: true, tag: 0, default: null, ignorable: true },
      replicaId: { type: "int32", versions: "0-14", default: -1 },
      replicaState: {
        type: "ReplicaState",
        versions: "15+",
        tag: 1,
        fields: {
          replicaId: { type: "int32", default: -1 },
          replicaEpoch: { type: "int64", default: -1 }
        }
      },
      maxWaitMs: { type: "int32" },
      minBytes: { type: "int32" },
      maxBytes: { type: "int32", versions: "3+", default: 2147483647, ignorable: true },
      isolationLevel: { type: "int8", versions: "4+", default: 0, ignorable: true },
      sessionId: { type: "int32", versions: "7+", default: 0, ignorable: true },
      sessionEpoch: { type: "int32", versions: "7+", default: -1, ignorable: true },
      topics: {
        type: "[]FetchTopic",
        fields: {
          topic: { type: "string", versions: "0-12", ignorable: true },
          topicId: { type: "uuid", versions: "13+", ignorable: true },
          partitions: {
            type: "[]FetchPartition",
            fields: {
              partition: { type: "int32" },
              currentLeaderEpoch: { type: "int32", versions: "9+", default: -1, ignorable: true },
              fetchOffset: { type: "int64" },
              lastFetchedEpoch: { type: "int32", versions: "12+", default: -1 },
              logStartOffset: { type: "int64", versions: "5+", default: -1, ignorable: true },
              partitionMaxBytes: { type: "int32" },
              replicaDirectoryId: { type: "uuid", versions: "17+", tag: 0, ignorable: true },
              highWatermark: { type: "int64", versions: "18+", tag: 1, default: Infinity, ignorable: true }
            }
          }
        }
      },
      forgottenTopicsData: {
        type: "[]ForgottenTopic",
        versions: "7+",
        fields: {
          topic: { type: "string", versions: "7-12", ignorable: true },
          topicId: { type: "uuid", versions: "13+", ignorable: true },
          partitions: { type: "[]int32" }
        }
      },
      rackId: { type: "string", versions: "11+", default: "", ignorable: true }
    }
  },
  response: {
    name: "FetchResponse",
    versions: [0, 18],
    flexible: 12,
    fields: {
      throttleTimeMs: { type: "int32", versions: "1+", ignorable: true },
      errorCode: { type: "int16", versions: "7+", ignorable: true },
      sessionId: { type: "int32", versions: "7+", default: 0 },
      responses: {
        type: "[]FetchableTopicResponse",
        fields: {
          topic: { type: "string", versions: "0-12", ignorable: true },
          topicId: { type: "uuid", versions: "13+", ignorable: true },
          partitions: {
            type: "[]PartitionData",
            fields: {
              partitionIndex: { type: "int32" },
              errorCode: { type: "int16" },
              highWatermark: { type: "int64" },
              lastStableOffset: { type: "int64", versions: "4+", default: -1, ignorable: true },
              logStartOffset: { type: "int64", versions: "5+", default: -1, ignorable: true },
              divergingEpoch: {
                type: "EpochEndOffset",
                versions: "12+",
                tag: 0,
                fields: {
                  epoch: { type: "int32", default: -1 },
                  endOffset: { type: "int64", default: -1 }
                }
              },
              currentLeader: {
                type: "LeaderIdAndEpoch",
                versions: "12+",
                tag: 1,
                fields: {
                  leaderId: { type: "int32", default: -1 },
                  leaderEpoch: { type: "int32", default: -1 }
                }
              },
              snapshotId: {
                type: "SnapshotId",
                versions: "12+",
                tag: 2,
                fields: {
                  endOffset: { type: "int64", default: -1 },
                  epoch: { type: "int32", default: -1 }
                }
              },
              abortedTransactions: {
                type: "[]AbortedTransaction",
                versions: "4+",
                nullable: true,
                ignorable: true,
                fields: {
                  producerId: { type: "int64" },
                  firstOffset: { type: "int64" }
                }
              },
              preferredReadReplica: { type: "int32", versions: "11+", default: -1 },
              records: { type: "records", nullable: true }
            }
          }
        }
      },
      nodeEndpoints: {
        type: "[]NodeEndpoint",
        versions: "16+",
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
