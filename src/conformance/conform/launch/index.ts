/**
 * Real brokers: how to have one, and how to tell which one it is.
 */
export * as ApacheKafka from "./ApacheKafka.ts"
export * as Release from "./Release.ts"
