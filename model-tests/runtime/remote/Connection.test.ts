import { assert, describe, it } from "@effect/vitest"
import { Cause, Effect, Exit, Fiber, Result } from "effect"
import * as fc from "fast-check"
import type { Socket } from "node:net"
import { type Address, Connection } from "../../../src/runtime/remote/index.ts"
import { Frame, Messages } from "../../../src/wire/index.ts"
import { closedPort, producerId, serve, serveFrames } from "./server.ts"

const init = (connection: Connection.Connection, options?: Connection.RequestOptions) =>
  connection.request(
    Messages.InitProducerId,
    4,
    { transactionalId: "t", transactionTimeoutMs: 1_000 },
    options
  )

const failureOf = <A>(effect: Effect.Effect<A, Connection.ConnectionError>) => Effect.flip(effect)

const connectTo = (address: Address.Address, options: Partial<Connection.Options> = {}) =>
  Connection.connect({ ...address, ...options })

const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex")

describe("requests", () => {
  it.live("get their answers, in any pieces", () =>
    Effect.gen(function*() {
      const address = yield* serveFrames((socket, _, correlationId) => {
        const bytes = producerId(correlationId, 7)
        socket.write(bytes.subarray(0, 2))
        setTimeout(() => {
          socket.write(bytes.subarray(2, 9))
          setTimeout(() => socket.write(bytes.subarray(9)), 5)
        }, 5)
      })
      const connection = yield* connectTo(address)

      assert.strictEqual((yield* init(connection)).producerId, 7)
      assert.strictEqual((yield* init(connection)).producerId, 7)
    }))

  it.live("of many fibers are in flight at once and get their own answers", () =>
    Effect.gen(function*() {
      const held: Array<Uint8Array> = []
      const address = yield* serveFrames((socket, _, correlationId) => {
        held.push(producerId(correlationId, 1_000 + correlationId))
        // Nothing is answered before all are there; then all come together.
        if (held.length === 500) socket.write(Buffer.concat(held))
      })
      const connection = yield* connectTo(address)

      const answers = yield* Effect.forEach(Array.from({ length: 500 }), () => init(connection), {
        concurrency: "unbounded"
      })

      assert.deepStrictEqual(answers.map(({ producerId }) => producerId), Array.from(answers, (_, i) => 1_000 + i))
    }))

  it.live("that cannot be written fail, and nothing is sent", () =>
    Effect.gen(function*() {
      const address = yield* serveFrames((socket, _, correlationId) => socket.write(producerId(correlationId, 7)))
      const seen: Array<Connection.Observation> = []
      const connection = yield* connectTo(address, { observe: (event) => seen.push(event) })

      const failure = yield* failureOf(
        connection.request(Messages.InitProducerId, 99, { transactionalId: "t", transactionTimeoutMs: 1 })
      )

      assert.strictEqual(failure.reason, "InvalidRequest")
      assert.match(failure.message, /InitProducerId v99 at 127\.0\.0\.1:\d+: .*versions 0 to 6/)
      assert.deepStrictEqual(seen, [])
      assert.strictEqual((yield* init(connection)).producerId, 7)
    }))

  it.live("that were interrupted do not disturb the others", () =>
    Effect.gen(function*() {
      const held: Array<Uint8Array> = []
      const address = yield* serveFrames((socket, _, correlationId) => {
        held.push(producerId(correlationId, correlationId))
        if (held.length === 2) socket.write(Buffer.concat(held))
      })
      const connection = yield* connectTo(address, { answerTimeoutMillis: 2_000 })

      const first = yield* Effect.forkChild(init(connection), { startImmediately: true })
      yield* Fiber.interrupt(first)
      const second = yield* init(connection)

      assert.strictEqual(second.producerId, 1)
    }))
})

