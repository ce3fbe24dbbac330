/**
 * Duplicates: a record stands at two offsets, and readers of committed records can read both; or two transactions, or two
 * processes outside of transactions, made something of one input, and both can be read.
 */
import type { Findings } from "./Anomalies.ts"
import { proof } from "./Anomalies.ts"
import type { Facts } from "./Facts.ts"
import type { GroupOffset, Groups } from "./Groups.ts"
import { none } from "./Ledger.ts"

/**
 * Leaves out entries that are `disputed`: of those nobody knows whether they are two. Answers with why it cannot be judged, if it cannot.
 */
export const judge = (
  facts: Facts,
  groups: Groups,
  disputed: ReadonlySet<number>,
  findings: Findings
): string | undefined => {
  const { ledger } = facts
  let readable = 0
  const place = (entry: number): string =>
    ledger.tellOffset(ledger.entryPartition.at(entry), ledger.entryOffset.at(entry))

  /** Adds two entries that should be one. */
  const add = (first: number, second: number, sentence: string): void =>
    findings.add("duplicate", () => ({
      sentence,
      lines: proof(facts.readableLine(first), facts.readableLine(second)),
      records: [...new Set([first, second].map((entry) => ledger.records.at(ledger.entryRecord.at(entry))))]
    }))

  for (let record = 0; record < ledger.lastEntry.length; record++) {
    const last = ledger.lastEntry.at(record)
    if (last === none) continue
    if (ledger.entryBefore.at(last) === none) {
      if (facts.isReadable(last)) readable++
      continue
    }
    const entries = [...ledger.entriesOf(record)].filter((entry) => facts.isReadable(entry) && !disputed.has(entry))
      .reverse()
    if (entries.length > 0) readable++
    for (const other of entries.slice(1)) {
      add(
        entries[0]!,
        other,
        `${ledger.tellRecord(record)} can be read at ${place(entries[0]!)} and at ${place(other)}.`
      )
    }
  }

  /** Who is answerable for a send: its transaction, or its process outside of transactions. */
  const authorOf = (send: number): string => {
    const transaction = ledger.transactionOf.at(send)
    return transaction === none ? `process ${ledger.processOf.at(send)}` : `transaction ${transaction}`
  }

  const judgeInput = (groupOffset: GroupOffset, input: number): void => {
    let first = none
    let author: string | undefined
    for (const send of groups.sendsOf(groupOffset, input)) {
      const entry = facts.entryOf(send)
      if (entry === none || facts.writerOf(entry) !== send || !facts.isReadable(entry)) continue
      if (author === undefined) {
        first = entry
        author = authorOf(send)
      } else if (author !== authorOf(send) && ledger.entryRecord.at(first) !== ledger.entryRecord.at(entry)) {
        const from = ledger.tellOffset(groupOffset.partition, groupOffset.inputOffset.at(input))
        const sentence = `${ledger.tellRecord(ledger.entryRecord.at(entry))} can be read at ${place(entry)} and `
          + `${ledger.tellRecord(ledger.entryRecord.at(first))} at ${
            place(first)
          }, although group ${groupOffset.group} `
          + `made both of ${from}.`
        const sent = [send, facts.writerOf(first)].map((one) => ledger.sentLine.at(one))
        return findings.add("duplicate", () => ({
          sentence,
          lines: proof(facts.readableLine(first), facts.readableLine(entry), ...sent),
          records: [entry, first].map((one) => ledger.records.at(ledger.entryRecord.at(one)))
        }))
      }
    }
  }
  for (const groupOffset of groups.all) {
    for (let input = 0; input < groupOffset.inputOffset.length; input++) judgeInput(groupOffset, input)
  }
  return readable === 0 ? "nobody has read a record that is certain to be readable" : undefined
}
