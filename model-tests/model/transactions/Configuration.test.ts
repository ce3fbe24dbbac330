import { assert, describe, it } from "@effect/vitest"
import { Limits, Rules, TransactionMuseum, TransactionReleases, TransactionRules } from "../../../src/core/index.ts"
import { ConfigurationError } from "../../../src/model/Constants.ts"
import type { Value } from "../../../src/model/TlaValue.ts"
import { Configuration } from "../../../src/model/transactions/index.ts"
import { configuration, constants, setOf } from "./support.ts"

const without = (name: string): Readonly<Record<string, Value>> =>
  Object.fromEntries(Object.entries(constants()).filter(([constant]) => constant !== name))

describe("fromConstants", () => {
  it("reads every constant", () => {
    const found = configuration({
      Clients: 3,
      TransactionalIds: 2,
      Partitions: setOf("b", "a"),
      Group: true,
      Version1Clients: setOf(2),
      ReplicationLag: true,
      MaxEpoch: 3,
      FaultKinds: setOf("AppendFail", "CrashClient")
    })

    assert.deepStrictEqual(found, {
      clients: 3,
      transactionalIds: 2,
      transactionsPerClient: 2,
      partitions: ["__consumer_offsets", "a", "b"],
      group: true,
      version1Clients: new Set([2]),
      replicationLag: true,
      faultBudget: 1,
      faultKinds: new Set(["AppendFail", "CrashClient"] as const),
      probes: undefined,
      requests: undefined,
      context: {
        transactionVersion: 2,
        verification: true,
        rules: TransactionRules.base,
        replica: { limits: { ...Limits.kafka, maxEpoch: 3, dedupWindow: 2 }, rules: Rules.base }
      }
    })
  })

  it("knows no group without one", () => {
    assert.deepStrictEqual(configuration().partitions, ["A"])
  })

  it("reads what requests are tried with, where that is said", () => {
    const probes = { ProbeProducerIds: setOf(1, 2), ProbeEpochs: setOf(0), ProbeSequences: setOf(0, 1) }

    assert.deepStrictEqual(configuration(probes).probes, { producerIds: [1, 2], epochs: [0], sequences: [0, 1] })
    assert.throws(() => configuration({ ProbeProducerIds: setOf(1) }), ConfigurationError, /ProbeEpochs is missing/)
  })

  it("leaves assumptions of fairness to TLC", () => {
    assert.deepStrictEqual(configuration({ Dropped: setOf("AppendOk") }), configuration())
  })

  for (const name of Object.keys(constants())) {
    it(`says that ${name} is missing`, () => {
      assert.throws(
        () => Configuration.fromConstants(without(name), {}),
        ConfigurationError,
        new RegExp(`^constant ${name} is missing$`)
      )
    })
  }

  type Row = readonly [
    what: string,
    over: Readonly<Record<string, Value>>,
    substitutions: Readonly<Record<string, string>>,
    message: RegExp
  ]
  const table: ReadonlyArray<Row> = [
    ["a constant nobody knows", { Brokers: 3 }, {}, /^unknown constants: Brokers$/],
    ["a fault nobody knows", { FaultKinds: setOf("Meteor") }, {}, /^constant FaultKinds names no fault: "Meteor"$/],
    ["a version nobody knows", { TransactionVersion: 3 }, {}, /^constant TransactionVersion is neither 1 nor 2$/],
    ["a set that is none", { Partitions: "A" }, {}, /^constant Partitions is not a set$/],
    ["an override of an exhibit nobody knows", {}, { FenceEpoch: "FenceEpoch_KAFKA_1" }, /^no rule of the code stands/],
    ["an override by an exhibit that has another rule", {}, { MayCommit: "MayCommit_KAFKA_5231" }, /MayCommit <-/]
  ]
  for (const [what, over, substitutions, message] of table) {
    it(`refuses ${what}`, () => {
      assert.throws(() => configuration(over, substitutions), ConfigurationError, message)
    })
  }

  for (const [name, override] of Object.entries({ ...TransactionMuseum.overrides, ...TransactionReleases.overrides })) {
    it(`puts the rules of ${name} in force`, () => {
      const suffix = name.replaceAll("-", "_")
      const substitutions = Object.fromEntries(Object.keys(override).map((rule) => [rule, `${rule}_${suffix}`]))

      assert.deepStrictEqual(configuration({}, substitutions).context.rules, { ...TransactionRules.base, ...override })
    })
  }
})

describe("clients", () => {
  const of = configuration({ Clients: 5, TransactionalIds: 2, Version1Clients: setOf(2) })

  it("share transactional ids in turn", () => {
    assert.deepStrictEqual([1, 2, 3, 4, 5].map((client) => Configuration.idOf(of, client)), [1, 2, 1, 2, 1])
  })

  it("speak the cluster's version, or an older one", () => {
    assert.deepStrictEqual([1, 2, 3].map((client) => Configuration.versionOf(of, client)), [2, 1, 2])
  })
})
