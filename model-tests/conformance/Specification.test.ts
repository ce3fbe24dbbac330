import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { writeFileSync } from "node:fs"
import { join } from "node:path"
import * as Runtimes from "../../src/conformance/Runtimes.ts"
import * as Specification from "../../src/conformance/Specification.ts"
import { configPath, temporary } from "./support.ts"

const config = "models/base-small.cfg"

/** Loads the configuration for a module with this text. */
const load = Effect.fnUntraced(function*(text: string) {
  const folder = yield* temporary
  writeFileSync(join(folder, "Root.tla"), text)
  return yield* Specification.load(configPath(folder, "Root.tla"), config)
})

describe("the model of a configuration", () => {
  it.effect("is that of the module itself, or of one that it extends, however far away", () =>
    Effect.gen(function*() {
      for (const module of ["IdempotentProducer.tla", "KafkaReleases.tla", "museum/KAFKA_14034.tla"]) {
        const { model } = yield* Specification.load(module, config)
        assert.strictEqual(model.specification, "IdempotentProducer")
      }
      const far = yield* load("---- MODULE Root ----\nEXTENDS Naturals, KafkaReleases\n====\n")
      assert.strictEqual(far.model.specification, "IdempotentProducer")
      assert.isDefined(Runtimes.of(far))
    }))

  it.effect("a module that reads no specification of ours is refused by name", () =>
    Effect.gen(function*() {
      const { message } = yield* Effect.flip(load("---- MODULE Root ----\nEXTENDS Naturals\n====\n"))

      assert.match(message, /Root\.tla must extend one of IdempotentProducer/)
    }))
})