describe("a connection", () => {
  it.live("that is refused says so", () =>
    Effect.gen(function*() {
      const port = yield* closedPort
      for (const host of ["127.0.0.1", "localhost"]) {
        const failure = yield* failureOf(Effect.scoped(connectTo({ host, port })))

        assert.strictEqual(failure._tag, "ConnectionError")
        assert.strictEqual(failure.reason, "Connect")
        assert.strictEqual(failure.address, `${host}:${port}`)
        assert.strictEqual(
          failure.message,
          `cannot connect to ${host}:${port}: the connection was refused. Is a broker listening there?`
        )
      }
    }))

  it.live("to an unknown host says so", () =>
    Effect.gen(function*() {
      const failure = yield* failureOf(Effect.scoped(connectTo({ host: "nowhere.invalid", port: 9092 })))

      assert.strictEqual(failure.reason, "Connect")
      assert.match(failure.message, /^cannot connect to nowhere\.invalid:9092: /)
    }))

  for (
    const [how, close, message] of [
      ["closes", (socket) => socket.end(), "the peer closed the connection"],
      ["resets", (socket) => socket.resetAndDestroy(), "the peer reset the connection"],
      [
        "closes half-way",
        (socket) => socket.end(new Uint8Array([0, 0, 0, 9, 1])),
        "the peer closed the connection in the middle of an answer"
      ]
    ] as ReadonlyArray<[string, (socket: Socket) => void, string]>
  ) {
    it.live(`is lost when the peer ${how} it, for all who wait and all who come later`, () =>
      Effect.gen(function*() {
        let requests = 0
        const address = yield* serveFrames((socket) => {
          if (++requests === 3) close(socket)
        })
        const connection = yield* connectTo(address)

        const failures = yield* Effect.forEach([1, 2, 3], () => failureOf(init(connection)), { concurrency: 3 })
        const later = yield* failureOf(init(connection))

        for (const failure of failures) {
          assert.strictEqual(failure.reason, "Lost")
          assert.strictEqual(failure.message, `InitProducerId v4 at ${failure.address}: ${message}`)
        }
        assert.strictEqual(later.reason, "Lost")
        assert.include(later.message, `the connection had been closed: ${message}`)
        assert.strictEqual(yield* connection.closed, message)
        assert.strictEqual((yield* failureOf(connection.send(new Uint8Array(4)))).reason, "Lost")
        assert.strictEqual((yield* failureOf(connection.post(new Uint8Array(4)))).reason, "Lost")
      }))
  }

  it.live("is given up when an answer does not come, for all who wait", () =>
    Effect.gen(function*() {
      let closed = false
      const address = yield* serve((socket) => {
        socket.resume()
        socket.on("close", () => {
          closed = true
        })
      })
      const connection = yield* connectTo(address, { answerTimeoutMillis: 5_000 })

      const [impatient, patient] = yield* Effect.all([
        failureOf(init(connection, { answerTimeoutMillis: 20 })),
        failureOf(init(connection))
      ], { concurrency: 2 })
      const later = yield* failureOf(init(connection))
      while (!closed) yield* Effect.sleep(1)

      assert.strictEqual(impatient.reason, "NoAnswer")
      assert.match(impatient.message, /^InitProducerId v4 at .*: there was no answer within 20 ms$/)
      assert.strictEqual(patient.reason, "Lost")
      assert.include(patient.message, "because InitProducerId v4: there was no answer within 20 ms")
      assert.strictEqual(later.reason, "Lost")
    }))

  it.live("is closed with its scope, and who waits is told", () =>
    Effect.gen(function*() {
      let closed = false
      const address = yield* serve((socket) => {
        socket.resume()
        socket.on("close", () => {
          closed = true
        })
      })

      const waiting = yield* Effect.scoped(Effect.gen(function*() {
        const connection = yield* connectTo(address)
        return yield* Effect.forkDetach(failureOf(init(connection)), { startImmediately: true })
      }))
      const failure = yield* Fiber.join(waiting)
      while (!closed) yield* Effect.sleep(1)

      assert.strictEqual(failure.reason, "Lost")
      assert.include(failure.message, "the connection was closed: it was closed here")
    }))

  it.live("is not left behind when connecting is interrupted", () =>
    Effect.gen(function*() {
      const address = yield* serve(() => {})
      const handles = () => process.getActiveResourcesInfo().filter((name) => name.includes("TCPSocketWrap")).length
      const before = handles()

      const fiber = yield* Effect.forkChild(Effect.scoped(connectTo(address)), { startImmediately: true })
      yield* Fiber.interrupt(fiber)
      while (handles() > before) yield* Effect.sleep(1)

      assert.strictEqual(handles(), before)
    }))
})

