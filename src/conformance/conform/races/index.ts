/**
 * What comes of requests that reach a broker at the same time.
 */
export * as Races from "./Races.ts"
