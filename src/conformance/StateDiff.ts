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
  if (expected === actual || (expected !== undefined && actual !== undefined && Value.equals(expected, actual))) return
  if (
    typeof expected === "object" && expected.kind === "function"
    && typeof actual === "object" && actual.kind === "function"
  ) {
    const [left, right] = [itemsOf(expected), itemsOf(actual)]
    for (const [text, [key]] of new Map([...left, ...right])) {
      collect(child(path, key), left.get(text)?.[1], right.get(text)?.[1], found)
    }
    return
  }
  found.push({ path, expected: print(expected), actual: print(actual) })
}

/** Keys and values by the text of the key. */
const itemsOf = ({ entries }: Value.FunctionValue): ReadonlyMap<string, readonly [Value.Value, Value.Value]> =>
  new Map(entries.map((entry) => [Value.print(entry[0]), entry]))

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
