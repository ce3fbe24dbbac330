/**
 * `keos explore`: campaigns of the runtime in a simulation.
 *
 * Without a configuration everything is explored, steered by what it reaches; with one, random histories of that row of the
 * guarantee matrix are judged as `verify` judges them. A run that was found can be run again by its path, recorded, and
 * replayed choice for choice.
 */
import { Effect, Option, Schema } from "effect"
import { Argument, Command, Flag } from "effect/cli"
import { availableParallelism } from "node:os"
import * as Campaign from "../conformance/Campaign.ts"
import * as Campaigns from "../conformance/Campaigns.ts"
import * as Checks from "../conformance/Check.ts"
import * as Detections from "../conformance/Detections.ts"
import * as Guarantees from "../conformance/Guarantees.ts"
import * as Models from "../conformance/Models.ts"
import * as Schedule from "../conformance/Schedule.ts"
import * as Specification from "../conformance/Specification.ts"
import * as Task from "../conformance/Task.ts"
import * as Workers from "../conformance/Workers.ts"
import * as CampaignReport from "./CampaignReport.ts"
import * as Ending from "./Ending.ts"
import * as Engine from "./Engine.ts"
import * as Output from "./Output.ts"
import * as Verdict from "./Verdict.ts"
import { seedFlag } from "./verify.ts"

const runsFlag = Flag.Int("runs").pipe(
  Flag.withSchema(Schema.Int.check(Schema.isGreaterThan(0))),
  Flag.withDescription(
    "runs of a campaign (20000), of a row (2000), or of each campaign for an exhibit at most (20000)"
  ),
  Flag.optional
)

const pathFlag = Flag.String("path").pipe(
  Flag.withDescription("run one scenario of an earlier exploration again, by the path that it printed"),
  Flag.optional
)

const recordFlag = Flag.String("record").pipe(
  Flag.withDescription(
    "write the run of the path, or of the first violation made small, with every choice to this file"
  ),
  Flag.optional
)

const replayFlag = Flag.String("replay").pipe(
  Flag.withDescription("make the run of a recorded file again, choice for choice"),
  Flag.optional
)

const traceFlag = Flag.Boolean("trace").pipe(
  Flag.withDefault(false),
  Flag.withDescription("print everything that happens in the run of a path or of a file")
)

const exhibitsFlag = Flag.Boolean("exhibits").pipe(
  Flag.withDefault(false),
  Flag.withDescription("how many runs it takes to find each bug of the museum, or the one that is named")
)

const unsteeredFlag = Flag.Boolean("unsteered").pipe(
  Flag.withDefault(false),
  Flag.withDescription("vary nothing that was reached seldom, for comparison")
)

const configuration = Argument.String("configuration").pipe(
  Argument.optional,
  Argument.withDescription("a row of the guarantee matrix, or an exhibit; everything without it")
)

const defaultRuns = { campaign: 20_000, row: 2_000, exhibit: 20_000 } as const

/** Campaigns for an exhibit have these seeds and those that follow. */
const seedsOf = (seed: number): ReadonlyArray<number> => [0, 1, 2, 3, 4].map((more) => seed + more)

/** What a command line asks for. */
interface Asked {
  readonly seed: number
  readonly runs: number | undefined
  readonly record: string | undefined
  readonly json: boolean
  readonly trace: boolean
}

const recorded = Effect.fnUntraced(function*(
  file: string,
  origin: Schedule.Origin,
  parts: object
) {
  const campaign = yield* Task.campaignOf(origin.module, origin.config)
  yield* Schedule.write(file, Schedule.record(campaign, origin, parts))
  yield* Effect.sync(() => process.stderr.write(`recorded in ${Specification.shown(file)}\n`))
})

const nothingToRecord = Effect.sync(() => process.stderr.write("nothing was violated, so nothing is recorded\n"))

/** How fast it was: the only thing said that is another the next time. */
const sayHowFast = (calls: number, milliseconds: number): Effect.Effect<void> =>
  Effect.sync(() => {
    const rate = Output.count(Math.round(calls / milliseconds * 1000))
    process.stderr.write(`${Output.seconds(milliseconds / 1000)} s, ${rate} client operations/s\n`)
  })

