/**
 * What follows from a whole history: which sends came to nothing, who wrote what stands in the logs, and whether it can be
 * read. Whatever is not certain is unknown, and counts neither for nor against.
 */
import { Column } from "../Columns.ts"
import type { Coverage } from "./Coverage.ts"
import * as Coverages from "./Coverage.ts"
import type { Ledger } from "./Ledger.ts"
import { decisions, none, outcomes, views } from "./Ledger.ts"

/** A record certainly cannot be read where it should be. */
export interface Hidden {
  /** To follow the name of the record. */
  readonly how: string
  readonly lines: ReadonlyArray<number>
}

/**
 * What became of a send: it can be read; it is in the log, and whether it can be read is unknown; it cannot be read; or
 * nobody knows.
 */
export type Fate = "readable" | "written" | "unknown" | Hidden

export interface Facts {
  readonly ledger: Ledger
  /** The transaction certainly was not committed and will not be. */
  readonly isAbandoned: (transaction: number) => boolean
  /** What was sent certainly must not be read. */
  readonly isVoid: (send: number) => boolean
  /** What was sent was acknowledged, by itself or with its transaction. */
  readonly isAcknowledged: (send: number) => boolean
  /** The sends that may have written an entry. */
  readonly writersOf: (entry: number) => ReadonlyArray<number>
  /** The only send that can have written an entry, or `none`. */
  readonly writerOf: (entry: number) => number
  /** Readers of committed records can read it. */
  readonly isReadable: (entry: number) => boolean
  /** The first line that shows that it can be read. */
  readonly readableLine: (entry: number) => number
  /** All that may have written an entry must not be read. */
  readonly isOfVoidWriters: (entry: number) => boolean
  readonly isOutsideOfTransactions: (entry: number) => boolean
  /** An entry of the record that can be read, or `none`. */
  readonly readableEntryOf: (record: number) => number
  /** The entry that a send wrote, or `none`. */
  readonly entryOf: (send: number) => number
  readonly fateOf: (send: number) => Fate
  readonly coverage: (partition: number, view: number) => Coverage
  /** The entries of a partition in the order of their offsets. */
  readonly entriesInOrder: (partition: number) => ReadonlyArray<number>
}

const nobody: ReadonlyArray<number> = []

const everyView = [views.read_committed, views.read_uncommitted, views.log] as const

const looked = [
  "a read_committed consumer passed over it",
  "a read_uncommitted consumer passed over it",
  "it is not in the log"
]

