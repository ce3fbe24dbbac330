/**
 * A partition that transactions write to, as a pure state machine: which batches and markers its leader takes, what it
 * knows of producers, and what consumers can read.
 *
 * The partition of a group's offsets is one too: its records are offsets, and its leader is the group coordinator. The
 * follower has the log up to the high watermark. A host may drop entries from the front of the log that are replicated
 * and decided; nothing looks at them. `step` is the only way in, and answers `undefined` when the input is not possible
 * in the state. `ReplicaManager`, `UnifiedLog`,
 * `ProducerStateManager`, `ProducerAppendInfo` and `GroupMetadataManager` in Kafka.
 */
import type * as Errors from "./Errors.ts"
import type { Broker } from "./Partition.ts"
import * as Replica from "./Replica.ts"
import * as Sequence from "./Sequence.ts"
import type { Context, Name, Result, Version } from "./Transaction.ts"
import { groupPartition, noName } from "./Transaction.ts"
import type { Produce } from "./TransactionalProducer.ts"
import type { Marker } from "./TransactionCoordinator.ts"

/** A batch of one record, or a control batch. */
export interface Entry {
  /** Of the first record. */
  readonly offset: number
  /** How many there are; one in a control batch. */
  readonly records: number
  readonly kind: "DATA" | Result
  readonly producerId: number
  readonly epoch: number
  /** `Sequence.none` for offsets and control batches. */
  readonly sequence: number
  /** A control batch is. */
  readonly isTransactional: boolean
  /** `Sequence.none` for data. */
  readonly coordinatorEpoch: number
  /** Ghost. */
  readonly transaction: Name
  /** As in the request; `Sequence.none` for control batches. */
  readonly input: number
}

/** `ProducerStateEntry`. */
export interface ProducerState extends Replica.ProducerState {
  /** The epoch of the coordinator that wrote the last marker, or `Sequence.none`. */
  readonly coordinatorEpoch: number
  /** Where the open transaction begins, or `Sequence.none`. */
  readonly firstOffset: number
}

/** By producer id. */
export type Producers = ReadonlyMap<number, ProducerState>

/**
 * The leader has asked the coordinator about batches of a producer id. In memory only. Whoever asked holds a guard as
 * long as this is there. `VerificationStateEntry`.
 */
export interface VerificationState {
  readonly epoch: number
  /** Batches with a higher sequence wait for the one with this. */
  readonly lowestSequence: number
  readonly version: Version
}

export interface Partition {
  readonly leader: Broker
  readonly log: ReadonlyArray<Entry>
  readonly highWatermark: number
  readonly producers: Producers
  /** By producer id. */
  readonly verification: ReadonlyMap<number, VerificationState>
}

/** A request from a producer, and the broker that it was sent to. */
interface Arrival {
  readonly produce: Produce
  readonly broker: Broker
  /** The generation of the consumer group; the group coordinator compares it. */
  readonly generation: number
}

/** A batch that the coordinator has agreed to. */
export interface Verified extends Arrival {
  /** It holds the guard that it was given. */
  readonly guard: boolean
}

export type Input =
  | { readonly _tag: "HandleProduce" } & Arrival
  | { readonly _tag: "AppendVerified" } & Verified
  | { readonly _tag: "HandleMarker"; readonly marker: Marker; readonly broker: Broker }
  | { readonly _tag: "CommitOffset"; readonly position: number }
  | { readonly _tag: "Replicate" }
  | { readonly _tag: "LeaderChange" }

export type Output =
  /** To the request of the input, with the offset that its batch has in the log, or `Sequence.none`. */
  | { readonly _tag: "Answer"; readonly error: Errors.Error; readonly offset: number }
  /** The request of the input is given a guard, and the coordinator is asked about it. */
  | { readonly _tag: "Verify" }
  /** The request of the input is answered when the high watermark has passed this offset. `DelayedProduce`. */
  | { readonly _tag: "Wait"; readonly offset: number }
  /** Whoever waits for an offset below this is answered. */
  | { readonly _tag: "Replicated"; readonly highWatermark: number }

export type Step = readonly [Partition, ReadonlyArray<Output>]

const noProducers: Producers = new Map()
const noVerification: Partition["verification"] = new Map()

export const initial: Partition = {
  leader: 1,
  log: [],
  highWatermark: 0,
  producers: noProducers,
  verification: noVerification
}

// Producer state.

