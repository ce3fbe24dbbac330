/**
 * The client's side of the wire: the core's producer and the application behind it in one mailbox, its requests on the
 * network, what the application sees reported.
 *
 * It takes turns when told and does nothing by itself.
 */
import { Effect, type Scope } from "effect"
import { type Errors, Transaction, TransactionalProducer } from "../../core/index.ts"
import * as Mailbox from "../Mailbox.ts"
import type { Memories } from "./Application.ts"
import * as Application from "./Application.ts"
import type { Observation } from "./Events.ts"
import type { Group } from "./Group.ts"
import { Network } from "./Network.ts"
import * as Seat from "./Seat.ts"
import type { Setup } from "./Setup.ts"
import { clientNumbered, hasGroup } from "./Setup.ts"

/** What a client can be told. */
export type Message =
  | { readonly _tag: "InitTransactions" | "Commit" | "Abort" | "JoinGroup" }
  | { readonly _tag: "AddPartitionsToTxn" | "SendProduce" | "ExpireBatch"; readonly partition: string }
  | {
    readonly _tag: "ReceiveAnswer"
    readonly request: TransactionalProducer.Request
    readonly answer: TransactionalProducer.Answer
  }
  | {
    readonly _tag: "ReceiveProduceAnswer"
    readonly produce: TransactionalProducer.Produce
    readonly error: Errors.Error
  }

export interface State {
  readonly producer: TransactionalProducer.Producer
  readonly memories: Memories
}

export interface ClientHost {
  /** A turn; whether it was possible. */
  readonly turn: (message: Message) => Effect.Effect<boolean>
  /** The application dies and starts again: its producer is a new one. Whether it was running. */
  readonly crash: Effect.Effect<boolean>
  readonly state: () => State
}

export interface Options {
  readonly setup: Setup
  readonly client: number
  readonly group: Group
  /** Hears what the application sees. */
  readonly observed: (observation: Observation) => void
  /** The record that the application hands over; the same for the same arguments. */
  readonly recordOf: (transaction: Transaction.Name, partition: string) => number
}

type Output = Exclude<TransactionalProducer.Output, { readonly _tag: "Ended" }>

/** Starts a client without an identity; it ends with the scope. */
export const make = Effect.fnUntraced(function*(
  { client, group, observed, recordOf, setup }: Options
): Effect.fn.Return<ClientHost, never, Network | Scope.Scope> {
  const network = yield* Network
  const { transactionalId, version } = clientNumbered(setup, client)
  const config: TransactionalProducer.Config = { ...setup.context, version, client }

  const nameOf = ({ number }: TransactionalProducer.Producer): Transaction.Name => ({ client, number })

  /** The core's input for a message, `undefined` where the application does not do this now. */
  const inputOf = (
    producer: TransactionalProducer.Producer,
    message: Message
  ): TransactionalProducer.Input | undefined => {
    switch (message._tag) {
      case "AddPartitionsToTxn":
      case "SendProduce":
        return Application.mayWrite(setup, client, producer, message.partition)
          ? { _tag: message._tag, partition: message.partition }
          : undefined
      case "Commit":
        return Application.mayCommit(setup, producer) ? { _tag: "Commit" } : undefined
      case "JoinGroup": {
        const joining = hasGroup(setup) ? group.joining() : undefined
        return joining && { _tag: "JoinGroup", ...joining }
      }
      case "InitTransactions":
      case "Abort":
        return { _tag: message._tag }
      default:
        return message
    }
  }

  /** Tells what the application sees of a turn that its own call was. */
  const observeCall = (before: State, after: State, message: Message): void => {
    const transaction = nameOf(after.producer)
    switch (message._tag) {
      case "AddPartitionsToTxn":
      case "SendProduce": {
        const { partition } = message
        const { position } = before.producer
        if (after.producer.number > before.producer.number) observed({ _tag: "Began", transaction, input: position })
        if (before.memories[transaction.number - 1]?.partitions.includes(partition) === true) return
        observed(
          partition === Transaction.groupPartition
            ? { _tag: "OffsetHandedOver", transaction, offset: position + 1 }
            : { _tag: "HandedOver", transaction, partition, record: recordOf(transaction, partition) }
        )
        return
      }
      case "Commit":
        return observed({ _tag: "CommitCalled", transaction })
      case "Abort":
        return observed({ _tag: "AbortCalled", transaction })
      case "JoinGroup": {
        const { generation, position } = after.producer
        return observed({ _tag: "Joined", client, generation, offset: position })
      }
      default:
    }
  }

  /** What the application remembers of a turn that its own call was. */
  const rememberCall = (
    { memories, producer }: State,
    { number }: TransactionalProducer.Producer,
    message: Message
  ): Memories => {
    switch (message._tag) {
      case "AddPartitionsToTxn":
      case "SendProduce":
        return Application.handOver(memories, number, message.partition, producer.position)
      case "Commit":
        return Application.remember(memories, number, { intent: "commit" })
      case "Abort":
        return Application.remember(memories, number, { intent: "abort" })
      default:
        return memories
    }
  }

  const step = (before: State, message: Message): Mailbox.Step<State, Output> => {
    const input = inputOf(before.producer, message)
    if (input === undefined) return undefined
    const next = TransactionalProducer.step(config, before.producer, input)
    if (next === undefined) return undefined
    const [producer] = next
    if (input._tag === "JoinGroup") group.joined(input.generation)
    let memories = rememberCall(before, producer, message)
    observeCall(before, { producer, memories }, message)
    const outputs: Array<Output> = []
    for (const output of next[1]) {
      if (output._tag !== "Ended") {
        outputs.push(output)
        continue
      }
      const isCommitted = output.result === "COMMIT"
      memories = Application.remember(memories, producer.number, { outcome: isCommitted ? "committed" : "aborted" })
      observed({ _tag: isCommitted ? "Committed" : "Aborted", transaction: nameOf(producer) })
    }
    const began = before.producer.state
    if (began !== "INITIALIZING" && producer.state === "INITIALIZING") observed({ _tag: "Initializing", client })
    if (began === "INITIALIZING" && producer.state === "READY") {
      observed({ _tag: "Initialized", client, transactionalId })
    }
    if (producer.state === "FATAL_ERROR" && Application.isOpen(before.producer)) {
      observed({ _tag: "Lost", transaction: nameOf(producer), reason: "fatal error" })
    }
    return [{ producer, memories }, outputs]
  }

  const seat = yield* Seat.make((initial: State) =>
    Mailbox.make<State, Message, Output>({
      initial,
      step,
      perform: (output) =>
        output._tag === "Request"
          ? network.sendRequest(client, output.request)
          : network.sendProduce(client, output.produce)
    }), { producer: TransactionalProducer.initial, memories: [] })

  network.attachClient(client, {
    answered: (request, answer) => seat.turn({ _tag: "ReceiveAnswer", request, answer }),
    produced: (produce, error) => seat.turn({ _tag: "ReceiveProduceAnswer", produce, error })
  })
  return {
    turn: seat.turn,
    state: seat.state,
    crash: Effect.suspend(() => {
      const { memories, producer } = seat.state()
      const next = TransactionalProducer.step(config, producer, { _tag: "Crash" })
      if (next === undefined) return Effect.succeed(false)
      if (Application.isOpen(producer)) observed({ _tag: "Lost", transaction: nameOf(producer), reason: "crash" })
      return Effect.as(seat.succeed({ producer: next[0], memories }), true)
    })
  }
})
