import { assert, describe, it } from "@effect/vitest"
import * as fc from "fast-check"
import { ConsumerGroup, type Errors } from "../../src/core/index.ts"

type Group = ConsumerGroup.Group
type Output = ConsumerGroup.Output

const join = (
  correlation: number,
  member: string,
  over: Partial<Extract<ConsumerGroup.Input, { readonly _tag: "JoinGroup" }>> = {}
): ConsumerGroup.Input => ({
  _tag: "JoinGroup",
  correlation,
  member,
  newMember: "new",
  topics: ["t"],
  sessionTimeoutMs: 10,
  rebalanceTimeoutMs: 100,
  ...over
})

const sync = (
  correlation: number,
  member: string,
  generation: number,
  assignments: ReadonlyArray<ConsumerGroup.Assignment> = []
): ConsumerGroup.Input => ({ _tag: "SyncGroup", correlation, member, generation, assignments })

const heartbeat = (correlation: number, member: string, generation: number): ConsumerGroup.Input => ({
  _tag: "Heartbeat",
  correlation,
  member,
  generation
})

const leave = (correlation: number, member: string): ConsumerGroup.Input => ({
  _tag: "LeaveGroup",
  correlation,
  member
})

/** Takes the steps, all of which have to be possible; the outputs are those of the last. */
const run = (group: Group, ...inputs: ReadonlyArray<ConsumerGroup.Input>): ConsumerGroup.Step => {
  let outputs: ReadonlyArray<Output> = []
  let state = group
  for (const input of inputs) {
    const next = ConsumerGroup.step(state, input)
    if (next === undefined) throw new Error(`${input._tag} is not possible in ${state.state}`)
    state = next[0]
    outputs = next[1]
  }
  return [state, outputs]
}

/** A member that has an id and waits for its answer to JoinGroup. */
const arrive = (correlation: number, member: string): ReadonlyArray<ConsumerGroup.Input> => [
  join(100 + correlation, "", { newMember: member }),
  join(correlation, member)
]

const t = (partition: number) => ({ topic: "t", partition })

const [alone] = run(ConsumerGroup.initial, ...arrive(1, "a"))
const [stable] = run(
  ConsumerGroup.initial,
  ...arrive(1, "a"),
  ...arrive(2, "b"),
  join(3, "a"),
  sync(4, "b", 2),
  sync(5, "a", 2, [{ member: "a", partitions: [t(0)] }, { member: "b", partitions: [t(1)] }])
)
const [completing] = run(stable, join(6, "a"), join(7, "b"))
const [preparing] = run(stable, join(6, "a"))
const [dead] = run(stable, { _tag: "Unload" })

/** What the outputs answer, by correlation. */
const answers = (outputs: ReadonlyArray<Output>): ReadonlyArray<readonly [number, Errors.Error]> =>
  outputs.flatMap((output) => "correlation" in output ? [[output.correlation, output.error] as const] : [])

const sessions = (outputs: ReadonlyArray<Output>): ReadonlyArray<readonly [string, number | undefined]> =>
  outputs.flatMap((output): ReadonlyArray<readonly [string, number | undefined]> => {
    if (output._tag === "ScheduleSession") return [[output.member, output.timeoutMs]]
    return output._tag === "CancelSession" ? [[output.member, undefined]] : []
  })

