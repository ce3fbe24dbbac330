/**
 * A record batch in the making: records are appended one by one, and it is closed when it is known who sends it. Kafka's
 * `MemoryRecordsBuilder`.
 *
 * Records are written at once, so that the size is known, and compressed together when the batch is closed.
 */
import * as BatchHeader from "./BatchHeader.ts"
import * as Bytes from "./Bytes.ts"
import * as Compression from "./Compression.ts"
import * as Records from "./Records.ts"

export interface BatchBuilder {
  readonly compression: Compression.Codec
  readonly out: Bytes.Writer
  /** Records so far. */
  count: number
  /** That of the first record. */
  baseTimestamp: number
  maxTimestamp: number
}

/** What is known of a batch when it is closed. */
export interface Closing extends BatchHeader.ProducerState {
  readonly isTransactional: boolean
  /** false, if not given. */
  readonly isControl?: boolean
  /** 0, if not given: a broker assigns it. */
  readonly baseOffset?: number
  /** -1, if not given: a broker assigns it. */
  readonly partitionLeaderEpoch?: number
}

/** Without records. Room for `capacity` bytes is taken at once, and more when they are full. */
export const make = (compression: Compression.Codec, capacity: number): BatchBuilder => {
  const out = Bytes.writer(Math.max(capacity, BatchHeader.size))
  out.position = BatchHeader.size
  return { compression, out, count: 0, baseTimestamp: -1, maxTimestamp: -1 }
}

/** The bytes so far, with the header, not compressed. */
export const size = ({ out }: BatchBuilder): number => out.position

/** The bytes that a record would add, not compressed. */
export const sizeOfNext = ({ baseTimestamp, count }: BatchBuilder, record: Records.Record): number =>
  Records.sizeOf(record, count, count === 0 ? 0 : record.timestamp - baseTimestamp)

/** The size of a batch with this record alone, at most. `DefaultRecordBatch.estimateBatchSizeUpperBound`. */
export const sizeUpperBound = (record: Records.Record): number => BatchHeader.size + Records.sizeUpperBound(record)

/** Appends a record, whose bytes are copied. */
export const append = (builder: BatchBuilder, record: Records.Record): void => {
  const { timestamp } = record
  if (builder.count === 0) builder.baseTimestamp = timestamp
  if (timestamp > builder.maxTimestamp) builder.maxTimestamp = timestamp
  Records.write(builder.out, record, builder.count, timestamp - builder.baseTimestamp)
  builder.count += 1
}

const withRoomForHeader = (records: Uint8Array): Uint8Array => {
  const bytes = new Uint8Array(BatchHeader.size + records.length)
  bytes.set(records, BatchHeader.size)
  return bytes
}

/**
 * The batch. It must have a record. Its bytes may be those of the builder, which must not be used any more: a batch for
 * another producer is made from this one, by `BatchHeader.withProducerState`.
 */
export const close = (builder: BatchBuilder, closing: Closing): Uint8Array => {
  const { baseTimestamp, compression, count, maxTimestamp, out } = builder
  if (count === 0) throw new RangeError("a batch without records")
  const { baseOffset = 0, isControl = false, partitionLeaderEpoch = -1 } = closing
  const { baseSequence, isTransactional, producerEpoch, producerId } = closing
  const plain = Bytes.written(out)
  const bytes = compression === "none"
    ? plain
    : withRoomForHeader(Compression.compress(compression, plain.subarray(BatchHeader.size)))
  BatchHeader.write(bytes, {
    baseOffset,
    partitionLeaderEpoch,
    compression,
    timestampType: "CreateTime",
    isTransactional,
    isControl,
    lastOffsetDelta: count - 1,
    baseTimestamp,
    maxTimestamp,
    producerId,
    producerEpoch,
    baseSequence,
    count
  })
  return bytes
}
