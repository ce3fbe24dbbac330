/**
 * Sinks in a SQL database, SQLite or PostgreSQL: which transactions a delivery is made of, the rules say
 * (`core/SinkRules.ts`), and this module says in SQL what each of them does.
 *
 * The database has three tables: the outputs, the offsets of the group, and the generation that has opened it. The row of
 * the generation is locked by whoever looks at it in order to write, so a newer generation waits for transactions that are
 * under way, and transactions that come later see it.
 */
import { Cause, Effect } from "effect"
import { SqlClient, SqlError, type Statement } from "effect/sql"
import { type ExternalSink, type SinkRules, TopicPartition } from "../../core/index.ts"
import type { Position, Sink, SinkRecord } from "./Sink.ts"
import { SinkFailure, SinkFenced } from "./Sink.ts"

/** What makes a sink. */
export type Rules = Pick<SinkRules.Rules, "Delivery" | "HasKeys">

export interface Options {
  /** The consumer group, which fence and offsets belong to. */
  readonly group: string
  /** The table of outputs, `outputs` by default. Offsets and fence are in tables that begin with this name. */
  readonly table?: string
}

/** Outputs per statement; each is seven parameters, of which SQLite takes 32,766 and PostgreSQL 65,535. */
const rowsPerStatement = 4_000

interface Tables {
  readonly outputs: string
  readonly offsets: string
  readonly fence: string
}

const tablesOf = ({ table = "outputs" }: Options): Tables => ({
  outputs: table,
  offsets: `${table}_offsets`,
  fence: `${table}_fence`
})

/** Makes what is not there yet. On PostgreSQL only one session at a time does, since two would collide. */
const createTables = (sql: SqlClient.SqlClient, { fence, offsets, outputs }: Tables, rules: Rules) =>
  sql.withTransaction(Effect.gen(function*() {
    yield* sql.onDialectOrElse({
      pg: () => Effect.asVoid(sql`SELECT pg_advisory_xact_lock(hashtext(${outputs}))`),
      orElse: () => Effect.void
    })
    yield* sql`CREATE TABLE IF NOT EXISTS ${sql(fence)} (
      ${sql("consumer_group")} TEXT PRIMARY KEY,
      ${sql("generation")} BIGINT NOT NULL
    )`
    yield* sql`CREATE TABLE IF NOT EXISTS ${sql(offsets)} (
      ${sql("consumer_group")} TEXT NOT NULL,
      ${sql("topic")} TEXT NOT NULL,
      ${sql("partition")} BIGINT NOT NULL,
      ${sql("offset")} BIGINT NOT NULL,
      PRIMARY KEY (${sql("consumer_group")}, ${sql("topic")}, ${sql("partition")})
    )`
    yield* sql`CREATE TABLE IF NOT EXISTS ${sql(outputs)} (
      ${sql("topic")} TEXT NOT NULL,
      ${sql("partition")} BIGINT NOT NULL,
      ${sql("offset")} BIGINT NOT NULL,
      ${sql("key")} TEXT,
      ${sql("value")} TEXT,
      ${sql("consumer_group")} TEXT NOT NULL,
      ${sql("generation")} BIGINT NOT NULL
    )`
    if (!rules.HasKeys) return
    yield* sql`CREATE UNIQUE INDEX IF NOT EXISTS ${sql(`${outputs}_key`)}
      ON ${sql(outputs)} (${sql("consumer_group")}, ${sql("topic")}, ${sql("partition")}, ${sql("offset")})`
  }))

/** The partitions of some records, each once, with the offset behind the last of them. */
const behind = (records: ReadonlyArray<SinkRecord>): ReadonlyArray<Position> => {
  const found = new Map<string, Position>()
  for (const record of records) {
    const { offset, partition, topic } = record
    found.set(TopicPartition.key(record), { topic, partition, offset: offset + 1 })
  }
  return [...found.values()]
}

const chunks = <A>(items: ReadonlyArray<A>, size: number): ReadonlyArray<ReadonlyArray<A>> =>
  Array.from({ length: Math.ceil(items.length / size) }, (_, i) => items.slice(i * size, (i + 1) * size))

