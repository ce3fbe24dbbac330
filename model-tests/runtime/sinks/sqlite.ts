/** SQLite databases in files that die when they are told. */
import { Effect, Layer } from "effect"
import { Reactivity } from "effect/reactivity"
import { SqlClient } from "effect/sql"
import { DatabaseSync, type StatementSync } from "node:sqlite"
import * as Sinks from "../../../src/runtime/sinks/index.ts"
import type { Point } from "./campaign.ts"

/** The kind of a statement: its first words, and the table. */
export const kindOf = (sql: string): string => sql.match(/^\s*(\w+)[^"]*("\w+")?/)!.slice(1, 3).join(" ").trim()

/** A database on which `die` is called around the statement of this number. */
const dying = (
  database: DatabaseSync,
  { side, statement: last }: Point,
  die: (sql: string) => void
): Sinks.SqliteClient.Database => {
  let count = 0
  const prepare = (sql: string): StatementSync => {
    const statement = database.prepare(sql)
    const all: StatementSync["all"] = (...parameters: ReadonlyArray<never>) => {
      const isLast = ++count === last
      if (isLast && side === "before") die(sql)
      const rows = statement.all(...parameters)
      if (isLast && side === "after") die(sql)
      return rows
    }
    return { all } as StatementSync
  }
  return {
    prepare,
    get isOpen() {
      return database.isOpen
    },
    get isTransaction() {
      return database.isTransaction
    }
  }
}

/**
 * A client of a file; `die` ends the connection, or the process. Nothing is flushed: neither takes what the operating
 * system has.
 */
export const client = (
  path: string,
  point: Point | undefined,
  die: (database: DatabaseSync, sql: string) => void
): Layer.Layer<SqlClient.SqlClient> =>
  Layer.effect(
    SqlClient.SqlClient,
    Effect.gen(function*() {
      const database = yield* Effect.acquireRelease(
        Effect.sync(() => Sinks.SqliteClient.open(path, { flush: false })),
        (database) =>
          Effect.sync(() => {
            if (database.isOpen) database.close()
          })
      )
      return yield* Sinks.SqliteClient.fromDatabase(
        point === undefined ? database : dying(database, point, (sql) => die(database, sql))
      )
    })
  ).pipe(Layer.provide(Reactivity.layer))

/** The connection is gone, and with it the transaction that was open. */
export const drop = (database: DatabaseSync): never => {
  database.close()
  throw new Error("the connection was dropped")
}

/** The offsets of all outputs in a file; none where the table was not made. */
export const outputsOf = (path: string): ReadonlyArray<number> => {
  const database = new DatabaseSync(path)
  try {
    const tables = database.prepare("SELECT name FROM sqlite_schema WHERE name = 'outputs'").all()
    if (tables.length === 0) return []
    return database.prepare("SELECT \"offset\" FROM outputs ORDER BY rowid").all().map((row) => Number(row["offset"]))
  } finally {
    database.close()
  }
}
