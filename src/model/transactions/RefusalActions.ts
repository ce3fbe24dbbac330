/**
 * The named actions of `spec/TransactionRefusals.tla`: every request in every state, also those that nobody sends. They
 * change nothing.
 */
import {
  type Errors,
  Sequence,
  Transaction,
  TransactionalPartition,
  TransactionCoordinator,
  TransactionMetadata
} from "../../core/index.ts"
import type * as Choice from "../Choice.ts"
import type { Configuration } from "./Configuration.ts"
import type { World } from "./World.ts"

const { groupPartition } = Transaction

type Action = Choice.Action<Configuration, World>

const coordinatorErrors: ReadonlySet<Errors.Error> = new Set([
  "INVALID_PRODUCER_ID_MAPPING",
  "PRODUCER_FENCED",
  "CONCURRENT_TRANSACTIONS",
  "INVALID_TXN_STATE",
  "TRANSACTION_ABORTABLE",
  "UNKNOWN_SERVER_ERROR"
])

const leaderErrors: ReadonlySet<Errors.Error> = new Set([
  "INVALID_PRODUCER_EPOCH",
  "INVALID_TXN_STATE",
  "OUT_OF_ORDER_SEQUENCE_NUMBER",
  "ILLEGAL_GENERATION",
  "TRANSACTION_COORDINATOR_FENCED"
])

const versions = [1, 2] as const
const results = ["COMMIT", "ABORT"] as const

/** A probe of the coordinators, and of the leaders, with each identity. */
const perIdentity = (
  probe: (
    configuration: Configuration,
    world: World,
    identity: { readonly producerId: number; readonly epoch: number },
    refused: (...instance: ReadonlyArray<string | number>) => void
  ) => void
): Action => ({
  forEach: (configuration, world, found) => {
    const { probes } = configuration
    if (probes === undefined) return
    for (const producerId of probes.producerIds) {
      for (const epoch of probes.epochs) {
        probe(configuration, world, { producerId, epoch }, (...instance) => found(world, instance))
      }
    }
  }
})

/** The error of a decision, if it is one of these. */
const refusal = (
  decision: TransactionCoordinator.Decision | { readonly _tag: "Append" | "Duplicate" },
  errors: ReadonlySet<Errors.Error>
): string | undefined => decision._tag === "Refuse" && errors.has(decision.error) ? decision.error : undefined

const probeInitProducerId = (
  { context }: Configuration,
  world: World,
  identity: { readonly producerId: number; readonly epoch: number },
  refused: (...instance: ReadonlyArray<string | number>) => void
): void => {
  const request = { kind: "InitProducerId", ...identity, version: 1, transaction: Transaction.noName } as const
  world.coordinators.forEach(({ metadata, pending }, i) => {
    const known = metadata.state === "Unknown" ? TransactionMetadata.created(world.nextProducerId) : metadata
    const decision = TransactionCoordinator.initProducerId(context, known, pending, request, world.nextProducerId)
    const error = refusal(decision, coordinatorErrors)
    if (error !== undefined) refused(i + 1, identity.producerId, identity.epoch, error)
  })
}

/** With the identities to try, and first with none. */
const RefuseInitProducerId: Action = {
  forEach: (configuration, world, found) => {
    if (configuration.probes === undefined) return
    const none = { producerId: Sequence.none, epoch: Sequence.none }
    probeInitProducerId(configuration, world, none, (...instance) => found(world, instance))
    perIdentity(probeInitProducerId).forEach(configuration, world, found)
  }
}

/** A probe of the coordinators with each partition. */
const perAddition = (
  decide: (
    configuration: Configuration,
    coordinator: TransactionCoordinator.Coordinator,
    verification: TransactionCoordinator.Verification
  ) => TransactionCoordinator.Decision
): Action =>
  perIdentity((configuration, world, identity, refused) => {
    world.coordinators.forEach((coordinator, i) => {
      for (const partition of configuration.partitions) {
        const asked = { partition, ...identity, version: 1, transaction: Transaction.noName } as const
        const error = refusal(decide(configuration, coordinator, asked), coordinatorErrors)
        if (error !== undefined) refused(i + 1, identity.producerId, identity.epoch, partition, error)
      }
    })
  })

