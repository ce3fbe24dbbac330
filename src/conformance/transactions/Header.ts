/**
 * The first line of an event log of transactions, under a configuration that no file has: that of a scenario.
 */
import { Transaction } from "../../core/index.ts"
import type { Configuration } from "../../model/transactions/Configuration.ts"
import type { Header } from "../EventLog.ts"

/** Rules that stand in the place of others, and the module that defines them. */
export interface Replaced {
  readonly substitutions: Readonly<Record<string, string>>
  /** Relative to the folder of the specification. */
  readonly module: string
}

/** The header of a log under this configuration, whose rules are those of the base, but for those that are replaced. */
export const headerOf = (configuration: Configuration, replaced?: Replaced): Header => {
  const { context, group, partitions, probes } = configuration
  const { limits } = context.replica
  return {
    schemaVersion: 1,
    specification: "Transactions",
    constants: {
      TransactionVersion: context.transactionVersion,
      Verification: context.verification,
      MaxEpoch: limits.maxEpoch,
      DedupWindow: limits.dedupWindow,
      Clients: configuration.clients,
      TransactionalIds: configuration.transactionalIds,
      TransactionsPerClient: configuration.transactionsPerClient,
      Partitions: partitions.filter((name) => name !== Transaction.groupPartition),
      Group: group,
      Version1Clients: [...configuration.version1Clients],
      ReplicationLag: configuration.replicationLag,
      FaultBudget: configuration.faultBudget,
      FaultKinds: [...configuration.faultKinds],
      ...(probes === undefined ? {} : {
        ProbeProducerIds: [...probes.producerIds],
        ProbeEpochs: [...probes.epochs],
        ProbeSequences: [...probes.sequences]
      })
    },
    ...(probes === undefined ? {} : { module: "TransactionRefusals.tla" }),
    ...replaced
  }
}
