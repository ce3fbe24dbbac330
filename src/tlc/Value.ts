/**
 * TLA+ values as TLC prints them: parse, print, compare, read.
 *
 * TLA+ has fewer kinds of value than its notation suggests. A sequence is a function on `1..n`, a record is a function on
 * strings, and `<<>>`, `<< >>` and the empty bag are one and the same function. TLC picks a notation by looking at the
 * domain at run time, so the notation carries no information. This module therefore knows one `FunctionValue`.
 *
 * Every `Value` built here is *canonical*: set elements and function entries are sorted by {@link compare} and free of
 * duplicates. Two values are equal in TLA+ exactly when {@link print} gives the same text for both.
 *
 * It is not a parser of TLA+ expressions: nothing is evaluated except `a..b`, `:>` and `@@`, which TLC leaves in its output.
 */
import { Data, Result } from "effect"

/** A constant of the model such as `p1`: equal only to itself, and never equal to the string `"p1"`. */
export interface ModelValue {
  readonly kind: "model"
  readonly name: string
}

/** A finite set; `elements` are sorted and unique. */
export interface SetValue {
  readonly kind: "set"
  readonly elements: ReadonlyArray<Value>
}

/** A function, record, sequence or tuple; `entries` are sorted by key, and keys are unique. */
export interface FunctionValue {
  readonly kind: "function"
  readonly entries: ReadonlyArray<readonly [Value, Value]>
}

/** A TLA+ value in canonical form. A JavaScript string is a TLA+ string. */
export type Value = boolean | number | string | ModelValue | SetValue | FunctionValue

/** A text that is no TLA+ value, or a value that has not the shape its reader asked for. */
export class ValueError extends Data.TaggedError("ValueError")<{
  readonly message: string
  /** Index into the parsed text; absent when a finished value was read. */
  readonly position?: number
}> {}

// ---------------------------------------------------------------------------------------------------------------------
// Order
// ---------------------------------------------------------------------------------------------------------------------

const rank = (value: Value): number => {
  switch (typeof value) {
    case "boolean":
      return 0
    case "number":
      return 1
    case "string":
      return 2
    default:
      return value.kind === "model" ? 3 : value.kind === "set" ? 4 : 5
  }
}

/**
 * A total order on values, used only to make them canonical. It agrees with `<` on numbers and says nothing about TLA+
 * otherwise: TLA+ leaves the comparison of values of different kinds open.
 */
export const compare = (left: Value, right: Value): number => {
  if (left === right) return 0
  const kind = rank(left) - rank(right)
  if (kind !== 0) return kind
  if (typeof left !== "object" || typeof right !== "object") return left < right ? -1 : 1
  if (left.kind === "model" && right.kind === "model") {
    return left.name === right.name ? 0 : left.name < right.name ? -1 : 1
  }
  if (left.kind === "set" && right.kind === "set") {
    const shared = Math.min(left.elements.length, right.elements.length)
    for (let i = 0; i < shared; i++) {
      const order = compare(left.elements[i]!, right.elements[i]!)
      if (order !== 0) return order
    }
    return left.elements.length - right.elements.length
  }
  const a = (left as FunctionValue).entries
  const b = (right as FunctionValue).entries
  const shared = Math.min(a.length, b.length)
  for (let i = 0; i < shared; i++) {
    const order = compare(a[i]![0], b[i]![0]) || compare(a[i]![1], b[i]![1])
    if (order !== 0) return order
  }
  return a.length - b.length
}

/** TLA+ equality. */
export const equals = (left: Value, right: Value): boolean => compare(left, right) === 0

// ---------------------------------------------------------------------------------------------------------------------
// Constructors
// ---------------------------------------------------------------------------------------------------------------------

const emptyFunction: FunctionValue = { kind: "function", entries: [] }
const emptySet: SetValue = { kind: "set", elements: [] }

/** The model value of this name. */
export const model = (name: string): ModelValue => ({ kind: "model", name })

/** The set of these values, in any order and with any repetition. */
export const set = (values: ReadonlyArray<Value>): SetValue => {
  if (values.length === 0) return emptySet
  // TLC keeps its sets nearly sorted, so looking first saves most of the sorting.
  let strictlyAscending = true
  for (let i = 1; i < values.length && strictlyAscending; i++) {
    strictlyAscending = compare(values[i - 1]!, values[i]!) < 0
  }
  if (strictlyAscending) return { kind: "set", elements: values }
  const sorted = [...values].sort(compare)
  return { kind: "set", elements: sorted.filter((value, i) => i === 0 || compare(sorted[i - 1]!, value) !== 0) }
}

