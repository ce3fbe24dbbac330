/**
 * Runs races on a broker: several at a time where the broker ends in them, each with partitions, transactional ids and a
 * group of its own. What comes of each is compared with what may.
 */
import { Clock, Effect, Equal, type Scope } from "effect"
import { type Errors, Sequence } from "../../../core/index.ts"
import type { Transactions } from "../../../model/index.ts"
import { Remote } from "../../../runtime/index.ts"
import { Messages } from "../../../wire/index.ts"
import * as Account from "../Account.ts"
import * as Asking from "../Asking.ts"
import type { ApacheKafka } from "../launch/index.ts"
import * as Looking from "../Looking.ts"
import type { NoTarget } from "../NoTarget.ts"
import * as Places from "../Places.ts"
import * as Subject from "../Subject.ts"
import * as Targets from "../Target.ts"
import type { Ending, Outcome, Prepared } from "./Interleavings.ts"
import * as Interleavings from "./Interleavings.ts"
import type { Ask, Plan, Round } from "./Race.ts"
import * as Said from "./Said.ts"
import * as Statement from "./Statement.ts"

type Configuration = Transactions.Configuration.Configuration
type Connection = Remote.Connection.Connection
type Unexpected = Remote.Connection.ConnectionError
type Target = Pick<Targets.Target, "address" | "dialect">

/** What is to be run. */
export interface Course {
  readonly configuration: Configuration
  readonly plan: Plan
  readonly prepared: ReadonlyArray<Prepared>
  readonly allowed: ReadonlyArray<Outcome>
}

/** A race that came out in another way than it may. */
export interface Divergence {
  /** From 1. */
  readonly repetition: number
  /** Names on the broker, by those of the specification. */
  readonly partitions: Readonly<Record<string, string>>
  readonly transactionalIds: ReadonlyArray<string>
  /** Where the preparation went wrong, if it did: nothing was run then. */
  readonly preparation?: { readonly step: number; readonly expected: unknown; readonly actual: unknown }
  /** What was observed, round by round, up to the one that differs. */
  readonly observed: Outcome
  /** What may come of the last of these rounds, after those before it. */
  readonly expected: ReadonlyArray<Ending>
}

export type Result =
  | { readonly _tag: "Allowed"; readonly outcome: Outcome }
  | { readonly _tag: "Diverges"; readonly divergence: Divergence }
  /** The coordinator lost its partition and got it back in the meantime, as happens on a busy machine. */
  | { readonly _tag: "Void" }

/** Everything that is asked where no race is on: a connection, partitions to take, and who coordinates. */
export interface Grounds {
  readonly connection: Connection
  readonly places: Places.Places
  readonly coordinatorEpoch: number
}

/** `run` names the topics, and has to be another one each time. */
export const grounds = Effect.fnUntraced(function*(
  { address, dialect }: Target,
  run: string
): Effect.fn.Return<Grounds, NoTarget | Unexpected, Scope.Scope> {
  const connection = yield* Remote.Connection.connect(address)
  const places = yield* Places.make(connection, dialect, run)
  yield* Effect.addFinalizer(() => places.remove)
  const place = yield* places.take
  const coordinatorEpoch = yield* Targets.coordinatorEpoch(connection, dialect, run, place)
  yield* places.giveBack(place)
  return { connection, places, coordinatorEpoch }
})

/** One race that is run. */
interface Runner {
  readonly repetition: number
  readonly subject: Subject.Subject
  readonly taken: ReadonlyArray<Subject.Place>
  readonly observed: Array<Ending>
  divergence: Divergence | undefined
  hasRestarted: boolean
}

/** Of a broker that has just started; nothing has come of the request. */
const notHere: ReadonlySet<Errors.Error | number> = new Set<Errors.Error>([
  "COORDINATOR_LOAD_IN_PROGRESS",
  "NOT_COORDINATOR",
  "NOT_LEADER_OR_FOLLOWER"
])

/** And of one that is still busy with the request before. */
const busy: ReadonlySet<Errors.Error | number> = new Set<Errors.Error | number>([
  ...notHere,
  "COORDINATOR_NOT_AVAILABLE",
  "NOT_ENOUGH_REPLICAS",
  "CONCURRENT_TRANSACTIONS"
])

/** How long a broker may take to come to rest; after a restart it has more to do. */
const patienceMs = { standing: 10_000, restarted: 40_000, hopeless: 1_000 }
const pauseMs = 3
const longestPauseMs = 50

/** Takes what a broker says until it is what is wanted, or time is up. */
const eventually = <A, E>(
  said: Effect.Effect<A, E>,
  isWanted: (said: A) => boolean,
  patience: number
): Effect.Effect<A, E> =>
  Effect.gen(function*() {
    const end = (yield* Clock.currentTimeMillis) + patience
    for (let pause = pauseMs;; pause = Math.min(pause * 2, longestPauseMs)) {
      const found = yield* said
      if (isWanted(found) || (yield* Clock.currentTimeMillis) >= end) return found
      yield* Effect.sleep(pause)
    }
  })

