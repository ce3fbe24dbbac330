/**
 * A consumer group as its coordinator keeps it, as a pure state machine: who belongs to it, in which generation, and
 * who may commit offsets. This is the classic protocol; static members (KIP-345) and the one of KIP-848 are not here.
 *
 * A rebalance is two meetings. In the first every member joins, or is dropped when the time is over; the leader is told
 * of the others. In the second the leader hands out what each is assigned. An answer that has to wait is known by the
 * correlation of its request. `step` is the only way in, and answers `undefined` when the input is not possible in the
 * state. `ClassicGroup`, `ClassicGroupMember` and `GroupMetadataManager` in Kafka.
 */
import type * as Errors from "./Errors.ts"
import * as Sequence from "./Sequence.ts"
import type { TopicPartition } from "./TopicPartition.ts"

/** `ClassicGroupState`. */
export type State = "Empty" | "PreparingRebalance" | "CompletingRebalance" | "Stable" | "Dead"

/** Which request an answer is for; whoever hands in requests chooses it. */
export type Correlation = number

/** What a member says of itself when it joins. */
export interface Subscription {
  readonly topics: ReadonlyArray<string>
  /** A member that is silent for longer is dropped. Milliseconds. */
  readonly sessionTimeoutMs: number
  /** How long a rebalance waits for the member. Milliseconds. */
  readonly rebalanceTimeoutMs: number
}

export interface Member extends Subscription {
  /** The request of the member that waits for its answer. */
  readonly awaiting: { readonly request: "JoinGroup" | "SyncGroup"; readonly correlation: Correlation } | undefined
  /** It has asked for its assignment in this generation. */
  readonly synced: boolean
  readonly assignment: ReadonlyArray<TopicPartition>
}

export interface Group {
  readonly state: State
  /** Counts rebalances. */
  readonly generation: number
  /** `undefined` without members. */
  readonly leader: string | undefined
  /** By member id, in the order of joining. */
  readonly members: ReadonlyMap<string, Member>
  /** Ids that were given out, and whose owners have not joined with them yet (KIP-394). */
  readonly pending: ReadonlySet<string>
}

/** What is left of a group when its coordinator dies: its members as of the last time they were complete. */
export interface Metadata extends Pick<Group, "generation" | "leader"> {
  readonly members: ReadonlyArray<Subscription & Pick<Member, "assignment"> & { readonly member: string }>
}

interface Request {
  readonly correlation: Correlation
  /** "" for a new one. */
  readonly member: string
}

export interface Assignment {
  readonly member: string
  readonly partitions: ReadonlyArray<TopicPartition>
}

export type Input =
  /** With the id that a new member is given, which nobody had before. */
  | { readonly _tag: "JoinGroup"; readonly newMember: string } & Request & Subscription
  /** Only the leader's assignments are looked at. */
  | { readonly _tag: "SyncGroup"; readonly generation: number; readonly assignments: ReadonlyArray<Assignment> }
    & Request
  | { readonly _tag: "Heartbeat"; readonly generation: number } & Request
  | { readonly _tag: "LeaveGroup" } & Request
  /** Nothing was heard of the member for as long as its last `ScheduleSession` said. */
  | { readonly _tag: "SessionTimeout"; readonly member: string }
  /** The time of `ScheduleJoin` is over. */
  | { readonly _tag: "JoinTimeout"; readonly generation: number }
  /** The time of `ScheduleSync` is over. */
  | { readonly _tag: "SyncTimeout"; readonly generation: number }
  /** The coordinator is that of the group no more. */
  | { readonly _tag: "Unload" }

export interface JoinAnswer {
  readonly error: Errors.Error
  readonly member: string
  readonly generation: number
  /** "" with an error. */
  readonly leader: string
  /** For the leader, everybody; for others, and with an error, nobody. */
  readonly members: ReadonlyArray<{ readonly member: string; readonly topics: ReadonlyArray<string> }>
}

