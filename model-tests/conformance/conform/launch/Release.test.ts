import { assert, describe, it } from "@effect/vitest"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { Release } from "../../../../src/conformance/conform/launch/index.ts"

/** What brokers of the releases answered to version 4 of ApiVersions: `MIN-MAX` per API key, `NAME MIN-MAX` per feature. */
interface Answer {
  readonly apis: Readonly<Record<string, string>>
  readonly supported: ReadonlyArray<string>
  readonly finalized: ReadonlyArray<string>
}

const answers = JSON.parse(
  readFileSync(join(import.meta.dirname, "fixtures/apiVersions.json"), "utf8")
) as Readonly<Record<string, Answer>>

const range = (text: string): readonly [number, number] => {
  const [first, last] = text.split("-").map(Number)
  return [first!, last!]
}

const responseOf = ({ apis, finalized, supported }: Answer): Release.Response => ({
  errorCode: 0,
  throttleTimeMs: 0,
  finalizedFeaturesEpoch: 1,
  zkMigrationReady: false,
  apiKeys: Object.entries(apis).map(([key, versions]) => {
    const [minVersion, maxVersion] = range(versions)
    return { apiKey: Number(key), minVersion, maxVersion }
  }),
  supportedFeatures: supported.map((feature) => {
    const [name, versions] = feature.split(" ")
    const [minVersion, maxVersion] = range(versions!)
    return { name: name!, minVersion, maxVersion }
  }),
  finalizedFeatures: finalized.map((feature) => {
    const [name, levels] = feature.split(" ")
    const [minVersionLevel, maxVersionLevel] = range(levels!)
    return { name: name!, minVersionLevel, maxVersionLevel }
  })
})

const identify = (release: string, change: Partial<Answer> = {}): Release.Identity =>
  Release.identify(responseOf({ ...answers[release]!, ...change }))

describe("a broker", () => {
  it("is of every line in the fixture", () => {
    assert.deepStrictEqual(Object.keys(answers).map((release) => release.slice(0, 3)), [...Release.lines])
  })

  for (const release of Object.keys(answers)) {
    it(`of ${release} is of that line for certain`, () => {
      assert.deepStrictEqual(identify(release), {
        line: release.slice(0, 3) as Release.Line,
        transactionVersion: release === "3.9.1" ? 0 : 2,
        guess: undefined
      })
    })
  }

  it("has the transaction.version that is finalized, and 0 where none is", () => {
    assert.strictEqual(
      identify("4.4.0", { finalized: ["transaction.version 1-1", "metadata.version 33-33"] }).transactionVersion,
      1
    )
    assert.strictEqual(identify("4.4.0", { finalized: ["metadata.version 33-33"] }).transactionVersion, 0)
  })

  it("with unstable APIs is of its line for certain", () => {
    assert.strictEqual(identify("4.4.0", { apis: { ...answers["4.4.0"]!.apis, 22: "0-6" } }).guess, undefined)
  })

  it("with a metadata.version of its own release's past is of its line for certain", () => {
    const old = identify("4.4.0", { finalized: ["metadata.version 21-21"] })

    assert.deepStrictEqual(old, { line: "4.4", transactionVersion: 0, guess: undefined })
  })
})

describe("the nearest line is guessed", () => {
  it("for a newer broker", () => {
    const { guess, line } = identify("4.4.0", {
      apis: { ...answers["4.4.0"]!.apis, 0: "0-14" },
      supported: ["metadata.version 7-36"]
    })

    assert.strictEqual(line, "4.4")
    assert.strictEqual(
      guess,
      "4.4 is the nearest known release, but Produce goes to 14 and not to 13, metadata.version goes to 36 and not to 33"
    )
  })

  it("for an older broker", () => {
    const { guess, line } = identify("3.9.1", {
      apis: { ...answers["3.9.1"]!.apis, 1: "0-16", 2: "0-8" },
      supported: ["metadata.version 1-19"]
    })

    assert.strictEqual(line, "3.9")
    assert.include(guess, "Fetch goes to 16 and not to 17")
  })

  it("for one that is no Apache Kafka, and has no metadata.version", () => {
    const { guess, line } = identify("4.0.1", { supported: [] })

    assert.strictEqual(line, "4.0")
    assert.strictEqual(guess, "4.0 is the nearest known release, but it has no metadata.version")
  })

  it("for one that has nothing", () => {
    const { guess, line, transactionVersion } = identify("4.0.1", { apis: {}, supported: [], finalized: [] })

    assert.include(Release.lines, line)
    assert.strictEqual(transactionVersion, 0)
    assert.include(guess, "it has no Produce")
  })
})