const startOf = ({ configuration, prepared }: Course) => Interleavings.meantIn(configuration, prepared, {})

/** The next free producer id where the race begins; one that nobody was told is taken for it. */
const nextProducerIdOf = (course: Course): number => startOf(course).nextProducerId

/** Asks what the race is prepared with, waiting each time for what follows from it. */
const prepare = Effect.fnUntraced(function*(
  { configuration, plan, prepared }: Course,
  asking: Asking.Asking
): Effect.fn.Return<Divergence["preparation"], Unexpected> {
  for (const [step, { after, answer, before, request }] of prepared.entries()) {
    const told = yield* eventually(
      Asking.ask(asking, configuration, before, request, answer),
      ({ error }) => error === answer.error || !busy.has(error),
      patienceMs.standing
    )
    const expected = Said.of(request, answer)
    const actual = Said.of(request, told)
    if (!Equal.equals(expected, actual)) return { step, expected, actual }
    if (plan.idempotent) continue
    const described = Account.described(after, request.id)
    const looked = yield* eventually(
      Looking.described(asking, request.id, described),
      (found) => Equal.equals(found, described),
      patienceMs.standing
    )
    if (!Equal.equals(looked, described)) return { step, expected: described, actual: looked }
  }
  return undefined
})

/** One request of a race; whatever comes of it is something that was said. */
const saidTo = (
  course: Course,
  asking: Asking.Asking,
  ask: Ask,
  hasRestarted: boolean
): Effect.Effect<Said.Said> => {
  const { configuration, prepared } = course
  const expected: Transactions.Requests.Answer = {
    error: "NONE",
    producerId: nextProducerIdOf(course),
    epoch: Sequence.none,
    offset: Sequence.none
  }
  const meantIn = Interleavings.meantIn(configuration, prepared, ask)
  return eventually(
    Asking.ask(asking, configuration, meantIn, ask.request, expected),
    ({ error }) => !hasRestarted || !notHere.has(error),
    patienceMs.restarted
  ).pipe(
    Effect.map((told) => Said.of(ask.request, told)),
    Effect.catch(({ message, reason }) =>
      Effect.succeed<Said.Said>(reason === "Lost" || reason === "Connect" ? Said.closed : { failed: message })
    )
  )
}

/** In which order the connections of a round begin, and after how long, in milliseconds. */
interface Timing {
  readonly order: ReadonlyArray<number>
  readonly pauses: ReadonlyArray<number>
}

const spreadsMs = [0, 0, 1, 3, 8]
/** In a round in which the broker is killed; a transaction ends in some milliseconds, on a slow machine in some more. */
const spreadUntilKillMs = 20

/** A whole number from 0 to the most. */
const upTo = (most: number, random: () => number): number => Math.floor(random() * (most + 1))

const shuffled = (count: number, random: () => number): ReadonlyArray<number> =>
  Array.from({ length: count }, (_, i) => ({ i, key: random() })).toSorted((a, b) => a.key - b.key).map(({ i }) => i)

const timingOf = ({ connections, restart }: Round, random: () => number): Timing => {
  const spread = restart === "kill" ? spreadUntilKillMs : spreadsMs[upTo(spreadsMs.length - 1, random)]!
  return { order: shuffled(connections.length, random), pauses: connections.map(() => upTo(spread, random)) }
}

const after = <A>(pause: number, effect: Effect.Effect<A>): Effect.Effect<A> =>
  pause === 0 ? effect : Effect.andThen(Effect.sleep(pause), effect)

/** Sends what each connection of a round sends, and waits for the answers. */
const send = Effect.fnUntraced(function*(
  course: Course,
  { dialect }: Target,
  { hasRestarted, subject }: Runner,
  round: Round,
  connections: ReadonlyArray<Connection>,
  { order, pauses }: Timing
): Effect.fn.Return<Ending["answers"]> {
  const sent = yield* Effect.forEach(order, (i) => {
    const asking = { connection: connections[i]!, dialect, subject }
    const answers = Effect.forEach(
      round.connections[i]!,
      (ask) => saidTo(course, asking, ask, hasRestarted),
      { concurrency: "unbounded" }
    )
    return after(pauses[i]!, Effect.map(answers, (said) => ({ i, said })))
  }, { concurrency: "unbounded" })
  return sent.toSorted((a, b) => a.i - b.i).map(({ said }) => said)
})

