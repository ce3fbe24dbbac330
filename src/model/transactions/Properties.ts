/**
 * What must be true of every world, and of every step between two: the properties of the specification under their own
 * names, each with the sentence that reports use.
 */
import { memoize } from "effect/Function"
import type { TransactionalProducer } from "../../core/index.ts"
import { Sequence, Transaction, TransactionalPartition, TransactionMetadata } from "../../core/index.ts"
import type * as Model from "../Model.ts"
import type { Configuration, FaultKind } from "./Configuration.ts"
import { idOf } from "./Configuration.ts"
import type { Memory, World } from "./World.ts"
import { live, memoryOf } from "./World.ts"

type Invariant = Model.Invariant<Configuration, World>
type StepProperty = Model.StepProperty<Configuration, World>
type Partition = TransactionalPartition.Partition
type Entry = TransactionalPartition.Entry

/** What a partition's log says of its entries. */
interface Reading {
  readonly fates: ReadonlyArray<TransactionalPartition.Fate | undefined>
  /** Offsets that read_committed consumers are given. */
  readonly visible: ReadonlyArray<number>
}

/** Partitions are read again and again, by every property and in many worlds. */
const readings = new WeakMap<Partition, { readonly of: Configuration; readonly reading: Reading }>()

const read = (configuration: Configuration, partition: Partition): Reading => {
  const known = readings.get(partition)
  if (known?.of === configuration) return known.reading
  const reading = {
    fates: TransactionalPartition.fates(partition.log).map((fate, offset) =>
      partition.log[offset]!.isTransactional ? fate : undefined
    ),
    visible: TransactionalPartition.readCommitted(configuration.context, partition).filter((offset) =>
      partition.log[offset]!.isTransactional
    )
  }
  readings.set(partition, { of: configuration, reading })
  return reading
}

const isSame = (a: Transaction.Name, b: Transaction.Name): boolean => a.client === b.client && a.number === b.number

/** Whether a record of this transaction is in the log, of which this holds. */
const hasRecord = (
  { log }: Partition,
  of: Transaction.Name,
  holds: (offset: number) => boolean = () => true
): boolean => log.some((entry, offset) => entry.kind === "DATA" && isSame(entry.transaction, of) && holds(offset))

const isVisibleSuchThat = (
  configuration: Configuration,
  world: World,
  holds: (entry: Entry, offset: number, partition: Partition) => boolean
): boolean =>
  world.partitions.every((partition) =>
    read(configuration, partition).visible.every((offset) => holds(partition.log[offset]!, offset, partition))
  )

/** The transactions that a configuration has room for. */
const namesOf = memoize(({ clients, transactionsPerClient }: Configuration): ReadonlyArray<Transaction.Name> =>
  Array.from({ length: clients * transactionsPerClient }, (_, i) => ({
    client: Math.floor(i / transactionsPerClient) + 1,
    number: i % transactionsPerClient + 1
  }))
)

/** A number from 0 for each name, also for that of no transaction. */
const keyOf = ({ transactionsPerClient }: Configuration, { client, number }: Transaction.Name): number =>
  client * (transactionsPerClient + 1) + number

const partitionNamed = ({ partitions }: Configuration, world: World, name: string): Partition =>
  world.partitions[partitions.indexOf(name)]!

const coordinatorOf = (configuration: Configuration, world: World, { client }: Transaction.Name) =>
  world.coordinators[idOf(configuration, client) - 1]!

/** The coordinator has decided to commit, and its marker for the partition is on the way. */
const isCommitting = (configuration: Configuration, world: World, of: Transaction.Name, partition: string): boolean => {
  const { metadata, outstanding } = coordinatorOf(configuration, world, of)
  return metadata.state === "PrepareCommit" && isSame(metadata.transaction, of) && outstanding.includes(partition)
}

const groupPartition = (configuration: Configuration, world: World): Partition | undefined =>
  configuration.group ? partitionNamed(configuration, world, Transaction.groupPartition) : undefined

