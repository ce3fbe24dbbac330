/**
 * The main job: every model, the guarantee matrix and the museum, with all that this machine can run.
 */
import { Deferred, Effect, type Scope, Semaphore } from "effect"
import * as Model from "../model/Model.ts"
import * as Registry from "../model/Models.ts"
import type { TlcFailure, Toolchain } from "../tlc/index.ts"
import type { Check } from "./Check.ts"
import * as Counterexamples from "./Counterexamples.ts"
import * as Coverage from "./Coverage.ts"
import * as Exhibits from "./Exhibits.ts"
import * as Guarantees from "./Guarantees.ts"
import * as Models from "./Models.ts"
import * as Specification from "./Specification.ts"
import * as Workers from "./Workers.ts"

export interface Report {
  /** The model checker; null where there is none, and its claims were not checked again. */
  readonly engine: { readonly name: "TLC"; readonly version: string } | null
  readonly tier: Specification.Tier
  readonly models: ReadonlyArray<Models.ModelReport>
  readonly totals: Models.Totals
  /** What the models reach together. */
  readonly coverage: Coverage.Coverage
  readonly guarantees: ReadonlyArray<Guarantees.RowReport>
  readonly exhibits: ReadonlyArray<Exhibits.ExhibitReport>
  readonly histories: { readonly runs: number; readonly operations: number; readonly seed: number }
  readonly checks: ReadonlyArray<Check>
  readonly seconds: number
}

export interface Options {
  readonly toolchain: Toolchain.Toolchain | undefined
  /** Histories per row of the matrix. */
  readonly runs: number
  readonly seed: number
  readonly tier: Specification.Tier
}

/** The committed counterexamples that are of no exhibit. */
const strays = (exhibits: ReadonlyArray<Specification.Exhibit>): ReadonlyArray<string> =>
  Counterexamples.names().filter((name) => !exhibits.some((exhibit) => exhibit.name === name))

/**
 * Red for every action of a specification that no history took, where histories have logs. Nobody asks to be refused in
 * them.
 */
const historiesTakeAll = (rows: ReadonlyArray<Guarantees.RowReport>): ReadonlyArray<Check> =>
  Array.from(Map.groupBy(rows, ({ specification }) => specification)).flatMap(([specification, of]) => {
    const counts = of.flatMap(({ histories }) => histories?.actions === undefined ? [] : [histories.actions])
    if (counts.length === 0) return []
    const never = Registry.named(specification).actionNames.filter((action) =>
      !Model.isRefusal(action) && !Model.isRequest(action) && counts.every((taken) => (taken[action] ?? 0) === 0)
    )
    return Models.judged(
      `${specification}: histories take every action`,
      never.map((action) => `${action} in no history`),
      "npm run -s keos -- verify"
    )
  })

type Failure = Specification.SpecificationError | TlcFailure

/** One thread beside TLC and the replays; two where there is no TLC. */
const threads = (toolchain: Toolchain.Toolchain | undefined): number => toolchain === undefined ? 2 : 1

export const verify = Effect.fn("Verify.verify")(function*(
  { runs, seed, tier, toolchain }: Options
): Effect.fn.Return<Report, Failure, Scope.Scope> {
  const began = performance.now()
  const manifest = yield* Specification.manifest
  const isWanted = Specification.isIn(tier)
  const wanted = manifest.models.filter(isWanted)
  const asked = manifest.guarantees.filter(isWanted)
  const workers = yield* Workers.make(threads(toolchain))
  const tlc = Semaphore.makeUnsafe(3)
  const context: Models.Context = { toolchain, workers, tlc }
  const columns = asked.map(() => Deferred.makeUnsafe<Column | undefined, Failure>())

  // Three TLCs at a time: with two, a fifth of two cores was idle. A graph waits for its replay, so not too many are under
  // way.
  const checked = Effect.gen(function*() {
    const reports = yield* Effect.forEach(wanted, (model) => Models.verify(context, model), { concurrency: 5 })
    const spec = toolchain === undefined ? [] : yield* Guarantees.specColumns(toolchain, tlc, asked)
    for (const [i, column] of columns.entries()) yield* Deferred.succeed(column, spec[i])
    const exhibits = yield* Effect.forEach(manifest.exhibits, (exhibit) => Exhibits.verify(context, exhibit), {
      concurrency: 4
    })
    return { reports, exhibits }
  }).pipe(Effect.onError((cause) => Effect.forEach(columns, (column) => Deferred.failCause(column, cause))))
  const explored = Effect.forEach(wanted, (model) => Models.explore(context, model), { concurrency: 2 })
  const rows = Effect.forEach(
    asked,
    (row, i) => Guarantees.verifyRow({ workers, runs, seed }, row, Deferred.await(columns[i]!)),
    { concurrency: "unbounded" }
  )
  const [{ exhibits, reports }, explorers, guarantees] = yield* Effect.all([checked, explored, rows], {
    concurrency: "unbounded"
  })

  const others = yield* Effect.forEach(strays(manifest.exhibits), Counterexamples.check)
  const models = reports.map((report, i) => Models.joined(report, explorers[i]!))
  const coverage = Coverage.of(explorers.flatMap(({ explored }) => explored ?? []))
  const run = guarantees.flatMap(({ histories }) => histories ?? [])
  return {
    engine: toolchain === undefined ? null : { name: "TLC", version: toolchain.version },
    tier,
    models,
    totals: Models.totalsOf(models),
    coverage,
    guarantees,
    exhibits,
    histories: {
      runs: run.reduce((sum, { runs: count }) => sum + count, 0),
      operations: run.reduce((sum, { operations }) => sum + operations, 0),
      seed
    },
    checks: [
      ...[...models, ...guarantees, ...exhibits].flatMap(({ checks }) => checks),
      ...others,
      ...Coverage.checksOf(coverage),
      ...historiesTakeAll(guarantees)
    ],
    seconds: (performance.now() - began) / 1000
  }
})

type Column = Effect.Success<ReturnType<typeof Guarantees.specColumns>>[number]

/** What the JSON document of the report has besides the counts and the failures. */
export const toJson = (report: Report) => ({
  engine: report.engine,
  tier: report.tier,
  seconds: report.seconds,
  models: report.models.map(({ checks, ...model }) => model),
  totals: report.totals,
  ...report.coverage,
  guarantees: report.guarantees.map(({ cells, configuration, group, label }) => ({
    configuration,
    group,
    label,
    cells: Object.fromEntries(
      Object.entries(cells).map(([name, cell]) => [`${name.charAt(0).toLowerCase()}${name.slice(1)}`, cell])
    )
  })),
  exhibits: report.exhibits.map(({ code, counterexample, name, property, replay, spec }) => ({
    name,
    property,
    spec,
    code,
    replay,
    counterexample
  })),
  histories: report.histories
})
