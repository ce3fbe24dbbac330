import { assert, describe, it } from "@effect/vitest"
import { Result } from "effect"
import * as Config from "../../src/tlc/Config.ts"
import { model, set } from "../../src/tlc/Value.ts"

const parse = (text: string): Config.Config => Result.getOrThrow(Config.parse(text))

it("reads every section", () => {
  const config = parse(`
    \\* a line comment
    SPECIFICATION Spec
    CONSTANTS Max = 4   Name = "a (* b"  Flag = TRUE (* a (* nested *)
      comment *) p1 = p1
      Nodes = {n1, n2, {1, 2},
               {}}
      Queue <- SmallQueue  Nat <- [Naturals] Few
    INVARIANTS TypeOK Safe
    INVARIANT Extra
    PROPERTY Live
    CONSTRAINT Bounded
    ACTION_CONSTRAINT Step
    SYMMETRY Perms
    VIEW Seen
    CHECK_DEADLOCK FALSE
  `)

  assert.strictEqual(config.specification, "Spec")
  assert.deepStrictEqual(config.constants, {
    Max: 4,
    Name: "a (* b",
    Flag: true,
    p1: model("p1"),
    Nodes: set([model("n1"), model("n2"), set([1, 2]), set([])])
  })
  assert.deepStrictEqual(config.substitutions, {
    Queue: { definition: "SmallQueue" },
    Nat: { definition: "Few", module: "Naturals" }
  })
  assert.deepStrictEqual(config.invariants, ["TypeOK", "Safe", "Extra"])
  assert.deepStrictEqual(config.properties, ["Live"])
  assert.deepStrictEqual(config.constraints, ["Bounded"])
  assert.deepStrictEqual(config.actionConstraints, ["Step"])
  assert.strictEqual(config.symmetry, "Perms")
  assert.strictEqual(config.view, "Seen")
  assert.strictEqual(config.checkDeadlock, false)
  assert.strictEqual(config.lines["Live"], 11)
})

it("leaves out what is not said", () => {
  const config = parse("INIT Init\nNEXT Next\n")

  assert.strictEqual(config.init, "Init")
  assert.strictEqual(config.next, "Next")
  assert.isFalse("specification" in config)
  assert.isFalse("checkDeadlock" in config)
  assert.deepStrictEqual(config.invariants, [])
})

describe("refuses", () => {
  const table: ReadonlyArray<readonly [why: string, text: string, line: number]> = [
    ["an empty section, which TLC accepts", "INIT Init\nINVARIANT\nNEXT Next", 2],
    ["an empty last section, which TLC accepts", "INIT Init\nPROPERTY", 2],
    ["a constant given twice, which TLC accepts", "CONSTANT A = 1\nCONSTANT\nA = 2", 3],
    ["a constant given and substituted", "CONSTANT A = 1\nA <- B", 2],
    ["a section given twice", "INIT Init\nINIT Other", 2],
    ["a negative number", "CONSTANT A = -1", 1],
    ["a record", "CONSTANT A = [a |-> 1]", 1],
    ["a range", "CONSTANT\nA = {1..3}", 2],
    ["a constant without a value", "CONSTANT\nA = 1 B", 2],
    ["commas between names", "INVARIANT A, B", 1],
    ["text before the first section", "A = 1", 1],
    ["a comment without an end", "INIT Init\n(* open", 2],
    ["a set without an end", "CONSTANT A = {1,", 1],
    ["a word for CHECK_DEADLOCK", "CHECK_DEADLOCK yes", 1]
  ]
  it.each(table)("%s", (_, text, line) => {
    const result = Config.parse(text)

    assert.isTrue(Result.isFailure(result), JSON.stringify(result))
    if (Result.isFailure(result)) assert.strictEqual(result.failure.line, line)
  })
})
