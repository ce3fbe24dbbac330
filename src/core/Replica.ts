/**
 * One replica of a partition: a log of batches, and what follows from it about the producers that wrote them.
 *
 * It does not know whether it leads; `Partition.ts` does. Offsets count records.
 */
import type * as Errors from "./Errors.ts"
import type { Limits } from "./Limits.ts"
import type { Rules } from "./Rules.ts"
import * as Sequence from "./Sequence.ts"

/** The content of a record. The core moves it about and never looks inside. */
export type Payload = number | string

/** A batch as far as it is numbered. Without idempotence id, epoch and sequence are `Sequence.none`. */
export interface Numbered {
  readonly producerId: number
  readonly epoch: number
  /** Sequence of the first record. */
  readonly sequence: number
  /** One or more. */
  readonly records: { readonly length: number }
}

/** A batch as a producer sends it. */
export interface ProducerBatch extends Numbered {
  readonly records: ReadonlyArray<Payload>
}

/** A batch in the log. */
export interface Entry extends ProducerBatch {
  /** Offset of the first record. */
  readonly offset: number
}

/** What identifies a written batch: its first and last sequence; and where it is. */
export interface RememberedBatch {
  readonly sequence: number
  readonly last: number
  readonly offset: number
}

/** `ProducerStateEntry`: the latest epoch of a producer id and its newest batches, oldest first. */
export interface ProducerState {
  readonly epoch: number
  readonly batches: ReadonlyArray<RememberedBatch>
}

/** Producer state by producer id. */
export type Producers = ReadonlyMap<number, ProducerState>

export interface Replica {
  readonly log: ReadonlyArray<Entry>
  readonly producers: Producers
}

/** The rules and limits in force. */
export interface Context {
  readonly rules: Rules
  readonly limits: Limits
}

export const noProducers: Producers = new Map()
export const empty: Replica = { log: [], producers: noProducers }

/** The offset after the last record of a log. */
export const logEndOffset = (log: ReadonlyArray<Entry>): number => {
  const last = log.at(-1)
  return last === undefined ? 0 : endOffset(last)
}

/** The offset after the last record of a batch. */
export const endOffset = (entry: Entry): number => entry.offset + entry.records.length

/** What is remembered of a producer that wrote `entry`: a new epoch forgets the batches of the old one. */
export const remember = (
  context: Context,
  known: ProducerState | undefined,
  entry: Numbered & { readonly offset: number }
): ProducerState => {
  const before = known?.epoch === entry.epoch ? known.batches : []
  const last = Sequence.last(context.limits.maxSequence, entry.sequence, entry.records.length)
  const written = [...before, { sequence: entry.sequence, last, offset: entry.offset }]
  return { epoch: entry.epoch, batches: context.rules.RememberedBatches(context.limits, written) }
}

/** `ProducerStateManager.update`. */
export const recordProducer = (context: Context, producers: Producers, entry: Entry): Producers =>
  entry.producerId === Sequence.none
    ? producers
    : new Map(producers).set(entry.producerId, remember(context, producers.get(entry.producerId), entry))

/** Appends a batch that was validated here or on the leader. */
export const append = (context: Context, replica: Replica, entry: Entry): Replica => ({
  log: [...replica.log, entry],
  producers: recordProducer(context, replica.producers, entry)
})

/** Producer state as a log alone determines it. */
export const rebuild = (context: Context, log: ReadonlyArray<Entry>): Producers =>
  log.reduce((producers, entry) => recordProducer(context, producers, entry), noProducers)

/** `UnifiedLog.truncateTo`: keeps the first `length` batches, and rebuilds producer state if any were dropped. */
export const truncate = (context: Context, replica: Replica, length: number): Replica => {
  if (replica.log.length <= length) return replica
  const log = replica.log.slice(0, length)
  return { log, producers: rebuild(context, log) }
}

/** `ProducerStateEntry.findDuplicateBatch`: same epoch, same first and last sequence. */
export const findDuplicate = (
  context: Context,
  producers: Producers,
  batch: Numbered
): RememberedBatch | undefined => {
  const known = producers.get(batch.producerId)
  if (known === undefined || known.epoch !== batch.epoch) return undefined
  const last = Sequence.last(context.limits.maxSequence, batch.sequence, batch.records.length)
  return known.batches.find((written) => written.sequence === batch.sequence && written.last === last)
}

/** `ProducerAppendInfo.checkSequence`. */
export const isInSequence = (
  { limits, rules }: Context,
  known: ProducerState | undefined,
  batch: Numbered
): boolean => {
  if (known === undefined) return rules.IsFirstSequence(batch.sequence)
  const newest = known.batches.at(-1)
  if (batch.epoch > known.epoch || newest === undefined) return batch.sequence === 0
  return batch.sequence === Sequence.increment(limits.maxSequence, newest.last, 1)
}

/** What a leader does with a batch. */
export type Validation =
  | { readonly _tag: "Append" }
  | { readonly _tag: "Duplicate"; readonly offset: number }
  | { readonly _tag: "Refuse"; readonly error: Errors.Error }

const appendIt: Validation = { _tag: "Append" }
const refuse = (error: Errors.Error): Validation => ({ _tag: "Refuse", error })

/**
 * A leader's judgement of a batch, before anything is appended. A batch that was written already is a success at its
 * original offset. Errors: `INVALID_RECORD`, `INVALID_PRODUCER_EPOCH`, `OUT_OF_ORDER_SEQUENCE_NUMBER`.
 *
 * `LogValidator`, `UnifiedLog.analyzeAndValidateProducerState`.
 */
export const validate = (context: Context, producers: Producers, batch: ProducerBatch): Validation => {
  if (batch.producerId === Sequence.none) return appendIt
  if (batch.sequence < 0) return refuse("INVALID_RECORD")
  const known = producers.get(batch.producerId)
  if (known !== undefined && batch.epoch < known.epoch) return refuse("INVALID_PRODUCER_EPOCH")
  const duplicate = findDuplicate(context, producers, batch)
  if (duplicate !== undefined) return { _tag: "Duplicate", offset: duplicate.offset }
  return isInSequence(context, known, batch) ? appendIt : refuse("OUT_OF_ORDER_SEQUENCE_NUMBER")
}
