import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as Histories from "../../src/conformance/Histories.ts"
import * as Specification from "../../src/conformance/Specification.ts"
import {
  configurationOf,
  HistoryChecker,
  runScenario,
  Scenario,
  trial,
  trialOf
} from "../../src/conformance/transactions/index.ts"
import * as Validation from "../../src/conformance/Validation.ts"
import type { Transaction } from "../../src/core/index.ts"
import { Limits, Rules, TransactionRules } from "../../src/core/index.ts"
import { configurationOf as configurationIn, isRefusal, isRequest } from "../../src/model/Model.ts"
import { model } from "../../src/model/transactions/index.ts"

type Property = HistoryChecker.Property

const context = (
  transactionVersion: Transaction.Version,
  { maxEpoch = Limits.kafka.maxEpoch, ...rules }: Partial<TransactionRules.Rules> & { readonly maxEpoch?: number } = {}
): Transaction.Context => ({
  transactionVersion,
  verification: true,
  rules: { ...TransactionRules.base, ...rules },
  replica: { rules: Rules.base, limits: { ...Limits.kafka, maxEpoch } }
})

const violatedIn = ({ properties }: Histories.Explored): ReadonlyArray<Property> =>
  HistoryChecker.properties.filter((property) => properties[property]!.violated > 0)

const actionsNeverTaken = (...all: ReadonlyArray<Histories.Explored>): ReadonlyArray<string> =>
  model.actionNames.filter((action) =>
    !isRefusal(action) && !isRequest(action) && all.every(({ actions }) => actions![action] === 0)
  )

describe("random histories with every kind of fault", () => {
  const seed = 20_261_125
  const rows: Readonly<Record<string, Scenario.Setup>> = {
    "version 2": Scenario.everything(context(2), false),
    "version 2 with a group": Scenario.everything(context(2), true),
    "version 2, whose epochs are soon exhausted": Scenario.everything(context(2, { maxEpoch: 4 }), true),
    "version 2 with followers in step": { ...Scenario.everything(context(2), false), replicationLag: false }
  }
  for (const [name, setup] of Object.entries(rows)) {
    it(`${name}: nothing is violated, and every log is one of the model`, () => {
      const explored = Histories.explore(trialOf(setup), { runs: 250, seed })

      assert.deepStrictEqual(violatedIn(explored), [])
      assert.deepStrictEqual(explored.broken, { violated: 0 })
      assert.isAbove(explored.operations, 1_000)
    })
  }

  it("take every action of the model", () => {
    const version2 = Histories.explore(trialOf(Scenario.everything(context(2), true)), { runs: 60, seed })
    const version1 = Histories.explore(trialOf(Scenario.everything(context(1), false)), { runs: 60, seed })
    const outside = Histories.explore(
      trialOf(Scenario.everything(context(2, { OffsetsInTransaction: () => false }), true)),
      { runs: 20, seed }
    )

    assert.deepStrictEqual(actionsNeverTaken(version2, version1, outside), [])
    assert.include(actionsNeverTaken(version2), "AddPartitionsToTxn")
    assert.include(actionsNeverTaken(version2, version1), "CommitOffset")
  })

  it("of version 1, with late copies: fencing, order and stability hold all the same", () => {
    const faultKinds = new Set(["DisconnectCoordinator", "DisconnectMarker", "CoordinatorFailover"] as const)
    const setup = { ...Scenario.everything(context(1), true), faultKinds }

    const explored = Histories.explore(trialOf(setup), { runs: 300, seed, shorten: false })

    const never: ReadonlyArray<Property> = ["InOrder", "StableReads", "ZombieFenced", "NoHangingTransaction"]
    assert.deepStrictEqual(violatedIn(explored).filter((property) => never.includes(property)), [])
    assert.includeMembers([...violatedIn(explored)], ["NoLostCommit", "NoUncommittedRead"])
    assert.deepStrictEqual(explored.broken, { violated: 0 })
  })
})

