/**
 * One configuration of the manifest, checked by everything there is: TLC against the pins, the code's explorer against
 * the pins, both engines against the graph, and the committed graph against today's.
 */
import { Effect, type Semaphore } from "effect"
import * as Model from "../model/Model.ts"
import type { Outcome, TlcFailure, Toolchain } from "../tlc/index.ts"
import type { Check } from "./Check.ts"
import * as Checks from "./Check.ts"
import type { Graph } from "./Graph.ts"
import * as Graphs from "./Graph.ts"
import * as ModelCheck from "./ModelCheck.ts"
import * as Progress from "./Progress.ts"
import type * as Replay from "./Replay.ts"
import * as Specification from "./Specification.ts"
import * as StateDiff from "./StateDiff.ts"
import type { Explored } from "./Task.ts"
import * as Traces from "./Traces.ts"
import type { Workers } from "./Workers.ts"

/** How far the two sides of a replay agree. */
export interface Replayed {
  readonly edges: number
  readonly divergences: number
  readonly seconds: number
}

/** Sizes of the code's own state graph. */
export interface ExplorerReport {
  readonly states: number
  readonly edges: number
  readonly depth: number
  readonly seconds: number
}

export interface ModelReport {
  readonly name: string
  readonly tier: Specification.Tier
  readonly verdict: "holds" | "violated" | "skipped"
  /** TLC was not asked, because the graph is too large for it. */
  readonly explorerAlone?: true
  readonly property?: string
  /** States of the counterexample; none for a lasso. */
  readonly length?: number
  readonly distinct?: number
  readonly generated?: number
  readonly depth?: number
  /** Distinct pairs of a request and the error that refuses it, where any is. */
  readonly refusals?: number
  /** The properties that the code does not judge, each with the reason. */
  readonly leftToTlc: Readonly<Record<string, string>>
  /** Seconds that TLC took. */
  readonly seconds?: number
  readonly replay: { readonly core?: Replayed; readonly runtime?: Replayed }
  /** Absent where the code does not judge what must be violated. */
  readonly explorer?: ExplorerReport
  readonly checks: ReadonlyArray<Check>
}

/** What a run of TLC or of the explorer must yield. */
export interface Expected {
  readonly verdict: "holds" | "violated"
  readonly property?: string
  /** None for a lasso, which TLC does not make a shortest one. */
  readonly length?: number
}

export const describe = ({ length, property, verdict }: Expected): string => {
  if (verdict === "holds") return "holds"
  return `violates ${property ?? "a property"} ${length === undefined ? "in a lasso" : `in ${length} states`}`
}

/**
 * TLC's outcome in the same words. It names a violated step property by its place only, and a lasso's property not at all,
 * so the configuration must list one property for a name.
 */
export const expectedOf = (outcome: Outcome, properties: ReadonlyArray<string>): Expected => {
  if (outcome._tag === "Holds") return { verdict: "holds" }
  const property = outcome.property !== undefined && properties.includes(outcome.property)
    ? outcome.property
    : properties.find((name) => name === "Refines" && outcome.location?.includes("ExactlyOnce") === true)
      ?? (properties.length === 1 ? properties[0]! : outcome.message)
  return {
    verdict: "violated",
    property,
    ...(outcome.kind === "liveness" ? {} : { length: outcome.trace.length })
  }
}

export const expectedOfExplored = ({ property, steps }: Explored): Expected =>
  property === undefined ? { verdict: "holds" } : { verdict: "violated", property, length: (steps?.length ?? 0) + 1 }

export const isSame = (a: Expected, b: Expected): boolean =>
  a.verdict === b.verdict && (a.verdict === "holds" || (a.property === b.property && a.length === b.length))

const rerun = (name: string): string => `npm run -s keos -- check ${name}`

