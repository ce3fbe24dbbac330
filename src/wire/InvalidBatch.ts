/**
 * What can be wrong with bytes that should be a record batch, and what a broker answers to it.
 */
import type { Codec, Failure } from "./Compression.ts"

export type InvalidBatch =
  /** Not even the header is there. */
  | { readonly _tag: "HeaderIncomplete"; readonly size: number }
  /** The batch says that it is longer or shorter than the bytes are. */
  | { readonly _tag: "SizeMismatch"; readonly declared: number; readonly actual: number }
  /** Message formats 0 and 1, or none. */
  | { readonly _tag: "UnsupportedMagic"; readonly magic: number }
  | { readonly _tag: "ChecksumMismatch"; readonly stored: number; readonly computed: number }
  | { readonly _tag: "UnknownCompression"; readonly id: number }
  /** An int64 of the header that no offset, producer id or timestamp has. */
  | { readonly _tag: "HeaderOutOfRange"; readonly reason: string }
  /** No such number of records fits the offsets. */
  | { readonly _tag: "CountMismatch"; readonly count: number; readonly lastOffsetDelta: number }
  /** `index` counts from 0. */
  | { readonly _tag: "InvalidRecord"; readonly index: number; readonly reason: string }
  /** There is more after the last record. */
  | { readonly _tag: "RecordsRemaining"; readonly bytes: number }
  | Failure

const size = (bytes: number): string => `${bytes.toLocaleString("en-US")} bytes`
const hex = (crc: number): string => `0x${crc.toString(16).padStart(8, "0")}`
const compressed = (codec: Codec): string => codec === "none" ? "the records" : `the records, compressed with ${codec},`

/** What is wrong, for a person. */
export const describe = (invalid: InvalidBatch): string => {
  switch (invalid._tag) {
    case "HeaderIncomplete":
      return `a batch has a header of 61 bytes, and here are only ${invalid.size}`
    case "SizeMismatch":
      return `the batch says it has ${size(invalid.declared)}, and here are ${size(invalid.actual)}`
    case "UnsupportedMagic":
      return `magic ${invalid.magic}: only record batches of format 2 are supported`
    case "ChecksumMismatch":
      return `the checksum is ${hex(invalid.stored)}, that of the bytes ${hex(invalid.computed)}`
    case "UnknownCompression":
      return `there is no compression type ${invalid.id}`
    case "HeaderOutOfRange":
      return `the header is out of range: ${invalid.reason}`
    case "CountMismatch":
      return `${invalid.count} records do not fit a last offset delta of ${invalid.lastOffsetDelta}`
    case "InvalidRecord":
      return `record ${invalid.index} is malformed: ${invalid.reason}`
    case "RecordsRemaining":
      return `${size(invalid.bytes)} remain after the last record`
    case "DecompressionFailed":
      return `${compressed(invalid.codec)} cannot be decompressed: ${invalid.reason}`
    case "DecompressedTooLarge":
      return `${compressed(invalid.codec)} would have more than ${size(invalid.limit)}`
  }
}

/**
 * The error that a broker answers with. Damage on the way, which a client may mend by sending again, is
 * `CorruptRecordException`; what the checksum vouches for and is still no batch is `InvalidRecordException`.
 */
export const errorOf = (invalid: InvalidBatch): "CORRUPT_MESSAGE" | "INVALID_RECORD" => {
  switch (invalid._tag) {
    case "HeaderIncomplete":
    case "SizeMismatch":
    case "ChecksumMismatch":
      return "CORRUPT_MESSAGE"
    default:
      return "INVALID_RECORD"
  }
}
