/**
 * Judges one target: gets to know it, finds the walks that it can be asked to take, takes them, and reports.
 *
 * Whatever the target does, this ends. A target that breaks connections or does not answer is judged for that; only where
 * nothing could be asked at all, because nobody listens or the target refuses what a campaign needs, there is no report.
 */
import { Clock, Data, Deferred, Effect, Result } from "effect"
import { Remote } from "../../runtime/index.ts"
import { Messages } from "../../wire/index.ts"
import { Progress } from "../Progress.ts"
import type * as Specification from "../Specification.ts"
import * as Campaign from "./Campaign.ts"
import type * as Dialect from "./Dialect.ts"
import type * as KnownFailing from "./KnownFailing.ts"
import { Release } from "./launch/index.ts"
import { NoTarget } from "./NoTarget.ts"
import * as Parts from "./Parts.ts"
import * as Report from "./Report.ts"
import type * as Rules from "./Rules.ts"
import * as Selection from "./Selection.ts"
import * as Tally from "./Tally.ts"
import * as Target from "./Target.ts"
import * as Telling from "./Telling.ts"
import { Capture, type Transcript } from "./transcripts/index.ts"
import * as Walking from "./Walking.ts"

/** No walk asks anything that is selected. */
export class NothingSelected extends Data.TaggedError("NothingSelected")<{
  readonly message: string
  /** What there is. */
  readonly ids: ReadonlyArray<string>
}> {}

/** A walk is asked for that there is not. */
export class NoSuchWalk extends Data.TaggedError("NoSuchWalk")<{ readonly message: string }> {}

export interface Options {
  readonly address: Remote.Connection.Options
  /** Of the target, for people. */
  readonly name: string
  readonly extent: Parts.Extent
  /** Patterns of cases; without any, all. Only walks that ask one of them are taken. */
  readonly only: ReadonlyArray<string>
  /** Walks to take; without any, all. */
  readonly walks: ReadonlyArray<Campaign.WalkName>
  readonly knownFailing: ReadonlyArray<KnownFailing.Entry>
  /** Walks at a time. */
  readonly concurrency: number
  /** How long the target may take to abort a transaction after its time. */
  readonly timeoutPatienceMs: number
  /** The command that takes a walk again, or does all of this again. */
  readonly again: (walk?: Campaign.WalkName) => string
  readonly observe?: Observer
  /** Takes what was said in the walks that were taken, when they are over. */
  readonly keep?: (transcript: Transcript.Transcript) => void
}

/** Sees all that is told, with what was asked if that was a request. */
export type Observer = (told: Campaign.Told, request: string | undefined) => void

/** After so many broken walks the target is given up; after fewer, where few are taken at a time. */
const brokenLimit = (concurrency: number): number => Math.min(20, 4 * concurrency)

const notAnswered = (
  tally: Tally.Tally,
  topic: Rules.Preparation,
  { message }: Remote.Connection.ConnectionError
): string => {
  tally.failed(topic, message)
  return message
}

/** Asks what the target understands, by itself, so that it is known who never said anything. */
const introduction = (
  address: Remote.Connection.Options
): Effect.Effect<Dialect.ApiVersions, Remote.Connection.ConnectionError> =>
  Effect.scoped(
    Effect.flatMap(Remote.Connection.connect(address), (connection) =>
      connection.request(Messages.ApiVersions, 3, { clientSoftwareName: "keos", clientSoftwareVersion: "0" }))
  )

const highest = ({ apiKeys }: Dialect.ApiVersions, { key }: { readonly key: number }): number =>
  apiKeys.find(({ apiKey }) => apiKey === key)?.maxVersion ?? -1

const casesOf = ({ configuration, graph }: Parts.Part): ReadonlySet<string> =>
  new Set(
    graph.walks.flatMap(({ steps }) =>
      steps.flatMap((step) => Walking.casesOf(configuration, step).map(({ id }) => id))
    )
  )

/** The walks that are asked for by name, or by the cases that they have. */
const choose = Effect.fnUntraced(function*(
  parts: ReadonlyArray<Parts.Part>,
  { only, walks }: Pick<Options, "only" | "walks">
): Effect.fn.Return<ReadonlyArray<Tally.Chosen>, NothingSelected | NoSuchWalk> {
  for (const { number, part: name } of walks) {
    const part = parts.find((one) => one.name === name)
    if (part === undefined) {
      const names = parts.map((one) => one.name).join(", ")
      return yield* new NoSuchWalk({ message: `the target has no walks of ${name}; there are those of ${names}` })
    }
    if (number < 1 || number > part.graph.walks.length) {
      return yield* new NoSuchWalk({
        message: `${name} has the walks 1 to ${part.graph.walks.length}, and no ${number}`
      })
    }
  }
  const isSelected = only.length === 0 ? () => true : Selection.matcher(only)
  const chosen = parts.map((part): Tally.Chosen => ({
    part,
    walks: part.graph.walks.filter(({ number, steps }) =>
      walks.length > 0
        ? walks.some((walk) => walk.part === part.name && walk.number === number)
        : only.length === 0
          || steps.some((step) => Walking.casesOf(part.configuration, step).some(({ id }) => isSelected(id)))
    )
  })).filter((one) => one.walks.length > 0)
  if (chosen.length > 0) return chosen
  return yield* new NothingSelected({
    message: `the target is not asked anything that ${only.join(" or ")} means`,
    ids: [...new Set(parts.flatMap((part) => [...casesOf(part)]))]
  })
})

