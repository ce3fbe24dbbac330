/**
 * What clients ask of brokers, as data: the requests of Kafka's protocol without their encoding.
 *
 * Names are those of the protocol. An error in an answer is an answer; a request that gets none fails with
 * `Disconnected`. Batches are record batches of format 2 as bytes (`wire/RecordBatch.ts`), which brokers store and hand
 * out as they are.
 */
import { Context, Data, type Effect } from "effect"
import type { Errors, Transaction } from "../../core/index.ts"

export interface TopicPartition {
  readonly topic: string
  /** From 0. */
  readonly partition: number
}

/** Of a broker, from 1. */
export type NodeId = number

/** What may be refused. */
export interface Failable {
  readonly error: Errors.Error
}

/** A producer's identity; -1 and -1 for none. */
export interface Identity {
  readonly producerId: number
  readonly producerEpoch: number
}

/** Who asks for a transaction. */
export interface Transactional extends Identity {
  readonly transactionalId: string
  /** The protocol that the request's API version stands for. */
  readonly version: Transaction.Version
}

/** Who commits offsets: `generation` -1 and `member` "" for nobody in particular. */
export interface Member {
  readonly group: string
  readonly generation: number
  readonly member: string
}

export interface PartitionMetadata extends Failable, TopicPartition {
  /** -1 while there is none. */
  readonly leader: NodeId
}

export interface ProduceResult extends Failable, TopicPartition {
  /** Of the first record; -1 with an error. */
  readonly baseOffset: number
}

export interface FetchResult extends Failable, TopicPartition {
  readonly highWatermark: number
  readonly lastStableOffset: number
  /** Those that reach into what was fetched; empty for `read_uncommitted`. */
  readonly abortedTransactions: ReadonlyArray<{ readonly producerId: number; readonly firstOffset: number }>
  /** The first may begin before the offset that was asked for. */
  readonly batches: ReadonlyArray<Uint8Array>
}

export type IsolationLevel = "read_uncommitted" | "read_committed"

/** An offset of a group; -1 where it has none. */
export interface CommittedOffset extends TopicPartition {
  readonly offset: number
}

/** Every request by its API's name, with its answer. */
export interface Api {
  readonly Metadata: {
    /** All topics when empty. */
    readonly request: { readonly topics: ReadonlyArray<string> }
    readonly response: {
      readonly brokers: ReadonlyArray<NodeId>
      /** Every partition of the topics that there are, in order; a topic that is not there is absent. */
      readonly partitions: ReadonlyArray<PartitionMetadata>
    }
  }
  readonly FindCoordinator: {
    readonly request: { readonly key: string; readonly keyType: "group" | "transaction" }
    readonly response: Failable & { readonly node: NodeId }
  }
  readonly InitProducerId: {
    /** Without a transactional id, for an idempotent producer; with an identity, to go on with its next epoch (KIP-360). */
    readonly request: Identity & {
      readonly transactionalId: string | undefined
      readonly transactionTimeoutMs: number
      readonly version: Transaction.Version
    }
    readonly response: Failable & Identity
  }
  readonly AddPartitionsToTxn: {
    readonly request: Transactional & { readonly partitions: ReadonlyArray<TopicPartition> }
    readonly response: { readonly results: ReadonlyArray<Failable & TopicPartition> }
  }
  readonly AddOffsetsToTxn: {
    readonly request: Transactional & { readonly group: string }
    readonly response: Failable
  }
  readonly EndTxn: {
    readonly request: Transactional & { readonly result: Transaction.Result }
    /** The identity to go on with, under version 2. */
    readonly response: Failable & Identity
  }
  readonly Produce: {
    readonly request: {
      readonly acks: 0 | 1 | -1
      readonly transactionalId: string | undefined
      readonly version: Transaction.Version
      readonly batches: ReadonlyArray<TopicPartition & { readonly batch: Uint8Array }>
    }
    /** Empty with acks 0. */
    readonly response: { readonly results: ReadonlyArray<ProduceResult> }
  }
  readonly Fetch: {
    readonly request: {
      readonly isolationLevel: IsolationLevel
      /** The answer waits for this many bytes, but not longer than `maxWaitMs`. */
      readonly minBytes: number
      readonly maxWaitMs: number
      /** Of all partitions; the first batch comes whatever its size. */
      readonly maxBytes: number
      readonly partitions: ReadonlyArray<TopicPartition & { readonly offset: number }>
    }
    readonly response: { readonly results: ReadonlyArray<FetchResult> }
  }
  readonly ListOffsets: {
    /** "latest" is the last stable offset for `read_committed`. */
    readonly request: {
      readonly isolationLevel: IsolationLevel
      readonly at: "earliest" | "latest"
      readonly partitions: ReadonlyArray<TopicPartition>
    }
    readonly response: { readonly results: ReadonlyArray<Failable & CommittedOffset> }
  }
  readonly JoinGroup: {
    readonly request: {
      readonly group: string
      /** "" for a new member. */
      readonly member: string
      readonly sessionTimeoutMs: number
      readonly rebalanceTimeoutMs: number
      /** What the member subscribes to. */
      readonly topics: ReadonlyArray<string>
    }
    /** The answer waits until every member has joined; `members` is empty but for the leader. */
    readonly response: Failable & Member & {
      readonly leader: string
      readonly members: ReadonlyArray<{ readonly member: string; readonly topics: ReadonlyArray<string> }>
    }
  }
  readonly SyncGroup: {
    /** Only the leader has assignments. */
    readonly request: Member & {
      readonly assignments: ReadonlyArray<{
        readonly member: string
        readonly partitions: ReadonlyArray<TopicPartition>
      }>
    }
    readonly response: Failable & { readonly partitions: ReadonlyArray<TopicPartition> }
  }
  readonly Heartbeat: { readonly request: Member; readonly response: Failable }
  readonly LeaveGroup: { readonly request: Member; readonly response: Failable }
  readonly OffsetCommit: {
    readonly request: Member & { readonly offsets: ReadonlyArray<CommittedOffset> }
    readonly response: { readonly results: ReadonlyArray<Failable & TopicPartition> }
  }
  readonly TxnOffsetCommit: {
    readonly request: Transactional & Member & { readonly offsets: ReadonlyArray<CommittedOffset> }
    readonly response: { readonly results: ReadonlyArray<Failable & TopicPartition> }
  }
  readonly OffsetFetch: {
    readonly request: {
      readonly group: string
      /** Refuse where a transaction may still change the offset (KIP-447). */
      readonly requireStable: boolean
      readonly partitions: ReadonlyArray<TopicPartition>
    }
    readonly response: { readonly results: ReadonlyArray<Failable & CommittedOffset> }
  }
}

export type ApiKey = keyof Api

/** The connection ended before the answer came: the request may have been carried out or not. */
export class Disconnected extends Data.TaggedError("Disconnected")<{ readonly node: NodeId; readonly api: ApiKey }> {}

/** The brokers of a cluster, by node. */
export class Connections extends Context.Service<Connections, {
  /** Nodes to begin with; `bootstrap.servers`. */
  readonly bootstrap: ReadonlyArray<NodeId>
  /** Sends a request on the connection to the node. Requests to one node arrive in order. */
  readonly send: <Key extends ApiKey>(
    node: NodeId,
    api: Key,
    request: Api[Key]["request"]
  ) => Effect.Effect<Api[Key]["response"], Disconnected>
}>()("keos/client/Connections") {}
