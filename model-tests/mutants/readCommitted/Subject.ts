/**
 * Reading committed records: the module, the partition's and the consumer's side of the core with their rules, and the
 * guards of the model's actions.
 */
import type { Subject } from "../Subject.ts"
import { configurations } from "./Configurations.ts"

export const readCommitted: Subject = {
  specification: "ReadCommitted",
  modules: ["ReadCommitted"],
  code: ["core/Fetch.ts", "core/FetchedRecords.ts", "core/FetchRules.ts", "model/readCommitted/Actions.ts"],
  configurations
}
