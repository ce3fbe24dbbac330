/**
 * Takes a walk on a broker: asks what the walk asks, compares every answer with that of the specification, and ends at
 * the first that differs, since from there on the two are in different states.
 */
import { Clock, Effect, Equal } from "effect"
import type { Errors } from "../../core/index.ts"
import type { Transactions } from "../../model/index.ts"
import type { Remote } from "../../runtime/index.ts"
import * as Account from "./Account.ts"
import * as Asking from "./Asking.ts"
import * as Case from "./Case.ts"
import * as Looking from "./Looking.ts"
import * as Subject from "./Subject.ts"
import type { Step, Walk } from "./Walks.ts"

type Configuration = Transactions.Configuration.Configuration
type World = Transactions.World.World
type Answer = Transactions.Requests.Answer
type Unexpected = Remote.Connection.ConnectionError

/** What came of one answer; values are in the specification's terms. */
export interface Comparison {
  readonly case: Case.Case
  /** Place of the step in the walk, from 0. */
  readonly step: number
  readonly agrees: boolean
  readonly expected: unknown
  readonly actual: unknown
}

/** Errors with which a broker asks to be asked again, for reasons that are its own. */
const transient: ReadonlySet<Errors.Error | number> = new Set<Errors.Error>([
  "COORDINATOR_LOAD_IN_PROGRESS",
  "COORDINATOR_NOT_AVAILABLE",
  "NOT_COORDINATOR",
  "NOT_LEADER_OR_FOLLOWER",
  "NOT_ENOUGH_REPLICAS",
  "CONCURRENT_TRANSACTIONS"
])

/** How long a broker may take to come to rest, and to stop asking to be asked again. */
const patienceMs = 5_000
const pauseMs = 3

/** Takes what a broker says until it is as expected, or time is up. */
const eventually = <A>(
  told: Effect.Effect<A, Unexpected>,
  isExpected: (told: A) => boolean,
  patience: number
): Effect.Effect<A, Unexpected> =>
  Effect.gen(function*() {
    const end = (yield* Clock.currentTimeMillis) + patience
    let pause = pauseMs
    for (;;) {
      const found = yield* told
      if (isExpected(found) || (yield* Clock.currentTimeMillis) >= end) return found
      yield* Effect.sleep(pause)
      pause = Math.min(pause * 2, 50)
    }
  })

/** What of an answer is compared: an error has nothing beside it, and each API its own success. */
const compared = ({ _tag, ...request }: Transactions.Requests.Request, answer: Asking.Told | Answer): object => {
  const { epoch, error, offset, producerId } = answer
  if (error !== "NONE") return { error }
  switch (_tag) {
    case "InitProducerId":
      return { error, producerId, epoch }
    case "EndTxn":
      return "version" in request && request.version === 2 ? { error, producerId, epoch } : { error }
    case "Produce":
      return "position" in request && request.position === "none" ? { error } : { error, offset }
    default:
      return { error }
  }
}

/** The parts of a broker that a request may have set in motion. */
const isCoordinated = ({ requests }: Configuration, { _tag }: Transactions.Requests.Request): boolean =>
  _tag !== "WriteTxnMarker" && requests?.idempotent !== true

export interface Walking {
  readonly asking: Asking.Asking
  readonly configuration: Configuration
  /** How long the broker may take to abort a transaction that takes too long, beyond its time. */
  readonly timeoutPatienceMs: number
}

interface Asked {
  readonly case: Case.Case
  readonly expected: unknown
  readonly actual: (walking: Walking) => Effect.Effect<unknown, Unexpected>
}

const description = (
  configuration: Configuration,
  world: World,
  id: number,
  patience: (walking: Walking) => number
): Asked => {
  const expected = Account.described(world, id)
  return {
    case: Case.ofDescription(configuration, world, id),
    expected,
    actual: (walking) =>
      eventually(
        Looking.described(walking.asking, id, expected),
        (told) => Equal.equals(told, expected),
        patience(walking)
      )
  }
}

