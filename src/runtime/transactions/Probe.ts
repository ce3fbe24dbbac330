/**
 * What a stranger asks: requests that no client of the cluster sends, to be refused by whoever they are put to.
 */
import { type Partition, Sequence, Transaction } from "../../core/index.ts"
import type { Refusal } from "./Action.ts"
import type * as CoordinatorHost from "./CoordinatorHost.ts"
import type * as LeaderHost from "./LeaderHost.ts"

type ToLeader = Extract<Refusal, { readonly _tag: "RefuseBatch" | "RefuseOffsets" | "RefuseMarker" }>

const transaction = Transaction.noName

/** A question to the coordinator on this broker, with the next free producer id. */
export const ofCoordinator = (
  refusal: Exclude<Refusal, ToLeader>,
  broker: Partition.Broker,
  nextProducerId: number
): CoordinatorHost.Question => {
  const { epoch, producerId } = refusal
  const identity = { producerId, epoch, version: 1, transaction } as const
  switch (refusal._tag) {
    case "RefuseInitProducerId":
      return { _tag: "HandleInitProducerId", request: { kind: "InitProducerId", ...identity }, broker, nextProducerId }
    case "RefuseAddPartitionsToTxn": {
      const { partition } = refusal
      return {
        _tag: "HandleAddPartitionsToTxn",
        request: { kind: "AddPartitionsToTxn", ...identity, partition },
        broker
      }
    }
    case "RefuseVerification":
      return { _tag: "HandleVerification", verification: { ...identity, partition: refusal.partition } }
    case "RefuseEndTxn": {
      const { result, version } = refusal
      return {
        _tag: "HandleEndTxn",
        request: { kind: "EndTxn", ...identity, version, result },
        broker,
        nextProducerId
      }
    }
  }
}

/** Whose leader is asked. */
export const partitionOf = (refusal: ToLeader): string =>
  refusal._tag === "RefuseOffsets" ? Transaction.groupPartition : refusal.partition

/** A question to the leader on this broker, in this generation of the group. */
export const ofLeader = (refusal: ToLeader, broker: Partition.Broker, generation: number): LeaderHost.Question => {
  const { epoch, producerId } = refusal
  const identity = { partition: partitionOf(refusal), producerId, epoch, transaction }
  if (refusal._tag === "RefuseMarker") {
    const { coordinatorEpoch, version } = refusal
    return { _tag: "HandleMarker", marker: { ...identity, coordinatorEpoch, version, result: "ABORT" }, broker }
  }
  const said = refusal._tag === "RefuseBatch"
    ? { sequence: refusal.sequence, generation: Sequence.none }
    : { sequence: Sequence.none, generation: refusal.generation }
  const produce = { ...identity, ...said, version: 1, records: 1, isTransactional: true, input: Sequence.none } as const
  // A batch that was verified, but in no transaction of this moment.
  return { _tag: "AppendVerified", produce, broker, generation, guard: false }
}
