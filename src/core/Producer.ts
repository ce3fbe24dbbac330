/**
 * The idempotent producer as a pure state machine: when batches are sent, sent again, expired and given a new epoch.
 *
 * `step` is the only way in. It answers `undefined` when the input is not possible in the state, which the model uses
 * to find out what is enabled and the runtime treats as "not now". Time, sockets and threads are the host's.
 */
import type * as Errors from "./Errors.ts"
import type { Payload, ProducerBatch } from "./Replica.ts"
import * as Sender from "./Sender.ts"
import * as Sequence from "./Sequence.ts"

/** A produce request for one partition. */
export interface Request extends ProducerBatch {
  /** The connection it is sent on, counted by the producer per partition. */
  readonly connection: number
  /** The broker it is sent to. */
  readonly broker: number
  /** The producer's own number for the batch, as Kafka's correlation id leads back to it. */
  readonly batch: number
}

/** The answer to a produce request. */
export interface Response {
  readonly batch: number
  readonly error: Errors.Error
  /** Offset of the first record, or `Sequence.none` with an error. */
  readonly offset: number
}

export interface Producer {
  readonly identity: Sender.Identity
  /** By partition number. */
  readonly senders: ReadonlyArray<Sender.Sender>
}

/** One input is one message, timer or call; `partition` is a partition number. */
export type Input =
  | { readonly _tag: "Send"; readonly partition: number; readonly leader: number }
  | { readonly _tag: "Resend"; readonly partition: number; readonly leader: number }
  | { readonly _tag: "ReceiveResponse"; readonly partition: number; readonly response: Response }
  | { readonly _tag: "ExpireBatch"; readonly partition: number; readonly batch: number }
  | { readonly _tag: "ResolveSequences"; readonly partition: number }
  /** `id` goes on when the epochs are used up: a new one from the broker, or by default the next. */
  | { readonly _tag: "BumpEpoch"; readonly id?: number }
  | { readonly _tag: "Disconnect"; readonly partition: number }

export type Output =
  | { readonly _tag: "Request"; readonly partition: number; readonly request: Request }
  | { readonly _tag: "Decided"; readonly partition: number; readonly outcome: Sender.Outcome }

export type Step = readonly [Producer, ReadonlyArray<Output>]

/** A producer that was just given its identity, with nothing to send. */
export const make = (identity: Sender.Identity, partitions: number): Producer => ({
  identity,
  senders: Array.from({ length: partitions }, () => Sender.make(identity, 0))
})

/** Hands a batch over: behind everything queued for the partition. */
export const enqueue = (
  producer: Producer,
  partition: number,
  batch: number,
  records: ReadonlyArray<Payload>
): Producer => withSender(producer, partition, Sender.enqueue(producer.senders[partition]!, batch, records))

/** One more partition, behind the others. */
export const addPartition = (producer: Producer): Producer => ({
  ...producer,
  senders: [...producer.senders, Sender.make(producer.identity, 0)]
})

/**
 * Nothing that is queued for the partition is sent any more: the numbers of its batches. Legal for batches that were
 * sent before only where a new identity is to come. `RecordAccumulator.abortUndrainedBatches`.
 */
export const abandon = (producer: Producer, partition: number): readonly [Producer, ReadonlyArray<number>] => {
  const sender = producer.senders[partition]!
  const batches = new Map(sender.batches)
  for (const id of sender.queue) batches.delete(id)
  return [withSender(producer, partition, { ...sender, queue: [], batches }), sender.queue]
}

/**
 * The coordinator gave the producer an identity: every partition starts at 0 again with nothing to send or to wait for.
 * Only the count of connections goes on, so that the old ones can be told from the new.
 * `TransactionManager.setProducerIdAndEpoch`, `resetSequenceNumbers`.
 */
export const renew = (producer: Producer, identity: Sender.Identity): Producer => ({
  identity,
  senders: producer.senders.map((sender) => Sender.make(identity, sender.connection + 1))
})

/**
 * A new instance of the application with a new producer id. The host hands over again what has no acknowledgement.
 */
export const restart = (producer: Producer, id: number): Producer => renew(producer, { id, epoch: 0 })

const withSender = (producer: Producer, partition: number, sender: Sender.Sender): Producer => ({
  ...producer,
  senders: producer.senders.with(partition, sender)
})

const decided = (partition: number) => (outcome: Sender.Outcome): Output => ({ _tag: "Decided", partition, outcome })

