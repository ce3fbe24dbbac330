/**
 * `keos conform`: a real broker against the specification, answer by answer.
 */
import { Effect, Option, Result, Schema, type Scope } from "effect"
import { Command, Flag } from "effect/cli"
import { existsSync, readFileSync, writeFileSync } from "node:fs"
import { dirname } from "node:path"
import type * as Campaign from "../conformance/conform/Campaign.ts"
import * as Judging from "../conformance/conform/Judging.ts"
import * as Junit from "../conformance/conform/Junit.ts"
import * as KnownFailing from "../conformance/conform/KnownFailing.ts"
import { ApacheKafka } from "../conformance/conform/launch/index.ts"
import * as Markdown from "../conformance/conform/Markdown.ts"
import * as Reference from "../conformance/conform/Reference.ts"
import * as Report from "../conformance/conform/Report.ts"
import * as Selection from "../conformance/conform/Selection.ts"
import * as Telling from "../conformance/conform/Telling.ts"
import { Transcript } from "../conformance/conform/transcripts/index.ts"
import { Progress } from "../conformance/Progress.ts"
import { Remote } from "../runtime/index.ts"
import * as ConformRaces from "./ConformRaces.ts"
import * as ConformReport from "./ConformReport.ts"
import * as Ending from "./Ending.ts"
import * as Engine from "./Engine.ts"
import * as Output from "./Output.ts"
import { finish } from "./ProgressLine.ts"

const bootstrapFlag = Flag.String("bootstrap").pipe(
  Flag.withDescription(
    "HOST:PORT of a broker that runs; transactional ids and groups that begin with keos- are left on it"
  ),
  Flag.optional
)

const launchFlag = Flag.String("launch").pipe(
  Flag.withDescription(
    "start a broker for this: apache-kafka@4.4.0, or keos for the reference; ,transaction.version=1 behind it, and behind "
      + "keos ,exhibit=KAFKA-14034 for a bug of the museum"
  ),
  Flag.optional
)

const onlyFlag = Flag.String("only").pipe(
  Flag.atLeast(0),
  Flag.withDescription("only walks that ask a case of this name, as 'keos list' has them; * and ** stand for others")
)

const walkFlag = Flag.String("walk").pipe(
  Flag.atLeast(0),
  Flag.withDescription("only this walk, as PART/NUMBER, and every answer of it")
)

const knownFailingFlag = Flag.String("known-failing").pipe(
  Flag.withDescription("file of cases that are known to fail, each with a reason behind it on its line"),
  Flag.optional
)

const quickFlag = Flag.Boolean("quick").pipe(
  Flag.withDefault(false),
  Flag.withDescription("fewer walks, in less than a minute")
)

const junitFlag = Flag.String("junit").pipe(Flag.withDescription("write a JUnit file"), Flag.optional)

const markdownFlag = Flag.String("markdown").pipe(Flag.withDescription("write a Markdown file"), Flag.optional)

const captureFlag = Flag.String("capture").pipe(
  Flag.withDescription("write all that was asked and answered, frame by frame, as in traces/captured"),
  Flag.optional
)

const concurrencyFlag = Flag.Int("concurrency").pipe(
  Flag.withSchema(Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 256 }))),
  Flag.withDefault(16),
  Flag.withDescription("walks at a time")
)

const racesFlag = Flag.Int("races").pipe(
  Flag.withSchema(Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 10_000 }))),
  Flag.optional,
  Flag.withDescription(
    "instead of walks: requests that arrive at the same time and brokers that are killed, each race so often; --only names races"
  )
)

const seedFlag = Flag.Int("seed").pipe(
  Flag.withDefault(1),
  Flag.withDescription("of the order and the time in which --races sends requests")
)

/**
 * How long a transaction may take to be aborted after its time. A broker looks every 10 s by default
 * (`transaction.abort.timed.out.transaction.cleanup.interval.ms`), one that is launched here more often.
 */
const timeoutPatienceMs = { bootstrap: 15_000, launch: 5_000 } as const

const usage = (message: string) => Effect.fail(new Ending.UsageError({ message }))

interface Asked {
  readonly flag: "bootstrap" | "launch"
  readonly text: string
  /** For people. */
  readonly name: string
  /** Where it is; starts it, if it is to be started. */
  readonly address: Effect.Effect<Remote.Address.Address, Ending.NoVerdict, Scope.Scope>
  /** What is started; another can be started of it. */
  readonly specification?: ApacheKafka.LaunchSpecification
}

