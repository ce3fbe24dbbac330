/**
 * Whether the offset of a group is what was made of it: what somebody wanted committed last, behind every input whose
 * output can be read, and behind no other.
 *
 * A commit whose outcome is unknown may have taken effect at any time since, or never. An offset that is handed to a
 * transaction is committed as soon as the commit is reported or an output of the transaction can be read: who asks for
 * it is made to wait for the markers (KIP-447, requireStable).
 */
import type { Findings } from "./Anomalies.ts"
import { proof } from "./Anomalies.ts"
import type { Facts } from "./Facts.ts"
import type { Commit, GroupOffset, Groups, Tell } from "./Groups.ts"
import { none, outcomes } from "./Ledger.ts"

const tellOffset = (offset: number): string => offset === none ? "none" : String(offset)

/** Why each of the two anomalies cannot be judged, if it cannot. */
export const judge = (facts: Facts, groups: Groups, findings: Findings): string | undefined => {
  const { ledger } = facts
  let judged = 0

  const isVoid = ({ outcome, transaction }: Commit): boolean =>
    outcome === outcomes.failed || transaction !== none && facts.isAbandoned(transaction)

  const readableLines = new Map<number, number>()
  /** The first line that shows that an output of the transaction can be read, or `none`. */
  const readableLine = (transaction: number): number => {
    const known = readableLines.get(transaction)
    if (known !== undefined) return known
    let first = none
    for (const send of ledger.sendsIn(transaction)) {
      const entry = facts.entryOf(send)
      if (entry === none || facts.writerOf(entry) !== send || !facts.isReadable(entry)) continue
      const line = facts.readableLine(entry)
      if (first === none || line < first) first = line
    }
    readableLines.set(transaction, first)
    return first
  }

  /** The line from which on the commit is known to have taken effect, or `none`. */
  const certainLine = ({ outcome, outcomeLine, transaction }: Commit): number => {
    if (outcome !== outcomes.ok) return none
    if (transaction === none) return outcomeLine
    const reported = ledger.commitOutcome.at(transaction) === outcomes.ok
      ? ledger.commitOutcomeLine.at(transaction)
      : none
    const read = readableLine(transaction)
    const shown = reported === none || read !== none && read < reported ? read : reported
    // An output that is read too early shows nothing of what is handed over later.
    return shown === none ? none : Math.max(shown, outcomeLine)
  }

  /** The last line at which the commit may have taken effect. */
  const latest = (commit: Commit): number => {
    const line = certainLine(commit)
    return line === none ? Number.POSITIVE_INFINITY : line
  }

  const subject = ({ group, partition }: GroupOffset): string =>
    `the offset of group ${group} for ${ledger.partitions[partition]!.name}`

  const told = (groupOffset: GroupOffset, tell: Tell, last: Commit | undefined): void => {
    const { offset } = tell
    if (last !== undefined && offset < last.offset) {
      const { line, outcomeLine, transaction } = last
      const how = transaction === none ? "committed" : `committed with ${ledger.tellTransaction(transaction)}`
      return findings.add("output ahead of offset", () => ({
        sentence: `${subject(groupOffset)} was ${how} as ${last.offset}, but was then ${tellOffset(offset)}.`,
        lines: proof(line, outcomeLine, certainLine(last), tell.line),
        records: []
      }))
    }
    findings.add("offset ahead of output", () => {
      const taken = groupOffset.commits.find((commit) => commit.offset === offset && isVoid(commit))
      const [why, ...lines] = taken === undefined
        ? ["which nobody had wanted to be committed"] as const
        : taken.transaction === none
        ? ["whose commit has failed", taken.line, taken.outcomeLine] as const
        : [
          `which was to be committed with ${ledger.tellTransaction(taken.transaction)}, which is not`,
          taken.line,
          endLine(taken.transaction)
        ] as const
      return {
        sentence: `${subject(groupOffset)} was ${offset}, ${why}.`,
        lines: proof(tell.line, ...lines),
        records: []
      }
    })
  }

  /** The line that says how an abandoned transaction ended. */
  const endLine = (transaction: number): number => {
    const { commitOutcome, commitOutcomeLine, endCalled } = ledger
    const line = commitOutcome.at(transaction) === outcomes.failed ? commitOutcomeLine : endCalled
    return line.at(transaction)
  }

  const judgeTells = (groupOffset: GroupOffset): void => {
    const { commits, tells } = groupOffset
    if (commits.length === 0) return
    const certain = commits
      .filter((commit) => certainLine(commit) !== none && !isVoid(commit))
      .toSorted((a, b) => certainLine(a) - certainLine(b))
    /** By offset: until when somebody may have committed it. */
    const until = new Map<number, number>()
    let wanted = 0
    let settled = 0
    let last: Commit | undefined
    for (const tell of tells.toSorted((a, b) => a.asked - b.asked)) {
      judged++
      for (; wanted < commits.length && commits[wanted]!.line < tell.line; wanted++) {
        const commit = commits[wanted]!
        if (!isVoid(commit)) until.set(commit.offset, Math.max(until.get(commit.offset) ?? 0, latest(commit)))
      }
      for (; settled < certain.length && certainLine(certain[settled]!) < tell.asked; settled++) {
        const commit = certain[settled]!
        if (last === undefined || commit.line > last.line) last = commit
      }
      const possible = tell.offset === none ? Number.POSITIVE_INFINITY : until.get(tell.offset)
      const isExplained = possible !== undefined && (last === undefined || tell.offset !== none && possible > last.line)
      if (!isExplained) told(groupOffset, tell, last)
    }
  }

  /** What is made of the inputs, against the offset that the group was told last. */
  const judgeInputs = (groupOffset: GroupOffset): void => {
    const { commits, inputOffset, partition, tells } = groupOffset
    const tell = tells.at(-1)
    if (tell === undefined || inputOffset.length === 0) return
    const highest = commits.reduce((most, commit) => isVoid(commit) ? most : Math.max(most, commit.offset), none)
    for (let input = 0; input < inputOffset.length; input++) {
      judged++
      const offset = inputOffset.at(input)
      const from = ledger.tellOffset(partition, offset)
      const lines: Array<number> = []
      const records: Array<number> = []
      let isNothing = true
      for (const send of groups.sendsOf(groupOffset, input)) {
        const record = ledger.recordOf.at(send)
        const fate = facts.fateOf(send)
        const entry = facts.entryOf(send)
        const isRead = fate === "readable" && facts.writerOf(entry) === send
        if (isRead && offset >= tell.offset && offset >= highest && facts.readableLine(entry) < tell.asked) {
          findings.add("output ahead of offset", () => ({
            sentence: `${ledger.tellRecord(record)}, made of ${from}, can be read, but ${subject(groupOffset)} is `
              + `${tellOffset(tell.offset)}, and nobody wants more to be committed.`,
            lines: proof(ledger.sentLine.at(send), facts.readableLine(entry), tell.line),
            records: [ledger.records.at(record)]
          }))
        }
        const transaction = ledger.transactionOf.at(send)
        if (facts.isVoid(send) && fate !== "readable") {
          lines.push(
            ledger.sentLine.at(send),
            transaction === none ? ledger.outcomeLine.at(send) : endLine(transaction)
          )
        } else if (typeof fate !== "string") {
          lines.push(ledger.sentLine.at(send), ...fate.lines)
        } else {
          isNothing = false
        }
        records.push(record)
      }
      if (!isNothing || offset >= tell.offset) continue
      findings.add("offset ahead of output", () => ({
        sentence: `${subject(groupOffset)} is ${tell.offset}, but nothing that was made of ${from} can be read.`,
        lines: proof(...lines, tell.line),
        records: records.map((record) => ledger.records.at(record))
      }))
    }
  }

  for (const groupOffset of groups.all) {
    judgeTells(groupOffset)
    judgeInputs(groupOffset)
  }
  return judged === 0
    ? "nobody was told the offset of a group for which offsets are committed or outputs made"
    : undefined
}
