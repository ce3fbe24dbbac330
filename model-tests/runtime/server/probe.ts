/**
 * A client that says one request at a time, right or wrong, in the version that it is told, and reads of the answer what
 * tests look at. Errors are names.
 */
import { Effect, Result } from "effect"
import { Errors } from "../../../src/core/index.ts"
import type { Connection } from "../../../src/runtime/remote/index.ts"
import { BatchHeader, Messages, RecordBatch } from "../../../src/wire/index.ts"

export interface Identity {
  readonly producerId: number
  readonly producerEpoch: number
}

export const nobody: Identity = { producerId: -1, producerEpoch: -1 }

/** An identity alone, of whatever has one. */
const only = ({ producerEpoch, producerId }: Identity): Identity => ({ producerId, producerEpoch })

export type Partition = readonly [topic: string, partition: number]

const names = new Map(Object.entries(Errors.codes).map(([name, code]) => [code as number, name]))

/** The name of a code, or the code where it has none here. */
export const nameOf = (code: number): string => names.get(code) ?? `error ${code}`

const encoder = new TextEncoder()
const decoder = new TextDecoder()

export interface Batch {
  readonly identity?: Identity
  readonly sequence?: number
  readonly values?: ReadonlyArray<string>
  readonly isTransactional?: boolean
  readonly isControl?: boolean
  readonly timestamp?: number
}

/** A batch of the producer; by default of now, since Kafka begins a new segment where timestamps are far apart. */
export const batch = (given: Batch): Uint8Array => {
  const { identity = nobody, isControl = false, isTransactional = false, sequence = -1, values = ["a"] } = given
  const { timestamp = Date.now() } = given
  return RecordBatch.encode({
    ...only(identity),
    baseSequence: sequence,
    isTransactional,
    isControl,
    compression: "none",
    records: values.map((value) => ({ timestamp, key: null, value: encoder.encode(value), headers: [] }))
  })
}

/** Partitions topic by topic, as requests have them. */
const byTopic = <P>(partitions: ReadonlyArray<Partition>, of: (partition: number) => P) =>
  [...new Set(partitions.map(([topic]) => topic))].map((name) => ({
    name,
    partitions: partitions.filter(([topic]) => topic === name).map(([, partition]) => of(partition))
  }))

export interface Producing extends Batch {
  readonly version?: number
  readonly acks?: number
  readonly transactionalId?: string | null
  /** Instead of what is encoded. */
  readonly bytes?: Uint8Array | null
}

export interface Committing {
  readonly version?: number
  readonly generation?: number
  readonly member?: string
  readonly instance?: string | null
}

/** The log of a partition, as a reader gets it. */
export interface Fetched {
  readonly error: string
  readonly highWatermark: number
  readonly lastStableOffset: number
  readonly aborted: ReadonlyArray<{ readonly producerId: number; readonly firstOffset: number }> | null
  readonly headers: ReadonlyArray<BatchHeader.BatchHeader>
  readonly bytes: ReadonlyArray<Uint8Array>
  readonly values: ReadonlyArray<string>
}

/** Batches one behind the other. */
const split = (records: Uint8Array): ReadonlyArray<Uint8Array> => {
  const found: Array<Uint8Array> = []
  for (let at = 0; at < records.length;) {
    const size = 12 + new DataView(records.buffer, records.byteOffset + at).getInt32(8)
    found.push(records.subarray(at, at + size))
    at += size
  }
  return found
}

