/**
 * Brokers of others, over the network.
 */
export * as Address from "./Address.ts"
export * as Connection from "./Connection.ts"
