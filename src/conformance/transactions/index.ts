/**
 * What the harness has for transactions: their runtime held still, and the judge of their histories.
 */
export { driver } from "./Driver.ts"
export type * as History from "./History.ts"
export * as HistoryChecker from "./HistoryChecker.ts"
