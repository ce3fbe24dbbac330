/**
 * What a campaign asked a broker and what it answered, as bytes, in a file that is kept.
 *
 * A file is gzip over lines of JSON. The first tells where the transcript is from and what its parts can ask; each of the
 * others is a walk: what it is about, what it asks (numbers into the questions of its part), and its exchanges. An
 * exchange is `[step, request, response, times]`: bytes are hexadecimal, frames without their size and with 0 for a
 * correlation id. A request that was repeated until the answer was as expected, or patience at an end, is one exchange
 * with the last answer.
 */
import { Result, Schema } from "effect"
import { gunzipSync, gzipSync } from "node:zlib"
import type * as Dialect from "../Dialect.ts"
import type * as Parts from "../Parts.ts"
import type * as Subject from "../Subject.ts"
import type { Question } from "./Questions.ts"

/** A file that is no transcript, or not a whole one. */
export class InvalidTranscript extends Schema.TaggedError<InvalidTranscript>()("InvalidTranscript", {
  message: Schema.String
}) {}

export interface Origin {
  /** For people, as `apache-kafka@4.4.0,transaction.version=2`. */
  readonly target: string
  /** The release line whose rules the target was judged by, and its `transaction.version`. */
  readonly line: string
  readonly transactionVersion: number
  /** The configuration of the guarantee matrix with the rules of the line. */
  readonly profile: string
  readonly extent: Parts.Extent
  /** ISO 8601. */
  readonly date: string
  /** The version of keos that asked. */
  readonly keos: string
  readonly apiVersions: Dialect.ApiVersions
}

/** Everything that was asked for one comparison. */
export interface Exchange {
  /** Place in the walk, from 0. */
  readonly step: number
  /** A frame without its size, with 0 for a correlation id; so is the response. */
  readonly request: Uint8Array
  /** None where the connection failed. */
  readonly response: Uint8Array | undefined
  /** How often it was asked. */
  readonly times: number
}

export interface Walk {
  readonly part: string
  /** From 1. */
  readonly number: number
  /** As it is when the walk begins. */
  readonly subject: Subject.Subject
  readonly questions: ReadonlyArray<Question>
  readonly exchanges: ReadonlyArray<Exchange>
}

export interface Transcript {
  readonly origin: Origin
  /** In the order of their parts and numbers. */
  readonly walks: ReadonlyArray<Walk>
}

const format = "keos transcript"
const schemaVersion = 1

const Natural = Schema.Int.check(Schema.isGreaterThanOrEqualTo(0))
const Hexadecimal = Schema.String.check(Schema.isPattern(/^(?:[0-9a-f]{2})+$/))

const Head = Schema.Struct({
  format: Schema.Literal(format),
  schemaVersion: Schema.Literal(schemaVersion),
  origin: Schema.Struct({
    target: Schema.String,
    line: Schema.String,
    transactionVersion: Natural,
    profile: Schema.String,
    extent: Schema.Literals(["full", "quick"]),
    date: Schema.String,
    keos: Schema.String,
    apiVersions: Schema.Struct({
      errorCode: Schema.Int,
      apiKeys: Schema.Array(
        Schema.Struct({ apiKey: Schema.Int, minVersion: Schema.Int, maxVersion: Schema.Int })
      ),
      throttleTimeMs: Schema.Int,
      supportedFeatures: Schema.Array(
        Schema.Struct({ name: Schema.String, minVersion: Schema.Int, maxVersion: Schema.Int })
      ),
      finalizedFeaturesEpoch: Schema.Int,
      finalizedFeatures: Schema.Array(
        Schema.Struct({ name: Schema.String, maxVersionLevel: Schema.Int, minVersionLevel: Schema.Int })
      ),
      zkMigrationReady: Schema.Boolean
    })
  }),
  walks: Natural,
  /** By part. */
  questions: Schema.Record(Schema.String, Schema.Array(Schema.String))
})

const Line = Schema.Struct({
  part: Schema.String,
  number: Natural,
  subject: Schema.Struct({
    places: Schema.Record(
      Schema.String,
      Schema.Struct({
        topic: Schema.String,
        partition: Natural,
        start: Natural,
        strangers: Schema.Array(Natural)
      })
    ),
    transactionalIds: Schema.Array(Schema.String),
    group: Schema.String,
    transactionTimeoutMs: Natural,
    timestamp: Natural,
    coordinatorEpoch: Schema.Int,
    stranger: Natural,
    producerIds: Schema.Array(Schema.Tuple([Natural, Natural]))
  }),
  questions: Schema.Array(Natural),
  exchanges: Schema.Array(Schema.Tuple([Natural, Hexadecimal, Schema.NullOr(Hexadecimal), Natural]))
})
type Line = typeof Line.Type