/** What a step of a walk asks of a broker, one after the other. */
const asksOf = (configuration: Configuration, step: Step): ReadonlyArray<Asked> => {
  if (step._tag === "Look") return looks(configuration, step.world)
  const { after, answer, before, request } = step
  const asked = Case.ofRequest(configuration, before, request, answer.error)
  if (request._tag === "TransactionTimeout") {
    const patience = ({ asking, timeoutPatienceMs }: Walking): number =>
      asking.subject.transactionTimeoutMs + timeoutPatienceMs
    return [{ ...description(configuration, after, request.id, patience), case: asked }]
  }
  const first: Asked = {
    case: asked,
    expected: compared(request, answer),
    actual: ({ asking }) =>
      Effect.map(
        eventually(
          Asking.ask(asking, configuration, before, request, answer),
          ({ error }) => error === answer.error || !transient.has(error),
          patienceMs
        ),
        (told) => compared(request, told)
      )
  }
  // Before the next request everything that follows from this one has to have happened.
  return before !== after && isCoordinated(configuration, request)
    ? [first, description(configuration, after, request.id, () => patienceMs)]
    : [first]
}

const fetch = (
  configuration: Configuration,
  world: World,
  name: string,
  isolationLevel: Account.IsolationLevel,
  from: number
): Asked => ({
  case: Case.ofFetch(configuration, world, name, isolationLevel, from),
  expected: Account.fetched(configuration, world, name, isolationLevel, from),
  actual: ({ asking }) => Looking.fetched(asking, name, isolationLevel, from)
})

/** A reader that begins inside of an aborted transaction has to be told of it. */
const fetchFromTheMiddle = (configuration: Configuration, world: World, name: string): ReadonlyArray<Asked> => {
  const from = Account.middleOf(configuration, world, name)
  return from === undefined ? [] : [fetch(configuration, world, name, "read_committed", from)]
}

const looks = (configuration: Configuration, world: World): ReadonlyArray<Asked> => {
  const partitions = configuration.partitions.filter((name) => !Subject.isGroup(name))
  const ids = configuration.requests?.idempotent === true ? 0 : configuration.transactionalIds
  const isolationLevels = ["read_uncommitted", "read_committed"] as const
  return [
    ...partitions.flatMap((name): ReadonlyArray<Asked> => [
      ...isolationLevels.map((isolationLevel) => fetch(configuration, world, name, isolationLevel, 0)),
      ...fetchFromTheMiddle(configuration, world, name),
      {
        case: Case.ofProducers(configuration, world, name),
        expected: Account.activeProducers(configuration, world, name),
        actual: ({ asking }) => Looking.activeProducers(asking, name)
      }
    ]),
    ...Array.from({ length: ids }, (_, i) => description(configuration, world, i + 1, () => 0)),
    ...(configuration.group ? [false, true] : []).map((requireStable): Asked => {
      const expected = Account.groupOffset(configuration, world, requireStable)
      return {
        case: Case.ofGroupOffset(configuration, world, requireStable),
        expected,
        // The group coordinator takes note of a marker after it is written.
        actual: ({ asking }) =>
          eventually(
            Looking.groupOffset(asking, requireStable),
            (told) => Equal.equals(told, expected),
            patienceMs
          )
      }
    })
  ]
}

/** The cases of a step, in the order in which they are compared. */
export const casesOf = (configuration: Configuration, step: Step): ReadonlyArray<Case.Case> =>
  asksOf(configuration, step).map((asked) => asked.case)

/** What is being compared; there is no answer yet. */
export type Pending = Pick<Comparison, "case" | "step" | "expected">

/** Who is told of a walk. */
export interface Listener {
  readonly asks: (pending: Pending) => void
  readonly compares: (comparison: Comparison) => void
}

/** Takes the walk, telling each comparison; ends with the first that does not agree. */
export const take = Effect.fnUntraced(function*(
  walking: Walking,
  { steps }: Walk,
  listener: Listener
): Effect.fn.Return<boolean, Unexpected> {
  for (const [step, one] of steps.entries()) {
    for (const { actual, case: of, expected } of asksOf(walking.configuration, one)) {
      const pending: Pending = { case: of, step, expected }
      listener.asks(pending)
      const told = yield* actual(walking)
      const agrees = Equal.equals(told, expected)
      listener.compares({ ...pending, agrees, actual: told })
      if (!agrees) return false
    }
  }
  return true
})
