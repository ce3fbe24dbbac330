/**
 * What keeps a run of the cluster in one line: one action at a time, each with everything that follows from it, and the
 * budget of faults that the run may use up.
 *
 * An action is chosen when its turn has come, so that it is about what there is then. Afterwards the listener hears of it,
 * then of what it let clients see, and whoever keeps the time looks at what is new.
 */
import { Effect, type Scope, Semaphore } from "effect"
import type { Action, Tag } from "./Action.ts"
import * as Actions from "./Action.ts"
import type { Listener, Observation } from "./Events.ts"
import * as Hosts from "./Hosts.ts"
import { clientNumbered } from "./Setup.ts"

/** How many faults are kept for transactions that nobody else would end, for each transactional id. */
const keptPerId = 2

/** The actions that are faults. `TransactionTimeout` is one only while somebody works on the transaction. */
export const faultKinds = [
  "DisconnectCoordinator",
  "DisconnectLeader",
  "DisconnectMarker",
  "ExpireBatch",
  "TransactionTimeout",
  "CrashClient",
  "AppendFail",
  "AppendUnknown",
  "CoordinatorFailover",
  "LeaderChange",
  "ExpireTransactionalId"
] as const satisfies ReadonlyArray<Tag>

export type FaultKind = typeof faultKinds[number]

/** An action, or nothing where what it would be about is gone. */
export type Choice = () => Action | undefined

export interface Conductor {
  readonly hosts: Hosts.Hosts
  /** Takes the action that is chosen then; `false` when there is none, it is not possible, or it is a fault too many. */
  readonly act: (choose: Choice) => Effect.Effect<boolean>
  /** Does this while there is no action under way. */
  readonly between: <A>(effect: Effect.Effect<A>) => Effect.Effect<A>
  /** Somebody works on the transaction that the coordinator of this id has open. */
  readonly hasOwner: (id: number) => boolean
  /** Whether there is a fault of this kind left to take. */
  readonly mayFail: (kind: FaultKind) => boolean
  /** Adds what runs after every action and before the next. */
  readonly afterwards: (watch: Effect.Effect<void>) => void
}

export interface Options extends Omit<Hosts.Options, "observed"> {
  /** How many faults the run may have. A few of many are left for `TransactionTimeout` alone. */
  readonly faultBudget: number
  /** Which kinds of fault; all, unless it is given. */
  readonly faultKinds?: ReadonlySet<FaultKind>
  readonly listener?: Partial<Listener>
}

/** Starts all hosts; they end with the scope. */
export const make = Effect.fnUntraced(function*(
  { faultBudget, faultKinds: kinds = new Set(faultKinds), listener, ...options }: Options
): Effect.fn.Return<Conductor, never, Scope.Scope> {
  const seen: Array<Observation> = []
  const hosts = yield* Hosts.make({ ...options, observed: (observation) => seen.push(observation) })
  const permit = yield* Semaphore.make(1)
  const watches: Array<Effect.Effect<void>> = []
  let faults = faultBudget

  const hasOwner = (id: number): boolean => {
    const { epoch, producerId } = hosts.coordinator(id).metadata
    return options.clients.some((_, i) => {
      const { producer } = hosts.client(i + 1)
      return clientNumbered(options, i + 1).transactionalId === id && producer.state !== "UNINITIALIZED"
        && producer.state !== "FATAL_ERROR" && producer.producerId === producerId && producer.epoch === epoch
    })
  }

  const faultOf = (action: Action): FaultKind | undefined => {
    if (action._tag === "TransactionTimeout" && !hasOwner(action.id)) return undefined
    return faultKinds.find((kind) => kind === action._tag)
  }

  // A late request can open a transaction of which its owner does not know, and only a timeout ends that.
  const kept = Math.min(keptPerId * options.transactionalIds, Math.floor(faultBudget / 4))

  const mayFail = (kind: FaultKind): boolean => kinds.has(kind) && faults > (kind === "TransactionTimeout" ? 0 : kept)

  const take = Effect.fnUntraced(function*(choose: Choice) {
    const action = choose()
    if (action === undefined) return false
    const kind = faultOf(action)
    if (kind !== undefined && !mayFail(kind)) return false
    if (!(yield* hosts.perform(action, faults))) return false
    listener?.taken?.({
      action: action._tag,
      arguments: Actions.argumentsOf(action),
      ...(kind === undefined ? {} : { fault: faults-- })
    })
    for (const observation of seen.splice(0)) listener?.observed?.(observation)
    for (const watch of watches) yield* watch
    return true
  })

  return {
    hosts,
    act: (choose) => permit.withPermit(take(choose)),
    between: (effect) => permit.withPermit(effect),
    hasOwner,
    mayFail,
    afterwards: (watch) => void watches.push(watch)
  }
})
