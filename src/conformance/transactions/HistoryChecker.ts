/**
 * The judge of transactional histories: each property of `TransactionProperties.tla` that clients can see held, violated
 * (with a witness) or undetermined.
 *
 * It is incremental and linear: every event costs amortised constant time (a logarithm for a read that other consumers are
 * ahead of), every `End` one pass over its partition. It knows nothing of how the history came about, so it is no proof
 * about the system: `holds` means that these clients saw nothing wrong. What nobody told the application counts neither for
 * nor against.
 *
 * What is read is what read_committed consumers read, unless said otherwise. The rules:
 *
 * - **NoLostCommit**: every record of a transaction whose commit was reported is read by every consumer that reaches the
 *   `End` of its partition, and the group has its offset or one that was committed later.
 * - **Atomicity**: of a transaction of which a record is read, every record is read by every consumer that reaches the
 *   `End` of its partition, and the group has its offset in the end.
 * - **SingleOutcome**: no record of a transaction is read of which another is in the log below an `End` and read by nobody.
 * - **NoAbortedRead**: no record is read of a transaction that its application was told is aborted.
 * - **NoUncommittedRead**: no record is read before `commitTransaction()` is called for it, nor if it never is, nor of a
 *   transaction that is aborted after all.
 * - **NoDuplicate**: no record is read at two offsets, and no two transactions with the same input are read.
 * - **InOrder**: every consumer reads the records of one client and partition in the order in which they were handed over.
 * - **StableReads**: the consumers of a partition read one log; see `Stability.ts`.
 * - **OffsetsAgreeWithOutputs**: an offset that the group is told is one that somebody wanted committed, and of every input before it,
 *   if anything was made of it, the output of one transaction is read.
 * - **ZombieFenced**: nothing is read, by any consumer, that a fenced instance handed over or that was written after
 *   something of its successor, and no commit that a fenced instance calls is reported; see `Instances.ts`.
 * - **NoHangingTransaction**: in the end there is nothing that read_committed consumers have to wait for.
 *
 * Gotchas: a record that hangs, which read_uncommitted consumers read behind the last read_committed `End`, is a matter of
 * NoHangingTransaction alone. Without a read_uncommitted consumer that cannot be told, and the record is missing. An
 * inconsistency that a witness has shown already may make further ones.
 */
import type { Malformed, Undetermined } from "../HistoryChecker.ts"
import * as Applications from "./Applications.ts"
import * as Consumers from "./Consumers.ts"
import * as GroupOffsets from "./GroupOffsets.ts"
import type * as History from "./History.ts"
import * as Instances from "./Instances.ts"
import { isId, Ledger } from "./Ledger.ts"
import type { Property, PropertyVerdict, Verdict } from "./Verdict.ts"
import { makeFindings, properties } from "./Verdict.ts"

export {
  type Judged,
  properties,
  type Property,
  type PropertyVerdict,
  summarize,
  type Verdict,
  type Violated,
  type Witness
} from "./Verdict.ts"

/** Judges one history while it is being recorded. */
export interface HistoryChecker {
  /** Takes the next event. After a malformed one, all others are ignored. */
  readonly observe: (event: History.Event) => void
  /**
   * The verdict on the events so far. `violated` and malformed are final. Costs one step per partition, so it may be
   * asked often.
   */
  readonly verdict: () => Verdict
}

const undetermined = (sentence: string): Undetermined => ({ value: "undetermined", sentence })

/** Starts a judge with no events seen. */
export const make = (): HistoryChecker => {
  let malformed: Malformed | undefined
  let index = 0
  let isComplete = false

  const ledger = new Ledger()
  const findings = makeFindings(ledger, () => index)
  const instances = Instances.make()
  const group = GroupOffsets.make(ledger, findings)
  const parts = { ledger, findings, instances, group }
  const applications = Applications.make(parts)
  const consumers = Consumers.make(parts)

  const groupEnd = ({ offset }: History.GroupEnd): string | undefined => {
    if (!isId(offset)) return `${offset} is no offset`
    if (group.hasEnded()) return "the group ends twice"
    group.told(offset, index)
    group.ends(offset)
    return undefined
  }

  /** The first time that there is nothing more to be read, the outputs are counted. */
  const complete = (): void => {
    if (isComplete || !group.hasEnded() || !consumers.isReadCompletely()) return
    isComplete = true
    group.everythingIsRead()
  }

  const step = (event: History.Event): string | undefined => {
    switch (event._tag) {
      case "Read":
        return consumers.read(event)
      case "End":
        return consumers.end(event)
      case "GroupEnd":
        return groupEnd(event)
      default:
        return consumers.isAtRest() || group.hasEnded()
          ? `${event._tag} after an End or GroupEnd`
          : applications(event, index)
    }
  }

  const observe = (event: History.Event): void => {
    if (malformed !== undefined) return
    const sentence = step(event)
    if (sentence !== undefined) malformed = { _tag: "Malformed", index, sentence }
    else if (event._tag === "End" || event._tag === "GroupEnd") complete()
    index += 1
  }

  /** What the history is too short to tell of a property that nothing violates. */
  const open = (property: Property): Undetermined | undefined => {
    if (ledger.idOf.length === 0) return undetermined("Nothing was handed over.")
    for (const [number, { awaited, name, records }] of ledger.partitions.entries()) {
      if (records.length === 0) continue
      if (consumers.endOf(number, "read_committed") === undefined) {
        const unread = `No read_committed consumer reached the End of partition ${name}`
        if (property !== "NoLostCommit") return undetermined(`${unread}.`)
        if (awaited > 0) return undetermined(`${unread}, where ${awaited} committed records are still to be read.`)
      }
      if (property === "NoHangingTransaction" && consumers.endOf(number, "read_uncommitted") === undefined) {
        return undetermined(`No read_uncommitted consumer reached the End of partition ${name}.`)
      }
    }
    if (property === "NoLostCommit" && group.isUntold()) {
      return undetermined("Nobody asked for the group's offset since it was committed.")
    }
    const needsGroup = property === "Atomicity" || property === "OffsetsAgreeWithOutputs"
    return needsGroup && group.isUsed() && !group.hasEnded()
      ? undetermined("Nobody asked for the group's offset in the end.")
      : undefined
  }

  const judge = (property: Property): PropertyVerdict => findings.of(property) ?? open(property) ?? { value: "holds" }

  const verdict = (): Verdict =>
    malformed ?? {
      _tag: "Judged",
      ...Object.fromEntries(properties.map((property) => [property, judge(property)])) as Record<
        Property,
        PropertyVerdict
      >
    }

  return { observe, verdict }
}

/** Judges a whole history. */
export const check = (events: Iterable<History.Event>): Verdict => {
  const checker = make()
  for (const event of events) checker.observe(event)
  return checker.verdict()
}
