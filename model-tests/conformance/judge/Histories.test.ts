import { assert, describe, it } from "@effect/vitest"
import { Result } from "effect"
import { readdirSync, readFileSync } from "node:fs"
import { join, resolve } from "node:path"
import * as Anomalies from "../../../src/conformance/judge/Anomalies.ts"
import * as Reading from "../../../src/conformance/judge/Reading.ts"

/** What a handwritten history shows. */
interface Expected {
  readonly about: string
  /** The lines that prove each occurrence of an anomaly. */
  readonly found: Readonly<Partial<Record<Anomalies.Anomaly, ReadonlyArray<ReadonlyArray<number>>>>>
  readonly notJudged: ReadonlyArray<Anomalies.Anomaly>
}

const folder = resolve(import.meta.dirname, "../../../traces/histories")
const expected = JSON.parse(readFileSync(join(folder, "expected.json"), "utf8")) as Readonly<Record<string, Expected>>
const linesOf = (name: string): ReadonlyArray<string> =>
  readFileSync(join(folder, `${name}.ndjson`), "utf8").trimEnd().split("\n")

const judge = (lines: ReadonlyArray<string>) => {
  const reading = Reading.make()
  reading.push(Buffer.from(lines.map((line) => `${line}\n`).join("")))
  return reading.end()
}

describe("the handwritten histories", () => {
  it("are at least 30, each with what is expected of it", () => {
    const files = readdirSync(folder).filter((file) => file.endsWith(".ndjson"))

    assert.deepStrictEqual(files.toSorted(), Object.keys(expected).map((name) => `${name}.ndjson`).toSorted())
    assert.isAtLeast(files.length, 30)
  })

  it("show every anomaly alone in at least one of them", () => {
    const alone = Object.values(expected).flatMap(({ found }) => {
      const anomalies = Object.keys(found)
      return anomalies.length === 1 ? anomalies : []
    })

    assert.sameMembers([...new Set(alone)], [...Anomalies.anomalies])
  })

  for (const [name, { about, found, notJudged }] of Object.entries(expected)) {
    it(`${name}: ${about}`, () => {
      const result = judge(linesOf(name))
      if (Result.isFailure(result)) return assert.fail(`line ${result.failure.line}: ${result.failure.message}`)
      const { anomalies } = result.success
      const findings: Partial<Record<Anomalies.Anomaly, ReadonlyArray<ReadonlyArray<number>>>> = {}
      const unjudged: Array<Anomalies.Anomaly> = []
      for (const anomaly of Anomalies.anomalies) {
        const verdict = anomalies[anomaly]
        if (verdict._tag === "Found") findings[anomaly] = verdict.findings.map(({ lines }) => lines)
        if (verdict._tag === "NotJudged") unjudged.push(anomaly)
      }

      assert.deepStrictEqual(findings, found)
      assert.sameMembers(unjudged, [...notJudged])
    })

    for (
      const [anomaly, proofs] of Object.entries(found) as ReadonlyArray<
        [Anomalies.Anomaly, typeof found[Anomalies.Anomaly]]
      >
    ) {
      it(`${name}: no line of the proof of the ${anomaly} can be spared`, () => {
        for (const line of proofs!.flat()) {
          const result = judge(linesOf(name).toSpliced(line - 1, 1))
          const verdict = Result.isSuccess(result) ? result.success.anomalies[anomaly] : undefined

          assert.notStrictEqual(verdict?._tag, "Found", `still found without line ${line}`)
        }
      })
    }
  }
})
