/** Servers that answer what a test wants. */
import { Effect, Result } from "effect"
import { type AddressInfo, createServer, type Server, type Socket } from "node:net"
import type { Address } from "../../../src/runtime/remote/index.ts"
import { Frame, FrameSplitter, Messages } from "../../../src/wire/index.ts"

const listen = (server: Server) =>
  Effect.callback<Address.Address>((resume) => {
    server.listen(0, "127.0.0.1", () => {
      resume(Effect.succeed({ host: "127.0.0.1", port: (server.address() as AddressInfo).port }))
    })
  })

/** Listens until the scope is closed, and hands every connection over. */
export const serve = (onConnection: (socket: Socket) => void) =>
  Effect.gen(function*() {
    const sockets = new Set<Socket>()
    const server = createServer((socket) => {
      sockets.add(socket)
      socket.on("error", () => {})
      socket.on("close", () => sockets.delete(socket))
      onConnection(socket)
    })
    yield* Effect.addFinalizer(() =>
      Effect.callback<void>((resume) => {
        server.close(() => resume(Effect.void))
        for (const socket of sockets) socket.destroy()
      })
    )
    return yield* listen(server)
  })

/** Calls `onRequest` for every request, with what comes in: the frame without its size, and its correlation id. */
export const serveFrames = (onRequest: (socket: Socket, frame: Uint8Array, correlationId: number) => void) =>
  serve((socket) => {
    const splitter = FrameSplitter.make()
    socket.on("data", (chunk) => {
      for (const frame of FrameSplitter.push(splitter, new Uint8Array(chunk)).frames) {
        const decoded = Frame.decodeRequestHeader(frame)
        onRequest(socket, frame, Result.isSuccess(decoded) ? decoded.success.header.correlationId : -1)
      }
    })
  })

/** An answer to InitProducerId, version 4. */
export const producerId = (correlationId: number, id: number): Uint8Array =>
  Result.getOrThrow(Frame.encodeResponse(Messages.InitProducerId, 4, correlationId, {
    throttleTimeMs: 0,
    errorCode: 0,
    producerId: id,
    producerEpoch: 0
  }))

/** A port on which nobody listens. */
export const closedPort = Effect.scoped(Effect.map(serve(() => {}), ({ port }) => port))