describe("random histories of the guarantee matrix", () => {
  const { guarantees } = Effect.runSync(Specification.manifest)
  const runs: Readonly<Record<string, number>> = {
    transactional: 200,
    "transactional-version-1": 500,
    "transactional-kafka-2.5": 300,
    "transactional-kafka-4.1": 600,
    "transactional-kafka-4.4": 200,
    "reader-committed": 100,
    "reader-uncommitted": 50,
    "offsets-inside": 100,
    "offsets-outside": 200,
    "offsets-inside-two-instances": 200,
    "offsets-outside-two-instances": 600
  }
  for (const [name, count] of Object.entries(runs)) {
    it(`${name}: what they see violated is what the model checker finds`, () => {
      const row = guarantees.find(({ configuration }) => configuration === name)!
      const checked = Effect.runSync(Specification.load(row.module, row.config))
      const configuration = configurationIn(model, checked)!

      const explored = Histories.explore(trial(configuration), { runs: count, seed: 5, shorten: false })

      const judged = HistoryChecker.properties.filter((property) => row.cells[property] !== undefined)
      assert.isAtLeast(judged.length, 3)
      assert.deepStrictEqual(
        violatedIn(explored).filter((property) => judged.includes(property)),
        judged.filter((property) => row.cells[property]!.verdict === "violated")
      )
      assert.deepStrictEqual(explored.broken, { violated: 0 })
      assert.strictEqual(explored.runs, count)
    })
  }
})

describe("an exploration", () => {
  const broken = Scenario.everything(context(2, { OffsetsInTransaction: () => false }), true)

  it("finds a violation again by seed and path, as short as it was made", () => {
    const explored = Histories.explore(trialOf(broken), { runs: 60, seed: 1 })
    const { path, scenario, seed, sentence } = explored.properties["NoDuplicate"]!.first!

    const again = Histories.at(trialOf(broken), seed, path)
    const verdict = HistoryChecker.check(runScenario(broken, again).history)
    const rerun = Histories.explore(trialOf(broken), { runs: 1, seed, path })

    assert.strictEqual(again.toString(), scenario)
    assert.include(HistoryChecker.summarize(verdict), sentence)
    assert.strictEqual(rerun.properties["NoDuplicate"]!.violated, 1)
    const [run, ...shrinking] = path.split(":")
    assert.isNotEmpty(shrinking)
    assert.isBelow(scenario.length, Histories.at(trialOf(broken), seed, run!).toString().length)
  })

  it("says the same for the same seed, and something else for another", () => {
    const explore = (seed: number) => Histories.explore(trialOf(broken), { runs: 20, seed, shorten: false })

    assert.deepStrictEqual(explore(1), explore(1))
    assert.notDeepEqual(explore(1), explore(2))
  })

  it("reaches what the model checker's bounds leave out", () => {
    const setup = Scenario.everything(context(2), false)
    const reached = { instances: 0, ids: 0, transactions: 0, partitions: 0, faults: 0 }
    const kinds = new Set<string>()
    for (let run = 0; run < 200; run++) {
      const { parts } = Histories.at(trialOf(setup), 1, String(run))
      const reach = (what: keyof typeof reached, value: number): void => {
        reached[what] = Math.max(reached[what], value)
      }
      reach("instances", parts.instances.length)
      reach("ids", parts.transactionalIds)
      reach("transactions", Math.max(...parts.instances.map(({ transactions }) => transactions.length)))
      reach("partitions", parts.topics)
      reach("faults", parts.faults.length)
      for (const { fault } of parts.faults) kinds.add(fault._tag)
    }

    assert.deepStrictEqual(reached, { instances: 4, ids: 3, transactions: 8, partitions: 3, faults: 12 })
    assert.sameMembers([...kinds], [...setup.faultKinds, "CrashBroker"])
  })
})

