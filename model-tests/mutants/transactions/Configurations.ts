/**
 * The configurations that judge mutants of transactions; each exists because some mutant survives the others, which `why`
 * says.
 */
import type { Constant, SweepConfiguration } from "../Subject.ts"
import { config } from "../Subject.ts"

const allFaults = [
  "DisconnectCoordinator",
  "DisconnectLeader",
  "DisconnectMarker",
  "ExpireBatch",
  "TransactionTimeout",
  "CrashClient",
  "AppendFail",
  "AppendUnknown",
  "CoordinatorFailover",
  "LeaderChange",
  "ExpireTransactionalId"
]

/** Version 2 in small; a configuration changes what it is about. */
const defaults = {
  TransactionVersion: 2,
  Verification: true,
  MaxEpoch: 32767,
  DedupWindow: 2,
  Clients: 1,
  TransactionalIds: 1,
  TransactionsPerClient: 2,
  Partitions: ["A"],
  Group: false,
  Version1Clients: [],
  ReplicationLag: false,
  FaultBudget: 1,
  FaultKinds: allFaults
} as const satisfies Record<string, Constant>

/** What every configuration has; it bounds a run whose mutant lets a counter run away. */
const always = ["TypeOK"]

/** What holds under version 2. */
const guarantees = [
  "NoLoss",
  "Atomicity",
  "NoAbortedRead",
  "NoUncommittedRead",
  "NoReadBeyondLastStableOffset",
  "NoLostCommit",
  "NoHangingTransaction",
  "NoStuckTransition"
]

interface Options {
  readonly constants: Readonly<Record<string, Constant>>
  /** Rules to override: the suffix that their operators have. */
  readonly rules?: Readonly<Record<string, string>>
  readonly module?: string
  readonly guaranteed?: boolean
  /** Whose behaviours: the model's clients, by default; with every request in every state; or a raw client's. */
  readonly behaviour?: keyof typeof modules
}

/** The module that has each behaviour, where the rules need no other. */
const modules = {
  Spec: "TransactionProperties",
  RefusingSpec: "TransactionRefusals",
  RequestSpec: "TransactionRequests"
} as const

const make = (name: string, why: string, options: Options): SweepConfiguration => {
  const { behaviour = "Spec", constants, guaranteed = false, module = modules[behaviour], rules = {} } = options
  const invariants = guaranteed ? [...always, ...guarantees] : always
  return {
    name: `transactions-${name}`,
    why,
    module,
    text: config({ behaviour, constants: { ...defaults, ...constants }, rules, invariants }),
    watched: guaranteed ? guarantees : []
  }
}

const probes = {
  FaultKinds: ["CoordinatorFailover", "TransactionTimeout"],
  ProbeProducerIds: [1, 2],
  ProbeEpochs: [0, 1, 2],
  ProbeSequences: [0, 1, 2]
}

