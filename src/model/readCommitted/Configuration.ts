/**
 * One configuration of the specification: the constants of a TLC `.cfg` file, and the rules it overrides.
 */
import { FetchMuseum, FetchRules } from "../../core/index.ts"
import * as Constants from "../Constants.ts"
import type { Value } from "../TlaValue.ts"

export interface Configuration {
  /** How many there are; producer ids count from 1. */
  readonly producers: number
  /** The log ends here. */
  readonly maxEntries: number
  /** Entries that one fetch returns at most. */
  readonly fetchSize: number
  /** Of the broker and the consumer. */
  readonly rules: FetchRules.Rules
}

/** Overrides by the suffix that their operators have in the specification. */
const overrides: ReadonlyMap<string, FetchMuseum.Override> = new Map(
  Object.entries(FetchMuseum.overrides).map(([name, override]) => [Constants.suffixOf(name), override])
)

/** Reads constants as TLC does. Throws `ConfigurationError`. */
export const fromConstants = (
  constants: Readonly<Record<string, Value>>,
  substitutions: Readonly<Record<string, string>>
): Configuration => {
  const rules = Constants.rules(FetchRules.base, overrides, substitutions)
  return Constants.read(constants, (read) => ({
    producers: read.number("Producers"),
    maxEntries: read.number("MaxEntries"),
    fetchSize: read.number("FetchSize"),
    rules
  }))
}
