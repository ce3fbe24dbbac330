/**
 * A connection to a broker, over TCP.
 *
 * Requests of several fibers are pipelined: they are written in the order in which their effects start, and a broker
 * answers them in that order (`SocketServer` mutes a channel until its request is answered). Whatever comes back, every
 * effect ends: with the answer, or with a `ConnectionError` within the bound. A connection on which an answer is late, or
 * on which requests and answers can no longer be told to belong together, is closed.
 *
 * It knows frames and nothing of what is in them: no versions are negotiated, nothing is retried, nobody reconnects.
 *
 * This module uses Node's sockets and real timers directly. A real peer cannot live in virtual time, and a request must
 * be numbered, queued and written in one step, between which and the answer there is no fiber.
 */
import { Deferred, Effect, Result, Schema, type Scope } from "effect"
import { createConnection, type Socket } from "node:net"
import { type Definition, Frame, FrameSplitter, InvalidMessage } from "../../wire/index.ts"
import * as Address from "./Address.ts"

/** Why there is no answer. */
export const Reason = Schema.Literals([
  /** The connection was refused, the host is unknown, or neither was said within the bound. */
  "Connect",
  /** The connection ended before the answer came, or had ended before the request. */
  "Lost",
  /** Nothing came within the bound. The connection is closed by it. */
  "NoAnswer",
  /** What came is no answer to the request. */
  "InvalidAnswer",
  /** The request cannot be written in the version. Nothing was sent. */
  "InvalidRequest"
])
export type Reason = typeof Reason.Type

export class ConnectionError extends Schema.TaggedError<ConnectionError>()("ConnectionError", {
  reason: Reason,
  address: Schema.String,
  message: Schema.String
}) {}

/** What went over the connection. Bytes are as they went, sizes included, and are nobody's to change. */
export type Observation =
  /** `index` counts what was sent on this connection, from 0. */
  | { readonly _tag: "Request"; readonly index: number; readonly bytes: Uint8Array }
  /** `index` is that of the request; -1 where none waits for an answer. */
  | { readonly _tag: "Response"; readonly index: number; readonly bytes: Uint8Array }
  /** Once, where the connection ends otherwise than with its scope. */
  | { readonly _tag: "Closed"; readonly message: string }

export interface Options extends Address.Address {
  readonly clientId?: string | null
  readonly connectTimeoutMillis?: number
  /** Between a request and its answer. */
  readonly answerTimeoutMillis?: number
  /** The largest frame to take, in bytes. */
  readonly frameLimit?: number
  /** Called synchronously. What it throws is a defect of the request. */
  readonly observe?: (event: Observation) => void
}

export interface RequestOptions {
  /** Instead of the connection's. */
  readonly answerTimeoutMillis?: number
}

/** What bytes of any kind lead to. */
export type Reply =
  /** A frame, without its size; it may be a view of more. */
  | { readonly _tag: "Answer"; readonly bytes: Uint8Array }
  /** The peer has closed the connection instead. */
  | { readonly _tag: "Closed"; readonly message: string }

export interface Connection {
  readonly address: Address.Address
  /** Sends a request and gives the answer. Not for what is never answered, as Produce with acks 0 is: see `post`. */
  readonly request: <Request extends Definition.Fields, Response extends Definition.Fields>(
    api: Definition.Api<string, Request, Response>,
    version: number,
    message: Definition.Input<Request>,
    options?: RequestOptions
  ) => Effect.Effect<Definition.Message<Response>, ConnectionError>
  /**
   * Sends bytes as they are and takes the next frame for their answer, whatever is in it. Gotcha: bytes that a broker
   * takes for several requests, or for none, put all later answers out of step.
   */
  readonly send: (bytes: Uint8Array, options?: RequestOptions) => Effect.Effect<Reply, ConnectionError>
  /** Sends bytes to which there is no answer. Done when the system has taken them. */
  readonly post: (bytes: Uint8Array) => Effect.Effect<void, ConnectionError>
  /** One that no other request has, for frames that are made by hand. */
  readonly nextCorrelationId: Effect.Effect<number>
  /** Waits until the connection has ended, and says why. */
  readonly closed: Effect.Effect<string>
}

export const defaultClientId = "keos"
const defaultTimeoutMillis = 10_000
const maxCorrelationId = 0x7fff_ffff

