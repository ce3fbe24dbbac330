/**
 * Writes and reads messages by their definitions, in any version. This is what Kafka generates a class per message for.
 *
 * A definition is compiled once for each version. Writing follows Kafka: a field that the version does not have must
 * be left out, have its default, or be ignorable. It is stricter in two points: a field that is in every version and
 * has no default of its own must be given, and a field that there is not is refused. Reading gives every field, with
 * the default where the version does not have it; unknown tagged fields are passed over. Bytes that are read are views
 * of what they were read from.
 */
import { Result } from "effect"
import * as Bytes from "./Bytes.ts"
import * as Definition from "./Definition.ts"
import * as FieldType from "./FieldType.ts"
import * as InvalidMessage from "./InvalidMessage.ts"

const ZERO_UUID = "AAAAAAAAAAAAAAAAAAAAAA"

/** What a field that is left out stands for. Kafka's `FieldSpec.fieldDefault`. */
const defaultOf = (field: Definition.Field): unknown => {
  if (field.default !== undefined) return field.default
  if (field.type.startsWith("[]")) return Object.freeze([])
  if (field.fields !== undefined) return defaultsOf(field.fields)
  switch (field.type) {
    case "bool":
      return false
    case "string":
      return ""
    case "uuid":
      return ZERO_UUID
    case "bytes":
      return new Uint8Array()
    case "records":
      return null
    default:
      return 0
  }
}

const defaultsOf = (fields: Definition.Fields): object =>
  Object.freeze(Object.fromEntries(Object.entries(fields).map(([name, field]) => [name, defaultOf(field)])))

const isDefault = (value: unknown, field: Definition.Field): boolean => {
  if (value === undefined) return true
  const expected = defaultOf(field)
  if (value === expected) return true
  if (expected === null) return false
  if (Array.isArray(expected)) return Array.isArray(value) && value.length === 0
  if (expected instanceof Uint8Array) return value instanceof Uint8Array && value.length === 0
  const { fields } = field
  // What is no struct, or has fields of its own, is refused when it is written.
  if (fields === undefined || !FieldType.isStruct(value)) return false
  return Object.entries(value).every(([name, inner]) => Object.hasOwn(fields, name) && isDefault(inner, fields[name]!))
}

/** What `Definition.Input` says of untagged fields, for those who do not ask the compiler. */
const isRequired = ({ default: value, versions }: Definition.Field): boolean =>
  value === undefined && versions === undefined

const typeOf = (field: Definition.Field, version: number, flexible: boolean): FieldType.FieldType => {
  const compact = flexible && field.flexibleVersions === undefined
  const isNullable = Definition.isNullable(field, version)
  const isArray = field.type.startsWith("[]")
  if (!isArray && field.fields === undefined) return FieldType.primitive(field.type, compact, isNullable)
  const element = field.fields === undefined
    ? FieldType.primitive(field.type.slice(2), compact, false)
    : struct(field.fields, version, flexible)
  if (isArray) return FieldType.array(element, compact, isNullable)
  return isNullable ? FieldType.nullable(element) : element
}

/** A field of one version. */
interface Compiled {
  readonly name: string
  readonly field: Definition.Field
  readonly type: FieldType.FieldType
  readonly default: unknown
}

