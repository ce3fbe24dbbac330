import { assert, describe, it } from "@effect/vitest"
import { Result } from "effect"
import * as StateDiff from "../../src/conformance/StateDiff.ts"
import * as Value from "../../src/tlc/Value.ts"

const value = (text: string): Value.Value => Result.getOrThrow(Value.parse(text))

describe("between", () => {
  type Difference = readonly [path: string, expected: string, actual: string]
  const table: ReadonlyArray<
    readonly [what: string, expected: string, actual: string, differences: ReadonlyArray<Difference>]
  > = [
    ["nothing", "[f |-> <<1, {2}>>]", "[f |-> <<1, {2}>>]", []],
    ["the order in a set", "{1, 2}", "{2, 1}", []],
    ["a number", "1", "2", [["v", "1", "2"]]],
    ["a field", "[f |-> 1, g |-> 2]", "[f |-> 1, g |-> 3]", [["v.g", "2", "3"]]],
    ["a field that is missing", "[f |-> 1, g |-> 2]", "[f |-> 1]", [["v.g", "2", "absent"]]],
    ["a field too many", "[f |-> 1]", "[f |-> 1, g |-> 2]", [["v.g", "absent", "2"]]],
    ["a place deep inside", "[p |-> <<[s |-> 1], [s |-> TRUE]>>]", "[p |-> <<[s |-> 1], [s |-> FALSE]>>]", [
      ["v.p[2].s", "TRUE", "FALSE"]
    ]],
    ["two places", "<<1, 2, 3>>", "<<1, 5, 4>>", [["v[2]", "2", "5"], ["v[3]", "3", "4"]]],
    ["the length of a sequence", "<<1>>", "<<1, 2>>", [["v[2]", "absent", "2"]]],
    ["an empty sequence", "<<>>", "<<1>>", [["v[1]", "absent", "1"]]],
    ["a set, as a whole", "{1}", "{1, 2}", [["v", "{1}", "{1, 2}"]]],
    ["the kind of a value", "<<1>>", "{1}", [["v", "<<1>>", "{1}"]]],
    ["a string and a model value", "\"a\"", "a", [["v", "\"a\"", "a"]]]
  ]
  for (const [what, expected, actual, differences] of table) {
    it(`tells ${what}, and only that`, () => {
      const found = StateDiff.between({ u: true, v: value(expected) }, { u: true, v: value(actual) })

      assert.deepStrictEqual(found.map(({ actual, expected, path }) => [path, expected, actual] as const), differences)
    })
  }

  it("tells variables that only one side has", () => {
    assert.deepStrictEqual(StateDiff.between({ a: 1, b: 2 }, { b: 2, c: 3 }), [
      { path: "a", expected: "1", actual: "absent" },
      { path: "c", expected: "absent", actual: "3" }
    ])
  })

  it("is one line for people", () => {
    const [found] = StateDiff.between({ a: value("<<\"x\">>") }, { a: value("<<\"y\">>") })

    assert.strictEqual(StateDiff.render(found!), "a[1]: specification \"x\", code \"y\"")
  })
})
