/**
 * Records on their way to the sender: for each partition a queue of batches that are not sent yet, the last of which takes
 * more records. Kafka's `RecordAccumulator`.
 *
 * It says when a batch is ready, and decides nothing about sending: what is in flight or to be sent again is with the
 * sender. Time is an argument.
 */
import { Deferred, type Effect } from "effect"
import { BatchBuilder, type Compression, type Records } from "../../wire/index.ts"
import type { BufferPool } from "./BufferPool.ts"

/** Records for one partition. `E` is what their sending can fail with. */
export interface Batch<E> {
  readonly builder: BatchBuilder.BatchBuilder
  /** When the first record came, in ms. */
  readonly created: number
  /** Bytes of `buffer.memory`. */
  readonly reserved: number
  /** The offset of the first record, -1 if that is not known. */
  readonly acknowledged: Deferred.Deferred<number, E>
  /** Waits for it; its records share this. */
  readonly outcome: Effect.Effect<number, E>
}

export interface Options {
  /** `batch.size`: a batch has more bytes only if one record has. They are counted before compression. */
  readonly batchSize: number
  /** `linger.ms`. */
  readonly linger: number
  /** `delivery.timeout.ms`. */
  readonly deliveryTimeout: number
  readonly compression: Compression.Codec
  readonly pool: BufferPool
}

export interface Accumulator<E> {
  /** The number of a new partition, from 0. */
  readonly addPartition: () => number
  /** Whether the record goes into a batch that is there already. */
  readonly hasRoom: (partition: number, record: Records.Record) => boolean
  /** What a record reserves that begins a batch. */
  readonly reservation: (record: Records.Record) => number
  /** Appends to a batch that is there, or to a new one if memory can be had at once; `undefined` otherwise. */
  readonly append: (partition: number, record: Records.Record, now: number) => Batch<E> | undefined
  /** The same when memory is reserved for it; what turns out not to be needed is given back. */
  readonly appendReserved: (partition: number, record: Records.Record, now: number, reserved: number) => Batch<E>
  /** Whether the batch takes no more records. */
  readonly isFull: (partition: number, batch: Batch<E>) => boolean
  /** Batches that wait. */
  readonly queued: (partition: number) => number
  /** The partitions where a batch waits. */
  readonly waiting: () => Iterable<number>
  /** From when on the first batch may be sent, in ms; 0 for at once, `Infinity` if there is none. */
  readonly readyAt: (partition: number) => number
  /** From when on the first batch has failed, in ms; `Infinity` if there is none. */
  readonly expiresAt: (partition: number) => number
  /** The first batch. */
  readonly peek: (partition: number) => Batch<E> | undefined
  /** Takes the first batch out. */
  readonly take: (partition: number) => Batch<E>
  /** Whether nothing lingers any more: what is there and what comes is ready at once. */
  readonly rush: (isRushed: boolean) => void
}

export const make = <E>({ batchSize, compression, deliveryTimeout, linger, pool }: Options): Accumulator<E> => {
  const queues: Array<Array<Batch<E>>> = []
  const waiting = new Set<number>()
  let isRushed = false

  const reservation = (record: Records.Record): number =>
    Math.max(Math.min(batchSize, pool.total), BatchBuilder.sizeUpperBound(record))

  const fits = ({ builder }: Batch<E>, record: Records.Record): boolean =>
    BatchBuilder.size(builder) + BatchBuilder.sizeOfNext(builder, record) <= batchSize

  /** The batch that takes the record, if there is one. */
  const open = (partition: number, record: Records.Record): Batch<E> | undefined => {
    const last = queues[partition]!.at(-1)
    return last !== undefined && fits(last, record) ? last : undefined
  }

  const begin = (partition: number, record: Records.Record, now: number, reserved: number): Batch<E> => {
    const builder = BatchBuilder.make(compression, reserved)
    BatchBuilder.append(builder, record)
    const acknowledged = Deferred.makeUnsafe<number, E>()
    const batch = { builder, created: now, reserved, acknowledged, outcome: Deferred.await(acknowledged) }
    queues[partition]!.push(batch)
    waiting.add(partition)
    return batch
  }

  const isFull = (partition: number, batch: Batch<E>): boolean =>
    BatchBuilder.size(batch.builder) >= batchSize || queues[partition]!.at(-1) !== batch

  return {
    addPartition: () => queues.push([]) - 1,
    hasRoom: (partition, record) => open(partition, record) !== undefined,
    reservation,
    append: (partition, record, now) => {
      const batch = open(partition, record)
      if (batch !== undefined) {
        BatchBuilder.append(batch.builder, record)
        return batch
      }
      const reserved = reservation(record)
      return pool.tryReserve(reserved) ? begin(partition, record, now, reserved) : undefined
    },
    appendReserved: (partition, record, now, reserved) => {
      const batch = open(partition, record)
      if (batch === undefined) return begin(partition, record, now, reserved)
      BatchBuilder.append(batch.builder, record)
      pool.release(reserved)
      return batch
    },
    isFull,
    queued: (partition) => queues[partition]!.length,
    waiting: () => waiting,
    readyAt: (partition) => {
      const first = queues[partition]![0]
      if (first === undefined) return Infinity
      return isRushed || pool.waiting() > 0 || isFull(partition, first) ? 0 : first.created + linger
    },
    expiresAt: (partition) => (queues[partition]![0]?.created ?? Infinity) + deliveryTimeout,
    peek: (partition) => queues[partition]![0],
    take: (partition) => {
      const queue = queues[partition]!
      const batch = queue.shift()!
      if (queue.length === 0) waiting.delete(partition)
      return batch
    },
    rush: (rushed) => {
      isRushed = rushed
    }
  }
}
