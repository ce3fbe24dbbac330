import { assert, describe, it } from "@effect/vitest"
import { Result, Schema } from "effect"
import * as fc from "fast-check"
import * as EventLog from "../../src/conformance/EventLog.ts"
import { model } from "../../src/model/idempotent/index.ts"
import * as Value from "../../src/tlc/Value.ts"
import { configuration as make } from "../model/idempotent/support.ts"

const configuration = make({ FaultBudget: 2 })

const header: EventLog.Header = { schemaVersion: 1, specification: "IdempotentProducer", model: "base-small" }

const given: EventLog.Header = {
  schemaVersion: 1,
  specification: "IdempotentProducer",
  constants: { Partitions: ["p1"], FaultBudget: 2, Idempotence: true, Acks: "all" },
  substitutions: { RestoreProducers: "RestoreProducers_AutoMQ_437" },
  module: "museum/AutoMQ_437.tla"
}

const line = (action: string, ...instance: ReadonlyArray<string | number>): EventLog.Line => ({
  action,
  arguments: instance
})

/** A run that takes the steps that the choices say, with the whole state at every line, or with what it changes. */
const run = (choices: ReadonlyArray<number>, whole: boolean): ReadonlyArray<EventLog.Line> => {
  const log: Array<EventLog.Line> = []
  let world = model.initial(configuration)
  for (const choice of choices) {
    const steps = model.successors(configuration, world)
    if (steps.length === 0) break
    const { action, arguments: instance, world: next } = steps[choice % steps.length]!
    const [before, after] = [world, next].map((one) => model.encode(configuration, one))
    const seen = whole ? { observed: after! } : { places: EventLog.changes(before!, after!) }
    log.push({ action, arguments: instance, ...seen })
    world = next
  }
  return log
}

const anyRun = fc.tuple(fc.array(fc.nat(1_000), { minLength: 1, maxLength: 30, size: "max" }), fc.boolean()).map(
  ([choices, whole]) => run(choices, whole)
)

const linesOf = (texts: ReadonlyArray<string>): ReadonlyArray<EventLog.Line> =>
  [...EventLog.parse(texts)].flatMap((item) => item._tag === "Line" ? [item.line] : [])

describe("the file of a log", () => {
  it("is read as it was written", () => {
    fc.assert(fc.property(anyRun, fc.constantFrom(header, given), (log, first) => {
      const read = [...EventLog.parse([EventLog.printHeader(first), ...log.map(EventLog.print)])]

      assert.deepStrictEqual<ReadonlyArray<EventLog.Item>>(read, [
        { _tag: "Header", header: first },
        ...log.map((line, i) => ({ _tag: "Line" as const, number: i + 2, line }))
      ])
    }))
  })

  it("has one action a line", () => {
    const lines: ReadonlyArray<EventLog.Line> = [
      line("Send", "p1"),
      { ...line("BumpEpoch"), observed: { faults: 1, requests: Value.seq([]) } },
      { ...line("BumpEpoch"), places: [{ path: ["sender", "p1", "batches", 1], value: Value.set([2]) }] }
    ]

    assert.deepStrictEqual(lines.map(EventLog.print), [
      `{"action":"Send","arguments":["p1"]}`,
      `{"action":"BumpEpoch","arguments":[],"observed":{"faults":1,"requests":[]}}`,
      `{"action":"BumpEpoch","arguments":[],"places":[[["sender","p1","batches",1],{"#set":[2]}]]}`
    ])
  })

  it("may end with empty lines, and has none in between", () => {
    const texts = [EventLog.printHeader(header), EventLog.print(line("Send", "p1"))]

    assert.lengthOf(linesOf([...texts, "", " "]), 1)
    assert.throws(() => linesOf([...texts, "", "", texts[1]!]), /^line 3: empty, and more follow$/)
    assert.throws(() => linesOf(["", ...texts]), /^line 1: empty/)
  })
})

