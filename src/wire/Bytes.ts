/**
 * Reading and writing the primitive types of Kafka's protocol: big-endian integers, and variable-length ones, 7 bits a
 * byte, lowest first.
 *
 * An int64 is a JavaScript number here; offsets, producer ids and timestamps are far below 2^53. A value that is not is
 * refused when it is read, rather than rounded. Readers and writers are mutable, since millions of records pass through
 * them.
 */
import { Data } from "effect"

/** The bytes end too early, or say what cannot be. */
export class MalformedError extends Data.TaggedError("MalformedError")<{
  /** Where, from the start of what was read. */
  readonly position: number
  readonly message: string
}> {}

/** Bytes that grow. What has been written are the first `position` of `bytes`. */
export interface Writer {
  bytes: Uint8Array
  view: DataView
  position: number
}

/** Reads `bytes` from `position` up to `end`. */
export interface Reader {
  readonly bytes: Uint8Array
  readonly view: DataView
  readonly end: number
  position: number
}

const HIGH = 2 ** 32
/** What the first 4 bytes of a variable-length integer hold. */
const LOW = 2 ** 28

const viewOf = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)

export const writer = (capacity: number): Writer => {
  const bytes = new Uint8Array(capacity)
  return { bytes, view: viewOf(bytes), position: 0 }
}

export const reader = (bytes: Uint8Array, position = 0, end = bytes.length): Reader => ({
  bytes,
  view: viewOf(bytes),
  end,
  position
})

/** What has been written, without a copy; writing on may change it. */
export const written = ({ bytes, position }: Writer): Uint8Array => bytes.subarray(0, position)

const grow = (out: Writer, needed: number): void => {
  const bytes = new Uint8Array(Math.max(needed, out.bytes.length * 2))
  bytes.set(written(out))
  out.bytes = bytes
  out.view = viewOf(bytes)
}

/** Makes room for `count` more bytes, so that the writes up to there need not ask. */
export const reserve = (out: Writer, count: number): void => {
  if (out.position + count > out.bytes.length) grow(out, out.position + count)
}

/** Moves on by `count` and answers where it was. The view may be another one afterwards. */
const advance = (out: Writer, count: number): number => {
  reserve(out, count)
  const at = out.position
  out.position = at + count
  return at
}

export const writeInt8 = (out: Writer, value: number): void => {
  const at = advance(out, 1)
  out.view.setInt8(at, value)
}

export const writeInt16 = (out: Writer, value: number): void => {
  const at = advance(out, 2)
  out.view.setInt16(at, value)
}

export const writeInt32 = (out: Writer, value: number): void => {
  const at = advance(out, 4)
  out.view.setInt32(at, value)
}

/** Sets an int64 that is a safe integer. */
export const setInt64 = (view: DataView, at: number, value: number): void => {
  view.setInt32(at, Math.floor(value / HIGH))
  view.setUint32(at + 4, value >>> 0)
}

export const writeInt64 = (out: Writer, value: number): void => {
  const at = advance(out, 8)
  setInt64(out.view, at, value)
}

export const writeFloat64 = (out: Writer, value: number): void => {
  const at = advance(out, 8)
  out.view.setFloat64(at, value)
}

/** Writes an integer of 0 to 2^32 - 1. */
export const writeUnsignedVarint = (out: Writer, value: number): void => {
  reserve(out, 5)
  const { bytes } = out
  let at = out.position
  let rest = value >>> 0
  while (rest > 0x7f) {
    bytes[at++] = (rest & 0x7f) | 0x80
    rest >>>= 7
  }
  bytes[at++] = rest
  out.position = at
}

/** Writes an int32 so that small ones are short, whatever their sign. */
export const writeVarint = (out: Writer, value: number): void => writeUnsignedVarint(out, (value << 1) ^ (value >> 31))

/** Writes a safe integer so that small ones are short, whatever their sign. */
export const writeVarlong = (out: Writer, value: number): void => {
  if (value === (value | 0)) return writeVarint(out, value)
  // Zigzag by arithmetic, as the sum has up to 54 bits: 28 go into 4 bytes, and what is left fits the unsigned varint.
  const half = value < 0 ? -value - 1 : value
  const high = Math.floor(half / (LOW / 2))
  let low = (half % (LOW / 2)) * 2 + (value < 0 ? 1 : 0)
  reserve(out, 4)
  for (let count = 0; count < 4; count++) {
    out.bytes[out.position++] = (low & 0x7f) | 0x80
    low >>>= 7
  }
  writeUnsignedVarint(out, high)
}

/** Below this many bytes a loop is faster than the call that copies. */
const FEW = 24

