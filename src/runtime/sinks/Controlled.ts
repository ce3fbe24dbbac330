/**
 * Members of a group that deliver into one SQLite database, and on which nothing happens until they are told: every action
 * of the specification is one call, which runs the fibers until they rest.
 *
 * The sink, its SQL and what a member does with it are those that applications use. In between stands a network of this
 * module: it holds every call of a member and every transaction of a delivery, and a transaction that its member has left
 * can still be let through.
 */
import { Context, Deferred, Effect, Exit, Fiber, Scope } from "effect"
import { Reactivity } from "effect/reactivity"
import { SqlClient } from "effect/sql"
import type * as Sqlite from "node:sqlite"
import * as Core from "../../core/index.ts"
import * as Simulation from "../Simulation.ts"
import { Sink, SinkFailure, type SinkFenced, type SinkRecord } from "./Sink.ts"
import * as SinkMember from "./SinkMember.ts"
import * as SqliteClient from "./SqliteClient.ts"
import * as SqlSink from "./SqlSink.ts"

/** An action of the specification. Members count from 0. */
export type Action =
  | {
    readonly _tag: "Join" | "Fence" | "Restore" | "Poll" | "Submit" | "Disconnect" | "Crash"
    readonly member: number
  }
  | { readonly _tag: "Execute"; readonly generation: number; readonly connection: number }

/** The state of the group, the database and the network. */
export interface Snapshot {
  readonly generation: number
  readonly members: ReadonlyArray<Core.SinkMember.Member>
  readonly storage: Core.ExternalSink.Storage
  /** In the order of generations and connections. */
  readonly inFlight: ReadonlyArray<Core.ExternalSink.Transaction>
}

export interface Options {
  readonly rules: SqlSink.Rules
  /** How many members there are. */
  readonly members: number
  /** The partition has so many records. */
  readonly inputs: number
  /** Decides in which order fibers that are ready at once continue; the state at rest must not depend on it. */
  readonly seed?: number
}

export interface Controlled {
  /** Performs an action and lets everything that follows from it happen; `false` when it is not possible. */
  readonly perform: (action: Action) => boolean
  /** The state at rest. */
  readonly snapshot: () => Snapshot
  /** Ends the fibers and closes the database. */
  readonly close: () => void
}

const group = "group"
const input = { topic: "inputs", partition: 0 }

/** A delivery that was called, on its way through the transactions that it is made of. */
interface Delivery {
  readonly generation: number
  readonly connection: number
  readonly batch: number
  /** The transaction that is held, from 1. */
  step: number
  /** Lets the transaction that is held through. */
  gate: Deferred.Deferred<void>
  /** Whether the member has sent that transaction. */
  submitted: boolean
  /** Whether the member still waits. */
  awaited: boolean
  readonly answer: Deferred.Deferred<void, SinkFenced | SinkFailure>
  fiber: Fiber.Fiber<unknown> | undefined
}

/** The call at which a member is held. */
interface Held {
  readonly call: "Fence" | "Restore" | "Poll"
  readonly gate: Deferred.Deferred<void>
}

/** A member that is up. */
interface Process {
  readonly generation: number
  connection: number
  fenced: boolean
  position: number | undefined
  held: Held | undefined
  delivery: Delivery | undefined
  fiber: Fiber.Fiber<unknown, unknown> | undefined
}

/** The delivery that a transaction belongs to. */
const CurrentDelivery = Context.Reference<Delivery | undefined>("keos/runtime/sinks/CurrentDelivery", {
  defaultValue: () => undefined
})

/** Waits until the transaction is let through. The first of a delivery is step 1. */
const arrive = Effect.flatMap(Effect.service(CurrentDelivery), (delivery) =>
  Effect.suspend(() => {
    if (delivery === undefined) return Effect.void
    delivery.step++
    delivery.submitted = false
    delivery.gate = Deferred.makeUnsafe()
    return Deferred.await(delivery.gate)
  }))

/** Holds every transaction of a delivery before it begins. */
const holding = (sql: SqlClient.SqlClient): SqlClient.SqlClient => {
  const withTransaction: SqlClient.SqlClient["withTransaction"] = (effect) =>
    Effect.andThen(arrive, sql.withTransaction(effect))
  const construct = (...args: Parameters<SqlClient.SqlClient>) => sql(...args)
  return Object.assign(construct, { ...sql, withTransaction }) as SqlClient.SqlClient
}

