/** Brokers that keep the rules until they do something that no broker may. */
import { Effect } from "effect"
import { createConnection, type Socket } from "node:net"
import type { Remote } from "../../../src/runtime/index.ts"
import { FrameSplitter } from "../../../src/wire/index.ts"
import { serve } from "../../runtime/remote/server.ts"

/** What becomes of a request instead of its answer. */
export type Misbehaviour = (client: Socket) => void

export const hangs: Misbehaviour = () => {}
export const closes: Misbehaviour = (client) => {
  client.destroy()
}
export const answersGarbage: Misbehaviour = (client) => {
  client.write(Uint8Array.of(0, 0, 0, 4, 255, 255, 255, 255))
}
export const answersNoFrame: Misbehaviour = (client) => {
  client.write("HTTP/1.1 400 Bad Request\r\n\r\n")
}

/** Key of the API that a frame asks for. */
const apiKeyOf = (frame: Uint8Array): number => frame[0]! << 8 | frame[1]!

/**
 * Passes requests on to another broker, and answers back, but for those that are chosen. `seen` counts the requests of all
 * connections, from 1.
 */
export const make = (
  { host, port }: Remote.Address.Address,
  misbehaves: Misbehaviour,
  isChosen: (apiKey: number, seen: number) => boolean
) =>
  Effect.suspend(() => {
    let seen = 0
    return serve((client) => {
      const splitter = FrameSplitter.make()
      const upstream = createConnection({ host, port, noDelay: true })
      upstream.on("error", () => client.destroy())
      upstream.on("close", () => client.destroy())
      client.on("close", () => upstream.destroy())
      upstream.pipe(client, { end: false })
      client.on("data", (chunk) => {
        const { frames } = FrameSplitter.push(splitter, new Uint8Array(chunk))
        for (const frame of frames) {
          if (isChosen(apiKeyOf(frame), ++seen)) {
            misbehaves(client)
            continue
          }
          const size = new Uint8Array(4)
          new DataView(size.buffer).setUint32(0, frame.length)
          upstream.write(size)
          upstream.write(frame)
        }
      })
    })
  })
