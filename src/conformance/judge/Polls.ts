/**
 * Skipped polls: a consumer is given every record that its isolation level shows of the offsets that it passes. What others
 * have read or a dump shows, it passed over. A dump that passes over what consumers have read is inconsistent with them.
 */
import type { Findings } from "./Anomalies.ts"
import { proof } from "./Anomalies.ts"
import type { Facts } from "./Facts.ts"
import { decisions, views } from "./Ledger.ts"

export interface Judged {
  /** Why skipped polls cannot be judged, if they cannot. */
  readonly why: string | undefined
  /** Entries of records that another observer saw at another offset, and not there. */
  readonly disputed: ReadonlySet<number>
}

export const judge = (facts: Facts, findings: Findings): Judged => {
  const { ledger } = facts
  const disputed = new Set<number>()
  let isCompared = false

  /** 1 for the entries that readers of committed records must be given. */
  const isCommitted = new Uint8Array(ledger.entryRecord.length)
  for (let entry = 0; entry < isCommitted.length; entry++) {
    const isHidden = ledger.decision.at(entry) === decisions.aborted || facts.isOfVoidWriters(entry)
    if (!isHidden && facts.isReadable(entry)) isCommitted[entry] = 1
  }

  const judgePartition = (partition: number): void => {
    const entries = facts.entriesInOrder(partition)
    const view = ledger.partitions[partition]!.views
    let passed = 0
    /** By position: how many entries before it must be given to readers of committed records. */
    const committedBefore = new Float64Array(entries.length + 1)
    entries.forEach((entry, position) => {
      committedBefore[position + 1] = committedBefore[position]! + isCommitted[entry]!
    })

    const positionOf = (offset: number): number => {
      let low = 0
      let high = entries.length
      while (low < high) {
        const middle = (low + high) >>> 1
        if (ledger.entryOffset.at(entries[middle]!) < offset) low = middle + 1
        else high = middle
      }
      return low
    }

    const judgeStretch = (kind: 0 | 1 | 2, stretch: number): void => {
      const { firstRead, from, reads } = view[kind]
      const isExpected = (entry: number): boolean => kind !== views.read_committed || isCommitted[entry] === 1
      const first = positionOf(from.at(stretch))
      const last = positionOf(view[kind].to.at(stretch))
      const expected = kind === views.read_committed ? committedBefore[last]! - committedBefore[first]! : last - first
      const end = view[kind].readsEnd(stretch)
      let given = 0
      for (let read = firstRead.at(stretch); read < end; read++) if (isExpected(reads.at(read))) given++
      if (kind !== views.log) passed += expected
      if (given === expected) return
      const found = new Set<number>()
      /** Where the observer found each record. */
      const entryOf = new Map<number, number>()
      for (let read = firstRead.at(stretch); read < end; read++) {
        const entry = reads.at(read)
        found.add(entry)
        entryOf.set(ledger.entryRecord.at(entry), entry)
      }
      for (let position = first; position < last; position++) {
        const entry = entries[position]!
        if (!isExpected(entry) || found.has(entry)) continue
        const elsewhere = entryOf.get(ledger.entryRecord.at(entry))
        if (elsewhere !== undefined) disputed.add(entry).add(elsewhere)
        add(kind, stretch, entry, elsewhere !== undefined)
      }
    }

    /** The line that shows that such an observer should have found the entry. */
    const shownLine = (kind: 0 | 1 | 2, entry: number): number =>
      kind === views.read_committed ? facts.readableLine(entry) : ledger.firstSeen(entry)

    const add = (kind: 0 | 1 | 2, stretch: number, entry: number, isElsewhere: boolean): void => {
      const record = ledger.entryRecord.at(entry)
      const offset = ledger.entryOffset.at(entry)
      const what = `${ledger.tellRecord(record)} stands at ${ledger.tellOffset(partition, offset)}`
      const finding = (sentence: string) => ({
        sentence,
        lines: proof(shownLine(kind, entry), ...ledger.linesOf(view[kind], stretch, offset)),
        records: [ledger.records.at(record)]
      })
      if (kind === views.log) {
        findings.add("inconsistent offsets", () => finding(`${what} for a consumer, but a dump has it not.`))
      } else if (isElsewhere) {
        findings.add("inconsistent offsets", () => finding(`${what} for one observer, and elsewhere for another.`))
      } else {
        findings.add("skipped poll", () => finding(`${what}, but a consumer passed over it.`))
      }
    }

    for (const kind of [views.read_committed, views.read_uncommitted, views.log]) {
      for (let stretch = 0; stretch < view[kind].from.length; stretch++) judgeStretch(kind, stretch)
    }
    // One who is alone with a record cannot be compared with anybody.
    if (passed > entries.length || view[views.log].reads.length > 0 && passed > 0) isCompared = true
  }

  for (let partition = 0; partition < ledger.partitions.length; partition++) judgePartition(partition)
  return { why: isCompared ? undefined : "no two observers have looked at the same offsets", disputed }
}
