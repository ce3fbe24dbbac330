import { assert, describe, it } from "@effect/vitest"
import { Effect, Result } from "effect"
import type * as Campaign from "../../../../src/conformance/conform/Campaign.ts"
import { Rejudging, type Transcript } from "../../../../src/conformance/conform/transcripts/index.ts"
import type { TransactionRules } from "../../../../src/core/index.ts"
import { type Definition, Frame, Messages } from "../../../../src/wire/index.ts"
import * as Files from "./Files.ts"
import { judge, type Judged, read, some } from "./support.ts"

const transcript = read(Files.targets[0]!)
const { parts, profile } = await Effect.runPromise(Rejudging.partsOf(transcript))

const headerOf = ({ request }: Transcript.Exchange) => Result.getOrThrow(Frame.decodeRequestHeader(request)).header

/** The exchange with another response, which differs in so many bytes. */
const answeredOtherwise = <Response extends Definition.Fields>(
  exchange: Transcript.Exchange,
  api: Definition.Api<string, Definition.Fields, Response>,
  change: (message: Definition.Message<Response>) => Definition.Message<Response>
): Transcript.Exchange => {
  const version = headerOf(exchange).requestApiVersion
  const { message } = Result.getOrThrow(Frame.decodeResponse(api, version, exchange.response!))
  const changed = change(message) as Definition.Input<Response>
  const response = Result.getOrThrow(Frame.encodeResponse(api, version, 0, changed)).slice(4)
  assert.lengthOf(response, exchange.response!.length)
  return { ...exchange, response }
}

const differentBytes = (a: Uint8Array, b: Uint8Array): number => a.filter((byte, i) => byte !== b[i]).length

/** The transcript of one part, with one exchange changed: the last one that is wanted, of the first walk that has one. */
const withOne = (
  part: string,
  api: Definition.Api,
  isWanted: (exchange: Transcript.Exchange) => boolean,
  change: (exchange: Transcript.Exchange) => Transcript.Exchange
) => {
  const { origin, walks } = some(transcript, (walk) => walk.part === part)
  const isChosen = (exchange: Transcript.Exchange): boolean =>
    headerOf(exchange).requestApiKey === api.key && isWanted(exchange)
  const walk = walks.find(({ exchanges }) => exchanges.some(isChosen))!
  const place = walk.exchanges.findLastIndex(isChosen)
  const before = walk.exchanges[place]!
  const after = change(before)
  const changed = { ...walk, exchanges: walk.exchanges.with(place, after) }
  return {
    before,
    after,
    number: walk.number,
    changed: { origin, walks: walks.map((one) => one === walk ? changed : one) },
    whole: { origin, walks }
  }
}

const shown = ({ divergences }: Judged) =>
  divergences.map(({ comparison: { actual, case: of, expected, step }, walk }) => ({
    walk,
    step,
    topic: of.topic,
    expected,
    actual
  }))

