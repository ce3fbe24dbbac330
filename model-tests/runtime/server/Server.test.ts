import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Fiber, Result, Scope } from "effect"
import * as fc from "fast-check"
import { createConnection, type Socket } from "node:net"
import { Connection } from "../../../src/runtime/remote/index.ts"
import { Server } from "../../../src/runtime/server/index.ts"
import { Frame, FrameSplitter, Messages } from "../../../src/wire/index.ts"
import * as Probe from "./probe.ts"

const who = { clientSoftwareName: "keos", clientSoftwareVersion: "1" }

const started = Effect.gen(function*() {
  const server = yield* Server.make({ topics: { t: 2 } })
  return { server, connect: Connection.connect(server) }
})

/** A request with any header and body. */
const request = (requestApiKey: number, requestApiVersion: number, body: Uint8Array, flexible = true) =>
  Result.getOrThrow(
    Frame.ofRequest({ requestApiKey, requestApiVersion, correlationId: 7, clientId: "keos" }, flexible, body)
  )

const encoded = (version: number, correlationId: number) =>
  Result.getOrThrow(Frame.encodeRequest(Messages.ApiVersions, version, { correlationId, clientId: null }, who))

/** Whether the server still answers who comes now. */
const isThere = Effect.fnUntraced(
  function*(connect: Effect.Effect<Connection.Connection, Connection.ConnectionError, Scope.Scope>) {
    const { errorCode } = yield* (yield* connect).request(Messages.ApiVersions, 3, who)
    return errorCode === 0
  }
)

