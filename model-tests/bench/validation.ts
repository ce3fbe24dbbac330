/**
 * Speed of the validation of a log, read from its text, of one run of the transactional cluster that is as long as asked.
 *
 * It shows what it costs to follow a long run whose logs grow, and whether that grows with the square of its length; what it
 * costs to observe states at every line, and to watch properties, it does not show.
 */
import { Effect } from "effect"
import * as EventLog from "../../src/conformance/EventLog.ts"
import * as Validation from "../../src/conformance/Validation.ts"
import { Limits, Rules, type Transaction, TransactionRules } from "../../src/core/index.ts"
import { type Configuration, model } from "../../src/model/transactions/index.ts"
import { Simulation, Transactions } from "../../src/runtime/index.ts"

/** What validating a log of `lines` took. */
export interface Measurement {
  readonly lines: number
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
  context
})

/** The log of a run, cut off after so many lines. Requests time out now and then. */
const record = (lines: number, seed: number): ReadonlyArray<string> => {
  const text: Array<string> = []
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
      delays: { message: [1, 10], slowness: 0.001, slow: 200, step: [0, 2], late: 100, lateness: 0.5, loss: 0.2 },
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
      listener: { taken: (action) => text.push(EventLog.print(action)) }
    })
    while (text.length < lines) yield* Effect.sleep(1_000)
  })
  Effect.runSync(Simulation.run(Effect.scoped(program), { seed }))
  return text.slice(0, lines)
}

function* linesOf(texts: ReadonlyArray<string>): Generator<EventLog.Line, void> {
  const header: EventLog.Header = { schemaVersion: 1, specification: model.specification, constants: {} }
  for (const item of EventLog.parse([EventLog.printHeader(header), ...texts])) {
    if (item._tag === "Line") yield item.line
  }
}

/** Validates logs of so many lines, from their text; throws if one is not accepted. */
export const measure = (lines: number): Measurement => {
  const text = record(lines, 1)
  const began = performance.now()
  const verdict = Validation.validate({ model, configuration: configurationFor(lines) }, linesOf(text))
  const seconds = (performance.now() - began) / 1000
  if (verdict._tag !== "Accepted" || verdict.lines !== lines) throw new Error(Validation.summarize(verdict))
  return { lines, seconds }
}