// What users rely on.

const NoLoss: Invariant = (configuration, world) =>
  world.clients.every(({ batches, number }, i) =>
    configuration.partitions.every((name, place) => {
      const partition = world.partitions[place]!
      return batches.get(name) !== "acked"
        || hasRecord(partition, { client: i + 1, number }, (offset) => offset < partition.highWatermark)
    })
  )

const Atomicity: Invariant = (configuration, world) =>
  isVisibleSuchThat(configuration, world, ({ transaction }) =>
    memoryOf(world, transaction).partitions.every((name) => {
      const other = partitionNamed(configuration, world, name)
      const { fates } = read(configuration, other)
      return hasRecord(other, transaction, (offset) => fates[offset] !== "ABORT")
    }))

const SingleOutcome: Invariant = (configuration, world) => {
  const known = new Map<number, TransactionalPartition.Fate>()
  return world.partitions.every((partition) =>
    read(configuration, partition).fates.every((fate, offset) => {
      if (fate === undefined || fate === "OPEN") return true
      const key = keyOf(configuration, partition.log[offset]!.transaction)
      const before = known.get(key)
      known.set(key, fate)
      return before === undefined || before === fate
    })
  )
}

const NoAbortedRead: Invariant = (configuration, world) =>
  isVisibleSuchThat(configuration, world, ({ transaction }) => memoryOf(world, transaction).outcome !== "aborted")

const NoUncommittedRead: Invariant = (configuration, world) =>
  isVisibleSuchThat(configuration, world, ({ transaction }) => memoryOf(world, transaction).intent === "commit")

const NoReadBeyondLastStableOffset: Invariant = (configuration, world) =>
  isVisibleSuchThat(configuration, world, (_, offset, partition) =>
    offset < partition.highWatermark
    && offset < (TransactionalPartition.firstUnstableOffset(partition) ?? Number.POSITIVE_INFINITY))

const NoLostCommit: Invariant = (configuration, world) =>
  namesOf(configuration).every((transaction) => {
    const { outcome, partitions } = memoryOf(world, transaction)
    return outcome !== "committed" || partitions.every((name) => {
      const partition = partitionNamed(configuration, world, name)
      const { fates } = read(configuration, partition)
      return hasRecord(partition, transaction, (offset) =>
        offset < partition.highWatermark
        && (fates[offset] === "COMMIT" || isCommitting(configuration, world, transaction, name)))
    })
  })

const NoDuplicate: Invariant = (configuration, world) =>
  configuration.partitions.every((name, place) => {
    if (name === Transaction.groupPartition) return true
    const partition = world.partitions[place]!
    const seen = read(configuration, partition).visible.map((offset) => partition.log[offset]!)
    return seen.every((entry, i) =>
      seen.slice(i + 1).every((other) =>
        !isSame(entry.transaction, other.transaction) && (!configuration.group || entry.input !== other.input)
      )
    )
  })

const OffsetsAgreeWithOutputs: Invariant = (configuration, world) => {
  const offsets = groupPartition(configuration, world)
  if (offsets === undefined) return true
  const isOutput = (input: number): boolean =>
    configuration.partitions.some((name, place) => {
      if (name === Transaction.groupPartition) return false
      const { log } = world.partitions[place]!
      const { fates } = read(configuration, world.partitions[place]!)
      return log.some((entry, offset) =>
        entry.kind === "DATA" && entry.input === input
        && (fates[offset] === "COMMIT" || isCommitting(configuration, world, entry.transaction, name))
      )
    })
  const committed = TransactionalPartition.committedOffset(offsets)
  return Array.from({ length: committed }, (_, input) => input).every(isOutput)
}

const StableOffsets: Invariant = (configuration, world) => {
  const offsets = groupPartition(configuration, world)
  return offsets === undefined
    || TransactionalPartition.fetchOffset(configuration.context, offsets).error !== "NONE"
    || TransactionalPartition.firstUnstableOffset(offsets) === undefined
}