/**
 * Nothing is restarted here, so a broker on a busy machine may be silent for long before its own controller takes its
 * partitions away, and gives its coordinators new epochs in the middle of walks.
 */
const properties = { "broker.session.timeout.ms": 60_000 }

const apacheKafka = (specification: ApacheKafka.LaunchSpecification): Asked["address"] =>
  Effect.gen(function*() {
    const { report } = yield* Progress
    const { address } = yield* ApacheKafka.launch(specification, { properties, onProgress: (what) => report(what) })
    return address
  }).pipe(Effect.catchTag("LaunchFailed", ({ message }) => Effect.fail(new Ending.NoVerdict({ message }))))

const launched = (text: string): Effect.Effect<Asked, Ending.UsageError> => {
  const asked = { flag: "launch", text } as const
  return /^keos\b/.test(text)
    ? Result.match(Reference.parse(text), {
      onFailure: ({ message }) => usage(message),
      onSuccess: (specification) =>
        Effect.succeed({ ...asked, name: Reference.format(specification), address: Reference.serve(specification) })
    })
    : Result.match(ApacheKafka.parse(text), {
      onFailure: ({ message }) => usage(message),
      onSuccess: (specification) =>
        Effect.succeed({
          ...asked,
          name: ApacheKafka.format(specification),
          address: apacheKafka(specification),
          specification
        })
    })
}

const targetOf = (
  bootstrap: Option.Option<string>,
  launch: Option.Option<string>
): Effect.Effect<Asked, Ending.UsageError> => {
  if (Option.isSome(bootstrap) === Option.isSome(launch)) {
    return usage("name one target: --bootstrap HOST:PORT for a broker that runs, or --launch apache-kafka@4.4.0")
  }
  if (Option.isNone(bootstrap)) return launched(Option.getOrThrow(launch))
  return Result.match(Remote.Address.parse(bootstrap.value), {
    onFailure: ({ message }) => usage(message),
    onSuccess: (address) =>
      Effect.succeed<Asked>({
        flag: "bootstrap",
        text: bootstrap.value,
        name: Remote.Address.format(address),
        address: Effect.succeed(address)
      })
  })
}

const walkOf = (text: string): Effect.Effect<Campaign.WalkName, Ending.UsageError> => {
  const [, part, number] = /^([\w-]+)\/(\d{1,9})$/.exec(text) ?? []
  return part === undefined
    ? usage(`"${text}" names no walk; write PART/NUMBER, as in version-2/17`)
    : Effect.succeed({ part, number: Number(number) })
}

/** A few of the walks may all be answered as specified, so it is only all of them that a release is known to fail. */
const knownFailingOf = ({ specification }: Asked, isWhole: boolean): string | undefined =>
  specification !== undefined && isWhole ? KnownFailing.fileOf(specification.release) : undefined

const readKnownFailing = Effect.fnUntraced(function*(file: string) {
  const text = yield* Effect.try({
    try: () => readFileSync(file, "utf8"),
    catch: (error) => {
      const { code, message } = error as NodeJS.ErrnoException
      return new Ending.UsageError({
        message: code === "ENOENT" ? `there is no file ${file}` : `${file} cannot be read: ${message}`
      })
    }
  })
  return yield* Result.match(KnownFailing.parse(text), {
    onFailure: ({ line, message }) => usage(`${file}:${line}: ${message}`),
    onSuccess: Effect.succeed
  })
})

/** Refuses a file that cannot be written before anything is asked. */
const checkFile = (file: Option.Option<string>): Effect.Effect<void, Ending.UsageError> =>
  Option.isSome(file) && !existsSync(dirname(file.value))
    ? usage(`there is no folder ${dirname(file.value)} to write ${file.value} in`)
    : Effect.void

const write = (file: Option.Option<string>, text: string | Uint8Array): Effect.Effect<void, Ending.UsageError> =>
  Option.isNone(file) ? Effect.void : Effect.try({
    try: () => writeFileSync(file.value, text),
    catch: (error) => new Ending.UsageError({ message: `${file.value} cannot be written: ${(error as Error).message}` })
  })

