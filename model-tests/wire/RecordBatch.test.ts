import { assert, describe, it } from "@effect/vitest"
import { Result } from "effect"
import * as fc from "fast-check"
import { BatchBuilder, BatchHeader, InvalidBatch, RecordBatch, Records } from "../../src/wire/index.ts"
import * as support from "./support.ts"
import { utf8 } from "./support.ts"

const decode = (bytes: Uint8Array): RecordBatch.Decoded => Result.getOrThrow(RecordBatch.decode(bytes))

const small: RecordBatch.Batch = {
  producerId: 4_711,
  producerEpoch: 7,
  baseSequence: 10,
  isTransactional: true,
  compression: "none",
  records: [
    { timestamp: 1_000, key: utf8("a"), value: utf8("1"), headers: [{ key: "h", value: utf8("x") }] },
    { timestamp: 1_001, key: null, value: null, headers: [] }
  ]
}

describe("a batch", () => {
  it("is read as it was written, with every codec", () => {
    fc.assert(fc.property(support.batch, (batch) => {
      const bytes = RecordBatch.encode(batch)

      assert.deepStrictEqual(decode(bytes), support.expected(batch))
      assert.deepStrictEqual(Result.getOrThrow(BatchHeader.read(bytes)), support.expected(batch).header)
      assert.deepStrictEqual(Result.getOrThrow(RecordBatch.validate(bytes)), support.expected(batch).header)
    }))
  })

  it("is read from the middle of a buffer", () => {
    fc.assert(fc.property(support.batch, (batch) => {
      const bytes = RecordBatch.encode(batch)
      const buffer = Buffer.concat([Buffer.alloc(3, 9), bytes, Buffer.alloc(3, 9)])

      assert.deepStrictEqual(decode(buffer.subarray(3, 3 + bytes.length)), support.expected(batch))
    }))
  })

  it("without offset and leader epoch is as a producer sends it", () => {
    const { header } = decode(RecordBatch.encode(small))

    assert.strictEqual(header.baseOffset, 0)
    assert.strictEqual(header.partitionLeaderEpoch, -1)
    assert.isFalse(header.isControl)
  })

  it("keeps a byte order mark in the key of a header", () => {
    const headers = [{ key: "\ufeffkey", value: null }]
    const { records } = decode(RecordBatch.encode({ ...small, records: [{ ...small.records[1]!, headers }] }))

    assert.deepStrictEqual(records[0]!.headers, headers)
  })

  it("must have a record", () => {
    assert.throws(() => RecordBatch.encode({ ...small, records: [] }), RangeError)
  })

  it("shows its records one by one", () => {
    const seen: Array<unknown> = []
    const header = RecordBatch.forEach(
      RecordBatch.encode(small),
      (cursor) =>
        seen.push([cursor.offset, cursor.timestamp, Records.key(cursor), Records.value(cursor), cursor.headerCount])
    )

    assert.deepStrictEqual(seen, [[0, 1_000, utf8("a"), utf8("1"), 1], [1, 1_001, null, null, 0]])
    assert.deepStrictEqual(Result.getOrThrow(header), support.expected(small).header)
  })

  it("lets an error of who looks at it through", () => {
    assert.throws(() =>
      RecordBatch.forEach(RecordBatch.encode(small), () => {
        throw new Error("seen enough")
      }), "seen enough")
  })

  it("has the append time for all of its records", () => {
    const encoded = RecordBatch.encode(small)
    BatchHeader.write(encoded, { ...support.expected(small).header, timestampType: "LogAppendTime", maxTimestamp: 77 })

    assert.deepStrictEqual(decode(encoded).records.map(({ timestamp }) => timestamp), [77, 77])
  })
})

describe("a copy", () => {
  it("at another offset differs in nothing else", () => {
    const offset = fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER - 1_000 })
    fc.assert(fc.property(support.batch, offset, fc.nat(), (batch, baseOffset, partitionLeaderEpoch) => {
      const bytes = RecordBatch.encode(batch)
      const before = new Uint8Array(bytes)
      const copy = BatchHeader.withBaseOffset(bytes, baseOffset, partitionLeaderEpoch)

      assert.deepStrictEqual(decode(copy), support.expected({ ...batch, baseOffset, partitionLeaderEpoch }))
      assert.isTrue(Buffer.from(bytes).equals(before))
    }))
  })

  it("of a buffer is a copy", () => {
    const bytes = Buffer.from(RecordBatch.encode(small))
    BatchHeader.withBaseOffset(bytes, 5, 5)

    assert.strictEqual(decode(bytes).header.baseOffset, 0)
  })

  it("from another producer differs in nothing else", () => {
    fc.assert(fc.property(support.batch, fc.nat(), fc.nat(32_767), fc.nat(), (batch, ...state) => {
      const [producerId, producerEpoch, baseSequence] = state
      const producer = { producerId, producerEpoch, baseSequence }
      const bytes = RecordBatch.encode(batch)
      const before = new Uint8Array(bytes)
      const copy = BatchHeader.withProducerState(bytes, producer)

      assert.deepStrictEqual(decode(copy), support.expected({ ...batch, ...producer }))
      assert.isTrue(Buffer.from(bytes).equals(before))
    }))
  })
})

