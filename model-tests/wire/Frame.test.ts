import { assert, describe, it } from "@effect/vitest"
import { Result } from "effect"
import * as fc from "fast-check"
import { type Definition, Frame, InvalidMessage, Message, Messages } from "../../src/wire/index.ts"
import { fixtures, frameOf } from "./messages/frames.ts"

const unhex = (text: string): Uint8Array => new Uint8Array(Buffer.from(text.replaceAll(" ", ""), "hex"))
const hex = (result: Result.Result<Uint8Array, InvalidMessage.InvalidMessage>): string =>
  Buffer.from(Result.getOrThrow(result)).toString("hex")
const reason = <A>(result: Result.Result<A, InvalidMessage.InvalidMessage>): string =>
  InvalidMessage.describe(Result.getOrThrow(Result.flip(result)))

const apis = Messages.apis as ReadonlyArray<Definition.Api>
const sender = { correlationId: 258, clientId: "me" }

describe("a request", () => {
  it("has the header of its version", () => {
    assert.strictEqual(
      hex(Frame.encodeRequest(Messages.ListTransactions, 0, sender, { stateFilters: [], producerIdFilters: [] })),
      "00000010 0042 0000 00000102 0002 6d65 00 01 01 00".replaceAll(" ", "")
    )
    assert.strictEqual(
      hex(Frame.encodeRequest(Messages.ApiVersions, 0, { ...sender, clientId: null }, {})),
      "0000000a 0012 0000 00000102 ffff".replaceAll(" ", "")
    )
  })

  it("is read as what it is", () => {
    const frame = Result.getOrThrow(Frame.encodeRequest(Messages.ListTransactions, 1, sender, {
      stateFilters: ["Ongoing"],
      producerIdFilters: [7],
      durationFilter: 5
    }))
    const request = Result.getOrThrow(Frame.decodeRequest(frame.subarray(4)))

    assert.deepStrictEqual(request, {
      _tag: "ListTransactions",
      version: 1,
      ...sender,
      message: {
        stateFilters: ["Ongoing"],
        producerIdFilters: [7],
        durationFilter: 5,
        transactionalIdPattern: null
      }
    })
    // The tag says which message it is.
    if (request._tag === "ListTransactions") assert.strictEqual(request.message.durationFilter, 5)
  })

  it("can be wrong on purpose", () => {
    const body = Result.getOrThrow(Message.encode(Messages.EndTxn.request, 5, {
      transactionalId: "id",
      producerId: -7,
      producerEpoch: -2,
      committed: true
    }))
    const header = { requestApiKey: Messages.EndTxn.key, requestApiVersion: 99, ...sender }
    const frame = Result.getOrThrow(Frame.ofRequest(header, true, body))

    assert.deepStrictEqual(Result.getOrThrow(Frame.decodeRequestHeader(frame.subarray(4))), { header, body })
    assert.strictEqual(
      reason(Frame.decodeRequest(frame.subarray(4))),
      "EndTxnRequest version 99: EndTxnRequest has versions 0 to 5"
    )
  })

  it("of an unknown api is refused, and its header can be read", () => {
    const header = { requestApiKey: 1_000, requestApiVersion: 3, ...sender }
    const bytes = Result.getOrThrow(Frame.ofRequest(header, false, unhex("0102"))).subarray(4)

    assert.deepStrictEqual(Result.getOrThrow(Frame.decodeRequestHeader(bytes)), { header, body: unhex("0102") })
    assert.strictEqual(
      reason(Frame.decodeRequest(bytes)),
      "RequestHeader version 1, requestApiKey: there is no api 1000"
    )
  })
})

describe("a response", () => {
  it("to ApiVersions has no tagged fields in its header", () => {
    const message = { errorCode: 0, apiKeys: [], throttleTimeMs: 0 }

    assert.strictEqual(
      hex(Frame.encodeResponse(Messages.ApiVersions, 3, 258, message)),
      "0000000c 00000102 0000 01 00000000 00".replaceAll(" ", "")
    )
    for (const api of apis) {
      for (const version of [api.response.flexible - 1, api.response.flexible]) {
        assert.strictEqual(
          Frame.responseHeaderVersion(api, version),
          api.name !== "ApiVersions" && version === api.response.flexible ? 1 : 0
        )
      }
    }
  })

  it("of a broker that does not know the version of ApiVersions comes in version 0", () => {
    const frame = Result.getOrThrow(Frame.encodeResponse(Messages.ApiVersions, 0, 258, {
      errorCode: 35,
      apiKeys: [{ apiKey: 18, minVersion: 0, maxVersion: 4 }]
    }))
    for (const version of [1, 2, 3, 4, 5]) {
      const { correlationId, message } = Result.getOrThrow(
        Frame.decodeResponse(Messages.ApiVersions, version, frame.subarray(4))
      )

      assert.strictEqual(correlationId, 258)
      assert.strictEqual(message.errorCode, 35)
      assert.deepStrictEqual(message.apiKeys, [{ apiKey: 18, minVersion: 0, maxVersion: 4 }])
    }
  })

  it("to ApiVersions that is none of any version is refused as one of its own", () => {
    assert.strictEqual(
      reason(Frame.decodeResponse(Messages.ApiVersions, 4, unhex("00000102 0000 01 0000"))),
      "ApiVersionsResponse version 4, throttleTimeMs: at byte 3, 4 bytes expected, 2 there"
    )
  })

  it("says which request it answers", () => {
    assert.deepStrictEqual(Frame.correlationIdOf(unhex("00000102 ff")), Result.succeed(258))
    assert.strictEqual(
      reason(Frame.correlationIdOf(unhex("000001"))),
      "ResponseHeader version 0, correlationId: at byte 0, 4 bytes expected, 3 there"
    )
  })
})