describe("JoinGroup", () => {
  it("gives a new member an id, for as long as a session", () => {
    const [group, outputs] = run(ConsumerGroup.initial, join(1, "", { newMember: "a" }))

    assert.deepStrictEqual(outputs, [
      {
        _tag: "AnswerJoinGroup",
        correlation: 1,
        error: "MEMBER_ID_REQUIRED",
        member: "a",
        generation: -1,
        leader: "",
        members: []
      },
      { _tag: "ScheduleSession", member: "a", timeoutMs: 10 }
    ])
    assert.deepStrictEqual(group, { ...ConsumerGroup.initial, pending: new Set(["a"]) })
    assert.deepStrictEqual(run(group, { _tag: "SessionTimeout", member: "a" })[0], ConsumerGroup.initial)
  })

  it("makes the first member the leader of the first generation", () => {
    const [group, outputs] = run(ConsumerGroup.initial, ...arrive(1, "a"))

    assert.deepStrictEqual(outputs, [
      { _tag: "CancelSession", member: "a" },
      {
        _tag: "AnswerJoinGroup",
        correlation: 1,
        error: "NONE",
        member: "a",
        generation: 1,
        leader: "a",
        members: [{ member: "a", topics: ["t"] }]
      },
      { _tag: "ScheduleSession", member: "a", timeoutMs: 10 },
      { _tag: "ScheduleSync", generation: 1, timeoutMs: 100 }
    ])
    assert.strictEqual(group.state, "CompletingRebalance")
  })

  it("waits until every member has joined again", () => {
    const [group, outputs] = run(alone, ...arrive(2, "b"))

    assert.strictEqual(group.state, "PreparingRebalance")
    assert.deepStrictEqual(answers(outputs), [])
    assert.deepInclude(outputs, { _tag: "ScheduleJoin", generation: 1, timeoutMs: 100 })

    const [next, joined] = run(group, join(3, "a"))
    assert.strictEqual(next.state, "CompletingRebalance")
    assert.strictEqual(next.generation, 2)
    assert.deepStrictEqual(answers(joined), [[3, "NONE"], [2, "NONE"]])
  })

  it("waits for those that were given an id", () => {
    const [group, outputs] = run(stable, join(6, "", { newMember: "c" }), join(7, "a"), join(8, "b"))

    assert.strictEqual(group.state, "PreparingRebalance")
    assert.deepStrictEqual(answers(outputs), [])
    assert.sameDeepMembers([...answers(run(group, { _tag: "SessionTimeout", member: "c" })[1])], [[7, "NONE"], [
      8,
      "NONE"
    ]])
    assert.sameDeepMembers([...answers(run(group, leave(9, "c"))[1])], [[9, "NONE"], [7, "NONE"], [8, "NONE"]])
  })

  it("drops who has not joined when the time is over, and another leads", () => {
    const [waiting] = run(stable, join(6, "b", { topics: ["u"] }))

    const [group, outputs] = run(waiting, { _tag: "JoinTimeout", generation: 2 })

    assert.deepStrictEqual([...group.members.keys()], ["b"])
    assert.strictEqual(group.leader, "b")
    assert.deepStrictEqual(answers(outputs), [[6, "NONE"]])
    assert.deepStrictEqual(sessions(outputs), [["a", undefined], ["b", 10]])
  })

  it("comes to an empty group when nobody joins again", () => {
    const [waiting] = run(stable, join(6, "", { newMember: "c" }), leave(7, "a"), leave(8, "b"))

    const [group, outputs] = run(waiting, { _tag: "JoinTimeout", generation: 2 })

    assert.deepStrictEqual(group, { ...ConsumerGroup.initial, generation: 3, pending: new Set(["c"]) })
    assert.deepInclude(outputs, {
      _tag: "WriteMetadata",
      metadata: { generation: 3, leader: undefined, members: [] }
    })
  })

  it("gives a follower its generation again, but the leader and new subscriptions a new one", () => {
    const again = run(stable, join(6, "b"))

    assert.deepStrictEqual(answers(again[1]), [[6, "NONE"]])
    assert.strictEqual(again[0].state, "Stable")
    assert.strictEqual(run(stable, join(6, "a"))[0].state, "PreparingRebalance")
    assert.strictEqual(run(stable, join(6, "b", { topics: ["u"] }))[0].state, "PreparingRebalance")
    assert.strictEqual(run(completing, join(8, "a"))[0].state, "CompletingRebalance")
    assert.strictEqual(run(completing, join(8, "a", { topics: [] }))[0].state, "PreparingRebalance")
  })

  it("answers the copy that waited, whose connection is gone", () => {
    assert.deepStrictEqual(answers(run(preparing, join(8, "a"))[1]), [[6, "REBALANCE_IN_PROGRESS"]])
  })

  it("keeps out whom it does not know, and everybody when it is dead", () => {
    assert.deepStrictEqual(answers(run(stable, join(6, "z"))[1]), [[6, "UNKNOWN_MEMBER_ID"]])
    assert.deepStrictEqual(answers(run(ConsumerGroup.initial, join(6, "z"))[1]), [[6, "UNKNOWN_MEMBER_ID"]])
    assert.deepStrictEqual(answers(run(dead, join(6, ""))[1]), [[6, "COORDINATOR_NOT_AVAILABLE"]])
    assert.deepStrictEqual(answers(run(dead, join(6, "a"))[1]), [[6, "COORDINATOR_NOT_AVAILABLE"]])
  })
})

