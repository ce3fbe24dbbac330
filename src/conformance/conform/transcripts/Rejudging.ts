/**
 * Judges what is in a transcript by the specification of today, in the way in which it was judged on the broker. What the
 * walks ask is what they asked then; what is right is what the rules say now.
 */
import { Clock, Effect } from "effect"
import type { Transactions } from "../../../model/index.ts"
import { Messages } from "../../../wire/index.ts"
import type * as Specification from "../../Specification.ts"
import * as Campaign from "../Campaign.ts"
import * as Dialect from "../Dialect.ts"
import { Release } from "../launch/index.ts"
import * as Parts from "../Parts.ts"
import * as Walking from "../Walking.ts"
import * as Questions from "./Questions.ts"
import * as Replaying from "./Replaying.ts"
import type { Transcript, Walk } from "./Transcript.ts"

/** What a target that says this of itself would be asked today. */
export const partsOf = ({ origin }: Transcript): Effect.Effect<Parts.Parts, Specification.SpecificationError> => {
  const { apiVersions, extent } = origin
  const { line, transactionVersion } = Release.identify(apiVersions)
  const markers = apiVersions.apiKeys.find(({ apiKey }) => apiKey === Messages.WriteTxnMarkers.key)
  return Parts.of({ line, transactionVersion, writeTxnMarkers: markers?.maxVersion ?? -1 }, extent)
}

const placeOf = (questions: ReadonlyArray<Questions.Question>, step: number): string =>
  `step ${step + 1} (${questions[step] ?? "none"})`

const takeWalk = Effect.fnUntraced(function*(
  { exchanges, number, part, questions, subject }: Walk,
  configuration: Transactions.Configuration.Configuration,
  answered: Questions.Answered,
  dialect: Dialect.Dialect,
  tell: (told: Campaign.Told) => void
) {
  const walk: Campaign.WalkName = { part, number }
  const replaying = Replaying.make(exchanges)
  let pending: Walking.Pending | undefined
  const listener: Walking.Listener = {
    asks: (asked) => {
      pending = asked
      replaying.next()
    },
    compares: (comparison) => {
      pending = undefined
      tell({ _tag: "Compared", walk, comparison })
    }
  }
  const broken = (message: string): void => tell({ _tag: "Broken", walk, pending, message })
  const asking = {
    connection: replaying.connection,
    dialect,
    subject: { ...subject, producerIds: new Map(subject.producerIds) }
  }
  // Patience costs nothing here, but what was answered last is not answered otherwise.
  const walking = { asking, configuration, timeoutPatienceMs: 0 }
  const { impossible, steps } = answered
  yield* Walking.take(walking, { number, steps }, listener).pipe(
    Effect.map((agrees) => {
      if (!agrees) return
      const left = replaying.left()
      if (impossible !== undefined) {
        broken(`${placeOf(questions, steps.length)}: the specification has nothing there that can be asked so`)
      } else if (left > 0) broken(`${left} of ${exchanges.length} exchanges of the transcript are not asked for`)
    }),
    Effect.catchTag(
      "ConnectionError",
      ({ message }) => Effect.sync(() => broken(`${placeOf(questions, pending!.step)}: ${message}`))
    )
  )
  tell({ _tag: "Taken", walk })
})

/**
 * Takes every walk of a transcript on it. The parts are those of today for its target; walks of others are told as broken.
 */
export const judge = Effect.fnUntraced(function*(
  { origin, walks }: Transcript,
  parts: ReadonlyArray<Campaign.Part>,
  tell: (told: Campaign.Told) => void
) {
  const { dialect } = Dialect.of(origin.apiVersions)
  const courses = new Map(
    parts.map((part) => [
      part.name,
      {
        configuration: part.configuration,
        first: Campaign.firstOf(part),
        answer: Questions.answering(part.configuration)
      }
    ])
  )
  for (const walk of walks) {
    const { number, part, questions, subject } = walk
    const course = courses.get(part)
    if (course === undefined) {
      const message = `there is no part ${part} any more`
      tell({ _tag: "Broken", walk: { part, number }, pending: undefined, message })
      continue
    }
    const { answer, configuration, first } = course
    yield* takeWalk(walk, configuration, answer(first, questions), dialect, tell).pipe(
      Effect.provideService(Clock.Clock, Replaying.clock(subject.timestamp ?? 0))
    )
  }
})

const areSame = (a: ReadonlyArray<string>, b: ReadonlyArray<string>): boolean =>
  a.length === b.length && a.every((one, i) => one === b[i])

/**
 * Why a transcript is not what a campaign of today's parts would ask: the first difference of each part. None where it is,
 * and then every answer in it counts for today's walks.
 */
export const staleness = (
  { origin, walks }: Transcript,
  { parts, profile }: { readonly profile: string; readonly parts: ReadonlyArray<Campaign.Part> }
): ReadonlyArray<string> => {
  const names = new Set([...parts.map(({ name }) => name), ...walks.map(({ part }) => part)])
  const differences = Array.from(names, (name): string | undefined => {
    const part = parts.find((one) => one.name === name)
    if (part === undefined) return `${name} is no part any more`
    const recorded = new Map(
      walks.flatMap((walk) => walk.part === name ? [[walk.number, walk.questions] as const] : [])
    )
    const today = part.walks ?? Campaign.walksOf(part).walks
    for (const { number, steps } of today) {
      const asked = recorded.get(number)
      if (asked === undefined) return `${name}/${number} is not in it`
      if (!areSame(asked, Questions.of(steps))) return `${name}/${number} asks something else today`
    }
    return recorded.size > today.length ? `${name} has ${today.length} walks today, not ${recorded.size}` : undefined
  })
  return [
    ...(origin.profile === profile ? [] : [`its rules were those of ${origin.profile}, and not of ${profile}`]),
    ...differences.flatMap((difference) => difference ?? [])
  ]
}
