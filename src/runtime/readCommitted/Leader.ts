/**
 * The leader of a partition that read_committed consumers fetch from: the partition of the core in a mailbox, so that one
 * turn is one write or one fetch.
 *
 * What a turn means is the core's business. The host knows where the answer to a fetch goes, also of one that waits.
 */
import { Context, Effect, Layer, type Scope } from "effect"
import { Fetch, type FetchRules } from "../../core/index.ts"
import * as Mailbox from "../Mailbox.ts"

/** Takes the answer to a fetch; it does not wait for what the consumer makes of it. */
export type Reply = (fetched: Fetch.Fetched) => Effect.Effect<void>

type FetchInput = Extract<Fetch.Input, { readonly _tag: "FetchRecords" | "ParkFetch" }>

/** The inputs of the core, a fetch with the way back to who asked. */
export type Message = Exclude<Fetch.Input, FetchInput> | FetchInput & { readonly reply: Reply }

export interface Options {
  readonly rules: FetchRules.Rules
}

/** The leader of one partition. It does nothing by itself. */
export class Leader extends Context.Service<Leader, {
  /** A turn, behind those that wait; whether it was possible. */
  readonly turn: (message: Message) => Effect.Effect<boolean>
  /** The state after the last turn. */
  readonly partition: () => Fetch.Partition
}>()("keos/runtime/readCommitted/Leader") {
  static readonly layer = (options: Options): Layer.Layer<Leader> => Layer.effect(this, make(options))
}

interface State {
  readonly partition: Fetch.Partition
  /** Of the fetch that waits. */
  readonly waiting: Reply | undefined
}

interface Output {
  readonly fetched: Fetch.Fetched
  readonly reply: Reply
}

/** Starts the leader of an empty partition; it ends with the scope. */
export const make = Effect.fnUntraced(function*(
  { rules }: Options
): Effect.fn.Return<Leader["Service"], never, Scope.Scope> {
  const step = (state: State, message: Message): Mailbox.Step<State, Output> => {
    const next = Fetch.step(rules, state.partition, message)
    if (next === undefined) return undefined
    const [partition, answers] = next
    const reply = "reply" in message ? message.reply : state.waiting
    return [
      { partition, waiting: partition.parked === undefined ? undefined : reply },
      answers.map((fetched) => ({ fetched, reply: reply! }))
    ]
  }

  const mailbox = yield* Mailbox.make<State, Message, Output>({
    initial: { partition: Fetch.initial, waiting: undefined },
    step,
    perform: ({ fetched, reply }) => reply(fetched)
  })
  return Leader.of({ turn: mailbox.turn, partition: () => mailbox.state().partition })
})
