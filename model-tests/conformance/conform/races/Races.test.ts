import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { ApacheKafka } from "../../../../src/conformance/conform/launch/index.ts"
import { Races } from "../../../../src/conformance/conform/races/index.ts"
import * as Interleavings from "../../../../src/conformance/conform/races/Interleavings.ts"
import * as Reference from "../../../../src/conformance/conform/Reference.ts"
import * as Target from "../../../../src/conformance/conform/Target.ts"
import { describeBroker, release } from "../launch/support.ts"

const raceOf = (id: string): Races.Race => {
  const found = Races.all.find((race) => race.id === id)
  if (found === undefined) throw new Error(`there is no ${id}`)
  return found
}

describe("races", () => {
  it("have names, sentences and sources", () => {
    assert.lengthOf(new Set(Races.all.map(({ id }) => id)), Races.all.length)
    for (const { id, level, sentence, source } of Races.all) {
      assert.match(id, /^race(\/[\w-]+){2}$/)
      assert.match(sentence, /^[A-Z].*\b(must|may|be)\b.*\.$/)
      assert.match(source, /^[A-Z]\w+(\.\w+)?/)
      assert.include(["MUST", "SHOULD"], level)
    }
  })

  it("that need a restart are the last", () => {
    const restarts = Races.all.map(({ needsRestart }) => needsRestart)
    const first = restarts.indexOf(true)

    assert.isAbove(first, 0)
    assert.isFalse(restarts.slice(first).includes(false))
  })
})

/** Runs a race on the reference, as it is or with a bug. */
const onReference = (id: string, exhibit: string | undefined, repetitions: number, transactionVersion: 1 | 2 = 2) =>
  Effect.gen(function*() {
    const address = yield* Reference.serve({ transactionVersion, exhibit })
    const target = yield* Target.know(address, "reference")
    return yield* Races.run(target, raceOf(id), { repetitions, seed: 7, run: "reference" })
  })

const judged = (report: Races.Report): Races.Judged =>
  report.verdict === "skipped" ? assert.fail(report.reason) : report

