/**
 * The judge of histories of any system, in the public format.
 */
export * as Anomalies from "./Anomalies.ts"
export * as Format from "./Format.ts"
export * as Judge from "./Judge.ts"
export * as Line from "./Line.ts"
export * as Reading from "./Reading.ts"
