import { assert, describe, it } from "@effect/vitest"
import { Effect, Result } from "effect"
import type * as Subject from "../../../../src/conformance/conform/Subject.ts"
import { Capture, Rejudging, Wording } from "../../../../src/conformance/conform/transcripts/index.ts"
import type * as Walking from "../../../../src/conformance/conform/Walking.ts"
import { Frame, Messages } from "../../../../src/wire/index.ts"
import * as Files from "./Files.ts"
import { read } from "./support.ts"

const transcript = read(Files.targets[0]!)
const part = (await Effect.runPromise(Rejudging.partsOf(transcript))).parts.find(({ name }) => name === "two-ids")!
const first = { ...part, walks: part.graph.walks.slice(0, 1) }
const walk = { part: "two-ids", number: 1 }

const subject: Subject.Subject = {
  places: new Map([["A", { topic: "t", partition: 3, start: 5, strangers: new Set([17]) }]]),
  transactionalIds: ["x-1", "x-2"],
  group: "x",
  transactionTimeoutMs: 60_000,
  timestamp: 1_700_000_000_000,
  coordinatorEpoch: 0,
  stranger: 2 ** 52,
  producerIds: new Map([[1, 4_000]])
}

const pending = (step: number): Walking.Pending => ({
  step,
  case: { topic: "EndTxn-v2", id: "EndTxn-v2/Empty", error: "NONE" },
  expected: { error: "NONE" }
})

let correlationId = 0

const asked = (transactionalId: string) => {
  correlationId++
  const message = { transactionalId, producerId: 4_000, producerEpoch: 0, committed: true }
  const sender = { correlationId, clientId: "keos" }
  const bytes = Result.getOrThrow(Frame.encodeRequest(Messages.EndTxn, 5, sender, message))
  return { _tag: "Request", index: correlationId, bytes } as const
}

const answered = (errorCode: number) => {
  const message = { throttleTimeMs: 0, errorCode, producerId: 4_000, producerEpoch: 1 }
  const bytes = Result.getOrThrow(Frame.encodeResponse(Messages.EndTxn, 5, correlationId, message))
  return { _tag: "Response", index: correlationId, bytes } as const
}

const described = ({ recorder: _, walks }: Capture.Capture): ReadonlyArray<string> =>
  walks().flatMap(({ exchanges }) =>
    exchanges.map(({ request, response, step, times }) =>
      [
        `${step} ${/transactionalId: '(.*?)'/.exec(Wording.request(request))?.[1]}`,
        response === undefined ? "nothing" : /errorCode: (\d+)/.exec(Wording.response(request, response))?.[1],
        times
      ].join(" ")
    )
  )

describe("a capture", () => {
  it("has what was asked between the beginning and the end of a walk, whatever was asked before and after", () => {
    const capture = Capture.make([first])
    const { asks, begins, ends, observe } = capture.recorder

    observe(walk, asked("before"))
    observe(walk, answered(0))
    begins(walk, subject)
    asks(walk, pending(0))
    observe(walk, asked("a"))
    observe(walk, answered(0))
    asks(walk, pending(2))
    observe(walk, asked("b"))
    observe(walk, answered(48))
    ends(walk)
    observe(walk, asked("after"))
    observe(walk, answered(0))

    assert.deepStrictEqual(described(capture), ["0 a 0 1", "2 b 48 1"])
  })

  it("keeps the last answer to a request that was repeated, and how often it was", () => {
    const capture = Capture.make([first])
    const { asks, begins, ends, observe } = capture.recorder

    begins(walk, subject)
    asks(walk, pending(0))
    for (const errorCode of [51, 51, 0]) {
      observe(walk, asked("a"))
      observe(walk, answered(errorCode))
    }
    ends(walk)

    assert.deepStrictEqual(described(capture), ["0 a 0 3"])
  })

  it("has no answer where the connection failed, and nothing that was not sent", () => {
    const capture = Capture.make([first])
    const { asks, begins, ends, observe } = capture.recorder

    begins(walk, subject)
    asks(walk, pending(0))
    observe(walk, asked("a"))
    observe(walk, { _tag: "Closed", message: "the peer closed the connection" })
    asks(walk, pending(1))
    ends(walk)

    assert.deepStrictEqual(described(capture), ["0 a nothing 1"])
  })

  it("has the last of several attempts, and no walk that has not ended", () => {
    const capture = Capture.make([first])
    const { asks, begins, ends, observe } = capture.recorder
    const attempt = (name: string): void => {
      begins(walk, subject)
      asks(walk, pending(0))
      observe(walk, asked(name))
      observe(walk, answered(0))
    }

    attempt("a")
    ends(walk)
    attempt("b")
    const unfinished = capture.walks()
    ends(walk)

    assert.deepStrictEqual(unfinished, [])
    assert.deepStrictEqual(described(capture), ["0 b 0 1"])
  })

  it("has the subject as it was when the walk began, and what the walk asks", () => {
    const capture = Capture.make([first])
    const changing = { ...subject, producerIds: new Map(subject.producerIds) }

    capture.recorder.begins(walk, changing)
    changing.producerIds.set(2, 4_001)
    capture.recorder.ends(walk)
    const [kept] = capture.walks()

    assert.deepStrictEqual(kept!.subject, subject)
    assert.lengthOf(kept!.questions, first.walks[0]!.steps.length)
    assert.include(kept!.questions, "look")
  })
})

describe("in words", () => {
  it("a walk is what it is about, and under each question what was asked and answered", () => {
    const capture = Capture.make([first])
    const { asks, begins, ends, observe } = capture.recorder
    begins(walk, subject)
    asks(walk, pending(0))
    observe(walk, asked("x-1"))
    observe(walk, answered(51))
    observe(walk, asked("x-1"))
    observe(walk, answered(0))
    ends(walk)

    const lines = Wording.walk(capture.walks()[0]!)

    assert.deepStrictEqual(lines.slice(0, 9), [
      "two-ids/1",
      "  A is t-3 from offset 5 on",
      "  transactional id 1 is x-1",
      "  transactional id 2 is x-2",
      "  the group is x, the stranger 4503599627370496, coordinator epoch 0 is 0",
      `1  ${capture.walks()[0]!.questions[0]}`,
      "  > EndTxn v5 { transactionalId: 'x-1', producerId: 4000, producerEpoch: 0, committed: true }",
      "  < { errorCode: 0, producerId: 4000, producerEpoch: 1 }, after it was asked 2 times",
      `2  ${capture.walks()[0]!.questions[1]}`
    ])
  })

  it("batches are told by what is in their headers", () => {
    const lines = transcript.walks.filter(({ number, part: of }) => of === "version-2" && number < 10)
      .flatMap(Wording.walk)

    assert.isTrue(
      lines.some((line) =>
        /^  > Produce v12 .*records: \[transactional batch at 0, 1 record, producer id \d+, epoch \d+, sequence 0\]/
          .test(line)
      )
    )
    assert.isTrue(
      lines.some((line) =>
        /^  < .*transactional batch at \d+, .*; control batch at \d+, 1 record, producer id \d+, epoch \d+\]/.test(line)
      )
    )
  })

  it("a transcript is its target and what it has", () => {
    assert.match(
      Wording.origin(transcript),
      /^apache-kafka@4\.4\.0,transaction\.version=2, quick, by the rules of transactional-kafka-4\.4: \d+ walks, taken on /
    )
  })
})