/** What the transactions of a delivery may do. */
const statements = (sql: SqlClient.SqlClient, { fence, offsets, outputs }: Tables, rules: Rules, group: string) => {
  const excluded = (column: string): Statement.Fragment =>
    sql`${sql(column)} = ${sql.literal("excluded.")}${sql(column)}`

  /** The lock is held to the end of the transaction. SQLite's covers the whole file. */
  const forUpdate = sql.onDialectOrElse({ pg: () => sql.literal("FOR UPDATE"), orElse: () => sql.literal("") })

  const replacing = rules.HasKeys
    ? sql`ON CONFLICT (${sql("consumer_group")}, ${sql("topic")}, ${sql("partition")}, ${sql("offset")})
      DO UPDATE SET ${sql.csv(["key", "value", "generation"].map(excluded))}`
    : sql.literal("")

  return {
    /** Makes a generation the fence; whether no newer one is. */
    raise: (generation: number) =>
      sql`INSERT INTO ${sql(fence)} ${sql.insert({ consumer_group: group, generation })}
        ON CONFLICT (${sql("consumer_group")}) DO UPDATE SET ${excluded("generation")}
        WHERE ${sql(fence)}.${sql("generation")} <= ${sql.literal("excluded.")}${sql("generation")}
        RETURNING ${sql("generation")}`.pipe(Effect.map((rows) => rows.length > 0)),

    /** Whether a generation is the fence, which then cannot be raised before the transaction ends. */
    isFence: (generation: number) =>
      sql`SELECT ${sql("generation")} FROM ${sql(fence)}
        WHERE ${sql("consumer_group")} = ${group} AND ${sql("generation")} = ${generation} ${forUpdate}`.pipe(
        Effect.map((rows) => rows.length > 0)
      ),

    stored: (partitions: ReadonlyArray<TopicPartition.TopicPartition>) =>
      sql<{ readonly topic: string; readonly partition: unknown; readonly offset: unknown }>`
        SELECT ${sql("topic")}, ${sql("partition")}, ${sql("offset")} FROM ${sql(offsets)}
        WHERE ${sql("consumer_group")} = ${group} AND ${
        sql.or(partitions.map(({ partition, topic }) =>
          sql`(${sql("topic")} = ${topic} AND ${sql("partition")} = ${partition})`
        ))
      }`.pipe(Effect.map((rows) =>
        rows.map(({ offset, partition, topic }): Position => ({
          topic,
          partition: Number(partition),
          offset: Number(offset)
        }))
      )),

    insert: (records: ReadonlyArray<SinkRecord>, generation: number) =>
      Effect.forEach(chunks(records, rowsPerStatement), ([first, ...others]) => {
        const row = ({ key, offset, partition, topic, value }: SinkRecord) => ({
          topic,
          partition,
          offset,
          key,
          value,
          consumer_group: group,
          generation
        })
        return sql`INSERT INTO ${sql(outputs)} ${sql.insert([row(first!), ...others.map(row)])} ${replacing}`
      }, { discard: true }),

    store: (positions: ReadonlyArray<Position>) =>
      Effect.forEach(
        positions,
        ({ offset, partition, topic }) =>
          sql`INSERT INTO ${sql(offsets)} ${sql.insert({ consumer_group: group, topic, partition, offset })}
          ON CONFLICT (${sql("consumer_group")}, ${sql("topic")}, ${sql("partition")})
          DO UPDATE SET ${excluded("offset")}`,
        { discard: true }
      )
  }
}

/**
 * What the database reports, as a failure of the sink. A lost connection also fails the rollback, which Effect's client
 * makes a defect; it says no more than that the outcome is unknown.
 */
const failures = (operation: SinkFailure["operation"]) =>
<A, E, R>(
  effect: Effect.Effect<A, E | SqlError.SqlError, R>
): Effect.Effect<A, Exclude<E, SqlError.SqlError> | SinkFailure, R> => {
  type Failed = Effect.Effect<never, Exclude<E, SqlError.SqlError> | SinkFailure>
  return Effect.catchCause(effect, (cause): Failed => {
    const reported = cause.reasons.map((reason) =>
      Cause.isFailReason(reason) ? reason.error : Cause.isDieReason(reason) ? reason.defect : undefined
    ).find(SqlError.isSqlError)
    return reported === undefined || Cause.hasInterrupts(cause)
      ? Effect.failCause(cause as Cause.Cause<Exclude<E, SqlError.SqlError>>)
      : Effect.fail(new SinkFailure({ operation, retryable: reported.isRetryable, cause: reported }))
  })
}

/** The sink that these rules make. Tables that are missing are created. */
export const make = Effect.fnUntraced(function*(
  rules: Rules,
  options: Options
): Effect.fn.Return<Sink["Service"], SinkFailure, SqlClient.SqlClient> {
  const sql = yield* SqlClient.SqlClient
  const { group } = options
  const tables = tablesOf(options)
  yield* createTables(sql, tables, rules).pipe(failures("open"))
  const { insert, isFence, raise, store, stored } = statements(sql, tables, rules, group)

  const notDone = Effect.fnUntraced(function*(records: ReadonlyArray<SinkRecord>) {
    const done = new Map(
      (yield* stored(behind(records))).map((position) => [TopicPartition.key(position), position.offset])
    )
    return records.filter((record) => record.offset >= (done.get(TopicPartition.key(record)) ?? 0))
  })

  /** One transaction of a delivery. */
  const transact = Effect.fnUntraced(function*(
    parts: ReadonlySet<ExternalSink.Part>,
    records: ReadonlyArray<SinkRecord>,
    generation: number
  ) {
    if (parts.has("FENCE") && !(yield* isFence(generation))) return yield* new SinkFenced({ group, generation })
    const rest = parts.has("SKIP") ? yield* notDone(records) : records
    if (parts.has("OUTPUT")) yield* insert(rest, generation)
    if (parts.has("OFFSET")) yield* store(behind(rest))
  })

  return {
    fence: (generation) =>
      sql.withTransaction(Effect.gen(function*() {
        if (!(yield* raise(generation))) return yield* new SinkFenced({ group, generation })
      })).pipe(failures("fence")),
    positions: (partitions) =>
      partitions.length === 0 ? Effect.succeed([]) : stored(partitions).pipe(failures("positions")),
    deliver: (records, generation) =>
      records.length === 0
        ? Effect.void
        : Effect.forEach(
          rules.Delivery,
          (parts) => sql.withTransaction(transact(parts, records, generation)),
          { discard: true }
        ).pipe(failures("deliver"))
  }
})