/** The function with these entries, in any order. Of two entries with one key the first wins, as with `@@`. */
export const func = (entries: ReadonlyArray<readonly [Value, Value]>): FunctionValue => {
  if (entries.length === 0) return emptyFunction
  let strictlyAscending = true
  for (let i = 1; i < entries.length && strictlyAscending; i++) {
    strictlyAscending = compare(entries[i - 1]![0], entries[i]![0]) < 0
  }
  if (strictlyAscending) return { kind: "function", entries }
  const sorted = [...entries].sort((a, b) => compare(a[0], b[0]))
  return {
    kind: "function",
    entries: sorted.filter((entry, i) => i === 0 || compare(sorted[i - 1]![0], entry[0]) !== 0)
  }
}

/** The sequence `<<values[0], values[1], …>>`. */
export const seq = (values: ReadonlyArray<Value>): FunctionValue =>
  values.length === 0 ? emptyFunction : { kind: "function", entries: values.map((value, i) => [i + 1, value] as const) }

/** The record with these fields. */
export const record = (fields: Readonly<Record<string, Value>>): FunctionValue => func(Object.entries(fields))

// ---------------------------------------------------------------------------------------------------------------------
// Readers. They throw ValueError: a wrong shape means that the reader and the specification disagree.
// ---------------------------------------------------------------------------------------------------------------------

const wrongShape = (expected: string, value: Value): never => {
  const text = print(value)
  throw new ValueError({
    message: `expected ${expected}, got ${text.length > 120 ? `${text.slice(0, 117)}...` : text}`
  })
}

const isFunction = (value: Value): value is FunctionValue => typeof value === "object" && value.kind === "function"

/** The value of a function at a key, or `undefined` where the key is outside the domain. */
export const lookup = (value: Value, key: Value): Value | undefined => {
  if (!isFunction(value)) return wrongShape("a function", value)
  const { entries } = value
  let low = 0
  let high = entries.length - 1
  while (low <= high) {
    const middle = (low + high) >> 1
    const order = compare(entries[middle]![0], key)
    if (order === 0) return entries[middle]![1]
    if (order < 0) low = middle + 1
    else high = middle - 1
  }
  return undefined
}

/** The field of a record; throws `ValueError` when there is none. */
export const field = (value: Value, name: string): Value => {
  if (isFunction(value)) {
    // Records have few fields: a scan with plain string comparison beats the search of `lookup`.
    for (const entry of value.entries) if (entry[0] === name) return entry[1]
  }
  return wrongShape(`a record with the field ${name}`, value)
}

/** The items of a sequence or tuple; throws `ValueError` when the domain is not `1..n`. */
export const sequence = (value: Value): ReadonlyArray<Value> => {
  if (!isFunction(value) || !hasSequenceDomain(value)) return wrongShape("a sequence", value)
  return value.entries.map((entry) => entry[1])
}

/** The elements of a set, sorted; throws `ValueError` for anything else. */
export const elements = (value: Value): ReadonlyArray<Value> =>
  typeof value === "object" && value.kind === "set" ? value.elements : wrongShape("a set", value)

/** Keys and values of a function, sorted by key; throws `ValueError` for anything else. */
export const entries = (value: Value): ReadonlyArray<readonly [Value, Value]> =>
  isFunction(value) ? value.entries : wrongShape("a function", value)

const hasSequenceDomain = (value: FunctionValue): boolean => {
  // Keys are sorted and unique: the ends decide, provided all between are numbers, which integers 1 and n imply.
  const last = value.entries.length
  return last === 0 || (value.entries[0]![0] === 1 && value.entries[last - 1]![0] === last)
}

// ---------------------------------------------------------------------------------------------------------------------
// Printer
// ---------------------------------------------------------------------------------------------------------------------

const escapes: Readonly<Record<string, string>> = {
  "\"": "\\\"",
  "\\": "\\\\",
  "\n": "\\n",
  "\t": "\\t",
  "\f": "\\f",
  "\r": "\\r"
}

const printString = (text: string): string => `"${text.replace(/["\\\n\t\f\r]/g, (c) => escapes[c]!)}"`

