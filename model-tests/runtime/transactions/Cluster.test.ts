import { Effect } from "effect"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, assert, describe, it } from "vitest"
import { Transaction, TransactionalPartition, TransactionRules } from "../../../src/core/index.ts"
import { Simulation, Transactions } from "../../../src/runtime/index.ts"
import { calm, client, context, having, type Run, run, stormy } from "./support.ts"

const folder = mkdtempSync(join(tmpdir(), "keos-cluster-"))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const commit = (...partitions: ReadonlyArray<string>): Transactions.Workload.Plan => ({ partitions, end: "commit" })
const abort = (...partitions: ReadonlyArray<string>): Transactions.Workload.Plan => ({ partitions, end: "abort" })

/** Partition and record of everything that consumers of this isolation level read. */
const readBy = (run: Run, isolation: Transactions.Events.Isolation): ReadonlyArray<string> =>
  having(run, "Read").filter((read) => read.isolation === isolation).map(({ partition, record }) =>
    `${partition} ${record}`
  ).sort()

const recordsOf = (run: Run, isCommitted: boolean): ReadonlyArray<string> => {
  const committed = new Set(
    having(run, "Committed").map(({ transaction: { client, number } }) => `${client}/${number}`)
  )
  return having(run, "HandedOver").filter(({ transaction: { client, number } }) =>
    !isCommitted || committed.has(`${client}/${number}`)
  ).map(({ partition, record }) => `${partition} ${record}`).sort()
}

const actionsOf = ({ taken }: Run): ReadonlyArray<string> => taken.map(({ action }) => action)

