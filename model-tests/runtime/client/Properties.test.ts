import { assert, describe, it } from "@effect/vitest"
import * as Properties from "../../../src/runtime/client/Properties.ts"

describe("nearest", () => {
  it("is the nearest of those near enough", () => {
    assert.strictEqual(
      Properties.nearest("retry.backoff", ["retry.backoff.ms", "retry.backoff.max.ms"]),
      "retry.backoff.ms"
    )
    assert.isUndefined(Properties.nearest("colour", ["acks", "retries"]))
  })
})
