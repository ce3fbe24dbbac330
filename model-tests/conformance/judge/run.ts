/**
 * A run of Kafka that keeps every promise, as its clients see it: the smallest cluster that can produce the histories that
 * the judge must find nothing wrong with.
 *
 * It has plain producers, transactions that are committed, aborted and lost, instances that take the place of others, a
 * group whose offset goes with the outputs, and consumers of both isolation levels; outcomes are unknown in all places.
 */
import type * as Format from "../../../src/conformance/judge/Format.ts"
import { randomNumbers } from "../../../src/runtime/Simulation.ts"

export interface Options {
  /** Records that are handed to producers; those that zombies hand over come on top. */
  readonly sends: number
  readonly seed: number
  readonly partitions: number
  readonly applications: number
  /** Whether the logs are dumped in the end. */
  readonly dump: boolean
  /** How many sends lie between two rounds of polls. */
  readonly pollInterval: number
}

/** The topics: what the group reads, and what is written. */
const INPUT = "inputs"
const OUTPUT = "orders"
const GROUP = "billing"

interface Transaction {
  readonly name: number
  readonly producerId: number
  readonly partitions: Set<Partition>
  fate: "open" | "committed" | "aborted"
}

interface Entry {
  readonly offset: number
  readonly record: number | undefined
  readonly transaction: Transaction | undefined
  readonly control?: "commit" | "abort"
}

interface Partition {
  readonly number: number
  /** What not all consumers have read yet, and with a dump everything. */
  readonly entries: Array<Entry>
  next: number
}

interface Consumer {
  readonly process: string
  readonly isolation: Format.Isolation
  readonly partitions: ReadonlyArray<Partition>
  /** By partition. */
  readonly positions: Array<number>
}

interface Application {
  readonly number: number
  incarnation: number
  process: string
  open: Transaction | undefined
  /** The records and the offset of the group that the open transaction has. */
  inputs: number
}

