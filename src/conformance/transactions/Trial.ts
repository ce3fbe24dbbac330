/**
 * Scenarios of transactions, run on the Effect runtime in a simulation: the history is judged, and the log of the actions
 * that the run was made of must be a behaviour of the model that ends in the same state.
 */
import { Effect, Exit } from "effect"
import { Transaction } from "../../core/index.ts"
import { hasProperty } from "../../model/Model.ts"
import type { Configuration } from "../../model/transactions/Configuration.ts"
import { faultKinds } from "../../model/transactions/Configuration.ts"
import { model } from "../../model/transactions/Model.ts"
import { Simulation, Transactions } from "../../runtime/index.ts"
import type { Line } from "../EventLog.ts"
import * as EventLog from "../EventLog.ts"
import type { Asked, Judgement, Trial } from "../Histories.ts"
import * as Reach from "../Reach.ts"
import * as Validation from "../Validation.ts"
import { worldOf } from "./Driver.ts"
import type * as History from "./History.ts"
import * as HistoryChecker from "./HistoryChecker.ts"
import * as Scenario from "./Scenario.ts"

/** The longest that a run may need to come to rest when nothing goes wrong any more, in virtual milliseconds. */
const patience = 120_000

/** What a run of a scenario left behind. */
export interface Run {
  readonly history: ReadonlyArray<History.Event>
  /** The actions that were taken, and the state of everything at the end. */
  readonly log: ReadonlyArray<Line>
  /** Everything came to an end, and was read. */
  readonly isAtRest: boolean
  /** How many polls returned something. */
  readonly polls: number
}

/** The names of all partitions, sorted. */
const partitionsOf = ({ group }: Scenario.Setup, parts: Scenario.Parts): ReadonlyArray<string> => {
  const topics = Scenario.topicsOf(parts)
  return (group ? [...topics, Transaction.groupPartition] : topics).toSorted()
}

/** What strangers ask with. */
const probesOf = ({ askings }: Scenario.Parts): Configuration["probes"] => {
  if (askings.length === 0) return undefined
  const questions = askings.map(({ question }) => question)
  const distinct = (values: ReadonlyArray<number>): ReadonlyArray<number> =>
    [...new Set(values)].toSorted((a, b) => a - b)
  return {
    // Those that every InitProducerId is tried with are no identity.
    producerIds: distinct(questions.flatMap(({ producerId }) => producerId < 0 ? [] : [producerId])),
    epochs: distinct(questions.flatMap(({ epoch }) => epoch < 0 ? [] : [epoch])),
    sequences: distinct(questions.flatMap((question) => "sequence" in question ? [question.sequence] : []))
  }
}

/** The configuration of the specification under which a scenario runs. */
export const configurationOf = (setup: Scenario.Setup, { parts }: Scenario.Scenario): Configuration => ({
  clients: parts.instances.length,
  transactionalIds: parts.transactionalIds,
  transactionsPerClient: Math.max(...parts.instances.map(({ transactions }) => transactions.length)),
  partitions: partitionsOf(setup, parts),
  group: setup.group,
  version1Clients: new Set(parts.instances.flatMap(({ version }, i) => version === 1 ? [i + 1] : [])),
  replicationLag: setup.replicationLag,
  faultBudget: Scenario.faultBudget,
  faultKinds: new Set(faultKinds),
  probes: probesOf(parts),
  requests: undefined,
  context: setup.context
})

