/**
 * What the harness has for delivery into external storage: the sinks on SQLite, held still.
 */
export { driver } from "./Driver.ts"