describe("damaged frames", () => {
  const apiOf = new Map(apis.flatMap((api) => [[api.request.name, api], [api.response.name, api]] as const))
  const frames = fixtures.map((fixture) => ({
    ...fixture,
    isRequest: fixture.message.endsWith("Request"),
    api: apiOf.get(fixture.message)!,
    bytes: frameOf(fixture).subarray(4)
  }))

  type Outcome = Result.Result<Definition.Message<Definition.Fields>, InvalidMessage.InvalidMessage>

  const decode = ({ api, isRequest, version }: (typeof frames)[number], bytes: Uint8Array): Outcome =>
    isRequest
      ? Result.map(Frame.decodeRequest(bytes), ({ message }) => message as Definition.Message<Definition.Fields>)
      : Result.map(Frame.decodeResponse(api, version, bytes), ({ message }) => message)

  it("are refused wherever they end too early", () => {
    let refused = 0
    const accepted: Array<string> = []
    for (const frame of frames) {
      for (let length = 0; length < frame.bytes.length; length++) {
        const bytes = frame.bytes.subarray(0, length)
        // What is left of a response to ApiVersions may be one of version 0.
        const outcome = frame.message === "ApiVersionsResponse"
          ? Message.decode(frame.api.response, frame.version, bytes.subarray(4))
          : decode(frame, bytes)
        if (Result.isFailure(outcome) && outcome.failure._tag === "InvalidMessage") refused++
        else accepted.push(`${frame.message} ${frame.version} with ${length} bytes`)
      }
    }
    assert.deepStrictEqual(accepted, [])
    assert.isAbove(refused, 50_000)
  })

  it("are refused, or read as what can be written and read again, whichever bytes are wrong", () => {
    const damage = fc.oneof(
      fc.record({ at: fc.nat(), flip: fc.integer({ min: 1, max: 255 }) }),
      fc.record({ at: fc.nat(), insert: fc.uint8Array({ minLength: 1, maxLength: 6 }) }),
      fc.record({ at: fc.nat(), remove: fc.integer({ min: 1, max: 6 }) })
    )
    const damaged = (bytes: Uint8Array, change: { at: number } & object): Uint8Array => {
      const at = change.at % bytes.length
      if ("flip" in change) return bytes.map((byte, index) => index === at ? byte ^ Number(change.flip) : byte)
      const [inserted, removed] = "insert" in change
        ? [change.insert as Uint8Array, 0]
        : [new Uint8Array(), Number((change as { remove?: number }).remove)]
      return new Uint8Array(Buffer.concat([bytes.subarray(0, at), inserted, bytes.subarray(at + removed)]))
    }
    const seen = { read: 0, refused: 0 }

    fc.assert(
      fc.property(fc.constantFrom(...frames), fc.array(damage, { minLength: 1, maxLength: 3 }), (frame, changes) => {
        const bytes = changes.reduce((one, change) => one.length === 0 ? one : damaged(one, change), frame.bytes)
        const read = frame.isRequest
          ? Result.flatMap(
            Frame.decodeRequestHeader(bytes),
            ({ body }) => Message.decode(frame.api.request, frame.version, body)
          )
          : Message.decode(frame.api.response, frame.version, bytes.subarray(4))
        if (Result.isFailure(read)) {
          seen.refused++
          assert.strictEqual(read.failure._tag, "InvalidMessage")
        } else {
          seen.read++
          const definition = frame.isRequest ? frame.api.request : frame.api.response
          const again = Result.getOrThrow(Message.encode(definition, frame.version, read.success))
          assert.deepStrictEqual(Message.decode(definition, frame.version, again), read)
        }
        // Whole frames neither throw.
        assert.isTrue(Result.isResult(decode(frame, bytes)))
      }),
      { numRuns: 20_000 }
    )
    assert.isAbove(seen.read, 1_000)
    assert.isAbove(seen.refused, 1_000)
  })

  it("are refused, or read, if they are any bytes", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.constantFrom(...apis), fc.nat(13), (bytes, api, version) => {
        const results = [
          Frame.decodeRequest(bytes),
          Frame.decodeRequestHeader(bytes),
          Frame.correlationIdOf(bytes),
          Frame.decodeResponse(api, version, bytes)
        ]
        assert.isTrue(results.every((one) => Result.isResult(one)))
      }),
      { numRuns: 5_000 }
    )
  })
})
