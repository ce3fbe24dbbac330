/**
 * The consumers' side of a history, dumps of logs included: what was read, and what was looked at and not found. Whether a
 * consumer goes back is judged on the way; all else is entered in the ledger.
 */
import type { Findings } from "./Anomalies.ts"
import { proof } from "./Anomalies.ts"
import type * as Format from "./Format.ts"
import type { Groups } from "./Groups.ts"
import type { Ledger, View } from "./Ledger.ts"
import { decisions, none, views } from "./Ledger.ts"
import { outcomeOf } from "./Producers.ts"

/** An event of a consumer, or of whoever looks at logs. */
export type ConsumerEvent = Extract<
  Format.Event,
  { readonly operation: "poll" | "fetchOffsets" | "commitOffsets" | "assign" | "revoke" | "caughtUp" | "log" }
>

/** Where a consumer stands in one partition. */
interface Standing {
  /** The next offset, or `none` when nobody has told, and the line that told it. */
  position: number
  line: number
  /** The poll that is being taken, and the stretch that it has looked at so far. */
  poll: number
  from: number
  startLine: number
  firstRead: number
}

interface Consumer {
  readonly isolation: Format.Isolation
  /** By partition. */
  readonly standings: Array<Standing | undefined>
}

/** How far the dumps of a log go, and what is undecided there. */
interface Dump {
  to: number
  /** By producer id: its entries since its last marker. */
  readonly open: Map<number, Array<number>>
}

export interface Consumers {
  /** Takes the event of a line, and answers with the contradiction to the lines before it, if there is one. */
  readonly take: (event: ConsumerEvent, line: number) => string | undefined
  /** How many polls were continued from a known position. */
  readonly continued: () => number
  /** How many records were read. */
  readonly reads: () => number
}

