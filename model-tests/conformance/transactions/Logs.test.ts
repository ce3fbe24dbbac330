import { assert, describe, it } from "vitest"
import { driver } from "../../../src/conformance/transactions/Driver.ts"
import * as Validation from "../../../src/conformance/Validation.ts"
import * as Interner from "../../../src/model/Interner.ts"
import { isRefusal, isRequest } from "../../../src/model/Model.ts"
import type { Configuration } from "../../../src/model/transactions/Configuration.ts"
import type { World } from "../../../src/model/transactions/World.ts"
import { Transactions } from "../../../src/runtime/index.ts"
import * as Value from "../../../src/tlc/Value.ts"
import { type Run, run, stormy } from "../../runtime/transactions/support.ts"

const { model } = driver

/** The configuration of the specification under which the cluster lives. */
const configurationOf = (options: Transactions.Cluster.Options): Configuration => {
  const { clients, context, faultBudget, partitions, replicationLag, transactionalIds } = options
  const { limits } = context.replica
  const configuration = model.configuration({
    TransactionVersion: context.transactionVersion,
    Verification: context.verification,
    MaxEpoch: limits.maxEpoch,
    DedupWindow: limits.dedupWindow,
    Clients: clients.length,
    TransactionalIds: transactionalIds,
    TransactionsPerClient: Math.max(...clients.map(({ transactions }) => transactions.length)),
    Partitions: Value.set(partitions.filter((partition) => partition !== "__consumer_offsets")),
    Group: partitions.includes("__consumer_offsets"),
    Version1Clients: Value.set(clients.flatMap(({ version }, i) => version === 1 ? [i + 1] : [])),
    ReplicationLag: replicationLag,
    FaultBudget: faultBudget,
    FaultKinds: Value.set([...Transactions.Conductor.faultKinds])
  }, {})
  return { ...configuration, context }
}

const worldOf = ({ faultBudget, transactionsPerClient }: Configuration, { snapshot, taken }: Run): World => ({
  ...snapshot,
  faults: faultBudget - taken.filter(({ fault }) => fault !== undefined).length,
  history: snapshot.history.map((memories) =>
    Array.from({ length: transactionsPerClient }, (_, i) => memories[i] ?? Transactions.Application.nothing)
  )
})

describe("the log of a transactional cluster", () => {
  it("is a behaviour of the specification that ends where the cluster does", () => {
    const actions = new Map<string, number>()
    for (let seed = 0; seed < 400; seed++) {
      const { faults, options } = stormy(seed)
      const configuration = configurationOf(options)
      const ran = run(seed, options, faults)

      const validator = Validation.make({ model, configuration })
      for (const line of ran.taken) validator.observe(line)
      const verdict = validator.verdict()
      if (verdict._tag !== "Accepted") {
        assert.fail(`seed ${seed}: ${JSON.stringify({ ...verdict, world: undefined }, undefined, 2)}`)
      }
      const worlds = Interner.make(model.packing(configuration))
      const world = worldOf(configuration, ran)
      if (worlds.number(world) !== worlds.number(verdict.world)) {
        assert.deepStrictEqual(
          model.encode(configuration, world),
          model.encode(configuration, verdict.world),
          `seed ${seed}`
        )
      }
      for (const { action } of ran.taken) actions.set(action, (actions.get(action) ?? 0) + 1)
    }

    const orderly = model.actionNames.filter((name) => !isRefusal(name) && !isRequest(name))
    assert.sameMembers([...actions.keys()], orderly)
  })
})
