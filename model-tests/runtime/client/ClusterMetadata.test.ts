import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import { TestClock } from "effect/testing"
import * as ClusterMetadata from "../../../src/runtime/client/ClusterMetadata.ts"
import {
  type Api,
  type ApiKey,
  type Connections,
  Disconnected,
  type NodeId
} from "../../../src/runtime/client/Requests.ts"
import { t } from "./consuming.ts"

type Response = Api["Metadata"]["response"]

/** Brokers 1 to 3, of which some answer; who was asked. */
const brokers = (answers: Readonly<Record<NodeId, () => Response>>, asked: Array<NodeId>): Connections["Service"] => ({
  bootstrap: [1, 2, 3],
  send: <Key extends ApiKey>(node: NodeId, api: Key) =>
    Effect.suspend(() => {
      asked.push(node)
      const answer = answers[node]
      return answer === undefined
        ? Effect.fail(new Disconnected({ node, api }))
        : Effect.succeed(answer() as Api[Key]["response"])
    })
})

const led = (...leaders: ReadonlyArray<NodeId>): Response => ({
  brokers: [1, 2, 3],
  partitions: leaders.map((leader, partition) => ({ ...t(partition), error: "NONE", leader }))
})

describe("update", () => {
  it.effect("asks one broker after the other, and the same one the next time", () =>
    Effect.gen(function*() {
      const asked: Array<NodeId> = []
      const cluster = ClusterMetadata.make(brokers({ 3: () => led(1, 2) }, asked), 1000)

      yield* cluster.update(["t"])
      yield* cluster.update(["t"])

      assert.deepStrictEqual(asked, [1, 2, 3, 3])
      assert.deepStrictEqual([0, 1, 2].map((partition) => cluster.leader(t(partition))), [1, 2, undefined])
      assert.strictEqual(cluster.partitionCount("t"), 2)
      assert.strictEqual(cluster.partitionCount("u"), 0)
    }))

  it.effect("fails when nobody answers", () =>
    Effect.gen(function*() {
      const asked: Array<NodeId> = []
      const cluster = ClusterMetadata.make(brokers({}, asked), 1000)

      assert.strictEqual((yield* Effect.flip(cluster.update(["t"])))._tag, "Disconnected")
      assert.deepStrictEqual(asked, [1, 2, 3])
    }))

  it.effect("forgets leaders and topics that are not there any more", () =>
    Effect.gen(function*() {
      let response = led(1, 2)
      const cluster = ClusterMetadata.make(brokers({ 1: () => response }, []), 1000)
      yield* cluster.update(["t"])
      response = led(-1, 3)
      yield* cluster.update(["t"])

      assert.isUndefined(cluster.leader(t(0)))
      assert.strictEqual(cluster.leader(t(1)), 3)
      response = led()
      yield* cluster.update(["t"])
      assert.isUndefined(cluster.leader(t(1)))
      assert.strictEqual(cluster.partitionCount("t"), 0)
    }))
})

describe("ask", () => {
  it.effect("does not wait for ever", () =>
    Effect.gen(function*() {
      const silent: Connections["Service"] = { bootstrap: [1], send: () => Effect.never }
      const cluster = ClusterMetadata.make(silent, 1000)
      const asking = yield* Effect.forkChild(Effect.flip(cluster.ask(1, "Metadata", { topics: [] })))
      const longer = yield* Effect.forkChild(Effect.flip(cluster.ask(1, "Metadata", { topics: [] }, 500)))

      yield* TestClock.adjust(999)
      assert.isUndefined(asking.pollUnsafe())
      yield* TestClock.adjust(1)
      assert.deepInclude(yield* Fiber.join(asking), { _tag: "Disconnected", node: 1, api: "Metadata" })
      assert.isUndefined(longer.pollUnsafe())
      yield* TestClock.adjust(500)
      assert.strictEqual((yield* Fiber.join(longer))._tag, "Disconnected")
    }))
})
