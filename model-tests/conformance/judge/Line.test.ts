import { assert, describe, it } from "@effect/vitest"
import { Result, Schema } from "effect"
import * as fc from "fast-check"
import { readdirSync, readFileSync } from "node:fs"
import { join, resolve } from "node:path"
import * as Format from "../../../src/conformance/judge/Format.ts"
import * as Line from "../../../src/conformance/judge/Line.ts"

type Json = Readonly<Record<string, unknown>>

const folder = resolve(import.meta.dirname, "../../../traces/histories")

/** Every line of the handwritten histories, which have every operation and type. */
const lines: ReadonlyArray<Json> = readdirSync(folder)
  .filter((file) => file.endsWith(".ndjson"))
  .flatMap((file) => readFileSync(join(folder, file), "utf8").trimEnd().split("\n"))
  .map((text) => JSON.parse(text) as Json)

const published = Schema.decodeUnknownResult(Format.Event, { onExcessProperty: "error" })

const isPublished = (json: unknown): boolean => Result.isSuccess(published(json))

const accepts = (json: unknown): boolean => Result.isSuccess(Line.check(json))

const values: ReadonlyArray<unknown> = [
  undefined,
  0,
  7,
  -1,
  0.5,
  2 ** 53,
  "",
  "ok",
  "invoke",
  "info",
  "send",
  "poll",
  "read_committed",
  null,
  true,
  [],
  {},
  [{}],
  [{ topic: "t", partition: 0 }],
  [{ topic: "t", partition: 0, offset: 1 }],
  [{ topic: "t", partition: 0, offset: 1, record: "r" }],
  [{ topic: "t", partition: 0, offset: 1, record: "r", more: 1 }],
  [{ offset: 0, control: "commit", producerId: 1 }],
  { group: "g", topic: "t", partition: 0, offset: 0 }
]

const fields = [
  ...new Set([...lines.flatMap((line) => Object.keys(line)), "time", "error", "key", "member", "__proto__"])
]

/** The line with fields changed, added or, without a value, removed. */
const spoil = (line: Json, changes: ReadonlyArray<readonly [field: string, value: unknown]>): Json => {
  const entries = new Map(Object.entries(line))
  for (const [field, value] of changes) {
    if (value === undefined) entries.delete(field)
    else entries.set(field, value)
  }
  return JSON.parse(
    `{${[...entries].map(([field, value]) => `"${field}":${JSON.stringify(value)}`).join(",")}}`
  ) as Json
}

/** One line of every operation, type and set of fields. */
const kinds: ReadonlyArray<Json> = [
  ...new Map(lines.map((line) => [[line["operation"], line["type"], ...Object.keys(line).toSorted()].join(), line]))
    .values()
]

const spoiled = fc.tuple(
  fc.constantFrom(...kinds),
  fc.array(fc.tuple(fc.constantFrom(...fields), fc.constantFrom(...values)), { minLength: 2, maxLength: 3 })
).map(([line, changes]) => spoil(line, changes))

describe("a line", () => {
  it("is read if and only if the published schema has it, whatever is done to one field", () => {
    const seen = { accepted: 0, refused: 0 }
    for (const line of kinds) {
      for (const field of fields) {
        for (const value of values) {
          const json = spoil(line, [[field, value]])
          const isAccepted = accepts(json)
          seen[isAccepted ? "accepted" : "refused"]++

          if (isAccepted !== isPublished(json)) assert.fail(`accepted ${isAccepted}: ${JSON.stringify(json)}`)
        }
      }
    }

    assert.isAtLeast(seen.accepted, 1_000)
    assert.isAtLeast(seen.refused, 10_000)
  })

  it("is read if and only if the published schema has it, whatever is done to several", () => {
    fc.assert(
      fc.property(spoiled, (json) => {
        assert.strictEqual(accepts(json), isPublished(json), JSON.stringify(json))
      }),
      { numRuns: 3_000 }
    )
  })

  it("of the handwritten histories is read as it is", () => {
    for (const line of lines) assert.deepStrictEqual(Line.check(line), Result.succeed(line as unknown as Format.Event))
  })

  const wrong: ReadonlyArray<readonly [text: string, message: string]> = [
    ["", "empty"],
    ["{\"type\":", "not JSON: cut off or damaged"],
    ["[]", "not an object"],
    ["{}", "no operation; there are send, "],
    ["{\"operation\":\"sent\"}", "\"sent\" is no operation; there are send, "],
    ["{\"operation\":\"send\"}", "no type of send; there are invoke, ok, fail, info"],
    ["{\"operation\":\"log\",\"type\":\"info\"}", "\"info\" is no type of log; there are ok"],
    ["{\"operation\":\"toString\",\"type\":\"ok\"}", "\"toString\" is no operation"],
    [
      "{\"operation\":\"send\",\"type\":\"ok\",\"process\":\"p\",\"record\":1,\"offset\":-1}",
      "send of type ok: offset expected a value greater than or equal to 0"
    ],
    ["{\"operation\":\"send\",\"type\":\"ok\",\"process\":\"p\"}", "send of type ok: record is missing"],
    [
      "{\"operation\":\"send\",\"type\":\"fail\",\"process\":\"p\",\"record\":1,\"offset\":1}",
      "send of type fail: offset is no field of it"
    ],
    [
      "{\"operation\":\"poll\",\"type\":\"ok\",\"process\":\"p\",\"isolation\":\"read_committed\",\"records\":[{}]}",
      "poll of type ok: records[0].topic is missing"
    ]
  ]
  for (const [text, message] of wrong) {
    it(`${text === "" ? "that is empty" : text} is refused: ${message}`, () => {
      const read = Line.parse(text)

      assert.isTrue(Result.isFailure(read))
      assert.include(Result.isFailure(read) ? read.failure : "", message)
    })
  }
})
