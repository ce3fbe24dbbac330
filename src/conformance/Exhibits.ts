/**
 * The museum: every exhibit is a real bug that must show in the specification, in the code, and as a divergence of the
 * code from the true specification; and must be gone without the changed rule.
 */
import { Effect } from "effect"
import * as Constants from "../model/Constants.ts"
import type { Outcome, TlcFailure, Toolchain } from "../tlc/index.ts"
import type { Check } from "./Check.ts"
import * as Checks from "./Check.ts"
import type * as Counterexample from "./Counterexample.ts"
import * as Counterexamples from "./Counterexamples.ts"
import type { Graph } from "./Graph.ts"
import * as ModelCheck from "./ModelCheck.ts"
import * as Models from "./Models.ts"
import * as Progress from "./Progress.ts"
import * as Replay from "./Replay.ts"
import * as Specification from "./Specification.ts"
import * as Traces from "./Traces.ts"

/** `shown` when the bug shows with the rule and nothing shows without it. */
export type Showing = "shown" | "not shown" | "skipped"

export interface ExhibitReport {
  readonly name: string
  readonly title: string
  readonly property: string
  readonly spec: Showing
  readonly code: Showing
  readonly replay: Showing
  /** Of the committed counterexample. */
  readonly counterexample: Showing
  /** The steps of the shortest counterexample in the code. */
  readonly steps: ReadonlyArray<string>
  /**
   * The first step at which the code with the bug leaves the specification; if it never does, since the rule is one that
   * only readers follow, the first state in which it finds the property violated and the specification does not.
   */
  readonly divergence?: string
  readonly checks: ReadonlyArray<Check>
}

/** Exhibits are small. */
const quick = { quick: true }

export const graphName = (exhibit: Specification.Exhibit): string => `museum/${exhibit.name}`

/** What takes the bug away: its rules, and the constants that it consists of. */
export const cure = ({ constants = {}, rules }: Specification.Exhibit): Specification.Changes => ({
  without: rules,
  constants
})

/** The same configuration without the bug. */
export const loadClean = (exhibit: Specification.Exhibit) =>
  Specification.load(exhibit.module, exhibit.config, cure(exhibit))

/** The names of the rules and constants that the exhibit changes. */
export const changesOf = ({ constants = {}, rules }: Specification.Exhibit): ReadonlyArray<string> => [
  ...rules,
  ...Object.keys(constants)
]

/**
 * What speaks against the exhibit being the only thing that is changed: it must differ from the clean configuration in
 * what it names and in nothing else, put in place its own rules, and leave none of them in the clean configuration. Its
 * own rule of `IsRegistered` is `IsRegistered_KAFKA_5268`.
 */
export const missedChanges = (
  exhibit: Specification.Exhibit,
  bug: Specification.Checked,
  clean: Specification.Checked
): ReadonlyArray<string> => {
  const named = changesOf(exhibit)
  const differing = Specification.differences(bug, clean)
  const own = ({ config }: Specification.Checked): ReadonlyArray<string> =>
    Object.entries(config.substitutions).flatMap(([rule, { definition }]) =>
      definition === `${rule}_${Constants.suffixOf(exhibit.name)}` ? [rule] : []
    )
  const [ownRules, left] = [own(bug), own(clean)]
  return [
    ...(named.length === 0 ? ["it changes nothing"] : []),
    ...named.filter((name) => !differing.includes(name)).map((name) => `${name} is as without the bug`),
    ...differing.filter((name) => !named.includes(name)).map((name) => `${name} is changed and not named`),
    ...exhibit.rules.filter((rule) => !ownRules.includes(rule)).map((rule) => `${rule} is not the rule of the bug`),
    ...left.map((rule) => `${rule} stays that of the bug`),
    ...(Specification.propertiesOf(bug).join() === exhibit.property ? [] : [`${exhibit.property} is not watched alone`])
  ]
}

const showing = (missed: ReadonlyArray<string>): Showing => missed.length === 0 ? "shown" : "not shown"

const missedVerdicts = (
  who: string,
  pinned: Models.Expected,
  withBug: Models.Expected,
  clean: Models.Expected
): ReadonlyArray<string> => [
  ...(Models.isSame(withBug, pinned)
    ? []
    : [`${who} with the bug ${Models.describe(withBug)}, pinned ${Models.describe(pinned)}`]),
  ...(clean.verdict === "holds" ? [] : [`${who} without the bug ${Models.describe(clean)}`])
]

/** TLC with the bug and without it; the graph of the latter is what the code is replayed against. */
const underTlc = Effect.fnUntraced(function*(
  toolchain: Toolchain.Toolchain,
  exhibit: Specification.Exhibit
): Effect.fn.Return<
  { readonly withBug: Outcome; readonly clean: Outcome; readonly graph: Graph },
  Specification.SpecificationError | TlcFailure
> {
  const bug = yield* Specification.load(exhibit.module, exhibit.config)
  const withBug = yield* ModelCheck.verdict(toolchain, bug, quick)
  const { graph, outcome: clean } = yield* ModelCheck.graph(toolchain, yield* loadClean(exhibit), quick)
  return { withBug, clean, graph }
})

