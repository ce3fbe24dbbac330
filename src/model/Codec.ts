/**
 * The way between a TLC state and a world: what the codecs of all models share. What a value means, each model says
 * itself.
 *
 * A codec must be total in both directions: every variable of the specification has its image, and a world has nothing
 * besides.
 */
import type { Value } from "./TlaValue.ts"

/** A TLC state that is no state of the specification. */
export class CodecError extends Error {}

/** The values of one variable in all states. */
export interface Column {
  /** The same number for equal values. */
  readonly key: (state: number) => number
  readonly value: (state: number) => Value
}

/** What writes each variable of a world. Whoever looks at one does not pay for the others. */
export type Encoders<Variable extends string, World> = Readonly<Record<Variable, (world: World) => Value>>

/** The state that a world is, by variable. */
export const stateOf = <World>(
  encoders: Encoders<string, World>,
  world: World
): Readonly<Record<string, Value>> =>
  Object.fromEntries(Object.entries(encoders).map(([variable, write]) => [variable, write(world)]))

export interface Codec<Configuration, World> {
  /** The variables of the specification, in its order. */
  readonly variables: ReadonlyArray<string>
  /**
   * Decodes states one by one and remembers every distinct part of a world, so that equal parts are one object. Throws
   * `CodecError` when a state is none of the specification.
   */
  readonly decoder: (configuration: Configuration, column: (variable: string) => Column) => (state: number) => World
  /** Begins to write worlds that follow each other in a run, of which the next has most of what the last one had. */
  readonly encoders: (configuration: Configuration) => Encoders<string, World>
  /** The state of the specification that a world is, by variable. */
  readonly encode: (configuration: Configuration, world: World) => Readonly<Record<string, Value>>
}

/** A part of a world that some variables determine, so that it can be remembered by their values. */
export interface Part<Configuration, A> {
  readonly variables: ReadonlyArray<string>
  readonly decode: (configuration: Configuration, value: (variable: string) => Value) => A
}

/** A part that reads these variables; `value` gives those and no others. */
export const part = <Configuration, Variable extends string, A>(
  variables: ReadonlyArray<Variable>,
  decode: (configuration: Configuration, value: (variable: NoInfer<Variable>) => Value) => A
): Part<Configuration, A> => ({ variables, decode })

const remembering = <Configuration, A>(
  { decode, variables }: Part<Configuration, A>,
  configuration: Configuration,
  column: (variable: string) => Column
): (state: number) => A => {
  const known = new Map<string, A>()
  const columns = new Map(variables.map((name) => [name, column(name)]))
  const keys = Array.from(columns.values(), ({ key }) => key)
  return (state) => {
    let key = ""
    for (const keyOf of keys) key += `${keyOf(state)},`
    const found = known.get(key)
    if (found !== undefined) return found
    const decoded = decode(configuration, (name) => columns.get(name)!.value(state))
    known.set(key, decoded)
    return decoded
  }
}

/** The codec of a world that is put together from parts. */
export const make = <Configuration, World, Parts extends object>({ assemble, encoders, parts, variables }: {
  readonly variables: ReadonlyArray<string>
  readonly parts: { readonly [Name in keyof Parts]: Part<Configuration, Parts[Name]> }
  readonly assemble: (parts: Parts) => World
  readonly encoders: Codec<Configuration, World>["encoders"]
}): Codec<Configuration, World> => ({
  variables,
  encoders,
  encode: (configuration, world) => stateOf(encoders(configuration), world),
  decoder: (configuration, column) => {
    const decoders = Object.entries<Part<Configuration, unknown>>(parts).map(([name, one]) =>
      [name, remembering(one, configuration, column)] as const
    )
    return (state) => {
      const decoded: Record<string, unknown> = {}
      for (const [name, decode] of decoders) decoded[name] = decode(state)
      return assemble(decoded as Parts)
    }
  }
})

/** Decodes one state, given by variable. */
export const decode = <Configuration, World>(
  codec: Codec<Configuration, World>,
  configuration: Configuration,
  state: Readonly<Record<string, Value>>
): World => codec.decoder(configuration, (variable) => ({ key: () => 0, value: () => state[variable]! }))(0)

// Reading.

/** Throws; `expected` ends the sentence "expected …, found …". */
export const fail = (expected: string, value: Value | undefined): never => {
  throw new CodecError(`expected ${expected}, found ${JSON.stringify(value)}`)
}

export const integer = (value: Value): number => typeof value === "number" ? value : fail("a number", value)
export const text = (value: Value): string => typeof value === "string" ? value : fail("a string", value)
export const truth = (value: Value): boolean => typeof value === "boolean" ? value : fail("a boolean", value)