const struct = (fields: Definition.Fields, version: number, flexible: boolean): FieldType.FieldType => {
  const all = Object.entries(fields).map(([name, field]): Compiled => ({
    name,
    field,
    type: typeOf(field, version, flexible),
    default: defaultOf(field)
  }))
  const present = all.filter(({ field }) => Definition.isPresent(field, version))
  const absent = all.filter((one) => !present.includes(one))
  const untagged = present.filter(({ field }) => field.tag === undefined)
  const tagged = present.filter(({ field }) => field.tag !== undefined)
    .toSorted((one, other) => one.field.tag! - other.field.tag!)
  const byTag = new Map(tagged.map((one) => [one.field.tag!, one]))

  const refuseUnknown = (message: Readonly<Record<string, unknown>>): void => {
    for (const name in message) {
      if (!Object.hasOwn(fields, name)) throw FieldType.refuse("there is no such field", name)
    }
  }

  const refuseAbsent = (message: Readonly<Record<string, unknown>>): void => {
    for (const { field, name } of absent) {
      if (field.ignorable !== true && message[name] !== undefined && !isDefault(message[name], field)) {
        throw FieldType.refuse(`not in this version, only in ${field.versions}, and not its default`, name)
      }
    }
  }

  const writeTagged = (out: Bytes.Writer, message: Readonly<Record<string, unknown>>): void => {
    const given = tagged.filter(({ field, name }) => !isDefault(message[name], field))
    Bytes.writeUnsignedVarint(out, given.length)
    for (const { field, name, type } of given) {
      const value = Bytes.writer(64)
      try {
        type.write(value, message[name])
      } catch (cause) {
        throw FieldType.inside(cause, name)
      }
      Bytes.writeUnsignedVarint(out, field.tag!)
      Bytes.writeUnsignedVarint(out, value.position)
      Bytes.writeBytes(out, Bytes.written(value))
    }
  }

  const readTagged = (from: Bytes.Reader, message: Record<string, unknown>): void => {
    const count = Bytes.readUnsignedVarint(from)
    for (let index = 0; index < count; index++) {
      const tag = Bytes.readUnsignedVarint(from)
      const size = Bytes.readUnsignedVarint(from)
      const end = from.position + size
      const known = byTag.get(tag)
      if (known === undefined) {
        Bytes.skip(from, size)
        continue
      }
      try {
        message[known.name] = known.type.read(from)
      } catch (cause) {
        throw FieldType.inside(cause, known.name)
      }
      if (from.position !== end) {
        throw FieldType.refuse(`a tagged field of ${size} bytes with ${size + from.position - end} in it`, known.name)
      }
    }
  }

  return {
    write: (out, value) => {
      const message = FieldType.structOf(value)
      refuseUnknown(message)
      refuseAbsent(message)
      let index = 0
      try {
        for (; index < untagged.length; index++) {
          const { default: value, field, name, type } = untagged[index]!
          const given = message[name]
          if (given === undefined && isRequired(field)) throw FieldType.refuse("missing, and has no default")
          type.write(out, given === undefined ? value : given)
        }
      } catch (cause) {
        throw FieldType.inside(cause, untagged[index]!.name)
      }
      if (flexible) writeTagged(out, message)
    },
    read: (from) => {
      // Every message has its fields in the same order, and so the same hidden class.
      const message: Record<string, unknown> = {}
      for (const { default: value, name } of all) message[name] = value
      let index = 0
      try {
        for (; index < untagged.length; index++) message[untagged[index]!.name] = untagged[index]!.type.read(from)
      } catch (cause) {
        throw FieldType.inside(cause, untagged[index]!.name)
      }
      if (flexible) readTagged(from, message)
      return message
    }
  }
}

const compiledOf = new WeakMap<Definition.Fields, Map<number, FieldType.FieldType>>()

const compiled = (
  { fields, flexible, name, versions: [first, last] }: Definition.Definition,
  version: number
): FieldType.FieldType => {
  const known = compiledOf.get(fields)
  const found = known?.get(version)
  if (found !== undefined) return found
  if (!Number.isInteger(version) || version < first || version > last) {
    throw FieldType.refuse(`${name} has versions ${first} to ${last}`)
  }
  const made = struct(fields, version, version >= flexible)
  compiledOf.set(fields, (known ?? new Map<number, FieldType.FieldType>()).set(version, made))
  return made
}

const attempt = <A>(
  definition: Definition.Definition,
  version: number,
  body: () => A
): Result.Result<A, InvalidMessage.InvalidMessage> => {
  try {
    return Result.succeed(body())
  } catch (cause) {
    const { path, reason } = FieldType.caught(cause)
    return Result.fail(InvalidMessage.make(definition, version, FieldType.textOf(path), reason))
  }
}

/** Room for most messages; it doubles from here. */
const INITIAL_CAPACITY = 256

/** Writes a message behind what has been written. */
export const write = <F extends Definition.Fields>(
  out: Bytes.Writer,
  definition: Definition.Definition<F>,
  version: number,
  message: Definition.Input<F>
): Result.Result<void, InvalidMessage.InvalidMessage> =>
  attempt(definition, version, () => compiled(definition, version).write(out, message))

/** Reads a message, after which more may come. */
export const read = <F extends Definition.Fields>(
  from: Bytes.Reader,
  definition: Definition.Definition<F>,
  version: number
): Result.Result<Definition.Message<F>, InvalidMessage.InvalidMessage> =>
  attempt(definition, version, () => compiled(definition, version).read(from) as Definition.Message<F>)

/** The bytes of a message, without any header. */
export const encode = <F extends Definition.Fields>(
  definition: Definition.Definition<F>,
  version: number,
  message: Definition.Input<F>
): Result.Result<Uint8Array, InvalidMessage.InvalidMessage> => {
  const out = Bytes.writer(INITIAL_CAPACITY)
  return Result.map(write(out, definition, version, message), () => Bytes.written(out))
}

/** Reads bytes that are one message, to their end. */
export const decode = <F extends Definition.Fields>(
  definition: Definition.Definition<F>,
  version: number,
  bytes: Uint8Array
): Result.Result<Definition.Message<F>, InvalidMessage.InvalidMessage> => {
  const from = Bytes.reader(bytes)
  return Result.flatMap(read(from, definition, version), (message) => {
    const remaining = from.end - from.position
    return remaining === 0
      ? Result.succeed(message)
      : Result.fail(InvalidMessage.make(definition, version, "", `${remaining} bytes remain after it`))
  })
}
