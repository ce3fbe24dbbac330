/** Batches that the tests of the room share, and how they are compared. */
import * as fc from "fast-check"
import { createHash } from "node:crypto"
import {
  type BatchBuilder,
  BatchHeader,
  Compression,
  ControlRecord,
  RecordBatch,
  type Records
} from "../../src/wire/index.ts"

export const codec = fc.constantFrom(...Compression.codecs)

const bytes = fc.oneof(
  { weight: 9, arbitrary: fc.uint8Array({ maxLength: 40 }) },
  // Lengths that take a second and a third byte.
  {
    weight: 1,
    arbitrary: fc.tuple(fc.integer({ min: 60, max: 20_000 }), fc.nat(255)).map(([length, first]) =>
      Uint8Array.from({ length }, (_, index) => first + index * (index >> 7))
    )
  }
)
const nullable = fc.option(bytes, { nil: null })

/** The last ms that a `Date` knows. */
const LAST_TIME = 8_640_000_000_000_000

const timestamp = fc.oneof(
  fc.integer({ min: 1_700_000_000_000, max: 1_700_000_100_000 }),
  fc.integer({ min: -1, max: LAST_TIME })
)

export const record: fc.Arbitrary<Records.Record> = fc.record({
  timestamp,
  key: nullable,
  value: nullable,
  headers: fc.oneof(
    fc.constant([]),
    fc.array(fc.record({ key: fc.string({ unit: "binary" }), value: nullable }), { maxLength: 3 })
  )
})

const anyClosing: fc.Arbitrary<Required<BatchBuilder.Closing>> = fc.record({
  producerId: fc.integer({ min: -1, max: Number.MAX_SAFE_INTEGER }),
  producerEpoch: fc.integer({ min: -1, max: 2 ** 15 - 1 }),
  baseSequence: fc.integer({ min: -1, max: 2 ** 31 - 1 }),
  baseOffset: fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER - 1_000 }),
  partitionLeaderEpoch: fc.integer({ min: -1, max: 2 ** 31 - 1 }),
  isTransactional: fc.boolean(),
  isControl: fc.boolean()
})

export const batch: fc.Arbitrary<RecordBatch.Batch & Required<BatchBuilder.Closing>> = fc.tuple(
  anyClosing,
  codec,
  fc.array(record, { minLength: 1, maxLength: 20 })
).map(([closed, compression, records]) => ({ ...closed, compression, records }))

/** What reading a batch must bring. */
export const expected = ({ records, ...closed }: RecordBatch.Batch): RecordBatch.Decoded => {
  const { baseOffset = 0, isControl = false, partitionLeaderEpoch = -1 } = closed
  return {
    header: {
      ...closed,
      baseOffset,
      isControl,
      partitionLeaderEpoch,
      timestampType: "CreateTime",
      lastOffsetDelta: records.length - 1,
      baseTimestamp: records[0]!.timestamp,
      maxTimestamp: Math.max(...records.map((one) => one.timestamp)),
      count: records.length
    },
    records: records.map((one, index) => ({ offset: baseOffset + index, ...one }))
  }
}

const encoder = new TextEncoder()

/** Bytes of a text in UTF-8. */
export const utf8 = (text: string): Uint8Array => encoder.encode(text)

const TIME = 1_700_000_000_000

/** Null and empty, headers of all kinds, times that go back, and one far ahead. */
export const various: ReadonlyArray<Records.Record> = [
  { timestamp: TIME, key: utf8("key"), value: utf8("value"), headers: [] },
  { timestamp: TIME - 1, key: null, value: utf8("no key"), headers: [] },
  { timestamp: TIME + 100_000_000_000, key: utf8("tombstone"), value: null, headers: [] },
  { timestamp: TIME + 64, key: new Uint8Array(), value: new Uint8Array(), headers: [] },
  {
    timestamp: TIME + 8_192,
    key: utf8("k".repeat(64)),
    value: utf8("v".repeat(8_192)),
    headers: [
      { key: "trace", value: utf8("1") },
      { key: "trace", value: null },
      { key: "größe €𝄞", value: new Uint8Array() },
      { key: "", value: Uint8Array.of(0, 255) }
    ]
  }
]

/** Longer than a block of any of the codecs. */
export const long: ReadonlyArray<Records.Record> = Array.from({ length: 12 }, (_, index) => ({
  timestamp: TIME + index,
  key: utf8(`key-${index}`),
  value: utf8(`value ${index} `.repeat(4_000)),
  headers: []
}))

const closing: BatchBuilder.Closing = {
  producerId: 4_711,
  producerEpoch: 7,
  baseSequence: 2_147_483_646,
  isTransactional: false,
  baseOffset: 2 ** 40,
  partitionLeaderEpoch: 3
}

/** Of every kind that keos writes. */
export const batches: ReadonlyArray<{ readonly name: string; readonly bytes: Uint8Array }> = [
  ...Compression.codecs.flatMap((compression) => [
    { name: compression, bytes: RecordBatch.encode({ ...closing, compression, records: various }) },
    ...(compression === "none"
      ? []
      : [{
        name: `${compression}, several blocks`,
        bytes: RecordBatch.encode({ ...closing, compression, records: long })
      }])
  ]),
  {
    name: "transactional",
    bytes: RecordBatch.encode({ ...closing, isTransactional: true, compression: "none", records: various })
  },
  {
    name: "no producer, no timestamps",
    bytes: RecordBatch.encode({
      ...BatchHeader.noProducer,
      isTransactional: false,
      compression: "none",
      records: ["first", "second"].map((value) => ({ timestamp: -1, key: null, value: utf8(value), headers: [] }))
    })
  },
  ...(["COMMIT", "ABORT"] as const).map((result) => ({
    name: result,
    bytes: BatchHeader.withBaseOffset(
      ControlRecord.encodeMarker({
        producerId: 4_711,
        producerEpoch: 8,
        result,
        coordinatorEpoch: 12,
        timestamp: TIME
      }),
      55,
      3
    )
  }))
]

/** Bytes in a key or value that is shown as its digest. */
const LONG = 64

const text = (value: Uint8Array | null): string | null =>
  value === null
    ? null
    : value.length > LONG
    ? `sha256:${createHash("sha256").update(value).digest("hex")}`
    : Buffer.from(value).toString("base64")

/** A batch as the program that makes the fixtures prints it. */
export const shown = ({ header, records }: RecordBatch.Decoded): object => ({
  header,
  records: records.map(({ headers, key, offset, timestamp, value }) => ({
    offset,
    timestamp,
    key: text(key),
    value: text(value),
    headers: headers.map((one) => ({ key: text(utf8(one.key)), value: text(one.value) }))
  }))
})