/** The fields that the checksum leaves out, other than what is checked otherwise. */
const unprotected = (at: number): boolean => at < 8 || (at >= 12 && at < 16)

describe("a damaged batch", () => {
  for (const compression of ["none", "gzip", "snappy", "lz4", "zstd"] as const) {
    it(`is refused whichever bit of it is flipped (${compression})`, () => {
      const bytes = RecordBatch.encode({ ...small, compression })
      const flipped = Array.from({ length: bytes.length * 8 }, (_, bit) => {
        const copy = new Uint8Array(bytes)
        copy[bit >> 3]! ^= 1 << (bit & 7)
        return { at: bit >> 3, result: RecordBatch.decode(copy) }
      })

      const accepted = flipped.filter(({ at, result }) => Result.isSuccess(result) && !unprotected(at))
      assert.deepStrictEqual(accepted, [])
    })

    it(`is refused whatever byte stands in its place (${compression})`, () => {
      const bytes = RecordBatch.encode({ ...small, compression })
      fc.assert(fc.property(fc.nat(bytes.length - 1), fc.nat(255), (at, byte) => {
        fc.pre(!unprotected(at) && bytes[at] !== byte)
        const copy = new Uint8Array(bytes)
        copy[at] = byte

        assert.isTrue(Result.isFailure(RecordBatch.decode(copy)))
        assert.isTrue(Result.isFailure(RecordBatch.validate(copy)))
      }))
    })
  }

  it("is refused wherever it is cut off, and with anything after it", () => {
    const bytes = RecordBatch.encode(small)
    for (let length = 0; length < bytes.length; length++) {
      const result = RecordBatch.decode(bytes.subarray(0, length))
      assert.isTrue(Result.isFailure(result) && InvalidBatch.errorOf(result.failure) === "CORRUPT_MESSAGE")
    }
    assert.deepStrictEqual(
      RecordBatch.decode(Buffer.concat([bytes, Buffer.alloc(1)])),
      Result.fail({ _tag: "SizeMismatch", declared: bytes.length, actual: bytes.length + 1 })
    )
  })

  it("never throws, whatever the bytes are", () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      assert.isTrue(Result.isFailure(RecordBatch.decode(bytes)))
    }))
  })
})

/** A batch with a header and records of any bytes, and a checksum that vouches for it. */
const assembled = (header: Partial<BatchHeader.BatchHeader>, records: Uint8Array): Uint8Array => {
  const bytes = new Uint8Array(BatchHeader.size + records.length)
  bytes.set(records, BatchHeader.size)
  BatchHeader.write(bytes, { ...support.expected({ ...small, records: [small.records[1]!] }).header, ...header })
  return bytes
}

/** Length, attributes, timestamp delta, offset delta, key, value, headers: all 0 or null. */
const plain = Uint8Array.of(12, 0, 0, 0, 1, 1, 0)

