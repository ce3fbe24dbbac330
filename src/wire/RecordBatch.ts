/**
 * Record batches of format 2, as producers send them, brokers store them and consumers get them. Kafka's
 * `DefaultRecordBatch`.
 *
 * Pure functions over bytes. Whatever the bytes are, reading them ends in records or in what is wrong with them. What is
 * read are views of the bytes, or of what was decompressed: who keeps a record keeps its batch.
 */
import { Result } from "effect"
import * as BatchBuilder from "./BatchBuilder.ts"
import * as BatchHeader from "./BatchHeader.ts"
import * as Bytes from "./Bytes.ts"
import * as Compression from "./Compression.ts"
import type { InvalidBatch } from "./InvalidBatch.ts"
import * as Records from "./Records.ts"

/** A batch to encode. It has at least one record; their offsets follow one another. */
export interface Batch extends BatchBuilder.Closing {
  readonly compression: Compression.Codec
  readonly records: ReadonlyArray<Records.Record>
}

/** A batch that has been read. */
export interface Decoded {
  readonly header: BatchHeader.BatchHeader
  readonly records: ReadonlyArray<Records.StoredRecord>
}

/** Room for a few records; it doubles from here. */
const INITIAL_CAPACITY = 4096

export const encode = (batch: Batch): Uint8Array => {
  const builder = BatchBuilder.make(batch.compression, INITIAL_CAPACITY)
  for (const record of batch.records) BatchBuilder.append(builder, record)
  return BatchBuilder.close(builder, batch)
}

const visitRecords = (
  header: BatchHeader.BatchHeader,
  records: Bytes.Reader,
  visit: (cursor: Records.Cursor) => void
): InvalidBatch | undefined => {
  const cursor = Records.cursor(records, header)
  for (let index = 0; index < header.count; index++) {
    try {
      Records.next(cursor)
    } catch (cause) {
      if (cause instanceof Bytes.MalformedError) return { _tag: "InvalidRecord", index, reason: cause.message }
      throw cause
    }
    visit(cursor)
  }
  const remaining = records.end - records.position
  return remaining === 0 ? undefined : { _tag: "RecordsRemaining", bytes: remaining }
}

/**
 * Reads a batch and shows its records one by one, by a cursor that is valid during the call only. The checksum is checked
 * first; a malformed record comes to light when it is reached, after the ones before it have been shown.
 *
 * `limit` is how many bytes the records may have when they are decompressed.
 */
export const forEach = (
  bytes: Uint8Array,
  visit: (cursor: Records.Cursor) => void,
  limit = Compression.defaultLimit
): Result.Result<BatchHeader.BatchHeader, InvalidBatch> => {
  const read = BatchHeader.read(bytes)
  if (Result.isFailure(read)) return read
  const mismatch = BatchHeader.checksumMismatch(bytes)
  if (mismatch !== undefined) return Result.fail(mismatch)
  const header = read.success
  // Compaction may leave nothing to decompress.
  const stored = bytes.subarray(BatchHeader.size)
  const records = header.count === 0
    ? Result.succeed(stored)
    : Compression.decompress(header.compression, stored, limit)
  if (Result.isFailure(records)) return Result.fail(records.failure)
  const invalid = visitRecords(header, Bytes.reader(records.success), visit)
  return invalid === undefined ? Result.succeed(header) : Result.fail(invalid)
}

/** Reads a whole batch. */
export const decode = (
  bytes: Uint8Array,
  limit = Compression.defaultLimit
): Result.Result<Decoded, InvalidBatch> => {
  const records: Array<Records.StoredRecord> = []
  const header = forEach(bytes, (cursor) => records.push(Records.record(cursor)), limit)
  return Result.isFailure(header) ? Result.fail(header.failure) : Result.succeed({ header: header.success, records })
}

/**
 * Checks a batch that a producer has sent, down to its last record, without keeping any. Other than a batch in a log, it has
 * records, and no gaps between them. `LogValidator.validateBatch`.
 */
export const validate = (
  bytes: Uint8Array,
  limit = Compression.defaultLimit
): Result.Result<BatchHeader.BatchHeader, InvalidBatch> =>
  Result.flatMap(forEach(bytes, () => {}, limit), (header) => {
    const { count, lastOffsetDelta } = header
    return count === lastOffsetDelta + 1
      ? Result.succeed(header)
      : Result.fail({ _tag: "CountMismatch", count, lastOffsetDelta } as const)
  })
