/**
 * Records as they lie in a batch of format 2. Kafka's `DefaultRecord`:
 *
 *     Length varint, Attributes int8, TimestampDelta varlong, OffsetDelta varint, Key, Value, Headers
 *
 * Keys, values and the texts of headers have their length before them as a varint, -1 for null; the headers have their
 * count. A cursor walks over records and makes only what is asked for.
 */
import type { BatchHeader } from "./BatchHeader.ts"
import * as Bytes from "./Bytes.ts"

export interface RecordHeader {
  readonly key: string
  readonly value: Uint8Array | null
}

export interface Record {
  /** In ms since 1970; -1 for none. */
  readonly timestamp: number
  readonly key: Uint8Array | null
  readonly value: Uint8Array | null
  readonly headers: ReadonlyArray<RecordHeader>
}

/** A record in a log. */
export interface StoredRecord extends Record {
  readonly offset: number
}

/** `MAX_RECORD_OVERHEAD`: length, attributes, timestamp and offset at their longest. */
const MAX_OVERHEAD = 21
const NULL = -1
const SIZE_OF_NULL = 1

const encoder = new TextEncoder()
// What begins with a byte order mark keeps it.
const decoder = new TextDecoder("utf-8", { ignoreBOM: true })

const sizeOfLength = (length: number): number => Bytes.sizeOfVarint(length) + length

const sizeOfBytes = (bytes: Uint8Array | null): number => bytes === null ? SIZE_OF_NULL : sizeOfLength(bytes.length)

/** Key, value and headers, which are as long wherever the record lies. */
const sizeOfContent = ({ headers, key, value }: Record): number => {
  let size = sizeOfBytes(key) + sizeOfBytes(value) + Bytes.sizeOfVarint(headers.length)
  for (const header of headers) size += sizeOfLength(Buffer.byteLength(header.key)) + sizeOfBytes(header.value)
  return size
}

const sizeOfBody = (record: Record, offsetDelta: number, timestampDelta: number): number =>
  1 + Bytes.sizeOfVarlong(timestampDelta) + Bytes.sizeOfVarint(offsetDelta) + sizeOfContent(record)

/** The bytes of a record at its place in a batch. `DefaultRecord.sizeInBytes`. */
export const sizeOf = (record: Record, offsetDelta: number, timestampDelta: number): number =>
  sizeOfLength(sizeOfBody(record, offsetDelta, timestampDelta))

/** More bytes than a record needs anywhere. `DefaultRecord.recordSizeUpperBound`. */
export const sizeUpperBound = (record: Record): number => MAX_OVERHEAD + sizeOfContent(record)

const writeNullable = (out: Bytes.Writer, bytes: Uint8Array | null): void => {
  if (bytes === null) return Bytes.writeVarint(out, NULL)
  Bytes.writeVarint(out, bytes.length)
  Bytes.writeBytes(out, bytes)
}

/** Writes a record. Deltas count from the base offset and the base timestamp of its batch. */
export const write = (out: Bytes.Writer, record: Record, offsetDelta: number, timestampDelta: number): void => {
  const { headers } = record
  Bytes.writeVarint(out, sizeOfBody(record, offsetDelta, timestampDelta))
  // No attribute of a record is in use.
  Bytes.writeInt8(out, 0)
  Bytes.writeVarlong(out, timestampDelta)
  Bytes.writeVarint(out, offsetDelta)
  writeNullable(out, record.key)
  writeNullable(out, record.value)
  Bytes.writeVarint(out, headers.length)
  for (const { key, value } of headers) {
    writeNullable(out, encoder.encode(key))
    writeNullable(out, value)
  }
}

/** Stands on one record of a batch and is moved on to the next. */
export interface Cursor {
  readonly from: Bytes.Reader
  readonly header: BatchHeader
  offset: number
  timestamp: number
  /** Where key and value begin, and how long they are; -1 for null. */
  keyStart: number
  keyLength: number
  valueStart: number
  valueLength: number
  headerStart: number
  headerCount: number
}