describe("SyncGroup", () => {
  it("waits for the leader, who decides for all", () => {
    const [waiting, nothing] = run(completing, sync(8, "b", 3))

    assert.deepStrictEqual(answers(nothing), [])
    const [group, outputs] = run(waiting, sync(9, "a", 3, [{ member: "b", partitions: [t(0), t(1)] }]))
    assert.strictEqual(group.state, "Stable")
    assert.deepStrictEqual(outputs, [
      { _tag: "CancelSession", member: "a" },
      {
        _tag: "WriteMetadata",
        metadata: {
          generation: 3,
          leader: "a",
          members: [
            { member: "a", topics: ["t"], sessionTimeoutMs: 10, rebalanceTimeoutMs: 100, assignment: [] },
            { member: "b", topics: ["t"], sessionTimeoutMs: 10, rebalanceTimeoutMs: 100, assignment: [t(0), t(1)] }
          ]
        }
      },
      { _tag: "AnswerSyncGroup", correlation: 9, error: "NONE", partitions: [] },
      { _tag: "ScheduleSession", member: "a", timeoutMs: 10 },
      { _tag: "AnswerSyncGroup", correlation: 8, error: "NONE", partitions: [t(0), t(1)] },
      { _tag: "ScheduleSession", member: "b", timeoutMs: 10 }
    ])
  })

  it("does not look at what others than the leader assign", () => {
    const [waiting] = run(completing, sync(8, "b", 3, [{ member: "b", partitions: [t(0)] }]))

    assert.deepInclude(run(waiting, sync(9, "a", 3))[1], {
      _tag: "AnswerSyncGroup",
      correlation: 8,
      error: "NONE",
      partitions: []
    })
  })

  it("tells who is late what was decided", () => {
    assert.deepInclude(run(stable, sync(8, "b", 2))[1], {
      _tag: "AnswerSyncGroup",
      correlation: 8,
      error: "NONE",
      partitions: [t(1)]
    })
  })

  it("counts as asked for also when it is late", () => {
    const [early] = run(completing, sync(8, "a", 3))
    const timeout: ConsumerGroup.Input = { _tag: "SyncTimeout", generation: 3 }

    assert.deepStrictEqual([...run(early, timeout)[0].members.keys()], ["a"])
    assert.isUndefined(ConsumerGroup.step(run(early, sync(9, "b", 3))[0], timeout))
  })

  it("is refused when the group moves on meanwhile", () => {
    const [waiting] = run(completing, sync(8, "b", 3))

    const outputs = run(waiting, ...arrive(9, "c"))[1]

    assert.deepStrictEqual(answers(outputs), [[8, "REBALANCE_IN_PROGRESS"]])
    assert.deepStrictEqual(sessions(outputs), [["c", undefined], ["b", 10]])
  })

  it("has to come in time", () => {
    const [waiting] = run(completing, sync(8, "b", 3))

    const [group, outputs] = run(waiting, { _tag: "SyncTimeout", generation: 3 })

    assert.deepStrictEqual([...group.members.keys()], ["b"])
    assert.strictEqual(group.state, "PreparingRebalance")
    assert.deepStrictEqual(answers(outputs), [[8, "REBALANCE_IN_PROGRESS"]])
    assert.isUndefined(ConsumerGroup.step(waiting, { _tag: "SyncTimeout", generation: 2 }))
    assert.isUndefined(ConsumerGroup.step(stable, { _tag: "SyncTimeout", generation: 2 }))
    assert.isUndefined(ConsumerGroup.step(preparing, { _tag: "SyncTimeout", generation: 2 }))
  })

  const refused: ReadonlyArray<readonly [what: string, Group, string, number, Errors.Error]> = [
    ["an unknown member", stable, "z", 2, "UNKNOWN_MEMBER_ID"],
    ["another generation", stable, "a", 1, "ILLEGAL_GENERATION"],
    ["a group that members join", preparing, "b", 2, "REBALANCE_IN_PROGRESS"],
    ["an empty group", ConsumerGroup.initial, "a", 0, "UNKNOWN_MEMBER_ID"],
    ["a dead group", dead, "a", 2, "COORDINATOR_NOT_AVAILABLE"]
  ]
  for (const [what, group, member, generation, error] of refused) {
    it(`refuses ${what}`, () => {
      assert.deepStrictEqual(run(group, sync(8, member, generation)), [
        group,
        [{ _tag: "AnswerSyncGroup", correlation: 8, error, partitions: [] }]
      ])
    })
  }
})

