/**
 * What the harness has for transactions: their runtime held still, histories of it, and their judge.
 */
export { driver } from "./Driver.ts"
export { focus } from "./Focus.ts"
export { headerOf } from "./Header.ts"
export type * as History from "./History.ts"
export * as HistoryChecker from "./HistoryChecker.ts"
export * as Scenario from "./Scenario.ts"
export { configurationOf, type Run, runScenario, trial, trialOf } from "./Trial.ts"
