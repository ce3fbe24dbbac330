/**
 * A scenario: which instances of an application want which transactions and when, and what goes wrong meanwhile; with the
 * seed of the cluster it is everything that a run depends on.
 *
 * Times are virtual milliseconds from the beginning of the run. The sizes are chosen so that calls, messages, appends and
 * faults of a few short transactions meet: an instance thinks for milliseconds, messages take tens, late ones and timeouts
 * hundreds.
 */
import * as fc from "fast-check"
import { Transaction } from "../../core/index.ts"
import type { Configuration, FaultKind } from "../../model/transactions/Configuration.ts"
import { faultKinds as allFaultKinds } from "../../model/transactions/Configuration.ts"
import type { Transactions } from "../../runtime/index.ts"

type Plan = Transactions.Workload.Plan
type Fault = Transactions.Cluster.Fault
type Node = Transactions.Nodes.Node
type Question = Transactions.Strangers.Question

/** Names of the topic partitions; a scenario has the first one, two or all. */
export const partitions = ["p0", "p1", "p2"] as const

/** How many faults a run may have, those that are kept for timeouts included. */
export const faultBudget = 40

/** Under which rules scenarios run, how large they are, and what may go wrong in them. */
export interface Setup {
  readonly context: Transaction.Context
  /** Whether the application consumes with a group. */
  readonly group: boolean
  /** Most instances of the application, and most transactional ids that they share. */
  readonly instances: number
  readonly transactionalIds: number
  /** Whether some instances speak version 1, whatever the cluster does. */
  readonly version1Clients: boolean
  readonly replicationLag: boolean
  readonly faultKinds: ReadonlySet<FaultKind>
  /** Coordinators sync what they have appended before they go by it, as they must. */
  readonly syncsLog: boolean
}

/** More than one of something is as many as make a difference. */
const several = (count: number, most: number): number => count > 1 ? most : 1

/** The setup of a configuration of the specification, at sizes of its own. */
export const setupOf = (configuration: Configuration): Setup => {
  const { clients, context, faultBudget, faultKinds, group, replicationLag, transactionalIds, version1Clients } =
    configuration
  return {
    context,
    group,
    instances: several(clients, 4),
    transactionalIds: several(transactionalIds, 3),
    version1Clients: version1Clients.size > 0,
    replicationLag,
    faultKinds: faultBudget === 0 ? new Set() : faultKinds,
    syncsLog: true
  }
}

/** A setup under these rules in which everything may happen that does. */
export const everything = (context: Transaction.Context, group: boolean): Setup => ({
  context,
  group,
  instances: 4,
  transactionalIds: 3,
  version1Clients: false,
  replicationLag: true,
  faultKinds: new Set(allFaultKinds),
  syncsLog: true
})

/** One instance of the application. */
export interface Instance {
  readonly version: Transaction.Version
  /** When it begins. */
  readonly start: number
  /** The longest that it thinks before a call. */
  readonly think: number
  readonly transactions: ReadonlyArray<Plan>
  /** How often it starts again after an error that it cannot go on from. */
  readonly restarts: number
}

/** A fault that is brought about. */
export interface Happening {
  readonly at: number
  readonly fault: Fault
}

/** Something is wrong with a node for a while, and nothing is lost by it. */
export interface Outage {
  readonly at: number
  readonly kind: Transactions.Nodes.Outage
  readonly node: Node
  /** In milliseconds. */
  readonly duration: number
}

/** Somebody outside of the cluster asks for what may be refused. */
export interface Asking {
  readonly at: number
  readonly question: Question
}

/** A clock that is not true: 2 is twice as fast. */
export interface Clock {
  readonly node: Node
  readonly rate: number
}

