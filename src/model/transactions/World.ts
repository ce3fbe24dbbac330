/**
 * The world that the specification describes, built from the core: instances of the application, coordinators with their
 * logs, partitions, the messages between, and what the application remembers.
 */
import type { Partition, Transaction } from "../../core/index.ts"
import {
  Sequence,
  TransactionalPartition,
  TransactionalProducer,
  TransactionCoordinator,
  TransactionMetadata
} from "../../core/index.ts"
import type { Configuration } from "./Configuration.ts"

/**
 * What the network knows of a message. `copy` is `live` as long as its sender waits for an answer; afterwards it is the
 * number of the fault with which the sender gave up.
 */
interface Delivery {
  readonly copy: number
  /** The broker that it is sent to. */
  readonly broker: Partition.Broker
}

export const live = 0

export interface SentRequest extends Delivery {
  readonly client: number
  /** On the way, or at the coordinator, which waits for its log. */
  readonly stage: "sent" | "appending"
  readonly request: TransactionalProducer.Request
}

export interface SentProduce extends Delivery {
  readonly client: number
  /**
   * On the way; at the leader, which asks the coordinator; at the coordinator, which waits for its log; agreed to; or at
   * the leader, which waits for the follower.
   */
  readonly stage: "sent" | "verifying" | "adding" | "verified" | "appended"
  readonly guard: boolean
  /** Where it is in the log, or `Sequence.none`. */
  readonly offset: number
  readonly produce: TransactionalProducer.Produce
}

export interface SentMarker extends Delivery {
  /** The transactional id whose coordinator sent it. */
  readonly id: number
  /** On the way, or at the leader, which waits for the follower. */
  readonly stage: "sent" | "appended"
  /** Where it is in the log, or `Sequence.none`. */
  readonly offset: number
  readonly marker: TransactionCoordinator.Marker
}

/** Ghost: what the application did in one transaction, and what it was told. */
export interface Memory {
  /** The partitions that it handed records over for, sorted. */
  readonly partitions: ReadonlyArray<string>
  /** The input that it worked on, or `Sequence.none`. */
  readonly input: number
  readonly intent: "none" | "commit" | "abort"
  readonly outcome: "none" | "committed" | "aborted"
}

/** Messages stand in no order: each of them may be the next to arrive. */
export interface World {
  /** By number of the client. */
  readonly clients: ReadonlyArray<TransactionalProducer.Producer>
  readonly requests: ReadonlyArray<SentRequest>
  readonly produces: ReadonlyArray<SentProduce>
  /** By number of the transactional id. */
  readonly coordinators: ReadonlyArray<TransactionCoordinator.Coordinator>
  /** The last record in `__transaction_state`, by number of the transactional id. */
  readonly transactionStates: ReadonlyArray<TransactionMetadata.Metadata>
  readonly markers: ReadonlyArray<SentMarker>
  /** By place of the partition's name in the configuration. */
  readonly partitions: ReadonlyArray<TransactionalPartition.Partition>
  readonly nextProducerId: number
  /** The generation of the consumer group. */
  readonly generation: number
  /** How many more faults may happen. */
  readonly faults: number
  /** By number of the client, and of its transaction. */
  readonly history: ReadonlyArray<ReadonlyArray<Memory>>
}

const nothing: Memory = { partitions: [], input: Sequence.none, intent: "none", outcome: "none" }

const times = <A>(count: number, value: A): ReadonlyArray<A> => Array.from({ length: count }, () => value)

export const initial = (configuration: Configuration): World => ({
  clients: times(configuration.clients, TransactionalProducer.initial),
  requests: [],
  produces: [],
  coordinators: times(configuration.transactionalIds, TransactionCoordinator.initial),
  transactionStates: times(configuration.transactionalIds, TransactionMetadata.unknown),
  markers: [],
  partitions: configuration.partitions.map(() => TransactionalPartition.initial),
  nextProducerId: 1,
  generation: 0,
  faults: configuration.faultBudget,
  history: times(configuration.clients, times(configuration.transactionsPerClient, nothing))
})

/** What the application remembers of a transaction. */
export const memoryOf = ({ history }: World, { client, number }: Transaction.Name): Memory =>
  history[client - 1]![number - 1]!
