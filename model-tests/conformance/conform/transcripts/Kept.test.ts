import { assert, describe, it } from "@effect/vitest"
import { Effect, Result } from "effect"
import type * as Campaign from "../../../../src/conformance/conform/Campaign.ts"
import * as Judging from "../../../../src/conformance/conform/Judging.ts"
import * as Reference from "../../../../src/conformance/conform/Reference.ts"
import { Rejudging, Transcript } from "../../../../src/conformance/conform/transcripts/index.ts"

/** All that is told of walks, in an order that does not hang on which of them were taken at a time. */
const telling = () => {
  const told: Array<{ readonly walk: Campaign.WalkName; readonly line: string }> = []
  return {
    tell: (one: Campaign.Told): void => {
      const what = one._tag === "Compared"
        ? `${one.comparison.step} ${one.comparison.case.id} ${JSON.stringify(one.comparison.actual)}`
        : one._tag
      const agrees = one._tag === "Compared" && !one.comparison.agrees ? "wrong" : "right"
      told.push({ walk: one.walk, line: `${one.walk.part}/${one.walk.number} ${what} ${agrees}` })
    },
    lines: (): ReadonlyArray<string> =>
      told.toSorted((a, b) => a.walk.part.localeCompare(b.walk.part) || a.walk.number - b.walk.number)
        .map(({ line }) => line)
  }
}

/** What is told of a reference, and what of its transcript. */
const twice = Effect.fnUntraced(function*(exhibit: string | undefined, only: string) {
  const address = yield* Reference.serve({ transactionVersion: 2, exhibit })
  const live = telling()
  let bytes: Uint8Array | undefined
  yield* Judging.judge({
    address,
    name: "the reference",
    extent: "quick",
    only: [only],
    walks: [],
    knownFailing: [],
    concurrency: 4,
    timeoutPatienceMs: 5_000,
    again: () => "",
    observe: live.tell,
    keep: (transcript) => {
      bytes = Transcript.encode(transcript)
    }
  })
  const transcript = Result.getOrThrow(Transcript.decode(bytes!))
  const { parts } = yield* Rejudging.partsOf(transcript)
  const again = telling()
  yield* Rejudging.judge(transcript, parts, again.tell)
  return { live: live.lines(), again: again.lines() }
}, Effect.scoped)

describe("what is kept of a campaign is judged like the campaign", () => {
  it.live("where all is right", () =>
    Effect.gen(function*() {
      const { again, live } = yield* twice(undefined, "EndTxn-v2/Ongoing/current")

      assert.isAtLeast(live.length, 100)
      assert.deepStrictEqual(live.filter((line) => line.endsWith("wrong")), [])
      assert.deepStrictEqual(again, live)
    }))

  it.live("where something is wrong", () =>
    Effect.gen(function*() {
      const bug = "WriteTxnMarkers-v2/same-open/coordinator-newer/COMMIT"

      const { again, live } = yield* twice("KAFKA-19446", bug)

      const wrong = live.filter((line) => line.endsWith("wrong"))
      assert.isAtLeast(wrong.length, 1)
      assert.isTrue(wrong.some((line) => line.includes(bug)))
      assert.deepStrictEqual(again, live)
    }))
})