const decodeHead = Schema.decodeUnknownResult(Schema.fromJsonString(Head), { onExcessProperty: "error" })
const decodeLine = Schema.decodeUnknownResult(Schema.fromJsonString(Line), { onExcessProperty: "error" })

const hexadecimalOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex")
const bytesOf = (hexadecimal: string): Uint8Array => new Uint8Array(Buffer.from(hexadecimal, "hex"))

/** The questions of each part, in the order in which its walks have them first. */
const questionsOf = (walks: ReadonlyArray<Walk>): ReadonlyMap<string, ReadonlyMap<Question, number>> => {
  const parts = new Map<string, Map<Question, number>>()
  for (const { part, questions } of walks) {
    const known = parts.get(part) ?? new Map<Question, number>()
    parts.set(part, known)
    for (const question of questions) if (!known.has(question)) known.set(question, known.size)
  }
  return parts
}

const lineOf = (
  { exchanges, number, part, questions, subject }: Walk,
  numbers: ReadonlyMap<Question, number>
): Line => ({
  part,
  number,
  subject: {
    ...subject,
    timestamp: subject.timestamp!,
    places: Object.fromEntries(
      Array.from(subject.places, ([name, { strangers, ...place }]) => [name, { ...place, strangers: [...strangers] }])
    ),
    producerIds: [...subject.producerIds]
  },
  questions: questions.map((question) => numbers.get(question)!),
  exchanges: exchanges.map(({ request, response, step, times }) => [
    step,
    hexadecimalOf(request),
    response === undefined ? null : hexadecimalOf(response),
    times
  ])
})

/** The bytes of a file. */
export const encode = ({ origin, walks }: Transcript): Uint8Array => {
  const questions = questionsOf(walks)
  const head: typeof Head.Type = {
    format,
    schemaVersion,
    origin,
    walks: walks.length,
    questions: Object.fromEntries(Array.from(questions, ([part, numbers]) => [part, [...numbers.keys()]]))
  }
  const lines = [head, ...walks.map((walk) => lineOf(walk, questions.get(walk.part)!))]
  return gzipSync(lines.map((line) => `${JSON.stringify(line)}\n`).join(""), { level: 9 })
}

const walkOf = (
  { exchanges, number, part, questions, subject }: Line,
  names: ReadonlyArray<Question>
): Walk | undefined => {
  const asked = questions.flatMap((question) => names[question] ?? [])
  return asked.length < questions.length ? undefined : {
    part,
    number,
    subject: {
      ...subject,
      places: new Map(
        Object.entries(subject.places).map((
          [name, { strangers, ...place }]
        ) => [name, { ...place, strangers: new Set(strangers) }])
      ),
      producerIds: new Map(subject.producerIds)
    },
    questions: asked,
    exchanges: exchanges.map(([step, request, response, times]) => ({
      step,
      request: bytesOf(request),
      response: response === null ? undefined : bytesOf(response),
      times
    }))
  }
}

const invalid = (message: string) => Result.fail(new InvalidTranscript({ message }))

const unzipped = (bytes: Uint8Array): string | undefined => {
  try {
    return gunzipSync(bytes).toString("utf8")
  } catch {
    return undefined
  }
}

/** What a first line is, that is not one of a transcript. */
const strange = (line: string): string => {
  const version = line.startsWith(`{"format":"${format}"`) ? /"schemaVersion":(\d+)/.exec(line)?.[1] : undefined
  return version === undefined || version === String(schemaVersion)
    ? "it is no transcript"
    : `it is a transcript of version ${version}, and version ${schemaVersion} is read here`
}

/** Reads the bytes of a file. */
export const decode = (bytes: Uint8Array): Result.Result<Transcript, InvalidTranscript> => {
  const text = unzipped(bytes)
  if (text === undefined) return invalid("it is not a complete gzip file")
  const [first = "", ...lines] = text.trimEnd().split("\n")
  const head = decodeHead(first)
  if (Result.isFailure(head)) return invalid(strange(first))
  const { origin, questions, walks: expected } = head.success
  if (lines.length !== expected) return invalid(`it has ${lines.length} walks instead of ${expected}`)
  const walks: Array<Walk> = []
  for (const [i, line] of lines.entries()) {
    const decoded = decodeLine(line)
    const walk = Result.isSuccess(decoded)
      ? walkOf(decoded.success, questions[decoded.success.part] ?? [])
      : undefined
    if (walk === undefined) return invalid(`line ${i + 2} is no walk`)
    walks.push(walk)
  }
  return Result.succeed({ origin, walks })
}
