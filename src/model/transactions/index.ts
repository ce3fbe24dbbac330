/**
 * The model of `spec/Transactions.tla`.
 */
export * as Actions from "./Actions.ts"
export * as Codec from "./Codec.ts"
export * as Configuration from "./Configuration.ts"
export { model } from "./Model.ts"
export * as Properties from "./Properties.ts"
export * as RequestActions from "./RequestActions.ts"
export * as Requests from "./Requests.ts"
export * as Witnesses from "./Witnesses.ts"
export * as World from "./World.ts"
