/**
 * A campaign against one broker: the walks of several configurations, several at a time, each on partitions, transactional
 * ids and a group of its own.
 */
import { Clock, Effect, Semaphore } from "effect"
import { TransactionMetadata } from "../../core/index.ts"
import { Transactions } from "../../model/index.ts"
import { Remote } from "../../runtime/index.ts"
import { Messages } from "../../wire/index.ts"
import type { Case } from "./Case.ts"
import type { NoTarget } from "./NoTarget.ts"
import * as Places from "./Places.ts"
import * as Subject from "./Subject.ts"
import * as Targets from "./Target.ts"
import type { Target } from "./Target.ts"
import * as Walking from "./Walking.ts"
import type { Walk } from "./Walks.ts"
import * as Walks from "./Walks.ts"

type Configuration = Transactions.Configuration.Configuration
type World = Transactions.World.World

/** One configuration of a campaign. */
export interface Part {
  readonly name: string
  readonly configuration: Configuration
  /** The epoch that producers are brought to before each walk; walks begin with nothing, if not given. */
  readonly epoch?: number
  /** Those to take; by default all. */
  readonly walks?: ReadonlyArray<Walk>
}

/** Where the walks of a part begin. */
export const firstOf = ({ configuration, epoch }: Part): World => {
  const first = Transactions.model.initial(configuration)
  return epoch === undefined ? first : Transactions.Requests.raised(configuration, first, epoch)
}

export const walksOf = (part: Part): Walks.Walks => Walks.of(part.configuration, firstOf(part))

export interface WalkName {
  readonly part: string
  /** From 1. */
  readonly number: number
}

export type Told =
  | { readonly _tag: "Compared"; readonly walk: WalkName; readonly comparison: Walking.Comparison }
  /**
   * The connection failed on the way: for a client that is an answer too, and a wrong one. `pending` is what it was to
   * answer; nothing that is compared, if undefined.
   */
  | {
    readonly _tag: "Broken"
    readonly walk: WalkName
    readonly pending: Walking.Pending | undefined
    readonly message: string
  }
  | { readonly _tag: "Taken"; readonly walk: WalkName }

/** Who keeps what is said in walks. */
export interface Recorder {
  /**
   * A walk begins; again, where it was too slow for its transactions or the coordinator was replaced. All that prepares for
   * it was before.
   */
  readonly begins: (walk: WalkName, subject: Subject.Subject) => void
  /** What follows is one request, repeated until its answer is compared. */
  readonly asks: (walk: WalkName, pending: Walking.Pending) => void
  readonly observe: (walk: WalkName, event: Remote.Connection.Observation) => void
  /** What follows tidies up. */
  readonly ends: (walk: WalkName) => void
}

export interface Options {
  /** Tells the names of this campaign from those of others on the same broker. */
  readonly run: string
  /** Walks at a time. */
  readonly concurrency: number
  readonly tell: (told: Told) => void
  readonly recorder?: Recorder
}

const isWaiting = ({ requests }: Configuration): boolean => requests?.kinds.has("TransactionTimeout") === true

/** The times that transactions may take, of which the next is tried where a walk was slower than the one before. */
const transactionTimeoutsMs = (configuration: Configuration): readonly [number, ...ReadonlyArray<number>] =>
  isWaiting(configuration) ? [1_500, 6_000, 24_000] : [60_000]

/** Walks that mostly wait leave room for so many times as many others. */
const patientWalks = 4

/** Walks that ask for thousands of epochs keep a broker busy, and more of them at a time only wait for each other. */
const raisingWalks = 2

/** How many requests of one client are on the way at a time. */
const pipelined = 250

/** Gives every producer an epoch by asking for the next so often: there is no shorter way for a client. */
const raise = Effect.fnUntraced(function*({ connection, dialect, subject }: Walking.Walking["asking"], epoch: number) {
  for (const [i, transactionalId] of subject.transactionalIds.entries()) {
    const { transactionTimeoutMs } = subject
    const next = connection.request(Messages.InitProducerId, dialect.InitProducerId, {
      transactionalId,
      transactionTimeoutMs
    })
    // An identity is given with epoch 0, and the last is learned like any other.
    yield* Effect.replicateEffect(next, epoch, { concurrency: pipelined, discard: true })
    const { producerId } = yield* next
    subject.producerIds.set(i + 1, producerId)
  }
})

