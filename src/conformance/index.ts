/**
 * The harness: replay of state graphs on both engines, graph equality, histories and their checker, reports.
 */
export type * as Check from "./Check.ts"
export * as Exhibits from "./Exhibits.ts"
export * as Graph from "./Graph.ts"
export * as Guarantees from "./Guarantees.ts"
export * as Histories from "./Histories.ts"
export type * as History from "./History.ts"
export * as HistoryChecker from "./HistoryChecker.ts"
export * as Models from "./Models.ts"
export * as Progress from "./Progress.ts"
export * as Replay from "./Replay.ts"
export * as RuntimeReplay from "./RuntimeReplay.ts"
export * as Specification from "./Specification.ts"
export * as StateDiff from "./StateDiff.ts"
export * as Verify from "./Verify.ts"
