import { assert, describe, it } from "@effect/vitest"
import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { afterAll } from "vitest"
import * as Project from "./project.ts"

const project = Project.copy()
afterAll(project.remove)

const races = (...args: ReadonlyArray<string>) => project.run(["conform", "--races", "2", ...args])

const lastLine = (text: string): string => text.trimEnd().split("\n").at(-1)!

const buggy = ["--launch", "keos,exhibit=redpanda-3036", "--only", "race/batch/first-twice"]

describe("keos conform --races", () => {
  it("races requests on a target, and says how many of the allowed outcomes were seen", async () => {
    const { code, stdout } = await races("--launch", "keos", "--only", "race/end/COMMIT-*", "--only", "race/stop")

    assert.strictEqual(code, 0)
    assert.match(
      stdout,
      /^keos,transaction\.version=2: races by the rules of Apache Kafka 4\.4; .*; each 2 times, seed 1$/m
    )
    assert.match(stdout, /^race\/end\/COMMIT-COMMIT +MUST +[12] of 3 {2}✔$/m)
    assert.match(stdout, /^race\/end\/COMMIT-ABORT +MUST +[12] of 4 {2}✔$/m)
    assert.match(
      stdout,
      /^not raced, because it ends the broker .*: race\/stop\/window; race\/stop\/open-transaction; /m
    )
    assert.strictEqual(lastLine(stdout), "2 passed, 0 failed, 3 skipped")
  })

  it("tells a divergence in full, and how to see it again", async () => {
    const { code, stdout } = await races(...buggy)

    assert.strictEqual(code, 1)
    assert.match(stdout, /^✘ race\/batch\/first-twice: The first batch of a transaction .* \(MUST; /m)
    assert.include(stdout, "      + A ends at 1, stable up to 0\n")
    assert.include(
      stdout,
      "again: npm run -s keos -- conform --launch keos,exhibit=redpanda-3036 --races 2 --seed 1 --only race/batch/first-twice\n"
    )
    assert.strictEqual(lastLine(stdout), "0 passed, 1 failed, 0 skipped")
  })

  it("leaves a divergence alone that is known, and has no verdict then", async () => {
    writeFileSync(join(project.folder, "known.txt"), "race/batch/first-twice  readers are not held back\n")

    const { code, stderr, stdout } = await races(...buggy, "--known-failing", "known.txt")

    assert.strictEqual(code, 3)
    assert.include(stdout, "known failing: race/batch/first-twice (readers are not held back)\n")
    assert.strictEqual(lastLine(stdout), "0 passed, 0 failed, 0 skipped, 1 known failing")
    assert.include(stderr, "there is no verdict")
  })

  it("prints one document", async () => {
    const { code, stdout } = await races("--launch", "keos", "--only", "race/batch/twice", "--json", "--seed", "5")

    const document = JSON.parse(stdout) as {
      readonly seed: number
      readonly races: ReadonlyArray<
        { readonly id: string; readonly verdict: string; readonly allowed: unknown; readonly observed: unknown }
      >
    }
    assert.strictEqual(code, 0)
    assert.strictEqual(document.seed, 5)
    const [race, ...others] = document.races
    assert.lengthOf(others, 0)
    assert.strictEqual(race!.id, "race/batch/twice")
    assert.strictEqual(race!.verdict, "agrees")
    assert.deepStrictEqual(race!.observed, [{ outcome: (race!.allowed as ReadonlyArray<unknown>)[0], times: 2 }])
  })

  for (
    const [args, code, message] of [
      [["--launch", "keos", "--quick"], 2, "--races has no walks"],
      [["--launch", "keos", "--walk", "version-2/1"], 2, "--races has no walks"],
      [["--launch", "keos", "--junit", "races.xml"], 2, "--races has no walks"],
      [["--launch", "keos", "--only", "race/bach"], 3, "no race is called race/bach"],
      [["--launch", "keos", "--only", "race/batch/twise"], 3, "did you mean race/batch/twice?"],
      [["--bootstrap", "127.0.0.1:1"], 3, "cannot connect to 127.0.0.1:1"]
    ] as const
  ) {
    it(`${args.join(" ")} says so in one line`, async () => {
      const ended = await races(...args)

      assert.strictEqual(ended.code, code)
      assert.strictEqual(ended.stdout, "")
      assert.include(ended.stderr, message)
      assert.notInclude(ended.stderr, "    at ")
    })
  }
})
