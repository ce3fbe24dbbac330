/**
 * What a message of Kafka's protocol is, as data: the fields of a request, a response or a header, in the order in
 * which they are written, and the versions that have them. The tables in `messages/` are made from Kafka's own
 * definitions.
 *
 * The types of messages are derived from the tables. Names are Kafka's.
 */

/** `[first, last]` that there are. */
export type Versions = readonly [first: number, last: number]

export interface Field {
  /** A primitive type; the name of a struct, which has `fields`; or `[]` and either of the two. */
  readonly type: string
  /** `"3+"`, `"0-5"` or `"4"`; without it, every version of the message or struct around it. */
  readonly versions?: string
  /** Where null is allowed; `true` for wherever the field is. */
  readonly nullable?: true | string
  /** The number of a field that is written behind the others, and only where it differs from its default. */
  readonly tag?: number
  /**
   * What stands for a field that is left out; without it, 0, false, or what is empty. Infinity is the largest int64, which
   * no number is; it is the default of one tagged field, and so never written.
   */
  readonly default?: boolean | number | string | null
  /** A version that does not have the field may drop its value. */
  readonly ignorable?: true
  /** Never in the compact form of flexible versions: the client id of a header. */
  readonly flexibleVersions?: "none"
  /** Of a struct. */
  readonly fields?: Fields
}

export interface Fields {
  readonly [name: string]: Field
}

/** A request, a response or a header. */
export interface Definition<F extends Fields = Fields> {
  readonly name: string
  readonly versions: Versions
  /** The first version with compact lengths and tagged fields. */
  readonly flexible: number
  readonly fields: F
}

export interface Api<Name extends string = string, Request extends Fields = Fields, Response extends Fields = Fields> {
  readonly name: Name
  readonly key: number
  /** A broker serves the last version only where unstable versions are switched on. */
  readonly latestVersionUnstable?: true
  readonly request: Definition<Request>
  readonly response: Definition<Response>
}

export interface Primitives {
  readonly bool: boolean
  readonly int8: number
  readonly int16: number
  readonly uint16: number
  readonly int32: number
  /** A safe integer. */
  readonly int64: number
  readonly float64: number
  readonly string: string
  /** As Kafka prints it: 22 characters of base64. */
  readonly uuid: string
  readonly bytes: Uint8Array
  /** Record batches, one behind the other. */
  readonly records: Uint8Array
}

type Nullable<F extends Field, Value> = F extends { readonly nullable: true | string } ? Value | null : Value

type Repeated<F extends Field, Element> = F["type"] extends `[]${string}` ? ReadonlyArray<Element> : Element

type Primitive<Type extends string> = Type extends `[]${infer Element}` ? Primitive<Element>
  : Type extends keyof Primitives ? Primitives[Type]
  : never

type Value<F extends Field> = Nullable<
  F,
  Repeated<F, F extends { readonly fields: infer Inner extends Fields } ? Message<Inner> : Primitive<F["type"]>>
>

/** A message that has been read. What its version does not have, has its default. */
export type Message<F extends Fields> = { readonly [Name in keyof F]: Value<F[Name]> }

type InputValue<F extends Field> = Nullable<
  F,
  Repeated<F, F extends { readonly fields: infer Inner extends Fields } ? Input<Inner> : Primitive<F["type"]>>
>

/** The fields that can be left out: they have a default, a tag, or are not in every version. */
type Optional<F extends Fields> = {
  [Name in keyof F]: F[Name] extends { readonly default: unknown } | { readonly tag: number } | {
    readonly versions: string
  } ? Name
    : never
}[keyof F]

/** A message to write. */
export type Input<F extends Fields> =
  & { readonly [Name in Exclude<keyof F, Optional<F>>]: InputValue<F[Name]> }
  & { readonly [Name in Optional<F>]?: InputValue<F[Name]> }

/** `[first, last]` of versions in Kafka's notation, the last perhaps infinite. */
export const parseVersions = (versions: string): Versions => {
  const [first, last] = versions.endsWith("+") ? [versions.slice(0, -1), Infinity] : versions.split("-")
  return [Number(first), Number(last ?? first)]
}

/** Whether a field is in a version, of a message or struct that is. */
export const isPresent = ({ versions }: Field, version: number): boolean => {
  if (versions === undefined) return true
  const [first, last] = parseVersions(versions)
  return first <= version && version <= last
}

/** Whether a field may be null in a version that has it. */
export const isNullable = ({ nullable }: Field, version: number): boolean =>
  nullable === true || (nullable !== undefined && isPresent({ type: "", versions: nullable }, version))
