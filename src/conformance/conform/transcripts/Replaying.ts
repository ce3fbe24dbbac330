/**
 * A connection on which a transcript answers, to those who ask exactly what was asked when it was taken.
 */
import { type Clock, Duration, Effect, Result } from "effect"
import { Remote } from "../../../runtime/index.ts"
import { Frame, InvalidMessage } from "../../../wire/index.ts"
import * as Frames from "./Frames.ts"
import type { Exchange } from "./Transcript.ts"
import * as Wording from "./Wording.ts"

type Connection = Remote.Connection.Connection

export interface Replaying {
  readonly connection: Connection
  /** To be called before what is asked for the next comparison. */
  readonly next: () => void
  /** How many exchanges nobody has come to. */
  readonly left: () => number
}

/** Where the broker would be. */
const address: Remote.Address.Address = { host: "transcript", port: 0 }

const failure = (reason: Remote.Connection.Reason, message: string): Remote.Connection.ConnectionError =>
  new Remote.Connection.ConnectionError({ reason, address: address.host, message })

/** Two requests in words; as bytes, where the words are the same. */
const different = (actual: Uint8Array, recorded: Uint8Array): string => {
  const [asked, instead] = [actual, recorded].map(Wording.request)
  const [bytes, bytesInstead] = [actual, recorded].map((frame) => Buffer.from(frame).toString("hex"))
  return asked === instead
    ? `the request is ${bytes} and was ${bytesInstead} when the transcript was taken; both are ${asked}`
    : `the request is ${asked} and was ${instead} when the transcript was taken`
}

/** Answers to requests that are the recorded ones. The last request before `next` may be repeated. */
export const make = (exchanges: ReadonlyArray<Exchange>): Replaying => {
  let place = -1
  const request: Connection["request"] = (api, version, message) =>
    Effect.suspend(() => {
      const sender = { correlationId: 0, clientId: Remote.Connection.defaultClientId }
      const encoded = Frame.encodeRequest(api, version, sender, message)
      if (Result.isFailure(encoded)) {
        return Effect.fail(failure("InvalidRequest", InvalidMessage.describe(encoded.failure)))
      }
      const asked = Frames.request(encoded.success)
      const exchange = exchanges[place]
      if (exchange === undefined) {
        return Effect.fail(
          failure("NoAnswer", `the transcript ends before the request, which is ${Wording.request(asked)}`)
        )
      }
      if (!Frames.areEqual(asked, exchange.request)) {
        return Effect.fail(failure("InvalidRequest", different(asked, exchange.request)))
      }
      if (exchange.response === undefined) {
        return Effect.fail(failure("Lost", "the connection failed when the transcript was taken"))
      }
      const decoded = Frame.decodeResponse(api, version, exchange.response)
      return Result.isFailure(decoded)
        ? Effect.fail(failure("InvalidAnswer", InvalidMessage.describe(decoded.failure)))
        : Effect.succeed(decoded.success.message)
    })
  const onlyRequests = Effect.die(new Error("a transcript answers to requests alone"))
  return {
    connection: {
      address,
      request,
      send: () => onlyRequests,
      post: () => onlyRequests,
      nextCorrelationId: Effect.succeed(0),
      closed: Effect.never
    },
    next: () => place++,
    left: () => Math.max(0, exchanges.length - 1 - place)
  }
}

/** A clock on which whoever sleeps has slept at once: the time that a broker needed is over. */
export const clock = (startMillis: number): Clock.Clock => {
  let now = startMillis
  const nanos = (): bigint => BigInt(Math.round(now * 1e6))
  return {
    currentTimeMillisUnsafe: () => now,
    currentTimeMillis: Effect.sync(() => now),
    currentTimeNanosUnsafe: nanos,
    currentTimeNanos: Effect.sync(nanos),
    monotonicTimeNanosUnsafe: nanos,
    monotonicTimeNanos: Effect.sync(nanos),
    sleep: (duration) =>
      Effect.sync(() => {
        now += Duration.toMillis(duration)
      })
  }
}
