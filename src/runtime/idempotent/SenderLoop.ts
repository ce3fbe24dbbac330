/**
 * What drives the producer when nobody tells it what to do: after every turn, and when a deadline passes, it takes the
 * turns that are possible in the order of Kafka's `Sender.runOnce`.
 *
 * It owns the producer's time (`retry.backoff.ms`, `request.timeout.ms`, `delivery.timeout.ms`) and no rule: which of
 * these turns is possible, the core decides.
 */
import { Clock, Effect, type Scope } from "effect"
import { Producer } from "../../core/index.ts"
import type * as Mailbox from "../Mailbox.ts"
import { Network } from "./Network.ts"
import type { Message } from "./ProducerHost.ts"

/** Kafka's producer configs, in milliseconds. */
export interface Timing {
  /** `retry.backoff.ms`; it doubles with every attempt. */
  readonly retryBackoff: number
  /** `retry.backoff.max.ms`. */
  readonly retryBackoffMax: number
  /** `request.timeout.ms`. */
  readonly requestTimeout: number
  /** `delivery.timeout.ms`. */
  readonly deliveryTimeout: number
}

/** To be called after every message of the producer's mailbox. */
export type SenderLoop = (
  turn: Mailbox.Turn<Producer.Producer, Message>,
  post: (message: Message) => Effect.Effect<void>
) => Effect.Effect<void>

/** What the clock says about one partition. */
interface Times {
  /** When the oldest batches were handed over, by batch. */
  readonly created: Map<number, number>
  /** When the requests that wait for an answer were sent, oldest first. */
  readonly sent: Array<number>
  /** Nothing is sent again before. */
  retryAt: number
  /** How long the queue was after the last turn. */
  queued: number
}

const wake: Message = { _tag: "Wake" }
const bumpEpoch: Message = { _tag: "BumpEpoch" }

/** A loop for a producer of so many partitions; its timers end with the scope. */
export const make = Effect.fnUntraced(function*(
  { partitions, timing }: { readonly partitions: number; readonly timing: Timing }
): Effect.fn.Return<SenderLoop, never, Network | Scope.Scope> {
  const network = yield* Network
  const clock = yield* Clock.Clock
  const scope = yield* Effect.scope
  const times = Array.from(
    { length: partitions },
    (): Times => ({ created: new Map(), sent: [], retryAt: 0, queued: 0 })
  )
  const inputs = times.map((_, partition) => ({
    resolveSequences: { _tag: "ResolveSequences", partition } as const,
    send: { _tag: "Send", partition } as const,
    resend: { _tag: "Resend", partition } as const
  }))
  let wakeAt = Infinity

  /** Takes note of what the turn did; a queue that grows by an answer or a lost connection waits for its backoff. */
  const observe = (message: Message, producer: Producer.Producer, now: number): void => {
    if (message._tag === "Enqueue") times[message.partition]!.created.set(message.batch, now)
    producer.senders.forEach(({ batches, inFlight, queue }, partition) => {
      const own = times[partition]!
      if (message._tag === "Restart") { for (const batch of batches.keys()) own.created.set(batch, now) }
      own.sent.splice(0, own.sent.length - inFlight.length)
      if ((message._tag === "ReceiveResponse" || message._tag === "Disconnect") && queue.length > own.queued) {
        const attempts = batches.get(queue[0]!)!.attempts
        const backoff = timing.retryBackoff * 2 ** Math.min(30, Math.max(0, attempts - 1))
        own.retryAt = now + Math.min(timing.retryBackoffMax, backoff)
      }
    })
  }

  const deliveryDeadline = (partition: number, batch: number): number =>
    (times[partition]!.created.get(batch) ?? 0) + timing.deliveryTimeout

  /** The earliest thing to come that is not a message. */
  const nextDeadline = (producer: Producer.Producer, now: number): number => {
    let earliest = Infinity
    const consider = (deadline: number): void => {
      if (deadline > now && deadline < earliest) earliest = deadline
    }
    producer.senders.forEach((sender, partition) => {
      const own = times[partition]!
      if (sender.queue.length > 0) consider(own.retryAt)
      if (own.sent.length > 0) consider(own.sent[0]! + timing.requestTimeout)
      for (const batch of Producer.expirable(sender)) consider(deliveryDeadline(partition, batch.id))
    })
    return earliest
  }

  return Effect.fnUntraced(function*({ attempt, message, possible, state }, post) {
    const now = clock.currentTimeMillisUnsafe()
    if (message._tag === "Wake" && now >= wakeAt) wakeAt = Infinity
    if (possible) observe(message, state(), now)
    for (let again = true; again;) {
      again = false
      for (const { resolveSequences } of inputs) yield* attempt(resolveSequences)
      yield* attempt(bumpEpoch)
      for (let partition = 0; partition < partitions; partition++) {
        const { resend, send } = inputs[partition]!
        const own = times[partition]!
        for (const { id } of Producer.expirable(state().senders[partition]!)) {
          if (now >= deliveryDeadline(partition, id)) {
            again = (yield* attempt({ _tag: "ExpireBatch", partition, batch: id })) || again
          }
        }
        while ((now >= own.retryAt && (yield* attempt(resend))) || (yield* attempt(send)));
      }
    }
    const { senders } = state()
    for (let partition = 0; partition < partitions; partition++) {
      const { connection, inFlight, queue } = senders[partition]!
      const own = times[partition]!
      while (own.sent.length < inFlight.length) own.sent.push(now)
      own.queued = queue.length
      if (own.sent.length > 0 && now >= own.sent[0]! + timing.requestTimeout) {
        yield* network.close(partition, connection, { by: "network" })
      }
    }
    const deadline = nextDeadline(state(), now)
    if (deadline >= wakeAt) return
    wakeAt = deadline
    yield* Effect.forkIn(Effect.andThen(Effect.sleep(deadline - now), post(wake)), scope)
  })
})
