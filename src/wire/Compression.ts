/**
 * The compression of the records of a batch: Kafka's `CompressionType`.
 *
 * Snappy is framed as the library of xerial does it for Java, and read without a frame too, as other clients write it;
 * lz4 is one frame of its frame format. What is decompressed has a limit, which is known to be kept before memory is
 * taken: a few kilobytes can stand for gigabytes.
 */
import { Result } from "effect"
import lz4 from "lz4-napi"
import * as zlib from "node:zlib"
import snappy from "snappy"
import * as Bytes from "./Bytes.ts"

/** In the order of Kafka's ids, from 0. */
export const codecs = ["none", "gzip", "snappy", "lz4", "zstd"] as const

/** `compression.type` by its name. */
export type Codec = (typeof codecs)[number]

/** Its id in the attributes of a batch: 0 to 4. */
export const idOf = (codec: Codec): number => codecs.indexOf(codec)

/** The codec of an id; `undefined` if there is none. */
export const codecOf = (id: number): Codec | undefined => codecs[id]

/** Compressed bytes that cannot be had back. */
export type Failure =
  | { readonly _tag: "DecompressionFailed"; readonly codec: Codec; readonly reason: string }
  /** They would be more than `limit` bytes. */
  | { readonly _tag: "DecompressedTooLarge"; readonly codec: Codec; readonly limit: number }

/** More than a batch can sensibly hold: the largest that Kafka lets through by default has 1 MiB compressed. */
export const defaultLimit = 256 * 1024 * 1024

/** Thrown within this module only. */
class TooLarge extends Error {}

const asBuffer = (bytes: Uint8Array): Buffer => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)

const XERIAL_MAGIC = Uint8Array.of(0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0)
/** Magic, version and the oldest version that can read it. */
const XERIAL_HEADER_SIZE = 16
const XERIAL_VERSION = 1
/** Of `SnappyOutputStream` in Kafka. */
const XERIAL_BLOCK_SIZE = 32 * 1024

const compressSnappy = (bytes: Uint8Array): Uint8Array => {
  const out = Bytes.writer(XERIAL_HEADER_SIZE + (bytes.length >> 1))
  Bytes.writeBytes(out, XERIAL_MAGIC)
  Bytes.writeInt32(out, XERIAL_VERSION)
  Bytes.writeInt32(out, XERIAL_VERSION)
  for (let at = 0; at < bytes.length; at += XERIAL_BLOCK_SIZE) {
    const block = snappy.compressSync(bytes.subarray(at, at + XERIAL_BLOCK_SIZE))
    Bytes.writeInt32(out, block.length)
    Bytes.writeBytes(out, block)
  }
  return Bytes.written(out)
}

/** A block of snappy begins with its size. */
const sizeOfSnappyBlock = (block: Uint8Array): number => Bytes.readUnsignedVarint(Bytes.reader(block))

const decompressSnappy = (bytes: Uint8Array, limit: number): Uint8Array => {
  const blocks: Array<Uint8Array> = []
  if (XERIAL_MAGIC.every((byte, index) => bytes[index] === byte)) {
    const from = Bytes.reader(bytes)
    Bytes.skip(from, XERIAL_HEADER_SIZE)
    while (from.position < from.end) blocks.push(Bytes.readBytes(from, Bytes.readUint32(from)))
  } else {
    blocks.push(bytes)
  }
  const sizes = blocks.map(sizeOfSnappyBlock)
  if (sizes.reduce((sum, size) => sum + size, 0) > limit) throw new TooLarge()
  return Buffer.concat(blocks.map((block) => snappy.uncompressSync(block, { asBuffer: true }) as Buffer))
}

const LZ4_MAGIC = 0x184d_2204
/** The bits of the descriptor that say which fields there are. */
const LZ4_BLOCK_CHECKSUM = 0x10
const LZ4_CONTENT_SIZE = 0x08
const LZ4_SHORTEST_MATCH = 4

