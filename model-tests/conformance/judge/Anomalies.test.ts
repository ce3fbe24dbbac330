import { assert, describe, it } from "@effect/vitest"
import type { Anomaly, Guarantee } from "../../../src/conformance/judge/Anomalies.ts"
import { anomalies, guarantees, isForbidden, makeFindings, proof } from "../../../src/conformance/judge/Anomalies.ts"

describe("what a guarantee forbids", () => {
  const forbidden: Readonly<Record<Guarantee, ReadonlyArray<Anomaly>>> = {
    "at-most-once": ["duplicate", "output ahead of offset", "non-monotone poll", "inconsistent offsets"],
    "at-least-once": ["lost write", "offset ahead of output", "skipped poll", "inconsistent offsets"],
    "exactly-once": anomalies
  }
  for (const guarantee of guarantees) {
    it(guarantee, () => {
      assert.deepStrictEqual(anomalies.filter((anomaly) => isForbidden(anomaly, guarantee)), forbidden[guarantee])
    })
  }
})

describe("findings", () => {
  it("are all counted, and the first few told", () => {
    const findings = makeFindings()
    let told = 0
    for (let index = 0; index < 100; index++) {
      findings.add("duplicate", () => {
        told++
        return { sentence: "twice", lines: proof(9, -1, 4, 9), records: [index] }
      })
    }

    const found = findings.of("duplicate")!
    assert.strictEqual(found.count, 100)
    assert.strictEqual(told, found.findings.length)
    assert.deepStrictEqual(found.findings[0], { sentence: "Twice", lines: [4, 9], records: [0] })
    assert.isUndefined(findings.of("reordering"))
  })
})
