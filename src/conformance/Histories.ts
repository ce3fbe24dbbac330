/**
 * Random histories: scenarios run on the Effect runtime in a simulation, judged by the history checker, and shrunk by
 * fast-check to the shortest that still fails.
 *
 * Everything is a function of a seed. A violation is reported with the seed and the path under which fast-check finds
 * the same scenario again.
 */
import { Effect, Exit } from "effect"
import * as fc from "fast-check"
import { Rules } from "../core/index.ts"
import { Broker, Cluster, Consumer, type Producer, Simulation } from "../runtime/index.ts"
import type * as History from "./History.ts"
import * as HistoryChecker from "./HistoryChecker.ts"
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

/** A scenario that violates a property, as short as shrinking made it. */
export interface Counterexample {
  readonly scenario: string
  /** What the checker saw. */
  readonly sentence: string
  /** With these, `Scenario.at` finds the scenario again. */
  readonly seed: number
  readonly path: string
}

/** What a number of runs showed of one property. */
export interface Tally {
  readonly violated: number
  /** Of the first run that violates it. */
  readonly first?: Counterexample
}

export interface Explored {
  readonly runs: number
  /** Records handed over to a producer, those handed over again included. */
  readonly operations: number
  readonly seed: number
  readonly properties: Readonly<Record<HistoryChecker.Property, Tally>>
  /** Runs that did not come to rest within the patience, or whose history no run can produce; never to be tolerated. */
  readonly broken: Tally
}

export interface Options {
  readonly setup: Scenario.Setup
  readonly runs: number
  readonly seed: number
  /** Runs the one scenario that has this path instead. */
  readonly path?: string
  /** Shortens the first violation of each property, by default; where it is expected, counting is enough. */
  readonly shorten?: boolean
  /** Told of every so many runs. */
  readonly onProgress?: (runs: number) => void
}

/** A property of the checker, or that the run was one that can be judged at all. */
type Question = HistoryChecker.Property | "broken"

const questions: ReadonlyArray<Question> = [...HistoryChecker.properties, "broken"]

const progressInterval = 100

/** How many scenarios are tried to shorten one; steps and not seconds, so that the result is the same everywhere. */
const shrinkSteps = 300

/** How a verdict answers a question, if badly. */
const complaint = (verdict: HistoryChecker.Verdict, question: Question): string | undefined => {
  if (verdict._tag === "Malformed") return question === "broken" ? verdict.sentence : undefined
  if (question === "broken") {
    const judged = HistoryChecker.properties.map((property) => verdict[property])
    return judged.find((each) => each.value === "undetermined")?.sentence
  }
  const judged = verdict[question]
  return judged.value === "violated" ? judged.witness.sentence : undefined
}

const judge = (setup: Scenario.Setup, scenario: Scenario.Scenario): HistoryChecker.Verdict =>
  HistoryChecker.check(runScenario(setup, scenario))

/** Shortens the scenario at `path` as long as the answer to the question stays bad. */
const shrink = (
  setup: Scenario.Setup,
  seed: number,
  path: string,
  question: Question
): Counterexample | undefined => {
  let steps = 0
  const holds = (scenario: Scenario.Scenario): boolean =>
    steps++ >= shrinkSteps || complaint(judge(setup, scenario), question) === undefined
  const found = fc.check(fc.property(Scenario.arbitrary(setup), holds), { seed, path, numRuns: 1 })
  const scenario = found.counterexample?.[0]
  if (scenario === undefined || found.counterexamplePath === null) return undefined
  return {
    scenario: scenario.toString(),
    sentence: complaint(judge(setup, scenario), question)!,
    seed,
    path: found.counterexamplePath
  }
}

/** Runs that many scenarios and judges each; the first violation of every property is shortened. */
export const explore = ({ onProgress, path, runs, seed, setup, shorten = true }: Options): Explored => {
  const violated = new Map(questions.map((question) => [question, 0]))
  const firstAt = new Map<Question, string>()
  let operations = 0
  let run = 0

  const record = (scenario: Scenario.Scenario): void => {
    const at = path ?? String(run)
    run++
    const history = runScenario(setup, scenario)
    for (const event of history) if (event._tag === "Send") operations++
    const verdict = HistoryChecker.check(history)
    for (const question of questions) {
      if (complaint(verdict, question) === undefined) continue
      violated.set(question, violated.get(question)! + 1)
      if (!firstAt.has(question)) firstAt.set(question, at)
    }
    if (run % progressInterval === 0) onProgress?.(run)
  }
  if (path === undefined) fc.assert(fc.property(Scenario.arbitrary(setup), record), { seed, numRuns: runs })
  else record(Scenario.at(setup, seed, path))

  const tally = (question: Question): Tally => {
    const at = firstAt.get(question)
    const first = at === undefined || !shorten ? undefined : shrink(setup, seed, at, question)
    return { violated: violated.get(question)!, ...(first === undefined ? {} : { first }) }
  }
  return {
    runs: run,
    operations,
    seed,
    properties: {
      NoLoss: tally("NoLoss"),
      NoDuplicate: tally("NoDuplicate"),
      NoGap: tally("NoGap"),
      InOrder: tally("InOrder")
    },
    broken: tally("broken")
  }
}
