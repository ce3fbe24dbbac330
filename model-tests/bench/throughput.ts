/**
 * Records per second of processor time from a producer through the brokers of this process to a consumer, beside what two
 * clients need for encoding the same records alone, in batches of the same size.
 *
 * It shows what a record costs on the whole way in one process; there is no network. Each side runs in a process of its own,
 * whose resident set at its peak is told. The brokers keep the whole log in memory.
 */
import { createRecordsBatch } from "@platformatic/kafka"
import { Effect } from "effect"
import { execFileSync } from "node:child_process"
import * as Cluster from "../../src/runtime/brokers/Cluster.ts"
import * as Consumer from "../../src/runtime/client/Consumer.ts"
import * as Producer from "../../src/runtime/client/Producer.ts"
import * as Serde from "../../src/runtime/client/Serde.ts"
import * as kafkajs from "../wire/kafkajs.ts"

const topic = "records"
const partitions = 4

/** How many of the records fit into a batch of 16 KiB. */
const batchRecords = 150

const keyOf = (index: number): string => `customer-${index % 1_000}`
const valueOf = (index: number): string =>
  `{"id":${index},"item":"item-${index % 5_000}","amount":${
    index % 997
  },"note":"delivered to the neighbour, who signed"}`

/** There and back; how many came out. */
const whole = (records: number): Promise<number> =>
  Effect.runPromise(
    Effect.gen(function*() {
      const producer = yield* Producer.make({}, { key: Serde.string, value: Serde.string })
      const consumer = yield* Consumer.make({
        "auto.offset.reset": "earliest",
        "enable.auto.commit": false,
        "max.poll.records": 5_000
      })
      yield* consumer.assign(Array.from({ length: partitions }, (_, partition) => ({ topic, partition })))
      const produce = Effect.gen(function*() {
        for (let index = 0; index < records; index++) {
          void (yield* producer.enqueue({ topic, key: keyOf(index), value: valueOf(index) }))
        }
        yield* producer.flush
      })
      let consumed = 0
      const consume = Effect.gen(function*() {
        while (consumed < records) consumed += (yield* consumer.poll).length
      })
      yield* Effect.all([produce, consume], { concurrency: 2 })
      return consumed
    }).pipe(Effect.scoped, Effect.provide(Cluster.Cluster.layer({ topics: { [topic]: partitions } })))
  )

/** Calls `encode` for every batch; how many records that were. */
const encoded = async (
  records: number,
  encode: (indices: ReadonlyArray<number>) => unknown
): Promise<number> => {
  let count = 0
  while (count < records) {
    const indices = Array.from({ length: Math.min(batchRecords, records - count) }, (_, i) => count + i)
    await encode(indices)
    count += indices.length
  }
  return count
}

const byKafkajs = (records: number): Promise<number> =>
  encoded(records, (indices) =>
    kafkajs.encode({
      compression: "none",
      producerId: 1,
      producerEpoch: 0,
      baseSequence: 0,
      baseOffset: 0,
      partitionLeaderEpoch: -1,
      isTransactional: false,
      isControl: false,
      records: indices.map((index) => ({
        timestamp: 1_700_000_000_000,
        key: Buffer.from(keyOf(index)),
        value: Buffer.from(valueOf(index)),
        headers: []
      }))
    }))

const byPlatformatic = (records: number): Promise<number> =>
  encoded(records, (indices) =>
    createRecordsBatch(
      indices.map((index) => ({ topic, key: Buffer.from(keyOf(index)), value: Buffer.from(valueOf(index)) })),
      { producerId: 1n, producerEpoch: 0, firstSequence: 0 }
    ).buffer)

const sides = { whole, kafkajs: byKafkajs, platformatic: byPlatformatic } as const
type Side = keyof typeof sides

interface Measured {
  readonly records: number
  readonly seconds: number
  readonly processorSeconds: number
  /** The resident set at its peak. */
  readonly bytes: number
}

const measureHere = async (side: Side, records: number): Promise<Measured> => {
  const began = performance.now()
  const before = process.cpuUsage()
  const count = await sides[side](records)
  if (count !== records) throw new Error(`${count} of ${records} records came out`)
  const { system, user } = process.cpuUsage(before)
  return {
    records,
    seconds: (performance.now() - began) / 1000,
    processorSeconds: (system + user) / 1e6,
    bytes: process.resourceUsage().maxRSS * 1024
  }
}

const measureApart = (side: Side, records: number): Measured =>
  JSON.parse(
    execFileSync(process.execPath, [import.meta.filename, side, String(records)], {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "inherit"]
    })
  ) as Measured

/** All sides, one after the other. */
export const measure = (records: number) => {
  const own = measureApart("whole", records)
  const rate = ({ processorSeconds }: Measured): number => records / processorSeconds
  const rival = (side: Side) => {
    const measured = measureApart(side, records)
    return { recordsPerSecond: rate(measured), ratio: rate(own) / rate(measured) }
  }
  return {
    ...own,
    recordsPerSecond: rate(own),
    kafkajsEncodingAlone: rival("kafkajs"),
    platformaticEncodingAlone: rival("platformatic")
  }
}

const [, script, side, records] = process.argv
if (script === import.meta.filename) {
  console.log(JSON.stringify(await measureHere(side as Side, Number(records))))
  process.exit(0)
}