/** The coordinator's epochs since the race began, each as the number of restarts before it. */
interface Epochs {
  readonly expected: (statement: Statement.Statement) => Statement.Statement
  readonly told: (statement: Statement.Statement) => Statement.Statement
}

/** No epoch that the coordinator ever had. */
const unknownEpoch = -2

/** A restart may leave the epoch as it is, or raise it by more than one. */
const epochsOf = (epochs: ReadonlyArray<number>): Epochs => ({
  expected: (statement) =>
    Statement.withCoordinatorEpochs(statement, (restarts) => epochs.indexOf(epochs[restarts] ?? unknownEpoch)),
  told: (statement) =>
    Statement.withCoordinatorEpochs(statement, (difference) => {
      const found = epochs.indexOf(epochs[0]! + difference)
      return found < 0 ? unknownEpoch : found
    })
})

/** What the rounds so far may have come to, by the round that was the last. */
const possible = (
  { allowed }: Course,
  { observed }: Runner,
  { expected }: Epochs
): ReadonlyArray<Ending> => {
  const before = observed.map(Interleavings.keyOf)
  const endings = allowed.flatMap((outcome): ReadonlyArray<Ending> => {
    const said = outcome.slice(0, observed.length + 1).map(({ answers, statement }) => ({
      answers,
      statement: expected(statement)
    }))
    return before.every((key, i) => Interleavings.keyOf(said[i]) === key) ? [said.at(-1)!] : []
  })
  return [...new Map(endings.map((ending) => [Interleavings.keyOf(ending), ending])).values()]
}

/**
 * Waits until the broker is at rest in a state that it may be in, and says so twice, since a state that it may be in can be
 * one that it passes through.
 */
const rest = (
  course: Course,
  asking: Asking.Asking,
  answers: Ending["answers"],
  may: ReadonlyArray<Ending>,
  epochs: Epochs,
  patience: number
): Effect.Effect<Ending, Unexpected> => {
  const keys = new Set(may.map(Interleavings.keyOf))
  let before = ""
  return eventually(
    Effect.map(
      Statement.told(asking, course.configuration, nextProducerIdOf(course)),
      (statement): Ending => ({ answers, statement: epochs.told(statement) })
    ),
    (ending) => {
      const key = Interleavings.keyOf(ending)
      const isSame = key === before
      before = key
      return isSame && keys.has(key)
    },
    patience
  )
}

/** Longer than any race takes, restarts on a slow machine included, and not more than brokers allow by default. */
const transactionTimeoutMs = 900_000

const runnerOf = Effect.fnUntraced(function*(
  { configuration }: Course,
  { coordinatorEpoch, places }: Grounds,
  repetition: number,
  name: string
) {
  const data = configuration.partitions.filter((partition) => !Subject.isGroup(partition))
  const taken = yield* Effect.forEach(data, () => places.take)
  const subject: Subject.Subject = {
    places: new Map(data.map((partition, i) => [partition, taken[i]!])),
    transactionalIds: Array.from({ length: configuration.transactionalIds }, (_, i) => `keos-${name}-${i + 1}`),
    group: `keos-${name}`,
    transactionTimeoutMs,
    coordinatorEpoch,
    stranger: Subject.strangers(),
    producerIds: new Map()
  }
  const runner: Runner = { repetition, subject, taken, observed: [], divergence: undefined, hasRestarted: false }
  return runner
})

const diverge = (
  runner: Runner,
  what: Pick<Divergence, "preparation" | "observed" | "expected">
): void => {
  const { repetition, subject: { places, transactionalIds } } = runner
  runner.divergence = {
    repetition,
    partitions: Object.fromEntries(
      Array.from(places, ([name, { partition, topic }]) => [name, `${topic}-${partition}`])
    ),
    transactionalIds,
    ...what
  }
}

/** Ends what is open, so that the partitions can be used again. */
const close = Effect.fnUntraced(function*(asking: Asking.Asking, { ids }: Statement.Statement) {
  const { connection, dialect, subject: { transactionalIds, transactionTimeoutMs } } = asking
  for (const [i, described] of ids.entries()) {
    if (!("state" in described) || described.state !== "Ongoing") continue
    yield* connection.request(Messages.InitProducerId, dialect.InitProducerId, {
      transactionalId: transactionalIds[i]!,
      transactionTimeoutMs
    })
  }
})

/** What is run at one time. */
export interface Heat {
  readonly course: Course
  readonly target: Target
  readonly repetitions: ReadonlyArray<number>
  /** Names topics, transactional ids and the group; another one each time. */
  readonly run: string
  /** Numbers from 0 up to 1, for the order in which things are sent. */
  readonly random: () => number
}

/** How many runners are asked about at a time. */
const concurrency = 4