const campaign = Effect.fnUntraced(
  function*({ json, record, runs = defaultRuns.campaign, seed }: Asked, steered: boolean) {
    const parts = yield* Campaigns.parts
    const workers = yield* Workers.make(availableParallelism())
    const again = `npm run -s keos -- explore --runs ${runs} --seed ${seed}${steered ? "" : " --unsteered"}`
    const began = performance.now()
    const report = yield* Campaigns.run({ workers, runs, seed, steered }, parts, again)
    const milliseconds = performance.now() - began
    if (record !== undefined) {
      const part = report.parts.find(({ violations }) => violations.length > 0)
      if (part === undefined) yield* nothingToRecord
      else yield* recordPath(record, seed, `${part.name}/${part.violations[0]!.path}`)
    }
    const { checks, parts: reports, reached, trace } = report
    yield* Verdict.report({
      json,
      checks,
      document: { seed, runs, steered, parts: reports, reached, trace },
      lines: CampaignReport.campaign(report)
    })
    yield* sayHowFast(CampaignReport.callsOf(report), milliseconds)
    yield* Ending.byChecks(checks)
  }
)

/** The part and the run that a path of a campaign names. */
const located = Effect.fnUntraced(function*(seed: number, place: string) {
  const parts = yield* Campaigns.parts
  const [name = "", path = ""] = place.split("/")
  const [part] = yield* Ending.select("part of a campaign", parts, (one) => one.name, [name])
  const { claims, config, module } = part!
  const campaign = yield* Task.campaignOf(module, config)
  const own = Campaigns.seedOf(seed, part!.name)
  const scenario = yield* Effect.try({
    try: () => campaign.at(own, path),
    catch: (error) =>
      new Ending.UsageError({ message: error instanceof Campaign.PathError ? error.message : String(error) })
  })
  const origin: Schedule.Origin = { configuration: part!.name, module, config, seed, path, watched: claims }
  return { campaign, origin, scenario }
})

const recordPath = Effect.fnUntraced(function*(file: string, seed: number, place: string) {
  const { origin, scenario } = yield* located(seed, place)
  yield* recorded(file, origin, scenario.parts)
})

/** A run in words, with all that is said against it. */
const linesOf = ({ lines, scenario, violated }: Schedule.Replayed, trace: boolean): ReadonlyArray<string> => [
  scenario,
  ...(trace ? ["", ...lines] : []),
  "",
  ...(Object.keys(violated).length === 0
    ? ["nothing is violated"]
    : Object.entries(violated).map(([property, sentence]) => `${property}: ${sentence}`))
]

const runPath = Effect.fnUntraced(function*({ json, record, seed, trace }: Asked, place: string) {
  const { campaign, origin, scenario } = yield* located(seed, place)
  const schedule = Schedule.record(campaign, origin, scenario.parts)
  const replayed = Schedule.replay(campaign, schedule)
  if (record !== undefined) yield* recorded(record, origin, scenario.parts)
  const broken = Object.entries(replayed.violated).filter(([name]) =>
    name === "broken" || origin.watched.some((claim) => name === claim || name === Schedule.byModel(claim))
  )
  yield* Verdict.conclude({
    json,
    checks: [Models.judged(
      `${origin.configuration}: nothing is violated`,
      broken.map(([name, sentence]) => `${name}: ${sentence}`),
      CampaignReport.againOf(seed, ...(place.split("/") as [string, string]))
    )],
    document: { ...schedule, scenario: replayed.scenario },
    lines: linesOf(replayed, trace)
  })
})

const replay = Effect.fnUntraced(function*({ json, trace }: Asked, file: string) {
  const schedule = yield* Schedule.read(file)
  const campaign = yield* Task.campaignOf(schedule.module, schedule.config)
  const replayed = Schedule.replay(campaign, schedule)
  yield* Verdict.conclude({
    json,
    checks: [
      replayed.isSame
        ? Checks.passed(`${file}: everything happened as recorded`)
        : Checks.failed(
          `${file}: everything happened as recorded`,
          "the code does something else now",
          `npm run -s keos -- explore --replay ${file} --trace`
        )
    ],
    document: { file, configuration: schedule.configuration, ...replayed, ...(trace ? {} : { lines: [] }) },
    lines: linesOf(replayed, trace)
  })
})