/** `Sender.runOnce` raises the epoch before it sends anything; this says whether it will. */
export const isEpochBumpDue = ({ rules }: Sender.Config, producer: Producer): boolean => {
  const wanting = producer.senders.filter((sender) => sender.epochBump)
  return wanting.length > 0 && wanting.every(rules.MayBumpEpoch)
}

/** Whether the next epoch is that of a new producer id. */
export const isExhausted = ({ limits }: Sender.Config, { identity }: Producer): boolean =>
  identity.epoch >= limits.maxEpoch

const isStale = (producer: Producer, sender: Sender.Sender): boolean =>
  sender.producerId !== producer.identity.id || sender.epoch !== producer.identity.epoch

/** Sends the batch at the head of the queue. With acks=0 it is done when it is written to the socket. */
const transmit = (
  config: Sender.Config,
  producer: Producer,
  partition: number,
  sender: Sender.Sender,
  batch: Sender.Batch,
  leader: number
): Step => {
  const queue = sender.queue.slice(1)
  const request: Request = {
    connection: sender.connection,
    broker: leader,
    batch: batch.id,
    records: batch.records,
    producerId: config.idempotence ? sender.producerId : Sequence.none,
    epoch: config.idempotence ? sender.epoch : Sequence.none,
    sequence: batch.sequence
  }
  const outputs: Array<Output> = [{ _tag: "Request", partition, request }]
  if (config.acks === "0") {
    outputs.push(decided(partition)({ _tag: "Acknowledged", batch: batch.id, offset: Sequence.none }))
    return [withSender(producer, partition, { ...Sender.forget(sender, batch.id), queue }), outputs]
  }
  const sent = Sender.withBatch(sender, { ...batch, status: "inflight", reset: false })
  return [withSender(producer, partition, { ...sent, queue, inFlight: [...sender.inFlight, batch.id] }), outputs]
}

/**
 * The first send of a batch gives it its identity. Not while batches of an older identity are undecided, nor while the
 * fate of an expired one is open, nor before a bump that is wanted. `RecordAccumulator.drainBatchesForOneNode`.
 */
const send = (config: Sender.Config, producer: Producer, partition: number, leader: number): Step | undefined => {
  const sender = producer.senders[partition]!
  const batch = sender.batches.get(sender.queue[0] ?? Sequence.none)
  if (batch === undefined || batch.sequence !== Sequence.none || batch.attempts > 0) return undefined
  if (sender.inFlight.length >= config.maxInFlight) return undefined
  if (sender.epochBump || sender.unresolved !== Sequence.none || isEpochBumpDue(config, producer)) return undefined
  if (!config.idempotence) return transmit(config, producer, partition, sender, batch, leader)
  const stale = isStale(producer, sender)
  if (stale && Sender.sequenced(sender).length > 0) return undefined
  const current = stale ? Sender.startSequencesAtBeginning(config, sender, producer.identity) : sender
  const numbered = {
    ...current,
    nextSequence: config.rules.SequenceAfterSend(config.limits, current.nextSequence, batch.records.length)
  }
  return transmit(config, producer, partition, numbered, { ...batch, sequence: current.nextSequence }, leader)
}

/**
 * A batch is sent again as it was; with idempotence only when it has the lowest sequence in flight.
 * `RecordAccumulator.shouldStopDrainBatchesForPartition`.
 */
const resend = (config: Sender.Config, producer: Producer, partition: number, leader: number): Step | undefined => {
  const sender = producer.senders[partition]!
  const batch = sender.batches.get(sender.queue[0] ?? Sequence.none)
  if (batch === undefined || (batch.sequence === Sequence.none && batch.attempts === 0)) return undefined
  if (sender.inFlight.length >= config.maxInFlight || isEpochBumpDue(config, producer)) return undefined
  if (config.idempotence) {
    const { limits, rules } = config
    const isLowest = Sender.sequenced(sender).every((other) =>
      other.id === batch.id || rules.SequencePrecedes(limits, batch.sequence, other.sequence)
    )
    if (!isLowest) return undefined
  }
  return transmit(config, producer, partition, sender, batch, leader)
}

/** The fate of the oldest request. `Sender.handleProduceResponse`. */
const receiveResponse = (
  config: Sender.Config,
  producer: Producer,
  partition: number,
  response: Response
): Step | undefined => {
  const before = producer.senders[partition]!
  if (before.inFlight[0] !== response.batch) return undefined
  const sender = { ...before, inFlight: before.inFlight.slice(1) }
  // DUPLICATE_SEQUENCE_NUMBER: it is in the log, and nobody knows where.
  const [after, outcomes] = response.error === "NONE" || response.error === "DUPLICATE_SEQUENCE_NUMBER"
    ? Sender.acknowledge(config, sender, response.batch, response.offset)
    : Sender.refuse(config, sender, response.batch, response.error)
  return [withSender(producer, partition, after), outcomes.map(decided(partition))]
}