/** What a scenario is made of. */
export interface Parts {
  /** Of the delays, of what is lost, and of the order in which ready fibers continue. */
  readonly seed: number
  readonly topics: number
  /** How many ids there are; instances have them in turn. */
  readonly transactionalIds: number
  readonly instances: ReadonlyArray<Instance>
  /** What may go wrong, by itself or as one of `faults`. */
  readonly faultKinds: ReadonlyArray<FaultKind>
  /** In the order of time. */
  readonly faults: ReadonlyArray<Happening>
  /** In the order of time. */
  readonly outages: ReadonlyArray<Outage>
  /** In the order of time. */
  readonly askings: ReadonlyArray<Asking>
  readonly clocks: ReadonlyArray<Clock>
  /** An instance that ends for good, with whatever it has not heard of yet. */
  readonly stop: { readonly at: number; readonly client: number } | undefined
  /** Longest time that a message takes; some take ten times as long if `slowness` is above 0. */
  readonly slowestMessage: number
  /** How likely a message is slow. */
  readonly slowness: number
  /** How late a message may be whose sender has stopped waiting. */
  readonly late: number
  /** Longest time in which a follower fetches. */
  readonly slowestFetch: number
  /** `request.timeout.ms`. */
  readonly requestTimeout: number
  /** `delivery.timeout.ms`. */
  readonly deliveryTimeout: number
  /** `transaction.timeout.ms`. */
  readonly transactionTimeout: number
  /** How likely an append to the transaction log fails. */
  readonly appendFailures: number
  /** Longest time between two polls of a consumer. */
  readonly slowestPoll: number
  /** Longest time between two steps of a role: from the question about a batch to its answer, and on to its append. */
  readonly slowestStep: number
}

/** Parts with a text. */
export class Scenario {
  readonly parts: Parts

  constructor(parts: Parts) {
    this.parts = parts
  }

  /** The scenario in words: its conditions, what may go wrong, one line per instance, one line per fault. */
  toString(): string {
    const { askings, clocks, faultKinds, faults, instances, outages, stop } = this.parts
    const events = [
      ...faults.map(({ at, fault }) => ({ at, text: textOf(fault) })),
      ...outages.map(({ at, duration, kind, node }) => ({ at, text: `${kind}(${node}) for ${duration} ms` })),
      ...askings.map(({ at, question }) => ({ at, text: `a stranger: ${textOf(question)}` })),
      ...(stop === undefined ? [] : [{ at: stop.at, text: `client ${stop.client} ends` }])
    ].toSorted((a, b) => a.at - b.at)
    return [
      this.#conditions(),
      `what may go wrong: ${faultKinds.length === 0 ? "nothing" : faultKinds.join(", ")}`,
      ...clocks.map(({ node, rate }) => `the clock of ${node} goes ${rate} times as fast`),
      ...instances.map((instance, i) => this.#describe(instance, i + 1)),
      ...events.map(({ at, text }) => `${time(at)}  ${text}`)
    ].join("\n")
  }

  #describe({ restarts, start, think, transactions, version }: Instance, client: number): string {
    const plans = transactions.map(({ end, partitions }) => `${partitions.join(" ")} ${end}`).join("; ")
    return `${time(start)}  client ${client}, id ${idOf(this.parts, client)}, version ${version}: ${plans} `
      + `(thinks for up to ${think} ms, restarts ${restarts} times)`
  }

  #conditions(): string {
    const { appendFailures, deliveryTimeout, late, requestTimeout, seed, slowestFetch, slowestMessage } = this.parts
    const { slowestPoll, slowestStep, slowness, topics, transactionTimeout } = this.parts
    return `cluster seed ${seed}, ${topics} partition${topics === 1 ? "" : "s"}, messages within ${slowestMessage} ms, `
      + `slow ${slowness}, late by up to ${late} ms, fetches within ${slowestFetch} ms, request timeout `
      + `${requestTimeout} ms, delivery timeout ${deliveryTimeout} ms, transaction timeout ${transactionTimeout} ms, `
      + `failed appends ${appendFailures}, polls within ${slowestPoll} ms, steps within ${slowestStep} ms`
  }
}

const time = (at: number): string => `${String(at).padStart(5)} ms`

/** Such as `DisconnectLeader(1, p0)`. */
const textOf = ({ _tag, ...about }: Fault | Question): string => `${_tag}(${Object.values(about).join(", ")})`

/** The transactional id of a client. */
export const idOf = ({ transactionalIds }: Pick<Parts, "transactionalIds">, client: number): number =>
  (client - 1) % transactionalIds + 1

/** The names of the topic partitions of a scenario. */
export const topicsOf = ({ topics }: Pick<Parts, "topics">): ReadonlyArray<string> => partitions.slice(0, topics)

const never = 30_000

type Kind = FaultKind | "CrashBroker"