const closedWithinMs = 5_000
const pauseMs = 10

/** Ends the transactions that a walk has left open, so that its partitions can be used again: whether all have ended. */
const close = Effect.fnUntraced(function*({ connection, dialect, subject }: Walking.Walking["asking"], last: World) {
  const { transactionTimeoutMs } = subject
  for (const [i, { metadata }] of last.coordinators.entries()) {
    if (TransactionMetadata.isPrepared(metadata.state)) return false
    if (metadata.state !== "Ongoing") continue
    const transactionalId = subject.transactionalIds[i]!
    yield* connection.request(Messages.InitProducerId, dialect.InitProducerId, {
      transactionalId,
      transactionTimeoutMs
    })
    const isComplete = Effect.map(
      connection.request(Messages.DescribeTransactions, dialect.DescribeTransactions, {
        transactionalIds: [transactionalId]
      }),
      ({ transactionStates: [found] }) => found?.transactionState === "CompleteAbort"
    )
    const deadline = (yield* Clock.currentTimeMillis) + closedWithinMs
    while (!(yield* isComplete)) {
      if ((yield* Clock.currentTimeMillis) > deadline) return false
      yield* Effect.sleep(pauseMs)
    }
  }
  return true
})

const lastOf = ({ steps }: Walk): World => {
  const step = steps.at(-1)!
  return step._tag === "Look" ? step.world : step.after
}

/**
 * The coordinator, by its epoch. A broker with more to do than it can may lose its partitions for a while; then it has
 * another, has forgotten what is not in its log, and what was answered in the middle of that says nothing about rules.
 */
interface Coordinator {
  readonly epoch: () => number
  /** Whether it is another than it was. Asked once of each case that is answered wrongly by the same. */
  readonly isReplaced: (since: number, caseId: string) => Effect.Effect<boolean>
}

/** How often a walk is taken again because the coordinator was replaced. */
const replacementLimit = 3

const coordinatorOf = Effect.fnUntraced(function*(
  ask: Effect.Effect<number, NoTarget | Remote.Connection.ConnectionError>
) {
  let epoch = yield* ask
  const innocent = new Set<string>()
  const asking = yield* Semaphore.make(1)
  const coordinator: Coordinator = {
    epoch: () => epoch,
    isReplaced: (since, caseId) =>
      asking.withPermit(Effect.gen(function*() {
        if (epoch !== since) return true
        if (innocent.has(caseId)) return false
        epoch = yield* ask
        if (epoch === since) innocent.add(caseId)
        return epoch !== since
      })).pipe(Effect.orElseSucceed(() => false))
  }
  return coordinator
})

const divergentCaseOf = (told: ReadonlyArray<Told>): Case | undefined => {
  const last = told.at(-1)
  return last?._tag === "Compared" && !last.comparison.agrees ? last.comparison.case : undefined
}

