/**
 * The coordinator of one transactional id on its broker: the core's coordinator in a mailbox, with access to the log.
 *
 * How an append ends, somebody else says: it is an action of its own. When the coordinator moves, the one before dies with
 * its memory, and the next reads from the log what to go by.
 */
import { Context, Effect, Exit, Layer, type Scope } from "effect"
import {
  type Errors,
  type TransactionalProducer,
  TransactionCoordinator,
  type TransactionMetadata
} from "../../core/index.ts"
import * as Mailbox from "../Mailbox.ts"
import { Network } from "./Network.ts"
import type { ProducerIds } from "./ProducerIds.ts"
import * as Seat from "./Seat.ts"
import type { Setup } from "./Setup.ts"
import type { Ending } from "./TransactionLog.ts"
import { appendEnding, TransactionLog } from "./TransactionLog.ts"

/** Whom the coordinator owes an answer: a client, a leader that asks about a batch, or somebody outside of the cluster. */
type Asker =
  | { readonly _tag: "Client" | "Leader"; readonly correlation: number }
  | { readonly _tag: "Stranger"; readonly told: (error: Errors.Error) => void }

/** What a stranger can ask a coordinator. */
export type Question = Extract<
  TransactionCoordinator.Input,
  { readonly _tag: "HandleInitProducerId" | "HandleAddPartitionsToTxn" | "HandleEndTxn" | "HandleVerification" }
>

/** What a coordinator can be told. */
type Message =
  | { readonly _tag: "Handle"; readonly asker: Exclude<Asker, { readonly _tag: "Stranger" }> }
  | { readonly _tag: "Probe"; readonly question: Question; readonly told: (error: Errors.Error) => void }
  | {
    readonly _tag: "AppendOk" | "AppendFail" | "CompleteTransaction" | "TransactionTimeout" | "ExpireTransactionalId"
  }
  | {
    readonly _tag: "ReceiveMarkerAnswer"
    readonly marker: TransactionCoordinator.Marker
    readonly error: Errors.Error
  }
  /** The first turn of a coordinator that takes over; `owed` is whom the one before would have answered. */
  | {
    readonly _tag: "CoordinatorFailover"
    readonly loaded: TransactionMetadata.Metadata
    readonly owed: Asker | undefined
  }

interface State {
  readonly coordinator: TransactionCoordinator.Coordinator
  /** Who waits for the append under way. */
  readonly waiting: Asker | undefined
}

interface Output {
  readonly output: Exclude<TransactionCoordinator.Output, { readonly _tag: "ProducerIdTaken" }>
  readonly asker: Asker | undefined
}

export interface CoordinatorHost {
  /** A turn; whether it was possible. */
  readonly turn: (
    tag: "CompleteTransaction" | "TransactionTimeout" | "ExpireTransactionalId"
  ) => Effect.Effect<boolean>
  /** The append under way ends; `false` when there is none. */
  readonly endAppend: (ending: Ending) => Effect.Effect<boolean>
  /**
   * The coordinator dies and another broker takes over. The append under way has reached the log, or has not; `false` when
   * it is said to, and there is none.
   */
  readonly failover: (isWritten: boolean) => Effect.Effect<boolean>
  /** The answer to a stranger, `undefined` when there is none at once. */
  readonly probe: (question: Question) => Effect.Effect<Errors.Error | undefined>
  readonly state: () => TransactionCoordinator.Coordinator
  /** The last record in the log. */
  readonly logged: Effect.Effect<TransactionMetadata.Metadata>
}

export interface Options {
  readonly setup: Setup
  readonly id: number
  readonly ids: ProducerIds
  /** Is built anew for every coordinator. */
  readonly log: Layer.Layer<TransactionLog>
}

