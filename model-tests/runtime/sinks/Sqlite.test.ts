import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Layer } from "effect"
import { SqlClient } from "effect/sql"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll } from "vitest"
import * as Sinks from "../../../src/runtime/sinks/index.ts"
import * as Behaviour from "./behaviour.ts"

const { Sink, SqliteClient, TransactionalSink } = Sinks

const folder = mkdtempSync(join(tmpdir(), "keos-sinks-"))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
const file = (name: string): string => join(folder, `${name}.sqlite`)

const record = (offset: number): Sinks.Sink.SinkRecord => ({
  topic: "inputs",
  partition: 0,
  offset,
  key: null,
  value: null
})

describe("on SQLite in memory", () => Behaviour.on(() => SqliteClient.layer(":memory:").pipe(Layer.orDie)))

describe("a client of SQLite", () => {
  const pragma = (name: string) =>
    SqlClient.SqlClient.use((sql) => sql<Readonly<Record<string, unknown>>>`${sql.literal(`PRAGMA ${name}`)}`).pipe(
      Effect.map(([row]) => Object.values(row!)[0])
    )

  it.live("writes ahead, and flushes every commit unless it is told not to", () =>
    Effect.gen(function*() {
      const settings = Effect.all([pragma("journal_mode"), pragma("synchronous")])
      const full = yield* settings.pipe(Effect.provide(SqliteClient.layer(file("full"))))
      const off = yield* settings.pipe(Effect.provide(SqliteClient.layer(file("off"), { flush: false })))

      assert.deepStrictEqual([full, off], [["wal", 2], ["wal", 0]])
    }))

  it.live("keeps what was committed, and nothing of a transaction that failed", () =>
    Effect.gen(function*() {
      const connect = SqliteClient.layer(file("kept"))
      yield* Effect.gen(function*() {
        const sql = yield* SqlClient.SqlClient
        yield* sql`CREATE TABLE t (n INTEGER)`
        yield* sql.withTransaction(sql`INSERT INTO t ${sql.insert({ n: 1 })}`)
        yield* Effect.ignore(
          sql.withTransaction(Effect.andThen(sql`INSERT INTO t ${sql.insert({ n: 2 })}`, Effect.fail("no")))
        )
        yield* Effect.ignore(sql`INSERT INTO missing ${sql.insert({ n: 3 })}`)
      }).pipe(Effect.provide(connect))
      const found = yield* SqlClient.SqlClient.use((sql) => sql`SELECT n FROM t`).pipe(Effect.provide(connect))

      assert.deepStrictEqual(found.map((row) => ({ ...row })), [{ n: 1 }])
    }))

  it.live("runs transactions one after the other", () =>
    Effect.gen(function*() {
      const sql = yield* SqlClient.SqlClient
      yield* sql`CREATE TABLE t (n INTEGER)`
      const increment = sql.withTransaction(Effect.gen(function*() {
        const [row] = yield* sql<{ readonly n: number }>`SELECT count(*) AS n FROM t`
        yield* Effect.yieldNow
        yield* sql`INSERT INTO t ${sql.insert({ n: row!.n })}`
      }))
      yield* Effect.all(Array.from({ length: 10 }, () => increment), { concurrency: "unbounded" })
      const found = yield* sql<{ readonly n: number }>`SELECT n FROM t ORDER BY n`

      assert.deepStrictEqual(found.map(({ n }) => n), Array.from({ length: 10 }, (_, n) => n))
    }).pipe(Effect.provide(SqliteClient.layer(":memory:"))))

  it.live("cannot open what is no database", () =>
    Effect.gen(function*() {
      const sink = TransactionalSink.layer({ group: "group" })
      const exit = yield* Effect.exit(
        Sink.Sink.use((one) => one.fence(1)).pipe(
          Effect.provide(sink.pipe(Layer.provide(SqliteClient.layer(join(folder, "missing", "file.sqlite")))))
        )
      )

      assert.isTrue(Exit.isFailure(exit))
    }))
})

describe("two connections to one file", () => {
  it.live("wait for each other, and see one fence", () =>
    Effect.gen(function*() {
      const open = () =>
        Effect.map(
          Layer.build(
            TransactionalSink.layer({ group: "group" }).pipe(
              Layer.provide(Layer.fresh(SqliteClient.layer(file("two"))))
            )
          ),
          (context) => context
        ).pipe(Effect.flatMap((context) => Effect.provideContext(Effect.service(Sink.Sink), context)))
      const [older, newer] = [yield* open(), yield* open()]
      yield* older.fence(1)
      yield* older.deliver([record(0)], 1)
      yield* newer.fence(2)

      assert.deepStrictEqual(yield* newer.positions([{ topic: "inputs", partition: 0 }]), [
        { topic: "inputs", partition: 0, offset: 1 }
      ])
      assert.strictEqual((yield* Effect.flip(older.deliver([record(1)], 1)))._tag, "SinkFenced")
      yield* newer.deliver([record(1)], 2)
    }).pipe(Effect.scoped))
})
