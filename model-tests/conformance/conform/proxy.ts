/** Brokers that keep the rules until they do something that no broker may. */
import { Effect, Result } from "effect"
import { createConnection, type Socket } from "node:net"
import type { Remote } from "../../../src/runtime/index.ts"
import { Frame, FrameSplitter, Messages } from "../../../src/wire/index.ts"
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
          upstream.write(Frame.of(frame))
        }
      })
    })
  })

const describeProducers = 0

/** DescribeProducers as it is when coordinators have later epochs than those that they have. */
const withLaterEpochs = (frame: Uint8Array, by: number): Uint8Array => {
  const { correlationId, message } = Result.getOrThrow(
    Frame.decodeResponse(Messages.DescribeProducers, describeProducers, frame)
  )
  return Result.getOrThrow(Frame.encodeResponse(Messages.DescribeProducers, describeProducers, correlationId, {
    ...message,
    topics: message.topics.map((topic) => ({
      ...topic,
      partitions: topic.partitions.map((partition) => ({
        ...partition,
        activeProducers: partition.activeProducers.map((producer) => ({
          ...producer,
          coordinatorEpoch: producer.coordinatorEpoch < 0 ? producer.coordinatorEpoch : producer.coordinatorEpoch + by
        }))
      }))
    }))
  }))
}

/** A broker whose coordinators are replaced, each time after so many accounts of producers. */
export const replacing = ({ host, port }: Remote.Address.Address, every: number) =>
  Effect.suspend(() => {
    let seen = 0
    return serve((client) => {
      const asked: Array<number> = []
      const upstream = createConnection({ host, port, noDelay: true })
      upstream.on("error", () => client.destroy())
      upstream.on("close", () => client.destroy())
      client.on("close", () => upstream.destroy())
      const requests = FrameSplitter.make()
      client.on("data", (chunk) => {
        for (const frame of FrameSplitter.push(requests, new Uint8Array(chunk)).frames) {
          asked.push(apiKeyOf(frame))
          upstream.write(Frame.of(frame))
        }
      })
      const answers = FrameSplitter.make()
      upstream.on("data", (chunk) => {
        for (const frame of FrameSplitter.push(answers, new Uint8Array(chunk)).frames) {
          const isAccount = asked.shift() === Messages.DescribeProducers.key
          client.write(isAccount ? withLaterEpochs(frame, 2 * Math.floor(seen++ / every)) : Frame.of(frame))
        }
      })
    })
  })