export const make = (connection: Connection.Connection) => {
  const { request } = connection

  const init = Effect.fnUntraced(function*(
    transactionalId: string | null,
    { producerEpoch, producerId }: Identity = nobody,
    { timeoutMs = 60_000, version = 5 }: { readonly timeoutMs?: number; readonly version?: number } = {}
  ) {
    const answer = yield* request(Messages.InitProducerId, version, {
      transactionalId,
      transactionTimeoutMs: timeoutMs,
      ...(version >= 3 ? { producerId, producerEpoch } : {})
    })
    return {
      error: nameOf(answer.errorCode),
      producerId: answer.producerId,
      producerEpoch: answer.producerEpoch
    }
  })

  const add = Effect.fnUntraced(function*(
    transactionalId: string,
    identity: Identity,
    partitions: ReadonlyArray<Partition>,
    version = 3
  ) {
    const topics = byTopic(partitions, (partition) => partition)
    const answer = yield* request(
      Messages.AddPartitionsToTxn,
      version,
      version <= 3
        ? {
          v3AndBelowTransactionalId: transactionalId,
          v3AndBelowProducerId: identity.producerId,
          v3AndBelowProducerEpoch: identity.producerEpoch,
          v3AndBelowTopics: topics
        }
        : { transactions: [{ transactionalId, ...only(identity), verifyOnly: false, topics }] }
    )
    const results = version <= 3
      ? answer.resultsByTopicV3AndBelow
      : answer.resultsByTransaction.flatMap(({ topicResults }) => topicResults)
    // Topics come in any order.
    return topics.flatMap(({ name }) =>
      results.find((result) => result.name === name)!.resultsByPartition.map(({ partitionErrorCode }) =>
        nameOf(partitionErrorCode)
      )
    )
  })

  const verify = Effect.fnUntraced(function*(
    transactionalId: string,
    identity: Identity,
    partitions: ReadonlyArray<Partition>,
    version = 5
  ) {
    const { errorCode, resultsByTransaction } = yield* request(Messages.AddPartitionsToTxn, version, {
      transactions: [{
        transactionalId,
        ...only(identity),
        verifyOnly: true,
        topics: byTopic(partitions, (partition) => partition)
      }]
    })
    return errorCode !== 0
      ? [nameOf(errorCode)]
      : resultsByTransaction.flatMap(({ topicResults }) =>
        topicResults.flatMap(({ resultsByPartition }) =>
          resultsByPartition.map(({ partitionErrorCode }) => nameOf(partitionErrorCode))
        )
      )
  })

  const addOffsets = Effect.fnUntraced(function*(
    transactionalId: string,
    identity: Identity,
    groupId: string,
    version = 4
  ) {
    const { errorCode } = yield* request(Messages.AddOffsetsToTxn, version, {
      transactionalId,
      ...only(identity),
      groupId
    })
    return nameOf(errorCode)
  })

  const end = Effect.fnUntraced(function*(
    transactionalId: string,
    { producerEpoch, producerId }: Identity,
    result: "COMMIT" | "ABORT",
    version: number
  ) {
    const answer = yield* request(Messages.EndTxn, version, {
      transactionalId,
      producerId,
      producerEpoch,
      committed: result === "COMMIT"
    })
    return { error: nameOf(answer.errorCode), producerId: answer.producerId, producerEpoch: answer.producerEpoch }
  })

  const produce = Effect.fnUntraced(function*([name, index]: Partition, given: Producing = {}) {
    const { acks = -1, bytes, transactionalId = null, version = 11, ...rest } = given
    const records = bytes === undefined ? batch({ isTransactional: transactionalId !== null, ...rest }) : bytes
    const { responses } = yield* request(Messages.Produce, version, {
      transactionalId,
      acks,
      timeoutMs: 10_000,
      topicData: [{ name, partitionData: [{ index, records }] }]
    })
    const { baseOffset, errorCode } = responses[0]!.partitionResponses[0]!
    return { error: nameOf(errorCode), baseOffset }
  })

  const fetch = Effect.fnUntraced(function*(
    [topic, partition]: Partition,
    isolation: "read_committed" | "read_uncommitted" = "read_uncommitted",
    { offset: fetchOffset = 0, version = 12 }: { readonly offset?: number; readonly version?: number } = {}
  ): Effect.fn.Return<Fetched, Connection.ConnectionError> {
    const { responses } = yield* request(Messages.Fetch, version, {
      maxWaitMs: 0,
      minBytes: 0,
      maxBytes: 1_000_000,
      isolationLevel: isolation === "read_committed" ? 1 : 0,
      topics: [{ topic, partitions: [{ partition, fetchOffset, partitionMaxBytes: 1_000_000 }] }]
    })
    const { abortedTransactions, errorCode, highWatermark, lastStableOffset, records } = responses[0]!.partitions[0]!
    const bytes = split(records ?? new Uint8Array())
    const headers = bytes.map((one) => Result.getOrThrow(BatchHeader.read(one)))
    return {
      error: nameOf(errorCode),
      highWatermark,
      lastStableOffset,
      aborted: abortedTransactions,
      headers,
      bytes,
      values: bytes.filter((_, i) => !headers[i]!.isControl).flatMap((one) =>
        Result.getOrThrow(RecordBatch.decode(one)).records.map(({ value }) => decoder.decode(value!))
      )
    }
  })

  const offsetOf = Effect.fnUntraced(function*(
    [name, partitionIndex]: Partition,
    timestamp = -1,
    isolation: "read_committed" | "read_uncommitted" = "read_uncommitted",
    version = 7
  ) {
    const { topics } = yield* request(Messages.ListOffsets, version, {
      replicaId: -1,
      ...(version >= 2 ? { isolationLevel: isolation === "read_committed" ? 1 : 0 } : {}),
      topics: [{ name, partitions: [{ partitionIndex, timestamp }] }]
    })
    const { errorCode, offset } = topics[0]!.partitions[0]!
    return errorCode === 0 ? offset : nameOf(errorCode)
  })

  const create = Effect.fnUntraced(function*(name: string, numPartitions: number, version = 7) {
    const { topics } = yield* request(Messages.CreateTopics, version, {
      topics: [{ name, numPartitions, replicationFactor: 1, assignments: [], configs: [] }]
    })
    return nameOf(topics[0]!.errorCode)
  })

  const describe = Effect.fnUntraced(function*(transactionalId: string) {
    const { transactionStates } = yield* request(Messages.DescribeTransactions, 0, {
      transactionalIds: [transactionalId]
    })
    const { errorCode, producerEpoch, producerId, topics, transactionState, transactionTimeoutMs } =
      transactionStates[0]!
    return {
      error: nameOf(errorCode),
      state: transactionState,
      producerId,
      producerEpoch,
      timeoutMs: transactionTimeoutMs,
      partitions: topics.flatMap(({ partitions, topic }) => partitions.map((partition) => [topic, partition] as const))
    }
  })

  const producers = Effect.fnUntraced(function*([name, partition]: Partition) {
    const { topics } = yield* request(Messages.DescribeProducers, 0, {
      topics: [{ name, partitionIndexes: [partition] }]
    })
    const { activeProducers, errorCode } = topics[0]!.partitions[0]!
    return {
      error: nameOf(errorCode),
      // Epoch, last sequence, coordinator epoch, start of the transaction.
      active: new Map(
        activeProducers.map((
          { coordinatorEpoch, currentTxnStartOffset, lastSequence, producerEpoch, producerId }
        ) => [producerId, [producerEpoch, lastSequence, coordinatorEpoch, currentTxnStartOffset]])
      )
    }
  })

  const mark = Effect.fnUntraced(function*(
    [name, partition]: Partition,
    { producerEpoch, producerId }: Identity,
    result: "COMMIT" | "ABORT",
    { coordinatorEpoch = 0, transactionVersion = 0, version = 1 }: {
      readonly coordinatorEpoch?: number
      readonly transactionVersion?: number
      readonly version?: number
    } = {}
  ) {
    const { markers } = yield* request(Messages.WriteTxnMarkers, version, {
      markers: [{
        producerId,
        producerEpoch,
        transactionResult: result === "COMMIT",
        topics: [{ name, partitionIndexes: [partition] }],
        coordinatorEpoch,
        ...(version >= 2 ? { transactionVersion } : {})
      }]
    })
    return nameOf(markers[0]!.topics[0]!.partitions[0]!.errorCode)
  })

  const commitInTransaction = Effect.fnUntraced(function*(
    transactionalId: string,
    identity: Identity,
    groupId: string,
    [name, partitionIndex]: Partition,
    committedOffset: number,
    { generation = -1, instance = null, member = "", version = 3 }: Committing = {}
  ) {
    const { topics } = yield* request(Messages.TxnOffsetCommit, version, {
      transactionalId,
      groupId,
      ...only(identity),
      ...(version >= 3
        ? { generationIdOrMemberEpoch: generation, memberId: member, groupInstanceId: instance }
        : {}),
      topics: [{ name, partitions: [{ partitionIndex, committedOffset, committedMetadata: null }] }]
    })
    return nameOf(topics[0]!.partitions[0]!.errorCode)
  })

  const commit = Effect.fnUntraced(function*(
    groupId: string,
    [name, partitionIndex]: Partition,
    committedOffset: number,
    { generation = -1, instance = null, member = "", version = 8 }: Committing = {}
  ) {
    const { topics } = yield* request(Messages.OffsetCommit, version, {
      groupId,
      generationIdOrMemberEpoch: generation,
      memberId: member,
      ...(version >= 7 ? { groupInstanceId: instance } : {}),
      topics: [{ name, partitions: [{ partitionIndex, committedOffset, committedMetadata: null }] }]
    })
    return nameOf(topics[0]!.partitions[0]!.errorCode)
  })

  /** An offset, or why there is none. */
  const committed = Effect.fnUntraced(function*(
    groupId: string,
    [name, partition]: Partition,
    requireStable = false,
    version = 8
  ) {
    const topics = [{ name, partitionIndexes: [partition] }]
    const answer = yield* request(
      Messages.OffsetFetch,
      version,
      version >= 8
        ? { groups: [{ groupId, topics }], requireStable }
        : { groupId, topics, ...(version >= 7 ? { requireStable } : {}) }
    )
    const refused = version >= 8 ? answer.groups[0]!.errorCode : answer.errorCode
    if (refused !== 0) return nameOf(refused)
    const found = version >= 8 ? answer.groups[0]!.topics : answer.topics
    const { committedOffset, errorCode } = found[0]!.partitions[0]!
    return errorCode === 0 ? committedOffset : nameOf(errorCode)
  })

  return {
    connection,
    request,
    init,
    add,
    verify,
    addOffsets,
    end,
    produce,
    fetch,
    offsetOf,
    create,
    describe,
    producers,
    mark,
    commitInTransaction,
    commit,
    committed
  }
}

export type Probe = ReturnType<typeof make>

/** What a coordinator or a leader answers while something has to end first. */
const passing = ["CONCURRENT_TRANSACTIONS", "NOT_ENOUGH_REPLICAS"]

/** Asks until the answer is another one. */
export const settled = <A extends { readonly error: string }, E>(
  ask: Effect.Effect<A, E>
): Effect.Effect<A, E> =>
  Effect.gen(function*() {
    for (let times = 0;; times++) {
      const answer = yield* ask
      if (!passing.includes(answer.error) || times > 200) return answer
      yield* Effect.sleep(5)
    }
  })

/** Waits until the coordinator says that the id is in one of these states. */
export const untilState = Effect.fnUntraced(function*(
  probe: Probe,
  transactionalId: string,
  ...states: ReadonlyArray<string>
) {
  for (let times = 0; times < 1000; times++) {
    const { state } = yield* probe.describe(transactionalId)
    if (states.includes(state)) return state
    yield* Effect.sleep(5)
  }
  return (yield* probe.describe(transactionalId)).state
})