const clusterOf = (setup: Scenario.Setup, parts: Scenario.Parts): Transactions.Cluster.Options => ({
  context: setup.context,
  clients: parts.instances.map(({ restarts, start, think, transactions, version }, i) => ({
    transactionalId: Scenario.idOf(parts, i + 1),
    version,
    transactions,
    think: [0, think],
    start,
    restarts
  })),
  transactionalIds: parts.transactionalIds,
  partitions: partitionsOf(setup, parts),
  replicationLag: setup.replicationLag,
  delays: {
    message: [1, parts.slowestMessage],
    slowness: parts.slowness,
    slow: 10 * parts.slowestMessage,
    step: [0, parts.slowestStep],
    late: parts.late,
    lateness: 0.9,
    loss: 0.1
  },
  timing: {
    retryBackoff: 20,
    retryBackoffMax: 200,
    requestTimeout: parts.requestTimeout,
    deliveryTimeout: parts.deliveryTimeout,
    append: [1, 10],
    completion: [0, 5],
    fetch: [1, parts.slowestFetch],
    transactionTimeout: parts.transactionTimeout,
    appendFailures: parts.appendFailures
  },
  clocks: Object.fromEntries(parts.clocks.map(({ node, rate }) => [node, rate])),
  faultBudget: Scenario.faultBudget,
  faultKinds: new Set(parts.faultKinds),
  log: Transactions.SimulatedDisk.layer(Transactions.SimulatedDisk.make(), { sync: setup.syncsLog })
})

/** The consumers that read all the time, and those that begin when everything is over. */
const consumers = [
  { number: 2, isolation: "read_uncommitted", isLive: true },
  { number: 3, isolation: "read_uncommitted", isLive: false },
  { number: 0, isolation: "read_committed", isLive: true },
  { number: 1, isolation: "read_committed", isLive: false }
] as const

const program = Effect.fnUntraced(function*(setup: Scenario.Setup, scenario: Scenario.Scenario) {
  const { parts } = scenario
  const history: Array<History.Event> = []
  const log: Array<Line> = []
  let faults = Scenario.faultBudget
  let reads = 0

  const cluster = yield* Transactions.Cluster.make({
    ...clusterOf(setup, parts),
    listener: {
      observed: (observation) => {
        if (observation._tag === "Read") reads++
        history.push(observation)
      },
      taken: ({ action, arguments: instance, fault }) => {
        log.push({ action, arguments: instance })
        if (fault !== undefined) faults = fault - 1
      }
    }
  })

  let polls = 0
  const counting = (consumer: Transactions.Consumer.Consumer): Transactions.Consumer.Consumer => ({
    ...consumer,
    poll: Effect.suspend(() => {
      const before = reads
      return Effect.tap(consumer.poll, () =>
        Effect.sync(() => {
          if (reads > before) polls++
        }))
    })
  })
  const readers = consumers.map(({ isLive, isolation, number }) => ({
    isLive,
    consumer: counting(cluster.consumer(number, isolation))
  }))
  for (const { consumer, isLive } of readers) {
    if (isLive) yield* Effect.forkScoped(Transactions.Consumer.polling(consumer, [1, parts.slowestPoll]))
  }
  for (const { at, fault } of parts.faults) {
    yield* Effect.forkScoped(Effect.andThen(Effect.sleep(at), cluster.fault(fault)))
  }
  for (const { at, duration, kind, node } of parts.outages) {
    yield* Effect.forkScoped(Effect.andThen(Effect.sleep(at), cluster.outage(kind, node, duration)))
  }
  for (const { at, question } of parts.askings) {
    yield* Effect.forkScoped(Effect.andThen(Effect.sleep(at), cluster.ask(question)))
  }
  const { stop } = parts
  if (stop !== undefined) yield* Effect.forkScoped(Effect.andThen(Effect.sleep(stop.at), cluster.stop(stop.client)))

  // What is yet to happen may find everything at rest.
  let isAtRest = false
  yield* Effect.sleep(Math.max(0, stop?.at ?? 0, ...[...parts.faults, ...parts.askings].map(({ at }) => at)))
  for (let waited = 0; !isAtRest && waited < patience; waited += 50) {
    yield* Effect.sleep(50)
    isAtRest = cluster.isAtRest()
  }
  if (isAtRest) {
    for (const { consumer } of readers) {
      yield* consumer.poll
      yield* consumer.end
    }
    yield* cluster.endGroup
  }
  const configuration = configurationOf(setup, scenario)
  const last = worldOf(configuration, yield* cluster.snapshot, faults)
  return { history, log: withEnd(log, model.encode(configuration, last)), isAtRest, polls }
}, Effect.scoped)

/** The log, with this state observed behind its last line. */
const withEnd = (log: ReadonlyArray<Line>, observed: NonNullable<Line["observed"]>): ReadonlyArray<Line> => {
  const last = log.at(-1)
  return last === undefined ? log : log.with(-1, { ...last, observed })
}

