import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as Guarantees from "../../src/conformance/Guarantees.ts"
import type { Expected } from "../../src/conformance/Models.ts"
import * as Specification from "../../src/conformance/Specification.ts"
import * as Task from "../../src/conformance/Task.ts"

const { guarantees } = Effect.runSync(Specification.manifest)
const rowNamed = (name: string): Specification.Row => guarantees.find(({ configuration }) => configuration === name)!
const sound = rowNamed("idempotent")
const lossy = rowNamed("acks-0")

const options: Guarantees.Options = { workers: { run: Task.run }, runs: 20, seed: 1 }

/** What TLC would say of a row, with some of it otherwise. */
const column = (row: Specification.Row, over: Readonly<Record<string, Expected>> = {}) =>
  new Map(
    Object.entries(row.cells).map(([guarantee, pinned]): [string, Expected] => [
      guarantee,
      over[guarantee] ?? { ...pinned, ...(pinned.verdict === "violated" ? { property: guarantee } : {}) }
    ])
  )

const verify = (row: Specification.Row, spec?: ReturnType<typeof column>) =>
  Guarantees.verifyRow(options, row, Effect.succeed(spec))

const failures = ({ checks }: Guarantees.RowReport): ReadonlyArray<string> =>
  checks.flatMap(({ detail, name, status }) => status === "failed" ? [`${name}: ${detail}`] : [])

describe("a row", () => {
  it.effect("passes when all three witnesses say what is pinned", () =>
    Effect.gen(function*() {
      const report = yield* verify(sound, column(sound))

      assert.deepStrictEqual(report.checks.map(({ status }) => status), ["passed", "passed", "passed", "passed"])
      assert.deepStrictEqual(report.cells["NoLoss"], { spec: "holds", explorer: "holds", histories: "holds" })
      assert.strictEqual(report.histories?.runs, 20)
      assert.strictEqual(report.group, "producer")
      assert.strictEqual(report.sentences["NoDuplicate"], "no record can be read twice")
    }))

  it.effect("that does not ask histories runs none, and its cells do not speak of them", () =>
    Effect.gen(function*() {
      const run = <T extends Task.Task>(task: T) =>
        task._tag === "Histories" ? Effect.die(new Error("histories were run")) : Task.run(task)
      const row = { ...lossy, witnesses: ["spec", "explorer"] as const }

      const report = yield* Guarantees.verifyRow(
        { ...options, workers: { run } },
        row,
        Effect.succeed(column(lossy))
      )

      assert.deepStrictEqual(failures(report), [])
      assert.deepStrictEqual(report.cells, {
        NoLoss: { spec: "violated", explorer: "violated", shortest: 3 },
        NoDuplicate: { spec: "holds", explorer: "holds" },
        NoGap: { spec: "violated", explorer: "violated", shortest: 4 },
        InOrder: { spec: "violated", explorer: "violated", shortest: 8 }
      })
      assert.isUndefined(report.histories)
    }))

  it.effect("that asks TLC alone is not checked where there is no TLC, and says so", () =>
    Effect.gen(function*() {
      const row = { ...lossy, witnesses: ["spec"] as const }

      const without = yield* verify(row)
      const { cells, checks } = yield* verify(row, column(lossy))

      assert.deepStrictEqual(without.checks, [{ name: "acks=0: TLC", status: "skipped", detail: "no TLC" }])
      assert.deepStrictEqual(without.cells["NoLoss"], { spec: "skipped" })
      assert.deepStrictEqual(cells["NoLoss"], { spec: "violated", shortest: 3 })
      assert.deepStrictEqual(checks.map(({ status }) => status), ["passed", "passed", "passed", "passed"])
    }))

  it.effect("that asks only the code is checked without TLC, and nothing is skipped", () =>
    Effect.gen(function*() {
      const { cells, checks } = yield* verify({ ...lossy, witnesses: ["explorer"] })

      assert.deepStrictEqual(checks.map(({ status }) => status), ["passed", "passed", "passed", "passed"])
      assert.deepStrictEqual(cells["NoLoss"], { explorer: "violated", shortest: 3 })
    }))
})

describe("a row is red", () => {
  const pinning = (cell: Specification.Cell, witnesses: Specification.Row["witnesses"]): Specification.Row => ({
    ...lossy,
    ...(witnesses === undefined ? {} : { witnesses }),
    cells: { NoLoss: cell }
  })

  it.effect("when TLC says something else", () =>
    Effect.gen(function*() {
      const spec = column(sound, { NoGap: { verdict: "violated", property: "NoGap", length: 5 } })

      assert.deepStrictEqual(failures(yield* verify(sound, spec)), [
        "idempotent, base rules: NoGap: TLC: violates NoGap in 5 states, pinned holds"
      ])
    }))

  it.effect("when the explorer says something else", () =>
    Effect.gen(function*() {
      const longer = pinning({ verdict: "violated", length: 4 }, ["explorer"])
      const held = pinning({ verdict: "holds" }, ["explorer"])

      assert.deepStrictEqual(failures(yield* verify(longer)), [
        "acks=0: NoLoss: explorer: violates NoLoss in 3 states, pinned violates NoLoss in 4 states"
      ])
      assert.deepStrictEqual(failures(yield* verify(held)), [
        "acks=0: NoLoss: explorer: violates NoLoss in 3 states, pinned holds"
      ])
    }))

  it.effect("when histories say something else, or too few were run", () =>
    Effect.gen(function*() {
      const run = <T extends Task.Task>(task: T) =>
        Task.run(task._tag === "Histories" ? { ...task, runs: 19 } : task) as ReturnType<typeof Task.run<T>>
      const row: Specification.Row = { ...sound, witnesses: ["histories"], cells: { NoLoss: { verdict: "violated" } } }

      const report = yield* Guarantees.verifyRow({ ...options, workers: { run } }, row, Effect.undefined)

      assert.deepStrictEqual(failures(report), [
        "idempotent, base rules: NoLoss: histories: holds, pinned violated; 19 histories of 20 were run"
      ])
      assert.match(report.checks[0]!.rerun!, /explore idempotent --runs 20 --seed 1$/)
    }))

  it.effect("never by way of a guarantee that the code does not judge: the explorer cannot be asked for it", () =>
    Effect.gen(function*() {
      const row: Specification.Row = {
        ...sound,
        config: "models/base-small.cfg",
        witnesses: ["explorer"],
        cells: { TypeOK: { verdict: "holds" } }
      }

      const { message } = yield* Effect.flip(verify(row))

      assert.strictEqual(message, "idempotent asks the explorer for TypeOK, which the code does not judge")
    }))

  it.effect("never by way of a guarantee that the configuration does not check", () =>
    Effect.gen(function*() {
      const row: Specification.Row = { ...sound, witnesses: ["explorer"], cells: { NoLuck: { verdict: "holds" } } }

      const { message } = yield* Effect.flip(verify(row))

      assert.match(message, /idempotent\.cfg does not have NoLuck$/)
    }))
})
