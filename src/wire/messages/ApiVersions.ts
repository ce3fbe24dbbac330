/** ApiVersions, key 18, by the definitions of Kafka 4.4.0 and 3.9.1. Made by the tests' `regenerate.ts`. */
import type { Api } from "../Definition.ts"

export const ApiVersions = {
  name: "ApiVersions",
  key: 18,
  request: {
    name: "ApiVersionsRequest",
    versions: [0, 5],
    flexible: 3,
    fields: {
      clientSoftwareName: { type: "string", versions: "3+", ignorable: true },
      clientSoftwareVersion: { type: "string", versions: "3+", ignorable: true },
      clusterId: { type: "string", versions: "5+", nullable: true, default: null, ignorable: true },
      nodeId: { type: "int32", versions: "5+", default: -1, ignorable: true }
    }
  },
  response: {
    name: "ApiVersionsResponse",
    versions: [0, 5],
    flexible: 3,
    fields: {
      errorCode: { type: "int16" },
      apiKeys: {
        type: "[]ApiVersion",
        fields: {
          apiKey: { type: "int16" },
          minVersion: { type: "int16" },
          maxVersion: { type: "int16" }
        }
      },
      throttleTimeMs: { type: "int32", versions: "1+", ignorable: true },
      supportedFeatures: {
        type: "[]SupportedFeatureKey",
        versions: "3+",
        tag: 0,
        ignorable: true,
        fields: {
          name: { type: "string" },
          minVersion: { type: "int16" },
          maxVersion: { type: "int16" }
        }
      },
      finalizedFeaturesEpoch: { type: "int64", versions: "3+", tag: 1, default: -1, ignorable: true },
      finalizedFeatures: {
        type: "[]FinalizedFeatureKey",
        versions: "3+",
        tag: 2,
        ignorable: true,
        fields: {
          name: { type: "string" },
          maxVersionLevel: { type: "int16" },
          minVersionLevel: { type: "int16" }
        }
      },
      zkMigrationReady: { type: "bool", versions: "3+", tag: 3, default: false, ignorable: true }
    }
  }
} as const satisfies Api
