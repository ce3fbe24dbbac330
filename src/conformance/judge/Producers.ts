/**
 * The producers' side of a history: what they send and what becomes of their transactions, checked for contradictions and
 * entered in the ledger.
 */
import type { Instance, Instances } from "../transactions/Instances.ts"
import type * as Format from "./Format.ts"
import type { Groups } from "./Groups.ts"
import type { Ledger } from "./Ledger.ts"
import { none, outcomes } from "./Ledger.ts"

type Of<Operation extends Format.Event["operation"]> = Extract<Format.Event, { readonly operation: Operation }>

type TransactionEvent = Of<"begin" | "commit" | "abort">

/** An event of a producer. */
export type ProducerEvent = Of<"send" | "initTransactions" | "begin" | "commit" | "abort" | "sendOffsets">

/** One instance of a client that was heard of. */
interface Producer {
  /** The instance of its transactional id that it is, and what it called to become one. */
  instance: Instance
  transactionalId: string | undefined
  initializing: number
  /** The latest transaction. */
  transaction: number
  /** The call about a transaction that is under way. */
  calling: ProducerEvent["operation"] | undefined
}

export interface Producers {
  /** Takes the event of a line, and answers with the contradiction to the lines before it, if there is one. */
  readonly take: (event: ProducerEvent, line: number) => string | undefined
  /** When the instance's `initTransactions()` returned. */
  readonly initializedLine: (instance: Instance) => number
  /** Whether a transactional id had instances of several processes. */
  readonly areSeveral: () => boolean
}

/** What the call's end says. */
export const outcomeOf = (type: "ok" | "fail" | "info"): number =>
  type === "ok" ? outcomes.ok : type === "fail" ? outcomes.failed : outcomes.unknown

const beforehand = "the invoke line stands before the call is made"