/** The producer's transaction is open on the partition, with exactly this epoch. */
export const isOpen = (producers: Producers, producerId: number, epoch: number): boolean => {
  const known = producers.get(producerId)
  return known !== undefined && known.epoch === epoch && known.firstOffset !== Sequence.none
}

/** Where the open transaction of a producer id begins on the partition. */
export const firstOffsetOf = (producers: Producers, producerId: number): number | undefined => {
  const firstOffset = producers.get(producerId)?.firstOffset ?? Sequence.none
  return firstOffset === Sequence.none ? undefined : firstOffset
}

/** Whether whoever has a guard of this producer id still holds it. */
export const isGuarded = ({ verification }: Partition, producerId: number): boolean => verification.has(producerId)

const epochOf = (producers: Producers, producerId: number): number => producers.get(producerId)?.epoch ?? Sequence.none

/** The batch as the idempotent half of the leader sees it. */
const numbered = ({ epoch, producerId, records, sequence }: Produce | Entry): Replica.Numbered => ({
  producerId,
  epoch,
  sequence,
  records: { length: records }
})

/** The offset after the last record of an entry. */
const endOf = ({ offset, records }: Entry): number => offset + records

/** The offset that the next entry gets. */
export const logEndOffset = (log: ReadonlyArray<Entry>): number => {
  const last = log.at(-1)
  return last === undefined ? 0 : endOf(last)
}

/** The number of entries below an offset at which one begins. What is asked for is near the end. */
const countBelow = (log: ReadonlyArray<Entry>, offset: number): number => {
  let count = log.length
  while (count > 0 && log[count - 1]!.offset >= offset) count--
  return count
}

/** Sequences count for records only: the batches that are remembered without them are those of the same epoch. */
const remembered = (
  { replica }: Context,
  known: ProducerState | undefined,
  entry: Entry
): Replica.ProducerState =>
  entry.sequence === Sequence.none
    ? { epoch: entry.epoch, batches: known?.epoch === entry.epoch ? known.batches : [] }
    : Replica.remember(replica, known, { ...numbered(entry), offset: entry.offset })

/** `ProducerStateManager.update`: data opens a transaction where there is none, a marker ends it. */
const record = (context: Context, producers: Producers, entry: Entry): Producers => {
  if (entry.producerId === Sequence.none) return producers
  const known = producers.get(entry.producerId)
  const coordinatorEpoch = known?.coordinatorEpoch ?? Sequence.none
  const firstOffset = known?.firstOffset ?? Sequence.none
  return new Map(producers).set(entry.producerId, {
    ...remembered(context, known, entry),
    ...(entry.kind === "DATA"
      ? {
        coordinatorEpoch,
        firstOffset: entry.isTransactional && firstOffset === Sequence.none ? entry.offset : firstOffset
      }
      : { coordinatorEpoch: entry.coordinatorEpoch, firstOffset: Sequence.none })
  })
}

/** Producer state as a log alone determines it. */
const rebuild = (context: Context, log: ReadonlyArray<Entry>): Producers =>
  log.reduce((producers, entry) => record(context, producers, entry), noProducers)

// Verification.

/** Whether the coordinator has to agree to the batch. `ReplicaManager.maybeSendPartitionsToTransactionCoordinator`. */
const needsVerification = (
  { rules, verification }: Context,
  { producers }: Partition,
  { epoch, isTransactional, producerId, version }: Produce
): boolean =>
  isTransactional && (version === 2 || verification) && !rules.JoinsOpenTransaction(producers, producerId, epoch)

/** `VerificationStateEntry.maybeUpdateLowestSequenceAndEpoch`. The guard and the version stay as they are. */
const startVerification = (
  verification: Partition["verification"],
  { epoch, producerId, sequence, version }: Produce
): Partition["verification"] => {
  const known = verification.get(producerId)
  if (known === undefined) {
    return new Map(verification).set(producerId, { epoch, lowestSequence: sequence, version })
  }
  if (epoch < known.epoch || (epoch === known.epoch && sequence >= known.lowestSequence)) return verification
  return new Map(verification).set(producerId, { ...known, epoch, lowestSequence: sequence })
}

/**
 * An append ends the verification of its producer id, but not that of the next transaction, which has the marker's epoch
 * under version 2. `UnifiedLog.append`, `ProducerStateManager.clearVerificationStateEntry`.
 */