/** Starts without consumers. */
export const make = (ledger: Ledger, groups: Groups, findings: Findings): Consumers => {
  const consumers: Array<Consumer | undefined> = []
  /** Partitions that were assigned before the first poll. */
  const assigned: Array<Array<Standing | undefined> | undefined> = []
  const dumps: Array<Dump | undefined> = []
  let continued = 0
  let reads = 0

  const standingsOf = (process: number): Array<Standing | undefined> => assigned[process] ??= []

  const consumerOf = (process: number, isolation: Format.Isolation): Consumer =>
    consumers[process] ??= { isolation, standings: standingsOf(process) }

  const standingOf = (standings: Array<Standing | undefined>, partition: number): Standing =>
    standings[partition] ??= { position: none, line: none, poll: none, from: none, startLine: none, firstRead: 0 }

  const viewOf = (partition: number, view: number): View => ledger.partitions[partition]!.views[view]!

  /** What an observer saw at an offset; the entry, or `none` when somebody saw another record there. */
  const see = (view: number, partition: number, offset: number, record: number, line: number): number => {
    const known = ledger.entryAt(partition, offset)
    const entry = known === none ? ledger.enter(partition, offset, record) : known
    if (ledger.entryRecord.at(entry) !== record) {
      findings.add("inconsistent offsets", () => {
        const other = ledger.entryRecord.at(entry)
        return {
          sentence: `${ledger.tellOffset(partition, offset)} holds ${ledger.tellRecord(other)} and `
            + `${ledger.tellRecord(record)}.`,
          lines: proof(ledger.firstSeen(entry), line),
          records: [ledger.records.at(other), ledger.records.at(record)]
        }
      })
      return entry
    }
    const seen = ledger.seenLine[view]!
    if (seen.at(entry) === none) seen.set(entry, line)
    return entry
  }

  /** Begins to look at a partition in a poll. */
  const open = (standing: Standing, view: View, line: number): void => {
    if (standing.poll === line) return
    standing.poll = line
    standing.from = standing.position
    standing.startLine = standing.line
    standing.firstRead = view.reads.length
    if (standing.position !== none) continued++
  }

  /** Ends the stretch that the poll has looked at. */
  const close = (standing: Standing, view: View, to: number): void => {
    const { firstRead, from, poll, startLine } = standing
    if (from !== none && to > from) view.add(from, to, poll, startLine, firstRead)
  }

  const wentBack = (process: number, partition: number, standing: Standing, to: number, line: number): void => {
    const from = standing.position
    const since = standing.line
    const record = ledger.entryAt(partition, to)
    findings.add("non-monotone poll", () => ({
      sentence: `${ledger.tellProcess(process)} stood at ${ledger.tellOffset(partition, from)} and went back to `
        + `offset ${to} without being told to.`,
      lines: proof(since, line),
      records: record === none ? [] : [ledger.records.at(ledger.entryRecord.at(record))]
    }))
  }

  const unknownRecord = (record: Format.Id): string =>
    `record ${JSON.stringify(record)} was never sent; the invoke line of a send stands before the call is made`

  const poll = (event: Extract<ConsumerEvent, { readonly records: unknown }>, line: number): string | undefined => {
    const process = ledger.processes.number(event.process)
    const { isolation, standings } = consumerOf(process, event.isolation)
    if (isolation !== event.isolation) {
      return `this process reads ${isolation} elsewhere; another consumer is another process`
    }
    const view = views[isolation]
    const touched: Array<number> = []
    for (const { offset, partition: number, record: name, topic } of event.records) {
      const record = ledger.records.get(name)
      if (record === undefined) return unknownRecord(name)
      const partition = ledger.partition(topic, number)
      const looked = viewOf(partition, view)
      const standing = standingOf(standings, partition)
      if (standing.poll !== line) {
        open(standing, looked, line)
        touched.push(partition)
      }
      const entry = see(view, partition, offset, record, line)
      if (offset < standing.position) {
        // It has passed there before; where it goes on from is where it was.
        wentBack(process, partition, standing, offset, line)
        reads++
        continue
      }
      if (standing.from === none) {
        standing.from = offset
        standing.startLine = line
        standing.firstRead = looked.reads.length
      }
      looked.reads.push(entry)
      standing.position = offset + 1
      standing.line = line
      reads++
    }
    for (const { offset, partition: number, topic } of event.positions ?? []) {
      const partition = ledger.partition(topic, number)
      const standing = standingOf(standings, partition)
      if (standing.poll !== line) {
        open(standing, viewOf(partition, view), line)
        touched.push(partition)
      }
      if (offset < standing.position) {
        wentBack(process, partition, standing, offset, line)
        continue
      }
      standing.position = offset
      standing.line = line
    }
    for (const partition of touched) {
      const standing = standings[partition]!
      close(standing, viewOf(partition, view), standing.position)
    }
    return undefined
  }

  const assign = (event: Extract<ConsumerEvent, { readonly operation: "assign" }>, line: number): undefined => {
    const process = ledger.processes.number(event.process)
    const { generation, group } = event
    for (const { offset, partition: number, topic } of event.partitions) {
      const partition = ledger.partition(topic, number)
      const standing = standingOf(standingsOf(process), partition)
      standing.position = offset ?? none
      standing.line = line
      if (group !== undefined && generation !== undefined) {
        groups.assigned(group, { topic, partition: number }, { generation, process, line })
      }
    }
  }

  const revoke = (event: Extract<ConsumerEvent, { readonly operation: "revoke" }>): undefined => {
    const standings = standingsOf(ledger.processes.number(event.process))
    for (const { partition, topic } of event.partitions) standings[ledger.partition(topic, partition)] = undefined
  }

  const caughtUp = (
    event: Extract<ConsumerEvent, { readonly operation: "caughtUp" }>,
    line: number
  ): string | undefined => {
    const process = ledger.processes.number(event.process)
    const { isolation, standings } = consumerOf(process, event.isolation)
    if (isolation !== event.isolation) {
      return `this process reads ${isolation} elsewhere; another consumer is another process`
    }
    for (const { offset, partition: number, topic } of event.positions) {
      const partition = ledger.partition(topic, number)
      const standing = standingOf(standings, partition)
      if (standing.position > offset) {
        return `this process stands at ${ledger.tellOffset(partition, standing.position)}, behind the end`
      }
      const view = viewOf(partition, views[isolation])
      if (view.end !== none && view.end !== offset) {
        return `${ledger.partitions[partition]!.name} ended at offset ${view.end}`
      }
      if (standing.position !== none && standing.position < offset) {
        view.add(standing.position, offset, line, standing.line, view.reads.length)
      }
      standing.position = offset
      standing.line = line
      if (view.end === none) view.endLine = line
      view.end = offset
    }
    return undefined
  }

  const dump = (event: Extract<ConsumerEvent, { readonly operation: "log" }>, line: number): string | undefined => {
    const { entries, from, to } = event
    const partition = ledger.partition(event.topic, event.partition)
    const known = dumps[partition] ??= { to: from, open: new Map() }
    if (known.to !== from) return `the dump of ${ledger.partitions[partition]!.name} ended at offset ${known.to}`
    const view = viewOf(partition, views.log)
    const firstRead = view.reads.length
    let next = from
    for (const entry of entries) {
      if (entry.offset < next || entry.offset >= to) return `offset ${entry.offset} is out of order or not below ${to}`
      next = entry.offset + 1
      if ("control" in entry) {
        decide(known, entry.producerId, entry.control, line)
        continue
      }
      const record = ledger.records.get(entry.record)
      if (record === undefined) return unknownRecord(entry.record)
      const seen = see(views.log, partition, entry.offset, record, line)
      view.reads.push(seen)
      if (entry.producerId === undefined) continue
      const open = known.open.get(entry.producerId)
      if (open === undefined) known.open.set(entry.producerId, [seen])
      else open.push(seen)
    }
    known.to = to
    if (to > from) view.add(from, to, line, none, firstRead)
    return undefined
  }

  /** A marker decides all that its producer has written since the last one. */
  const decide = ({ open }: Dump, producerId: number, control: "commit" | "abort", line: number): void => {
    for (const entry of open.get(producerId) ?? []) {
      ledger.decision.set(entry, control === "commit" ? decisions.committed : decisions.aborted)
      ledger.decisionLine.set(entry, line)
    }
    open.delete(producerId)
  }

  return {
    take: (event, line) => {
      switch (event.operation) {
        case "poll":
          return event.type === "ok" ? poll(event, line) : undefined
        case "assign":
          return assign(event, line)
        case "revoke":
          return revoke(event)
        case "caughtUp":
          return caughtUp(event, line)
        case "log":
          return dump(event, line)
        case "fetchOffsets": {
          const process = ledger.processes.number(event.process)
          if (event.type === "ok") groups.told(process, event.group, event.offsets, line)
          else if (event.type === "invoke") groups.ask(process, line)
          return undefined
        }
        case "commitOffsets": {
          const process = ledger.processes.number(event.process)
          if (event.type === "invoke") {
            groups.handOver(event, { process, transaction: none, fencer: none, line })
            return undefined
          }
          return groups.ended(process, event.group, outcomeOf(event.type), line)
            ? undefined
            : "no commitOffsets of this process and group is under way; the invoke line stands before the call is made"
        }
      }
    },
    continued: () => continued,
    reads: () => reads
  }
}
