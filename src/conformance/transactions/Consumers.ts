/**
 * The consumers' side of a history: what they read, and what they did not when they reached the end.
 */
import { Column } from "../Columns.ts"
import type { GroupOffsets } from "./GroupOffsets.ts"
import type * as History from "./History.ts"
import type { Instance, Instances } from "./Instances.ts"
import { Newest } from "./Instances.ts"
import type { Ledger, Partition } from "./Ledger.ts"
import { intents, isId, none, outcomes } from "./Ledger.ts"
import * as Stability from "./Stability.ts"
import type { Evidence, Findings } from "./Verdict.ts"

/** What one consumer has read of one partition. */
interface Reader extends Stability.Progress {
  readonly consumer: number
  readonly isolation: History.Isolation
  readonly records: Column
  lastOffset: number
  ended: boolean
  /** The latest record in the order of handing over, by client. */
  readonly newest: Map<number, number>
  /** The newest instances, by transactional id, and the first record of each. */
  readonly instances: Map<number, Newest>
  readonly recordOfInstance: Map<Instance, number>
}

/** What consumers have read of one partition. */
interface Reading {
  readonly readers: Map<number, Reader>
  readonly stability: Stability.Stability
  /** By isolation. */
  readonly highest: Record<History.Isolation, number>
}

export interface Parts {
  readonly ledger: Ledger
  readonly instances: Instances
  readonly group: GroupOffsets
  readonly findings: Findings
}

export interface Consumers {
  /** These take one event, and answer with the contradiction that makes it malformed, if there is one. */
  readonly read: (event: History.Read) => string | undefined
  readonly end: (event: History.End) => string | undefined
  /** Somebody has reached an end. */
  readonly isAtRest: () => boolean
  /** Where consumers of this isolation end, once one has. */
  readonly endOf: (partition: number, isolation: History.Isolation) => number | undefined
  /** Of every partition for which something was handed over, a read_committed consumer has reached the end. */
  readonly isReadCompletely: () => boolean
}