/** What is known of what was sent when the waiting is over. */
type Outcome =
  | { readonly _tag: "Answer"; readonly bytes: Uint8Array }
  | { readonly _tag: "Ended"; readonly reason: Reason; readonly message: string; readonly byPeer: boolean }

interface Waiting {
  /** For messages. */
  readonly name: string
  readonly index: number
  /** That the answer must have; any, where it is undefined. */
  readonly correlationId: number | undefined
  readonly timer: NodeJS.Timeout
  /** Undefined once nobody waits any more: the answer is still to come, and will be dropped. */
  resume: ((outcome: Effect.Effect<Outcome>) => void) | undefined
}

interface State {
  readonly socket: Socket
  readonly splitter: FrameSplitter.FrameSplitter
  readonly observe: Options["observe"]
  /** In the order of their answers. */
  readonly waiting: Array<Waiting>
  readonly closed: Deferred.Deferred<string>
  sent: number
  /** Whether what is written is held back until the end of this turn, to go out as one. */
  corked: boolean
  /** Why nothing comes any more. */
  ended: string | undefined
}

const shownSeconds = (millis: number): string => millis < 1_000 ? `${millis} ms` : `${millis / 1_000} s`

const ended = (reason: Reason, message: string, byPeer = false): Effect.Effect<Outcome> =>
  Effect.succeed({ _tag: "Ended", reason, message, byPeer })

const settle = (waiting: Waiting, outcome: Effect.Effect<Outcome>): void => {
  clearTimeout(waiting.timer)
  const { resume } = waiting
  waiting.resume = undefined
  resume?.(outcome)
}

interface End {
  readonly message: string
  /** What it means for one who waits. */
  readonly outcomeOf: (waiting: Waiting) => Effect.Effect<Outcome>
  /** Whether the observer does not know it yet. */
  readonly isShown: boolean
}

/** Ends the connection and all waiting, unless it has ended before. */
const end = (state: State, { isShown, message, outcomeOf }: End): void => {
  if (state.ended !== undefined) return
  state.ended = message
  state.socket.destroy()
  // Fibers go on where they are settled, so whatever they may look at comes before.
  if (isShown) show(state, { _tag: "Closed", message })
  Deferred.doneUnsafe(state.closed, Effect.succeed(message))
  for (const waiting of state.waiting.splice(0)) settle(waiting, outcomeOf(waiting))
}

/** Shows something to the observer, whose exceptions must not reach Node. */
const show = (state: State, event: Observation): void => {
  try {
    state.observe?.(event)
  } catch (defect) {
    const message = `the observer of the connection has thrown: ${String(defect)}`
    end(state, { message, outcomeOf: () => Effect.die(defect), isShown: false })
  }
}

const endByPeer = (state: State, how: string): void => {
  const message = state.splitter.length === 0 ? how : `${how} in the middle of an answer`
  end(state, { message, outcomeOf: () => ended("Lost", message, true), isShown: true })
}

const endByScope = (state: State): void => {
  const message = "it was closed here"
  end(state, { message, outcomeOf: () => ended("Lost", `the connection was closed: ${message}`), isShown: false })
}

/** Ends a connection that is of no use any more, perhaps by what came of one request. */
const giveUp = (state: State, reason: Reason, message: string, culprit: Waiting | undefined): void => {
  const because = culprit === undefined ? message : `${culprit.name}: ${message}`
  end(state, {
    message: because,
    outcomeOf: (waiting) =>
      waiting === culprit ? ended(reason, message) : ended("Lost", `the connection was closed, because ${because}`),
    isShown: true
  })
}

// ---------------------------------------------------------------------------------------------------------------------
// Answers
// ---------------------------------------------------------------------------------------------------------------------

const take = (state: State, frame: Uint8Array): void => {
  const waiting = state.waiting[0]
  if (state.observe !== undefined) {
    show(state, { _tag: "Response", index: waiting?.index ?? -1, bytes: Frame.of(frame) })
  }
  if (state.ended !== undefined) return
  if (waiting === undefined) {
    giveUp(state, "InvalidAnswer", `there came an answer of ${frame.length} bytes that nobody had asked for`, undefined)
    return
  }
  if (waiting.correlationId !== undefined) {
    const found = Frame.correlationIdOf(frame)
    if (Result.isFailure(found)) {
      giveUp(state, "InvalidAnswer", `the answer has ${frame.length} bytes, and no correlation id`, waiting)
      return
    }
    if (found.success !== waiting.correlationId) {
      const message = `the answer has the correlation id ${found.success} instead of ${waiting.correlationId}`
      giveUp(state, "InvalidAnswer", message, waiting)
      return
    }
  }
  state.waiting.shift()
  settle(waiting, Effect.succeed({ _tag: "Answer", bytes: frame }))
}

