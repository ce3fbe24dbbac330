/**
 * What can be said of a transactional history, and the violations found so far while it is judged.
 */
import type { Holds, Malformed, Undetermined } from "../HistoryChecker.ts"
import type * as History from "./History.ts"
import type { Ledger } from "./Ledger.ts"

/** The properties, in the order in which they are reported. */
export const properties = [
  "NoLostCommit",
  "Atomicity",
  "SingleOutcome",
  "NoAbortedRead",
  "NoUncommittedRead",
  "NoDuplicate",
  "InOrder",
  "StableReads",
  "OffsetsAgreeWithOutputs",
  "ZombieFenced",
  "NoHangingTransaction"
] as const

/** The name of a property of transactions. */
export type Property = (typeof properties)[number]

/** What shows that a property is violated. */
export interface Witness {
  /** The transactions involved, the wronged one first. */
  readonly transactions: ReadonlyArray<History.Name>
  /** The records involved, the wronged one first. */
  readonly records: ReadonlyArray<number>
  /** Where that is; absent where it is the group's offset. */
  readonly partition: string | undefined
  /** The offsets involved, in the order in which the sentence names them. */
  readonly offsets: ReadonlyArray<number>
  /** The violation in plain English. */
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

/** The verdict on a history. */
export type Verdict = Judged | Malformed

/** What a violation is about: numbers of the ledger. */
export interface Evidence {
  /** Those of the records, unless they are given. */
  readonly transactions?: ReadonlyArray<number>
  readonly records?: ReadonlyArray<number>
  readonly partition?: string
  readonly offsets?: ReadonlyArray<number>
}

/** The first violation of each property. */
export interface Findings {
  readonly of: (property: Property) => Violated | undefined
  /** Takes a violation; only the first of a property counts. The sentence may begin with a small letter. */
  readonly violate: (property: Property, sentence: string, evidence: Evidence) => void
}

/** Starts with nothing found; `now` is the position of the event that is being judged. */
export const makeFindings = (ledger: Ledger, now: () => number): Findings => {
  const violations = new Map<Property, Violated>()
  return {
    of: (property) => violations.get(property),
    violate: (property, sentence, { offsets = [], partition, records = [], transactions }) => {
      if (violations.has(property)) return
      const involved = transactions ?? [...new Set(records.map((record) => ledger.transactionOf.at(record)))]
      const witness: Witness = {
        transactions: involved.map((transaction) => ledger.nameOf(transaction)),
        records: records.map((record) => ledger.idOf.at(record)),
        partition,
        offsets,
        sentence: sentence.charAt(0).toUpperCase() + sentence.slice(1)
      }
      violations.set(property, { value: "violated", index: now(), witness })
    }
  }
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