describe("a batch with a right checksum", () => {
  it("and a record is one", () => {
    assert.deepStrictEqual(decode(assembled({}, plain)).records, [
      { offset: 0, timestamp: 1_001, key: null, value: null, headers: [] }
    ])
  })

  const wrong: ReadonlyArray<
    readonly [what: string, header: Partial<BatchHeader.BatchHeader>, records: ReadonlyArray<number>, reason: RegExp]
  > = [
    ["whose record is longer than the batch", {}, [14, 0, 0, 0, 1, 1, 0], /record 0 .* 7 bytes, and 6 there/],
    ["whose record is shorter than its parts", {}, [10, 0, 0, 0, 1, 1, 0], /record 0 .* 5 bytes with 6 in it/],
    ["whose record is longer than its parts", {}, [14, 0, 0, 0, 1, 1, 0, 0], /record 0 .* 7 bytes with 6 in it/],
    ["whose record has a negative length", {}, [13, 0, 0, 0, 1, 1, 0], /record 0 .* of -7 bytes/],
    ["whose key is longer than the batch", {}, [12, 0, 0, 0, 40, 1, 0], /record 0 .* 20 bytes expected, 2 there/],
    ["whose value is longer than the batch", {}, [12, 0, 0, 0, 1, 40, 0], /record 0 .* 20 bytes expected, 1 there/],
    ["whose headers are negative in number", {}, [12, 0, 0, 0, 1, 1, 1], /record 0 .* -1 headers/],
    ["whose headers are missing", {}, [12, 0, 0, 0, 1, 1, 2], /record 0 .* the bytes end/],
    ["whose header has no key", {}, [16, 0, 0, 0, 1, 1, 2, 1, 1], /record 0 .* a header without a key/],
    ["whose record is beyond the last offset", {}, [12, 0, 0, 2, 1, 1, 0], /record 0 .* offset 1 is beyond 0/],
    ["whose record is before the first offset", {}, [12, 0, 0, 1, 1, 1, 0], /record 0 .* offset -1 does not follow -1/],
    [
      "two of whose records have one offset",
      { count: 2, lastOffsetDelta: 1 },
      [...plain, ...plain],
      /record 1 .* offset 0 does not follow 0/
    ],
    ["with fewer records than it says", { count: 2, lastOffsetDelta: 1 }, [...plain], /record 1 .* the bytes end/],
    ["with more records than it says", {}, [...plain, ...plain], /7 bytes remain/],
    ["with bytes and no records", { count: 0 }, [0], /1 bytes remain/],
    ["with more records than offsets", { count: 2 }, [...plain, ...plain], /2 records do not fit .* of 0/],
    ["with fewer records than none", { count: -1 }, [], /-1 records/],
    ["with a negative last offset", { count: 0, lastOffsetDelta: -1 }, [], /of -1/],
    ["whose records are not compressed, but should be", { compression: "zstd" }, [...plain], /cannot be decompressed/]
  ]
  for (const [what, header, records, reason] of wrong) {
    it(`${what} is refused`, () => {
      const result = RecordBatch.decode(assembled(header, Uint8Array.from(records)))

      assert.isTrue(Result.isFailure(result))
      if (Result.isFailure(result)) {
        assert.match(InvalidBatch.describe(result.failure), reason)
        assert.strictEqual(InvalidBatch.errorOf(result.failure), "INVALID_RECORD")
      }
    })
  }

  it("of an unknown compression is refused", () => {
    const bytes = assembled({}, plain)
    // The last of the attributes.
    bytes[22] = 5

    assert.deepStrictEqual(BatchHeader.read(bytes), Result.fail({ _tag: "UnknownCompression", id: 5 }))
  })

  it("of an older format is refused", () => {
    const bytes = assembled({}, plain)
    bytes[16] = 1
    const result = RecordBatch.validate(bytes)

    assert.deepStrictEqual(result, Result.fail({ _tag: "UnsupportedMagic", magic: 1 }))
    assert.strictEqual(Result.isFailure(result) && InvalidBatch.errorOf(result.failure), "INVALID_RECORD")
  })

  it("with an offset beyond 2^53 is refused", () => {
    const bytes = assembled({}, plain)
    bytes[0] = 1
    const result = BatchHeader.read(bytes)

    assert.isTrue(Result.isFailure(result) && result.failure._tag === "HeaderOutOfRange")
  })

  it("that compaction went over is one in a log, and none from a producer", () => {
    const bytes = assembled({ lastOffsetDelta: 3, compression: "gzip", count: 0 }, new Uint8Array())

    assert.deepStrictEqual(decode(bytes).records, [])
    assert.deepStrictEqual(
      RecordBatch.validate(bytes),
      Result.fail({ _tag: "CountMismatch", count: 0, lastOffsetDelta: 3 })
    )
  })

  it("that would be too large is refused", () => {
    const bytes = RecordBatch.encode({
      ...small,
      compression: "zstd",
      records: [{ ...small.records[0]!, value: new Uint8Array(1_000_000) }]
    })
    const result = RecordBatch.decode(bytes, 100_000)

    assert.isBelow(bytes.length, 1_000)
    assert.strictEqual(
      Result.isFailure(result) && InvalidBatch.describe(result.failure),
      "the records, compressed with zstd, would have more than 100,000 bytes"
    )
    assert.isTrue(Result.isFailure(RecordBatch.validate(bytes, 100_000)))
  })
})

describe("a builder", () => {
  it("knows its size before each record, and is not above the bound", () => {
    fc.assert(fc.property(fc.array(support.record, { minLength: 1, maxLength: 20 }), (records) => {
      const builder = BatchBuilder.make("none", 0)
      for (const record of records) {
        const before = BatchBuilder.size(builder)
        const added = BatchBuilder.sizeOfNext(builder, record)
        BatchBuilder.append(builder, record)

        assert.strictEqual(BatchBuilder.size(builder), before + added)
        assert.isAtMost(BatchHeader.size + added, BatchBuilder.sizeUpperBound(record))
        assert.isAtLeast(BatchHeader.size + added + 20, BatchBuilder.sizeUpperBound(record))
      }

      assert.strictEqual(builder.count, records.length)
      assert.strictEqual(BatchBuilder.close(builder, small).length, BatchBuilder.size(builder))
    }))
  })

  it("has Kafka's overheads: 61 bytes a batch, 21 a record", () => {
    const empty = { timestamp: 0, key: null, value: null, headers: [] }

    assert.strictEqual(BatchBuilder.size(BatchBuilder.make("gzip", 0)), 61)
    // A length each for key, value and headers.
    assert.strictEqual(BatchBuilder.sizeUpperBound(empty), 61 + 21 + 3)
  })
})
