import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as Interleavings from "../../../../src/conformance/conform/races/Interleavings.ts"
import type { Plan, Race, Request } from "../../../../src/conformance/conform/races/Race.ts"
import * as Races from "../../../../src/conformance/conform/races/Races.ts"
import * as Said from "../../../../src/conformance/conform/races/Said.ts"
import * as Setting from "../../../../src/conformance/conform/races/Setting.ts"
import * as Statement from "../../../../src/conformance/conform/races/Statement.ts"
import { Museum, type Rules, TransactionMuseum, type TransactionRules } from "../../../../src/core/index.ts"
import { Transactions } from "../../../../src/model/index.ts"

type Configuration = Transactions.Configuration.Configuration

const profiles = [
  { line: "4.4", version: 2 },
  { line: "4.4", version: 1 },
  { line: "3.9", version: 1 }
] as const satisfies ReadonlyArray<Setting.Profile>

const settings = new Map(profiles.map((profile) => [profile, Effect.runSync(Setting.of(profile))]))

const configurationOf = (profile: typeof profiles[number], plan: Plan): Configuration =>
  Setting.forPlan(settings.get(profile)!, plan)

const known = new Map<string, ReadonlyArray<Interleavings.Outcome>>()

const outcomesOf = (profile: typeof profiles[number], race: Race): ReadonlyArray<Interleavings.Outcome> => {
  const key = `${profile.line} ${profile.version} ${race.id}`
  const found = known.get(key)
  if (found !== undefined) return found
  const plan = race.plan(profile.version)
  const outcomes = Interleavings.outcomes(configurationOf(profile, plan), plan)
  known.set(key, outcomes)
  return outcomes
}

const raceOf = (id: string): Race => {
  const found = Races.all.find((race) => race.id === id)
  if (found === undefined) throw new Error(`there is no ${id}`)
  return found
}

/** `NONE, NONE (offset 1) | NONE // …`: answers of a connection, connections, rounds. */
const textOf = (outcome: Interleavings.Outcome): string =>
  outcome.map(({ answers }) => answers.map((said) => said.map(Said.textOf).join(", ")).join(" | ")).join(" // ")

const textsOf = (profile: typeof profiles[number], id: string): ReadonlyArray<string> =>
  [...new Set(outcomesOf(profile, raceOf(id)).map(textOf))].toSorted()

const [version2, version1, kafka39] = profiles

