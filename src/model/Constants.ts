/**
 * Reading the constants of a TLC `.cfg` file, and the rules that it overrides, as configurations of all models need it.
 *
 * The bounds of the explorer and of the replays are read from the same file that TLC reads; otherwise the graphs would
 * be graphs of different worlds.
 */
import type { Value } from "./TlaValue.ts"

/** A `.cfg` file that does not describe a configuration of the specification. */
export class ConfigurationError extends Error {}

/** Gives constants by name, each in the shape that is asked for; throws `ConfigurationError` for any other. */
export interface Constants {
  readonly number: (name: string) => number
  readonly boolean: (name: string) => boolean
  readonly numbers: (name: string) => ReadonlyArray<number>
  readonly strings: (name: string) => ReadonlyArray<string>
  /** One of these strings. */
  readonly oneOf: <Name extends string>(name: string, known: ReadonlyArray<Name>) => Name
  /** A set of some of these strings, each of which is a `what`. */
  readonly someOf: <Name extends string>(name: string, what: string, known: ReadonlyArray<Name>) => ReadonlySet<Name>
}

const isNumber = (value: Value): value is number => typeof value === "number"
const isString = (value: Value): value is string => typeof value === "string"

const refuse = (name: string, why: string): never => {
  throw new ConfigurationError(`constant ${name} ${why}`)
}

/** Reads all constants; one that `use` does not ask for is an error too. */
export const read = <A>(constants: Readonly<Record<string, Value>>, use: (constants: Constants) => A): A => {
  const unread = new Set(Object.keys(constants))
  const get = (name: string): Value => {
    unread.delete(name)
    return constants[name] ?? refuse(name, "is missing")
  }
  const set = (name: string): ReadonlyArray<Value> => {
    const value = get(name)
    return typeof value === "object" && value.kind === "set" ? value.elements : refuse(name, "is not a set")
  }
  const result = use({
    number: (name) => {
      const value = get(name)
      return isNumber(value) ? value : refuse(name, "is not a number")
    },
    boolean: (name) => {
      const value = get(name)
      return typeof value === "boolean" ? value : refuse(name, "is not a boolean")
    },
    numbers: (name) => {
      const values = set(name)
      return values.every(isNumber) ? values : refuse(name, "is not a set of numbers")
    },
    strings: (name) => {
      const values = set(name)
      return values.every(isString) ? values : refuse(name, "is not a set of strings")
    },
    oneOf: (name, known) => {
      const value = get(name)
      return known.find((one) => one === value) ?? refuse(name, `is none of ${known.join(", ")}`)
    },
    someOf: (name, what, known) =>
      new Set(
        set(name).map((value) =>
          known.find((one) => one === value) ?? refuse(name, `names no ${what}: ${JSON.stringify(value)}`)
        )
      )
  })
  if (unread.size > 0) throw new ConfigurationError(`unknown constants: ${[...unread].join(", ")}`)
  return result
}

/** `KAFKA-14034` as it may stand in a TLA+ identifier. */
export const suffixOf = (name: string): string => name.replaceAll("-", "_")

/**
 * The rules of a configuration. `Rule <- Rule_SUFFIX` puts the rule of that name in force that `overrides` has under the
 * suffix; anything else is an error.
 */
export const rules = <Rules extends object>(
  base: Rules,
  overrides: ReadonlyMap<string, Partial<Rules>>,
  substitutions: Readonly<Record<string, string>>
): Rules =>
  Object.entries(substitutions).reduce((found, [operator, replacement]) => {
    const suffix = replacement.startsWith(`${operator}_`) ? replacement.slice(operator.length + 1) : undefined
    const override = suffix === undefined ? undefined : overrides.get(suffix)
    const rule = override?.[operator as keyof Rules]
    if (rule === undefined) throw new ConfigurationError(`no rule of the code stands for ${operator} <- ${replacement}`)
    return { ...found, [operator]: rule }
  }, base)
