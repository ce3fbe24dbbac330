import { assert, describe, it } from "vitest"
import * as Histories from "../../src/conformance/Histories.ts"
import * as HistoryChecker from "../../src/conformance/HistoryChecker.ts"
import { runScenario, Scenario, trialOf } from "../../src/conformance/idempotent/index.ts"
import { Limits, Museum, Releases, Rules } from "../../src/core/index.ts"
import type { FaultKind } from "../../src/model/idempotent/Configuration.ts"

type Property = HistoryChecker.Property

const faults: ReadonlyArray<FaultKind> = [
  "Disconnect",
  "NOT_LEADER_OR_FOLLOWER",
  "KAFKA_STORAGE_ERROR",
  "TOPIC_AUTHORIZATION_FAILED",
  "TimeOutProduce",
  "ExpireBatch",
  "LeaderChange",
  "RestartLeader"
]

interface Changes extends Partial<Pick<Scenario.Setup["sender"], "acks" | "idempotence" | "retries" | "maxInFlight">> {
  readonly rules?: Museum.Override
  readonly faultKinds?: ReadonlyArray<FaultKind>
  readonly startSequence?: number
}

/** The idempotent producer under the base rules, but for these changes. */
const setup = ({ faultKinds = faults, rules, startSequence = 0, ...sender }: Changes = {}): Scenario.Setup => {
  const replica = { rules: { ...Rules.base, ...rules }, limits: Limits.kafka }
  return Scenario.setupOf({
    partitions: ["p1"],
    batchesPerPartition: 2,
    twoRecordBatches: new Set(),
    startSequence,
    faultBudget: 2,
    faultKinds: new Set(faultKinds),
    sender: {
      acks: "all",
      idempotence: true,
      retries: Limits.kafka.maxSequence,
      maxInFlight: 2,
      ...sender,
      ...replica
    },
    replica
  })
}

interface Row {
  readonly setup: Scenario.Setup
  /** What the model checker finds violated in the same row. */
  readonly violated: ReadonlyArray<Property>
  /** How many runs show all of it, with much to spare. */
  readonly runs: number
}

const rows: Readonly<Record<string, Row>> = {
  "the base": { setup: setup(), violated: [], runs: 1_000 },
  "the base with one request in flight": { setup: setup({ maxInFlight: 1 }), violated: [], runs: 300 },
  "acks=0": {
    setup: setup({ acks: "0", idempotence: false }),
    violated: ["NoLoss", "NoGap", "InOrder"],
    runs: 300
  },
  "acks=1 without retries": {
    setup: setup({ acks: "1", idempotence: false, retries: 0 }),
    violated: ["NoLoss", "NoGap", "InOrder"],
    runs: 600
  },
  "acks=1 with retries": {
    setup: setup({ acks: "1", idempotence: false }),
    violated: ["NoLoss", "NoDuplicate", "NoGap", "InOrder"],
    runs: 300
  },
  "acks=all without idempotence, 5 in flight": {
    setup: setup({ idempotence: false }),
    violated: ["NoDuplicate", "NoGap", "InOrder"],
    runs: 1_000
  },
  "acks=all without idempotence, 1 in flight": {
    setup: setup({ idempotence: false, maxInFlight: 1 }),
    violated: ["NoDuplicate", "InOrder"],
    runs: 300
  },
  "the rules of Kafka 4.4": {
    setup: setup({ rules: Releases.overrides["4.4"] }),
    violated: ["NoDuplicate", "NoGap", "InOrder"],
    runs: 2_000
  },
  "a new producer id": {
    setup: setup({ faultKinds: ["Disconnect", "RestartProducer"] }),
    violated: ["NoDuplicate", "InOrder"],
    runs: 300
  },
  "expired producer state": {
    setup: setup({ faultKinds: ["Disconnect", "ExpireProducerState"] }),
    violated: ["NoDuplicate", "InOrder"],
    runs: 600
  },
  "a restarted leader that remembers one batch": {
    setup: setup({
      faultKinds: ["RestartLeader"],
      rules: { ...Releases.overrides.snapshot, ...Museum.overrides["KAFKA-14034"] }
    }),
    violated: ["NoDuplicate", "InOrder"],
    runs: 300
  }
}

