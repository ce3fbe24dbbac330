/**
 * Reordering: the records that one process sends to one partition stand in its log in the order of their sends. Where a
 * record stands is told by whoever has seen it, or else by its acknowledgement; of several places the first counts.
 */
import { Column } from "../Columns.ts"
import type { Findings } from "./Anomalies.ts"
import { proof } from "./Anomalies.ts"
import type { Facts } from "./Facts.ts"
import { none, outcomes } from "./Ledger.ts"

/** Answers with why it cannot be judged, if it cannot. */
export const judge = ({ entryOf, ledger }: Facts, findings: Findings): string | undefined => {
  /** By partition and process: the send that stands farthest, and where. */
  const farthest: Array<Column> = ledger.partitions.map(() => new Column())
  let compared = 0

  const placeOf = (
    send: number
  ): { readonly partition: number; readonly offset: number; readonly line: number } | undefined => {
    const entry = entryOf(send)
    if (entry !== none) {
      const partition = ledger.entryPartition.at(entry)
      return { partition, offset: ledger.entryOffset.at(entry), line: ledger.firstSeen(entry) }
    }
    const offset = ledger.acknowledgedAt.at(send)
    return offset === none
      ? undefined
      : { partition: ledger.partitionOf(send), offset, line: ledger.outcomeLine.at(send) }
  }

  for (let send = 0; send < ledger.recordOf.length; send++) {
    if (ledger.outcomeOf.at(send) === outcomes.failed) continue
    const place = placeOf(send)
    if (place === undefined) continue
    const column = farthest[place.partition]!
    const process = ledger.processOf.at(send)
    while (column.length <= process) column.push(none)
    const before = column.at(process)
    if (before === none) {
      column.set(process, send)
      continue
    }
    compared++
    const other = placeOf(before)!
    if (other.offset < place.offset) {
      column.set(process, send)
      continue
    }
    if (other.offset === place.offset) continue
    findings.add("reordering", () => {
      const [late, early] = [ledger.recordOf.at(send), ledger.recordOf.at(before)]
      return {
        sentence:
          `${ledger.tellRecord(late)} was sent after ${ledger.tellRecord(early)} by the same process, but stands `
          + `before it: at ${ledger.tellOffset(place.partition, place.offset)}, the other at offset ${other.offset}.`,
        lines: proof(ledger.sentLine.at(before), ledger.sentLine.at(send), place.line, other.line),
        records: [ledger.records.at(late), ledger.records.at(early)]
      }
    })
  }
  return compared === 0 ? "no two records of one process are known to stand in one partition" : undefined
}
