/**
 * Traces in the Informal Trace Format, the JSON that Apalache, Quint and their viewers read and write: parse and print.
 *
 * TLC prints traces as text for people; this is the form in which they are kept and exchanged. A value is written in the
 * plainest notation it has: a function on `1..n` is an array, a function on names an object, every other function
 * `#map`. Read is every notation of the format, so that traces of other tools are welcome. Numbers are plain, since
 * TLC's fit; `#bigint` is read as far as it fits.
 */
import { Data, Result } from "effect"
import * as Value from "./Value.ts"

/** A text that is no trace in the format; the message says where and why. */
export class ItfError extends Data.TaggedError("ItfError")<{
  readonly message: string
}> {}

/** Any JSON value. */
export type Json = null | boolean | number | string | ReadonlyArray<Json> | JsonObject
export interface JsonObject {
  readonly [name: string]: Json
}

/** One state of a trace. */
export interface State {
  /** `#meta`: what its writer wants to say of the state. */
  readonly meta: JsonObject
  readonly variables: Readonly<Record<string, Value.Value>>
}

/** A finite trace; one that loops is refused when it is read. */
export interface Trace {
  /** `#meta`: what its writer wants to say of the trace. */
  readonly meta: JsonObject
  /** Names of the variables, of which every state has all and no others. */
  readonly variables: ReadonlyArray<string>
  readonly states: ReadonlyArray<State>
}

// ---------------------------------------------------------------------------------------------------------------------
// Writing
// ---------------------------------------------------------------------------------------------------------------------

/** A name that the format does not reserve. */
const isFieldName = (key: Value.Value): key is string => typeof key === "string" && !key.startsWith("#")

/** The JSON of a value. */
export const encodeValue = (value: Value.Value): Json => {
  if (typeof value !== "object") return value
  if (value.kind === "model") return { "#unserializable": value.name }
  if (value.kind === "set") return { "#set": value.elements.map(encodeValue) }
  const { entries } = value
  if (entries.every(([key], i) => key === i + 1)) return entries.map(([, item]) => encodeValue(item))
  const fields: Record<string, Json> = {}
  for (const [key, item] of entries) {
    if (!isFieldName(key)) {
      return { "#map": entries.map(([argument, result]) => [encodeValue(argument), encodeValue(result)]) }
    }
    Object.defineProperty(fields, key, { value: encodeValue(item), enumerable: true })
  }
  return fields
}

const indented = (lines: ReadonlyArray<string>, indent: string): string =>
  lines.map((line) => `${indent}${line}`).join(",\n")

const property = (name: string, value: Json): string => `${JSON.stringify(name)}: ${JSON.stringify(value)}`

/** The text of a trace: one line for each variable of each state, so that what changes shows in a diff. */
export const print = ({ meta, states, variables }: Trace): string => {
  const printState = (state: State): string => {
    const lines = variables.map((name) => property(name, encodeValue(state.variables[name]!)))
    return `    {\n${indented([property("#meta", state.meta), ...lines], "      ")}\n    }`
  }
  const head = [property("#meta", meta), property("vars", variables)]
  return `{\n${indented(head, "  ")},\n  "states": [\n${states.map(printState).join(",\n")}\n  ]\n}\n`
}

// ---------------------------------------------------------------------------------------------------------------------
// Reading
// ---------------------------------------------------------------------------------------------------------------------

const fail = (message: string): never => {
  throw new ItfError({ message })
}

const shown = (json: Json | undefined): string => {
  const text = JSON.stringify(json) ?? "nothing"
  return text.length > 60 ? `${text.slice(0, 57)}...` : text
}

const isArray = (json: Json | undefined): json is ReadonlyArray<Json> => Array.isArray(json)

const isObject = (json: Json | undefined): json is JsonObject =>
  typeof json === "object" && json !== null && !isArray(json)

const array = (json: Json | undefined, what: string): ReadonlyArray<Json> =>
  isArray(json) ? json : fail(`${what} is not an array: ${shown(json)}`)

const object = (json: Json | undefined, what: string): JsonObject =>
  isObject(json) ? json : fail(`${what} is not an object: ${shown(json)}`)

const integer = (value: number, json: Json): number =>
  Number.isSafeInteger(value) ? value + 0 : fail(`${shown(json)} is no integer that fits`)

