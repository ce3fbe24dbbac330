/**
 * Zombie successes: an instance of a transactional id that a newer one had fenced, or a member of a group whose partition
 * had been given to another in a later generation, writes, commits, or hands over offsets, and is told that it succeeded.
 *
 * An instance fences those whose `initTransactions()` had returned before its own was called; see
 * `transactions/Instances.ts`. Calls that overlap have no order to be judged by.
 */
import type { Instance, Instances } from "../transactions/Instances.ts"
import { Newest } from "../transactions/Instances.ts"
import type { Findings } from "./Anomalies.ts"
import { proof } from "./Anomalies.ts"
import type { Facts } from "./Facts.ts"
import type { Groups } from "./Groups.ts"
import { none, outcomes } from "./Ledger.ts"
import type { Producers } from "./Producers.ts"

export interface Parts {
  readonly facts: Facts
  readonly instances: Instances
  readonly producers: Producers
  readonly groups: Groups
}

/** Answers with why it cannot be judged, if it cannot. */
export const judge = ({ facts, groups, instances, producers }: Parts, findings: Findings): string | undefined => {
  const { ledger } = facts
  const succeeded = (
    fencer: number,
    what: string,
    lines: ReadonlyArray<number>,
    record: number = none
  ): void =>
    findings.add("zombie success", () => ({
      sentence:
        `${what}, although ${ledger.tellProcess(instances.clientOf(fencer))} had been initialised with the same `
        + "transactional id before.",
      lines: proof(...lines, producers.initializedLine(fencer)),
      records: record === none ? [] : [ledger.records.at(record)]
    }))

  /** What was written behind something of a successor was written after it. */
  const judgeOrder = (partition: number): void => {
    const metById = new Map<number, Newest>()
    const firstOf = new Map<Instance, number>()
    for (const entry of facts.entriesInOrder(partition)) {
      const writer = facts.writerOf(entry)
      const transaction = writer === none ? none : ledger.transactionOf.at(writer)
      const instance = transaction === none ? none : ledger.transactionInstance.at(transaction)
      if (instance === none || ledger.sendFencer.at(writer) !== none || facts.entryOf(writer) !== entry) continue
      const id = instances.transactionalIdOf(instance)
      const met = metById.get(id) ?? new Newest()
      metById.set(id, met)
      const fencer = instances.fencerAmong(met, instance)
      if (fencer === none) {
        instances.meet(met, instance)
        if (!firstOf.has(instance)) firstOf.set(instance, entry)
        continue
      }
      const other = firstOf.get(fencer)!
      const record = ledger.entryRecord.at(entry)
      const what = `${ledger.tellRecord(record)} stands behind ${ledger.tellRecord(ledger.entryRecord.at(other))}`
      succeeded(fencer, what, [ledger.firstSeen(entry), ledger.firstSeen(other)], record)
    }
  }

  for (let send = 0; send < ledger.recordOf.length; send++) {
    const fencer = ledger.sendFencer.at(send)
    if (fencer === none) continue
    const record = ledger.recordOf.at(send)
    const entry = facts.entryOf(send)
    const isSeen = entry !== none && facts.writerOf(entry) === send
    if (!isSeen && ledger.outcomeOf.at(send) !== outcomes.ok) continue
    const seenLine = isSeen ? ledger.firstSeen(entry) : ledger.outcomeLine.at(send)
    const how = isSeen ? "stands in the log" : "was acknowledged"
    succeeded(fencer, `${ledger.tellRecord(record)} ${how}`, [ledger.sentLine.at(send), seenLine], record)
  }
  for (let partition = 0; partition < ledger.partitions.length; partition++) judgeOrder(partition)
  for (let transaction = 0; transaction < ledger.transactionProcess.length; transaction++) {
    const fencer = ledger.commitFencer.at(transaction)
    if (fencer === none || ledger.commitOutcome.at(transaction) !== outcomes.ok) continue
    const lines = [ledger.commitCalled.at(transaction), ledger.commitOutcomeLine.at(transaction)]
    succeeded(fencer, `the commit of ${ledger.tellTransaction(transaction)} was reported`, lines)
  }
  for (const { commits, group, partition } of groups.all) {
    for (const { fencer, line, offset, outcome, outcomeLine, process, reassignedLine } of commits) {
      if (outcome !== outcomes.ok) continue
      const what = `offset ${offset} of group ${group} for ${ledger.partitions[partition]!.name} was accepted`
      if (fencer !== none) succeeded(fencer, what, [line, outcomeLine])
      if (reassignedLine === none) continue
      findings.add("zombie success", () => ({
        sentence:
          `${what} from ${ledger.tellProcess(process)}, although the partition had been given to another member in a `
          + "later generation before.",
        lines: proof(reassignedLine, line, outcomeLine),
        records: []
      }))
    }
  }
  const isReassigned = groups.all.some(({ commits }) => commits.some(({ reassignedLine }) => reassignedLine !== none))
  return isReassigned || producers.areSeveral()
    ? undefined
    : "no instance has taken the place of another"
}
