/**
 * Worlds that some configuration must reach, or the properties would hold because nothing ever went wrong: each under a
 * name, with the sentence that reports use.
 */
import {
  Sequence,
  Transaction,
  TransactionalPartition,
  type TransactionalProducer,
  type TransactionCoordinator,
  TransactionMetadata
} from "../../core/index.ts"
import type * as Model from "../Model.ts"
import type { Configuration } from "./Configuration.ts"
import type { SentMarker, SentProduce, SentRequest, World } from "./World.ts"
import { live, memoryOf } from "./World.ts"

type Witness = Model.Invariant<Configuration, World>

const client = (is: (producer: TransactionalProducer.Producer, world: World) => boolean): Witness => (_, world) =>
  world.clients.some((producer) => is(producer, world))

const coordinator = (
  is: (coordinator: TransactionCoordinator.Coordinator, id: number, world: World) => boolean
): Witness =>
(_, world) => world.coordinators.some((each, i) => is(each, i + 1, world))

const request = (is: (sent: SentRequest, world: World) => boolean): Witness => (_, world) =>
  world.requests.some((sent) => is(sent, world))

const produce = (is: (sent: SentProduce, world: World) => boolean): Witness => (_, world) =>
  world.produces.some((sent) => is(sent, world))

const marker = (is: (sent: SentMarker, world: World) => boolean): Witness => (_, world) =>
  world.markers.some((sent) => is(sent, world))

const partition =
  (is: (partition: TransactionalPartition.Partition, configuration: Configuration) => boolean): Witness =>
  (configuration, world) => world.partitions.some((each) => is(each, configuration))

/** A message that its sender gave up. */
const isLate = ({ copy }: { readonly copy: number }): boolean => copy !== live

const metadataOf = ({ coordinators }: World, transactionalId: number): TransactionMetadata.Metadata =>
  coordinators[transactionalId - 1]!.metadata

const idOf = ({ coordinators }: World, number: number): number => (number - 1) % coordinators.length + 1

/** The client is the one that the coordinator of its id knows. */
const isCurrent = (producer: TransactionalProducer.Producer, number: number, world: World): boolean => {
  const { epoch, producerId } = metadataOf(world, idOf(world, number))
  return producer.producerId === producerId && producer.epoch === epoch
}

const someClient = (
  world: World,
  is: (producer: TransactionalProducer.Producer, number: number) => boolean
): boolean => world.clients.some((producer, i) => is(producer, i + 1))

