/**
 * What a history has told so far of every send, record, transaction and partition; all are numbered in the order in which
 * they came up, and columns hold what is known of them. It judges nothing. A line that was not written is `none`.
 */
import { Column, Numbering } from "../Columns.ts"
import type * as Format from "./Format.ts"
import { Names } from "./Names.ts"

/** In place of a number that there is not. */
export const none = -1

/** How a call ended, as far as anybody knows. */
export const outcomes = { unknown: 0, ok: 1, failed: 2 } as const

/** Who looked at a log. */
export const views = { read_committed: 0, read_uncommitted: 1, log: 2 } as const

/** What a dump says of a transactional record. */
export const decisions = { none: 0, committed: 1, aborted: 2 } as const

/** A stretch of a partition that one observer looked at, and what it found there. */
export class View {
  /** By stretch: the offsets from and up to, the line that tells it, and the line that told where it begins. */
  readonly from = new Column()
  readonly to = new Column()
  readonly line = new Column()
  readonly startLine = new Column()
  readonly firstRead = new Column()
  /** The entries that were found, stretch by stretch. */
  readonly reads = new Column()
  /** Where an observer at rest said that the partition ends; `none` before. */
  end = none
  endLine = none

  add(from: number, to: number, line: number, startLine: number, firstRead: number): void {
    this.from.push(from)
    this.to.push(to)
    this.line.push(line)
    this.startLine.push(startLine)
    this.firstRead.push(firstRead)
  }

  /** One behind the last read of a stretch. */
  readsEnd(stretch: number): number {
    return stretch + 1 < this.firstRead.length ? this.firstRead.at(stretch + 1) : this.reads.length
  }
}

export interface Partition {
  readonly topic: string
  readonly number: number
  /** Such as `orders-0`. */
  readonly name: string
  readonly views: readonly [committed: View, uncommitted: View, log: View]
  readonly offsets: Numbering
  /** By number of offset. */
  readonly entries: Column
}

/** A record that was handed to a producer. */
export interface Sending {
  readonly record: number
  readonly process: number
  readonly topic: string
  readonly partition: number | undefined
  /** `none` outside of transactions. */
  readonly transaction: number
  /** The instance that fences the sender already, or `none`. */
  readonly fencer: number
  readonly line: number
}

export class Ledger {
  readonly processes = new Names()
  readonly transactions = new Names()
  readonly records = new Names()
  readonly partitions: Array<Partition> = []

  /** By send. */
  readonly recordOf = new Column()
  readonly processOf = new Column()
  readonly transactionOf = new Column()
  readonly outcomeOf = new Column()
  /** The offset that the acknowledgement told, or `none`. */
  readonly acknowledgedAt = new Column()
  readonly sentLine = new Column()
  /** Where the outcome was told. */
  readonly outcomeLine = new Column()
  readonly sendFencer = new Column()
  /** The send of the same record before it, and of the same transaction. */
  readonly sendBefore = new Column()
  readonly sendInTransactionBefore = new Column()
  /** The partition; where it is not known, the topic as a negative number below `none`. */
  readonly #target = new Column()

  /** By record: its latest send and entry. */
  readonly lastSend = new Column()
  readonly lastEntry = new Column()

  /** By transaction. */
  readonly transactionProcess = new Column()
  readonly transactionInstance = new Column()
  readonly lastSendInTransaction = new Column()
  /** When commit, and commit or abort, was first called. */
  readonly commitCalled = new Column()
  readonly endCalled = new Column()
  readonly commitOutcome = new Column()
  readonly commitOutcomeLine = new Column()
  readonly commitFencer = new Column()

  /** By entry: what stands at one offset of one partition. */
  readonly entryPartition = new Column()
  readonly entryOffset = new Column()
  readonly entryRecord = new Column()
  readonly entryBefore = new Column()
  /** The first line that shows it, to readers of each isolation and in a dump; column by view. */
  readonly seenLine = [new Column(), new Column(), new Column()] as const
  readonly decision = new Column()
  readonly decisionLine = new Column()

  readonly #partitionsOfTopic = new Map<string, Array<number>>()
  readonly #topics = new Names()

  partition(topic: string, partition: number): number {
    let numbers = this.#partitionsOfTopic.get(topic)
    if (numbers === undefined) this.#partitionsOfTopic.set(topic, numbers = [])
    return numbers[partition] ??= this.partitions.push({
      topic,
      number: partition,
      name: `${topic}-${partition}`,
      views: [new View(), new View(), new View()],
      offsets: new Numbering(),
      entries: new Column()
    }) - 1
  }

