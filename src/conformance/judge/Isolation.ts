/**
 * What must not be read: records that were refused, those of aborted transactions, those of transactions that are open.
 *
 * `isolation.level` hides what is not committed from read_committed consumers; what was refused is in no log at all.
 */
import type { Findings } from "./Anomalies.ts"
import { proof } from "./Anomalies.ts"
import type { Facts } from "./Facts.ts"
import { decisions, none, outcomes, views } from "./Ledger.ts"

/** Why something must not be read, and the line that says so. */
interface Ban {
  readonly why: string
  readonly line: number
}

/** Judges reads of what was refused or aborted; answers with why that cannot be judged, if it cannot. */
export const judgeAborted = (facts: Facts, findings: Findings): string | undefined => {
  const { ledger } = facts
  const committedReads = ledger.seenLine[views.read_committed]

  const isRefused = (send: number): boolean => ledger.outcomeOf.at(send) === outcomes.failed

  /** Somebody has called abort, and commit never; or the commit has failed. */
  const isAborted = (transaction: number): boolean =>
    ledger.commitOutcome.at(transaction) === outcomes.failed
    || ledger.endCalled.at(transaction) !== none && ledger.commitCalled.at(transaction) === none

  const isBanned = (send: number, isCommittedRead: boolean): boolean => {
    const transaction = ledger.transactionOf.at(send)
    return isRefused(send) || isCommittedRead && transaction !== none && isAborted(transaction)
  }

  const banOf = (send: number): Ban => {
    if (isRefused(send)) return { why: "its send has failed", line: ledger.outcomeLine.at(send) }
    const transaction = ledger.transactionOf.at(send)
    const name = ledger.tellTransaction(transaction)
    return ledger.commitCalled.at(transaction) === none
      ? { why: `${name} is aborted`, line: ledger.endCalled.at(transaction) }
      : { why: `the commit of ${name} has failed`, line: ledger.commitOutcomeLine.at(transaction) }
  }

  const add = (entry: number, writer: number, { line, why }: Ban): void =>
    findings.add("aborted read", () => {
      const record = ledger.entryRecord.at(entry)
      const place = ledger.tellOffset(ledger.entryPartition.at(entry), ledger.entryOffset.at(entry))
      const readLine = committedReads.at(entry)
      return {
        sentence: `${ledger.tellRecord(record)} was read at ${place}, but ${why}.`,
        lines: proof(
          writer === none ? none : ledger.sentLine.at(writer),
          readLine === none ? ledger.firstSeen(entry) : readLine,
          line
        ),
        records: [ledger.records.at(record)]
      }
    })

  let isAnythingBanned = false
  for (let send = 0; send < ledger.recordOf.length && !isAnythingBanned; send++) {
    isAnythingBanned = isBanned(send, true)
  }
  for (let entry = 0; entry < ledger.entryRecord.length; entry++) {
    const isCommittedRead = committedReads.at(entry) !== none
    if (ledger.decision.at(entry) === decisions.aborted) {
      isAnythingBanned = true
      if (isCommittedRead) {
        add(entry, none, { why: "it is aborted in the log", line: ledger.decisionLine.at(entry) })
        continue
      }
    }
    const writers = facts.writersOf(entry)
    if (writers.length > 0 && writers.every((send) => isBanned(send, isCommittedRead))) {
      add(entry, writers[0]!, banOf(writers[0]!))
    }
  }
  if (!isAnythingBanned) return "nothing was aborted or refused"
  return ledger.entryRecord.length === 0 ? "nothing was read" : undefined
}

/** Judges reads before the end of a transaction was called; answers with why that cannot be judged, if it cannot. */
export const judgeOpen = (facts: Facts, findings: Findings): string | undefined => {
  const { ledger } = facts
  const committedReads = ledger.seenLine[views.read_committed]
  let judged = 0
  for (let entry = 0; entry < ledger.entryRecord.length; entry++) {
    const line = committedReads.at(entry)
    if (line === none) continue
    const isOpen = (send: number): boolean => {
      const transaction = ledger.transactionOf.at(send)
      if (transaction === none) return false
      const ended = ledger.endCalled.at(transaction)
      return ended === none || line < ended
    }
    const writers = facts.writersOf(entry)
    if (writers.every((send) => ledger.transactionOf.at(send) === none)) continue
    judged++
    const open = writers.find(isOpen)
    if (open === undefined || !writers.every((send) => isOpen(send) || facts.isVoid(send))) continue
    const transaction = ledger.transactionOf.at(open)
    const ended = ledger.endCalled.at(transaction)
    const record = ledger.entryRecord.at(entry)
    findings.add("read beyond stable", () => ({
      sentence: `${ledger.tellRecord(record)} was read at `
        + `${
          ledger.tellOffset(ledger.entryPartition.at(entry), ledger.entryOffset.at(entry))
        } by a read_committed consumer, `
        + `but ${ledger.tellTransaction(transaction)} was still open`
        + (ended === none ? " and was never to be committed." : "."),
      lines: proof(ledger.sentLine.at(open), line, ended),
      records: [ledger.records.at(record)]
    }))
  }
  return judged === 0 ? "no read_committed consumer has read a record of a transaction" : undefined
}
