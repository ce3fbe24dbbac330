/**
 * One configuration of the specification: the constants of a TLC `.cfg` file, and the rules it overrides.
 */
import {
  Limits,
  Rules,
  Transaction,
  TransactionMuseum,
  TransactionReleases,
  TransactionRules
} from "../../core/index.ts"
import * as Constants from "../Constants.ts"
import type { Value } from "../TlaValue.ts"
import * as Requests from "./Requests.ts"

export const faultKinds = [
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
] as const

export type FaultKind = typeof faultKinds[number]

/** What requests are tried with that the specification itself would not send: `TransactionRefusals.tla`. */
export interface Probes {
  readonly producerIds: ReadonlyArray<number>
  readonly epochs: ReadonlyArray<number>
  readonly sequences: ReadonlyArray<number>
}

/** What raw clients send, where there are no others: `TransactionRequests.tla`. */
export interface RawRequests {
  readonly versions: ReadonlyArray<Transaction.Version>
  readonly kinds: ReadonlySet<Requests.Kind>
  readonly identities: ReadonlyArray<Requests.Identity>
  /** Of idempotent producers, which have no transactions. */
  readonly idempotent: boolean
}

export interface Configuration {
  /** How many instances of the application there are, numbered from 1. */
  readonly clients: number
  /** How many transactional ids they share, numbered from 1. */
  readonly transactionalIds: number
  readonly transactionsPerClient: number
  /** Names of all partitions, sorted, that of the group's offsets among them. */
  readonly partitions: ReadonlyArray<string>
  /** The application consumes with a group, and commits its offsets in transactions. */
  readonly group: boolean
  /** The clients that speak version 1, whatever the cluster does. */
  readonly version1Clients: ReadonlySet<number>
  /** Replication is a step of its own. */
  readonly replicationLag: boolean
  readonly faultBudget: number
  readonly faultKinds: ReadonlySet<FaultKind>
  readonly probes: Probes | undefined
  readonly requests: RawRequests | undefined
  /** The rules and limits of all roles. */
  readonly context: Transaction.Context
}

/** Overrides by the suffix that their operators have in the specification. */
const overrides: ReadonlyMap<string, Partial<TransactionRules.Rules>> = new Map(
  Object.entries({ ...TransactionMuseum.overrides, ...TransactionReleases.overrides }).map(
    ([name, override]) => [Constants.suffixOf(name), override]
  )
)

const probes = (
  constants: Readonly<Record<string, Value>>,
  read: Constants.Constants
): Configuration["probes"] =>
  constants["ProbeProducerIds"] === undefined ? undefined : {
    producerIds: read.numbers("ProbeProducerIds"),
    epochs: read.numbers("ProbeEpochs"),
    sequences: read.numbers("ProbeSequences")
  }

const rawRequests = (
  constants: Readonly<Record<string, Value>>,
  read: Constants.Constants
): Configuration["requests"] =>
  constants["RequestKinds"] === undefined ? undefined : {
    versions: read.numbers("RequestVersions").map((one) => version("RequestVersions", one)),
    kinds: read.someOf("RequestKinds", "request", Requests.kinds),
    identities: [...read.someOf("RequestIdentities", "identity", Requests.identities)],
    idempotent: false
  }

const version = (constant: string, value: number): Transaction.Version => {
  if (value === 1 || value === 2) return value
  throw new Constants.ConfigurationError(`constant ${constant} is neither 1 nor 2`)
}

/** Reads constants as TLC does. Throws `ConfigurationError`. */
export const fromConstants = (
  constants: Readonly<Record<string, Value>>,
  substitutions: Readonly<Record<string, string>>
): Configuration => {
  const rules = Constants.rules(TransactionRules.base, overrides, substitutions)
  return Constants.read(constants, (read) => {
    const limits = {
      ...Limits.kafka,
      maxEpoch: read.number("MaxEpoch"),
      dedupWindow: read.number("DedupWindow")
    }
    const group = read.boolean("Group")
    const topics = read.strings("Partitions")
    // The assumptions that TransactionLiveness.tla does not make. Only TLC judges behaviours.
    if (constants["Dropped"] !== undefined) read.strings("Dropped")
    return {
      clients: read.number("Clients"),
      transactionalIds: read.number("TransactionalIds"),
      transactionsPerClient: read.number("TransactionsPerClient"),
      partitions: (group ? [...topics, Transaction.groupPartition] : topics).toSorted(),
      group,
      version1Clients: new Set(read.numbers("Version1Clients")),
      replicationLag: read.boolean("ReplicationLag"),
      faultBudget: read.number("FaultBudget"),
      faultKinds: read.someOf("FaultKinds", "fault", faultKinds),
      probes: probes(constants, read),
      requests: rawRequests(constants, read),
      context: {
        transactionVersion: version("TransactionVersion", read.number("TransactionVersion")),
        verification: read.boolean("Verification"),
        rules,
        replica: { limits, rules: Rules.base }
      }
    }
  })
}

/** The transactional id of a client. */
export const idOf = ({ transactionalIds }: Configuration, client: number): number => (client - 1) % transactionalIds + 1

/** What a client speaks. */
export const versionOf = ({ context, version1Clients }: Configuration, client: number): Transaction.Version =>
  version1Clients.has(client) ? 1 : context.transactionVersion
