import { assert, describe, it } from "@effect/vitest"
import { Result } from "effect"
import { gunzipSync, gzipSync } from "node:zlib"
import { Transcript } from "../../../../src/conformance/conform/transcripts/index.ts"
import * as Files from "./Files.ts"
import { bytesOf, read, some } from "./support.ts"

const [target] = Files.targets
const bytes = bytesOf(target!)
const lines = gunzipSync(bytes).toString("utf8").trimEnd().split("\n")

const zipped = (changed: ReadonlyArray<string>): Uint8Array => gzipSync(changed.join("\n"), { level: 1 })

const problemOf = (file: Uint8Array): string | undefined => {
  const decoded = Transcript.decode(file)
  return Result.isFailure(decoded) ? decoded.failure.message : undefined
}

describe("a file", () => {
  it("is read as it was written", () => {
    const transcript = some(read(target!), ({ number }) => number <= 2)

    assert.isAtLeast(transcript.walks.length, 10)
    assert.deepStrictEqual(Result.getOrThrow(Transcript.decode(Transcript.encode(transcript))), transcript)
  })

  it("says in its first line where it is from", () => {
    const { format, origin } = JSON.parse(lines[0]!) as { readonly format: string; readonly origin: Transcript.Origin }

    assert.strictEqual(format, "keos transcript")
    assert.deepInclude(origin, {
      target: target!,
      line: "4.4",
      transactionVersion: 2,
      profile: "transactional-kafka-4.4",
      extent: "quick"
    })
    assert.match(origin.date, /^\d{4}-\d{2}-\d{2}T/)
    assert.isAtLeast(origin.apiVersions.apiKeys.length, 50)
  })
})

const refused: ReadonlyArray<readonly [what: string, file: Uint8Array, message: string]> = [
  ["that is cut off", bytes.subarray(0, bytes.length - 100), "it is not a complete gzip file"],
  ["that is no gzip", new TextEncoder().encode("hello"), "it is not a complete gzip file"],
  ["that is empty", new Uint8Array(), "it is not a complete gzip file"],
  ["of something else", zipped(["{\"schemaVersion\":1}", "{}"]), "it is no transcript"],
  ["without an origin", zipped(["{\"format\":\"keos transcript\",\"schemaVersion\":1}"]), "it is no transcript"],
  [
    "of another version",
    zipped([lines[0]!.replace("\"schemaVersion\":1", "\"schemaVersion\":2"), ...lines.slice(1)]),
    "it is a transcript of version 2, and version 1 is read here"
  ],
  [
    "that lacks walks",
    zipped(lines.slice(0, 3)),
    `it has 2 walks instead of ${lines.length - 1}`
  ],
  ["with half a walk", zipped(lines.with(2, lines[2]!.slice(0, 200))), "line 3 is no walk"],
  [
    "with a question that is not listed",
    zipped(lines.with(1, lines[1]!.replace("\"questions\":[0", "\"questions\":[9999"))),
    "line 2 is no walk"
  ]
]

describe("a file is refused", () => {
  for (const [what, file, message] of refused) {
    it(what, () => {
      assert.strictEqual(problemOf(file), message)
    })
  }
})
