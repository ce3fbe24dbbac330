/**
 * A partition on the broker that leads it: the core's partition with the bytes of its batches, and the index of the
 * aborted transactions among them.
 *
 * The follower has every batch at once. A turn is a call and never waits, so turns do not overlap.
 */
import { Result } from "effect"
import {
  type Errors,
  Fetch,
  FetchRules,
  type Partition,
  Sequence,
  Transaction,
  TransactionalPartition,
  type TransactionalProducer,
  type TransactionCoordinator
} from "../../core/index.ts"
import { BatchHeader, ControlRecord, InvalidBatch, RecordBatch } from "../../wire/index.ts"
import type { FetchResult, IsolationLevel } from "../client/Requests.ts"

/** What came of a batch; the offset is that of its first record, or -1. */
export interface Produced {
  readonly error: Errors.Error
  readonly offset: number
}

/** A batch that the coordinator has to agree to, and what to do when it has answered. */
export interface Verifying {
  readonly verification: TransactionCoordinator.Verification
  readonly verified: (error: Errors.Error) => Produced
}

/** What a leader is told of a batch beside its bytes. */
export interface Arrival {
  /** The broker that it was sent to. */
  readonly broker: Partition.Broker
  readonly version: Transaction.Version
}

interface StoredBatch {
  readonly offset: number
  readonly lastOffset: number
  readonly bytes: Uint8Array
}

export interface Leader {
  readonly leader: () => Partition.Broker
  /** A Produce; what it came to, or what the coordinator is to be asked first. */
  readonly produce: (bytes: Uint8Array, arrival: Arrival) => Produced | Verifying
  /** Offsets that a group commits; `transactional` is who commits them in a transaction. */
  readonly commit: (
    arrival: Arrival,
    transactional: { readonly producerId: number; readonly producerEpoch: number } | undefined
  ) => Produced | Verifying
  /** A WriteTxnMarkers. */
  readonly mark: (broker: Partition.Broker, marker: TransactionCoordinator.Marker, timestamp: number) => Errors.Error
  /** Everything from an offset on that the reader may have, up to so many bytes, but one batch at least. */
  readonly fetch: (
    offset: number,
    isolationLevel: IsolationLevel,
    maxBytes: number
  ) => Omit<FetchResult, "topic" | "partition">
  /** The last stable offset for `read_committed`, and the high watermark otherwise. */
  readonly end: (isolationLevel: IsolationLevel) => number
  /** The leadership moves to the other broker. */
  readonly change: () => void
}

/** The first batch that ends at or after an offset. */
const find = (batches: ReadonlyArray<StoredBatch>, offset: number): number => {
  let [low, high] = [0, batches.length]
  while (low < high) {
    const middle = (low + high) >>> 1
    if (batches[middle]!.lastOffset < offset) low = middle + 1
    else high = middle
  }
  return low
}

const refused = (error: Errors.Error): Produced => ({ error, offset: Sequence.none })

