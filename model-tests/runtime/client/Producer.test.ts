import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import { TestClock } from "effect/testing"
import * as Producer from "../../../src/runtime/client/Producer.ts"
import type * as ProducerConfig from "../../../src/runtime/client/ProducerConfig.ts"
import * as Serde from "../../../src/runtime/client/Serde.ts"
import * as Scripted from "./scripted.ts"

const strings: Producer.Options<string, string> = { key: Serde.string, value: Serde.string }

const make = (broker: Scripted.Broker, config: ProducerConfig.Given = {}) =>
  Producer.make(config, strings).pipe(Effect.provide(broker.layer))

describe("send", () => {
  it.effect("answers with where the record is", () =>
    Effect.gen(function*() {
      const broker = Scripted.make()
      const producer = yield* make(broker)
      const sent = yield* Effect.forkChild(producer.send({ topic: "t", value: "a", timestamp: 3 }))
      yield* TestClock.adjust(10)
      assert.deepStrictEqual(yield* Fiber.join(sent), { topic: "t", partition: 0, offset: 0, timestamp: 3 })
    }))
})
