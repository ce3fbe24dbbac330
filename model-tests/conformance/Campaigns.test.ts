import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as Campaigns from "../../src/conformance/Campaigns.ts"
import * as Models from "../../src/model/Models.ts"

const parts = Effect.runSync(Campaigns.parts)

const all = (names: ReadonlyArray<string>): Readonly<Record<string, number>> =>
  Object.fromEntries(names.map((name) => [name, 3]))

const refusals = new Map([
  ["IdempotentProducer", ["Produce A", "Produce B", "Produce C"]],
  ["Transactions", Array.from({ length: 20 }, (_, i) => `EndTxn E${i}`)]
])

/** A part that has reached everything. */
const complete = (specification: string): Campaigns.PartReport => {
  const model = Models.named(specification)
  return {
    name: specification,
    specification,
    runs: 3,
    operations: 9,
    calls: 9,
    violations: [],
    situations: 1,
    actions: all(model.actionNames),
    refusals: all(refusals.get(specification) ?? []),
    witnesses: all(Object.keys(model.witnesses ?? {})),
    trace: ""
  }
}

const without = (counts: Readonly<Record<string, number>>, ...names: ReadonlyArray<string>) =>
  Object.fromEntries(Object.entries(counts).filter(([name]) => !names.includes(name)))

const failuresOf = (
  reports: ReadonlyArray<Campaigns.PartReport>,
  runs: number = Campaigns.enoughRuns
): ReadonlyArray<string> =>
  Campaigns.checksOf({ parts: reports, reached: Campaigns.reachedBy(reports, refusals), runs }, "again")
    .flatMap(({ detail, name, status }) => status === "failed" ? [`${name}: ${detail}`] : [])

describe("the parts of a campaign", () => {
  it("share all runs, and claim something each", () => {
    assert.closeTo(parts.reduce((sum, { share }) => sum + share, 0), 1, 1e-9)
    assert.isTrue(parts.every(({ claims }) => claims.length >= 2))
  })

  it("have runs of their own", () => {
    assert.strictEqual(new Set(parts.map(({ name }) => Campaigns.seedOf(1, name))).size, parts.length)
    assert.notStrictEqual(Campaigns.seedOf(1, "idempotent"), Campaigns.seedOf(2, "idempotent"))
  })
})

describe("the checks of a campaign", () => {
  const idempotent = complete("IdempotentProducer")
  const transactions = complete("Transactions")

  it("are green where everything was reached and nothing violated", () => {
    assert.deepStrictEqual(failuresOf([idempotent, transactions]), [])
  })

  it("are red for an action that no run has taken, whichever part should have", () => {
    const actions = without(transactions.actions, "CommitOffset")

    assert.deepStrictEqual(failuresOf([idempotent, { ...transactions, actions }]), [
      "Transactions: every action is taken: CommitOffset"
    ])
    assert.deepStrictEqual(failuresOf([{ ...transactions, actions }, transactions]), [])
  })

  it("are red for more than one in twenty refusals that were not met", () => {
    const missing = (...names: ReadonlyArray<string>) =>
      failuresOf([{ ...transactions, refusals: without(transactions.refusals, ...names) }])

    assert.deepStrictEqual(missing("EndTxn E1"), [])
    assert.deepStrictEqual(missing("EndTxn E1", "EndTxn E2"), [
      "Transactions: 95% of the refusals are met: EndTxn E1; EndTxn E2"
    ])
  })

  it("do not ask so much of a few runs, but that nothing is violated", () => {
    const violation = { complaint: "NoLoss", runs: 2, path: "1", scenario: "…", sentence: "It is lost." }
    const poor = { ...idempotent, actions: {}, violations: [violation] }

    assert.deepStrictEqual(failuresOf([poor], 100), [
      "IdempotentProducer: nothing is violated: NoLoss in 2 runs: It is lost."
    ])
    const skipped = Campaigns.checksOf({ parts: [poor], reached: Campaigns.reachedBy([poor], refusals), runs: 100 }, "")
      .filter(({ status }) => status === "skipped")
    assert.strictEqual(skipped.length, 2)
  })
})
