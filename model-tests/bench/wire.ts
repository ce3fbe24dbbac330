/**
 * Speed of encoding and decoding record batches, against kafkajs in the same run, with and without compression.
 *
 * Each side makes a batch of the same records and reads every key, value and header of it again. It shows what records cost
 * on their way through bytes, and nothing of networks. Processor time is counted, of all threads: kafkajs compresses on
 * another than its own. kafkajs does not check the checksum when it reads; keos does.
 */
import { Result } from "effect"
import { type Compression, RecordBatch, type Records } from "../../src/wire/index.ts"
import * as kafkajs from "../wire/kafkajs.ts"

/** Records per second of processor time, there and back. */
export interface Measurement {
  readonly compression: Compression.Codec
  readonly recordsPerSecond: number
  readonly rivalRecordsPerSecond: number
  readonly ratio: number
}

const RECORDS = 1_000
const ROUNDS = 5
const SECONDS_PER_ROUND = 0.4

/**
 * Of the size that events have: a short key, some 100 bytes of JSON, and a header on every tenth. In buffers, which are what
 * kafkajs takes.
 */
const records: ReadonlyArray<Records.Record> = Array.from({ length: RECORDS }, (_, index) => ({
  timestamp: 1_700_000_000_000 + index * 3,
  key: Buffer.from(`customer-${(index * 7_919) % 1_000}`),
  value: Buffer.from(JSON.stringify({
    id: index,
    item: `item-${(index * 104_729) % 5_000}`,
    amount: (index * 31) % 997,
    note: "delivered to the neighbour, who signed"
  })),
  headers: index % 10 === 0 ? [{ key: "trace", value: Buffer.from(`trace-${index}`) }] : []
}))

const batchOf = (compression: Compression.Codec) => ({
  producerId: 4_711,
  producerEpoch: 0,
  baseSequence: 0,
  baseOffset: 0,
  partitionLeaderEpoch: -1,
  isTransactional: false,
  isControl: false,
  compression,
  records
})

const demand = (count: number): void => {
  if (count !== RECORDS) throw new Error(`${count} of ${RECORDS} records came back`)
}

/** How often it ends in a second, over a fixed time. */
const rate = async (once: () => void | Promise<void>): Promise<number> => {
  const began = process.cpuUsage()
  let times = 0
  let seconds = 0
  do {
    await once()
    times += 1
    const { system, user } = process.cpuUsage(began)
    seconds = (system + user) / 1e6
  } while (seconds < SECONDS_PER_ROUND)
  return times / seconds
}

const median = (values: ReadonlyArray<number>): number => values.toSorted((a, b) => a - b)[values.length >> 1]!

/** Both sides in turn, so that a disturbance meets both; the median of the rounds after the first, which warms up. */
export const measure = async (compression: "none" | "gzip"): Promise<Measurement> => {
  const batch = batchOf(compression)
  const own: Array<number> = []
  const rival: Array<number> = []
  for (let round = 0; round <= ROUNDS; round++) {
    const rates = [
      await rate(() => demand(Result.getOrThrow(RecordBatch.decode(RecordBatch.encode(batch))).records.length)),
      await rate(async () => demand((await kafkajs.decode(await kafkajs.encode(batch))).records.length))
    ] as const
    if (round === 0) continue
    own.push(rates[0])
    rival.push(rates[1])
  }
  return {
    compression,
    recordsPerSecond: median(own) * RECORDS,
    rivalRecordsPerSecond: median(rival) * RECORDS,
    ratio: median(own) / median(rival)
  }
}
