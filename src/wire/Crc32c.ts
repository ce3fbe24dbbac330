/**
 * CRC-32C (Castagnoli), the checksum of record batches. RFC 3720, appendix B.4; Java's `java.util.zip.CRC32C`.
 *
 * Eight bytes at a time ("slicing by 8", Kounavis and Berry 2008): table k says what a byte does that k more bytes follow.
 */

/** The polynomial 0x1EDC6F41, lowest bit first. */
const POLYNOMIAL = 0x82f6_3b78
const SLICES = 8

const tables = ((): Int32Array => {
  const filled = new Int32Array(SLICES * 256)
  for (let byte = 0; byte < 256; byte++) {
    let crc = byte
    for (let bit = 0; bit < 8; bit++) crc = (crc & 1) === 0 ? crc >>> 1 : (crc >>> 1) ^ POLYNOMIAL
    filled[byte] = crc
  }
  for (let index = 256; index < filled.length; index++) {
    const before = filled[index - 256]!
    filled[index] = (before >>> 8) ^ filled[before & 0xff]!
  }
  return filled
})()

/** The checksum of `bytes` from `start` up to `end`: 0 to 2^32 - 1. */
export const compute = (bytes: Uint8Array, start = 0, end = bytes.length): number => {
  const table = tables
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  let crc = -1
  let at = start
  for (const last = end - SLICES; at <= last; at += SLICES) {
    const low = view.getInt32(at, true) ^ crc
    const high = view.getInt32(at + 4, true)
    crc = table[1792 + (low & 0xff)]!
      ^ table[1536 + ((low >>> 8) & 0xff)]!
      ^ table[1280 + ((low >>> 16) & 0xff)]!
      ^ table[1024 + (low >>> 24)]!
      ^ table[768 + (high & 0xff)]!
      ^ table[512 + ((high >>> 8) & 0xff)]!
      ^ table[256 + ((high >>> 16) & 0xff)]!
      ^ table[high >>> 24]!
  }
  while (at < end) crc = (crc >>> 8) ^ table[(crc ^ bytes[at++]!) & 0xff]!
  return ~crc >>> 0
}
