/**
 * The fetch path of read_committed consumers on Effect fibers.
 */
export * as Consumer from "./Consumer.ts"
export * as Controlled from "./Controlled.ts"
export * as Leader from "./Leader.ts"
