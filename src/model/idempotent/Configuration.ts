/**
 * One configuration of the specification: the constants of a TLC `.cfg` file, and the rules it overrides.
 */
import { Museum, Releases, type Replica, Rules, type Sender, Sequence } from "../../core/index.ts"
import * as Constants from "../Constants.ts"
import type { Value } from "../TlaValue.ts"

export const refusals = ["NOT_LEADER_OR_FOLLOWER", "KAFKA_STORAGE_ERROR", "TOPIC_AUTHORIZATION_FAILED"] as const

export const faultKinds = [
  ...refusals,
  "Disconnect",
  "TimeOutProduce",
  "ExpireBatch",
  "LeaderChange",
  "RestartLeader",
  "ExpireProducerState",
  "RestartProducer"
] as const

export type FaultKind = typeof faultKinds[number]

export interface Configuration {
  /** Names of the topic partitions, sorted; everywhere else a partition is its place in this list. */
  readonly partitions: ReadonlyArray<string>
  readonly batchesPerPartition: number
  readonly twoRecordBatches: ReadonlySet<number>
  /** The first sequence of the run; above 0 one record is in the log already. */
  readonly startSequence: number
  readonly faultBudget: number
  readonly faultKinds: ReadonlySet<FaultKind>
  /** The producer's configuration, limits and rules. */
  readonly sender: Sender.Config
  /** The brokers' rules and limits. */
  readonly replica: Replica.Context
}

/** The batch that a warm start assumes written, and the producer id that wrote it. */
export const warmBatch = 0
export const firstProducerId = 1

/** What application batch `batch` contains: its own number, once per record. */
export const records = (configuration: Configuration, batch: number): ReadonlyArray<number> =>
  configuration.twoRecordBatches.has(batch) ? [batch, batch] : [batch]

/** Overrides by the suffix that their operators have in the specification. */
const overrides: ReadonlyMap<string, Museum.Override> = new Map<string, Museum.Override>([
  ...Object.entries(Museum.overrides).map(([name, override]) => [Constants.suffixOf(name), override] as const),
  ["Kafka", Releases.overrides["4.4"]]
])

/** Reads constants as TLC does. Throws `ConfigurationError`. */
export const fromConstants = (
  constants: Readonly<Record<string, Value>>,
  substitutions: Readonly<Record<string, string>>
): Configuration => {
  const rules = Constants.rules(Rules.base, overrides, substitutions)
  return Constants.read(constants, (read) => {
    const limits = {
      maxSequence: read.number("MaxSequence"),
      maxEpoch: read.number("MaxEpoch"),
      dedupWindow: read.number("DedupWindow"),
      maxAttempts: read.number("MaxAttempts")
    }
    return {
      partitions: read.strings("Partitions").toSorted(),
      batchesPerPartition: read.number("BatchesPerPartition"),
      twoRecordBatches: new Set(read.numbers("TwoRecordBatches")),
      startSequence: read.number("StartSequence"),
      faultBudget: read.number("FaultBudget"),
      faultKinds: read.someOf("FaultKinds", "fault", faultKinds),
      sender: {
        acks: read.oneOf("Acks", ["0", "1", "all"]),
        idempotence: read.boolean("Idempotence"),
        retries: read.number("Retries"),
        maxInFlight: read.number("MaxInFlight"),
        limits,
        rules
      },
      replica: { limits, rules }
    }
  })
}

/** The log that a run begins with. */
export const initialLog = ({ sender, startSequence }: Configuration): ReadonlyArray<Replica.Entry> => {
  if (startSequence === 0) return []
  const identity = sender.idempotence
    ? { producerId: firstProducerId, epoch: 0, sequence: startSequence - 1 }
    : { producerId: Sequence.none, epoch: Sequence.none, sequence: Sequence.none }
  return [{ ...identity, records: [warmBatch], offset: 0 }]
}
