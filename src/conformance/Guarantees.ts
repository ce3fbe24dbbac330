/**
 * The guarantee matrix: which delivery guarantee holds under which configuration, by up to three witnesses that do not
 * know of each other: TLC, the code's explorer, and histories of the runtime.
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

/** What each witness says; one that the row does not ask says nothing. */
export interface CellReport {
  readonly spec?: Verdict
  readonly explorer?: Verdict
  readonly histories?: Verdict
  /** States of the shortest counterexample. */
  readonly shortest?: number
}

export interface RowReport {
  readonly configuration: string
  readonly group: string
  readonly title: string
  readonly label: string
  /** What the properties say. */
  readonly sentences: Readonly<Record<string, string>>
  /** What was asked, by property, in the order of the row. */
  readonly cells: Readonly<Record<string, CellReport>>
  /** Absent where the row does not ask them. */
  readonly histories?: {
    readonly runs: number
    readonly operations: number
    readonly seed: number
    /** In how many of them each action of the specification was taken, where a run has a log of them. */
    readonly actions?: Readonly<Record<string, number>>
  }
  readonly specification: string
  readonly checks: ReadonlyArray<Check>
}

/** What a witness says of each guarantee of a row. */
type Column = ReadonlyMap<string, Models.Expected>

/**
 * A witness's column. The guarantees that should hold share a run; each of the others has its own, which is short, since a
 * run ends with the first violation.
 */
const columnOf = Effect.fnUntraced(function*<E>(
  row: Specification.Row,
  judge: (only: ReadonlyArray<string>) => Effect.Effect<Models.Expected, E>
): Effect.fn.Return<Column, E> {
  const guarantees = Specification.guaranteesOf(row)
  const holding = guarantees.filter((guarantee) => row.cells[guarantee]!.verdict === "holds")
  const violated = guarantees.filter((guarantee) => !holding.includes(guarantee))
  const found = new Map<string, Models.Expected>()
  for (const only of [...(holding.length > 0 ? [holding] : []), ...violated.map((guarantee) => [guarantee])]) {
    const expected = yield* judge(only)
    for (const guarantee of only) found.set(guarantee, expected)
  }
  return found
})

const specColumn = (
  toolchain: Toolchain.Toolchain,
  row: Specification.Row
): Effect.Effect<Column, Specification.SpecificationError | TlcFailure> =>
  columnOf(
    row,
    Effect.fnUntraced(function*(only: ReadonlyArray<string>) {
      const checked = yield* Specification.load(row.module, row.config, { only })
      return Models.expectedOf(yield* ModelCheck.verdict(toolchain, checked, { quick: true }), only)
    })
  )

const explorerColumn = (
  workers: Workers,
  row: Specification.Row
): Effect.Effect<Column, Specification.SpecificationError> =>
  columnOf(
    row,
    Effect.fnUntraced(function*(only: ReadonlyArray<string>) {
      const { config, module } = row
      const changes = { only }
      const { judged } = yield* Specification.judgesOf(yield* Specification.load(module, config, changes))
      const missing = only.find((guarantee) => !judged.includes(guarantee))
      if (missing !== undefined) {
        const message = `${row.configuration} asks the explorer for ${missing}, which the code does not judge`
        return yield* new Specification.SpecificationError({ message })
      }
      return Models.expectedOfExplored(yield* workers.run({ _tag: "Explore", module, config, changes }))
    })
  )

/** How many histories a row gets, and which. */
export interface Options {
  readonly workers: Workers
  readonly runs: number
  readonly seed: number
}

const missedCell = (
  pinned: Specification.Cell,
  guarantee: string,
  witnesses: Readonly<Record<"TLC" | "explorer", Models.Expected | undefined>>,
  histories: Verdict | undefined
): ReadonlyArray<string> => {
  const missed: Array<string> = []
  const expected = { ...pinned, ...(pinned.verdict === "violated" ? { property: guarantee } : {}) }
  for (const [witness, found] of Object.entries(witnesses)) {
    if (found !== undefined && !Models.isSame(found, expected)) {
      missed.push(`${witness}: ${Models.describe(found)}, pinned ${Models.describe(expected)}`)
    }
  }
  if (histories !== undefined && histories !== expected.verdict) {
    missed.push(`histories: ${histories}, pinned ${expected.verdict}`)
  }
  return missed
}

/** What histories say of a property. */
export const verdictOf = ({ violated }: Histories.Tally): "holds" | "violated" => violated > 0 ? "violated" : "holds"

