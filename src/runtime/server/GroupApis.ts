/**
 * What a member asks of the coordinator of its group: JoinGroup, SyncGroup, Heartbeat, LeaveGroup; and DeleteGroups.
 *
 * What members say of themselves and are assigned is theirs: bytes that the coordinator hands on. The core has topics and
 * partitions in that place and hands them on too, so the bytes go through it as the text of topics. Static members
 * (KIP-345) are not served.
 */
import { Effect } from "effect"
import { type ConsumerGroup, type Errors, Sequence } from "../../core/index.ts"
import type { TopicPartition } from "../client/Requests.ts"
import {
  type Answer,
  codeOf,
  type Handler,
  type Handlers,
  type Message,
  node,
  notThrottled,
  type Served
} from "./Handler.ts"

const textOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString("base64")
const bytesOf = (text: string): Uint8Array => Buffer.from(text, "base64")

/** A way to share out partitions that a member knows, with what it says of itself for it. */
interface Protocol {
  readonly name: string
  readonly metadata: Uint8Array
}

interface Protocols {
  /** "consumer", for consumers. */
  readonly type: string
  /** The one that the member likes best comes first. */
  readonly protocols: ReadonlyArray<Protocol>
}

const toTopics = ({ protocols, type }: Protocols): ReadonlyArray<string> => [
  type,
  ...protocols.flatMap(({ metadata, name }) => [name, textOf(metadata)])
]

const ofTopics = ([type = "", ...rest]: ReadonlyArray<string>): Protocols => ({
  type,
  protocols: rest.flatMap((name, index) => index % 2 === 0 ? [{ name, metadata: bytesOf(rest[index + 1]!) }] : [])
})

const toPartitions = (assignment: Uint8Array): ReadonlyArray<TopicPartition> =>
  assignment.length === 0 ? [] : [{ topic: textOf(assignment), partition: 0 }]

const ofPartitions = ([assigned]: ReadonlyArray<TopicPartition>): Uint8Array => bytesOf(assigned?.topic ?? "")

type Subscriptions = ReadonlyMap<string, ConsumerGroup.Subscription>

const membersOf = (subscriptions: Subscriptions): ReadonlyArray<Protocols> =>
  Array.from(subscriptions.values(), ({ topics }) => ofTopics(topics))

/** Names of protocols that all members know. */
const candidates = (members: ReadonlyArray<Protocols>): ReadonlyArray<string> =>
  (members[0]?.protocols ?? []).map(({ name }) => name).filter((name) =>
    members.every(({ protocols }) => protocols.some((other) => other.name === name))
  )

/** Whether a member with these protocols can belong to the group. `ClassicGroup.supportsProtocols`. */
const isConsistent = (members: ReadonlyArray<Protocols>, { protocols, type }: Protocols): boolean => {
  if (type === "" || protocols.length === 0) return false
  if (members.length === 0) return true
  const common = candidates(members)
  return members[0]!.type === type && protocols.some(({ name }) => common.includes(name))
}

/** Each member has a vote for the one that it likes best of those that all know. `ClassicGroup.selectProtocol`. */
const selected = (members: ReadonlyArray<Protocols>): string => {
  const votes = new Map(candidates(members).map((name) => [name, 0]))
  for (const { protocols } of members) {
    const vote = protocols.find(({ name }) => votes.has(name))
    if (vote !== undefined) votes.set(vote.name, votes.get(vote.name)! + 1)
  }
  const [best = ""] = [...votes].toSorted(([, a], [, b]) => b - a)[0] ?? []
  return best
}

/** `group.min.session.timeout.ms` and `group.max.session.timeout.ms`. */
const MIN_SESSION_TIMEOUT_MS = 6_000
const MAX_SESSION_TIMEOUT_MS = 1_800_000

/** The first version whose new members are told their id before they join (KIP-394). */
const MEMBER_ID_REQUIRED_SINCE = 4

/** The first version in which an answer may have no protocol. */
const NO_PROTOCOL_SINCE = 7

