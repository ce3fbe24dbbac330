/**
 * From the bytes of a request to those of its answer. What Kafka answers by closing the connection is a `Hangup`: bytes that
 * are no request, and versions that are not served.
 */
import { Effect, Result } from "effect"
import { type Definition, Frame, InvalidMessage, Message, Messages } from "../../wire/index.ts"
import * as ClusterApis from "./ClusterApis.ts"
import * as GroupApis from "./GroupApis.ts"
import { type Asked, type Handlers, Hangup, type Served, silence } from "./Handler.ts"
import * as OffsetApis from "./OffsetApis.ts"
import * as RecordApis from "./RecordApis.ts"
import * as TransactionApis from "./TransactionApis.ts"
import * as Versions from "./Versions.ts"

/** Any handler, for a message that was read by the definition of its API. */
type AnyHandler = (message: unknown, asked: Asked) => Effect.Effect<object | typeof silence, Hangup>

const decoded = <A>(result: Frame.Outcome<A>): Effect.Effect<A, Hangup> =>
  Result.isSuccess(result)
    ? Effect.succeed(result.success)
    : Effect.fail(new Hangup({ reason: InvalidMessage.describe(result.failure) }))

/** An answer that cannot be written is a mistake of its handler. */
const encoded = (
  api: Definition.Api,
  version: number,
  correlationId: number,
  answer: object
): Effect.Effect<Uint8Array> => {
  const frame = Frame.encodeResponse(api, version, correlationId, answer as Definition.Input<Definition.Fields>)
  return Result.isSuccess(frame) ? Effect.succeed(frame.success) : Effect.die(InvalidMessage.describe(frame.failure))
}

/** Handles one request at a time; `undefined` where no answer goes out. Bytes have no size before them, answers have. */
export const make = (served: Served) => {
  const handlers: Handlers = {
    ...ClusterApis.make(served),
    ...RecordApis.make(served),
    ...TransactionApis.make(served),
    ...GroupApis.make(served),
    ...OffsetApis.make(served)
  }

  return Effect.fnUntraced(function*(bytes: Uint8Array): Effect.fn.Return<Uint8Array | undefined, Hangup> {
    const { body, header } = yield* decoded(Frame.decodeRequestHeader(bytes))
    const { clientId, correlationId, requestApiKey: key, requestApiVersion: version } = header
    const api: Definition.Api | undefined = Frame.apiOf(key)
    if (api === undefined || !Versions.isServed(api.name)) {
      return yield* new Hangup({ reason: `there is no api ${key}` })
    }
    if (!Versions.includes(Versions.served[api.name], version)) {
      if (api.key === Messages.ApiVersions.key) {
        return yield* encoded(api, 0, correlationId, ClusterApis.unsupportedApiVersions)
      }
      return yield* new Hangup({ reason: `${api.name} has no version ${version}` })
    }
    const message = yield* decoded(Message.decode(api.request, version, body))
    const answer = yield* (handlers[api.name] as AnyHandler)(message, { version, clientId })
    return answer === silence ? undefined : yield* encoded(api, version, correlationId, answer)
  })
}