/** Starts from a history that is complete. */
export const make = (ledger: Ledger): Facts => {
  const coverages: Array<Array<Coverage | undefined>> = []

  const coverage = (partition: number, view: number): Coverage =>
    (coverages[partition] ??= [])[view] ??= Coverages.make(ledger.partitions[partition]!.views[view]!)

  const ordered: Array<ReadonlyArray<number> | undefined> = []

  const entriesInOrder = (partition: number): ReadonlyArray<number> => ordered[partition] ??= inOrder(partition)

  const inOrder = (partition: number): ReadonlyArray<number> => {
    const { entries } = ledger.partitions[partition]!
    const all = Array.from({ length: entries.length }, (_, number) => entries.at(number))
    const offset = (entry: number): number => ledger.entryOffset.at(entry)
    const isSorted = all.every((entry, number) => number === 0 || offset(all[number - 1]!) < offset(entry))
    return isSorted ? all : all.toSorted((a, b) => offset(a) - offset(b))
  }

  const isAbandoned = (transaction: number): boolean =>
    ledger.commitCalled.at(transaction) === none || ledger.commitOutcome.at(transaction) === outcomes.failed

  const isVoid = (send: number): boolean => {
    const transaction = ledger.transactionOf.at(send)
    return ledger.outcomeOf.at(send) === outcomes.failed || transaction !== none && isAbandoned(transaction)
  }

  const isAcknowledged = (send: number): boolean => {
    const transaction = ledger.transactionOf.at(send)
    return ledger.outcomeOf.at(send) === outcomes.ok
      && (transaction === none || ledger.commitOutcome.at(transaction) === outcomes.ok)
  }

  const isFor = (send: number, partition: number): boolean => {
    const own = ledger.partitionOf(send)
    return own === none ? ledger.topicOf(send) === ledger.partitions[partition]!.topic : own === partition
  }

  const isOnlySend = (send: number): boolean => send !== none && ledger.sendBefore.at(send) === none

  const writersOf = (entry: number): ReadonlyArray<number> => {
    const record = ledger.entryRecord.at(entry)
    const partition = ledger.entryPartition.at(entry)
    const offset = ledger.entryOffset.at(entry)
    const seen = ledger.firstSeen(entry)
    const fitting: Array<number> = []
    for (const send of ledger.sendsOf(record)) {
      if (!isFor(send, partition) || ledger.sentLine.at(send) > seen) continue
      if (ledger.acknowledgedAt.at(send) === offset) return [send]
      fitting.push(send)
    }
    if (fitting.length < 2) return fitting
    const untold = fitting.filter((send) => ledger.acknowledgedAt.at(send) === none)
    return untold.length === 0 ? fitting : untold
  }

  /** By entry; most records are sent once. */
  const writers = new Column()
  const others = new Map<number, ReadonlyArray<number>>()
  for (let entry = 0; entry < ledger.entryRecord.length; entry++) {
    const last = ledger.lastSend.at(ledger.entryRecord.at(entry))
    if (isOnlySend(last) && isFor(last, ledger.entryPartition.at(entry))) {
      writers.push(last)
      continue
    }
    const found = writersOf(entry)
    writers.push(found.length === 1 ? found[0]! : none)
    if (found.length > 1) others.set(entry, found)
  }

  const writersKnown = (entry: number): ReadonlyArray<number> => {
    const writer = writers.at(entry)
    return writer === none ? others.get(entry) ?? nobody : [writer]
  }

  const everyWriter = (entry: number, holds: (send: number) => boolean): boolean => {
    const writer = writers.at(entry)
    if (writer !== none) return holds(writer)
    const several = others.get(entry)
    return several !== undefined && several.every(holds)
  }

  const isOutsideOfTransactions = (entry: number): boolean =>
    everyWriter(entry, (send) => ledger.transactionOf.at(send) === none)

  const isReadable = (entry: number): boolean =>
    ledger.seenLine[views.read_committed].at(entry) !== none || ledger.decision.at(entry) === decisions.committed
    || isOutsideOfTransactions(entry)

  const readableLine = (entry: number): number => {
    const read = ledger.seenLine[views.read_committed].at(entry)
    if (isOutsideOfTransactions(entry)) return ledger.firstSeen(entry)
    if (ledger.decision.at(entry) !== decisions.committed) return read
    const decided = ledger.decisionLine.at(entry)
    return read === none ? decided : Math.min(read, decided)
  }

  const readableEntryOf = (record: number): number => {
    for (const entry of ledger.entriesOf(record)) if (isReadable(entry)) return entry
    return none
  }

  const findEntry = (send: number): number => {
    const record = ledger.recordOf.at(send)
    const offset = ledger.acknowledgedAt.at(send)
    if (offset !== none) {
      const entry = ledger.entryAt(ledger.partitionOf(send), offset)
      if (entry !== none) return ledger.entryRecord.at(entry) === record ? entry : none
    }
    let first = none
    for (const entry of ledger.entriesOf(record)) if (writers.at(entry) === send) first = entry
    return first
  }

  /** By send. */
  const entries = new Column()
  for (let send = 0; send < ledger.recordOf.length; send++) entries.push(findEntry(send))

  const entryOf = (send: number): number => entries.at(send)

  const passedOver = (partition: number, view: number, offset: number): Hidden | undefined => {
    const stretch = coverage(partition, view).at(offset)
    if (stretch === none) return undefined
    return { how: looked[view]!, lines: ledger.linesOf(ledger.partitions[partition]!.views[view]!, stretch, offset) }
  }

  /** An entry that nobody can be certain that it can be read. */
  const fateOfEntry = (entry: number): Fate => {
    if (ledger.decision.at(entry) === decisions.aborted) {
      return { how: "it is aborted in the log", lines: [ledger.firstSeen(entry), ledger.decisionLine.at(entry)] }
    }
    const partition = ledger.entryPartition.at(entry)
    return passedOver(partition, views.read_committed, ledger.entryOffset.at(entry)) ?? "written"
  }

  /** Nobody has seen what was sent to this partition. */
  const fateUnseen = (send: number, partition: number): Fate => {
    const offset = ledger.acknowledgedAt.at(send)
    for (const view of everyView) {
      const hidden = offset === none ? undefined : passedOver(partition, view, offset)
      if (hidden !== undefined) return hidden
      const { end, endLine } = ledger.partitions[partition]!.views[view]!
      if (end === none || ledger.outcomeLine.at(send) > endLine) continue
      if (offset === none ? coverage(partition, view).completeTo >= end : offset >= end) {
        return { how: `everything was read up to the end, offset ${end}`, lines: [endLine] }
      }
    }
    return "unknown"
  }

  const fateOf = (send: number): Fate => {
    const entry = entryOf(send)
    if (entry !== none) return isReadable(entry) ? "readable" : fateOfEntry(entry)
    const partition = ledger.partitionOf(send)
    if (partition === none) return "unknown"
    const offset = ledger.acknowledgedAt.at(send)
    // Another record was seen there: who is right, nobody knows.
    if (offset !== none && ledger.entryAt(partition, offset) !== none) return "unknown"
    return ledger.lastEntry.at(ledger.recordOf.at(send)) === none ? fateUnseen(send, partition) : "unknown"
  }

  return {
    ledger,
    isAbandoned,
    isVoid,
    isAcknowledged,
    writersOf: writersKnown,
    writerOf: (entry) => writers.at(entry),
    isReadable,
    readableLine,
    isOfVoidWriters: (entry) => everyWriter(entry, isVoid),
    isOutsideOfTransactions,
    readableEntryOf,
    entryOf,
    fateOf,
    coverage,
    entriesInOrder
  }
}
