/**
 * Effect's `SqlClient` on `node:sqlite`: one connection, which transactions use one after the other.
 *
 * A transaction takes the write lock when it begins, so what it reads does not change until it ends. What was committed is
 * there for whoever opens the file next; when commits are flushed, also after a power cut. Statements block the process
 * while they run, as everything in `node:sqlite` does.
 *
 * `node:sqlite` is loaded when a file is opened, so that nobody else needs it.
 */
import { Effect, Layer, type Scope, Semaphore, Stream } from "effect"
import { Reactivity } from "effect/reactivity"
import { SqlClient, type SqlConnection, SqlError, Statement } from "effect/sql"
import type * as Sqlite from "node:sqlite"

/** How long a transaction waits for one of another process, in milliseconds. */
const busyTimeout = 5_000

/** So many statements are kept prepared. */
const maxPrepared = 64

export interface Options {
  /** Every commit is flushed to the disk before it returns, by default. It takes most of the time. */
  readonly flush?: boolean
}

/** Opens a file as the sinks need it; it is made where there is none. */
export const open = (path: string, { flush = true }: Options = {}): Sqlite.DatabaseSync => {
  const { DatabaseSync } = process.getBuiltinModule("node:sqlite")
  const database = new DatabaseSync(path, { timeout: busyTimeout })
  database.exec("PRAGMA journal_mode = WAL")
  database.exec(`PRAGMA synchronous = ${flush ? "FULL" : "OFF"}`)
  return database
}

/** `node:sqlite` has SQLite's result code in `errcode`; without one the connection is closed. */
const reasonOf = (cause: unknown): SqlError.SqlErrorReason => {
  const code = typeof cause === "object" && cause !== null && "errcode" in cause ? cause.errcode : undefined
  if (typeof code !== "number") return new SqlError.ConnectionError({ cause, message: String(cause) })
  return SqlError.classifySqliteError({ errno: code, message: String(cause), cause }, { message: String(cause) })
}

const attempt = <A>(run: () => A): Effect.Effect<A, SqlError.SqlError> =>
  Effect.try({ try: run, catch: (cause) => new SqlError.SqlError({ reason: reasonOf(cause) }) })

/** What a client uses of a database. */
export interface Database extends Pick<Sqlite.DatabaseSync, "isOpen" | "isTransaction"> {
  readonly prepare: (sql: string) => {
    readonly all: (...values: ReadonlyArray<Sqlite.SQLInputValue>) => ReturnType<Sqlite.StatementSync["all"]>
  }
}

const connectionTo = (database: Database): SqlConnection.Connection => {
  const prepared = new Map<string, ReturnType<Database["prepare"]>>()
  const prepare: Database["prepare"] = (sql) => {
    const known = prepared.get(sql)
    if (known !== undefined) return known
    const statement = database.prepare(sql)
    if (prepared.size === maxPrepared) prepared.delete(prepared.keys().next().value!)
    prepared.set(sql, statement)
    return statement
  }
  const run = (sql: string, params: ReadonlyArray<unknown>) =>
    attempt(() => prepare(sql).all(...params as ReadonlyArray<Sqlite.SQLInputValue>))
  const values = (sql: string, params: ReadonlyArray<unknown>) =>
    Effect.map(run(sql, params), (rows) => rows.map((row) => Object.values(row)))
  const execute: SqlConnection.Connection["execute"] = (sql, params, transform) =>
    Effect.map(run(sql, params), (rows) => transform === undefined ? rows : transform(rows))
  return {
    execute,
    executeRaw: run,
    executeUnprepared: execute,
    executeValues: values,
    executeValuesUnprepared: values,
    executeStream: (sql, params, transform) => Stream.fromIterableEffect(execute(sql, params, transform))
  }
}

/** A client of a database that is open. */
export const fromDatabase = (
  database: Database
): Effect.Effect<SqlClient.SqlClient, never, Reactivity.Reactivity> => {
  const acquirers = SqlClient.makeSqliteAcquirers({
    connection: Effect.succeed(connectionTo(database)),
    semaphore: Semaphore.makeUnsafe(1),
    isTransaction: () => database.isOpen && database.isTransaction
  })
  return SqlClient.make({
    ...acquirers,
    driver: "node-sqlite",
    compiler: Statement.makeCompilerSqlite(),
    beginTransaction: "BEGIN IMMEDIATE",
    spanAttributes: [["db.system.name", "sqlite"]]
  })
}

const make = Effect.fnUntraced(function*(
  path: string,
  options: Options
): Effect.fn.Return<SqlClient.SqlClient, SqlError.SqlError, Reactivity.Reactivity | Scope.Scope> {
  const database = yield* Effect.acquireRelease(attempt(() => open(path, options)), (database) =>
    Effect.sync(() => {
      if (database.isOpen) database.close()
    }))
  return yield* fromDatabase(database)
})

/** A client of the file at `path`, which is made where there is none; `:memory:` is a database of its own. */
export const layer = (
  path: string,
  options: Options = {}
): Layer.Layer<SqlClient.SqlClient, SqlError.SqlError> =>
  Layer.effect(SqlClient.SqlClient, make(path, options)).pipe(Layer.provide(Reactivity.layer))
