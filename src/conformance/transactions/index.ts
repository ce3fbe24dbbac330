/**
 * What the harness has for transactions: their runtime held still.
 */
export { driver } from "./Driver.ts"