const runPart = Effect.fnUntraced(function*(
  target: Target,
  coordinator: Coordinator,
  part: Part,
  places: Places.Places,
  options: Options
) {
  const { configuration, epoch, name } = part
  const { address, dialect } = target
  const { recorder } = options
  const data = configuration.partitions.filter((partition) => !Subject.isGroup(partition))
  const connectionOf = (walk: WalkName): Remote.Connection.Options =>
    recorder === undefined ? address : { ...address, observe: (event) => recorder.observe(walk, event) }
  const subjectOf = (
    named: string,
    taken: ReadonlyArray<Subject.Place>,
    timestamp: number,
    timeoutMs: number
  ): Subject.Subject => ({
    places: new Map(data.map((partition, i) => [partition, taken[i]!])),
    transactionalIds: Array.from({ length: configuration.transactionalIds }, (_, i) => `${named}-${i + 1}`),
    group: named,
    transactionTimeoutMs: timeoutMs,
    timestamp,
    coordinatorEpoch: coordinator.epoch(),
    stranger: Subject.strangers(),
    producerIds: new Map()
  })

  /** Takes the walk once: what there is to tell of it, and whether it went wrong when a transaction may have been too slow. */
  const attempt = Effect.fnUntraced(function*(walk: WalkName, next: Walk, named: string, timeoutMs: number) {
    const taken = yield* Effect.forEach(data, () => places.take)
    const start = yield* Clock.currentTimeMillis
    const subject = subjectOf(named, taken, start, timeoutMs)
    const told: Array<Told> = []
    let pending: Walking.Pending | undefined
    const listener: Walking.Listener = {
      asks: (asked) => {
        pending = asked
        recorder?.asks(walk, asked)
      },
      compares: (comparison) => {
        pending = undefined
        told.push({ _tag: "Compared", walk, comparison })
      }
    }
    const agrees = yield* Effect.gen(function*() {
      const connection = yield* Remote.Connection.connect(connectionOf(walk))
      const asking = { connection, dialect, subject }
      const { timeoutPatienceMs } = target
      if (epoch !== undefined) yield* raise(asking, epoch)
      recorder?.begins(walk, subject)
      const agreed = yield* Walking.take({ asking, configuration, timeoutPatienceMs }, next, listener).pipe(
        Effect.ensuring(Effect.sync(() => recorder?.ends(walk)))
      )
      if (agreed && (yield* close(asking, lastOf(next)))) yield* Effect.forEach(taken, places.giveBack)
      return agreed
    }).pipe(
      Effect.scoped,
      Effect.catchTag("ConnectionError", ({ message }) =>
        Effect.sync(() => {
          told.push({ _tag: "Broken", walk, pending, message })
          return false
        }))
    )
    // A transaction that is not aborted in its time is none that was too slow, however long the walk took.
    const isTooLate = divergentCaseOf(told)?.topic === "TransactionTimeout"
    return { told, isSlow: !agrees && !isTooLate && (yield* Clock.currentTimeMillis) - start > timeoutMs / 2 }
  })

  /** Takes the walk, with more time for transactions where it was too slow. */
  const take = Effect.fnUntraced(function*(walk: WalkName, next: Walk, named: string) {
    const [first, ...longer] = transactionTimeoutsMs(configuration)
    let { isSlow, told } = yield* attempt(walk, next, named, first)
    for (const timeoutMs of longer) {
      if (!isSlow) break
      ;({ isSlow, told } = yield* attempt(walk, next, `${named}-${timeoutMs}`, timeoutMs))
    }
    return told
  })

  const takeWalk = Effect.fnUntraced(function*(next: Walk) {
    const walk: WalkName = { part: name, number: next.number }
    const named = `keos-${options.run}-${name}-${next.number}`
    let since = coordinator.epoch()
    let told = yield* take(walk, next, named)
    for (let again = 1; again <= replacementLimit; again++) {
      const divergent = divergentCaseOf(told)
      if (divergent === undefined || !(yield* coordinator.isReplaced(since, divergent.id))) break
      since = coordinator.epoch()
      told = yield* take(walk, next, `${named}-again-${again}`)
    }
    for (const one of told) options.tell(one)
    options.tell({ _tag: "Taken", walk })
  })

  const { walks = walksOf(part).walks } = part
  const concurrency = epoch === undefined
    ? options.concurrency * (isWaiting(configuration) ? patientWalks : 1)
    : Math.min(options.concurrency, raisingWalks)
  yield* Effect.forEach(walks, takeWalk, { concurrency, discard: true })
})

/** Takes all walks of all parts. */
export const run = (target: Target, parts: ReadonlyArray<Part>, options: Options) =>
  Effect.scoped(Effect.gen(function*() {
    const { address, dialect } = target
    const connection = yield* Remote.Connection.connect(address)
    const places = yield* Places.make(connection, dialect, options.run)
    yield* Effect.addFinalizer(() => places.remove)
    const place = yield* places.take
    const coordinator = yield* coordinatorOf(Targets.coordinatorEpoch(connection, dialect, options.run, place))
    yield* Effect.forEach(parts, (part) => runPart(target, coordinator, part, places, options), { discard: true })
  }))
