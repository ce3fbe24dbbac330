import { assert, describe, it } from "@effect/vitest"
import * as fc from "fast-check"
import { Bytes } from "../../src/wire/index.ts"

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex")

const written = (write: (out: Bytes.Writer) => void): Uint8Array => {
  const out = Bytes.writer(0)
  write(out)
  return Bytes.written(out)
}

interface Type {
  readonly name: string
  readonly write: (out: Bytes.Writer, value: number) => void
  readonly read: (from: Bytes.Reader) => number
  readonly min: number
  readonly max: number
  /** Where the length depends on the value. */
  readonly sizeOf?: (value: number) => number
  readonly vectors: ReadonlyArray<readonly [value: number, hex: string]>
}

const { MAX_SAFE_INTEGER, MIN_SAFE_INTEGER } = Number

// The vectors of variable length are from Kafka's ByteUtilsTest and the Protocol Buffers encoding guide.
const types: ReadonlyArray<Type> = [
  {
    name: "int8",
    write: Bytes.writeInt8,
    read: Bytes.readInt8,
    min: -(2 ** 7),
    max: 2 ** 7 - 1,
    vectors: [[-1, "ff"], [127, "7f"]]
  },
  {
    name: "int16",
    write: Bytes.writeInt16,
    read: Bytes.readInt16,
    min: -(2 ** 15),
    max: 2 ** 15 - 1,
    vectors: [[-1, "ffff"], [258, "0102"]]
  },
  {
    name: "int32",
    write: Bytes.writeInt32,
    read: Bytes.readInt32,
    min: -(2 ** 31),
    max: 2 ** 31 - 1,
    vectors: [[-1, "ffffffff"], [16_909_060, "01020304"]]
  },
  {
    name: "int64",
    write: Bytes.writeInt64,
    read: Bytes.readInt64,
    min: MIN_SAFE_INTEGER,
    max: MAX_SAFE_INTEGER,
    vectors: [
      [-1, "ffffffffffffffff"],
      [0, "0000000000000000"],
      [2 ** 32 - 1, "00000000ffffffff"],
      [-(2 ** 32), "ffffffff00000000"],
      [MAX_SAFE_INTEGER, "001fffffffffffff"],
      [MIN_SAFE_INTEGER, "ffe0000000000001"]
    ]
  },
  {
    name: "unsigned varint",
    write: Bytes.writeUnsignedVarint,
    read: Bytes.readUnsignedVarint,
    min: 0,
    max: 2 ** 32 - 1,
    sizeOf: Bytes.sizeOfUnsignedVarint,
    vectors: [
      [0, "00"],
      [127, "7f"],
      [128, "8001"],
      [300, "ac02"],
      [16_383, "ff7f"],
      [16_384, "808001"],
      [2_097_151, "ffff7f"],
      [2_097_152, "80808001"],
      [268_435_455, "ffffff7f"],
      [268_435_456, "8080808001"],
      [2 ** 32 - 1, "ffffffff0f"]
    ]
  },
  {
    name: "varint",
    write: Bytes.writeVarint,
    read: Bytes.readVarint,
    min: -(2 ** 31),
    max: 2 ** 31 - 1,
    sizeOf: Bytes.sizeOfVarint,
    vectors: [
      [0, "00"],
      [-1, "01"],
      [1, "02"],
      [63, "7e"],
      [-64, "7f"],
      [64, "8001"],
      [-65, "8101"],
      [8_191, "fe7f"],
      [-8_193, "818001"],
      [2 ** 31 - 1, "feffffff0f"],
      [-(2 ** 31), "ffffffff0f"]
    ]
  },
  {
    name: "varlong",
    write: Bytes.writeVarlong,
    read: Bytes.readVarlong,
    min: MIN_SAFE_INTEGER,
    max: MAX_SAFE_INTEGER,
    sizeOf: Bytes.sizeOfVarlong,
    vectors: [
      [0, "00"],
      [-1, "01"],
      [63, "7e"],
      [-64, "7f"],
      [2 ** 31 - 1, "feffffff0f"],
      [2 ** 31, "8080808010"],
      [-(2 ** 31) - 1, "8180808010"],
      [17_179_869_183, "feffffff7f"],
      [-17_179_869_184, "ffffffff7f"],
      [17_179_869_184, "808080808001"],
      [2_199_023_255_551, "feffffffff7f"],
      [281_474_976_710_655, "feffffffffff7f"],
      [MAX_SAFE_INTEGER, "feffffffffffff1f"],
      [MIN_SAFE_INTEGER, "fdffffffffffff1f"]
    ]
  }
]

