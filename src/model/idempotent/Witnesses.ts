/**
 * Worlds that some configuration must reach, or the properties would hold because nothing ever went wrong: each under a
 * name, with the sentence that reports use.
 */
import { Partition } from "../../core/index.ts"
import type * as Model from "../Model.ts"
import type { Configuration } from "./Configuration.ts"
import { firstProducerId } from "./Configuration.ts"
import type { World } from "./World.ts"

type Witness = Model.Invariant<Configuration, World>

const somePartition = (world: World, is: (partition: Partition.Partition, number: number) => boolean): boolean =>
  world.partitions.some(is)

const someRequest = (
  world: World,
  is: (request: World["requests"][number][number], number: number) => boolean
): boolean => world.requests.some((requests, number) => requests.some((request) => is(request, number)))

const isLogged = (partition: Partition.Partition, batch: number): boolean =>
  Partition.leaderReplica(partition).log.some((entry) => Number(entry.records[0]) === batch)

const LateCopy: Witness = (_configuration, world) =>
  someRequest(world, (request, number) => request.connection < world.producer.senders[number]!.connection)

const LateCopyOfAcknowledged: Witness = (_configuration, world) =>
  someRequest(world, (request, number) => world.outcomes[number]!.get(request.batch)?._tag === "Acknowledged")

const LateCopyOfOlderEpoch: Witness = (_configuration, world) =>
  someRequest(
    world,
    ({ epoch, producerId }) =>
      producerId === world.producer.identity.id && epoch >= 0 && epoch < world.producer.identity.epoch
  )

const SeveralInFlight: Witness = (_configuration, world) =>
  world.producer.senders.some((sender) => sender.inFlight.length > 1)

const WrittenAndSentAgain: Witness = (_configuration, world) =>
  world.producer.senders.some((sender, number) =>
    sender.inFlight.some((id) => {
      const batch = sender.batches.get(id)!
      return batch.attempts > 0 && isLogged(world.partitions[number]!, id)
    })
  )

const WrittenThoughFailed: Witness = (_configuration, world) =>
  somePartition(world, (partition, number) => {
    for (const [batch, outcome] of world.outcomes[number]!) {
      if (outcome._tag === "Failed" && isLogged(partition, batch)) return true
    }
    return false
  })

const SequenceUnresolved: Witness = (_configuration, world) =>
  world.producer.senders.some((sender) => sender.unresolved >= 0)

const EpochBumpWaits: Witness = ({ sender: { rules } }, world) =>
  world.producer.senders.some((sender) => sender.epochBump && !rules.MayBumpEpoch(sender))

const EpochBumped: Witness = (_configuration, world) => world.producer.identity.epoch > 0

const ProducerIdReplaced: Witness = (_configuration, world) => world.producer.identity.id > firstProducerId

const SequenceWrapped: Witness = (_configuration, world) =>
  somePartition(world, (partition) => {
    const { log } = Partition.leaderReplica(partition)
    return log.some((entry, i) => {
      const before = log[i - 1]
      return before !== undefined && before.producerId === entry.producerId && before.epoch === entry.epoch
        && entry.sequence >= 0 && entry.sequence < before.sequence
    })
  })

const FollowerBehind: Witness = (_configuration, world) =>
  somePartition(world, (partition) => {
    const followed = Partition.replicaOf(partition, Partition.follower(partition))
    return followed.log.length < Partition.leaderReplica(partition).log.length
  })

const ProducerStateForgotten: Witness = (_configuration, world) =>
  somePartition(world, (partition) => {
    const { log, producers } = Partition.leaderReplica(partition)
    return log.some(({ producerId }) => producerId >= 0 && !producers.has(producerId))
  })

export const witnesses = {
  LateCopy,
  LateCopyOfAcknowledged,
  LateCopyOfOlderEpoch,
  SeveralInFlight,
  WrittenAndSentAgain,
  WrittenThoughFailed,
  SequenceUnresolved,
  EpochBumpWaits,
  EpochBumped,
  ProducerIdReplaced,
  SequenceWrapped,
  FollowerBehind,
  ProducerStateForgotten
} as const

export type WitnessName = keyof typeof witnesses

/** One sentence for each, for people. */
export const sentences: Readonly<Record<WitnessName, string>> = {
  LateCopy: "a request of a connection that is gone may still arrive",
  LateCopyOfAcknowledged: "a copy of a batch that was acknowledged may still arrive",
  LateCopyOfOlderEpoch: "a copy under an epoch that the producer has left may still arrive",
  SeveralInFlight: "several batches of a partition are in flight",
  WrittenAndSentAgain: "a batch that the leader has is on the way again",
  WrittenThoughFailed: "a batch that was reported as failed is in the log",
  SequenceUnresolved: "nobody knows yet whether an expired batch took its sequence",
  EpochBumpWaits: "a new epoch is due and waits for a batch that may be in the log",
  EpochBumped: "the producer has raised its epoch",
  ProducerIdReplaced: "the producer has a new producer id",
  SequenceWrapped: "sequences go on behind the wrap",
  FollowerBehind: "the follower lacks what the leader has",
  ProducerStateForgotten: "the leader has forgotten a producer whose batches are in its log"
}