/** What a fault of some kind is about; numbers that a scenario turns into what it has. */
interface Target {
  readonly client: number
  readonly id: number
  readonly partition: number
  readonly broker: 1 | 2
}

/** A fault before it is known what the scenario has. */
interface Wish {
  readonly at: number
  /** Its place among the kinds that the scenario has, counted around. */
  readonly kind: number
  readonly target: Target
}

/** The fault of a kind on a target that the scenario has. */
const faultOf = (kind: Kind, target: Target, shape: Shape): Fault => {
  const client = target.client % shape.clients + 1
  const id = target.id % shape.transactionalIds + 1
  const partition = shape.partitions[target.partition % shape.partitions.length]!
  switch (kind) {
    case "DisconnectCoordinator":
    case "CrashClient":
      return { _tag: kind, client }
    case "DisconnectLeader":
    case "ExpireBatch":
      return { _tag: kind, client, partition }
    case "DisconnectMarker":
      return { _tag: kind, id, partition }
    case "LeaderChange":
      return { _tag: kind, partition }
    case "CrashBroker":
      return { _tag: kind, broker: target.broker }
    default:
      return { _tag: kind, id }
  }
}

/** The question, put to an id and a partition that the scenario has. */
const askedOf = (question: Question, topics: ReadonlyArray<string>, { transactionalIds }: Shape): Question => ({
  ...question,
  ...("id" in question ? { id: (question.id - 1) % transactionalIds + 1 } : {}),
  ...("partition" in question
    ? { partition: topics[partitions.findIndex((name) => name === question.partition) % topics.length]! }
    : {})
})

/** How many there are of what a fault can be about. */
interface Shape {
  readonly clients: number
  readonly transactionalIds: number
  readonly partitions: ReadonlyArray<string>
}

/** Times stay as they are when a scenario shrinks: moved, everything would meet differently. */
const moment = (most: number): fc.Arbitrary<number> => fc.noShrink(fc.nat(most))

const disconnects: ReadonlyArray<FaultKind> = ["DisconnectCoordinator", "DisconnectLeader", "DisconnectMarker"]
const failedAppends: ReadonlyArray<FaultKind> = ["AppendFail", "AppendUnknown"]
/** What happens to the roles of a broker that crashes. */
const moves: ReadonlyArray<FaultKind> = ["CoordinatorFailover", "LeaderChange"]

/** None in two of three scenarios. */
const sometimes = <A>(one: fc.Arbitrary<A>, most: number): fc.Arbitrary<ReadonlyArray<A>> =>
  fc.oneof(
    { withCrossShrink: true },
    { weight: 2, arbitrary: fc.constant<ReadonlyArray<A>>([]) },
    { weight: 1, arbitrary: fc.array(one, { maxLength: most, size: "max" }) }
  )

const anyPlan: fc.Arbitrary<{ readonly places: ReadonlyArray<number>; readonly end: Plan["end"] }> = fc.record({
  places: fc.uniqueArray(fc.nat(partitions.length - 1), { minLength: 1, maxLength: partitions.length }),
  end: fc.noShrink(fc.constantFrom("commit", "commit", "abort"))
})

const anyInstance = ({ context, version1Clients }: Setup, restarts: number) => {
  const versions: ReadonlyArray<Transaction.Version> = version1Clients
    ? [context.transactionVersion, 1]
    : [context.transactionVersion]
  return fc.record({
    version: fc.constantFrom(...versions),
    start: moment(400),
    think: fc.constantFrom(10, 50, 150),
    plans: fc.array(anyPlan, { minLength: 1, maxLength: 8, size: "max" }),
    restarts: fc.constantFrom(restarts, 0)
  })
}

/** An instance that wants nothing. */
const idle: Instance = { version: 2, start: 0, think: 10, transactions: [], restarts: 0 }