describe("one byte of an answer", () => {
  it.effect("that is an error turns its case red, and no other", () =>
    Effect.gen(function*() {
      const { after, before, changed, number, whole } = withOne(
        "version-2",
        Messages.EndTxn,
        ({ response }) =>
          Result.getOrThrow(Frame.decodeResponse(Messages.EndTxn, 5, response!)).message.errorCode === 0,
        (exchange) => answeredOtherwise(exchange, Messages.EndTxn, (message) => ({ ...message, errorCode: 48 }))
      )
      assert.strictEqual(differentBytes(before.response!, after.response!), 1)

      const judged = yield* judge(changed, parts)

      assert.lengthOf(judged.divergences, 1)
      const [one] = shown(judged)
      assert.deepInclude(one, {
        walk: { part: "version-2", number },
        step: before.step,
        topic: "EndTxn-v2",
        actual: { error: "INVALID_TXN_STATE" }
      })
      assert.propertyVal(one!.expected, "error", "NONE")
      assert.lengthOf(judged.broken, 0)
      assert.strictEqual(judged.taken, whole.walks.length)
    }))

  it.effect("that is an offset turns its case red, and no other", () =>
    Effect.gen(function*() {
      const offsetOf = ({ response }: Transcript.Exchange): number =>
        Result.getOrThrow(Frame.decodeResponse(Messages.Produce, 12, response!)).message.responses[0]!
          .partitionResponses[0]!.baseOffset
      const { after, before, changed, number } = withOne(
        "version-2",
        Messages.Produce,
        // The next offset differs in the last byte alone.
        (exchange) => {
          const { requestApiVersion } = headerOf(exchange)
          return requestApiVersion === 12 && offsetOf(exchange) >= 0 && offsetOf(exchange) % 256 < 255
        },
        (exchange) =>
          answeredOtherwise(exchange, Messages.Produce, (message) => ({
            ...message,
            responses: message.responses.map((response) => ({
              ...response,
              partitionResponses: response.partitionResponses.map((one) => ({
                ...one,
                baseOffset: one.baseOffset + 1
              }))
            }))
          }))
      )
      assert.strictEqual(differentBytes(before.response!, after.response!), 1)

      const judged = yield* judge(changed, parts)

      assert.lengthOf(judged.divergences, 1)
      const [{ actual, expected, ...one }] = shown(judged) as [ReturnType<typeof shown>[number]]
      assert.deepStrictEqual(one, { walk: { part: "version-2", number }, step: before.step, topic: "Produce-v2" })
      assert.deepStrictEqual(actual, { error: "NONE", offset: (expected as { offset: number }).offset + 1 })
      assert.lengthOf(judged.broken, 0)
    }))
})

type Rules = TransactionRules.Rules

/** A part by other rules than those of the release. */
const by = (override: (rules: Rules) => Partial<Rules>) => (part: Campaign.Part): Campaign.Part => {
  const { configuration } = part
  const { context } = configuration
  const rules = { ...context.rules, ...override(context.rules) }
  return { ...part, configuration: { ...configuration, context: { ...context, rules } } }
}

const changedRules: ReadonlyArray<readonly [part: string, topic: string, override: (rules: Rules) => Partial<Rules>]> =
  [
    ["version-2", "Produce-v2", ({ IsStaleOnArrival }) => ({ IsStaleOnArrival: (...of) => !IsStaleOnArrival(...of) })],
    [
      "idempotent",
      "Produce-idempotent",
      ({ IsFirstSequence }) => ({ IsFirstSequence: (...of) => !IsFirstSequence(...of) })
    ],
    [
      "markers-version-2",
      "WriteTxnMarkers-v2",
      ({ AcceptsMarker }) => ({ AcceptsMarker: (...of) => !AcceptsMarker(...of) })
    ]
  ]

describe("a rule of the core that changes", () => {
  for (const [part, topic, override] of changedRules) {
    it.effect(`shows as a wrong answer to ${topic}`, () =>
      Effect.gen(function*() {
        const walks = some(transcript, (walk) => walk.part === part)

        const judged = yield* judge(walks, parts.map(by(override)))

        assert.include(shown(judged).map((one) => one.topic), topic)
        assert.strictEqual(judged.taken, walks.walks.length)
      }))
  }
})

