/**
 * The place of a role in the cluster. One fiber holds it at a time; when its holder dies, all that it had in memory dies
 * with it, and the next holder begins with what it is given.
 */
import { Effect, Exit, Scope } from "effect"
import type * as Mailbox from "../Mailbox.ts"

export interface Seat<State, Message> {
  /** The state of the present holder after its last turn. */
  readonly state: () => State
  /** A turn of the present holder, behind those that wait; whether it was possible. */
  readonly turn: (message: Message) => Effect.Effect<boolean>
  /** The holder dies, with whatever waits for it. The next one begins with this state. */
  readonly succeed: (initial: State) => Effect.Effect<void>
}

/** A seat with its first holder; it ends with the scope. Holders have a scope of their own. */
export const make = Effect.fnUntraced(function*<State, Message>(
  start: (initial: State) => Effect.Effect<Mailbox.Mailbox<State, Message>, never, Scope.Scope>,
  initial: State
): Effect.fn.Return<Seat<State, Message>, never, Scope.Scope> {
  const scope = yield* Effect.scope

  const hold = Effect.fnUntraced(function*(state: State) {
    const own = yield* Scope.fork(scope)
    return { own, mailbox: yield* Scope.provide(start(state), own) }
  })

  let holder = yield* hold(initial)
  return {
    state: () => holder.mailbox.state(),
    turn: (message) => Effect.suspend(() => holder.mailbox.turn(message)),
    succeed: Effect.fnUntraced(function*(state) {
      yield* Scope.close(holder.own, Exit.void)
      holder = yield* hold(state)
    })
  }
})