/** Parts of one or of several scenarios as one that makes sense. */
export const of = (setup: Setup, parts: Parts): Scenario => {
  const topics = topicsOf(parts)
  const wanted = parts.instances.length === 0 ? [idle] : parts.instances.slice(0, setup.instances)
  const instances = wanted.map((instance) => ({
    ...instance,
    version: setup.version1Clients ? instance.version : setup.context.transactionVersion,
    transactions: instance.transactions.map(({ end, partitions: named }) => ({
      end,
      partitions: named.filter((partition) => topics.includes(partition))
    })).filter((plan) => plan.partitions.length > 0)
  }))
  const clients = instances.length
  const transactionalIds = Math.min(parts.transactionalIds, clients)
  const all = setup.group ? [...topics, Transaction.groupPartition] : topics
  const has = (...some: ReadonlyArray<FaultKind>): boolean => some.some((kind) => parts.faultKinds.includes(kind))
  const isThere = (about: Fault | Question): boolean =>
    (!("client" in about) || about.client <= clients) && (!("id" in about) || about.id <= transactionalIds)
    && (!("partition" in about) || all.includes(about.partition))
  const nodes: ReadonlyArray<Node> = [
    "broker 1",
    "broker 2",
    ...instances.map((_, i): Node => `client ${i + 1}`)
  ]
  const byTime = <A extends { readonly at: number }>(list: ReadonlyArray<A>): ReadonlyArray<A> =>
    list.toSorted((a, b) => a.at - b.at)
  return new Scenario({
    ...parts,
    instances,
    transactionalIds,
    faults: byTime(parts.faults.filter(({ fault }) => isThere(fault))),
    outages: byTime(parts.outages.filter(({ node }) => nodes.includes(node))),
    askings: byTime(parts.askings.filter(({ question }) => isThere(question))),
    clocks: parts.clocks.filter(({ node }, i) =>
      nodes.includes(node) && parts.clocks.findIndex((clock) => clock.node === node) === i
    ),
    stop: parts.stop !== undefined && parts.stop.client <= clients && has("CrashClient") ? parts.stop : undefined,
    requestTimeout: has(...disconnects) ? parts.requestTimeout : never,
    deliveryTimeout: has("ExpireBatch") ? parts.deliveryTimeout : never,
    appendFailures: has(...failedAppends) ? parts.appendFailures : 0
  })
}

/** Identities that strangers try, around those that a run gives; what a coordinator never gave is among them. */
const producerIds = { min: 1, max: 4 } as const
const epochs = { min: 0, max: 4 } as const

const anyNode = (instances: number): fc.Arbitrary<Node> =>
  fc.oneof(
    fc.constantFrom<Node>("broker 1", "broker 2"),
    fc.integer({ min: 1, max: instances }).map((client): Node => `client ${client}`)
  )

const anyQuestion = ({ group, transactionalIds }: Setup): fc.Arbitrary<Question> => {
  const id = fc.integer({ min: 1, max: transactionalIds })
  const identity = { producerId: fc.integer(producerIds), epoch: fc.integer(epochs) }
  const partition = fc.constantFrom(...partitions)
  const version = fc.constantFrom<Transaction.Version>(1, 2)
  const tagged = <Tag extends Question["_tag"]>(_tag: Tag) => fc.constant(_tag)
  const ofCoordinator = { id, ...identity }
  const ofPartition = { partition, ...identity }
  return fc.oneof(
    fc.record({ _tag: tagged("RefuseInitProducerId"), ...ofCoordinator }),
    fc.record({ _tag: tagged("RefuseInitProducerId"), id, producerId: fc.constant(-1), epoch: fc.constant(-1) }),
    fc.record({ _tag: tagged("RefuseAddPartitionsToTxn"), ...ofCoordinator, partition }),
    fc.record({ _tag: tagged("RefuseVerification"), ...ofCoordinator, partition }),
    fc.record({
      _tag: tagged("RefuseEndTxn"),
      ...ofCoordinator,
      result: fc.constantFrom<Transaction.Result>("COMMIT", "ABORT"),
      version
    }),
    fc.record({ _tag: tagged("RefuseBatch"), ...ofPartition, sequence: fc.nat(3) }),
    fc.record({ _tag: tagged("RefuseMarker"), ...ofPartition, coordinatorEpoch: fc.constant(0), version }),
    ...(group ? [fc.record({ _tag: tagged("RefuseOffsets"), ...identity, generation: fc.nat(1) })] : [])
  )
}

/** The kinds of fault that a setup knows, one that is two at once included. */
const kindsOf = ({ faultKinds }: Setup): ReadonlyArray<Kind> =>
  faultKinds.has("CoordinatorFailover") && faultKinds.has("LeaderChange")
    ? [...faultKinds, "CrashBroker"]
    : [...faultKinds]

