/**
 * The log of a run as a file: a line that says of what, and then one action a line, as JSON.
 *
 *     {"schemaVersion":1,"specification":"Transactions","model":"transactions-version-2"}
 *     {"action":"InitTransactions","arguments":[1]}
 *     {"action":"HandleInitProducerId","arguments":[1,0],"observed":{"faults":1},"places":[[["client",1,"epoch"],0]]}
 *
 * Values are those of traces (`tlc/Itf.ts`). This is the format and nothing else; whether a log is a behaviour, the
 * validation says (`Validation.ts`), and what its first line names, `EventLogs.ts` finds.
 */
import { Result, Schema } from "effect"
import * as Itf from "../tlc/Itf.ts"
import * as Value from "../tlc/Value.ts"
import { Constant } from "./Specification.ts"

/** What was seen at one place of a state: a variable, and arguments down to a value. */
export interface Place {
  readonly path: readonly [variable: string, ...path: ReadonlyArray<Value.Value>]
  readonly value: Value.Value
}

/** One action that was taken. */
export interface Line {
  readonly action: string
  /** In the order of the specification's parameters. */
  readonly arguments: ReadonlyArray<string | number>
  /** What variables were seen to be after it, where that was looked at. */
  readonly observed?: Readonly<Record<string, Value.Value>>
  /** What was seen after it inside of variables. */
  readonly places?: ReadonlyArray<Place>
}

const schemaVersion = Schema.Literal(1)

const Named = Schema.Struct({
  schemaVersion,
  specification: Schema.String.annotate({ description: "the module that defines Next" }),
  model: Schema.String.annotate({
    description: "the configuration: a model, a row of the guarantee matrix or an exhibit, as the manifest names it"
  })
})

const Given = Schema.Struct({
  schemaVersion,
  specification: Schema.String.annotate({ description: "the module that defines Next" }),
  constants: Schema.Record(Schema.String, Constant).annotate({
    description: "the constants of the specification; a list is a set"
  }),
  substitutions: Schema.optionalKey(
    Schema.Record(Schema.String, Schema.String).annotate({
      description: "rules that others stand for, as in a configuration of TLC: Rule and Rule_EXHIBIT"
    })
  ),
  module: Schema.optionalKey(
    Schema.String.annotate({
      description: "the module that defines the properties and the other rules, relative to the specification's folder"
    })
  )
})

/** The first line: the specification, and the configuration by its name or in full. */
export const Header = Schema.Union([Named, Given]).annotate({
  identifier: "Header",
  description: "the first line of an event log: what it is a log of"
})
export type Header = typeof Header.Type

const ValueJson = Schema.suspend((): Schema.Codec<Itf.Json> =>
  Schema.Union([
    Schema.Boolean,
    Schema.Int,
    Schema.String,
    Schema.Array(ValueJson),
    Schema.Record(Schema.String, ValueJson)
  ])
).annotate({
  identifier: "Value",
  description:
    "a value as the Informal Trace Format has it: an array is a sequence, an object a record, and #set, #map, "
    + "#tup, #bigint and #unserializable are as there"
})

/** The lines that follow, as JSON. */
export const LineJson = Schema.Struct({
  action: Schema.String.annotate({ description: "an action of the specification" }),
  arguments: Schema.Array(Schema.Union([Schema.String, Schema.Int])).annotate({
    description: "in the order of the specification's parameters; TRUE and FALSE are strings"
  }),
  observed: Schema.optionalKey(
    Schema.Record(Schema.String, ValueJson).annotate({ description: "what variables are after the action" })
  ),
  places: Schema.optionalKey(
    Schema.Array(Schema.Tuple([Schema.TupleWithRest(Schema.Tuple([Schema.String]), [ValueJson]), ValueJson])).annotate({
      description:
        "what is inside of variables after the action: the variable and the arguments that lead there, and the "
        + "value"
    })
  )
}).annotate({ identifier: "Line", description: "one action that was taken" })

/** Any line of the file. */
export const Document = Schema.Union([Header, LineJson]).annotate({
  title: "keos event log",
  description: "one line of an event log; the first is a Header, all others are a Line"
})

/** A line that is none of a log; the message says which, counted from 1, and why. */
export class EventLogError extends Error {}

type Fail = (why: string) => never

const fields: ReadonlyArray<string> = ["action", "arguments", "observed", "places"]

const isArgument = (json: unknown): json is string | number =>
  typeof json === "string" || (typeof json === "number" && Number.isSafeInteger(json))

const readJson = (text: string, fail: Fail): Itf.JsonObject => {
  let json: Itf.Json
  try {
    json = JSON.parse(text) as Itf.Json
  } catch {
    return fail("not JSON: cut off or damaged")
  }
  return typeof json === "object" && json !== null && !Array.isArray(json)
    ? json as Itf.JsonObject
    : fail("not an object")
}

const readValue = (what: string, json: Itf.Json, fail: Fail): Value.Value => {
  const decoded = Itf.decodeValue(json)
  return Result.isSuccess(decoded) ? decoded.success : fail(`${what}: ${decoded.failure.message}`)
}

const readObserved = (json: Itf.Json, fail: Fail): NonNullable<Line["observed"]> => {
  if (typeof json !== "object" || json === null || Array.isArray(json)) return fail("observed is no object")
  return Object.fromEntries(
    Object.entries(json as Itf.JsonObject).map(([name, value]) => [name, readValue(name, value, fail)])
  )
}

