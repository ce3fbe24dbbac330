/**
 * What differs between two states, and only that: one line per differing place, named by its path.
 */
import * as Value from "../tlc/Value.ts"

export interface Difference {
  /** Such as `sender.p1.batches[2].status`. */
  readonly path: string
  /** TLA+ text, or `absent`. */
  readonly expected: string
  readonly actual: string
}

const absent = "absent"

const print = (value: Value.Value | undefined): string => value === undefined ? absent : Value.print(value)

const child = (path: string, key: Value.Value): string =>
  typeof key === "string" ? `${path}.${key}` : `${path}[${Value.print(key)}]`

const collect = (
  path: string,
  expected: Value.Value | undefined,
  actual: Value.Value | undefined,
  found: Array<Difference>
): void => {
  if (
    typeof expected === "object" && expected.kind === "function"
    && typeof actual === "object" && actual.kind === "function"
  ) {
    const keys = new Map([...expected.entries, ...actual.entries].map(([key]) => [Value.print(key), key]))
    for (const key of keys.values()) collect(child(path, key), entry(expected, key), entry(actual, key), found)
    return
  }
  const [left, right] = [print(expected), print(actual)]
  if (left !== right) found.push({ path, expected: left, actual: right })
}

const entry = (value: Value.FunctionValue, key: Value.Value): Value.Value | undefined =>
  value.entries.find(([candidate]) => Value.equals(candidate, key))?.[1]

/** The name of a place: `sender.p1.batches[2].status`. */
export const pathOf = ([variable, ...keys]: readonly [string, ...ReadonlyArray<Value.Value>]): string =>
  keys.reduce<string>(child, variable)

/** Differences between what is expected at one place and what is there. */
export const at = (path: string, expected: Value.Value, actual: Value.Value | undefined): ReadonlyArray<Difference> => {
  const found: Array<Difference> = []
  collect(path, expected, actual, found)
  return found
}

/** Differences between two states given by variable. */
export const between = (
  expected: Readonly<Record<string, Value.Value>>,
  actual: Readonly<Record<string, Value.Value>>
): ReadonlyArray<Difference> => {
  const found: Array<Difference> = []
  for (const name of new Set([...Object.keys(expected), ...Object.keys(actual)])) {
    collect(name, expected[name], actual[name], found)
  }
  return found
}

/** One line per difference. */
export const render = ({ actual, expected, path }: Difference): string =>
  `${path}: specification ${expected}, code ${actual}`
