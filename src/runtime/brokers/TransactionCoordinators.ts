/**
 * The transaction coordinators of a cluster: for each transactional id the core's coordinator, its last record in
 * `__transaction_state`, the markers that it sends, and the time that a transaction may take.
 *
 * A record is in the log when the turn that wrote it ends, and outlives the coordinator.
 */
import { Clock, Effect, type Scope } from "effect"
import {
  type Errors,
  Sequence,
  type Transaction,
  type TransactionalProducer,
  TransactionCoordinator,
  TransactionMetadata
} from "../../core/index.ts"

type Broker = TransactionCoordinator.Coordinator["broker"]
type Marker = TransactionCoordinator.Marker

export interface TransactionCoordinators {
  /** The broker that coordinates an id. */
  readonly node: (transactionalId: string) => Broker
  /** A request of a client to a broker. */
  readonly handle: (
    transactionalId: string,
    broker: Broker,
    request: TransactionalProducer.Request
  ) => Effect.Effect<TransactionalProducer.Answer>
  /** A leader asks about a batch of the id. */
  readonly verify: (
    transactionalId: string,
    verification: TransactionCoordinator.Verification
  ) => Effect.Effect<Errors.Error>
  /** How long a transaction of the id may take, in milliseconds. */
  readonly limit: (transactionalId: string, timeoutMs: number) => void
  /** What there is to say of an id that is known. */
  readonly describe: (transactionalId: string) => Description | undefined
  /** The ids that are known. */
  readonly ids: () => ReadonlyArray<string>
  /** A producer id that nobody has. */
  readonly allocate: () => number
  /** The other broker takes over what this one coordinates. */
  readonly failover: (broker: Broker) => Effect.Effect<void>
}

/** DescribeTransactions. */
export interface Description {
  readonly state: Exclude<TransactionMetadata.State, "Unknown">
  readonly timeoutMs: number
  /** When the last transaction began, in milliseconds since 1970; -1 before the first one of this instance. */
  readonly began: number
  readonly producerId: number
  readonly epoch: number
  /** Those of the transaction; once it is decided, those whose markers are not written. */
  readonly partitions: ReadonlyArray<string>
}

export interface Options {
  readonly context: Transaction.Context
  /** Where an id is coordinated first. */
  readonly place: (transactionalId: string) => Broker
  /** Writes a marker to whoever leads its partition; `NETWORK_EXCEPTION` when there is no answer. */
  readonly mark: (marker: Marker, timestamp: number) => Errors.Error
  /** How long markers are on the way, in milliseconds. A transaction is decided, and not over, until they are written. */
  readonly markerLatencyMs: number
  /** `transaction.abort.timed.out.transaction.cleanup.interval.ms`: how often transactions that take too long are aborted. */
  readonly timeoutIntervalMs: number
}

interface Coordinated {
  coordinator: TransactionCoordinator.Coordinator
  logged: TransactionMetadata.Metadata
  timeoutMs: number
  /** When the last transaction began, in milliseconds; -1 for none. */
  began: number
}

/** What a turn came to. */
interface Turned {
  readonly answer: TransactionalProducer.Answer | undefined
  readonly markers: ReadonlyArray<Marker>
}

type Waiting = TransactionalProducer.Request["kind"] | undefined

/** Between two tries to write a marker. */
const markerRetryMs = 20

/** `transaction.timeout.ms`. */
const defaultTimeoutMs = 60_000

