import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { Connection } from "../../../src/runtime/remote/index.ts"
import { Server } from "../../../src/runtime/server/index.ts"
import * as Probe from "./probe.ts"
import type { Identity, Partition } from "./probe.ts"

const partitions: ReadonlyArray<Partition> = [["t", 0], ["t", 1]]

for (const version of [1, 2] as const) {
  describe(`transactions of version ${version}, from beginning to end`, () => {
    it.live("show what was committed, and its offsets, to those who read that only", () =>
      Effect.gen(function*() {
        const server = yield* Server.make({ topics: { t: 2, input: 1 }, transactionVersion: version })
        const probe = Probe.make(yield* Connection.connect(server))
        const input: Partition = ["input", 0]
        let identity: Identity = yield* probe.init("x")

        for (const [number, result] of (["COMMIT", "ABORT", "COMMIT"] as const).entries()) {
          if (version === 1) {
            yield* Probe.settled(
              Effect.map(probe.add("x", identity, partitions), ([error]) => ({ error: error! }))
            )
            yield* probe.addOffsets("x", identity, "g")
          }
          for (const at of partitions) {
            const written = yield* Probe.settled(probe.produce(at, {
              identity,
              sequence: version === 1 ? 2 * number : 0,
              values: [`${number}a`, `${number}b`],
              transactionalId: "x",
              version: version === 1 ? 11 : 12
            }))
            assert.strictEqual(written.error, "NONE")
          }
          const committed = yield* probe.commitInTransaction("x", identity, "g", input, number + 1, {
            version: version === 1 ? 4 : 5
          })
          assert.strictEqual(committed, "NONE")
          const ended = yield* probe.end("x", identity, result, version === 1 ? 4 : 5)
          assert.strictEqual(ended.error, "NONE")
          if (version === 2) identity = ended
        }
        yield* Probe.untilState(probe, "x", "CompleteCommit")

        for (const at of partitions) {
          const committed = yield* probe.fetch(at, "read_committed")
          const everything = yield* probe.fetch(at, "read_uncommitted")
          // Who reads what is committed is given the rest too, and told whose it is.
          const values = ["0a", "0b", "1a", "1b", "2a", "2b"]
          assert.deepInclude(committed, { highWatermark: 9, lastStableOffset: 9, values })
          assert.deepStrictEqual(committed.aborted, [{ producerId: identity.producerId, firstOffset: 3 }])
          assert.deepInclude(everything, { highWatermark: 9, values, aborted: null })
        }
        assert.strictEqual(yield* probe.committed("g", input, true), 3)
      }))
  })
}
