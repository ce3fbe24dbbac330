/**
 * Speed and memory of the checker of transactional histories on a correct run of a given size.
 *
 * It shows what judging costs, generating the history included; it says nothing about the cost of recording one.
 */
import type * as History from "../../src/conformance/transactions/History.ts"
import * as HistoryChecker from "../../src/conformance/transactions/HistoryChecker.ts"
import { randomNumbers } from "../../src/runtime/Simulation.ts"
import * as Judging from "./judging.ts"

interface Transaction {
  readonly name: History.Name
  fate: "open" | "committed" | "aborted"
}

interface Written {
  readonly offset: number
  readonly record: number
  readonly transaction: Transaction
}

interface Partition {
  readonly name: string
  readonly consumers: ReadonlyArray<number>
  /** Not yet read by read_committed consumers, and by read_uncommitted ones. */
  readonly undecided: Array<Written>
  readonly unread: Array<Written>
  nextOffset: number
}

/** A transactional id, two instances that take turns, and what the one that is on has open. */
interface Application {
  readonly id: number
  readonly instances: readonly [first: number, second: number]
  on: 0 | 1
  readonly begun: [number, number]
  open: { readonly transaction: Transaction; readonly touched: Set<Partition>; readonly input: number } | undefined
}

const PARTITIONS = 16
const APPLICATIONS = 8
const READ_BEHIND = 64

/** The reader of uncommitted records; the others have numbers above. */
const UNCOMMITTED = 0

/** The application that works for the group. */
const GROUP = 0

/**
 * A correct run of `operations` records in transactions of 8 applications over 16 partitions, read to the end.
 *
 * It has everything a correct run may have: aborts, crashes with and without effect, instances that are fenced and then
 * write in vain, a group whose offset goes with the outputs. The same arguments give the same events; memory does not grow
 * with `operations`.
 */
export function* generate(operations: number, seed: number): Generator<History.Event, void> {
  const next = randomNumbers(seed)
  const random = (bound: number): number => Math.floor(next() * bound)
  const partitions = Array.from({ length: PARTITIONS }, (_, number): Partition => ({
    name: `orders-${number}`,
    consumers: number % 2 === 0 ? [1] : [1, 2],
    undecided: [],
    unread: [],
    nextOffset: 0
  }))
  const applications = Array.from({ length: APPLICATIONS }, (_, number): Application => ({
    id: number + 1,
    instances: [2 * number + 1, 2 * number + 2],
    on: 0,
    begun: [0, 0],
    open: undefined
  }))
  let groupOffset = 0
  let generation = 0

  function* initialize(application: Application): Generator<History.Event, void> {
    const client = application.instances[application.on]
    yield { _tag: "Initializing", client }
    yield { _tag: "Initialized", client, transactionalId: application.id }
    if (application.id - 1 === GROUP) yield { _tag: "Joined", client, generation: ++generation, offset: groupOffset }
  }

  function* read(partition: Partition): Generator<History.Event, void> {
    const { consumers, name, undecided, unread } = partition
    for (const { offset, record } of unread) {
      yield { _tag: "Read", consumer: UNCOMMITTED, isolation: "read_uncommitted", partition: name, offset, record }
    }
    unread.length = 0
    let stable = 0
    while (stable < undecided.length && undecided[stable]!.transaction.fate !== "open") stable++
    for (const consumer of consumers) {
      for (const { offset, record, transaction } of undecided.slice(0, stable)) {
        if (transaction.fate !== "committed") continue
        yield { _tag: "Read", consumer, isolation: "read_committed", partition: name, offset, record }
      }
    }
    undecided.splice(0, stable)
  }

  /** The marker stands behind the records of the transaction. */
  const decide = (application: Application, fate: "committed" | "aborted"): void => {
    const { input, touched, transaction } = application.open!
    transaction.fate = fate
    for (const partition of touched) partition.nextOffset++
    if (fate === "committed" && input >= 0) groupOffset = input + 1
    application.open = undefined
  }

  function* end(application: Application): Generator<History.Event, void> {
    const { input, transaction: { name: transaction } } = application.open!
    const luck = random(100)
    if (luck < 3) {
      yield { _tag: "AbortCalled", transaction }
      decide(application, "aborted")
      return yield { _tag: "Aborted", transaction }
    }
    if (luck < 4) {
      decide(application, "aborted")
      yield { _tag: "Lost", transaction, reason: "crash" }
      return yield* initialize(application)
    }
    if (input >= 0) yield { _tag: "OffsetHandedOver", transaction, offset: input + 1 }
    yield { _tag: "CommitCalled", transaction }
    if (luck < 6) {
      decide(application, luck === 4 ? "committed" : "aborted")
      yield { _tag: "Lost", transaction, reason: luck === 4 ? "crash" : "timeout" }
      return yield* initialize(application)
    }
    decide(application, "committed")
    yield { _tag: "Committed", transaction }
  }

  function* begin(application: Application): Generator<History.Event, void> {
    const client = application.instances[application.on]
    const name = { client, number: ++application.begun[application.on] }
    const input = application.id - 1 === GROUP ? groupOffset : -1
    application.open = { transaction: { name, fate: "open" }, touched: new Set(), input }
    yield { _tag: "Began", transaction: name, input }
  }

  /** The other instance takes over; what the first one has open is aborted, and what it still does is in vain. */
  function* takeOver(application: Application, record: number): Generator<History.Event, void> {
    const zombie = application.open!.transaction.name
    decide(application, "aborted")
    application.on = application.on === 0 ? 1 : 0
    yield* initialize(application)
    yield { _tag: "HandedOver", transaction: zombie, partition: partitions[0]!.name, record }
    yield { _tag: "CommitCalled", transaction: zombie }
    yield { _tag: "Lost", transaction: zombie, reason: "fatal error" }
  }

  for (const application of applications) yield* initialize(application)
  for (let record = 0; record < operations; record++) {
    const application = applications[random(APPLICATIONS)]!
    if (application.open === undefined) yield* begin(application)
    if (random(500) === 0) {
      yield* takeOver(application, record)
      continue
    }
    const { touched, transaction } = application.open!
    const partition = partitions[random(PARTITIONS)]!
    touched.add(partition)
    yield { _tag: "HandedOver", transaction: transaction.name, partition: partition.name, record }
    const written: Written = { offset: partition.nextOffset++, record, transaction }
    partition.undecided.push(written)
    partition.unread.push(written)
    if (random(4) === 0) yield* end(application)
    if (random(READ_BEHIND) === 0) yield* read(partition)
  }
  for (const application of applications) if (application.open !== undefined) yield* end(application)
  for (const partition of partitions) {
    yield* read(partition)
    const { consumers, name, nextOffset: offset } = partition
    yield { _tag: "End", consumer: UNCOMMITTED, isolation: "read_uncommitted", partition: name, offset }
    for (const consumer of consumers) {
      yield { _tag: "End", consumer, isolation: "read_committed", partition: name, offset }
    }
  }
  yield { _tag: "GroupEnd", offset: groupOffset }
}

/** Judges a generated run of `operations` records; throws if the checker finds anything wrong with it. */
export const measure = (operations: number): Judging.Measurement =>
  Judging.measure(
    operations,
    generate(operations, 1),
    HistoryChecker.make,
    (verdict) =>
      verdict._tag === "Malformed" || HistoryChecker.properties.some((name) => verdict[name].value !== "holds")
        ? HistoryChecker.summarize(verdict)
        : undefined
  )
