/**
 * One configuration of the specification: the constants of a TLC `.cfg` file, and the rules it overrides.
 *
 * The bounds of the explorer and of the replay are read from the same file that TLC reads; otherwise the graphs would
 * be graphs of different worlds.
 */
import { Museum, Releases, type Replica, Rules, type Sender, Sequence } from "../core/index.ts"
import type { Value } from "./TlaValue.ts"

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

/** A `.cfg` file that does not describe a configuration of this specification. */
export class ConfigurationError extends Error {}

/** Overrides by the suffix that their operators have in the specification. */
const overrides: ReadonlyMap<string, Museum.Override> = new Map<string, Museum.Override>([
  ...Object.entries(Museum.overrides).map(([name, override]) => [suffixOf(name), override] as const),
  ["Kafka", Releases.overrides["4.4"]]
])

/** `KAFKA-14034` as it may stand in a TLA+ identifier. */
function suffixOf(name: string): string {
  return name.replaceAll("-", "_")
}

const overriddenRules = (substitutions: Readonly<Record<string, string>>): Rules.Rules =>
  Object.entries(substitutions).reduce((rules, [operator, replacement]) => {
    const suffix = replacement.startsWith(`${operator}_`) ? replacement.slice(operator.length + 1) : undefined
    const override = suffix === undefined ? undefined : overrides.get(suffix)
    const rule = override?.[operator as keyof Rules.Rules]
    if (rule === undefined) throw new ConfigurationError(`no rule of the code stands for ${operator} <- ${replacement}`)
    return { ...rules, [operator]: rule }
  }, Rules.base)

/**
 * Reads constants as TLC does. Throws `ConfigurationError` where one is missing, has the wrong shape, or is not known.
 */
export const fromConstants = (
  constants: Readonly<Record<string, Value>>,
  substitutions: Readonly<Record<string, string>>
): Configuration => {
  const unread = new Set(Object.keys(constants))
  const read = (name: string): Value => {
    const value = constants[name]
    if (value === undefined) throw new ConfigurationError(`constant ${name} is missing`)
    unread.delete(name)
    return value
  }
  const number = (name: string): number => {
    const value = read(name)
    if (typeof value !== "number") throw new ConfigurationError(`constant ${name} is not a number`)
    return value
  }
  const set = (name: string): ReadonlyArray<Value> => {
    const value = read(name)
    if (typeof value !== "object" || value.kind !== "set") throw new ConfigurationError(`constant ${name} is not a set`)
    return value.elements
  }
  const elements = <A>(name: string, kind: string, isKind: (value: Value) => value is Value & A): ReadonlyArray<A> =>
    set(name).map((value) => {
      if (!isKind(value)) throw new ConfigurationError(`constant ${name} is not a set of ${kind}`)
      return value
    })
  const idempotence = read("Idempotence")
  if (typeof idempotence !== "boolean") throw new ConfigurationError("constant Idempotence is not a boolean")
  const acks = read("Acks")
  if (acks !== "0" && acks !== "1" && acks !== "all") {
    throw new ConfigurationError("constant Acks is none of 0, 1, all")
  }
  const kinds = set("FaultKinds").map((kind) => {
    const known = faultKinds.find((name) => name === kind)
    if (known === undefined) throw new ConfigurationError(`constant FaultKinds names no fault: ${JSON.stringify(kind)}`)
    return known
  })
  const rules = overriddenRules(substitutions)
  const limits = {
    maxSequence: number("MaxSequence"),
    maxEpoch: number("MaxEpoch"),
    dedupWindow: number("DedupWindow"),
    maxAttempts: number("MaxAttempts")
  }
  const configuration: Configuration = {
    partitions: elements("Partitions", "strings", (value) => typeof value === "string").toSorted(),
    batchesPerPartition: number("BatchesPerPartition"),
    twoRecordBatches: new Set(elements("TwoRecordBatches", "numbers", (value) => typeof value === "number")),
    startSequence: number("StartSequence"),
    faultBudget: number("FaultBudget"),
    faultKinds: new Set(kinds),
    sender: {
      acks,
      idempotence,
      retries: number("Retries"),
      maxInFlight: number("MaxInFlight"),
      limits,
      rules
    },
    replica: { limits, rules }
  }
  if (unread.size > 0) throw new ConfigurationError(`unknown constants: ${[...unread].join(", ")}`)
  return configuration
}

/** The log that a run begins with. */
export const initialLog = ({ sender, startSequence }: Configuration): ReadonlyArray<Replica.Entry> => {
  if (startSequence === 0) return []
  const identity = sender.idempotence
    ? { producerId: firstProducerId, epoch: 0, sequence: startSequence - 1 }
    : { producerId: Sequence.none, epoch: Sequence.none, sequence: Sequence.none }
  return [{ ...identity, records: [warmBatch], offset: 0 }]
}
