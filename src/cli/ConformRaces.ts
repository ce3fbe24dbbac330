/**
 * `keos conform --races`: what comes of requests that reach a broker at the same time, and of brokers that end in the middle
 * of things.
 */
import { Clock, Effect, type Scope } from "effect"
import * as KnownFailing from "../conformance/conform/KnownFailing.ts"
import { ApacheKafka, Release } from "../conformance/conform/launch/index.ts"
import { Races } from "../conformance/conform/races/index.ts"
import * as Selection from "../conformance/conform/Selection.ts"
import * as Target from "../conformance/conform/Target.ts"
import { Progress } from "../conformance/Progress.ts"
import type { Remote } from "../runtime/index.ts"
import * as Ending from "./Ending.ts"
import * as Output from "./Output.ts"
import { finish } from "./ProgressLine.ts"

/** A target to race requests on. */
export interface Racecourse {
  /** For people. */
  readonly name: string
  /** Where it is; starts it, if it is to be started. */
  readonly address: Effect.Effect<Remote.Address.Address, Ending.NoVerdict, Scope.Scope>
  /** What to start where races end the broker; they are left out of a target that cannot be started again. */
  readonly specification?: ApacheKafka.LaunchSpecification
}

export interface Options {
  /** Patterns of races; without any, all. */
  readonly only: ReadonlyArray<string>
  readonly repetitions: number
  readonly seed: number
  readonly knownFailing: ReadonlyArray<KnownFailing.Entry>
  readonly json: boolean
  /** The command that does all of this again. */
  readonly again: string
}

type Identity = Pick<Release.Identity, "line" | "transactionVersion" | "guess">

/** What came of the races on one broker. */
interface Raced {
  readonly identity: Identity
  readonly reports: ReadonlyArray<Races.Report>
}

const noVerdict = ({ message }: { readonly message: string }) => Effect.fail(new Ending.NoVerdict({ message }))

const raceOn = Effect.fnUntraced(function*(
  address: Remote.Address.Address,
  races: ReadonlyArray<Races.Race>,
  { repetitions, seed }: Options,
  broker?: ApacheKafka.Broker
) {
  const { report } = yield* Progress
  const run = `${(yield* Clock.currentTimeMillis).toString(36)}${process.pid.toString(36)}`
  const target = yield* Target.know(address, run)
  const { guess, line, transactionVersion } = Release.identify(target.apiVersions)
  const reports = yield* Effect.forEach(races, (race, i) => {
    report(race.id, i, races.length)
    return Races.run(target, race, { repetitions, seed, run, ...(broker === undefined ? {} : { broker }) })
  })
  return { identity: { guess, line, transactionVersion }, reports }
}, Effect.catchTag(["NoTarget", "ConnectionError", "LaunchFailed"], noVerdict))

/** Those that end the broker have one that is soon missed when it is killed; all others one that is not. */
const raceAll = Effect.fnUntraced(function*(
  { address, specification }: Racecourse,
  races: ReadonlyArray<Races.Race>,
  options: Options
) {
  const { report } = yield* Progress
  const standing = specification === undefined ? races : races.filter(({ needsRestart }) => !needsRestart)
  const restarting = races.filter((race) => !standing.includes(race))
  const raced: Array<Raced> = []
  if (standing.length > 0) {
    raced.push(yield* Effect.scoped(Effect.flatMap(address, (at) => raceOn(at, standing, options))))
  }
  if (specification !== undefined && restarting.length > 0) {
    raced.push(
      yield* Effect.scoped(
        ApacheKafka.launch(specification, { onProgress: (what) => report(what) }).pipe(
          Effect.catchTag("LaunchFailed", noVerdict),
          Effect.flatMap((broker) => raceOn(broker.address, restarting, options, broker))
        )
      )
    )
  }
  return raced
})

const isFailure = ({ verdict }: Races.Report): boolean => verdict === "diverges"

const textOf = (report: Races.Report, known: string | undefined): string => {
  if (report.verdict === "skipped") return "skipped"
  if (report.verdict === "agrees") return "✔"
  return known === undefined ? "✘" : "known failing"
}

