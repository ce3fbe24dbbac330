/**
 * A transactional cluster that lives by itself: instances of an application, their producers, coordinators with their log,
 * leaders and followers, a group, consumers; and the faults that can be made to happen to it.
 *
 * It is the controlled cluster with a will and a clock: whatever happens is an action of the specification, taken one at a
 * time, and the listener hears of each. With the clock, the scheduler and the random source of a simulation, a run is a
 * function of their seed and of when it is asked to do what.
 */
import { Context, Effect, Layer, type Scope } from "effect"
import type { Partition } from "../../core/index.ts"
import { draw, randomStreams, type Range } from "../RandomStreams.ts"
import type { Action } from "./Action.ts"
import * as Conductor from "./Conductor.ts"
import * as Consumer from "./Consumer.ts"
import type { Isolation, Listener, Observation } from "./Events.ts"
import type * as Hosts from "./Hosts.ts"
import * as Housekeeping from "./Housekeeping.ts"
import type { Clocks, Node, Outage } from "./Nodes.ts"
import * as Nodes from "./Nodes.ts"
import type { ClientSetup, Setup } from "./Setup.ts"
import { hasGroup } from "./Setup.ts"
import * as Strangers from "./Strangers.ts"
import * as Traffic from "./Traffic.ts"
import { TransactionLog } from "./TransactionLog.ts"
import * as Workload from "./Workload.ts"

/** An instance of the application and what it wants. */
export interface ClientOptions extends Omit<ClientSetup, "transactions">, Workload.ClientPlans {}

export interface Options extends Omit<Setup, "clients"> {
  readonly clients: ReadonlyArray<ClientOptions>
  readonly delays: Traffic.Delays
  readonly timing: Traffic.Timing & Housekeeping.Timing
  /** True, unless they are given. */
  readonly clocks?: Clocks
  readonly faultBudget: number
  /** All, unless it is given. */
  readonly faultKinds?: ReadonlySet<Conductor.FaultKind>
  /** In memory, unless it is given. The layer is built for every coordinator that takes over. */
  readonly log?: Layer.Layer<TransactionLog>
  readonly listener?: Partial<Listener>
}

/** What can be made to happen, under the names of the specification; a broker that crashes is several of these. */
export type Fault =
  | { readonly _tag: "DisconnectCoordinator" | "CrashClient"; readonly client: number }
  | { readonly _tag: "DisconnectLeader" | "ExpireBatch"; readonly client: number; readonly partition: string }
  | { readonly _tag: "DisconnectMarker"; readonly id: number; readonly partition: string }
  | { readonly _tag: "TransactionTimeout" | "ExpireTransactionalId"; readonly id: number }
  | { readonly _tag: "CoordinatorFailover"; readonly id: number }
  | { readonly _tag: Housekeeping.AppendFault; readonly id: number }
  | { readonly _tag: "LeaderChange"; readonly partition: string }
  /** Every role on the broker moves to the other one. */
  | { readonly _tag: "CrashBroker"; readonly broker: Partition.Broker }

/** The cluster. */
export class Cluster extends Context.Service<Cluster, {
  /**
   * Lets a fault happen now, or within a second when there is an occasion for it; whether it did. A fault too many, or of
   * a kind that is not allowed, does not happen.
   */
  readonly fault: (fault: Fault) => Effect.Effect<boolean>
  /** Something is wrong with a node for so many milliseconds. It takes no fault: everything is only later than otherwise. */
  readonly outage: (outage: Outage, node: Node, duration: number) => Effect.Effect<void>
  /** Somebody outside of the cluster asks for something; whether that is refused. What would be done is not asked. */
  readonly ask: (question: Strangers.Question) => Effect.Effect<boolean>
  /** An instance of the application ends for good, at once. */
  readonly stop: (client: number) => Effect.Effect<boolean>
  /** A consumer at the beginning of all topic partitions, which polls when it is told. The listener hears what it reads. */
  readonly consumer: (consumer: number, isolation: Isolation) => Consumer.Consumer
  /** Says what the group's offset is; at rest it is stable. */
  readonly endGroup: Effect.Effect<void>
  /** No instance wants anything, nothing is on the way, no transaction is open, and followers have what leaders have. */
  readonly isAtRest: () => boolean
  /** The state of all roles between two actions. */
  readonly snapshot: Effect.Effect<Hosts.Snapshot>
}>()("keos/runtime/TransactionalCluster") {
  static readonly layer = (options: Options): Layer.Layer<Cluster> => Layer.effect(this, make(options))
}