describe("an answer", () => {
  const answered = (bytes: (correlationId: number) => Uint8Array, options: Partial<Connection.Options> = {}) =>
    Effect.gen(function*() {
      const address = yield* serveFrames((socket, _, correlationId) => socket.write(bytes(correlationId)))
      const connection = yield* connectTo(address, options)
      return { connection, failure: yield* failureOf(init(connection)) }
    })

  it.live("with another's correlation id ends the connection", () =>
    Effect.gen(function*() {
      const { connection, failure } = yield* answered((correlationId) => producerId(correlationId + 41, 7))

      assert.strictEqual(failure.reason, "InvalidAnswer")
      assert.match(failure.message, /: the answer has the correlation id 41 instead of 0$/)
      assert.strictEqual((yield* failureOf(init(connection))).reason, "Lost")
    }))

  it.live("that is too short for a correlation id ends the connection", () =>
    Effect.gen(function*() {
      const { failure } = yield* answered(() => Frame.of(new Uint8Array(3)))

      assert.strictEqual(failure.reason, "InvalidAnswer")
      assert.match(failure.message, /: the answer has 3 bytes, and no correlation id$/)
    }))

  it.live("that is no message leaves the connection as it is", () =>
    Effect.gen(function*() {
      let first = true
      const address = yield* serveFrames((socket, _, correlationId) => {
        const right = producerId(correlationId, 7)
        socket.write(first ? Frame.of(right.subarray(4, -2)) : right)
        first = false
      })
      const connection = yield* connectTo(address)

      const failure = yield* failureOf(init(connection))

      assert.strictEqual(failure.reason, "InvalidAnswer")
      assert.match(failure.message, /: the answer cannot be read: InitProducerIdResponse version 4, /)
      assert.strictEqual((yield* init(connection)).producerId, 7)
    }))

  for (
    const [name, bytes, message] of [
      ["a negative size", Uint8Array.of(255, 255, 255, 255), /what came begins like a frame of -1 bytes/],
      ["HTTP", Buffer.from("HTTP/1.1 400 Bad Request\r\n\r\n"), /a frame of 1213486160 bytes, and \d+ are the most/],
      ["TLS", Uint8Array.of(0x15, 3, 3, 0, 2, 2, 70), /a frame of 352518912 bytes/]
    ] as const
  ) {
    it.live(`that begins like ${name} ends the connection`, () =>
      Effect.gen(function*() {
        const { connection, failure } = yield* answered(() => bytes)

        assert.strictEqual(failure.reason, "InvalidAnswer")
        assert.match(failure.message, message)
        assert.strictEqual((yield* failureOf(init(connection))).reason, "Lost")
      }))
  }

  it.live("above the limit ends the connection", () =>
    Effect.gen(function*() {
      const { failure } = yield* answered((correlationId) => producerId(correlationId, 7), { frameLimit: 10 })

      assert.strictEqual(failure.reason, "InvalidAnswer")
      assert.match(failure.message, /and 10 are the most/)
    }))

  it.live("that nobody has asked for ends the connection", () =>
    Effect.gen(function*() {
      const address = yield* serve((socket) => socket.write(producerId(0, 7)))
      const connection = yield* connectTo(address)

      assert.strictEqual(
        yield* connection.closed,
        "there came an answer of 22 bytes that nobody had asked for"
      )
    }))

  it.live("of any bytes ends the request, with an answer or a failure, within the bound", () =>
    Effect.gen(function*() {
      let answer = new Uint8Array()
      const address = yield* serve((socket) => {
        socket.on("data", () => socket.end(answer))
      })
      const outcomes = new Set<string>()
      const body = fc.uint8Array({ maxLength: 200 })
      const anything = fc.oneof(
        body,
        body.map((bytes) => Frame.of(bytes)),
        // As far as the correlation id, right.
        body.map((bytes) => Frame.of(Uint8Array.of(0, 0, 0, 0, ...bytes)))
      )

      yield* Effect.promise(() =>
        fc.assert(
          fc.asyncProperty(anything, fc.integer({ min: 0, max: 6 }), async (bytes, version) => {
            answer = new Uint8Array(bytes)
            const exit = await Effect.runPromiseExit(Effect.scoped(Effect.flatMap(
              connectTo(address, { answerTimeoutMillis: 5_000 }),
              (connection) =>
                connection.request(Messages.InitProducerId, version, {
                  transactionalId: "t",
                  transactionTimeoutMs: 1
                })
            )))
            if (Exit.isSuccess(exit)) return void outcomes.add("answered")
            const failure = exit.cause.reasons[0]
            assert.isTrue(
              failure !== undefined && Cause.isFailReason(failure) && failure.error.reason !== "NoAnswer",
              String(exit.cause)
            )
            if (Cause.isFailReason(failure!)) outcomes.add(failure.error.reason)
          }),
          { numRuns: 300 }
        )
      )

      assert.includeMembers([...outcomes], ["InvalidAnswer", "Lost"])
    }))
})