/** Runs a round with all runners, in the middle of which the broker may be killed. */
const runRound = (
  { course, random, target }: Heat,
  runners: ReadonlyArray<Runner>,
  round: Round,
  broker: ApacheKafka.Broker | undefined
): Effect.Effect<ReadonlyArray<Ending["answers"]>, Unexpected> =>
  Effect.scoped(Effect.gen(function*() {
    const connected = yield* Effect.forEach(
      runners,
      () => Effect.forEach(round.connections, () => Remote.Connection.connect(target.address))
    )
    const sending = Effect.forEach(
      runners,
      (runner, i) => send(course, target, runner, round, connected[i]!, timingOf(round, random)),
      { concurrency: "unbounded" }
    )
    if (round.restart !== "kill" || broker === undefined) return yield* sending
    const killing = after(upTo(spreadUntilKillMs * 2, random), broker.kill)
    const [answers] = yield* Effect.all([sending, killing], { concurrency: "unbounded" })
    return answers
  }))

/** Compares what came of a round with what may. */
const judge = Effect.fnUntraced(function*(
  course: Course,
  asking: Asking.Asking,
  runner: Runner,
  answers: Ending["answers"],
  epochs: Epochs
): Effect.fn.Return<void, Unexpected> {
  const said = Interleavings.keyOf(answers)
  const may = possible(course, runner, epochs)
  const withAnswers = may.filter((ending) => Interleavings.keyOf(ending.answers) === said)
  const patience = withAnswers.length === 0
    ? patienceMs.hopeless
    : runner.hasRestarted
    ? patienceMs.restarted
    : patienceMs.standing
  const ending = yield* rest(course, asking, answers, withAnswers, epochs, patience)
  const key = Interleavings.keyOf(ending)
  if (withAnswers.some((one) => Interleavings.keyOf(one) === key)) {
    runner.observed.push(ending)
    return
  }
  diverge(runner, {
    observed: [...runner.observed, ending],
    expected: withAnswers.length === 0 ? may : withAnswers
  })
})

const resultOf = ({ divergence, observed }: Runner): Result =>
  divergence === undefined ? { _tag: "Allowed", outcome: observed } : { _tag: "Diverges", divergence }

const coordinatorEpochNow = Effect.fnUntraced(
  function*({ dialect }: Target, { connection, places }: Grounds, run: string) {
    const place = yield* places.take
    return yield* Targets.coordinatorEpoch(connection, dialect, run, place)
  }
)

/** Runs a race so often at the same time, and ends it everywhere. The broker is one to restart, where the plan does. */
export const run = Effect.fnUntraced(function*(
  heat: Heat,
  start: Grounds,
  broker: ApacheKafka.Broker | undefined
): Effect.fn.Return<ReadonlyArray<Result>, NoTarget | Unexpected | ApacheKafka.LaunchFailed, Scope.Scope> {
  const { course, repetitions, run: name, target } = heat
  const { dialect } = target
  const { rounds } = course.plan
  let latest = start
  const coordinatorEpochs = [start.coordinatorEpoch]
  const runners = yield* Effect.forEach(
    repetitions,
    (repetition) => runnerOf(course, start, repetition, `${name}-${repetition}`)
  )
  yield* Effect.forEach(
    runners,
    (runner) =>
      Effect.map(prepare(course, { connection: start.connection, dialect, subject: runner.subject }), (wrong) => {
        if (wrong !== undefined) diverge(runner, { preparation: wrong, observed: [], expected: [] })
      }),
    { concurrency, discard: true }
  )
  for (const [i, round] of rounds.entries()) {
    const still = runners.filter(({ divergence }) => divergence === undefined)
    const answers = yield* runRound(heat, still, round, broker)
    if (round.restart !== undefined && broker !== undefined) {
      yield* broker.restart
      latest = yield* grounds(target, `${name}-${i}`)
      coordinatorEpochs.push(latest.coordinatorEpoch)
      for (const runner of still) runner.hasRestarted = true
    }
    const epochs = epochsOf(coordinatorEpochs)
    const { connection } = latest
    yield* Effect.forEach(
      still,
      (runner, j) => judge(course, { connection, dialect, subject: runner.subject }, runner, answers[j]!, epochs),
      { concurrency, discard: true }
    )
  }
  if (
    runners.some(({ divergence }) => divergence !== undefined)
    && (yield* coordinatorEpochNow(target, latest, `${name}-now`)) !== latest.coordinatorEpoch
  ) return runners.map((): Result => ({ _tag: "Void" }))
  for (const { divergence, hasRestarted, observed, subject, taken } of runners) {
    const last = observed.at(-1)
    if (divergence !== undefined || hasRestarted || last === undefined) continue
    yield* close({ connection: start.connection, dialect, subject }, last.statement)
    yield* Effect.forEach(taken, start.places.giveBack, { discard: true })
  }
  return runners.map(resultOf)
})
