import { assert, describe, it } from "@effect/vitest"
import * as fc from "fast-check"
import { Crc32c } from "../../src/wire/index.ts"

/** Bit by bit, as the definition has it. */
const byDefinition = (bytes: Uint8Array): number => {
  let crc = 0xffff_ffff
  for (const byte of bytes) {
    crc ^= byte
    for (let bit = 0; bit < 8; bit++) crc = (crc & 1) === 0 ? crc >>> 1 : (crc >>> 1) ^ 0x82f6_3b78
  }
  return ~crc >>> 0
}

describe("CRC-32C", () => {
  const ascending = Uint8Array.from({ length: 32 }, (_, index) => index)
  // RFC 3720, appendix B.4, and the check value of the catalogue of CRCs.
  const vectors: ReadonlyArray<readonly [what: string, bytes: Uint8Array, crc: number]> = [
    ["nothing", new Uint8Array(), 0],
    ["123456789", new TextEncoder().encode("123456789"), 0xe306_9283],
    ["32 bytes of zeroes", new Uint8Array(32), 0x8a91_36aa],
    ["32 bytes of ones", new Uint8Array(32).fill(255), 0x62a8_ab43],
    ["32 bytes that ascend", ascending, 0x46dd_794e],
    ["32 bytes that descend", ascending.toReversed(), 0x113f_db5c],
    [
      "an iSCSI read command",
      Buffer.from(
        "01c00000000000000000000000000000140000000000040000000014000000182800000000000000" + "0200000000000000",
        "hex"
      ),
      0xd996_3a56
    ]
  ]
  for (const [what, bytes, crc] of vectors) {
    it(`of ${what} is ${crc.toString(16)}`, () => {
      assert.strictEqual(Crc32c.compute(bytes), crc)
    })
  }

  it("is what the definition says, of any part of any bytes", () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 70 }), fc.nat(70), fc.nat(70), (bytes, one, other) => {
      const start = Math.min(one, other, bytes.length)
      const end = Math.min(Math.max(one, other), bytes.length)

      assert.strictEqual(Crc32c.compute(bytes, start, end), byDefinition(bytes.slice(start, end)))
      assert.strictEqual(Crc32c.compute(bytes.subarray(start), 0, end - start), byDefinition(bytes.slice(start, end)))
    }))
  })
})