export const witnesses = {
  TransactionCommitted: (_, world) => world.history.flat().some(({ outcome }) => outcome === "committed"),
  TransactionAborted: (_, world) => world.history.flat().some(({ outcome }) => outcome === "aborted"),
  SecondTransactionCommitted: (_, world) =>
    world.history.some((memories) => memories.filter(({ outcome }) => outcome === "committed").length > 1),
  NextTransactionBeforeCompletion: client((producer, world) =>
    producer.state === "IN_TRANSACTION"
    && world.coordinators.some(({ metadata }) =>
      TransactionMetadata.isPrepared(metadata.state) && metadata.transaction.number < producer.number
    )
  ),
  PartlyWrittenOutcome: marker((sent, world) =>
    world.partitions.some(({ log }) =>
      log.some(({ kind, transaction }) =>
        kind !== "DATA" && transaction.client === sent.marker.transaction.client
        && transaction.number === sent.marker.transaction.number
      )
    )
  ),

  RequestWaitsForAppend: request(({ stage }) => stage === "appending"),
  LateRequestWaitsForAppend: request((sent) => isLate(sent) && sent.stage === "appending"),
  LateEndTxn: request((sent) => isLate(sent) && sent.request.kind === "EndTxn"),
  LateEndTxnOfEarlierTransaction: request((sent, world) =>
    isLate(sent) && sent.request.kind === "EndTxn"
    && world.clients[sent.client - 1]!.number > sent.request.transaction.number
  ),
  LateAddPartitionsToTxn: request((sent) => isLate(sent) && sent.request.kind === "AddPartitionsToTxn"),
  LateInitProducerId: request((sent) => isLate(sent) && sent.request.kind === "InitProducerId"),
  RequestToOldCoordinator: request((sent, world) =>
    sent.broker !== world.coordinators[idOf(world, sent.client) - 1]!.broker
  ),

  LateBatch: produce(isLate),
  LateBatchOfEarlierTransaction: produce((sent, world) =>
    isLate(sent) && world.clients[sent.client - 1]!.number > sent.produce.transaction.number
  ),
  LateBatchVerified: produce((sent) => isLate(sent) && sent.stage === "verified"),
  GuardLostWhileVerified: produce(({ guard, stage }) => stage === "verified" && !guard),
  BatchWaitsForAppendOfCoordinator: produce(({ stage }) => stage === "adding"),
  BatchWaitsForFollower: produce(({ stage }) => stage === "appended"),
  BatchToOldLeader: produce((sent, world) =>
    sent.stage !== "sent" && world.partitions.every(({ leader }) => leader !== sent.broker)
  ),

  LateMarker: marker(isLate),
  LateMarkerAfterCompletion: marker((sent, world) =>
    isLate(sent) && TransactionMetadata.isComplete(metadataOf(world, sent.id).state)
  ),
  LateMarkerDuringNextTransaction: marker((sent, world) =>
    isLate(sent) && metadataOf(world, sent.id).state === "Ongoing"
    && metadataOf(world, sent.id).producerId === sent.marker.producerId
  ),
  MarkerOfOldCoordinator: marker((sent, world) =>
    sent.marker.coordinatorEpoch < world.coordinators[sent.id - 1]!.epoch
  ),
  MarkerWaitsForFollower: marker(({ stage }) => stage === "appended"),
  MarkerWritten: partition(({ log }) => log.some(({ kind }) => kind !== "DATA")),
  MarkerWrittenTwice: partition(({ log }) =>
    log.some((entry, i) =>
      entry.kind !== "DATA"
      && log.slice(0, i).some(({ epoch, kind, producerId }) =>
        kind === entry.kind && producerId === entry.producerId && epoch === entry.epoch
      )
    )
  ),

  LogAheadOfCache: coordinator(({ appending, metadata }, id, world) => {
    const logged = world.transactionStates[id - 1]!
    return appending === undefined && (logged.state !== metadata.state || logged.epoch !== metadata.epoch)
  }),
  PreparedAfterFailover: coordinator(({ epoch, metadata, outstanding }) =>
    epoch > 0 && TransactionMetadata.isPrepared(metadata.state) && outstanding.length > 0
  ),
  FailoverBeforeAnyMarker: coordinator(({ epoch, metadata, outstanding }) =>
    epoch > 0 && TransactionMetadata.isPrepared(metadata.state) && outstanding.length === metadata.partitions.length
    && outstanding.length > 1
  ),
  EmptyAbortPrepared: coordinator(({ metadata }) =>
    metadata.state === "PrepareAbort" && metadata.partitions.length === 0
  ),
  FenceNotWritten: coordinator(({ appending, metadata }) => metadata.failedEpochFence && appending === undefined),
  CompletionAppended: coordinator(({ appending }) =>
    appending !== undefined && TransactionMetadata.isComplete(appending.state)
  ),
  TransactionalIdForgotten: coordinator(({ metadata }, id, world) =>
    metadata.state === "Unknown"
    && someClient(world, ({ producerId }, number) => idOf(world, number) === id && producerId !== Sequence.none)
  ),
  EpochExhaustedInEndTxn: coordinator(({ metadata }) =>
    metadata.state === "PrepareCommit" && metadata.nextProducerId !== Sequence.none
  ),
  EpochExhaustedInFence: coordinator(({ metadata }) =>
    metadata.state === "PrepareAbort" && metadata.nextProducerId !== Sequence.none
  ),
  ProducerIdReplaced: coordinator(({ metadata }) => metadata.producerId > 1),

  ZombieInTransaction: (_, world) =>
    someClient(world, (producer, number) => producer.state === "IN_TRANSACTION" && !isCurrent(producer, number, world)),
  ZombieFencedDuringPrepare: (_, world) =>
    someClient(
      world,
      (producer, number) =>
        producer.state === "FATAL_ERROR" && TransactionMetadata.isPrepared(metadataOf(world, idOf(world, number)).state)
    ),
  InstanceWaitsForFencedTransaction: (_, world) =>
    someClient(
      world,
      (producer, number) =>
        producer.state === "INITIALIZING" && metadataOf(world, idOf(world, number)).state === "PrepareAbort"
    ),
  AbortableError: client(({ state }) => state === "ABORTABLE_ERROR"),
  FatalError: client(({ state }) => state === "FATAL_ERROR"),
  EpochBumpWanted: client(({ epochBump, state }) => epochBump && state === "ABORTING"),
  CrashedInTransaction: (_, world) =>
    someClient(
      world,
      (producer, number) =>
        producer.state === "UNINITIALIZED" && metadataOf(world, idOf(world, number)).state === "Ongoing"
    ),
  WrittenThoughFailed: (_, world) =>
    someClient(world, ({ batches, number: begun }, number) =>
      [...batches].some(([, batch]) => batch === "failed")
      && world.partitions.some(({ log }) =>
        log.some(({ kind, transaction }) =>
          kind === "DATA" && transaction.client === number && transaction.number === begun
        )
      )),

  ReadersHeldBack: partition((each, { context }) => context.rules.LastStableOffset(each) < each.highWatermark),
  ReadersHeldBackByAnother: partition((each) => {
    const first = TransactionalPartition.firstUnstableOffset(each)
    return first !== undefined
      && TransactionalPartition.fates(each.log).some((fate, offset) =>
        offset > first && fate === "COMMIT" && each.log[offset]!.producerId !== each.log[first]!.producerId
      )
  }),
  CommitNotReplicated: partition(({ highWatermark, log }) =>
    log.slice(highWatermark).some(({ kind }) => kind === "COMMIT")
  ),
  AbortedRecordInLog: partition(({ log }) => TransactionalPartition.fates(log).includes("ABORT")),

  OffsetPending: ({ partitions }, world) => {
    const place = partitions.indexOf(Transaction.groupPartition)
    return place >= 0 && TransactionalPartition.firstUnstableOffset(world.partitions[place]!) !== undefined
  },
  OffsetCommitted: ({ partitions }, world) => {
    const place = partitions.indexOf(Transaction.groupPartition)
    return place >= 0 && TransactionalPartition.committedOffset(world.partitions[place]!) > 0
  },
  OldGeneration: client(({ generation }, world) => generation !== Sequence.none && generation < world.generation),
  LostCommitUnknown: (_, world) =>
    world.history.some((memories, i) =>
      memories.some(({ intent, outcome }, n) =>
        intent === "commit" && outcome === "none"
        && (world.clients[i]!.number > n + 1 || world.clients[i]!.state === "UNINITIALIZED")
        && memoryOf(world, { client: i + 1, number: n + 1 }).partitions.length > 0
      )
    )
} as const satisfies Record<string, Witness>

