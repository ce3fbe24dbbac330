import { assert, describe, it } from "@effect/vitest"
import { Effect, Result } from "effect"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import * as Demonstration from "../../../src/conformance/demonstration/Demonstration.ts"
import * as Input from "../../../src/conformance/demonstration/Input.ts"

describe("input", () => {
  const table: ReadonlyArray<readonly [what: string, text: string, message: RegExp]> = [
    ["is empty", "", /^f: no records/],
    ["has column names only", "# a comment\nkey,value\n", /^f: no records/],
    ["has a line that is too short", "key,value\n1,2\n3\n", /^f:3: 1 values, where the first line names 2 columns$/]
  ]
  for (const [what, text, message] of table) {
    it(`is refused when it ${what}`, () => {
      const read = Input.read("f", text)
      assert.match(Result.isFailure(read) ? read.failure.message : "", message)
    })
  }

  it("is a line of names and a line for each record", () => {
    const { columns, records } = Result.getOrThrow(Input.read("f", "# comment\r\nkey,value\r\na,1\r\n\r\na,1\r\n"))

    assert.deepStrictEqual(columns, ["key", "value"])
    assert.deepStrictEqual(records, [{ key: "a", value: "a,1" }, { key: "a", value: "a,1" }])
    assert.strictEqual(Input.transform(columns, 7, "a,1"), "{\"record\":7,\"key\":\"a\",\"value\":\"1\"}")
  })
})

it("an outcome keeps its guarantee or does not", () => {
  const kept = (guarantee: Demonstration.Outcome["guarantee"], lost: number, duplicated: number): boolean =>
    Demonstration.isKept({ guarantee, lost, duplicated, restarts: 0, stops: 0, sessions: 0, seconds: 0 })

  assert.deepStrictEqual([kept("at-most-once", 1, 0), kept("at-most-once", 0, 1)], [true, false])
  assert.deepStrictEqual([kept("at-least-once", 1, 0), kept("at-least-once", 0, 1)], [false, true])
  assert.deepStrictEqual(
    [kept("exactly-once", 0, 0), kept("exactly-once", 1, 0), kept("exactly-once", 0, 1)],
    [true, false, false]
  )
})

const sample = (): Input.Input => {
  const file = join(import.meta.dirname, "../../../traces/samples/payments.csv")
  return Result.getOrThrow(Input.read(file, readFileSync(file, "utf8")))
}

it.effect(
  "the story of the sample: what may be lost is lost, what may be duplicated is duplicated, and nothing else",
  () =>
    Effect.gen(function*() {
      const input = sample()
      assert.isAtLeast(input.records.length, 10_000)
      const { loaded, outcomes } = yield* Demonstration.tell(input, 1)

      assert.isBelow(loaded.batchBytes, loaded.bytes)
      const [most, least, exactly] = outcomes
      assert.deepInclude(most, { guarantee: "at-most-once", duplicated: 0 })
      assert.deepInclude(least, { guarantee: "at-least-once", lost: 0 })
      assert.deepInclude(exactly, { guarantee: "exactly-once", lost: 0, duplicated: 0 })
      assert.isAbove(most!.lost, 0)
      assert.isAbove(least!.duplicated, 0)
      for (const { restarts, sessions } of outcomes) assert.isAbove(Math.min(restarts, sessions), 0)
      assert.deepStrictEqual(yield* Demonstration.tell(input, 1), { loaded, outcomes })
      assert.notDeepEqual(yield* Demonstration.tell(input, 2), { loaded, outcomes })
    }),
  60_000
)

it.effect("every story keeps its guarantees", () =>
  Effect.gen(function*() {
    const { columns, records } = sample()
    let [lost, duplicated] = [0, 0]
    for (let seed = 1; seed <= 30; seed++) {
      const { outcomes } = yield* Demonstration.tell({ columns, records: records.slice(0, 3_000) }, seed)
      assert.deepStrictEqual(outcomes.filter((outcome) => !Demonstration.isKept(outcome)), [], `seed ${seed}`)
      lost += outcomes[0]!.lost
      duplicated += outcomes[1]!.duplicated
    }
    assert.isAbove(lost, 0)
    assert.isAbove(duplicated, 0)
  }), 120_000)
