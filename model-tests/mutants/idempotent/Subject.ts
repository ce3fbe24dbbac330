/**
 * The idempotent producer: the module with `Next`, the rules and machines of the core, and the guards of the model's
 * actions.
 */
import type { Subject } from "../Subject.ts"
import { configurations } from "./Configurations.ts"

export const idempotent: Subject = {
  specification: "IdempotentProducer",
  modules: ["IdempotentProducer"],
  code: [
    "core/Partition.ts",
    "core/Producer.ts",
    "core/Replica.ts",
    "core/Rules.ts",
    "core/Sender.ts",
    "core/Sequence.ts",
    "model/idempotent/Actions.ts"
  ],
  configurations
}