const joinGroup = ({ brokers: { groups, handlers } }: Served): Handler<"JoinGroup"> => {
  const protocolsOf = ({ protocols, protocolType: type }: Message<"JoinGroup">): Protocols => ({ type, protocols })

  const refusal = (message: Message<"JoinGroup">): Errors.Error => {
    const { groupId, groupInstanceId, sessionTimeoutMs } = message
    if (groupId === "") return "INVALID_GROUP_ID"
    if (groupInstanceId !== null) return "INVALID_REQUEST"
    if (sessionTimeoutMs < MIN_SESSION_TIMEOUT_MS || sessionTimeoutMs > MAX_SESSION_TIMEOUT_MS) {
      return "INVALID_SESSION_TIMEOUT"
    }
    return isConsistent(membersOf(groups.subscriptions(groupId)), protocolsOf(message))
      ? "NONE"
      : "INCONSISTENT_GROUP_PROTOCOL"
  }

  const refused = (error: Errors.Error, version: number, memberId: string): Answer<"JoinGroup"> => ({
    errorCode: codeOf(error),
    generationId: Sequence.none,
    protocolName: version >= NO_PROTOCOL_SINCE ? null : "",
    leader: "",
    memberId,
    members: []
  })

  return (message, { version }) =>
    Effect.gen(function*() {
      const { groupId: group, memberId, sessionTimeoutMs } = message
      const error = refusal(message)
      if (error !== "NONE") return refused(error, version, memberId)
      const join = (member: string) =>
        handlers.JoinGroup(node, {
          group,
          member,
          sessionTimeoutMs,
          rebalanceTimeoutMs: message.rebalanceTimeoutMs < 0 ? sessionTimeoutMs : message.rebalanceTimeoutMs,
          topics: toTopics(protocolsOf(message))
        })
      const first = yield* join(memberId)
      const isToldOnly = first.error === "MEMBER_ID_REQUIRED" && version < MEMBER_ID_REQUIRED_SINCE
      const joined = isToldOnly ? yield* join(first.member) : first
      if (joined.error !== "NONE") return refused(joined.error, version, joined.member)
      const protocolName = selected(membersOf(groups.subscriptions(group)))
      return {
        errorCode: codeOf("NONE"),
        generationId: joined.generation,
        protocolType: message.protocolType,
        protocolName,
        leader: joined.leader,
        memberId: joined.member,
        members: joined.members.map(({ member, topics }) => ({
          memberId: member,
          metadata: ofTopics(topics).protocols.find(({ name }) => name === protocolName)?.metadata ?? new Uint8Array()
        }))
      }
    })
}

const syncGroup = ({ brokers: { groups, handlers } }: Served): Handler<"SyncGroup"> => (message) =>
  Effect.gen(function*() {
    const { assignments, generationId: generation, groupId: group, memberId: member } = message
    const refused = (error: Errors.Error): Answer<"SyncGroup"> => ({
      errorCode: codeOf(error),
      assignment: new Uint8Array()
    })
    if (group === "") return refused("INVALID_GROUP_ID")
    const members = membersOf(groups.subscriptions(group))
    const protocol = { protocolType: members[0]?.type ?? null, protocolName: selected(members) }
    const isOther = (given: string | null, found: string | null): boolean => given !== null && given !== found
    if (
      members.length > 0
      && (isOther(message.protocolType, protocol.protocolType) || isOther(message.protocolName, protocol.protocolName))
    ) return refused("INCONSISTENT_GROUP_PROTOCOL")
    const { error, partitions } = yield* handlers.SyncGroup(node, {
      group,
      member,
      generation,
      assignments: assignments.map(({ assignment, memberId }) => ({
        member: memberId,
        partitions: toPartitions(assignment)
      }))
    })
    return error === "NONE"
      ? { errorCode: codeOf("NONE"), ...protocol, assignment: ofPartitions(partitions) }
      : refused(error)
  })

const heartbeat =
  ({ brokers: { handlers } }: Served): Handler<"Heartbeat"> =>
  ({ generationId: generation, groupId: group, memberId: member }) =>
    group === ""
      ? Effect.succeed({ errorCode: codeOf("INVALID_GROUP_ID") })
      : Effect.map(handlers.Heartbeat(node, { group, generation, member }), ({ error }) => ({
        errorCode: codeOf(error)
      }))

/** The first version in which several members can leave at once (KIP-345). */
const LEAVES_TOGETHER_SINCE = 3

const leaveGroup = ({ brokers: { handlers } }: Served): Handler<"LeaveGroup"> => (message, { version }) =>
  Effect.gen(function*() {
    const { groupId: group } = message
    if (group === "") return { errorCode: codeOf("INVALID_GROUP_ID"), members: [] }
    const leave = (member: string) =>
      Effect.map(
        handlers.LeaveGroup(node, { group, generation: Sequence.none, member }),
        ({ error }) => codeOf(error)
      )
    if (version < LEAVES_TOGETHER_SINCE) return { errorCode: yield* leave(message.memberId) }
    const members = yield* Effect.forEach(
      message.members,
      ({ groupInstanceId, memberId }) =>
        Effect.map(leave(memberId), (errorCode) => ({ memberId, groupInstanceId, errorCode }))
    )
    return { errorCode: codeOf("NONE"), members }
  })

const deleteGroups = ({ brokers: { groups } }: Served): Handler<"DeleteGroups"> => ({ groupsNames }) =>
  Effect.sync(() => ({
    ...notThrottled,
    results: groupsNames.map((groupId) => ({ groupId, errorCode: codeOf(groups.remove(groupId)) }))
  }))

export const make = (served: Served) =>
  ({
    JoinGroup: joinGroup(served),
    SyncGroup: syncGroup(served),
    Heartbeat: heartbeat(served),
    LeaveGroup: leaveGroup(served),
    DeleteGroups: deleteGroups(served)
  }) satisfies Partial<Handlers>