/** Only a fence may be an epoch ahead of the data. */
const isKnown = (world: World, partition: string, producerId: number, epoch: number): boolean =>
  world.coordinators.some(({ metadata, outstanding, pending }) => {
    if (metadata.producerId !== producerId) return false
    const ahead = metadata.epoch - epoch
    if (metadata.state === "Ongoing") {
      const fencing = pending === "PrepareAbort" || metadata.failedEpochFence
      return metadata.partitions.includes(partition) && (ahead === 0 || (fencing && ahead === 1))
    }
    return TransactionMetadata.isPrepared(metadata.state) && outstanding.includes(partition)
      && (ahead === 0 || ahead === 1)
  })

const NoHangingTransaction: Invariant = (configuration, world) =>
  world.partitions.every(({ producers }, place) => {
    for (const [producerId, { epoch, firstOffset }] of producers) {
      if (firstOffset === Sequence.none) continue
      if (!isKnown(world, configuration.partitions[place]!, producerId, epoch)) return false
    }
    return true
  })

const NoForeignMarker: Invariant = (_configuration, world) =>
  world.partitions.every(({ log }) =>
    log.every((entry, offset) => {
      if (entry.kind !== "DATA") return true
      const marker = log.find((other, later) =>
        later > offset && other.kind !== "DATA" && other.producerId === entry.producerId
      )
      return marker === undefined || isSame(marker.transaction, entry.transaction)
    })
  )

const isNewer = (producer: TransactionalProducer.Producer, { epoch, producerId }: Entry): boolean =>
  producer.producerId !== Sequence.none
  && (producer.producerId > producerId || (producer.producerId === producerId && producer.epoch > epoch))

const ZombieFenced: StepProperty = (configuration, from, to) =>
  from.partitions.every(({ log }, place) => {
    const after = to.partitions[place]!.log
    const entry = after.at(-1)
    if (after.length <= log.length || entry === undefined || entry.kind !== "DATA") return true
    if (!entry.isTransactional) return true
    const { client } = entry.transaction
    return !from.clients.some((producer, i) =>
      i + 1 !== client && idOf(configuration, i + 1) === idOf(configuration, client) && isNewer(producer, entry)
    )
  })

const isSameEntry = (a: Entry, b: Entry | undefined): boolean =>
  a === b
  || (b !== undefined && a.kind === b.kind && a.producerId === b.producerId && a.epoch === b.epoch
    && a.sequence === b.sequence && a.coordinatorEpoch === b.coordinatorEpoch && a.input === b.input
    && isSame(a.transaction, b.transaction))

const StableReads: StepProperty = (configuration, from, to) =>
  from.partitions.every((before, place) => {
    const after = to.partitions[place]!
    if (before === after) return true
    const is = read(configuration, after).visible
    return read(configuration, before).visible.every((offset) =>
      is.includes(offset) && isSameEntry(before.log[offset]!, after.log[offset])
    )
  })

const NoErrorWithoutFault: Invariant = (configuration, world) =>
  world.faults !== configuration.faultBudget || configuration.clients !== configuration.transactionalIds
  || (configuration.group && configuration.clients > 1)
  || world.clients.every(({ state }) => state !== "ABORTABLE_ERROR" && state !== "FATAL_ERROR")

/** What ends a producer: another instance, a timeout, the expiry of its id, or a late copy of its own request. */
const fatalFaults: ReadonlyArray<FaultKind> = [
  "TransactionTimeout",
  "CrashClient",
  "ExpireTransactionalId",
  "DisconnectCoordinator"
]

const NoFatalError: Invariant = ({ clients, faultKinds, transactionalIds }, world) =>
  clients !== transactionalIds || fatalFaults.some((kind) => faultKinds.has(kind))
  || world.clients.every(({ state }) => state !== "FATAL_ERROR")

// What the protocol relies on.

const UniqueIdentity: Invariant = (_configuration, world) =>
  world.clients.every(({ epoch, producerId }, i) =>
    producerId === Sequence.none
    || world.clients.every((other, j) => i === j || other.producerId !== producerId || other.epoch !== epoch)
  )