/** The events of a run; the same options give the same run. */
export function* generate(options: Options): Generator<Format.Event, void> {
  const next = randomNumbers(options.seed)
  const random = (bound: number): number => Math.floor(next() * bound)
  const partitions = Array.from(
    { length: options.partitions },
    (_, number): Partition => ({ number, entries: [], next: 0 })
  )
  const consumer = (process: string, isolation: Format.Isolation, own: ReadonlyArray<Partition>): Consumer => ({
    process,
    isolation,
    partitions: own,
    positions: partitions.map(() => 0)
  })
  const consumers = [
    consumer("committed-1", "read_committed", partitions),
    consumer("committed-2", "read_committed", partitions.filter(({ number }) => number % 2 === 0)),
    consumer("uncommitted", "read_uncommitted", partitions)
  ]
  const applications = Array.from({ length: options.applications }, (_, number): Application => ({
    number,
    incarnation: 0,
    process: `application-${number}-0`,
    open: undefined,
    inputs: 0
  }))
  let records = 0
  let transactions = 0
  /** How far the group has come. */
  let groupOffset = 0

  const append = (partition: Partition, record: number | undefined, transaction?: Transaction): number => {
    transaction?.partitions.add(partition)
    partition.entries.push({ offset: partition.next, record, transaction })
    return partition.next++
  }

  /** The coordinator decides, and writes the markers. */
  const decide = (transaction: Transaction, fate: "committed" | "aborted"): void => {
    transaction.fate = fate
    const control = fate === "committed" ? "commit" : "abort"
    for (const partition of transaction.partitions) {
      partition.entries.push({ offset: partition.next++, record: undefined, transaction, control })
    }
  }

  const isStable = ({ transaction }: Entry): boolean => transaction === undefined || transaction.fate !== "open"

  const isShown = ({ record, transaction }: Entry, isolation: Format.Isolation): boolean =>
    record !== undefined && (isolation === "read_uncommitted" || transaction?.fate !== "aborted")

  function* poll({ isolation, partitions: own, positions, process }: Consumer): Generator<Format.Event, void> {
    const given: Array<{ topic: string; partition: number; offset: number; record: number }> = []
    const reached: Array<Format.Position> = []
    for (const { entries, number } of own) {
      let position = positions[number]!
      const from = entries.length === 0 ? 0 : position - entries[0]!.offset
      for (let index = Math.max(from, 0); index < entries.length; index++) {
        const entry = entries[index]!
        if (isolation === "read_committed" && !isStable(entry)) break
        position = entry.offset + 1
        if (isShown(entry, isolation)) {
          given.push({ topic: OUTPUT, partition: number, offset: entry.offset, record: entry.record! })
        }
      }
      if (position === positions[number]) continue
      positions[number] = position
      reached.push({ topic: OUTPUT, partition: number, offset: position })
    }
    if (reached.length > 0) {
      yield { type: "ok", process, operation: "poll", isolation, records: given, positions: reached }
    }
  }

  function* pollAll(): Generator<Format.Event, void> {
    for (const one of consumers) yield* poll(one)
    if (options.dump) return
    for (const { entries, number } of partitions) {
      const read = Math.min(
        ...consumers.filter((one) => one.partitions.some((own) => own.number === number))
          .map(({ positions }) => positions[number]!)
      )
      entries.splice(0, entries.findIndex(({ offset }) => offset >= read) >>> 0)
    }
  }

  function* initialize(application: Application): Generator<Format.Event, void> {
    const { number, process } = application
    const call = { process, operation: "initTransactions", transactionalId: `id-${number}` } as const
    yield { type: "invoke", ...call }
    yield { type: "ok", ...call }
    if (number > 0) return
    const offsets = groupOffset === 0 ? [] : [{ topic: INPUT, partition: 0, offset: groupOffset }]
    yield { type: "invoke", process, operation: "fetchOffsets" }
    yield { type: "ok", process, operation: "fetchOffsets", group: GROUP, offsets }
  }

  function* send(
    process: string,
    luck: number,
    transaction?: Transaction,
    input?: number
  ): Generator<Format.Event, void> {
    const record = records++
    const partition = partitions[random(partitions.length)]!
    const call = {
      process,
      operation: "send",
      record,
      ...(transaction === undefined ? {} : { transaction: transaction.name })
    } as const
    const from = { group: GROUP, topic: INPUT, partition: 0, offset: input ?? 0 }
    yield {
      type: "invoke",
      ...call,
      topic: OUTPUT,
      ...(luck % 2 === 0 ? { partition: partition.number } : {}),
      ...(input === undefined ? {} : { input: from })
    }
    if (luck === 1) return yield { type: "fail", ...call, error: "NOT_ENOUGH_REPLICAS" }
    if (luck === 2) return yield { type: "info", ...call, error: "timeout" }
    const offset = append(partition, record, transaction)
    if (luck === 3) return yield { type: "info", ...call, error: "timeout" }
    if (luck === 4) return yield { type: "ok", ...call }
    yield { type: "ok", ...call, partition: partition.number, offset }
  }

  function* restart(application: Application): Generator<Format.Event, void> {
    application.process = `application-${application.number}-${++application.incarnation}`
    application.open = undefined
    yield* initialize(application)
  }

  function* begin(application: Application): Generator<Format.Event, void> {
    const transaction: Transaction = {
      name: transactions++,
      producerId: application.number,
      partitions: new Set(),
      fate: "open"
    }
    application.open = transaction
    application.inputs = 0
    const call = { process: application.process, operation: "begin", transaction: transaction.name } as const
    yield { type: "invoke", ...call }
    yield { type: "ok", ...call }
  }

  function* end(application: Application, luck: number): Generator<Format.Event, void> {
    const { inputs, number, open: transaction, process } = application
    if (transaction === undefined) return
    const call = { process, transaction: transaction.name }
    if (luck === 0) {
      yield { type: "invoke", operation: "abort", ...call }
      decide(transaction, "aborted")
      application.open = undefined
      return yield { type: "ok", operation: "abort", ...call }
    }
    const isGroup = number === 0 && inputs > 0
    if (isGroup) {
      const offsets = [{ topic: INPUT, partition: 0, offset: groupOffset + inputs }]
      yield { type: "invoke", operation: "sendOffsets", ...call, group: GROUP, offsets }
      yield { type: "ok", operation: "sendOffsets", ...call }
    }
    yield { type: "invoke", operation: "commit", ...call }
    const fate = luck === 1 ? "aborted" : "committed"
    decide(transaction, fate)
    if (isGroup && fate === "committed") groupOffset += inputs
    application.open = undefined
    if (luck > 2) return yield { type: "ok", operation: "commit", ...call }
    yield { type: "info", operation: "commit", ...call, error: "timeout" }
    yield* restart(application)
  }

  /** Another instance takes over: what is open is aborted, and what the old one still does is in vain. */
  function* takeOver(application: Application): Generator<Format.Event, void> {
    const { open: transaction, process } = application
    if (transaction === undefined) return
    decide(transaction, "aborted")
    yield* restart(application)
    yield* send(process, 1, transaction)
    const call = { process, operation: "commit", transaction: transaction.name } as const
    yield { type: "invoke", ...call }
    yield { type: "fail", ...call, error: "PRODUCER_FENCED" }
  }

  for (const { partitions: own, process } of consumers) {
    const assigned = own.map(({ number }) => ({ topic: OUTPUT, partition: number, offset: 0 }))
    yield { type: "ok", process, operation: "assign", partitions: assigned }
  }
  for (const application of applications) yield* initialize(application)
  for (let sent = 0; sent < options.sends; sent++) {
    if (random(options.pollInterval) === 0) yield* pollAll()
    const luck = random(64)
    if (random(4) === 0) {
      yield* send(`producer-${random(4)}`, luck)
      continue
    }
    const application = applications[random(applications.length)]!
    if (application.open !== undefined && random(100) === 0) {
      yield* takeOver(application)
      continue
    }
    if (application.open === undefined) yield* begin(application)
    const input = application.number === 0 ? groupOffset + application.inputs++ : undefined
    // A commit waits for every send, and is not called when one of them has failed.
    yield* send(application.process, luck === 1 || luck === 2 ? 5 : luck, application.open, input)
    if (random(4) === 0) yield* end(application, random(20))
  }
  for (const application of applications) yield* end(application, 3)
  yield* pollAll()
  for (const { isolation, partitions: own, process } of consumers) {
    const positions = own.map(({ next: offset, number }) => ({ topic: OUTPUT, partition: number, offset }))
    yield { type: "ok", process, operation: "caughtUp", isolation, positions }
  }
  yield* initialize(applications[0]!)
  if (!options.dump) return
  for (const { entries, next: to, number } of partitions) {
    const dumped = entries.map(({ control, offset, record, transaction }) =>
      control === undefined
        ? { offset, record: record!, ...(transaction === undefined ? {} : { producerId: transaction.producerId }) }
        : { offset, control, producerId: transaction!.producerId }
    )
    yield { type: "ok", operation: "log", topic: OUTPUT, partition: number, from: 0, to, entries: dumped }
  }
}