describe("a transcript that is not asked what was asked", () => {
  const part = "version-2"
  const first = some(transcript, (walk) => walk.part === part && walk.number === 1)
  const changed = (change: (walk: Transcript.Walk) => Partial<Transcript.Walk>): Transcript.Transcript => ({
    ...first,
    walks: first.walks.map((walk) => ({ ...walk, ...change(walk) }))
  })

  it.effect("names the walk, the step and both requests", () =>
    Effect.gen(function*() {
      const [{ walk, message }] =
        (yield* judge(changed(({ subject }) => ({ subject: { ...subject, stranger: 7 } })), parts))
          .broken as [Judged["broken"][number]]

      assert.deepStrictEqual(walk, { part, number: 1 })
      assert.match(
        message,
        /^step 1 \(VerifyPartition id=1 identity=stranger partition=A\): the request is AddPartitionsToTxn v5 \{.* producerId: 7, .* and was AddPartitionsToTxn v5 \{.* producerId: \d{10,}, .* when the transcript was taken$/
      )
    }))

  it.effect("says so where it ends too early", () =>
    Effect.gen(function*() {
      const { broken } = yield* judge(changed(({ exchanges }) => ({ exchanges: exchanges.slice(0, 3) })), parts)

      assert.match(broken[0]!.message, /^step 4 \(look\): the transcript ends before the request, which is Fetch v12 /)
    }))

  it.effect("says so where it has more", () =>
    Effect.gen(function*() {
      const { exchanges } = first.walks[0]!

      const { broken } = yield* judge(
        changed(() => ({ exchanges: [...exchanges, exchanges.at(-1)!] })),
        parts
      )

      assert.deepStrictEqual(
        broken.map(({ message }) => message),
        [`1 of ${exchanges.length + 1} exchanges of the transcript are not asked for`]
      )
    }))

  it.effect("says so where the connection had failed", () =>
    Effect.gen(function*() {
      const { broken } = yield* judge(
        changed(({ exchanges }) => ({ exchanges: exchanges.with(2, { ...exchanges[2]!, response: undefined }) })),
        parts
      )

      assert.match(broken[0]!.message, /^step 3 .*: the connection failed when the transcript was taken$/)
      assert.strictEqual(broken[0]!.pending?.case.topic, "EndTxn-v2")
    }))

  it.effect("says so where the specification knows no such request", () =>
    Effect.gen(function*() {
      const { broken, compared } = yield* judge(
        changed(({ questions }) => ({ questions: questions.with(1, "EndTxn id=9") })),
        parts
      )

      assert.strictEqual(compared, 1)
      assert.deepStrictEqual(
        broken.map(({ message }) => message),
        ["step 2 (EndTxn id=9): the specification has nothing there that can be asked so"]
      )
    }))

  it.effect("says so where there is no such part", () =>
    Effect.gen(function*() {
      const { broken } = yield* judge(first, parts.filter(({ name }) => name !== part))

      assert.deepStrictEqual(broken.map(({ message }) => message), ["there is no part version-2 any more"])
    }))
})

describe("a transcript is stale", () => {
  const one = parts.filter(({ name }) => name === "two-ids")
  const whole = some(transcript, ({ part }) => part === "two-ids")
  const staleness = (walks: ReadonlyArray<Transcript.Walk>, of = one, rules = profile) =>
    Rejudging.staleness({ ...whole, walks }, { profile: rules, parts: of })

  it("where a walk is missing, asks something else, or is no walk any more", () => {
    const { walks } = whole
    const changed = walks.with(2, { ...walks[2]!, questions: walks[2]!.questions.slice(1) })
    const more = [...walks, { ...walks[0]!, number: walks.length + 1 }]

    assert.deepStrictEqual(staleness(walks), [])
    assert.deepStrictEqual(staleness(walks.toSpliced(1, 1)), ["two-ids/2 is not in it"])
    assert.deepStrictEqual(staleness(changed), ["two-ids/3 asks something else today"])
    assert.deepStrictEqual(staleness(more), [`two-ids has ${walks.length} walks today, not ${walks.length + 1}`])
  })

  it("where its part or its rules are others", () => {
    const { walks } = whole

    assert.deepStrictEqual(staleness(walks, []), ["two-ids is no part any more"])
    assert.deepStrictEqual(
      staleness(walks, one, "transactional-kafka-3.9"),
      ["its rules were those of transactional-kafka-4.4, and not of transactional-kafka-3.9"]
    )
  })
})
