/**
 * Inconsistent offsets: all who tell what stands in a log tell of one log. One offset holds one record; a record stands
 * where its acknowledgement says, and in the partition that it was sent to.
 *
 * That two consumers, or a consumer and a dump, see two records at one offset is found while they are read (`Consumers.ts`),
 * and what one of them lacks in `Polls.ts`.
 */
import type { Findings } from "./Anomalies.ts"
import { proof } from "./Anomalies.ts"
import type { Facts } from "./Facts.ts"
import { none } from "./Ledger.ts"

/** Answers with why it cannot be judged, if it cannot. */
export const judge = (facts: Facts, findings: Findings): string | undefined => {
  const { ledger } = facts
  /** By partition: the sends that were acknowledged where nothing was seen, by offset. */
  const acknowledged: ReadonlyArray<Map<number, number>> = ledger.partitions.map(() => new Map<number, number>())
  let compared = 0

  const add = (
    send: number,
    how: string,
    lines: ReadonlyArray<number>,
    other: number = ledger.recordOf.at(send)
  ): void =>
    findings.add("inconsistent offsets", () => {
      const record = ledger.recordOf.at(send)
      const place = ledger.tellOffset(ledger.partitionOf(send), ledger.acknowledgedAt.at(send))
      return {
        sentence: `${ledger.tellRecord(record)} was acknowledged at ${place}, ${how}.`,
        lines: proof(ledger.sentLine.at(send), ledger.outcomeLine.at(send), ...lines),
        records: [...new Set([record, other])].map((one) => ledger.records.at(one))
      }
    })

  const judgeSend = (send: number): void => {
    const offset = ledger.acknowledgedAt.at(send)
    if (offset === none) return
    const record = ledger.recordOf.at(send)
    const partition = ledger.partitionOf(send)
    const entry = ledger.entryAt(partition, offset)
    if (entry !== none) {
      compared++
      const other = ledger.entryRecord.at(entry)
      if (other === record) return
      return add(send, `where ${ledger.tellRecord(other)} stands`, [ledger.firstSeen(entry)], other)
    }
    const rival = acknowledged[partition]!.get(offset)
    if (rival !== undefined && ledger.recordOf.at(rival) !== record) {
      const other = ledger.recordOf.at(rival)
      const lines = [ledger.sentLine.at(rival), ledger.outcomeLine.at(rival)]
      return add(send, `and so was ${ledger.tellRecord(other)}`, lines, other)
    }
    acknowledged[partition]!.set(offset, send)
    const isOnlySend = ledger.sendBefore.at(send) === none && ledger.lastSend.at(record) === send
    const elsewhere = ledger.lastEntry.at(record)
    if (!isOnlySend || elsewhere === none) return
    compared++
    const place = ledger.tellOffset(ledger.entryPartition.at(elsewhere), ledger.entryOffset.at(elsewhere))
    add(send, `but stands at ${place}`, [ledger.firstSeen(elsewhere)])
  }

  for (let send = 0; send < ledger.recordOf.length; send++) judgeSend(send)
  for (let entry = 0; entry < ledger.entryRecord.length; entry++) {
    if (facts.writersOf(entry).length > 0) continue
    const record = ledger.entryRecord.at(entry)
    const send = ledger.lastSend.at(record)
    findings.add("inconsistent offsets", () => ({
      sentence:
        `${ledger.tellRecord(record)} stands in ${ledger.partitions[ledger.entryPartition.at(entry)]!.name}, to which `
        + "nobody has sent it.",
      lines: proof(ledger.sentLine.at(send), ledger.firstSeen(entry)),
      records: [ledger.records.at(record)]
    }))
  }
  return compared === 0 ? "no offset was told twice" : undefined
}
