/**
 * The broker side: every partition of the core in its own mailbox, with both replicas, so that one turn is one request,
 * one fetch of the follower or one event of the cluster.
 *
 * What a turn means is the core's business. The host knows which connection it is listening on, takes requests off the
 * network when a turn has accepted them, and puts answers on it.
 */
import { Context, Effect, Layer, type Scope } from "effect"
import { Partition, Replica } from "../../core/index.ts"
import * as Mailbox from "../Mailbox.ts"
import { Network } from "./Network.ts"

/** What a partition can be told: the core's inputs, with requests still on the network. */
export type Message =
  | { readonly _tag: "HandleProduce"; readonly connection: number }
  | { readonly _tag: "RefuseProduce"; readonly connection: number; readonly error: Partition.Refusal }
  | { readonly _tag: "Disconnect"; readonly connection: number }
  | Exclude<Partition.Input, { readonly _tag: "HandleProduce" | "RefuseProduce" | "Disconnect" }>

/** A record that a consumer can read. */
export interface Read {
  readonly offset: number
  readonly record: Replica.Payload
}

export interface Options {
  readonly replica: Replica.Context
  /** What each partition's replicas hold at the start. */
  readonly logs: ReadonlyArray<ReadonlyArray<Replica.Entry>>
  /** Hears of every step of a partition. */
  readonly stepped?: (partition: number, message: Message) => void
  /** Runs after every turn of a partition. */
  readonly turned?: (partition: number, state: Partition.Partition) => Effect.Effect<void>
}

/** The partitions of the cluster and their leaders. */
export class Broker extends Context.Service<Broker, {
  /** A turn of a partition, behind those that wait; whether it was possible. */
  readonly turn: (partition: number, message: Message) => Effect.Effect<boolean>
  /** The same without waiting for it. */
  readonly post: (partition: number, message: Message) => Effect.Effect<void>
  /** The records from an offset on that consumers can read. */
  readonly read: (partition: number, fromOffset: number) => Effect.Effect<ReadonlyArray<Read>>
  /** The state after the last turn. */
  readonly partition: (partition: number) => Partition.Partition
}>()("keos/runtime/Broker") {
  /** Brokers that do nothing by themselves. */
  static readonly layerControlled = (options: Options): Layer.Layer<Broker, never, Network> =>
    Layer.effect(this, make(options))
}

interface State {
  readonly partition: Partition.Partition
  /** The connection that the leader listens on. Requests may still be read from those before. */
  readonly connection: number
}

interface Output {
  readonly connection: number
  readonly output: Partition.Output
}

const nothing: ReadonlyArray<Output> = []

const makePartition = Effect.fnUntraced(function*(
  number: number,
  { logs, replica, stepped, turned }: Options
): Effect.fn.Return<Mailbox.Mailbox<State, Message>, never, Network | Scope.Scope> {
  const network = yield* Network

  /** The core's input for a message, `undefined` when what the message speaks of is gone. */
  const inputOf = (connection: number, message: Message): Partition.Input | undefined => {
    switch (message._tag) {
      case "HandleProduce":
      case "RefuseProduce": {
        const found = network.arriving(number, message.connection)
        if (found === undefined) return undefined
        const arrival = { ...found, open: message.connection === connection }
        return message._tag === "HandleProduce"
          ? { _tag: "HandleProduce", arrival }
          : { _tag: "RefuseProduce", arrival, error: message.error }
      }
      case "Disconnect":
        return message.connection === connection ? { _tag: "Disconnect" } : undefined
      default:
        return message
    }
  }

  /** The connection after a turn: the next one when this turn closed it. */
  const step = (state: State, message: Message): Mailbox.Step<State, Output> => {
    const { connection } = state
    const input = inputOf(connection, message)
    if (input === undefined) return undefined
    const next = Partition.step(replica, state.partition, input)
    if (next === undefined) return undefined
    if ("arrival" in input) network.arrived(number, input.arrival.request)
    let [partition] = next
    let listening = input._tag === "Disconnect" ? connection + 1 : connection
    if (next[1].length === 0) return [{ partition, connection: listening }, nothing]
    const outputs: Array<Output> = []
    for (const output of next[1]) {
      if (output._tag === "Response") {
        outputs.push({ connection, output })
        continue
      }
      // A request closes the connection it came on, anything else the one there is, of which the leader may not know yet.
      const closing = "arrival" in input ? connection : network.connection(number)
      // The leader drops what waits on the connection that it closes, as it does when the other side closes it.
      partition = Partition.step(replica, partition, { _tag: "Disconnect" })![0]
      listening = closing + 1
      outputs.push({ connection: closing, output })
    }
    return [{ partition, connection: listening }, outputs]
  }

  const perform = Effect.fnUntraced(function*({ connection, output }: Output, message: Message, state: State) {
    if (output._tag === "Response") return yield* network.respond(number, connection, output.response)
    const { leader } = state.partition
    // The sockets of a broker that restarts die with it, and what was on them.
    if (message._tag === "RestartLeader") yield* network.lose(number, (request) => request.broker === leader)
    yield* network.close(number, connection, { by: "broker", leader })
  })

  const mailbox = yield* Mailbox.make<State, Message, Output>({
    initial: { partition: Partition.make(replica, logs[number]!), connection: 0 },
    step,
    perform,
    ...(stepped === undefined ? {} : { stepped: (message: Message) => stepped(number, message) }),
    after: ({ possible, state }) => {
      if (!possible) return Effect.void
      const readable = network.readable(number)
      return turned === undefined ? readable : Effect.andThen(readable, turned(number, state().partition))
    }
  })
  yield* network.attachBroker(number, {
    deliver: (connection) => mailbox.turn({ _tag: "HandleProduce", connection }),
    refuse: (connection, error) => mailbox.turn({ _tag: "RefuseProduce", connection, error }),
    disconnected: (connection) => mailbox.post({ _tag: "Disconnect", connection })
  })
  return mailbox
})

/** Starts one mailbox per partition; they end with the scope. */
export const make = Effect.fnUntraced(function*(
  options: Options
): Effect.fn.Return<Broker["Service"], never, Network | Scope.Scope> {
  const mailboxes: Array<Mailbox.Mailbox<State, Message>> = []
  for (let number = 0; number < options.logs.length; number++) {
    mailboxes.push(yield* makePartition(number, options))
  }
  const partition = (number: number): Partition.Partition => mailboxes[number]!.state().partition

  return Broker.of({
    turn: (number, message) => mailboxes[number]!.turn(message),
    post: (number, message) => mailboxes[number]!.post(message),
    read: (number, fromOffset) =>
      Effect.sync(() => {
        const found: Array<Read> = []
        for (const entry of Partition.readable(partition(number))) {
          if (Replica.endOffset(entry) <= fromOffset) continue
          entry.records.forEach((record, index) => {
            if (entry.offset + index >= fromOffset) found.push({ offset: entry.offset + index, record })
          })
        }
        return found
      }),
    partition
  })
})
