/**
 * What must be true of every world, and of every step between two: the properties of the specification under their own
 * names, each with the sentence that reports use.
 */
import { Partition, Replica } from "../../core/index.ts"
import type * as Model from "../Model.ts"
import type { Configuration } from "./Configuration.ts"
import * as Configurations from "./Configuration.ts"
import type { World } from "./World.ts"

type Invariant = Model.Invariant<Configuration, World>
type StepProperty = Model.StepProperty<Configuration, World>

const everyPartition = (
  world: World,
  holds: (partition: Partition.Partition, number: number) => boolean
): boolean => world.partitions.every(holds)

const batchOf = (entry: Replica.Entry): number => Number(entry.records[0])

const contains = (log: ReadonlyArray<Replica.Entry>, batch: number): boolean =>
  log.some((entry) => batchOf(entry) === batch)

const isOnTheWay = (world: World, partition: number, batch: number): boolean =>
  world.requests[partition]!.some((request) => request.batch === batch)

/** An acknowledgement claims with acks=all that the batch can be read, with 1 that the leader has it, with 0 nothing. */
const isKept = ({ sender }: Configuration, world: World, number: number, batch: number, offset: number): boolean => {
  const partition = world.partitions[number]!
  const log = Partition.leaderReplica(partition).log
  if (sender.acks === "0") return contains(log, batch) || isOnTheWay(world, number, batch)
  const claimed = sender.acks === "all" ? Partition.readable(partition) : log
  return claimed.some((entry) => batchOf(entry) === batch && entry.offset === offset)
}

const NoLoss: Invariant = (configuration, world) =>
  world.outcomes.every((outcomes, number) => {
    for (const [batch, outcome] of outcomes) {
      if (outcome._tag === "Acknowledged" && !isKept(configuration, world, number, batch, outcome.offset)) return false
    }
    return true
  })

const NoDuplicate: Invariant = (_configuration, world) =>
  everyPartition(world, (partition) => {
    const seen = Partition.readable(partition).map(batchOf)
    return new Set(seen).size === seen.length
  })

const NoGap: Invariant = (configuration, world) =>
  world.outcomes.every((outcomes, number) => {
    const { log } = Partition.leaderReplica(world.partitions[number]!)
    let newest = 0
    for (const [batch, outcome] of outcomes) {
      if (outcome._tag === "Acknowledged" && batch > newest) newest = batch
    }
    for (let batch = 1; batch < newest; batch++) {
      if (outcomes.get(batch)?._tag === "Failed" || contains(log, batch)) continue
      if (configuration.sender.acks === "0" && isOnTheWay(world, number, batch)) continue
      return false
    }
    return true
  })

const InOrder: Invariant = (_configuration, world) =>
  everyPartition(
    world,
    (partition) =>
      Partition.readable(partition).every((entry, i, log) => i === 0 || batchOf(log[i - 1]!) <= batchOf(entry))
  )

const NoErrorWithoutFault: Invariant = (configuration, world) =>
  world.faults !== configuration.faultBudget
  || world.producer.senders.every((sender, number) => {
    if (sender.epochBump || sender.unresolved >= 0) return false
    for (const batch of sender.batches.values()) if (batch.attempts > 0 || batch.status === "expired") return false
    for (const outcome of world.outcomes[number]!.values()) if (outcome._tag === "Failed") return false
    return world.responses[number]!.every((response) => response.error === "NONE")
  })

const ReplicasAgree: Invariant = (_configuration, world) =>
  everyPartition(world, (partition) => {
    const followed = Partition.replicaOf(partition, Partition.follower(partition)).log
    const led = Partition.leaderReplica(partition).log
    return followed.length <= led.length && partition.highWatermark === Replica.logEndOffset(followed)
      && followed.every((entry, i) => sameEntry(entry, led[i]!))
  })

const sameEntry = (a: Replica.Entry, b: Replica.Entry): boolean =>
  a === b
  || (a.offset === b.offset && a.producerId === b.producerId && a.epoch === b.epoch && a.sequence === b.sequence
    && a.records.length === b.records.length && a.records.every((record, i) => record === b.records[i]))

const startsWith = (longer: ReadonlyArray<Replica.Entry>, shorter: ReadonlyArray<Replica.Entry>): boolean =>
  shorter.length <= longer.length && shorter.every((entry, i) => sameEntry(entry, longer[i]!))

type Status = "queued" | "inflight" | "acked" | "failed"

const statusOf = (world: World, number: number, batch: number): Status => {
  const outcome = world.outcomes[number]!.get(batch)
  if (outcome !== undefined) return outcome._tag === "Acknowledged" ? "acked" : "failed"
  return world.producer.senders[number]!.batches.get(batch)?.status === "inflight" ? "inflight" : "queued"
}

const legalStatus: Readonly<Record<Status, ReadonlyArray<Status>>> = {
  queued: ["queued", "inflight", "failed"],
  inflight: ["inflight", "queued", "acked", "failed"],
  acked: ["acked"],
  failed: ["failed"]
}