const endVerification = (verification: Partition["verification"], entry: Entry): Partition["verification"] => {
  const known = verification.get(entry.producerId)
  if (known === undefined) return verification
  if (entry.kind !== "DATA" && known.version === 2 && known.epoch === entry.epoch) return verification
  const others = new Map(verification)
  others.delete(entry.producerId)
  return others
}

/** What a leader answers to a producer when the coordinator has refused. `AddPartitionsToTxnManager`, `ReplicaManager`. */
export const verificationError = (partition: string, version: Version, error: Errors.Error): Errors.Error => {
  switch (error) {
    case "PRODUCER_FENCED":
      return "INVALID_PRODUCER_EPOCH"
    case "CONCURRENT_TRANSACTIONS":
      return version === 1 && partition !== groupPartition ? "NOT_ENOUGH_REPLICAS" : error
    case "NOT_COORDINATOR":
    case "COORDINATOR_NOT_AVAILABLE":
      return partition === groupPartition ? error : "NOT_ENOUGH_REPLICAS"
    default:
      return error
  }
}

// Judgement.

/** `ProducerAppendInfo.checkSequence`. */
const isInSequence = (context: Context, { producers, verification }: Partition, produce: Produce): boolean => {
  const verifying = verification.get(produce.producerId)
  if (verifying !== undefined && produce.sequence > verifying.lowestSequence) return false
  const known = producers.get(produce.producerId)
  return known === undefined
    // The version is that of the batch with which the verification began, which need not be this one.
    ? context.rules.IsFirstSequence(produce.sequence, verifying?.version ?? 1)
    : Replica.isInSequence(context.replica, known, numbered(produce))
}

/** How the batch came to the append: by the verification that it needed, or without one. */
type Judged = { readonly _tag: "HandleProduce" } & Arrival | { readonly _tag: "AppendVerified" } & Verified

/**
 * The leader's judgement of a batch, before anything is appended. A batch that was written already is a success at its
 * original offset. The group coordinator asks for the generation, and for no sequence. Nothing is asked of a batch without
 * a producer id, and no transaction of one outside of transactions, except that none may be open.
 *
 * `UnifiedLog.analyzeAndValidateProducerState`, `GroupMetadataManager.validateOffsetCommit`.
 */
export const validate = (context: Context, partition: Partition, judged: Judged): Replica.Validation => {
  const { rules } = context
  const { produce } = judged
  const { producers } = partition
  const isRecord = produce.partition !== groupPartition
  const refuse = (error: Errors.Error): Replica.Validation => ({ _tag: "Refuse", error })
  if (!isRecord && produce.generation !== judged.generation) return refuse("ILLEGAL_GENERATION")
  if (produce.producerId === Sequence.none) return { _tag: "Append" }
  const duplicate = Replica.findDuplicate(context.replica, producers, numbered(produce))
  if (duplicate !== undefined) return { _tag: "Duplicate", offset: duplicate.offset }
  const isStale = produce.epoch < epochOf(producers, produce.producerId)
  if (rules.AsksEpochFirst() && isStale) return refuse("INVALID_PRODUCER_EPOCH")
  if (
    judged._tag === "AppendVerified" && !isOpen(producers, produce.producerId, produce.epoch)
    && !rules.HasGuard(partition, judged)
  ) return refuse("INVALID_TXN_STATE")
  if (isStale) return refuse("INVALID_PRODUCER_EPOCH")
  // ProducerAppendInfo.appendDataBatch.
  if (!produce.isTransactional && firstOffsetOf(producers, produce.producerId) !== undefined) {
    return refuse("INVALID_TXN_STATE")
  }
  if (isRecord && !isInSequence(context, partition, produce)) return refuse("OUT_OF_ORDER_SEQUENCE_NUMBER")
  return { _tag: "Append" }
}

/**
 * The leader's judgement of a marker: its own epoch is asked before the coordinator's. `NONE` takes it.
 * `ProducerAppendInfo.checkProducerEpoch`, `checkCoordinatorEpoch`.
 */
export const validateMarker = ({ rules }: Context, { producers }: Partition, marker: Marker): Errors.Error => {
  const known = producers.get(marker.producerId)
  const open = known !== undefined && known.firstOffset !== Sequence.none
  if (!rules.AcceptsMarker(known?.epoch ?? Sequence.none, open, marker)) return "INVALID_PRODUCER_EPOCH"
  return marker.coordinatorEpoch < (known?.coordinatorEpoch ?? Sequence.none)
    ? "TRANSACTION_COORDINATOR_FENCED"
    : "NONE"
}