/** A length that goes on in further bytes where the nibble is full. */
const readLz4Length = (from: Bytes.Reader, nibble: number): number => {
  let length = nibble
  if (nibble < 15) return length
  for (;;) {
    const byte = Bytes.readInt8(from) & 0xff
    length += byte
    if (byte < 255) return length
  }
}

/** How many bytes a block stands for, found by walking over its sequences without carrying them out. */
const sizeOfLz4Block = (from: Bytes.Reader): number => {
  let size = 0
  while (from.position < from.end) {
    const token = Bytes.readInt8(from) & 0xff
    const literals = readLz4Length(from, token >> 4)
    Bytes.skip(from, literals)
    size += literals
    if (from.position === from.end) break
    Bytes.skip(from, 2)
    size += readLz4Length(from, token & 0x0f) + LZ4_SHORTEST_MATCH
  }
  return size
}

const readLittleEndian = (from: Bytes.Reader): number => {
  const at = from.position
  Bytes.skip(from, 4)
  return from.view.getUint32(at, true)
}

/**
 * How many bytes a frame stands for. The library would take the memory first. Whether all else is sound is left to it.
 */
const sizeOfLz4Frame = (bytes: Uint8Array): number => {
  const from = Bytes.reader(bytes)
  if (readLittleEndian(from) !== LZ4_MAGIC) throw new Error("no frame of lz4")
  const flags = Bytes.readInt8(from)
  const after = (flag: number, length: number): number => (flags & flag) === 0 ? 0 : length
  // The size of blocks, the checksum of the descriptor, and what lies between.
  Bytes.skip(from, 2 + after(LZ4_CONTENT_SIZE, 8))
  let size = 0
  for (;;) {
    const block = readLittleEndian(from)
    if (block === 0) return size
    const length = block & 0x7fff_ffff
    const start = from.position
    Bytes.skip(from, length + after(LZ4_BLOCK_CHECKSUM, 4))
    size += length === block ? sizeOfLz4Block(Bytes.reader(bytes, start, start + length)) : length
  }
}

const decompressLz4 = (bytes: Uint8Array, limit: number): Uint8Array => {
  if (sizeOfLz4Frame(bytes) > limit) throw new TooLarge()
  return lz4.decompressFrameSync(asBuffer(bytes))
}

/** What `compress` makes can be read by any client. */
export const compress = (codec: Codec, bytes: Uint8Array): Uint8Array => {
  switch (codec) {
    case "none":
      return bytes
    case "gzip":
      return zlib.gzipSync(bytes)
    case "snappy":
      return compressSnappy(bytes)
    case "lz4":
      return lz4.compressFrameSync(asBuffer(bytes))
    case "zstd":
      return zlib.zstdCompressSync(bytes)
  }
}

const decompressUnsafe = (codec: Codec, bytes: Uint8Array, limit: number): Uint8Array => {
  switch (codec) {
    case "none":
      if (bytes.length > limit) throw new TooLarge()
      return bytes
    case "gzip":
      return zlib.gunzipSync(bytes, { maxOutputLength: limit })
    case "snappy":
      return decompressSnappy(bytes, limit)
    case "lz4":
      return decompressLz4(bytes, limit)
    case "zstd":
      return zlib.zstdDecompressSync(bytes, { maxOutputLength: limit })
  }
}

const isTooLarge = (cause: unknown): boolean =>
  cause instanceof TooLarge
  || (cause instanceof Error && "code" in cause && cause.code === "ERR_BUFFER_TOO_LARGE")

/** The bytes that were compressed, `limit` of them at most; with `none` the same bytes, not a copy. */
export const decompress = (
  codec: Codec,
  bytes: Uint8Array,
  limit: number
): Result.Result<Uint8Array, Failure> => {
  try {
    return Result.succeed(decompressUnsafe(codec, bytes, limit))
  } catch (cause) {
    return Result.fail(
      isTooLarge(cause)
        ? { _tag: "DecompressedTooLarge", codec, limit }
        : { _tag: "DecompressionFailed", codec, reason: cause instanceof Error ? cause.message : String(cause) }
    )
  }
}
