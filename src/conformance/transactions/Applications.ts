/**
 * The applications' side of a history: what they do in their transactions and what they are told, checked for
 * contradictions and entered in the ledger. What a report proves against earlier reads is judged here.
 */
import type { GroupOffsets } from "./GroupOffsets.ts"
import type * as History from "./History.ts"
import type { Instance, Instances } from "./Instances.ts"
import type { Ledger } from "./Ledger.ts"
import { intents, isId, none, outcomes } from "./Ledger.ts"
import type { Findings } from "./Verdict.ts"

/** An event that is not about reading. */
export type ApplicationEvent =
  | History.Initializing
  | History.Initialized
  | History.TransactionEvent
  | History.Joined
  | History.OffsetCommitted

/** An application that was heard of. */
interface Client {
  /** `none` before it is initialised. */
  transactionalId: number
  instance: Instance
  /** When it called `initTransactions()`, while the call has not returned; `none` otherwise. */
  called: number
  /** The latest transaction; `none` before the first. */
  transaction: number
}

export interface Parts {
  readonly ledger: Ledger
  readonly instances: Instances
  readonly group: GroupOffsets
  readonly findings: Findings
}

/** Takes one event at a position, and answers with the contradiction that makes it malformed, if there is one. */
export type Take = (event: ApplicationEvent, time: number) => string | undefined