const NoLastEpoch: Invariant = ({ context }, world) =>
  world.clients.every(({ epoch }) => epoch < context.replica.limits.maxEpoch)

const NoStuckTransition: Invariant = (_configuration, world) =>
  world.coordinators.every(({ appending, completing, pending }, i) =>
    pending === "None" || appending !== undefined || completing.length > 0
    || world.markers.some(({ copy, id }) => id === i + 1 && copy === live)
  )

const MarkerOnlyAfterPrepare: Invariant = (_configuration, world) =>
  world.markers.every(({ copy, id, marker }) => {
    const { epoch, producerId, state } = world.transactionStates[id - 1]!
    return copy !== live
      || (TransactionMetadata.isPrepared(state) && TransactionMetadata.resultOf(state) === marker.result
        && producerId === marker.producerId && epoch === marker.epoch)
  })

const CompleteOnlyAfterMarkers: StepProperty = (configuration, from, to) =>
  from.transactionStates.every((before, i) => {
    const after = to.transactionStates[i]!
    if (!TransactionMetadata.isPrepared(before.state) || !TransactionMetadata.isComplete(after.state)) return true
    return before.partitions.every((name) => {
      const { highWatermark, log } = partitionNamed(configuration, from, name)
      return log.slice(0, highWatermark).some(({ epoch, kind, producerId }) =>
        kind === TransactionMetadata.resultOf(before.state) && producerId === before.producerId
        && epoch === before.epoch
      )
    })
  })

const MonotoneEpochs: StepProperty = (_configuration, from, to) =>
  from.coordinators.every(({ metadata: before }, i) => {
    const { metadata: after } = to.coordinators[i]!
    return before === after || before.state === "Unknown" || after.state === "Unknown" || before.failedEpochFence
      || after.producerId > before.producerId
      || (after.producerId === before.producerId && after.epoch >= before.epoch)
  })
  && from.partitions.every((before, place) => {
    const after = to.partitions[place]!
    if (before === after || before.leader !== after.leader) return true
    for (const [producerId, { coordinatorEpoch, epoch }] of before.producers) {
      const known = after.producers.get(producerId)
      if (known === undefined || known.epoch < epoch || known.coordinatorEpoch < coordinatorEpoch) return false
    }
    return true
  })

/** `TransactionState.validPreviousStates`. Under version 2 nothing may be aborted too. */
const legalPredecessors: Readonly<Record<TransactionMetadata.State, ReadonlyArray<TransactionMetadata.State>>> = {
  Unknown: ["Empty", "CompleteCommit", "CompleteAbort"],
  Empty: ["Unknown", "Empty", "CompleteCommit", "CompleteAbort"],
  Ongoing: ["Ongoing", "Empty", "CompleteCommit", "CompleteAbort"],
  PrepareCommit: ["Ongoing"],
  PrepareAbort: ["Ongoing"],
  CompleteCommit: ["PrepareCommit"],
  CompleteAbort: ["PrepareAbort"]
}

const abortedWithoutPartitions: ReadonlyArray<TransactionMetadata.State> = ["Empty", "CompleteCommit", "CompleteAbort"]

/** `TransactionManager.State.isTransitionValid`, with the calls that a step folds together. */
const legalSources: Readonly<Record<TransactionalProducer.State, ReadonlyArray<TransactionalProducer.State>>> = {
  UNINITIALIZED: [],
  INITIALIZING: ["UNINITIALIZED", "ABORTING", "ABORTABLE_ERROR"],
  READY: ["INITIALIZING", "COMMITTING", "ABORTING", "IN_TRANSACTION", "ABORTABLE_ERROR"],
  IN_TRANSACTION: ["READY"],
  COMMITTING: ["IN_TRANSACTION"],
  ABORTING: ["IN_TRANSACTION", "ABORTABLE_ERROR"],
  ABORTABLE_ERROR: ["IN_TRANSACTION", "COMMITTING", "INITIALIZING"],
  FATAL_ERROR: ["INITIALIZING", "IN_TRANSACTION", "COMMITTING", "ABORTING", "ABORTABLE_ERROR"]
}

