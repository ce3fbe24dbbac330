/**
 * What can be wrong with a history, which guarantee forbids it, and what was found while one is judged.
 */
import type * as Format from "./Format.ts"

/** What a system may claim (Kafka's documentation, "Message Delivery Semantics"). */
export const guarantees = ["at-most-once", "at-least-once", "exactly-once"] as const
export type Guarantee = (typeof guarantees)[number]

/** An anomaly: what it is, and the claims that it refutes. */
interface Kind {
  readonly sentence: string
  readonly refutes: ReadonlyArray<Guarantee>
}

const all = guarantees

/** The anomalies, in the order in which they are reported. */
export const kinds = {
  "lost write": {
    sentence: "what was acknowledged cannot be read",
    refutes: ["at-least-once", "exactly-once"]
  },
  duplicate: {
    sentence: "one record, or the output of one input, can be read twice",
    refutes: ["at-most-once", "exactly-once"]
  },
  reordering: {
    sentence: "records of one process and partition are in another order than they were sent",
    refutes: ["exactly-once"]
  },
  "aborted read": {
    sentence: "a record was read that was refused or whose transaction is aborted",
    refutes: ["exactly-once"]
  },
  "read beyond stable": {
    sentence: "a read_committed poll returned a record of a transaction that was still open",
    refutes: ["exactly-once"]
  },
  "torn transaction": {
    sentence: "of one transaction one record can be read and another cannot",
    refutes: ["exactly-once"]
  },
  "offset ahead of output": {
    sentence: "a group goes on behind inputs whose outputs cannot be read",
    refutes: ["at-least-once", "exactly-once"]
  },
  "output ahead of offset": {
    sentence: "a group goes on before inputs whose outputs or offsets were committed",
    refutes: ["at-most-once", "exactly-once"]
  },
  "zombie success": {
    sentence: "an instance succeeded after a newer one had taken its place",
    refutes: ["exactly-once"]
  },
  "skipped poll": {
    sentence: "a consumer passed over a record that it should have been given",
    refutes: ["at-least-once", "exactly-once"]
  },
  "non-monotone poll": {
    sentence: "a consumer went back without being told to",
    refutes: ["at-most-once", "exactly-once"]
  },
  "inconsistent offsets": {
    sentence: "two observers saw two different logs",
    refutes: all
  }
} as const satisfies Readonly<Record<string, Kind>>

export type Anomaly = keyof typeof kinds

export const anomalies = Object.keys(kinds) as ReadonlyArray<Anomaly>

/** Whether a system that claims the guarantee must not show the anomaly. */
export const isForbidden = (anomaly: Anomaly, guarantee: Guarantee): boolean =>
  (kinds[anomaly].refutes as ReadonlyArray<Guarantee>).includes(guarantee)

/** One occurrence of an anomaly. */
export interface Finding {
  /** What happened, in plain English. */
  readonly sentence: string
  /** The lines that together prove it, ascending, from 1. */
  readonly lines: ReadonlyArray<number>
  /** The records involved, the wronged one first. */
  readonly records: ReadonlyArray<Format.Id>
}

/** What the history says of one anomaly. */
export type Verdict =
  | { readonly _tag: "Found"; readonly count: number; readonly findings: ReadonlyArray<Finding> }
  | { readonly _tag: "Absent" }
  | { readonly _tag: "NotJudged"; readonly why: string }

/** How many findings of one anomaly are kept in full. */
const kept = 5

/** What was found so far; of each anomaly all are counted and the first few kept. */
export interface Findings {
  /** Takes an occurrence, which is only told where it is kept. The sentence may begin with a small letter. */
  readonly add: (anomaly: Anomaly, tell: () => Finding) => void
  readonly of: (anomaly: Anomaly) => Extract<Verdict, { readonly _tag: "Found" }> | undefined
}

/** Starts with nothing found. */
export const makeFindings = (): Findings => {
  const found = new Map<Anomaly, { count: number; readonly findings: Array<Finding> }>()
  return {
    add: (anomaly, tell) => {
      const known = found.get(anomaly) ?? { count: 0, findings: [] }
      found.set(anomaly, known)
      known.count++
      if (known.findings.length === kept) return
      const { lines, records, sentence } = tell()
      known.findings.push({ sentence: sentence.charAt(0).toUpperCase() + sentence.slice(1), lines, records })
    },
    of: (anomaly) => {
      const known = found.get(anomaly)
      return known === undefined ? undefined : { _tag: "Found", ...known }
    }
  }
}

/** The lines of a proof: ascending, each once; those that do not exist are left out. */
export const proof = (...lines: ReadonlyArray<number>): ReadonlyArray<number> =>
  [...new Set(lines)].filter((line) => line > 0).toSorted((a, b) => a - b)
