/** UpdateFeatures, key 57, by the definitions of Kafka 4.4.0 and 3.9.1. Made by the tests' `regenerate.ts`. */
import type { Api } from "../Definition.ts"

export const UpdateFeatures = {
  name: "UpdateFeatures",
  key: 57,
  request: {
    name: "UpdateFeaturesRequest",
    versions: [0, 2],
    flexible: 0,
    fields: {
      timeoutMs: { type: "int32", default: 60000 },
      featureUpdates: {
        type: "[]FeatureUpdateKey",
        fields: {
          feature: { type: "string" },
          maxVersionLevel: { type: "int16" },
          allowDowngrade: { type: "bool", versions: "0" },
          upgradeType: { type: "int8", versions: "1+", default: 1 }
        }
      },
      validateOnly: { type: "bool", versions: "1+", default: false }
    }
  },
  response: {
    name: "UpdateFeaturesResponse",
    versions: [0, 2],
    flexible: 0,
    fields: {
      throttleTimeMs: { type: "int32" },
      errorCode: { type: "int16" },
      errorMessage: { type: "string", nullable: true },
      results: {
        type: "[]UpdatableFeatureResult",
        versions: "0-1",
        ignorable: true,
        fields: {
          feature: { type: "string" },
          errorCode: { type: "int16" },
          errorMessage: { type: "string", nullable: true }
        }
      }
    }
  }
} as const satisfies Api
