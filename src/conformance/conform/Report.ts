/**
 * What came of judging a target, as the document that `--json` prints and `keos report` reads.
 */
import { Effect, Result, Schema } from "effect"
import type * as Campaign from "./Campaign.ts"
import * as KnownFailing from "./KnownFailing.ts"
import { Release } from "./launch/index.ts"
import * as Level from "./Level.ts"
import * as Rules from "./Rules.ts"
import type * as Tally from "./Tally.ts"
import * as Telling from "./Telling.ts"
import type { Step } from "./Walks.ts"

const Place = Schema.Struct({ file: Schema.String, line: Schema.Int })

const Rule = Schema.Struct({
  sentence: Schema.String,
  operator: Schema.NullOr(Schema.String),
  /** Where the specification has the operator. */
  spec: Schema.NullOr(Place),
  source: Schema.String
})

const WalkName = Schema.Struct({ part: Schema.String, number: Schema.Int })

/** A request and its answer in the specification, which is what the target answered too, but for the last. */
const Exchange = Schema.Struct({
  request: Schema.String,
  answer: Schema.String,
  /** Whether it changes anything. */
  changes: Schema.Boolean
})

const Case = Schema.Struct({
  id: Schema.String,
  topic: Schema.String,
  level: Schema.Literals(Level.levels),
  /** A case that was never compared is not judged, whatever the rest of its walks may say. */
  status: Schema.Literals(["passed", "failed", "not judged"]),
  /** Answers. */
  compared: Schema.Int,
  diverged: Schema.Int,
  notJudged: Schema.Int,
  /** The reason that the file of known failing cases gives. */
  knownFailing: Schema.optionalKey(Schema.String)
})
export type Case = typeof Case.Type

const Divergence = Schema.Struct({
  case: Schema.String,
  topic: Schema.String,
  level: Schema.Literals(Level.levels),
  rule: Rule,
  /** The one with the fewest steps; none where the target could not even be prepared. */
  walk: Schema.NullOr(WalkName),
  /** In how many walks it was seen. */
  walks: Schema.Int,
  /** All that was asked in the walk up to there. */
  requests: Schema.Array(Exchange),
  /** Epoch that all producers were brought to before. */
  epoch: Schema.NullOr(Schema.Int),
  expected: Schema.Unknown,
  actual: Schema.Unknown,
  knownFailing: Schema.optionalKey(Schema.String),
  /** The command that shows it again. */
  again: Schema.String
})
export type Divergence = typeof Divergence.Type
export type Exchange = typeof Exchange.Type

const Part = Schema.Struct({
  name: Schema.String,
  /** How many requests of a walk may change something. */
  budget: Schema.Int,
  walks: Schema.Int,
  taken: Schema.Int,
  states: Schema.Int,
  edges: Schema.Int
})

const Topic = Schema.Struct({
  topic: Schema.String,
  cases: Schema.Int,
  walks: Schema.Int,
  compared: Schema.Int,
  diverged: Schema.Int
})

const Totals = Schema.Struct({
  cases: Schema.Int,
  passed: Schema.Int,
  /** Without those that are known to. */
  failed: Schema.Int,
  knownFailing: Schema.Int,
  /** Known to fail, and does not. */
  unexpectedlyPassed: Schema.Int,
  notJudged: Schema.Int,
  walks: Schema.Int,
  taken: Schema.Int,
  compared: Schema.Int,
  diverged: Schema.Int
})

export const Document = Schema.Struct({
  schemaVersion: Schema.Literal(1),
  target: Schema.Struct({ name: Schema.String, address: Schema.String }),
  /** Null where the target does not say enough of itself. */
  release: Schema.NullOr(Schema.Struct({
    line: Schema.Literals(Release.lines),
    transactionVersion: Schema.Int,
    /** Why the line is not certain. */
    guess: Schema.NullOr(Schema.String)
  })),
  /** The configuration of the guarantee matrix whose rules it was judged by. */
  profile: Schema.NullOr(Schema.String),
  extent: Schema.Literals(["full", "quick"]),
  parts: Schema.Array(Part),
  leftOut: Schema.Array(Schema.Struct({ name: Schema.String, reason: Schema.String })),
  topics: Schema.Array(Topic),
  cases: Schema.Array(Case),
  divergences: Schema.Array(Divergence),
  /** Why it ended before all walks were taken. */
  stopped: Schema.NullOr(Schema.String),
  totals: Totals,
  seconds: Schema.Finite
})
export type Document = typeof Document.Type

const decodeText = Schema.decodeUnknownResult(Schema.fromJsonString(Document), {
  errors: "all",
  onExcessProperty: "error"
})

export class InvalidReport extends Schema.TaggedError<InvalidReport>()("InvalidReport", {
  message: Schema.String
}) {}

/** Reads what `--json` has printed. */
export const parse = (text: string): Result.Result<Document, InvalidReport> =>
  Result.mapError(decodeText(text), ({ message }) => new InvalidReport({ message }))

/** What a report is made of. */
export interface Found {
  readonly target: Document["target"]
  readonly release: Document["release"]
  readonly profile: Document["profile"]
  readonly extent: Document["extent"]
  readonly chosen: ReadonlyArray<Tally.Chosen>
  readonly leftOut: Document["leftOut"]
  readonly tally: Tally.Tally
  /** Which cases the report is about. One that diverges is always in it. */
  readonly isSelected: (id: string) => boolean
  readonly knownFailing: ReadonlyArray<KnownFailing.Entry>
  readonly stopped: string | undefined
  readonly seconds: number
  /** The command that takes a walk again; without one, the whole command. */
  readonly again: (walk?: Campaign.WalkName) => string
}