describe("Heartbeat", () => {
  const table: ReadonlyArray<readonly [what: string, Group, string, number, Errors.Error]> = [
    ["a member of a stable group", stable, "a", 2, "NONE"],
    ["a member that waits for its assignment", completing, "a", 3, "NONE"],
    ["a member that has to join again", preparing, "b", 2, "REBALANCE_IN_PROGRESS"],
    ["an unknown member", stable, "z", 2, "UNKNOWN_MEMBER_ID"],
    ["another generation", stable, "a", 1, "ILLEGAL_GENERATION"],
    ["an empty group", ConsumerGroup.initial, "a", 0, "UNKNOWN_MEMBER_ID"],
    ["a dead group", dead, "a", 2, "COORDINATOR_NOT_AVAILABLE"]
  ]
  for (const [what, group, member, generation, error] of table) {
    it(`answers ${what}`, () => {
      const [after, outputs] = run(group, heartbeat(8, member, generation))

      assert.strictEqual(after, group)
      const isAlive = error === "NONE" || error === "REBALANCE_IN_PROGRESS"
      assert.deepStrictEqual(answers(outputs), [[8, error]])
      assert.deepStrictEqual(sessions(outputs), isAlive ? [[member, 10]] : [])
    })
  }
})

describe("LeaveGroup and session timeouts", () => {
  it("begin a rebalance among those who stay", () => {
    const [group, outputs] = run(stable, leave(8, "a"))

    assert.strictEqual(group.state, "PreparingRebalance")
    assert.strictEqual(group.leader, "b")
    assert.deepStrictEqual(answers(outputs), [[8, "NONE"]])
    assert.deepStrictEqual(sessions(outputs), [["a", undefined]])
    assert.deepStrictEqual(run(stable, { _tag: "SessionTimeout", member: "a" })[0], group)
  })

  it("can be what the others wait for", () => {
    assert.sameDeepMembers([...answers(run(preparing, leave(8, "b"))[1])], [[8, "NONE"], [6, "NONE"]])
  })

  it("answer what the member still waits for", () => {
    assert.sameDeepMembers([...answers(run(preparing, leave(8, "a"))[1])], [[8, "NONE"], [6, "UNKNOWN_MEMBER_ID"]])
  })

  it("do not drop who waits for an answer", () => {
    assert.isUndefined(ConsumerGroup.step(preparing, { _tag: "SessionTimeout", member: "a" }))
    assert.isUndefined(ConsumerGroup.step(preparing, { _tag: "SessionTimeout", member: "z" }))
  })

  it("leave an empty group, in the log too", () => {
    const [group, outputs] = run(stable, leave(8, "a"), leave(9, "b"))

    assert.deepStrictEqual(group, { ...ConsumerGroup.initial, generation: 3 })
    assert.deepInclude(outputs, { _tag: "WriteMetadata", metadata: { generation: 3, leader: undefined, members: [] } })
  })

  it("are refused for whom the group does not know", () => {
    assert.deepStrictEqual(answers(run(stable, leave(8, "z"))[1]), [[8, "UNKNOWN_MEMBER_ID"]])
    assert.deepStrictEqual(answers(run(dead, leave(8, "a"))[1]), [[8, "COORDINATOR_NOT_AVAILABLE"]])
  })
})

