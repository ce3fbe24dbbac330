import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, assert, describe, it } from "vitest"
import { Limits, Rules, Transaction, TransactionalPartition, TransactionRules } from "../../../src/core/index.ts"
import { Transactions } from "../../../src/runtime/index.ts"

const { Action, Controlled, SqliteTransactionLog, TransactionLog } = Transactions

const folder = mkdtempSync(join(tmpdir(), "keos-controlled-"))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const context: Transaction.Context = {
  transactionVersion: 2,
  verification: true,
  rules: TransactionRules.base,
  replica: { rules: Rules.base, limits: Limits.kafka }
}

const setup: Transactions.Setup.Setup = {
  context,
  clients: [{ transactionalId: 1, version: 2, transactions: 2 }],
  transactionalIds: 1,
  partitions: ["A", "B"],
  replicationLag: false
}

const grouped: Transactions.Setup.Setup = { ...setup, partitions: ["A", Transaction.groupPartition] }

/** Performs actions as labels have them, each of which must be possible; faults are numbered downwards from 9. */
const perform = (controlled: Transactions.Controlled.Controlled, labels: ReadonlyArray<string>): void => {
  for (const label of labels) {
    const [name, ...instance] = label.split(/[(), ]+/).filter((part) => part !== "")
    assert.isTrue(controlled.perform(Action.named(name!, instance), 9), label)
  }
}

const begun = ["InitTransactions(1)", "HandleInitProducerId(1, 0)", "AppendOk(1)"]

const written = (partition: string) => [
  `SendProduce(1, ${partition})`,
  `HandleProduce(1, ${partition}, 0)`,
  `HandleVerification(1, ${partition}, 0)`,
  "AppendOk(1)",
  `AppendVerified(1, ${partition}, 0)`
]

const prepared = [...begun, ...written("A"), ...written("B"), "Commit(1)", "HandleEndTxn(1, 0)", "AppendOk(1)"]

const readable = ({ partitions }: Transactions.Hosts.Snapshot) =>
  partitions.map((partition) => TransactionalPartition.readCommitted(context, partition))