describe("what is no log", () => {
  const first: ReadonlyArray<readonly [text: string, message: RegExp]> = [
    [EventLog.print(line("Send", "p1")), /line 1: the line that says what the log is of is missing/],
    [`{"schemaVersion":1`, /line 1: not JSON/],
    [`[1]`, /line 1: not an object/],
    [`{"schemaVersion":2,"specification":"A","model":"b"}`, /line 1: no header of this version/],
    [`{"specification":"A","model":"b"}`, /line 1: no header of this version/],
    [`{"schemaVersion":1,"model":"b"}`, /line 1: no header: it has schemaVersion, specification, and either/],
    [`{"schemaVersion":1,"specification":"A"}`, /line 1: no header/],
    [`{"schemaVersion":1,"specification":"A","model":"b","constants":{}}`, /line 1: no header/],
    [`{"schemaVersion":1,"specification":"A","constants":{"C":1.5}}`, /line 1: no header/],
    [`{"schemaVersion":1,"specification":"A","model":"b","models":"c"}`, /line 1: no header/]
  ]
  const further: ReadonlyArray<readonly [text: string, message: RegExp]> = [
    [`{"action":"Se`, /line 3: not JSON/],
    ["[]", /line 3: not an object/],
    ["null", /line 3: not an object/],
    [`{"arguments":[]}`, /line 3: no action/],
    [`{"action":1,"arguments":[]}`, /line 3: no action/],
    [`{"action":"Send"}`, /line 3: no list of strings and integers/],
    [`{"action":"Send","arguments":[1.5]}`, /line 3: no list/],
    [`{"action":"Send","arguments":[["p1"]]}`, /line 3: no list/],
    [`{"action":"Send","arguments":[],"observed":[]}`, /line 3: observed is no object/],
    [`{"action":"Send","arguments":[],"observed":{"faults":1.5}}`, /line 3: faults: 1.5 is no integer/],
    [`{"action":"Send","arguments":[],"observed":{"faults":null}}`, /line 3: faults: null is no value/],
    [`{"action":"Send","arguments":[],"places":{}}`, /line 3: places is no list/],
    [`{"action":"Send","arguments":[],"places":[[["faults"]]]}`, /line 3: a place is no pair of path and value/],
    [`{"action":"Send","arguments":[],"places":[[["faults"],1,2]]}`, /line 3: a place is no pair/],
    [`{"action":"Send","arguments":[],"places":[["faults",1]]}`, /line 3: a place is no pair/],
    [`{"action":"Send","arguments":[],"places":[[[],1]]}`, /line 3: a path does not begin with a variable/],
    [`{"action":"Send","arguments":[],"places":[[[1],1]]}`, /line 3: a path does not begin with a variable/],
    [`{"action":"Send","arguments":[],"state":{}}`, /line 3: there is no field state/]
  ]
  const decode = Schema.decodeUnknownResult(EventLog.Document, { onExcessProperty: "error" })

  it.each(first)("as a first line %s is refused", (text, message) => {
    assert.throws(() => linesOf([text]), EventLog.EventLogError, message)
  })

  it.each(further)("as a further line %s is refused", (text, message) => {
    const texts = [EventLog.printHeader(header), EventLog.print(line("Send", "p1")), text]

    assert.throws(() => linesOf(texts), EventLog.EventLogError, message)
  })

  // What is no JSON, and the first of many lines, no schema of one line can tell.
  const jsonOf = (text: string): unknown => {
    try {
      return JSON.parse(text)
    } catch {
      return undefined
    }
  }
  const documents = [...first.slice(1), ...further].flatMap(([text]) => {
    const json = jsonOf(text)
    return json === undefined ? [] : [[text, json] as const]
  })

  it.each(documents)("%s is refused by the schema too", (_, json) => {
    assert.isTrue(Result.isFailure(decode(json)))
  })

  it("does not come out of what is written, as the schema has it", () => {
    fc.assert(fc.property(anyRun, (log) => {
      for (const text of [EventLog.printHeader(header), EventLog.printHeader(given), ...log.map(EventLog.print)]) {
        const decoded = decode(JSON.parse(text))
        if (Result.isFailure(decoded)) assert.fail(decoded.failure.message)
      }
    }))
  })
})

describe("what a step changes", () => {
  const at = (...path: EventLog.Place["path"]) => (value: Value.Value): EventLog.Place => ({ path, value })
  const state = (value: Value.Value) => ({ a: value, b: 1 })

  const table: ReadonlyArray<
    readonly [what: string, before: Value.Value, after: Value.Value, found: ReadonlyArray<EventLog.Place>]
  > = [
    ["nothing", Value.seq([1, 2]), Value.seq([1, 2]), []],
    ["a value", 1, 2, [at("a")(2)]],
    ["a field of a record", Value.record({ x: 1, y: 2 }), Value.record({ x: 1, y: 3 }), [at("a", "y")(3)]],
    ["an item of a sequence", Value.seq([1, 2]), Value.seq([1, 3]), [at("a", 2)(3)]],
    ["the length of a sequence", Value.seq([1]), Value.seq([1, 2]), [at("a")(Value.seq([1, 2]))]],
    ["a set", Value.set([1]), Value.set([2]), [at("a")(Value.set([2]))]],
    ["a log alone", Value.record({ log: 1, y: 2 }), Value.record({ log: 2, y: 2 }), []]
  ]
  it.each(table)("%s", (_, before, after, found) => {
    assert.deepStrictEqual(EventLog.changes(state(before), state(after)), found)
    for (const { path, value } of found) assert.deepStrictEqual(EventLog.valueAt(state(after), path), value)
  })

  it("is looked for where it is, and not found where nothing is", () => {
    const { valueAt } = EventLog

    assert.strictEqual(valueAt(state(Value.seq([7])), ["a", 1]), 7)
    assert.isUndefined(valueAt(state(Value.seq([7])), ["a", 2]))
    assert.isUndefined(valueAt(state(Value.seq([7])), ["a", 1, "x"]))
    assert.isUndefined(valueAt(state(7), ["toString"]))
  })
})
