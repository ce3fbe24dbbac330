import { assert, describe, it } from "@effect/vitest"
import { Museum, Releases, Rules, Sequence } from "../../../src/core/index.ts"
import { ConfigurationError } from "../../../src/model/Constants.ts"
import { Configuration } from "../../../src/model/idempotent/index.ts"
import type { Value } from "../../../src/model/TlaValue.ts"
import { configuration, constants, setOf } from "./support.ts"

const without = (name: string): Readonly<Record<string, Value>> =>
  Object.fromEntries(Object.entries(constants()).filter(([constant]) => constant !== name))

describe("fromConstants", () => {
  it("reads every constant", () => {
    const found = configuration({ Partitions: setOf("p2", "p1"), TwoRecordBatches: setOf(2), Retries: 3, MaxEpoch: 9 })

    assert.deepStrictEqual(found.partitions, ["p1", "p2"])
    assert.deepStrictEqual(found.twoRecordBatches, new Set([2]))
    assert.strictEqual(found.batchesPerPartition, 2)
    assert.strictEqual(found.faultBudget, 1)
    assert.deepStrictEqual(
      found.faultKinds,
      new Set(["Disconnect", "ExpireBatch", "LeaderChange", "TimeOutProduce", "KAFKA_STORAGE_ERROR"] as const)
    )
    assert.deepStrictEqual(found.sender, {
      acks: "all",
      idempotence: true,
      retries: 3,
      maxInFlight: 2,
      limits: { maxSequence: 2147483647, maxEpoch: 9, dedupWindow: 2, maxAttempts: 2 },
      rules: Rules.base
    })
    assert.deepStrictEqual(found.replica, { limits: found.sender.limits, rules: Rules.base })
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
    ["several of them", { Brokers: 3, Topics: 1 }, {}, /^unknown constants: Brokers, Topics$/],
    ["a fault nobody knows", { FaultKinds: setOf("Meteor") }, {}, /^constant FaultKinds names no fault: "Meteor"$/],
    ["a number that is none", { FaultBudget: "2" }, {}, /^constant FaultBudget is not a number$/],
    ["a set that is none", { Partitions: "p1" }, {}, /^constant Partitions is not a set$/],
    ["acks that Kafka does not have", { Acks: "2" }, {}, /^constant Acks is none of 0, 1, all$/],
    ["an override of an exhibit nobody knows", {}, { MayBumpEpoch: "MayBumpEpoch_KAFKA_1" }, /MayBumpEpoch <- MayBump/],
    [
      "an override by an exhibit that has another rule",
      {},
      { IsRetriable: "IsRetriable_KAFKA_14034" },
      /IsRetriable <-/
    ],
    ["an override of an operator that is no rule", {}, { Init: "Init_KAFKA_14034" }, /^no rule of the code stands for/],
    ["an override by another name", {}, { MayBumpEpoch: "Something" }, /^no rule .* for MayBumpEpoch <- Something$/]
  ]
  for (const [what, over, substitutions, message] of table) {
    it(`refuses ${what}`, () => {
      assert.throws(() => configuration(over, substitutions), ConfigurationError, message)
    })
  }

  const malformed: ReadonlyArray<readonly [what: string, over: Readonly<Record<string, Value>>]> = [
    ["Idempotence that is no boolean", { Idempotence: "TRUE" }],
    ["partitions that are no strings", { Partitions: setOf({ kind: "model", name: "p1" }) }],
    ["batches of two records that are no numbers", { TwoRecordBatches: setOf("first") }]
  ]
  for (const [what, over] of malformed) {
    it(`refuses ${what}`, () => {
      assert.throws(() => configuration(over), ConfigurationError)
    })
  }

  for (const [name, rules] of Object.entries<Museum.Override>(Museum.overrides)) {
    it(`puts the rules of ${name} in force on both sides`, () => {
      const suffix = name.replaceAll("-", "_")

      const found = configuration({}, Object.fromEntries(Object.keys(rules).map((rule) => [rule, `${rule}_${suffix}`])))

      assert.deepStrictEqual(found.sender.rules, { ...Rules.base, ...rules })
      assert.strictEqual(found.replica.rules, found.sender.rules)
    })
  }

  it("knows Kafka's rules by their suffix", () => {
    const found = configuration({}, { IsNextSequence: "IsNextSequence_Kafka" })

    assert.strictEqual(found.sender.rules.IsNextSequence, Releases.overrides["4.4"].IsNextSequence)
    assert.strictEqual(found.sender.rules.SequencePrecedes, Rules.base.SequencePrecedes)
  })
})

describe("initialLog", () => {
  it("is empty at a cold start", () => {
    assert.deepStrictEqual(Configuration.initialLog(configuration()), [])
  })

  it("has the record before the first sequence at a warm one", () => {
    assert.deepStrictEqual(Configuration.initialLog(configuration({ StartSequence: 5 })), [
      { producerId: 1, epoch: 0, sequence: 4, records: [0], offset: 0 }
    ])
  })

  it("has a record without an identity when idempotence is off", () => {
    assert.deepStrictEqual(Configuration.initialLog(configuration({ StartSequence: 5, Idempotence: false })), [
      { producerId: Sequence.none, epoch: Sequence.none, sequence: Sequence.none, records: [0], offset: 0 }
    ])
  })
})
