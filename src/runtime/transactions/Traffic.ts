/**
 * What makes messages move: each arrives after a delay from the run's random source, what a role works on goes on after a
 * while, and a sender that waits too long stops waiting.
 *
 * The answer to a message comes when it is handled, so the delay of a message stands for both ways. A message whose sender
 * has stopped waiting arrives on time, or much later, or never; what a role works on by then goes on, on time or much later.
 * What is sent again after an error waits for its backoff.
 */
import { Clock, Effect, type Scope } from "effect"
import { draw, randomStreams, type Range } from "../RandomStreams.ts"
import type { Action } from "./Action.ts"
import type { Conductor } from "./Conductor.ts"
import type { Exchanges } from "./Messages.ts"
import { live } from "./Messages.ts"
import type { Node, Nodes } from "./Nodes.ts"

/** In milliseconds. */
export interface Delays {
  /** From the sending of a message to its handling. */
  readonly message: Range
  /** How likely a message is slow. */
  readonly slowness: number
  /** How long a slow one may take. */
  readonly slow: number
  /** From one step of a role to the next: a question to the coordinator, the append of what it has agreed to. */
  readonly step: Range
  /** How long after its sender has stopped waiting a message may arrive, or its next step be taken. */
  readonly late: number
  /** How likely such a message is late. */
  readonly lateness: number
  /** How likely such a message never arrives, if it has not. */
  readonly loss: number
}

/** Kafka's configs, in milliseconds; infinite for what never passes. */
export interface Timing {
  /** `retry.backoff.ms`; it doubles with every attempt. */
  readonly retryBackoff: number
  /** `retry.backoff.max.ms`. */
  readonly retryBackoffMax: number
  /** `request.timeout.ms`, of clients and between brokers. */
  readonly requestTimeout: number
  /** `delivery.timeout.ms`. */
  readonly deliveryTimeout: number
}

export interface Traffic {
  /** How many messages will still arrive. */
  readonly pending: () => number
}

export interface Options {
  readonly conductor: Conductor
  readonly nodes: Nodes
  readonly delays: Delays
  readonly timing: Timing
  /** How many sources of chance there are: clients, then transactional ids. */
  readonly clients: number
  readonly transactionalIds: number
}

/** What is planned for a message in the stage that it has reached. */
interface Plan {
  readonly stage: string
  readonly copy: number
  /** When it goes on; infinite for what waits for somebody else, or is lost. */
  readonly due: number
}

/** One kind of messages. */
interface Kind<Sent> {
  readonly exchanges: Exchanges<Sent>
  /** The content, which is the same object however often it is sent. */
  readonly contentOf: (sent: Sent) => object
  /** The source of chance of its sender. */
  readonly senderOf: (sent: Sent) => number
  /** Between which nodes it is on the way, its sender first. */
  readonly nodesOf: (sent: Sent) => readonly [sender: Node, receiver: Node]
  /** What it goes on with, where that is up to the traffic. */
  readonly next: (sent: Sent) => Action | undefined
  /** What happens when its sender has waited too long. */
  readonly timeOut: (sent: Sent) => Action
  /** What happens when the sender gives its content up, if it ever does. */
  readonly expire?: (sent: Sent) => Action
}