export const configurations: ReadonlyArray<SweepConfiguration> = [
  make("requests", "what a raw client is answered, also while a transaction stays prepared", {
    constants: {
      TransactionsPerClient: 0,
      Group: true,
      FaultBudget: 4,
      FaultKinds: [],
      RequestVersions: [1, 2],
      RequestKinds: ["InitProducerId", "EndTxn", "Produce", "WriteTxnMarker"],
      RequestIdentities: ["none", "current", "previous"]
    },
    behaviour: "RequestSpec"
  }),
  make("refusals", "requests that nobody sends", { constants: probes, behaviour: "RefusingSpec" }),
  make("exhaustion", "a producer id that ends with every transaction", { constants: { MaxEpoch: 1 } }),
  make("version-2", "one fault of every kind", { constants: {}, guaranteed: true }),
  make("lag", "replication as a step of its own", { constants: { ReplicationLag: true }, guaranteed: true }),
  make("version-1", "partitions added first, epochs that stay", { constants: { TransactionVersion: 1 } }),
  make("unverified", "batches that begin a transaction unasked", {
    constants: { TransactionVersion: 1, Verification: false }
  }),
  make("refusals-version-1", "requests that nobody sends, at the last epochs", {
    constants: { ...probes, TransactionVersion: 1, MaxEpoch: 2 },
    behaviour: "RefusingSpec"
  }),
  make("group", "offsets in the transaction", {
    constants: { Group: true, TransactionsPerClient: 1 },
    guaranteed: true
  }),
  make("group-version-1", "offsets in the transaction, added first", {
    constants: { Group: true, TransactionVersion: 1, TransactionsPerClient: 1 }
  }),
  make("requests-group", "what a group's offsets are answered while a transaction stays prepared", {
    constants: {
      TransactionsPerClient: 0,
      Partitions: [],
      Group: true,
      FaultBudget: 5,
      FaultKinds: [],
      RequestVersions: [1, 2],
      RequestKinds: ["InitProducerId", "EndTxn", "Produce", "WriteTxnMarker"],
      RequestIdentities: ["none", "current"]
    },
    behaviour: "RequestSpec"
  }),
  make("requests-first-sequence", "with which sequences batches of both versions begin in the releases", {
    constants: {
      TransactionsPerClient: 0,
      FaultBudget: 3,
      FaultKinds: [],
      RequestVersions: [1, 2],
      RequestKinds: ["InitProducerId", "Produce"],
      RequestIdentities: ["none", "current"]
    },
    rules: { IsFirstSequence: "Kafka" },
    behaviour: "RequestSpec"
  }),
  make("two-partitions", "several markers", { constants: { Partitions: ["A", "B"], TransactionsPerClient: 1 } }),
  make("two-instances", "fences", { constants: { Clients: 2, TransactionsPerClient: 1 } }),
  make("two-ids", "two coordinators", {
    constants: { Clients: 2, TransactionalIds: 2, TransactionsPerClient: 1, FaultBudget: 0 },
    guaranteed: true
  }),
  make("two-ids-marker-lost", "a marker that is sent again beside that of another id", {
    constants: { Clients: 2, TransactionalIds: 2, TransactionsPerClient: 1, FaultKinds: ["DisconnectMarker"] }
  }),
  make("version-1-client", "an instance that speaks the older version", {
    constants: { Clients: 2, TransactionsPerClient: 1, Version1Clients: [1], FaultBudget: 0 }
  }),
  make("last-epoch", "a copy of the request that gave the last epoch", {
    constants: {
      TransactionVersion: 1,
      MaxEpoch: 2,
      FaultBudget: 2,
      FaultKinds: ["ExpireBatch", "DisconnectCoordinator"]
    }
  }),
  make("two-completions", "a completion that is written twice, as by KAFKA-10080", {
    constants: { Partitions: ["A", "B"], FaultBudget: 0 },
    rules: { Completions: "KAFKA_10080", MayComplete: "KAFKA_10080" },
    module: "KAFKA_10080"
  }),
  make("offsets-outside", "offsets committed by themselves", {
    constants: { Group: true, FaultKinds: ["CrashClient", "TransactionTimeout", "LeaderChange"] },
    rules: { OffsetsInTransaction: "Outside" },
    module: "KafkaTransactionReleases"
  }),
  make("offsets-outside-alone", "offsets outside of transactions, and no group", {
    constants: { FaultBudget: 0, TransactionsPerClient: 1 },
    rules: { OffsetsInTransaction: "Outside" },
    module: "KafkaTransactionReleases"
  }),
  make("offsets-outside-two-members", "a member of an old generation", {
    constants: { Clients: 2, Group: true, TransactionsPerClient: 1, FaultBudget: 0 },
    rules: { OffsetsInTransaction: "Outside" },
    module: "KafkaTransactionReleases"
  }),
  make("offsets-outside-lag", "an offset whose commit is not replicated yet", {
    constants: { Group: true, ReplicationLag: true, TransactionsPerClient: 1, FaultBudget: 0 },
    rules: { OffsetsInTransaction: "Outside" },
    module: "KafkaTransactionReleases"
  }),
  make("offsets-4.0", "what a group coordinator of 4.0 looks at first", {
    constants: { Group: true, TransactionsPerClient: 1, FaultKinds: ["TransactionTimeout"] },
    rules: { AsksEpochFirst: "Kafka_4_0" },
    module: "KafkaTransactionReleases"
  }),
  make("early-commit", "a commit that does not wait for batches, as by KAFKA-5449", {
    constants: { TransactionVersion: 1, Group: true, TransactionsPerClient: 1, FaultKinds: ["ExpireBatch"] },
    rules: { MayCommit: "KAFKA_5449" },
    module: "KAFKA_5449"
  }),
  make("completion-too-many", "half of KAFKA-10080: a completion that comes too late", {
    constants: { Partitions: ["A", "B"], FaultBudget: 0 },
    rules: { Completions: "KAFKA_10080" },
    module: "KAFKA_10080"
  }),
  make("expiry", "an id whose first record could not be written", {
    constants: { TransactionsPerClient: 1, FaultBudget: 2, FaultKinds: ["AppendFail", "ExpireTransactionalId"] }
  }),
  make("empty-abort", "an abort of nothing, whose coordinator fails in the middle", {
    constants: { TransactionsPerClient: 1, FaultBudget: 2, FaultKinds: ["ExpireBatch", "CoordinatorFailover"] }
  }),
  make("kafka-3.9", "what 3.9 looks at first", {
    constants: { TransactionVersion: 1, FaultBudget: 2, FaultKinds: ["DisconnectCoordinator", "DisconnectLeader"] },
    rules: {
      AsksPendingFirst: "Kafka_3_9",
      JoinsOpenTransaction: "Kafka_3_9",
      AsksEpochFirst: "Kafka_4_0",
      IsStaleOnArrival: "Kafka_4_0"
    },
    module: "KafkaTransactionReleases"
  }),
  make("unverified-version-2", "batches that are verified all the same", {
    constants: { Verification: false, TransactionsPerClient: 1, FaultBudget: 0 }
  }),
  make("exhaustion-version-1", "a copy of the request that ended the producer id", {
    constants: {
      TransactionVersion: 1,
      MaxEpoch: 1,
      TransactionsPerClient: 1,
      FaultBudget: 2,
      FaultKinds: ["ExpireBatch", "DisconnectCoordinator", "TransactionTimeout"]
    }
  }),
  make("exhaustion-two-instances", "an older instance whose epoch comes again with another producer id", {
    constants: { Clients: 2, MaxEpoch: 1, TransactionsPerClient: 1, FaultKinds: ["CrashClient"] }
  }),
  make("late-addition", "a copy that adds a partition to the next transaction", {
    constants: {
      TransactionVersion: 1,
      Verification: false,
      Partitions: ["A", "B"],
      FaultKinds: ["DisconnectCoordinator"]
    }
  }),
  make("kept-partitions", "a completed transaction that keeps its partitions, as by KAFKA-5268", {
    constants: { FaultBudget: 0 },
    rules: { IsRegistered: "KAFKA_5268", PartitionsAfterCompletion: "KAFKA_5268" },
    module: "KAFKA_5268"
  }),
  make("kept-partitions-only", "half of KAFKA-5268: partitions that are added again", {
    constants: { FaultBudget: 0 },
    rules: { PartitionsAfterCompletion: "KAFKA_5268" },
    module: "KAFKA_5268"
  }),
  make("mixed-versions", "an owner that is taken for another one", {
    constants: { Clients: 2, TransactionsPerClient: 1, Version1Clients: [1], FaultKinds: ["ExpireBatch"] }
  }),
  make("refusals-exhaustion", "requests that nobody sends, with a producer id that has ended", {
    constants: { ...probes, MaxEpoch: 2, FaultKinds: ["CoordinatorFailover"] },
    behaviour: "RefusingSpec"
  }),
  make("refusals-by-releases", "what a leader of 4.0 looks at first", {
    constants: { ...probes, TransactionVersion: 1, FaultKinds: ["ExpireBatch"] },
    rules: { AsksEpochFirst: "Kafka_4_0", IsFirstSequence: "Kafka" },
    module: "RefusalsByReleases",
    behaviour: "RefusingSpec"
  }),
  make("refusals-without-guards", "what a leader without guards looks at", {
    constants: { ...probes, TransactionVersion: 1, FaultKinds: ["ExpireBatch"] },
    rules: { AsksEpochFirst: "Kafka_4_0", IsFirstSequence: "Kafka", HasGuard: "KAFKA_14884" },
    module: "RefusalsByReleases",
    behaviour: "RefusingSpec"
  }),
  make("refusals-group", "requests that nobody sends, with offsets", {
    constants: { ...probes, Group: true, TransactionsPerClient: 1 },
    behaviour: "RefusingSpec"
  }),
  make("group-late-marker", "an offset with the copy of a marker behind it", {
    constants: {
      Group: true,
      TransactionVersion: 1,
      TransactionsPerClient: 1,
      FaultBudget: 2,
      FaultKinds: ["DisconnectMarker", "CrashClient"]
    }
  }),
  make("group-unstable", "a member that does not wait until offsets are stable", {
    constants: {
      Clients: 2,
      TransactionalIds: 2,
      TransactionsPerClient: 1,
      Group: true,
      ReplicationLag: true,
      FaultKinds: []
    },
    rules: { IsUnstable: "KAFKA_8587" },
    module: "KAFKA_8587"
  }),
  make("group-lag", "offsets that are replicated later", {
    constants: {
      Group: true,
      ReplicationLag: true,
      TransactionsPerClient: 1,
      FaultKinds: ["LeaderChange", "CoordinatorFailover", "DisconnectLeader"]
    }
  }),
  make("late-copies-lag", "late copies that wait for replication when the leader changes", {
    constants: {
      ReplicationLag: true,
      TransactionsPerClient: 1,
      FaultBudget: 2,
      FaultKinds: ["LeaderChange", "DisconnectLeader", "DisconnectMarker"]
    }
  }),
  make("two-members-lag", "a member that joins while a marker is not replicated", {
    constants: {
      Clients: 2,
      Group: true,
      ReplicationLag: true,
      TransactionsPerClient: 1,
      FaultBudget: 0
    }
  }),
  make("two-faulty-ids", "two coordinators, one of which fails", {
    constants: {
      Clients: 2,
      TransactionalIds: 2,
      TransactionsPerClient: 1,
      FaultKinds: ["CoordinatorFailover", "AppendFail", "CrashClient", "TransactionTimeout"]
    }
  }),
  make("two-faults", "two changes of coordinator or leader", {
    constants: {
      FaultBudget: 2,
      FaultKinds: ["CoordinatorFailover", "LeaderChange", "CrashClient", "DisconnectLeader", "DisconnectMarker"]
    }
  }),
  make("fence-twice", "a fence that fails, and is tried again", {
    constants: {
      TransactionVersion: 1,
      TransactionsPerClient: 1,
      FaultBudget: 2,
      FaultKinds: ["AppendFail", "TransactionTimeout", "CrashClient", "DisconnectCoordinator"]
    }
  })
]
