/**
 * What a history has told so far of every partition, transaction and record; all are numbered in the order in which they
 * came up. It judges nothing.
 */
import { Column, Numbering } from "../Columns.ts"
import type { Name } from "./History.ts"

/** In place of a number that there is not. */
export const none = -1

/** What the application last called to end a transaction. */
export const intents = { none: 0, commit: 1, abort: 2 } as const

/** What the application was told of a transaction's end. */
export const outcomes = { open: 0, committed: 1, aborted: 2, lost: 3 } as const

/** A record that was handed over. */
export interface Handing {
  readonly id: number
  readonly partition: number
  readonly transaction: number
  /** The instance that fences the writer already, or `none`. */
  readonly fencer: number
}

export interface Partition {
  readonly name: string
  /** All that was handed over for it, in that order. */
  readonly records: Column
  /** How many records of committed transactions no read_committed consumer has read. */
  awaited: number
}

/** A whole number that is not negative. */
export const isId = (value: number): boolean => Number.isSafeInteger(value) && value >= 0

export class Ledger {
  readonly partitions: Array<Partition> = []

  /** By transaction. */
  readonly clientOf = new Column()
  readonly ordinalOf = new Column()
  readonly instanceOf = new Column()
  readonly inputOf = new Column()
  readonly intentOf = new Column()
  readonly outcomeOf = new Column()
  /** The first record that a read_committed consumer read, or `none`. */
  readonly visibleOf = new Column()
  /** A record that will never be read although a consumer has reached the end, or `none`. */
  readonly missingOf = new Column()
  /** The group's offset that is to be committed with it, or `none`; and when it was handed over. */
  readonly groupOffsetOf = new Column()
  readonly groupOffsetAt = new Column()
  /** The instance that fenced it when its commit was called, or `none`. */
  readonly fencerAtCommitOf = new Column()

  /** By record. */
  readonly idOf = new Column()
  readonly partitionOf = new Column()
  readonly transactionOf = new Column()
  readonly fencerOf = new Column()
  /** Where consumers of each isolation read it first, or `none`. */
  readonly committedAt = new Column()
  readonly uncommittedAt = new Column()
  /** 1 when it is in the log and was kept from a read_committed consumer that reached the end. */
  readonly isAborted = new Column()

  readonly #partitionNumbers = new Map<string, number>()
  readonly #numbers = new Numbering()
  readonly #lastOf = new Column()
  readonly #beforeOf = new Column()

  /** The number of the partition with this name, known or new. */
  partitionNumber(name: string): number {
    const known = this.#partitionNumbers.get(name)
    if (known !== undefined) return known
    this.#partitionNumbers.set(name, this.partitions.length)
    return this.partitions.push({ name, records: new Column(), awaited: 0 }) - 1
  }

  /** The number of the record with this id. */
  recordOf(id: number): number | undefined {
    return this.#numbers.get(id)
  }

  begin({ client, number }: Name, instance: number, input: number): number {
    this.clientOf.push(client)
    this.ordinalOf.push(number)
    this.instanceOf.push(instance)
    this.inputOf.push(input)
    this.intentOf.push(intents.none)
    this.outcomeOf.push(outcomes.open)
    this.visibleOf.push(none)
    this.missingOf.push(none)
    this.groupOffsetOf.push(none)
    this.groupOffsetAt.push(none)
    this.fencerAtCommitOf.push(none)
    this.#lastOf.push(none)
    return this.clientOf.length - 1
  }

  handOver({ fencer, id, partition, transaction }: Handing): number {
    const record = this.#numbers.add(id)
    this.idOf.push(id)
    this.partitionOf.push(partition)
    this.transactionOf.push(transaction)
    this.fencerOf.push(fencer)
    this.committedAt.push(none)
    this.uncommittedAt.push(none)
    this.isAborted.push(0)
    this.#beforeOf.push(this.#lastOf.at(transaction))
    this.#lastOf.set(transaction, record)
    this.partitions[partition]!.records.push(record)
    return record
  }

  /** The records of a transaction, the last one first. */
  *recordsOf(transaction: number): Generator<number, void> {
    for (let record = this.#lastOf.at(transaction); record !== none; record = this.#beforeOf.at(record)) yield record
  }

  partitionWith(record: number): Partition {
    return this.partitions[this.partitionOf.at(record)]!
  }

  hasRecords(transaction: number): boolean {
    return this.#lastOf.at(transaction) !== none
  }

  isOpen(transaction: number): boolean {
    return transaction !== none && this.outcomeOf.at(transaction) === outcomes.open
  }

  isCommitted(transaction: number): boolean {
    return this.outcomeOf.at(transaction) === outcomes.committed
  }

  nameOf(transaction: number): Name {
    return { client: this.clientOf.at(transaction), number: this.ordinalOf.at(transaction) }
  }

  /** Such as `transaction 2 of client 1`. */
  tell(transaction: number): string {
    return `transaction ${this.ordinalOf.at(transaction)} of client ${this.clientOf.at(transaction)}`
  }

  /** Such as `record 7 of transaction 2 of client 1`. */
  tellRecord(record: number): string {
    return `record ${this.idOf.at(record)} of ${this.tell(this.transactionOf.at(record))}`
  }
}
