import { assert, it } from "@effect/vitest"
import { Effect } from "effect"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { Brokers, Client } from "../../../src/runtime/index.ts"

const example = `const bills = Effect.gen(function*() {
  const producer = yield* Client.Producer.make(
    { "transactional.id": "billing", "compression.type": "zstd" },
    { key: Client.Serde.string, value: Client.Serde.string }
  )
  yield* producer.initTransactions
  yield* producer.transaction(producer.send({ topic: "bills", key: "A0023", value: "521" }))
})`

it.live("the example of the README does what it says", () =>
  Effect.gen(function*() {
    assert.include(readFileSync(join(import.meta.dirname, "../../../README.md"), "utf8"), example)

    const producer = yield* Client.Producer.make(
      { "transactional.id": "billing", "compression.type": "zstd" },
      { key: Client.Serde.string, value: Client.Serde.string }
    )
    yield* producer.initTransactions
    yield* producer.transaction(producer.send({ topic: "bills", key: "A0023", value: "521" }))

    const consumer = yield* Client.Consumer.make({
      "isolation.level": "read_committed",
      "auto.offset.reset": "earliest",
      "enable.auto.commit": false
    })
    yield* consumer.assign([0, 1, 2, 3].map((partition) => ({ topic: "bills", partition })))
    let records = yield* consumer.poll
    while (records.length === 0) records = yield* consumer.poll
    assert.deepStrictEqual(records.map(({ value }) => Buffer.from(value!).toString()), ["521"])
  }).pipe(Effect.scoped, Effect.provide(Brokers.Cluster.Cluster.layer({ topics: { bills: 4 } }))))
