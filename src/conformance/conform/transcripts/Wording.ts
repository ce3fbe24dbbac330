/**
 * Transcripts in words, for people who look into one.
 */
import { Result } from "effect"
import { inspect } from "node:util"
import {
  BatchHeader,
  Definition,
  Frame,
  InvalidBatch,
  InvalidMessage,
  Messages,
  RecordBatch
} from "../../../wire/index.ts"
import type { Exchange, Transcript, Walk } from "./Transcript.ts"

const batch = (bytes: Uint8Array): string => {
  const decoded = RecordBatch.decode(bytes)
  if (Result.isFailure(decoded)) return `no batch: ${InvalidBatch.describe(decoded.failure)}`
  const { baseOffset, baseSequence, count, isControl, isTransactional, producerEpoch, producerId } =
    decoded.success.header
  return [
    `${isControl ? "control batch" : isTransactional ? "transactional batch" : "batch"} at ${baseOffset}`,
    `${count} ${count === 1 ? "record" : "records"}`,
    `producer id ${producerId}, epoch ${producerEpoch}`,
    ...(isControl ? [] : [`sequence ${baseSequence}`])
  ].join(", ")
}

const shown = (field: Definition.Field, version: number, value: unknown): string => {
  if (Array.isArray(value)) return `[${value.map((one) => shown(field, version, one)).join(", ")}]`
  if (value instanceof Uint8Array) {
    return field.type === "records"
      ? `[${BatchHeader.split(value).batches.map(batch).join("; ")}]`
      : Buffer.from(value).toString("hex")
  }
  return field.fields === undefined || value === null ? inspect(value) : struct(field.fields, version, value)
}

/** What a field that says nothing is shown as. */
const empty: ReadonlySet<string> = new Set(["null", "''", "[]", "{}"])

/** The fields of a version, but for those that say nothing. */
const struct = (fields: Definition.Fields, version: number, value: unknown): string => {
  const told = Object.entries(value as Readonly<Record<string, unknown>>).flatMap(([name, one]) => {
    const field = fields[name]!
    if (!Definition.isPresent(field, version) || (field.tag !== undefined && one === field.default)) return []
    const text = shown(field, version, one)
    return name === "throttleTimeMs" || empty.has(text) ? [] : [`${name}: ${text}`]
  })
  return told.length === 0 ? "{}" : `{ ${told.join(", ")} }`
}

/** A request, without its size. */
export const request = (frame: Uint8Array): string => {
  const decoded = Frame.decodeRequest(frame)
  if (Result.isFailure(decoded)) return `no request: ${InvalidMessage.describe(decoded.failure)}`
  const { _tag, message, version } = decoded.success
  const api = Messages.apis.find(({ name }) => name === _tag)!
  return `${_tag} v${version} ${struct(api.request.fields, version, message)}`
}

/** The response to a request, both without their sizes. */
export const response = (requestFrame: Uint8Array, frame: Uint8Array): string => {
  const asked = Frame.decodeRequestHeader(requestFrame)
  if (Result.isFailure(asked)) return "an answer to no request"
  const { requestApiKey, requestApiVersion: version } = asked.success.header
  const api: Definition.Api | undefined = Frame.apiOf(requestApiKey)
  if (api === undefined) return "an answer to no request"
  const decoded = Frame.decodeResponse(api, version, frame)
  return Result.isFailure(decoded)
    ? `no answer: ${InvalidMessage.describe(decoded.failure)}`
    : struct(api.response.fields, version, decoded.success.message)
}

const exchange = ({ request: asked, response: answer, times }: Exchange): ReadonlyArray<string> => [
  `  > ${request(asked)}`,
  `  < ${answer === undefined ? "the connection failed" : response(asked, answer)}${
    times === 1 ? "" : `, after it was asked ${times} times`
  }`
]

/** Where a transcript is from, on one line. */
export const origin = ({ origin: { date, extent, keos, profile, target }, walks }: Transcript): string =>
  `${target}, ${extent}, by the rules of ${profile}: ${walks.length} walks, taken on ${date} by keos ${keos}`

/** A walk of a transcript, with everything that was asked and answered. */
export const walk = ({ exchanges, number, part, questions, subject }: Walk): ReadonlyArray<string> => [
  `${part}/${number}`,
  ...Array.from(
    subject.places,
    ([name, { partition, start, topic }]) => `  ${name} is ${topic}-${partition} from offset ${start} on`
  ),
  ...subject.transactionalIds.map((id, i) => `  transactional id ${i + 1} is ${id}`),
  `  the group is ${subject.group}, the stranger ${subject.stranger}, coordinator epoch 0 is ${subject.coordinatorEpoch}`,
  ...questions.flatMap((question, step) => [
    `${step + 1}  ${question}`,
    ...exchanges.filter((one) => one.step === step).flatMap(exchange)
  ])
]
