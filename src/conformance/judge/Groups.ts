/**
 * What a history tells of the offsets of groups: who wanted which committed, what they were told to be, and which records
 * were made of which input. It judges nothing.
 */
import { Column, Numbering } from "../Columns.ts"
import type * as Format from "./Format.ts"
import type { Ledger } from "./Ledger.ts"
import { none, outcomes } from "./Ledger.ts"

/** Somebody wanted an offset committed. */
export interface Commit {
  readonly offset: number
  readonly process: number
  /** `none` outside of transactions. */
  readonly transaction: number
  readonly line: number
  /** The instance of the transactional id that had fenced the caller, or `none`. */
  readonly fencer: number
  /** The line that had given the partition to another process in a later generation, or `none`. */
  readonly reassignedLine: number
  outcome: number
  outcomeLine: number
}

/** Somebody was told the committed offset. */
export interface Tell {
  /** `none` where none was committed. */
  readonly offset: number
  /** When it was asked for. */
  readonly asked: number
  readonly line: number
}

/** The latest generation in which a partition was given to somebody. */
interface Assignment {
  readonly generation: number
  readonly process: number
  readonly line: number
}

/** The offset of one group for one partition. */
export interface GroupOffset {
  readonly group: string
  readonly partition: number
  readonly commits: Array<Commit>
  readonly tells: Array<Tell>
  newest: Assignment | undefined
  readonly inputs: Numbering
  /** By input: its offset, and the last send of what was made of it. */
  readonly inputOffset: Column
  readonly lastSend: Column
}

/** Who hands offsets over. */
export interface Caller {
  readonly process: number
  readonly transaction: number
  readonly fencer: number
  readonly line: number
}

/** Offsets handed over in one call. */
export interface Handing {
  readonly group: string
  readonly generation?: number
  readonly offsets: ReadonlyArray<Format.Position>
}

type Told = Omit<Format.Position, "offset"> & { readonly offset?: number }

export interface Groups {
  readonly all: ReadonlyArray<GroupOffset>
  readonly handOver: (handing: Handing, caller: Caller) => void
  /**
   * The process's first call that is under way has ended; of the group, if one is given. `false` if none is under way.
   */
  readonly ended: (process: number, group: string | undefined, outcome: number, line: number) => boolean
  /** The process asks for committed offsets. */
  readonly ask: (process: number, line: number) => void
  /** The process is told committed offsets; without one where none is committed. */
  readonly told: (process: number, group: string, offsets: ReadonlyArray<Told>, line: number) => void
  readonly assigned: (group: string, position: Omit<Format.Position, "offset">, assignment: Assignment) => void
  /** A send is made of an input. */
  readonly madeOf: (input: Format.Position & { readonly group: string }, send: number) => void
  /** Whether offsets were handed to the transaction. */
  readonly areIn: (transaction: number) => boolean
  /** The sends of what was made of the same input, the last one first. */
  readonly sendsOf: (groupOffset: GroupOffset, input: number) => Generator<number, void>
}

interface Pending {
  readonly group: string
  readonly commits: ReadonlyArray<Commit>
}

/** Starts without groups. */
export const make = (ledger: Ledger): Groups => {
  const all: Array<GroupOffset> = []
  const byGroup = new Map<string, Array<GroupOffset | undefined>>()
  const pendingOf = new Map<number, Array<Pending>>()
  const askedOf = new Map<number, number>()
  const withOffsets = new Set<number>()
  /** By send: the one before it that was made of the same input. */
  const sendBefore = new Column()

  const offsetOf = (group: string, topic: string, partition: number): GroupOffset => {
    const number = ledger.partition(topic, partition)
    let offsets = byGroup.get(group)
    if (offsets === undefined) byGroup.set(group, offsets = [])
    const known = offsets[number]
    if (known !== undefined) return known
    const created: GroupOffset = {
      group,
      partition: number,
      commits: [],
      tells: [],
      newest: undefined,
      inputs: new Numbering(),
      inputOffset: new Column(),
      lastSend: new Column()
    }
    offsets[number] = created
    all.push(created)
    return created
  }

  return {
    all,
    handOver: ({ generation, group, offsets }, { fencer, line, process, transaction }) => {
      const commits = offsets.map(({ offset, partition, topic }): Commit => {
        const groupOffset = offsetOf(group, topic, partition)
        const { newest } = groupOffset
        const isReassigned = generation !== undefined && newest !== undefined && newest.process !== process
          && generation < newest.generation
        const commit: Commit = {
          offset,
          process,
          transaction,
          line,
          fencer,
          reassignedLine: isReassigned ? newest.line : none,
          outcome: outcomes.unknown,
          outcomeLine: none
        }
        groupOffset.commits.push(commit)
        return commit
      })
      if (transaction !== none) withOffsets.add(transaction)
      const pending = pendingOf.get(process)
      if (pending === undefined) pendingOf.set(process, [{ group, commits }])
      else pending.push({ group, commits })
    },
    ended: (process, group, outcome, line) => {
      const pending = pendingOf.get(process) ?? []
      const index = pending.findIndex((call) => group === undefined || call.group === group)
      if (index === -1) return false
      for (const commit of pending[index]!.commits) {
        commit.outcome = outcome
        commit.outcomeLine = line
      }
      pending.splice(index, 1)
      return true
    },
    ask: (process, line) => askedOf.set(process, line),
    told: (process, group, offsets, line) => {
      const asked = askedOf.get(process) ?? line
      askedOf.delete(process)
      for (const { offset = none, partition, topic } of offsets) {
        offsetOf(group, topic, partition).tells.push({ offset, asked, line })
      }
    },
    assigned: (group, { partition, topic }, assignment) => {
      const groupOffset = offsetOf(group, topic, partition)
      if (groupOffset.newest === undefined || groupOffset.newest.generation < assignment.generation) {
        groupOffset.newest = assignment
      }
    },
    madeOf: ({ group, offset, partition, topic }, send) => {
      const { inputOffset, inputs, lastSend } = offsetOf(group, topic, partition)
      const known = inputs.get(offset)
      const input = known ?? inputs.add(offset)
      if (known === undefined) {
        inputOffset.push(offset)
        lastSend.push(none)
      }
      while (sendBefore.length <= send) sendBefore.push(none)
      sendBefore.set(send, lastSend.at(input))
      lastSend.set(input, send)
    },
    areIn: (transaction) => withOffsets.has(transaction),
    *sendsOf({ lastSend }, input) {
      for (let send = lastSend.at(input); send !== none; send = sendBefore.at(send)) yield send
    }
  }
}
