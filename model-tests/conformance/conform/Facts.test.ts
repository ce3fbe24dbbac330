import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import * as Catalogue from "../../../src/conformance/conform/Catalogue.ts"
import * as Specification from "../../../src/conformance/Specification.ts"

const heading = "## Facts settled by Apache Kafka"

/** The rows of the first table below the heading, without its head. */
const rows = (text: string): ReadonlyArray<ReadonlyArray<string>> => {
  const [, section = ""] = text.split(heading)
  const [, table = ""] = /\n\|---[^\n]*\n((?:\|[^\n]*\n)+)/.exec(section) ?? []
  return table.trim().split("\n").map((row) => row.split("|").slice(1, -1).map((cell) => cell.trim()))
}

const code = (cell: string): string => /^`([^`]+)`$/.exec(cell)?.[1] ?? ""

describe("facts of spec/README.md", () => {
  const facts = rows(readFileSync(join(Specification.folder, "README.md"), "utf8"))

  it("have a name each, a release and a source", () => {
    assert.isAbove(facts.length, 20)
    assert.strictEqual(new Set(facts.map(([name]) => name)).size, facts.length)
    for (const [name = "", , releases, source = ""] of facts) {
      assert.match(code(name), /^[a-z-]+$/)
      assert.match(releases!, /^(all|since \d\.\d|\d\.\d)$/)
      assert.match(source, /`[A-Z]\w+/)
    }
  })

  it.effect("are proved by cases that walks ask", () =>
    Effect.gen(function*() {
      const catalogue = yield* Catalogue.make()
      const known = new Set(catalogue.map(({ id }) => id))
      assert.deepStrictEqual(facts.map((row) => code(row.at(-1)!)).filter((id) => !known.has(id)), [])
    }), 120_000)
})
