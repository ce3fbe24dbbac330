/** WriteTxnMarkers, key 27, by the definitions of Kafka 4.4.0 and 3.9.1. Made by the tests' `regenerate.ts`. */
import type { Api } from "../Definition.ts"

export const WriteTxnMarkers = {
  name: "WriteTxnMarkers",
  key: 27,
  request: {
    name: "WriteTxnMarkersRequest",
    versions: [0, 2],
    flexible: 1,
    fields: {
      markers: {
        type: "[]WritableTxnMarker",
        fields: {
          producerId: { type: "int64" },
          producerEpoch: { type: "int16" },
          transactionResult: { type: "bool" },
          topics: {
            type: "[]WritableTxnMarkerTopic",
            fields: {
              name: { type: "string" },
              partitionIndexes: { type: "[]int32" }
            }
          },
          coordinatorEpoch: { type: "int32" },
          transactionVersion: { type: "int8", versions: "2+", default: 0, ignorable: true }
        }
      }
    }
  },
  response: {
    name: "WriteTxnMarkersResponse",
    versions: [0, 2],
    flexible: 1,
    fields: {
      markers: {
        type: "[]WritableTxnMarkerResult",
        fields: {
          producerId: { type: "int64" },
          topics: {
            type: "[]WritableTxnMarkerTopicResult",
            fields: {
              name: { type: "string" },
              partitions: {
                type: "[]WritableTxnMarkerPartitionResult",
                fields: {
                  partitionIndex: { type: "int32" },
                  errorCode: { type: "int16" }
                }
              }
            }
          }
        }
      }
    }
  }
} as const satisfies Api