const fieldName = /^(?=.*[A-Za-z])[A-Za-z0-9_]+$/
const reservedWords = new Set(
  ("ACTION ASSUME ASSUMPTION AXIOM BY CASE CHOOSE CONSTANT CONSTANTS COROLLARY DEF DEFINE DEFS DOMAIN ELSE ENABLED EXCEPT "
    + "EXTENDS HAVE HIDE IF IN INSTANCE LAMBDA LEMMA LET LOCAL MODULE NEW OBVIOUS OMITTED ONLY OTHER PICK PROOF PROPOSITION "
    + "PROVE QED RECURSIVE SF_ STATE SUBSET SUFFICES TAKE TEMPORAL THEN THEOREM UNCHANGED UNION USE VARIABLE VARIABLES WF_ "
    + "WITH WITNESS TRUE FALSE BOOLEAN STRING").split(" ")
)

/** The canonical TLA+ text of a value: equal values have equal texts, and the text is a TLA+ expression. */
export const print = (value: Value): string => {
  switch (typeof value) {
    case "boolean":
      return value ? "TRUE" : "FALSE"
    case "number":
      return String(value)
    case "string":
      return printString(value)
    default:
      break
  }
  if (value.kind === "model") return value.name
  if (value.kind === "set") return `{${value.elements.map(print).join(", ")}}`
  const pairs = value.entries
  if (hasSequenceDomain(value)) return `<<${pairs.map((entry) => print(entry[1])).join(", ")}>>`
  if (pairs.every(([key]) => typeof key === "string" && fieldName.test(key) && !reservedWords.has(key))) {
    return `[${pairs.map(([key, item]) => `${key as string} |-> ${print(item)}`).join(", ")}]`
  }
  return `(${pairs.map(([key, item]) => `${print(key)} :> ${print(item)}`).join(" @@ ")})`
}

// ---------------------------------------------------------------------------------------------------------------------
// Parser: recursive descent over character codes. The cursor is module state because that is what makes it fast; nothing
// here is asynchronous, and `parseUnsafe` resets it.
// ---------------------------------------------------------------------------------------------------------------------

let source = ""
let cursor = 0

/** Longest interval that is expanded; beyond this, the text is more likely damaged than meant. */
const maxInterval = 1_000_000

const fail = (message: string, position: number): never => {
  const around = source.slice(Math.max(0, position - 20), position + 20)
  throw new ValueError({ message: `${message} at position ${position}, near ${JSON.stringify(around)}`, position })
}

/** Moves to the next character that is not white space and returns its code, or -1 at the end. */
const peek = (): number => {
  while (cursor < source.length) {
    const code = source.charCodeAt(cursor)
    if (code !== 32 && code !== 10 && code !== 13 && code !== 9) return code
    cursor++
  }
  return -1
}

const isWord = (code: number): boolean =>
  (code >= 97 && code <= 122) || (code >= 48 && code <= 57) || (code >= 65 && code <= 90) || code === 95

const readWord = (): string => {
  const start = cursor
  while (cursor < source.length && isWord(source.charCodeAt(cursor))) cursor++
  return source.slice(start, cursor)
}

const readNumber = (): number => {
  const start = cursor
  if (source.charCodeAt(cursor) === 45) cursor++
  let result = 0
  const digits = cursor
  for (; cursor < source.length; cursor++) {
    const digit = source.charCodeAt(cursor) - 48
    if (digit < 0 || digit > 9) break
    result = result * 10 + digit
  }
  if (cursor === digits) return fail("expected a number", start)
  return digits === start || result === 0 ? result : -result
}

const readString = (): string => {
  const start = cursor
  cursor++
  let decoded = ""
  let from = cursor
  for (; cursor < source.length; cursor++) {
    const code = source.charCodeAt(cursor)
    if (code === 34) {
      const text = decoded + source.slice(from, cursor)
      cursor++
      return text
    }
    if (code === 92) {
      decoded += source.slice(from, cursor)
      const next = source[++cursor]
      switch (next) {
        case "n":
          decoded += "\n"
          break
        case "t":
          decoded += "\t"
          break
        case "f":
          decoded += "\f"
          break
        case "r":
          decoded += "\r"
          break
        case "\"":
        case "\\":
          decoded += next
          break
        default:
          return fail("unknown escape in a string", cursor - 1)
      }
      from = cursor + 1
    }
  }
  return fail("string without an end", start)
}

/** Consumes `first second` when both are next; the codes are those of a two-character symbol. */
const accept = (first: number, second: number): boolean => {
  if (peek() !== first || source.charCodeAt(cursor + 1) !== second) return false
  cursor += 2
  return true
}

