/** Metadata, key 3, by the definitions of Kafka 4.4.0 and 3.9.1. Made by the tests' `regenerate.ts`. */
import type { Api } from "../Definition.ts"

export const Metadata = {
  name: "Metadata",
  key: 3,
  request: {
    name: "MetadataRequest",
    versions: [0, 13],
    flexible: 9,
    fields: {
      topics: {
        type: "[]MetadataRequestTopic",
        nullable: "1+",
        fields: {
          topicId: { type: "uuid", versions: "10+", ignorable: true },
          name: { type: "string", nullable: "10+" }
        }
      },
      allowAutoTopicCreation: { type: "bool", versions: "4+", default: true },
      includeClusterAuthorizedOperations: { type: "bool", versions: "8-10" },
      includeTopicAuthorizedOperations: { type: "bool", versions: "8+" }
    }
  },
  response: {
    name: "MetadataResponse",
    versions: [0, 13],
    flexible: 9,
    fields: {
      throttleTimeMs: { type: "int32", versions: "3+", ignorable: true },
      brokers: {
        type: "[]MetadataResponseBroker",
        fields: {
          nodeId: { type: "int32" },
          host: { type: "string" },
          port: { type: "int32" },
          rack: { type: "string", versions: "1+", nullable: true, default: null, ignorable: true }
        }
      },
      clusterId: { type: "string", versions: "2+", nullable: true, default: null, ignorable: true },
      controllerId: { type: "int32", versions: "1+", default: -1, ignorable: true },
      topics: {
        type: "[]MetadataResponseTopic",
        fields: {
          errorCode: { type: "int16" },
          name: { type: "string", nullable: "12+" },
          topicId: { type: "uuid", versions: "10+", ignorable: true },
          isInternal: { type: "bool", versions: "1+", default: false, ignorable: true },
          partitions: {
            type: "[]MetadataResponsePartition",
            fields: {
              errorCode: { type: "int16" },
              partitionIndex: { type: "int32" },
              leaderId: { type: "int32" },
              leaderEpoch: { type: "int32", versions: "7+", default: -1, ignorable: true },
              replicaNodes: { type: "[]int32" },
              isrNodes: { type: "[]int32" },
              offlineReplicas: { type: "[]int32", versions: "5+", ignorable: true }
            }
          },
          topicAuthorizedOperations: { type: "int32", versions: "8+", default: -2147483648 }
        }
      },
      clusterAuthorizedOperations: { type: "int32", versions: "8-10", default: -2147483648 },
      errorCode: { type: "int16", versions: "13+", ignorable: true }
    }
  }
} as const satisfies Api
