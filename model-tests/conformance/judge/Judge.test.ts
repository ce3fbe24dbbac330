import { assert, describe, it } from "@effect/vitest"
import * as fc from "fast-check"
import * as Anomalies from "../../../src/conformance/judge/Anomalies.ts"
import type * as Format from "../../../src/conformance/judge/Format.ts"
import * as Judge from "../../../src/conformance/judge/Judge.ts"
import { mutations } from "./mutations.ts"
import { generate } from "./run.ts"

const judge = (events: Iterable<Format.Event>): Judge.Report => {
  const judged = Judge.make()
  for (const event of events) {
    const contradiction = judged.take(event)
    if (contradiction !== undefined) assert.fail(`${contradiction}: ${JSON.stringify(event)}`)
  }
  return judged.report()
}

const foundIn = ({ anomalies }: Judge.Report): ReadonlyArray<Anomalies.Anomaly> =>
  Anomalies.anomalies.filter((anomaly) => anomalies[anomaly]._tag === "Found")

const run = (seed: number, dump: boolean): ReadonlyArray<Format.Event> => [
  ...generate({ sends: 60, seed, partitions: 3, applications: 3, dump, pollInterval: 8 })
]

const seed = fc.integer({ min: 1, max: 2 ** 31 - 1 })

describe("correct runs", () => {
  it("show no anomaly", () => {
    fc.assert(fc.property(seed, fc.boolean(), (number, dump) => {
      assert.deepStrictEqual(foundIn(judge(run(number, dump))), [])
    }))
  })

  it("are long enough that every anomaly is judged", () => {
    const judged = new Set<Anomalies.Anomaly>()
    for (let number = 1; number <= 20; number++) {
      const { anomalies } = judge(run(number, true))
      for (const anomaly of Anomalies.anomalies) if (anomalies[anomaly]._tag === "Absent") judged.add(anomaly)
    }

    assert.sameMembers([...judged], [...Anomalies.anomalies])
  })
})

describe("broken runs", () => {
  for (const [name, { apply, brings }] of Object.entries(mutations)) {
    it(`${name}: ${brings.join(", ")}`, () => {
      let applied = 0
      fc.assert(fc.property(seed, fc.nat(), (number, place) => {
        const broken = apply(run(number, false), (places) => place % places)
        if (broken === undefined) return
        applied++
        assert.sameMembers([...foundIn(judge(broken))], [...brings])
      }))

      assert.isAtLeast(applied, 10)
    })
  }

  it("bring in every anomaly", () => {
    assert.sameMembers([...new Set(Object.values(mutations).flatMap(({ brings }) => brings))], [...Anomalies.anomalies])
  })
})
