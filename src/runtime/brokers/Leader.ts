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
  type FetchRules,
  type Partition,
  Sequence,
  Transaction,
  TransactionalPartition,
  type TransactionalProducer,
  type TransactionCoordinator
} from "../../core/index.ts"
import { BatchHeader, ControlRecord, InvalidBatch, RecordBatch } from "../../wire/index.ts"
import type { FetchResult, Identity, IsolationLevel } from "../client/Requests.ts"

/** What came of a batch; the offset is that of its first record, or -1. */
export interface Produced {
  readonly error: Errors.Error
  readonly offset: number
  /** Of its newest record, in milliseconds since 1970, where the batch was there already; else -1. */
  readonly timestamp: number
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

/** Offsets that a group commits, as a batch of so many records. */
export interface Commit {
  readonly bytes: Uint8Array
  readonly records: number
  /** In milliseconds since 1970. */
  readonly timestamp: number
  /** Who commits them in a transaction. */
  readonly transactional: Identity | undefined
  /** Whether the group lets them be committed: asked when they are to be appended. */
  readonly mayCommit: () => Errors.Error
}

/** What a leader knows of a producer id. DescribeProducers. */
export interface ActiveProducer {
  readonly producerId: number
  readonly epoch: number
  /** -1 where no batch is remembered. */
  readonly lastSequence: number
  /** Of its newest record, in milliseconds since 1970. */
  readonly lastTimestamp: number
  /** -1 before the first marker. */
  readonly coordinatorEpoch: number
  /** Where its open transaction begins, or -1. */
  readonly firstOffset: number
}

interface StoredBatch {
  readonly offset: number
  readonly lastOffset: number
  readonly maxTimestamp: number
  readonly bytes: Uint8Array
}

export interface Leader {
  readonly leader: () => Partition.Broker
  /** A Produce; what it came to, or what the coordinator is to be asked first. */
  readonly produce: (bytes: Uint8Array, arrival: Arrival) => Produced | Verifying
  readonly commit: (arrival: Arrival, commit: Commit) => Produced | Verifying
  /** A WriteTxnMarkers. */
  readonly mark: (broker: Partition.Broker, marker: TransactionCoordinator.Marker, timestamp: number) => Errors.Error
  /**
   * Everything from an offset on that the reader may have, up to so many bytes, but one batch at least. `isParked` when
   * the reader has waited for it.
   */
  readonly fetch: (
    offset: number,
    isolationLevel: IsolationLevel,
    maxBytes: number,
    isParked: boolean
  ) => Omit<FetchResult, "topic" | "partition">
  /** The last stable offset for `read_committed`, and the high watermark otherwise. */
  readonly end: (isolationLevel: IsolationLevel) => number
  /** The first record that is not older, in milliseconds since 1970, of those the reader may have. */
  readonly find: (
    timestamp: number,
    isolationLevel: IsolationLevel
  ) => { readonly offset: number; readonly timestamp: number } | undefined
  /** Of all records, in milliseconds since 1970; -1 where there is none. */
  readonly maxTimestamp: () => number
  /** Whether a transaction may still change offsets that are here. */
  readonly isUnstable: () => boolean
  readonly producers: () => ReadonlyArray<ActiveProducer>
  /** The batch at an offset, if there is one. */
  readonly batchAt: (offset: number) => Uint8Array | undefined
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

const refused = (error: Errors.Error): Produced => ({ error, offset: Sequence.none, timestamp: Sequence.none })

/** Base offset, length, and the smallest message of format 0. */
const SMALLEST_BATCH = 26

/**
 * The error of bytes that are not one batch of format 2. A batch that cannot be is damaged, another number of batches or an
 * older format is what the client has sent. `ByteBufferLogInputStream.nextBatch`, `ProduceRequest.validateRecords`.
 */
const headerError = (invalid: InvalidBatch.InvalidBatch): Errors.Error => {
  switch (invalid._tag) {
    case "HeaderIncomplete":
      return "INVALID_RECORD"
    case "SizeMismatch":
      return invalid.declared < SMALLEST_BATCH ? "CORRUPT_MESSAGE" : "INVALID_RECORD"
    case "UnsupportedMagic":
      return invalid.magic === 0 || invalid.magic === 1 ? "INVALID_RECORD" : "CORRUPT_MESSAGE"
    default:
      return InvalidBatch.errorOf(invalid)
  }
}

/** What is in a batch of a client has to be records with sequences. `LogValidator.validateBatch`. */
const contentError = (bytes: Uint8Array): Errors.Error => {
  const read = RecordBatch.validate(bytes)
  if (Result.isFailure(read)) return InvalidBatch.errorOf(read.failure)
  const { baseSequence, isControl, producerId } = read.success
  return isControl || (producerId !== Sequence.none && baseSequence < 0) ? "INVALID_RECORD" : "NONE"
}

export interface Options {
  readonly context: Transaction.Context
  readonly fetchRules: FetchRules.Rules
  /** What the core calls the partition. */
  readonly name: string
  readonly first: Partition.Broker
  /** Called when there is more to read. */
  readonly appended: () => void
}

/** The leader of an empty partition. */
export const make = ({ appended, context, fetchRules, first, name }: Options): Leader => {
  let partition: TransactionalPartition.Partition = { ...TransactionalPartition.initial, leader: first }
  const batches: Array<StoredBatch> = []
  const abortedIndex: Array<Fetch.AbortedTransaction> = []
  /** By producer id. */
  const timestamps = new Map<number, number>()
  /** Batches that wait for the coordinator, and hold a guard as long as the partition knows what it is for. */
  const guarded = new Set<{ guard: boolean; readonly producerId: number }>()
  /** Outside of transactions, where an unknown producer id begins is for the rules of sequences alone. */
  const idempotent: Transaction.Context = {
    ...context,
    rules: { ...context.rules, IsFirstSequence: (sequence) => context.replica.rules.IsFirstSequence(sequence) }
  }

  const replicate = (): void => {
    for (;;) {
      const step = TransactionalPartition.step(context, partition, { _tag: "Replicate" })
      if (step === undefined) return
      partition = step[0]
    }
  }

  /** Makes the state that a turn came to the present one. */
  const accept = (next: TransactionalPartition.Partition): void => {
    partition = next
    for (const held of guarded) held.guard &&= TransactionalPartition.isGuarded(partition, held.producerId)
    replicate()
  }

  const answerOf = ([, outputs]: TransactionalPartition.Step): Produced | undefined => {
    for (const output of outputs) {
      if (output._tag === "Answer") {
        const { error, offset } = output
        const there = offset === Sequence.none ? undefined : batches[find(batches, offset)]
        return { error, offset, timestamp: there?.maxTimestamp ?? Sequence.none }
      }
      if (output._tag === "Wait") return { error: "NONE", offset: output.offset, timestamp: Sequence.none }
    }
    return undefined
  }

  /** Takes the bytes of an entry that a turn appends, if it does, and the transaction that it aborts. */
  const append = (
    step: TransactionalPartition.Step,
    bytes: Uint8Array,
    maxTimestamp: number,
    abortedAt: (offset: number) => Fetch.AbortedTransaction | undefined = () => undefined
  ): Produced | undefined => {
    const before = partition.log.length
    accept(step[0])
    const entry = partition.log.at(-1)
    if (entry !== undefined && partition.log.length > before) {
      batches.push({
        offset: entry.offset,
        lastOffset: entry.offset + entry.records - 1,
        maxTimestamp,
        bytes: BatchHeader.withBaseOffset(bytes, entry.offset, 0)
      })
      timestamps.set(entry.producerId, maxTimestamp)
      const aborted = abortedAt(entry.offset)
      if (aborted !== undefined) abortedIndex.push(aborted)
      // Who waits for it reads at once, and needs all of the above.
      appended()
    }
    return answerOf(step)
  }

  /** What is wrong with a batch is found out when it is to be appended, which may be after the coordinator was asked. */
  const handle = (
    produce: TransactionalProducer.Produce,
    broker: Partition.Broker,
    bytes: Uint8Array,
    maxTimestamp: number,
    mayAppend: () => Errors.Error
  ): Produced | Verifying => {
    const of = produce.isTransactional ? context : idempotent
    const arrival = { produce, broker, generation: produce.generation }
    const attempt = (input: TransactionalPartition.Input): Produced | undefined => {
      const step = TransactionalPartition.step(of, partition, input)
      if (step === undefined) return refused("UNKNOWN_SERVER_ERROR")
      const isAsking = step[1].some(({ _tag }) => _tag === "Verify")
      const error = isAsking || broker !== partition.leader ? "NONE" : mayAppend()
      return error === "NONE" ? append(step, bytes, maxTimestamp) : refused(error)
    }
    const produced = attempt({ _tag: "HandleProduce", ...arrival })
    if (produced !== undefined) return produced
    const held = { guard: true, producerId: produce.producerId }
    guarded.add(held)
    return {
      verification: produce,
      verified: (error) => {
        guarded.delete(held)
        return error === "NONE"
          ? attempt({ _tag: "AppendVerified", ...arrival, guard: held.guard })!
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
      const read = BatchHeader.read(bytes)
      if (Result.isFailure(read)) return refused(headerError(read.failure))
      const { baseSequence, isTransactional, lastOffsetDelta, maxTimestamp, producerEpoch, producerId } = read.success
      return handle(
        {
          partition: name,
          producerId,
          epoch: producerEpoch,
          version,
          transaction: Transaction.noName,
          sequence: baseSequence,
          records: lastOffsetDelta + 1,
          // A batch of nobody is in no transaction, whatever it says.
          isTransactional: isTransactional && producerId !== Sequence.none,
          generation: Sequence.none,
          input: Sequence.none
        },
        broker,
        bytes,
        maxTimestamp,
        () => contentError(bytes)
      )
    },
    commit: ({ broker, version }, { bytes, mayCommit, records, timestamp, transactional }) =>
      handle(
        {
          partition: name,
          producerId: transactional?.producerId ?? Sequence.none,
          epoch: transactional?.producerEpoch ?? Sequence.none,
          version,
          transaction: Transaction.noName,
          sequence: Sequence.none,
          records,
          isTransactional: transactional !== undefined,
          generation: Sequence.none,
          input: Sequence.none
        },
        broker,
        bytes,
        timestamp,
        mayCommit
      ),
    mark: (broker, marker, timestamp) => {
      const step = TransactionalPartition.step(context, partition, { _tag: "HandleMarker", marker, broker })!
      const begin = TransactionalPartition.firstOffsetOf(partition.producers, marker.producerId)
      const { coordinatorEpoch, epoch: producerEpoch, producerId, result } = marker
      const bytes = ControlRecord.encodeMarker({ producerId, producerEpoch, result, coordinatorEpoch, timestamp })
      return append(step, bytes, timestamp, (offset) => Fetch.abortedBy(producerId, result, begin, offset))!.error
    },
    fetch: (offset, isolationLevel, maxBytes, isParked) => {
      const { highWatermark } = partition
      const lastStableOffset = end("read_committed")
      const limit = end(isolationLevel)
      const isInRange = offset >= 0 && offset <= highWatermark
      const found = isInRange ? read(offset, limit, maxBytes) : []
      const upper = found.length === 0 ? offset : found.at(-1)!.lastOffset + 1
      const aborted = isolationLevel === "read_committed"
        ? abortedIndex.filter((aborted) => fetchRules.IsAbortedIn(aborted, offset, upper))
        : []
      return {
        error: isInRange ? "NONE" : "OFFSET_OUT_OF_RANGE",
        highWatermark,
        lastStableOffset,
        abortedTransactions: (isParked ? fetchRules.AbortedOfParked(aborted) : aborted).map((
          { first: firstOffset, producerId }
        ) => ({ producerId, firstOffset })),
        batches: found.map(({ bytes }) => bytes)
      }
    },
    end,
    find: (timestamp, isolationLevel) => {
      const limit = end(isolationLevel)
      for (const { bytes, lastOffset, maxTimestamp } of batches) {
        if (lastOffset >= limit) return undefined
        if (maxTimestamp < timestamp) continue
        const decoded = RecordBatch.decode(bytes)
        const record = Result.isSuccess(decoded)
          ? decoded.success.records.find((record) => record.timestamp >= timestamp)
          : undefined
        if (record !== undefined) return { offset: record.offset, timestamp: record.timestamp }
      }
      return undefined
    },
    maxTimestamp: () => batches.reduce((max, { maxTimestamp }) => Math.max(max, maxTimestamp), Sequence.none),
    isUnstable: () => context.rules.IsUnstable(partition),
    producers: () =>
      Array.from(partition.producers, ([producerId, { batches, coordinatorEpoch, epoch, firstOffset }]) => ({
        producerId,
        epoch,
        lastSequence: batches.at(-1)?.last ?? Sequence.none,
        lastTimestamp: timestamps.get(producerId) ?? Sequence.none,
        coordinatorEpoch,
        firstOffset
      })),
    batchAt: (offset) => {
      const batch = batches[find(batches, offset)]
      return batch?.offset === offset ? batch.bytes : undefined
    },
    change: () => {
      const step = TransactionalPartition.step(context, partition, { _tag: "LeaderChange" })
      if (step !== undefined) accept(step[0])
      guarded.forEach((held) => (held.guard = false))
    }
  }
}