const partsOf = (chosen: ReadonlyArray<Tally.Chosen>): ReadonlyArray<Campaign.Part> =>
  chosen.map(({ part, walks }) => ({ ...part, walks }))

/** Takes the walks until they are taken or the target is given up; says why, if it ended early. */
const campaign = Effect.fnUntraced(function*(
  known: Pick<Target.Target, "address" | "apiVersions" | "dialect">,
  chosen: ReadonlyArray<Tally.Chosen>,
  tally: Tally.Tally,
  { concurrency, observe, timeoutPatienceMs }: Options,
  run: string,
  recorder: Campaign.Recorder | undefined
) {
  const { report } = yield* Progress
  const givenUp = yield* Deferred.make<string>()
  const expected = chosen.reduce((sum, { walks }) => sum + walks.length, 0)
  const limit = brokenLimit(concurrency)
  const requestOf = (told: Campaign.Told): string | undefined => {
    const step = told._tag === "Compared"
      ? told.comparison.step
      : told._tag === "Broken"
      ? told.pending?.step
      : undefined
    const { walks } = chosen.find(({ part }) => part.name === told.walk.part)!
    const asked = step === undefined ? undefined : walks.find(({ number }) => number === told.walk.number)!.steps[step]
    return asked?._tag === "Ask" ? Telling.request(asked.request) : undefined
  }
  let done = 0
  let compared = false
  const tell = (told: Campaign.Told): void => {
    tally.tell(told)
    observe?.(told, requestOf(told))
    compared ||= told._tag === "Compared"
    if (told._tag === "Taken") report(`walks of ${told.walk.part}`, ++done, expected)
    if (told._tag === "Broken" && tally.broken() === limit) {
      const message = `the connection failed in ${limit} walks; the target was given up`
      Deferred.doneUnsafe(givenUp, Effect.succeed(message))
    }
  }
  const recording = recorder === undefined ? {} : { recorder }
  return yield* Campaign.run({ ...known, timeoutPatienceMs }, partsOf(chosen), {
    run,
    concurrency,
    tell,
    ...recording
  }).pipe(
    Effect.as(undefined),
    Effect.catchTags({
      ConnectionError: (error) => Effect.sync(() => notAnswered(tally, "Preparation", error)),
      // What was compared until then still counts.
      NoTarget: (error) => compared ? Effect.succeed(error.message) : Effect.fail(error)
    }),
    Effect.raceFirst(Deferred.await(givenUp))
  )
})

type Failure = NoTarget | NothingSelected | NoSuchWalk | Specification.SpecificationError

/** Judges the target at an address. */
export const judge = Effect.fn("Judging.judge")(function*(
  options: Options
): Effect.fn.Return<Report.Document, Failure> {
  const { address, extent, knownFailing, name, only } = options
  const began = yield* Clock.currentTimeMillis
  const reported = Effect.fnUntraced(function*(
    found: Pick<Report.Found, "tally" | "release" | "profile" | "chosen" | "leftOut" | "stopped">
  ) {
    return yield* Report.make({
      ...found,
      target: { name, address: Remote.Address.format(address) },
      extent,
      isSelected: only.length === 0 ? () => true : Selection.matcher(only),
      knownFailing,
      seconds: ((yield* Clock.currentTimeMillis) - began) / 1_000,
      again: options.again
    })
  })
  const unprepared = (topic: Rules.Preparation, error: Remote.Connection.ConnectionError) => {
    const tally = Tally.make([])
    const stopped = notAnswered(tally, topic, error)
    return reported({ tally, release: null, profile: null, chosen: [], leftOut: [], stopped })
  }

  const introduced = yield* Effect.result(introduction(address))
  if (Result.isFailure(introduced)) {
    const { failure } = introduced
    if (failure.reason === "Connect") return yield* new NoTarget({ message: failure.message })
    return yield* unprepared("ApiVersions", failure)
  }
  const apiVersions = introduced.success
  const run = `${began.toString(36)}${process.pid.toString(36)}`
  const known = yield* Target.know(address, run).pipe(
    Effect.map(Result.succeed),
    Effect.catchTag("ConnectionError", (error) => Effect.succeed(Result.fail(error)))
  )
  if (Result.isFailure(known)) return yield* unprepared("Preparation", known.failure)
  const { guess = null, line, transactionVersion } = Release.identify(apiVersions)
  const writeTxnMarkers = highest(apiVersions, Messages.WriteTxnMarkers)
  const { leftOut, parts, profile } = yield* Parts.of({ line, transactionVersion, writeTxnMarkers }, extent)
  const chosen = yield* choose(parts, options)
  const tally = Tally.make(chosen)
  const capture = options.keep === undefined ? undefined : Capture.make(partsOf(chosen))
  const stopped = yield* campaign(known.success, chosen, tally, options, run, capture?.recorder)
  if (capture !== undefined) {
    const about = { target: name, line, transactionVersion, profile, extent, apiVersions }
    options.keep?.({ origin: yield* Capture.origin(about), walks: capture.walks() })
  }
  return yield* reported({ tally, release: { line, transactionVersion, guess }, profile, chosen, leftOut, stopped })
})
