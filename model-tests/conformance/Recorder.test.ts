import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as EventLog from "../../src/conformance/EventLog.ts"
import * as EventLogs from "../../src/conformance/EventLogs.ts"
import { driver } from "../../src/conformance/idempotent/Driver.ts"
import * as Recorder from "../../src/conformance/Recorder.ts"
import { headerOf } from "../../src/conformance/transactions/Header.ts"
import { configurationOf } from "../../src/model/Model.ts"
import { model as transactions } from "../../src/model/transactions/index.ts"
import { configuration as make } from "../model/idempotent/support.ts"

const configuration = make({ FaultBudget: 2 })
const calls: ReadonlyArray<Recorder.Call> = [
  { action: "Send", arguments: ["p1"] },
  { action: "LeaderChange", arguments: ["p1"] },
  { action: "HandleProduce", arguments: ["p1", 0] }
]

const record = (detail: Recorder.Detail) => [...Recorder.record(driver, configuration, calls, detail)]

describe("a recorded log", () => {
  it("has the steps, and at the end the whole state", () => {
    for (const detail of ["state", "changes", "nothing"] as const) {
      const log = record(detail)

      assert.deepStrictEqual(log.map(({ action, arguments: instance }) => ({ action, arguments: instance })), calls)
      assert.sameMembers(Object.keys(log.at(-1)!.observed!), [...driver.model.variables])
    }
  })

  it("has in between what is asked for", () => {
    const [before, state] = record("state")
    const [changes, nothing] = (["changes", "nothing"] as const).map((detail) => record(detail)[1]!)

    assert.sameMembers(Object.keys(state!.observed!), [...driver.model.variables])
    assert.deepStrictEqual(changes!.places, EventLog.changes(before!.observed!, state!.observed!))
    assert.includeDeepMembers([...changes!.places!], [{ path: ["faults"], value: 1 }])
    assert.notProperty(nothing!, "observed")
    assert.notProperty(nothing!, "places")
  })

  it("is not made of what is not possible", () => {
    const impossible = [calls[0]!, { action: "Replicate", arguments: ["p1"] }]

    assert.throws(() => [...Recorder.record(driver, configuration, impossible, "nothing")], /step 2, Replicate\(p1\)/)
  })
})

describe("the header of a configuration that no file has", () => {
  it("is read as that configuration", () => {
    for (
      const model of [
        "transactions-two-instances-version-1",
        "transactions-group-version-1",
        "transactions-refusals-version-1"
      ]
    ) {
      const named = { schemaVersion: 1, specification: "Transactions", model } as const
      const wanted = configurationOf(transactions, Effect.runSync(EventLogs.subjectOf(named)).checked)!

      const { checked } = Effect.runSync(EventLogs.subjectOf(headerOf(wanted)))

      assert.deepStrictEqual(configurationOf(transactions, checked), wanted)
    }
  })

  it("may replace rules", () => {
    const named = { schemaVersion: 1, specification: "Transactions", model: "KAFKA-14884" } as const
    const wanted = configurationOf(transactions, Effect.runSync(EventLogs.subjectOf(named)).checked)!
    const header = headerOf(wanted, {
      substitutions: { HasGuard: "HasGuard_KAFKA_14884" },
      module: "museum/KAFKA_14884.tla"
    })

    const { checked } = Effect.runSync(EventLogs.subjectOf(header))

    assert.deepStrictEqual(configurationOf(transactions, checked), wanted)
  })
})