export type Output =
  | { readonly _tag: "AnswerJoinGroup"; readonly correlation: Correlation } & JoinAnswer
  | {
    readonly _tag: "AnswerSyncGroup"
    readonly correlation: Correlation
    readonly error: Errors.Error
    readonly partitions: ReadonlyArray<TopicPartition>
  }
  /** To Heartbeat or LeaveGroup. */
  | { readonly _tag: "Answer"; readonly correlation: Correlation; readonly error: Errors.Error }
  /** Instead of what was scheduled for the member before. */
  | { readonly _tag: "ScheduleSession"; readonly member: string; readonly timeoutMs: number }
  | { readonly _tag: "CancelSession"; readonly member: string }
  | { readonly _tag: "ScheduleJoin"; readonly generation: number; readonly timeoutMs: number }
  | { readonly _tag: "ScheduleSync"; readonly generation: number; readonly timeoutMs: number }
  /** To the log of the group, before the outputs that follow. */
  | { readonly _tag: "WriteMetadata"; readonly metadata: Metadata }

export type Step = readonly [Group, ReadonlyArray<Output>]

export const initial: Group = {
  state: "Empty",
  generation: 0,
  leader: undefined,
  members: new Map(),
  pending: new Set()
}

// Answers.

const joinAnswer = (correlation: Correlation, answer: JoinAnswer): Output => ({
  _tag: "AnswerJoinGroup",
  correlation,
  ...answer
})

const refuseJoin = (correlation: Correlation, member: string, error: Errors.Error): Output =>
  joinAnswer(correlation, { error, member, generation: Sequence.none, leader: "", members: [] })

const syncAnswer = (correlation: Correlation, partitions: Member["assignment"]): Output => ({
  _tag: "AnswerSyncGroup",
  correlation,
  error: "NONE",
  partitions
})

const refuseSync = (correlation: Correlation, error: Errors.Error): Output => ({
  _tag: "AnswerSyncGroup",
  correlation,
  error,
  partitions: []
})

const answer = (correlation: Correlation, error: Errors.Error): Output => ({ _tag: "Answer", correlation, error })

/** The request of a member that waits is answered with an error. */
const refuseAwaited = (id: string, { awaiting }: Member, error: Errors.Error): ReadonlyArray<Output> => {
  if (awaiting === undefined) return []
  return awaiting.request === "JoinGroup"
    ? [refuseJoin(awaiting.correlation, id, error)]
    : [refuseSync(awaiting.correlation, error)]
}

const session = (member: string, timeoutMs: number): Output => ({ _tag: "ScheduleSession", member, timeoutMs })

/** What a member of this generation is told of it. */
const currentGeneration = ({ generation, leader = "", members }: Group, member: string): JoinAnswer => ({
  error: "NONE",
  member,
  generation,
  leader,
  members: member === leader ? Array.from(members, ([id, { topics }]) => ({ member: id, topics })) : []
})

// Members.

const withMember = (group: Group, id: string, member: Member): Group => ({
  ...group,
  members: new Map(group.members).set(id, member)
})

const withPending = (group: Group, change: (pending: Set<string>) => void): Group => {
  const pending = new Set(group.pending)
  change(pending)
  return { ...group, pending }
}

/** Without the members. Whoever is there longest leads. `ClassicGroup.remove`. */
const without = (group: Group, gone: (id: string, member: Member) => boolean): Group => {
  const members = new Map(Array.from(group.members).filter(([id, member]) => !gone(id, member)))
  return { ...group, members, leader: [...members.keys()][0] }
}

const isJoining = ({ awaiting }: Member): boolean => awaiting?.request === "JoinGroup"

/** How long the slowest member may take. `ClassicGroup.rebalanceTimeoutMs`. */
const rebalanceTimeout = ({ members }: Group): number =>
  Math.max(0, ...Array.from(members.values(), ({ rebalanceTimeoutMs }) => rebalanceTimeoutMs))

const metadataOf = ({ generation, leader, members }: Group): Metadata => ({
  generation,
  leader,
  members: Array.from(members, ([member, { assignment, rebalanceTimeoutMs, sessionTimeoutMs, topics }]) => ({
    member,
    topics,
    sessionTimeoutMs,
    rebalanceTimeoutMs,
    assignment
  }))
})

// Rebalances.

/** Everybody who is here is in the next generation. `GroupMetadataManager.completeClassicGroupJoin`. */
const completeJoin = (group: Group): Step => {
  const next: Group = { ...group, generation: group.generation + 1 }
  if (next.members.size === 0) {
    const empty: Group = { ...next, state: "Empty" }
    return [empty, [{ _tag: "WriteMetadata", metadata: metadataOf(empty) }]]
  }
  const outputs: Array<Output> = []
  const members = new Map<string, Member>()
  for (const [id, member] of next.members) {
    members.set(id, { ...member, awaiting: undefined, synced: false })
    if (member.awaiting !== undefined) {
      outputs.push(
        joinAnswer(member.awaiting.correlation, currentGeneration(next, id)),
        session(id, member.sessionTimeoutMs)
      )
    }
  }
  outputs.push({ _tag: "ScheduleSync", generation: next.generation, timeoutMs: rebalanceTimeout(next) })
  return [{ ...next, state: "CompletingRebalance", members }, outputs]
}