describe("a scenario", () => {
  const setup = Scenario.everything(context(2), true)
  const scenarios = Array.from({ length: 15 }, (_, run) => Histories.at(trialOf(setup), 3, String(run)))

  it("leaves behind the same every time", () => {
    for (const scenario of scenarios) {
      assert.deepStrictEqual(runScenario(setup, scenario), runScenario(setup, scenario))
    }
  })

  it("has faults of no kind that the setup rules out", () => {
    const calm = { ...setup, faultKinds: new Set(["LeaderChange", "TransactionTimeout"] as const) }
    const none = { ...setup, faultKinds: new Set<never>() }
    for (let run = 0; run < 40; run++) {
      const { faults, faultKinds, stop } = Histories.at(trialOf(calm), 1, String(run)).parts
      assert.isTrue(faults.every(({ fault }) => fault._tag === "LeaderChange" || fault._tag === "TransactionTimeout"))
      assert.isTrue(faultKinds.every((kind) => calm.faultKinds.has(kind as "LeaderChange")))
      assert.isUndefined(stop)
      assert.deepStrictEqual(Histories.at(trialOf(none), 1, String(run)).parts.faults, [])
    }
  })

  it("reads as one line per instance and per fault", () => {
    const scenario = new Scenario.Scenario({
      seed: 5,
      topics: 2,
      transactionalIds: 1,
      instances: [
        {
          version: 2,
          start: 10,
          think: 20,
          transactions: [{ partitions: ["p1", "p0"], end: "commit" }, { partitions: ["p0"], end: "abort" }],
          restarts: 3
        },
        { version: 1, start: 0, think: 5, transactions: [{ partitions: ["p0"], end: "commit" }], restarts: 0 }
      ],
      faultKinds: ["DisconnectLeader", "CrashClient"],
      faults: [
        { at: 7, fault: { _tag: "DisconnectLeader", client: 1, partition: "p0" } },
        { at: 120, fault: { _tag: "CrashBroker", broker: 2 } }
      ],
      outages: [{ at: 30, kind: "Slow", node: "broker 2", duration: 300 }],
      askings: [{ at: 95, question: { _tag: "RefuseVerification", id: 1, producerId: 2, epoch: 0, partition: "p0" } }],
      clocks: [{ node: "client 2", rate: 0.5 }],
      stop: { at: 90, client: 2 },
      slowestMessage: 10,
      slowness: 0.1,
      late: 100,
      slowestFetch: 50,
      requestTimeout: 200,
      deliveryTimeout: 1_000,
      transactionTimeout: 2_000,
      appendFailures: 0,
      slowestPoll: 20,
      slowestStep: 5
    })

    assert.strictEqual(
      scenario.toString(),
      [
        "cluster seed 5, 2 partitions, messages within 10 ms, slow 0.1, late by up to 100 ms, fetches within 50 ms, "
        + "request timeout 200 ms, delivery timeout 1000 ms, transaction timeout 2000 ms, failed appends 0, polls within "
        + "20 ms, steps within 5 ms",
        "what may go wrong: DisconnectLeader, CrashClient",
        "the clock of client 2 goes 0.5 times as fast",
        "   10 ms  client 1, id 1, version 2: p1 p0 commit; p0 abort (thinks for up to 20 ms, restarts 3 times)",
        "    0 ms  client 2, id 1, version 1: p0 commit (thinks for up to 5 ms, restarts 0 times)",
        "    7 ms  DisconnectLeader(1, p0)",
        "   30 ms  Slow(broker 2) for 300 ms",
        "   90 ms  client 2 ends",
        "   95 ms  a stranger: RefuseVerification(1, 2, 0, p0)",
        "  120 ms  CrashBroker(2)"
      ].join("\n")
    )
  })
})

describe("the log of a run", () => {
  const setup = Scenario.everything(context(2), true)
  const scenario = Histories.at(trialOf(setup), 9, "4")
  const { log } = runScenario(setup, scenario)
  const validate = (lines: typeof log, of: Scenario.Setup = setup) =>
    Validation.validate({ model, configuration: configurationOf(of, scenario) }, lines)

  it("is accepted, and ends in the state of the run", () => {
    assert.isAbove(log.length, 100)
    assert.isDefined(log.at(-1)!.observed)
    assert.deepInclude(validate(log), { _tag: "Accepted", lines: log.length })
  })

  it("is rejected with any line left out, at the latest where the end is observed", () => {
    for (let at = 0; at < log.length - 1; at++) {
      assert.strictEqual(validate(log.toSpliced(at, 1))._tag, "Rejected", `line ${at + 1}`)
    }
  })

  it("is rejected with two lines of different roles exchanged where that makes a difference", () => {
    let rejected = 0
    for (let at = 0; at < log.length - 2; at++) {
      const exchanged = log.with(at, log[at + 1]!).with(at + 1, log[at]!)
      if (validate(exchanged)._tag === "Rejected") rejected++
    }

    assert.isAbove(rejected, log.length / 4)
  })

  it("is rejected under another version of the protocol", () => {
    assert.deepInclude(validate(log, { ...setup, context: context(1) }), { _tag: "Rejected", reason: "not enabled" })
  })
})
