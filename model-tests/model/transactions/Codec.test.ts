import { assert, describe, it } from "@effect/vitest"
import { Result } from "effect"
import * as Codec from "../../../src/model/Codec.ts"
import * as Interner from "../../../src/model/Interner.ts"
import type { Value } from "../../../src/model/TlaValue.ts"
import { type Configuration, model, type World } from "../../../src/model/transactions/index.ts"
import { parse, print } from "../../../src/tlc/Value.ts"
import { configuration, reachable, setOf } from "./support.ts"

const decode = (of: Configuration.Configuration, encoded: Readonly<Record<string, Value>>): World.World =>
  Codec.decode(model, of, encoded)

describe("every world survives the way to TLA+ and back", () => {
  const appended = ({ markers, produces }: World.World): boolean =>
    [...markers, ...produces].some(({ stage }) => stage === "appended")
  const table: ReadonlyArray<
    readonly [
      what: string,
      configuration: Configuration.Configuration,
      shows: ReadonlyArray<(world: World.World) => boolean>
    ]
  > = [
    ["version 2", configuration(), [
      ({ produces }) => produces.some(({ copy, guard }) => guard && copy > 0),
      ({ coordinators }) => coordinators.some(({ completing }) => completing.length > 0)
    ]],
    ["version 1", configuration({ TransactionVersion: 1 }), [
      ({ coordinators }) => coordinators.some(({ metadata }) => metadata.failedEpochFence),
      ({ requests }) => requests.some(({ request }) => request.kind === "AddPartitionsToTxn")
    ]],
    ["the last epochs", configuration({ MaxEpoch: 1 }), [
      ({ coordinators }) => coordinators.some(({ metadata }) => metadata.nextProducerId > 0)
    ]],
    ["two partitions", configuration({ Partitions: setOf("B", "A"), TransactionsPerClient: 1 }), [
      ({ markers }) => markers.length > 2
    ]],
    ["a group", configuration({ Group: true, TransactionsPerClient: 1 }), [
      ({ clients }) => clients.some(({ position }) => position > 0)
    ]],
    ["replication of its own", configuration({ ReplicationLag: true, TransactionsPerClient: 1 }), [appended]],
    [
      "two clients, one of version 1",
      configuration({ Clients: 2, TransactionsPerClient: 1, Version1Clients: setOf(2), FaultBudget: 0 }),
      [({ produces }) => new Set(produces.map(({ client }) => client)).size > 1]
    ]
  ]
  for (const [what, of, shows] of table) {
    it(what, () => {
      const worlds = reachable(of)
      const { number } = Interner.make(model.packing(of))
      const texts = new Set<string>()

      for (const world of worlds) {
        const encoded = model.encode(of, world)
        assert.deepStrictEqual(Object.keys(encoded), [...model.variables])
        assert.strictEqual(number(decode(of, encoded)), number(world))
        texts.add(model.variables.map((name) => print(encoded[name]!)).join("\n"))
      }

      assert.isAbove(worlds.length, 10)
      assert.strictEqual(texts.size, worlds.length)
      for (const show of shows) assert.isTrue(worlds.some(show))
    })
  }
})

it("sets are written in the order of TLC's values", () => {
  const of = configuration({ Partitions: setOf("A", "B"), TransactionsPerClient: 1, FaultBudget: 0 })

  for (const world of reachable(of)) {
    for (const value of Object.values(model.encode(of, world))) {
      assert.deepStrictEqual(Result.getOrThrow(parse(print(value))), value)
    }
  }
})

it("worlds that follow each other are written as each is alone", () => {
  const of = configuration({ Partitions: setOf("A", "B"), ReplicationLag: true, TransactionsPerClient: 1 })
  const encoders = model.encoders(of)

  for (const world of reachable(of)) {
    const written = Object.fromEntries(model.variables.map((name) => [name, encoders[name]!(world)]))
    assert.deepStrictEqual(written, model.encode(of, world))
  }
})

/** The value with what is at the path replaced; a place of a sequence is its number from 1, that of a set from 0. */
const edited = (value: Value, path: ReadonlyArray<string | number>, edit: (value: Value) => Value): Value => {
  const [key, ...rest] = path
  if (key === undefined) return edit(value)
  if (typeof value === "object" && value.kind === "set") {
    return { kind: "set", elements: value.elements.map((one, i) => i === key ? edited(one, rest, edit) : one) }
  }
  if (typeof value !== "object" || value.kind !== "function" || !value.entries.some(([name]) => name === key)) {
    throw new Error(`nothing at ${path.join(".")}`)
  }
  return {
    kind: "function",
    entries: value.entries.map(([name, found]) => [name, name === key ? edited(found, rest, edit) : found] as const)
  }
}

