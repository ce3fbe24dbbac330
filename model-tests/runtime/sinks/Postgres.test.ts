import { PgClient } from "@effect/sql-pg"
import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Fiber, Layer, Schedule } from "effect"
import { SqlClient } from "effect/sql"
import { connect, type Socket } from "node:net"
import { afterAll } from "vitest"
import { SinkRules, SinkVariants } from "../../../src/core/index.ts"
import * as Sinks from "../../../src/runtime/sinks/index.ts"
import * as Behaviour from "./behaviour.ts"
import * as Campaign from "./campaign.ts"
import * as Postgres from "./postgres.ts"

/** A server, or why there is none on this machine. */
const found: Postgres.Server | string = await Postgres.start().catch((error: unknown) => {
  if (error instanceof Postgres.Unavailable) return error.message
  throw error
})
const server = typeof found === "string" ? undefined : found
if (typeof found === "string") console.warn(`skipped: no PostgreSQL: ${found}`)
afterAll(() => server?.stop())

/** A socket that is gone around the message of this number; the one that begins a session does not count. */
const dying = (
  { host, port }: Postgres.Server,
  { side, statement: last }: Campaign.Point,
  died: () => void
): Socket => {
  const socket = connect({ host, port })
  const write = socket.write.bind(socket) as (data: Uint8Array, sent?: () => void) => boolean
  let count = -1
  socket.write = (data: Uint8Array | string): boolean => {
    if (++count !== last) return write(data as Uint8Array)
    died()
    if (side === "after") return write(data as Uint8Array, () => socket.destroy())
    socket.destroy()
    return false
  }
  return socket
}

const address = ({ host, port, username }: Postgres.Server) => ({ host, port, username, database: "postgres" })

const client = (at: Postgres.Server, point?: Campaign.Point, died: () => void = () => {}) =>
  PgClient.layer({
    ...address(at),
    maxConnections: 1,
    ...(point === undefined ? {} : { stream: () => dying(at, point, died) })
  }).pipe(Layer.orDie)

const outputsOf = (at: Postgres.Server, table: string): Effect.Effect<ReadonlyArray<number>> =>
  Effect.gen(function*() {
    const sql = yield* SqlClient.SqlClient
    const [{ found } = { found: null }] = yield* sql<{ found: unknown }>`SELECT to_regclass(${table})::text AS found`
    if (found === null) return []
    const rows = yield* sql<{ readonly offset: unknown }>`SELECT ${sql("offset")} FROM ${sql(table)}`
    return rows.map(({ offset }) => Number(offset))
  }).pipe(Effect.provide(client(at)), Effect.orDie)

const inputs = Campaign.inputsOf(12)
const crashes = 100

describe.skipIf(server === undefined)(`a sink on PostgreSQL whose connection is dropped at ${crashes} points`, () => {
  for (const [name, [lost, duplicated]] of Object.entries(Campaign.expectations)) {
    it.live(`loses ${lost} and duplicates ${duplicated}: ${name}`, () =>
      Effect.gen(function*() {
        const sides = { before: 0, after: 0 }
        const found = yield* Campaign.run({
          crashes,
          seed: 3,
          inputs,
          statements: 60,
          make: (run) => {
            const table = `${name}_${run}`.toLowerCase()
            return Effect.succeed({
              connect: (point) =>
                Campaign.sinks[name as Campaign.SinkName]({ group: "group", table }).pipe(
                  Layer.provide(client(server!, point, () => void sides[point!.side]++))
                ),
              outputs: outputsOf(server!, table)
            })
          }
        })

        console.log(`${name}: ${Campaign.describe(found)}`)
        assert.strictEqual(found.crashes, crashes)
        assert.strictEqual(sides.before + sides.after, crashes)
        assert.isAbove(Math.min(sides.before, sides.after), 30)
        assert.strictEqual(found.lost > 0, lost === "some", `${found.lost} lost`)
        assert.strictEqual(found.duplicated > 0, duplicated === "some", `${found.duplicated} duplicated`)
      }), 300_000)
  }
})

