import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { readdirSync } from "node:fs"
import { basename } from "node:path"
import { Rejudging } from "../../../../src/conformance/conform/transcripts/index.ts"
import * as Files from "./Files.ts"
import { judge, read } from "./support.ts"

describe("the committed transcripts", () => {
  it("are those of the named brokers, and no others", () => {
    const found = readdirSync(Files.folder).filter((name) => name.endsWith(".gz"))

    assert.sameMembers(found, Files.targets.map((target) => basename(Files.pathOf(target))))
  })

  for (const target of Files.targets) {
    it.effect(`what ${target} answered is what the specification says today`, () =>
      Effect.gen(function*() {
        const transcript = read(target)
        const parts = yield* Rejudging.partsOf(transcript)
        const stale = Rejudging.staleness(transcript, parts)

        const { broken, compared, divergences, taken } = yield* judge(transcript, parts.parts)

        assert.deepStrictEqual(
          divergences.map(({ comparison: { actual, case: { id }, expected, step }, walk }) => ({
            ...walk,
            step,
            id,
            expected,
            actual
          })),
          []
        )
        assert.deepStrictEqual(broken.map(({ message, walk }) => `${walk.part}/${walk.number}: ${message}`), [])
        assert.deepStrictEqual(stale, [], `the transcript is stale; renew it: ${Files.again(target)}`)
        assert.strictEqual(transcript.origin.target, target)
        assert.strictEqual(taken, transcript.walks.length)
        assert.isAtLeast(taken, 400)
        assert.isAtLeast(compared, 8_000)
      }))
  }
})
