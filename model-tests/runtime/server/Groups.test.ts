import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import { Connection } from "../../../src/runtime/remote/index.ts"
import { Server } from "../../../src/runtime/server/index.ts"
import { Messages } from "../../../src/wire/index.ts"
import * as Probe from "./probe.ts"

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)
const text = (given: Uint8Array): string => new TextDecoder().decode(given)

/** What a member says of itself for each protocol, best first. */
type Protocols = ReadonlyArray<readonly [name: string, metadata: string]>

const groupId = "g"

const memberOn = (connection: Connection.Connection) => {
  const { request } = connection
  const join = Effect.fnUntraced(function*(memberId: string, protocols: Protocols, protocolType = "consumer") {
    const { errorCode, members, ...answer } = yield* request(Messages.JoinGroup, 9, {
      groupId,
      sessionTimeoutMs: 6000,
      rebalanceTimeoutMs: 6000,
      memberId,
      protocolType,
      protocols: protocols.map(([name, metadata]) => ({ name, metadata: bytes(metadata) }))
    })
    return {
      ...answer,
      error: Probe.nameOf(errorCode),
      members: members.map(({ memberId, metadata }) => [memberId, text(metadata)] as const)
    }
  })
  const sync = Effect.fnUntraced(function*(
    { generationId, memberId }: { readonly generationId: number; readonly memberId: string },
    assigned: ReadonlyArray<readonly [memberId: string, assignment: string]> = []
  ) {
    const { assignment, errorCode, protocolName } = yield* request(Messages.SyncGroup, 5, {
      groupId,
      generationId,
      memberId,
      assignments: assigned.map(([memberId, assignment]) => ({ memberId, assignment: bytes(assignment) }))
    })
    return { error: Probe.nameOf(errorCode), assignment: text(assignment), protocolName }
  })
  const heartbeat = (member: { readonly generationId: number; readonly memberId: string }) =>
    Effect.map(
      request(Messages.Heartbeat, 4, { groupId, generationId: member.generationId, memberId: member.memberId }),
      ({ errorCode }) => Probe.nameOf(errorCode)
    )
  return { join, sync, heartbeat, request }
}

const started = Effect.gen(function*() {
  const server = yield* Server.make({ topics: { t: 2 } })
  return () => Effect.map(Connection.connect(server), memberOn)
})