describe("what may come of a race", () => {
  /** By profile. */
  const counts: Readonly<Record<string, readonly [number, number, number]>> = {
    "race/next-transaction/same-connection": [2, 5, 5],
    "race/next-transaction/other-connection": [3, 9, 9],
    "race/next-transaction/last-batch": [2, 4, 4],
    "race/new-instance/Produce": [2, 2, 3],
    "race/new-instance/new-partition": [5, 6, 7],
    "race/new-instance/EndTxn": [5, 4, 4],
    "race/new-instance/abort": [3, 3, 3],
    "race/new-instance/everything": [42, 112, 152],
    "race/new-instance/two": [4, 4, 4],
    "race/new-instance/two-first": [4, 4, 4],
    "race/end/COMMIT-COMMIT": [3, 3, 3],
    "race/end/COMMIT-ABORT": [4, 4, 4],
    "race/end/three-on-one-partition": [6, 6, 6],
    "race/end/new-partition": [5, 4, 4],
    "race/end/offsets": [4, 4, 4],
    "race/batch/twice": [1, 1, 1],
    "race/batch/first-twice": [5, 3, 3],
    "race/batch/two-in-no-order": [2, 2, 2],
    "race/batch/two-first-in-no-order": [6, 5, 5],
    "race/batch/several-partitions": [19, 7, 7],
    "race/batch/with-offsets": [5, 9, 9],
    "race/kill/COMMIT": [11, 11, 11],
    "race/kill/ABORT": [11, 11, 11],
    "race/kill/Produce": [3, 3, 3],
    "race/kill/window": [1, 1, 1],
    "race/kill/open-transaction": [1, 1, 1],
    "race/kill/pending-offsets": [1, 1, 1],
    "race/stop/window": [1, 1, 1],
    "race/stop/open-transaction": [1, 1, 1],
    "race/stop/pending-offsets": [1, 1, 1]
  }

  it("is so many outcomes, and there are no other races", () => {
    const found = Object.fromEntries(
      Races.all.map((race) => [race.id, profiles.map((profile) => outcomesOf(profile, race).length)])
    )

    assert.deepStrictEqual<unknown>(found, counts)
  })

  /** What was seen on brokers: the race, the profile, and the answers. */
  const seen: ReadonlyArray<readonly [string, typeof profiles[number], ReadonlyArray<string>]> = [
    // EndTxn twice in one go: the second is told to ask again, or is the retry of one that was answered.
    ["race/end/COMMIT-COMMIT", version2, [
      "NONE (producer 1, epoch 1) | CONCURRENT_TRANSACTIONS",
      "NONE (producer 1, epoch 1) | NONE (producer 1, epoch 1)"
    ]],
    ["race/end/COMMIT-COMMIT", version1, ["NONE | CONCURRENT_TRANSACTIONS", "NONE | NONE"]],
    // The next transaction before the end of the one before: 51 of version 2; 51 and 19 of version 1.
    ["race/next-transaction/same-connection", version2, [
      "NONE (producer 1, epoch 1), CONCURRENT_TRANSACTIONS",
      "NONE (producer 1, epoch 1), NONE (offset 2)"
    ]],
    ["race/next-transaction/same-connection", version1, [
      "NONE, CONCURRENT_TRANSACTIONS, NOT_ENOUGH_REPLICAS",
      "NONE, CONCURRENT_TRANSACTIONS, TRANSACTION_ABORTABLE",
      "NONE, CONCURRENT_TRANSACTIONS, NONE (offset 1)",
      "NONE, NONE, NONE (offset 2)",
      // The marker came between the look for an open transaction and the append.
      "NONE, CONCURRENT_TRANSACTIONS, INVALID_TXN_STATE"
    ]],
    // First batches of one transaction on several connections: some are told to be sent again.
    ["race/batch/several-partitions", version2, [
      "NONE (offset 0) | NONE (offset 0) | NOT_ENOUGH_REPLICAS",
      "NOT_ENOUGH_REPLICAS | NOT_ENOUGH_REPLICAS | NONE (offset 0)"
    ]],
    ["race/batch/several-partitions", version1, [
      "NONE (offset 0) | NONE (offset 0) | NONE (offset 0)",
      "NOT_ENOUGH_REPLICAS | NOT_ENOUGH_REPLICAS | NONE (offset 0)"
    ]],
    // A commit between the two turns of a fence.
    ["race/new-instance/EndTxn", version1, ["UNKNOWN_SERVER_ERROR | CONCURRENT_TRANSACTIONS"]],
    // A fenced owner: 48 of a commit in version 2, 90 in version 1; 47 of a batch.
    ["race/new-instance/EndTxn", version2, ["INVALID_TXN_STATE | CONCURRENT_TRANSACTIONS"]],
    ["race/new-instance/EndTxn", version1, ["PRODUCER_FENCED | CONCURRENT_TRANSACTIONS"]],
    ["race/new-instance/Produce", version1, ["INVALID_PRODUCER_EPOCH | CONCURRENT_TRANSACTIONS"]],
    // The coordinator of 3.9 asks who it is first.
    ["race/new-instance/new-partition", kafka39, [
      "PRODUCER_FENCED, INVALID_PRODUCER_EPOCH | CONCURRENT_TRANSACTIONS"
    ]]
  ]

  for (const [id, profile, answers] of seen) {
    it(`has what was seen of ${id} in version ${profile.version} on ${profile.line}`, () => {
      const allowed = textsOf(profile, id)

      assert.includeMembers([...allowed], [...answers])
      assert.notInclude(allowed.join(), "the connection ended")
    })
  }

  const resent = (...answers: ReadonlyArray<string>): string =>
    answers.map((answer, i) => answer === "NONE" ? `NONE (offset ${i})` : "OUT_OF_ORDER_SEQUENCE_NUMBER").join(", ")

  for (const profile of profiles) {
    it(`is a window of five batches, and of one after a restart, in version ${profile.version} on ${profile.line}`, () => {
      const window = resent("", "NONE", "NONE", "NONE", "NONE", "NONE")
      const last = resent("", "", "", "", "", "NONE")

      assert.deepStrictEqual(textsOf(profile, "race/kill/window"), [`${window} //  // ${last}`])
      assert.deepStrictEqual(textsOf(profile, "race/stop/window"), [`${window} //  // ${last}`])
    })

    it(`is a transaction that ended as a whole or did not, in version ${profile.version} on ${profile.line}`, () => {
      for (const result of ["COMMIT", "ABORT"] as const) {
        const outcomes = outcomesOf(profile, raceOf(`race/kill/${result}`))
        const states = new Set<string>()
        for (const outcome of outcomes) {
          const [killed, ended] = outcome
          const described = killed!.statement.ids[0]!
          if (!("state" in described)) return assert.fail("nothing is known of the transaction")
          states.add(described.state)
          const isAnswered = !("closed" in killed!.answers[0]![0]!)
          if (isAnswered) assert.notStrictEqual(described.state, "Ongoing")
          for (const { uncommitted } of ended!.statement.partitions) {
            if ("failed" in uncommitted) return assert.fail(uncommitted.failed)
            const kinds = uncommitted.batches.map(({ kind }) => kind)
            assert.includeMembers([["DATA", result].join(), ["DATA", result, result].join()], [kinds.join()])
          }
        }
        assert.sameMembers([...states], ["Ongoing", result === "COMMIT" ? "CompleteCommit" : "CompleteAbort"])
      }
    })
  }

  it("is pending offsets that are still pending after a restart, and then committed", () => {
    for (const profile of profiles) {
      const [outcome, ...others] = outcomesOf(profile, raceOf("race/kill/pending-offsets"))

      assert.lengthOf(others, 0)
      assert.deepStrictEqual(
        outcome!.map(({ statement }) => statement.offsets),
        [
          [{ error: "NONE", offset: -1 }, { error: "UNSTABLE_OFFSET_COMMIT", offset: -1 }],
          [{ error: "NONE", offset: 1 }, { error: "NONE", offset: 1 }]
        ]
      )
    }
  })
})