describe.skipIf(server === undefined)("a member that tries again on PostgreSQL", () => {
  const many = Campaign.inputsOf(400)

  /** One life on connections that die one after the other, each somewhere in a delivery. */
  const live = Effect.fnUntraced(function*(table: string, rules: Sinks.SqlSink.Rules, seed: number) {
    const draw = Campaign.numbers(seed)
    let dropped = 0
    // The tables are made on a connection that lives.
    yield* Sinks.SqlSink.make(rules, { group: "group", table }).pipe(Effect.provide(client(server!)))
    const unsteady = PgClient.layer({
      ...address(server!),
      maxConnections: 1,
      stream: () => {
        const point = { statement: 1 + draw(20), side: draw(2) === 0 ? "before" : "after" } as const
        return dying(server!, point, () => void dropped++)
      }
    })
    const sink = Layer.effect(
      Sinks.Sink.Sink,
      Effect.retry(Sinks.SqlSink.make(rules, { group: "group", table }), { times: 100 })
    )
    const ending = yield* Campaign.live({
      generation: 1,
      inputs: many,
      draw,
      polled: () => Effect.void,
      schedule: Schedule.spaced("1 millis")
    }).pipe(Effect.provide(sink.pipe(Layer.provide(unsteady))))
    const rows = yield* outputsOf(server!, table)
    return { dropped, ending, ...Campaign.countOf(many, rows) }
  })

  it.live("over 50 lost connections in one generation loses and duplicates nothing", () =>
    Effect.gen(function*() {
      const { dropped, duplicated, ending, lost } = yield* live("tries_again", SinkRules.base, 5)

      console.log(`transactional, one generation: ${dropped} connections lost, ${lost} lost, ${duplicated} duplicated`)
      assert.strictEqual(ending, "finished")
      assert.isAbove(dropped, 50)
      assert.deepStrictEqual([lost, duplicated], [0, 0])
    }), 300_000)

  it.live("duplicates when the sink looks at the fence alone", () =>
    Effect.gen(function*() {
      const rules = { ...SinkRules.base, ...SinkVariants.overrides.FenceOnly }
      const { dropped, duplicated, ending, lost } = yield* live("tries_again_fence_only", rules, 5)

      console.log(`fence alone, one generation: ${dropped} connections lost, ${lost} lost, ${duplicated} duplicated`)
      assert.strictEqual(ending, "finished")
      assert.strictEqual(lost, 0)
      assert.isAbove(duplicated, 0)
    }), 300_000)
})

describe.skipIf(server === undefined)("on PostgreSQL", () => Behaviour.on(() => client(server!)))

describe.skipIf(server === undefined)("a delivery on PostgreSQL that is under way", () => {
  const batch = Campaign.inputsOf(2)
  const partition = { topic: Campaign.topic, partition: 0 }

  /** A sink on a connection of its own, and that connection. */
  const open = Effect.fnUntraced(function*(table: string) {
    const connection = yield* Layer.build(Layer.fresh(client(server!)))
    const sql = yield* Effect.provideContext(Effect.service(SqlClient.SqlClient), connection)
    const sink = yield* Effect.provideContext(Sinks.SqlSink.make(SinkRules.base, { group: "group", table }), connection)
    return { sink, sql }
  })

  /** Waits until a session waits for a lock. */
  const blocked = Effect.fnUntraced(function*({ sql }: Effect.Success<ReturnType<typeof open>>) {
    for (;;) {
      const waiting = yield* sql`SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock'`
      if (waiting.length > 0) return
      yield* Effect.sleep("10 millis")
    }
  })

  /** An older member has written and not committed; `newer` starts, waits, and ends after that. */
  const meanwhile = <A>(
    table: string,
    newer: (sink: Sinks.Sink.Sink["Service"]) => Effect.Effect<A, Sinks.Sink.SinkFenced | Sinks.Sink.SinkFailure>
  ) =>
    Effect.gen(function*() {
      const [older, second, observer] = yield* Effect.all([open(table), open(table), open(table)])
      const written = yield* Deferred.make<void>()
      const gate = yield* Deferred.make<void>()
      yield* older.sink.fence(1)
      const held = yield* Effect.forkChild(older.sql.withTransaction(Effect.gen(function*() {
        yield* older.sink.deliver(batch, 1)
        yield* Deferred.succeed(written, undefined)
        yield* Deferred.await(gate)
      })))
      yield* Deferred.await(written)
      const waiting = yield* Effect.forkChild(newer(second.sink))
      yield* blocked(observer)
      yield* Deferred.succeed(gate, undefined)
      yield* Fiber.join(held)
      const result = yield* Fiber.join(waiting)
      const rows = yield* outputsOf(server!, table)
      return { older, result, rows }
    })

  it.live("is waited for by a newer generation, which goes on behind it", () =>
    Effect.gen(function*() {
      const { older, result, rows } = yield* meanwhile("under_way", (sink) =>
        Effect.andThen(sink.fence(2), sink.positions([partition])))

      assert.deepStrictEqual(result, [{ ...partition, offset: batch.at(-1)!.offset + 1 }])
      assert.deepStrictEqual(
        rows,
        batch.map(({ offset }) =>
          offset
        )
      )
      assert.strictEqual((yield* Effect.flip(older.sink.deliver(batch, 1)))._tag, "SinkFenced")
    }).pipe(Effect.scoped))

  it.live("is waited for by a second copy, which then writes nothing", () =>
    Effect.gen(function*() {
      const { rows } = yield* meanwhile("second_copy", (sink) => sink.deliver(batch, 1))

      assert.deepStrictEqual(rows, batch.map(({ offset }) => offset))
    }).pipe(Effect.scoped))

  it.live("may meet others that open the tables", () =>
    Effect.gen(function*() {
      const opened = yield* Effect.all(Array.from({ length: 8 }, () => open("opened_together")), {
        concurrency: "unbounded"
      })

      assert.strictEqual(opened.length, 8)
    }).pipe(Effect.scoped))
})
