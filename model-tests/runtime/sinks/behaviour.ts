/** What sinks do, on whatever database: one test for each, to be run on every one there is. */
import { assert, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { SqlClient } from "effect/sql"
import * as Sinks from "../../../src/runtime/sinks/index.ts"

const { NaiveSink, Sink, TransactionalSink, UpsertSink } = Sinks

type SinkRecord = Sinks.Sink.SinkRecord

const record = (offset: number, value = `output ${offset}`, partition = 0, topic = "inputs"): SinkRecord => ({
  topic,
  partition,
  offset,
  key: null,
  value
})

const inputs = (partition: number, topic = "inputs") => ({ topic, partition })

/** Offsets and values in a table, by partition and offset. */
const rows = (table: string) =>
  SqlClient.SqlClient.use((sql) =>
    sql<{ readonly offset: unknown; readonly value: string; readonly generation: unknown }>`
      SELECT ${sql("offset")}, ${sql("value")}, ${sql("generation")} FROM ${sql(table)}
      ORDER BY ${sql("topic")}, ${sql("partition")}, ${sql("offset")}`
  ).pipe(
    Effect.map((found) =>
      found.map(({ generation, offset, value }) => [Number(offset), value, Number(generation)] as const)
    )
  )

const offsets = (table: string) => Effect.map(rows(table), (found) => found.map(([offset]) => offset))

let tables = 0

/** The error that an effect fails with. */
const errorOf = <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.flip(effect)

/** A sink at work on a table of its own. */
type Use = (
  sink: Sinks.Sink.Sink["Service"],
  table: string
) => Effect.Effect<void, unknown, SqlClient.SqlClient>

/** The tests, on databases of this kind. */
export const on = (database: () => Layer.Layer<SqlClient.SqlClient>): void => {
  const tests = (
    name: string,
    sinkOf: (options: Sinks.SqlSink.Options) => ReturnType<typeof TransactionalSink.layer>
  ) =>
  (title: string, use: Use): void => {
    const table = `Outputs "of" ${tables++}; --`
    it.live(`${name}: ${title}`, () =>
      Effect.flatMap(Sink.Sink, (sink) => use(sink, table)).pipe(
        Effect.provide(Layer.provideMerge(sinkOf({ group: "group", table }), database()))
      ))
  }

  const transactional = tests("a transactional sink", TransactionalSink.layer)
  const upsert = tests("an upsert sink", UpsertSink.layer)
  const outputFirst = tests("a naive sink", NaiveSink.layerOutputFirst)

  transactional("stores outputs, and where to go on, by partition", (sink, table) =>
    Effect.gen(function*() {
      yield* sink.fence(1)
      assert.deepStrictEqual(yield* sink.positions([inputs(0)]), [])
      yield* sink.deliver([record(0), record(4), record(7, "other", 1)], 1)
      yield* sink.deliver([record(0, "elsewhere", 0, "more")], 1)

      assert.deepStrictEqual(yield* rows(table), [
        [0, "output 0", 1],
        [4, "output 4", 1],
        [7, "other", 1],
        [0, "elsewhere", 1]
      ])
      assert.sameDeepMembers([...(yield* sink.positions([inputs(0), inputs(1), inputs(2), inputs(0, "more")]))], [
        { ...inputs(0), offset: 5 },
        { ...inputs(1), offset: 8 },
        { ...inputs(0, "more"), offset: 1 }
      ])
      assert.deepStrictEqual(yield* sink.positions([]), [])
    }))

  transactional("takes a batch again, and of a batch only what is new", (sink, table) =>
    Effect.gen(function*() {
      yield* sink.fence(1)
      yield* sink.deliver([record(0), record(1)], 1)
      yield* sink.deliver([record(0), record(1)], 1)
      assert.deepStrictEqual(yield* offsets(table), [0, 1])

      yield* sink.deliver([record(1), record(2), record(0, "first", 1)], 1)
      assert.deepStrictEqual(yield* offsets(table), [0, 1, 2, 0])
      yield* sink.deliver([], 1)
      assert.deepStrictEqual(yield* sink.positions([inputs(0)]), [{ ...inputs(0), offset: 3 }])
    }))

  transactional(
    "refuses older generations everywhere, and members that have not opened it",
    (sink, table) =>
      Effect.gen(function*() {
        const fenced = (generation: number) => new Sink.SinkFenced({ group: "group", generation })
        assert.deepStrictEqual(yield* errorOf(sink.deliver([record(0)], 1)), fenced(1))
        yield* sink.fence(2)
        yield* sink.fence(2)

        assert.deepStrictEqual(yield* errorOf(sink.fence(1)), fenced(1))
        assert.deepStrictEqual(yield* errorOf(sink.deliver([record(0)], 1)), fenced(1))
        assert.deepStrictEqual(yield* errorOf(sink.deliver([record(0)], 3)), fenced(3))
        yield* sink.deliver([record(0)], 2)
        assert.deepStrictEqual(yield* rows(table), [[0, "output 0", 2]])
      })
  )

  transactional(
    "takes more rows than one statement has parameters for, in one transaction",
    (sink, table) =>
      Effect.gen(function*() {
        const count = 9_001
        yield* sink.fence(1)
        yield* sink.deliver(Array.from({ length: count }, (_, offset) => record(offset)), 1)

        assert.strictEqual((yield* offsets(table)).length, count)
        assert.deepStrictEqual(yield* sink.positions([inputs(0)]), [{ ...inputs(0), offset: count }])
      })
  )

  transactional("keeps values as they are", (sink, table) =>
    Effect.gen(function*() {
      const values = ["'; DROP TABLE outputs; --", "\"quoted\"", "žluťoučký 🐎", "", "$1 ? %s"]
      yield* sink.fence(1)
      yield* sink.deliver(values.map((value, offset) => record(offset, value)), 1)
      yield* sink.deliver([{ ...record(0, "x", 3, "a'b\"c"), value: null }], 1)

      const found = yield* rows(table)
      assert.sameDeepMembers(found.map(([, value]) => value), [...values, null])
      assert.deepStrictEqual(yield* sink.positions([inputs(3, "a'b\"c")]), [{ ...inputs(3, "a'b\"c"), offset: 1 }])
    }))

  transactional("has offsets beyond 32 bits", (sink) =>
    Effect.gen(function*() {
      const offset = 2 ** 40
      yield* sink.fence(2 ** 31)
      yield* sink.deliver([record(offset)], 2 ** 31)

      assert.deepStrictEqual(yield* sink.positions([inputs(0)]), [{ ...inputs(0), offset: offset + 1 }])
    }))

  transactional("can be opened again, and by other groups, which do not meet", (sink, table) =>
    Effect.gen(function*() {
      yield* sink.fence(5)
      yield* sink.deliver([record(0)], 5)
      const open = (group: string) =>
        Sinks.SqlSink.make({ Delivery: [new Set(["OUTPUT"])], HasKeys: false }, { group, table })
      const [again, other] = [yield* open("group"), yield* open("other")]

      assert.deepStrictEqual(yield* again.positions([inputs(0)]), [{ ...inputs(0), offset: 1 }])
      assert.deepStrictEqual(yield* other.positions([inputs(0)]), [])
      yield* other.fence(1)
      assert.strictEqual((yield* errorOf(again.fence(1)))._tag, "SinkFenced")
    }))

  transactional("fails with what the database says, and writes nothing then", (sink, table) =>
    Effect.gen(function*() {
      const sql = yield* SqlClient.SqlClient
      yield* sink.fence(1)
      yield* sql`DROP TABLE ${sql(`${table}_offsets`)}`

      for (const effect of [sink.positions([inputs(0)]), sink.deliver([record(0)], 1)]) {
        const error = yield* errorOf(effect as Effect.Effect<unknown, Sinks.Sink.SinkFailure>)
        assert.strictEqual(error._tag, "SinkFailure")
        assert.isFalse(error.retryable)
        assert.match(error.message, /^(?:positions|deliver) failed: /)
      }
      assert.deepStrictEqual(yield* rows(table), [])
    }))

  upsert("puts a second output in the place of the first", (sink, table) =>
    Effect.gen(function*() {
      yield* sink.fence(1)
      yield* sink.deliver([record(0, "first"), record(1)], 1)
      yield* sink.fence(2)
      yield* sink.deliver([record(0, "second"), record(2)], 2)

      assert.deepStrictEqual(yield* rows(table), [[0, "second", 2], [1, "output 1", 1], [2, "output 2", 2]])
    }))

  upsert("has outputs of an outdated member, but no offset", (sink, table) =>
    Effect.gen(function*() {
      yield* sink.fence(2)

      assert.strictEqual((yield* errorOf(sink.deliver([record(0)], 1)))._tag, "SinkFenced")
      assert.deepStrictEqual(yield* rows(table), [[0, "output 0", 1]])
      assert.deepStrictEqual(yield* sink.positions([inputs(0)]), [])
    }))

  outputFirst("writes a batch as often as it is given it", (sink, table) =>
    Effect.gen(function*() {
      yield* sink.fence(1)
      yield* sink.deliver([record(0)], 1)
      yield* sink.deliver([record(0)], 1)

      assert.deepStrictEqual(yield* offsets(table), [0, 0])
      assert.deepStrictEqual(yield* sink.positions([inputs(0)]), [{ ...inputs(0), offset: 1 }])
    }))
}
