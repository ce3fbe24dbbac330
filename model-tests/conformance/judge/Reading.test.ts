import { assert, describe, it } from "@effect/vitest"
import { Result } from "effect"
import * as fc from "fast-check"
import * as Reading from "../../../src/conformance/judge/Reading.ts"
import { generate } from "./run.ts"

const read = (...pieces: ReadonlyArray<string | Uint8Array>): Result.Result<unknown, Reading.Refused> => {
  const reading = Reading.make()
  for (const piece of pieces) reading.push(typeof piece === "string" ? Buffer.from(piece) : piece)
  return reading.end()
}

const refused = (text: string): Reading.Refused => {
  const result = read(text)
  return Result.isFailure(result) ? result.failure : assert.fail("it was not refused")
}

const line = (event: object): string => `${JSON.stringify(event)}\n`

const send = (record: string | number, rest: object = {}): string =>
  line({ type: "invoke", process: "p", operation: "send", record, topic: "orders", partition: 0, ...rest })
const acknowledged = (record: string | number, rest: object = {}): string =>
  line({ type: "ok", process: "p", operation: "send", record, ...rest })
const call = (operation: string, rest: object): string => line({ type: "invoke", process: "p", operation, ...rest })
const done = (operation: string, rest: object): string => line({ type: "ok", process: "p", operation, ...rest })
const position = (offset: number) => ({ topic: "orders", partition: 0, offset })
const poll = (records: ReadonlyArray<object>, rest: object = {}): string =>
  line({ type: "ok", process: "c", operation: "poll", isolation: "read_committed", records, ...rest })

describe("a history", () => {
  it("is judged alike however its bytes are cut", () => {
    const text = [...generate({ sends: 12, seed: 3, partitions: 2, applications: 2, dump: true, pollInterval: 4 })]
      .map((event) => line({ ...event, error: undefined }))
      .join("")
      .replaceAll("orders", "bestellungen-größer-als-€")
    const bytes = Buffer.from(text)
    const whole = read(bytes)
    assert.isTrue(Result.isSuccess(whole))

    fc.assert(fc.property(fc.array(fc.nat(bytes.length)), (cuts) => {
      const ends = [...cuts.toSorted((a, b) => a - b), bytes.length]
      const pieces = ends.map((end, index) => bytes.subarray(ends[index - 1] ?? 0, end))

      assert.deepStrictEqual(read(...pieces), whole)
    }))
  })

  it("may end without a line end", () => {
    assert.isTrue(Result.isSuccess(read(send(1).trimEnd())))
  })

  it("without a line is refused", () => {
    assert.deepInclude(refused(""), { line: 0 })
    assert.include(refused("").message, "empty")
  })

  it("whose last line is cut off is refused at that line", () => {
    const text = send(1) + acknowledged(1)
    for (let cut = send(1).length + 1; cut < text.length - 1; cut++) {
      const { line: number, message } = refused(text.slice(0, cut))

      assert.strictEqual(number, 2)
      assert.include(message, "cut off")
    }
  })

  it("with an empty line is refused at that line", () => {
    assert.deepInclude(refused(`${send(1)}\n${acknowledged(1)}`), { line: 2 })
  })

  it("that is refused takes no more", () => {
    const reading = Reading.make()

    assert.isFalse(reading.push(Buffer.from("nonsense\n")))
    assert.isFalse(reading.push(Buffer.from(send(1))))
    assert.isTrue(Result.isFailure(reading.end()))
  })
})

