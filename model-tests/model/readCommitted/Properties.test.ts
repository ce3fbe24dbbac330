import { assert, describe, it } from "@effect/vitest"
import { Properties, Witnesses, type World } from "../../../src/model/readCommitted/index.ts"
import { log } from "../../core/fetch.ts"
import { configuration } from "./support.ts"

const of = configuration()

/** A world in which so much was read of such a log. */
const world = (text: string, position: number, delivered: ReadonlyArray<number>, parked?: number): World.World => ({
  partition: { ...log(text)[0], parked },
  position,
  delivered
})

type Predicate = (configuration: typeof of, world: World.World) => boolean

const names = (all: Readonly<Record<string, Predicate>>, is: boolean, at: World.World): ReadonlyArray<string> =>
  Object.entries(all).flatMap(([name, holds]) => holds(of, at) === is ? [name] : [])

describe("properties", () => {
  const holding: ReadonlyArray<readonly [what: string, world: World.World]> = [
    ["nothing was read", world("1 A1 1 C1", 0, [])],
    ["all was read", world("1 2 A1 C2", 4, [1])],
    ["a committed record is not reached yet", world("1 C1 1 C1", 2, [0])],
    ["an open transaction is behind the position", world("1 C1 1", 2, [0])]
  ]
  for (const [what, at] of holding) {
    it(`hold when ${what}`, () => assert.deepStrictEqual(names(Properties.invariants, false, at), []))
  }

  const table: ReadonlyArray<readonly [property: Properties.PropertyName, what: string, world: World.World]> = [
    ["NoAbortedRead", "an aborted record was delivered", world("1 A1", 1, [0])],
    ["NoAbortedRead", "it was delivered before it was aborted", world("1 1 A1 1 C1", 5, [1, 3])],
    ["NoUncommittedRead", "a record was delivered too early", world("1 2 C2", 1, [0])],
    ["NoUncommittedRead", "another transaction of its producer was committed", world("1 C1 1", 3, [0, 2])],
    ["NoLoss", "a committed record was left out", world("1 C1 1 C1", 4, [2])],
    ["NoLoss", "what was aborted is another transaction of its producer", world("1 C1 1 A1", 2, [])],
    ["InOrder", "a record was delivered twice", world("1 C1", 2, [0, 0])],
    ["InOrder", "a later one was delivered first", world("1 1 C1", 3, [1, 0])]
  ]
  it("each has a world here that violates it", () => {
    assert.sameMembers([...new Set(table.map(([property]) => property))], Object.keys(Properties.invariants))
  })
  for (const [property, what, at] of table) {
    it(`${property} alone is violated when ${what}`, () => {
      assert.deepStrictEqual(names(Properties.invariants, false, at), [property])
    })
  }
})

describe("witnesses", () => {
  const table: ReadonlyArray<readonly [expected: ReadonlyArray<Witnesses.WitnessName>, world: World.World]> = [
    [[], world("1 C1", 0, [])],
    [[], world("1 1", 0, [])],
    [["RecordDelivered"], world("1 C1", 1, [0])],
    [["AbortedPassed"], world("1 A1", 2, [])],
    [["AbortedPassed", "FetchBeginsInAborted"], world("1 A1", 1, [])],
    [["AbortedWhileParked"], world("1 A1", 0, [], 0)],
    [["AbortedPassed"], world("1 A1 1", 2, [], 2)],
    [["EnclosedAborted"], world("1 2 A2 A1", 0, [])],
    [[], world("1 2 A1 A2", 0, [])],
    [["EmptyAbortBeforeAborted"], world("A1 1 A1", 0, [])],
    [[], world("A2 1 A1", 0, [])],
    [[], world("1 A1 1 A1", 0, [])],
    [["RecordDelivered", "AbortedPassed", "CommittedAmongAborted"], world("1 2 C2 A1", 4, [1])],
    [["CommittedBehindOpen"], world("1 2 C2", 0, [])],
    [["RecordDelivered"], world("1 C1 2", 2, [0])]
  ]
  it("each has a world here that shows it", () => {
    assert.sameMembers([...new Set(table.flatMap(([expected]) => expected))], Object.keys(Witnesses.witnesses))
  })
  table.forEach(([expected, at], i) => {
    it(`${expected.join(" and ") || "nothing"} shows in world ${i + 1}`, () => {
      assert.deepStrictEqual(names(Witnesses.witnesses, true, at), [...expected])
    })
  })
})
