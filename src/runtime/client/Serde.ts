/**
 * How keys and values become bytes, and bytes keys and values: functions, or a Schema. Kafka's `Serde`.
 *
 * `null` is no key or no value, and never asks a serializer.
 */
import { Data, Result, Schema } from "effect"

/** A key or value that does not become bytes, or bytes that become none. Kafka's `SerializationException`. */
export class SerializationError extends Data.TaggedError("SerializationError")<{
  readonly topic: string
  readonly part: "key" | "value"
  readonly cause: unknown
}> {
  override get message() {
    const reason = this.cause instanceof Error ? this.cause.message : String(this.cause)
    return `the ${this.part} of a record for ${this.topic}: ${reason}`
  }
}

/** A failure is what went wrong, in whatever form. */
export interface Serializer<in A> {
  readonly serialize: (value: A, topic: string) => Result.Result<Uint8Array, unknown>
}

export interface Deserializer<out A> {
  readonly deserialize: (bytes: Uint8Array, topic: string) => Result.Result<A, unknown>
}

export interface Serde<in out A> extends Serializer<A>, Deserializer<A> {}

/** A function, which may throw. */
export const serializer = <A>(serialize: (value: A, topic: string) => Uint8Array): Serializer<A> => ({
  serialize: (value, topic) => Result.try({ try: () => serialize(value, topic), catch: (cause) => cause })
})

/** A function, which may throw. */
export const deserializer = <A>(deserialize: (bytes: Uint8Array, topic: string) => A): Deserializer<A> => ({
  deserialize: (bytes, topic) => Result.try({ try: () => deserialize(bytes, topic), catch: (cause) => cause })
})

/** Small texts share memory, which makes this several times as fast as a `TextEncoder`. */
const utf8 = (text: string): Uint8Array => Buffer.from(text, "utf8")

// What begins with a byte order mark keeps it, and what is not UTF-8 is an error.
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true })

/** The bytes themselves, not copied. */
export const bytes: Serde<Uint8Array> = { serialize: Result.succeed, deserialize: Result.succeed }

/** UTF-8. */
export const string: Serde<string> = {
  serialize: (text) => Result.succeed(utf8(text)),
  ...deserializer((bytes) => decoder.decode(bytes))
}

/** What a Schema encodes as text, in UTF-8. */
export const text = <A>(schema: Schema.Codec<A, string>): Serde<A> => {
  const encode = Schema.encodeResult(schema)
  const decode = Schema.decodeResult(schema)
  return {
    serialize: (value) => Result.map(encode(value), utf8),
    deserialize: (bytes) => Result.flatMap(string.deserialize(bytes, ""), decode)
  }
}

/** What a Schema describes, as JSON. */
export const json = <A, I>(schema: Schema.Codec<A, I>): Serde<A> =>
  text(Schema.fromJsonString(Schema.toCodecJson(schema)))

/** Serializes what may be absent. */
export const serialize = <A>(
  by: Serializer<A>,
  topic: string,
  part: "key" | "value",
  value: A | null
): Result.Result<Uint8Array | null, SerializationError> =>
  value === null
    ? Result.succeed(null)
    : Result.mapError(by.serialize(value, topic), (cause) => new SerializationError({ topic, part, cause }))

/** Deserializes what may be absent. */
export const deserialize = <A>(
  by: Deserializer<A>,
  topic: string,
  part: "key" | "value",
  present: Uint8Array | null
): Result.Result<A | null, SerializationError> =>
  present === null
    ? Result.succeed(null)
    : Result.mapError(by.deserialize(present, topic), (cause) => new SerializationError({ topic, part, cause }))