const LegalTransitions: StepProperty = ({ context }, from, to) =>
  from.coordinators.every((before, i) => {
    const after = to.coordinators[i]!
    const [was, is] = [before.metadata.state, after.metadata.state]
    return before.epoch !== after.epoch || was === is || legalPredecessors[is].includes(was)
      || (is === "PrepareAbort" && context.transactionVersion === 2 && abortedWithoutPartitions.includes(was))
  })
  && from.clients.every(({ state: was }, i) => {
    const { state: is } = to.clients[i]!
    return was === is || is === "UNINITIALIZED" || legalSources[is].includes(was)
  })

// Refinement.

type Decision = "OPEN" | Transaction.Result

/** What the coordinator or the application knows of the outcome of a transaction that has no marker. */
const decisionWithoutMarker = (configuration: Configuration, world: World, of: Transaction.Name): Decision => {
  const { metadata } = coordinatorOf(configuration, world, of)
  if (
    TransactionMetadata.isPrepared(metadata.state) && isSame(metadata.transaction, of)
    && metadata.partitions.length > 0
  ) return TransactionMetadata.resultOf(metadata.state)
  return memoryOf(world, of).outcome === "aborted" ? "ABORT" : "OPEN"
}

/**
 * What was decided of each transaction, by its key: its first marker witnesses it, before that the coordinator. One that
 * was aborted and never had a partition leaves no marker, and its application is the witness.
 */
const decide = (configuration: Configuration, world: World): ReadonlyArray<Decision> => {
  const decisions: Array<Decision> = []
  for (const { log } of world.partitions) {
    for (const { kind, transaction } of log) if (kind !== "DATA") decisions[keyOf(configuration, transaction)] ??= kind
  }
  for (const name of namesOf(configuration)) {
    decisions[keyOf(configuration, name)] ??= decisionWithoutMarker(configuration, world, name)
  }
  return decisions
}

interface Decided {
  readonly of: Configuration
  readonly world: World
  readonly decisions: ReadonlyArray<Decision>
}

/** Of the last two worlds, the later first: a step begins where the one before it began or ended. */
let lastTwo: ReadonlyArray<Decided> = []

const decisionsOf = (configuration: Configuration, world: World): ReadonlyArray<Decision> => {
  const known = lastTwo.find((one) => one.world === world && one.of === configuration)
  const found = known ?? { of: configuration, world, decisions: decide(configuration, world) }
  const [last] = lastTwo
  if (found !== last) lastTwo = last === undefined ? [found] : [found, last]
  return found.decisions
}

/** Whether the application is told nothing, or what was decided before. */
const tells = (was: Memory, is: Memory, decision: Decision): boolean =>
  is.outcome === was.outcome
  || (was.outcome === "none" && decision === (is.outcome === "committed" ? "COMMIT" : "ABORT"))

/** The step of `ExactlyOnceTransactions.tla` that a step of the world amounts to is legal there. */
const Refines: StepProperty = (configuration, from, to) => {
  if (
    from.partitions === to.partitions && from.coordinators === to.coordinators && from.history === to.history
  ) return true
  const before = decisionsOf(configuration, from)
  const after = decisionsOf(configuration, to)
  const isLegal = (transaction: Transaction.Name): boolean => {
    const [was, is] = [memoryOf(from, transaction), memoryOf(to, transaction)]
    const key = keyOf(configuration, transaction)
    const [decided, decision] = [before[key]!, after[key]!]
    // Most transactions are as they were.
    if (was === is && decided === decision) return true
    const wrote = is.partitions.length > was.partitions.length
    return was.partitions.every((name) => is.partitions.includes(name))
      && !(wrote && decided === "COMMIT")
      && (decided === decision || decided === "OPEN")
      && tells(was, is, decision)
  }
  if (!namesOf(configuration).every(isLegal)) return false
  const readable = (partition: Partition): ReadonlyArray<Transaction.Name> =>
    read(configuration, partition).visible.map((offset) => partition.log[offset]!.transaction)
  return from.partitions.every((partition, place) => {
    const now = readable(to.partitions[place]!)
    return readable(partition).every((transaction) => now.some((other) => isSame(other, transaction)))
      && now.every((transaction) =>
        after[keyOf(configuration, transaction)] === "COMMIT"
        && memoryOf(to, transaction).partitions.includes(configuration.partitions[place]!)
      )
  })
}