/** The leader of an empty partition with this name; `appended` is called when there is more to read. */
export const make = (
  context: Transaction.Context,
  name: string,
  first: Partition.Broker,
  appended: () => void
): Leader => {
  let partition: TransactionalPartition.Partition = { ...TransactionalPartition.initial, leader: first }
  const batches: Array<StoredBatch> = []
  const abortedIndex: Array<Fetch.AbortedTransaction> = []
  /** Batches that wait for the coordinator, and hold a guard as long as the partition knows what it is for. */
  const guarded = new Set<{ guard: boolean; readonly producerId: number }>()

  const replicate = (): void => {
    for (;;) {
      const step = TransactionalPartition.step(context, partition, { _tag: "Replicate" })
      if (step === undefined) return
      partition = step[0]
    }
  }

  /** A turn, and what the leader answers; `undefined` when it asks the coordinator first. */
  const turn = (input: TransactionalPartition.Input): Produced | undefined => {
    const step = TransactionalPartition.step(context, partition, input)
    if (step === undefined) return refused("UNKNOWN_SERVER_ERROR")
    partition = step[0]
    for (const held of guarded) held.guard &&= TransactionalPartition.isGuarded(partition, held.producerId)
    let produced: Produced | undefined
    for (const output of step[1]) {
      if (output._tag === "Answer") produced = { error: output.error, offset: output.offset }
      if (output._tag === "Wait") produced = { error: "NONE", offset: output.offset }
    }
    replicate()
    return produced
  }

  /** Takes the bytes of an entry that the last turn has appended, if it has. */
  const store = (before: number, bytes: Uint8Array): void => {
    const entry = partition.log.at(-1)
    if (entry === undefined || partition.log.length === before) return
    batches.push({
      offset: entry.offset,
      lastOffset: entry.offset + entry.records - 1,
      bytes: BatchHeader.withBaseOffset(bytes, entry.offset, 0)
    })
    appended()
  }

  const append = (input: TransactionalPartition.Input, bytes: Uint8Array): Produced | undefined => {
    const before = partition.log.length
    const produced = turn(input)
    store(before, bytes)
    return produced
  }

  const handle = (
    produce: TransactionalProducer.Produce,
    broker: Partition.Broker,
    bytes: Uint8Array
  ): Produced | Verifying => {
    const arrival = { produce, broker, generation: produce.generation }
    const produced = append({ _tag: "HandleProduce", ...arrival }, bytes)
    if (produced !== undefined) return produced
    const held = { guard: true, producerId: produce.producerId }
    guarded.add(held)
    return {
      verification: produce,
      verified: (error) => {
        guarded.delete(held)
        return error === "NONE"
          ? append({ _tag: "AppendVerified", ...arrival, guard: held.guard }, bytes)!
          : refused(TransactionalPartition.verificationError(name, produce.version, error))
      }
    }
  }

  const read = (offset: number, end: number, maxBytes: number): ReadonlyArray<StoredBatch> => {
    const found: Array<StoredBatch> = []
    let size = 0
    for (let index = find(batches, offset); index < batches.length; index++) {
      const batch = batches[index]!
      size += batch.bytes.length
      if (batch.lastOffset >= end || (found.length > 0 && size > maxBytes)) break
      found.push(batch)
    }
    return found
  }

  const end = (isolationLevel: IsolationLevel): number =>
    isolationLevel === "read_committed" ? context.rules.LastStableOffset(partition) : partition.highWatermark

  return {
    leader: () => partition.leader,
    produce: (bytes, { broker, version }) => {
      const read = RecordBatch.validate(bytes)
      if (Result.isFailure(read)) return refused(InvalidBatch.errorOf(read.failure))
      const { baseSequence, count, isControl, isTransactional, producerEpoch, producerId } = read.success
      // LogValidator: control batches come from coordinators only.
      if (isControl) return refused("INVALID_RECORD")
      return handle(
        {
          partition: name,
          producerId,
          epoch: producerEpoch,
          version,
          transaction: Transaction.noName,
          sequence: baseSequence,
          records: count,
          isTransactional,
          generation: Sequence.none,
          input: Sequence.none
        },
        broker,
        bytes
      )
    },
    commit: ({ broker, version }, transactional) =>
      handle(
        {
          partition: name,
          producerId: transactional?.producerId ?? Sequence.none,
          epoch: transactional?.producerEpoch ?? Sequence.none,
          version,
          transaction: Transaction.noName,
          sequence: Sequence.none,
          records: 1,
          isTransactional: transactional !== undefined,
          generation: Sequence.none,
          input: Sequence.none
        },
        broker,
        emptyBatch
      ),
    mark: (broker, marker, timestamp) => {
      const first = TransactionalPartition.firstOffsetOf(partition.producers, marker.producerId)
      const { coordinatorEpoch, epoch: producerEpoch, producerId, result } = marker
      const bytes = ControlRecord.encodeMarker({ producerId, producerEpoch, result, coordinatorEpoch, timestamp })
      const { error, offset } = append({ _tag: "HandleMarker", marker, broker }, bytes)!
      const aborted = error === "NONE" ? Fetch.abortedBy(producerId, result, first, offset) : undefined
      if (aborted !== undefined) abortedIndex.push(aborted)
      return error
    },
    fetch: (offset, isolationLevel, maxBytes) => {
      const { highWatermark } = partition
      const lastStableOffset = end("read_committed")
      const limit = end(isolationLevel)
      const isInRange = offset >= 0 && offset <= highWatermark
      const found = isInRange ? read(offset, limit, maxBytes) : []
      const upper = found.length === 0 ? offset : found.at(-1)!.lastOffset + 1
      return {
        error: isInRange ? "NONE" : "OFFSET_OUT_OF_RANGE",
        highWatermark,
        lastStableOffset,
        abortedTransactions: isolationLevel === "read_committed"
          ? abortedIndex.filter((aborted) => FetchRules.base.IsAbortedIn(aborted, offset, upper)).map((aborted) => ({
            producerId: aborted.producerId,
            firstOffset: aborted.first
          }))
          : [],
        batches: found.map(({ bytes }) => bytes)
      }
    },
    end,
    change: () => {
      turn({ _tag: "LeaderChange" })
      guarded.forEach((held) => (held.guard = false))
    }
  }
}

/** The offsets of groups are kept apart from the log of their partition, which has nothing but their order. */
const emptyBatch = new Uint8Array(BatchHeader.size)
