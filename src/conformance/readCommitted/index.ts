/**
 * What the harness has for reading committed records: the runtime of the fetch path held still, and walks on it.
 */
export { driver } from "./Driver.ts"
export * as Scenario from "./Scenario.ts"
export { trial } from "./Trial.ts"