/** `ClassicGroup.hasAllMembersJoined`. */
const hasEverybodyJoined = ({ members, pending }: Group): boolean =>
  pending.size === 0 && [...members.values()].every(isJoining)

const maybeCompleteJoin = (group: Group): Step =>
  group.state === "PreparingRebalance" && hasEverybodyJoined(group) ? completeJoin(group) : [group, []]

/** Whoever waits for an assignment of this generation joins the next. `GroupMetadataManager.prepareRebalance`. */
const prepareRebalance = (group: Group): Step => {
  const outputs: Array<Output> = []
  const members = new Map<string, Member>()
  for (const [id, member] of group.members) {
    const isSyncing = member.awaiting?.request === "SyncGroup"
    if (isSyncing) {
      outputs.push(...refuseAwaited(id, member, "REBALANCE_IN_PROGRESS"), session(id, member.sessionTimeoutMs))
    }
    members.set(id, isSyncing ? { ...member, awaiting: undefined } : member)
  }
  const [next, completed] = maybeCompleteJoin({ ...group, state: "PreparingRebalance", members })
  if (next.state === "PreparingRebalance") {
    outputs.push({ _tag: "ScheduleJoin", generation: next.generation, timeoutMs: rebalanceTimeout(next) })
  }
  return [next, [...outputs, ...completed]]
}

/** What a change of the members comes to. `GroupMetadataManager.maybePrepareRebalanceOrCompleteJoin`. */
const rebalance = (group: Group): Step =>
  group.state === "PreparingRebalance" ? maybeCompleteJoin(group) : prepareRebalance(group)

const after = (outputs: ReadonlyArray<Output>, [group, further]: Step): Step => [group, [...outputs, ...further]]

/** Members go, and whatever they wait for is answered. `removeMemberAndUpdateClassicGroup`. */
const remove = (group: Group, gone: (id: string, member: Member) => boolean): Step => {
  const outputs = Array.from(group.members).filter(([id, member]) => gone(id, member)).flatMap((
    [id, member]
  ): ReadonlyArray<Output> => [
    ...refuseAwaited(id, member, "UNKNOWN_MEMBER_ID"),
    { _tag: "CancelSession", member: id }
  ])
  return after(outputs, rebalance(without(group, gone)))
}

// Requests.

type InputOf<Tag extends Input["_tag"]> = Input & { readonly _tag: Tag }

/**
 * What every request of a known member has to get past: the member, then the generation, if it names one.
 * `ClassicGroup.validateMember`.
 */
const validateMember = (
  { generation, members, state }: Group,
  request: { readonly member: string; readonly generation?: number }
): Errors.Error => {
  if (state === "Dead") return "COORDINATOR_NOT_AVAILABLE"
  if (!members.has(request.member)) return "UNKNOWN_MEMBER_ID"
  return request.generation === undefined || request.generation === generation ? "NONE" : "ILLEGAL_GENERATION"
}

/** A copy of the request may wait already: then its connection is gone, and nobody hears the answer. */
const join = (group: Group, input: InputOf<"JoinGroup">): Step => {
  const { correlation, member, rebalanceTimeoutMs, sessionTimeoutMs, topics } = input
  const known = group.members.get(member)
  const joined = withMember(withPending(group, (pending) => pending.delete(member)), member, {
    topics,
    sessionTimeoutMs,
    rebalanceTimeoutMs,
    awaiting: { request: "JoinGroup", correlation },
    synced: false,
    assignment: []
  })
  const outputs = known === undefined ? [] : refuseAwaited(member, known, "REBALANCE_IN_PROGRESS")
  return after(
    [...outputs, { _tag: "CancelSession", member }],
    rebalance({ ...joined, leader: joined.leader ?? member })
  )
}

/** A member that joins a group with the same subscription again may just have missed the answer. */
const isSameSubscription = (a: Subscription, b: Subscription): boolean =>
  a.topics.length === b.topics.length && a.topics.every((topic, i) => topic === b.topics[i])

