/**
 * What sends: one fiber that drains the accumulator into Produce requests, takes their answers and keeps the times, around
 * the core's `Producer`, which numbers the batches and says which may be sent when. Kafka's `Sender`.
 *
 * All turns of the core are in that fiber. A batch is handed to the core when it is about to be sent, so that the core
 * queues only what is to be sent again. A partition changes to another leader when no answer of the old one is to come. When
 * one request on a connection gets no answer, neither do the others on it.
 */
import { type Clock, Deferred, Effect, Exit, Metric, type Random } from "effect"
import {
  Errors,
  Limits,
  Producer,
  Rules,
  type Sender as CoreSender,
  Sequence,
  type Transaction
} from "../../core/index.ts"
import { BatchBuilder, BatchHeader } from "../../wire/index.ts"
import type * as Accumulator from "./Accumulator.ts"
import * as Backoff from "./Backoff.ts"
import type { BufferPool } from "./BufferPool.ts"
import type { ClusterMetadata } from "./ClusterMetadata.ts"
import type { ProducerConfig } from "./ProducerConfig.ts"
import * as ProducerErrors from "./ProducerErrors.ts"
import {
  type FatalError,
  ProduceRefused,
  ProducerTimeout,
  type RecordError,
  TransactionAborted
} from "./ProducerErrors.ts"
import * as ProducerMetrics from "./ProducerMetrics.ts"
import type { Partition } from "./ProducerTopics.ts"
import type { Api, Disconnected, NodeId } from "./Requests.ts"
import type { Tasks } from "./Tasks.ts"
import type { TransactionManager } from "./TransactionManager.ts"

type Batch = Accumulator.Batch<RecordError>

export interface Sender {
  /** A partition with the next index. */
  readonly addPartition: (partition: Partition) => void
  /** A batch was begun. */
  readonly began: (batch: Batch) => void
  /** Why nothing can be sent any more, if so. */
  readonly failure: () => FatalError | undefined
  /** Sends everything that was appended without waiting for more, until all of it has come to something. */
  readonly flush: Effect.Effect<void>
  /** Sends for ever. */
  readonly run: Effect.Effect<never>
}

export interface Options {
  readonly config: ProducerConfig
  /** The protocol of transactions that the client speaks. */
  readonly version: Transaction.Version
  readonly cluster: ClusterMetadata
  readonly accumulator: Accumulator.Accumulator<RecordError>
  readonly pool: BufferPool
  readonly backoff: Backoff.Backoff
  readonly clock: Clock.Clock
  readonly random: Random.Random
  readonly tasks: Tasks
  readonly transactions: TransactionManager | undefined
  /** Leaders may have changed. */
  readonly invalidate: () => void
}

/** A batch that was sent. */
interface Sent {
  readonly batch: Batch
  /** As it was last sent, and what it was stamped with; `undefined` before it is sent. */
  bytes: Uint8Array | undefined
  id: number
  epoch: number
  sequence: number
}

interface State {
  readonly partition: Partition
  /** Batches that have come to nothing yet, by the core's number. */
  readonly sent: Map<number, Sent>
  /** Answers that came before those of earlier batches. */
  readonly answers: Map<number, Producer.Response>
  /** The core's number of the last batch. */
  last: number
  /** Where the requests in flight went. */
  node: NodeId | undefined
  /** Nothing is sent again before. */
  retryAt: number
}

interface Connection {
  /** How many requests have no answer. */
  inFlight: number
  /** How often it has ended. */
  ended: number
}

/** A request in the making, or in flight. */
interface ProduceRequest {
  readonly node: NodeId
  /** Which of the node's connections it went over. */
  readonly connection: number
  readonly entries: Array<Entry>
  bytes: number
}

interface Entry {
  readonly state: State
  /** The core's number of the batch, and of the connection for the partition. */
  readonly batch: number
  readonly connection: number
  readonly bytes: Uint8Array
}

interface Answered {
  readonly request: ProduceRequest
  readonly exit: Exit.Exit<Api["Produce"]["response"], Disconnected>
}

const acksOf = { "0": 0, "1": 1, all: -1 } as const
const noIdentity: CoreSender.Identity = { id: Sequence.none, epoch: Sequence.none }

const noAnswer: Api["InitProducerId"]["response"] = { error: "NETWORK_EXCEPTION", producerId: 0, producerEpoch: 0 }

/** The core counts records and does not look at them. */
const recordsOf = (count: number): ReadonlyArray<number> => Array.from({ length: count }, (_, index) => index)

