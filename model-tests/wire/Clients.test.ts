import { assert, describe, it } from "@effect/vitest"
import { createRecordsBatch, Reader, readRecordsBatch } from "@platformatic/kafka"
import { Result } from "effect"
import * as fc from "fast-check"
import { type BatchBuilder, RecordBatch, type Records } from "../../src/wire/index.ts"
import * as kafkajs from "./kafkajs.ts"
import * as support from "./support.ts"

type Batch = RecordBatch.Batch & Required<BatchBuilder.Closing>

const bufferOf = (bytes: Uint8Array | null): Buffer | null => bytes === null ? null : Buffer.from(bytes)

const decode = (bytes: Uint8Array): RecordBatch.Decoded => Result.getOrThrow(RecordBatch.decode(new Uint8Array(bytes)))

/** What both clients can say: header keys that are no numbers or parts of an object, each once, with a value. */
const writable = (records: ReadonlyArray<Records.Record>): ReadonlyArray<Records.Record> =>
  records.map((record) => ({
    ...record,
    headers: record.headers.map(({ key, value }, index) => ({
      key: `${"abc"[index]!}.${key}`,
      value: value ?? new Uint8Array()
    }))
  }))

describe("kafkajs", () => {
  // It has these codecs only.
  const batch = fc.tuple(support.batch, fc.constantFrom("none", "gzip")).map(([one, compression]): Batch => ({
    ...one,
    compression,
    records: one.records.map((record) => ({
      ...record,
      headers: record.headers.map(({ key, value }) => ({ key: `h.${Array.from(key).slice(0, 1).join("")}`, value }))
    }))
  }))

  it("reads what keos writes", () =>
    fc.assert(fc.asyncProperty(batch, async (written) => {
      const { header, records } = support.expected(written)
      const read = await kafkajs.decode(RecordBatch.encode(written))

      assert.strictEqual(read.firstOffset, String(header.baseOffset))
      assert.strictEqual(read.firstTimestamp, String(header.baseTimestamp))
      assert.strictEqual(read.maxTimestamp, String(header.maxTimestamp))
      assert.strictEqual(read.partitionLeaderEpoch, header.partitionLeaderEpoch)
      assert.strictEqual(read.inTransaction, header.isTransactional)
      assert.strictEqual(read.isControlBatch, header.isControl)
      assert.strictEqual(read.lastOffsetDelta, header.lastOffsetDelta)
      assert.strictEqual(read.producerId, String(header.producerId))
      assert.strictEqual(read.producerEpoch, header.producerEpoch)
      assert.strictEqual(read.firstSequence, header.baseSequence)
      assert.deepStrictEqual(
        read.records.map(({ headers, key, offset, timestamp, value }) => ({ offset, timestamp, key, value, headers })),
        records.map((record) => ({
          offset: String(record.offset),
          timestamp: String(record.timestamp),
          key: bufferOf(record.key),
          value: bufferOf(record.value),
          headers: kafkajs.headersOf(record.headers)
        }))
      )
    })))

  it("writes what keos reads", () =>
    fc.assert(fc.asyncProperty(batch, async (one) => {
      const written = { ...one, isControl: false, records: writable(one.records) }

      assert.deepStrictEqual(decode(await kafkajs.encode(written)), support.expected(written))
    })))
})

describe("@platformatic/kafka", () => {
  it("reads what keos writes, with every codec", () => {
    fc.assert(fc.property(support.batch, (written) => {
      const { header, records } = support.expected(written)
      const read = readRecordsBatch(Reader.from(Buffer.from(RecordBatch.encode(written))))

      assert.strictEqual(read.firstOffset, BigInt(header.baseOffset))
      assert.strictEqual(read.firstTimestamp, BigInt(header.baseTimestamp))
      assert.strictEqual(read.maxTimestamp, BigInt(header.maxTimestamp))
      assert.strictEqual(read.partitionLeaderEpoch, header.partitionLeaderEpoch)
      assert.strictEqual(read.attributes & 0x10, header.isTransactional ? 0x10 : 0)
      assert.strictEqual(read.attributes & 0x20, header.isControl ? 0x20 : 0)
      assert.strictEqual(read.lastOffsetDelta, header.lastOffsetDelta)
      assert.strictEqual(read.producerId, BigInt(header.producerId))
      assert.strictEqual(read.producerEpoch, header.producerEpoch)
      assert.strictEqual(read.firstSequence, header.baseSequence)
      assert.deepStrictEqual(
        read.records.map(({ headers, key, offsetDelta, timestampDelta, value }) => ({
          offsetDelta,
          timestampDelta,
          key,
          value,
          headers
        })),
        records.map((record, offsetDelta) => ({
          offsetDelta,
          timestampDelta: BigInt(record.timestamp) - BigInt(header.baseTimestamp),
          key: bufferOf(record.key),
          value: bufferOf(record.value),
          headers: record.headers.map(({ key, value }): [Buffer, Buffer | null] => [Buffer.from(key), bufferOf(value)])
        }))
      )
    }))
  })

  it("writes what keos reads, with every codec", () => {
    fc.assert(fc.property(support.batch, (one) => {
      const written = {
        ...one,
        // It sends batches only, and numbers them by partition.
        baseOffset: 0,
        isControl: false,
        baseSequence: 0,
        records: writable(one.records).map((record, _, [first]) => ({
          ...record,
          // It encodes differences of 2^31 ms and more wrong: its zigzag shifts by 31 bits, not 63.
          timestamp: first!.timestamp + (record.timestamp % 2 ** 31),
          // Its messages must have a value.
          value: record.value ?? new Uint8Array()
        }))
      }
      const { buffer } = createRecordsBatch(
        written.records.map(({ headers, key, timestamp, value }) => ({
          topic: "topic",
          timestamp: BigInt(timestamp),
          ...(key === null ? {} : { key: Buffer.from(key) }),
          value: Buffer.from(value),
          headers: new Map(headers.map((header) => [Buffer.from(header.key), Buffer.from(header.value!)]))
        })),
        {
          compression: written.compression,
          producerId: BigInt(written.producerId),
          producerEpoch: written.producerEpoch,
          partitionLeaderEpoch: written.partitionLeaderEpoch,
          transactionalId: written.isTransactional ? "id" : null
        }
      )

      assert.deepStrictEqual(decode(buffer), support.expected(written))
    }))
  })
})
