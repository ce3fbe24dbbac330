/**
 * The group coordinators of a cluster: for each group the core's group and its offsets, the answers that wait for other
 * members, and the timers of sessions and rebalances.
 *
 * The offsets of all groups are in one partition, whose leader is asked like any other; its markers end what is pending.
 */
import { Deferred, Effect, Fiber, type Scope } from "effect"
import { ConsumerGroup, type Errors, GroupOffsets, TopicPartition, type Transaction } from "../../core/index.ts"
import type { Api } from "../client/Requests.ts"
import * as Topics from "./Topics.ts"

type Response<Key extends keyof Api> = Api[Key]["response"]
type Request<Key extends keyof Api> = Api[Key]["request"]

export interface GroupCoordinators {
  readonly join: (request: Request<"JoinGroup">) => Effect.Effect<Response<"JoinGroup">>
  readonly sync: (request: Request<"SyncGroup">) => Effect.Effect<Response<"SyncGroup">>
  readonly heartbeat: (request: Request<"Heartbeat">) => Effect.Effect<Response<"Heartbeat">>
  readonly leave: (request: Request<"LeaveGroup">) => Effect.Effect<Response<"LeaveGroup">>
  /** Whether offsets may be committed by whoever says so. */
  readonly mayCommit: (
    group: string,
    committer: ConsumerGroup.Committer,
    transactional: boolean
  ) => Errors.Error
  /** What the leader of the offsets has appended for a group. */
  readonly appended: (group: string, entry: GroupOffsets.Entry) => void
  /** A marker is for the offsets of every group. */
  readonly ended: (producerId: number, result: Transaction.Result) => void
  readonly fetch: (request: Request<"OffsetFetch">) => Response<"OffsetFetch">
  /** Where in the log the offset of a partition is, or `undefined` where there is none. */
  readonly written: (group: string, partition: TopicPartition.TopicPartition) => number | undefined
  /** The partitions that the group has offsets of. */
  readonly committed: (group: string) => ReadonlyArray<TopicPartition.TopicPartition>
  /** Whether there is such a group. */
  readonly has: (group: string) => boolean
  /** What the members of the group have subscribed to, in the order of joining. */
  readonly subscriptions: (group: string) => ReadonlyMap<string, ConsumerGroup.Subscription>
  /** DeleteGroups: `GROUP_ID_NOT_FOUND`, `NON_EMPTY_GROUP` or `NONE`. What transactions have pending is lost too. */
  readonly remove: (group: string) => Errors.Error
}

interface Coordinated {
  group: ConsumerGroup.Group
  offsets: GroupOffsets.Offsets
  readonly timers: Map<string, Fiber.Fiber<void>>
}

type Answer = Response<"JoinGroup"> | Response<"SyncGroup"> | Response<"Heartbeat">