for (const { max, min, name, read, sizeOf, vectors, write } of types) {
  describe(name, () => {
    for (const [value, bytes] of vectors) {
      it(`${value} is ${bytes}`, () => {
        assert.strictEqual(hex(written((out) => write(out, value))), bytes)
        assert.strictEqual(read(Bytes.reader(Buffer.from(bytes, "hex"))), value)
      })
    }

    const values = fc.oneof(fc.integer({ min, max }), fc.integer({ min: Math.max(min, -300), max: Math.min(max, 300) }))

    it("reads what it has written, and no further", () => {
      fc.assert(fc.property(values, (value) => {
        const bytes = written((out) => {
          write(out, value)
          Bytes.writeInt8(out, 7)
        })
        const from = Bytes.reader(bytes)

        assert.strictEqual(read(from), value)
        assert.strictEqual(from.position, bytes.length - 1)
        if (sizeOf !== undefined) assert.strictEqual(sizeOf(value), bytes.length - 1)
      }))
    })

    it("is refused where its bytes end early, wherever that is", () => {
      fc.assert(fc.property(values, (value) => {
        const bytes = written((out) => write(out, value))
        for (let end = 0; end < bytes.length; end++) {
          const from = Bytes.reader(bytes, 0, end)
          assert.throws(() => read(from), Bytes.MalformedError)
          assert.strictEqual(from.position, 0)
        }
      }))
    })
  })
}

describe("uint32", () => {
  it("has no sign", () => {
    assert.strictEqual(Bytes.readUint32(Bytes.reader(Uint8Array.of(255, 255, 255, 254))), 2 ** 32 - 2)
  })
})

describe("what is no number here", () => {
  const table: ReadonlyArray<readonly [what: string, read: (from: Bytes.Reader) => number, hex: string]> = [
    ["an int64 of 2^53", Bytes.readInt64, "0020000000000000"],
    ["an int64 of -2^53", Bytes.readInt64, "ffe0000000000000"],
    ["the largest int64", Bytes.readInt64, "7fffffffffffffff"],
    ["a varlong of 2^53", Bytes.readVarlong, "8080808080808020"],
    ["a varlong of -2^53", Bytes.readVarlong, "ffffffffffffff1f"],
    ["the largest varlong", Bytes.readVarlong, "feffffffffffffffff01"],
    ["a varlong with more than 64 bits", Bytes.readVarlong, "ffffffffffffffffff02"],
    ["a varlong of 11 bytes", Bytes.readVarlong, "8080808080808080808001"],
    ["an unsigned varint with more than 32 bits", Bytes.readUnsignedVarint, "ffffffff10"],
    ["an unsigned varint of 6 bytes", Bytes.readUnsignedVarint, "808080808001"],
    ["a varint with more than 32 bits", Bytes.readVarint, "ffffffff1f"]
  ]
  for (const [what, read, bytes] of table) {
    it(`${what} is refused`, () => {
      assert.throws(() => read(Bytes.reader(Buffer.from(bytes, "hex"))), Bytes.MalformedError)
    })
  }
})

describe("bytes", () => {
  it("come back, as views that are no buffers", () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 100 }), fc.uint8Array({ maxLength: 100 }), (first, second) => {
      const bytes = written((out) => {
        Bytes.writeBytes(out, first)
        Bytes.writeBytes(out, second)
      })
      const from = Bytes.reader(Buffer.from(bytes))

      assert.deepStrictEqual(Bytes.readBytes(from, first.length), first)
      assert.deepStrictEqual(Bytes.readBytes(from, second.length), second)
      assert.throws(() => Bytes.readBytes(from, 1), Bytes.MalformedError)
    }))
  })

  it("of a part are read from that part", () => {
    const whole = Uint8Array.of(9, 9, 1, 2, 3, 9)
    const from = Bytes.reader(whole.subarray(2, 5))

    Bytes.skip(from, 1)

    assert.deepStrictEqual(Bytes.readBytes(from, 2), Uint8Array.of(2, 3))
    assert.throws(() => Bytes.skip(from, 1), Bytes.MalformedError)
  })
})