const LegalProducerSteps: StepProperty = ({ batchesPerPartition, sender }, from, to) => {
  const before = from.producer.identity
  const after = to.producer.identity
  const legalIdentity = after.id === before.id
    ? after.epoch === before.epoch || after.epoch === before.epoch + 1
    : after.id === before.id + 1 && after.epoch === 0
  if (!legalIdentity) return false
  for (let number = 0; number < from.partitions.length; number++) {
    for (let batch = 1; batch <= batchesPerPartition; batch++) {
      const was = statusOf(from, number, batch)
      const is = statusOf(to, number, batch)
      if (!legalStatus[was].includes(is) && !(sender.acks === "0" && was === "queued" && is === "acked")) return false
    }
  }
  return true
}

const KeepsIdentities: StepProperty = (_configuration, from, to) =>
  from.producer.senders.every((before, number) => {
    const after = to.producer.senders[number]!
    if (before === after || after.epoch !== before.epoch || after.producerId !== before.producerId) return true
    for (const batch of before.batches.values()) {
      const is = after.batches.get(batch.id)
      if (batch.sequence < 0 || batch.status === "expired" || is === undefined || is.status === "expired") continue
      if (is.sequence !== batch.sequence) return false
    }
    return true
  })

const LegalLeaderSteps: StepProperty = (_configuration, from, to) =>
  from.partitions.every((before, number) => {
    const after = to.partitions[number]!
    if (before === after || before.leader !== after.leader) return true
    const was = Partition.leaderReplica(before)
    const is = Partition.leaderReplica(after)
    if (!startsWith(is.log, was.log)) return false
    for (const [id, state] of was.producers) {
      if ((is.producers.get(id)?.epoch ?? state.epoch) < state.epoch) return false
    }
    return true
  })

const StableReads: StepProperty = (_configuration, from, to) =>
  from.partitions.every((before, number) => {
    const after = to.partitions[number]!
    return before === after || startsWith(Partition.readable(after), Partition.readable(before))
  })

/** The step of `ExactlyOnce.tla` that a step of the world amounts to: none, or exactly one that is legal there. */
const Refines: StepProperty = ({ batchesPerPartition }, from, to) => {
  let steps = 0
  for (let number = 0; number < from.partitions.length; number++) {
    if (from.partitions[number] === to.partitions[number] && from.outcomes[number] === to.outcomes[number]) continue
    const was = readableBatches(from, number)
    const is = readableBatches(to, number)
    if (is.length < was.length || was.some((batch, i) => is[i] !== batch)) return false
    for (const batch of is.slice(was.length)) {
      steps++
      if (was.some((earlier) => earlier >= batch)) return false
      for (let earlier = 1; earlier < batch; earlier++) {
        if (!was.includes(earlier) && statusOf(from, number, earlier) !== "failed") return false
      }
    }
    for (let batch = 1; batch <= batchesPerPartition; batch++) {
      const before = from.outcomes[number]!.get(batch)
      const after = to.outcomes[number]!.get(batch)
      if (before?._tag === after?._tag) continue
      steps++
      if (before !== undefined || (after?._tag === "Acknowledged" && !was.includes(batch))) return false
    }
  }
  return steps <= 1
}

const readableBatches = (world: World, number: number): ReadonlyArray<number> =>
  Partition.readable(world.partitions[number]!).map(batchOf).filter((batch) => batch !== Configurations.warmBatch)

/** Properties of a world. */
export const invariants = { NoLoss, NoDuplicate, NoGap, InOrder, NoErrorWithoutFault, ReplicasAgree } as const

/** Properties of a step. */
export const stepProperties = { LegalProducerSteps, KeepsIdentities, LegalLeaderSteps, StableReads, Refines } as const

export type PropertyName = keyof typeof invariants | keyof typeof stepProperties

/** One sentence for each, for people. */
export const sentences: Readonly<Record<PropertyName, string>> = {
  NoLoss: "an acknowledged record is kept where the acknowledgement says",
  NoDuplicate: "no record can be read twice",
  NoGap: "nothing is missing before an acknowledged record, except what was reported as failed",
  InOrder: "records are read in the order in which they were sent",
  NoErrorWithoutFault: "without a fault the producer sees no error and drops nothing",
  ReplicasAgree: "a follower holds a prefix of the leader's log, and the high watermark is where it ends",
  LegalProducerSteps: "a decided batch stays decided, and the producer's identity only moves forward",
  KeepsIdentities: "a sent batch keeps its sequence until the producer takes a new identity",
  LegalLeaderSteps: "a leader only appends, and never goes back to an older epoch",
  StableReads: "what a consumer can read stays readable",
  Refines: "every step is a step of ExactlyOnce, or none of its business"
}

/** What only TLC judges, and why. */
export const leftToTlc = {
  TypeOK: "the types of the code say as much",
  EveryRecordDecided: "it speaks of whole behaviours"
} as const