/** Starts coordinators that know of no group; their timers end with the scope. */
export const make = Effect.gen(function*() {
  const scope = yield* Effect.scope
  const groups = new Map<string, Coordinated>()
  const waiting = new Map<ConsumerGroup.Correlation, Deferred.Deferred<Answer>>()
  let correlations = 0
  let members = 0

  const coordinated = (name: string): Coordinated => {
    let known = groups.get(name)
    if (known === undefined) {
      known = { group: ConsumerGroup.initial, offsets: GroupOffsets.initial, timers: new Map() }
      groups.set(name, known)
    }
    return known
  }

  const offsetsOf = (name: string): GroupOffsets.Offsets => groups.get(name)?.offsets ?? GroupOffsets.initial

  const cancel = (of: Coordinated, timer: string): Effect.Effect<void> => {
    const fiber = of.timers.get(timer)
    of.timers.delete(timer)
    return fiber === undefined ? Effect.void : Effect.asVoid(Effect.forkIn(Fiber.interrupt(fiber), scope))
  }

  const schedule = Effect.fnUntraced(function*(
    name: string,
    timer: string,
    timeoutMs: number,
    input: ConsumerGroup.Input
  ) {
    const of = coordinated(name)
    yield* cancel(of, timer)
    const fire: Effect.Effect<void> = Effect.suspend(() => {
      of.timers.delete(timer)
      return turn(name, input)
    })
    of.timers.set(timer, yield* Effect.forkIn(Effect.andThen(Effect.sleep(timeoutMs), fire), scope))
  })

  const answer = (correlation: number, told: Answer): Effect.Effect<void> => {
    const deferred = waiting.get(correlation)
    waiting.delete(correlation)
    return deferred === undefined ? Effect.void : Effect.asVoid(Deferred.succeed(deferred, told))
  }

  const perform = (name: string, output: ConsumerGroup.Output): Effect.Effect<void> => {
    switch (output._tag) {
      case "AnswerJoinGroup": {
        const { error, generation, leader, member, members: others } = output
        return answer(output.correlation, { error, group: name, generation, member, leader, members: others })
      }
      case "AnswerSyncGroup":
        return answer(output.correlation, { error: output.error, partitions: output.partitions })
      case "Answer":
        return answer(output.correlation, { error: output.error })
      case "ScheduleSession":
        return schedule(name, `session ${output.member}`, output.timeoutMs, {
          _tag: "SessionTimeout",
          member: output.member
        })
      case "CancelSession":
        return cancel(coordinated(name), `session ${output.member}`)
      case "ScheduleJoin":
        return schedule(name, "join", output.timeoutMs, { _tag: "JoinTimeout", generation: output.generation })
      case "ScheduleSync":
        return schedule(name, "sync", output.timeoutMs, { _tag: "SyncTimeout", generation: output.generation })
      case "WriteMetadata":
        // The group outlives its coordinator as it is.
        return Effect.void
    }
  }

  const turn = Effect.fnUntraced(function*(name: string, input: ConsumerGroup.Input) {
    const before = groups.get(name)?.group ?? ConsumerGroup.initial
    const step = ConsumerGroup.step(before, input)
    if (step === undefined) return
    // Who asks about a group does not make it.
    if (step[0] !== before) coordinated(name).group = step[0]
    for (const output of step[1]) yield* perform(name, output)
  })

  const ask = <A extends Answer>(
    name: string,
    input: (correlation: ConsumerGroup.Correlation) => ConsumerGroup.Input
  ): Effect.Effect<A> =>
    Effect.gen(function*() {
      const correlation = ++correlations
      const deferred = yield* Deferred.make<Answer>()
      waiting.set(correlation, deferred)
      yield* turn(name, input(correlation))
      // The answer is of the kind of its request.
      return (yield* Deferred.await(deferred)) as A
    })

  const coordinators: GroupCoordinators = {
    join: ({ group, ...request }) =>
      ask(group, (correlation) => ({
        _tag: "JoinGroup",
        correlation,
        newMember: `member-${++members}`,
        ...request
      })),
    sync: ({ group, ...request }) => ask(group, (correlation) => ({ _tag: "SyncGroup", correlation, ...request })),
    heartbeat: ({ group, ...request }) => ask(group, (correlation) => ({ _tag: "Heartbeat", correlation, ...request })),
    leave: ({ group, member }) => ask(group, (correlation) => ({ _tag: "LeaveGroup", correlation, member })),
    mayCommit: (group, committer, transactional) =>
      ConsumerGroup.mayCommit(groups.get(group)?.group, committer, transactional),
    appended: (group, entry) => {
      const of = coordinated(group)
      of.offsets = GroupOffsets.apply(of.offsets, entry)
    },
    ended: (producerId, result) => {
      for (const of of groups.values()) {
        of.offsets = GroupOffsets.apply(of.offsets, { _tag: "Marker", producerId, result })
      }
    },
    fetch: ({ group, partitions, requireStable }) => ({
      results: partitions.map((partition) => ({
        ...partition,
        ...GroupOffsets.fetch(offsetsOf(group), partition, requireStable)
      }))
    }),
    written: (group, partition) => offsetsOf(group).committed.get(TopicPartition.key(partition))?.logOffset,
    committed: (group) => Array.from(offsetsOf(group).committed.keys(), Topics.partitionOf),
    has: (group) => groups.has(group),
    subscriptions: (group) => groups.get(group)?.group.members ?? new Map(),
    remove: (group) => {
      const known = groups.get(group)
      if (known === undefined) return "GROUP_ID_NOT_FOUND"
      if (known.group.members.size > 0 || known.group.pending.size > 0) return "NON_EMPTY_GROUP"
      groups.delete(group)
      return "NONE"
    }
  }
  return coordinators
}) satisfies Effect.Effect<GroupCoordinators, never, Scope.Scope>