/** Before the first record of `records`, which are not compressed. */
export const cursor = (records: Bytes.Reader, header: BatchHeader): Cursor => ({
  from: records,
  header,
  offset: header.baseOffset - 1,
  timestamp: header.maxTimestamp,
  keyStart: 0,
  keyLength: NULL,
  valueStart: 0,
  valueLength: NULL,
  headerStart: 0,
  headerCount: 0
})

const malformed = (position: number, message: string): Bytes.MalformedError =>
  new Bytes.MalformedError({ position, message })

/** Reads a length and skips as many bytes; any negative length is null. */
const skipNullable = (from: Bytes.Reader): number => {
  const length = Bytes.readVarint(from)
  if (length < 0) return NULL
  Bytes.skip(from, length)
  return length
}

const skipHeaders = (from: Bytes.Reader, count: number): void => {
  for (let index = 0; index < count; index++) {
    if (skipNullable(from) < 0) throw malformed(from.position, "a header without a key")
    skipNullable(from)
  }
}

/** Moves on to the next record, whose form is checked whole. Throws `Bytes.MalformedError`. */
export const next = (to: Cursor): void => {
  const { from, header } = to
  const size = Bytes.readVarint(from)
  const start = from.position
  if (size > from.end - start) {
    throw malformed(start, `a record of ${size} bytes, and ${from.end - start} there`)
  }
  Bytes.skip(from, 1)
  const timestampDelta = Bytes.readVarlong(from)
  const offset = header.baseOffset + Bytes.readVarint(from)
  if (offset <= to.offset) throw malformed(start, `offset ${offset} does not follow ${to.offset}`)
  if (offset > header.baseOffset + header.lastOffsetDelta) {
    throw malformed(start, `offset ${offset} is beyond ${header.baseOffset + header.lastOffsetDelta}, the last`)
  }
  to.offset = offset
  if (header.timestampType === "CreateTime") to.timestamp = header.baseTimestamp + timestampDelta
  to.keyLength = skipNullable(from)
  to.keyStart = from.position - Math.max(to.keyLength, 0)
  to.valueLength = skipNullable(from)
  to.valueStart = from.position - Math.max(to.valueLength, 0)
  to.headerCount = Bytes.readVarint(from)
  if (to.headerCount < 0) throw malformed(start, `${to.headerCount} headers`)
  to.headerStart = from.position
  if (to.headerCount > 0) skipHeaders(from, to.headerCount)
  if (from.position - start !== size) {
    throw malformed(start, `a record of ${size} bytes with ${from.position - start} in it`)
  }
}

const sliceOf = ({ from }: Cursor, start: number, length: number): Uint8Array | null =>
  length < 0 ? null : Bytes.slice(from.bytes, start, length)

/** The key of the record that the cursor stands on, without a copy. */
export const key = (at: Cursor): Uint8Array | null => sliceOf(at, at.keyStart, at.keyLength)

/** The value of the record that the cursor stands on, without a copy. */
export const value = (at: Cursor): Uint8Array | null => sliceOf(at, at.valueStart, at.valueLength)

const noHeaders: ReadonlyArray<RecordHeader> = []

const readNullable = (from: Bytes.Reader): Uint8Array | null => {
  const length = Bytes.readVarint(from)
  return length < 0 ? null : Bytes.readBytes(from, length)
}

/** The headers of the record that the cursor stands on; their values are no copies. */
export const headers = ({ from: { bytes }, headerCount, headerStart }: Cursor): ReadonlyArray<RecordHeader> => {
  if (headerCount === 0) return noHeaders
  const from = Bytes.reader(bytes, headerStart)
  return Array.from({ length: headerCount }, () => ({
    key: decoder.decode(Bytes.readBytes(from, Bytes.readVarint(from))),
    value: readNullable(from)
  }))
}

/** The whole record that the cursor stands on. */
export const record = (at: Cursor): StoredRecord => ({
  offset: at.offset,
  timestamp: at.timestamp,
  key: key(at),
  value: value(at),
  headers: headers(at)
})
