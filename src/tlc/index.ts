/**
 * TLC, the TLA+ model checker, as a library: find it, run it, judge it, and read its state graph.
 *
 * Start with `Toolchain.locate`, then `check` for a verdict or `StateGraph.stream` for states and edges.
 */
export * as Config from "./Config.ts"
export * as Itf from "./Itf.ts"
export * as Messages from "./Messages.ts"
export * as StateGraph from "./StateGraph.ts"
export { check, type CheckOptions, type Progress } from "./Tlc.ts"
export * as Toolchain from "./Toolchain.ts"
export type { TraceState } from "./Trace.ts"
export * as Value from "./Value.ts"
export {
  type Counts,
  FailureReason,
  type Holds,
  type Outcome,
  TlcFailure,
  type Violated,
  type ViolationKind
} from "./Verdict.ts"
