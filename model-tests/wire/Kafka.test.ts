import { assert, describe, it } from "@effect/vitest"
import { Result } from "effect"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { type BatchHeader, Compression, ControlRecord, RecordBatch } from "../../src/wire/index.ts"
import { batches, long, shown, various } from "./support.ts"

interface Fixture {
  readonly name: string
  readonly bytes: string
  readonly header: BatchHeader.BatchHeader
  readonly records: ReadonlyArray<object>
}

const fixtures = (file: string): ReadonlyArray<Fixture> =>
  readFileSync(join(import.meta.dirname, "fixtures", file), "utf8")
    .trimEnd()
    .split("\n")
    .slice(1)
    .map((line) => JSON.parse(line) as Fixture)

const written = fixtures("kafka.jsonl")
const read = fixtures("keos.jsonl")

const bytesOf = ({ bytes }: Fixture): Uint8Array => new Uint8Array(Buffer.from(bytes, "base64"))

describe("batches that Kafka has written", () => {
  it("are of every codec and kind", () => {
    assert.sameMembers(written.map(({ name }) => name), [
      ...batches.map(({ name }) => name),
      "log append time",
      "compacted",
      "compacted to nothing"
    ])
  })

  for (const fixture of written) {
    it(`are read as Kafka reads them: ${fixture.name}`, () => {
      const decoded = Result.getOrThrow(RecordBatch.decode(bytesOf(fixture)))

      assert.deepStrictEqual(shown(decoded), { header: fixture.header, records: fixture.records })
    })
  }

  for (const { bytes, name } of batches) {
    const fixture = written.find((one) => one.name === name)!
    if (fixture.header.compression !== "none") continue
    it(`are written the same, byte for byte: ${name}`, () => {
      assert.strictEqual(Buffer.from(bytes).toString("base64"), fixture.bytes)
    })
  }

  for (const [name, records] of [["", various], [", several blocks", long]] as const) {
    for (const codec of Compression.codecs) {
      const fixture = written.find((one) => one.name === `${codec}${name}`)
      if (fixture === undefined) continue
      it(`have what was put in: ${fixture.name}`, () => {
        const decoded = Result.getOrThrow(RecordBatch.decode(bytesOf(fixture)))

        assert.deepStrictEqual(decoded.records, records.map((one, index) => ({ offset: 2 ** 40 + index, ...one })))
      })
    }
  }

  it("have markers", () => {
    for (const result of ["COMMIT", "ABORT"] as const) {
      const { records } = Result.getOrThrow(
        RecordBatch.decode(bytesOf(written.find(({ name }) => name === result)!))
      )

      assert.deepStrictEqual(
        records.map(ControlRecord.read),
        [Result.succeed({ _tag: "EndTransactionMarker", result, coordinatorEpoch: 12 } as const)]
      )
    }
  })
})

describe("batches that keos has written", () => {
  it("are all those that it writes", () => {
    assert.deepStrictEqual(read.map(({ name }) => name), batches.map(({ name }) => name))
  })

  for (const [index, fixture] of read.entries()) {
    it(`are read by Kafka as by keos: ${fixture.name}`, () => {
      const decoded = Result.getOrThrow(RecordBatch.decode(bytesOf(fixture)))
      const again = Result.getOrThrow(RecordBatch.decode(batches[index]!.bytes))

      assert.deepStrictEqual(shown(decoded), { header: fixture.header, records: fixture.records })
      // The library that compresses may make other bytes of the same in another version.
      assert.deepStrictEqual(again, decoded)
    })
  }
})
