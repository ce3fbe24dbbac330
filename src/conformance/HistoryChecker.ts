/**
 * The judge of histories: four delivery properties, each held, violated (with a witness) or undetermined.
 *
 * It is incremental and linear: every event costs amortised constant time (a logarithm for an acknowledgement that
 * arrives after later records were read), every `End` one pass over its partition. It knows nothing of how the history
 * came about, so it is no proof about the system: `holds` means that these clients saw nothing wrong.
 *
 * The rules:
 *
 * - **NoLoss**: an acknowledged record is read by every consumer that reaches the `End` of its partition, at the
 *   acknowledged offset where one was given. One offset holds one record, and consumers of one partition agree: what one
 *   has read, another cannot pass over.
 * - **NoDuplicate**: no record is read at two offsets, be it by one consumer or by two.
 * - **NoGap**: when a record of a session is acknowledged or read, every record sent before it to that partition in that
 *   session is read too, or the application was told `Failed` or `Unknown`, for that send or for a later one of the same
 *   record. A gap the application was told about is no gap. Judged at every `End`, from what that consumer read.
 * - **InOrder**: every consumer reads a partition in the order of the records' first sends. All occurrences count, so
 *   `x y x` violates it; `x x` is a matter of NoDuplicate alone.
 *
 * Gotchas: the send order of a partition runs across sessions, so two producers that write to one partition at the same
 * time have no order to be judged by. The read of a record sent in several sessions is put down to whichever of them
 * shows no gap. A record reported `Failed` that is read nevertheless breaks none of the four properties.
 */
import { Column, Numbering } from "./Columns.ts"
import type * as History from "./History.ts"

/** The four properties, in the order in which they are reported. */
export const properties = ["NoLoss", "NoDuplicate", "NoGap", "InOrder"] as const

/** The name of a delivery property. */
export type Property = (typeof properties)[number]

/** What shows that a property is violated. */
export interface Witness {
  /** The records involved, the wronged one first. */
  readonly records: ReadonlyArray<number>
  readonly partition: string
  /** The offsets involved, in the order in which the sentence names them; empty if the records were never placed. */
  readonly offsets: ReadonlyArray<number>
  /** The violation in plain English. */
  readonly sentence: string
}

/** The property holds for all that this history shows. */
export interface Holds {
  readonly value: "holds"
}

/** The history is too short to tell. */
export interface Undetermined {
  readonly value: "undetermined"
  /** What is missing, in plain English. */
  readonly sentence: string
}

/** The property is violated, whatever the rest of the run. */
export interface Violated {
  readonly value: "violated"
  /** Position in the history, from 0, of the event that made it certain. */
  readonly index: number
  /** The first violation found. */
  readonly witness: Witness
}

/** The verdict on one property. */
export type PropertyVerdict = Holds | Undetermined | Violated

/** A well-formed history, judged. */
export interface Judged extends Readonly<Record<Property, PropertyVerdict>> {
  readonly _tag: "Judged"
}

/** A history that no run could have produced: its observer, not the system, is at fault, so nothing is judged. */
export interface Malformed {
  readonly _tag: "Malformed"
  /** Position in the history, from 0, of the event that contradicts the earlier ones. */
  readonly index: number
  /** The contradiction in plain English. */
  readonly sentence: string
}

/** The verdict on a history. */
export type Verdict = Judged | Malformed

/** Judges one history while it is being recorded. */
export interface HistoryChecker {
  /** Takes the next event. After a malformed one, all others are ignored. */
  readonly observe: (event: History.Event) => void
  /**
   * The verdict on the events so far. `violated` and malformed are final. Costs one step per partition, so it may be
   * asked often.
   */
  readonly verdict: () => Verdict
}

/** What one consumer has read of one partition. */
interface Reader {
  readonly consumer: number
  readonly records: Column
  lastOffset: number
  /** The latest record in send order read so far, and where; -1 before the first. */
  newest: number
  newestOffset: number
  /** How many entries of the partition's log this consumer has confirmed. */
  confirmed: number
  ended: boolean
}

interface Partition {
  readonly name: string
  /** All sends to this partition, in send order. */
  readonly sends: Column
  /** The log as its fastest consumers read it: offsets, increasing, and the record at each. */
  readonly offsets: Column
  readonly records: Column
  readonly readers: Map<number, Reader>
  /** Acknowledged and not yet read: by offset, and those whose offset is unknown. */
  readonly awaitedAt: Map<number, number>
  readonly awaitedAnywhere: Set<number>
  highestRead: number
  end: History.End | undefined
}

