import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as Case from "../../../src/conformance/conform/Case.ts"
import * as Catalogue from "../../../src/conformance/conform/Catalogue.ts"
import * as Parts from "../../../src/conformance/conform/Parts.ts"
import * as Walking from "../../../src/conformance/conform/Walking.ts"

const catalogue = Effect.runSync(Effect.cached(Catalogue.make()))

const id = "EndTxn-v2/CompleteCommit/previous/COMMIT"

describe("the catalogue of cases", () => {
  it.effect("has every case that a target of the newest release is asked", () =>
    Effect.gen(function*() {
      const entries = yield* catalogue
      const { parts } = yield* Parts.of({ line: "4.4", transactionVersion: 2, writeTxnMarkers: 2 }, "quick")
      const asked = new Set(parts.flatMap(({ configuration, graph }) =>
        graph.walks.flatMap(({ steps }) =>
          steps.flatMap((step) => Walking.casesOf(configuration, step).map((one) => one.id))
        )
      ))

      assert.isAbove(asked.size, 300)
      assert.includeMembers(
        entries.map((entry) =>
          entry.id
        ),
        [...asked]
      )
      assert.deepStrictEqual(entries.map((entry) => entry.id), entries.map((entry) => entry.id).toSorted())
    }), 240_000)

  it.effect("counts the walks that ask a case", () =>
    Effect.gen(function*() {
      const entry = (yield* catalogue).find((one) => one.id === id)!
      const { parts } = yield* Parts.of({ line: "4.4", transactionVersion: 2, writeTxnMarkers: 2 }, "full")
      const counted = parts.flatMap(({ configuration, graph, name }) => {
        const { length } = graph.walks.filter(({ steps }) =>
          steps.some((step) => Walking.casesOf(configuration, step).some((one) => one.id === id))
        )
        return length === 0 ? [] : [{ part: name, transactionVersion: 2, walks: length }]
      })

      assert.isAbove(counted.length, 3)
      assert.deepStrictEqual(entry.asked, counted)
    }), 240_000)

  it.effect("shows a way to each case, that ends with it", () =>
    Effect.gen(function*() {
      for (const { example, id: name, topic } of yield* catalogue) {
        const last = example.steps.at(-1)!
        if (/^(Fetch|Describe|OffsetFetch)/.test(topic)) continue
        assert.strictEqual(last._tag, "Ask", name)
      }
      const { example } = (yield* catalogue).find((one) => one.id === id)!
      const last = example.steps.at(-1)!
      if (last._tag !== "Ask") return assert.fail("it ends with a look")
      const { parts } = yield* Parts.of({ line: "4.4", transactionVersion: 2, writeTxnMarkers: 2 }, "quick")
      const { configuration } = parts.find(({ name }) => name === "version-2")!

      assert.strictEqual(Case.ofRequest(configuration, last.before, last.request, last.answer.error).id, id)
      assert.strictEqual(example.changes, 3)
    }), 240_000)

  it.effect("has a level for each", () =>
    Effect.gen(function*() {
      const levels = new Map((yield* catalogue).map((entry) => [entry.id, Catalogue.levelOf(entry)]))

      assert.strictEqual(levels.get(id), "MUST")
      assert.strictEqual(levels.get("EndTxn-v2/Empty/stranger/COMMIT"), "SHOULD")
      assert.strictEqual(levels.get("DescribeProducers/none"), "SHOULD")
    }), 240_000)
})
