import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Result } from "effect"
import * as Campaign from "../../../src/conformance/conform/Campaign.ts"
import * as Parts from "../../../src/conformance/conform/Parts.ts"
import * as Reference from "../../../src/conformance/conform/Reference.ts"
import * as Target from "../../../src/conformance/conform/Target.ts"

/** Where a client notices a bug: the part of a campaign, how much of it is walked, and the case. */
interface Noticed {
  readonly part: string
  readonly extent: Parts.Extent
  readonly case: string
}

const noticed: Readonly<Record<string, Noticed>> = {
  "KAFKA-5231": { part: "two-partitions", extent: "quick", case: "DescribeTransactions/CompleteAbort/no-partitions" },
  "KAFKA-5268": { part: "two-partitions", extent: "quick", case: "DescribeTransactions/CompleteCommit/no-partitions" },
  "KAFKA-6119": { part: "timeout-version-2", extent: "full", case: "TransactionTimeout/Ongoing" },
  "KAFKA-19446": {
    part: "markers-version-2",
    extent: "quick",
    case: "WriteTxnMarkers-v2/same-open/coordinator-newer/COMMIT"
  },
  "KAFKA-19999": {
    part: "markers-version-2",
    extent: "quick",
    case: "WriteTxnMarkers-v2/same-closed/coordinator-same/COMMIT"
  },
  "redpanda-3036": { part: "two-partitions", extent: "quick", case: "Fetch-read_uncommitted/open/data" },
  "KAFKA-8587": { part: "group-version-2", extent: "quick", case: "OffsetFetch-stable/pending/never-committed" },
  "redpanda-3038": {
    part: "two-partitions",
    extent: "quick",
    case: "Produce-v2/Ongoing/current/first/same-open"
  },
  "AutoMQ-754": {
    part: "two-partitions",
    extent: "full",
    case: "Fetch-read_committed/nothing-open/data-abort/from-the-middle"
  }
}

/** Why nobody notices a bug who asks one request at a time, of a broker that neither fails nor restarts. */
const unnoticed: Readonly<Record<string, string>> = {
  "KAFKA-14402-next": "of a client",
  "KAFKA-5449": "of a client",
  "kafkajs-1005": "of a client",
  "franz-go-1217": "of a client",
  "KAFKA-14034": "of a client",
  "KAFKA-7693": "of a client",
  "librdkafka-3369": "of a client",
  "kafkajs-unsorted": "of a client",
  "KAFKA-14884": "a batch that waits between its verification and its append, while its transaction ends",
  "KAFKA-14884-flag": "a batch that waits between its verification and its append, while its transaction ends",
  "KAFKA-10080": "a transaction that begins between two completions of the one before",
  "KAFKA-5376": "a fetch that waits while a transaction is aborted",
  "KAFKA-5351": "an append to the coordinator's log that fails",
  "KAFKA-6683": "an append to a partition that fails",
  "AutoMQ-437": "a broker that restarts",
  "KAFKA-15591": "Apache Kafka has this rule itself outside of version 2"
}

const profile = { line: "4.4", transactionVersion: 2, writeTxnMarkers: 2 } as const

/** The cases that diverge when parts are walked on the reference with a bug, or without any; ends when `sought` does. */
const walked = Effect.fnUntraced(
  function*(exhibit: string | undefined, wanted: ReadonlyArray<string>, extent: Parts.Extent, sought?: string) {
    const address = yield* Reference.serve({ transactionVersion: 2, exhibit })
    const { parts } = yield* Parts.of(profile, extent)
    const chosen = parts.filter(({ name }) => wanted.includes(name))
    assert.strictEqual(chosen.length, wanted.length)
    const diverged = new Set<string>()
    let agreed = 0
    const found = yield* Deferred.make<void>()
    const target = { ...(yield* Target.know(address, "reference")), timeoutPatienceMs: 2_000 }
    const campaign = Campaign.run(target, chosen, {
      run: "reference",
      concurrency: 8,
      tell: (told) => {
        if (told._tag === "Broken") assert.fail(told.message)
        if (told._tag !== "Compared") return
        if (told.comparison.agrees) agreed++
        else diverged.add(told.comparison.case.id)
        if (told.comparison.case.id === sought && !told.comparison.agrees) Deferred.doneUnsafe(found, Effect.void)
      }
    })
    yield* Effect.raceFirst(campaign, Deferred.await(found))
    return { diverged, agreed }
  },
  Effect.scoped
)

describe("the reference as a broker", () => {
  it("has every exhibit in one of two lists", () => {
    assert.deepStrictEqual(
      [...Object.keys(noticed), ...Object.keys(unnoticed)].toSorted(),
      Reference.exhibits.toSorted()
    )
  })

  it.live("agrees with the specification as it is", () =>
    Effect.gen(function*() {
      const wanted = [...new Set(Object.values(noticed).map(({ part }) => part))]
      const { agreed, diverged } = yield* walked(undefined, wanted, "quick")

      assert.deepStrictEqual([...diverged], [])
      assert.isAbove(agreed, 2_000)
    }), 120_000)

  for (const [exhibit, { case: expected, extent, part }] of Object.entries(noticed)) {
    it.live(`is found out with ${exhibit}`, () =>
      Effect.gen(function*() {
        const { diverged } = yield* walked(exhibit, [part], extent, expected)

        assert.include([...diverged], expected)
      }), 120_000)
  }
})

describe("a text that names it", () => {
  it("is read and written", () => {
    const read = Reference.parse("keos,transaction.version=1,exhibit=KAFKA-5268")

    assert.deepStrictEqual(read, Result.succeed({ transactionVersion: 1, exhibit: "KAFKA-5268" } as const))
    assert.strictEqual(
      Reference.format(Result.getOrThrow(read)),
      "keos,transaction.version=1,exhibit=KAFKA-5268"
    )
    assert.strictEqual(
      Reference.format(Result.getOrThrow(Reference.parse("keos"))),
      "keos,transaction.version=2"
    )
  })

  for (
    const [text, told] of [
      ["kafka", /does not begin with 'keos'/],
      ["keos,exhibit=KAFKA-1", /no exhibit 'KAFKA-1'/],
      ["keos,transaction.version=3", /none of/],
      ["keos,exhibit", /no exhibit ''/]
    ] as const
  ) {
    it(`is refused: ${text}`, () => {
      const read = Reference.parse(text)

      assert.isTrue(Result.isFailure(read))
      assert.match(Result.isFailure(read) ? read.failure.message : "", told)
    })
  }
})
