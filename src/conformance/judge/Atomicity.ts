/**
 * Torn transactions: of a transaction of which one record can be read, no acknowledged record is hidden.
 */
import type { Findings } from "./Anomalies.ts"
import { proof } from "./Anomalies.ts"
import type { Facts, Hidden } from "./Facts.ts"
import { none, outcomes } from "./Ledger.ts"

/** Answers with why it cannot be judged, if it cannot. */
export const judge = (facts: Facts, findings: Findings): string | undefined => {
  const { ledger } = facts
  let judged = 0
  let open = 0

  const judgeTransaction = (transaction: number): void => {
    let readable = none
    let hiddenSend = none
    let hidden: Hidden | undefined
    let readables = 0
    let hiddens = 0
    let unknowns = 0
    for (const send of ledger.sendsIn(transaction)) {
      const fate = facts.fateOf(send)
      if (fate === "readable") {
        const entry = facts.entryOf(send)
        // Another send of the same record may have written it.
        if (facts.writerOf(entry) !== send) continue
        readable = entry
        readables++
      } else if (ledger.outcomeOf.at(send) === outcomes.ok) {
        if (typeof fate === "string") {
          unknowns++
        } else if (facts.readableEntryOf(ledger.recordOf.at(send)) === none) {
          hidden = fate
          hiddenSend = send
          hiddens++
        }
      }
    }
    if (readables > 0 && hidden !== undefined) {
      const missing = ledger.recordOf.at(hiddenSend)
      const other = ledger.entryRecord.at(readable)
      const { how, lines } = hidden
      findings.add("torn transaction", () => ({
        sentence: `of ${ledger.tellTransaction(transaction)} ${ledger.tellRecord(other)} can be read, but `
          + `${ledger.tellRecord(missing)} cannot: ${how}.`,
        lines: proof(
          ledger.sentLine.at(facts.writerOf(readable)),
          facts.readableLine(readable),
          ledger.sentLine.at(hiddenSend),
          ledger.outcomeLine.at(hiddenSend),
          ...lines
        ),
        records: [ledger.records.at(missing), ledger.records.at(other)]
      }))
    }
    if (readables > 0 && unknowns > 0) open++
    else if (readables > 1 || hiddens > 1 || readables > 0 && hiddens > 0) judged++
  }

  for (let transaction = 0; transaction < ledger.transactionProcess.length; transaction++) judgeTransaction(transaction)
  if (open > 0) return `of ${open} transactions that can be read, nobody has read as far as all records`
  return judged === 0 ? "the fate of two records is known of no transaction" : undefined
}
