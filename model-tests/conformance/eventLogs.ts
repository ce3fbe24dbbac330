/**
 * The committed event logs and what each of them is worth: runs of the runtime, histories, counterexamples, and what a hand
 * did to them. `node model-tests/conformance/eventLogs.ts` writes them; a test compares. A history that is there stays,
 * since scenarios change; without its file it is made anew.
 *
 * What is expected follows from how a log was made, and not from what a validator says.
 */
import { Effect } from "effect"
import * as fc from "fast-check"
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import * as Counterexample from "../../src/conformance/Counterexample.ts"
import * as Counterexamples from "../../src/conformance/Counterexamples.ts"
import type { Driver } from "../../src/conformance/Driver.ts"
import * as EventLog from "../../src/conformance/EventLog.ts"
import * as EventLogs from "../../src/conformance/EventLogs.ts"
import { driver as idempotent } from "../../src/conformance/idempotent/Driver.ts"
import { driver as readCommitted } from "../../src/conformance/readCommitted/Driver.ts"
import * as Recorder from "../../src/conformance/Recorder.ts"
import * as Specification from "../../src/conformance/Specification.ts"
import { driver as transactions } from "../../src/conformance/transactions/Driver.ts"
import { headerOf } from "../../src/conformance/transactions/Header.ts"
import * as Scenario from "../../src/conformance/transactions/Scenario.ts"
import * as Trial from "../../src/conformance/transactions/Trial.ts"
import * as Interner from "../../src/model/Interner.ts"
import { configurationOf, worldAfter } from "../../src/model/Model.ts"

/** What must be said of a log; `line` is that of the file. */
export type Expected =
  | { readonly verdict: "accepted"; readonly lines: number }
  /** The reason, where there can be no other. */
  | { readonly verdict: "rejected"; readonly line: number; readonly reason?: string }
  | { readonly verdict: "violated"; readonly line: number; readonly property: string }
  /** No verdict is possible; the message has this in it. */
  | { readonly verdict: "none"; readonly message: string }

export interface Committed {
  readonly texts: ReadonlyArray<string>
  readonly expected: Expected
}

/** The log of a run. */
export interface Log {
  readonly header: EventLog.Header
  readonly lines: ReadonlyArray<EventLog.Line>
}

export const folder = join(Specification.home, "traces", "event-logs")

export const extension = ".ndjson"

const pathOf = (name: string): string => join(folder, `${name}${extension}`)

const committed = ({ header, lines }: Log, expected: Expected): Committed => ({
  texts: [EventLog.printHeader(header), ...lines.map(EventLog.print)],
  expected
})

// Runs.

/** Numbers from 0 to below 1, always the same ones. */
export const numbersFrom = (seed: number): () => number => {
  let state = seed
  return () => {
    state = (state * 1_664_525 + 1_013_904_223) % 2 ** 32
    return state / 2 ** 32
  }
}

/** Random steps of a model, as many as asked, or until there is none. */
const walk = <Configuration, World>(
  { model }: Driver<Configuration, World>,
  configuration: Configuration,
  length: number,
  seed: number
): ReadonlyArray<Recorder.Call> => {
  const random = numbersFrom(seed)
  const calls: Array<Recorder.Call> = []
  let world = model.initial(configuration)
  while (calls.length < length) {
    const steps = model.successors(configuration, world)
    if (steps.length === 0) break
    const step = steps[Math.floor(random() * steps.length)]!
    calls.push(step)
    world = step.world
  }
  return calls
}

/** How many distinct states a walk has: an answer to try again leads back to the state that it comes from. */
const states = <Configuration, World>(
  { model }: Driver<Configuration, World>,
  configuration: Configuration,
  calls: ReadonlyArray<Recorder.Call>
): number => {
  const { number } = Interner.make(model.packing(configuration))
  let world = model.initial(configuration)
  return new Set(calls.map((call) => number(world = worldAfter(model, configuration, world, call)!))).size
}

/** What a runtime does under a configuration of the manifest: the walk with the most states, of some. */
export const walked = <Configuration, World>(
  driver: Driver<Configuration, World>,
  model: string,
  length: number,
  detail: Recorder.Detail
): Log => {
  const header = { schemaVersion: 1, specification: driver.model.specification, model } as const
  const { checked } = Effect.runSync(EventLogs.subjectOf(header))
  const configuration = configurationOf(driver.model, checked)!
  const walks = Array.from({ length: 40 }, (_, seed) => walk(driver, configuration, length, seed))
  const counts = walks.map((calls) => states(driver, configuration, calls))
  const richest = walks[counts.indexOf(Math.max(...counts))]!
  return { header, lines: [...Recorder.record(driver, configuration, richest, detail)] }
}

