/** The record batches of kafkajs 2.2.4, which are internal to it and have no types. */
import { createRequire } from "node:module"
import type { BatchBuilder, RecordBatch } from "../../src/wire/index.ts"

const require = createRequire(import.meta.url)

interface Encoded {
  readonly buffer: Buffer
}

/** A value, or several of headers with the same key. */
type Headers = Readonly<Record<string, Buffer | null | ReadonlyArray<Buffer | null>>>

export interface Decoded {
  readonly firstOffset: string
  readonly firstTimestamp: string
  readonly maxTimestamp: string
  readonly partitionLeaderEpoch: number
  readonly inTransaction: boolean
  readonly isControlBatch: boolean
  readonly lastOffsetDelta: number
  readonly producerId: string
  readonly producerEpoch: number
  readonly firstSequence: number
  readonly records: ReadonlyArray<{
    readonly offset: string
    readonly timestamp: string
    readonly key: Buffer | null
    readonly value: Buffer | null
    readonly headers: Headers
  }>
}

const { RecordBatch: encodeBatch } = require("kafkajs/src/protocol/recordBatch/v0/index.js") as {
  readonly RecordBatch: (batch: object) => Promise<Encoded>
}
const encodeRecord = require("kafkajs/src/protocol/recordBatch/record/v0/index.js") as (record: object) => Encoded
const decodeBatch = require("kafkajs/src/protocol/recordBatch/v0/decoder.js") as (decoder: object) => Promise<Decoded>
const Decoder = require("kafkajs/src/protocol/decoder.js") as new(buffer: Buffer) => object

const bufferOf = (bytes: Uint8Array | null): Buffer | null =>
  bytes === null || Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)

/** Headers as kafkajs has them: by key, in an array where several have it. */
export const headersOf = (headers: RecordBatch.Batch["records"][number]["headers"]): Headers => {
  const found: Record<string, Buffer | null | Array<Buffer | null>> = {}
  for (const { key, value } of headers) {
    const buffer = bufferOf(value)
    const known = found[key]
    if (known === undefined) found[key] = buffer
    else if (Array.isArray(known)) known.push(buffer)
    else found[key] = [known, buffer]
  }
  return found
}

/** Compresses with gzip or not at all; it has no other codec. */
export const encode = async (batch: RecordBatch.Batch & Required<BatchBuilder.Closing>): Promise<Buffer> => {
  const { records } = batch
  const firstTimestamp = records[0]!.timestamp
  const { buffer } = await encodeBatch({
    compression: batch.compression === "gzip" ? 1 : 0,
    firstOffset: batch.baseOffset,
    firstTimestamp,
    maxTimestamp: records.reduce((max, { timestamp }) => Math.max(max, timestamp), firstTimestamp),
    partitionLeaderEpoch: batch.partitionLeaderEpoch,
    lastOffsetDelta: records.length - 1,
    transactional: batch.isTransactional,
    producerId: batch.producerId,
    producerEpoch: batch.producerEpoch,
    firstSequence: batch.baseSequence,
    records: records.map(({ headers, key, timestamp, value }, offsetDelta) =>
      encodeRecord({
        offsetDelta,
        timestampDelta: timestamp - firstTimestamp,
        key: bufferOf(key),
        value: bufferOf(value),
        headers: headers.length === 0 ? {} : headersOf(headers)
      })
    )
  })
  return buffer
}

export const decode = (bytes: Uint8Array): Promise<Decoded> => decodeBatch(new Decoder(bufferOf(bytes)!))