const readInterval = (low: number): Value => {
  const start = cursor
  if (!accept(46, 46)) return low
  peek()
  const high = readNumber()
  if (high - low >= maxInterval) return fail(`the interval ${low}..${high} is too long`, start)
  const numbers: Array<Value> = []
  for (let i = low; i <= high; i++) numbers.push(i)
  return numbers.length === 0 ? emptySet : { kind: "set", elements: numbers }
}

const readSet = (): Value => {
  cursor++
  if (peek() === 125) {
    cursor++
    return emptySet
  }
  const items: Array<Value> = []
  while (true) {
    items.push(readValue())
    const code = peek()
    cursor++
    if (code === 125) return set(items)
    if (code !== 44) return fail("expected , or } in a set", cursor - 1)
  }
}

const readSequence = (): Value => {
  if (!accept(60, 60)) return fail("expected <<", cursor)
  if (accept(62, 62)) return emptyFunction
  const pairs: Array<readonly [Value, Value]> = []
  while (true) {
    pairs.push([pairs.length + 1, readValue()])
    if (accept(62, 62)) return { kind: "function", entries: pairs }
    if (peek() !== 44) return fail("expected , or >> in a sequence", cursor)
    cursor++
  }
}

const readRecord = (): Value => {
  cursor++
  const pairs: Array<readonly [Value, Value]> = []
  while (true) {
    peek()
    const start = cursor
    const name = readWord()
    if (name === "") return fail("expected the name of a field", start)
    if (peek() !== 124 || source.charCodeAt(cursor + 1) !== 45 || source.charCodeAt(cursor + 2) !== 62) {
      return fail("expected |->", cursor)
    }
    cursor += 3
    pairs.push([name, readValue()])
    const code = peek()
    cursor++
    if (code === 93) return distinct(pairs, start)
    if (code !== 44) return fail("expected , or ] in a record", cursor - 1)
  }
}

const distinct = (pairs: ReadonlyArray<readonly [Value, Value]>, position: number): FunctionValue => {
  const result = func(pairs)
  return result.entries.length === pairs.length ? result : fail("a field is given twice", position)
}

const readPrimary = (): Value => {
  const code = peek()
  if (code === 34) return readString()
  if (code === 60) return readSequence()
  if (code === 123) return readSet()
  if (code === 91) return readRecord()
  if (code === 45) return readInterval(readNumber())
  if (code === 40) {
    cursor++
    const inner = readValue()
    if (peek() !== 41) return fail("expected )", cursor)
    cursor++
    return inner
  }
  if (code >= 48 && code <= 57) {
    const start = cursor
    const number = readNumber()
    // A model value may begin with digits, as in 1st.
    if (!isWord(source.charCodeAt(cursor))) return readInterval(number)
    cursor = start
  }
  const start = cursor
  const word = readWord()
  if (word === "TRUE") return true
  if (word === "FALSE") return false
  return word === "" ? fail(code === -1 ? "unexpected end" : "expected a value", start) : { kind: "model", name: word }
}

const readValue = (): Value => {
  const first = readOperand()
  if (peek() !== 64) return first
  const start = cursor
  const pairs: Array<readonly [Value, Value]> = []
  let operand = first
  while (true) {
    if (!isFunction(operand)) return fail("@@ needs functions", start)
    pairs.push(...operand.entries)
    if (!accept(64, 64)) return func(pairs)
    operand = readOperand()
  }
}

const readOperand = (): Value => {
  const key = readPrimary()
  return accept(58, 62) ? { kind: "function", entries: [[key, readPrimary()]] } : key
}

/** Parses one TLA+ value; throws `ValueError` with the position. */
export const parseUnsafe = (text: string): Value => {
  source = text
  cursor = 0
  const value = readValue()
  if (peek() !== -1) return fail("unexpected text after the value", cursor)
  return value
}

/** Parses one TLA+ value. White space outside strings does not matter. */
export const parse = (text: string): Result.Result<Value, ValueError> => {
  try {
    return Result.succeed(parseUnsafe(text))
  } catch (error) {
    if (error instanceof ValueError) return Result.fail(error)
    throw error
  }
}

/**
 * A parser that remembers texts, for state graphs: a step changes few variables, so most texts come again and again.
 * Equal texts give the same object. It forgets everything when `limit` texts are known, which bounds its memory.
 */
export const makeCachedParser = (limit = 200_000): (text: string) => Value => {
  const known = new Map<string, Value>()
  return (text) => {
    const hit = known.get(text)
    if (hit !== undefined) return hit
    const value = parseUnsafe(text)
    if (known.size >= limit) known.clear()
    known.set(text, value)
    return value
  }
}