/**
 * Scenarios for a setup. What is wanted and what goes wrong shrinks before anything else; the seed does not.
 *
 * Each has some kinds of fault and not the others, since there are faults that hide what others would show.
 */
export const arbitrary = (setup: Setup): fc.Arbitrary<Scenario> => {
  const { faultKinds, group, instances, transactionalIds } = setup
  const kinds = kindsOf(setup)
  const restarts = faultKinds.has("CrashClient") ? 3 : 0
  const wish: fc.Arbitrary<Wish> = fc.record({
    at: moment(600),
    kind: fc.noShrink(fc.nat(kinds.length)),
    target: fc.noShrink(fc.record({
      client: fc.nat(instances - 1),
      id: fc.nat(transactionalIds - 1),
      partition: fc.nat(partitions.length),
      broker: fc.constantFrom(1 as const, 2 as const)
    }))
  })
  return fc.record({
    instances: fc.array(anyInstance(setup, restarts), { minLength: 1, maxLength: instances, size: "max" }),
    wishes: fc.array(wish, { maxLength: 12, size: "max" }),
    stop: fc.oneof(
      { withCrossShrink: true },
      { weight: 4, arbitrary: fc.constant(undefined) },
      { weight: 1, arbitrary: fc.record({ at: moment(500), client: fc.noShrink(fc.nat(instances - 1)) }) }
    ),
    kinds: fc.noShrink(fc.subarray([...kinds], { minLength: Math.min(1, kinds.length) })),
    seed: fc.noShrink(fc.noBias(fc.nat(0x7fffffff))),
    topics: fc.noShrink(fc.constantFrom(1, 2, 2, 2, 3)),
    transactionalIds: fc.noShrink(fc.integer({ min: 1, max: transactionalIds })),
    slowestMessage: fc.constantFrom(10, 40),
    slowness: fc.constantFrom(0, 0.1),
    late: fc.constantFrom(100, 400, 1_000),
    slowestFetch: fc.constantFrom(10, 50, 200),
    requestTimeout: fc.constantFrom(never, 200, 60),
    deliveryTimeout: fc.constantFrom(never, 1_000, 150, 50),
    transactionTimeout: fc.constantFrom(2_000, 400, 100),
    appendFailures: fc.constantFrom(0, 0.1),
    slowestPoll: fc.constantFrom(20, 200),
    slowestStep: fc.constantFrom(5, 5, 60),
    outages: sometimes(
      fc.record({
        at: moment(600),
        kind: fc.noShrink(fc.constantFrom<Outage["kind"]>("Isolate", "Slow")),
        node: fc.noShrink(anyNode(instances)),
        duration: fc.constantFrom(50, 300, 1_000)
      }),
      3
    ),
    askings: sometimes(fc.record({ at: moment(800), question: fc.noShrink(anyQuestion(setup)) }), 12),
    clocks: sometimes(fc.record({ node: fc.noShrink(anyNode(instances)), rate: fc.constantFrom(0.5, 2) }), 3)
  }).map(({ askings, instances: wanted, kinds, stop, wishes, ...parts }) => {
    const has = (...some: ReadonlyArray<Kind>): boolean => some.some((kind) => kinds.includes(kind))
    const topics = topicsOf(parts)
    const shape: Shape = {
      clients: wanted.length,
      transactionalIds: Math.min(parts.transactionalIds, wanted.length),
      partitions: group ? [...topics, Transaction.groupPartition] : topics
    }
    return of(setup, {
      ...parts,
      faultKinds: allFaultKinds.filter((kind) => has(kind, ...(moves.includes(kind) ? ["CrashBroker" as const] : []))),
      transactionalIds: shape.transactionalIds,
      instances: wanted.map(({ plans, ...instance }) => ({
        ...instance,
        transactions: plans.map(({ end, places }) => ({
          end,
          partitions: [...new Set(places.map((place) => topics[place % topics.length]!))]
        }))
      })),
      faults: (kinds.length === 0 ? [] : wishes).map(({ at, kind, target }) => (
        { at, fault: faultOf(kinds[kind % kinds.length]!, target, shape) }
      )).toSorted((a, b) => a.at - b.at),
      askings: askings.map(({ at, question }) => ({ at, question: askedOf(question, topics, shape) })),
      stop: stop === undefined ? undefined : { at: stop.at, client: stop.client % shape.clients + 1 }
    })
  })
}
