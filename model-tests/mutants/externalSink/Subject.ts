/**
 * Delivery into external storage: the module, the database's and the member's side of the core with their rules, and the
 * guards of the model's actions.
 */
import type { Subject } from "../Subject.ts"
import { configurations } from "./Configurations.ts"

export const externalSink: Subject = {
  specification: "ExternalSink",
  modules: ["ExternalSink"],
  code: ["core/ExternalSink.ts", "core/SinkMember.ts", "core/SinkRules.ts", "model/externalSink/Actions.ts"],
  configurations
}