/** The text, if it is one of these. */
export const oneOf = <Name extends string>(what: string, names: ReadonlyArray<Name>, value: Value): Name =>
  names.find((name) => name === value) ?? fail(what, value)

export const elements = (value: Value): ReadonlyArray<Value> =>
  typeof value === "object" && value.kind === "set" ? value.elements : fail("a set", value)

export const entries = (value: Value): ReadonlyArray<readonly [Value, Value]> =>
  typeof value === "object" && value.kind === "function" ? value.entries : fail("a function", value)

/** A field of a record. */
export const field = (value: Value, name: string): Value => {
  for (const [key, found] of entries(value)) if (key === name) return found
  return fail(`a record with ${name}`, value)
}

/** The field that is a number. */
export const numbered = (value: Value, name: string): number => integer(field(value, name))

/** The elements of a sequence. */
export const items = (value: Value): ReadonlyArray<Value> =>
  entries(value).map(([key, item], i) => key === i + 1 ? item : fail("a sequence", value))

/** A function whose domain is exactly these names, as a list in their order. */
export const on = <A>(
  what: string,
  names: ReadonlyArray<string>,
  value: Value,
  read: (value: Value) => A
): ReadonlyArray<A> => {
  if (entries(value).length !== names.length) fail(`a function on ${what}`, value)
  return names.map((name) => read(field(value, name)))
}

// Writing.

/** A function on texts. Records are short and many are written, so that it sorts by insertion. */
const onTexts = (entries: Array<readonly [string, Value]>): Value => {
  for (let i = 1; i < entries.length; i++) {
    const entry = entries[i]!
    let place = i
    for (; place > 0 && entries[place - 1]![0] > entry[0]; place--) entries[place] = entries[place - 1]!
    entries[place] = entry
  }
  return { kind: "function", entries }
}

export const record = (fields: Readonly<Record<string, Value>>): Value => onTexts(Object.entries(fields))

export const sequence = (values: ReadonlyArray<Value>): Value => ({
  kind: "function",
  entries: values.map((value, i) => [i + 1, value] as const)
})

/** A sequence that is written when somebody looks into it: logs are long, and most of a state is looked at without them. */
export const lazySequence = <A>(items: ReadonlyArray<A>, write: (item: A) => Value): Value => {
  let entries: ReadonlyArray<readonly [Value, Value]> | undefined
  return {
    kind: "function",
    get entries() {
      return entries ??= items.map((item, i) => [i + 1, write(item)] as const)
    }
  }
}

/**
 * Writes lists of objects one after the other, and what the last one had, too, only once. `put` makes a value of what was
 * written of the items.
 */
export const listWriter = <A extends object>(
  write: (item: A) => Value,
  put: (items: ReadonlyArray<Value>) => Value
): (list: ReadonlyArray<A>) => Value => {
  let last: { readonly list: ReadonlyArray<A>; readonly items: ReadonlyArray<Value>; readonly value: Value } | undefined
  return (list) => {
    if (list === last?.list) return last.value
    const items = list.map((item) => {
      const place = last === undefined ? -1 : last.list.indexOf(item)
      return place < 0 ? write(item) : last!.items[place]!
    })
    last = { list, items, value: put(items) }
    return last.value
  }
}

/** A function on names, of which `write` gets the place. */
export const onNames = (names: ReadonlyArray<string>, write: (place: number) => Value): Value =>
  onTexts(names.map((name, place) => [name, write(place)]))

/** A function on numbers. */
export const onNumbers = <A>(values: Iterable<readonly [number, A]>, write: (value: A) => Value): Value => ({
  kind: "function",
  entries: [...values].toSorted(([a], [b]) => a - b).map(([number, value]) => [number, write(value)] as const)
})

/** The order in which a set lists its elements, which are records with the same fields, all numbers, or all texts. */
const compare = (a: Value, b: Value): number => {
  if (a === b) return 0
  if (typeof a !== "object" || typeof b !== "object") return a < b ? -1 : 1
  if (a.kind === "function" && b.kind === "function") {
    return compareAll(
      a.entries,
      b.entries,
      ([key, value], [other, another]) => compare(key, other) || compare(value, another)
    )
  }
  if (a.kind === "set" && b.kind === "set") return compareAll(a.elements, b.elements, compare)
  return a.kind === "model" && b.kind === "model" ? compare(a.name, b.name) : 0
}

const compareAll = <A>(a: ReadonlyArray<A>, b: ReadonlyArray<A>, one: (a: A, b: A) => number): number => {
  for (let i = 0; i < Math.min(a.length, b.length); i++) {
    const order = one(a[i]!, b[i]!)
    if (order !== 0) return order
  }
  return a.length - b.length
}

/** A set of values of one shape, none of them twice. */
export const set = (values: ReadonlyArray<Value>): Value => ({ kind: "set", elements: values.toSorted(compare) })