const RefuseAddPartitionsToTxn = perAddition(({ context }, { metadata, pending }, asked) =>
  TransactionCoordinator.addPartitions(context, metadata, pending, asked)
)

const RefuseVerification = perAddition((_configuration, { metadata }, asked) =>
  TransactionCoordinator.verifyPartition(metadata, asked)
)

const RefuseEndTxn = perIdentity(({ context }, world, identity, refused) => {
  world.coordinators.forEach(({ metadata, pending }, i) => {
    for (const result of results) {
      for (const version of versions) {
        const request = { kind: "EndTxn", result, version, ...identity, transaction: Transaction.noName } as const
        const decision = TransactionCoordinator.endTxn(context, metadata, pending, request, world.nextProducerId)
        const error = refusal(decision, coordinatorErrors)
        if (error !== undefined) refused(i + 1, identity.producerId, identity.epoch, result, version, error)
      }
    }
  })
})

/** A batch that was verified, but in no transaction of this moment. */
const RefuseBatch = perIdentity((configuration, world, identity, refused) => {
  const { context, partitions, probes } = configuration
  partitions.forEach((partition, place) => {
    if (partition === groupPartition) return
    for (const sequence of probes!.sequences) {
      const validation = TransactionalPartition.validate(context, world.partitions[place]!, {
        _tag: "AppendVerified",
        produce: {
          partition,
          ...identity,
          version: 1,
          sequence,
          records: 1,
          isTransactional: true,
          generation: Sequence.none,
          transaction: Transaction.noName,
          input: Sequence.none
        },
        broker: world.partitions[place]!.leader,
        generation: world.generation,
        guard: false
      })
      const error = refusal(validation, leaderErrors)
      if (error !== undefined) refused(partition, identity.producerId, identity.epoch, sequence, error)
    }
  })
})

/** The same for offsets, with a generation of the group. */
const RefuseOffsets = perIdentity((configuration, world, identity, refused) => {
  const { context, group, partitions } = configuration
  if (!group) return
  const offsets = world.partitions[partitions.indexOf(groupPartition)]!
  for (const generation of [0, 1]) {
    const validation = TransactionalPartition.validate(context, offsets, {
      _tag: "AppendVerified",
      produce: {
        partition: groupPartition,
        ...identity,
        version: 1,
        sequence: Sequence.none,
        records: 1,
        isTransactional: true,
        generation,
        transaction: Transaction.noName,
        input: Sequence.none
      },
      broker: offsets.leader,
      generation: world.generation,
      guard: false
    })
    const error = refusal(validation, leaderErrors)
    if (error !== undefined) refused(identity.producerId, identity.epoch, generation, error)
  }
})

const RefuseMarker = perIdentity(({ context, partitions }, world, identity, refused) => {
  const coordinatorEpoch = 0
  partitions.forEach((partition, place) => {
    for (const version of versions) {
      const error = TransactionalPartition.validateMarker(context, world.partitions[place]!, {
        partition,
        ...identity,
        coordinatorEpoch,
        version,
        result: "ABORT",
        transaction: Transaction.noName
      })
      if (leaderErrors.has(error)) {
        refused(partition, identity.producerId, identity.epoch, coordinatorEpoch, version, error)
      }
    }
  })
})

/** In the order of the specification's `Refusals`. */
export const actions = {
  RefuseInitProducerId,
  RefuseAddPartitionsToTxn,
  RefuseVerification,
  RefuseEndTxn,
  RefuseBatch,
  RefuseOffsets,
  RefuseMarker
} as const satisfies Record<string, Action>
