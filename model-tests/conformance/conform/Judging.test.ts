import { assert, describe, it } from "@effect/vitest"
import { Effect, Result } from "effect"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import * as Judging from "../../../src/conformance/conform/Judging.ts"
import * as KnownFailing from "../../../src/conformance/conform/KnownFailing.ts"
import * as Reference from "../../../src/conformance/conform/Reference.ts"
import * as Report from "../../../src/conformance/conform/Report.ts"
import * as Specification from "../../../src/conformance/Specification.ts"
import type { Remote } from "../../../src/runtime/index.ts"
import { Messages } from "../../../src/wire/index.ts"
import { closedPort, serve } from "../../runtime/remote/server.ts"
import * as Proxy from "./proxy.ts"

const reference = (exhibit?: string) => Reference.serve({ transactionVersion: 2, exhibit })

const judge = (address: Remote.Address.Address, options: Partial<Judging.Options> = {}) =>
  Judging.judge({
    address: { ...address, answerTimeoutMillis: 1_500 },
    name: "target",
    extent: "quick",
    only: [],
    walks: [],
    knownFailing: [],
    concurrency: 8,
    timeoutPatienceMs: 20_000,
    again: (walk) => walk === undefined ? "again" : `again ${walk.part}/${walk.number}`,
    ...options
  })

/** As slow as a machine with other things to do. */
const patient = { answerTimeoutMillis: 10_000 }

const statusOf = ({ cases }: Report.Document, id: string) => cases.find((one) => one.id === id)?.status

