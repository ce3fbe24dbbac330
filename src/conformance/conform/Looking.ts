/**
 * A cluster's own account of a state, in the terms of `Account.ts`: what consumers of each isolation level get, what
 * DescribeProducers, DescribeTransactions and OffsetFetch say.
 */
import { Effect, Result } from "effect"
import { Sequence, Transaction } from "../../core/index.ts"
import type { Remote } from "../../runtime/index.ts"
import { BatchHeader, ControlRecord, InvalidBatch, Messages, RecordBatch, type Records } from "../../wire/index.ts"
import type * as Account from "./Account.ts"
import * as Asking from "./Asking.ts"
import * as Subject from "./Subject.ts"

type Unexpected = Remote.Connection.ConnectionError

/** An answer that is an error where there is none to expect, or that lacks what was asked for. */
export interface Failure {
  readonly failed: string
}

const failed = (api: string, code: number | undefined): Failure => ({
  failed: code === undefined ? `${api} says nothing of what was asked` : `${api} says ${Asking.errorOf(code)}`
})

const kindOf = (
  header: BatchHeader.BatchHeader,
  first: Records.Record | undefined
): Account.Batch["kind"] | undefined => {
  if (!header.isControl) return "DATA"
  const control = first === undefined ? undefined : ControlRecord.read(first)
  if (control === undefined || Result.isFailure(control)) return undefined
  return control.success._tag === "EndTransactionMarker" ? control.success.result : undefined
}

const batchOf = (subject: Subject.Subject, place: Subject.Place, bytes: Uint8Array): Account.Batch | Failure => {
  const decoded = RecordBatch.decode(bytes)
  if (Result.isFailure(decoded)) {
    return { failed: `Fetch has a batch that is none: ${InvalidBatch.describe(decoded.failure)}` }
  }
  const { header, records } = decoded.success
  const kind = kindOf(header, records[0])
  if (kind === undefined) return { failed: "Fetch has a control batch that is no marker" }
  return {
    offset: Subject.offsetAt(place, header.baseOffset),
    kind,
    producerId: Subject.toSpecification(subject, header.producerId),
    epoch: header.producerEpoch,
    sequence: header.baseSequence,
    isTransactional: header.isTransactional,
    records: header.count
  }
}

export const fetched = Effect.fnUntraced(function*(
  { connection, dialect, subject }: Asking.Asking,
  name: string,
  isolationLevel: Account.IsolationLevel,
  from = 0
): Effect.fn.Return<Account.Fetched | Failure, Unexpected> {
  const place = Subject.placeOf(subject, name)
  const { partition, topic } = place
  const answer = yield* connection.request(Messages.Fetch, dialect.Fetch, {
    maxWaitMs: 0,
    minBytes: 0,
    isolationLevel: isolationLevel === "read_committed" ? 1 : 0,
    topics: [{ topic, partitions: [{ partition, fetchOffset: place.start + from, partitionMaxBytes: 1 << 20 }] }],
    forgottenTopicsData: []
  })
  const found = answer.responses[0]?.partitions[0]
  if (answer.errorCode !== 0 || found === undefined) return failed("Fetch", answer.errorCode || undefined)
  if (found.errorCode !== 0) return failed("Fetch", found.errorCode)
  const batches: Array<Account.Batch> = []
  for (const bytes of BatchHeader.split(found.records ?? new Uint8Array()).batches) {
    const batch = batchOf(subject, place, bytes)
    if ("failed" in batch) return batch
    batches.push(batch)
  }
  const { highWatermark, lastStableOffset } = found
  const end = isolationLevel === "read_committed" ? lastStableOffset : highWatermark
  return {
    highWatermark: Subject.offsetAt(place, highWatermark),
    lastStableOffset: Subject.offsetAt(place, lastStableOffset),
    batches,
    aborted: (found.abortedTransactions ?? []).filter(({ firstOffset }) => firstOffset < end).map((
      { firstOffset, producerId }
    ) => ({
      producerId: Subject.toSpecification(subject, producerId),
      firstOffset: Subject.offsetAt(place, firstOffset)
    }))
      .toSorted((a, b) => a.firstOffset - b.firstOffset)
  }
})

/** A coordinator's epoch as the specification counts it. */
const coordinatorEpochOf = (subject: Subject.Subject, epoch: number): number =>
  epoch === Sequence.none ? epoch : epoch - subject.coordinatorEpoch

export const activeProducers = Effect.fnUntraced(function*(
  { connection, dialect, subject }: Asking.Asking,
  name: string
): Effect.fn.Return<ReadonlyArray<Account.ActiveProducer> | Failure, Unexpected> {
  const place = Subject.placeOf(subject, name)
  const { partition, topic } = place
  const answer = yield* connection.request(Messages.DescribeProducers, dialect.DescribeProducers, {
    topics: [{ name: topic, partitionIndexes: [partition] }]
  })
  const found = answer.topics[0]?.partitions[0]
  if (found === undefined || found.errorCode !== 0) return failed("DescribeProducers", found?.errorCode)
  return found.activeProducers.filter(({ producerId }) => !place.strangers.has(producerId)).map((known) => ({
    producerId: Subject.toSpecification(subject, known.producerId),
    epoch: known.producerEpoch,
    lastSequence: known.lastSequence,
    coordinatorEpoch: coordinatorEpochOf(subject, known.coordinatorEpoch),
    transactionStartOffset: Subject.offsetAt(place, known.currentTxnStartOffset)
  })).toSorted((a, b) => a.producerId - b.producerId)
})

export const described = Effect.fnUntraced(function*(
  { connection, dialect, subject }: Asking.Asking,
  id: number,
  expected: Account.Described
): Effect.fn.Return<Account.Described | Failure, Unexpected> {
  const answer = yield* connection.request(Messages.DescribeTransactions, dialect.DescribeTransactions, {
    transactionalIds: [subject.transactionalIds[id - 1]!]
  })
  const found = answer.transactionStates[0]
  if (found === undefined) return failed("DescribeTransactions", undefined)
  const error = Asking.errorOf(found.errorCode)
  if (error === "TRANSACTIONAL_ID_NOT_FOUND") return { error }
  if (error !== "NONE") return failed("DescribeTransactions", found.errorCode)
  return {
    error,
    state: found.transactionState,
    producerId: Subject.learn(
      subject,
      expected.error === "NONE" ? expected.producerId : Sequence.none,
      found.producerId
    ),
    epoch: found.producerEpoch,
    partitions: found.topics.flatMap(({ partitions, topic }) =>
      topic === Transaction.groupPartition
        ? [topic]
        : partitions.map((partition) => Subject.partitionAt(subject, topic, partition))
    ).toSorted()
  }
})

export const groupOffset = Effect.fnUntraced(function*(
  { connection, dialect, subject }: Asking.Asking,
  requireStable: boolean
): Effect.fn.Return<Account.GroupOffset | Failure, Unexpected> {
  const { partition, topic: name } = subject.places.values().next().value!
  const answer = yield* connection.request(Messages.OffsetFetch, dialect.OffsetFetch, {
    groups: [{ groupId: subject.group, topics: [{ name, partitionIndexes: [partition] }] }],
    requireStable
  })
  const group = answer.groups[0]
  const found = group?.topics[0]?.partitions[0]
  if (group === undefined || group.errorCode !== 0 || found === undefined) {
    return failed("OffsetFetch", group?.errorCode || undefined)
  }
  const error = Asking.errorOf(found.errorCode)
  return typeof error === "number" ? failed("OffsetFetch", error) : { error, offset: found.committedOffset }
})