export type WitnessName = keyof typeof witnesses

/** One sentence for each, for people. */
export const sentences: Readonly<Record<WitnessName, string>> = {
  TransactionCommitted: "a commit was reported",
  TransactionAborted: "an abort was reported",
  SecondTransactionCommitted: "a second commit of one client was reported",
  NextTransactionBeforeCompletion: "a client is in its next transaction while the last one is being completed",
  PartlyWrittenOutcome: "a transaction has its marker on one partition and not yet on another",
  RequestWaitsForAppend: "a request waits for the coordinator's log",
  LateRequestWaitsForAppend: "a request that its sender gave up waits for the coordinator's log",
  LateEndTxn: "an EndTxn that its sender gave up may still arrive",
  LateEndTxnOfEarlierTransaction: "an EndTxn of an earlier transaction may still arrive",
  LateAddPartitionsToTxn: "an AddPartitionsToTxn that its sender gave up may still arrive",
  LateInitProducerId: "an InitProducerId that its sender gave up may still arrive",
  RequestToOldCoordinator: "a request is on the way to a broker that is the coordinator no more",
  LateBatch: "a batch that its sender gave up may still arrive",
  LateBatchOfEarlierTransaction: "a batch of an earlier transaction may still arrive",
  LateBatchVerified: "a batch that its sender gave up is verified",
  GuardLostWhileVerified: "a batch is verified, and its guard is gone",
  BatchWaitsForAppendOfCoordinator: "a batch waits until its partition is added",
  BatchWaitsForFollower: "a batch is in the log and waits for the follower",
  BatchToOldLeader: "a batch is at a broker that leads its partition no more",
  LateMarker: "a marker that its coordinator gave up may still arrive",
  LateMarkerAfterCompletion: "a marker of a complete transaction may still arrive",
  LateMarkerDuringNextTransaction: "a marker may still arrive while the next transaction is open",
  MarkerOfOldCoordinator: "a marker of an earlier coordinator may still arrive",
  MarkerWaitsForFollower: "a marker is in the log and waits for the follower",
  MarkerWritten: "a marker is in the log",
  MarkerWrittenTwice: "a marker is in the log twice",
  LogAheadOfCache: "the coordinator's log has what the coordinator does not know",
  PreparedAfterFailover: "a later coordinator completes what an earlier one prepared",
  FailoverBeforeAnyMarker: "a coordinator took over after the decision and before the first marker",
  EmptyAbortPrepared: "a transaction without partitions is being aborted",
  FenceNotWritten: "a fence could not be written",
  CompletionAppended: "a completion is being written",
  TransactionalIdForgotten: "an id is forgotten while a client has its identity",
  EpochExhaustedInEndTxn: "a commit takes the last epoch and a new producer id",
  EpochExhaustedInFence: "a fence takes the last epoch and a new producer id",
  ProducerIdReplaced: "a transactional id has a second producer id",
  ZombieInTransaction: "an instance that is fenced is in a transaction and does not know",
  ZombieFencedDuringPrepare: "an instance learned that it is fenced while its transaction is being aborted",
  InstanceWaitsForFencedTransaction: "a new instance waits for the end of the transaction that it fenced",
  AbortableError: "a client can only abort",
  FatalError: "a client is at its end",
  EpochBumpWanted: "a client aborts and will ask for a new epoch",
  CrashedInTransaction: "a client crashed with its transaction open",
  WrittenThoughFailed: "a batch that was reported as failed is in the log",
  ReadersHeldBack: "the last stable offset is below the high watermark",
  ReadersHeldBackByAnother: "an open transaction holds back one that is committed behind it",
  CommitNotReplicated: "a commit is in the log of the leader only",
  AbortedRecordInLog: "a record of an aborted transaction is in the log",
  OffsetPending: "a transaction may change the group's offset",
  OffsetCommitted: "the group's offset was committed by a transaction",
  OldGeneration: "a member of an old generation does not know it",
  LostCommitUnknown: "a client crashed after it asked for a commit, and was never told"
}