/** Properties of a world. */
export const invariants = {
  NoLoss,
  Atomicity,
  SingleOutcome,
  NoAbortedRead,
  NoUncommittedRead,
  NoReadBeyondLastStableOffset,
  NoLostCommit,
  NoDuplicate,
  OffsetsAgreeWithOutputs,
  StableOffsets,
  NoHangingTransaction,
  NoForeignMarker,
  NoErrorWithoutFault,
  NoFatalError,
  UniqueIdentity,
  NoLastEpoch,
  NoStuckTransition,
  MarkerOnlyAfterPrepare
} as const

/** Properties of a step. */
export const stepProperties = {
  ZombieFenced,
  StableReads,
  CompleteOnlyAfterMarkers,
  MonotoneEpochs,
  LegalTransitions,
  Refines
} as const

export type PropertyName = keyof typeof invariants | keyof typeof stepProperties

/** One sentence for each, for people. */
export const sentences: Readonly<Record<PropertyName, string>> = {
  NoLoss: "an acknowledged record is in the log, below the high watermark",
  Atomicity: "of a transaction of which one record can be read, none is aborted or missing",
  SingleOutcome: "no transaction is committed on one partition and aborted on another",
  NoAbortedRead: "nothing can be read of a transaction whose application was told that it is aborted",
  NoUncommittedRead: "nothing can be read of a transaction that its application did not commit",
  NoReadBeyondLastStableOffset: "nothing can be read at or above the last stable offset",
  NoLostCommit: "what was handed over in a transaction whose commit was reported can be read, or will be",
  NoDuplicate: "no record can be read twice, and no output of the same input",
  OffsetsAgreeWithOutputs: "the group's offset is that of the inputs whose output is committed",
  StableOffsets: "no offset is given to a group that a transaction may still change",
  NoHangingTransaction: "every open transaction of a partition is one that its coordinator knows and will end",
  NoForeignMarker: "a marker ends the transaction that it was written for",
  NoErrorWithoutFault: "without a fault, and without another instance or member, the application sees no error",
  NoFatalError: "a producer is not ended by what brokers do",
  UniqueIdentity: "no two instances have the same producer id and epoch",
  NoLastEpoch: "the last epoch is for markers, and no client has it",
  NoStuckTransition: "a transition that is pending is one that somebody works on",
  MarkerOnlyAfterPrepare: "markers are for transactions whose outcome is in the coordinator's log",
  ZombieFenced: "where one instance has an identity, an older one of the same id writes no more",
  StableReads: "what can be read stays readable",
  CompleteOnlyAfterMarkers: "a transaction is complete when each of its partitions has the marker",
  MonotoneEpochs: "the epochs of a coordinator and of a leader do not go back",
  LegalTransitions: "coordinator and client change their state as Kafka's state machines allow",
  Refines: "every step is a step of ExactlyOnceTransactions, or none of its business"
}

const wholeBehaviours = "it speaks of whole behaviours"

/** What only TLC judges, and why. */
export const leftToTlc = {
  TypeOK: "the types of the code say as much",
  PreparedCompletes: wholeBehaviours,
  AbandonedAborts: wholeBehaviours,
  LastStableOffsetReachesEnd: wholeBehaviours,
  CallsEnd: wholeBehaviours,
  BatchesEnd: wholeBehaviours,
  CommittedBecomesReadable: wholeBehaviours
} as const
