/**
 * The producer's side of the wire: the core's producer in one mailbox, its requests on the network, its decisions kept
 * and reported.
 *
 * It takes turns when told and does nothing by itself; `SenderLoop.ts` tells it in Kafka's order, a test tells it in any.
 */
import { Context, Effect, Layer, type Scope } from "effect"
import { Producer, type Replica, type Sender } from "../../core/index.ts"
import * as Mailbox from "../Mailbox.ts"
import { Network } from "./Network.ts"

/** What the producer can be told: the core's inputs, with leaders and answers still on the network. */
export type Message =
  | { readonly _tag: "Send"; readonly partition: number }
  | { readonly _tag: "Resend"; readonly partition: number }
  | { readonly _tag: "ReceiveResponse"; readonly partition: number; readonly connection: number }
  | { readonly _tag: "Disconnect"; readonly partition: number; readonly connection: number }
  | Extract<Producer.Input, { readonly _tag: "ExpireBatch" | "ResolveSequences" | "BumpEpoch" }>
  /** The application hands over a batch. Its number is new on the partition and above all earlier ones. */
  | {
    readonly _tag: "Enqueue"
    readonly partition: number
    readonly batch: number
    readonly records: ReadonlyArray<Replica.Payload>
  }
  /** Time has passed: nothing by itself, but an occasion for what follows a turn. */
  | { readonly _tag: "Wake" }
  /** The application starts again under a new producer id and hands over what has no outcome. */
  | { readonly _tag: "Restart" }

/** How a batch ended, as the application is told. */
export type Outcome =
  | { readonly _tag: "Acknowledged"; readonly offset: number }
  | { readonly _tag: "Failed" }

/** Outcomes by batch. */
export type Outcomes = ReadonlyMap<number, Outcome>

export interface Options {
  readonly sender: Sender.Config
  readonly initial: Producer.Producer
  /** Runs for every decision, in the turn that made it. */
  readonly decided?: (partition: number, outcome: Sender.Outcome) => Effect.Effect<void>
  /** Runs in the turn of a restart. */
  readonly restarted?: Effect.Effect<void>
  /** Hears of every step. */
  readonly stepped?: (message: Message) => void
  /** Runs after every message, and may attempt further turns ahead of those that wait. */
  readonly after?: (turn: Mailbox.Turn<Producer.Producer, Message>) => Effect.Effect<void>
}

/** The core's producer, one turn at a time. */
export class ProducerHost extends Context.Service<ProducerHost, {
  /** A turn, behind those that wait; whether it was possible. */
  readonly turn: (message: Message) => Effect.Effect<boolean>
  /** The same without waiting for it. */
  readonly post: (message: Message) => Effect.Effect<void>
  /** The state after the last turn. */
  readonly producer: () => Producer.Producer
  /** What the application was told about the batches of a partition. */
  readonly outcomes: (partition: number) => Outcomes
}>()("keos/runtime/ProducerHost") {
  static readonly layer = (options: Options): Layer.Layer<ProducerHost, never, Network> =>
    Layer.effect(this, make(options))
}

const noOutcomes: Outcomes = new Map()

/** Starts the mailbox; it ends with the scope. */
export const make = Effect.fnUntraced(function*(
  { after, decided, initial, restarted, sender, stepped }: Options
): Effect.fn.Return<ProducerHost["Service"], never, Network | Scope.Scope> {
  const network = yield* Network
  const outcomes = initial.senders.map(() => noOutcomes)
  // What was handed over and has no outcome, by partition and batch: the application's own list.
  const pending = initial.senders.map((state) =>
    new Map(Array.from(state.batches.values(), (batch) => [batch.id, batch.records]))
  )

  const restart = (producer: Producer.Producer): Producer.Producer => {
    let next = Producer.restart(producer, producer.identity.id + 1)
    pending.forEach((batches, partition) => {
      for (const [batch, records] of batches) next = Producer.enqueue(next, partition, batch, records)
    })
    return next
  }

  const leaderOf = (producer: Producer.Producer, partition: number): number =>
    network.leader(partition, producer.senders[partition]!.connection)

  const step = (
    producer: Producer.Producer,
    message: Message
  ): Mailbox.Step<Producer.Producer, Producer.Output | "Reconnect"> => {
    switch (message._tag) {
      case "Send":
      case "Resend": {
        const { _tag, partition } = message
        return Producer.step(sender, producer, { _tag, partition, leader: leaderOf(producer, partition) })
      }
      case "ReceiveResponse": {
        const { connection, partition } = message
        const response = network.answering(partition, connection)
        if (response === undefined) return undefined
        const next = Producer.step(sender, producer, { _tag: "ReceiveResponse", partition, response })
        if (next !== undefined) network.answered(partition)
        return next
      }
      case "Disconnect": {
        const { connection, partition } = message
        if (producer.senders[partition]!.connection !== connection) return undefined
        return Producer.step(sender, producer, { _tag: "Disconnect", partition })
      }
      case "Enqueue": {
        const { batch, partition, records } = message
        pending[partition]!.set(batch, records)
        return [Producer.enqueue(producer, partition, batch, records), []]
      }
      case "Wake":
        return undefined
      case "Restart":
        return [restart(producer), ["Reconnect"]]
      default:
        return Producer.step(sender, producer, message)
    }
  }

  const decide = (partition: number, outcome: Sender.Outcome): Effect.Effect<void> => {
    pending[partition]!.delete(outcome.batch)
    const told: Outcome = outcome._tag === "Acknowledged"
      ? { _tag: "Acknowledged", offset: outcome.offset }
      : { _tag: "Failed" }
    outcomes[partition] = new Map(outcomes[partition]).set(outcome.batch, told)
    return decided === undefined ? Effect.void : decided(partition, outcome)
  }

  const perform = Effect.fnUntraced(function*(
    output: Producer.Output | "Reconnect",
    _message: Message,
    state: Producer.Producer
  ) {
    if (output === "Reconnect") {
      // A new instance listens on none of the old connections; one that was closed already has not been used yet.
      for (let partition = 0; partition < state.senders.length; partition++) {
        yield* network.close(partition, state.senders[partition]!.connection - 1, { by: "producer" })
      }
      if (restarted !== undefined) yield* restarted
    } else if (output._tag === "Request") {
      yield* network.send(output.partition, output.request)
    } else {
      yield* decide(output.partition, output.outcome)
    }
  })

  const mailbox = yield* Mailbox.make<Producer.Producer, Message, Producer.Output | "Reconnect">({
    initial,
    step,
    perform,
    ...(stepped === undefined ? {} : { stepped }),
    ...(after === undefined ? {} : { after })
  })
  yield* network.attachProducer({
    acks: sender.acks,
    deliver: (partition, connection) => mailbox.turn({ _tag: "ReceiveResponse", partition, connection }),
    disconnected: (partition, connection) => mailbox.post({ _tag: "Disconnect", partition, connection })
  })
  return ProducerHost.of({
    turn: mailbox.turn,
    post: mailbox.post,
    producer: mailbox.state,
    outcomes: (partition) => outcomes[partition]!
  })
})
