/**
 * The host of a pure state machine: a fiber that takes one message from its queue, takes one step, keeps the new state
 * and performs the outputs. One message is one turn, and turns never overlap.
 *
 * It knows nothing of what the machine is about. A step that is not possible changes nothing, and the sender of the
 * message can learn that.
 */
import { Deferred, Effect, Queue, type Scope } from "effect"

/** The next state and what is to be done; `undefined` when the message is not possible in the state. */
export type Step<State, Output> = readonly [State, ReadonlyArray<Output>] | undefined

export interface Mailbox<State, Message> {
  /** The state after the last turn. */
  readonly state: () => State
  /** Puts a message behind all others and does not wait. */
  readonly post: (message: Message) => Effect.Effect<void>
  /** Puts a message behind all others and waits for its turn; whether it was possible. */
  readonly turn: (message: Message) => Effect.Effect<boolean>
}

/** A message that was just taken. */
export interface Turn<State, Message> {
  readonly message: Message
  readonly possible: boolean
  /** The state now. */
  readonly state: () => State
  /** Takes a further turn, ahead of the queue; whether it was possible. */
  readonly attempt: (message: Message) => Effect.Effect<boolean>
}

export interface Options<State, Message, Output> {
  readonly initial: State
  readonly step: (state: State, message: Message) => Step<State, Output>
  /** Does one output of the turn that `message` was. */
  readonly perform: (output: Output, message: Message, state: State) => Effect.Effect<void>
  /** Hears of every step, before its outputs are done. */
  readonly stepped?: (message: Message) => void
  /** Runs after every message, in the same fiber. */
  readonly after?: (turn: Turn<State, Message>) => Effect.Effect<void>
}

interface Envelope<Message> {
  readonly message: Message
  readonly done: Deferred.Deferred<boolean> | undefined
}

const possible = Effect.succeed(true)
const impossible = Effect.succeed(false)

/** Starts the host; it ends with the scope. */
export const make = <State, Message, Output>(
  { after, initial, perform, step, stepped }: Options<State, Message, Output>
): Effect.Effect<Mailbox<State, Message>, never, Scope.Scope> =>
  Effect.gen(function*() {
    const inbox = yield* Queue.unbounded<Envelope<Message>>()
    let state = initial

    const performAll = Effect.fnUntraced(function*(outputs: ReadonlyArray<Output>, message: Message) {
      for (const output of outputs) yield* perform(output, message, state)
      return true
    })

    const attempt = (message: Message): Effect.Effect<boolean> =>
      Effect.suspend(() => {
        const next = step(state, message)
        if (next === undefined) return impossible
        state = next[0]
        stepped?.(message)
        return next[1].length === 0 ? possible : performAll(next[1], message)
      })

    const host = Effect.gen(function*() {
      while (true) {
        const { done, message } = yield* Queue.take(inbox)
        const wasPossible = yield* attempt(message)
        if (after !== undefined) yield* after({ message, possible: wasPossible, state: () => state, attempt })
        if (done !== undefined) yield* Deferred.succeed(done, wasPossible)
      }
    })

    yield* Effect.forkScoped(host)
    return {
      state: () => state,
      post: (message) => Queue.offer(inbox, { message, done: undefined }).pipe(Effect.asVoid),
      turn: (message) =>
        Effect.suspend(() => {
          const done = Deferred.makeUnsafe<boolean>()
          Queue.offerUnsafe(inbox, { message, done })
          return Deferred.await(done)
        })
    }
  })
