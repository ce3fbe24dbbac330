/**
 * What was fetched of a partition and is not handed out yet. Batches are opened when their turn comes; what belongs to
 * aborted transactions is passed over by the core's filter, and so are control batches. Kafka's `CompletedFetch`.
 */
import { Result } from "effect"
import { FetchedRecords, FetchRules, type TopicPartition } from "../../core/index.ts"
import { BatchHeader, ControlRecord, InvalidBatch, RecordBatch, Records } from "../../wire/index.ts"
import type { ConsumerRecord } from "./ConsumerRecord.ts"
import type { FetchResult, IsolationLevel } from "./Requests.ts"

export interface CompletedFetch {
  readonly partition: TopicPartition.TopicPartition
  /** The offset of the record to hand out next, or of where to fetch when nothing is left. */
  readonly position: () => number
  readonly isExhausted: () => boolean
  /**
   * Puts up to `count` of the next records behind those of `into`. What is wrong with the batch that it got stuck at,
   * in words; the position is that batch then.
   */
  readonly take: (count: number, into: Array<ConsumerRecord>) => string | undefined
}

const rules = FetchRules.base

/** What a control batch says of its transaction; markers are the only ones that say something. */
const resultOf = (batch: Uint8Array): Result.Result<"COMMIT" | "ABORT" | undefined, InvalidBatch.InvalidBatch> =>
  Result.flatMap(RecordBatch.decode(batch), ({ records: [record] }) =>
    record === undefined
      ? Result.succeed(undefined)
      : Result.map(ControlRecord.read(record), (control) =>
        control._tag === "EndTransactionMarker" ? control.result : undefined))

/** What came of a fetch at `from`, or after that: records below are passed over. */
export const make = (
  isolationLevel: IsolationLevel,
  from: number,
  { abortedTransactions, batches, partition, topic }: FetchResult
): CompletedFetch => {
  let filter = FetchedRecords.begin(
    rules,
    abortedTransactions.map(({ firstOffset, producerId }) => ({ producerId, first: firstOffset }))
  )
  let next = 0
  let position = from
  let open: ReadonlyArray<ConsumerRecord> = []
  let taken = 0
  /** Where to be when the open batch is done. */
  let end = from

  /** Whether the records of the batch are for the application. */
  const isDelivered = (
    batch: Uint8Array,
    header: BatchHeader.BatchHeader,
    lastOffset: number
  ): Result.Result<boolean, InvalidBatch.InvalidBatch> => {
    if (isolationLevel === "read_uncommitted" || !header.isTransactional) return Result.succeed(!header.isControl)
    const { producerId } = header
    const take = (kind: "DATA" | "COMMIT" | "ABORT"): boolean => {
      const [after, delivered] = FetchedRecords.take(rules, filter, { kind, producerId }, lastOffset)
      filter = after
      return delivered
    }
    return header.isControl
      ? Result.map(resultOf(batch), (result) => result !== undefined && take(result))
      : Result.succeed(take("DATA"))
  }

  const openNext = (): InvalidBatch.InvalidBatch | undefined => {
    const batch = batches[next]!
    const header = BatchHeader.read(batch)
    if (Result.isFailure(header)) return header.failure
    const { baseOffset, lastOffsetDelta } = header.success
    const delivered = isDelivered(batch, header.success, baseOffset + lastOffsetDelta)
    if (Result.isFailure(delivered)) return delivered.failure
    const records: Array<ConsumerRecord> = []
    if (delivered.success) {
      const read = RecordBatch.forEach(batch, (at) => {
        if (at.offset < from) return
        records.push({
          topic,
          partition,
          offset: at.offset,
          timestamp: at.timestamp,
          key: Records.key(at),
          value: Records.value(at),
          headers: Records.headers(at)
        })
      })
      if (Result.isFailure(read)) return read.failure
    }
    next++
    open = records
    taken = 0
    end = Math.max(from, baseOffset + lastOffsetDelta + 1)
    return undefined
  }

  return {
    partition: { topic, partition },
    position: () => position,
    isExhausted: () => taken === open.length && next === batches.length,
    take: (count, into) => {
      let left = count
      while (left > 0) {
        if (taken === open.length) {
          if (next === batches.length) return undefined
          const invalid = openNext()
          if (invalid !== undefined) return InvalidBatch.describe(invalid)
        }
        const until = Math.min(open.length, taken + left)
        left -= until - taken
        while (taken < until) into.push(open[taken++]!)
        position = taken === open.length ? end : open[taken]!.offset
      }
      return undefined
    }
  }
}
