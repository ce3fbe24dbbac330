/**
 * How a run begins: a producer that has just been given its identity, and empty partitions; or, warm, one record of that
 * producer written, replicated and acknowledged on every partition, so that its sequences go on from any number.
 */
import { Producer, type Replica, type Sender, Sequence } from "../../core/index.ts"

/** What a cluster is made of. */
export interface Options {
  readonly sender: Sender.Config
  readonly replica: Replica.Context
  /** The number of partitions. */
  readonly partitions: number
  /** The first sequence of the run; above 0 the start is warm. */
  readonly startSequence: number
}

const firstProducerId = 1

/** The content of the record that a warm start assumes. */
const warmRecord = 0

/** The producer at the start, with nothing to send. */
export const producer = ({ partitions, startSequence }: Options): Producer.Producer => {
  const cold = Producer.make({ id: firstProducerId, epoch: 0 }, partitions)
  if (startSequence === 0) return cold
  return {
    ...cold,
    senders: cold.senders.map((sender) => ({
      ...sender,
      nextSequence: startSequence,
      lastAcked: startSequence - 1
    }))
  }
}

/** The log of every partition at the start. */
export const log = ({ sender, startSequence }: Options): ReadonlyArray<Replica.Entry> => {
  if (startSequence === 0) return []
  const identity = sender.idempotence
    ? { producerId: firstProducerId, epoch: 0, sequence: startSequence - 1 }
    : { producerId: Sequence.none, epoch: Sequence.none, sequence: Sequence.none }
  return [{ ...identity, records: [warmRecord], offset: 0 }]
}

/** The logs of all partitions at the start. */
export const logs = (options: Options): ReadonlyArray<ReadonlyArray<Replica.Entry>> => {
  const one = log(options)
  return Array.from({ length: options.partitions }, () => one)
}