/** Whether a member that joins again is told of the generation that it is in. `classicGroupJoinExistingMember`. */
const isInGeneration = ({ leader, members, state }: Group, input: InputOf<"JoinGroup">): boolean => {
  const known = members.get(input.member)
  if (known === undefined || !isSameSubscription(known, input)) return false
  return state === "CompletingRebalance" || (state === "Stable" && input.member !== leader)
}

/** `GroupMetadataManager.classicGroupJoinToClassicGroup`. */
const joinGroup = (group: Group, input: InputOf<"JoinGroup">): Step => {
  const { correlation, member, newMember, sessionTimeoutMs } = input
  if (group.state === "Dead") return [group, [refuseJoin(correlation, member, "COORDINATOR_NOT_AVAILABLE")]]
  if (member === "") {
    return [
      withPending(group, (pending) => pending.add(newMember)),
      [refuseJoin(correlation, newMember, "MEMBER_ID_REQUIRED"), session(newMember, sessionTimeoutMs)]
    ]
  }
  if (group.pending.has(member)) return join(group, input)
  const error = validateMember(group, { member })
  if (error !== "NONE") return [group, [refuseJoin(correlation, member, error)]]
  return isInGeneration(group, input)
    ? [group, [joinAnswer(correlation, currentGeneration(group, member)), session(member, sessionTimeoutMs)]]
    : join(group, input)
}

/** The leader has decided, and everybody who waits is told. `setAndPropagateAssignment`. */
const completeSync = (group: Group, assignments: ReadonlyArray<Assignment>): Step => {
  const assigned = new Map(assignments.map(({ member, partitions }) => [member, partitions]))
  const outputs: Array<Output> = []
  const members = new Map<string, Member>()
  for (const [id, member] of group.members) {
    const assignment = assigned.get(id) ?? []
    members.set(id, { ...member, awaiting: undefined, assignment })
    if (member.awaiting !== undefined) {
      outputs.push(syncAnswer(member.awaiting.correlation, assignment), session(id, member.sessionTimeoutMs))
    }
  }
  const stable: Group = { ...group, state: "Stable", members }
  return [stable, [{ _tag: "WriteMetadata", metadata: metadataOf(stable) }, ...outputs]]
}

/** `GroupMetadataManager.classicGroupSyncToClassicGroup`. */
const syncGroup = (group: Group, input: InputOf<"SyncGroup">): Step => {
  const { assignments, correlation, member: id } = input
  const error = validateMember(group, input)
  if (error !== "NONE") return [group, [refuseSync(correlation, error)]]
  if (group.state === "PreparingRebalance") return [group, [refuseSync(correlation, "REBALANCE_IN_PROGRESS")]]
  const member = group.members.get(id)!
  if (group.state === "Stable") {
    return [
      withMember(group, id, { ...member, synced: true }),
      [syncAnswer(correlation, member.assignment), session(id, member.sessionTimeoutMs)]
    ]
  }
  const waiting = withMember(group, id, {
    ...member,
    awaiting: { request: "SyncGroup", correlation },
    synced: true
  })
  return after(
    [...refuseAwaited(id, member, "REBALANCE_IN_PROGRESS"), { _tag: "CancelSession", member: id }],
    id === group.leader ? completeSync(waiting, assignments) : [waiting, []]
  )
}

/** `GroupMetadataManager.classicGroupHeartbeatToClassicGroup`. */
const heartbeat = (group: Group, input: InputOf<"Heartbeat">): Step => {
  const { correlation, member } = input
  const error = validateMember(group, input)
  if (error !== "NONE") return [group, [answer(correlation, error)]]
  const alive = session(member, group.members.get(member)!.sessionTimeoutMs)
  return [group, [answer(correlation, group.state === "PreparingRebalance" ? "REBALANCE_IN_PROGRESS" : "NONE"), alive]]
}

const removePending = (group: Group, member: string): Step =>
  after(
    [{ _tag: "CancelSession", member }],
    maybeCompleteJoin(withPending(group, (pending) => pending.delete(member)))
  )

/** `GroupMetadataManager.classicGroupLeave`. */
const leaveGroup = (group: Group, { correlation, member }: InputOf<"LeaveGroup">): Step => {
  const left = answer(correlation, "NONE")
  if (group.pending.has(member)) return after([left], removePending(group, member))
  const error = validateMember(group, { member })
  if (error !== "NONE") return [group, [answer(correlation, error)]]
  return after([left], remove(group, (id) => id === member))
}