// Turns.

const append = (context: Context, partition: Partition, entry: Entry): Partition => ({
  ...partition,
  log: [...partition.log, entry],
  producers: record(context, partition.producers, entry),
  verification: endVerification(partition.verification, entry)
})

const answer = (partition: Partition, error: Errors.Error, offset: number = Sequence.none): Step => [
  partition,
  [{ _tag: "Answer", error, offset }]
]

/** acks=all: the answer waits until the follower has the entry too. */
const accept = (partition: Partition, offset: number): Step =>
  offset < partition.highWatermark ? answer(partition, "NONE", offset) : [partition, [{ _tag: "Wait", offset }]]

/** `ReplicaManager.appendRecords`. */
const appendProduce = (context: Context, partition: Partition, judged: Judged): Step => {
  const validation = validate(context, partition, judged)
  switch (validation._tag) {
    case "Refuse":
      return answer(partition, validation.error)
    case "Duplicate":
      return accept(partition, validation.offset)
    case "Append": {
      const { epoch, input, isTransactional, producerId, records, sequence, transaction } = judged.produce
      const offset = logEndOffset(partition.log)
      const entry: Entry = {
        offset,
        records,
        kind: "DATA",
        producerId,
        epoch,
        sequence,
        isTransactional,
        coordinatorEpoch: Sequence.none,
        transaction,
        input
      }
      return accept(append(context, partition, entry), offset)
    }
  }
}

/** A batch joins an open transaction, or begins one that the coordinator has to agree to. */
const handleProduce = (
  context: Context,
  partition: Partition,
  judged: Judged & { readonly _tag: "HandleProduce" }
): Step => {
  const { broker, produce } = judged
  if (broker !== partition.leader) return answer(partition, "NOT_LEADER_OR_FOLLOWER")
  if (!needsVerification(context, partition, produce)) return appendProduce(context, partition, judged)
  if (context.rules.IsStaleOnArrival(epochOf(partition.producers, produce.producerId), produce.epoch)) {
    return answer(partition, "INVALID_PRODUCER_EPOCH")
  }
  return [{ ...partition, verification: startVerification(partition.verification, produce) }, [{ _tag: "Verify" }]]
}

const appendVerified = (
  context: Context,
  partition: Partition,
  judged: Judged & { readonly _tag: "AppendVerified" }
): Step =>
  judged.broker === partition.leader
    ? appendProduce(context, partition, judged)
    : answer(partition, "NOT_LEADER_OR_FOLLOWER")

/** `KafkaApis.handleWriteTxnMarkersRequest`. */
const handleMarker = (context: Context, partition: Partition, marker: Marker, broker: Broker): Step => {
  if (broker !== partition.leader) return answer(partition, "NOT_LEADER_OR_FOLLOWER")
  const error = validateMarker(context, partition, marker)
  if (error !== "NONE") return answer(partition, error)
  const { coordinatorEpoch, epoch, producerId, result, transaction } = marker
  const offset = logEndOffset(partition.log)
  const entry: Entry = {
    offset,
    records: 1,
    kind: result,
    producerId,
    epoch,
    sequence: Sequence.none,
    isTransactional: true,
    coordinatorEpoch,
    transaction,
    input: Sequence.none
  }
  return accept(append(context, partition, entry), offset)
}

/**
 * OffsetCommit: the group's next position, outside of any transaction, once: also where the first is not replicated yet.
 * `OffsetMetadataManager.commitOffset`.
 */
const commitOffset = (partition: Partition, position: number): Step | undefined => {
  if (position <= offsetCommittedBy(partition.log)) return undefined
  const entry: Entry = {
    offset: logEndOffset(partition.log),
    records: 1,
    kind: "DATA",
    producerId: Sequence.none,
    epoch: Sequence.none,
    sequence: Sequence.none,
    isTransactional: false,
    coordinatorEpoch: Sequence.none,
    transaction: noName,
    input: position - 1
  }
  return [{ ...partition, log: [...partition.log, entry] }, []]
}

/** The follower fetches one entry, and the high watermark passes it. */
const replicate = (partition: Partition): Step | undefined => {
  const next = partition.log[countBelow(partition.log, partition.highWatermark)]
  if (next === undefined) return undefined
  const highWatermark = endOf(next)
  return [{ ...partition, highWatermark }, [{ _tag: "Replicated", highWatermark }]]
}