const pairOf = (json: Json): readonly [Value.Value, Value.Value] => {
  const [key, item, ...more] = array(json, "an entry of #map")
  if (key === undefined || item === undefined || more.length > 0) return fail(`${shown(json)} is no entry of #map`)
  return [read(key), read(item)]
}

const readSet = (json: Json): Value.Value => {
  const elements = array(json, "#set").map(read)
  const found = Value.set(elements)
  return found.elements.length === elements.length ? found : fail(`a #set has an element twice: ${shown(json)}`)
}

const readMap = (json: Json): Value.Value => {
  const entries = array(json, "#map").map(pairOf)
  const found = Value.func(entries)
  return found.entries.length === entries.length ? found : fail(`a #map has a key twice: ${shown(json)}`)
}

const readBigint = (json: Json): Value.Value =>
  typeof json === "string" && /^-?\d+$/.test(json) ? integer(Number(json), json) : fail(`${shown(json)} is no #bigint`)

/** The value that an object of one reserved name stands for. */
const readReserved = (name: string, json: Json): Value.Value => {
  switch (name) {
    case "#set":
      return readSet(json)
    case "#map":
      return readMap(json)
    case "#tup":
      return Value.seq(array(json, "#tup").map(read))
    case "#bigint":
      return readBigint(json)
    case "#unserializable":
      return typeof json === "string" ? Value.model(json) : fail(`${shown(json)} is no #unserializable`)
    default:
      return fail(`${name} is no notation of the format`)
  }
}

const read = (json: Json): Value.Value => {
  switch (typeof json) {
    case "boolean":
    case "string":
      return json
    case "number":
      return integer(json, json)
    default:
      break
  }
  if (isArray(json)) return Value.seq(json.map(read))
  if (json === null) return fail("null is no value")
  const names = Object.keys(json)
  const reserved = names.find((name) => name.startsWith("#"))
  if (reserved === undefined) return Value.func(names.map((name) => [name, read(json[name]!)] as const))
  return names.length === 1 ? readReserved(reserved, json[reserved]!) : fail(`${reserved} is not alone: ${shown(json)}`)
}

/** The value of a JSON. */
export const decodeValue = (json: Json): Result.Result<Value.Value, ItfError> => caught(() => read(json))

const readState = (json: Json, index: number, names: ReadonlyArray<string>): State => {
  const what = `state ${index}`
  const { "#meta": meta, ...values } = object(json, what)
  const unknown = Object.keys(values).find((name) => !names.includes(name))
  if (unknown !== undefined) return fail(`${what} has a variable ${unknown}, which vars does not have`)
  const variables = names.map((name) => {
    if (!Object.hasOwn(values, name)) return fail(`${what} has no variable ${name}`)
    try {
      return [name, read(values[name]!)] as const
    } catch (error) {
      throw error instanceof ItfError ? new ItfError({ message: `${what}, ${name}: ${error.message}` }) : error
    }
  })
  return {
    meta: meta === undefined ? {} : object(meta, `#meta of ${what}`),
    variables: Object.fromEntries(variables)
  }
}

const readTrace = (text: string): Trace => {
  let json: Json
  try {
    json = JSON.parse(text) as Json
  } catch {
    return fail("not JSON: cut off, damaged, or no trace")
  }
  const document = object(json, "the trace")
  if (document["loop"] !== undefined) return fail("the trace loops")
  const names = array(document["vars"], "vars").map((name) =>
    typeof name === "string" ? name : fail(`${shown(name)} is no name of a variable`)
  )
  if (names.length === 0 || new Set(names).size !== names.length) return fail("vars is empty or has a name twice")
  const states = array(document["states"], "states").map((state, index) => readState(state, index, names))
  if (states.length === 0) return fail("the trace has no state")
  const meta = document["#meta"]
  return { meta: meta === undefined ? {} : object(meta, "#meta"), variables: names, states }
}

const caught = <A>(use: () => A): Result.Result<A, ItfError> => {
  try {
    return Result.succeed(use())
  } catch (error) {
    if (error instanceof ItfError) return Result.fail(error)
    if (error instanceof RangeError) return Result.fail(new ItfError({ message: "nested too deeply" }))
    throw error
  }
}

/** Parses a trace. */
export const parse = (text: string): Result.Result<Trace, ItfError> => caught(() => readTrace(text))
