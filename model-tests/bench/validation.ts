/**
 * Speed of the validation of a file, as `keos validate` does it: the log of one run of the transactional cluster that is as
 * long as asked, with what each line changes, and all properties at every line.
 *
 * It shows what it costs to follow a long run whose logs grow, and whether that grows with the square of its length. What
 * it costs to start the command it does not show.
 */
import { Effect } from "effect"
import { createReadStream, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import * as EventLog from "../../src/conformance/EventLog.ts"
import * as EventLogs from "../../src/conformance/EventLogs.ts"
import * as Recorder from "../../src/conformance/Recorder.ts"
import { driver } from "../../src/conformance/transactions/Driver.ts"
import { headerOf } from "../../src/conformance/transactions/Header.ts"
import * as Validation from "../../src/conformance/Validation.ts"
import { Limits, Rules, type Transaction, TransactionRules } from "../../src/core/index.ts"
import type { Configuration } from "../../src/model/transactions/index.ts"
import { Simulation, Transactions } from "../../src/runtime/index.ts"

/** What validating a log of `lines` took. */
export interface Measurement {
  readonly lines: number
  readonly bytes: number
  readonly properties: number
  readonly seconds: number
}

const CLIENTS = 4
const PARTITIONS = ["orders-0", "orders-1", "orders-2"]
const FAULT_BUDGET = 1_000
/** Fewer than any transaction with two records has. */
const LINES_PER_TRANSACTION = 16

const context: Transaction.Context = {
  transactionVersion: 2,
  verification: true,
  rules: TransactionRules.base,
  replica: { rules: Rules.base, limits: Limits.kafka }
}

const faultKinds = ["DisconnectCoordinator", "DisconnectLeader", "DisconnectMarker", "LeaderChange"] as const

const transactionsFor = (lines: number): number => Math.ceil(lines / LINES_PER_TRANSACTION / CLIENTS)

const configurationFor = (lines: number): Configuration.Configuration => ({
  clients: CLIENTS,
  transactionalIds: CLIENTS,
  transactionsPerClient: transactionsFor(lines),
  partitions: PARTITIONS,
  group: false,
  version1Clients: new Set(),
  replicationLag: true,
  faultBudget: FAULT_BUDGET,
  faultKinds: new Set(faultKinds),
  probes: undefined,
  requests: undefined,
  context
})

/** What a run does, cut off after so many actions. Requests time out now and then. */
const run = (lines: number, seed: number): ReadonlyArray<Recorder.Call> => {
  const taken: Array<Recorder.Call> = []
  const transactions = Array.from({ length: transactionsFor(lines) }, (_, number): Transactions.Workload.Plan => ({
    partitions: [PARTITIONS[number % 3]!, PARTITIONS[(number + 1) % 3]!],
    end: number % 7 === 6 ? "abort" : "commit"
  }))
  const program = Effect.gen(function*() {
    yield* Transactions.Cluster.make({
      context,
      clients: Array.from({ length: CLIENTS }, (_, client) => ({
        transactionalId: client + 1,
        version: 2,
        transactions,
        think: [0, 5],
        start: 0,
        restarts: 0
      })),
      transactionalIds: CLIENTS,
      partitions: PARTITIONS,
      replicationLag: true,
      delays: { message: [1, 10], slowness: 0.001, slow: 200, step: [0, 2], late: 100, lateness: 0.5, loss: 0 },
      timing: {
        retryBackoff: 20,
        retryBackoffMax: 200,
        requestTimeout: 100,
        deliveryTimeout: Number.POSITIVE_INFINITY,
        append: [1, 5],
        completion: [0, 2],
        fetch: [1, 5],
        transactionTimeout: Number.POSITIVE_INFINITY,
        appendFailures: 0
      },
      faultBudget: FAULT_BUDGET,
      faultKinds: new Set(faultKinds),
      listener: { taken: (action) => taken.push(action) }
    })
    while (taken.length < lines) yield* Effect.sleep(1_000)
  })
  Effect.runSync(Simulation.run(Effect.scoped(program), { seed }))
  return taken.slice(0, lines)
}

/** Writes the log of a run. */
const write = (file: string, lines: number): void => {
  const configuration = configurationFor(lines)
  const texts = [EventLog.printHeader(headerOf(configuration))]
  for (const line of Recorder.record(driver, configuration, run(lines, 1), "changes")) texts.push(EventLog.print(line))
  writeFileSync(file, `${texts.join("\n")}\n`)
}

/** Validates the file of a log of so many lines; throws if it is not accepted. */
export const measure = async (lines: number): Promise<Measurement> => {
  const folder = mkdtempSync(join(tmpdir(), "keos-bench-"))
  try {
    const file = join(folder, "log.ndjson")
    write(file, lines)
    const began = performance.now()
    const { code, properties } = await Effect.runPromise(
      EventLogs.validate(createReadStream(file, { highWaterMark: 1 << 20 }), { engine: "code" })
    )
    const seconds = (performance.now() - began) / 1000
    if (code?._tag !== "Accepted" || code.lines !== lines) throw new Error(code && Validation.summarize(code))
    return { lines, bytes: statSync(file).size, properties: properties.length, seconds }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
