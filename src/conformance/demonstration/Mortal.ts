/**
 * Processes that are killed: the connections of one that is, in the midst of a request that changes something, and a
 * database that loses its only session in the midst of its statements.
 */
import { Deferred, Effect, Random } from "effect"
import type { DatabaseSync } from "node:sqlite"
import * as Faults from "../../runtime/brokers/Faults.ts"
import type { ApiKey, Connections } from "../../runtime/client/Requests.ts"
import type { SqliteClient } from "../../runtime/sinks/index.ts"

/** What only asks is no good moment: nothing is lost. */
const asks: ReadonlySet<ApiKey> = new Set([
  "Metadata",
  "FindCoordinator",
  "Fetch",
  "ListOffsets",
  "OffsetFetch",
  "Heartbeat"
])

/** Something that ends at once when `death` is done. */
export interface Mortal<A> {
  readonly value: A
  readonly death: Deferred.Deferred<void>
}

/** Connections of a process that dies with its request number `after`, before it is sent or before it is answered. */
export const connections = Effect.fnUntraced(function*(
  given: Connections["Service"],
  after: number
): Effect.fn.Return<Mortal<Connections["Service"]>> {
  const { connections: { bootstrap, send }, kill } = Faults.process(given)
  const death = yield* Deferred.make<void>()
  const die = Effect.andThen(kill, Deferred.succeed(death, undefined))
  let left = after
  return {
    death,
    value: {
      bootstrap,
      send: (node, api, request) =>
        Effect.gen(function*() {
          if (asks.has(api) || --left !== 0) return yield* send(node, api, request)
          if (yield* Random.nextBoolean) yield* die
          return yield* Effect.onExit(send(node, api, request), () => die)
        })
    }
  }
})

/** A database whose session ends with statement number `after`. */
export const database = Effect.fnUntraced(function*(
  of: DatabaseSync,
  after: number
): Effect.fn.Return<Mortal<SqliteClient.Database>> {
  const death = yield* Deferred.make<void>()
  let left = after
  return {
    death,
    value: {
      get isOpen() {
        return of.isOpen
      },
      get isTransaction() {
        return of.isTransaction
      },
      prepare: (sql) => {
        const statement = of.prepare(sql)
        return {
          all: (...values) => {
            if (--left === 0) {
              of.close()
              Deferred.doneUnsafe(death, Effect.void)
            }
            return statement.all(...values)
          }
        }
      }
    }
  }
})