/** A history of the simulation, from a row of the guarantee matrix, taken again by the runtime that is held still. */
export const simulated = (
  row: string,
  length: readonly [least: number, most: number],
  detail: Recorder.Detail
): Log => {
  const { guarantees } = Effect.runSync(Specification.manifest)
  const { config, module } = guarantees.find(({ configuration }) => configuration === row)!
  const checked = Effect.runSync(Specification.load(module, config))
  const setup = Scenario.setupOf(configurationOf(transactions.model, checked)!)
  for (const scenario of fc.sample(Scenario.arbitrary(setup), { numRuns: 200, seed: 1 })) {
    const { log } = Trial.runScenario(setup, scenario)
    if (log.length < length[0] || log.length > length[1]) continue
    const configuration = Trial.configurationOf(setup, scenario)
    return { header: headerOf(configuration), lines: [...Recorder.record(transactions, configuration, log, detail)] }
  }
  throw new Error(`no history of ${row} is that long`)
}

/** The log in a committed file. */
export const stored = (name: string): Log | undefined => {
  const path = pathOf(name)
  if (!existsSync(path)) return undefined
  const items = [...EventLog.parse(readFileSync(path, "utf8").split("\n"))]
  const [header] = items.flatMap((item) => item._tag === "Header" ? [item.header] : [])
  return { header: header!, lines: items.flatMap((item) => item._tag === "Line" ? [item.line] : []) }
}

/** The behaviour of a counterexample. */
export const counterexample = (exhibit: string): Log => {
  const { states, origin } = Effect.runSync(Counterexample.read(Counterexamples.pathOf(exhibit))).counterexample
  return {
    header: { schemaVersion: 1, specification: origin.specification, model: exhibit },
    lines: states.slice(1).map(({ action, arguments: instance, variables }) => ({
      action: action!,
      arguments: instance,
      observed: variables
    }))
  }
}

const accepted = (log: Log): Committed => committed(log, { verdict: "accepted", lines: log.lines.length })

const violated = (exhibit: string): Committed => {
  const { exhibits } = Effect.runSync(Specification.manifest)
  const { property } = exhibits.find(({ name }) => name === exhibit)!
  const log = counterexample(exhibit)
  return committed(log, { verdict: "violated", line: EventLogs.lineInFile(log.lines.length), property })
}

/** A log that is wrong from this line on, counted from 1. */
const rejected = (
  { header, lines }: Log,
  line: number,
  reason: string | undefined,
  change: (lines: ReadonlyArray<EventLog.Line>, index: number) => ReadonlyArray<EventLog.Line>
): Committed =>
  committed({ header, lines: change(lines, line - 1) }, {
    verdict: "rejected",
    line: EventLogs.lineInFile(line),
    ...(reason === undefined ? {} : { reason })
  })

/** The first line from this one on, counted from 1, that changes the state, and the next one too. */
const changing = ({ lines }: Log, from: number): number => {
  const seen = lines.map(({ observed }) => JSON.stringify(observed))
  return seen.findIndex((state, i) => i + 1 >= from && state !== seen[i - 1] && state !== seen[i + 1]) + 1
}

// All.