/** Starts the traffic; it ends with the scope. */
export const make = Effect.fnUntraced(function*(
  { clients, conductor, delays, nodes, timing, transactionalIds }: Options
): Effect.fn.Return<Traffic, never, Scope.Scope> {
  const { act, hosts } = conductor
  const { network } = hosts
  const scope = yield* Effect.scope
  const clock = yield* Clock.Clock
  const streams = yield* randomStreams(clients + transactionalIds)
  const pendings: Array<() => number> = []

  const after = (
    delay: number,
    wait: Effect.Effect<void>,
    choose: () => Action | undefined
  ): Effect.Effect<void> =>
    delay === Number.POSITIVE_INFINITY
      ? Effect.void
      : Effect.sleep(Math.max(0, delay)).pipe(
        Effect.andThen(wait),
        Effect.andThen(act(choose)),
        Effect.forkIn(scope),
        Effect.asVoid
      )

  /** Waits until all of these nodes can be reached. */
  const reaching = Effect.fnUntraced(function*(among: () => ReadonlyArray<Node>) {
    for (;;) {
      const delay = nodes.isolatedUntil(among()) - clock.currentTimeMillisUnsafe()
      if (delay <= 0) return
      yield* Effect.sleep(delay)
    }
  })

  const watch = <Sent extends { readonly copy: number; readonly stage: string }>(
    { contentOf, exchanges, expire, next, nodesOf, senderOf, timeOut }: Kind<Sent>
  ): Effect.Effect<void> => {
    const plans = new Map<number, Plan>()
    const attempts = new WeakMap<object, number>()

    pendings.push(() => {
      let count = 0
      for (const { due } of plans.values()) if (due !== Number.POSITIVE_INFINITY) count++
      return count
    })

    /** How long a message that was just sent is on its way. */
    const travel = (sent: Sent, random: () => number): number => {
      const earlier = attempts.get(contentOf(sent)) ?? 0
      attempts.set(contentOf(sent), earlier + 1)
      const backoff = earlier === 0 ? 0 : Math.min(timing.retryBackoffMax, timing.retryBackoff * 2 ** (earlier - 1))
      const range: Range = random() < delays.slowness ? [delays.message[0], delays.slow] : delays.message
      return backoff + nodes.slowness(nodesOf(sent)) * draw(random, range)
    }

    /**
     * When a message goes on whose sender has stopped waiting. Often it has because the message is slow, on its way as much
     * as where it is worked on: a batch that was verified may be appended in the middle of a later transaction.
     */
    const abandoned = ({ due, stage }: Plan, now: number, random: () => number): number => {
      if (due === Number.POSITIVE_INFINITY) return due
      if (stage === "sent" && random() < delays.loss) return Number.POSITIVE_INFINITY
      return random() < delays.lateness ? Math.max(due, now + draw(random, [0, delays.late])) : due
    }

    const plan = Effect.fnUntraced(function*(correlation: number, sent: Sent, known: Plan | undefined) {
      const { copy, stage } = sent
      const now = clock.currentTimeMillisUnsafe()
      const random = streams[senderOf(sent)]!
      let due = Number.POSITIVE_INFINITY
      if (known?.stage === stage) due = abandoned(known, now, random)
      else if (next(sent) !== undefined) {
        due = now
          + (stage === "sent" ? travel(sent, random) : nodes.slowness(nodesOf(sent)) * draw(random, delays.step))
      }
      const made: Plan = { stage, copy, due }
      plans.set(correlation, made)
      const among = (): ReadonlyArray<Node> =>
        plans.get(correlation) === made ? nodesOf(exchanges.get(correlation)!) : []
      yield* after(due - now, reaching(among), () => {
        if (plans.get(correlation) !== made) return undefined
        return next(exchanges.get(correlation)!)
      })
      if (known !== undefined) return
      const [sender] = nodesOf(sent)
      yield* after(nodes.elapsing(sender, timing.requestTimeout), Effect.void, () => {
        const waiting = exchanges.get(correlation)
        return waiting?.copy === live ? timeOut(waiting) : undefined
      })
      const content = contentOf(sent)
      if (expire === undefined || attempts.get(content) !== 1) return
      yield* after(nodes.elapsing(sender, timing.deliveryTimeout), Effect.void, () => {
        for (const other of exchanges.all()) {
          if (other.copy === live && contentOf(other) === content) return expire(other)
        }
        return undefined
      })
    })

    return Effect.gen(function*() {
      for (const correlation of plans.keys()) {
        if (exchanges.get(correlation) === undefined) plans.delete(correlation)
      }
      for (const [correlation, sent] of exchanges.entries()) {
        const known = plans.get(correlation)
        if (known?.stage !== sent.stage || known.copy !== sent.copy) yield* plan(correlation, sent, known)
      }
    })
  }

  conductor.afterwards(watch({
    exchanges: network.requests,
    contentOf: ({ request }) => request,
    senderOf: ({ client }) => client - 1,
    nodesOf: ({ broker, client }) => [`client ${client}`, `broker ${broker}`],
    next: ({ client, copy, request, stage }) =>
      stage === "sent" ? { _tag: `Handle${request.kind}`, client, copy } : undefined,
    timeOut: ({ client }) => ({ _tag: "DisconnectCoordinator", client })
  }))
  conductor.afterwards(watch({
    exchanges: network.produces,
    contentOf: ({ produce }) => produce,
    senderOf: ({ client }) => client - 1,
    nodesOf: ({ broker, client }) => [`client ${client}`, `broker ${broker}`],
    next: ({ client, copy, produce: { partition }, stage }) => {
      switch (stage) {
        case "sent":
          return { _tag: "HandleProduce", client, partition, copy }
        case "verifying":
          return { _tag: "HandleVerification", client, partition, copy }
        case "verified":
          return { _tag: "AppendVerified", client, partition, copy }
        default:
          return undefined
      }
    },
    timeOut: ({ client, produce: { partition } }) => ({ _tag: "DisconnectLeader", client, partition }),
    expire: ({ client, produce: { partition } }) => ({ _tag: "ExpireBatch", client, partition })
  }))
  conductor.afterwards(watch({
    exchanges: network.markers,
    contentOf: ({ marker }) => marker,
    senderOf: ({ id }) => clients + id - 1,
    nodesOf: ({ broker, id }) => [`broker ${hosts.coordinator(id).broker}`, `broker ${broker}`],
    next: ({ copy, id, marker: { partition }, stage }) =>
      stage === "sent" ? { _tag: "HandleMarker", id, partition, copy } : undefined,
    timeOut: ({ id, marker: { partition } }) => ({ _tag: "DisconnectMarker", id, partition })
  }))

  return { pending: () => pendings.reduce((sum, count) => sum + count(), 0) }
})