/** The counterexample that TLC finds today. */
export const counterexampleOf = Effect.fn("Exhibits.counterexampleOf")(function*(
  toolchain: Toolchain.Toolchain,
  exhibit: Specification.Exhibit
): Effect.fn.Return<Counterexample.Counterexample, Specification.SpecificationError | TlcFailure> {
  const bug = yield* Specification.load(exhibit.module, exhibit.config)
  const outcome = yield* ModelCheck.verdict(toolchain, bug, quick)
  if (outcome._tag === "Violated") {
    return yield* Counterexamples.ofExhibit(exhibit, bug, outcome.trace, toolchain.version)
  }
  return yield* new Specification.SpecificationError({ message: `${exhibit.name}: TLC finds no violation` })
})

/** Writes the committed graph and counterexample of an exhibit anew. */
export const renew = Effect.fn("Exhibits.renew")(function*(
  toolchain: Toolchain.Toolchain,
  exhibit: Specification.Exhibit
): Effect.fn.Return<void, Specification.SpecificationError | TlcFailure> {
  yield* Progress.report(`TLC: ${exhibit.name}`)
  yield* Counterexamples.write(Counterexamples.pathOf(exhibit.name), yield* counterexampleOf(toolchain, exhibit))
  const clean = yield* loadClean(exhibit)
  const { graph } = yield* ModelCheck.graph(toolchain, clean, quick)
  yield* Traces.write(graphName(exhibit), clean, graph, toolchain.version)
})

export const verify = Effect.fn("Exhibits.verify")(function*(
  { tlc, toolchain, workers }: Models.Context,
  exhibit: Specification.Exhibit
): Effect.fn.Return<ExhibitReport, Specification.SpecificationError | TlcFailure> {
  yield* Progress.report(`museum: ${exhibit.name}`)
  const { config, module, name, property } = exhibit
  const pinned: Models.Expected = { verdict: "violated", property, length: exhibit.length }
  const rerun = `npm run -s keos -- bugs run ${name}`
  const bug = yield* Specification.load(module, config)
  const clean = yield* loadClean(exhibit)

  const explored = yield* workers.run({ _tag: "Explore", module, config, changes: {} })
  const exploredClean = yield* workers.run({ _tag: "Explore", module, config, changes: cure(exhibit) })
  const code = missedVerdicts(
    "the explorer",
    pinned,
    Models.expectedOfExplored(explored),
    Models.expectedOfExplored(exploredClean)
  )

  const checked = toolchain === undefined ? undefined : yield* tlc.withPermit(underTlc(toolchain, exhibit))
  const spec = checked === undefined ? undefined : missedVerdicts(
    "TLC",
    pinned,
    Models.expectedOf(checked.withBug, [property]),
    Models.expectedOf(checked.clean, [property])
  )
  const committed = yield* Traces.read(graphName(exhibit), clean)
  const graph = checked?.graph ?? committed
  const diverging = Replay.replay({ ...bug, graph })
  const agreeing = Replay.replay({ ...clean, graph })
  const judging = Replay.judge({ ...bug, graph }, property)
  const approving = Replay.judge({ ...clean, graph }, property)
  const replay = [
    ...(diverging.divergences + judging.violations > 0
      ? []
      : ["the code with the bug does not diverge from the specification"]),
    ...(agreeing.divergences === 0 ? [] : [`the code without the bug diverges ${agreeing.divergences} times`]),
    ...(approving.violations === 0 ? [] : [`the code without the bug finds ${property} violated`]),
    ...(agreeing.edges > 0 ? [] : ["the graph has no edges"])
  ]
  const first = diverging.first[0] ?? judging.first
  const counterexample = yield* Counterexamples.missed(exhibit, clean)
  const checks = [
    Models.judged(`${name}: the only change`, missedChanges(exhibit, bug, clean), rerun),
    spec === undefined
      ? Checks.skipped(`${name}: specification`, "no TLC")
      : Models.judged(`${name}: specification`, spec, rerun),
    Models.judged(`${name}: code`, code, rerun),
    Models.judged(`${name}: replay`, replay, rerun),
    Models.judged(`${name}: counterexample`, counterexample, rerun)
  ]
  if (checked !== undefined) {
    const missed = Traces.areEqual(committed, graph) ? [] : ["the committed graph is not what TLC finds"]
    checks.push(Models.judged(`${name}: committed graph`, missed, `${rerun} --update`))
  }
  return {
    name,
    title: exhibit.title,
    property,
    spec: spec === undefined ? "skipped" : showing(spec),
    code: showing(code),
    replay: showing(replay),
    counterexample: showing(counterexample),
    steps: explored.steps ?? [],
    ...(first === undefined ? {} : { divergence: Models.renderDivergence(first) }),
    checks
  }
})
