/**
 * The configurations that judge mutants of the idempotent producer; each exists because some mutant survives the others,
 * which `why` says.
 */
import type { Constant, SweepConfiguration } from "../Subject.ts"
import { config } from "../Subject.ts"

const networkFaults = [
  "Disconnect",
  "NOT_LEADER_OR_FOLLOWER",
  "KAFKA_STORAGE_ERROR",
  "TOPIC_AUTHORIZATION_FAILED",
  "TimeOutProduce",
  "ExpireBatch",
  "LeaderChange",
  "RestartLeader"
]

/** Idempotence as a small model has it; a configuration changes what it is about. */
const defaults = {
  Partitions: ["p1"],
  BatchesPerPartition: 2,
  TwoRecordBatches: [],
  Acks: "all",
  Idempotence: true,
  Retries: 2147483647,
  MaxInFlight: 2,
  DedupWindow: 2,
  MaxSequence: 2147483647,
  MaxEpoch: 3,
  MaxAttempts: 2,
  StartSequence: 0,
  FaultBudget: 1,
  FaultKinds: networkFaults
} as const satisfies Record<string, Constant>

const guarantees = ["NoLoss", "NoDuplicate", "NoGap", "InOrder"]

interface Options {
  readonly constants: Partial<Record<keyof typeof defaults, Constant>>
  /** Rules to override: the suffix that their operators have. */
  readonly rules?: Readonly<Record<string, string>>
  readonly module?: string
  /** Whether the guarantees hold, by default yes. */
  readonly guaranteed?: boolean
  /** Whether TypeOK holds, by default yes. */
  readonly typed?: boolean
}

const make = (name: string, why: string, options: Options): SweepConfiguration => {
  const { constants, guaranteed = true, module = "IdempotentProducer", rules = {}, typed = true } = options
  // TypeOK bounds the run: a counter that a mutant lets run away leaves its type.
  const invariants = [...(typed ? ["TypeOK"] : []), ...(guaranteed ? [...guarantees, "NoErrorWithoutFault"] : [])]
  return {
    name,
    why,
    module,
    text: config({ constants: { ...defaults, ...constants }, rules, invariants }),
    watched: guaranteed ? [...guarantees, "StableReads"] : []
  }
}

const withoutIdempotence = { Idempotence: false } as const

export const configurations: ReadonlyArray<SweepConfiguration> = [
  make("wrap", "one fault of every kind, batches of two records, the wrap to 0", {
    constants: { TwoRecordBatches: [1, 2], StartSequence: 2147483645 }
  }),
  make("base", "two faults of every kind", { constants: { FaultBudget: 2 } }),
  make("negative-sequence", "sequences below 0, as by KAFKA-7693", {
    constants: { BatchesPerPartition: 3, StartSequence: 2147483646, FaultBudget: 0, FaultKinds: [] },
    rules: { SequenceAfterSend: "KAFKA_7693" },
    module: "KAFKA_7693",
    guaranteed: false,
    typed: false
  }),
  make("same-sequence", "two batches with one sequence, as by kafkajs 1005", {
    constants: { BatchesPerPartition: 3, TwoRecordBatches: [2], FaultBudget: 0, FaultKinds: [] },
    rules: { SequenceAfterSend: "kafkajs_1005", SequenceAfterAcknowledgement: "kafkajs_1005" },
    module: "kafkajs_1005",
    guaranteed: false
  }),
  make("failed-append", "state changed by a failed append, as by KAFKA-6683", {
    constants: { FaultKinds: ["KAFKA_STORAGE_ERROR", "NOT_LEADER_OR_FOLLOWER"] },
    rules: { ProducersAfterFailedAppend: "KAFKA_6683" },
    module: "KAFKA_6683",
    guaranteed: false
  }),
  make("acks-1", "no idempotence, acks=1", {
    constants: { ...withoutIdempotence, Acks: "1", TwoRecordBatches: [2] },
    guaranteed: false
  }),
  make("acks-0", "no idempotence, acks=0", {
    constants: { ...withoutIdempotence, Acks: "0", FaultBudget: 2 },
    guaranteed: false
  }),
  make("retries-1", "no idempotence, one retry, a counter that acknowledgements would move, as by kafkajs 1005", {
    constants: {
      ...withoutIdempotence,
      Retries: 1,
      MaxInFlight: 1,
      FaultBudget: 2,
      FaultKinds: ["NOT_LEADER_OR_FOLLOWER", "ExpireBatch"]
    },
    rules: { SequenceAfterSend: "kafkajs_1005", SequenceAfterAcknowledgement: "kafkajs_1005" },
    module: "kafkajs_1005",
    guaranteed: false
  }),
  make("two-partitions", "partitions that share the producer's epoch", {
    constants: { Partitions: ["p1", "p2"], FaultKinds: ["TOPIC_AUTHORIZATION_FAILED"] }
  }),
  make("new-id", "partitions that share a producer id whose epochs have run out", {
    constants: { Partitions: ["p1", "p2"], MaxEpoch: 0, FaultKinds: ["TOPIC_AUTHORIZATION_FAILED"] },
    guaranteed: false
  }),
  make("restart", "a restarted producer with one batch decided and one not", {
    constants: { FaultKinds: ["RestartProducer"] },
    guaranteed: false
  }),
  make("expired-state", "state that the log would tell and the replica has forgotten", {
    constants: { FaultBudget: 2, FaultKinds: ["LeaderChange", "ExpireProducerState"] },
    guaranteed: false
  }),
  make("expiry", "batches that expire one after the other", {
    constants: { FaultBudget: 3, FaultKinds: ["NOT_LEADER_OR_FOLLOWER", "ExpireBatch"] }
  }),
  make("small-space", "so few sequence numbers that half of them is nothing", {
    constants: {
      BatchesPerPartition: 3,
      TwoRecordBatches: [1],
      MaxSequence: 3,
      FaultBudget: 2,
      FaultKinds: ["ExpireBatch", "NOT_LEADER_OR_FOLLOWER"]
    },
    guaranteed: false
  }),
  make("pipeline", "more batches than the leader remembers, behind ones that fail", {
    constants: {
      BatchesPerPartition: 4,
      MaxInFlight: 3,
      DedupWindow: 3,
      FaultBudget: 2,
      FaultKinds: ["ExpireBatch", "NOT_LEADER_OR_FOLLOWER", "TOPIC_AUTHORIZATION_FAILED"]
    }
  }),
  make("early-bump", "batches renamed in flight, as by KAFKA-14034", {
    constants: { FaultBudget: 2, FaultKinds: ["Disconnect", "TOPIC_AUTHORIZATION_FAILED"] },
    rules: { MayBumpEpoch: "KAFKA_14034" },
    module: "KAFKA_14034",
    guaranteed: false
  })
]
