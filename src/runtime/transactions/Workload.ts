/**
 * What the instances of the application want: one planned transaction after the other, each begun, written, and ended, with
 * a pause before every call.
 *
 * It decides what an application decides and nothing else: after an error that a transaction does not survive it aborts,
 * after a fatal one it starts again, as often as it is willing to. A member of the group whose generation is over starts
 * again too.
 */
import { Effect, Queue, type Scope } from "effect"
import { Sequence, Transaction, TransactionalPartition, type TransactionalProducer } from "../../core/index.ts"
import { draw, randomStreams, type Range } from "../RandomStreams.ts"
import type { Action } from "./Action.ts"
import * as Application from "./Application.ts"
import type { Conductor } from "./Conductor.ts"
import type { Setup } from "./Setup.ts"
import { clientNumbered, hasGroup } from "./Setup.ts"

const { groupPartition } = Transaction

/** One transaction. The group's offset goes with it without being named. */
export interface Plan {
  /** The topic partitions that get a record, in this order. */
  readonly partitions: ReadonlyArray<string>
  readonly end: "commit" | "abort"
}

export interface ClientPlans {
  /** By number of the transaction; one that failed is not tried again. */
  readonly transactions: ReadonlyArray<Plan>
  /** How long the application thinks before it calls. */
  readonly think: Range
  /** When it begins. */
  readonly start: number
  /** How often it starts again by itself. */
  readonly restarts: number
}

export interface Workload {
  /** The application wants nothing any more, or cannot go on. */
  readonly isDone: (client: number) => boolean
  /** The application ends for good, at once; `false` when that is a fault too many, and it goes on. */
  readonly stop: (client: number) => Effect.Effect<boolean>
}

export interface Options {
  readonly conductor: Conductor
  readonly setup: Setup
  readonly plans: ReadonlyArray<ClientPlans>
}

/** Starts the instances of the application; they end with the scope. */
export const make = Effect.fnUntraced(function*(
  { conductor, plans, setup }: Options
): Effect.fn.Return<Workload, never, Scope.Scope> {
  const { act, hosts, mayFail } = conductor
  const clients = plans.map((_, i) => i + 1)
  const streams = yield* randomStreams(clients.length)
  const wakes = yield* Effect.forEach(clients, () => Queue.sliding<void>(1))
  const restarts = plans.map((plan) => plan.restarts)
  const stopped = new Set<number>()

  const restart = (client: number): Action | undefined =>
    restarts[client - 1]! > 0 && mayFail("CrashClient") ? { _tag: "CrashClient", client } : undefined

  /** The next call that an open transaction wants, `undefined` while it has to wait. */
  const goOn = (client: number, { batches }: TransactionalProducer.Producer, plan: Plan): Action | undefined => {
    const { version } = clientNumbered(setup, client)
    const partitions = Application.sendsOffsets(setup) ? [...plan.partitions, groupPartition] : plan.partitions
    let isAdding = false
    for (const partition of partitions) {
      const batch = batches.get(partition)
      if (batch === "added" || (batch === undefined && version === 2)) return { _tag: "SendProduce", client, partition }
      // One at a time.
      if (batch === undefined && !isAdding) return { _tag: "AddPartitionsToTxn", client, partition }
      isAdding ||= batch === undefined || batch === "adding"
    }
    if (isAdding) return undefined
    return { _tag: plan.end === "commit" ? "Commit" : "Abort", client }
  }

  /** What a member does between transactions: it has to be one, and to commit where it is before it goes on. */
  const asMember = (client: number, producer: TransactionalProducer.Producer): Action | "wait" | "ready" => {
    const { generation, position } = producer
    if (generation === Sequence.none) return { _tag: "JoinGroup", client }
    if (!Application.mayCommitOffset(setup, producer, hosts.group.generation())) return "ready"
    const partition = hosts.partition(groupPartition)
    if (position <= TransactionalPartition.committedOffset(partition)) return "ready"
    const isOnTheWay = partition.log.slice(partition.highWatermark).some((entry) =>
      !entry.isTransactional && entry.input + 1 === position
    )
    return isOnTheWay ? "wait" : { _tag: "CommitOffset", client }
  }

  const betweenTransactions = (client: number, producer: TransactionalProducer.Producer): Action | undefined => {
    const plan = plans[client - 1]!.transactions[producer.number]
    if (!hasGroup(setup)) return plan && goOn(client, producer, plan)
    if (plan === undefined && producer.generation === Sequence.none) return undefined
    const call = asMember(client, producer)
    if (call !== "ready") return call === "wait" ? undefined : call
    if (plan === undefined) return undefined
    return producer.generation === hosts.group.generation() ? goOn(client, producer, plan) : restart(client)
  }

  const next = (client: number): Action | undefined => {
    if (stopped.has(client)) return undefined
    const { producer } = hosts.client(client)
    const { transactions } = plans[client - 1]!
    switch (producer.state) {
      case "UNINITIALIZED":
        return producer.number < transactions.length ? { _tag: "InitTransactions", client } : undefined
      case "READY":
        return betweenTransactions(client, producer)
      case "IN_TRANSACTION":
        return goOn(client, producer, transactions[producer.number - 1]!)
      case "ABORTABLE_ERROR":
        return { _tag: "Abort", client }
      case "FATAL_ERROR":
        return restart(client)
      default:
        return undefined
    }
  }

  const live = Effect.fnUntraced(function*(client: number) {
    const { start, think } = plans[client - 1]!
    const random = streams[client - 1]!
    yield* Effect.sleep(start)
    while (true) {
      for (let goesOn = true; goesOn;) {
        yield* Effect.sleep(draw(random, think))
        let chosen: Action | undefined
        goesOn = yield* act(() => chosen = next(client))
        if (goesOn && chosen?._tag === "CrashClient") restarts[client - 1]!--
      }
      yield* Queue.take(wakes[client - 1]!)
    }
  })

  // Who waits is woken when its producer changes, or the group's offset for which it could not join.
  const seen = clients.map((client) => hosts.client(client).producer)
  let offsets = hasGroup(setup) ? hosts.partition(groupPartition) : undefined
  conductor.afterwards(Effect.sync(() => {
    const before = offsets
    if (before !== undefined) offsets = hosts.partition(groupPartition)
    for (const client of clients) {
      const { producer } = hosts.client(client)
      const mayJoin = offsets !== before && producer.state === "READY"
      if (producer === seen[client - 1] && !mayJoin) continue
      seen[client - 1] = producer
      Queue.offerUnsafe(wakes[client - 1]!, undefined)
    }
  }))

  for (const client of clients) yield* Effect.forkScoped(live(client))

  return {
    isDone: (client) => {
      if (stopped.has(client)) return true
      const { state } = hosts.client(client).producer
      return (state === "UNINITIALIZED" || state === "READY" || state === "FATAL_ERROR") && next(client) === undefined
    },
    stop: Effect.fnUntraced(function*(client) {
      const { state } = hosts.client(client).producer
      const isGone = state === "UNINITIALIZED" || (yield* act(() => ({ _tag: "CrashClient", client })))
      if (isGone) stopped.add(client)
      return isGone
    })
  }
})