describe("on the reference, a race", () => {
  for (
    const [id, version] of [
      ["race/next-transaction/other-connection", 1],
      ["race/new-instance/everything", 2],
      ["race/end/three-on-one-partition", 2],
      ["race/end/offsets", 1],
      ["race/batch/twice", 2],
      ["race/batch/several-partitions", 2]
    ] as const
  ) {
    it.live(`comes out as it may: ${id}, version ${version}`, () =>
      Effect.gen(function*() {
        const { allowed, observed, repetitions, verdict, ...rest } = judged(
          yield* onReference(id, undefined, 5, version)
        )

        assert.strictEqual(
          verdict,
          "agrees",
          Races.describe({ allowed, observed, repetitions, verdict, ...rest }).join("\n")
        )
        assert.strictEqual(repetitions, 5)
        assert.strictEqual(observed.reduce((sum, { times }) => sum + times, 0), 5)
        const may = new Set(allowed.map(Interleavings.keyOf))
        for (const { outcome } of observed) assert.isTrue(may.has(Interleavings.keyOf(outcome)))
        assert.match(
          Races.summary({ allowed, observed, repetitions, verdict, ...rest }),
          new RegExp(`^agrees: ${observed.length} of ${allowed.length} allowed outcomes seen in 5 repetitions$`)
        )
      }))
  }

  it.live("diverges where readers are not held back, and says in what", () =>
    Effect.gen(function*() {
      const report = judged(yield* onReference("race/batch/first-twice", "redpanda-3036", 3))

      assert.strictEqual(report.verdict, "diverges")
      assert.strictEqual(report.repetitions, 1)
      assert.deepStrictEqual(report.observed, [])
      assert.strictEqual(Races.summary(report), "diverges in repetition 1")
      const lines = Races.describe(report)
      assert.match(lines[0]!, /^race\/batch\/first-twice: .* \(MUST; ProducerStateEntry\.findDuplicateBatch, /)
      assert.include(lines, "  1. InitProducerId of id 1 as none")
      assert.isTrue(
        lines.some((line) => line.startsWith("  connection 2: Produce v2 of id 1 as current to A, next -> "))
      )
      assert.include(lines, "  + A ends at 1, stable up to 0")
      assert.include(lines, "  - A ends at 1, stable up to 1")
    }))

  it.live("diverges where a fence leaves the epoch as it is, in what the owner is told or what is left", () =>
    Effect.gen(function*() {
      const { divergence, observed, repetitions, verdict } = judged(
        yield* onReference("race/new-instance/Produce", "KAFKA-5231", 10)
      )

      assert.strictEqual(verdict, "diverges")
      assert.strictEqual(divergence?.repetition, repetitions)
      assert.strictEqual(observed.reduce((sum, { times }) => sum + times, 0), repetitions - 1)
      assert.sameMembers(Object.keys(divergence!.partitions), ["A"])
    }))

  it.live("that restarts the broker is left out, and it says why", () =>
    Effect.gen(function*() {
      const report = yield* onReference("race/kill/COMMIT", undefined, 5)

      if (report.verdict !== "skipped") return assert.fail(report.verdict)
      assert.strictEqual(
        Races.summary(report),
        "skipped: it ends the broker and starts it again, which only a broker can be asked for that was launched here"
      )
    }))
})

describe("a divergence", () => {
  const race = raceOf("race/end/COMMIT-COMMIT")
  const common = { verdict: "diverges", race, plan: race.plan(2), repetitions: 3, allowed: [], observed: [] } as const
  const where = { repetition: 3, partitions: { A: "topic-0" }, transactionalIds: ["own"] }

  it("in the preparation is told with what was expected there", () => {
    const preparation = { step: 1, expected: { error: "NONE" }, actual: { error: "INVALID_TXN_STATE" } }

    const lines = Races.describe({ ...common, divergence: { ...where, preparation, observed: [], expected: [] } })

    assert.deepStrictEqual(lines.slice(1), [
      "repetition 3; A is topic-0, 1 is own",
      "preparation, one after the other:",
      "  1. InitProducerId of id 1 as none",
      "  2. Produce v2 of id 1 as current to A, next",
      "after 2. comes {\"error\":\"INVALID_TXN_STATE\"} instead of {\"error\":\"NONE\"}"
    ])
  })

  it("of answers is told with those that may be", () => {
    const statement: Races.Statement = {
      partitions: [],
      ids: [{ error: "NONE", state: "CompleteCommit", producerId: 1, epoch: 1, partitions: [] }],
      offsets: []
    }
    const done = { error: "NONE", producerId: 1, epoch: 1 } as const
    const observed = [{ answers: [[done], [{ closed: true as const }]], statement }]
    const expected = [
      { answers: [[done], [done]], statement },
      { answers: [[done], [{ error: "CONCURRENT_TRANSACTIONS" as const }]], statement }
    ]

    const lines = Races.describe({ ...common, divergence: { ...where, observed, expected } })

    assert.deepStrictEqual(lines.slice(5), [
      "round 1:",
      "  connection 1: EndTxn v2 of id 1 as current, COMMIT -> NONE (producer 1, epoch 1)",
      "  connection 2: EndTxn v2 of id 1 as current, COMMIT -> no answer, the connection ended",
      "  at rest:",
      "    transactional id 1: CompleteCommit, producer 1, epoch 1",
      "these answers are not allowed together: NONE (producer 1, epoch 1) | no answer, the connection ended",
      "allowed are:",
      "  NONE (producer 1, epoch 1) | NONE (producer 1, epoch 1)",
      "  NONE (producer 1, epoch 1) | CONCURRENT_TRANSACTIONS"
    ])
  })
})

describeBroker(`on Apache Kafka ${release}`, () => {
  it.live("races come out as they may, with a restart and without", () =>
    Effect.gen(function*() {
      const broker = yield* ApacheKafka.launch({ release, transactionVersion: 2 })
      const target = yield* Target.know(broker.address, "races")
      for (
        const [id, repetitions] of [
          ["race/end/COMMIT-COMMIT", 10],
          ["race/batch/several-partitions", 10],
          ["race/kill/window", 3]
        ] as const
      ) {
        const report = judged(yield* Races.run(target, raceOf(id), { repetitions, seed: 1, run: "races", broker }))

        assert.strictEqual(report.verdict, "agrees", Races.describe(report).join("\n"))
        assert.strictEqual(report.repetitions, repetitions)
        assert.isAbove(report.observed.length, 0)
      }
    }), 300_000)
})
