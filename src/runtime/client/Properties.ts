/**
 * Configuration by Kafka's property names: a table says which there are and what each may be, and a plain object is
 * decoded by it. Values are strings, as in a `.properties` file, or typed.
 *
 * A name that the table does not have is refused, with what was probably meant. What properties mean together is the
 * matter of whose properties they are.
 */
import { Data, Result, Schema, SchemaTransformation } from "effect"
import { closestMatch } from "leven"

/** A configuration that is refused. The message says what is wrong and how to mend it. */
export class ConfigException extends Data.TaggedError("ConfigException")<{
  readonly property: string
  /** As it was given, or the default. */
  readonly value: unknown
  readonly message: string
}> {}

export interface Property<A> {
  readonly schema: Schema.ConstraintDecoder<A>
  /** What the schema takes, to complete "expected …". */
  readonly expected: string
  readonly default: A
}

/** Properties by name. */
export type Table = Readonly<Record<string, Property<unknown>>>

type Value<P> = P extends Property<infer A> ? A : never

/** What is decoded by a table. */
export type Values<T extends Table> = { readonly [Name in keyof T]: Value<T[Name]> }

/** What can be given for a table: everything has a default. */
export type Given<T extends Table> = { readonly [Name in keyof T]?: Value<T[Name]> | string | undefined }

/**
 * What is said about a name that the table does not have although Kafka or another client has it, or had it once. A name
 * that ends with a dot stands for all that begin with it.
 */
export type Absent = Readonly<Record<string, string>>

const show = (value: unknown): string => {
  switch (typeof value) {
    case "string":
      return `"${value}"`
    case "function":
      return "a function"
    case "object":
      return value === null ? "null" : "an object"
    default:
      return String(value)
  }
}

/** A refusal in the form that all have. */
export const refuse = (property: string, value: unknown, problem: string): ConfigException =>
  new ConfigException({ property, value, message: `${property} = ${show(value)}: ${problem}` })

/** What is written out in a `.properties` file. */
const written = <A extends number | boolean>(form: RegExp, schema: Schema.Codec<A>, read: (text: string) => A) =>
  Schema.String.check(Schema.isPattern(form)).pipe(
    Schema.decodeTo(schema, SchemaTransformation.transform({ decode: read, encode: String }))
  )

const writtenInteger = written(/^\s*[+-]?\d+\s*$/, Schema.Int, Number)
const writtenBoolean = written(/^\s*(true|false)\s*$/i, Schema.Boolean, (text) => /true/i.test(text))

/** The largest of Kafka's type INT. */
export const maxInt = 2147483647

/** The largest of its type LONG that counts exactly here. */
export const maxLong = Number.MAX_SAFE_INTEGER

interface Range {
  readonly minimum: number
  readonly maximum: number
}

const expectedOf = ({ maximum, minimum }: Range): string =>
  maximum === maxLong ? `an integer from ${minimum}` : `an integer from ${minimum} to ${maximum}`

export const integer = (options: Range & { readonly default: number }): Property<number> => ({
  schema: Schema.Union([Schema.Int, writtenInteger]).check(Schema.isBetween(options)),
  expected: expectedOf(options),
  default: options.default
})

export const boolean = (options: { readonly default: boolean }): Property<boolean> => ({
  schema: Schema.Union([Schema.Boolean, writtenBoolean]),
  expected: "true or false",
  default: options.default
})

/** One of some words, without regard to the space around it. */
export const oneOf = <const Word extends string>(
  words: ReadonlyArray<Word>,
  options: { readonly default: Word }
): Property<Word> => ({
  schema: Schema.Trim.pipe(Schema.decodeTo(Schema.Literals(words))),
  expected: `one of ${words.join(", ")}`,
  default: options.default
})

/** A name as Kafka writes it: lower case, with dots between its parts. */
const normalize = (name: string): string =>
  name.replace(/([a-z])([A-Z])/g, "$1.$2").toLowerCase().replace(/[_\s-]+/g, ".").replace(/\.config$/, "")

/** The name that was probably meant: the nearest, unless that is far away. */
export const nearest = (name: string, known: ReadonlyArray<string>): string | undefined => {
  const meant = normalize(name)
  return closestMatch(meant, known, { maxDistance: Math.max(2, Math.floor(meant.length / 4)) })
}

const reasonOf = (absent: Absent, name: string): string | undefined =>
  Object.hasOwn(absent, name)
    ? absent[name]
    : Object.entries(absent).find(([beginning]) => beginning.endsWith(".") && name.startsWith(beginning))?.[1]

const unknown = (table: Table, absent: Absent, name: string, value: unknown): ConfigException => {
  const reason = reasonOf(absent, name)
  if (reason !== undefined) return refuse(name, value, reason)
  const known = Object.keys(table)
  const meant = nearest(name, known)
  return refuse(
    name,
    value,
    meant === undefined
      ? `there is no such property. There are ${known.join(", ")}`
      : `there is no such property. Did you mean "${meant}"?`
  )
}

/** Whether a value is given: `undefined` is none, and so is Java's `null`. */
export const isGiven = (given: Readonly<Record<string, unknown>>, name: string): boolean =>
  given[name] !== undefined && given[name] !== null

/**
 * Decodes what is given, and puts in the defaults. Names are looked at first, in the order in which they are given, then
 * values in the order of the table; the first error is the one that is told.
 */
export const decode = <T extends Table>(
  table: T,
  absent: Absent,
  given: Readonly<Record<string, unknown>>
): Result.Result<Values<T>, ConfigException> => {
  for (const [name, value] of Object.entries(given)) {
    if (!Object.hasOwn(table, name)) return Result.fail(unknown(table, absent, name, value))
  }
  const values: Record<string, unknown> = {}
  for (const [name, property] of Object.entries<Property<unknown>>(table)) {
    if (!isGiven(given, name)) {
      values[name] = property.default
      continue
    }
    const decoded = Schema.decodeUnknownResult(property.schema)(given[name])
    if (Result.isFailure(decoded)) return Result.fail(refuse(name, given[name], `expected ${property.expected}`))
    values[name] = decoded.success
  }
  return Result.succeed(values as Values<T>)
}
