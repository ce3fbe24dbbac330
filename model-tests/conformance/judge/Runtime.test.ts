import { assert, describe, it } from "@effect/vitest"
import * as Histories from "../../../src/conformance/Histories.ts"
import * as Anomalies from "../../../src/conformance/judge/Anomalies.ts"
import * as Judge from "../../../src/conformance/judge/Judge.ts"
import type * as History from "../../../src/conformance/transactions/History.ts"
import { HistoryChecker, runScenario, Scenario, trialOf } from "../../../src/conformance/transactions/index.ts"
import type { Transaction } from "../../../src/core/index.ts"
import { Limits, Rules, TransactionRules } from "../../../src/core/index.ts"
import * as Museum from "../../../src/core/TransactionMuseum.ts"
import { translate } from "./translation.ts"

const context = (transactionVersion: Transaction.Version, rules: Museum.Override = {}): Transaction.Context => ({
  transactionVersion,
  verification: true,
  rules: { ...TransactionRules.base, ...rules },
  replica: { rules: Rules.base, limits: Limits.kafka }
})

/** What the checker of transactional histories finds; `undefined` where it refuses the history. */
const violatedIn = (history: ReadonlyArray<History.Event>): ReadonlyArray<HistoryChecker.Property> | undefined => {
  const verdict = HistoryChecker.check(history)
  if (verdict._tag === "Malformed") return undefined
  return HistoryChecker.properties.filter((property) => verdict[property].value === "violated")
}

/** What the judge of public histories finds in the same. */
const foundIn = (history: ReadonlyArray<History.Event>): ReadonlyArray<Anomalies.Anomaly> => {
  const judge = Judge.make()
  for (const event of translate(history)) {
    const contradiction = judge.take(event)
    if (contradiction !== undefined) assert.fail(`${contradiction}: ${JSON.stringify(event)}`)
  }
  const { anomalies } = judge.report()
  return Anomalies.anomalies.filter((anomaly) => anomalies[anomaly]._tag === "Found")
}

const histories = function*(setup: Scenario.Setup, runs: number): Generator<ReadonlyArray<History.Event>, void> {
  for (let run = 0; run < runs; run++) {
    yield runScenario(setup, Histories.at(trialOf(setup), 20_261_125, String(run))).history
  }
}

describe("random histories of the runtime, with every kind of fault", () => {
  for (const version of [1, 2] as const) {
    for (const group of [false, true]) {
      it(`version ${version}${group ? " with a group" : ""}: neither judge finds anything`, () => {
        let records = 0
        const faultKinds = new Set(["DisconnectLeader", "LeaderChange", "CrashClient", "TransactionTimeout"] as const)
        const setup = Scenario.everything(context(version), group)
        for (const history of histories(version === 1 ? { ...setup, faultKinds } : setup, 60)) {
          records += history.filter(({ _tag }) => _tag === "HandedOver").length

          assert.deepStrictEqual(violatedIn(history), [])
          assert.deepStrictEqual(foundIn(history), [])
        }

        assert.isAbove(records, 200)
      })
    }
  }
})

describe("random histories of the museum", () => {
  it("show both judges that something is wrong, or neither", () => {
    const tally = { right: 0, wrong: 0 }
    for (const [exhibit, rules] of Object.entries(Museum.overrides)) {
      for (const version of [1, 2] as const) {
        for (const history of histories(Scenario.everything(context(version, rules), true), 25)) {
          // What hangs is no anomaly: nobody was promised that a transaction ends.
          const violated = violatedIn(history)?.filter((property) => property !== "NoHangingTransaction")
          if (violated === undefined) continue
          const found = foundIn(history)
          tally[violated.length > 0 ? "wrong" : "right"]++

          assert.strictEqual(
            found.length > 0,
            violated.length > 0,
            `${exhibit}: ${violated.join()} but ${found.join()}`
          )
        }
      }
    }

    assert.isAbove(tally.right, 100)
    assert.isAbove(tally.wrong, 50)
  })
})
