/**
 * The log of the transaction coordinators on disk, as a table of SQLite.
 *
 * An append is one transaction of SQLite. What was appended is there for whoever opens the file next, whether or not the
 * process that wrote it ended in an orderly way; when appends are flushed, also after a power cut.
 *
 * `node:sqlite` is loaded when a log is opened, so that nobody else needs it.
 */
import { Effect, Layer, Schema } from "effect"
import type * as Sqlite from "node:sqlite"
import { TransactionMetadata } from "../../core/index.ts"
import { AppendFailed, TransactionLog } from "./TransactionLog.ts"

const Name = Schema.Struct({ client: Schema.Int, number: Schema.Int })

/** A record as it stands in the file. */
const Record = Schema.Struct({
  producerId: Schema.Int,
  previousProducerId: Schema.Int,
  nextProducerId: Schema.Int,
  epoch: Schema.Int,
  lastEpoch: Schema.Int,
  state: Schema.Literals([
    "Empty",
    "Ongoing",
    "PrepareCommit",
    "PrepareAbort",
    "CompleteCommit",
    "CompleteAbort"
  ]),
  partitions: Schema.Array(Schema.String),
  version: Schema.Literals([1, 2]),
  failedEpochFence: Schema.Boolean,
  transaction: Name
})

const decode = Schema.decodeUnknownSync(Schema.fromJsonString(Record), { onExcessProperty: "error" })

/** An id without a record is forgotten: a tombstone. */
const valueOf = (record: TransactionMetadata.Metadata): string | null =>
  record.state === "Unknown" ? null : JSON.stringify(record)

const recordOf = (value: unknown): TransactionMetadata.Metadata =>
  typeof value === "string" ? decode(value) : TransactionMetadata.unknown

const schema = `
  PRAGMA journal_mode = WAL;
  CREATE TABLE IF NOT EXISTS transaction_state (
    position INTEGER PRIMARY KEY,
    transactional_id INTEGER NOT NULL,
    value TEXT
  );
  CREATE INDEX IF NOT EXISTS by_id ON transaction_state (transactional_id, position);
`

export interface Options {
  /** Every append is flushed to the disk before it returns, by default. It takes most of the time. */
  readonly flush?: boolean
}

const open = (path: string, { flush = true }: Options): Sqlite.DatabaseSync => {
  const { DatabaseSync } = process.getBuiltinModule("node:sqlite")
  const database = new DatabaseSync(path)
  database.exec(`PRAGMA synchronous = ${flush ? "FULL" : "OFF"}`)
  database.exec(schema)
  return database
}

/**
 * A log in the file at `path`, which is made where there is none. It is opened with the layer and closed with its scope.
 * A file that cannot be opened or read is a defect.
 */
export const layer = (path: string, options: Options = {}): Layer.Layer<TransactionLog> =>
  Layer.effect(
    TransactionLog,
    Effect.gen(function*() {
      const database = yield* Effect.acquireRelease(
        Effect.sync(() => open(path, options)),
        (database) => Effect.sync(() => database.close())
      )
      const insert = database.prepare("INSERT INTO transaction_state (transactional_id, value) VALUES (?, ?)")
      const last = database.prepare(
        "SELECT value FROM transaction_state WHERE transactional_id = ? ORDER BY position DESC LIMIT 1"
      )
      return TransactionLog.of({
        append: (transactionalId, record) =>
          Effect.try({
            try: () => void insert.run(transactionalId, valueOf(record)),
            catch: (error) => new AppendFailed({ transactionalId, reason: String(error) })
          }),
        load: (transactionalId) => Effect.sync(() => recordOf(last.get(transactionalId)?.["value"]))
      })
    })
  )