/** What a cluster is made of, without what it wants. */
export const setupOf = ({ clients, context, partitions, replicationLag, transactionalIds }: Options): Setup => ({
  context,
  clients: clients.map(({ transactionalId, transactions, version }) => ({
    transactionalId,
    version,
    transactions: transactions.length
  })),
  transactionalIds,
  partitions,
  replicationLag
})

/** How long a fault waits for its occasion, and how often it looks. */
const occasions = 100
const between: Range = [1, 19]

/** Starts a cluster; it ends with the scope. */
export const make = Effect.fnUntraced(function*(
  options: Options
): Effect.fn.Return<Cluster["Service"], never, Scope.Scope> {
  const { clients, clocks, delays, faultBudget, faultKinds, listener, log, partitions, timing, transactionalIds } =
    options
  const setup = setupOf(options)
  const conductor = yield* Conductor.make({
    ...setup,
    faultBudget,
    log: log ?? TransactionLog.layerMemory(new Map()),
    ...(faultKinds === undefined ? {} : { faultKinds }),
    ...(listener === undefined ? {} : { listener })
  })
  const { act, hosts } = conductor
  const [random] = yield* randomStreams(1)
  const nodes = yield* Nodes.make(clocks)
  const traffic = yield* Traffic.make({ conductor, nodes, delays, timing, clients: clients.length, transactionalIds })
  const housekeeping = yield* Housekeeping.make({ conductor, nodes, setup, timing })
  const workload = yield* Workload.make({ conductor, setup, plans: clients })
  const observed = (observation: Observation): void => listener?.observed?.(observation)

  /** An append under way when its coordinator dies has reached the log, or has not. */
  const failover = (id: number) =>
    act(() => ({
      _tag: "CoordinatorFailover",
      id,
      isWritten: hosts.coordinator(id).appending !== undefined && random!() < 0.5
    }))

  const awaiting = Effect.fnUntraced(function*(action: Action) {
    for (let tries = 0; tries < occasions; tries++) {
      if (yield* act(() => action)) return true
      yield* Effect.sleep(draw(random!, between))
    }
    return false
  })

  const crashBroker = Effect.fnUntraced(function*(broker: Partition.Broker) {
    let moved = false
    for (let id = 1; id <= transactionalIds; id++) {
      if (hosts.coordinator(id).broker === broker) moved = (yield* failover(id)) || moved
    }
    for (const partition of partitions) {
      if (hosts.partition(partition).leader !== broker) continue
      moved = (yield* act(() => ({ _tag: "LeaderChange", partition }))) || moved
    }
    return moved
  })

  const fault = (fault: Fault): Effect.Effect<boolean> => {
    switch (fault._tag) {
      case "AppendFail":
      case "AppendUnknown":
        return Effect.sync(() => {
          housekeeping.failNextAppend(fault.id, fault._tag)
          return conductor.mayFail(fault._tag)
        })
      case "CoordinatorFailover":
        return failover(fault.id)
      case "CrashBroker":
        return crashBroker(fault.broker)
      default:
        return awaiting(fault)
    }
  }

  return Cluster.of({
    fault,
    outage: nodes.begin,
    ask: (question) => act(() => Strangers.refusalOf(setup.context, hosts, question)),
    stop: workload.stop,
    consumer: (consumer, isolation) => Consumer.make({ conductor, setup, consumer, isolation, observed }),
    endGroup: conductor.between(Effect.sync(() => {
      const position = hasGroup(setup) ? hosts.group.joining()?.position : undefined
      if (position !== undefined) observed({ _tag: "GroupEnd", offset: position })
    })),
    isAtRest: () => traffic.pending() === 0 && housekeeping.isIdle() && clients.every((_, i) => workload.isDone(i + 1)),
    snapshot: conductor.between(hosts.snapshot)
  })
})
