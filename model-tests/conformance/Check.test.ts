import { assert, describe, it } from "@effect/vitest"
import * as Checks from "../../src/conformance/Check.ts"

describe("tally", () => {
  it("counts nothing in nothing", () => {
    assert.deepStrictEqual(Checks.tally([]), { passed: 0, failed: 0, skipped: 0 })
  })

  it("counts each check once, by its status", () => {
    const checks = [
      Checks.passed("a"),
      Checks.passed("b"),
      Checks.failed("c", "why"),
      Checks.skipped("d", "no TLC"),
      Checks.skipped("e", "no TLC"),
      Checks.skipped("f", "no TLC")
    ]

    assert.deepStrictEqual(Checks.tally(checks), { passed: 2, failed: 1, skipped: 3 })
  })
})

describe("a check", () => {
  it("has no more fields than it needs", () => {
    assert.deepStrictEqual(Checks.passed("a"), { name: "a", status: "passed" })
    assert.deepStrictEqual(Checks.skipped("a", "no TLC"), { name: "a", status: "skipped", detail: "no TLC" })
    assert.deepStrictEqual(Checks.failed("a", "why"), { name: "a", status: "failed", detail: "why" })
    assert.deepStrictEqual(Checks.failed("a", "why", "npm test"), {
      name: "a",
      status: "failed",
      detail: "why",
      rerun: "npm test"
    })
  })
})
