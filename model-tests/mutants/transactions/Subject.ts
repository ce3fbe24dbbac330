/**
 * Transactions: the modules with `Next` and its decisions, the machines of the core with their rules, and the guards of
 * the model's actions.
 */
import type { Subject } from "../Subject.ts"
import { configurations } from "./Configurations.ts"

export const transactions: Subject = {
  specification: "Transactions",
  modules: ["Transactions", "TransactionRules"],
  code: [
    "core/TransactionalPartition.ts",
    "core/TransactionalProducer.ts",
    "core/TransactionCoordinator.ts",
    "core/TransactionMetadata.ts",
    "core/TransactionRules.ts",
    "model/transactions/Turns.ts",
    "model/transactions/ClientActions.ts",
    "model/transactions/CoordinatorActions.ts",
    "model/transactions/LeaderActions.ts",
    "model/transactions/RefusalActions.ts"
  ],
  configurations
}
