import { assert, describe, it } from "@effect/vitest"
import { Result } from "effect"
import * as KnownFailing from "../../../src/conformance/conform/KnownFailing.ts"
import * as Level from "../../../src/conformance/conform/Level.ts"
import * as Selection from "../../../src/conformance/conform/Selection.ts"

describe("a pattern", () => {
  const id = "EndTxn-v2/CompleteCommit/previous/COMMIT"
  const others = ["EndTxn-v1/CompleteCommit/previous/COMMIT", "DescribeProducers/closed-batches+open-batches"]

  for (
    const pattern of [
      id,
      id.toLowerCase(),
      "EndTxn-v2",
      "EndTxn-v2/",
      "EndTxn-v2/CompleteCommit",
      "EndTxn-v2/*/previous",
      "EndTxn-v2/Complete*/*/COMMIT",
      "*-v2",
      "**/COMMIT",
      "EndTxn-v2/**",
      "EndTxn-v2/**/COMMIT",
      "EndTxn-v2/**/previous/COMMIT",
      "EndTxn-v2/CompleteCommit/previous/**/COMMIT",
      "**"
    ]
  ) {
    it(`${pattern} means ${id}`, () => {
      assert.isTrue(Selection.matcher([pattern])(id))
    })
  }

  for (
    const pattern of [
      "EndTxn",
      "EndTxn-v",
      "CompleteCommit",
      "EndTxn-v2/*/COMMIT",
      "*/COMMIT",
      "EndTxn-v2/**/ABORT",
      `${id}/more`,
      "EndTxn.v2",
      "*v1"
    ]
  ) {
    it(`${pattern} does not mean ${id}`, () => {
      assert.isFalse(Selection.matcher([pattern])(id))
    })
  }

  it("takes signs of regular expressions as they are", () => {
    assert.deepStrictEqual(others.filter(Selection.matcher(["DescribeProducers/closed-batches+open-batches"])), [
      "DescribeProducers/closed-batches+open-batches"
    ])
    assert.deepStrictEqual(others.filter(Selection.matcher(["DescribeProducers/closed-batches.open-batches"])), [])
  })

  it("is one of several", () => {
    assert.deepStrictEqual(others.filter(Selection.matcher(["EndTxn-v1", "DescribeProducers"])), others)
    assert.deepStrictEqual(others.filter(Selection.matcher([])), [])
  })
})

describe("a pattern that means nothing", () => {
  const ids = ["EndTxn-v2/Ongoing/current/COMMIT", "EndTxn-v2/Ongoing/current/ABORT", "OffsetFetch/pending"]

  it("has a slip of the finger in it", () => {
    assert.strictEqual(Selection.nearest("endtxn-v2/Ongoin/curent/commit", ids), ids[0])
    assert.strictEqual(Selection.nearest("OffsetFetch/pendig", ids), ids[2])
  })

  it("or is another matter", () => {
    assert.isUndefined(Selection.nearest("Produce-v2", ids))
    assert.isUndefined(Selection.nearest("OffsetFetch/pendig", []))
  })
})

describe("known failing cases", () => {
  it("have a reason each, and stand with comments between", () => {
    const text = "# a target\n\nEndTxn-v2/**   it has no version 2, see tracker/12\r\n  Fetch-read_committed\tlate\n"
    const entries = Result.getOrThrow(KnownFailing.parse(text))

    assert.deepStrictEqual(entries, [
      { line: 3, pattern: "EndTxn-v2/**", reason: "it has no version 2, see tracker/12" },
      { line: 4, pattern: "Fetch-read_committed", reason: "late" }
    ])
    const lookup = KnownFailing.lookup(entries)
    assert.strictEqual(lookup("EndTxn-v2/Empty/current/ABORT")?.line, 3)
    assert.isUndefined(lookup("EndTxn-v1/Empty/current/ABORT"))
  })

  it("are refused without a reason", () => {
    const parsed = KnownFailing.parse("EndTxn-v2 known\nEndTxn-v1/Empty/current/ABORT\n")
    if (Result.isSuccess(parsed)) return assert.fail("it is taken")

    assert.strictEqual(parsed.failure.line, 2)
    assert.include(parsed.failure.message, "EndTxn-v1/Empty/current/ABORT has no reason")
  })
})

describe("the level of a divergence", () => {
  const refused = { error: "INVALID_PRODUCER_ID_MAPPING" }

  it("is that of its rule", () => {
    assert.strictEqual(Level.ofDivergence("SHOULD", refused, { error: "PRODUCER_FENCED" }), "SHOULD")
    assert.strictEqual(Level.ofDivergence("MUST", refused, { error: "PRODUCER_FENCED" }), "MUST")
    assert.strictEqual(Level.ofDivergence("SHOULD", { error: "NONE", state: "Empty" }, { error: "NONE" }), "SHOULD")
    assert.strictEqual(Level.ofDivergence("SHOULD", [], { failed: "DescribeProducers says 3" }), "SHOULD")
  })

  it("is MUST where something is done that must be refused", () => {
    assert.strictEqual(Level.ofDivergence("SHOULD", refused, { error: "NONE" }), "MUST")
  })
})
