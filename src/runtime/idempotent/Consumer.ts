/**
 * A consumer of all partitions: it polls, reads what lies below the high watermark, and reports every record once, in
 * offset order.
 */
import { Effect } from "effect"
import { draw, randomStreams, type Range } from "../RandomStreams.ts"
import { Broker, type Read } from "./Broker.ts"

export interface Options {
  /** Where to begin, by partition number. */
  readonly offsets: ReadonlyArray<number>
  readonly reported: (partition: number, read: Read) => void
}

export interface Consumer {
  /** Reads what can be read now, of all partitions. */
  readonly poll: Effect.Effect<void>
  /** The next offset it would read, by partition number. */
  readonly position: (partition: number) => number
}

/** A consumer that polls when it is told. */
export const make = Effect.fnUntraced(function*(
  { offsets, reported }: Options
): Effect.fn.Return<Consumer, never, Broker> {
  const broker = yield* Broker
  const positions = [...offsets]
  return {
    poll: Effect.gen(function*() {
      for (let partition = 0; partition < positions.length; partition++) {
        for (const read of yield* broker.read(partition, positions[partition]!)) {
          positions[partition] = read.offset + 1
          reported(partition, read)
        }
      }
    }),
    position: (partition) => positions[partition]!
  }
})

/** Polls for ever, pausing for a random time. */
export const polling = Effect.fnUntraced(function*(consumer: Consumer, pause: Range): Effect.fn.Return<never> {
  const [next] = yield* randomStreams(1)
  while (true) {
    yield* Effect.sleep(draw(next!, pause))
    yield* consumer.poll
  }
})
