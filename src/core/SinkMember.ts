/**
 * A member of a consumer group that writes its outputs into a database, as a pure state machine: it joins, raises the
 * fence, reads from where to go on, and delivers one input after the other.
 *
 * It learns of newer generations from the database alone, so until then it goes on as a zombie. `step` answers `undefined`
 * when the input is not possible in the state.
 */
import type { Answer, Transaction } from "./ExternalSink.ts"
import type { Rules } from "./SinkRules.ts"

export interface Member {
  /** Of the group, when it joined; 0 for a process that is not in it. */
  readonly generation: number
  /** Counts its connections to the database in this generation, from 1. */
  readonly connection: number
  /** Whether its generation has been made the fence. */
  readonly fenced: boolean
  /** The offset of the input that it takes next, once it knows. */
  readonly position: number | undefined
  /** The offset of the input in hand. */
  readonly batch: number | undefined
  /** The transaction of its delivery that comes next, from 1. */
  readonly step: number
}

export type Input =
  | { readonly _tag: "Join"; readonly generation: number }
  | { readonly _tag: "Fence"; readonly answer: Answer }
  | { readonly _tag: "Restore"; readonly stored: number }
  /** `end`: the offset after the last input. */
  | { readonly _tag: "Poll"; readonly end: number }
  /** The transaction that it sent was answered. */
  | { readonly _tag: "Answer"; readonly answer: Answer }
  | { readonly _tag: "Disconnect" }
  | { readonly _tag: "Crash" }

/** A process that is not in the group. */
export const down: Member = {
  generation: 0,
  connection: 0,
  fenced: false,
  position: undefined,
  batch: undefined,
  step: 1
}

export const isUp = ({ generation }: Member): boolean => generation > 0

/** `ConsumerCoordinator.onJoinComplete`. */
const join = (member: Member, generation: number): Member | undefined =>
  isUp(member) ? undefined : { ...down, generation, connection: 1 }

/** Its generation became the fence, or a newer one is and it gives up. */
const fence = (member: Member, answer: Answer): Member | undefined => {
  if (!isUp(member) || member.fenced) return undefined
  return answer === "DONE" ? { ...member, fenced: true } : down
}

/** `KafkaConsumer.seek` to the stored offset. */
const restore = (rules: Rules, member: Member, stored: number): Member | undefined =>
  isUp(member) && member.position === undefined && rules.MayRestore(member)
    ? { ...member, position: stored }
    : undefined

/** `KafkaConsumer.poll`. */
const poll = (member: Member, end: number): Member | undefined => {
  const { batch, fenced, position } = member
  if (!fenced || batch !== undefined || position === undefined || position >= end) return undefined
  return { ...member, batch: position, position: position + 1 }
}

/** The transaction that it sends next, where it has an input in hand and awaits no answer. */
export const submit = ({ batch, connection, generation, step }: Member): Transaction | undefined =>
  batch === undefined ? undefined : { generation, connection, batch, step }

/** On to the next transaction of the delivery, or to the next input. */
export const answered = ({ Delivery }: Rules, member: Member): Member =>
  member.step < Delivery.length ? { ...member, step: member.step + 1 } : { ...member, step: 1, batch: undefined }

/** The transaction that it sent was committed, or refused, and it gives up. */
const receive = (rules: Rules, member: Member, answer: Answer): Member =>
  answer === "DONE" ? answered(rules, member) : down

/** The connection is lost while it waits for an answer. */
const disconnect = (rules: Rules, member: Member): Member =>
  rules.AfterUnknown(rules, { ...member, connection: member.connection + 1 })

/** The process ends, wherever it is. */
const crash = (member: Member): Member | undefined => isUp(member) ? down : undefined

/** One turn of a member. */
export const step = (rules: Rules, member: Member, input: Input): Member | undefined => {
  switch (input._tag) {
    case "Join":
      return join(member, input.generation)
    case "Fence":
      return fence(member, input.answer)
    case "Restore":
      return restore(rules, member, input.stored)
    case "Poll":
      return poll(member, input.end)
    case "Answer":
      return receive(rules, member, input.answer)
    case "Disconnect":
      return disconnect(rules, member)
    case "Crash":
      return crash(member)
  }
}
