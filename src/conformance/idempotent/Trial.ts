/**
 * Scenarios of the idempotent producer, run on the Effect runtime in a simulation and judged by the history checker.
 */
import { Effect, Exit } from "effect"
import { Rules } from "../../core/index.ts"
import type { Configuration } from "../../model/idempotent/Configuration.ts"
import { Broker, Cluster, Consumer, type Producer, Simulation } from "../../runtime/index.ts"
import type { Judgement, Trial } from "../Histories.ts"
import type * as History from "../History.ts"
import * as HistoryChecker from "../HistoryChecker.ts"
import * as Scenario from "./Scenario.ts"

/** The longest that a run may need to come to rest when nothing goes wrong any more, in virtual milliseconds. */
const patience = 120_000

const outcomeEvent = (record: number, outcome: Producer.Outcome): History.Event => {
  if (outcome._tag === "Acknowledged") return { _tag: "Acknowledged", record, offset: outcome.offset }
  return { _tag: Rules.base.ProvesNotWritten(outcome.error) ? "Failed" : "Unknown", record }
}

/** What happens in the order of time; sends come before faults of the same moment. */
type Happening = Scenario.Sending | Scenario.Fault | { readonly at: number; readonly stop: true }

const happeningsOf = ({ faults, sendings, stop }: Scenario.Parts): ReadonlyArray<Happening> => {
  const all: ReadonlyArray<Happening> = [...sendings, ...faults].toSorted((a, b) => a.at - b.at)
  return stop === undefined ? all : [...all.filter(({ at }) => at < stop), { at: stop, stop: true }]
}

const program = Effect.fnUntraced(function*(setup: Scenario.Setup, { parts }: Scenario.Scenario) {
  const history: Array<History.Event> = []
  let session = 0
  let records = 0
  const name = (partition: number): string => Scenario.partitions[partition]!

  const cluster = yield* Cluster.make({
    sender: setup.sender,
    replica: setup.replica,
    partitions: Scenario.partitions.length,
    startSequence: parts.startSequence,
    delays: {
      request: [1, parts.slowestMessage],
      response: [1, parts.slowestMessage],
      late: parts.late,
      lateness: 0.5,
      loss: 0.2
    },
    fetch: [1, parts.slowestFetch],
    batchSize: parts.batchSize,
    linger: parts.linger,
    timing: {
      retryBackoff: 20,
      retryBackoffMax: 1_000,
      requestTimeout: parts.requestTimeout,
      deliveryTimeout: parts.deliveryTimeout
    },
    listener: {
      reported: (_partition, record, outcome) => history.push(outcomeEvent(Number(record), outcome)),
      restarted: () => session++,
      sentAgain: (partition, record) =>
        history.push({ _tag: "Send", record: Number(record), partition: name(partition), session })
    }
  })

  const consumer = (number: number): Effect.Effect<Consumer.Consumer> =>
    Consumer.make({
      offsets: Scenario.partitions.map(() => parts.startSequence > 0 ? 1 : 0),
      reported: (partition, { offset, record }) =>
        history.push({ _tag: "Read", consumer: number, partition: name(partition), offset, record: Number(record) })
    }).pipe(Effect.provideService(Broker.Broker, cluster.broker))

  const finish = Effect.fnUntraced(function*(number: number, reader: Consumer.Consumer) {
    yield* reader.poll
    Scenario.partitions.forEach((partition, index) => {
      const { highWatermark } = cluster.broker.partition(index)
      history.push({ _tag: "End", consumer: number, partition, offset: highWatermark })
    })
  })

  const live = yield* consumer(0)
  yield* Effect.forkScoped(Consumer.polling(live, [20, 200]))

  let now = 0
  for (const happening of happeningsOf(parts)) {
    if (happening.at > now) yield* Effect.sleep(happening.at - now)
    now = happening.at
    if ("stop" in happening) {
      yield* cluster.producer.stop
      break
    }
    const { partition } = happening
    if ("kind" in happening) {
      yield* cluster.fault({ _tag: happening.kind, partition })
      continue
    }
    for (let count = 0; count < happening.records; count++) {
      const record = records++
      history.push({ _tag: "Send", record, partition: name(partition), session })
      yield* cluster.producer.send(partition, record)
    }
  }

  for (let waited = 0; !cluster.isAtRest(); waited += 50) {
    if (waited > patience) return history
    yield* Effect.sleep(50)
  }
  yield* finish(0, live)
  yield* finish(1, yield* consumer(1))
  return history
}, Effect.scoped)

/** Runs a scenario to its end. The history is a function of the arguments. */
export const runScenario = (setup: Scenario.Setup, scenario: Scenario.Scenario): ReadonlyArray<History.Event> => {
  const exit = Simulation.run(program(setup, scenario), { seed: scenario.parts.seed })
  return Exit.isSuccess(exit) ? exit.value : Effect.runSync(exit)
}

/** What can be said against a history. */
const judge = (history: ReadonlyArray<History.Event>): Judgement => {
  const verdict = HistoryChecker.check(history)
  const violated = new Map<string, string>()
  let broken: string | undefined
  if (verdict._tag === "Malformed") {
    broken = verdict.sentence
  } else {
    for (const property of HistoryChecker.properties) {
      const judged = verdict[property]
      if (judged.value === "violated") violated.set(property, judged.witness.sentence)
      if (judged.value === "undetermined") broken ??= judged.sentence
    }
  }
  let operations = 0
  for (const event of history) if (event._tag === "Send") operations++
  return { operations, violated, broken }
}

/** Histories under a setup. */
export const trialOf = (setup: Scenario.Setup): Trial<Scenario.Scenario> => ({
  properties: HistoryChecker.properties,
  scenarios: Scenario.arbitrary(setup),
  run: (scenario) => judge(runScenario(setup, scenario))
})

/** Histories under the rules and faults of a configuration. */
export const trial = (configuration: Configuration): Trial<Scenario.Scenario> =>
  trialOf(Scenario.setupOf(configuration))