const NOT_REPORTED = 0
const ACKNOWLEDGED = 1
const FAILED = 2
const UNKNOWN = 3

const isId = (value: number): boolean => Number.isSafeInteger(value) && value >= 0

/** The record at `offset` in the partition's log, or undefined. */
const recordAt = ({ offsets, records }: Partition, offset: number): number | undefined => {
  let low = 0
  let high = offsets.length
  if (high === 0 || offsets.at(high - 1) < offset) return undefined
  while (low < high) {
    const middle = (low + high) >>> 1
    if (offsets.at(middle) < offset) low = middle + 1
    else high = middle
  }
  return offsets.at(low) === offset ? records.at(low) : undefined
}

/** Starts a judge with no events seen. */
export const make = (): HistoryChecker => {
  // Records are numbered in the order of their first send: comparing two numbers compares their send order.
  const numberOf = new Numbering()
  const idOf = new Column()
  const partitionOf = new Column()
  const latestSendOf = new Column()
  const sendsNotFailedOf = new Column()
  /** The latest send of the record that was reported as failed or unknown, or -1. */
  const latestTellingSendOf = new Column()
  const firstOffsetOf = new Column()
  /** The last `End`, counted from 1, whose consumer had read the record. */
  const foundAtEndOf = new Column()

  const recordOfSend = new Column()
  const sessionOfSend = new Column()
  const outcomeOfSend = new Column()

  const partitions: Array<Partition> = []
  const partitionNumberOf = new Map<string, number>()

  const violations = new Map<Property, Violated>()
  let malformed: Malformed | undefined
  let index = 0
  let ends = 0

  const violate = (
    property: Property,
    partition: Partition,
    records: ReadonlyArray<number>,
    offsets: ReadonlyArray<number>,
    sentence: string
  ): void => {
    const witness = { records: records.map((record) => idOf.at(record)), partition: partition.name, offsets, sentence }
    violations.set(property, { value: "violated", index, witness })
  }

  const partitionNumber = (name: string): number => {
    const known = partitionNumberOf.get(name)
    if (known !== undefined) return known
    partitions.push({
      name,
      sends: new Column(),
      offsets: new Column(),
      records: new Column(),
      readers: new Map(),
      awaitedAt: new Map(),
      awaitedAnywhere: new Set(),
      highestRead: -1,
      end: undefined
    })
    partitionNumberOf.set(name, partitions.length - 1)
    return partitions.length - 1
  }

  const readerOf = (partition: Partition, consumer: number): Reader => {
    const known = partition.readers.get(consumer)
    if (known !== undefined) return known
    const reader: Reader = {
      consumer,
      records: new Column(),
      lastOffset: -1,
      newest: -1,
      newestOffset: -1,
      confirmed: 0,
      ended: false
    }
    partition.readers.set(consumer, reader)
    return reader
  }

  // Each of the following takes one event and answers with the contradiction that makes it malformed, if there is one.

  const send = (event: History.Send): string | undefined => {
    if (!isId(event.record)) return `${event.record} is no record number`
    if (!isId(event.session)) return `${event.session} is no session number`
    const number = partitionNumber(event.partition)
    const partition = partitions[number]!
    if (partition.end !== undefined) {
      return `record ${event.record} is sent after the End of partition ${partition.name}`
    }
    const sendNumber = recordOfSend.length
    let record = numberOf.get(event.record)
    if (record === undefined) {
      record = numberOf.add(event.record)
      idOf.push(event.record)
      partitionOf.push(number)
      latestSendOf.push(sendNumber)
      sendsNotFailedOf.push(1)
      latestTellingSendOf.push(-1)
      firstOffsetOf.push(-1)
      foundAtEndOf.push(0)
    } else {
      const previous = sessionOfSend.at(latestSendOf.at(record))
      if (partitionOf.at(record) !== number) return `record ${event.record} is sent to a second partition`
      if (event.session === previous) return `record ${event.record} is sent twice in session ${previous}`
      if (event.session < previous) {
        return `record ${event.record} is sent in session ${event.session} after session ${previous}`
      }
      latestSendOf.set(record, sendNumber)
      sendsNotFailedOf.set(record, sendsNotFailedOf.at(record) + 1)
    }
    recordOfSend.push(record)
    sessionOfSend.push(event.session)
    outcomeOfSend.push(NOT_REPORTED)
    partition.sends.push(sendNumber)
    return undefined
  }

  const report = (event: History.Acknowledged | History.Failed | History.Unknown): string | undefined => {
    const record = numberOf.get(event.record)
    if (record === undefined) return `record ${event.record} is reported ${event._tag} before it was sent`
    const partition = partitions[partitionOf.at(record)]!
    const latestSend = latestSendOf.at(record)
    if (outcomeOfSend.at(latestSend) !== NOT_REPORTED) {
      return `record ${event.record} is reported ${event._tag}, but this send has been reported already`
    }
    if (partition.end !== undefined) {
      return `record ${event.record} is reported ${event._tag} after the End of partition ${partition.name}`
    }
    if (event._tag === "Acknowledged") {
      if (event.offset !== -1 && !isId(event.offset)) return `${event.offset} is no offset`
      outcomeOfSend.set(latestSend, ACKNOWLEDGED)
      if (!violations.has("NoLoss")) awaitAcknowledged(partition, record, event.offset)
    } else {
      outcomeOfSend.set(latestSend, event._tag === "Failed" ? FAILED : UNKNOWN)
      latestTellingSendOf.set(record, latestSend)
      if (event._tag === "Failed") sendsNotFailedOf.set(record, sendsNotFailedOf.at(record) - 1)
    }
    return undefined
  }

  const read = (event: History.Read): string | undefined => {
    if (!isId(event.consumer)) return `${event.consumer} is no consumer number`
    if (!isId(event.offset)) return `${event.offset} is no offset`
    const record = numberOf.get(event.record)
    if (record === undefined || partitionOf.at(record) !== partitionNumberOf.get(event.partition)) {
      return `consumer ${event.consumer} reads record ${event.record}, never sent to partition ${event.partition}`
    }
    const partition = partitions[partitionOf.at(record)]!
    const reader = readerOf(partition, event.consumer)
    if (reader.ended) return `consumer ${event.consumer} reads partition ${event.partition} after its End`
    if (event.offset <= reader.lastOffset) {
      return `consumer ${event.consumer} reads offset ${event.offset} of partition ${event.partition} `
        + `after offset ${reader.lastOffset}`
    }
    if (partition.end !== undefined && event.offset >= partition.end.offset) {
      return `consumer ${event.consumer} reads offset ${event.offset} of partition ${event.partition}, `
        + `whose End is at offset ${partition.end.offset}`
    }
    if (!violations.has("NoLoss")) judgeAgreement(partition, reader, record, event.offset)
    judgeDuplicate(partition, record, event.offset)
    if (!violations.has("InOrder")) judgeOrder(partition, reader, record, event.offset)
    reader.records.push(record)
    reader.lastOffset = event.offset
    partition.highestRead = Math.max(partition.highestRead, event.offset)
    return undefined
  }

  const end = (event: History.End): string | undefined => {
    if (!isId(event.consumer)) return `${event.consumer} is no consumer number`
    if (!isId(event.offset)) return `${event.offset} is no offset`
    const partition = partitions[partitionNumber(event.partition)]!
    const reader = readerOf(partition, event.consumer)
    if (reader.ended) return `consumer ${event.consumer} reaches the End of partition ${event.partition} twice`
    if (partition.end !== undefined && partition.end.offset !== event.offset) {
      return `partition ${event.partition} ends at offset ${event.offset} and at offset ${partition.end.offset}`
    }
    if (event.offset <= partition.highestRead) {
      return `partition ${event.partition} ends at offset ${event.offset}, but offset ${partition.highestRead} was read`
    }
    reader.ended = true
    if (!violations.has("NoLoss")) judgeLoss(partition, reader, event.offset)
    if (!violations.has("NoGap")) judgeGap(partition, reader)
    partition.end = event
    return undefined
  }

  const awaitAcknowledged = (partition: Partition, record: number, offset: number): void => {
    if (offset === -1) {
      if (firstOffsetOf.at(record) === -1) partition.awaitedAnywhere.add(record)
      return
    }
    const there = recordAt(partition, offset)
    if (there === record) return
    const awaited = partition.awaitedAt.get(offset)
    if (there === undefined && (awaited === undefined || awaited === record)) {
      partition.awaitedAt.set(offset, record)
      return
    }
    const rival = there ?? awaited!
    const sentence = `Record ${idOf.at(record)} was acknowledged at offset ${offset} of partition ${partition.name}, `
      + `where record ${idOf.at(rival)} was ${there === undefined ? "acknowledged" : "read"} before.`
    violate("NoLoss", partition, [record, rival], [offset], sentence)
  }

  /** Follows the log that all consumers of the partition must share, and pays off what was acknowledged. */
  const judgeAgreement = (partition: Partition, reader: Reader, record: number, offset: number): void => {
    const { consumer } = reader
    const name = partition.name
    const awaited = partition.awaitedAt.get(offset)
    if (awaited !== undefined && awaited !== record) {
      const sentence = `Record ${idOf.at(awaited)} was acknowledged at offset ${offset} of partition ${name}, `
        + `but consumer ${consumer} read record ${idOf.at(record)} there.`
      return violate("NoLoss", partition, [awaited, record], [offset], sentence)
    }
    partition.awaitedAt.delete(offset)
    partition.awaitedAnywhere.delete(record)

    if (reader.confirmed === partition.offsets.length) {
      if (partition.end !== undefined) {
        const sentence =
          `Consumer ${consumer} read record ${idOf.at(record)} at offset ${offset} of partition ${name}, `
          + `but consumer ${partition.end.consumer} reached the End without reading it.`
        return violate("NoLoss", partition, [record], [offset], sentence)
      }
      partition.offsets.push(offset)
      partition.records.push(record)
      reader.confirmed += 1
      return
    }
    const expected = partition.records.at(reader.confirmed)
    const expectedOffset = partition.offsets.at(reader.confirmed)
    if (expectedOffset < offset) {
      const sentence = `Consumer ${consumer} passed over offset ${expectedOffset} of partition ${name}, `
        + `where another consumer read record ${idOf.at(expected)}.`
      violate("NoLoss", partition, [expected], [expectedOffset], sentence)
    } else if (expectedOffset > offset) {
      const sentence = `Consumer ${consumer} read record ${idOf.at(record)} at offset ${offset} of partition ${name}, `
        + `which another consumer passed over.`
      violate("NoLoss", partition, [record], [offset], sentence)
    } else if (expected !== record) {
      const sentence = `Consumer ${consumer} read record ${idOf.at(record)} at offset ${offset} of partition ${name}, `
        + `where another consumer read record ${idOf.at(expected)}.`
      violate("NoLoss", partition, [expected, record], [offset], sentence)
    }
    reader.confirmed += 1
  }

  const judgeDuplicate = (partition: Partition, record: number, offset: number): void => {
    const firstOffset = firstOffsetOf.at(record)
    if (firstOffset === -1) {
      firstOffsetOf.set(record, offset)
    } else if (firstOffset !== offset && !violations.has("NoDuplicate")) {
      const sentence = `Record ${idOf.at(record)} was read at offset ${firstOffset} and at offset ${offset} `
        + `of partition ${partition.name}.`
      violate("NoDuplicate", partition, [record], [firstOffset, offset], sentence)
    }
  }

  const judgeOrder = (partition: Partition, reader: Reader, record: number, offset: number): void => {
    if (record < reader.newest) {
      const sentence = `Consumer ${reader.consumer} read record ${idOf.at(record)} at offset ${offset} `
        + `of partition ${partition.name}, after record ${idOf.at(reader.newest)} at offset ${reader.newestOffset}, `
        + `which was sent later.`
      return violate("InOrder", partition, [record, reader.newest], [offset, reader.newestOffset], sentence)
    }
    reader.newest = record
    reader.newestOffset = offset
  }

  const judgeLoss = (partition: Partition, reader: Reader, endOffset: number): void => {
    const reached = `consumer ${reader.consumer} reached the End at offset ${endOffset}`
    for (const [offset, record] of partition.awaitedAt) {
      const elsewhere = firstOffsetOf.at(record)
      const sentence = `Record ${idOf.at(record)} was acknowledged at offset ${offset} of partition ${partition.name}, `
        + `but ${reached} `
        + (elsewhere === -1 ? "without reading it." : `and it was read only at offset ${elsewhere}.`)
      return violate("NoLoss", partition, [record], elsewhere === -1 ? [offset] : [offset, elsewhere], sentence)
    }
    for (const record of partition.awaitedAnywhere) {
      const sentence = `Record ${idOf.at(record)} was acknowledged on partition ${partition.name}, `
        + `but ${reached} without reading it.`
      return violate("NoLoss", partition, [record], [], sentence)
    }
    if (reader.confirmed < partition.offsets.length) {
      const record = partition.records.at(reader.confirmed)
      const offset = partition.offsets.at(reader.confirmed)
      const sentence = `Another consumer read record ${idOf.at(record)} at offset ${offset} `
        + `of partition ${partition.name}, but ${reached} without reading it.`
      violate("NoLoss", partition, [record], [offset], sentence)
    }
  }

  const judgeGap = (partition: Partition, reader: Reader): void => {
    ends += 1
    for (let position = 0; position < reader.records.length; position++) {
      foundAtEndOf.set(reader.records.at(position), ends)
    }
    const firstMissingOf = new Map<number, number>()
    const sendsBehindGapOf = new Map<number, number>()
    for (let position = 0; position < partition.sends.length; position++) {
      const sendNumber = partition.sends.at(position)
      const record = recordOfSend.at(sendNumber)
      const session = sessionOfSend.at(sendNumber)
      const outcome = outcomeOfSend.at(sendNumber)
      const found = foundAtEndOf.at(record) === ends
      const missing = firstMissingOf.get(session)
      if (missing === undefined) {
        if (!found && latestTellingSendOf.at(record) < sendNumber) firstMissingOf.set(session, record)
        continue
      }
      let written = outcome === ACKNOWLEDGED
      const candidates = sendsNotFailedOf.at(record)
      if (!written && found && (outcome !== FAILED || candidates === 0)) {
        // A read proves that one of the record's sends was written; only if all of them stand behind a gap, so did that.
        const behind = (sendsBehindGapOf.get(record) ?? 0) + 1
        sendsBehindGapOf.set(record, behind)
        written = behind >= candidates
      }
      if (written) {
        const offset = firstOffsetOf.at(record)
        const sentence = `Record ${idOf.at(record)}, sent to partition ${partition.name} in session ${session}, was `
          + (outcome === ACKNOWLEDGED ? "acknowledged" : "read") + `, but record ${idOf.at(missing)}, `
          + `sent before it, was neither read by consumer ${reader.consumer} nor reported as failed or unknown.`
        return violate("NoGap", partition, [missing, record], offset === -1 ? [] : [offset], sentence)
      }
    }
  }

  const step = (event: History.Event): string | undefined => {
    switch (event._tag) {
      case "Send":
        return send(event)
      case "Acknowledged":
      case "Failed":
      case "Unknown":
        return report(event)
      case "Read":
        return read(event)
      case "End":
        return end(event)
      default:
        // Histories also come from files.
        return `${JSON.stringify(event satisfies never)} is no event`
    }
  }

  const observe = (event: History.Event): void => {
    if (malformed !== undefined) return
    const sentence = step(event)
    if (sentence !== undefined) malformed = { _tag: "Malformed", index, sentence }
    index += 1
  }

  const judge = (property: Property): PropertyVerdict => {
    const violation = violations.get(property)
    if (violation !== undefined) return violation
    if (recordOfSend.length === 0) return { value: "undetermined", sentence: "Nothing was sent." }
    for (const partition of partitions) {
      if (partition.end !== undefined) continue
      const unread = partition.awaitedAt.size + partition.awaitedAnywhere.size
      if (property !== "NoLoss") {
        return { value: "undetermined", sentence: `No consumer reached the End of partition ${partition.name}.` }
      }
      if (unread > 0) {
        const sentence = `No consumer reached the End of partition ${partition.name}, `
          + `where ${unread} acknowledged ${unread === 1 ? "record is" : "records are"} still to be read.`
        return { value: "undetermined", sentence }
      }
    }
    return { value: "holds" }
  }

  const verdict = (): Verdict =>
    malformed ?? {
      _tag: "Judged",
      NoLoss: judge("NoLoss"),
      NoDuplicate: judge("NoDuplicate"),
      NoGap: judge("NoGap"),
      InOrder: judge("InOrder")
    }

  return { observe, verdict }
}

/** Judges a whole history. */
export const check = (events: Iterable<History.Event>): Verdict => {
  const checker = make()
  for (const event of events) checker.observe(event)
  return checker.verdict()
}

/** The verdict as text, one line per property; a malformed history is one line. */
export const summarize = (verdict: Verdict): string => {
  if (verdict._tag === "Malformed") return `malformed at event ${verdict.index}: ${verdict.sentence}`
  return properties
    .map((property) => {
      const judged = verdict[property]
      switch (judged.value) {
        case "holds":
          return `${property}: holds`
        case "undetermined":
          return `${property}: undetermined. ${judged.sentence}`
        case "violated":
          return `${property}: violated at event ${judged.index}. ${judged.witness.sentence}`
      }
    })
    .join("\n")
}
