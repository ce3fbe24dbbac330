import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import * as Campaign from "../../../src/conformance/conform/Campaign.ts"
import type { Release } from "../../../src/conformance/conform/launch/index.ts"
import * as Parts from "../../../src/conformance/conform/Parts.ts"
import * as Rules from "../../../src/conformance/conform/Rules.ts"
import * as Walking from "../../../src/conformance/conform/Walking.ts"
import * as Specification from "../../../src/conformance/Specification.ts"
import type { Transactions } from "../../../src/model/index.ts"

/** Topics with the errors that occur in the walks of some parts. */
const pairsOf = (parts: ReadonlyArray<Campaign.Part>): ReadonlyArray<string> =>
  parts.flatMap((part) =>
    Campaign.walksOf(part).walks.flatMap(({ steps }) =>
      steps.flatMap((step) => Walking.casesOf(part.configuration, step).map(({ error, topic }) => `${topic} ${error}`))
    )
  )

/** Requests that change something: as few as lead to all that there is. Transactions that are stuck take one more. */
const budgetOf = (name: string, own: number): number => Math.min(own, /refused-markers-version|3-9/.test(name) ? 5 : 3)

/** All that the specification has, with fewer requests that change something. */
const specified = Effect.gen(function*() {
  const { models } = yield* Specification.manifest
  return yield* Effect.forEach(
    models.filter(({ name }) => name.startsWith("requests-")),
    ({ config, module, name }) =>
      Effect.map(Specification.load(module, config), (checked) => {
        const configuration = checked.configuration as unknown as Transactions.Configuration.Configuration
        return { name, configuration: { ...configuration, faultBudget: budgetOf(name, configuration.faultBudget) } }
      })
  )
})

/** What targets are asked; by the rules of the oldest and the newest release. */
const walked = Effect.map(
  Effect.forEach(
    [["4.4", 2], ["4.4", 1], ["3.9", 0]] as ReadonlyArray<readonly [line: Release.Line, transactionVersion: number]>,
    ([line, transactionVersion]) => Parts.of({ line, transactionVersion, writeTxnMarkers: 2 }, "quick")
  ),
  (all) => all.flatMap(({ parts }) => parts)
)

describe("rules", () => {
  it.effect(
    "there is one for every topic and error that occur, and none that never occurs",
    () =>
      Effect.gen(function*() {
        const occurring = new Set([...pairsOf(yield* specified), ...pairsOf(yield* walked)])
        const ruled = Object.entries(Rules.rules).flatMap(([topic, byError]) =>
          Object.keys(byError).map((error) => `${topic} ${error}`)
        )

        assert.isAbove(occurring.size, 50)
        assert.deepStrictEqual(ruled.toSorted(), [...occurring].toSorted())
      }),
    300_000
  )

  const all = Object.entries({ ...Rules.rules, preparations: Rules.preparations }).flatMap(([topic, byError]) =>
    Object.entries<Rules.Rule>(byError).map(([error, rule]) => ({ name: `${topic} ${error}`, rule }))
  )

  it.effect("each names an operator of the specification, and the line has it", () =>
    Effect.gen(function*() {
      const places = yield* Rules.places
      for (const { name, rule } of all) {
        if (rule.operator === undefined) continue
        const place = places.get(rule.operator)
        assert.isDefined(place, `${name}: ${rule.operator}`)
        const line = readFileSync(join(Specification.home, place!.file), "utf8").split("\n")[place!.line - 1]!
        assert.match(line, new RegExp(String.raw`^${rule.operator}(\(.*\))? *==`))
      }
    }))

  it("each is one sentence, which says MUST or SHOULD as its level does", () => {
    for (const { name, rule: { level, sentence } } of all) {
      assert.match(sentence, /^[A-Z].*[a-z]\.$/, name)
      assert.notMatch(sentence, /\. |\s{2}/, name)
      assert.match(sentence, level === "MUST" ? /\bmust\b/ : /\bshould\b/, name)
    }
  })

  it("each has a class of Kafka", () => {
    for (const { name, rule: { source } } of all) {
      assert.match(source, /^[A-Z]\w+(\.\w+)?(, ([A-Z]\w+\.\w+|K(IP|AFKA)-\d+))*$/, name)
    }
  })

  it("only those of readers and accounts have success for their only answer", () => {
    assert.deepStrictEqual(
      Object.entries(Rules.rules).filter(([, byError]) => Object.keys(byError).join() === "NONE").map(([topic]) =>
        topic
      ),
      ["TransactionTimeout", "Fetch-read_committed", "Fetch-read_uncommitted", "DescribeProducers", "OffsetFetch"]
    )
  })

  it("what has none is a mistake of ours", () => {
    assert.throws(() => Rules.of({ topic: "OffsetFetch", error: "PRODUCER_FENCED" }), "no rule for OffsetFetch")
  })
})
