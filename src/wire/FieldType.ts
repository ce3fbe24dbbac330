/**
 * How the values of fields lie in messages. Kafka's `Type`:
 *
 *     STRING         int16 length, UTF-8            COMPACT_STRING   unsigned varint length + 1, UTF-8
 *     BYTES, RECORDS int32 length, bytes            COMPACT_BYTES    unsigned varint length + 1, bytes
 *     ARRAY          int32 length, elements         COMPACT_ARRAY    unsigned varint length + 1, elements
 *     STRUCT         the fields                     nullable: int8 1 and the fields, or -1
 *
 * A length of -1, which is 0 where it is compact, is null. Inside this room values are of unknown type until they are
 * written; what is wrong with them is thrown as a `FieldError`, which gathers the path to the field on its way out.
 */
import { Data } from "effect"
import * as Bytes from "./Bytes.ts"
import type { Primitives } from "./Definition.ts"

/** Of no interest outside: `Message` makes an `InvalidMessage` of it. */
export class FieldError extends Data.TaggedError("FieldError")<{
  /** Names of fields and indices of elements, outermost first. It grows at its front on the way out. */
  readonly path: Array<string | number>
  readonly reason: string
}> {}

export interface FieldType {
  readonly write: (out: Bytes.Writer, value: unknown) => void
  readonly read: (from: Bytes.Reader) => unknown
}

export const refuse = (reason: string, ...path: Array<string>): FieldError => new FieldError({ path, reason })

/** What was thrown for a wrong value or wrong bytes; anything else is a mistake of this room, and thrown on. */
export const caught = (cause: unknown): FieldError => {
  if (cause instanceof FieldError) return cause
  if (cause instanceof Bytes.MalformedError) return refuse(`at byte ${cause.position}, ${cause.message}`)
  throw cause
}

/** The same, from outside the field or the element that this is the name or the index of. */
export const inside = (cause: unknown, segment: string | number): FieldError => {
  const error = caught(cause)
  error.path.unshift(segment)
  return error
}

/** `topicData[0].name`. */
export const textOf = (path: ReadonlyArray<string | number>): string =>
  path.map((segment, index) => typeof segment === "number" ? `[${segment}]` : index === 0 ? segment : `.${segment}`)
    .join("")

/** A value, for a person who looks for a mistake. */
const show = (value: unknown): string => {
  if (value instanceof Uint8Array) return `${value.length} bytes`
  if (Array.isArray(value)) return `an array of ${value.length}`
  if (typeof value === "string") return JSON.stringify(value.length > 40 ? `${value.slice(0, 40)}…` : value)
  return typeof value === "object" && value !== null ? "an object" : String(value)
}

const expected = (what: string, value: unknown): FieldError => refuse(`${what} expected, ${show(value)} found`)

const integer = (
  name: string,
  min: number,
  max: number,
  write: (out: Bytes.Writer, value: number) => void,
  read: (from: Bytes.Reader) => number
): FieldType => ({
  write: (out, value) => {
    if (!Number.isInteger(value) || (value as number) < min || (value as number) > max) throw expected(name, value)
    write(out, value as number)
  },
  read
})

const bool: FieldType = {
  write: (out, value) => {
    if (typeof value !== "boolean") throw expected("a bool", value)
    Bytes.writeInt8(out, value ? 1 : 0)
  },
  // Any byte but 0 is true. `Type.BOOLEAN`.
  read: (from) => Bytes.readInt8(from) !== 0
}

const float64: FieldType = {
  write: (out, value) => {
    if (typeof value !== "number") throw expected("a float64", value)
    Bytes.writeFloat64(out, value)
  },
  read: Bytes.readFloat64
}

const UUID_SIZE = 16

const uuid: FieldType = {
  write: (out, value) => {
    const bytes = typeof value === "string" ? Buffer.from(value, "base64url") : undefined
    // The decoder passes over what is not base64.
    if (bytes?.length !== UUID_SIZE || bytes.toString("base64url") !== value) throw expected("a uuid in base64", value)
    Bytes.writeBytes(out, bytes)
  },
  read: (from) => {
    const bytes = Bytes.readBytes(from, UUID_SIZE)
    return Buffer.from(bytes.buffer, bytes.byteOffset, UUID_SIZE).toString("base64url")
  }
}

interface Length {
  /** -1 for null. */
  readonly write: (out: Bytes.Writer, length: number) => void
  readonly read: (from: Bytes.Reader) => number
}

const int16Length: Length = { write: Bytes.writeInt16, read: Bytes.readInt16 }
const int32Length: Length = { write: Bytes.writeInt32, read: Bytes.readInt32 }
const compactLength: Length = {
  write: (out, length) => Bytes.writeUnsignedVarint(out, length + 1),
  read: (from) => Bytes.readUnsignedVarint(from) - 1
}