/** Reads the tables directly: the sink itself does not show them. */
const reader = (database: Sqlite.DatabaseSync): () => Core.ExternalSink.Storage => {
  const fence = database.prepare("SELECT generation FROM outputs_fence")
  const offset = database.prepare("SELECT \"offset\" FROM outputs_offsets")
  const outputs = database.prepare("SELECT \"offset\", generation FROM outputs ORDER BY rowid")
  return () => ({
    fence: Number(fence.get()?.["generation"] ?? 0),
    stored: Number(offset.get()?.["offset"] ?? 0),
    outputs: outputs.all().map((row) => ({ offset: Number(row["offset"]), generation: Number(row["generation"]) }))
  })
}

const recordAt = (offset: number): SinkRecord => ({ ...input, offset, key: null, value: `output ${offset}` })

/** Opens an empty database and starts no member. */
export const make = ({ inputs, members, rules, seed = 0 }: Options): Controlled => {
  const simulation = Simulation.make({ seed })
  const scope = Scope.makeUnsafe()
  const { DatabaseSync } = process.getBuiltinModule("node:sqlite")
  const database = new DatabaseSync(":memory:")
  const sink = simulation.settled(
    Effect.gen(function*() {
      const sql = yield* SqliteClient.fromDatabase(database)
      return yield* Effect.orDie(
        Effect.provideService(SqlSink.make(rules, { group }), SqlClient.SqlClient, holding(sql))
      )
    }).pipe(Effect.provide(Reactivity.layer), Scope.provide(scope))
  )
  const read = reader(database)

  const processes: Array<Process | undefined> = Array.from({ length: members })
  let deliveries: ReadonlyArray<Delivery> = []
  let generation = 0
  let storage = read()

  /** Until nothing moves, and nobody waits to try again. */
  const rest = (): void => {
    do simulation.settle()
    while (simulation.advance())
  }

  const hold = (process: Process, call: Held["call"]): Effect.Effect<void> =>
    Effect.suspend(() => {
      const held = { call, gate: Deferred.makeUnsafe<void>() }
      process.held = held
      return Deferred.await(held.gate)
    })

  /** Runs on the side of the database: it goes on when the member has left. */
  const start = (process: Process, batch: number): Effect.Effect<Delivery> =>
    Effect.sync(() => {
      const delivery: Delivery = {
        generation: process.generation,
        connection: process.connection,
        batch,
        step: 0,
        gate: Deferred.makeUnsafe(),
        submitted: false,
        awaited: true,
        answer: Deferred.makeUnsafe(),
        fiber: undefined
      }
      process.delivery = delivery
      deliveries = [...deliveries, delivery]
      delivery.fiber = simulation.fork(
        sink.deliver([recordAt(batch)], process.generation).pipe(
          Effect.provideService(CurrentDelivery, delivery),
          Effect.exit,
          Effect.flatMap((exit) => {
            deliveries = deliveries.filter((other) => other !== delivery)
            return Deferred.done(delivery.answer, exit)
          })
        )
      )
      return delivery
    })

  /** The sink as a member sees it across the network. */
  const across = (process: Process): Sink["Service"] => ({
    fence: (own) =>
      Effect.andThen(hold(process, "Fence"), sink.fence(own)).pipe(
        Effect.tap(() => Effect.sync(() => void (process.fenced = true)))
      ),
    positions: (partitions) => Effect.andThen(hold(process, "Restore"), sink.positions(partitions)),
    deliver: ([record]) =>
      Effect.flatMap(start(process, record!.offset), ({ answer }) => Deferred.await(answer)).pipe(
        Effect.tap(() => Effect.sync(() => void (process.delivery = undefined)))
      )
  })

  const join = (member: number): void => {
    generation++
    const process: Process = {
      generation,
      connection: 1,
      fenced: false,
      position: undefined,
      held: undefined,
      delivery: undefined,
      fiber: undefined
    }
    processes[member] = process
    const run = SinkMember.run({
      generation,
      partitions: [input],
      seek: ([position]) => Effect.sync(() => void (process.position = position?.offset ?? 0)),
      poll: Effect.map(hold(process, "Poll"), () => [recordAt(process.position!++)])
    })
    process.fiber = simulation.fork(
      run.pipe(
        Effect.provideService(Sink, across(process)),
        Effect.catchTag("SinkFenced", () => Effect.sync(() => void (processes[member] = undefined)))
      )
    )
  }

  const open = (gate: Deferred.Deferred<void>): void => void simulation.fork(Deferred.succeed(gate, undefined))

  const interrupt = (fiber: Fiber.Fiber<unknown, unknown> | undefined): void => {
    if (fiber !== undefined) void simulation.fork(Fiber.interrupt(fiber))
  }

  /** Lets a member through that is held at this call. */
  const release = (process: Process, call: Held["call"]): boolean => {
    const { held } = process
    if (held?.call !== call) return false
    process.held = undefined
    open(held.gate)
    return true
  }

  /** The member leaves its delivery; what it has sent goes on, and nothing else is sent. */
  const leave = (process: Process): void => {
    const { delivery } = process
    if (delivery === undefined) return
    process.delivery = undefined
    delivery.awaited = false
    if (!delivery.submitted) abandon(delivery)
  }

  const abandon = (delivery: Delivery): void => {
    deliveries = deliveries.filter((other) => other !== delivery)
    interrupt(delivery.fiber)
  }

  const ofMember = (
    { _tag, member }: Exclude<Action, { readonly _tag: "Execute" }>,
    process: Process | undefined
  ): boolean => {
    if (_tag === "Join") {
      if (process !== undefined) return false
      join(member)
      return true
    }
    if (process === undefined) return false
    const { delivery } = process
    switch (_tag) {
      case "Fence":
      case "Restore":
        return release(process, _tag)
      case "Poll":
        return process.position !== undefined && process.position < inputs && release(process, _tag)
      case "Submit":
        if (delivery === undefined || delivery.submitted) return false
        delivery.submitted = true
        return true
      case "Disconnect": {
        if (delivery?.submitted !== true) return false
        leave(process)
        process.connection++
        const cause = "the connection was lost"
        const failure = new SinkFailure({ operation: "deliver", retryable: true, cause })
        void simulation.fork(Deferred.fail(delivery.answer, failure))
        return true
      }
      case "Crash":
        leave(process)
        processes[member] = undefined
        interrupt(process.fiber)
        return true
    }
  }

  /** A transaction that was sent arrives. */
  const execute = (generation: number, connection: number): boolean => {
    const delivery = deliveries.find((one) =>
      one.submitted && one.generation === generation && one.connection === connection
    )
    if (delivery === undefined) return false
    delivery.submitted = false
    open(delivery.gate)
    rest()
    if (!delivery.awaited && deliveries.includes(delivery)) abandon(delivery)
    return true
  }

  const memberOf = (process: Process | undefined): Core.SinkMember.Member => {
    if (process === undefined) return Core.SinkMember.down
    const { connection, delivery, fenced, generation, position } = process
    return { generation, connection, fenced, position, batch: delivery?.batch, step: delivery?.step ?? 1 }
  }

  const transactionOf = ({ batch, connection, generation, step }: Delivery): Core.ExternalSink.Transaction => ({
    generation,
    connection,
    batch,
    step
  })

  return {
    perform: (action) => {
      const isPossible = action._tag === "Execute"
        ? execute(action.generation, action.connection)
        : ofMember(action, processes[action.member])
      rest()
      if (action._tag === "Fence" || action._tag === "Execute") storage = read()
      return isPossible
    },
    snapshot: () => ({
      generation,
      members: processes.map(memberOf),
      storage,
      inFlight: deliveries.filter(({ submitted }) => submitted).map(transactionOf).toSorted((a, b) =>
        a.generation - b.generation || a.connection - b.connection
      )
    }),
    close: () => {
      for (const process of processes) interrupt(process?.fiber)
      for (const { fiber } of deliveries) interrupt(fiber)
      simulation.settled(Scope.close(scope, Exit.void))
      database.close()
    }
  }
}
