import { assert, describe, it } from "@effect/vitest"
import { readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { afterAll } from "vitest"
import * as Project from "./project.ts"

const project = Project.copy()
afterAll(project.remove)

describe("a campaign", () => {
  it("says the same to the byte for the same seed, and how fast it was elsewhere", async () => {
    const args = ["explore", "--runs", "60", "--seed", "7"]
    const first = await project.run(args)
    const second = await project.run(args)
    const other = await project.run(["explore", "--runs", "60", "--seed", "8"])

    assert.strictEqual(first.code, 0, first.stdout + first.stderr)
    assert.strictEqual(second.stdout, first.stdout)
    assert.notStrictEqual(other.stdout, first.stdout)
    assert.match(first.stdout, /^trace [0-9a-f]{64}$/m)
    assert.match(first.stdout, /^IdempotentProducer: \d+ of 15|^IdempotentProducer: all 15/m)
    assert.include(first.stdout, "not checked (fewer runs than 20000)")
    assert.match(first.stdout.trimEnd().split("\n").at(-1)!, /^13 passed, 0 failed, 5 skipped$/)
    assert.match(first.stderr, /client operations\/s\n$/)
  })

  it("of a code that forgets a condition is red, and its scenario is run again, recorded and replayed", async () => {
    const spoiled = Project.copy()
    // A leader that takes any first sequence of a producer takes the second batch before the first one.
    spoiled.edit("src/core/Rules.ts", (text) => text.replace("(sequence) => sequence === 0", "() => true"))
    const { code, stdout } = await spoiled.run(["explore", "--runs", "400", "--record", "first.json"])

    assert.strictEqual(code, 1)
    assert.include(stdout, "idempotent: NoGap in")
    const [, seed, path] = /explore --seed (\d+) --path (idempotent\/\S+)/.exec(stdout)!
    const again = await spoiled.run(["explore", "--seed", seed!, "--path", path!, "--record", "again.json"])
    const replayed = await spoiled.run(["explore", "--replay", "first.json", "--trace"])
    const mended = await project.run(["explore", "--replay", join(spoiled.folder, "first.json")])

    assert.strictEqual(again.code, 1)
    assert.match(again.stdout, /^NoGap/m)
    assert.deepInclude(JSON.parse(readFileSync(join(spoiled.folder, "first.json"), "utf8")) as object, {
      schemaVersion: 1,
      configuration: "idempotent"
    })
    assert.strictEqual(replayed.code, 0)
    assert.include(replayed.stdout, "HandleProduce")
    assert.match(replayed.stdout.trimEnd().split("\n").at(-1)!, /^1 passed, 0 failed, 0 skipped$/)
    assert.strictEqual(mended.code, 1)
    assert.include(mended.stdout, "nothing is violated")
    spoiled.remove()
  })
})

describe("the exhibits", () => {
  it("are found, and after how many runs is said", async () => {
    const args = ["explore", "--exhibits", "KAFKA-6683", "--runs", "300"]
    const { code, stdout } = await project.run(args)

    assert.strictEqual(code, 0)
    assert.match(stdout, /^KAFKA-6683 +NoLoss +\d+ +\d+ \d+ \d+ \d+ \d+ /m)
    assert.match(stdout.trimEnd().split("\n").at(-1)!, /^1 passed, 0 failed, 0 skipped$/)
    assert.strictEqual((await project.run(args)).stdout, stdout)
  })

  it("that are not found within the limit are red", async () => {
    const { code, stdout } = await project.run(["explore", "--exhibits", "KAFKA-14034", "--runs", "1"])

    assert.strictEqual(code, 1)
    assert.match(stdout, /^KAFKA-14034 +NoDuplicate +missed +– – – – –$/m)
    assert.include(stdout, "not within 1 runs of seed 1")
  })
})

describe("usage", () => {
  const wrong: ReadonlyArray<readonly [args: ReadonlyArray<string>, code: number, message: string]> = [
    [["--path", "idempotnt/1"], 2, "did you mean idempotent"],
    [["--path", "idempotent/x"], 2, "no path of a run"],
    [["--exhibits", "KAFKA-1403"], 2, "did you mean KAFKA-14034"],
    [["--replay", "no/such.json"], 3, "there is no such file"]
  ]
  for (const [args, expected, message] of wrong) {
    it(`keos explore ${args.join(" ")} is refused with one message and nothing on stdout`, async () => {
      const { code, stderr, stdout } = await project.run(["explore", ...args])

      assert.strictEqual(code, expected)
      assert.strictEqual(stdout, "")
      assert.include(stderr, message)
    })
  }

  it("a damaged schedule is named", async () => {
    writeFileSync(join(project.folder, "damaged.json"), "{\"schemaVersion\": 1")

    const { code, stderr } = await project.run(["explore", "--replay", "damaged.json"])

    assert.strictEqual(code, 3)
    assert.match(stderr, /^keos: damaged\.json is no schedule: /)
  })
})