const receive = (state: State, chunk: Buffer): void => {
  if (state.ended !== undefined) return
  // Slices of a Buffer behave otherwise than those of other bytes.
  const bytes = new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.length)
  const { frames, invalid } = FrameSplitter.push(state.splitter, bytes)
  for (const frame of frames) {
    take(state, frame)
    if (state.ended !== undefined) return
  }
  if (invalid !== undefined) {
    giveUp(state, "InvalidAnswer", `what came begins like ${FrameSplitter.describe(invalid)}`, state.waiting[0])
  }
}

// ---------------------------------------------------------------------------------------------------------------------
// Requests
// ---------------------------------------------------------------------------------------------------------------------

/** Writes bytes behind all others. Those of one turn of the event loop go out together. */
const write = (state: State, bytes: Uint8Array, done?: (error: Error | null | undefined) => void): void => {
  show(state, { _tag: "Request", index: state.sent++, bytes })
  if (!state.corked) {
    state.corked = true
    state.socket.cork()
    process.nextTick(() => {
      state.corked = false
      state.socket.uncork()
    })
  }
  state.socket.write(bytes, done)
}

interface Sending {
  readonly name: string
  readonly bytes: Uint8Array
  readonly correlationId: number | undefined
  readonly answerTimeoutMillis: number
}

/** Writes bytes and waits for the next answer that is not another's. */
const exchange = (
  state: State,
  { answerTimeoutMillis, bytes, correlationId, name }: Sending
): Effect.Effect<Outcome> =>
  Effect.callback((resume) => {
    if (state.ended !== undefined) {
      resume(ended("Lost", `the connection had been closed: ${state.ended}`))
      return
    }
    const waiting: Waiting = {
      name,
      index: state.sent,
      correlationId,
      timer: setTimeout(() => {
        giveUp(state, "NoAnswer", `there was no answer within ${shownSeconds(answerTimeoutMillis)}`, waiting)
      }, answerTimeoutMillis),
      resume
    }
    state.waiting.push(waiting)
    write(state, bytes)
    return Effect.sync(() => {
      waiting.resume = undefined
      clearTimeout(waiting.timer)
    })
  })

const make = (socket: Socket, options: Options): { readonly state: State; readonly connection: Connection } => {
  const { answerTimeoutMillis = defaultTimeoutMillis, clientId = defaultClientId, frameLimit, observe } = options
  const address: Address.Address = { host: options.host, port: options.port }
  const shown = Address.format(address)
  const state: State = {
    socket,
    splitter: FrameSplitter.make(frameLimit),
    observe,
    waiting: [],
    closed: Deferred.makeUnsafe(),
    sent: 0,
    corked: false,
    ended: undefined
  }
  let lastCorrelationId = -1
  const nextCorrelationId = (): number =>
    lastCorrelationId = lastCorrelationId === maxCorrelationId ? 0 : lastCorrelationId + 1

  const failure = (reason: Reason, name: string, message: string): ConnectionError =>
    new ConnectionError({ reason, address: shown, message: `${name} at ${shown}: ${message}` })

  const request: Connection["request"] = Effect.fnUntraced(function*(api, version, message, options = {}) {
    const name = `${api.name} v${version}`
    const correlationId = nextCorrelationId()
    const encoded = Frame.encodeRequest(api, version, { correlationId, clientId }, message)
    if (Result.isFailure(encoded)) {
      return yield* failure("InvalidRequest", name, InvalidMessage.describe(encoded.failure))
    }
    const outcome = yield* exchange(state, {
      name,
      correlationId,
      bytes: encoded.success,
      answerTimeoutMillis,
      ...options
    })
    if (outcome._tag === "Ended") return yield* failure(outcome.reason, name, outcome.message)
    const decoded = Frame.decodeResponse(api, version, outcome.bytes)
    if (Result.isFailure(decoded)) {
      return yield* failure(
        "InvalidAnswer",
        name,
        `the answer cannot be read: ${InvalidMessage.describe(decoded.failure)}`
      )
    }
    return decoded.success.message
  })

  const send: Connection["send"] = Effect.fnUntraced(function*(bytes, options = {}) {
    const name = `a frame of ${bytes.length} bytes`
    const outcome = yield* exchange(state, { name, correlationId: undefined, bytes, answerTimeoutMillis, ...options })
    if (outcome._tag === "Answer") return outcome
    if (outcome.byPeer) return { _tag: "Closed", message: outcome.message }
    return yield* failure(outcome.reason, name, outcome.message)
  })

  const post: Connection["post"] = (bytes) =>
    Effect.callback((resume) => {
      const lost = (why: string): void =>
        resume(
          Effect.fail(failure("Lost", `a frame of ${bytes.length} bytes`, `the connection had been closed: ${why}`))
        )
      if (state.ended !== undefined) return lost(state.ended)
      write(state, bytes, (error) => {
        if (error === null || error === undefined) resume(Effect.void)
        else lost(state.ended ?? error.message)
      })
    })

  return {
    state,
    connection: {
      address,
      request,
      send,
      post,
      nextCorrelationId: Effect.sync(nextCorrelationId),
      closed: Deferred.await(state.closed)
    }
  }
}