  send({ fencer, line, partition, process, record, topic, transaction }: Sending): number {
    const number = this.recordOf.length
    if (record === this.lastSend.length) {
      this.lastSend.push(none)
      this.lastEntry.push(none)
    }
    this.recordOf.push(record)
    this.processOf.push(process)
    this.transactionOf.push(transaction)
    this.outcomeOf.push(outcomes.unknown)
    this.acknowledgedAt.push(none)
    this.sentLine.push(line)
    this.outcomeLine.push(none)
    this.sendFencer.push(fencer)
    this.sendBefore.push(this.lastSend.at(record))
    this.sendInTransactionBefore.push(transaction === none ? none : this.lastSendInTransaction.at(transaction))
    this.#target.push(partition === undefined ? -2 - this.#topics.number(topic) : this.partition(topic, partition))
    this.lastSend.set(record, number)
    if (transaction !== none) this.lastSendInTransaction.set(transaction, number)
    return number
  }

  /** The partition that a send is for, or `none` as long as nobody has told. */
  partitionOf(send: number): number {
    return Math.max(this.#target.at(send), none)
  }

  topicOf(send: number): string {
    const target = this.#target.at(send)
    return target < none ? this.#topics.at(-2 - target) as string : this.partitions[target]!.topic
  }

  setPartition(send: number, partition: number): void {
    this.#target.set(send, partition)
  }

  /** The sends of a record, the last one first. */
  *sendsOf(record: number): Generator<number, void> {
    for (let send = this.lastSend.at(record); send !== none; send = this.sendBefore.at(send)) yield send
  }

  /** The sends of a transaction, the last one first. */
  *sendsIn(transaction: number): Generator<number, void> {
    let send = this.lastSendInTransaction.at(transaction)
    for (; send !== none; send = this.sendInTransactionBefore.at(send)) yield send
  }

  begin(transaction: Format.Id, process: number, instance: number): number {
    this.transactionProcess.push(process)
    this.transactionInstance.push(instance)
    this.lastSendInTransaction.push(none)
    this.commitCalled.push(none)
    this.endCalled.push(none)
    this.commitOutcome.push(outcomes.unknown)
    this.commitOutcomeLine.push(none)
    this.commitFencer.push(none)
    return this.transactions.add(transaction)
  }

  /** What is known to stand at an offset, or `none`. */
  entryAt(partition: number, offset: number): number {
    const { entries, offsets } = this.partitions[partition]!
    const number = offsets.get(offset)
    return number === undefined ? none : entries.at(number)
  }

  enter(partition: number, offset: number, record: number): number {
    const { entries, offsets } = this.partitions[partition]!
    const entry = this.entryRecord.length
    offsets.add(offset)
    entries.push(entry)
    this.entryPartition.push(partition)
    this.entryOffset.push(offset)
    this.entryRecord.push(record)
    this.entryBefore.push(this.lastEntry.at(record))
    this.lastEntry.set(record, entry)
    for (const column of this.seenLine) column.push(none)
    this.decision.push(decisions.none)
    this.decisionLine.push(none)
    return entry
  }

  /** The entries of a record, the last one first. */
  *entriesOf(record: number): Generator<number, void> {
    for (let entry = this.lastEntry.at(record); entry !== none; entry = this.entryBefore.at(entry)) yield entry
  }

  /** The line that shows an entry first. */
  firstSeen(entry: number): number {
    let first = none
    for (const column of this.seenLine) {
      const line = column.at(entry)
      if (line !== none && (first === none || line < first)) first = line
    }
    return first
  }

  /** The lines that show that a stretch has the offset: where it begins, unless a record that was found tells, and it. */
  linesOf(view: View, stretch: number, offset: number): ReadonlyArray<number> {
    const { firstRead, line, reads, startLine } = view
    const first = firstRead.at(stretch)
    const isTold = first < view.readsEnd(stretch) && this.entryOffset.at(reads.at(first)) <= offset
    return isTold ? [line.at(stretch)] : [startLine.at(stretch), line.at(stretch)]
  }

  /** Such as `record 7`; names that are strings are quoted. */
  tellRecord(record: number): string {
    return `record ${JSON.stringify(this.records.at(record))}`
  }

  tellTransaction(transaction: number): string {
    return `transaction ${JSON.stringify(this.transactions.at(transaction))}`
  }

  tellProcess(process: number): string {
    return `process ${JSON.stringify(this.processes.at(process))}`
  }

  /** Such as `offset 3 of orders-0`. */
  tellOffset(partition: number, offset: number): string {
    return `offset ${offset} of ${this.partitions[partition]!.name}`
  }
}
