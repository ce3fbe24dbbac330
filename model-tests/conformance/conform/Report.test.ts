import { assert, describe, it } from "@effect/vitest"
import { Result } from "effect"
import * as Junit from "../../../src/conformance/conform/Junit.ts"
import * as Markdown from "../../../src/conformance/conform/Markdown.ts"
import * as Report from "../../../src/conformance/conform/Report.ts"

const divergence = (of: string, more: Partial<Report.Divergence> = {}): Report.Divergence => ({
  case: of,
  topic: of.split("/")[0]!,
  level: "MUST",
  rule: {
    sentence: "A <marker> must be \"refused\" & not written.",
    operator: "AcceptsMarker",
    spec: { file: "spec/TransactionRules.tla", line: 7 },
    source: "ProducerAppendInfo.checkProducerEpoch, KIP-1228"
  },
  walk: { part: "markers-version-2", number: 3 },
  walks: 2,
  requests: [],
  epoch: null,
  expected: { error: "NONE" },
  actual: { connection: "it | said `x`\u0000" },
  again: "keos conform --walk markers-version-2/3",
  ...more
})

const one = (id: string, status: Report.Case["status"], knownFailing?: string): Report.Case => ({
  id,
  topic: id.split("/")[0]!,
  level: "MUST",
  status,
  compared: status === "not judged" ? 0 : 4,
  diverged: status === "failed" ? 2 : 0,
  notJudged: status === "not judged" ? 4 : 0,
  ...(knownFailing === undefined ? {} : { knownFailing })
})

const cases = [
  one("EndTxn-v2/a", "passed"),
  one("EndTxn-v2/b", "not judged"),
  one("EndTxn-v2/c", "passed", "was wrong"),
  one("WriteTxnMarkers-v2/a", "failed"),
  one("WriteTxnMarkers-v2/b", "failed", "is wrong")
]

const document = (more: Partial<Report.Document> = {}): Report.Document => ({
  schemaVersion: 1,
  target: { name: "localhost:9092", address: "localhost:9092" },
  release: { line: "4.4", transactionVersion: 2, guess: null },
  profile: "transactional-kafka-4.4",
  extent: "full",
  parts: [],
  leftOut: [],
  topics: [],
  cases,
  divergences: [divergence("WriteTxnMarkers-v2/a"), divergence("WriteTxnMarkers-v2/b", { knownFailing: "is wrong" })],
  stopped: null,
  totals: {
    cases: 5,
    passed: 1,
    failed: 1,
    knownFailing: 1,
    unexpectedlyPassed: 1,
    notJudged: 1,
    walks: 9,
    taken: 9,
    compared: 16,
    diverged: 4
  },
  seconds: 1.5,
  ...more
})

const totals = (more: Partial<Report.Document["totals"]>): Report.Document["totals"] => ({
  ...document().totals,
  failed: 0,
  unexpectedlyPassed: 0,
  ...more
})

describe("the verdict", () => {
  const verdicts: ReadonlyArray<readonly [what: string, more: Partial<Report.Document>, verdict: string]> = [
    ["a divergence", { totals: totals({ failed: 1 }) }, "failed"],
    ["a known failing case that passes", { totals: totals({ unexpectedlyPassed: 1 }) }, "failed"],
    ["divergences that are known", { totals: totals({}) }, "passed"],
    ["nothing compared", { totals: totals({ compared: 0 }) }, "none"],
    ["an early end", { totals: totals({}), stopped: "it does not serve" }, "none"],
    ["a divergence before an early end", { totals: totals({ failed: 1 }), stopped: "it hung" }, "failed"]
  ]
  for (const [what, more, verdict] of verdicts) {
    it(`with ${what} is ${verdict}`, () => {
      assert.strictEqual(Report.verdictOf(document(more)), verdict)
    })
  }
})

describe("a document", () => {
  it("is read as it was written", () => {
    assert.deepStrictEqual(Report.parse(JSON.stringify(document())), Result.succeed(document()))
  })

  for (
    const [what, text, message] of [
      ["cut off", JSON.stringify(document()).slice(0, -1), "JSON"],
      ["of another version", JSON.stringify({ ...document(), schemaVersion: 2 }), "schemaVersion"],
      ["with more than there is", JSON.stringify({ ...document(), more: 1 }), "more"],
      ["with a level that is none", JSON.stringify({ ...document(), cases: [{ ...cases[0], level: "MAY" }] }), "level"]
    ] as const
  ) {
    it(`is refused ${what}`, () => {
      const parsed = Report.parse(text)
      if (Result.isSuccess(parsed)) return assert.fail("it is read")

      assert.include(parsed.failure.message, message)
    })
  }
})