/** Edges by action. */
export const actionCounts = (graph: Graph): Readonly<Record<string, number>> => {
  const counts: Record<string, number> = {}
  for (let edge = 0; edge < Graphs.edgeCount(graph); edge++) {
    const action = graph.labels[graph.edgeLabels[edge]!]!.replace(/\(.*/, "")
    counts[action] = (counts[action] ?? 0) + 1
  }
  return counts
}

/** Distinct pairs of a request and the error that refuses it. */
export const refusalsOf = ({ labels }: Graph): ReadonlySet<string> =>
  new Set(labels.flatMap((name) => Model.refusalOf(Graphs.callOf(name)) ?? []))

/** A graph that TLC wrote without its writer has no arguments, so it does not say with which error. */
const hasArguments = ({ labels }: Graph): boolean => labels.some((name) => name.includes("("))

const missedRefusals = (who: string, found: number, { refusals = 0 }: Specification.Counts): ReadonlyArray<string> =>
  found === refusals ? [] : [`${who} refuses ${found} pairs of request and error, pinned ${refusals}`]

const sameCounts = (a: Readonly<Record<string, number>>, b: Readonly<Record<string, number>>): boolean =>
  [...new Set([...Object.keys(a), ...Object.keys(b)])].every((action) => (a[action] ?? 0) === (b[action] ?? 0))

/** The pins that a finished run of TLC does not meet. */
export const missedPins = (
  model: Specification.Model,
  outcome: Outcome,
  graph: Graph | undefined
): ReadonlyArray<string> => {
  const missed: Array<string> = []
  const found = expectedOf(outcome, model.properties)
  if (!isSame(found, model)) missed.push(`expected ${describe(model)}, TLC finds ${describe(found)}`)
  const pins = model.counts
  if (outcome._tag === "Holds") {
    if (pins === undefined) return [...missed, "no counts are pinned"]
    for (const name of ["distinct", "generated", "depth"] as const) {
      if (outcome[name] !== pins[name]) missed.push(`${name} is ${outcome[name]}, pinned ${pins[name]}`)
    }
    if (graph !== undefined) {
      if (Graphs.edgeCount(graph) !== outcome.generated - outcome.initial) {
        missed.push(`${Graphs.edgeCount(graph)} edges, but TLC generated ${outcome.generated - outcome.initial}`)
      }
      if (!sameCounts(actionCounts(graph), pins.actions)) {
        missed.push("the counts by action differ from the pinned ones")
      }
      if (hasArguments(graph)) missed.push(...missedRefusals("TLC", refusalsOf(graph).size, pins))
    }
  }
  return missed
}

const missedByExplorer = (model: Specification.Model, explored: Explored): ReadonlyArray<string> => {
  const missed: Array<string> = []
  const pinned = model.explorerAlone === true ? "the pin" : "TLC"
  if (model.explorerAlone === true && model.counts === undefined) missed.push("no counts are pinned")
  const found = expectedOfExplored(explored)
  if (!isSame(found, model)) missed.push(`expected ${describe(model)}, the explorer finds ${describe(found)}`)
  if (model.verdict === "holds" && model.counts !== undefined) {
    const { actions, depth, distinct, generated } = model.counts
    if (explored.states !== distinct) missed.push(`${explored.states} states, ${pinned} has ${distinct}`)
    if (explored.edges !== generated - 1) missed.push(`${explored.edges} edges, ${pinned} has ${generated - 1}`)
    if (explored.depth !== depth) missed.push(`depth ${explored.depth}, ${pinned} has ${depth}`)
    const graphed = Object.keys(actions).length > 0
    if (graphed && !sameCounts(explored.actions, actions)) {
      missed.push(`the counts by action differ from those of ${pinned}`)
    }
    if (graphed) missed.push(...missedRefusals("the explorer", explored.refusals.length, model.counts))
  }
  return missed
}

export const judged = (name: string, missed: ReadonlyArray<string>, command?: string): Check =>
  missed.length === 0 ? Checks.passed(name) : Checks.failed(name, missed.join("; "), command)

/** A divergence in as many lines as it needs. */
export const renderDivergence = (divergence: Replay.Divergence): string =>
  [
    `${divergence.kind}${divergence.step === undefined ? "" : ` ${divergence.step}`}`,
    `  after: ${divergence.path.length === 0 ? "the initial state" : divergence.path.join(" ")}`,
    ...divergence.differences.map((difference) => `  ${StateDiff.render(difference)}`)
  ].join("\n")

const replayCheck = (name: string, model: Specification.Model, graph: Graph, result: Replay.Result): Check => {
  if (result.edges === 0) return Checks.failed(name, "the graph has no edges", rerun(model.name))
  if (result.divergences > 0) {
    return Checks.failed(
      name,
      [`${result.divergences} divergences`, ...result.first.map(renderDivergence)].join("\n"),
      `npm run -s keos -- replay ${model.name}`
    )
  }
  return result.edges === Graphs.edgeCount(graph)
    ? Checks.passed(name)
    : Checks.failed(name, `${result.edges} of ${Graphs.edgeCount(graph)} edges were compared`, rerun(model.name))
}

/** What checking needs of the machine. */
export interface Context {
  readonly toolchain: Toolchain.Toolchain | undefined
  readonly workers: Workers
  /** Held by whoever runs TLC: as many as may run at a time. */
  readonly tlc: Semaphore.Semaphore
}

/** The configuration on which a model of the manifest rests; it must list the pinned properties. */
export const load = Effect.fnUntraced(function*(
  model: Specification.Model
): Effect.fn.Return<Specification.Checked, Specification.SpecificationError> {
  return yield* Specification.load(model.module, model.config)
})

const isGraphWanted = (model: Specification.Model): boolean => model.committed || model.replay.length > 0

/** Distinct states below which TLC is through with less of the processor without its slower compiler. */
const quickly = 25_000

/** The graph to replay: today's, or the committed one, or none. */
const obtain = Effect.fnUntraced(function*(
  { tlc, toolchain }: Context,
  model: Specification.Model,
  checked: Specification.Checked
): Effect.fn.Return<
  { readonly outcome: Outcome | undefined; readonly graph: Graph | undefined },
  Specification.SpecificationError | TlcFailure
> {
  const { report } = yield* Progress.Progress
  if (model.explorerAlone === true) return { outcome: undefined, graph: undefined }
  if (toolchain === undefined) {
    return { outcome: undefined, graph: model.committed ? yield* Traces.read(model.name, checked) : undefined }
  }
  const onProgress = (distinct: number) => report(`TLC: ${model.name}`, distinct, model.counts?.distinct)
  const options = { onProgress, quick: (model.counts?.distinct ?? 0) < quickly }
  return yield* tlc.withPermit(Effect.gen(function*() {
    report(`TLC: ${model.name}`)
    return isGraphWanted(model)
      ? yield* ModelCheck.graph(toolchain, checked, options)
      : { outcome: yield* ModelCheck.verdict(toolchain, checked, options), graph: undefined }
  }))
})

/** Checks a model. `engines` are the replays wanted. */
export const verify = Effect.fn("Models.verify")(function*(
  context: Context,
  model: Specification.Model,
  engines: ReadonlyArray<"core" | "runtime"> = model.replay
): Effect.fn.Return<ModelReport, Specification.SpecificationError | TlcFailure> {
  const { name, tier } = model
  const checked = yield* load(model)
  const { leftToTlc } = yield* Specification.judgesOf(checked)
  const checks: Array<Check> = []
  const listed = Specification.propertiesOf(checked)
  checks.push(judged(
    `${name}: properties`,
    listed.join() === model.properties.join()
      ? []
      : [`the configuration lists ${listed.join()}, pinned ${model.properties.join()}`]
  ))

  const { graph, outcome } = yield* obtain(context, model, checked)
  if (outcome !== undefined) checks.push(judged(`${name}: TLC`, missedPins(model, outcome, graph), rerun(name)))
  else if (model.explorerAlone !== true) checks.push(Checks.skipped(`${name}: TLC`, "no TLC"))
  if (model.committed && outcome !== undefined && graph !== undefined) {
    const committed = yield* Traces.read(name, checked)
    const missed = Traces.areEqual(committed, graph) ? [] : ["the committed graph is not what TLC finds"]
    checks.push(judged(`${name}: committed graph`, missed, "npm run -s keos -- check --update"))
  }

  const replays: { core?: Replayed; runtime?: Replayed } = {}
  for (const engine of engines) {
    const check = `${name}: ${engine} replay`
    if (graph === undefined) {
      checks.push(Checks.skipped(check, "no TLC, and the graph is too large to be committed"))
      continue
    }
    const { config, module } = model
    const result = yield* context.workers.run({ _tag: "Replay", engine, module, config, changes: {}, graph })
    const { divergences, edges, seconds } = result
    replays[engine] = { edges, divergences, seconds }
    checks.push(replayCheck(check, model, graph, result))
  }

  const found = outcome === undefined ? undefined : expectedOf(outcome, model.properties)
  const refusals = graph === undefined ? 0 : refusalsOf(graph).size
  return {
    name,
    tier,
    verdict: found?.verdict ?? "skipped",
    ...(model.explorerAlone === undefined ? {} : { explorerAlone: model.explorerAlone }),
    ...(found?.property === undefined ? {} : { property: found.property }),
    ...(found?.length === undefined ? {} : { length: found.length }),
    ...(outcome === undefined ? {} : {
      distinct: outcome.distinct,
      generated: outcome.generated,
      depth: outcome.depth,
      seconds: outcome.seconds
    }),
    ...(refusals === 0 ? {} : { refusals }),
    leftToTlc,
    replay: replays,
    checks
  }
})

/** What the explorer found of a model: all of it, and the part that reports show. */
export interface ExploredModel {
  readonly explored?: Explored
  readonly explorer?: ExplorerReport
  readonly checks: ReadonlyArray<Check>
}

/**
 * The code's own state graph for a model, its witnesses counted. Where the code does not judge what must be violated there
 * is nothing for it to find, and TLC is alone.
 */
export const explore = Effect.fn("Models.explore")(function*(
  { workers }: Pick<Context, "workers">,
  model: Specification.Model
): Effect.fn.Return<ExploredModel, Specification.SpecificationError> {
  const { config, module, name, property } = model
  const { leftToTlc } = yield* Specification.judgesOf(yield* load(model))
  if (property !== undefined && Object.hasOwn(leftToTlc, property)) {
    const missed = model.explorerAlone === true
      ? [`nobody judges ${property}: the explorer is alone, and leaves it to TLC`]
      : []
    return { checks: missed.map((why) => Checks.failed(`${name}: explorer`, why, rerun(name))) }
  }
  const explored = yield* workers.run({ _tag: "Explore", module, config, changes: {}, witnesses: true })
  const { depth, edges, seconds, states } = explored
  return {
    explored,
    explorer: { states, edges, depth, seconds },
    checks: [judged(`${name}: explorer`, missedByExplorer(model, explored), rerun(name))]
  }
})

/** The report of a model with what the explorer found of it. */
export const joined = (report: ModelReport, { checks, explored, explorer }: ExploredModel): ModelReport => ({
  ...report,
  ...(report.refusals === undefined && explored !== undefined && explored.refusals.length > 0
    ? { refusals: explored.refusals.length }
    : {}),
  ...(explorer === undefined ? {} : { explorer }),
  checks: [...report.checks, ...checks]
})

/** What all models of a run come to. */
export interface Totals {
  /** Added up; some of it at the same time. */
  readonly seconds: { readonly tlc: number; readonly explorer: number }
  /** Edges replayed, by engine. */
  readonly core: Replayed
  readonly runtime: Replayed
}

export const totalsOf = (reports: ReadonlyArray<ModelReport>): Totals => {
  const sum = (of: (report: ModelReport) => number | undefined): number =>
    reports.reduce((total, report) => total + (of(report) ?? 0), 0)
  const replayed = (engine: "core" | "runtime"): Replayed => ({
    edges: sum(({ replay }) => replay[engine]?.edges),
    divergences: sum(({ replay }) => replay[engine]?.divergences),
    seconds: sum(({ replay }) => replay[engine]?.seconds)
  })
  return {
    seconds: { tlc: sum(({ seconds }) => seconds), explorer: sum(({ explorer }) => explorer?.seconds) },
    core: replayed("core"),
    runtime: replayed("runtime")
  }
}
