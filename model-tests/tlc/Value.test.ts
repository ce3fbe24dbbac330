import { assert, describe, it } from "@effect/vitest"
import { Result } from "effect"
import * as fc from "fast-check"
import * as Value from "../../src/tlc/Value.ts"

const { func, model, parseUnsafe, print, record, seq, set } = Value

describe("parse", () => {
  const table: ReadonlyArray<readonly [text: string, value: Value.Value]> = [
    ["TRUE", true],
    ["FALSE", false],
    ["0", 0],
    ["2147483647", 2147483647],
    ["-17", -17],
    ["p1", model("p1")],
    ["TRUEish", model("TRUEish")],
    ["1st", model("1st")],
    ["\"p1\"", "p1"],
    ["\"\"", ""],
    ["\"a \\\"b\\\" \\\\ \\n\\t, } >> \"", "a \"b\" \\ \n\t, } >> "],
    ["\"/\\\\ x = 1\"", "/\\ x = 1"],
    ["\"größer → 世界\"", "größer → 世界"],
    ["<<>>", seq([])],
    ["<< >>", seq([])],
    ["<<1, <<2>>>>", seq([1, seq([2])])],
    ["<< a,\n   b >>", seq([model("a"), model("b")])],
    ["{}", set([])],
    ["{3, 1, 2, 1}", set([1, 2, 3])],
    ["1..3", set([1, 2, 3])],
    ["-1 .. 1", set([-1, 0, 1])],
    ["2..1", set([])],
    ["{1..2, {}}", set([set([1, 2]), set([])])],
    ["[zz |-> 1, aa |-> {}]", record({ aa: set([]), zz: 1 })],
    ["[ a |->\n    \"x\" ]", record({ a: "x" })],
    ["(1 :> \"a\" @@ 2 :> \"b\")", seq(["a", "b"])],
    ["(2 :> \"b\" @@ 1 :> \"a\")", seq(["a", "b"])],
    ["1 :> 2", seq([2])],
    ["(p :> <<>> @@ \"p\" :> {})", func([[model("p"), seq([])], ["p", set([])]])],
    ["(<<1, 2>> :> TRUE)", func([[seq([1, 2]), true]])],
    ["(a :> 1 @@ a :> 2)", func([[model("a"), 1]])],
    ["((((1))))", 1]
  ]
  it.each(table)("%s", (text, value) => {
    assert.deepStrictEqual(parseUnsafe(text), value)
  })

  const broken: ReadonlyArray<readonly [text: string, position: number]> = [
    ["", 0],
    ["1 2", 2],
    ["<<1, 2", 6],
    ["{1 2}", 3],
    ["[a -> 1]", 3],
    ["[a |-> 1, a |-> 2]", 10],
    ["\"open", 0],
    ["\"\\x\"", 1],
    ["(1 @@ 2)", 3],
    ["1..99999999", 1],
    ["-", 0],
    ["(1", 2]
  ]
  it.each(broken)("refuses %j at %i", (text, position) => {
    const result = Value.parse(text)

    assert.isTrue(Result.isFailure(result))
    if (Result.isFailure(result)) assert.strictEqual(result.failure.position, position)
  })
})

describe("print", () => {
  it("writes one text for equal values, whatever notation they came in", () => {
    const same = [
      ["<<\"a\", \"b\">>", "(2 :> \"b\" @@ 1 :> \"a\")"],
      ["[b |-> 1, a |-> 2]", "(\"a\" :> 2 @@ \"b\" :> 1)"],
      ["{3, 2, 1}", "1..3"]
    ] as const
    for (const [left, right] of same) assert.strictEqual(print(parseUnsafe(left)), print(parseUnsafe(right)))
  })

  it("writes no record with a field that TLA+ could not read back", () => {
    assert.strictEqual(print(record({ IF: 1 })), "(\"IF\" :> 1)")
    assert.strictEqual(print(record({ "a b": 1 })), "(\"a b\" :> 1)")
    assert.strictEqual(print(record({ "1": 1 })), "(\"1\" :> 1)")
  })
})

const { value: anyValue } = fc.letrec<{ value: Value.Value; leaf: Value.Value }>((tie) => ({
  leaf: fc.oneof(
    fc.boolean(),
    fc.integer({ min: -3, max: 3 }),
    fc.integer(),
    fc.constantFrom("", "a", "b", "p", "\"", "\\", "\n", "a, b"),
    fc.constantFrom("a", "p", "p2").map(model)
  ),
  value: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    tie("leaf"),
    fc.array(tie("value"), { maxLength: 4 }).map(set),
    fc.array(tie("value"), { maxLength: 4 }).map(seq),
    fc.array(fc.tuple(tie("value"), tie("value")), { maxLength: 4 }).map(func),
    fc.dictionary(fc.constantFrom("a", "b", "c"), tie("value")).map(record)
  )
}))

describe("properties", () => {
  it("print and parse are inverse", () => {
    fc.assert(
      fc.property(anyValue, (value) => {
        assert.deepStrictEqual(parseUnsafe(print(value)), value)
      }),
      { seed: 1, numRuns: 2_000 }
    )
  })

  it("equality, order and text agree", () => {
    fc.assert(
      fc.property(anyValue, anyValue, (a, b) => {
        assert.strictEqual(Value.equals(a, b), print(a) === print(b))
        assert.strictEqual(Math.sign(Value.compare(a, b)), -Math.sign(Value.compare(b, a)))
      }),
      { seed: 2, numRuns: 2_000 }
    )
  })

  it("white space outside strings does not matter", () => {
    fc.assert(
      fc.property(anyValue, (value) => {
        const spaced = print(value).replace(
          /"(?:[^"\\]|\\.)*"|<<|>>|:>|@@|\|->|[,{}()[\]]/g,
          (token) => `\n  ${token} `
        )
        assert.deepStrictEqual(parseUnsafe(spaced), value)
      }),
      { seed: 3, numRuns: 500 }
    )
  })
})

describe("readers", () => {
  const state = parseUnsafe("[log |-> <<\"x\", \"y\">>, up |-> {n2, n1}, term |-> (n1 :> 4 @@ n2 :> 5)]")

  it("take values apart", () => {
    assert.deepStrictEqual(Value.sequence(Value.field(state, "log")), ["x", "y"])
    assert.deepStrictEqual(Value.elements(Value.field(state, "up")), [model("n1"), model("n2")])
    assert.strictEqual(Value.lookup(Value.field(state, "term"), model("n2")), 5)
    assert.isUndefined(Value.lookup(Value.field(state, "term"), model("n3")))
    assert.strictEqual(Value.lookup(Value.field(state, "log"), 2), "y")
  })

  it("name what they wanted and what they got", () => {
    assert.throws(() => Value.field(state, "absent"), /a record with the field absent, got \[log/)
    assert.throws(() => Value.sequence(parseUnsafe("(0 :> 1 @@ 1 :> 2)")), /a sequence/)
    assert.throws(() => Value.elements(parseUnsafe("<<1>>")), /a set/)
    assert.throws(() => Value.lookup(3, 1), /a function/)
  })
})

it("a cached parser gives one object for one text and forgets when full", () => {
  const parse = Value.makeCachedParser(2)
  const first = parse("<<1>>")

  assert.strictEqual(parse("<<1>>"), first)
  parse("<<2>>")
  parse("<<3>>")
  assert.notStrictEqual(parse("<<1>>"), first)
})
