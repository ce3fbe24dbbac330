/** Messages of any definition and version, to write, and as they are read again. */
import * as fc from "fast-check"
import { Definition } from "../../../src/wire/index.ts"

export type Values = Readonly<Record<string, unknown>>

/** What goes in, and what must come out. */
export interface Example {
  readonly input: unknown
  readonly output: unknown
}

const ZERO_UUID = "AAAAAAAAAAAAAAAAAAAAAA"

/** What Kafka's documentation of message definitions says of fields that are left out. */
const defaultOf = ({ default: value, fields, type }: Definition.Field): unknown => {
  if (value !== undefined) return value
  if (type.startsWith("[]")) return []
  if (fields !== undefined) {
    return Object.fromEntries(Object.entries(fields).map(([name, one]) => [name, defaultOf(one)]))
  }
  const byType: Values = { bool: false, string: "", uuid: ZERO_UUID, bytes: new Uint8Array(), records: null }
  return type in byType ? byType[type] : 0
}

const bytes = fc.uint8Array({ maxLength: 300 })

const primitives: { readonly [Name in keyof Definition.Primitives]: fc.Arbitrary<unknown> } = {
  bool: fc.boolean(),
  int8: fc.integer({ min: -0x80, max: 0x7f }),
  int16: fc.integer({ min: -0x8000, max: 0x7fff }),
  uint16: fc.integer({ min: 0, max: 0xffff }),
  int32: fc.integer(),
  int64: fc.maxSafeInteger(),
  float64: fc.double({ noNaN: true }),
  string: fc.oneof(
    { weight: 9, arbitrary: fc.string({ unit: "binary" }) },
    // Lengths that take a second and a third byte.
    { weight: 1, arbitrary: fc.integer({ min: 126, max: 32_767 }).map((length) => "x".repeat(length)) }
  ),
  uuid: fc.uint8Array({ minLength: 16, maxLength: 16 }).map((one) => Buffer.from(one).toString("base64url")),
  bytes,
  records: bytes
}

/** What some fields should be instead, by their names; undefined to leave them out. */
export type Instead = Readonly<Record<string, unknown>>

const primitive = (type: string): fc.Arbitrary<Example> =>
  primitives[type as keyof Definition.Primitives].map((value) => ({ input: value, output: value }))

const elements = (one: fc.Arbitrary<Example>): fc.Arbitrary<Example> =>
  fc.array(one, { maxLength: 3 }).map((several) => ({
    input: several.map(({ input }) => input),
    output: several.map(({ output }) => output)
  }))

const given = (field: Definition.Field, version: number, instead: Instead): fc.Arbitrary<Example> => {
  const { fields, type } = field
  const isArray = type.startsWith("[]")
  const element = fields === undefined ? primitive(isArray ? type.slice(2) : type) : message(fields, version, instead)
  const value = isArray ? elements(element) : element
  return Definition.isNullable(field, version)
    ? fc.oneof({ weight: 3, arbitrary: value }, { weight: 1, arbitrary: fc.constant({ input: null, output: null }) })
    : value
}

/** A field of a message; `input` is undefined where it is left out. */
const member = (name: string, field: Definition.Field, version: number, instead: Instead): fc.Arbitrary<Example> => {
  const value = defaultOf(field)
  const omitted = fc.constant({ input: undefined, output: value })
  if (!Definition.isPresent(field, version)) {
    const spelled = fc.constant({ input: value, output: value })
    // A version drops what it does not have, if that may be.
    return field.ignorable === true && field.fields === undefined && !field.type.startsWith("[]")
      ? fc.oneof(omitted, spelled, primitive(field.type).map(({ input }) => ({ input, output: value })))
      : fc.oneof(omitted, spelled)
  }
  if (name in instead) return fc.constant({ input: instead[name], output: instead[name] ?? value })
  const some = given(field, version, instead)
  return field.default === undefined && field.tag === undefined && field.versions === undefined
    ? some
    : fc.oneof({ weight: 3, arbitrary: some }, { weight: 1, arbitrary: omitted })
}

/** Messages of a version. */
export const message = (
  fields: Definition.Fields,
  version: number,
  instead: Instead = {}
): fc.Arbitrary<{ readonly input: Values; readonly output: Values }> => {
  const entries = Object.entries(fields)
  return fc.tuple(...entries.map(([name, field]) => member(name, field, version, instead))).map((examples) => {
    const named = examples.map((example, index) => ({ name: entries[index]![0], ...example }))
    return {
      input: Object.fromEntries(named.flatMap(({ input, name }) => input === undefined ? [] : [[name, input]])),
      output: Object.fromEntries(named.map(({ name, output }) => [name, output]))
    }
  })
}

/** Every version, from the first on. */
export const versionsOf = ({ versions: [first, last] }: Definition.Definition): ReadonlyArray<number> =>
  Array.from({ length: last - first + 1 }, (_, index) => first + index)
