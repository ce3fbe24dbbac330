/**
 * What a producer knows about one partition: the batches waiting to be sent or answered, and how they are numbered.
 *
 * Pure operations on that state; `Producer.ts` decides when they happen. Decided batches are forgotten here and
 * reported as outputs there. `RecordAccumulator`, `TxnPartitionEntry` and the completion half of `Sender` in Kafka.
 */
import type * as Errors from "./Errors.ts"
import type { Limits } from "./Limits.ts"
import type { Payload } from "./Replica.ts"
import type { Rules } from "./Rules.ts"
import * as Sequence from "./Sequence.ts"

export interface Batch {
  /** The place of the batch in the order of sending, from 1. */
  readonly id: number
  /** One or more. */
  readonly records: ReadonlyArray<Payload>
  /** `expired`: failed by its delivery timeout while its answer was still to come. */
  readonly status: "queued" | "inflight" | "expired"
  /** Sequence of the first record; `Sequence.none` before the first send. */
  readonly sequence: number
  /** How often the batch was sent back to the queue. */
  readonly attempts: number
  /** An earlier attempt may be in the log. */
  readonly maybeWritten: boolean
  /** Was given a new identity and not sent under it yet. */
  readonly reset: boolean
}

export interface Sender {
  /** The identity under which this partition's sequences count; the producer's own may be newer. */
  readonly producerId: number
  readonly epoch: number
  readonly nextSequence: number
  /** The last acknowledged sequence, or `Sequence.none`. */
  readonly lastAcked: number
  /** The sequence after a batch that expired after a retry and may be written, or `Sequence.none`. */
  readonly unresolved: number
  /** The partition needs a new epoch. */
  readonly epochBump: boolean
  /** Batches to send, by id. */
  readonly queue: ReadonlyArray<number>
  /** Batches whose answers are to come on the current connection, by id, oldest first. */
  readonly inFlight: ReadonlyArray<number>
  /** How many connections came before the current one. */
  readonly connection: number
  /** Batches without an answer, by id. */
  readonly batches: ReadonlyMap<number, Batch>
}

/** A producer's (id, epoch). */
export interface Identity {
  readonly id: number
  readonly epoch: number
}

export interface Config {
  readonly acks: "0" | "1" | "all"
  readonly idempotence: boolean
  readonly retries: number
  readonly maxInFlight: number
  readonly limits: Limits
  readonly rules: Rules
}

/** How a batch ended. */
export type Outcome =
  | { readonly _tag: "Acknowledged"; readonly batch: number; readonly offset: number }
  | { readonly _tag: "Failed"; readonly batch: number; readonly error: Errors.Error }

export const make = (identity: Identity, connection: number): Sender => ({
  producerId: identity.id,
  epoch: identity.epoch,
  nextSequence: 0,
  lastAcked: Sequence.none,
  unresolved: Sequence.none,
  epochBump: false,
  queue: [],
  inFlight: [],
  connection,
  batches: new Map()
})

/** Puts records behind everything queued, as batch `id`. */
export const enqueue = (sender: Sender, id: number, records: ReadonlyArray<Payload>): Sender => ({
  ...sender,
  queue: [...sender.queue, id],
  batches: new Map(sender.batches).set(id, {
    id,
    records,
    status: "queued",
    sequence: Sequence.none,
    attempts: 0,
    maybeWritten: false,
    reset: false
  })
})

export const isUndecided = (batch: Batch): boolean => batch.status !== "expired"

/** Undecided batches that have an identity. `TxnPartitionEntry.inflightBatchesBySequence`. */
export const sequenced = (sender: Sender): ReadonlyArray<Batch> => {
  const found: Array<Batch> = []
  for (const batch of sender.batches.values()) {
    if (batch.sequence !== Sequence.none && isUndecided(batch)) found.push(batch)
  }
  return found
}

export const withBatch = (sender: Sender, batch: Batch): Sender => ({
  ...sender,
  batches: new Map(sender.batches).set(batch.id, batch)
})

export const forget = (sender: Sender, id: number): Sender => {
  const batches = new Map(sender.batches)
  batches.delete(id)
  return { ...sender, batches }
}

/**
 * Puts a batch back into the queue: where its sequence belongs, or without idempotence at the front.
 * `RecordAccumulator.reenqueue`, `insertInSequenceOrder`.
 */