const statusOf = ({ compared, diverged }: Pick<Tally.CaseTally, "compared" | "diverged">): Case["status"] =>
  diverged > 0 ? "failed" : compared > 0 ? "passed" : "not judged"

const levelOf = ({ errors, topic }: Tally.CaseTally): Level.Level =>
  Level.strictest(Array.from(errors, (error) => Rules.of({ topic, error }).level))

/** The requests of a walk. */
export const exchangesOf = (steps: ReadonlyArray<Step>): ReadonlyArray<Exchange> =>
  steps.flatMap((step) => {
    if (step._tag === "Look") return []
    const { after, answer, before, request } = step
    return [{ request: Telling.request(request), answer: Telling.answer(answer), changes: before !== after }]
  })

const known = (entry: KnownFailing.Entry | undefined): { readonly knownFailing?: string } =>
  entry === undefined ? {} : { knownFailing: entry.reason }

/** What must be before what should be, then by the number of walks; the same cases in the same order. */
const byWeight = (a: Divergence, b: Divergence): number => {
  if (a.level !== b.level) return a.level === "MUST" ? -1 : 1
  if (a.walks !== b.walks) return b.walks - a.walks
  return a.case < b.case ? -1 : a.case > b.case ? 1 : 0
}

const sum = <A>(all: ReadonlyArray<A>, of: (one: A) => number): number =>
  all.reduce((before, one) => before + of(one), 0)

export const make = Effect.fnUntraced(function*(found: Found) {
  const { again, chosen, isSelected, tally } = found
  const places = yield* Rules.places
  const reasonOf = KnownFailing.lookup(found.knownFailing)
  const stepsOf = ({ number, part }: Campaign.WalkName): ReadonlyArray<Step> =>
    chosen.find((one) => one.part.name === part)!.walks.find((walk) => walk.number === number)!.steps

  const divergences = tally.divergences().map((one): Divergence => {
    const { case: of, walk } = one
    const { level, operator, sentence, source } = Rules.of(of)
    return {
      case: of.id,
      topic: of.topic,
      level: Level.ofDivergence(level, one.expected, one.actual),
      rule: {
        sentence,
        source,
        operator: operator ?? null,
        spec: operator === undefined ? null : places.get(operator) ?? null
      },
      walk: walk ?? null,
      walks: one.walks,
      requests: walk === undefined ? [] : exchangesOf(stepsOf(walk).slice(0, one.step + 1)),
      epoch: chosen.find(({ part }) => part.name === walk?.part)?.part.epoch ?? null,
      expected: one.expected,
      actual: one.actual,
      ...known(reasonOf(of.id)),
      again: again(walk)
    }
  }).toSorted(byWeight)

  const preparations = divergences.filter(({ walk }) => walk === null).map((one): Case => ({
    id: one.case,
    topic: one.topic,
    level: one.level,
    status: "failed",
    compared: one.walks,
    diverged: one.walks,
    notJudged: 0,
    ...known(reasonOf(one.case))
  }))
  const asked = tally.cases().filter(({ diverged, id }) => isSelected(id) || diverged > 0)
  const cases = [
    ...preparations,
    ...asked.map((one): Case => ({
      id: one.id,
      topic: one.topic,
      level: levelOf(one),
      status: statusOf(one),
      compared: one.compared,
      diverged: one.diverged,
      notJudged: one.expected - one.compared,
      ...known(reasonOf(one.id))
    })).toSorted((a, b) => a.id < b.id ? -1 : 1)
  ]

  const parts = chosen.map(({ part, walks }) => ({
    name: part.name,
    budget: part.budget,
    walks: walks.length,
    taken: tally.taken(part.name),
    states: part.graph.states,
    edges: part.graph.edges
  }))
  const topics = Array.from(Map.groupBy(asked, ({ topic }) => topic), ([topic, all]) => ({
    topic,
    cases: all.length,
    walks: tally.walksOf(topic),
    compared: sum(all, ({ compared }) => compared),
    diverged: sum(all, ({ diverged }) => diverged)
  })).toSorted((a, b) => a.topic < b.topic ? -1 : 1)
  const count = (holds: (one: Case) => boolean): number => cases.filter(holds).length
  const document: Document = {
    schemaVersion: 1,
    target: found.target,
    release: found.release,
    profile: found.profile,
    extent: found.extent,
    parts,
    leftOut: found.leftOut,
    topics,
    cases,
    divergences,
    stopped: found.stopped ?? null,
    totals: {
      cases: cases.length,
      passed: count(({ knownFailing, status }) => status === "passed" && knownFailing === undefined),
      failed: count(({ knownFailing, status }) => status === "failed" && knownFailing === undefined),
      knownFailing: count(({ knownFailing, status }) => status === "failed" && knownFailing !== undefined),
      unexpectedlyPassed: count(({ knownFailing, status }) => status === "passed" && knownFailing !== undefined),
      notJudged: count(({ status }) => status === "not judged"),
      walks: sum(parts, ({ walks }) => walks),
      taken: sum(parts, ({ taken }) => taken),
      compared: sum(cases, ({ compared }) => compared),
      diverged: sum(cases, ({ diverged }) => diverged)
    },
    seconds: found.seconds
  }
  return document
})

/** What a report says of its target. */
export const verdictOf = ({ stopped, totals }: Document): "passed" | "failed" | "none" => {
  if (totals.failed > 0 || totals.unexpectedlyPassed > 0) return "failed"
  return totals.compared > 0 && stopped === null ? "passed" : "none"
}