describe("random histories", () => {
  for (const [name, { runs, setup, violated }] of Object.entries(rows)) {
    it(`${name}: ${violated.length === 0 ? "nothing" : violated.join(", ")} is violated`, () => {
      const explored = Histories.explore(trialOf(setup), { runs, seed: 20_261_122 })

      const found = HistoryChecker.properties.filter((property) => explored.properties[property]!.violated > 0)
      assert.deepStrictEqual(found, violated)
      assert.strictEqual(explored.runs, runs)
      assert.isAbove(explored.operations, 10 * runs)
      assert.deepStrictEqual(explored.broken, { violated: 0 })
      for (const property of violated) {
        const { path, scenario, seed, sentence } = explored.properties[property]!.first!
        const again = Histories.at(trialOf(setup), seed, path)
        const verdict = HistoryChecker.check(runScenario(setup, again))
        assert.strictEqual(again.toString(), scenario)
        assert.isTrue(verdict._tag === "Judged" && verdict[property].value === "violated")
        assert.include(HistoryChecker.summarize(verdict), sentence)
      }
    })
  }
})

describe("an exploration", () => {
  const broken = setup({ idempotence: false })

  it("says the same for the same seed, and something else for another", () => {
    const explore = (seed: number) => Histories.explore(trialOf(broken), { runs: 40, seed })

    assert.deepStrictEqual(explore(1), explore(1))
    assert.notDeepEqual(explore(1), explore(2))
  })

  it("runs one scenario again when given its path", () => {
    const { first } = Histories.explore(trialOf(broken), { runs: 40, seed: 1 }).properties["NoDuplicate"]!

    const again = Histories.explore(trialOf(broken), { runs: 1, seed: first!.seed, path: first!.path })

    assert.strictEqual(again.runs, 1)
    assert.strictEqual(again.properties["NoDuplicate"]!.violated, 1)
  })

  it("tells how far it is", () => {
    const told: Array<number> = []

    Histories.explore(trialOf(setup()), { runs: 250, seed: 1, onProgress: (runs) => told.push(runs) })

    assert.deepStrictEqual(told, [100, 200])
  })

  it("reaches what the model checker's bounds leave out", () => {
    const base = setup()
    const reached = new Map<string, number>()
    for (let run = 0; run < 200; run++) {
      const { parts } = Histories.at(trialOf(base), 1, String(run))
      const records = parts.sendings.reduce((sum, sending) => sum + sending.records, 0)
      const reach = (what: string, value: number): void => {
        reached.set(what, Math.max(value, reached.get(what) ?? 0))
      }
      reach("records", records)
      reach("partitions", new Set(parts.sendings.map(({ partition }) => partition)).size)
      reach("faults", parts.faults.length)
      reach("batch size", parts.batchSize)
      // From the first sequence on, more records than there are sequences left.
      const most = Math.max(
        ...[0, 1, 2].map((partition) =>
          parts.sendings.reduce((sum, sending) => sending.partition === partition ? sum + sending.records : sum, 0)
        )
      )
      reach("records after the wrap", parts.startSequence + most - 1 - Limits.kafka.maxSequence)
    }

    assert.strictEqual(reached.get("records"), Scenario.maxRecords)
    assert.strictEqual(reached.get("partitions"), 3)
    assert.isAtLeast(reached.get("faults")!, 8)
    assert.strictEqual(reached.get("batch size"), 4)
    assert.isAbove(reached.get("records after the wrap")!, 5)
  })
})

describe("a scenario", () => {
  it("gives the same history every time", () => {
    for (let run = 0; run < 20; run++) {
      const scenario = Histories.at(trialOf(setup()), 3, String(run))

      assert.deepStrictEqual(runScenario(setup(), scenario), runScenario(setup(), scenario))
    }
  })

  it("reads as one line per event", () => {
    const scenario = new Scenario.Scenario({
      seed: 5,
      startSequence: 0,
      batchSize: 2,
      linger: 0,
      deliveryTimeout: 2_000,
      requestTimeout: 1_000,
      slowestMessage: 10,
      slowestFetch: 20,
      late: 50,
      sendings: [{ at: 0, partition: 0, records: 3 }, { at: 120, partition: 2, records: 1 }],
      faults: [{ at: 7, kind: "LeaderChange", partition: 0 }, { at: 9, kind: "RestartProducer", partition: 1 }],
      outages: [
        { at: 8, kind: "CrashBroker", target: 1, duration: 50 },
        { at: 130, kind: "Isolate", target: 2, duration: 300 }
      ],
      stop: 150
    })

    assert.strictEqual(
      scenario.toString(),
      [
        "network seed 5, first sequence 0, batch size 2, linger 0 ms, request timeout 1000 ms, delivery timeout "
        + "2000 ms, messages within 10 ms, fetches within 20 ms, requests late by up to 50 ms",
        "    0 ms  send 3 records to p0",
        "    7 ms  LeaderChange(p0)",
        "    8 ms  CrashBroker(2)",
        "    9 ms  RestartProducer",
        "  120 ms  send 1 record to p2",
        "  130 ms  Isolate(p2) for 300 ms",
        "  150 ms  the application ends"
      ].join("\n")
    )
  })
})
