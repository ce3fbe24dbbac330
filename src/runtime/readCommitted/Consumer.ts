/**
 * A read_committed consumer of one partition: it asks for what comes next, and gives the application what its filter lets
 * through.
 */
import { Effect, type Scope } from "effect"
import type { Fetch, FetchRules } from "../../core/index.ts"
import { FetchedRecords } from "../../core/index.ts"
import * as Mailbox from "../Mailbox.ts"
import { Leader } from "./Leader.ts"

export interface Options {
  readonly rules: FetchRules.Rules
  /** The application is given the record at this offset. */
  readonly delivered: (offset: number) => void
}

export interface Consumer {
  /** Asks for so many entries; whether there are as many. */
  readonly fetch: (count: number) => Effect.Effect<boolean>
  /** Asks, and lets the leader answer when there is something; whether it has to wait. */
  readonly park: Effect.Effect<boolean>
  /** The offset that it fetches next. */
  readonly position: () => number
}

/** Starts a consumer at the beginning of the log; it ends with the scope. It asks when it is told. */
export const make = Effect.fnUntraced(function*(
  { delivered, rules }: Options
): Effect.fn.Return<Consumer, never, Leader | Scope.Scope> {
  const leader = yield* Leader
  const mailbox = yield* Mailbox.make<number, Fetch.Fetched, number>({
    initial: 0,
    step: (_, fetched) => {
      const received = FetchedRecords.receive(rules, fetched)
      return [received.position, received.delivered]
    },
    perform: (offset) => Effect.sync(() => delivered(offset))
  })
  const reply = mailbox.post

  return {
    fetch: (count) =>
      Effect.suspend(() => leader.turn({ _tag: "FetchRecords", offset: mailbox.state(), count, reply })),
    park: Effect.suspend(() => leader.turn({ _tag: "ParkFetch", offset: mailbox.state(), reply })),
    position: mailbox.state
  }
})