describe("a group", () => {
  it.live("of two members hands on what they say and what their leader decides", () =>
    Effect.gen(function*() {
      const connect = yield* started
      const [one, two] = [yield* connect(), yield* connect()]
      const both: Protocols = [["range", "range of one"], ["sticky", "sticky of one"]]
      const { error, memberId: first } = yield* one.join("", both)
      assert.strictEqual(error, "MEMBER_ID_REQUIRED")
      const alone = yield* one.join(first, both)
      assert.deepInclude(alone, {
        error: "NONE",
        leader: first,
        protocolName: "range",
        members: [[first, "range of one"]]
      })
      yield* one.sync(alone, [[first, "all"]])

      const { memberId: second } = yield* two.join("", [["sticky", "sticky of two"]])
      const joining = yield* Effect.forkChild(two.join(second, [["sticky", "sticky of two"]]), {
        startImmediately: true
      })
      while ((yield* one.heartbeat(alone)) !== "REBALANCE_IN_PROGRESS") yield* Effect.sleep(5)
      const leading = yield* one.join(first, both)
      const following = yield* Fiber.join(joining)
      const members: Array<readonly [string, string]> = [[first, "sticky of one"], [second, "sticky of two"]]
      assert.deepInclude(leading, { error: "NONE", protocolName: "sticky", leader: first, members })
      assert.deepInclude(following, { error: "NONE", protocolName: "sticky", leader: first, members: [] })

      const waiting = yield* Effect.forkChild(two.sync(following), { startImmediately: true })
      const decided = yield* one.sync(leading, [[first, "a"], [second, "b"]])
      assert.deepStrictEqual(decided, { error: "NONE", assignment: "a", protocolName: "sticky" })
      assert.deepStrictEqual(yield* Fiber.join(waiting), { error: "NONE", assignment: "b", protocolName: "sticky" })
    }))

  it.live("refuses members that do not fit", () =>
    Effect.gen(function*() {
      const connect = yield* started
      const [one, two] = [yield* connect(), yield* connect()]
      const { memberId } = yield* one.join("", [["range", ""]])
      yield* one.join(memberId, [["range", ""]])

      const errors = [
        yield* two.join("", [["sticky", ""]]),
        yield* two.join("", [["range", ""]], "connect"),
        yield* two.join("", []),
        yield* two.join("nobody", [["range", ""]])
      ].map(({ error }) => error)
      assert.deepStrictEqual(errors, [
        "INCONSISTENT_GROUP_PROTOCOL",
        "INCONSISTENT_GROUP_PROTOCOL",
        "INCONSISTENT_GROUP_PROTOCOL",
        "UNKNOWN_MEMBER_ID"
      ])
      const fixed = yield* two.request(Messages.JoinGroup, 5, {
        groupId,
        sessionTimeoutMs: 6000,
        rebalanceTimeoutMs: 6000,
        memberId: "",
        groupInstanceId: "one",
        protocolType: "consumer",
        protocols: [{ name: "range", metadata: bytes("") }]
      })
      assert.strictEqual(Probe.nameOf(fixed.errorCode), "INVALID_REQUEST")
    }))

  it.live("lets a member go, and is deleted when all have", () =>
    Effect.gen(function*() {
      const member = yield* (yield* started)()
      const { memberId } = yield* member.join("", [["range", ""]])
      const joined = yield* member.join(memberId, [["range", ""]])
      yield* member.sync(joined)
      const remove = Effect.map(
        member.request(Messages.DeleteGroups, 2, { groupsNames: [groupId] }),
        ({ results }) => Probe.nameOf(results[0]!.errorCode)
      )

      assert.strictEqual(yield* remove, "NON_EMPTY_GROUP")
      yield* member.request(Messages.LeaveGroup, 5, { groupId, members: [{ memberId }] })
      assert.strictEqual(yield* member.heartbeat(joined), "UNKNOWN_MEMBER_ID")
      assert.strictEqual(yield* remove, "NONE")
      assert.strictEqual(yield* remove, "GROUP_ID_NOT_FOUND")
    }))

  it.live("that nobody made is not there for being asked about", () =>
    Effect.gen(function*() {
      const connection = yield* Connection.connect(yield* Server.make({ topics: { t: 2 } }))
      const probe = Probe.make(connection)

      assert.strictEqual(yield* probe.committed(groupId, ["t", 0]), -1)
      assert.strictEqual(
        yield* probe.commit(groupId, ["t", 0], 1, { member: "nobody", generation: 1, version: 9 }),
        "GROUP_ID_NOT_FOUND"
      )
      yield* probe.commit(groupId, ["t", 0], 1)
      assert.strictEqual(
        yield* probe.commit(groupId, ["t", 0], 1, { member: "nobody", generation: 1, version: 9 }),
        "UNKNOWN_MEMBER_ID"
      )
    }))

  it.live("keeps what clients write beside an offset", () =>
    Effect.gen(function*() {
      const { request } = yield* Connection.connect(yield* Server.make({ topics: { t: 2 } }))
      const partition = { partitionIndex: 1, committedOffset: 5, committedLeaderEpoch: 0, committedMetadata: "note" }
      yield* request(Messages.OffsetCommit, 8, { groupId, topics: [{ name: "t", partitions: [partition] }] })
      const { groups } = yield* request(Messages.OffsetFetch, 8, { groups: [{ groupId, topics: null }] })

      const { errorCode, ...found } = groups[0]!.topics[0]!.partitions[0]!
      assert.strictEqual(errorCode, 0)
      assert.deepStrictEqual(found, {
        partitionIndex: 1,
        committedOffset: 5,
        committedLeaderEpoch: 0,
        metadata: "note"
      })
    }))
})
