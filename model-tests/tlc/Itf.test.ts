import { assert, describe, it } from "@effect/vitest"
import { Result } from "effect"
import * as fc from "fast-check"
import * as Itf from "../../src/tlc/Itf.ts"
import * as Value from "../../src/tlc/Value.ts"

const { func, model, record, seq, set } = Value

const decoded = (json: Itf.Json): Value.Value => Result.getOrThrow(Itf.decodeValue(json))

const { value: anyValue } = fc.letrec<{ value: Value.Value; leaf: Value.Value }>((tie) => ({
  leaf: fc.oneof(
    fc.boolean(),
    fc.integer({ min: -3, max: 3 }),
    fc.integer(),
    fc.constantFrom("", "a", "#set", "\"", "\n"),
    fc.constantFrom("a", "p1").map(model)
  ),
  value: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    tie("leaf"),
    fc.array(tie("value"), { maxLength: 4 }).map(set),
    fc.array(tie("value"), { maxLength: 4 }).map(seq),
    fc.array(fc.tuple(tie("value"), tie("value")), { maxLength: 4 }).map(func),
    fc.dictionary(fc.constantFrom("a", "b", "1", "__proto__", "#set", "#meta"), tie("value"), { noNullPrototype: true })
      .map(record)
  )
}))

describe("a value", () => {
  const table: ReadonlyArray<readonly [value: Value.Value, json: Itf.Json]> = [
    [true, true],
    [-7, -7],
    ["p1", "p1"],
    [model("p1"), { "#unserializable": "p1" }],
    [set([2, 1]), { "#set": [1, 2] }],
    [seq([]), []],
    [seq([1, "a"]), [1, "a"]],
    [record({ b: 1, a: seq([]) }), { a: [], b: 1 }],
    [func([[0, 1], [1, 2]]), { "#map": [[0, 1], [1, 2]] }],
    [func([["a", 1], [2, 3]]), { "#map": [[2, 3], ["a", 1]] }],
    [record({ "#set": 1 }), { "#map": [["#set", 1]] }]
  ]
  it.each(table)("%j is written as %j", (value, json) => {
    assert.deepStrictEqual(Itf.encodeValue(value), json)
    assert.deepStrictEqual(decoded(json), value)
  })

  const others: ReadonlyArray<readonly [json: Itf.Json, value: Value.Value]> = [
    [{ "#bigint": "2147483648" }, 2147483648],
    [{ "#bigint": "-3" }, -3],
    [-0, 0],
    [{ "#tup": [1, { "#tup": [] }] }, seq([1, seq([])])],
    [{ "#map": [] }, seq([])],
    [{ "#map": [[1, "a"]] }, seq(["a"])],
    [{}, seq([])],
    [{ "#set": [2, 1] }, set([1, 2])]
  ]
  it.each(others)("%j is read", (json, value) => {
    assert.deepStrictEqual(decoded(json), value)
  })

  const damaged: ReadonlyArray<readonly [json: Itf.Json, message: RegExp]> = [
    [null, /null is no value/],
    [1.5, /1.5 is no integer that fits/],
    [2 ** 60, /no integer that fits/],
    [{ "#bigint": "9007199254740993" }, /no integer that fits/],
    [{ "#bigint": 3 }, /3 is no #bigint/],
    [{ "#bigint": "0x3" }, /no #bigint/],
    [{ "#set": 1 }, /#set is not an array: 1/],
    [{ "#set": [1, 1] }, /#set has an element twice/],
    [{ "#map": [[1, 2], [1, 3]] }, /#map has a key twice/],
    [{ "#map": [[1]] }, /\[1\] is no entry of #map/],
    [{ "#map": [[1, 2, 3]] }, /\[1,2,3\] is no entry of #map/],
    [{ "#map": [1] }, /an entry of #map is not an array: 1/],
    [{ "#tup": {} }, /#tup is not an array/],
    [{ "#unserializable": 1 }, /1 is no #unserializable/],
    [{ "#sett": [] }, /#sett is no notation/],
    [{ "#set": [], a: 1 }, /#set is not alone/],
    [[1, [{ a: null }]], /null is no value/]
  ]
  it.each(damaged)("%j is refused", (json, message) => {
    const result = Itf.decodeValue(json)

    assert.isTrue(Result.isFailure(result))
    if (Result.isFailure(result)) assert.match(result.failure.message, message)
  })
})

const trace: Itf.Trace = {
  meta: { format: "ITF", property: "NoLoss" },
  variables: ["log", "up"],
  states: [
    { meta: { index: 0 }, variables: { log: seq([]), up: set(["a"]) } },
    { meta: { index: 1, action: "Add" }, variables: { log: seq([3]), up: set([]) } }
  ]
}

const text = `{
  "#meta": {"format":"ITF","property":"NoLoss"},
  "vars": ["log","up"],
  "states": [
    {
      "#meta": {"index":0},
      "log": [],
      "up": {"#set":["a"]}
    },
    {
      "#meta": {"index":1,"action":"Add"},
      "log": [3],
      "up": {"#set":[]}
    }
  ]
}
`

describe("a trace", () => {
  it("is printed with one line for each variable of each state", () => {
    assert.strictEqual(Itf.print(trace), text)
  })

  it("is read back", () => {
    assert.deepStrictEqual(Itf.parse(text), Result.succeed(trace))
  })

  it("of another tool may have no #meta", () => {
    assert.deepStrictEqual(
      Itf.parse(`{"vars":["x"],"states":[{"x":{"#bigint":"1"}}]}`),
      Result.succeed({ meta: {}, variables: ["x"], states: [{ meta: {}, variables: { x: 1 } }] })
    )
  })

  it("of any values is read back as it was written", () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(anyValue, anyValue), { minLength: 1, maxLength: 3 }), (values) => {
        const written: Itf.Trace = {
          meta: {},
          variables: ["x", "__proto__"],
          states: values.map(([x, y]) => ({
            meta: {},
            variables: Object.fromEntries([["x", x], ["__proto__", y]])
          }))
        }

        assert.deepStrictEqual(Itf.parse(Itf.print(written)), Result.succeed(written))
      }),
      { seed: 4, numRuns: 1_000 }
    )
  })

  const damaged: ReadonlyArray<readonly [what: string, text: string, message: RegExp]> = [
    ["nothing", "", /not JSON/],
    ["half a file", text.slice(0, text.length / 2), /not JSON/],
    ["another kind of file", "---- MODULE A ----", /not JSON/],
    ["a list", "[]", /the trace is not an object: \[\]/],
    ["an object of another kind", "{}", /vars is not an array: nothing/],
    ["a trace without states", `{"vars":["x"]}`, /states is not an array: nothing/],
    ["a trace of no states", `{"vars":["x"],"states":[]}`, /no state/],
    ["a trace of no variables", `{"vars":[],"states":[{}]}`, /vars is empty/],
    ["a variable that is named twice", `{"vars":["x","x"],"states":[{"x":1}]}`, /a name twice/],
    ["a variable that is a number", `{"vars":[1],"states":[{}]}`, /1 is no name/],
    ["a state that is a number", `{"vars":["x"],"states":[{"x":1},2]}`, /state 1 is not an object: 2/],
    ["a state without a variable", `{"vars":["toString"],"states":[{}]}`, /state 0 has no variable toString/],
    ["a state with a variable more", `{"vars":["x"],"states":[{"x":1,"y":2}]}`, /state 0 has a variable y/],
    ["a damaged value", `{"vars":["x"],"states":[{"x":{"a":[null]}}]}`, /state 0, x: null is no value/],
    ["a damaged #meta", `{"#meta":1,"vars":["x"],"states":[{"x":1}]}`, /#meta is not an object: 1/],
    ["a damaged #meta of a state", `{"vars":["x"],"states":[{"#meta":[],"x":1}]}`, /#meta of state 0 is not an object/],
    ["a trace that loops", `{"vars":["x"],"loop":0,"states":[{"x":1}]}`, /loops/],
    [
      "values inside values without end",
      `{"vars":["x"],"states":[{"x":${"[".repeat(1e5)}${"]".repeat(1e5)}}]}`,
      /deep|not JSON/
    ]
  ]
  it.each(damaged)("that is %s is refused", (_what, damagedText, message) => {
    const result = Itf.parse(damagedText)

    assert.isTrue(Result.isFailure(result))
    if (Result.isFailure(result)) assert.match(result.failure.message, message)
  })
})
