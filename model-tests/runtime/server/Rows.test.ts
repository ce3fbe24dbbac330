import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { Connection } from "../../../src/runtime/remote/index.ts"
import { Server } from "../../../src/runtime/server/index.ts"
import * as Probe from "./probe.ts"
import { kafka } from "./releases.ts"
import { rows } from "./rows.ts"

for (const version of [1, 2] as const) {
  describe(`a server with the rules of Kafka and transaction.version ${version}`, () => {
    for (const [index, { ask, expected, row, what }] of rows.entries()) {
      it.live(`row ${row}: ${what}`, () =>
        Effect.gen(function*() {
          const server = yield* Server.make({ ...kafka, transactionVersion: version, topics: { t: 2 } })
          const probe = Probe.make(yield* Connection.connect(server))

          const answers = yield* ask({
            probe,
            version,
            id: `id-${index}`,
            partitions: [["t", 0], ["t", 1]],
            group: "g"
          })

          assert.deepStrictEqual(answers, expected[version - 1] ?? expected[0])
        }))
    }
  })
}
