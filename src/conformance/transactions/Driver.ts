/**
 * The runtime of transactions, held still.
 */
import type { Configuration } from "../../model/transactions/Configuration.ts"
import * as Configurations from "../../model/transactions/Configuration.ts"
import { model } from "../../model/transactions/Model.ts"
import type { Memory, World } from "../../model/transactions/World.ts"
import { Transactions } from "../../runtime/index.ts"
import type { Driver } from "../Driver.ts"

const { Action, Application, Controlled } = Transactions

/** The cluster that a configuration describes. */
export const setupOf = (configuration: Configuration): Transactions.Setup.Setup => ({
  context: configuration.context,
  clients: Array.from({ length: configuration.clients }, (_, i) => ({
    transactionalId: Configurations.idOf(configuration, i + 1),
    version: Configurations.versionOf(configuration, i + 1),
    transactions: configuration.transactionsPerClient
  })),
  transactionalIds: configuration.transactionalIds,
  partitions: configuration.partitions,
  replicationLag: configuration.replicationLag
})

/** The specification has a place for every transaction from the start. */
const withPlaces = (
  { transactionsPerClient }: Configuration,
  memories: Transactions.Application.Memories
): ReadonlyArray<Memory> => Array.from({ length: transactionsPerClient }, (_, i) => memories[i] ?? Application.nothing)

/** The world that a snapshot is, with so many faults left. */
export const worldOf = (
  configuration: Configuration,
  snapshot: Transactions.Hosts.Snapshot,
  faults: number
): World => ({
  ...snapshot,
  faults,
  history: snapshot.history.map((memories) => withPlaces(configuration, memories))
})

export const driver: Driver<Configuration, World> = {
  model,
  start: (configuration) => {
    const controlled = Controlled.make(setupOf(configuration))
    // How many faults are left is what the environment knows, and tells when there is one.
    let faults = configuration.faultBudget
    return {
      perform: (call) => controlled.perform(Action.named(call.action, call.arguments), faults),
      project: (expected) => {
        faults = expected.faults
        return worldOf(configuration, controlled.snapshot(), faults)
      },
      close: controlled.close
    }
  }
}
