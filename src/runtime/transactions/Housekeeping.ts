/**
 * What brokers do by themselves: the log's answer to an append, the completion of a transaction whose markers are written,
 * the abort of one that takes too long, and the follower's fetch.
 */
import { Effect, type Scope } from "effect"
import { draw, randomStreams, type Range } from "../RandomStreams.ts"
import type { Action } from "./Action.ts"
import type { Conductor } from "./Conductor.ts"
import type { Nodes } from "./Nodes.ts"
import type { Setup } from "./Setup.ts"

export interface Timing {
  /** How long the log takes for an append. */
  readonly append: Range
  /** How long the coordinator takes from the last acknowledgement to the completion. */
  readonly completion: Range
  /** How long the follower takes for a fetch. */
  readonly fetch: Range
  /** `transaction.timeout.ms`. */
  readonly transactionTimeout: number
  /** How likely an append fails, with or without the record being written. */
  readonly appendFailures: number
}

/** The ends of an append that are faults. */
export type AppendFault = "AppendFail" | "AppendUnknown"

export interface Housekeeping {
  /** Whether brokers have nothing to do. */
  readonly isIdle: () => boolean
  /** The next append of the transactional id ends like this. */
  readonly failNextAppend: (id: number, fault: AppendFault) => void
}

export interface Options {
  readonly conductor: Conductor
  readonly nodes: Nodes
  readonly setup: Setup
  readonly timing: Timing
}

/** Starts the brokers' own work; it ends with the scope. */
export const make = Effect.fnUntraced(function*(
  { conductor, nodes, setup, timing }: Options
): Effect.fn.Return<Housekeeping, never, Scope.Scope> {
  const { act, hosts, mayFail } = conductor
  const scope = yield* Effect.scope
  const ids = Array.from({ length: setup.transactionalIds }, (_, i) => i + 1)
  const coordinatorStreams = yield* randomStreams(ids.length)
  const partitionStreams = yield* randomStreams(setup.partitions.length)
  const faults = ids.map((): Array<AppendFault> => [])
  // What a timer is set for, by transactional id or partition, so that none is set twice.
  const appends = new Map<number, object | undefined>()
  const completions = new Map<number, object | undefined>()
  const transactions = new Map<number, string | undefined>()
  const fetching = new Set<string>()

  const later = (delay: number, effect: Effect.Effect<unknown>): Effect.Effect<void> =>
    Effect.asVoid(Effect.forkIn(Effect.andThen(Effect.sleep(delay), effect), scope))

  /** How the append ends. A fault of which there is none left is none. */
  const endOf = (id: number, random: () => number): AppendFault | "AppendOk" => {
    const fault = faults[id - 1]!.shift()
      ?? (random() < timing.appendFailures ? random() < 0.5 ? "AppendFail" : "AppendUnknown" : undefined)
    return fault !== undefined && mayFail(fault) ? fault : "AppendOk"
  }

  const watchAppend = (id: number, random: () => number): Effect.Effect<void> => {
    const { appending } = hosts.coordinator(id)
    if (appends.get(id) === appending) return Effect.void
    appends.set(id, appending)
    if (appending === undefined) return Effect.void
    return later(
      draw(random, timing.append),
      act(() => hosts.coordinator(id).appending === appending ? { _tag: endOf(id, random), id } : undefined)
    )
  }

  const watchCompletion = (id: number, random: () => number): Effect.Effect<void> => {
    const { appending, completing } = hosts.coordinator(id)
    if (appending !== undefined || completions.get(id) === completing) return Effect.void
    completions.set(id, completing)
    if (completing.length === 0) return Effect.void
    return later(
      draw(random, timing.completion),
      act(() => hosts.coordinator(id).completing === completing ? { _tag: "CompleteTransaction", id } : undefined)
    )
  }

  /** The transaction that is open, by a name that no other has. */
  const openTransaction = (id: number): string | undefined => {
    const { epoch, metadata: { epoch: producerEpoch, producerId, state, transaction } } = hosts.coordinator(id)
    return state === "Ongoing"
      ? [epoch, producerId, producerEpoch, transaction.client, transaction.number].join("/")
      : undefined
  }

  const timeOut = (id: number, open: string, patience: number): Effect.Effect<void> =>
    later(
      patience,
      Effect.gen(function*() {
        if (openTransaction(id) !== open) return
        yield* act(() => openTransaction(id) === open ? { _tag: "TransactionTimeout", id } : undefined)
        // Something was pending, it was a fault too many, or its append may fail: the coordinator looks again in a while.
        yield* timeOut(id, open, Math.max(1, timing.transactionTimeout / 4))
      })
    )

  const watchTransaction = (id: number): Effect.Effect<void> => {
    const open = openTransaction(id)
    if (transactions.get(id) === open || timing.transactionTimeout === Number.POSITIVE_INFINITY) return Effect.void
    transactions.set(id, open)
    return open === undefined
      ? Effect.void
      : timeOut(id, open, nodes.elapsing(`broker ${hosts.coordinator(id).broker}`, timing.transactionTimeout))
  }

  const isBehind = (partition: string): boolean => {
    const { highWatermark, log } = hosts.partition(partition)
    return highWatermark < log.length
  }

  const watchFollower = (partition: string, random: () => number): Effect.Effect<void> => {
    if (fetching.has(partition) || !isBehind(partition)) return Effect.void
    fetching.add(partition)
    const fetch: Action = { _tag: "Replicate", partition }
    return later(
      draw(random, timing.fetch),
      act(() => {
        fetching.delete(partition)
        return isBehind(partition) ? fetch : undefined
      })
    )
  }

  conductor.afterwards(Effect.gen(function*() {
    for (const id of ids) {
      const random = coordinatorStreams[id - 1]!
      yield* watchAppend(id, random)
      yield* watchCompletion(id, random)
      yield* watchTransaction(id)
    }
    for (let place = 0; place < setup.partitions.length; place++) {
      yield* watchFollower(setup.partitions[place]!, partitionStreams[place]!)
    }
  }))

  /** Where timeouts are ruled out, nobody ends a transaction whose owner does not know of it. */
  const willEnd = (id: number): boolean =>
    openTransaction(id) !== undefined && (mayFail("TransactionTimeout") || !conductor.hasOwner(id))

  const isIdle = (id: number): boolean => {
    const { appending, completing, outstanding, pending } = hosts.coordinator(id)
    return appending === undefined && completing.length === 0 && outstanding.length === 0 && pending === "None"
      && !willEnd(id)
  }

  return {
    isIdle: () => ids.every(isIdle) && !setup.partitions.some(isBehind),
    failNextAppend: (id, fault) => void faults[id - 1]!.push(fault)
  }
})
