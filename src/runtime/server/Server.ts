/**
 * The reference implementation as a Kafka broker: one broker, in memory, that clients reach over TCP.
 *
 * Each connection is answered in the order of its requests, one after the other. A connection that sends what is no request
 * is closed, as Kafka does, and all others go on.
 */
import * as NodeSocketServer from "@effect/platform-node/NodeSocketServer"
import { Effect, type Scope } from "effect"
import { NetAddress } from "effect/net"
import { Socket, type SocketServer } from "effect/socket"
import { FrameSplitter } from "../../wire/index.ts"
import { Cluster } from "../brokers/index.ts"
import * as Dispatch from "./Dispatch.ts"
import type { Address } from "./Handler.ts"

export interface Options extends Omit<Cluster.Options, "nodes" | "topics"> {
  /** By default any that is free. */
  readonly port?: number
  /** How many partitions each topic has, to begin with; by default there are no topics. */
  readonly topics?: Cluster.Options["topics"]
}

export interface Server extends Address {
  readonly brokers: Cluster.Brokers
}

const host = "127.0.0.1"

/** That of a coordinator which writes to a log on disk first, more or less: who asks at once sees what is not over yet. */
const defaultMarkerLatencyMs = 5

/** Requests of one connection until it ends. */
const connection = (answerTo: ReturnType<typeof Dispatch.make>) =>
  Effect.fnUntraced(
    function*(socket: Socket.Socket) {
      const pull = yield* Socket.readerBytes(socket)
      const { write } = yield* socket.writer
      const splitter = FrameSplitter.make()
      for (;;) {
        for (const chunk of yield* pull) {
          const { frames, invalid } = FrameSplitter.push(splitter, chunk)
          for (const frame of frames) {
            const answer = yield* answerTo(frame)
            if (answer !== undefined) yield* write(answer)
          }
          if (invalid !== undefined) return
        }
      }
    },
    Effect.scoped,
    Effect.catchTags({
      Hangup: ({ reason }) => Effect.logDebug(`a connection is closed: ${reason}`),
      // Clients come and go.
      SocketError: () => Effect.void
    })
  )

/** Listens on 127.0.0.1 while the scope lasts. The rules of an exhibit or a release are options. */
export const make = Effect.fnUntraced(function*(
  options: Options = {}
): Effect.fn.Return<Server, SocketServer.SocketServerError, Scope.Scope> {
  const { port = 0, ...given } = options
  const listener = yield* NodeSocketServer.make({ host, port, noDelay: true })
  const { address: bound } = listener
  if (NetAddress.isUnixPathAddress(bound)) return yield* Effect.die(`listening on ${bound.path}`)
  const address = { host, port: bound.port }
  const brokers = yield* Cluster.make({
    topics: {},
    markerLatencyMs: defaultMarkerLatencyMs,
    ...given,
    nodes: 1
  })
  yield* Effect.forkScoped(listener.run(connection(Dispatch.make({ brokers, address }))))
  return { ...address, brokers }
})
