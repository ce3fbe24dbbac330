/**
 * Lost writes: what was acknowledged, with its transaction if it was sent in one, can be read for good. It is lost where
 * an observer passed over its offset, or has read everything to the end, and nobody can read it anywhere.
 */
import type { Findings } from "./Anomalies.ts"
import { proof } from "./Anomalies.ts"
import type { Facts } from "./Facts.ts"
import { none } from "./Ledger.ts"

/** Answers with why it cannot be judged, if it cannot. */
export const judge = (facts: Facts, findings: Findings): string | undefined => {
  const { ledger } = facts
  let acknowledged = 0
  let open = 0
  for (let send = 0; send < ledger.recordOf.length; send++) {
    if (!facts.isAcknowledged(send)) continue
    acknowledged++
    const fate = facts.fateOf(send)
    if (fate === "readable" || fate === "written") continue
    const record = ledger.recordOf.at(send)
    if (facts.readableEntryOf(record) !== none) continue
    if (fate === "unknown") {
      open++
      continue
    }
    const transaction = ledger.transactionOf.at(send)
    const isIn = transaction === none ? "" : ` in ${ledger.tellTransaction(transaction)}, whose commit was reported`
    const committedLine = transaction === none ? none : ledger.commitOutcomeLine.at(transaction)
    findings.add("lost write", () => ({
      sentence: `${ledger.tellRecord(record)} was acknowledged${isIn}, but ${fate.how}.`,
      lines: proof(ledger.sentLine.at(send), ledger.outcomeLine.at(send), committedLine, ...fate.lines),
      records: [ledger.records.at(record)]
    }))
  }
  if (acknowledged === 0) return "nothing was acknowledged"
  return open === 0
    ? undefined
    : `nobody has read as far as ${open} of ${acknowledged} acknowledged records`
}