describe("a contradiction is refused at its line", () => {
  const begin = call("begin", { transaction: 1 }) + done("begin", { transaction: 1 })
  const ofOther = { type: "invoke", process: "q", operation: "commit", transaction: 1 }
  const rows: Readonly<Record<string, readonly [text: string, message: string]>> = {
    "an outcome without a call": [acknowledged(1), "no send of record 1 by this process is under way"],
    "a second outcome": [send(1) + acknowledged(1) + acknowledged(1), "no send of record 1"],
    "an outcome of another process": [
      send(1) + line({ type: "ok", process: "q", operation: "send", record: 1 }),
      "no send of record 1"
    ],
    "a record that is sent again too early": [send("a") + send("a"), "record \"a\" is sent again before"],
    "an outcome for another partition": [send(1) + acknowledged(1, { partition: 1 }), "was sent to orders-0"],
    "an outcome for another topic": [send(1) + acknowledged(1, { topic: "other" }), "was sent to topic orders"],
    "an offset in no partition": [
      send(1, { partition: undefined }) + acknowledged(1, { offset: 0 }),
      "an offset without a partition"
    ],
    "a send in a transaction that was not begun": [send(1, { transaction: 1 }), "transaction 1 was not begun"],
    "a transaction that is begun twice": [
      begin + call("commit", { transaction: 1 }) + done("commit", { transaction: 1 })
      + call("begin", { transaction: 1 }),
      "was begun before"
    ],
    "a second transaction of the process": [begin + call("begin", { transaction: 2 }), "is still open"],
    "a commit by another process": [begin + line(ofOther), "was begun by another process"],
    "a send after the commit": [
      begin + call("commit", { transaction: 1 }) + send(1, { transaction: 1 }),
      "commit or abort of transaction 1 was called before"
    ],
    "a commit after the abort": [
      begin + call("abort", { transaction: 1 }) + done("abort", { transaction: 1 })
      + call("commit", { transaction: 1 }),
      "abort of transaction 1 was called before"
    ],
    "the outcome of a commit that was not called": [
      begin + done("commit", { transaction: 1 }),
      "no commit of transaction 1"
    ],
    "two calls at once": [
      begin + call("sendOffsets", { transaction: 1, group: "g", offsets: [] }) + call("commit", { transaction: 1 }),
      "sendOffsets of this process is still under way"
    ],
    "two transactional ids of one process": [
      call("initTransactions", { transactionalId: "a" }) + call("initTransactions", { transactionalId: "b" }),
      "has the transactional id a"
    ],
    "an initialization that nobody called for": [
      done("initTransactions", { transactionalId: "a" }),
      "initTransactions of this process is not under way"
    ],
    "offsets that nobody committed": [
      done("commitOffsets", { group: "g" }),
      "no commitOffsets of this process and group"
    ],
    "a record that nobody sent": [poll([{ ...position(0), record: 1 }]), "record 1 was never sent"],
    "a record in a dump that nobody sent": [
      line({
        type: "ok",
        operation: "log",
        topic: "t",
        partition: 0,
        from: 0,
        to: 1,
        entries: [{ offset: 0, record: 1 }]
      }),
      "record 1 was never sent"
    ],
    "a dump with a hole": [
      [[0, 1], [2, 3]].map(([from, to]) =>
        line({ type: "ok", operation: "log", topic: "t", partition: 0, from, to, entries: [] })
      ).join(""),
      "the dump of t-0 ended at offset 1"
    ],
    "a dump out of order": [
      line({
        type: "ok",
        operation: "log",
        topic: "t",
        partition: 0,
        from: 0,
        to: 2,
        entries: [1, 0].map((offset) => ({ offset, control: "commit", producerId: 1 }))
      }),
      "offset 0 is out of order"
    ],
    "a consumer of two isolation levels": [
      poll([]) + poll([], { isolation: "read_uncommitted" }),
      "reads read_committed"
    ],
    "an end before the consumer": [
      send(1) + poll([{ ...position(4), record: 1 }])
      + line({
        type: "ok",
        process: "c",
        operation: "caughtUp",
        isolation: "read_committed",
        positions: [position(3)]
      }),
      "behind the end"
    ],
    "two ends": [
      ["c", "d"].map((process, index) =>
        line({ type: "ok", process, operation: "caughtUp", isolation: "read_committed", positions: [position(index)] })
      ).join(""),
      "orders-0 ended at offset 0"
    ]
  }
  for (const [name, [text, message]] of Object.entries(rows)) {
    it(name, () => {
      const { line: number, message: told } = refused(text)

      assert.strictEqual(number, text.trimEnd().split("\n").length)
      assert.include(told, message)
    })
  }
})
