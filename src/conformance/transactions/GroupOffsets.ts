/**
 * Whether the group's offset is what was made of it: behind every input whose output is committed, and behind no other.
 *
 * An offset that is told is explained by whoever wanted it committed and may have been the last to do so.
 */
import { Column, Numbering } from "../Columns.ts"
import type { Ledger } from "./Ledger.ts"
import { none } from "./Ledger.ts"
import type { Findings } from "./Verdict.ts"

export interface GroupOffsets {
  readonly began: (transaction: number) => void
  readonly producedOutput: (transaction: number) => void
  readonly handedOver: (transaction: number, offset: number, time: number) => void
  /** An offset was committed outside of transactions. */
  readonly committedAlone: (offset: number, time: number) => void
  /** The transaction was committed, or certainly is not and will not be. */
  readonly ended: (transaction: number, time: number) => void
  /** The first record of the transaction was read. */
  readonly visible: (transaction: number) => void
  /** A record of the transaction is kept back from those who should read it. */
  readonly blocked: (transaction: number) => void
  /** Somebody was told the group's offset. */
  readonly told: (offset: number, time: number) => void
  /** Somebody was told the group's offset in the end. */
  readonly ends: (offset: number) => void
  readonly hasEnded: () => boolean
  /** There is nothing more to be read. */
  readonly everythingIsRead: () => void
  /** What is not known of the group, if that matters. */
  readonly isUntold: () => boolean
  readonly isUsed: () => boolean
}

