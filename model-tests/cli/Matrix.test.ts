import { assert, describe, it } from "@effect/vitest"
import * as Matrix from "../../src/cli/Matrix.ts"
import type { CellReport, RowReport } from "../../src/conformance/Guarantees.ts"

const holds: CellReport = { spec: "holds", explorer: "holds", histories: "holds" }
const violated: CellReport = { spec: "violated", explorer: "violated", histories: "violated", shortest: 8 }

const row = (over: Partial<RowReport> = {}): RowReport => ({
  configuration: "a",
  specification: "IdempotentProducer",
  group: "producer",
  title: "acks=0",
  label: "at-most-once",
  sentences: { NoLoss: "nothing is lost", NoDuplicate: "nothing is there twice" },
  cells: { NoLoss: violated, NoDuplicate: holds },
  histories: { runs: 1, operations: 1, seed: 1 },
  checks: [],
  ...over
})

/** A row without histories that asks as many things. */
const wide = (asked: number, over: Partial<RowReport> = {}): RowReport => {
  const { histories: _, ...rest } = row()
  const names = Array.from({ length: asked }, (_unused, i) => `Property${String.fromCharCode(65 + i)}`)
  return {
    ...rest,
    group: "release",
    label: "",
    sentences: Object.fromEntries(names.map((name) => [name, `the sentence of ${name}`])),
    cells: Object.fromEntries(names.map((name) => [name, { spec: "violated", explorer: "violated", shortest: 12 }])),
    ...over
  }
}

describe("the matrix", () => {
  it("has a row for each configuration, under the name of the group", () => {
    assert.deepStrictEqual(Matrix.render([row(), row({ title: "idempotent", label: "" })]), [
      "producer    no loss  no duplicate  guarantee",
      "acks=0      ✘ 8      ✔             at-most-once",
      "idempotent  ✘ 8      ✔"
    ])
  })

  it("has a table for each group, and for each set of questions", () => {
    const lines = Matrix.render([
      row(),
      row({ group: "release", title: "4.4" }),
      row({ title: "acks=1" }),
      row({ title: "acks=all", cells: { NoLoss: holds } })
    ])

    assert.deepStrictEqual(lines.map((line) => line.split(/ {2,}/)[0]), [
      "producer",
      "acks=0",
      "acks=1",
      "",
      "release",
      "4.4",
      "",
      "producer",
      "acks=all"
    ])
  })

  it("has no column for labels where no row has one", () => {
    assert.deepStrictEqual(Matrix.render([row({ label: "" })])[0], "producer  no loss  no duplicate")
  })

  const cells: ReadonlyArray<readonly [what: string, cell: CellReport, mark: string]> = [
    ["all agree", holds, "✔"],
    ["all agree on a violation", violated, "✘ 8"],
    ["a violation has no length", { spec: "violated" }, "✘"],
    ["there is no TLC", { ...holds, spec: "skipped" }, "✔"],
    ["histories are not asked", { spec: "holds", explorer: "holds" }, "✔"],
    ["only TLC is asked and there is none", { spec: "skipped" }, "–"],
    ["one disagrees", { ...holds, histories: "violated" }, "TLC ✔ explorer ✔ histories ✘"],
    ["one of two disagrees", { spec: "violated", explorer: "holds" }, "TLC ✘ explorer ✔"],
    ["histories say nothing", { ...holds, histories: "skipped" }, "TLC ✔ explorer ✔ histories –"]
  ]
  for (const [what, cell, mark] of cells) {
    it(`says ${mark} when ${what}`, () => {
      const line = Matrix.render([row({ label: "", cells: { NoLoss: cell } })]).find((text) =>
        text.startsWith("acks=0")
      )

      assert.strictEqual(line, `acks=0    ${mark}`)
    })
  }
})

describe("who was asked", () => {
  const { histories: _, ...silent } = row({ label: "" })

  it("is said where it was not everybody", () => {
    const first = (of: RowReport) => Matrix.render([of])[0]

    assert.strictEqual(first(row({ label: "", cells: { NoLoss: holds } })), "producer  no loss")
    assert.strictEqual(first({ ...silent, cells: { NoLoss: { spec: "holds" } } }), "by TLC alone")
    assert.strictEqual(
      first({ ...silent, cells: { NoLoss: { spec: "holds", explorer: "holds" } } }),
      "by TLC and explorer alone"
    )
    assert.strictEqual(first(row({ cells: { NoLoss: { histories: "holds" } } })), "by histories alone")
  })
})

describe("a wide table", () => {
  it("has letters for heads, and a legend", () => {
    const lines = Matrix.render([wide(7, { title: "4.4" })])

    assert.deepStrictEqual(lines.slice(0, 3), [
      "by TLC and explorer alone",
      "release  A     B     C     D     E     F     G",
      "4.4      ✘ 12  ✘ 12  ✘ 12  ✘ 12  ✘ 12  ✘ 12  ✘ 12"
    ])
    assert.strictEqual(lines[3], "A  property a: the sentence of PropertyA")
    assert.strictEqual(lines.length, 10)
  })

  for (const asked of [12, 17, 26]) {
    it(`with ${asked} columns fits the line, and loses none`, () => {
      const lines = Matrix.render([
        wide(asked, { title: "transactional, read_committed, Kafka 4.4 rules", label: "exactly once" })
      ])
      const heads = lines.filter((line) => line.startsWith("release")).join(" ")

      for (const line of lines) assert.isAtMost(line.length, 120)
      assert.deepStrictEqual(
        heads.split(/\s+/).filter((head) => /^[A-Z]$/.test(head)),
        Array.from({ length: asked }, (_, i) => String.fromCharCode(65 + i))
      )
      assert.strictEqual(lines.filter((line) => line.endsWith("exactly once")).length, 1)
    })
  }
})