/** Starts without producers. */
export const make = (ledger: Ledger, instances: Instances, groups: Groups): Producers => {
  const producers: Array<Producer> = []
  const transactionalIds = new Map<string, number>()
  const lastProcess: Array<number> = []
  let areSeveral = false
  const initializedLines: Array<number> = []

  const producerNumbered = (process: number): Producer =>
    producers[process] ??= {
      instance: none,
      transactionalId: undefined,
      initializing: none,
      transaction: none,
      calling: undefined
    }

  const fencerOf = ({ instance }: Producer): Instance => instance === none ? none : instances.fencerOf(instance)

  /** The open transaction of this name, or why there is none. */
  const openTransaction = (process: number, name: Format.Id): number | string => {
    const transaction = ledger.transactions.get(name)
    if (transaction === undefined) return `transaction ${JSON.stringify(name)} was not begun`
    if (ledger.transactionProcess.at(transaction) !== process) {
      return `${ledger.tellTransaction(transaction)} was begun by another process`
    }
    return ledger.endCalled.at(transaction) === none
      ? transaction
      : `commit or abort of ${ledger.tellTransaction(transaction)} was called before`
  }

  const sendInvoked = (event: Extract<Of<"send">, { readonly type: "invoke" }>, line: number): string | undefined => {
    const process = ledger.processes.number(event.process)
    const known = ledger.records.get(event.record)
    if (known !== undefined && pendingSend(process, known) !== none) {
      return `${ledger.tellRecord(known)} is sent again before the outcome of its last send`
    }
    const transaction = event.transaction === undefined ? none : openTransaction(process, event.transaction)
    if (typeof transaction === "string") return transaction
    const send = ledger.send({
      record: known ?? ledger.records.add(event.record),
      process,
      topic: event.topic,
      partition: event.partition,
      transaction,
      fencer: fencerOf(producerNumbered(process)),
      line
    })
    if (event.input !== undefined) groups.madeOf(event.input, send)
    return undefined
  }

  /** The latest send of a record by a process whose outcome was not told, or `none`. */
  const pendingSend = (process: number, record: number): number => {
    for (const send of ledger.sendsOf(record)) {
      if (ledger.processOf.at(send) === process) return ledger.outcomeLine.at(send) === none ? send : none
    }
    return none
  }

  const sendEnded = (event: Exclude<Of<"send">, { readonly type: "invoke" }>, line: number): string | undefined => {
    const record = ledger.records.get(event.record)
    const send = record === undefined ? none : pendingSend(ledger.processes.number(event.process), record)
    if (send === none) {
      return `no send of record ${JSON.stringify(event.record)} by this process is under way; ${beforehand}`
    }
    if (event.topic !== undefined && event.topic !== ledger.topicOf(send)) {
      return `${ledger.tellRecord(record!)} was sent to topic ${ledger.topicOf(send)}`
    }
    if (event.partition !== undefined) {
      const partition = ledger.partition(ledger.topicOf(send), event.partition)
      const chosen = ledger.partitionOf(send)
      if (chosen !== none && chosen !== partition) {
        return `${ledger.tellRecord(record!)} was sent to ${ledger.partitions[chosen]!.name}`
      }
      ledger.setPartition(send, partition)
    }
    ledger.outcomeLine.set(send, line)
    ledger.outcomeOf.set(send, outcomeOf(event.type))
    if (event.type !== "ok" || event.offset === undefined) return undefined
    if (ledger.partitionOf(send) === none) return "an offset without a partition; neither its invoke line has one"
    ledger.acknowledgedAt.set(send, event.offset)
    return undefined
  }

  const initTransactions = (event: Of<"initTransactions">, line: number): string | undefined => {
    const process = ledger.processes.number(event.process)
    const producer = producerNumbered(process)
    const { transactionalId: id } = event
    if (producer.transactionalId !== undefined && producer.transactionalId !== id) {
      return `this process has the transactional id ${producer.transactionalId}; another producer is another process`
    }
    if (event.type === "invoke") {
      producer.transactionalId = id
      producer.initializing = line
      return undefined
    }
    if (producer.initializing === none) return `initTransactions of this process is not under way; ${beforehand}`
    if (event.type === "ok") {
      const number = transactionalIds.get(id) ?? transactionalIds.size
      transactionalIds.set(id, number)
      producer.instance = instances.add(process, number, producer.initializing, line)
      initializedLines[producer.instance] = line
      if ((lastProcess[number] ?? process) !== process) areSeveral = true
      lastProcess[number] = process
    }
    producer.initializing = none
    return undefined
  }

  const begin = (event: TransactionEvent, process: number): string | undefined => {
    const producer = producerNumbered(process)
    const { transaction: before } = producer
    if (ledger.transactions.get(event.transaction) !== undefined) {
      return `transaction ${JSON.stringify(event.transaction)} was begun before; every transaction has its own name`
    }
    if (before !== none && ledger.endCalled.at(before) === none) {
      return `${
        ledger.tellTransaction(before)
      } of this process is still open; a client that starts again is another process`
    }
    producer.transaction = ledger.begin(event.transaction, process, producer.instance)
    return undefined
  }

  /** Where a transaction that was to be committed cannot be told about again. */
  const endInvoked = (event: TransactionEvent, process: number, line: number): string | undefined => {
    const transaction = ledger.transactions.get(event.transaction)
    const isRepeated = transaction !== undefined && ledger.transactionProcess.at(transaction) === process
      && ledger.endCalled.at(transaction) !== none
    if (!isRepeated) {
      const open = openTransaction(process, event.transaction)
      if (typeof open === "string") return open
    }
    const number = transaction!
    if (event.operation === "commit") {
      if (ledger.commitCalled.at(number) === none) {
        if (isRepeated) return `abort of ${ledger.tellTransaction(number)} was called before`
        ledger.commitCalled.set(number, line)
        // Only who has something to commit must be refused.
        if (ledger.lastSendInTransaction.at(number) !== none || groups.areIn(number)) {
          ledger.commitFencer.set(number, fencerOf(producerNumbered(process)))
        }
      } else if (ledger.commitOutcome.at(number) === outcomes.failed) {
        ledger.commitOutcome.set(number, outcomes.unknown)
      }
    }
    if (!isRepeated) ledger.endCalled.set(number, line)
    return undefined
  }

  const committed = (transaction: number, event: TransactionEvent, line: number): void => {
    const before = ledger.commitOutcome.at(transaction)
    const isFirst = ledger.commitOutcomeLine.at(transaction) === none
    const outcome = event.type === "invoke" ? outcomes.unknown : outcomeOf(event.type)
    if (before === outcomes.ok) return
    // A second commit that fails says nothing of a first whose outcome is unknown.
    if (outcome === outcomes.failed && !isFirst && before === outcomes.unknown) return
    ledger.commitOutcome.set(transaction, outcome)
    ledger.commitOutcomeLine.set(transaction, line)
  }

  const ofTransaction = (
    event: TransactionEvent | Of<"sendOffsets">,
    line: number
  ): string | undefined => {
    const process = ledger.processes.number(event.process)
    const producer = producerNumbered(process)
    if (event.type === "invoke") {
      if (producer.calling !== undefined) {
        return `${producer.calling} of this process is still under way; a client that starts again is another process`
      }
      const contradiction = invoked(event, process, producer, line)
      if (contradiction === undefined) producer.calling = event.operation
      return contradiction
    }
    const { transaction } = producer
    if (producer.calling !== event.operation || ledger.transactions.get(event.transaction) !== transaction) {
      const name = JSON.stringify(event.transaction)
      return `no ${event.operation} of transaction ${name} by this process is under way; ${beforehand}`
    }
    producer.calling = undefined
    if (event.operation === "commit") committed(transaction, event, line)
    if (event.operation === "sendOffsets") groups.ended(process, undefined, outcomeOf(event.type), line)
    return undefined
  }

  const invoked = (
    event: Extract<TransactionEvent | Of<"sendOffsets">, { readonly type: "invoke" }>,
    process: number,
    producer: Producer,
    line: number
  ): string | undefined => {
    if (event.operation === "begin") return begin(event, process)
    if (event.operation !== "sendOffsets") return endInvoked(event, process, line)
    const transaction = openTransaction(process, event.transaction)
    if (typeof transaction === "string") return transaction
    groups.handOver(event, { process, transaction, fencer: fencerOf(producer), line })
    return undefined
  }

  return {
    take: (event, line) => {
      switch (event.operation) {
        case "send":
          return event.type === "invoke" ? sendInvoked(event, line) : sendEnded(event, line)
        case "initTransactions":
          return initTransactions(event, line)
        default:
          return ofTransaction(event, line)
      }
    },
    initializedLine: (instance) => initializedLines[instance] ?? none,
    areSeveral: () => areSeveral
  }
}