/** Starts without consumers. */
export const make = ({ findings: { violate }, group, instances, ledger }: Parts): Consumers => {
  const readings: Array<Reading> = []
  const isolationOf = new Map<number, History.Isolation>()
  /** The last end, counted from 1, whose consumer had read the record. */
  const foundAtEndOf = new Column()
  let ends = 0

  const readingOf = (partition: number): Reading => {
    while (readings.length <= partition) {
      readings.push({
        readers: new Map(),
        stability: Stability.make(),
        highest: { read_committed: none, read_uncommitted: none }
      })
    }
    return readings[partition]!
  }

  const readerOf = ({ readers }: Reading, consumer: number, isolation: History.Isolation): Reader => {
    const known = readers.get(consumer)
    if (known !== undefined) return known
    const reader: Reader = {
      consumer,
      isolation: isolationOf.get(consumer) ?? isolation,
      records: new Column(),
      lastOffset: none,
      ended: false,
      confirmed: 0,
      newest: new Map(),
      instances: new Map(),
      recordOfInstance: new Map()
    }
    isolationOf.set(consumer, reader.isolation)
    readers.set(consumer, reader)
    return reader
  }

  /** Where everything that the isolation shows has been read. */
  const boundOf = ({ stability }: Reading, isolation: History.Isolation): number | undefined =>
    stability.endOf(isolation) ?? (isolation === "read_committed" ? stability.endOf("read_uncommitted") : undefined)

  const read = (event: History.Read): string | undefined => {
    const { consumer, isolation, offset, partition: name } = event
    if (!isId(consumer)) return `${consumer} is no consumer number`
    if (!isId(offset)) return `${offset} is no offset`
    const record = ledger.recordOf(event.record)
    if (record === undefined || ledger.partitionWith(record).name !== name) {
      return `consumer ${consumer} reads record ${event.record}, never handed over for partition ${name}`
    }
    const partition = ledger.partitionWith(record)
    const reading = readingOf(ledger.partitionOf.at(record))
    const reader = readerOf(reading, consumer, isolation)
    if (reader.isolation !== isolation) return `consumer ${consumer} reads with two isolations`
    if (reader.ended) return `consumer ${consumer} reads partition ${name} after its End`
    if (offset <= reader.lastOffset) {
      return `consumer ${consumer} reads offset ${offset} of partition ${name} after offset ${reader.lastOffset}`
    }
    const bound = boundOf(reading, isolation)
    if (bound !== undefined && offset >= bound) {
      return `consumer ${consumer} reads offset ${offset} of partition ${name}, whose End is at offset ${bound}`
    }
    judgeStability(partition, reading.stability.read(reader, isolation, consumer, record, offset))
    judgeFencing(partition, reader, record, offset)
    reader.records.push(record)
    reader.lastOffset = offset
    reading.highest[isolation] = Math.max(reading.highest[isolation], offset)
    if (isolation === "read_committed") {
      judgeOrder(partition, reader, record, offset)
      judgeCommittedRead(partition, record, offset)
    } else if (ledger.uncommittedAt.at(record) === none) {
      ledger.uncommittedAt.set(record, offset)
    }
    return undefined
  }

  const judgeStability = ({ name }: Partition, found: Stability.Disagreement | undefined): void => {
    if (found === undefined) return
    const { offset, records, tell } = found
    const told = tell(`at offset ${offset} of partition ${name}`, (record) => ledger.tellRecord(record))
    violate("StableReads", `${ledger.tellRecord(records[0]!)} ${told}`, { records, partition: name, offsets: [offset] })
  }

  /** What a fenced instance handed over, or wrote after its successor. */
  const judgeFencing = ({ name }: Partition, reader: Reader, record: number, offset: number): void => {
    const there = () => `${ledger.tellRecord(record)} was read at offset ${offset} of partition ${name}`
    const fencer = ledger.fencerOf.at(record)
    if (fencer !== none) {
      const sentence = `${there()}, but when it was handed over, `
        + `client ${instances.clientOf(fencer)} had been initialised with the same transactional id.`
      return violate("ZombieFenced", sentence, { records: [record], partition: name, offsets: [offset] })
    }
    const instance = ledger.instanceOf.at(ledger.transactionOf.at(record))
    const transactionalId = instances.transactionalIdOf(instance)
    const met = reader.instances.get(transactionalId) ?? new Newest()
    const successor = instances.fencerAmong(met, instance)
    if (successor !== none) {
      const other = reader.recordOfInstance.get(successor)!
      const sentence = `${there()}, behind ${ledger.tellRecord(other)}, `
        + "whose instance had been initialised later with the same transactional id."
      return violate("ZombieFenced", sentence, { records: [record, other], partition: name, offsets: [offset] })
    }
    instances.meet(met, instance)
    reader.instances.set(transactionalId, met)
    if (!reader.recordOfInstance.has(instance)) reader.recordOfInstance.set(instance, record)
  }

  const judgeOrder = ({ name }: Partition, reader: Reader, record: number, offset: number): void => {
    const client = ledger.clientOf.at(ledger.transactionOf.at(record))
    const latest = reader.newest.get(client)
    if (latest === undefined || record >= latest) {
      reader.newest.set(client, record)
      return
    }
    const sentence = `consumer ${reader.consumer} read ${ledger.tellRecord(record)} at offset ${offset} `
      + `of partition ${name}, after ${ledger.tellRecord(latest)}, which was handed over later.`
    violate("InOrder", sentence, { records: [record, latest], partition: name, offsets: [offset] })
  }

  const judgeCommittedRead = (partition: Partition, record: number, offset: number): void => {
    const { name } = partition
    const transaction = ledger.transactionOf.at(record)
    const first = ledger.committedAt.at(record)
    if (first === none) {
      ledger.committedAt.set(record, offset)
      if (ledger.isCommitted(transaction)) partition.awaited--
    } else if (first !== offset) {
      const sentence = `${ledger.tellRecord(record)} was read at offset ${first} and at offset ${offset} `
        + `of partition ${name}.`
      violate("NoDuplicate", sentence, { records: [record], partition: name, offsets: [first, offset] })
    }
    if (ledger.visibleOf.at(transaction) !== none) return
    ledger.visibleOf.set(transaction, record)
    judgeFirst(name, transaction, record, offset)
  }

  /** The first record of the transaction is read. */
  const judgeFirst = (name: string, transaction: number, record: number, offset: number): void => {
    const there = () => `${ledger.tellRecord(record)} was read at offset ${offset} of partition ${name}`
    const evidence: Evidence = { records: [record], partition: name, offsets: [offset] }
    const intent = ledger.intentOf.at(transaction)
    if (intent !== intents.commit) {
      const why = intent === intents.abort ? "aborted it" : "had not called commit"
      violate("NoUncommittedRead", `${there()}, but its application ${why}.`, evidence)
    }
    if (ledger.outcomeOf.at(transaction) === outcomes.aborted) {
      violate("NoAbortedRead", `${there()}, but its application was told that it is aborted.`, evidence)
    }
    const missing = ledger.missingOf.at(transaction)
    if (missing !== none) judgeTorn(transaction, missing)
    for (const other of ledger.recordsOf(transaction)) judgeOutcomes(transaction, other)
    group.visible(transaction)
  }

  /** A record of a transaction is missing of which another is read. */
  const judgeTorn = (transaction: number, missing: number): void => {
    const record = ledger.visibleOf.at(transaction)
    const offset = ledger.committedAt.at(record)
    const partition = ledger.partitionWith(missing).name
    const sentence = `${ledger.tellRecord(missing)} is not read, although everything of partition ${partition} is, `
      + `but record ${ledger.idOf.at(record)} of the same transaction is, at offset ${offset} `
      + `of partition ${ledger.partitionWith(record).name}.`
    violate("Atomicity", sentence, { records: [missing, record], partition, offsets: [offset] })
  }

  /** Complains if a record of a transaction is aborted of which another is committed. */
  const judgeOutcomes = (transaction: number, aborted: number): void => {
    if (ledger.isAborted.at(aborted) === 0 || ledger.committedAt.at(aborted) !== none) return
    const record = ledger.visibleOf.at(transaction)
    const offsets = [ledger.uncommittedAt.at(aborted), ledger.committedAt.at(record)]
    const partition = ledger.partitionWith(aborted).name
    const sentence = `${ledger.tellRecord(aborted)} is at offset ${offsets[0]} of partition ${partition} and aborted, `
      + `but record ${ledger.idOf.at(record)} of the same transaction is committed, at offset ${offsets[1]} `
      + `of partition ${ledger.partitionWith(record).name}.`
    violate("SingleOutcome", sentence, { records: [aborted, record], partition, offsets })
  }

  const end = (event: History.End): string | undefined => {
    const { consumer, isolation, offset, partition: name } = event
    if (!isId(consumer)) return `${consumer} is no consumer number`
    if (!isId(offset)) return `${offset} is no offset`
    const number = ledger.partitionNumber(name)
    const reading = readingOf(number)
    const reader = readerOf(reading, consumer, isolation)
    const contradiction = contradictionAtEnd(reading, reader, event)
    if (contradiction !== undefined) return contradiction
    const partition = ledger.partitions[number]!
    reader.ended = true
    judgeStability(partition, reading.stability.end(reader, isolation, consumer, offset))
    judgeMissing(partition, reader, offset)
    const highWatermark = reading.stability.endOf("read_uncommitted")
    if (isolation === "read_committed" && highWatermark !== undefined && offset < highWatermark) {
      const sentence = `read_committed consumer ${consumer} waits at offset ${offset} of partition ${name}, `
        + `whose log ends at offset ${highWatermark}, for a transaction that does not end.`
      violate("NoHangingTransaction", sentence, { partition: name, offsets: [offset, highWatermark] })
    }
    return undefined
  }

  const contradictionAtEnd = (
    { highest, stability }: Reading,
    reader: Reader,
    { consumer, isolation, offset, partition: name }: History.End
  ): string | undefined => {
    if (reader.isolation !== isolation) return `consumer ${consumer} reads with two isolations`
    if (reader.ended) return `consumer ${consumer} reaches the End of partition ${name} twice`
    const known = stability.endOf(isolation)
    if (known !== undefined && known !== offset) {
      return `partition ${name} ends at offset ${offset} and at offset ${known}`
    }
    if (offset <= highest[isolation]) {
      return `partition ${name} ends at offset ${offset}, but offset ${highest[isolation]} was read`
    }
    const highWatermark = stability.endOf("read_uncommitted")
    if (isolation === "read_committed" && highWatermark !== undefined && offset > highWatermark) {
      return `partition ${name} ends at offset ${offset}, above its high watermark ${highWatermark}`
    }
    const isLate = known === undefined && stability.endOf("read_committed") !== undefined
    return isLate && isolation === "read_uncommitted"
      ? `read_uncommitted consumer ${consumer} reaches the End of partition ${name} after read_committed ones`
      : undefined
  }

  /** What should have been read by a consumer that has read everything. */
  const judgeMissing = ({ name, records }: Partition, reader: Reader, offset: number): void => {
    ends += 1
    while (foundAtEndOf.length < ledger.idOf.length) foundAtEndOf.push(0)
    for (let position = 0; position < reader.records.length; position++) {
      foundAtEndOf.set(reader.records.at(position), ends)
    }
    for (let position = 0; position < records.length; position++) {
      const record = records.at(position)
      if (foundAtEndOf.at(record) === ends) continue
      const transaction = ledger.transactionOf.at(record)
      if (ledger.uncommittedAt.at(record) >= offset) {
        group.blocked(transaction)
        continue
      }
      if (ledger.isCommitted(transaction)) {
        const sentence =
          `${ledger.tell(transaction)} was committed, but its record ${ledger.idOf.at(record)} is not read by `
          + `consumer ${reader.consumer}, which reached the End at offset ${offset} of partition ${name}.`
        violate("NoLostCommit", sentence, { records: [record], partition: name, offsets: [offset] })
      }
      const isVisible = ledger.visibleOf.at(transaction) !== none
      if (ledger.missingOf.at(transaction) === none) ledger.missingOf.set(transaction, record)
      if (isVisible) judgeTorn(transaction, record)
      if (reader.isolation === "read_uncommitted" || ledger.uncommittedAt.at(record) === none) continue
      ledger.isAborted.set(record, 1)
      if (isVisible) judgeOutcomes(transaction, record)
    }
  }

  const endOf = (partition: number, isolation: History.Isolation): number | undefined =>
    readings[partition]?.stability.endOf(isolation)

  return {
    read,
    end,
    isAtRest: () => ends > 0,
    endOf,
    isReadCompletely: () =>
      ledger.partitions.every(({ records }, number) =>
        records.length === 0 || endOf(number, "read_committed") !== undefined
      )
  }
}
