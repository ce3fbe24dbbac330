import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as Campaign from "../../../../src/conformance/conform/Campaign.ts"
import * as Parts from "../../../../src/conformance/conform/Parts.ts"
import * as Questions from "../../../../src/conformance/conform/transcripts/Questions.ts"
import { Transactions } from "../../../../src/model/index.ts"

const { parts } = await Effect.runPromise(
  Parts.of({ line: "4.4", transactionVersion: 2, writeTxnMarkers: 2 }, "quick")
)

const named = (name: string): Parts.Part => parts.find((part) => part.name === name)!

describe("questions", () => {
  for (const name of ["mixed", "group-version-2", "timeout-version-2", "idempotent"]) {
    it(`lead to the walks of ${name} again`, () => {
      const part = named(name)
      const answer = Questions.answering(part.configuration)
      const first = Campaign.firstOf(part)

      const again = part.graph.walks.map(({ steps }) => answer(first, Questions.of(steps)))

      assert.isAtLeast(again.length, 2)
      assert.deepStrictEqual(
        again,
        part.graph.walks.map(({ steps }) => ({ steps, impossible: undefined }))
      )
    })
  }

  it("of different requests are different", () => {
    for (const { configuration, name } of parts) {
      const requests = Transactions.RequestActions.requestsOf(configuration)
      const world = Campaign.firstOf(named(name))
      const steps = requests.map((request) => ({
        _tag: "Ask" as const,
        request,
        answer: { error: "NONE" as const, producerId: -1, epoch: -1, offset: -1 },
        before: world,
        after: world
      }))

      assert.lengthOf(new Set(Questions.of(steps)), requests.length)
    }
  })

  it("end where the specification has nothing that they name", () => {
    const part = named("mixed")
    const questions = ["look", "EndTxn id=1 identity=current result=COMMIT version=2", "look"]

    const { impossible, steps } = Questions.answering(part.configuration)(Campaign.firstOf(part), questions)

    assert.strictEqual(impossible, questions[1])
    assert.lengthOf(steps, 1)
  })
})
