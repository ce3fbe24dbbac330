/**
 * Requests and responses as they go over a connection:
 *
 *     Size int32, RequestHeader, Request        Size int32, ResponseHeader, Response
 *
 * The size counts from after itself. The version of the header follows from that of the message: headers have compact
 * lengths and tagged fields where the message has, save that responses of ApiVersions always come with the first,
 * since a client that asks does not know yet what the broker understands. `ApiMessageType.requestHeaderVersion`.
 *
 * Frames are bytes: for a request that is wrong on purpose, `ofRequest` takes any key, version and body.
 */
import { Result } from "effect"
import * as Bytes from "./Bytes.ts"
import type * as Definition from "./Definition.ts"
import * as InvalidMessage from "./InvalidMessage.ts"
import * as Message from "./Message.ts"
import { apis, ApiVersions, RequestHeader, ResponseHeader } from "./messages/index.ts"

/** What comes before a request. */
export type Header = Definition.Message<typeof RequestHeader.fields>

/** Who asks. */
export interface Sender {
  /** That the response has too. */
  readonly correlationId: number
  readonly clientId: string | null
}

export type Outcome<A> = Result.Result<A, InvalidMessage.InvalidMessage>

const SIZE = 4
/** Room for most messages; it doubles from here. */
const INITIAL_CAPACITY = 256

/** Puts the size before what `write` writes. */
const framed = (write: (out: Bytes.Writer) => Outcome<void>): Outcome<Uint8Array> => {
  const out = Bytes.writer(INITIAL_CAPACITY)
  Bytes.writeInt32(out, 0)
  return Result.map(write(out), () => {
    out.view.setInt32(0, out.position - SIZE)
    return Bytes.written(out)
  })
}

/** Puts the size before any bytes. */
export const of = (bytes: Uint8Array): Uint8Array => {
  const out = Bytes.writer(SIZE + bytes.length)
  Bytes.writeInt32(out, bytes.length)
  Bytes.writeBytes(out, bytes)
  return Bytes.written(out)
}

const requestHeaderVersion = (flexible: boolean): number => flexible ? 2 : 1

/** That of the header of a response. */
export const responseHeaderVersion = ({ key, response }: Definition.Api, version: number): number =>
  version >= response.flexible && key !== ApiVersions.key ? 1 : 0

/** A request of any key, version and body, none of which need exist. `flexible` is the form of the header. */
export const ofRequest = (header: Header, flexible: boolean, body: Uint8Array): Outcome<Uint8Array> =>
  framed((out) =>
    Result.map(
      Message.write(out, RequestHeader, requestHeaderVersion(flexible), header),
      () => Bytes.writeBytes(out, body)
    )
  )

/** A request with its size, ready to be sent. */
export const encodeRequest = <Request extends Definition.Fields>(
  api: Definition.Api<string, Request>,
  version: number,
  sender: Sender,
  message: Definition.Input<Request>
): Outcome<Uint8Array> =>
  framed((out) =>
    Result.flatMap(
      Message.write(out, RequestHeader, requestHeaderVersion(version >= api.request.flexible), {
        requestApiKey: api.key,
        requestApiVersion: version,
        ...sender
      }),
      () => Message.write(out, api.request, version, message)
    )
  )

/** A response with its size, ready to be sent. */
export const encodeResponse = <Response extends Definition.Fields>(
  api: Definition.Api<string, Definition.Fields, Response>,
  version: number,
  correlationId: number,
  message: Definition.Input<Response>
): Outcome<Uint8Array> =>
  framed((out) =>
    Result.flatMap(
      Message.write(out, ResponseHeader, responseHeaderVersion(api, version), { correlationId }),
      () => Message.write(out, api.response, version, message)
    )
  )

const rest = ({ bytes, end, position }: Bytes.Reader): Uint8Array => Bytes.slice(bytes, position, end - position)

type AnyApi = (typeof apis)[number]

const byKey: ReadonlyMap<number, AnyApi> = new Map(apis.map((api) => [api.key, api]))

/** The api with this key, if there is a table of it. */
export const apiOf = (key: number): AnyApi | undefined => byKey.get(key)

/** The header of a request and what follows it, which need not be a message of any known api or version. */
export const decodeRequestHeader = (
  bytes: Uint8Array
): Outcome<{ readonly header: Header; readonly body: Uint8Array }> => {
  const from = Bytes.reader(bytes)
  // The key and the version come first in every version of the header.
  return Result.flatMap(
    Message.read(Bytes.reader(bytes), RequestHeader, 0),
    ({ requestApiKey, requestApiVersion }) => {
      const flexible = requestApiVersion >= (byKey.get(requestApiKey)?.request.flexible ?? Infinity)
      return Result.map(
        Message.read(from, RequestHeader, requestHeaderVersion(flexible)),
        (header) => ({ header, body: rest(from) })
      )
    }
  )
}

type RequestOf<A> = A extends Definition.Api<infer Name, infer Request> ? Sender & {
    readonly _tag: Name
    readonly version: number
    readonly message: Definition.Message<Request>
  }
  : never

/** A request of one of the known apis. */
export type Request = RequestOf<AnyApi>

/** Reads a request, without the size before it. */
export const decodeRequest = (bytes: Uint8Array): Outcome<Request> =>
  Result.flatMap(decodeRequestHeader(bytes), ({ body, header }) => {
    const { clientId, correlationId, requestApiKey, requestApiVersion: version } = header
    const api: Definition.Api | undefined = byKey.get(requestApiKey)
    if (api === undefined) {
      return Result.fail(InvalidMessage.make(RequestHeader, 1, "requestApiKey", `there is no api ${requestApiKey}`))
    }
    return Result.map(
      Message.decode(api.request, version, body),
      (message) => ({ _tag: api.name, version, correlationId, clientId, message }) as Request
    )
  })

/** Which request a response answers; the bytes are without the size. */
export const correlationIdOf = (bytes: Uint8Array): Outcome<number> =>
  Result.map(Message.read(Bytes.reader(bytes), ResponseHeader, 0), ({ correlationId }) => correlationId)

/** Reads a response to a request of this version, without the size before it. */
export const decodeResponse = <Response extends Definition.Fields>(
  api: Definition.Api<string, Definition.Fields, Response>,
  version: number,
  bytes: Uint8Array
): Outcome<{ readonly correlationId: number; readonly message: Definition.Message<Response> }> => {
  const from = Bytes.reader(bytes)
  return Result.flatMap(
    Message.read(from, ResponseHeader, responseHeaderVersion(api, version)),
    ({ correlationId }) => {
      const body = rest(from)
      const read = Message.decode(api.response, version, body)
      // KIP-511: a broker that does not know the version of an ApiVersions request answers in version 0.
      const message = Result.isFailure(read) && api.key === ApiVersions.key && version > 0
        ? Result.orElse(Message.decode(api.response, 0, body), () => read)
        : read
      return Result.map(message, (found) => ({ correlationId, message: found }))
    }
  )
}
