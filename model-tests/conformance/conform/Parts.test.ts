import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { Release } from "../../../src/conformance/conform/launch/index.ts"
import * as Parts from "../../../src/conformance/conform/Parts.ts"
import * as Walking from "../../../src/conformance/conform/Walking.ts"
import { TransactionRules } from "../../../src/core/index.ts"

const newest = { line: "4.4", transactionVersion: 2, writeTxnMarkers: 2 } as const

const namesOf = ({ parts }: Parts.Parts): ReadonlyArray<string> => parts.map(({ name }) => name)

const sizeOf = ({ parts }: Parts.Parts) => {
  const walks = parts.flatMap(({ configuration, graph }) => graph.walks.map(({ steps }) => ({ configuration, steps })))
  const answers = walks.flatMap(({ configuration, steps }) =>
    steps.flatMap((step) => Walking.casesOf(configuration, step).length)
  )
  return { walks: walks.length, answers: answers.reduce((sum, one) => sum + one, 0) }
}

describe("the parts of a campaign", () => {
  it.effect("are those of the target's version of transactions", () =>
    Effect.gen(function*() {
      const [two, one, zero] = yield* Effect.forEach([2, 1, 0], (transactionVersion) =>
        Parts.of({ ...newest, transactionVersion }, "quick"))

      assert.includeMembers([...namesOf(two!)], [
        "version-2",
        "version-1-client",
        "mixed",
        "group-version-2",
        "markers-version-2",
        "two-ids",
        "two-partitions",
        "timeout-version-2"
      ])
      assert.includeMembers([...namesOf(one!)], [
        "version-1",
        "group-version-1",
        "markers-version-1",
        "timeout-version-1"
      ])
      assert.deepStrictEqual(namesOf(zero!), namesOf(one!))
      assert.isTrue(two!.parts.every(({ configuration }) =>
        configuration.context.transactionVersion === 2 || configuration.requests!.idempotent
      ))
      assert.isTrue(one!.parts.every(({ configuration }) =>
        configuration.context.transactionVersion === 1
      ))
      assert.isTrue(one!.parts.every(({ configuration }) =>
        configuration.requests!.versions.join() === "1"
      ))
    }), 120_000)

  it.effect("are judged by the rules of the target's release", () =>
    Effect.gen(function*() {
      for (const line of Release.lines) {
        const { parts, profile } = yield* Parts.of({ line, transactionVersion: 2, writeTxnMarkers: 2 }, "quick")
        const { rules } = parts[0]!.configuration.context

        assert.strictEqual(profile, `transactional-kafka-${line}`)
        // KAFKA-18202, KIP-1228 (3.9 has no markers of version 2), KAFKA-20090, and what 3.9 alone does.
        assert.strictEqual(rules.IsFirstSequence(5, 2), line === "3.9" || line === "4.0", line)
        const marker = { epoch: 1, version: 2 } as Parameters<typeof rules.AcceptsMarker>[2]
        assert.strictEqual(rules.AcceptsMarker(1, true, marker), line === "4.0" || line === "4.1", line)
        assert.strictEqual(rules.AsksPendingFirst(), line !== "3.9", line)
        assert.strictEqual(
          rules.RotatesWhenFenced === TransactionRules.base.RotatesWhenFenced,
          line === "4.3" || line === "4.4",
          line
        )
      }
    }), 120_000)

  it.effect("leave out markers of version 2 where there are none", () =>
    Effect.gen(function*() {
      const { leftOut, parts } = yield* Parts.of({ line: "4.0", transactionVersion: 2, writeTxnMarkers: 1 }, "quick")
      const all = yield* Parts.of(newest, "quick")

      const reason = leftOut.find(({ name }) => name === "markers-version-2")?.reason
      assert.include(reason, "WriteTxnMarkers goes to version 1")
      assert.notInclude(parts.map(({ name }) => name), "markers-version-2")
      assert.notInclude(all.leftOut.map(({ name }) => name), "markers-version-2")
    }), 120_000)

  it.effect("leave out the last epochs of producers where there is no time for them", () =>
    Effect.gen(function*() {
      for (const transactionVersion of [2, 1]) {
        const quick = yield* Parts.of({ ...newest, transactionVersion }, "quick")
        const full = yield* Parts.of({ ...newest, transactionVersion }, "full")
        const raising = full.parts.filter(({ epoch }) => epoch !== undefined).map(({ name }) => name)

        assert.isAbove(raising.length, 0)
        assert.deepStrictEqual(full.leftOut, [])
        assert.deepStrictEqual(quick.leftOut.map(({ name }) => name), raising)
        assert.isTrue(quick.parts.every(({ epoch }) => epoch === undefined))
      }
    }), 120_000)

  for (const transactionVersion of [2, 1]) {
    it.effect(
      `are enough for transaction.version ${transactionVersion}, and few for those in a hurry`,
      () =>
        Effect.gen(function*() {
          const full = sizeOf(yield* Parts.of({ ...newest, transactionVersion }, "full"))
          const quick = sizeOf(yield* Parts.of({ ...newest, transactionVersion }, "quick"))

          assert.isAtLeast(full.walks, 2_000)
          assert.isAtLeast(full.answers, 20_000)
          // A broker answers some hundred a second, on a machine that has nothing else to do several thousand.
          assert.isAtMost(full.answers, 100_000)
          assert.isAtLeast(quick.walks, 300)
          assert.isAtMost(quick.answers, 15_000)
        }),
      240_000
    )
  }
})
