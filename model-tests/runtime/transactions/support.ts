/**
 * Runs of the transactional cluster in a simulation, for tests of what they are made of.
 */
import { Effect, Exit } from "effect"
import type { Transaction } from "../../../src/core/index.ts"
import { Limits, Rules, TransactionRules } from "../../../src/core/index.ts"
import { Simulation, Transactions } from "../../../src/runtime/index.ts"

type Options = Transactions.Cluster.Options

export const context = (version: Transaction.Version): Transaction.Context => ({
  transactionVersion: version,
  verification: true,
  rules: TransactionRules.base,
  replica: { rules: Rules.base, limits: Limits.kafka }
})

export const client: Transactions.Cluster.ClientOptions = {
  transactionalId: 1,
  version: 2,
  transactions: [],
  think: [0, 10],
  start: 0,
  restarts: 3
}

/** One client, two topic partitions, and nothing that goes wrong by itself. */
export const calm: Options = {
  context: context(2),
  clients: [client],
  transactionalIds: 1,
  partitions: ["A", "B"],
  replicationLag: true,
  delays: { message: [1, 10], slowness: 0, slow: 0, step: [0, 5], late: 100, lateness: 0.5, loss: 0.3 },
  timing: {
    retryBackoff: 20,
    retryBackoffMax: 200,
    requestTimeout: Infinity,
    deliveryTimeout: Infinity,
    append: [1, 10],
    completion: [0, 5],
    fetch: [1, 20],
    transactionTimeout: 2_000,
    appendFailures: 0
  },
  faultBudget: 0
}

export interface Happening {
  readonly at: number
  readonly fault: Transactions.Cluster.Fault
}

export interface Run {
  readonly taken: ReadonlyArray<Transactions.Events.ActionTaken>
  readonly seen: ReadonlyArray<Transactions.Events.Observation>
  readonly snapshot: Transactions.Hosts.Snapshot
}

/** The longest that a run may need to come to rest, in virtual milliseconds. */
const patience = 60_000

/** Runs a cluster until it rests, and lets two consumers read everything. */
export const run = (seed: number, options: Options, faults: ReadonlyArray<Happening> = []): Run => {
  const taken: Array<Transactions.Events.ActionTaken> = []
  const seen: Array<Transactions.Events.Observation> = []
  const listener: Transactions.Events.Listener = {
    taken: (action) => taken.push(action),
    observed: (observation) => seen.push(observation)
  }
  const program = Effect.gen(function*() {
    const cluster = yield* Transactions.Cluster.make({ ...options, listener })
    const committed = cluster.consumer(1, "read_committed")
    const uncommitted = cluster.consumer(2, "read_uncommitted")
    yield* Effect.forkScoped(Transactions.Consumer.polling(committed, [20, 100]))
    let now = 0
    for (const { at, fault } of faults.toSorted((a, b) => a.at - b.at)) {
      yield* Effect.sleep(at - now)
      now = at
      yield* Effect.forkScoped(cluster.fault(fault))
    }
    for (let waited = 0; !cluster.isAtRest(); waited += 50) {
      if (waited > patience) return yield* Effect.die(new Error(`seed ${seed} does not come to rest`))
      yield* Effect.sleep(50)
    }
    for (const consumer of [uncommitted, committed]) {
      yield* consumer.poll
      yield* consumer.end
    }
    yield* cluster.endGroup
    return yield* cluster.snapshot
  })
  const exit = Simulation.run(Effect.scoped(program), { seed })
  const snapshot = Exit.isSuccess(exit) ? exit.value : Effect.runSync(exit)
  return { taken, seen, snapshot }
}

/** What of the run has this tag. */
export const having = <Tag extends Transactions.Events.Observation["_tag"]>({ seen }: Run, tag: Tag) =>
  seen.filter((event): event is Extract<Transactions.Events.Observation, { readonly _tag: Tag }> => event._tag === tag)

const tags = [
  "DisconnectCoordinator",
  "CrashClient",
  "DisconnectLeader",
  "ExpireBatch",
  "DisconnectMarker",
  "AppendFail",
  "AppendUnknown",
  "CoordinatorFailover",
  "TransactionTimeout",
  "ExpireTransactionalId",
  "LeaderChange",
  "CrashBroker"
] as const

/** A cluster under which many things are different from seed to seed, and what happens to it. */
export const stormy = (
  seed: number
): { readonly options: Options; readonly faults: ReadonlyArray<Happening> } => {
  const next = Simulation.randomNumbers(seed * 7919 + 1)
  const pick = <A>(choices: ReadonlyArray<A>): A => choices[Math.floor(next() * choices.length)]!
  const whole = (least: number, most: number): number => least + Math.floor(next() * (most - least + 1))
  const version = pick([1, 2] as const)
  const clients = whole(1, 3)
  const transactionalIds = whole(1, Math.min(2, clients))
  const topics = pick([["A"], ["A", "B"], ["A", "B", "C"]])
  const partitions = next() < 0.4 ? [...topics, "__consumer_offsets"] : topics
  const limits = { ...Limits.kafka, maxEpoch: pick([32_767, 4]) }
  const transactions = whole(2, 4)
  const outside = next() < 0.2 ? { OffsetsInTransaction: () => false } : {}
  const options: Options = {
    context: {
      ...context(version),
      verification: next() < 0.9,
      rules: { ...TransactionRules.base, ...outside },
      replica: { rules: Rules.base, limits }
    },
    clients: Array.from({ length: clients }, (_, i) => ({
      ...client,
      transactionalId: i % transactionalIds + 1,
      version: next() < 0.2 ? 1 : version,
      start: whole(0, 100),
      transactions: Array.from({ length: transactions }, () => ({
        partitions: topics.filter((_topic, place) => place === 0 || next() < 0.6),
        end: next() < 0.8 ? "commit" : "abort"
      }))
    })),
    transactionalIds,
    partitions,
    replicationLag: next() < 0.7,
    delays: {
      ...calm.delays,
      message: [1, pick([10, 40])],
      slowness: pick([0, 0.1]),
      slow: 400,
      late: pick([50, 400])
    },
    timing: {
      ...calm.timing,
      requestTimeout: pick([60, 200, Infinity]),
      deliveryTimeout: pick([200, 1_000, Infinity]),
      fetch: [1, pick([10, 50])],
      transactionTimeout: pick([100, 400, 2_000]),
      appendFailures: pick([0, 0.1])
    },
    faultBudget: 40
  }
  const faults = Array.from({ length: pick([0, 4, 8]) }, (): Happening => {
    const target = { client: whole(1, clients), id: whole(1, transactionalIds), partition: pick(partitions) }
    return { at: whole(0, 500), fault: { _tag: pick(tags), ...target, broker: pick([1, 2] as const) } }
  })
  return { options, faults }
}
