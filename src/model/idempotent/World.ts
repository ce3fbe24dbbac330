/**
 * The world that the specification describes, built from the core: one producer, the network between, the partitions,
 * and what the application has been told.
 */
import { Partition, Producer } from "../../core/index.ts"
import * as Configuration from "./Configuration.ts"

/** What the application was told of a batch. */
export type Outcome =
  | { readonly _tag: "Acknowledged"; readonly offset: number }
  | { readonly _tag: "Failed" }

/** Outcomes by batch. */
export type Outcomes = ReadonlyMap<number, Outcome>

/** All lists are by partition number. */
export interface World {
  readonly producer: Producer.Producer
  readonly outcomes: ReadonlyArray<Outcomes>
  /** Requests on the way, in the order of sending. */
  readonly requests: ReadonlyArray<ReadonlyArray<Producer.Request>>
  /** Answers on the way on the current connection. */
  readonly responses: ReadonlyArray<ReadonlyArray<Producer.Response>>
  readonly partitions: ReadonlyArray<Partition.Partition>
  /** How many more faults may happen. */
  readonly faults: number
}

export const initial = (configuration: Configuration.Configuration): World => {
  const { batchesPerPartition, startSequence } = configuration
  const names = configuration.partitions
  let producer = Producer.make({ id: Configuration.firstProducerId, epoch: 0 }, names.length)
  if (startSequence > 0) {
    const senders = producer.senders.map((sender) => ({
      ...sender,
      nextSequence: startSequence,
      lastAcked: startSequence - 1
    }))
    producer = { ...producer, senders }
  }
  for (let partition = 0; partition < names.length; partition++) {
    for (let batch = 1; batch <= batchesPerPartition; batch++) {
      producer = Producer.enqueue(producer, partition, batch, Configuration.records(configuration, batch))
    }
  }
  const partition = Partition.make(configuration.replica, Configuration.initialLog(configuration))
  return {
    producer,
    outcomes: names.map(() => new Map()),
    requests: names.map(() => []),
    responses: names.map(() => []),
    partitions: names.map(() => partition),
    faults: configuration.faultBudget
  }
}