const to = (value: Value) => (): Value => value

const without = (field: string) => (value: Value): Value =>
  typeof value === "object" && value.kind === "function"
    ? { kind: "function", entries: value.entries.filter(([name]) => name !== field) }
    : value

const twice = (value: Value): Value => {
  const [first] = Codec.items(value)
  return Codec.sequence([first!, first!])
}

describe("a state that is none of the specification is refused", () => {
  const of = configuration()
  const worlds = reachable(of)
  const having = (what: (world: World.World) => boolean): Readonly<Record<string, Value>> =>
    model.encode(of, worlds.find(what)!)
  const initial = model.encode(of, model.initial(of))
  const requested = having(({ requests }) => requests.length === 1)
  const produced = having(({ produces }) => produces.length === 1)
  const marked = having(({ markers }) => markers.length === 1)
  const appending = having(({ coordinators }) => coordinators[0]!.appending !== undefined)
  const written = having(({ partitions }) => partitions[0]!.log.length > 0)

  type Row = readonly [
    what: string,
    state: Readonly<Record<string, Value>>,
    path: ReadonlyArray<string | number>,
    edit: (value: Value) => Value,
    message: RegExp
  ]
  const table: ReadonlyArray<Row> = [
    ["a client without a state", initial, ["client", 1], without("state"), /a record with state/],
    [
      "an unknown state of a client",
      initial,
      ["client", 1, "state"],
      to("LOST"),
      /the state of a client, found "LOST"/
    ],
    ["an unknown state of a batch", initial, ["client", 1, "batches", "A"], to("lost"), /the state of a batch/],
    ["batches of another partition", initial, ["client", 1, "batches"], to(Codec.record({ B: "none" })), /with A/],
    [
      "one partition too many",
      initial,
      ["partition"],
      to(Codec.record({ A: 1, B: 1 })),
      /a function on the partitions/
    ],
    ["one client too many", initial, ["client"], twice, /1 items/],
    ["one id too many", initial, ["coordinator"], twice, /1 items/],
    ["a number that is none", initial, ["faults"], to("1"), /a number, found "1"/],
    ["requests that are no set", initial, ["requests"], to(Codec.sequence([])), /a set/],
    ["an unknown request", requested, ["requests", 0, "kind"], to("Fetch"), /a request, found "Fetch"/],
    ["a request with a partition", requested, ["requests", 0, "partition"], to("A"), /no partition and no result/],
    ["a request with a result", requested, ["requests", 0, "result"], to("ABORT"), /no partition and no result/],
    ["an unknown result", requested, ["requests", 0, "result"], to("MAYBE"), /a result, found "MAYBE"/],
    ["an unknown broker", requested, ["requests", 0, "broker"], to(3), /a broker, found 3/],
    ["an unknown version", requested, ["requests", 0, "version"], to(3), /a version, found 3/],
    ["an unknown stage", requested, ["requests", 0, "stage"], to("verified"), /the stage of a request/],
    ["a guard that is none", produced, ["produces", 0, "guard"], to(1), /a boolean, found 1/],
    [
      "an unknown stage of a batch",
      produced,
      ["produces", 0, "stage"],
      to("appending"),
      /the stage of a produce request/
    ],
    ["an unknown stage of a marker", marked, ["markers", 0, "stage"], to("verified"), /the stage of a marker/],
    ["a marker without result", marked, ["markers", 0, "result"], to(""), /a result, found ""/],
    ["an unknown pending state", initial, ["coordinator", 1, "pending"], to("Unknown"), /a pending state/],
    [
      "an unknown state of a transaction",
      initial,
      ["transactionState", 1, "state"],
      to("Dead"),
      /state of a transaction/
    ],
    ["two records that are appended", appending, ["coordinator", 1, "appending"], twice, /one item at most/],
    ["an unknown entry", written, ["partition", "A", "log", 1, "kind"], to("NOTE"), /the kind of an entry/],
    ["an unknown leader", written, ["partition", "A", "leader"], to(0), /a broker, found 0/],
    ["an unknown intent", initial, ["history", 1, 1, "intent"], to("wish"), /an intent/],
    ["an unknown outcome", initial, ["history", 1, 1, "outcome"], to("lost"), /an outcome/]
  ]
  for (const [what, state, [variable, ...path], edit, message] of table) {
    it(what, () => {
      const changed = { ...state, [variable!]: edited(state[variable!]!, path, edit) }

      assert.throws(() => decode(of, changed), Codec.CodecError, message)
    })
  }
})