/** Names of elements as they open and close, and attributes as they are read; throws where the text is no XML. */
const elementsOf = (text: string) => {
  const open: Array<string> = []
  const found: Array<{ readonly name: string; readonly attributes: Readonly<Record<string, string>> }> = []
  const rest = text.replace(/^<\?xml version="1\.0" encoding="UTF-8"\?>\n/, "")
    .replaceAll(
      /<(\/?)(\w+)((?: \w+="[^"<]*")*)(\/?)>/g,
      (_, closes: string, name: string, given: string, empty: string) => {
        if (closes === "/") {
          if (open.pop() !== name) throw new Error(`</${name}> closes nothing`)
          return ""
        }
        const attributes = Array.from(given.matchAll(/ (\w+)="([^"]*)"/g), ([, key, value]) => [key!, value!] as const)
        found.push({ name, attributes: Object.fromEntries(attributes) })
        if (empty === "") open.push(name)
        return ""
      }
    )
  // What is left is text.
  if (open.length > 0 || /[<>]|&(?!amp;|lt;|gt;|quot;)/.test(rest)) throw new Error(`no XML: ${open.join()} ${rest}`)
  return found
}

describe("JUnit", () => {
  const text = Junit.render(document())
  const elements = elementsOf(text)

  it("has a suite for each topic and a test for each case", () => {
    const suites = elements.filter(({ name }) => name === "testsuite").map(({ attributes }) => attributes)

    assert.deepStrictEqual(suites, [
      { name: "EndTxn-v2", tests: "3", failures: "1", skipped: "1" },
      { name: "WriteTxnMarkers-v2", tests: "2", failures: "1", skipped: "1" }
    ])
    assert.deepStrictEqual(
      elements.filter(({ name }) => name === "testcase").map(({ attributes }) => attributes["name"]),
      cases.map(({ id }) => id)
    )
  })

  it("says why a case failed, was not judged, or is excused", () => {
    const messages = elements.filter(({ name }) => name === "failure" || name === "skipped").map((
      { attributes, name }
    ) => `${name}: ${attributes["message"]}`)

    assert.deepStrictEqual(messages, [
      "skipped: not judged: an earlier answer in its walks was wrong",
      "failure: it is known to fail, and passes: was wrong",
      "failure: MUST: A &lt;marker&gt; must be &quot;refused&quot; &amp; not written.",
      "skipped: known failing: is wrong"
    ])
    assert.include(text, "spec/TransactionRules.tla:7 AcceptsMarker")
    assert.include(text, "again: keos conform --walk markers-version-2/3")
    assert.notInclude(text, "\u0000")
  })
})

describe("JUnit of a campaign that ended early", () => {
  it("says why there is no verdict on a case", () => {
    const skipped = elementsOf(Junit.render(document({ stopped: "it hung" }))).filter(({ name }) => name === "skipped")

    assert.strictEqual(skipped[0]!.attributes["message"], "not judged: it hung")
  })
})

describe("Markdown", () => {
  const old = document({
    target: { name: "apache-kafka@4.0.1,transaction.version=2", address: "localhost:1" },
    release: { line: "4.0", transactionVersion: 2, guess: "4.0 is the nearest known release, but it has no Fetch" },
    cases: [one("EndTxn-v2/a", "passed"), one("Fetch-read_committed/open/data", "passed")],
    divergences: [],
    leftOut: [{ name: "markers-version-2", reason: "there are none" }],
    stopped: "the target was given up"
  })

  it("has a row for each topic and a column for each target", () => {
    const lines = Markdown.render([document(), old]).split("\n")

    assert.includeMembers(lines, [
      "|  | localhost:9092 (4.4, transaction.version 2) | apache-kafka@4.0.1,transaction.version=2 |",
      "| --- | ---: | ---: |",
      "| EndTxn-v2 | **2 / 0 / 1** | 1 / 0 / 0 |",
      "| Fetch-read_committed | – | 1 / 0 / 0 |",
      "| WriteTxnMarkers-v2 | **0 / 2 / 0** | – |",
      "| all | **2 / 2 / 1** | 2 / 0 / 0 |"
    ])
  })

  it("lists the divergences of each target, and what it leaves open", () => {
    const [, first = "", second = ""] = Markdown.render([document(), old]).split("\n## ")

    assert.include(
      first,
      "- `WriteTxnMarkers-v2/a` (MUST, in 2 walks): A \\<marker\\> must be \"refused\" & not written."
    )
    assert.include(first, "- `WriteTxnMarkers-v2/b` (MUST, in 2 walks; known: is wrong)")
    assert.include(
      first,
      "`spec/TransactionRules.tla:7` `AcceptsMarker`; ProducerAppendInfo.checkProducerEpoch, KIP-1228"
    )
    assert.include(first, "- `EndTxn-v2/c` is known to fail, and passes: was wrong")
    // Ticks within code need more ticks around it.
    assert.match(first, /got `` \{ connection: .*`x`.* \} ``\./)
    assert.include(second, "4.0 is the nearest known release, but it has no Fetch.")
    assert.include(second, "Not walked: `markers-version-2`: there are none.")
    assert.include(second, "Not all walks were taken: the target was given up")
    assert.include(second, "No divergences.")
  })

  it("tells targets of one name apart", () => {
    assert.include(
      Markdown.render([document(), document()]),
      "|  | localhost:9092 (4.4, transaction.version 2) #1 | localhost:9092 (4.4, transaction.version 2) #2 |"
    )
  })
})