/** Starts coordinators that know of no id; what they do by themselves ends with the scope. */
export const make = Effect.fnUntraced(function*(
  { context, mark, markerLatencyMs, place, timeoutIntervalMs }: Options
): Effect.fn.Return<TransactionCoordinators, never, Scope.Scope> {
  const scope = yield* Effect.scope
  const ids = new Map<string, Coordinated>()
  let nextProducerId = 1

  const coordinated = (id: string): Coordinated => {
    let known = ids.get(id)
    if (known === undefined) {
      known = {
        coordinator: { ...TransactionCoordinator.initial, broker: place(id) },
        logged: TransactionMetadata.unknown,
        timeoutMs: defaultTimeoutMs,
        began: Sequence.none
      }
      ids.set(id, known)
    }
    return known
  }

  /** A turn, with the appends that it leads to. */
  const turn = (id: string, input: TransactionCoordinator.Input, waiting: Waiting, now: number): Turned => {
    const of = coordinated(id)
    const step = TransactionCoordinator.step(context, of.coordinator, input)
    if (step === undefined) return { answer: undefined, markers: [] }
    const before = of.coordinator.metadata.state
    of.coordinator = step[0]
    const { state } = of.coordinator.metadata
    if (state === "Empty") of.began = Sequence.none
    if (state === "Ongoing" && before !== state) of.began = now
    let answer: TransactionalProducer.Answer | undefined
    const markers: Array<Marker> = []
    for (const output of step[1]) {
      switch (output._tag) {
        case "ProducerIdTaken":
          nextProducerId++
          break
        case "Answer":
          answer = output.answer
          break
        case "WriteTxnMarker":
          markers.push(output.marker)
          break
        case "Append": {
          of.logged = output.record
          const appended = turn(id, { _tag: "AppendOk", waiting }, undefined, now)
          answer = appended.answer ?? answer
          markers.push(...appended.markers)
        }
      }
    }
    return { answer, markers }
  }

  /** Writes markers until all are written, or somebody else coordinates the id. */
  const write = Effect.fnUntraced(function*(id: string, markers: ReadonlyArray<Marker>) {
    let left = markers
    while (left.length > 0) {
      const now = yield* Clock.currentTimeMillis
      left = left.flatMap((marker) => {
        if (marker.coordinatorEpoch !== coordinated(id).coordinator.epoch) return []
        return turn(id, { _tag: "ReceiveMarkerAnswer", marker, error: mark(marker, now) }, undefined, now).markers
      })
      if (left.length > 0) yield* Effect.sleep(markerRetryMs)
    }
  })

  /**
   * What a decided transaction comes to. There is one completion; where the rules have more of them, the next one comes
   * with what happens to the id then.
   */
  const finish = Effect.fnUntraced(function*(id: string, markers: ReadonlyArray<Marker>) {
    if (markers.length > 0 && markerLatencyMs > 0) yield* Effect.sleep(markerLatencyMs)
    yield* write(id, markers)
    turn(id, { _tag: "CompleteTransaction" }, undefined, yield* Clock.currentTimeMillis)
  })

  const perform = Effect.fnUntraced(function*(id: string, input: TransactionCoordinator.Input, waiting: Waiting) {
    const { answer, markers } = turn(id, input, waiting, yield* Clock.currentTimeMillis)
    if (markers.length > 0 || coordinated(id).coordinator.completing.length > 0) {
      yield* Effect.forkIn(finish(id, markers), scope, { startImmediately: true })
    }
    return answer
  })

  const inputOf = (broker: Broker, request: TransactionalProducer.Request): TransactionCoordinator.Input => {
    switch (request.kind) {
      case "InitProducerId":
        return { _tag: "HandleInitProducerId", request, broker, nextProducerId }
      case "AddPartitionsToTxn":
        return { _tag: "HandleAddPartitionsToTxn", request, broker }
      case "EndTxn":
        return { _tag: "HandleEndTxn", request, broker, nextProducerId }
    }
  }

  const abortTimedOut = Effect.gen(function*() {
    const now = yield* Clock.currentTimeMillis
    for (const [id, { began, coordinator, timeoutMs }] of ids) {
      if (coordinator.metadata.state !== "Ongoing" || began + timeoutMs > now) continue
      yield* perform(id, { _tag: "TransactionTimeout", nextProducerId }, undefined)
    }
  })
  yield* Effect.forkIn(Effect.forever(Effect.andThen(Effect.sleep(timeoutIntervalMs), abortTimedOut)), scope)

  return {
    node: (id) => coordinated(id).coordinator.broker,
    handle: (id, broker, request) =>
      Effect.map(perform(id, inputOf(broker, request), request.kind), (answer) => answer!),
    verify: (id, verification) =>
      Effect.map(
        perform(id, { _tag: "HandleVerification", verification }, "AddPartitionsToTxn"),
        (answer) => answer!.error
      ),
    limit: (id, timeoutMs) => {
      coordinated(id).timeoutMs = timeoutMs
    },
    describe: (id) => {
      const known = ids.get(id)
      if (known === undefined) return undefined
      const { began, coordinator: { metadata, outstanding }, timeoutMs } = known
      const { epoch, partitions, producerId, state } = metadata
      if (state === "Unknown") return undefined
      const left = TransactionMetadata.isPrepared(state) ? outstanding : partitions
      return { state, timeoutMs, began, producerId, epoch, partitions: left }
    },
    ids: () => [...ids.keys()],
    allocate: () => nextProducerId++,
    failover: Effect.fnUntraced(function*(broker) {
      for (const [id, { coordinator, logged }] of ids) {
        if (coordinator.broker !== broker) continue
        yield* perform(id, { _tag: "CoordinatorFailover", loaded: logged, waiting: undefined }, undefined)
      }
    })
  }
})
