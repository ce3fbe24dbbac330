/**
 * The 61 bytes before the records of a batch of format 2. Kafka's `DefaultRecordBatch`:
 *
 *     BaseOffset int64, Length int32, PartitionLeaderEpoch int32, Magic int8, CRC uint32, Attributes int16,
 *     LastOffsetDelta int32, BaseTimestamp int64, MaxTimestamp int64, ProducerId int64, ProducerEpoch int16,
 *     BaseSequence int32, RecordsCount int32
 *
 * The length counts from after itself. The checksum covers everything from the attributes on, so that a broker can assign
 * offset and leader epoch without computing it anew.
 */
import { Result } from "effect"
import * as Bytes from "./Bytes.ts"
import * as Compression from "./Compression.ts"
import * as Crc32c from "./Crc32c.ts"
import type { InvalidBatch } from "./InvalidBatch.ts"

const BASE_OFFSET = 0
const LENGTH = 8
const PARTITION_LEADER_EPOCH = 12
const MAGIC = 16
const CRC = 17
const ATTRIBUTES = 21
const LAST_OFFSET_DELTA = 23
const BASE_TIMESTAMP = 27
const MAX_TIMESTAMP = 35
const PRODUCER_ID = 43
const PRODUCER_EPOCH = 51
const BASE_SEQUENCE = 53
const COUNT = 57

/** Bytes before the first record. `RECORD_BATCH_OVERHEAD`. */
export const size = 61

/** Base offset and length, which the length does not count. `LOG_OVERHEAD`. */
const LOG_OVERHEAD = 12
const CURRENT_MAGIC = 2

const COMPRESSION_MASK = 0x07
const LOG_APPEND_TIME = 0x08
const TRANSACTIONAL = 0x10
const CONTROL = 0x20

/** Who sent a batch. -1 in all three for a producer without idempotence. */
export interface ProducerState {
  readonly producerId: number
  readonly producerEpoch: number
  /** Of the first record; -1 in control batches too. */
  readonly baseSequence: number
}

export const noProducer: ProducerState = { producerId: -1, producerEpoch: -1, baseSequence: -1 }

export interface BatchHeader extends ProducerState {
  /** Of the first record; 0 on the way to the broker. */
  readonly baseOffset: number
  /** -1 on the way to the broker. */
  readonly partitionLeaderEpoch: number
  readonly compression: Compression.Codec
  /** Whose clock the timestamps are from. With `LogAppendTime` every record has `maxTimestamp`. */
  readonly timestampType: "CreateTime" | "LogAppendTime"
  readonly isTransactional: boolean
  readonly isControl: boolean
  /** The offset of the last record, from the base offset; also that of its sequence. Compaction keeps it. */
  readonly lastOffsetDelta: number
  /** That the timestamps of the records count from, in ms since 1970; -1 for none. */
  readonly baseTimestamp: number
  /** The largest of the records. */
  readonly maxTimestamp: number
  /** Records in the batch; 0 where compaction has left the header alone. */
  readonly count: number
}

const viewOf = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)

const writeChecksum = (bytes: Uint8Array, view: DataView): void =>
  view.setUint32(CRC, Crc32c.compute(bytes, ATTRIBUTES))

/** Fills the first 61 of `bytes`, which are one whole batch with its records in place. */
export const write = (bytes: Uint8Array, header: BatchHeader): void => {
  const view = viewOf(bytes)
  Bytes.setInt64(view, BASE_OFFSET, header.baseOffset)
  view.setInt32(LENGTH, bytes.length - LOG_OVERHEAD)
  view.setInt32(PARTITION_LEADER_EPOCH, header.partitionLeaderEpoch)
  view.setInt8(MAGIC, CURRENT_MAGIC)
  view.setInt16(
    ATTRIBUTES,
    Compression.idOf(header.compression)
      | (header.timestampType === "LogAppendTime" ? LOG_APPEND_TIME : 0)
      | (header.isTransactional ? TRANSACTIONAL : 0)
      | (header.isControl ? CONTROL : 0)
  )
  view.setInt32(LAST_OFFSET_DELTA, header.lastOffsetDelta)
  Bytes.setInt64(view, BASE_TIMESTAMP, header.baseTimestamp)
  Bytes.setInt64(view, MAX_TIMESTAMP, header.maxTimestamp)
  Bytes.setInt64(view, PRODUCER_ID, header.producerId)
  view.setInt16(PRODUCER_EPOCH, header.producerEpoch)
  view.setInt32(BASE_SEQUENCE, header.baseSequence)
  view.setInt32(COUNT, header.count)
  writeChecksum(bytes, view)
}