/** Keeps what is told of walks that are asked for by name. */
const transcript = () => {
  const lines: Array<string> = []
  let last = ""
  const observe: Judging.Observer = (told, request) => {
    if (told._tag === "Taken") return
    const { number, part } = told.walk
    const compared = told._tag === "Compared" ? told.comparison : told.pending
    const title = `${part}/${number}, step ${(compared?.step ?? 0) + 1}: ${request ?? "the state"}`
    if (title !== last) lines.push(title)
    last = title
    const actual = told._tag === "Compared" ? told.comparison.actual : told.message
    const agrees = told._tag === "Compared" && told.comparison.agrees
    lines.push(`    ${agrees ? "✔" : "✘"} ${compared?.case.id ?? "Preparation"}: ${Telling.value(actual)}`)
  }
  return { lines, observe }
}

export const conform = Command.make(
  "conform",
  {
    bootstrap: bootstrapFlag,
    launch: launchFlag,
    only: onlyFlag,
    walk: walkFlag,
    knownFailing: knownFailingFlag,
    quick: quickFlag,
    json: Engine.jsonFlag,
    junit: junitFlag,
    markdown: markdownFlag,
    capture: captureFlag,
    concurrency: concurrencyFlag,
    races: racesFlag,
    seed: seedFlag
  },
  ({
    bootstrap,
    capture,
    concurrency,
    json,
    junit,
    knownFailing: file,
    launch,
    markdown,
    only,
    quick,
    races,
    seed,
    walk
  }) =>
    Effect.gen(function*() {
      const asked = yield* targetOf(bootstrap, launch)
      if (only.length > 0 && walk.length > 0) {
        return yield* usage("choose walks by --only or by --walk, and not by both")
      }
      const walks = yield* Effect.forEach(walk, walkOf)
      const known = Option.getOrUndefined(file) ?? knownFailingOf(asked, !quick && walk.length === 0)
      const knownFailing = known === undefined ? [] : yield* readKnownFailing(known)
      if (Option.isSome(races)) {
        if (quick || walk.length > 0 || [junit, markdown, capture].some(Option.isSome)) {
          return yield* usage("--races has no walks: leave out --quick, --walk, --junit, --markdown and --capture")
        }
        const repetitions = races.value
        const again = `npm run -s keos -- conform --${asked.flag} ${asked.text} --races ${repetitions} --seed ${seed}`
        return yield* ConformRaces.races(asked, { only, repetitions, seed, knownFailing, json, again })
      }
      yield* checkFile(junit)
      yield* checkFile(markdown)
      yield* checkFile(capture)
      const address = yield* asked.address
      const { lines, observe } = transcript()
      let kept: Transcript.Transcript | undefined
      const keep = (taken: Transcript.Transcript): void => {
        kept = taken
      }
      const again = `npm run -s keos -- conform --${asked.flag} ${asked.text}${quick ? " --quick" : ""}`
      const document = yield* Judging.judge({
        address,
        name: asked.name,
        extent: quick ? "quick" : "full",
        only,
        walks,
        knownFailing,
        concurrency,
        timeoutPatienceMs: timeoutPatienceMs[asked.flag],
        again: (name) => name === undefined ? again : `${again} --walk ${name.part}/${name.number}`,
        ...(walks.length > 0 ? { observe } : {}),
        ...(Option.isSome(capture) ? { keep } : {})
      }).pipe(Effect.catchTags({
        NoTarget: ({ message }) => Effect.fail(new Ending.NoVerdict({ message })),
        NoSuchWalk: ({ message }) => usage(message),
        NothingSelected: ({ ids, message }) => {
          const meant = only.flatMap((pattern) => Selection.nearest(pattern, ids) ?? [])
          const hint = meant.length === 0 ? "'keos list' has what there is" : `did you mean ${meant.join(", ")}?`
          return Effect.fail(new Ending.NoVerdict({ message: `${message}; ${hint}` }))
        }
      }))
      finish()
      yield* write(junit, Junit.render(document))
      yield* write(markdown, Markdown.render([document]))
      if (kept !== undefined) yield* write(capture, Transcript.encode(kept))
      yield* json
        ? Output.json(document)
        : Output.print([...lines, ...(lines.length === 0 ? [] : [""]), ...ConformReport.render(document)])
      const verdict = Report.verdictOf(document)
      if (verdict === "failed") return yield* new Ending.Negative()
      if (verdict === "none") {
        const message = document.stopped ?? "nothing was compared"
        return yield* new Ending.NoVerdict({ message: `there is no verdict: ${message}` })
      }
    }).pipe(Effect.scoped)
).pipe(
  Command.withDescription("Ask a broker what any client may ask, and compare every answer with the specification")
)