/** All event logs, by the name of the file. */
export const all = (): ReadonlyMap<string, Committed> => {
  const producer = walked(idempotent, "base-small", 40, "state")
  const producerChanges = walked(idempotent, "base-two-batches", 60, "changes")
  const transaction = walked(transactions, "transactions-two-partitions", 60, "state")
  const transactionChanges = walked(transactions, "transactions-two-instances", 80, "changes")
  const group = walked(transactions, "transactions-group-version-1", 80, "changes")
  const reader = walked(readCommitted, "read-committed", 20, "state")
  const history = stored("history-changes") ?? simulated("every-fault", [60, 120], "changes")
  const bare = stored("history-version-1") ?? simulated("every-fault-version-1", [60, 120], "nothing")
  const logs: ReadonlyArray<readonly [name: string, log: Committed]> = [
    ["idempotent-states", accepted(producer)],
    ["idempotent-changes", accepted(producerChanges)],
    ["transactions-states", accepted(transaction)],
    ["transactions-changes", accepted(transactionChanges)],
    ["group-changes", accepted(group)],
    ["read-committed-states", accepted(reader)],
    ["history-changes", accepted(history)],
    ["history-version-1", accepted(bare)],
    ["violated-KAFKA-15591", violated("KAFKA-15591")],
    ["violated-KAFKA-14402", violated("KAFKA-14402")],
    ["violated-KAFKA-8587", violated("KAFKA-8587")],
    ["violated-AutoMQ-754", violated("AutoMQ-754")],
    [
      "rejected-line-lost",
      rejected(transaction, changing(transaction, 10), undefined, (lines, at) => lines.toSpliced(at, 1))
    ],
    [
      "rejected-line-twice",
      rejected(
        transaction,
        changing(transaction, 10) + 1,
        undefined,
        (lines, at) => lines.toSpliced(at, 0, lines[at - 1]!)
      )
    ],
    [
      "rejected-lines-swapped",
      rejected(
        producer,
        changing(producer, 4),
        undefined,
        (lines, at) => lines.with(at, lines[at + 1]!).with(at + 1, lines[at]!)
      )
    ],
    [
      "rejected-other-action",
      rejected(
        reader,
        3,
        "not enabled",
        (lines, at) => lines.with(at, { ...lines[at]!, action: "CompleteFetch", arguments: [1] })
      )
    ],
    [
      "rejected-unknown-action",
      rejected(producer, 4, "unknown action", (lines, at) => lines.with(at, { ...lines[at]!, action: "Teleport" }))
    ],
    [
      "rejected-other-argument",
      rejected(history, 9, "not enabled", (lines, at) => lines.with(at, { ...lines[at]!, arguments: [99] }))
    ],
    [
      "rejected-other-state",
      rejected(
        transaction,
        11,
        "other state",
        (lines, at) => lines.with(at, { ...lines[at]!, observed: { ...lines[at]!.observed, nextProducerId: 99 } })
      )
    ],
    [
      "rejected-other-place",
      rejected(
        transactionChanges,
        12,
        "other state",
        (lines, at) => lines.with(at, { ...lines[at]!, places: [{ path: ["coordinator", 1, "epoch"], value: 99 }] })
      )
    ],
    [
      "rejected-other-kind",
      rejected(
        producerChanges,
        7,
        "other state",
        (lines, at) => lines.with(at, { ...lines[at]!, places: [{ path: ["faults"], value: "two" }] })
      )
    ],
    [
      "rejected-no-such-place",
      rejected(
        producerChanges,
        7,
        "other state",
        (lines, at) => lines.with(at, { ...lines[at]!, places: [{ path: ["sender", "p9", "epoch"], value: 0 }] })
      )
    ],
    [
      "rejected-unknown-variable",
      rejected(reader, 2, "unknown variable", (lines, at) => lines.with(at, { ...lines[at]!, observed: { offset: 0 } }))
    ],
    ["none-empty", committed({ ...producer, lines: [] }, { verdict: "none", message: "the log is empty" })],
    [
      "none-no-header",
      {
        texts: producer.lines.map(EventLog.print),
        expected: { verdict: "none", message: "the line that says what the log is of is missing" }
      }
    ],
    [
      "none-cut-off",
      {
        texts: [EventLog.printHeader(producer.header), EventLog.print(producer.lines[0]!).slice(0, -9)],
        expected: { verdict: "none", message: "line 2: not JSON" }
      }
    ],
    [
      "none-no-such-model",
      committed({ ...producer, header: { ...producer.header, model: "base-tiny" } as EventLog.Header }, {
        verdict: "none",
        message: "the manifest has no model, guarantee or exhibit base-tiny"
      })
    ]
  ]
  return new Map(logs)
}

export const textOf = ({ texts }: Committed): string => texts.map((text) => `${text}\n`).join("")

export const expectedText = (logs: ReadonlyMap<string, Committed>): string => {
  const expected = Object.fromEntries(Array.from(logs, ([name, log]) => [`${name}${extension}`, log.expected]))
  return `${JSON.stringify({ schemaVersion: 1, logs: expected }, undefined, 2)}\n`
}

if (import.meta.main) {
  const logs = all()
  mkdirSync(folder, { recursive: true })
  for (const file of readdirSync(folder)) rmSync(join(folder, file))
  for (const [name, log] of logs) writeFileSync(pathOf(name), textOf(log))
  writeFileSync(join(folder, "expected.json"), expectedText(logs))
}