describe("a target that keeps the rules", () => {
  it.live("passes, with every answer of the walks compared", () =>
    Effect.scoped(Effect.gen(function*() {
      const address = { ...(yield* reference()), ...patient }
      const document = yield* judge(address, { address, only: ["EndTxn-v2/Ongoing", "OffsetFetch-stable"] })

      const { cases, divergences, parts, stopped, topics, totals } = document
      assert.deepStrictEqual([divergences, stopped, totals.failed, totals.notJudged], [[], null, 0, 0])
      assert.strictEqual(Report.verdictOf(document), "passed")
      assert.isTrue(cases.every(({ id }) => /^(EndTxn-v2\/Ongoing|OffsetFetch-stable)\//.test(id)))
      assert.isTrue(cases.every(({ compared, notJudged }) => compared > 0 && notJudged === 0))
      assert.deepStrictEqual(topics.map(({ topic }) => topic), ["EndTxn-v2", "OffsetFetch-stable"])
      assert.include(parts.map(({ name }) => name), "group-version-2")
      assert.isTrue(parts.every(({ taken, walks }) => taken === walks))
      assert.deepStrictEqual(document.release, {
        line: "4.4",
        transactionVersion: 2,
        guess: document.release!.guess
      })
      assert.strictEqual(document.profile, "transactional-kafka-4.4")
      assert.deepStrictEqual(Report.parse(JSON.stringify(document)), Result.succeed(document))
    })), 120_000)

  it.live("is not asked what nobody has heard of", () =>
    Effect.scoped(Effect.gen(function*() {
      const address = { ...(yield* reference()), ...patient }
      const nothing = yield* Effect.flip(judge(address, { address, only: ["EndTxn-v3"] }))
      const noPart = yield* Effect.flip(judge(address, { address, walks: [{ part: "version-3", number: 1 }] }))
      const noWalk = yield* Effect.flip(judge(address, { address, walks: [{ part: "two-ids", number: 99 }] }))

      assert.strictEqual(nothing._tag, "NothingSelected")
      assert.include((nothing as Judging.NothingSelected).ids, "EndTxn-v2/Ongoing/current/COMMIT")
      assert.include(noPart.message, "there are those of version-2, ")
      assert.match(noWalk.message, /two-ids has the walks 1 to \d+, and no 99/)
      assert.deepStrictEqual([noPart._tag, noWalk._tag], ["NoSuchWalk", "NoSuchWalk"])
    })), 120_000)
})

describe("a target whose coordinator is replaced in the middle of walks", () => {
  it.live("passes, since walks that it disturbs are taken again", () =>
    Effect.scoped(Effect.gen(function*() {
      const target = yield* Proxy.replacing(yield* reference(), 50)
      const address = { ...target, ...patient }
      // No walk of these writes markers itself, with an epoch that is only shown.
      const document = yield* judge(address, { address, only: ["VerifyPartition"] })

      assert.deepStrictEqual(document.divergences, [])
      assert.strictEqual(Report.verdictOf(document), "passed")
    })), 120_000)
})

describe("a target with a bug", () => {
  const bug = "WriteTxnMarkers-v2/same-open/coordinator-newer/COMMIT"
  const behind = "WriteTxnMarkers-v2/same-open/coordinator-newer/ABORT"
  const known = (text: string) => Result.getOrThrow(KnownFailing.parse(text))

  const judged = (options: Partial<Judging.Options>) =>
    Effect.scoped(Effect.gen(function*() {
      const address = { ...(yield* reference("KAFKA-19446")), ...patient }
      return yield* judge(address, { address, ...options })
    }))

  it.live("diverges, with the rule, the way there, and how to see it again", () =>
    Effect.gen(function*() {
      const document = yield* judged({ only: ["WriteTxnMarkers-v2"] })

      assert.strictEqual(Report.verdictOf(document), "failed")
      const [found, ...others] = document.divergences
      assert.deepStrictEqual(others, [])
      const { again, rule, walk } = found!
      assert.deepInclude(found!, {
        case: bug,
        topic: "WriteTxnMarkers-v2",
        level: "MUST",
        expected: { error: "INVALID_PRODUCER_EPOCH" },
        actual: { error: "NONE" }
      })
      assert.deepInclude(rule, { operator: "AcceptsMarker" })
      const spec = readFileSync(join(Specification.home, rule.spec!.file), "utf8").split("\n")
      assert.include(spec[rule.spec!.line - 1]!, "AcceptsMarker(known, open, m) ==")
      assert.include(rule.source, "KIP-1228")
      assert.strictEqual(again, `again markers-version-2/${walk!.number}`)
      assert.deepStrictEqual(found!.requests.filter(({ changes }) => changes).map(({ request }) => request), [
        "InitProducerId of id 1 as none",
        "Produce v2 of id 1 as current to A, next"
      ])
      assert.match(found!.requests.at(-1)!.request, /^WriteTxnMarkers v2 of id 1 as current to A, COMMIT/)
    }), 120_000)

  it.live("what comes after a divergence is not judged, and does not pass", () =>
    Effect.gen(function*() {
      const document = yield* judged({ only: [bug, behind] })

      assert.strictEqual(statusOf(document, bug), "failed")
      assert.strictEqual(statusOf(document, behind), "not judged")
      assert.deepInclude(document.totals, { cases: 2, passed: 0, failed: 1, notJudged: 1 })
    }), 120_000)

  it.live("is shown again by the walk", () =>
    Effect.gen(function*() {
      const first = yield* judged({ only: [bug] })
      const walk = first.divergences[0]!.walk!
      const told: Array<string> = []
      const observe: Judging.Observer = (one, request) => {
        if (one._tag === "Compared") told.push(`${request ?? "look"} ${one.comparison.agrees}`)
      }
      const again = yield* judged({ walks: [walk], observe })

      assert.strictEqual(again.totals.walks, 1)
      assert.deepStrictEqual(again.divergences.map(({ case: id, requests }) => ({ id, requests })), [
        { id: bug, requests: first.divergences[0]!.requests }
      ])
      assert.strictEqual(told[0], "InitProducerId of id 1 as none true")
      assert.match(told.at(-1)!, /^WriteTxnMarkers .* false$/)
    }), 120_000)

  it.live("is explained where it is known to fail", () =>
    Effect.gen(function*() {
      const document = yield* judged({ only: [bug], knownFailing: known(`${bug} markers of old brokers`) })

      assert.strictEqual(Report.verdictOf(document), "passed")
      assert.deepInclude(document.totals, { failed: 0, knownFailing: 1, unexpectedlyPassed: 0 })
      assert.strictEqual(document.divergences[0]!.knownFailing, "markers of old brokers")
    }), 120_000)

  it.live("that is known to fail more than it does fails", () =>
    Effect.gen(function*() {
      const pattern = "WriteTxnMarkers-v2/older-closed"
      const document = yield* judged({ only: [pattern], knownFailing: known(`${pattern} they were wrong once`) })

      assert.isAbove(document.totals.unexpectedlyPassed, 0)
      assert.deepInclude(document.totals, { passed: 0, failed: 0 })
      assert.strictEqual(Report.verdictOf(document), "failed")
    }), 120_000)
})

describe("a target that is no broker", () => {
  const targets: ReadonlyArray<readonly [what: string, behaves: Proxy.Misbehaviour, message: string]> = [
    ["hangs", Proxy.hangs, "there was no answer within 1.5 s"],
    ["closes connections", Proxy.closes, "closed"],
    ["answers another request", Proxy.answersGarbage, "correlation id"],
    ["speaks another protocol", Proxy.answersNoFrame, "1213486160"]
  ]
  for (const [what, behaves, message] of targets) {
    it.live(`and ${what} fails in ApiVersions`, () =>
      Effect.scoped(Effect.gen(function*() {
        const address = yield* serve((socket) => socket.on("data", () => behaves(socket)))
        const document = yield* judge(address)

        assert.strictEqual(Report.verdictOf(document), "failed")
        assert.deepStrictEqual(document.cases.map(({ id, status }) => [id, status]), [["ApiVersions", "failed"]])
        const [divergence] = document.divergences
        assert.deepInclude(divergence!, { case: "ApiVersions", level: "MUST", walk: null, requests: [] })
        assert.include(JSON.stringify(divergence!.actual), message)
        assert.include(document.stopped!, message)
        assert.isNull(document.release)
        assert.deepStrictEqual(Report.parse(JSON.stringify(document)), Result.succeed(document))
      })))
  }

  it.live("since nobody listens is not judged", () =>
    Effect.gen(function*() {
      const error = yield* Effect.flip(judge({ host: "127.0.0.1", port: yield* closedPort }))

      assert.strictEqual(error._tag, "NoTarget")
      assert.notInclude(error.message, "\n")
    }))
})

describe("a broker that stops being one", () => {
  const behaviours = [["hangs", Proxy.hangs], ["closes", Proxy.closes], [
    "answers garbage",
    Proxy.answersGarbage
  ]] as const
  for (const [what, behaves] of behaviours) {
    it.live(`and ${what} in every EndTxn is given up, with the case`, () =>
      Effect.scoped(Effect.gen(function*() {
        const address = yield* Proxy.make(yield* reference(), behaves, (apiKey) => apiKey === Messages.EndTxn.key)
        // The epoch of the coordinator is learned by committing a transaction.
        const document = yield* judge(address, { only: ["EndTxn-v2"] })

        assert.strictEqual(Report.verdictOf(document), "failed")
        assert.deepInclude(document.cases.map(({ id, status }) => [id, status]), ["Preparation", "failed"])
        assert.isNotNull(document.stopped)
      })), 60_000)

    it.live(
      `and ${what} in the middle of walks is given up, with the cases`,
      () =>
        Effect.scoped(Effect.gen(function*() {
          // Nobody asks for this before the walks.
          const isChosen = (apiKey: number) => apiKey === Messages.DescribeTransactions.key
          const address = yield* Proxy.make(yield* reference(), behaves, isChosen)
          const document = yield* judge(address, { only: ["EndTxn-v2"], concurrency: 4 })

          assert.strictEqual(Report.verdictOf(document), "failed")
          assert.include(document.stopped!, "the connection failed in 16 walks")
          assert.isAbove(document.totals.notJudged, 0)
          const failed = document.cases.filter(({ status }) => status === "failed")
          assert.isAbove(failed.length, 0)
          assert.isTrue(failed.every(({ topic }) => topic === "DescribeTransactions"))
          for (const { actual, requests, walk } of document.divergences) {
            assert.property(actual, "connection")
            assert.isNotNull(walk)
            assert.isAbove(requests.length, 0)
          }
        })),
      60_000
    )

    it.live(`and ${what} at everything from some request on is given up`, () =>
      Effect.scoped(Effect.gen(function*() {
        const address = yield* Proxy.make(yield* reference(), behaves, (_, seen) => seen > 400)
        const document = yield* judge(address)

        assert.strictEqual(Report.verdictOf(document), "failed")
        assert.isNotNull(document.stopped)
        assert.isAbove(document.totals.passed, 0)
        assert.isAbove(document.totals.notJudged, 0)
        assert.isAbove(document.totals.failed, 0)
      })), 60_000)
  }
})
