import { assert, describe, it } from "@effect/vitest"
import { readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { afterAll } from "vitest"
import * as Project from "./project.ts"

const project = Project.copy()
afterAll(project.remove)

const folder = "traces/histories"
const lastLine = (text: string): string | undefined => text.trimEnd().split("\n").at(-1)

const file = (name: string, text: string): string => {
  writeFileSync(join(project.folder, name), text)
  return name
}

describe("keos judge", () => {
  it("passes a clean history, and says what it could not judge", async () => {
    const { code, stdout } = await project.run(["judge", `${folder}/clean.ndjson`])

    assert.strictEqual(code, 0)
    assert.include(stdout, "clean.ndjson: 7 lines, 2 sends, 0 transactions, 2 reads")
    assert.include(stdout, "not checked (nothing was aborted or refused)")
    assert.strictEqual(lastLine(stdout), "5 passed, 0 failed, 7 skipped")
  })

  it("tells an anomaly with the lines that prove it", async () => {
    const { code, stdout } = await project.run(["judge", `${folder}/clean.ndjson`, `${folder}/lost-write.ndjson`])

    assert.strictEqual(code, 1)
    assert.include(stdout, `✘ ${folder}/lost-write.ndjson: lost write`)
    assert.include(stdout, "Record \"b\" was acknowledged, but a read_uncommitted consumer passed over it.")
    assert.include(stdout, `lines 3, 4, 6 of ${folder}/lost-write.ndjson`)
    assert.match(lastLine(stdout)!, /^\d+ passed, 1 failed, \d+ skipped$/)
  })

  it("tells what the guarantee allows, and does not count it", async () => {
    const { code, stdout } = await project.run(["judge", `${folder}/duplicate.ndjson`, "--guarantee", "at-least-once"])
    const strict = await project.run(["judge", `${folder}/duplicate.ndjson`])

    assert.strictEqual(code, 0)
    assert.include(stdout, "duplicate, which at-least-once does not rule out")
    assert.include(stdout, "lines 4, 5")
    assert.strictEqual(strict.code, 1)
  })

  it("prints one JSON document", async () => {
    const { code, stdout } = await project.run(["judge", `${folder}/skipped-poll.ndjson`, "--json"])

    assert.strictEqual(code, 1)
    const { failed, guarantee, histories, schemaVersion } = JSON.parse(stdout) as {
      readonly schemaVersion: number
      readonly guarantee: string
      readonly failed: number
      readonly histories: ReadonlyArray<{ readonly anomalies: Readonly<Record<string, object>> }>
    }
    assert.deepStrictEqual([schemaVersion, guarantee, failed], [1, "exactly-once", 1])
    assert.deepInclude(histories[0]!.anomalies["skipped poll"], { verdict: "found", isForbidden: true, count: 1 })
    assert.deepInclude(histories[0]!.anomalies["duplicate"], { verdict: "absent" })
    assert.deepInclude(histories[0]!.anomalies["zombie success"], { verdict: "not judged" })
  })

  const clean = readFileSync(join(project.folder, folder, "clean.ndjson"), "utf8")
  const noVerdict: ReadonlyArray<readonly [what: string, text: string, message: RegExp]> = [
    ["empty", "", /^keos: refused\.ndjson: the history is empty; /],
    ["cut off", clean.slice(0, -20), /^keos: refused\.ndjson:7: the last line is cut off; /],
    [
      "damaged",
      clean.replace("\"send\"", "\"sent\""),
      /^keos: refused\.ndjson:1: "sent" is no operation; .*keos schema history/
    ],
    ["contradictory", clean.split("\n").slice(1).join("\n"), /^keos: refused\.ndjson:1: no send of record "a" /],
    ["without records", clean.split("\n").slice(4, 5).join("\n"), /^keos: refused\.ndjson: nothing could be judged/]
  ]
  for (const [what, text, message] of noVerdict) {
    it(`has no verdict on a history that is ${what}`, async () => {
      const { code, stderr, stdout } = await project.run([
        "judge",
        `${folder}/clean.ndjson`,
        file("refused.ndjson", text)
      ])

      assert.strictEqual(code, 3)
      assert.match(stderr.split("\n").find((line) => line.startsWith("keos: "))!, message)
      assert.notInclude(stderr, "    at ")
      assert.match(lastLine(stdout)!, /^\d+ passed, 0 failed, \d+ skipped$/)
    })
  }

  const usage: ReadonlyArray<readonly [args: ReadonlyArray<string>, message: string]> = [
    [[], "file"],
    [["no/such.ndjson"], "there is no file no/such.ndjson"],
    [["src"], "src cannot be read"],
    [[`${folder}/clean.ndjson`, "--guarantee", "exactly-twice"], "--guarantee"]
  ]
  for (const [args, message] of usage) {
    it(`keos ${["judge", ...args].join(" ")} is wrong usage`, async () => {
      const { code, stderr, stdout } = await project.run(["judge", ...args])

      assert.strictEqual(code, 2)
      assert.strictEqual(stdout, "")
      assert.include(stderr, message)
    })
  }
})

describe("keos schema history", () => {
  it("prints a schema that stands alone", async () => {
    const { code, stdout } = await project.run(["schema", "history"])

    assert.strictEqual(code, 0)
    const { $schema, anyOf } = JSON.parse(stdout) as {
      readonly $schema: string
      readonly anyOf: ReadonlyArray<{ readonly additionalProperties: boolean }>
    }
    assert.strictEqual($schema, "https://json-schema.org/draft/2020-12/schema")
    assert.isAtLeast(anyOf.length, 18)
    assert.isTrue(anyOf.every(({ additionalProperties }) => !additionalProperties))
  })
})
