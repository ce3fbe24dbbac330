import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { Connection } from "../../../src/runtime/remote/index.ts"
import { Server } from "../../../src/runtime/server/index.ts"
import * as Probe from "./probe.ts"
import type { Identity, Partition } from "./probe.ts"
import { kafka } from "./releases.ts"

/** The last epoch that a client is given. */
const LAST_EPOCH = 32_766

/** An instance with the last epoch. */
const exhausted = Effect.fnUntraced(function*(probe: Probe.Probe, id: string) {
  const inits = Array.from({ length: LAST_EPOCH + 1 }, () => probe.init(id))
  return (yield* Effect.all(inits, { concurrency: 200 })).at(-1)!
})

const at: Partition = ["t", 0]

const markers = (probe: Probe.Probe, { producerId }: Identity) =>
  Effect.map(
    probe.fetch(at),
    ({ headers }) =>
      headers.filter((header) => header.isControl && header.producerId === producerId).map(({ producerEpoch }) =>
        producerEpoch
      )
  )

/** Rows 52 to 54 of the table. */
describe("epochs that are used up", () => {
  it.live("go on with another producer id when an open transaction is fenced, under version 1", () =>
    Effect.gen(function*() {
      const server = yield* Server.make({ ...kafka, topics: { t: 1 }, transactionVersion: 1 })
      const probe = Probe.make(yield* Connection.connect(server))
      const old = yield* exhausted(probe, "x")
      assert.strictEqual(old.producerEpoch, LAST_EPOCH)

      yield* probe.add("x", old, [at])
      assert.strictEqual((yield* probe.init("x")).error, "CONCURRENT_TRANSACTIONS")
      yield* Probe.untilState(probe, "x", "CompleteAbort")
      assert.deepStrictEqual(yield* markers(probe, old), [LAST_EPOCH + 1])
      assert.include(yield* probe.describe("x"), { producerId: old.producerId, producerEpoch: LAST_EPOCH + 1 })
      const next = yield* probe.init("x")
      assert.notStrictEqual(next.producerId, old.producerId)
      assert.strictEqual(next.producerEpoch, 0)
    }))

  it.live("go on with another producer id at the end of a transaction, under version 2", () =>
    Effect.gen(function*() {
      const server = yield* Server.make({ ...kafka, topics: { t: 1 }, transactionVersion: 2 })
      const probe = Probe.make(yield* Connection.connect(server))
      const old = yield* exhausted(probe, "x")

      yield* probe.produce(at, { identity: old, sequence: 0, transactionalId: "x", version: 12 })
      const next = yield* probe.end("x", old, "COMMIT", 5)
      assert.notStrictEqual(next.producerId, old.producerId)
      assert.include(next, { error: "NONE", producerEpoch: 0 })
      yield* Probe.untilState(probe, "x", "CompleteCommit")
      assert.deepStrictEqual(yield* markers(probe, old), [LAST_EPOCH + 1])
      assert.deepStrictEqual(yield* probe.end("x", old, "COMMIT", 5), next)
      assert.strictEqual((yield* probe.end("x", old, "ABORT", 5)).error, "INVALID_TXN_STATE")
      const beyond = { producerId: old.producerId, producerEpoch: LAST_EPOCH + 1 }
      assert.strictEqual((yield* probe.end("x", beyond, "COMMIT", 5)).error, "INVALID_PRODUCER_ID_MAPPING")
    }))
})