/** Starts with a group that nobody has used. */
export const make = (ledger: Ledger, { violate }: Findings): GroupOffsets => {
  const inputs = new Numbering()
  /** By input: itself, the first transaction that had it, the first that became visible, and what became of its outputs. */
  const inputOf = new Column()
  const firstOf = new Column()
  const visibleOf = new Column()
  const isProduced = new Column()
  const isBlocked = new Column()

  const offsets = new Numbering()
  /** By offset: how many transactions may still commit it, and when somebody did last. */
  const undecided = new Column()
  const lastCommittedAt = new Column()
  let highest = none

  /** The transaction with the highest offset of those that were committed, and of those that were read. */
  let committed = none
  let visible = none
  let committedAt = none
  let highestTold = none
  let lastToldAt = none
  let end: number | undefined

  const inputNumber = (transaction: number): number | undefined => {
    const input = ledger.inputOf.at(transaction)
    return input === none ? undefined : inputs.get(input)
  }

  /** The number of an offset that somebody wants committed. */
  const offsetNumber = (offset: number): number => {
    const known = offsets.get(offset)
    if (known !== undefined) return known
    undecided.push(0)
    lastCommittedAt.push(none)
    highest = Math.max(highest, offset)
    return offsets.add(offset)
  }

  const decide = (number: number): void => undecided.set(number, undecided.at(number) - 1)

  /** The transaction's offset is not told, although nobody can have taken it back. */
  const isLost = (transaction: number, told: number): boolean => {
    if (transaction === none || ledger.groupOffsetOf.at(transaction) <= told) return false
    const number = offsets.get(told)
    if (number === undefined) return true
    return undecided.at(number) === 0 && lastCommittedAt.at(number) < ledger.groupOffsetAt.at(transaction)
  }

  const withHigherOffset = (transaction: number, other: number): number =>
    other !== none && ledger.groupOffsetOf.at(other) >= ledger.groupOffsetOf.at(transaction) ? other : transaction

  const judgeCommitted = (told: number): void => {
    if (!isLost(committed, told)) return
    const expected = ledger.groupOffsetOf.at(committed)
    const sentence = `${ledger.tell(committed)} was committed with the group's offset ${expected}, `
      + `but then the group's offset was ${told}.`
    violate("NoLostCommit", sentence, { transactions: [committed], offsets: [expected, told] })
  }

  const judgeVisible = (): void => {
    if (end === undefined || !isLost(visible, end)) return
    const expected = ledger.groupOffsetOf.at(visible)
    const record = ledger.visibleOf.at(visible)
    const sentence =
      `${ledger.tellRecord(record)} was read, but the group's offset ${expected} of the same transaction `
      + `is not committed: in the end it is ${end}.`
    violate("Atomicity", sentence, { records: [record], offsets: [expected, end] })
  }

  const told = (offset: number, time: number): void => {
    judgeCommitted(offset)
    // What the group had before anybody wanted an offset committed, only the group knows.
    if (highest !== none && offset > Math.max(highest, highestTold)) {
      const sentence = `the group's offset was ${offset}, which nobody had wanted to be committed.`
      violate("OffsetsAgreeWithOutputs", sentence, { offsets: [offset] })
    }
    lastToldAt = time
    highestTold = Math.max(highestTold, offset)
  }

  return {
    began: (transaction) => {
      const input = ledger.inputOf.at(transaction)
      if (input === none || inputs.get(input) !== undefined) return
      inputs.add(input)
      inputOf.push(input)
      firstOf.push(transaction)
      visibleOf.push(none)
      isProduced.push(0)
      isBlocked.push(0)
    },
    producedOutput: (transaction) => {
      const number = inputNumber(transaction)
      if (number !== undefined) isProduced.set(number, 1)
    },
    handedOver: (transaction, offset, time) => {
      const before = ledger.groupOffsetOf.at(transaction)
      if (before !== none) decide(offsetNumber(before))
      const number = offsetNumber(offset)
      undecided.set(number, undecided.at(number) + 1)
      ledger.groupOffsetOf.set(transaction, offset)
      ledger.groupOffsetAt.set(transaction, time)
      if (ledger.visibleOf.at(transaction) !== none) visible = withHigherOffset(transaction, visible)
    },
    committedAlone: (offset, time) => lastCommittedAt.set(offsetNumber(offset), time),
    ended: (transaction, time) => {
      const offset = ledger.groupOffsetOf.at(transaction)
      if (offset === none) return
      const number = offsetNumber(offset)
      decide(number)
      if (!ledger.isCommitted(transaction)) return
      lastCommittedAt.set(number, time)
      committed = withHigherOffset(transaction, committed)
      committedAt = time
    },
    visible: (transaction) => {
      if (ledger.groupOffsetOf.at(transaction) !== none) visible = withHigherOffset(transaction, visible)
      judgeVisible()
      const number = inputNumber(transaction)
      if (number === undefined) return
      const other = visibleOf.at(number)
      if (other === none) return visibleOf.set(number, transaction)
      const records = [ledger.visibleOf.at(transaction), ledger.visibleOf.at(other)]
      const [offset, otherOffset] = records.map((record) => ledger.committedAt.at(record))
      const [name, otherName] = records.map((record) => ledger.partitionWith(record).name)
      const sentence = `${ledger.tellRecord(records[0]!)} was read at offset ${offset} of partition ${name}, and `
        + `${ledger.tellRecord(records[1]!)} at offset ${otherOffset} of partition ${otherName}, `
        + `although both are outputs of input ${inputOf.at(number)}.`
      violate("NoDuplicate", sentence, { records, partition: name!, offsets: [offset!, otherOffset!] })
    },
    blocked: (transaction) => {
      const number = inputNumber(transaction)
      if (number !== undefined) isBlocked.set(number, 1)
    },
    told,
    ends: (offset) => {
      end = offset
      judgeVisible()
    },
    hasEnded: () => end !== undefined,
    everythingIsRead: () => {
      for (let number = 0; number < inputOf.length; number++) {
        const input = inputOf.at(number)
        if (input >= highestTold || visibleOf.at(number) !== none) continue
        if (isProduced.at(number) === 0 || isBlocked.at(number) === 1) continue
        const transaction = firstOf.at(number)
        const sentence = `the group's offset was ${highestTold}, but no output of input ${input} was read, `
          + `which was that of ${ledger.tell(transaction)}.`
        return violate("OffsetsAgreeWithOutputs", sentence, { transactions: [transaction], offsets: [highestTold] })
      }
    },
    isUntold: () => committed !== none && lastToldAt < committedAt,
    isUsed: () => highest !== none
  }
}