// ---------------------------------------------------------------------------------------------------------------------
// Connecting
// ---------------------------------------------------------------------------------------------------------------------

const messageOf = (error: NodeJS.ErrnoException): string => {
  switch (error.code) {
    case "ECONNREFUSED":
      return "the connection was refused. Is a broker listening there?"
    case "ENOTFOUND":
      return "there is no such host"
    case "ECONNRESET":
      return "the peer reset the connection"
    default:
      // Several addresses of one name fail together, and without a message.
      return error.message === "" ? error.code ?? error.name : error.message
  }
}

/** Waits until a socket is connected, and leaves no listeners behind. */
const connected = (socket: Socket, { connectTimeoutMillis = defaultTimeoutMillis, ...address }: Options) =>
  Effect.callback<void, ConnectionError>((resume) => {
    const shown = Address.format(address)
    const finish = (result: Effect.Effect<void, ConnectionError>): void => {
      clearTimeout(timer)
      socket.off("connect", onConnect)
      socket.off("error", onError)
      resume(result)
    }
    const fail = (message: string): void =>
      finish(Effect.fail(
        new ConnectionError({ reason: "Connect", address: shown, message: `cannot connect to ${shown}: ${message}` })
      ))
    const onConnect = (): void => finish(Effect.void)
    const onError = (error: Error): void => fail(messageOf(error))
    const timer = setTimeout(
      () => fail(`nobody answered within ${shownSeconds(connectTimeoutMillis)}`),
      connectTimeoutMillis
    )
    socket.on("connect", onConnect)
    socket.on("error", onError)
    return Effect.sync(() => clearTimeout(timer))
  })

const open = ({ host, port }: Options): Socket => {
  const socket = createConnection({ host, port, noDelay: true })
  // A socket that fails with no one listening would end the process.
  socket.on("error", () => {})
  return socket
}

/**
 * Connects. The connection is closed with the scope, and what still waits for an answer then fails. Attempts belong into
 * scopes of their own.
 */
export const connect = Effect.fnUntraced(function*(
  options: Options
): Effect.fn.Return<Connection, ConnectionError, Scope.Scope> {
  const socket = yield* Effect.acquireRelease(
    Effect.sync(() => open(options)),
    (socket) => Effect.sync(() => socket.destroy())
  )
  yield* connected(socket, options)
  const { connection, state } = make(socket, options)
  yield* Effect.addFinalizer(() => Effect.sync(() => endByScope(state)))
  socket.on("data", (chunk) => receive(state, chunk))
  socket.on("end", () => endByPeer(state, "the peer closed the connection"))
  socket.on("error", (error) => endByPeer(state, messageOf(error)))
  socket.on("close", () => endByPeer(state, "the connection was closed"))
  // Before anybody listened.
  if (socket.destroyed) endByPeer(state, "the connection was closed")
  return connection
})
