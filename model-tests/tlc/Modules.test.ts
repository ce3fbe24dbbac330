import { assert, describe, it } from "@effect/vitest"
import { dirname } from "node:path"
import * as Modules from "../../src/tlc/Modules.ts"
import { module, spec } from "./support.ts"

const names = (text: string): ReadonlyArray<string> => [...Modules.read(module("M", text)).names].sort()

describe("read", () => {
  it("follows EXTENDS and INSTANCE, and leaves standard modules alone", () => {
    const modules = Modules.read(spec("Refinement"))

    assert.deepStrictEqual(modules.files.map((file) => file.split("/").at(-1)), [
      "Refinement.tla",
      "Counter.tla",
      "Abstract.tla"
    ])
    assert.deepStrictEqual([...modules.elsewhere].sort(), ["Naturals", "Sequences", "TLC"])
    assert.isTrue(modules.names.has("Max"))
  })

  it("finds modules in other folders", () => {
    const root = module("Root", "---- MODULE Root ----\nEXTENDS Counter\n====")

    assert.deepStrictEqual([...Modules.read(root).elsewhere], ["Counter"])
    assert.isTrue(Modules.read(root, [dirname(spec("Counter"))]).names.has("Max"))
  })

  it("knows constants and definitions in every notation", () => {
    const text = `CONSTANTS A, \\* a comment
      B(_, _), (* C, *) D
    CONSTANT E
    Plain == 1
    Op(x, F(_)) == x
    func[i \\in 1..2] == i
    LOCAL Hidden == "Quoted == 1"
    Text == "CONSTANT Z"`

    assert.deepStrictEqual(names(text), ["A", "B", "D", "E", "Hidden", "Op", "Plain", "Text", "func"])
  })
})

it("stripComments keeps lines and columns of what stays", () => {
  assert.strictEqual(Modules.stripComments("a (* b\nc *) d \\* e\n\"f (* g\" h"), "a     \n     d \n\"      \" h")
})
