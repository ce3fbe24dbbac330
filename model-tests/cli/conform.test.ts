import { assert, describe, it } from "@effect/vitest"
import { Effect, Result } from "effect"
import { readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { afterAll } from "vitest"
import * as Report from "../../src/conformance/conform/Report.ts"
import * as Proxy from "../conformance/conform/proxy.ts"
import { serve } from "../runtime/remote/server.ts"
import * as Project from "./project.ts"

const project = Project.copy()
afterAll(project.remove)

const conform = (...args: ReadonlyArray<string>) => project.run(["conform", ...args])

const path = (name: string): string => join(project.folder, name)

const file = (name: string, text: string): string => {
  writeFileSync(path(name), text)
  return name
}

const lastLine = (text: string): string => text.trimEnd().split("\n").at(-1)!

/** What stderr has besides progress. */
const complaints = (stderr: string): ReadonlyArray<string> =>
  stderr.split("\n").filter((line) => line !== "" && !/^(finding the walks|walks of|starting)/.test(line))

const document = (text: string): Report.Document => Result.getOrThrow(Report.parse(text))

const bug = "WriteTxnMarkers-v2/same-open/coordinator-newer/COMMIT"
const buggy = ["--launch", "keos,exhibit=KAFKA-19446", "--quick", "--only", bug]
const sound = ["--launch", "keos", "--quick", "--only", "EndTxn-v2/Ongoing/current"]

describe("keos conform, used wrongly", () => {
  const usage: ReadonlyArray<readonly [args: ReadonlyArray<string>, message: string]> = [
    [[], "name one target"],
    [["--bootstrap", "localhost:9092", "--launch", "apache-kafka@4.4.0"], "name one target"],
    [["--bootstrap", "localhost"], "the port is missing"],
    [["--bootstrap", "kafka://localhost:9092"], "leave out kafka://"],
    [["--launch", "kafka@4.4.0"], "did you mean apache-kafka@4.4.0?"],
    [["--launch", "keos,exhibit=KAFKA-1"], "there is no exhibit 'KAFKA-1'"],
    [["--bootstrap", "localhost:9092", "--only", "EndTxn-v2", "--walk", "version-2/1"], "not by both"],
    [["--bootstrap", "localhost:9092", "--walk", "version-2"], "PART/NUMBER"],
    [["--launch", "keos", "--quick", "--walk", "version-3/1"], "there are those of version-2"],
    [["--bootstrap", "localhost:9092", "--known-failing", "no.txt"], "there is no file no.txt"],
    [["--bootstrap", "localhost:9092", "--known-failing", file("bare.txt", `# why\n${bug}\n`)], "bare.txt:2: "],
    [["--bootstrap", "localhost:9092", "--concurrency", "0"], "--concurrency"],
    [["--bootstrap", "localhost:9092", "--junit", "no/such/report.xml"], "there is no folder no/such"],
    [["--bootstrap", "localhost:9092", "--markdown", "no/report.md"], "there is no folder no"]
  ]
  for (const [args, message] of usage) {
    it(`${args.join(" ")} says so`, async () => {
      const { code, stderr, stdout } = await conform(...args)

      assert.strictEqual(code, 2)
      assert.strictEqual(stdout, "")
      assert.include(stderr, message)
      assert.notInclude(stderr, "    at ")
    })
  }
})

describe("keos conform, without a verdict", () => {
  it("says in one line that nobody listens", async () => {
    const { code, stderr, stdout } = await conform("--bootstrap", "127.0.0.1:1")

    assert.strictEqual(code, 3)
    assert.strictEqual(stdout, "")
    assert.match(stderr, /^keos: cannot connect to 127\.0\.0\.1:1: .*\n$/)
  })

  it("says that Java is missing", async () => {
    const { code, stderr, stdout } = await project.run(["conform", "--launch", "apache-kafka@4.4.0"], {
      environment: { PATH: "/nonexistent", JAVA_HOME: "" }
    })

    assert.strictEqual(code, 3)
    assert.strictEqual(stdout, "")
    assert.match(complaints(stderr).join("\n"), /^keos: .*Java/)
  })

  it("says that nothing is selected, and what was meant", async () => {
    const { code, stderr, stdout } = await conform(
      "--launch",
      "keos",
      "--quick",
      "--only",
      "EndTxn-v2/Ongoin/current/COMMIT"
    )

    assert.strictEqual(code, 3)
    assert.strictEqual(stdout, "")
    assert.deepStrictEqual(complaints(stderr), [
      "keos: the target is not asked anything that EndTxn-v2/Ongoin/current/COMMIT means; "
      + "did you mean EndTxn-v2/Ongoing/current/COMMIT?"
    ])
  })

  it("ends when it is interrupted", async () => {
    const { code, stdout } = await project.run(["conform", "--launch", "keos"], { interruptAt: "finding the walks" })

    assert.strictEqual(code, 130)
    assert.strictEqual(stdout, "")
  })
})

describe("keos conform, of what is no broker", () => {
  const behaviours = [
    ["hangs", Proxy.hangs],
    ["closes", Proxy.closes],
    ["answers garbage", Proxy.answersGarbage],
    ["speaks HTTP", Proxy.answersNoFrame]
  ] as const
  for (const [what, behaves] of behaviours) {
    it.live(`names ApiVersions where it ${what}`, () =>
      Effect.scoped(Effect.gen(function*() {
        const { host, port } = yield* serve((socket) => socket.on("data", () => behaves(socket)))
        const { code, stderr, stdout } = yield* Effect.promise(() => conform("--bootstrap", `${host}:${port}`))

        assert.strictEqual(code, 1)
        assert.include(stdout, "✘ ApiVersions (MUST)")
        assert.include(stdout, `again: npm run -s keos -- conform --bootstrap ${host}:${port}`)
        assert.match(lastLine(stdout), /^0 passed, 1 failed, 0 not judged; /)
        assert.deepStrictEqual(complaints(stderr), [])
      })))
  }
})

describe("keos conform", () => {
  it("passes the reference, and writes what CI and people read", async () => {
    const { code, stderr, stdout } = await conform(...sound, "--junit", "report.xml", "--markdown", "report.md")

    assert.strictEqual(code, 0)
    assert.include(
      stdout,
      "by the rules of Apache Kafka 4.4 (transactional-kafka-4.4); transaction.version 2; quick walks"
    )
    assert.match(stdout, /^EndTxn-v2 +2 +\d+ +\d+ +0 +0$/m)
    assert.match(lastLine(stdout), /^2 passed, 0 failed, 0 not judged; \d+ walks and \d+ answers in \d+\.\d s$/)
    assert.deepStrictEqual(complaints(stderr), [])
    assert.include(readFileSync(path("report.xml"), "utf8"), "<testsuite name=\"EndTxn-v2\" tests=\"2\" failures=\"0\"")
    assert.include(readFileSync(path("report.md"), "utf8"), "| EndTxn-v2 | 2 / 0 / 0 |")
  })

  it("tells a divergence with its rule, its sources, the requests before it, and how to see it again", async () => {
    const { code, stdout } = await conform(...buggy)

    assert.strictEqual(code, 1)
    const [, told = ""] = stdout.split(`✘ ${bug} (MUST)\n`)
    assert.match(told, /^ {4}A marker must be refused /)
    assert.match(
      told,
      /^ {4}spec\/TransactionRules\.tla:\d+ AcceptsMarker; ProducerAppendInfo\.checkProducerEpoch, KIP-1228/m
    )
    assert.match(told, /^ +1 {2}InitProducerId of id 1 as none: done, producer id 1, epoch 0$/m)
    assert.match(told, /^ {4}expected {2}\{ error: 'INVALID_PRODUCER_EPOCH' \}\n {4}actual {4}\{ error: 'NONE' \}$/m)
    assert.match(lastLine(stdout), /^0 passed, 1 failed, 0 not judged; /)

    const [, command = ""] = /again: npm run -s keos -- conform (.*)/.exec(told) ?? []
    const again = await conform(...command.split(" "))
    assert.strictEqual(again.code, 1)
    assert.match(
      again.stdout,
      /^markers-version-2\/\d+, step 1: InitProducerId of id 1 as none\n {4}✔ InitProducerId\/Unknown\/none/
    )
    assert.match(again.stdout, new RegExp(`^ {4}✘ ${bug}: \\{ error: 'NONE' \\}$`, "m"))
    assert.include(again.stdout, `✘ ${bug} (MUST)`)
  })

  it("is content with what is known to fail, and not with what is known to and does not", async () => {
    const known = file("known.txt", `${bug}  as brokers before 4.2\n`)
    const explained = await conform(...buggy, "--known-failing", known)
    const stale = file("stale.txt", "EndTxn-v2/Ongoing/current  it was wrong once\n")
    const unexpected = await conform(...sound, "--known-failing", stale)

    assert.strictEqual(explained.code, 0)
    assert.include(explained.stdout, `known failing: ${bug} (as brokers before 4.2)`)
    assert.match(lastLine(explained.stdout), /^0 passed, 0 failed, 0 not judged, 1 known failing; /)
    assert.strictEqual(unexpected.code, 1)
    assert.include(
      unexpected.stdout,
      "✘ EndTxn-v2/Ongoing/current/COMMIT is known to fail, and passes: it was wrong once"
    )
    assert.match(lastLine(unexpected.stdout), /^0 passed, 2 failed, 0 not judged; /)
  })

  it("prints one document, which keos report puts beside others", async () => {
    const [passed, failed] = [await conform(...sound, "--json"), await conform(...buggy, "--json")]
    const matrix = await project.run(["report", file("passed.json", passed.stdout), file("failed.json", failed.stdout)])

    assert.deepStrictEqual([passed.code, failed.code, matrix.code], [0, 1, 0])
    const { extent, profile, release, schemaVersion, target, totals } = document(passed.stdout)
    assert.deepStrictEqual([schemaVersion, extent, profile], [1, "quick", "transactional-kafka-4.4"])
    assert.deepInclude(release!, { line: "4.4", transactionVersion: 2 })
    assert.strictEqual(target.name, "keos,transaction.version=2")
    assert.deepInclude(totals, { cases: 2, passed: 2, failed: 0, diverged: 0 })
    assert.deepStrictEqual(document(failed.stdout).divergences.map((one) => one.case), [bug])
    const heads = "|  | keos,transaction.version=2 | keos,transaction.version=2,exhibit=KAFKA-19446 |"
    assert.include(matrix.stdout, heads)
    assert.include(matrix.stdout, "| EndTxn-v2 | 2 / 0 / 0 | – |")
    assert.include(matrix.stdout, "| WriteTxnMarkers-v2 | – | **0 / 1 / 0** |")
    assert.include(matrix.stdout, `- \`${bug}\` (MUST, in 1 walk)`)

    const data = await project.run(["report", "passed.json", "failed.json", "--json"])
    const { targets } = JSON.parse(data.stdout) as {
      readonly targets: ReadonlyArray<Readonly<Record<string, unknown>>>
    }
    assert.deepStrictEqual(targets.map(({ divergences, topics }) => [topics, divergences]), [
      [{ "EndTxn-v2": { passed: 2, failed: 0, notJudged: 0 } }, []],
      [{ "WriteTxnMarkers-v2": { passed: 0, failed: 1, notJudged: 0 } }, [bug]]
    ])
  })
})

describe("keos report", () => {
  it("refuses what is no document of keos conform", async () => {
    const missing = await project.run(["report", "no.json"])
    const other = await project.run(["report", file("other.json", "{\"schemaVersion\": 1}")])

    assert.deepStrictEqual([missing.code, other.code], [2, 3])
    assert.include(missing.stderr, "there is no file no.json")
    assert.include(other.stderr, "keos: other.json is no document of 'keos conform --json'")
    assert.deepStrictEqual([missing.stdout, other.stdout], ["", ""])
  })
})

describe("keos list and keos describe", () => {
  it("list what a pattern means", async () => {
    const { code, stdout } = await project.run(["list", "EndTxn-v2/Complete*/previous"])

    assert.strictEqual(code, 0)
    assert.match(stdout, /^EndTxn-v2\/CompleteCommit\/previous\/COMMIT +MUST +\d+ +NONE +version-2 /m)
    assert.strictEqual(lastLine(stdout), "4 cases")
  })

  it("describe a case by its rule, its sources, and a walk", async () => {
    const { code, stdout } = await project.run(["describe", "endtxn-v2/CompleteCommit/previous/COMMIT"])

    assert.strictEqual(code, 0)
    assert.match(
      stdout,
      /^EndTxn-v2\/CompleteCommit\/previous\/COMMIT \(MUST\)\n\ndone: An open transaction must be ended/
    )
    assert.match(
      stdout,
      /^ {4}spec\/TransactionRules\.tla:\d+ EndTxn2; TransactionCoordinator\.endTransaction, KIP-890$/m
    )
    assert.match(stdout, /^version-2 +2 +\d+$/m)
    assert.match(lastLine(stdout), /^ +\d+ {2}EndTxn v2 of id 1 as previous, COMMIT: done, producer id 1, epoch 1$/)
  })

  it("know nothing of what there is not", async () => {
    const { code, stderr, stdout } = await project.run(["describe", "EndTxn-v2/CompleteCommit/previous/COMIT"])

    assert.strictEqual(code, 2)
    assert.strictEqual(stdout, "")
    assert.include(stderr, "did you mean EndTxn-v2/CompleteCommit/previous/COMMIT")
  })
})