/** Starts without applications. */
export const make = ({ findings: { violate }, group, instances, ledger }: Parts): Take => {
  const clients = new Map<number, Client>()

  const clientNumbered = (number: number): Client => {
    const known = clients.get(number)
    if (known !== undefined) return known
    const client: Client = { transactionalId: none, instance: none, called: none, transaction: none }
    clients.set(number, client)
    return client
  }

  /** A call that did not return is that of an instance that is gone. */
  const initializing = ({ client }: History.Initializing, time: number): undefined => {
    clientNumbered(client).called = time
  }

  const initialized = ({ client, transactionalId }: History.Initialized, time: number): string | undefined => {
    if (!isId(transactionalId)) return `${transactionalId} is no transactional id`
    const known = clientNumbered(client)
    if (known.transactionalId !== none && known.transactionalId !== transactionalId) {
      return `client ${client} has transactional id ${transactionalId} after ${known.transactionalId}`
    }
    if (ledger.isOpen(known.transaction)) {
      return `client ${client} is initialised while ${ledger.tell(known.transaction)} is open`
    }
    const called = known.called === none ? time : known.called
    known.transactionalId = transactionalId
    known.instance = instances.add(client, transactionalId, called, time)
    known.called = none
    return undefined
  }

  const began = ({ input, transaction: { client, number } }: History.Began): string | undefined => {
    const known = clientNumbered(client)
    if (known.instance === none) return `client ${client} begins a transaction before it is initialised`
    if (!isId(number)) return `${number} is no number of a transaction`
    if (input !== none && !isId(input)) return `${input} is no input`
    const { instance, transaction: before } = known
    if (ledger.isOpen(before)) {
      return `client ${client} begins transaction ${number} while ${ledger.tell(before)} is open`
    }
    if (before !== none && number <= ledger.ordinalOf.at(before)) {
      return `client ${client} begins transaction ${number} after ${ledger.tell(before)}`
    }
    known.transaction = ledger.begin({ client, number }, instance, input)
    group.began(known.transaction)
    return undefined
  }

  /** The open transaction of this name, or why there is none. */
  const openTransaction = ({ client, number }: History.Name, event: string): number | string => {
    const { transaction } = clientNumbered(client)
    if (transaction === none || ledger.ordinalOf.at(transaction) !== number) {
      return `${event} of transaction ${number} of client ${client}, which is not the client's latest`
    }
    return ledger.isOpen(transaction) ? transaction : `${event} of ${ledger.tell(transaction)}, which has ended`
  }

  const isEnding = (transaction: number): boolean => ledger.intentOf.at(transaction) !== intents.none

  const handedOver = (event: History.HandedOver, transaction: number): string | undefined => {
    const { record: id } = event
    if (!isId(id)) return `${id} is no record number`
    if (ledger.recordOf(id) !== undefined) return `record ${id} is handed over twice`
    if (isEnding(transaction)) {
      return `record ${id} is handed over after the end of ${ledger.tell(transaction)} was called`
    }
    const partition = ledger.partitionNumber(event.partition)
    const fencer = instances.fencerOf(ledger.instanceOf.at(transaction))
    ledger.handOver({ id, partition, transaction, fencer })
    group.producedOutput(transaction)
    return undefined
  }

  const offsetHandedOver = (
    { offset }: History.OffsetHandedOver,
    transaction: number,
    time: number
  ): string | undefined => {
    if (!isId(offset)) return `${offset} is no offset`
    if (isEnding(transaction)) {
      return `offset ${offset} is handed over after the end of ${ledger.tell(transaction)} was called`
    }
    group.handedOver(transaction, offset, time)
    return undefined
  }

  const commitCalled = (transaction: number): string | undefined => {
    if (isEnding(transaction)) return `commit is called after the end of ${ledger.tell(transaction)} was called`
    ledger.intentOf.set(transaction, intents.commit)
    // Only who has something to commit must be refused.
    if (ledger.hasRecords(transaction)) {
      ledger.fencerAtCommitOf.set(transaction, instances.fencerOf(ledger.instanceOf.at(transaction)))
    }
    return undefined
  }

  /** Complains of the transaction's first record that was read, if one was. */
  const judgeRead = (property: "NoUncommittedRead" | "NoAbortedRead", transaction: number, why: string): void => {
    const record = ledger.visibleOf.at(transaction)
    if (record === none) return
    const offset = ledger.committedAt.at(record)
    const partition = ledger.partitionWith(record).name
    const sentence = `${ledger.tellRecord(record)} was read at offset ${offset} of partition ${partition}, but ${why}.`
    violate(property, sentence, { records: [record], partition, offsets: [offset] })
  }

  const abortCalled = (transaction: number): string | undefined => {
    if (ledger.intentOf.at(transaction) === intents.abort) {
      return `abort is called twice for ${ledger.tell(transaction)}`
    }
    ledger.intentOf.set(transaction, intents.abort)
    judgeRead("NoUncommittedRead", transaction, "its application aborts it")
    return undefined
  }

  const committed = (transaction: number): void => {
    ledger.outcomeOf.set(transaction, outcomes.committed)
    for (const record of ledger.recordsOf(transaction)) {
      if (ledger.committedAt.at(record) === none) ledger.partitionWith(record).awaited++
    }
    const fencer = ledger.fencerAtCommitOf.at(transaction)
    if (fencer === none) return
    const sentence = `${ledger.tell(transaction)} was committed, but when that was called, `
      + `client ${instances.clientOf(fencer)} had been initialised with the same transactional id.`
    violate("ZombieFenced", sentence, { transactions: [transaction] })
  }

  const ended = (
    { _tag }: History.Committed | History.Aborted | History.Lost,
    transaction: number,
    time: number
  ): string | undefined => {
    const intent = ledger.intentOf.at(transaction)
    if (_tag === "Committed" && intent !== intents.commit || _tag === "Aborted" && intent === intents.none) {
      return `${ledger.tell(transaction)} is reported ${_tag}, which nobody asked for`
    }
    switch (_tag) {
      case "Committed":
        committed(transaction)
        break
      case "Aborted":
        ledger.outcomeOf.set(transaction, outcomes.aborted)
        judgeRead("NoAbortedRead", transaction, "its application is told that it is aborted")
        break
      case "Lost":
        ledger.outcomeOf.set(transaction, outcomes.lost)
    }
    // What was lost while its commit was called may be committed at any time.
    if (_tag !== "Lost" || intent !== intents.commit) group.ended(transaction, time)
    return undefined
  }

  const ofTransaction = (event: Exclude<History.TransactionEvent, History.Began>, time: number): string | undefined => {
    const transaction = openTransaction(event.transaction, event._tag)
    if (typeof transaction === "string") return transaction
    switch (event._tag) {
      case "HandedOver":
        return handedOver(event, transaction)
      case "OffsetHandedOver":
        return offsetHandedOver(event, transaction, time)
      case "CommitCalled":
        return commitCalled(transaction)
      case "AbortCalled":
        return abortCalled(transaction)
      case "Committed":
      case "Aborted":
      case "Lost":
        return ended(event, transaction, time)
      default:
        // Histories also come from files.
        return `${JSON.stringify(event satisfies never)} is no event`
    }
  }

  const joined = ({ generation, offset }: History.Joined, time: number): string | undefined => {
    if (!isId(generation)) return `${generation} is no generation`
    if (!isId(offset)) return `${offset} is no offset`
    group.told(offset, time)
    return undefined
  }

  const offsetCommitted = ({ offset }: History.OffsetCommitted, time: number): string | undefined => {
    if (!isId(offset)) return `${offset} is no offset`
    group.committedAlone(offset, time)
    return undefined
  }

  return (event, time) => {
    if ("client" in event && !isId(event.client)) return `${event.client} is no client number`
    switch (event._tag) {
      case "Initializing":
        return initializing(event, time)
      case "Initialized":
        return initialized(event, time)
      case "Joined":
        return joined(event, time)
      case "OffsetCommitted":
        return offsetCommitted(event, time)
      case "Began":
        return began(event)
      default:
        return "transaction" in event
          ? ofTransaction(event, time)
          : `${JSON.stringify(event satisfies never)} is no event`
    }
  }
}