/** Starts the coordinator of an id that nobody used before; it ends with the scope. */
export const make = Effect.fnUntraced(function*(
  { id, ids, log: logLayer, setup }: Options
): Effect.fn.Return<CoordinatorHost, never, Network | Scope.Scope> {
  const { context } = setup
  const network = yield* Network
  let log!: TransactionLog["Service"]

  /** The core's input for what somebody asks, `undefined` when that is gone. */
  const question = (
    { _tag, correlation }: Exclude<Asker, { readonly _tag: "Stranger" }>
  ): TransactionCoordinator.Input | undefined => {
    if (_tag === "Leader") {
      const asked = network.produces.get(correlation)
      return asked && { _tag: "HandleVerification", verification: asked.produce }
    }
    const sent = network.requests.get(correlation)
    if (sent === undefined) return undefined
    const { broker, request } = sent
    switch (request.kind) {
      case "InitProducerId":
        return { _tag: "HandleInitProducerId", request, broker, nextProducerId: ids.free() }
      case "AddPartitionsToTxn":
        return { _tag: "HandleAddPartitionsToTxn", request, broker }
      case "EndTxn":
        return { _tag: "HandleEndTxn", request, broker, nextProducerId: ids.free() }
    }
  }

  /** The kind of request that waits; leaders wait as whoever adds a partition. */
  const kindOf = (asker: Asker | undefined): TransactionalProducer.Request["kind"] | undefined => {
    if (asker === undefined || asker._tag === "Stranger") return undefined
    return asker._tag === "Leader" ? "AddPartitionsToTxn" : network.requests.get(asker.correlation)?.request.kind
  }

  const inputOf = ({ waiting }: State, message: Message): TransactionCoordinator.Input | undefined => {
    switch (message._tag) {
      case "Handle":
        return question(message.asker)
      case "Probe":
        return message.question
      case "AppendOk":
      case "AppendFail":
        return { _tag: message._tag, waiting: kindOf(waiting) }
      case "TransactionTimeout":
        return { _tag: "TransactionTimeout", nextProducerId: ids.free() }
      case "CoordinatorFailover":
        return { _tag: "CoordinatorFailover", loaded: message.loaded, waiting: kindOf(message.owed) }
      case "CompleteTransaction":
      case "ExpireTransactionalId":
        return { _tag: message._tag }
      case "ReceiveMarkerAnswer":
        return message
    }
  }

  /** Whom the answers of a turn are for. */
  const askerOf = ({ waiting }: State, message: Message): Asker | undefined => {
    switch (message._tag) {
      case "Handle":
        return message.asker
      case "Probe":
        return { _tag: "Stranger", told: message.told }
      case "AppendOk":
      case "AppendFail":
        return waiting
      case "CoordinatorFailover":
        return message.owed
      default:
        return undefined
    }
  }

  const step = (state: State, message: Message): Mailbox.Step<State, Output> => {
    const input = inputOf(state, message)
    const next = input && TransactionCoordinator.step(context, state.coordinator, input)
    if (next === undefined) return undefined
    const [coordinator] = next
    const asker = askerOf(state, message)
    let waiting = coordinator.appending === undefined ? undefined : state.waiting
    const outputs: Array<Output> = []
    for (const output of next[1]) {
      if (output._tag === "ProducerIdTaken") {
        ids.take()
        continue
      }
      if (output._tag === "Append") waiting = asker
      outputs.push({ output, asker })
    }
    return [{ coordinator, waiting }, outputs]
  }

  const answer = (asker: Asker, told: TransactionalProducer.Answer): Effect.Effect<void> => {
    switch (asker._tag) {
      case "Client":
        return network.answerRequest(asker.correlation, told)
      case "Leader":
        return network.answerVerification(asker.correlation, told.error)
      case "Stranger":
        return Effect.sync(() => asker.told(told.error))
    }
  }

  const keepWaiting = (asker: Asker): void => {
    if (asker._tag === "Client") network.requests.change(asker.correlation, { stage: "appending" })
    if (asker._tag === "Leader") network.produces.change(asker.correlation, { stage: "adding" })
  }

  const perform = ({ asker, output }: Output): Effect.Effect<void> => {
    switch (output._tag) {
      case "Answer":
        return asker === undefined ? Effect.void : answer(asker, output.answer)
      case "Append":
        return asker === undefined ? Effect.void : Effect.sync(() => keepWaiting(asker))
      case "WriteTxnMarker":
        return network.sendMarker(id, output.marker)
    }
  }

  const seat = yield* Seat.make(
    Effect.fnUntraced(function*(initial: State) {
      log = Context.get(yield* Layer.build(logLayer), TransactionLog)
      return yield* Mailbox.make<State, Message, Output>({ initial, step, perform })
    }),
    { coordinator: TransactionCoordinator.initial, waiting: undefined }
  )

  const appending = (): TransactionMetadata.Metadata | undefined =>
    TransactionCoordinator.persisted(context, seat.state().coordinator)

  network.attachCoordinator(id, {
    broker: () => seat.state().coordinator.broker,
    handle: (correlation) => seat.turn({ _tag: "Handle", asker: { _tag: "Client", correlation } }),
    verify: (correlation) => seat.turn({ _tag: "Handle", asker: { _tag: "Leader", correlation } }),
    acknowledged: (marker, error) => seat.turn({ _tag: "ReceiveMarkerAnswer", marker, error })
  })
  return {
    turn: (_tag) => seat.turn({ _tag }),
    endAppend: Effect.fnUntraced(function*(ending) {
      const record = appending()
      if (record === undefined) return false
      const exit = yield* Effect.exit(appendEnding(log, id, record, ending))
      return yield* seat.turn({ _tag: Exit.isSuccess(exit) ? "AppendOk" : "AppendFail" })
    }),
    failover: Effect.fnUntraced(function*(isWritten) {
      const record = appending()
      if (isWritten) {
        if (record === undefined) return false
        yield* Effect.orDie(log.append(id, record))
      }
      const { coordinator: { broker, epoch }, waiting } = seat.state()
      yield* seat.succeed({ coordinator: { ...TransactionCoordinator.initial, broker, epoch }, waiting: undefined })
      return yield* seat.turn({ _tag: "CoordinatorFailover", loaded: yield* log.load(id), owed: waiting })
    }),
    probe: Effect.fnUntraced(function*(question) {
      let error: Errors.Error | undefined
      yield* seat.turn({ _tag: "Probe", question, told: (answer) => (error = answer) })
      return error
    }),
    state: () => seat.state().coordinator,
    logged: Effect.suspend(() => log.load(id))
  }
})
