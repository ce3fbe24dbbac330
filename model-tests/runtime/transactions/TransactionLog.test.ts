import { Effect } from "effect"
import { spawn } from "node:child_process"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { DatabaseSync } from "node:sqlite"
import { fileURLToPath } from "node:url"
import { afterAll, assert, describe, it } from "vitest"
import { TransactionMetadata } from "../../../src/core/index.ts"
import { Transactions } from "../../../src/runtime/index.ts"

const { SqliteTransactionLog, TransactionLog } = Transactions

const folder = mkdtempSync(join(tmpdir(), "keos-log-"))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

let files = 0
const newFile = (): string => join(folder, `${++files}.sqlite`)

const ongoing: TransactionMetadata.Metadata = {
  ...TransactionMetadata.created(3),
  state: "Ongoing",
  epoch: 5,
  partitions: ["A", "B"],
  version: 2,
  transaction: { client: 1, number: 2 }
}

const run = <A>(layer: ReturnType<typeof SqliteTransactionLog.layer>, effect: Effect.Effect<A, unknown, never>): A =>
  Effect.runSync(Effect.provide(effect, layer))

const log = <A, E>(use: (log: Transactions.TransactionLog.TransactionLog["Service"]) => Effect.Effect<A, E>) =>
  TransactionLog.TransactionLog.use(use) as Effect.Effect<A, E>

describe.each([
  ["memory", () => TransactionLog.TransactionLog.layerMemory(new Map())],
  ["SQLite", () => SqliteTransactionLog.layer(newFile())]
])("a transaction log in %s", (_name, makeLayer) => {
  it("knows nothing of an id without records", () => {
    assert.deepStrictEqual(run(makeLayer(), log(({ load }) => load(1))), TransactionMetadata.unknown)
  })

  it("gives the last record of each id to whoever opens it next", () => {
    const layer = makeLayer()
    run(
      layer,
      log(({ append }) =>
        Effect.all([
          append(1, ongoing),
          append(2, { ...ongoing, epoch: 9 }),
          append(1, { ...ongoing, state: "PrepareCommit" })
        ])
      )
    )

    assert.deepStrictEqual(run(layer, log(({ load }) => load(1))), { ...ongoing, state: "PrepareCommit" })
    assert.deepStrictEqual(run(layer, log(({ load }) => load(2))), { ...ongoing, epoch: 9 })
  })

  it("forgets an id whose last record is a tombstone", () => {
    const layer = makeLayer()
    run(layer, log(({ append }) => Effect.all([append(1, ongoing), append(1, TransactionMetadata.unknown)])))

    assert.deepStrictEqual(run(layer, log(({ load }) => load(1))), TransactionMetadata.unknown)
  })

  it("has the record when an append ends unknown, and does not when it fails", () => {
    for (const [ending, kept] of [["failed", TransactionMetadata.unknown], ["unknown", ongoing]] as const) {
      const layer = makeLayer()
      const error = run(
        layer,
        log((log) => Effect.flip(TransactionLog.appendEnding(log, 1, ongoing, ending)))
      )

      assert.strictEqual(error._tag, "AppendFailed")
      assert.deepStrictEqual(run(layer, log(({ load }) => load(1))), kept)
    }
  })
})

describe("a transaction log in SQLite", () => {
  it("does not take a file for a log that holds something else", () => {
    const path = newFile()
    run(SqliteTransactionLog.layer(path), log(({ append }) => append(1, ongoing)))
    const database = new DatabaseSync(path)
    database.exec("UPDATE transaction_state SET value = '{\"producerId\":3}'")
    database.close()

    assert.throws(() => run(SqliteTransactionLog.layer(path), log(({ load }) => load(1))), /epoch|Missing/)
  })

  it("has after every kill what the killed process had appended", async () => {
    const path = newFile()
    const fixture = fileURLToPath(new URL("fixtures/appending.ts", import.meta.url))
    for (let kill = 1; kill <= 3; kill++) {
      const child = spawn(process.execPath, [fixture, path], { stdio: ["ignore", "pipe", "inherit"] })
      let heard = ""
      child.stdout.on("data", (bytes: Buffer) => {
        heard += bytes.toString()
        if (heard.split("\n").length > 20 * kill) child.kill("SIGKILL")
      })
      const signal = await new Promise((resolve) => child.on("close", (_code, by) => resolve(by)))
      const last = Number(heard.split("\n").at(-2))

      const { epoch } = run(SqliteTransactionLog.layer(path), log(({ load }) => load(1)))
      assert.strictEqual(signal, "SIGKILL")
      // It may have died between the append and the line.
      assert.include([last, last + 1], epoch, `kill ${kill}`)
    }
  })
})