describe("a connection", () => {
  const produce = request(Messages.Produce.key, 12, Uint8Array.of(0, 0, 1, 0, 0, 0, 0, 200, 0))
  const wrong: ReadonlyArray<readonly [what: string, bytes: Uint8Array]> = [
    ["an api that there is not", request(999, 0, new Uint8Array())],
    ["an api that is not served", request(Messages.DeleteRecords.key, 2, new Uint8Array())],
    ["a version that there is not", request(Messages.Fetch.key, 99, new Uint8Array())],
    ["a version that is not served any more", request(Messages.Fetch.key, 3, new Uint8Array(), false)],
    ["an unstable version", request(Messages.InitProducerId.key, 6, new Uint8Array())],
    ["a version of Produce that is only said to be served", request(Messages.Produce.key, 2, new Uint8Array(), false)],
    ["a body that ends too early", request(Messages.Metadata.key, 12, Uint8Array.of(200))],
    ["a body with lengths that cannot be", produce],
    ["a body with something behind it", request(Messages.ApiVersions.key, 0, Uint8Array.of(1, 2, 3), false)],
    ["a header that ends too early", Frame.of(Uint8Array.of(0, 18, 0))],
    ["an empty frame", Frame.of(new Uint8Array())],
    ["a negative size", Uint8Array.of(255, 255, 255, 255)],
    ["a size that is too large", Uint8Array.of(127, 255, 255, 255)],
    ["what is no Kafka", new TextEncoder().encode("GET / HTTP/1.1\r\n\r\n")]
  ]
  for (const [what, bytes] of wrong) {
    it.live(`is closed by ${what}, and no other is`, () =>
      Effect.gen(function*() {
        const { connect } = yield* started
        const other = yield* connect
        const reply = yield* (yield* connect).send(bytes)

        assert.strictEqual(reply._tag, "Closed")
        assert.strictEqual((yield* other.request(Messages.ApiVersions, 3, who)).errorCode, 0)
      }))
  }

  it.live("survives no bytes at all that are not Kafka's, and the server does", () =>
    Effect.gen(function*() {
      const { connect } = yield* started
      const keys = Messages.apis.map(({ key }) => key)
      const frames = fc.sample(
        fc.oneof(
          fc.uint8Array({ maxLength: 60 }).map(Frame.of),
          fc.tuple(fc.constantFrom(...keys), fc.nat(14), fc.uint8Array({ maxLength: 60 }), fc.boolean()).map((
            [key, version, body, flexible]
          ) => request(key, version, body, flexible))
        ),
        { numRuns: 300, seed: 1 }
      )
      let closed = 0
      for (const frame of frames) {
        const connection = yield* connect
        yield* connection.post(frame)
        const answer = yield* Effect.result(connection.request(Messages.ApiVersions, 3, who))
        if (Result.isFailure(answer)) closed++
      }

      assert.isAbove(closed, 200)
      assert.isTrue(yield* isThere(connect))
    }))

  it.live("of which the version is not known is told which are", () =>
    Effect.gen(function*() {
      const { connect } = yield* started
      const reply = yield* (yield* connect).send(request(Messages.ApiVersions.key, 77, Uint8Array.of(1, 2, 3)))

      assert.strictEqual(reply._tag, "Answer")
      if (reply._tag !== "Answer") return
      const { message } = Result.getOrThrow(Frame.decodeResponse(Messages.ApiVersions, 0, reply.bytes))
      assert.strictEqual(Probe.nameOf(message.errorCode), "UNSUPPORTED_VERSION")
      assert.deepStrictEqual(message.apiKeys, [{ apiKey: 18, minVersion: 0, maxVersion: 5 }])
    }))

  it.live("is answered in the order of its requests, however they come in", () =>
    Effect.gen(function*() {
      const { server } = yield* started
      const socket = yield* Effect.acquireRelease(
        Effect.callback<Socket>((resume) => {
          const socket = createConnection(server, () => resume(Effect.succeed(socket)))
        }),
        (socket) => Effect.sync(() => socket.destroy())
      )
      const bytes = Buffer.concat([1, 2, 3, 4].map((correlationId) => encoded(correlationId % 4, correlationId)))
      const splitter = FrameSplitter.make()
      const correlations: Array<number> = []
      const done = Effect.callback<void>((resume) => {
        socket.on("data", (chunk) => {
          for (const frame of FrameSplitter.push(splitter, chunk).frames) {
            correlations.push(Result.getOrThrow(Frame.correlationIdOf(frame)))
          }
          if (correlations.length === 4) resume(Effect.void)
        })
      })
      // One by one at first, and the rest together.
      for (const byte of bytes.subarray(0, 20)) {
        socket.write(Uint8Array.of(byte))
        yield* Effect.sleep(1)
      }
      socket.write(bytes.subarray(20))
      yield* done

      assert.deepStrictEqual(correlations, [1, 2, 3, 4])
    }))

  it.live("is not answered to batches without acknowledgement, and closed when one is refused", () =>
    Effect.gen(function*() {
      const { connect } = yield* started
      const connection = yield* connect
      const probe = Probe.make(connection)
      const identity = yield* probe.init(null)
      const send = Effect.fnUntraced(function*(sequence: number) {
        yield* connection.post(
          Result.getOrThrow(
            Frame.encodeRequest(
              Messages.Produce,
              11,
              { correlationId: yield* connection.nextCorrelationId, clientId: null },
              {
                transactionalId: null,
                acks: 0,
                timeoutMs: 1000,
                topicData: [{
                  name: "t",
                  partitionData: [{ index: 0, records: Probe.batch({ identity, sequence }) }]
                }]
              }
            )
          )
        )
      })
      yield* send(0)
      yield* send(1)
      assert.strictEqual(yield* probe.offsetOf(["t", 0]), 2)
      yield* send(7)
      yield* connection.closed
      assert.strictEqual(yield* Probe.make(yield* connect).offsetOf(["t", 0]), 2)
    }))

  it.live("ends with the server", () =>
    Effect.gen(function*() {
      const scope = yield* Scope.make()
      const server = yield* Scope.provide(Server.make({ topics: { t: 1 } }), scope)
      const connection = yield* Connection.connect(server)
      const waiting = yield* Effect.forkChild(
        Effect.result(
          connection.request(Messages.Fetch, 12, {
            maxWaitMs: 60_000,
            minBytes: 1,
            maxBytes: 1000,
            topics: [{ topic: "t", partitions: [{ partition: 0, fetchOffset: 0, partitionMaxBytes: 1000 }] }]
          })
        ),
        { startImmediately: true }
      )
      yield* Effect.sleep(20)
      yield* Scope.close(scope, Exit.void)

      assert.isTrue(Result.isFailure(yield* Fiber.join(waiting)))
      assert.isTrue(Result.isFailure(yield* Effect.result(Connection.connect(server))))
    }))
})
