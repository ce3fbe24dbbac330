import { assert, describe, it } from "@effect/vitest"
import { Result } from "effect"
import * as Config from "../../src/tlc/Config.ts"
import type { Message } from "../../src/tlc/Messages.ts"
import { parseAction, parseState, parseTraceState } from "../../src/tlc/Trace.ts"
import { type Evidence, judge, parseStats } from "../../src/tlc/Verdict.ts"

const message = (code: number, severity: number, text: string): Message => ({
  _tag: "Message",
  code,
  severity,
  text,
  depth: 0
})

const success = message(2193, 0, "Model checking completed. No error has been found.")
const stats = message(2199, 0, "13 states generated, 8 distinct states found, 0 states left on queue.")
const violation = message(2110, 1, "Invariant Small is violated.")
const state = message(2217, 4, "1: <Initial predicate>\n/\\ x = 0\n/\\ log = <<>>")

const evidence = (over: Partial<Evidence>): Evidence => ({
  exitCode: 0,
  signal: null,
  timedOut: false,
  seconds: 1,
  messages: [success, stats],
  text: [],
  stderr: "",
  config: Result.getOrThrow(Config.parse("INIT Init\nNEXT Next")),
  ...over
})

describe("judge", () => {
  it("believes a success that adds up", () => {
    const result = judge(evidence({}))

    assert.isTrue(Result.isSuccess(result))
  })

  const table: ReadonlyArray<readonly [what: string, over: Partial<Evidence>, reason: string, message: RegExp]> = [
    ["success without its message", { messages: [stats] }, "Suspicious", /success message came 0 times/],
    ["success said twice", { messages: [success, success, stats] }, "Suspicious", /came 2 times/],
    ["success with an error", { messages: [violation, success, stats] }, "Suspicious", /Invariant Small is violated/],
    ["success without counts", { messages: [success] }, "Suspicious", /final counts are missing/],
    ["success of a process that a signal ended", { exitCode: null, signal: "SIGKILL" }, "Killed", /SIGKILL/],
    ["success after the time limit", { timedOut: true }, "TimeLimit", /time limit/],
    ["a violation with exit code 0", { messages: [violation, state, stats] }, "Suspicious", /came 0 times/],
    ["a violation cut before its trace", { exitCode: 12, messages: [violation] }, "Suspicious", /exit code 12/],
    ["a violation in a killed process", { exitCode: 137, messages: [violation, state] }, "Killed", /137/],
    [
      "a violation of the wrong exit code",
      { exitCode: 11, messages: [violation, state] },
      "Suspicious",
      /exit code 11/
    ],
    ["an exit code nobody knows", { exitCode: 42, messages: [] }, "Suspicious", /exit code 42/],
    ["a JVM that gave up on memory", { exitCode: 3, messages: [] }, "OutOfMemory", /heap/],
    ["TLC that gave up on memory", { exitCode: 255, messages: [message(1001, 1, "")] }, "OutOfMemory", /heap/],
    [
      "a jar without TLC",
      { exitCode: 1, messages: [], stderr: "Error: Could not find or load main class tlc2.TLC" },
      "Start",
      /the jar is not the TLA\+ tools/
    ]
  ]
  it.each(table)("does not believe %s", (_, over, reason, text) => {
    const result = judge(evidence(over))

    if (Result.isSuccess(result)) return assert.fail(JSON.stringify(result.success))
    assert.strictEqual(result.failure.reason, reason)
    assert.match(result.failure.message, text)
  })

  it("does not take a printed word for the end of memory", () => {
    assert.isTrue(Result.isSuccess(judge(evidence({ text: ["\"java.lang.OutOfMemoryError\""] }))))
  })
})

describe("states and numbers", () => {
  it("a state with strings that look like states", () => {
    assert.deepStrictEqual(parseState("/\\ note = \"/\\\\ x = 1\"\n/\\ log = << 1,\n   2 >>\n/\\ x = 3"), {
      note: "\"/\\\\ x = 1\"",
      log: "<< 1,\n   2 >>",
      x: "3"
    })
    assert.deepStrictEqual(parseState("x = 0"), { x: "0" })
  })

  it("the head of a state in a trace", () => {
    assert.deepStrictEqual(
      parseTraceState("2: <Add line 11, col 11 to line 13, col 40 of module Counter>\n/\\ x = 1"),
      {
        index: 2,
        action: "Add",
        location: "line 11, col 11 to line 13, col 40 of module Counter",
        variables: { x: "1" }
      }
    )
    assert.strictEqual(parseAction("<Action line 1, col 2 to line 3, col 4 of module M>").action, undefined)
    assert.strictEqual(parseAction("<I!Step line 1, col 2 to line 3, col 4 of module M>").action, "I!Step")
  })

  it("progress with thousands and counts without", () => {
    const text =
      "Progress(12) at 2026-11-22 19:51:53: 303,550 states generated (1,405 s/min), 66,583 distinct states found "
      + "(864 ds/min), 15,158 states left on queue."

    assert.deepStrictEqual(parseStats(text), { generated: 303_550, distinct: 66_583, queue: 15_158, depth: 12 })
    assert.deepStrictEqual(parseStats(stats.text), { generated: 13, distinct: 8, queue: 0, depth: undefined })
    assert.isUndefined(parseStats("nothing"))
  })
})
