/**
 * The producer as an application meets it: `send` a record, learn its outcome. Records of a partition gather in a batch
 * until it is full or has lingered; the batch goes to the core, and the sender's loop does the rest.
 *
 * A restart is that of the application: a new producer id, to which everything without an outcome is handed over again.
 * Outcomes that are awaited stay awaited.
 */
import { Context, Deferred, Effect, Exit, Layer, Scope } from "effect"
import type { Errors, Replica, Sender } from "../../core/index.ts"
import * as Initial from "./Initial.ts"
import { Network } from "./Network.ts"
import * as ProducerHost from "./ProducerHost.ts"
import * as SenderLoop from "./SenderLoop.ts"

/** How a record ended. */
export type Outcome =
  /** It is in the log, at `offset` if the answer tells; otherwise that is -1. */
  | { readonly _tag: "Acknowledged"; readonly offset: number }
  | { readonly _tag: "Failed"; readonly error: Errors.Error }

/** What an observer hears, in the order in which it happens. */
export interface Listener {
  readonly reported: (partition: number, record: Replica.Payload, outcome: Outcome) => void
  /** The application has started again. */
  readonly restarted: () => void
  /** After a restart, for every record that has no outcome, in the order of sending. */
  readonly sentAgain: (partition: number, record: Replica.Payload) => void
  /** These records are a batch of this number. */
  readonly batched?: (partition: number, batch: number, records: ReadonlyArray<Replica.Payload>) => void
}

export interface Options extends Initial.Options {
  readonly timing: SenderLoop.Timing
  /** `batch.size`, in records. */
  readonly batchSize: number
  /** `linger.ms`. */
  readonly linger: number
  readonly listener?: Listener
  /** Hears of every step of the producer. */
  readonly stepped?: (message: ProducerHost.Message) => void
}

/** The application's side of the producer. */
export class Producer extends Context.Service<Producer, {
  /** Hands a record over; the deferred is its outcome. */
  readonly send: (partition: number, record: Replica.Payload) => Effect.Effect<Deferred.Deferred<Outcome>>
  /** Starts the application again. */
  readonly restart: Effect.Effect<void>
  /** Ends the application for good, at once, as a power cut does: nothing more is sent, and no answer is heard. */
  readonly stop: Effect.Effect<void>
  /** How many records have no outcome; a stopped application waits for none. */
  readonly undecided: () => number
  /** The core's producer, and what it has decided. */
  readonly host: Pick<ProducerHost.ProducerHost["Service"], "producer" | "outcomes">
}>()("keos/runtime/Producer") {
  static readonly layer = (options: Options): Layer.Layer<Producer, never, Network> => Layer.effect(this, make(options))
}

/** A record on its way to an outcome. */
interface Handed {
  readonly record: Replica.Payload
  readonly outcome: Deferred.Deferred<Outcome>
}

interface Accumulator {
  /** The batch that still takes records. */
  open: Array<Handed>
  nextBatch: number
  /** Closed batches without an outcome, in the order of sending. */
  readonly closed: Map<number, ReadonlyArray<Handed>>
}

/** Starts the producer; it ends with the scope. */
export const make = Effect.fnUntraced(function*(
  options: Options
): Effect.fn.Return<Producer["Service"], never, Network | Scope.Scope> {
  const { batchSize, linger, listener, partitions, sender, stepped, timing } = options
  const network = yield* Network
  const scope = yield* Scope.fork(yield* Effect.scope)
  const loop = yield* Scope.provide(SenderLoop.make({ partitions, timing }), scope)
  const accumulators = Array.from(
    { length: partitions },
    (): Accumulator => ({ open: [], nextBatch: 1, closed: new Map() })
  )
  let undecided = 0
  let stopped = false

  const decided = Effect.fnUntraced(function*(partition: number, outcome: Sender.Outcome) {
    const { closed } = accumulators[partition]!
    const handed = closed.get(outcome.batch)!
    closed.delete(outcome.batch)
    for (let index = 0; index < handed.length; index++) {
      const told: Outcome = outcome._tag === "Failed"
        ? { _tag: "Failed", error: outcome.error }
        : { _tag: "Acknowledged", offset: outcome.offset < 0 ? outcome.offset : outcome.offset + index }
      undecided--
      listener?.reported(partition, handed[index]!.record, told)
      yield* Deferred.succeed(handed[index]!.outcome, told)
    }
  })

  const restarted = Effect.sync(() => {
    listener?.restarted()
    accumulators.forEach(({ closed, open }, partition) => {
      for (const batch of closed.values()) for (const { record } of batch) listener?.sentAgain(partition, record)
      for (const { record } of open) listener?.sentAgain(partition, record)
    })
  })

  const host: ProducerHost.ProducerHost["Service"] = yield* Scope.provide(
    ProducerHost.make({
      sender,
      initial: Initial.producer(options),
      decided,
      restarted,
      ...(stepped === undefined ? {} : { stepped }),
      after: (turn) => loop(turn, host.post)
    }),
    scope
  )

  /** Closes a batch and hands it to the core. */
  const close = (partition: number): Effect.Effect<void> =>
    Effect.suspend(() => {
      const accumulator = accumulators[partition]!
      const batch = accumulator.nextBatch++
      const handed = accumulator.open
      accumulator.open = []
      accumulator.closed.set(batch, handed)
      const records = handed.map(({ record }) => record)
      listener?.batched?.(partition, batch, records)
      return host.post({ _tag: "Enqueue", partition, batch, records })
    })

  const lingering = Effect.fnUntraced(function*(partition: number, batch: ReadonlyArray<Handed>) {
    yield* Effect.sleep(linger)
    if (accumulators[partition]!.open === batch) yield* close(partition)
  })

  const send = Effect.fnUntraced(function*(partition: number, record: Replica.Payload) {
    const { open } = accumulators[partition]!
    const outcome = Deferred.makeUnsafe<Outcome>()
    open.push({ record, outcome })
    undecided++
    if (open.length >= batchSize) yield* close(partition)
    else if (open.length === 1) yield* Effect.forkIn(lingering(partition, open), scope)
    return outcome
  })

  const stop = Effect.gen(function*() {
    stopped = true
    yield* Scope.close(scope, Exit.void)
    for (let partition = 0; partition < partitions; partition++) {
      yield* network.close(partition, network.connection(partition), { by: "producer" })
    }
  })

  return Producer.of({
    send,
    stop,
    restart: Effect.asVoid(host.turn({ _tag: "Restart" })),
    undecided: () => stopped ? 0 : undecided,
    host
  })
})
