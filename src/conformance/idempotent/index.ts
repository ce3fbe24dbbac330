/**
 * What the harness has for the idempotent producer: its runtime held still, and histories of it.
 */
export { driver } from "./Driver.ts"
export * as Scenario from "./Scenario.ts"
export { runScenario, trial, trialOf } from "./Trial.ts"