describe("Unload", () => {
  it("answers whoever waits, and ends the group", () => {
    const [group, outputs] = run(preparing, { _tag: "Unload" })

    assert.strictEqual(group.state, "Dead")
    assert.deepStrictEqual(answers(outputs), [[6, "NOT_COORDINATOR"]])
    assert.deepStrictEqual(sessions(outputs), [["a", undefined], ["b", undefined]])
    assert.isUndefined(ConsumerGroup.step(group, { _tag: "Unload" }))
  })

  it("answers each request in its own way", () => {
    const refusal = (group: Group) => run(group, { _tag: "Unload" })[1].find((output) => "correlation" in output)

    assert.strictEqual(refusal(preparing)?._tag, "AnswerJoinGroup")
    assert.strictEqual(refusal(run(completing, sync(8, "b", 3))[0])?._tag, "AnswerSyncGroup")
  })
})

describe("load", () => {
  it("goes on with the members of the log", () => {
    const written = run(completing, sync(8, "b", 3), sync(9, "a", 3, [{ member: "a", partitions: [t(0)] }]))
    const [metadata] = written[1].flatMap((output) => output._tag === "WriteMetadata" ? [output.metadata] : [])

    const [group, outputs] = ConsumerGroup.load(metadata!)

    assert.deepStrictEqual(group, written[0])
    assert.deepStrictEqual(sessions(outputs), [["a", 10], ["b", 10]])
  })

  it("finds an empty group empty", () => {
    const [group] = ConsumerGroup.load({ generation: 3, leader: undefined, members: [] })

    assert.deepStrictEqual(group, { ...ConsumerGroup.initial, generation: 3 })
  })
})

describe("mayCommit", () => {
  // KIP-447, and what plain commits are told in the same place.
  type Row = readonly [
    what: string,
    group: Group | undefined,
    member: string,
    generation: number,
    transactional: Errors.Error,
    plain: Errors.Error
  ]
  const table: ReadonlyArray<Row> = [
    ["nobody, to an unknown group", undefined, "", -1, "NONE", "NONE"],
    ["a generation of an unknown group", undefined, "a", 0, "ILLEGAL_GENERATION", "ILLEGAL_GENERATION"],
    ["nobody, to an empty group", ConsumerGroup.initial, "", -1, "NONE", "NONE"],
    ["an old client, to a stable group", stable, "", -1, "NONE", "UNKNOWN_MEMBER_ID"],
    ["an old client, to a group that members join", preparing, "", -1, "NONE", "UNKNOWN_MEMBER_ID"],
    ["an old client, to one that waits for its leader", completing, "", -1, "NONE", "UNKNOWN_MEMBER_ID"],
    ["a member", stable, "a", 2, "NONE", "NONE"],
    ["an unknown member", stable, "z", 2, "UNKNOWN_MEMBER_ID", "UNKNOWN_MEMBER_ID"],
    ["nobody, with a generation", stable, "", 2, "UNKNOWN_MEMBER_ID", "UNKNOWN_MEMBER_ID"],
    ["an unknown member of an empty group", ConsumerGroup.initial, "a", 0, "UNKNOWN_MEMBER_ID", "UNKNOWN_MEMBER_ID"],
    ["a member of an older generation", stable, "a", 1, "ILLEGAL_GENERATION", "ILLEGAL_GENERATION"],
    ["a member of a newer generation", stable, "a", 3, "ILLEGAL_GENERATION", "ILLEGAL_GENERATION"],
    ["a member without a generation", stable, "a", -1, "ILLEGAL_GENERATION", "ILLEGAL_GENERATION"],
    ["a dead group", dead, "a", 2, "COORDINATOR_NOT_AVAILABLE", "COORDINATOR_NOT_AVAILABLE"],
    ["an old client, to a dead group", dead, "", -1, "COORDINATOR_NOT_AVAILABLE", "COORDINATOR_NOT_AVAILABLE"],
    ["a member while others join", preparing, "a", 2, "NONE", "NONE"],
    ["a member while the leader decides", completing, "a", 3, "NONE", "REBALANCE_IN_PROGRESS"]
  ]
  for (const [what, group, member, generation, transactional, plain] of table) {
    it(`of ${what}`, () => {
      assert.strictEqual(ConsumerGroup.mayCommit(group, { member, generation }, true), transactional)
      assert.strictEqual(ConsumerGroup.mayCommit(group, { member, generation }, false), plain)
    })
  }
})

