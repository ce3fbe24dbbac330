import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { Readable } from "node:stream"
import * as Counterexamples from "../../src/conformance/Counterexamples.ts"
import * as EventLog from "../../src/conformance/EventLog.ts"
import * as EventLogs from "../../src/conformance/EventLogs.ts"
import type * as TlcValidation from "../../src/conformance/TlcValidation.ts"
import type * as Validation from "../../src/conformance/Validation.ts"
import { describeTlc, toolchain } from "../tlc/support.ts"
import { all, counterexample, type Expected, expectedText, extension, folder, textOf } from "./eventLogs.ts"

const logs = all()

const validate = (text: string, options: EventLogs.Options) =>
  // In pieces that end in the middle of lines.
  EventLogs.validate(
    Readable.from(text.match(/[^]{1,1000}/g) ?? []).map((piece: string) => Buffer.from(piece)),
    options
  )

/** A verdict as expectations have it. */
const told = (verdict: Validation.Verdict<unknown> | TlcValidation.Verdict): Expected => {
  switch (verdict._tag) {
    case "Accepted":
      return { verdict: "accepted", lines: verdict.lines }
    case "Rejected":
      return { verdict: "rejected", line: EventLogs.lineInFile(verdict.line), reason: verdict.reason }
    case "Violating":
      return { verdict: "violated", line: EventLogs.lineInFile(verdict.line), property: verdict.property! }
  }
}

const producer = textOf(logs.get("idempotent-states")!)
const violating = textOf(logs.get("violated-KAFKA-15591")!)

/** A log with its configuration in full. */
const given = textOf(logs.get("violated-AutoMQ-754")!).replace(
  /^.*/,
  JSON.stringify({
    schemaVersion: 1,
    specification: "ReadCommitted",
    constants: { Producers: 2, MaxEntries: 4, FetchSize: 2 },
    substitutions: { IsAbortedIn: "IsAbortedIn_AutoMQ_754" },
    module: "museum/AutoMQ_754.tla"
  })
)

const counterexampleText = (name: string): string => {
  const { header, lines } = counterexample(name)
  return [EventLog.printHeader(header), ...lines.map(EventLog.print)].join("\n")
}

/** Whether TLC sees the reason too: an action that it does not know is not enabled. */
const asTlc = (expected: Expected): Expected =>
  expected.verdict === "rejected" && expected.reason === "unknown action"
    ? { ...expected, reason: "not enabled" }
    : expected

describe("the committed event logs", () => {
  it("are those that are made, and no others", () => {
    const made = [...Array.from(logs.keys(), (name) => `${name}${extension}`), "expected.json"]

    assert.sameMembers(readdirSync(folder), made)
    assert.strictEqual(readFileSync(join(folder, "expected.json"), "utf8"), expectedText(logs))
  })

  it("are of every kind", () => {
    const verdicts = new Set(Array.from(logs.values(), ({ expected }) => expected.verdict))

    assert.sameMembers([...verdicts], ["accepted", "rejected", "violated", "none"])
  })

  for (const [name, log] of logs) {
    const { expected } = log
    it(`${name} is what was made`, () => {
      assert.strictEqual(readFileSync(join(folder, `${name}${extension}`), "utf8"), textOf(log))
    })

    it.effect(`${name} is ${expected.verdict === "none" ? "no log" : expected.verdict}`, () =>
      Effect.gen(function*() {
        const found = yield* Effect.result(validate(textOf(log), { engine: "code" }))

        if (expected.verdict === "none") {
          assert.strictEqual(found._tag, "Failure")
          if (found._tag === "Failure") assert.include(found.failure.message, expected.message)
        } else {
          if (found._tag === "Failure") return assert.fail(found.failure.message)
          assert.deepInclude(told(found.success.code!), expected)
          assert.isUndefined(found.success.tlc)
        }
      }))
  }
})