describe("whatever comes of a race", () => {
  const requestsOf = (plan: Plan, round: number): ReadonlyArray<ReadonlyArray<Request>> =>
    plan.rounds[round]!.connections.map((asks) => asks.map(({ request }) => request))

  for (const race of Races.all) {
    it(`${race.id} loses nothing that was acknowledged, and has nothing twice`, () => {
      for (const profile of profiles) {
        const plan = race.plan(profile.version)
        const outcomes = outcomesOf(profile, race)
        assert.isAbove(outcomes.length, 0)
        for (const outcome of outcomes) {
          const logs = new Map(
            outcome.at(-1)!.statement.partitions.map(({ name, uncommitted }) => [
              name,
              "failed" in uncommitted ? [] : uncommitted.batches
            ])
          )
          for (const batches of logs.values()) {
            const data = batches.filter(({ kind }) => kind === "DATA")
            const names = data.map(({ epoch, producerId, sequence }) => `${producerId} ${epoch} ${sequence}`)
            assert.lengthOf(new Set(names), names.length)
          }
          outcome.forEach(({ answers }, round) =>
            requestsOf(plan, round).forEach((requests, i) =>
              requests.forEach((request, j) => {
                const said = answers[i]![j]!
                if (request._tag !== "Produce" || request.position === "none") return
                if (!("error" in said) || said.error !== "NONE") return
                const found = logs.get(request.partition)!.find(({ offset }) => offset === said.offset)
                assert.strictEqual(found?.kind, "DATA")
              })
            )
          )
        }
      }
    })
  }

  it("holds up no reader without a transaction that its coordinator knows to be open", () => {
    let open = 0
    for (const race of Races.all.filter(({ plan }) => !plan(2).idempotent)) {
      for (const profile of profiles) {
        for (const { statement: { ids, partitions } } of outcomesOf(profile, race).flat()) {
          for (const { name, uncommitted } of partitions) {
            if ("failed" in uncommitted || uncommitted.lastStableOffset === uncommitted.highWatermark) continue
            open++
            assert.isTrue(
              ids.some((id) => "state" in id && id.state === "Ongoing" && id.partitions.includes(name)),
              `${race.id}: ${name} is held up at ${uncommitted.lastStableOffset}`
            )
          }
        }
      }
    }
    assert.isAbove(open, 0)
  })

  it("comes of requests one after the other, too", () => {
    let compared = 0
    for (const race of Races.all.filter(({ needsRestart }) => !needsRestart)) {
      for (const profile of profiles) {
        const plan = race.plan(profile.version)
        const [round] = plan.rounds
        const configuration = configurationOf(profile, plan)
        const allowed = new Set(outcomesOf(profile, race).map(Interleavings.keyOf))
        const { connections } = round!
        const orders = [connections.map((_, i) => i), connections.map((_, i) => connections.length - 1 - i)]
        for (const order of orders) {
          const rounds = order.map((i) => ({ connections: [connections[i]!] }))
          for (const outcome of Interleavings.outcomes(configuration, { ...plan, rounds })) {
            const answers = connections.map((_, i) => outcome[order.indexOf(i)]!.answers[0]!)
            const { statement } = outcome.at(-1)!
            compared++
            assert.isTrue(allowed.has(Interleavings.keyOf([{ answers, statement }])), `${race.id}: ${textOf(outcome)}`)
          }
        }
      }
    }
    assert.isAbove(compared, Races.all.length)
  })
})