/** The follower leads with what it has. Verifications were in the memory of the old leader. */
const leaderChange = (context: Context, { highWatermark, leader, log }: Partition): Step => {
  const kept = log.slice(0, countBelow(log, highWatermark))
  return [
    {
      leader: leader === 1 ? 2 : 1,
      log: kept,
      highWatermark,
      producers: rebuild(context, kept),
      verification: noVerification
    },
    []
  ]
}

/** One turn of the partition; `undefined` when `input` is not possible in this state. */
export const step = (context: Context, partition: Partition, input: Input): Step | undefined => {
  switch (input._tag) {
    case "HandleProduce":
      return handleProduce(context, partition, input)
    case "AppendVerified":
      return appendVerified(context, partition, input)
    case "HandleMarker":
      return handleMarker(context, partition, input.marker, input.broker)
    case "CommitOffset":
      return commitOffset(partition, input.position)
    case "Replicate":
      return replicate(partition)
    case "LeaderChange":
      return leaderChange(context, partition)
  }
}

// Readers.

/** How the transaction of each entry of this log ended on it; a control batch has no fate. */
export type Fate = "OPEN" | Result

export const fates = (log: ReadonlyArray<Entry>): ReadonlyArray<Fate | undefined> => {
  const ends = new Map<number, Result>()
  const found = Array.from<Fate | undefined>({ length: log.length })
  for (let index = log.length - 1; index >= 0; index--) {
    const { isTransactional, kind, producerId } = log[index]!
    if (kind === "DATA") found[index] = isTransactional ? ends.get(producerId) ?? "OPEN" : "COMMIT"
    else ends.set(producerId, kind)
  }
  return found
}

/** Where the transaction begins that the marker at `index` ends; beyond all offsets for one that has nothing here. */
const beginOf = (log: ReadonlyArray<Entry>, index: number): number => {
  const { producerId } = log[index]!
  let first = Number.POSITIVE_INFINITY
  for (let before = index - 1; before >= 0; before--) {
    const entry = log[before]!
    if (entry.producerId !== producerId) continue
    if (entry.kind !== "DATA") break
    if (entry.isTransactional) first = entry.offset
  }
  return first
}

/**
 * Where the first transaction begins that is open, or that was ended by a marker which is not replicated yet.
 * `ProducerStateManager.firstUnstableOffset`.
 */
export const firstUnstableOffset = ({ highWatermark, log, producers }: Partition): number | undefined => {
  let first = Number.POSITIVE_INFINITY
  for (const { firstOffset } of producers.values()) {
    if (firstOffset !== Sequence.none) first = Math.min(first, firstOffset)
  }
  for (let index = log.length - 1; index >= 0 && log[index]!.offset >= highWatermark; index--) {
    if (log[index]!.kind !== "DATA") first = Math.min(first, beginOf(log, index))
  }
  return first === Number.POSITIVE_INFINITY ? undefined : first
}

/**
 * The offsets of what read_committed consumers are given: below the last stable offset, without what was aborted.
 * `CompletedFetch.nextFetchedRecord`.
 */
export const readCommitted = ({ rules }: Context, partition: Partition): ReadonlyArray<number> => {
  const end = rules.LastStableOffset(partition)
  const found: Array<number> = []
  fates(partition.log).forEach((fate, index) => {
    const { offset, records } = partition.log[index]!
    if (offset >= end || fate === undefined || rules.IsFiltered(fate)) return
    for (let record = 0; record < records; record++) found.push(offset + record)
  })
  return found
}

/** The group's offset as a log says: what the last record says of the transactions that it has the commit of. */
const offsetCommittedBy = (log: ReadonlyArray<Entry>): number => {
  // What was written after another commit goes over it.
  const found = fates(log).lastIndexOf("COMMIT")
  return found < 0 ? 0 : log[found]!.input + 1
}

/** The group's offset: a commit counts where it is replicated. */
export const committedOffset = ({ highWatermark, log }: Partition): number =>
  offsetCommittedBy(log.slice(0, countBelow(log, highWatermark)))

/** What a group that joins is told of its offset. OffsetFetch with requireStable. */
export const fetchOffset = (
  { rules }: Context,
  partition: Partition
): { readonly error: "UNSTABLE_OFFSET_COMMIT" } | { readonly error: "NONE"; readonly offset: number } =>
  rules.IsUnstable(partition)
    ? { error: "UNSTABLE_OFFSET_COMMIT" }
    : { error: "NONE", offset: committedOffset(partition) }