/** Runs a scenario to its end. What it leaves behind is a function of the arguments. */
export const runScenario = (
  setup: Scenario.Setup,
  scenario: Scenario.Scenario,
  { choices }: Pick<Asked, "choices"> = {}
): Run => {
  const { seed } = scenario.parts
  const exit = Simulation.run(program(setup, scenario), { seed, ...(choices === undefined ? {} : { choices }) })
  return Exit.isSuccess(exit) ? exit.value : Effect.runSync(exit)
}

/** Why a history cannot be judged, if so; one in which nobody wanted anything leaves nothing to judge. */
const unjudged = ({ history, isAtRest }: Run, verdict: HistoryChecker.Verdict): string | undefined => {
  if (!isAtRest) return "the run does not come to rest"
  if (verdict._tag === "Malformed") return verdict.sentence
  if (!history.some(({ _tag }) => _tag === "HandedOver")) return undefined
  for (const property of HistoryChecker.properties) {
    const judged = verdict[property]
    if (judged.value === "undetermined") return judged.sentence
  }
  return undefined
}

/** What an application does with its producer and its group. */
const calls: ReadonlySet<History.Event["_tag"]> = new Set([
  "Initializing",
  "Began",
  "HandedOver",
  "OffsetHandedOver",
  "CommitCalled",
  "AbortCalled",
  "Joined",
  "OffsetCommitted"
])

/** The run in words, one line for each action and for each observation. */
const traceOf = ({ history, log }: Run): string =>
  [...log.map(EventLog.print), ...history.map((event) => JSON.stringify(event))].join("\n")

/** What can be said against a run. */
const judge = (setup: Scenario.Setup, scenario: Scenario.Scenario, asked: Asked): Judgement => {
  const { reaching = false, watched = [] } = asked
  const run = runScenario(setup, scenario, asked)
  const verdict = HistoryChecker.check(run.history)
  const violated = new Map<string, string>()
  if (verdict._tag === "Judged") {
    for (const property of HistoryChecker.properties) {
      const judged = verdict[property]
      if (judged.value === "violated") violated.set(property, judged.witness.sentence)
    }
  }
  let operations = 0
  let called = run.polls
  for (const { _tag } of run.history) {
    if (_tag === "HandedOver") operations++
    if (calls.has(_tag)) called++
  }
  const judgement: Judgement = {
    operations,
    calls: called,
    violated,
    broken: unjudged(run, verdict),
    ...(reaching ? { trace: traceOf(run) } : {})
  }
  // Whoever had nothing to do may have done nothing.
  if (run.log.length === 0) return judgement
  const configuration = configurationOf(setup, scenario)
  const observer = reaching ? Reach.observe(model, configuration) : undefined
  const validated = Validation.validate({
    model,
    configuration,
    properties: watched.filter((name) => hasProperty(model, name)),
    ...(observer === undefined ? {} : { stepped: observer.stepped })
  }, run.log)
  const reached = observer === undefined ? {} : { reach: observer.reach() }
  switch (validated._tag) {
    case "Accepted":
      return { ...judgement, actions: validated.actions, ...reached }
    case "Violating":
      return {
        ...judgement,
        seen: { property: validated.property, sentence: Validation.summarize(validated) },
        ...reached
      }
    case "Rejected":
      return { ...judgement, broken: Validation.summarize(validated) }
  }
}

/** Histories under a setup. */
export const trialOf = (setup: Scenario.Setup): Trial<Scenario.Scenario> => ({
  properties: HistoryChecker.properties,
  scenarios: Scenario.arbitrary(setup),
  of: (parts) => Scenario.of(setup, parts as Scenario.Parts),
  run: (scenario, asked = {}) => judge(setup, scenario, asked)
})

/** Histories under the rules of a configuration, with its faults and sizes, or with every kind of fault and all sizes. */
export const trial = (configuration: Configuration, everyFault = false): Trial<Scenario.Scenario> =>
  trialOf(everyFault ? Scenario.everything(configuration.context, true) : Scenario.setupOf(configuration))
