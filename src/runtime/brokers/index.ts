export * as Cluster from "./Cluster.ts"
export * as GroupCoordinators from "./GroupCoordinators.ts"
export * as Leader from "./Leader.ts"
export * as TransactionCoordinators from "./TransactionCoordinators.ts"