describe("a request alone", () => {
  const isRaced = (request: Transactions.Requests.Request): request is Request =>
    request._tag !== "WriteTxnMarker" && request._tag !== "VerifyPartition" && request._tag !== "TransactionTimeout"

  for (const profile of profiles) {
    it(`has the one answer that it has at rest, in version ${profile.version} on ${profile.line}`, () => {
      const common: Plan = {
        partitions: ["A"],
        transactionalIds: 1,
        group: true,
        idempotent: false,
        preparation: [],
        rounds: []
      }
      const configuration = configurationOf(profile, common)
      const requests = Transactions.RequestActions.requestsOf(configuration).filter(isRaced)
      const errors = new Set<string>()
      let compared = 0
      const descend = (preparation: ReadonlyArray<Request>, depth: number): void => {
        const world = Interleavings.prepare(configuration, { ...common, preparation }).at(-1)?.after
          ?? Transactions.model.initial(configuration)
        for (const request of requests) {
          const performed = Transactions.Requests.perform(configuration, world, request)
          if (performed === undefined) continue
          const plan: Plan = { ...common, preparation, rounds: [{ connections: [[{ request }]] }] }
          assert.deepStrictEqual(Interleavings.outcomes(configuration, plan), [[{
            answers: [[Said.of(request, performed.answer)]],
            statement: Statement.expected(configuration, performed.world)
          }]])
          compared++
          errors.add(performed.answer.error)
          if (performed.world !== world && depth > 0) descend([...preparation, request], depth - 1)
        }
      }
      descend([], 2)
      assert.isAbove(compared, 200)
      assert.includeMembers([...errors], ["NONE", "PRODUCER_FENCED", "INVALID_TXN_STATE"])
    })
  }
})

describe("a bug", () => {
  const withRules = (configuration: Configuration, exhibit: string): Configuration => {
    const { context } = configuration
    const transactions: Partial<TransactionRules.Rules> | undefined =
      (TransactionMuseum.overrides as Readonly<Record<string, TransactionMuseum.Override>>)[exhibit]
    const producers: Partial<Rules.Rules> | undefined =
      (Museum.overrides as Readonly<Record<string, Museum.Override>>)[exhibit]
    assert.isTrue(transactions !== undefined || producers !== undefined)
    return {
      ...configuration,
      context: {
        ...context,
        rules: { ...context.rules, ...transactions },
        replica: { ...context.replica, rules: { ...context.replica.rules, ...producers } }
      }
    }
  }

  /** Of the first five nobody finds any who asks one request at a time of a broker that stays. */
  for (
    const [exhibit, id, profile] of [
      ["KAFKA-14884", "race/end/new-partition", version1],
      ["KAFKA-14884", "race/end/offsets", version1],
      ["KAFKA-10080", "race/next-transaction/other-connection", version2],
      ["KAFKA-10080", "race/new-instance/EndTxn", version1],
      ["AutoMQ-437", "race/kill/Produce", version2],
      ["AutoMQ-437", "race/stop/window", version1],
      ["KAFKA-5231", "race/new-instance/Produce", version2],
      ["KAFKA-5268", "race/end/COMMIT-COMMIT", version1],
      ["KAFKA-19999", "race/kill/COMMIT", version2],
      ["KAFKA-8587", "race/batch/with-offsets", version1],
      ["redpanda-3036", "race/batch/first-twice", version2],
      ["redpanda-3038", "race/kill/window", version2]
    ] as const
  ) {
    it(`has outcomes that may not be: ${exhibit} in ${id}, version ${profile.version}`, () => {
      const race = raceOf(id)
      const plan = race.plan(profile.version)
      const configuration = configurationOf(profile, plan)
      const allowed = new Set(outcomesOf(profile, race).map(Interleavings.keyOf))

      const outcomes = Interleavings.outcomes(withRules(configuration, exhibit), plan)

      assert.isTrue(outcomes.some((outcome) => !allowed.has(Interleavings.keyOf(outcome))))
    })
  }
})

describe("a plan", () => {
  it("is refused where the specification cannot do what it wants", () => {
    const retired: Request = { _tag: "InitProducerId", id: 1, identity: "retired" }
    const plan: Plan = {
      partitions: ["A"],
      transactionalIds: 1,
      group: false,
      idempotent: false,
      preparation: [retired],
      rounds: []
    }

    assert.throws(() => Interleavings.outcomes(configurationOf(version2, plan), plan), /not possible here/)
  })
})