/** Which batches of a partition may reach their delivery timeout next: the oldest queued and the oldest sent one. */
export const expirable = (sender: Sender.Sender): ReadonlyArray<Sender.Batch> => {
  const found: Array<Sender.Batch> = []
  for (const id of [sender.queue[0], sender.inFlight[0]]) {
    const batch = id === undefined ? undefined : sender.batches.get(id)
    if (batch !== undefined && Sender.isUndecided(batch)) found.push(batch)
  }
  return found
}

/** A retried batch that expires may be written, so the sequence after it stays open. */
const afterExpiry = (
  { idempotence, limits, rules }: Sender.Config,
  unresolved: number,
  batch: Sender.Batch
): number => {
  if (!idempotence || batch.attempts === 0) return unresolved
  const following = Sequence.increment(limits.maxSequence, batch.sequence, batch.records.length)
  const later = unresolved === Sequence.none || rules.SequencePrecedes(limits, unresolved, following)
  return later ? following : unresolved
}

/**
 * `delivery.timeout.ms`: the batch fails and nobody knows whether it was written. `Sender.sendProducerData`,
 * `TransactionManager.markSequenceUnresolved`.
 */
const expireBatch = (config: Sender.Config, producer: Producer, partition: number, id: number): Step | undefined => {
  const sender = producer.senders[partition]!
  const batch = expirable(sender).find((candidate) => candidate.id === id)
  if (batch === undefined) return undefined
  const expired = batch.status === "inflight"
    ? Sender.withBatch(sender, { ...batch, status: "expired", attempts: 0, maybeWritten: false, reset: false })
    : { ...Sender.forget(sender, id), queue: sender.queue.slice(1) }
  const unresolved = afterExpiry(config, sender.unresolved, batch)
  const outcome: Sender.Outcome = { _tag: "Failed", batch: id, error: "REQUEST_TIMED_OUT" }
  return [withSender(producer, partition, { ...expired, unresolved }), [decided(partition)(outcome)]]
}

/**
 * With nothing undecided left, either the expired batch turned out to be written, or the numbering has a hole.
 * `TransactionManager.maybeResolveSequences`.
 */
const resolveSequences = (config: Sender.Config, producer: Producer, partition: number): Step | undefined => {
  const sender = producer.senders[partition]!
  if (sender.unresolved === Sequence.none || Sender.sequenced(sender).length > 0) return undefined
  const written = config.rules.IsNextSequence(config.limits, sender.nextSequence, sender.lastAcked)
  return [
    withSender(producer, partition, { ...sender, unresolved: Sequence.none, epochBump: sender.epochBump || !written }),
    []
  ]
}

/**
 * KIP-360: the producer raises its epoch by itself, and takes a new producer id after the last epoch. Partitions that
 * did not ask for it follow when they next send with nothing undecided.
 */
const bumpEpoch = (config: Sender.Config, producer: Producer, next: number | undefined): Step | undefined => {
  if (!isEpochBumpDue(config, producer)) return undefined
  const { epoch, id } = producer.identity
  const identity = isExhausted(config, producer) ? { id: next ?? id + 1, epoch: 0 } : { id, epoch: epoch + 1 }
  const senders = producer.senders.map((sender) =>
    sender.epochBump ? Sender.startSequencesAtBeginning(config, sender, identity) : sender
  )
  return [{ identity, senders }, []]
}

const disconnect = (config: Sender.Config, producer: Producer, partition: number): Step => {
  const [sender, outcomes] = Sender.disconnect(config, producer.senders[partition]!)
  return [withSender(producer, partition, sender), outcomes.map(decided(partition))]
}

/** One turn of the producer; `undefined` when `input` is not possible in this state. */
export const step = (config: Sender.Config, producer: Producer, input: Input): Step | undefined => {
  switch (input._tag) {
    case "Send":
      return send(config, producer, input.partition, input.leader)
    case "Resend":
      return resend(config, producer, input.partition, input.leader)
    case "ReceiveResponse":
      return receiveResponse(config, producer, input.partition, input.response)
    case "ExpireBatch":
      return expireBatch(config, producer, input.partition, input.batch)
    case "ResolveSequences":
      return resolveSequences(config, producer, input.partition)
    case "BumpEpoch":
      return bumpEpoch(config, producer, input.id)
    case "Disconnect":
      return disconnect(config, producer, input.partition)
  }
}