const exhibits = Effect.fnUntraced(function*(
  { json, runs: limit = defaultRuns.exhibit, seed }: Asked,
  names: ReadonlyArray<string>
) {
  const manifest = yield* Specification.manifest
  const chosen = yield* Ending.select("exhibit", manifest.exhibits, ({ name }) => name, names)
  const workers = yield* Workers.make(availableParallelism())
  const seeds = seedsOf(seed)
  const detected = yield* Detections.run({ workers, seeds, limit }, chosen)
  yield* Verdict.conclude({
    json,
    checks: detected.map(({ exhibit, found }) =>
      Models.judged(
        `${exhibit}: found`,
        found.flatMap((one, i) => one === undefined ? [`not within ${limit} runs of seed ${seeds[i]}`] : []),
        `npm run -s keos -- explore --exhibits ${exhibit} --seed ${seed} --runs ${limit}`
      )
    ),
    document: { seeds, limit, exhibits: detected },
    lines: CampaignReport.detections(detected, chosen)
  })
})

/** Random histories of one row of the matrix, as `verify` runs them. */
const row = Effect.fnUntraced(function*(
  { json, record, runs = defaultRuns.row, seed }: Asked,
  wanted: string,
  path: Option.Option<string>
) {
  const manifest = yield* Specification.manifest
  const explorable = manifest.guarantees.filter((candidate) => Specification.isAsked(candidate, "histories"))
  const rows = yield* Ending.select("configuration with histories", explorable, (one) => one.configuration, [wanted])
  const { cells, config, configuration: name, module, title } = rows[0]!
  const workers = yield* Workers.make(1)
  const explored = yield* workers.run({
    _tag: "Histories",
    module,
    config,
    runs,
    seed,
    ...(Option.isSome(path) ? { path: path.value } : {})
  })
  if (record !== undefined) {
    const first = Object.values(explored.properties).find((tally) => tally.first !== undefined)?.first
    if (first === undefined) yield* nothingToRecord
    else yield* recorded(record, { configuration: name, module, config, seed, watched: [] }, first.parts)
  }
  const checks = Object.entries(cells).flatMap(([guarantee, { verdict: expected }]) => {
    const tally = explored.properties[guarantee]
    if (tally === undefined) return []
    const found = Guarantees.verdictOf(tally)
    return Models.judged(
      `${title}: ${guarantee}`,
      found === expected || Option.isSome(path) ? [] : [`${found}, but the matrix says ${expected}`],
      `npm run -s keos -- explore ${name} --runs ${runs} --seed ${seed}`
    )
  })
  yield* Verdict.conclude({
    json,
    checks,
    document: { configuration: name, ...explored },
    lines: [
      `${title}: ${explored.runs} histories, ${explored.operations} records, seed ${seed}`,
      ...Object.entries(explored.properties).flatMap(([guarantee, { first, violated }]) => {
        if (first === undefined) return [`${guarantee}: held in every history`]
        return [
          `${guarantee}: violated in ${violated} histories; the smallest found`,
          ...first.scenario.split("\n").map((line) => `    ${line}`),
          `    ${first.sentence}`,
          `    again: npm run -s keos -- explore ${name} --seed ${seed} --path ${first.path}`
        ]
      })
    ]
  })
})

export const explore = Command.make("explore", {
  configuration,
  runs: runsFlag,
  seed: seedFlag,
  path: pathFlag,
  record: recordFlag,
  replay: replayFlag,
  trace: traceFlag,
  exhibits: exhibitsFlag,
  unsteered: unsteeredFlag,
  json: Engine.jsonFlag
}, (flags) =>
  Effect.gen(function*() {
    const { json, path, seed, trace } = flags
    const asked: Asked = {
      json,
      seed,
      trace,
      runs: Option.getOrUndefined(flags.runs),
      record: Option.getOrUndefined(flags.record)
    }
    if (Option.isSome(flags.replay)) return yield* replay(asked, flags.replay.value)
    if (flags.exhibits) return yield* exhibits(asked, Option.toArray(flags.configuration))
    if (Option.isSome(flags.configuration)) return yield* row(asked, flags.configuration.value, path)
    if (Option.isSome(path)) return yield* runPath(asked, path.value)
    return yield* campaign(asked, !flags.unsteered)
  }).pipe(Effect.scoped)).pipe(
    Command.withDescription("Throw random histories with faults at the runtime, steer them, and judge them")
  )
