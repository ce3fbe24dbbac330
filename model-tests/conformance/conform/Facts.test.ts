import { assert, describe, it } from "@effect/vitest"
import { Effect, Result } from "effect"
import { readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import * as Catalogue from "../../../src/conformance/conform/Catalogue.ts"
import * as KnownFailing from "../../../src/conformance/conform/KnownFailing.ts"
import { Release } from "../../../src/conformance/conform/launch/index.ts"
import { Races } from "../../../src/conformance/conform/races/index.ts"
import * as Specification from "../../../src/conformance/Specification.ts"

const catalogue = Effect.runPromise(Catalogue.make())

const heading = "## Facts settled by Apache Kafka"

/** The rows of the first tables below the heading, without their heads. */
const tables = (text: string): ReadonlyArray<ReadonlyArray<ReadonlyArray<string>>> =>
  Array.from(
    text.split(heading)[1]!.matchAll(/\n\|---[^\n]*\n((?:\|[^\n]*\n)+)/g),
    ([, table = ""]) => table.trim().split("\n").map((row) => row.split("|").slice(1, -1).map((cell) => cell.trim()))
  )

const code = (cell: string): string => /^`([^`]+)`$/.exec(cell)?.[1] ?? ""

/** The release lines that a cell means. */
const linesOf = (releases: string): ReadonlyArray<string> => {
  const [, bound, line] = /^(up to|since) (\d\.\d)$/.exec(releases)!
  return Release.lines.filter((one) => bound === "since" ? one >= line! : one <= line!)
}

describe("facts of spec/README.md", () => {
  const [facts = [], deviations = []] = tables(readFileSync(join(Specification.folder, "README.md"), "utf8"))

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
      const known = new Set((yield* Effect.promise(() => catalogue)).map(({ id }) => id))
      assert.deepStrictEqual(facts.map((row) => code(row.at(-1)!)).filter((id) => !known.has(id)), [])
    }), 120_000)

  it.effect(
    "that no specification has are known failing, each in the files of its releases",
    () =>
      Effect.gen(function*() {
        const folder = join(Specification.folder, "known-failing")
        const walked = (yield* Effect.promise(() => catalogue)).map(({ id }) => id)
        const asked = new Set([...walked, ...Races.all.map(({ id }) => id)])
        const found = readdirSync(folder).flatMap((name) => {
          const line = /^apache-kafka-(\d+\.\d+)\.txt$/.exec(name)![1]!
          assert.strictEqual(KnownFailing.fileOf(`${line}.1`), join(folder, name))
          const entries = Result.getOrThrow(KnownFailing.parse(readFileSync(join(folder, name), "utf8")))
          return entries.map(({ pattern, reason }) => ({ line, pattern, name: reason.split(":")[0]! }))
        })

        assert.isAbove(deviations.length, 0)
        assert.sameDeepMembers(
          found,
          deviations.flatMap(([name, , releases, , cases]) =>
            linesOf(releases!).flatMap((line) =>
              cases!.split(", ").map((pattern) => ({ line, pattern: code(pattern), name: code(name!) }))
            )
          )
        )
        assert.deepStrictEqual(found.filter(({ pattern }) => !asked.has(pattern)), [])
        assert.isUndefined(KnownFailing.fileOf("4.0.1"))
      }),
    120_000
  )
})