/**
 * Reads the header of `bytes`, which must be exactly one batch. Sizes, magic, codec and counts are checked; the checksum is
 * not, since a broker checks it once, when the batch comes in.
 */
export const read = (bytes: Uint8Array): Result.Result<BatchHeader, InvalidBatch> => {
  if (bytes.length < size) return Result.fail({ _tag: "HeaderIncomplete", size: bytes.length })
  const from = Bytes.reader(bytes)
  const { view } = from
  const declared = view.getInt32(LENGTH) + LOG_OVERHEAD
  if (declared !== bytes.length) return Result.fail({ _tag: "SizeMismatch", declared, actual: bytes.length })
  const magic = view.getInt8(MAGIC)
  if (magic !== CURRENT_MAGIC) return Result.fail({ _tag: "UnsupportedMagic", magic })
  const attributes = view.getInt16(ATTRIBUTES)
  const id = attributes & COMPRESSION_MASK
  const compression = Compression.codecOf(id)
  if (compression === undefined) return Result.fail({ _tag: "UnknownCompression", id })
  const lastOffsetDelta = view.getInt32(LAST_OFFSET_DELTA)
  const count = view.getInt32(COUNT)
  if (lastOffsetDelta < 0 || count < 0 || count > lastOffsetDelta + 1) {
    return Result.fail({ _tag: "CountMismatch", count, lastOffsetDelta })
  }
  const int64 = (position: number): number => {
    from.position = position
    return Bytes.readInt64(from)
  }
  try {
    return Result.succeed({
      baseOffset: int64(BASE_OFFSET),
      partitionLeaderEpoch: view.getInt32(PARTITION_LEADER_EPOCH),
      compression,
      timestampType: (attributes & LOG_APPEND_TIME) === 0 ? "CreateTime" : "LogAppendTime",
      isTransactional: (attributes & TRANSACTIONAL) !== 0,
      isControl: (attributes & CONTROL) !== 0,
      lastOffsetDelta,
      baseTimestamp: int64(BASE_TIMESTAMP),
      maxTimestamp: int64(MAX_TIMESTAMP),
      producerId: int64(PRODUCER_ID),
      producerEpoch: view.getInt16(PRODUCER_EPOCH),
      baseSequence: view.getInt32(BASE_SEQUENCE),
      count
    })
  } catch (cause) {
    if (cause instanceof Bytes.MalformedError) {
      return Result.fail({ _tag: "HeaderOutOfRange", reason: cause.message })
    }
    throw cause
  }
}

/**
 * Cuts the records of a Produce or Fetch into batches, as views. What is left at the end is the last: less than a batch in a
 * Fetch, whose answer may be cut off anywhere.
 */
export const split = (
  records: Uint8Array
): { readonly batches: ReadonlyArray<Uint8Array>; readonly rest: Uint8Array } => {
  const view = viewOf(records)
  const batches: Array<Uint8Array> = []
  let at = 0
  while (records.length - at >= size) {
    const length = view.getInt32(at + LENGTH) + LOG_OVERHEAD
    if (length < size || length > records.length - at) break
    batches.push(records.subarray(at, at += length))
  }
  return { batches, rest: records.subarray(at) }
}

/** The checksum that is stored and that of the bytes, where they differ. The header must be there. */
export const checksumMismatch = (bytes: Uint8Array): InvalidBatch | undefined => {
  const stored = viewOf(bytes).getUint32(CRC)
  const computed = Crc32c.compute(bytes, ATTRIBUTES)
  return stored === computed ? undefined : { _tag: "ChecksumMismatch", stored, computed }
}

/** A copy of a batch at another offset, as the leader of this epoch appends it. The checksum stays. */
export const withBaseOffset = (bytes: Uint8Array, baseOffset: number, partitionLeaderEpoch: number): Uint8Array => {
  const copy = new Uint8Array(bytes)
  const view = viewOf(copy)
  Bytes.setInt64(view, BASE_OFFSET, baseOffset)
  view.setInt32(PARTITION_LEADER_EPOCH, partitionLeaderEpoch)
  return copy
}

/** A copy of a batch from another producer. `MemoryRecordsBuilder.reopenAndRewriteProducerState`. */
export const withProducerState = (bytes: Uint8Array, producer: ProducerState): Uint8Array => {
  const copy = new Uint8Array(bytes)
  const view = viewOf(copy)
  Bytes.setInt64(view, PRODUCER_ID, producer.producerId)
  view.setInt16(PRODUCER_EPOCH, producer.producerEpoch)
  view.setInt32(BASE_SEQUENCE, producer.baseSequence)
  writeChecksum(copy, view)
  return copy
}