// Timers.

/** A member whose request waits is known to be there. `ClassicGroupMember.hasSatisfiedHeartbeat`. */
const sessionTimeout = (group: Group, member: string): Step | undefined => {
  if (group.pending.has(member)) return removePending(group, member)
  const known = group.members.get(member)
  if (known === undefined || known.awaiting !== undefined) return undefined
  return remove(group, (id) => id === member)
}

/** Who has not joined by now is dropped. `GroupMetadataManager.completeClassicGroupJoin`. */
const joinTimeout = (group: Group, generation: number): Step | undefined => {
  if (group.state !== "PreparingRebalance" || group.generation !== generation) return undefined
  const late = [...group.members].filter(([, member]) => !isJoining(member)).map(([id]) => id)
  const cancelled = late.map((member): Output => ({ _tag: "CancelSession", member }))
  return after(cancelled, completeJoin(without(group, (_, member) => !isJoining(member))))
}

/** Who has not asked for its assignment by now is dropped. `GroupMetadataManager.expirePendingSync`. */
const syncTimeout = (group: Group, generation: number): Step | undefined => {
  if (group.state !== "CompletingRebalance" && group.state !== "Stable") return undefined
  if (group.generation !== generation || [...group.members.values()].every(({ synced }) => synced)) return undefined
  return remove(group, (_, { synced }) => !synced)
}

/** `GroupMetadataManager.onUnloaded`. */
const unload = (group: Group): Step | undefined => {
  if (group.state === "Dead") return undefined
  const answers = [...group.members].flatMap(([id, member]) => refuseAwaited(id, member, "NOT_COORDINATOR"))
  const cancelled = [...group.members.keys(), ...group.pending].map((member): Output => ({
    _tag: "CancelSession",
    member
  }))
  return [{ ...initial, state: "Dead", generation: group.generation }, [...answers, ...cancelled]]
}

/** One turn of the coordinator for the group; `undefined` when `input` is not possible in this state. */
export const step = (group: Group, input: Input): Step | undefined => {
  switch (input._tag) {
    case "JoinGroup":
      return joinGroup(group, input)
    case "SyncGroup":
      return syncGroup(group, input)
    case "Heartbeat":
      return heartbeat(group, input)
    case "LeaveGroup":
      return leaveGroup(group, input)
    case "SessionTimeout":
      return sessionTimeout(group, input.member)
    case "JoinTimeout":
      return joinTimeout(group, input.generation)
    case "SyncTimeout":
      return syncTimeout(group, input.generation)
    case "Unload":
      return unload(group)
  }
}

/**
 * The group that another coordinator finds in the log: its members have a session's time to be heard of. `onLoaded`.
 */
export const load = ({ generation, leader, members }: Metadata): Step => [
  {
    state: members.length === 0 ? "Empty" : "Stable",
    generation,
    leader,
    members: new Map(members.map(({ member, ...known }) => [member, { ...known, awaiting: undefined, synced: true }])),
    pending: new Set()
  },
  members.map(({ member, sessionTimeoutMs }) => session(member, sessionTimeoutMs))
]

/** Who commits offsets: generation -1 and member "" for nobody in particular. */
export interface Committer {
  readonly generation: number
  readonly member: string
}

/**
 * Whether a commit of offsets is taken: `NONE`, or why not. A group that is unknown is one of nobody.
 *
 * A transactional commit of an old client names no member and is not fenced; one that does is, also while the group
 * rebalances (KIP-447). `OffsetMetadataManager.validateOffsetCommit`, `ClassicGroup.validateOffsetCommit`.
 */
export const mayCommit = (
  group: Group | undefined,
  { generation, member }: Committer,
  transactional: boolean
): Errors.Error => {
  const isNamed = generation >= 0 || member !== ""
  if (group === undefined) return generation < 0 ? "NONE" : "ILLEGAL_GENERATION"
  if (group.state === "Dead") return "COORDINATOR_NOT_AVAILABLE"
  if (group.state === "Empty" && generation < 0) return "NONE"
  if (!isNamed) return transactional ? "NONE" : "UNKNOWN_MEMBER_ID"
  const error = validateMember(group, { member, generation })
  if (error !== "NONE") return error
  return !transactional && group.state === "CompletingRebalance" ? "REBALANCE_IN_PROGRESS" : "NONE"
}
