/**
 * The guarantee matrix: which delivery guarantee holds under which producer configuration, by three witnesses that do
 * not know of each other: TLC, the code's explorer, and histories of the runtime.
 */
import { Effect, type Semaphore } from "effect"
import type { TlcFailure, Toolchain } from "../tlc/index.ts"
import type { Check } from "./Check.ts"
import * as Checks from "./Check.ts"
import type * as Histories from "./Histories.ts"
import * as ModelCheck from "./ModelCheck.ts"
import * as Models from "./Models.ts"
import * as Progress from "./Progress.ts"
import * as Specification from "./Specification.ts"
import type { Workers } from "./Workers.ts"

export type Verdict = "holds" | "violated" | "skipped"

export interface CellReport {
  readonly spec: Verdict
  readonly explorer: Verdict
  readonly histories: Verdict
  /** States of the shortest counterexample. */
  readonly shortest?: number
}

export interface RowReport {
  readonly configuration: string
  readonly title: string
  readonly label: string
  /** What was asked, by property, in the order of the row. */
  readonly cells: Readonly<Record<string, CellReport>>
  readonly histories: { readonly runs: number; readonly operations: number; readonly seed: number }
  readonly checks: ReadonlyArray<Check>
}

/** What a witness says of each guarantee of a row. */
type Column = ReadonlyMap<string, Models.Expected>

/**
 * TLC's column. The guarantees that should hold share a run; each of the others has its own, since a run ends with the
 * first violation.
 */
const specColumn = Effect.fnUntraced(function*(
  toolchain: Toolchain.Toolchain,
  row: Specification.Row
): Effect.fn.Return<Column, Specification.SpecificationError | TlcFailure> {
  const found = new Map<string, Models.Expected>()
  const check = Effect.fnUntraced(function*(only: ReadonlyArray<string>, quick: boolean) {
    const checked = yield* Specification.load(row.module, row.config, { only })
    const outcome = yield* ModelCheck.verdict(toolchain, checked, { quick })
    for (const guarantee of only) found.set(guarantee, Models.expectedOf(outcome, only))
  })
  const guarantees = Specification.guaranteesOf(row)
  const holding = guarantees.filter((guarantee) => row.cells[guarantee]!.verdict === "holds")
  if (holding.length > 0) yield* check(holding, false)
  for (const guarantee of guarantees) if (!holding.includes(guarantee)) yield* check([guarantee], true)
  return found
})

const explorerColumn = Effect.fnUntraced(function*(
  workers: Workers,
  row: Specification.Row
): Effect.fn.Return<Column, Specification.SpecificationError> {
  const { config, module } = row
  const found = new Map<string, Models.Expected>()
  for (const guarantee of Specification.guaranteesOf(row)) {
    const explored = yield* workers.run({ _tag: "Explore", module, config, changes: { only: [guarantee] } })
    found.set(guarantee, Models.expectedOfExplored(explored))
  }
  return found
})

/** How many histories a row gets, and which. */
export interface Options {
  readonly workers: Workers
  readonly runs: number
  readonly seed: number
}

const missedCell = (
  expected: Models.Expected,
  guarantee: string,
  witnesses: Readonly<Record<"TLC" | "explorer", Models.Expected | undefined>>,
  histories: Verdict
): ReadonlyArray<string> => {
  const missed: Array<string> = []
  for (const [witness, found] of Object.entries(witnesses)) {
    if (found === undefined) continue
    const named = { ...expected, ...(expected.verdict === "violated" ? { property: guarantee } : {}) }
    if (!Models.isSame(found, named)) {
      missed.push(`${witness}: ${Models.describe(found)}, pinned ${Models.describe(named)}`)
    }
  }
  if (histories !== expected.verdict) missed.push(`histories: ${histories}, pinned ${expected.verdict}`)
  return missed
}

/** What histories say of a property, if they judge it. */
export const verdictOf = (tally: Histories.Tally | undefined): Verdict =>
  tally === undefined ? "skipped" : tally.violated > 0 ? "violated" : "holds"

/** TLC's part of all rows, in order; rows that differ in nothing but their name share it. */
export const specColumns = Effect.fn("Guarantees.specColumns")(function*(
  toolchain: Toolchain.Toolchain,
  tlc: Semaphore.Semaphore,
  rows: ReadonlyArray<Specification.Row>
): Effect.fn.Return<ReadonlyArray<Column>, Specification.SpecificationError | TlcFailure> {
  const keys: Array<string> = []
  for (const row of rows) {
    keys.push(row.module + Specification.print((yield* Specification.load(row.module, row.config)).config))
  }
  const distinct = [...new Set(keys)]
  const found = yield* Effect.forEach(distinct, (key) => {
    const row = rows[keys.indexOf(key)]!
    return tlc.withPermit(
      Effect.andThen(Progress.report(`TLC: guarantees of ${row.title}`), specColumn(toolchain, row))
    )
  }, { concurrency: 2 })
  return keys.map((key) => found[distinct.indexOf(key)]!)
})

/** The code's part of a row, beside what TLC said of it. */
export const verifyRow = Effect.fn("Guarantees.verifyRow")(function*(
  { runs, seed, workers }: Options,
  row: Specification.Row,
  spec: Effect.Effect<Column | undefined, Specification.SpecificationError | TlcFailure>
): Effect.fn.Return<RowReport, Specification.SpecificationError | TlcFailure> {
  const { config, module } = row
  const histories = yield* workers.run({ _tag: "Histories", module, config, runs, seed, shorten: false })
  const explorer = yield* explorerColumn(workers, row)
  const tlc = yield* spec
  const checks: Array<Check> = []
  const cells = Object.fromEntries(
    Object.entries(row.cells).map(([guarantee, pinned]) => {
      const seen = verdictOf(histories.properties[guarantee])
      const found = explorer.get(guarantee)!
      const missed = [...missedCell(pinned, guarantee, { TLC: tlc?.get(guarantee), explorer: found }, seen)]
      if (histories.runs !== runs) missed.push(`${histories.runs} histories of ${runs} were run`)
      checks.push(Models.judged(
        `${row.title}: ${guarantee}`,
        missed,
        `npm run -s keos -- explore ${row.configuration} --runs ${runs} --seed ${seed}`
      ))
      const cell: CellReport = {
        spec: tlc?.get(guarantee)?.verdict ?? "skipped",
        explorer: found.verdict,
        histories: seen,
        ...(found.length === undefined ? {} : { shortest: found.length })
      }
      return [guarantee, cell] as const
    })
  )
  if (histories.broken.violated > 0) {
    const { broken } = histories
    checks.push(Checks.failed(
      `${row.title}: histories come to rest`,
      `${broken.violated} of ${histories.runs} do not`,
      `npm run -s keos -- explore ${row.configuration} --runs ${runs} --seed ${seed}`
    ))
  }
  if (tlc === undefined) checks.push(Checks.skipped(`${row.title}: TLC`, "no TLC"))
  return {
    configuration: row.configuration,
    title: row.title,
    label: row.label,
    cells,
    histories: { runs: histories.runs, operations: histories.operations, seed },
    checks
  }
})
