/**
 * Scenarios of the idempotent producer, run on the Effect runtime in a simulation and judged by the history checker.
 */
import { Effect, Exit } from "effect"
import { Rules } from "../../core/index.ts"
import type { Configuration } from "../../model/idempotent/Configuration.ts"
import { Broker, Cluster, Consumer, type Producer } from "../../runtime/idempotent/index.ts"
import { Simulation } from "../../runtime/index.ts"
import type { Asked, Judgement, Trial } from "../Histories.ts"
import type * as History from "../History.ts"
import * as HistoryChecker from "../HistoryChecker.ts"
import * as Scenario from "./Scenario.ts"
import * as Watch from "./Watch.ts"

/** The longest that a run may need to come to rest when nothing goes wrong any more, in virtual milliseconds. */
const patience = 120_000

const outcomeEvent = (record: number, outcome: Producer.Outcome): History.Event => {
  if (outcome._tag === "Acknowledged") return { _tag: "Acknowledged", record, offset: outcome.offset }
  return { _tag: Rules.base.ProvesNotWritten(outcome.error) ? "Failed" : "Unknown", record }
}

/** What happens in the order of time; sends come before faults of the same moment. */
type Happening = Scenario.Sending | Scenario.Fault | Scenario.Outage | { readonly at: number; readonly stop: true }

const happeningsOf = ({ faults, outages, sendings, stop }: Scenario.Parts): ReadonlyArray<Happening> => {
  const all: ReadonlyArray<Happening> = [...sendings, ...faults, ...outages].toSorted((a, b) => a.at - b.at)
  return stop === undefined ? all : [...all.filter(({ at }) => at < stop), { at: stop, stop: true }]
}

/** What is made to happen to the cluster. */
const faultOf = (happening: Scenario.Fault | Scenario.Outage): Cluster.Fault => {
  switch (happening.kind) {
    case "CrashBroker":
    case "RestartBroker":
      return { _tag: happening.kind, broker: happening.target === 0 ? 1 : 2 }
    case "Isolate":
    case "Slow":
      return { _tag: happening.kind, partition: happening.target, duration: happening.duration }
    default:
      return { _tag: happening.kind, partition: happening.partition }
  }
}

/** What a run of a scenario left behind. */
interface Run {
  readonly history: ReadonlyArray<History.Event>
  /** How many polls returned something. */
  readonly polls: number
}

const program = Effect.fnUntraced(function*(
  setup: Scenario.Setup,
  { parts }: Scenario.Scenario,
  watch: Watch.Watch | undefined
) {
  const history: Array<History.Event> = []
  let polls = 0
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
        history.push({ _tag: "Send", record: Number(record), partition: name(partition), session }),
      ...(watch === undefined ? {} : { batched: watch.batched })
    },
    ...(watch === undefined ? {} : { taken: watch.taken })
  })
  watch?.begin(cluster)

  const consumer = Effect.fnUntraced(function*(number: number): Effect.fn.Return<Consumer.Consumer> {
    let reads = 0
    const made = yield* Consumer.make({
      offsets: Scenario.partitions.map(() => parts.startSequence > 0 ? 1 : 0),
      reported: (partition, { offset, record }) => {
        reads++
        history.push({ _tag: "Read", consumer: number, partition: name(partition), offset, record: Number(record) })
      }
    }).pipe(Effect.provideService(Broker.Broker, cluster.broker))
    const poll = Effect.suspend(() => {
      const before = reads
      return Effect.tap(made.poll, () =>
        Effect.sync(() => {
          if (reads > before) polls++
        }))
    })
    return { ...made, poll }
  })

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
    if ("kind" in happening) {
      yield* cluster.fault(faultOf(happening))
      continue
    }
    const { partition } = happening
    for (let count = 0; count < happening.records; count++) {
      const record = records++
      history.push({ _tag: "Send", record, partition: name(partition), session })
      yield* cluster.producer.send(partition, record)
    }
  }

  for (let waited = 0; !cluster.isAtRest(); waited += 50) {
    if (waited > patience) return { history, polls }
    yield* Effect.sleep(50)
  }
  yield* finish(0, live)
  yield* finish(1, yield* consumer(1))
  return { history, polls }
}, Effect.scoped)

const simulate = (
  setup: Scenario.Setup,
  scenario: Scenario.Scenario,
  watch?: Watch.Watch,
  choices?: Asked["choices"]
): Run => {
  const { seed } = scenario.parts
  const exit = Simulation.run(program(setup, scenario, watch), {
    seed,
    ...(choices === undefined ? {} : { choices })
  })
  return Exit.isSuccess(exit) ? exit.value : Effect.runSync(exit)
}

/** Runs a scenario to its end. The history is a function of the arguments. */
export const runScenario = (setup: Scenario.Setup, scenario: Scenario.Scenario): ReadonlyArray<History.Event> =>
  simulate(setup, scenario).history

/** What can be said against a run. */
const judge = ({ history, polls }: Run): Judgement => {
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
  return { operations, calls: operations + polls, violated, broken }
}

const run = (setup: Scenario.Setup, scenario: Scenario.Scenario, asked: Asked): Judgement => {
  const isWatched = asked.reaching === true || asked.watched !== undefined
  const watch = isWatched ? Watch.make(setup, scenario.parts, asked) : undefined
  const ran = simulate(setup, scenario, watch, asked.choices)
  const judgement = judge(ran)
  if (watch === undefined) return judgement
  const { actionsTaken, ...found } = watch.found()
  const trace = [...actionsTaken, ...ran.history.map((event) => JSON.stringify(event))].join("\n")
  return { ...judgement, ...found, ...(asked.reaching === true ? { trace } : {}) }
}

/** Histories under a setup. */
export const trialOf = (setup: Scenario.Setup): Trial<Scenario.Scenario> => ({
  properties: HistoryChecker.properties,
  scenarios: Scenario.arbitrary(setup),
  of: (parts) => Scenario.of(setup, parts as Scenario.Parts),
  run: (scenario, asked = {}) => run(setup, scenario, asked)
})

/** Histories under the rules of a configuration, with its faults or with every kind of fault. */
export const trial = (configuration: Configuration, everyFault = false): Trial<Scenario.Scenario> =>
  trialOf(everyFault ? Scenario.everything(configuration) : Scenario.setupOf(configuration))