const readPlace = (json: Itf.Json, fail: Fail): Place => {
  const [path, value, ...more] = Array.isArray(json) ? json as ReadonlyArray<Itf.Json> : []
  if (!Array.isArray(path) || value === undefined || more.length > 0) {
    return fail("a place is no pair of path and value")
  }
  const [variable, ...keys] = path as ReadonlyArray<Itf.Json>
  if (typeof variable !== "string") return fail("a path does not begin with a variable")
  return {
    path: [variable, ...keys.map((key) => readValue(variable, key, fail))],
    value: readValue(variable, value, fail)
  }
}

const readLine = (text: string, fail: Fail): Line => {
  const json = readJson(text, fail)
  const { action, arguments: instance, observed, places } = json
  const unknown = Object.keys(json).find((name) => !fields.includes(name))
  if (unknown !== undefined) return fail(`there is no field ${unknown}`)
  if (typeof action !== "string") return fail("no action")
  if (!Array.isArray(instance) || !instance.every(isArgument)) {
    return fail("no list of strings and integers as arguments")
  }
  if (places !== undefined && !Array.isArray(places)) return fail("places is no list")
  return {
    action,
    arguments: instance,
    ...(observed === undefined ? {} : { observed: readObserved(observed, fail) }),
    ...(places === undefined
      ? {}
      : { places: (places as ReadonlyArray<Itf.Json>).map((place) => readPlace(place, fail)) })
  }
}

const decodeHeader = Schema.decodeUnknownResult(Header, { onExcessProperty: "error" })

const readHeader = (text: string, fail: Fail): Header => {
  const json = readJson(text, fail)
  if (Object.hasOwn(json, "action")) return fail("the line that says what the log is of is missing")
  if (json["schemaVersion"] !== 1) return fail("no header of this version: schemaVersion is not 1")
  const decoded = decodeHeader(json)
  if (Result.isSuccess(decoded)) return decoded.success
  return fail(
    `no header: it has schemaVersion, specification, and either model or constants\n${decoded.failure.message}`
  )
}

/** What a line of the file is. */
export type Item =
  | { readonly _tag: "Header"; readonly header: Header }
  /** `number` is that of the line in the file, from 1. */
  | { readonly _tag: "Line"; readonly number: number; readonly line: Line }

/**
 * Reads a file line by line: tells what each line is, and nothing for one that is empty, of which there may be some at the
 * end alone. Throws `EventLogError`.
 */
export const reader = (): (text: string) => Item | undefined => {
  let number = 0
  let empty = 0
  let begun = false
  return (text) => {
    number++
    const at = number
    const failAt = (line: number): Fail => (why) => {
      throw new EventLogError(`line ${line}: ${why}`)
    }
    if (text.trim() === "") {
      empty ||= at
      return undefined
    }
    if (empty > 0) failAt(empty)("empty, and more follow")
    if (begun) return { _tag: "Line", number: at, line: readLine(text, failAt(at)) }
    begun = true
    return { _tag: "Header", header: readHeader(text, failAt(at)) }
  }
}

/** Reads all lines of a file. Throws `EventLogError`. */
export function* parse(lines: Iterable<string>): Generator<Item, void> {
  const read = reader()
  for (const text of lines) {
    const item = read(text)
    if (item !== undefined) yield item
  }
}

/** The text of the first line, without its end. */
export const printHeader = (header: Header): string => JSON.stringify(header)

/** The text of a line, without its end. */
export const print = ({ action, arguments: instance, observed, places }: Line): string =>
  JSON.stringify({
    action,
    arguments: instance,
    ...(observed === undefined ? {} : {
      observed: Object.fromEntries(Object.entries(observed).map(([name, value]) => [name, Itf.encodeValue(value)]))
    }),
    ...(places === undefined ? {} : {
      places: places.map(({ path, value }) => [path.map(Itf.encodeValue), Itf.encodeValue(value)])
    })
  })

// ---------------------------------------------------------------------------------------------------------------------
// What to observe
// ---------------------------------------------------------------------------------------------------------------------

type Values = Readonly<Record<string, Value.Value>>

/** What only grows, and is long in the end: it would be looked at again and again. */
const growing: ReadonlySet<Value.Value> = new Set(["log", "history"])

const isSameDomain = (a: Value.FunctionValue, b: Value.FunctionValue): boolean =>
  a.entries.length === b.entries.length && a.entries.every(([key], i) => Value.equals(key, b.entries[i]![0]))

const changed = (path: Place["path"], before: Value.Value, after: Value.Value, found: Array<Place>): void => {
  if (growing.has(path.at(-1)!)) return
  if (
    typeof before === "object" && before.kind === "function" && typeof after === "object" && after.kind === "function"
    && isSameDomain(before, after)
  ) {
    after.entries.forEach(([key, value], i) => changed([...path, key], before.entries[i]![1], value, found))
  } else if (!Value.equals(before, after)) {
    found.push({ path, value: after })
  }
}

/** The places that differ in two states, but for logs and history: what is worth observing after a step. */
export const changes = (before: Values, after: Values): ReadonlyArray<Place> => {
  const found: Array<Place> = []
  for (const [name, value] of Object.entries(after)) changed([name], before[name]!, value, found)
  return found
}

/** What is at this place of a state; `undefined` where there is no such place. */
export const valueAt = (state: Values, path: Place["path"]): Value.Value | undefined => {
  let found = Object.hasOwn(state, path[0]) ? state[path[0]] : undefined
  for (let i = 1; i < path.length; i++) {
    if (typeof found !== "object" || found.kind !== "function") return undefined
    found = found.entries.find(([candidate]) => Value.equals(candidate, path[i]!))?.[1]
  }
  return found
}
