/**
 * Records the walks of a campaign as a transcript.
 */
import { Clock, Effect } from "effect"
import { join } from "node:path"
import * as Specification from "../../Specification.ts"
import * as Campaign from "../Campaign.ts"
import * as Frames from "./Frames.ts"
import * as Questions from "./Questions.ts"
import type * as Transcript from "./Transcript.ts"

export interface Capture {
  readonly recorder: Campaign.Recorder
  /** The walks that have ended, in the order of their parts and numbers. */
  readonly walks: () => ReadonlyArray<Transcript.Walk>
}

/** An exchange that may not be over. */
type Exchange = { -readonly [Key in keyof Transcript.Exchange]: Transcript.Exchange[Key] }

interface Recording {
  readonly subject: Transcript.Walk["subject"]
  readonly exchanges: Array<Exchange>
  hasEnded: boolean
}

const nothing = new Uint8Array()

/** For a campaign of these parts. */
export const make = (parts: ReadonlyArray<Campaign.Part>): Capture => {
  const recordings = new Map<string, Recording>()
  const keyOf = ({ number, part }: Campaign.WalkName): string => `${part}/${number}`
  return {
    recorder: {
      begins: (walk, subject) => {
        const { producerIds } = subject
        recordings.set(keyOf(walk), {
          subject: { ...subject, producerIds: new Map(producerIds) },
          exchanges: [],
          hasEnded: false
        })
      },
      asks: (walk, { step }) => {
        recordings.get(keyOf(walk))!.exchanges.push({ step, request: nothing, response: undefined, times: 0 })
      },
      observe: (walk, event) => {
        const recording = recordings.get(keyOf(walk))
        const exchange = recording?.exchanges.at(-1)
        if (recording === undefined || recording.hasEnded || exchange === undefined) return
        if (event._tag === "Request") {
          exchange.request = Frames.request(event.bytes)
          exchange.response = undefined
          exchange.times++
        }
        if (event._tag === "Response") exchange.response = Frames.response(event.bytes)
      },
      ends: (walk) => {
        recordings.get(keyOf(walk))!.hasEnded = true
      }
    },
    walks: () =>
      parts.flatMap((part) =>
        (part.walks ?? Campaign.walksOf(part).walks).flatMap(({ number, steps }): ReadonlyArray<Transcript.Walk> => {
          const recording = recordings.get(keyOf({ part: part.name, number }))
          if (recording === undefined || !recording.hasEnded) return []
          const { exchanges, subject } = recording
          return [{
            part: part.name,
            number,
            subject,
            questions: Questions.of(steps),
            // A connection may fail before anything is sent.
            exchanges: exchanges.filter(({ times }) => times > 0)
          }]
        })
      )
  }
}

/** What is known of a target, and now of when it was asked and by whom. */
export const origin = Effect.fnUntraced(function*(
  about: Omit<Transcript.Origin, "date" | "keos">
): Effect.fn.Return<Transcript.Origin, Specification.SpecificationError> {
  const text = yield* Specification.readText(join(Specification.home, "package.json"))
  const { version } = JSON.parse(text) as { readonly version: string }
  return { ...about, date: new Date(yield* Clock.currentTimeMillis).toISOString(), keos: version }
})