/** TLC's part of all rows that ask it, in order; rows that differ in nothing but their name share it. */
export const specColumns = Effect.fn("Guarantees.specColumns")(function*(
  toolchain: Toolchain.Toolchain,
  tlc: Semaphore.Semaphore,
  rows: ReadonlyArray<Specification.Row>
): Effect.fn.Return<ReadonlyArray<Column | undefined>, Specification.SpecificationError | TlcFailure> {
  const keys: Array<string | undefined> = []
  for (const row of rows) {
    const asked = Specification.isAsked(row, "spec")
    const { config } = yield* Specification.load(row.module, row.config)
    keys.push(asked ? JSON.stringify([row.module, Specification.print(config), row.cells]) : undefined)
  }
  const distinct = [...new Set(keys)].filter((key) => key !== undefined)
  const found = yield* Effect.forEach(distinct, (key) => {
    const row = rows[keys.indexOf(key)]!
    return tlc.withPermit(
      Effect.andThen(Progress.report(`TLC: guarantees of ${row.title}`), specColumn(toolchain, row))
    )
  }, { concurrency: "unbounded" })
  return keys.map((key) => key === undefined ? undefined : found[distinct.indexOf(key)])
})

/** What checks a row alone, if anything does. */
const rerunOf = (row: Specification.Row, { runs, seed }: Options): string =>
  Specification.isAsked(row, "histories")
    ? `npm run -s keos -- explore ${row.configuration} --runs ${runs} --seed ${seed}`
    : "npm run -s keos -- verify"

/** The code's part of a row, beside what TLC said of it. */
export const verifyRow = Effect.fn("Guarantees.verifyRow")(function*(
  options: Options,
  row: Specification.Row,
  spec: Effect.Effect<Column | undefined, Specification.SpecificationError | TlcFailure>
): Effect.fn.Return<RowReport, Specification.SpecificationError | TlcFailure> {
  const { seed, workers } = options
  const runs = Math.max(1, Math.round(options.runs * (row.share ?? 1)))
  const { config, module } = row
  const { model } = yield* Specification.load(module, config)
  const histories = Specification.isAsked(row, "histories")
    ? yield* workers.run({ _tag: "Histories", module, config, runs, seed, shorten: false })
    : undefined
  const explorer = Specification.isAsked(row, "explorer") ? yield* explorerColumn(workers, row) : undefined
  const tlc = yield* spec
  const rerun = rerunOf(row, { ...options, runs })
  const checks: Array<Check> = []
  const cells = Object.fromEntries(
    Object.entries(row.cells).map(([guarantee, pinned]) => {
      const tally = histories?.properties[guarantee]
      const seen = tally === undefined ? undefined : verdictOf(tally)
      const [inSpec, inCode] = [tlc?.get(guarantee), explorer?.get(guarantee)]
      const missed = [...missedCell(pinned, guarantee, { TLC: inSpec, explorer: inCode }, seen)]
      if (histories !== undefined && histories.runs !== runs) {
        missed.push(`${histories.runs} histories of ${runs} were run`)
      }
      if (inSpec !== undefined || inCode !== undefined || seen !== undefined) {
        checks.push(Models.judged(`${row.title}: ${guarantee}`, missed, rerun))
      }
      const shortest = (inCode ?? inSpec)?.length
      const cell: CellReport = {
        ...(Specification.isAsked(row, "spec") ? { spec: inSpec?.verdict ?? "skipped" } : {}),
        ...(inCode === undefined ? {} : { explorer: inCode.verdict }),
        ...(seen === undefined ? {} : { histories: seen }),
        ...(shortest === undefined ? {} : { shortest })
      }
      return [guarantee, cell] as const
    })
  )
  if (histories !== undefined && Object.values(cells).every((cell) => cell.histories === undefined)) {
    checks.push(Checks.failed(`${row.title}: histories`, "they judge nothing of what is asked", rerun))
  }
  if (histories !== undefined && histories.broken.violated > 0) {
    const { broken } = histories
    checks.push(Checks.failed(
      `${row.title}: histories come to rest`,
      `${broken.violated} of ${histories.runs} do not`,
      rerun
    ))
  }
  if (tlc === undefined && Specification.isAsked(row, "spec")) {
    checks.push(Checks.skipped(`${row.title}: TLC`, "no TLC"))
  }
  return {
    configuration: row.configuration,
    group: Specification.groupOf(row),
    title: row.title,
    label: row.label,
    sentences: Object.fromEntries(
      Specification.guaranteesOf(row).map((guarantee) => [guarantee, model.sentences[guarantee] ?? ""])
    ),
    cells,
    ...(histories === undefined ? {} : {
      histories: {
        runs: histories.runs,
        operations: histories.operations,
        seed,
        ...(histories.actions === undefined ? {} : { actions: histories.actions })
      }
    }),
    specification: model.specification,
    checks
  }
})
