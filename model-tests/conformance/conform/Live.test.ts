/** A real broker, judged as `keos conform --launch apache-kafka@4.4.0 --quick` does. */
import { assert, it } from "@effect/vitest"
import { Effect } from "effect"
import * as Judging from "../../../src/conformance/conform/Judging.ts"
import { ApacheKafka } from "../../../src/conformance/conform/launch/index.ts"
import * as Report from "../../../src/conformance/conform/Report.ts"
import { describeBroker, release } from "./launch/support.ts"

describeBroker(`Apache Kafka ${release}`, () => {
  it.live("answers as the specification does", () =>
    Effect.scoped(Effect.gen(function*() {
      const specification = { release, transactionVersion: 2 } as const
      const properties = { "broker.session.timeout.ms": 60_000 }
      const { address } = yield* ApacheKafka.launch(specification, { properties })
      const document = yield* Judging.judge({
        address,
        name: ApacheKafka.format(specification),
        extent: "quick",
        only: [],
        walks: [],
        knownFailing: [],
        concurrency: 16,
        timeoutPatienceMs: 20_000,
        again: (walk) => `--walk ${walk?.part}/${walk?.number}`
      })

      const { cases, divergences, leftOut, release: found, stopped, totals } = document
      assert.deepStrictEqual(divergences, [])
      assert.deepStrictEqual(found, { line: "4.4", transactionVersion: 2, guess: null })
      assert.isNull(stopped)
      assert.isTrue(leftOut.every(({ reason }) => reason === "it takes minutes"))
      assert.strictEqual(Report.verdictOf(document), "passed")
      assert.isTrue(
        cases.every(({ compared, notJudged, status }) => status === "passed" && compared > 0 && notJudged === 0)
      )
      assert.deepInclude(totals, { passed: cases.length, taken: totals.walks })
      assert.isAbove(cases.length, 300)
      assert.isAbove(totals.compared, 10_000)
    })), 300_000)
})