const requeue = ({ idempotence, limits, rules }: Config, sender: Sender, batch: Batch): Sender => {
  let position = 0
  if (idempotence) {
    while (position < sender.queue.length) {
      const queued = sender.batches.get(sender.queue[position]!)!
      if (queued.sequence === Sequence.none || !rules.SequencePrecedes(limits, queued.sequence, batch.sequence)) break
      position++
    }
  }
  const attempts = Math.min(batch.attempts + 1, limits.maxAttempts)
  return {
    ...withBatch(sender, { ...batch, status: "queued", attempts }),
    queue: sender.queue.toSpliced(position, 0, batch.id)
  }
}

/** The leader has the batch at `offset`. `TransactionManager.handleCompletedBatch`. */
export const acknowledge = (
  { idempotence, limits, rules }: Config,
  sender: Sender,
  id: number,
  offset: number
): readonly [Sender, ReadonlyArray<Outcome>] => {
  const batch = sender.batches.get(id)!
  const outcomes: ReadonlyArray<Outcome> = isUndecided(batch) ? [{ _tag: "Acknowledged", batch: id, offset }] : []
  const decided = forget(sender, id)
  if (!idempotence) return [decided, outcomes]
  const last = Sequence.last(limits.maxSequence, batch.sequence, batch.records.length)
  const later = sender.lastAcked === Sequence.none || rules.SequencePrecedes(limits, sender.lastAcked, last)
  return [{
    ...decided,
    lastAcked: later ? last : sender.lastAcked,
    nextSequence: rules.SequenceAfterAcknowledgement(limits, sender.nextSequence, batch.records.length)
  }, outcomes]
}

/**
 * An out-of-order batch that is the next one expected, or that follows an expired one, needs a new epoch, and so does
 * one whose producer id the leader does not know. `TransactionManager.canRetry`.
 */
const wantsEpoch = ({ limits, rules }: Config, sender: Sender, batch: Batch, error: Errors.Error): boolean => {
  switch (error) {
    case "UNKNOWN_PRODUCER_ID":
      return true
    case "OUT_OF_ORDER_SEQUENCE_NUMBER":
      return sender.unresolved === Sequence.none
        ? !batch.reset && rules.IsNextSequence(limits, batch.sequence, sender.lastAcked)
        : batch.sequence === sender.unresolved
    default:
      return false
  }
}

/** An answer other than success, or none at all. `Sender.completeBatch`. */
export const refuse = (
  config: Config,
  sender: Sender,
  id: number,
  error: Errors.Error
): readonly [Sender, ReadonlyArray<Outcome>] => {
  const batch = sender.batches.get(id)!
  if (!isUndecided(batch)) return [forget(sender, id), []]
  const { retries, rules } = config
  const epochBump = sender.epochBump || wantsEpoch(config, sender, batch, error)
  if (rules.IsRetriable(error) && batch.attempts < retries) {
    const maybeWritten = batch.maybeWritten || !rules.ProvesNotWritten(error)
    return [requeue(config, { ...sender, epochBump }, { ...batch, maybeWritten }), []]
  }
  const numbered = config.idempotence ? rules.AfterFailure(sender, batch) : sender
  return [forget(numbered, id), [{ _tag: "Failed", batch: id, error }]]
}

/** The connection is gone: everything in flight on it counts as answered with `NETWORK_EXCEPTION`. */
export const disconnect = (config: Config, sender: Sender): readonly [Sender, ReadonlyArray<Outcome>] => {
  let current: Sender = { ...sender, inFlight: [], connection: sender.connection + 1 }
  const outcomes: Array<Outcome> = []
  for (const id of sender.inFlight) {
    const [next, decided] = refuse(config, current, id, "NETWORK_EXCEPTION")
    current = next
    outcomes.push(...decided)
  }
  return [current, outcomes]
}

/**
 * Gives every sequenced batch the new identity, numbered from 0 in its old order.
 * `TxnPartitionMap.startSequencesAtBeginning`.
 */
export const startSequencesAtBeginning = ({ limits, rules }: Config, sender: Sender, identity: Identity): Sender => {
  const inOrder = sequenced(sender).toSorted((a, b) => rules.SequencePrecedes(limits, a.sequence, b.sequence) ? -1 : 1)
  const batches = new Map(sender.batches)
  let nextSequence = 0
  for (const batch of inOrder) {
    batches.set(batch.id, { ...batch, sequence: nextSequence, reset: true })
    nextSequence += batch.records.length
  }
  return {
    ...sender,
    producerId: identity.id,
    epoch: identity.epoch,
    nextSequence,
    lastAcked: Sequence.none,
    unresolved: Sequence.none,
    epochBump: false,
    batches
  }
}
