import { assert, describe, it } from "@effect/vitest"
import { Result } from "effect"
import * as fc from "fast-check"
import lz4 from "lz4-napi"
import snappy from "snappy"
import { Compression } from "../../src/wire/index.ts"
import { codec, utf8 } from "./support.ts"

const LIMIT = 1_000_000

/** Some that can be compressed, some that cannot. */
const content = fc.oneof(
  fc.uint8Array({ maxLength: 3_000 }),
  fc.tuple(fc.uint8Array({ minLength: 1, maxLength: 300 }), fc.integer({ min: 1, max: 3_000 })).map(([part, times]) =>
    new Uint8Array(Buffer.concat(Array.from({ length: Math.min(times, Math.ceil(200_000 / part.length)) }, () => part)))
  )
)

const compressed = Compression.codecs.filter((name) => name !== "none")

describe("codecs", () => {
  it("have Kafka's ids", () => {
    assert.deepStrictEqual(
      Compression.codecs.map((name) => [name, Compression.idOf(name)]),
      [["none", 0], ["gzip", 1], ["snappy", 2], ["lz4", 3], ["zstd", 4]]
    )
    assert.deepStrictEqual([0, 1, 2, 3, 4].map(Compression.codecOf), [...Compression.codecs])
    assert.isUndefined(Compression.codecOf(5))
  })

  it("bring back what they compressed", () => {
    fc.assert(fc.property(codec, content, (name, bytes) => {
      const back = Result.getOrThrow(Compression.decompress(name, Compression.compress(name, bytes), LIMIT))

      assert.isTrue(Buffer.from(back).equals(bytes))
    }))
  })

  it("give exactly as much as the limit lets through", () => {
    fc.assert(fc.property(codec, content, (name, bytes) => {
      fc.pre(bytes.length > 1)
      const small = Compression.compress(name, bytes)

      assert.isTrue(Result.isSuccess(Compression.decompress(name, small, bytes.length)))
      assert.deepStrictEqual(
        Compression.decompress(name, small, bytes.length - 1),
        Result.fail({ _tag: "DecompressedTooLarge", codec: name, limit: bytes.length - 1 })
      )
    }))
  })

  it("fail with a reason, and never otherwise, on bytes that are not theirs", () => {
    fc.assert(fc.property(fc.constantFrom(...compressed), content, fc.nat(), fc.nat(255), (name, bytes, at, byte) => {
      const broken = new Uint8Array(Compression.compress(name, bytes))
      broken[at % broken.length] = byte
      const results = [broken, broken.subarray(0, at % broken.length), bytes].map((input) =>
        Compression.decompress(name, input, LIMIT)
      )

      for (const result of results) {
        if (Result.isFailure(result)) {
          assert.oneOf(result.failure._tag, ["DecompressionFailed", "DecompressedTooLarge"])
        } else {
          assert.isAtMost(result.success.length, LIMIT)
        }
      }
    }))
  })

  for (const name of compressed) {
    it(`refuse ${name} that is cut off`, () => {
      const whole = Compression.compress(name, utf8("keos ".repeat(30_000)))

      for (const length of [0, 1, 5, 12, 17, whole.length >> 1, whole.length - 1]) {
        const result = Compression.decompress(name, whole.subarray(0, length), LIMIT)
        assert.isTrue(Result.isFailure(result) && result.failure._tag === "DecompressionFailed", `${length} bytes`)
      }
    })

    it(`stop ${name} that would fill the memory`, () => {
      const bomb = Compression.compress(name, new Uint8Array(64 * 1024 * 1024))

      assert.deepStrictEqual(
        Compression.decompress(name, bomb, 1024 * 1024),
        Result.fail({ _tag: "DecompressedTooLarge", codec: name, limit: 1024 * 1024 })
      )
    })
  }
})

describe("snappy", () => {
  it("is framed as Java's clients expect it", () => {
    const bytes = Compression.compress("snappy", new Uint8Array(40_000))
    const head = Buffer.from(bytes.subarray(0, 16)).toString("latin1")

    assert.strictEqual(head, "\x82SNAPPY\0\0\0\0\x01\0\0\0\x01")
    const first = Buffer.from(bytes).readInt32BE(16)
    assert.strictEqual((snappy.uncompressSync(bytes.subarray(20, 20 + first)) as Buffer).length, 32 * 1024)
    assert.strictEqual(20 + first + 4 + Buffer.from(bytes).readInt32BE(20 + first), bytes.length)
  })

  it("is read without a frame too", () => {
    const bytes = utf8("no frame ".repeat(10_000))
    const result = Compression.decompress("snappy", snappy.compressSync(bytes), LIMIT)

    assert.deepStrictEqual(new Uint8Array(Result.getOrThrow(result)), bytes)
  })
})

describe("lz4", () => {
  it("is a frame of independent blocks without checksums", () => {
    const bytes = Compression.compress("lz4", utf8("frame"))

    // Version 1, independent blocks: all that Java's `Lz4BlockInputStream` takes.
    assert.strictEqual(Buffer.from(bytes.subarray(0, 5)).toString("hex"), "04224d1860")
  })

  it("is read with the size of its content in its head", () => {
    const frame = Buffer.from("04224d1868400400000000000000cd040000806b656f7300000000", "hex")

    assert.deepStrictEqual(new Uint8Array(Result.getOrThrow(Compression.decompress("lz4", frame, 4))), utf8("keos"))
  })

  it("is a frame, or nothing", () => {
    assert.deepStrictEqual(
      Compression.decompress("lz4", lz4.compressSync(Buffer.from("a block alone")), LIMIT),
      Result.fail({ _tag: "DecompressionFailed", codec: "lz4", reason: "no frame of lz4" })
    )
  })

  for (const blockChecksums of [false, true]) {
    for (const contentChecksum of [false, true]) {
      it(`is read with checksums of blocks ${blockChecksums}, of the content ${contentChecksum}`, () => {
        // Random enough for blocks that are stored as they are.
        const bytes = Uint8Array.from({ length: 300_000 }, (_, index) => Math.imul(index, 0x9e37_79b1) >>> 21)
        const frame = lz4.compressFrameSync(Buffer.from(bytes), { blockChecksums, contentChecksum })

        assert.isTrue(Buffer.from(Result.getOrThrow(Compression.decompress("lz4", frame, bytes.length))).equals(bytes))
        assert.isTrue(Result.isFailure(Compression.decompress("lz4", frame, bytes.length - 1)))
      })
    }
  }
})
