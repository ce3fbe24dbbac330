/**
 * What the harness has for reading committed records: the runtime of the fetch path held still.
 */
export { driver } from "./Driver.ts"