/** Reads a length; -1 for null. Each element needs a byte at least, so no more can be there than bytes are left. */
const readLength = (from: Bytes.Reader, length: Length, nullable: boolean): number => {
  const at = from.position
  const found = length.read(from)
  if (found < 0 && !nullable) throw refuse(`at byte ${at}, null, which is not allowed here`)
  if (found > from.end - from.position) {
    throw refuse(`at byte ${at}, length ${found}, and ${from.end - from.position} bytes there`)
  }
  return found
}

const encoder = new TextEncoder()
// What begins with a byte order mark keeps it.
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true })
/** In bytes, also where the length could say more. */
const LONGEST_STRING = 0x7fff

const text = (bytes: Uint8Array): string => {
  try {
    return decoder.decode(bytes)
  } catch {
    throw refuse("a string that is no UTF-8")
  }
}

const writeNull = (out: Bytes.Writer, length: Length, nullable: boolean): void => {
  if (!nullable) throw refuse("null is not allowed here")
  length.write(out, -1)
}

const string = (compact: boolean, nullable: boolean): FieldType => {
  const length = compact ? compactLength : int16Length
  return {
    write: (out, value) => {
      if (value === null) return writeNull(out, length, nullable)
      if (typeof value !== "string") throw expected("a string", value)
      if (!value.isWellFormed()) throw refuse("a string with half of a surrogate pair")
      const bytes = encoder.encode(value)
      if (bytes.length > LONGEST_STRING) {
        throw refuse(`a string of ${bytes.length} bytes, and ${LONGEST_STRING} are the most`)
      }
      length.write(out, bytes.length)
      Bytes.writeBytes(out, bytes)
    },
    read: (from) => {
      const found = readLength(from, length, nullable)
      if (found > LONGEST_STRING) throw refuse(`a string of ${found} bytes, and ${LONGEST_STRING} are the most`)
      return found < 0 ? null : text(Bytes.readBytes(from, found))
    }
  }
}

const bytes = (compact: boolean, nullable: boolean): FieldType => {
  const length = compact ? compactLength : int32Length
  return {
    write: (out, value) => {
      if (value === null) return writeNull(out, length, nullable)
      if (!(value instanceof Uint8Array)) throw expected("a Uint8Array", value)
      length.write(out, value.length)
      Bytes.writeBytes(out, value)
    },
    read: (from) => {
      const found = readLength(from, length, nullable)
      return found < 0 ? null : Bytes.readBytes(from, found)
    }
  }
}

const primitives: { readonly [Name in keyof Primitives]: (compact: boolean, nullable: boolean) => FieldType } = {
  bool: () => bool,
  int8: () => integer("an int8", -0x80, 0x7f, Bytes.writeInt8, Bytes.readInt8),
  int16: () => integer("an int16", -0x8000, 0x7fff, Bytes.writeInt16, Bytes.readInt16),
  uint16: () => integer("a uint16", 0, 0xffff, Bytes.writeInt16, (from) => Bytes.readInt16(from) & 0xffff),
  int32: () => integer("an int32", -0x8000_0000, 0x7fff_ffff, Bytes.writeInt32, Bytes.readInt32),
  int64: () =>
    integer(
      "an int64 below 2^53",
      Number.MIN_SAFE_INTEGER,
      Number.MAX_SAFE_INTEGER,
      Bytes.writeInt64,
      Bytes.readInt64
    ),
  float64: () => float64,
  string,
  uuid: () => uuid,
  bytes,
  records: bytes
}

/** The type of this name, in the classic form or in that of flexible versions. */
export const primitive = (name: string, compact: boolean, nullable: boolean): FieldType =>
  primitives[name as keyof Primitives](compact, nullable)

export const array = (element: FieldType, compact: boolean, nullable: boolean): FieldType => {
  const length = compact ? compactLength : int32Length
  return {
    write: (out, value) => {
      if (value === null) return writeNull(out, length, nullable)
      if (!Array.isArray(value)) throw expected("an array", value)
      length.write(out, value.length)
      let index = 0
      try {
        for (; index < value.length; index++) element.write(out, value[index])
      } catch (cause) {
        throw inside(cause, index)
      }
    },
    read: (from) => {
      const count = readLength(from, length, nullable)
      if (count < 0) return null
      const found: Array<unknown> = []
      try {
        while (found.length < count) found.push(element.read(from))
      } catch (cause) {
        throw inside(cause, found.length)
      }
      return found
    }
  }
}

const PRESENT = 1
const ABSENT = -1

/** A struct that may be null. Any negative byte is null, any other one not; Kafka's generated classes. */
export const nullable = (struct: FieldType): FieldType => ({
  write: (out, value) => {
    Bytes.writeInt8(out, value === null ? ABSENT : PRESENT)
    if (value !== null) struct.write(out, value)
  },
  read: (from) => Bytes.readInt8(from) < 0 ? null : struct.read(from)
})

/** Whether a value can be a struct, by the names of its fields. */
export const isStruct = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof Uint8Array)

/** A value that should be a struct. */
export const structOf = (value: unknown): Readonly<Record<string, unknown>> => {
  if (!isStruct(value)) throw value === null ? refuse("null is not allowed here") : expected("an object", value)
  return value
}