describeTlc("TLC says the same", () => {
  for (const [name, log] of logs) {
    const { expected } = log
    if (expected.verdict === "none") continue
    it.effect(`of ${name}`, () =>
      Effect.gen(function*() {
        const { code, tlc } = yield* validate(textOf(log), { engine: "both", toolchain: toolchain() })

        assert.deepInclude(told(tlc!), asTlc(expected))
        assert.isTrue(EventLogs.agree(code!, tlc!))
      }))
  }

  for (const name of Counterexamples.names()) {
    it.effect(`of the counterexample ${name}`, () =>
      Effect.gen(function*() {
        const { code, tlc } = yield* validate(counterexampleText(name), { engine: "both", toolchain: toolchain() })

        assert.strictEqual(tlc?._tag, "Violating")
        assert.isTrue(EventLogs.agree(code!, tlc!), JSON.stringify(tlc))
      }))
  }

  it.effect("alone", () =>
    Effect.gen(function*() {
      const alone = yield* validate(producer, { engine: "tlc", toolchain: toolchain() })
      const nothing = yield* validate(violating, { engine: "tlc", toolchain: toolchain(), properties: [] })
      const empty = yield* Effect.flip(
        validate(textOf(logs.get("none-empty")!), { engine: "tlc", toolchain: toolchain() })
      )

      assert.isUndefined(alone.code)
      assert.strictEqual(alone.tlc?._tag, "Accepted")
      assert.strictEqual(nothing.tlc?._tag, "Accepted")
      assert.include(empty.message, "the log is empty")
    }))

  it.effect("of a configuration that the log gives in full, with a rule of an exhibit", () =>
    Effect.gen(function*() {
      const { code, tlc } = yield* validate(given, { engine: "both", toolchain: toolchain() })

      assert.strictEqual(tlc?._tag, "Violating")
      assert.isTrue(EventLogs.agree(code!, tlc!))
    }))
})

describe("a counterexample as an event log", () => {
  const names = Counterexamples.names()

  it("there is", () => {
    assert.isNotEmpty(names)
  })

  for (const name of names) {
    it.effect(`${name} violates what it is a counterexample of in its last line`, () =>
      Effect.gen(function*() {
        const { code } = yield* validate(counterexampleText(name), { engine: "code" })

        assert.deepInclude(code, { _tag: "Violating", line: counterexample(name).lines.length })
      }))
  }
})

describe("a log", () => {
  it.effect("is watched for the properties that are asked for", () =>
    Effect.gen(function*() {
      const without = yield* validate(violating, { engine: "code", properties: ["InOrder"] })
      const nothing = yield* validate(violating, { engine: "code", properties: [] })

      assert.deepInclude(without, { properties: ["InOrder"] })
      assert.strictEqual(without.code?._tag, "Accepted")
      assert.strictEqual(nothing.code?._tag, "Accepted")
    }))

  it.effect("is not watched for what there is not", () =>
    Effect.gen(function*() {
      const error = yield* Effect.flip(validate(producer, { engine: "code", properties: ["NoLoss", "Fame"] }))

      assert.strictEqual(error._tag, "UnknownProperty")
      assert.include(error.message, "IdempotentProducer has no property Fame in code; it has NoLoss,")
    }))

  it.effect("is not read further than it is accepted", () =>
    Effect.gen(function*() {
      const [first, second, ...rest] = producer.split("\n")
      const text = [first, second, second, "no JSON", ...rest].join("\n")

      assert.deepInclude((yield* validate(text, { engine: "code" })).code, { _tag: "Rejected", line: 2 })
    }))

  const header = { schemaVersion: 1, specification: "IdempotentProducer" }
  const wrong: ReadonlyArray<readonly [what: string, header: object, message: RegExp]> = [
    ["of another specification", { ...header, model: "read-committed" }, /is one of ReadCommitted, not of Idempotent/],
    [
      "of no specification",
      { ...header, specification: "Consumer", constants: {} },
      /there is no specification Consumer/
    ],
    ["without a constant", { ...header, constants: { Acks: "all" } }, /constant \w+ is missing/],
    ["of a rule that there is not", {
      ...header,
      specification: "ReadCommitted",
      constants: { Producers: 1, MaxEntries: 2, FetchSize: 1 },
      substitutions: { IsAbortedIn: "IsAbortedIn_KAFKA_0" }
    }, /no rule of the code stands for IsAbortedIn/],
    [
      "of a module that there is not",
      { ...header, constants: {}, module: "museum/None.tla" },
      /None.tla cannot be read/
    ]
  ]
  for (const [what, first, message] of wrong) {
    it.effect(`${what} is refused`, () =>
      Effect.gen(function*() {
        const error = yield* Effect.flip(validate(`${JSON.stringify(first)}\n`, { engine: "code" }))

        assert.strictEqual(error._tag, "SpecificationError")
        assert.match(error.message, message)
      }))
  }

  it.effect("may give its configuration in full, with a rule of an exhibit", () =>
    Effect.gen(function*() {
      const { code, properties } = yield* validate(given, { engine: "code" })

      assert.sameMembers([...properties], ["NoAbortedRead", "NoUncommittedRead", "NoLoss", "InOrder"])
      assert.deepInclude(code, { _tag: "Violating", property: "NoAbortedRead" })
    }))
})