describe("a controlled transactional cluster", () => {
  it("shows the records of all partitions when the transaction is committed", () => {
    const seen: Array<Transactions.Events.Observation> = []
    const controlled = Controlled.make({ ...setup, observed: (observation) => seen.push(observation) })
    perform(controlled, prepared)
    assert.deepStrictEqual(readable(controlled.snapshot()), [[], []])
    perform(controlled, ["HandleMarker(1, B, 0)", "HandleMarker(1, A, 0)", "CompleteTransaction(1)", "AppendOk(1)"])

    const snapshot = controlled.snapshot()
    assert.deepStrictEqual(readable(snapshot), [[0], [0]])
    assert.strictEqual(snapshot.clients[0]!.state, "READY")
    assert.strictEqual(snapshot.transactionStates[0]!.state, "CompleteCommit")
    const transaction = { client: 1, number: 1 }
    assert.deepStrictEqual(seen, [
      { _tag: "Initializing", client: 1 },
      { _tag: "Initialized", client: 1, transactionalId: 1 },
      { _tag: "Began", transaction, input: -1 },
      { _tag: "HandedOver", transaction, partition: "A", record: 1 },
      { _tag: "HandedOver", transaction, partition: "B", record: 2 },
      { _tag: "CommitCalled", transaction },
      { _tag: "Committed", transaction }
    ])
    controlled.close()
  })

  it("commits the offset of the group with the record", () => {
    const seen: Array<Transactions.Events.Observation> = []
    const controlled = Controlled.make({ ...grouped, observed: (observation) => seen.push(observation) })
    const group = Transaction.groupPartition
    perform(controlled, begun)
    assert.isFalse(controlled.perform({ _tag: "SendProduce", client: 1, partition: "A" }, 9))
    perform(controlled, ["JoinGroup(1)"])
    assert.isFalse(controlled.perform({ _tag: "SendProduce", client: 1, partition: group }, 9))
    perform(controlled, written("A"))
    assert.isFalse(controlled.perform({ _tag: "Commit", client: 1 }, 9))
    perform(controlled, [...written(group), "Commit(1)", "HandleEndTxn(1, 0)", "AppendOk(1)"])
    assert.strictEqual(TransactionalPartition.committedOffset(controlled.snapshot().partitions[1]!), 0)
    perform(controlled, [`HandleMarker(1, ${group}, 0)`])

    assert.strictEqual(TransactionalPartition.committedOffset(controlled.snapshot().partitions[1]!), 1)
    assert.deepInclude(seen, { _tag: "Joined", client: 1, generation: 1, offset: 0 })
    assert.deepInclude(seen, { _tag: "OffsetHandedOver", transaction: { client: 1, number: 1 }, offset: 1 })
    controlled.close()
  })

  it("tells the application that dies with a transaction what it lost", () => {
    const seen: Array<Transactions.Events.Observation> = []
    const controlled = Controlled.make({ ...setup, observed: (observation) => seen.push(observation) })
    perform(controlled, [
      ...begun,
      "CrashClient(1)",
      "InitTransactions(1)",
      "HandleInitProducerId(1, 0)",
      "AppendOk(1)"
    ])
    assert.notInclude(seen.map(({ _tag }) => _tag), "Lost")
    perform(controlled, ["SendProduce(1, A)", "CrashClient(1)"])

    const lost = { _tag: "Lost", transaction: { client: 1, number: 1 }, reason: "crash" } as const
    assert.deepStrictEqual(seen.at(-1), lost)
    const [sent] = controlled.snapshot().produces
    assert.strictEqual(sent?.copy, 9)
    controlled.close()
  })

  it("refuses the client when an append fails, and the record is nowhere", () => {
    const controlled = Controlled.make(setup)
    perform(controlled, ["InitTransactions(1)", "HandleInitProducerId(1, 0)", "AppendFail(1)"])

    const { clients, requests, transactionStates } = controlled.snapshot()
    assert.strictEqual(transactionStates[0]!.state, "Unknown")
    // The answer was an error that passes: the request is on the way again.
    assert.deepStrictEqual(requests.map(({ copy, stage }) => [copy, stage]), [[0, "sent"]])
    assert.strictEqual(clients[0]!.state, "INITIALIZING")
    controlled.close()
  })

  it("does not know of a record that an append of unknown outcome has written, but its successor does", () => {
    const controlled = Controlled.make(setup)
    perform(controlled, ["InitTransactions(1)", "HandleInitProducerId(1, 0)", "AppendUnknown(1)"])

    assert.strictEqual(controlled.snapshot().transactionStates[0]!.epoch, 0)
    assert.strictEqual(controlled.snapshot().coordinators[0]!.metadata.epoch, -1)
    perform(controlled, ["CoordinatorFailover(1, FALSE)"])
    assert.strictEqual(controlled.snapshot().coordinators[0]!.metadata.epoch, 0)
    controlled.close()
  })

  it("finishes a prepared transaction although its coordinator was killed, from what is on disk", () => {
    const path = join(folder, "log.sqlite")
    const controlled = Controlled.make({ ...setup, log: SqliteTransactionLog.layer(path) })
    perform(controlled, [...prepared, "HandleMarker(1, A, 0)", "CoordinatorFailover(1, FALSE)"])
    const [coordinator] = controlled.snapshot().coordinators
    assert.deepStrictEqual([coordinator!.broker, coordinator!.epoch], [2, 1])
    assert.deepStrictEqual(coordinator!.outstanding, ["A", "B"])

    // The marker of the coordinator before is late, and the leader of A has had one already.
    perform(controlled, [
      "HandleMarker(1, A, 0)",
      "HandleMarker(1, B, 0)",
      "CompleteTransaction(1)",
      "CoordinatorFailover(1, TRUE)",
      "HandleMarker(1, B, 9)"
    ])
    const snapshot = controlled.snapshot()
    assert.deepStrictEqual(readable(snapshot), [[0], [0]])
    assert.strictEqual(snapshot.transactionStates[0]!.state, "CompleteCommit")
    assert.deepStrictEqual(snapshot.transactionStates[0], snapshot.coordinators[0]!.metadata)
    controlled.close()
  })

  it("keeps nothing of a coordinator that is gone but the log", () => {
    const records: Transactions.TransactionLog.Records = new Map()
    const controlled = Controlled.make({ ...setup, log: TransactionLog.TransactionLog.layerMemory(records) })
    perform(controlled, [...begun, ...written("A")])
    const { metadata } = controlled.snapshot().coordinators[0]!
    records.set(1, { ...metadata, epoch: 77 })
    perform(controlled, ["CoordinatorFailover(1, FALSE)"])

    assert.strictEqual(controlled.snapshot().coordinators[0]!.metadata.epoch, 77)
    controlled.close()
  })

  it("keeps nothing of a leader that is gone but what is replicated", () => {
    const controlled = Controlled.make({ ...setup, replicationLag: true })
    perform(controlled, [...begun, ...written("A"), "Replicate(A)", "Commit(1)", "HandleEndTxn(1, 0)", "AppendOk(1)"])
    perform(controlled, ["HandleMarker(1, A, 0)"])
    const before = controlled.snapshot()
    assert.deepStrictEqual(before.markers.map(({ broker, stage }) => [broker, stage]), [[1, "appended"]])
    perform(controlled, ["LeaderChange(A)"])

    const after = controlled.snapshot()
    const [partition] = after.partitions
    assert.deepStrictEqual(partition!.log.map(({ kind }) => kind), ["DATA"])
    assert.strictEqual(partition!.producers.get(1)!.firstOffset, 0)
    // The coordinator sends the marker again, to the new leader.
    assert.deepStrictEqual(after.markers.map(({ broker, stage }) => [broker, stage]), [[2, "sent"]])
    controlled.close()
  })
})