const seenOf = (report: Races.Report): string =>
  report.verdict === "skipped" ? "–" : `${report.observed.length} of ${report.allowed.length}`

const render = (
  name: string,
  { guess, line, transactionVersion }: Identity,
  reports: ReadonlyArray<Races.Report>,
  reasonOf: (report: Races.Report) => string | undefined,
  { again, repetitions, seed }: Options
): ReadonlyArray<string> => {
  const failed = reports.filter((report) => isFailure(report) && reasonOf(report) === undefined)
  const skipped = Map.groupBy(
    reports.filter((report) => report.verdict === "skipped"),
    ({ reason }) => reason
  )
  const known = reports.filter((report) => isFailure(report) && reasonOf(report) !== undefined)
  const passed = reports.filter(({ verdict }) => verdict === "agrees")
  return [
    [
      `${name}: races by the rules of Apache Kafka ${line}`,
      `transaction.version ${transactionVersion}`,
      `each ${repetitions} times, seed ${seed}`
    ].join("; "),
    ...(guess === undefined ? [] : [guess]),
    "",
    ...Output.table([
      ["race", "level", "allowed outcomes seen", ""],
      ...reports.map((report) => [
        report.race.id,
        report.race.level,
        seenOf(report),
        textOf(report, reasonOf(report))
      ])
    ], ["left", "left", "right", "left"]),
    "",
    ...failed.flatMap((report) => {
      if (report.verdict !== "diverges") return []
      const [title, ...lines] = Races.describe(report)
      return [`✘ ${title}`, ...[...lines, `again: ${again} --only ${report.race.id}`].map((line) => `    ${line}`)]
    }),
    ...known.map((report) => `known failing: ${report.race.id} (${reasonOf(report)})`),
    ...Array.from(
      skipped,
      ([reason, all]) => `not raced, because ${reason}: ${all.map(({ race }) => race.id).join("; ")}`
    ),
    [
      `${passed.length} passed`,
      `${failed.length} failed`,
      `${reports.length - passed.length - failed.length - known.length} skipped`,
      ...(known.length === 0 ? [] : [`${known.length} known failing`])
    ].join(", ")
  ]
}

/** A race as plain data. */
const plain = (report: Races.Report, knownFailing: string | undefined) => {
  const { race: { id, level, needsRestart, sentence, source }, ...rest } = report
  return { id, level, sentence, source, needsRestart, ...rest, ...(knownFailing === undefined ? {} : { knownFailing }) }
}

export const races = Effect.fnUntraced(function*(course: Racecourse, options: Options) {
  const isMeant = options.only.length === 0 ? () => true : Selection.matcher(options.only)
  const chosen = Races.all.filter(({ id }) => isMeant(id))
  if (chosen.length === 0) {
    const ids = Races.all.map(({ id }) => id)
    const meant = options.only.flatMap((pattern) => Selection.nearest(pattern, ids) ?? [])
    const hint = meant.length === 0 ? `there are ${ids.join(", ")}` : `did you mean ${meant.join(", ")}?`
    return yield* new Ending.NoVerdict({ message: `no race is called ${options.only.join(" or ")}; ${hint}` })
  }
  const raced = yield* raceAll(course, chosen, options)
  const reports = raced.flatMap((one) => one.reports)
  const { identity } = raced[0]!
  const reasonOfId = KnownFailing.lookup(options.knownFailing)
  const reasonOf = ({ race }: Races.Report): string | undefined => reasonOfId(race.id)?.reason
  finish()
  const { repetitions, seed } = options
  yield* options.json
    ? Output.json({
      schemaVersion: 1,
      target: course.name,
      release: identity,
      repetitions,
      seed,
      races: reports.map((report) => plain(report, reasonOf(report)))
    })
    : Output.print(render(course.name, identity, reports, reasonOf, options))
  if (reports.some((report) => isFailure(report) && reasonOf(report) === undefined)) {
    return yield* new Ending.Negative()
  }
  if (!reports.some(({ verdict }) => verdict === "agrees")) {
    return yield* new Ending.NoVerdict({ message: "there is no verdict: nothing was raced" })
  }
})