describe("bytes", () => {
  it.live("are sent as they are, and what comes is their answer", () =>
    Effect.gen(function*() {
      const received: Array<string> = []
      const address = yield* serveFrames((socket, frame) => {
        received.push(text(frame))
        socket.write(Frame.of(Uint8Array.of(1, 2, 3)))
      })
      const connection = yield* connectTo(address)

      const reply = yield* connection.send(Frame.of(Uint8Array.of(9, 8, 7)))

      assert.deepStrictEqual(received, ["090807"])
      assert.deepStrictEqual(reply, { _tag: "Answer", bytes: Uint8Array.of(1, 2, 3) })
    }))

  it.live("may be answered by a closed connection", () =>
    Effect.gen(function*() {
      const address = yield* serveFrames((socket) => socket.end())
      const connection = yield* connectTo(address)

      const reply = yield* connection.send(Frame.of(Uint8Array.of(1)))

      assert.deepStrictEqual(reply, { _tag: "Closed", message: "the peer closed the connection" })
    }))

  it.live("without an answer fail within the bound", () =>
    Effect.gen(function*() {
      const address = yield* serve((socket) => socket.resume())
      const connection = yield* connectTo(address)

      const failure = yield* failureOf(connection.send(Uint8Array.of(0, 0), { answerTimeoutMillis: 20 }))

      assert.strictEqual(failure.reason, "NoAnswer")
      assert.match(failure.message, /^a frame of 2 bytes at .*: there was no answer within 20 ms$/)
    }))

  it.live("that are posted wait for no answer, and arrive although the connection is closed at once", () =>
    Effect.gen(function*() {
      const received: Array<number> = []
      let over = false
      const address = yield* serve((socket) => {
        socket.on("data", (chunk) => received.push(...chunk))
        socket.on("end", () => {
          over = true
        })
      })

      yield* Effect.scoped(Effect.flatMap(connectTo(address), (connection) => connection.post(Uint8Array.of(4, 5))))
      while (!over) yield* Effect.sleep(1)

      assert.deepStrictEqual(received, [4, 5])
    }))
})

describe("an observer", () => {
  it.live("sees what went over the connection, and how it ended", () =>
    Effect.gen(function*() {
      const requests: Array<Uint8Array> = []
      const address = yield* serveFrames((socket, frame, correlationId) => {
        requests.push(Frame.of(frame))
        if (requests.length < 3) socket.write(producerId(correlationId, 7))
        else socket.end()
      })
      const seen: Array<Connection.Observation> = []
      const connection = yield* connectTo(address, { observe: (event) => seen.push(event) })

      yield* init(connection)
      yield* init(connection)
      yield* failureOf(init(connection))

      assert.deepStrictEqual(seen, [
        { _tag: "Request", index: 0, bytes: requests[0]! },
        { _tag: "Response", index: 0, bytes: producerId(0, 7) },
        { _tag: "Request", index: 1, bytes: requests[1]! },
        { _tag: "Response", index: 1, bytes: producerId(1, 7) },
        { _tag: "Request", index: 2, bytes: requests[2]! },
        { _tag: "Closed", message: "the peer closed the connection" }
      ])
      const { message } = Result.getOrThrow(
        Frame.decodeResponse(Messages.InitProducerId, 4, producerId(0, 7).subarray(4))
      )
      assert.strictEqual(message.producerId, 7)
    }))

  for (const when of ["Request", "Response"] as const) {
    it.live(`that throws at a ${when.toLowerCase()} is a defect of the request`, () =>
      Effect.gen(function*() {
        const address = yield* serveFrames((socket, _, correlationId) => socket.write(producerId(correlationId, 7)))
        const connection = yield* connectTo(address, {
          observe: ({ _tag }) => {
            if (_tag === when) throw new Error("from the observer")
          }
        })

        const exit = yield* Effect.exit(init(connection))

        assert.isTrue(Exit.isFailure(exit) && Cause.hasDies(exit.cause))
        assert.match(String(exit), /from the observer/)
        assert.strictEqual((yield* failureOf(init(connection))).reason, "Lost")
      }))
  }
})