describe("a transactional cluster", () => {
  it("shows what is committed and nothing else to read_committed consumers when nothing goes wrong", () => {
    const transactions = [commit("A", "B"), abort("A"), commit("B"), abort("B", "A"), commit("A")]
    for (const version of [1, 2] as const) {
      const quiet = run(1, { ...calm, clients: [{ ...client, version, transactions }] })

      assert.strictEqual(having(quiet, "Committed").length, 3)
      assert.strictEqual(having(quiet, "Aborted").length, 2)
      assert.deepStrictEqual(having(quiet, "Lost"), [])
      assert.deepStrictEqual(readBy(quiet, "read_committed"), recordsOf(quiet, true))
      assert.deepStrictEqual(readBy(quiet, "read_uncommitted"), recordsOf(quiet, false))
      assert.isTrue(quiet.taken.every(({ fault }) => fault === undefined))
    }
  })

  it("works through the inputs of a group one after the other", () => {
    const transactions = Array.from({ length: 4 }, () => commit("A"))
    const partitions = ["A", Transaction.groupPartition]
    const grouped = run(2, { ...calm, partitions, clients: [{ ...client, transactions }] })

    assert.deepStrictEqual(having(grouped, "Began").map(({ input }) => input), [0, 1, 2, 3])
    assert.deepStrictEqual(having(grouped, "OffsetHandedOver").map(({ offset }) => offset), [1, 2, 3, 4])
    assert.deepStrictEqual(having(grouped, "GroupEnd"), [{ _tag: "GroupEnd", offset: 4 }])
  })

  it("commits offsets behind the transaction where the application does not send them with it", () => {
    const transactions = Array.from({ length: 3 }, () => commit("A"))
    const rules = { ...TransactionRules.base, OffsetsInTransaction: () => false }
    const grouped = run(3, {
      ...calm,
      context: { ...calm.context, rules },
      partitions: ["A", Transaction.groupPartition],
      clients: [{ ...client, transactions }]
    })

    assert.deepStrictEqual(having(grouped, "OffsetHandedOver"), [])
    assert.deepStrictEqual(having(grouped, "OffsetCommitted").map(({ offset }) => offset), [1, 2, 3])
    assert.deepStrictEqual(having(grouped, "GroupEnd"), [{ _tag: "GroupEnd", offset: 3 }])
  })

  it("fences the instance before when another one of its id begins", () => {
    const first = { ...client, restarts: 0, transactions: Array.from({ length: 40 }, () => commit("A", "B")) }
    const second = { ...client, start: 300, transactions: [commit("A")] }
    const fenced = run(4, { ...calm, clients: [first, second] })

    const lost = having(fenced, "Lost")
    assert.deepStrictEqual(lost.map(({ reason, transaction }) => [reason, transaction.client]), [["fatal error", 1]])
    assert.deepInclude(having(fenced, "Committed"), { _tag: "Committed", transaction: { client: 2, number: 1 } })
  })

  it("ends what an instance leaves behind that is stopped for good", () => {
    const transactions = [commit("A", "B"), commit("A", "B"), commit("A", "B")]
    const program = Effect.gen(function*() {
      const cluster = yield* Transactions.Cluster.make({
        ...calm,
        faultBudget: 8,
        clients: [{ ...client, transactions }]
      })
      for (let isOpen = false; !isOpen;) {
        yield* Effect.sleep(1)
        const { clients: [producer], coordinators: [coordinator] } = yield* cluster.snapshot
        isOpen = producer!.state === "IN_TRANSACTION" && coordinator!.metadata.state === "Ongoing"
      }
      const isStopped = yield* cluster.stop(1)
      while (!cluster.isAtRest()) yield* Effect.sleep(50)
      return { isStopped, snapshot: yield* cluster.snapshot }
    })

    const { isStopped, snapshot } = Effect.runSync(Simulation.run(Effect.scoped(program), { seed: 5 }))
    assert.isTrue(isStopped)
    assert.strictEqual(snapshot.coordinators[0]!.metadata.state, "CompleteAbort")
    for (const partition of snapshot.partitions) {
      assert.isUndefined(TransactionalPartition.firstUnstableOffset(partition))
    }
  })

  it("appends a batch late whose sender gave it up while its leader asked about it, and does not lose it", () => {
    const transactions = Array.from({ length: 6 }, () => commit("A"))
    /** How many batches were handled by their leader after they were given up, and how many of these behind the abort. */
    const appended = (lateness: number): { readonly all: number; readonly behind: number } => {
      let all = 0
      let behind = 0
      for (let seed = 0; seed < 20; seed++) {
        const { taken } = run(seed, {
          ...calm,
          context: context(1),
          clients: [{ ...client, version: 1, transactions }],
          // Whatever has not arrived is lost.
          delays: { ...calm.delays, late: 1_000, lateness, loss: 1 },
          timing: { ...calm.timing, deliveryTimeout: 8 },
          faultBudget: 20
        })
        taken.forEach(({ action, fault }, place) => {
          if (action !== "ExpireBatch") return
          const later = taken.slice(place)
          const append = later.findIndex((one) => one.action === "AppendVerified" && one.arguments[2] === fault)
          if (append < 0) return
          all++
          if (later.slice(0, append).some((one) => one.action === "HandleMarker")) behind++
        })
      }
      return { all, behind }
    }
    const late = appended(1)
    const punctual = appended(0)

    assert.isAbove(punctual.all, 20)
    assert.isBelow(punctual.behind, punctual.all / 2)
    assert.isAbove(late.all, 20)
    assert.isAbove(late.behind, late.all / 2)
  })

  it("does the same for the same seed", () => {
    for (let seed = 0; seed < 10; seed++) {
      const { faults, options } = stormy(seed)
      assert.deepStrictEqual(run(seed, options, faults), run(seed, options, faults))
    }
  })

  it("does the same whether the log is in memory or on disk", () => {
    for (let seed = 10; seed < 30; seed++) {
      const { faults, options } = stormy(seed)
      const log = Transactions.SqliteTransactionLog.layer(join(folder, `${seed}.sqlite`), { flush: false })
      assert.deepStrictEqual(run(seed, { ...options, log }, faults), run(seed, options, faults))
    }
  })

  it("loses nothing when brokers crash again and again and recover from the log on disk", () => {
    const transactions = Array.from({ length: 6 }, () => commit("A", "B"))
    const faults = Array.from({ length: 8 }, (_, i) => ({
      at: 40 + 90 * i,
      fault: { _tag: "CrashBroker", broker: i % 2 === 0 ? 1 : 2 } as const
    }))
    let failovers = 0
    for (let seed = 0; seed < 1_000; seed++) {
      const log = Transactions.SqliteTransactionLog.layer(join(folder, `crash-${seed}.sqlite`), { flush: false })
      const crashed = run(seed, { ...calm, log, faultBudget: 60, clients: [{ ...client, transactions }] }, faults)
      failovers += actionsOf(crashed).filter((action) => action === "CoordinatorFailover").length

      assert.deepStrictEqual(readBy(crashed, "read_committed"), recordsOf(crashed, true), `seed ${seed}`)
      assert.strictEqual(having(crashed, "Committed").length, 6, `seed ${seed}`)
      assert.deepStrictEqual(
        crashed.snapshot.transactionStates.map(({ state }) => state),
        crashed.snapshot.coordinators.map(({ metadata }) => metadata.state)
      )
    }
    assert.isAbove(failovers, 5_000)
  }, 300_000)

  it("has no faults beyond its budget, and none of a kind that is not allowed", () => {
    for (let seed = 0; seed < 40; seed++) {
      const { faults, options } = stormy(seed)
      const faultKinds = new Set(["CoordinatorFailover", "TransactionTimeout"] as const)
      const { taken } = run(seed, { ...options, faultBudget: 5, faultKinds }, faults)
      const numbers = taken.flatMap(({ fault }) => fault ?? [])

      assert.deepStrictEqual(numbers, numbers.map((_, i) => 5 - i), `seed ${seed}`)
      const kinds = taken.filter(({ fault }) => fault !== undefined).map(({ action }) => action)
      assert.isTrue(kinds.every((kind) => kind === "CoordinatorFailover" || kind === "TransactionTimeout"))
    }
  })

  it("works in real time as well", async () => {
    const seen: Array<string> = []
    const options: Transactions.Cluster.Options = {
      ...calm,
      clients: [{ ...client, transactions: [commit("A"), commit("B")] }],
      listener: { observed: ({ _tag }) => seen.push(_tag) }
    }
    const program = Effect.gen(function*() {
      const cluster = yield* Transactions.Cluster.Cluster
      while (!cluster.isAtRest()) yield* Effect.sleep(5)
    })

    await Effect.runPromise(Effect.provide(program, Transactions.Cluster.Cluster.layer(options)))

    assert.strictEqual(seen.filter((tag) => tag === "Committed").length, 2)
  })
})
