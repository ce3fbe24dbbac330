/** What the tests of transcripts share: the committed ones, and what comes of judging them. */
import { Effect, Result } from "effect"
import { readFileSync } from "node:fs"
import type * as Campaign from "../../../../src/conformance/conform/Campaign.ts"
import { Rejudging, Transcript } from "../../../../src/conformance/conform/transcripts/index.ts"
import * as Files from "./Files.ts"

export const bytesOf = (target: string): Uint8Array => readFileSync(Files.pathOf(target))

export const read = (target: string): Transcript.Transcript => Result.getOrThrow(Transcript.decode(bytesOf(target)))

export type Compared = Extract<Campaign.Told, { readonly _tag: "Compared" }>
export type Broken = Extract<Campaign.Told, { readonly _tag: "Broken" }>

export interface Judged {
  readonly compared: number
  readonly taken: number
  readonly divergences: ReadonlyArray<Compared>
  readonly broken: ReadonlyArray<Broken>
}

export const judge = (
  transcript: Transcript.Transcript,
  parts: ReadonlyArray<Campaign.Part>
): Effect.Effect<Judged> =>
  Effect.gen(function*() {
    let compared = 0
    let taken = 0
    const divergences: Array<Compared> = []
    const broken: Array<Broken> = []
    yield* Rejudging.judge(transcript, parts, (told) => {
      if (told._tag === "Taken") taken++
      if (told._tag === "Broken") broken.push(told)
      if (told._tag === "Compared") {
        compared++
        if (!told.comparison.agrees) divergences.push(told)
      }
    })
    return { compared, taken, divergences, broken }
  })

/** The walks that are wanted alone. */
export const some = (
  { origin, walks }: Transcript.Transcript,
  isWanted: (walk: Transcript.Walk) => boolean
): Transcript.Transcript => ({ origin, walks: walks.filter(isWanted) })