export const make = (options: Options): Sender => {
  const { accumulator, backoff, clock, cluster, config, invalidate, pool, random, tasks, transactions, version } =
    options
  const deliveryTimeout = config["delivery.timeout.ms"]
  const maxInFlight = config["max.in.flight.requests.per.connection"]
  const idempotence = config["enable.idempotence"]
  const acks = acksOf[config.acks]
  const transactionalId = config["transactional.id"]
  const attributes = { client_id: config["client.id"] }
  const sender: CoreSender.Config = {
    acks: config.acks,
    idempotence,
    retries: config.retries,
    maxInFlight,
    limits: Limits.kafka,
    // The epochs of a transactional producer come from its coordinator.
    rules: transactions === undefined ? Rules.base : { ...Rules.base, MayBumpEpoch: () => false }
  }

  let producer = Producer.make(noIdentity, 0)
  const states: Array<State> = []
  /** Partitions that the core has batches of. */
  const active = new Set<number>()
  const incomplete = new Set<Batch>()
  const connections = new Map<NodeId, Connection>()
  const counts = new Map<Metric.Counter<number>, number>()
  let answered: Array<Answered> = []
  /** What is told when the turn is over, so that nobody goes on in the midst of it. */
  let outcomes: Array<() => void> = []
  /** An identity from the broker, for a producer without transactions. */
  let given: CoreSender.Identity | undefined
  let isAsking = false
  let fatal: FatalError | undefined
  let flushes = 0
  /** Where the next round of partitions begins, so that none is always last. */
  let rounds = 0
  let wakeAt = Infinity

  const failure = (): FatalError | undefined => {
    const stopped = transactions?.failure()
    return stopped === undefined || stopped._tag === "TransactionAbortable" ? fatal : stopped
  }

  const count = (metric: Metric.Counter<number>, amount: number): void => {
    counts.set(metric, (counts.get(metric) ?? 0) + amount)
  }

  const updateMetrics = (): void => {
    if (counts.size === 0) return
    const updates = Array.from(
      counts,
      ([metric, amount]) => Metric.update(Metric.withAttributes(metric, attributes), amount)
    )
    counts.clear()
    tasks.start(Effect.all(updates, { discard: true }))
  }

  const settle = (batch: Batch, outcome: Effect.Effect<number, RecordError>): void => {
    incomplete.delete(batch)
    outcomes.push(() => {
      Deferred.doneUnsafe(batch.acknowledged, outcome)
      pool.release(batch.reserved)
    })
  }

  const fail = (batch: Batch, error: RecordError): void => {
    count(ProducerMetrics.recordsFailed, batch.builder.count)
    settle(batch, Effect.fail(error))
  }

  const timeout = new ProducerTimeout({
    operation: "the delivery of a record",
    property: "delivery.timeout.ms",
    limit: deliveryTimeout
  })

  /** A batch that was sent has failed, for all its records. */
  const failSent = ({ partition }: State, batch: Batch, error: Errors.Error, isExpired: boolean): void => {
    if (idempotence && transactions === undefined && Errors.isFatal(error)) fatal ??= ProducerErrors.fatal(error)
    transactions?.failed(partition, error)
    const own = isExpired
      ? timeout
      : new ProduceRefused({ topic: partition.topic, partition: partition.partition, error })
    fail(batch, transactions?.failure() ?? fatal ?? own)
  }

  const decide = (state: State, outcome: CoreSender.Outcome, isExpired: boolean): void => {
    const { batch } = state.sent.get(outcome.batch)!
    state.sent.delete(outcome.batch)
    if (outcome._tag === "Failed") return failSent(state, batch, outcome.error, isExpired)
    count(ProducerMetrics.recordsSent, batch.builder.count)
    settle(batch, Effect.succeed(outcome.offset))
  }

  /** Stamps a batch as the request wants it. Its bytes are made when it is first sent. */
  const stamp = (state: State, request: Producer.Request): Uint8Array => {
    const sent = state.sent.get(request.batch)!
    const wanted = { producerId: request.producerId, producerEpoch: request.epoch, baseSequence: request.sequence }
    if (sent.bytes === undefined) {
      const isTransactional = transactionalId !== undefined
      sent.bytes = BatchBuilder.close(sent.batch.builder, { ...wanted, isTransactional })
    } else if (sent.sequence !== request.sequence || sent.epoch !== request.epoch || sent.id !== request.producerId) {
      sent.bytes = BatchHeader.withProducerState(sent.bytes, wanted)
    }
    sent.sequence = request.sequence
    sent.epoch = request.epoch
    sent.id = request.producerId
    return sent.bytes
  }

  /** Does what a turn of the core on a partition says. */
  const perform = (
    state: State,
    [next, outputs]: Producer.Step,
    request?: ProduceRequest,
    isExpired = false
  ): void => {
    producer = next
    for (const output of outputs) {
      if (output._tag === "Decided") {
        decide(state, output.outcome, isExpired)
      } else if (request !== undefined) {
        const bytes = stamp(state, output.request)
        request.entries.push({ state, batch: output.request.batch, connection: output.request.connection, bytes })
        request.bytes += bytes.length
        state.node = request.node
      }
    }
    if (coreOf(state).batches.size > 0) active.add(state.partition.index)
    else active.delete(state.partition.index)
  }

  const coreOf = ({ partition }: State): CoreSender.Sender => producer.senders[partition.index]!

  /** Takes a turn of the core that concerns a partition. */
  const take = (state: State, input: Producer.Input, isExpired = false): void => {
    const next = Producer.step(sender, producer, input)
    if (next !== undefined) perform(state, next, undefined, isExpired)
  }

  /** A batch came back: it waits before it is sent again, or its partition is given up. */
  const afterAnswer = (state: State, queued: number, error: Errors.Error, now: number): void => {
    const { batches, epochBump, queue } = coreOf(state)
    if (queue.length > queued) {
      const { attempts, id } = batches.get(queue[0]!)!
      state.retryAt = now + Math.ceil(Backoff.delayOf(backoff, attempts, random.nextDoubleUnsafe()))
      count(ProducerMetrics.recordsRetried, state.sent.get(id)!.batch.builder.count)
    }
    // What would be a new epoch without transactions is the failure of a batch with them.
    if (transactions !== undefined && epochBump && !transactions.isBroken(state.partition)) {
      transactions.failed(state.partition, error)
    }
    if (Errors.isInvalidMetadata(error)) invalidate()
  }

  /** Answers go to the core in the order of the requests. */
  const hear = (state: State, now: number): void => {
    for (;;) {
      const { inFlight, queue } = coreOf(state)
      const response = state.answers.get(inFlight[0] ?? Sequence.none)
      if (response === undefined) return
      state.answers.delete(response.batch)
      take(state, { _tag: "ReceiveResponse", partition: state.partition.index, response })
      afterAnswer(state, queue.length, response.error, now)
    }
  }

  const disconnected = (node: NodeId, connection: Connection, now: number): void => {
    connection.ended += 1
    connection.inFlight = 0
    invalidate()
    for (const index of active) {
      const state = states[index]!
      const { inFlight, queue } = coreOf(state)
      if (state.node !== node || inFlight.length === 0) continue
      state.answers.clear()
      take(state, { _tag: "Disconnect", partition: index })
      afterAnswer(state, queue.length, "NETWORK_EXCEPTION", now)
    }
  }

  const connectionTo = (node: NodeId): Connection => {
    const known = connections.get(node)
    if (known !== undefined) return known
    const connection = { inFlight: 0, ended: 0 }
    connections.set(node, connection)
    return connection
  }

  const receive = ({ exit, request: { connection: number, entries, node } }: Answered, now: number): void => {
    const connection = connectionTo(node)
    if (connection.ended !== number) return
    connection.inFlight -= 1
    if (Exit.isFailure(exit)) return disconnected(node, connection, now)
    for (const { batch, connection: sentOn, state } of entries) {
      const { partition, topic } = state.partition
      if (acks === 0 || coreOf(state).connection !== sentOn) continue
      const result = exit.value.results.find((found) => found.partition === partition && found.topic === topic)
      state.answers.set(batch, {
        batch,
        error: result?.error ?? "UNKNOWN_SERVER_ERROR",
        offset: result?.baseOffset ?? Sequence.none
      })
      hear(state, now)
    }
  }

  const failUnsent = (error: RecordError): void => {
    for (const index of accumulator.waiting()) {
      while (accumulator.queued(index) > 0) fail(accumulator.take(index), error)
    }
  }

  /** Nothing that was sent is waited for any more. */
  const renew = (identity: CoreSender.Identity): void => {
    producer = Producer.renew(producer, identity)
    for (const { answers } of states) answers.clear()
    active.clear()
  }

  const stop = (error: FatalError): void => {
    failUnsent(error)
    for (const index of active) {
      const { sent } = states[index]!
      for (const { batch } of sent.values()) fail(batch, error)
      sent.clear()
    }
    renew(producer.identity)
  }

  /** Gives up what a transaction that is to be aborted does not need. */
  const abandon = (manager: TransactionManager): void => {
    failUnsent(manager.failure() ?? new TransactionAborted())
    for (const index of active) {
      const state = states[index]!
      if (!manager.isBroken(state.partition)) continue
      const [next, batches] = Producer.abandon(producer, index)
      const error = manager.failure() ?? new TransactionAborted()
      for (const id of batches) {
        fail(state.sent.get(id)!.batch, error)
        state.sent.delete(id)
      }
      perform(state, [next, []])
    }
  }

  const askIdentity = Effect.gen(function*() {
    for (let attempts = 1;; attempts++) {
      const { error, producerEpoch, producerId } = yield* cluster.askAny("InitProducerId", {
        transactionalId: undefined,
        transactionTimeoutMs: config["transaction.timeout.ms"],
        producerId: Sequence.none,
        producerEpoch: Sequence.none,
        version
      }).pipe(Effect.orElseSucceed(() => noAnswer))
      if (error === "NONE") given = { id: producerId, epoch: producerEpoch }
      else if (!Errors.isRetriable(error)) fatal = ProducerErrors.fatal(error)
      if (given !== undefined || fatal !== undefined) break
      yield* Effect.sleep(yield* Backoff.delay(backoff, attempts))
    }
    isAsking = false
    tasks.wake()
  })

  const hasIdentity = (): boolean => producer.identity.id !== Sequence.none

  /** KIP-360: the producer raises its epoch by itself, and asks for a new producer id when there are no more epochs. */
  const identify = (): void => {
    for (let partition = 0; partition < states.length; partition++) {
      if (producer.senders[partition]!.unresolved !== Sequence.none) {
        take(states[partition]!, { _tag: "ResolveSequences", partition })
      }
    }
    const isNeeded = !hasIdentity()
      || (Producer.isEpochBumpDue(sender, producer) && Producer.isExhausted(sender, producer))
    if (given === undefined && isNeeded) {
      if (!isAsking) tasks.start(askIdentity)
      isAsking = true
      return
    }
    if (!hasIdentity()) renew(given!)
    const bump = Producer.step(sender, producer, { _tag: "BumpEpoch", ...(given === undefined ? {} : given) })
    if (bump !== undefined) producer = bump[0]
    given = undefined
  }

  const follow = (manager: TransactionManager): void => {
    const identity = manager.identity()
    const { epoch, id } = producer.identity
    if (identity !== undefined && (identity.id !== id || identity.epoch !== epoch)) renew(identity)
  }

  /** `delivery.timeout.ms`. */
  const expire = (now: number): void => {
    for (const index of active) {
      const state = states[index]!
      const isDue = ({ id }: CoreSender.Batch): boolean => state.sent.get(id)!.batch.created + deliveryTimeout <= now
      for (;;) {
        // What was behind it may be next.
        const due = Producer.expirable(coreOf(state)).find(isDue)
        if (due === undefined) break
        take(state, { _tag: "ExpireBatch", partition: index, batch: due.id }, true)
      }
    }
    for (const index of accumulator.waiting()) {
      while (accumulator.expiresAt(index) <= now) {
        transactions?.refused("REQUEST_TIMED_OUT")
        fail(accumulator.take(index), transactions?.failure() ?? timeout)
      }
    }
  }

  /** Sends the first batch that waits for the first time. It goes to the core only if the core sends it at once. */
  const sendFirst = (state: State, request: ProduceRequest): void => {
    const { index } = state.partition
    const batch = accumulator.peek(index)!
    const id = state.last + 1
    const queued = Producer.enqueue(producer, index, id, recordsOf(batch.builder.count))
    const next = Producer.step(sender, queued, { _tag: "Send", partition: index, leader: request.node })
    if (next === undefined || transactions?.sending(state.partition) === false) return
    state.last = id
    state.sent.set(id, { batch: accumulator.take(index), bytes: undefined, id: 0, epoch: 0, sequence: 0 })
    perform(state, next, request)
  }

  /** The bytes that the partition would send now; `undefined` for nothing. */
  const sizeOfNext = (state: State, now: number): number | undefined => {
    const { index } = state.partition
    const [retried] = coreOf(state).queue
    if (retried !== undefined) return now >= state.retryAt ? state.sent.get(retried)!.bytes!.length : undefined
    return accumulator.readyAt(index) <= now ? BatchBuilder.size(accumulator.peek(index)!.builder) : undefined
  }

  /** Where the partition's batches may go now. */
  const nodeOf = (state: State): NodeId | undefined => {
    const { leader } = state.partition
    if (leader === undefined) invalidate()
    return coreOf(state).inFlight.length === 0 || state.node === leader ? leader : undefined
  }

  /** One batch of each partition that may send, in one request to each node; whether there was any. */
  const sendRound = (now: number): boolean => {
    const requests = new Map<NodeId, ProduceRequest>()
    const candidates = [...new Set([...active, ...accumulator.waiting()])]
    for (let i = 0; i < candidates.length; i++) {
      const state = states[candidates[(rounds + i) % candidates.length]!]!
      const size = sizeOfNext(state, now)
      const node = size === undefined ? undefined : nodeOf(state)
      if (size === undefined || node === undefined) continue
      const connection = connectionTo(node)
      if (connection.inFlight >= maxInFlight) continue
      const request = requests.get(node) ?? { node, connection: connection.ended, entries: [], bytes: 0 }
      if (request.entries.length > 0 && request.bytes + size > config["max.request.size"]) continue
      if (coreOf(state).queue.length === 0) {
        sendFirst(state, request)
      } else {
        const next = Producer.step(sender, producer, { _tag: "Resend", partition: state.partition.index, leader: node })
        if (next !== undefined) perform(state, next, request)
      }
      if (request.entries.length > 0) requests.set(node, request)
    }
    rounds += 1
    for (const request of requests.values()) dispatch(request)
    return requests.size > 0
  }

  const dispatch = (request: ProduceRequest): void => {
    const { bytes, entries, node } = request
    connectionTo(node).inFlight += 1
    count(ProducerMetrics.requests, 1)
    count(ProducerMetrics.bytesSent, bytes)
    const batches = entries.map(({ bytes: batch, state: { partition: { partition, topic } } }) => ({
      topic,
      partition,
      batch
    }))
    tasks.start(
      cluster.ask(node, "Produce", { acks, transactionalId, version, batches }).pipe(
        Effect.withSpan("Produce", { kind: "client", attributes: { node, batches: batches.length, bytes } }),
        Effect.exit,
        Effect.map((exit) => {
          answered.push({ request, exit })
          tasks.wake()
        })
      )
    )
  }

  /** The earliest time at which there is something to do although nothing has happened. */
  const nextDeadline = (now: number): number => {
    let earliest = Infinity
    const consider = (deadline: number): void => {
      if (deadline > now && deadline < earliest) earliest = deadline
    }
    for (const index of active) {
      const state = states[index]!
      const core = coreOf(state)
      if (core.queue.length > 0) consider(state.retryAt)
      for (const { id } of Producer.expirable(core)) consider(state.sent.get(id)!.batch.created + deliveryTimeout)
    }
    for (const index of accumulator.waiting()) {
      consider(accumulator.readyAt(index))
      consider(accumulator.expiresAt(index))
    }
    return earliest
  }

  const setAlarm = (now: number): void => {
    const deadline = nextDeadline(now)
    if (deadline >= wakeAt) return
    wakeAt = deadline
    tasks.start(
      Effect.sleep(deadline - now).pipe(Effect.map(() => {
        if (wakeAt === deadline) wakeAt = Infinity
        tasks.wake()
      }))
    )
  }

  const turn = (): void => {
    const now = clock.currentTimeMillisUnsafe()
    const received = answered
    answered = []
    for (const one of received) receive(one, now)
    expire(now)
    if (transactions !== undefined) follow(transactions)
    else if (idempotence && fatal === undefined) identify()
    const stopped = failure()
    if (stopped !== undefined) stop(stopped)
    else if (transactions?.isDoomed() === true) abandon(transactions)
    accumulator.rush(flushes > 0 || transactions?.isEnding() === true)
    while (stopped === undefined && (hasIdentity() || !idempotence) && sendRound(now));
    transactions?.advance(incomplete.size)
    updateMetrics()
    setAlarm(now)
    const told = outcomes
    outcomes = []
    for (const tell of told) tell()
  }

  return {
    addPartition: (partition) => {
      producer = Producer.addPartition(producer)
      accumulator.addPartition()
      states.push({ partition, sent: new Map(), answers: new Map(), last: 0, node: undefined, retryAt: 0 })
    },
    began: (batch) => {
      incomplete.add(batch)
    },
    failure,
    flush: Effect.suspend(() => {
      flushes += 1
      tasks.wake()
      return Effect.forEach([...incomplete], ({ outcome }) => Effect.exit(outcome), {
        discard: true
      }).pipe(Effect.ensuring(Effect.sync(() => {
        flushes -= 1
      })))
    }),
    run: tasks.run(turn)
  }
}