describe("any history", () => {
  type Make = (correlation: number, group: Group) => ConsumerGroup.Input
  const member = fc.constantFrom("a", "b", "c")
  // Mostly the generation that it is.
  const behind = fc.constantFrom(0, 0, 0, 1, -1)
  const topics = fc.constantFrom(["t"], ["t"], ["t", "u"])
  const arbitrary: fc.Arbitrary<Make> = fc.oneof(
    { weight: 2, arbitrary: member.map((newMember): Make => (correlation) => join(correlation, "", { newMember })) },
    {
      weight: 6,
      arbitrary: fc.tuple(member, topics).map(([id, to]): Make => (correlation) =>
        join(correlation, id, { topics: to })
      )
    },
    {
      weight: 6,
      arbitrary: fc.tuple(member, behind).map(([id, by]): Make => (correlation, { generation }) =>
        sync(correlation, id, generation - by, [{ member: id, partitions: [t(0)] }])
      )
    },
    {
      weight: 1,
      arbitrary: fc.tuple(member, behind).map(([id, by]): Make => (correlation, { generation }) =>
        heartbeat(correlation, id, generation - by)
      )
    },
    { weight: 1, arbitrary: member.map((id): Make => (correlation) => leave(correlation, id)) },
    { weight: 1, arbitrary: member.map((id): Make => () => ({ _tag: "SessionTimeout", member: id })) },
    {
      weight: 1,
      arbitrary: behind.map((by): Make => (_, { generation }) => ({ _tag: "JoinTimeout", generation: generation - by }))
    },
    {
      weight: 1,
      arbitrary: behind.map((by): Make => (_, { generation }) => ({ _tag: "SyncTimeout", generation: generation - by }))
    }
  )

  it("answers each request once, with a session for who has to be heard of, in generations that only grow", () => {
    let stableSeen = 0
    fc.assert(
      fc.property(fc.array(arbitrary, { maxLength: 60, size: "max" }), (history) => {
        let group = ConsumerGroup.initial
        const waiting = new Set<number>()
        const timed = new Set<string>()
        const take = (outputs: ReadonlyArray<Output>) => {
          for (const output of outputs) {
            if ("correlation" in output) assert.isTrue(waiting.delete(output.correlation), "answered twice")
            if (output._tag === "ScheduleSession") timed.add(output.member)
            if (output._tag === "CancelSession") timed.delete(output.member)
          }
        }
        history.forEach((make, correlation) => {
          const input = make(correlation, group)
          if (input._tag === "SessionTimeout" && !timed.delete(input.member)) return
          // The id of a new member is new.
          if (input._tag === "JoinGroup" && group.members.has(input.newMember)) return
          const next = ConsumerGroup.step(group, input)
          if (next === undefined) return
          if ("correlation" in input) waiting.add(correlation)
          take(next[1])
          const [after] = next
          assert.isAtLeast(after.generation, group.generation)
          const parked = [...after.members.values()].flatMap(({ awaiting }) => awaiting?.correlation ?? [])
          assert.sameMembers(parked, [...waiting])
          const silent = [...after.members].filter(([, { awaiting }]) => awaiting === undefined).map(([id]) => id)
          for (const id of [...silent, ...after.pending]) assert.isTrue(timed.has(id), `no session for ${id}`)
          assert.strictEqual(after.leader === undefined, after.members.size === 0)
          assert.isTrue(after.leader === undefined || after.members.has(after.leader))
          if (after.state === "Empty") assert.strictEqual(after.members.size, 0)
          if (after.state === "Stable") {
            stableSeen++
            assert.isEmpty(parked)
          }
          group = after
        })
        take(ConsumerGroup.step(group, { _tag: "Unload" })![1])
        assert.isEmpty([...waiting])
      }),
      { numRuns: 500, seed: 1 }
    )
    assert.isAbove(stableSeen, 100)
  })
})