export const writeBytes = (out: Writer, value: Uint8Array): void => {
  const { length } = value
  const at = advance(out, length)
  if (length >= FEW) return out.bytes.set(value, at)
  const { bytes } = out
  for (let index = 0; index < length; index++) bytes[at + index] = value[index]!
}

export const sizeOfUnsignedVarint = (value: number): number => {
  const rest = value >>> 0
  return rest < 0x80 ? 1 : rest < 0x4000 ? 2 : rest < 0x20_0000 ? 3 : rest < 0x1000_0000 ? 4 : 5
}

export const sizeOfVarint = (value: number): number => sizeOfUnsignedVarint((value << 1) ^ (value >> 31))

export const sizeOfVarlong = (value: number): number =>
  value === (value | 0)
    ? sizeOfVarint(value)
    : 4 + sizeOfUnsignedVarint(Math.floor((value < 0 ? -value - 1 : value) / (LOW / 2)))

const malformed = (position: number, message: string): MalformedError => new MalformedError({ position, message })

/** Moves on by `count` and answers where it was. */
const take = (from: Reader, count: number): number => {
  const at = from.position
  if (count > from.end - at) throw malformed(at, `${count} bytes expected, ${from.end - at} there`)
  from.position = at + count
  return at
}

export const readInt8 = (from: Reader): number => from.view.getInt8(take(from, 1))
export const readInt16 = (from: Reader): number => from.view.getInt16(take(from, 2))
export const readInt32 = (from: Reader): number => from.view.getInt32(take(from, 4))
export const readUint32 = (from: Reader): number => from.view.getUint32(take(from, 4))

export const readInt64 = (from: Reader): number => {
  const at = take(from, 8)
  const value = from.view.getInt32(at) * HIGH + from.view.getUint32(at + 4)
  if (!Number.isSafeInteger(value)) throw malformed(at, `an int64 beyond 2^53: ${from.view.getBigInt64(at)}`)
  return value
}

export const readFloat64 = (from: Reader): number => from.view.getFloat64(take(from, 8))

/** Reads an integer of 0 to 2^32 - 1. */
export const readUnsignedVarint = (from: Reader): number => {
  const { bytes, end, position: start } = from
  let at = start
  let value = 0
  for (let shift = 0; shift < 35; shift += 7) {
    if (at >= end) throw malformed(at, "the bytes end within an integer of variable length")
    const byte = bytes[at++]!
    value |= (byte & 0x7f) << shift
    if (byte < 0x80) {
      if (shift === 28 && byte > 0x0f) break
      from.position = at
      return value >>> 0
    }
  }
  throw malformed(start, "an integer of variable length with more than 32 bits")
}

/** Reads an int32 that `writeVarint` has written. */
export const readVarint = (from: Reader): number => {
  const { bytes, position } = from
  // Most are one byte long.
  if (position < from.end) {
    const byte = bytes[position]!
    if (byte < 0x80) {
      from.position = position + 1
      return (byte >> 1) ^ -(byte & 1)
    }
  }
  const value = readUnsignedVarint(from)
  return (value >>> 1) ^ -(value & 1)
}

/** Reads an int64 that `writeVarlong` has written. */
export const readVarlong = (from: Reader): number => {
  const { bytes, end, position: start } = from
  let at = start
  // The first 28 bits and the other 36 apart, as together they would be rounded.
  let low = 0
  let high = 0
  let scale = 1
  for (let count = 0; count < 10; count++) {
    if (at >= end) throw malformed(at, "the bytes end within an integer of variable length")
    const byte = bytes[at++]!
    if (count < 4) {
      low |= (byte & 0x7f) << (7 * count)
    } else {
      high += (byte & 0x7f) * scale
      scale *= 0x80
    }
    if (byte < 0x80) {
      const half = high * (LOW / 2) + (low >>> 1)
      if (half > Number.MAX_SAFE_INTEGER - (low & 1)) throw malformed(start, "an int64 beyond 2^53")
      from.position = at
      return (low & 1) === 0 ? half : -half - 1
    }
  }
  throw malformed(start, "an integer of variable length with more than 64 bits")
}

/** A part of `bytes` without a copy; never a `Buffer`, even of one. */
export const slice = (bytes: Uint8Array, start: number, length: number): Uint8Array =>
  new Uint8Array(bytes.buffer, bytes.byteOffset + start, length)

/** Reads bytes without a copy. */
export const readBytes = (from: Reader, length: number): Uint8Array => slice(from.bytes, take(from, length), length)

export const skip = (from: Reader, length: number): void => {
  take(from, length)
}
