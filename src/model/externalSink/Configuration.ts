/**
 * One configuration of the specification: the constants of a TLC `.cfg` file, and the rules it overrides.
 */
import { SinkRules, SinkVariants } from "../../core/index.ts"
import * as Constants from "../Constants.ts"
import type { Value } from "../TlaValue.ts"

export interface Configuration {
  /** How many there are; they count from 1. */
  readonly members: number
  /** The partition has so many, from offset 0. */
  readonly inputs: number
  /** How often a member may join. */
  readonly maxGeneration: number
  /** Connections that a member may open in a generation. */
  readonly maxConnections: number
  /** Of the sink and its members. */
  readonly rules: SinkRules.Rules
}

/** Overrides by the suffix that their operators have in the specification. */
const overrides: ReadonlyMap<string, SinkVariants.Override> = new Map(Object.entries(SinkVariants.overrides))

/** Reads constants as TLC does. Throws `ConfigurationError`. */
export const fromConstants = (
  constants: Readonly<Record<string, Value>>,
  substitutions: Readonly<Record<string, string>>
): Configuration => {
  const rules = Constants.rules(SinkRules.base, overrides, substitutions)
  return Constants.read(constants, (read) => ({
    members: read.number("Members"),
    inputs: read.number("Inputs"),
    maxGeneration: read.number("MaxGeneration"),
    maxConnections: read.number("MaxConnections"),
    rules
  }))
}
