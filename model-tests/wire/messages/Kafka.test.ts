import { assert, describe, it } from "@effect/vitest"
import { Result } from "effect"
import { Definition, Frame, FrameSplitter, Messages } from "../../../src/wire/index.ts"
import { type Fixture, fixtures, frameOf } from "./frames.ts"

type Shown = Fixture["value"]

const CLIENT_ID = "größe €𝄞"

const show = (value: unknown, field: Definition.Field, version: number): unknown =>
  value === null
    ? null
    : Array.isArray(value)
    ? value.map((one) => show(one, { ...field, type: field.type.slice(2) }, version))
    : field.fields !== undefined
    ? shownMessage(value as Shown, field.fields, version)
    : value instanceof Uint8Array
    ? Buffer.from(value).toString("base64")
    : value

/** What we have read, as Kafka shows it. */
const shownMessage = (message: Shown, fields: Definition.Fields, version: number): Shown => {
  assert.sameMembers(Object.keys(message), Object.keys(fields))
  return Object.fromEntries(
    Object.entries(fields).filter(([, field]) => Definition.isPresent(field, version)).flatMap(([name, field]) => {
      const value = message[name]
      if (field.type === "records" && value instanceof Uint8Array) {
        assert.isTrue(value.every((byte, index) => byte === index % 256))
        return [[`${name}SizeInBytes`, value.length]]
      }
      return [[name, show(value, field, version)]]
    })
  )
}

/** Kafka does not show tagged fields that have their default. */
const withoutDefaults = (shown: Shown, defaults: Shown, fields: Definition.Fields): Shown =>
  Object.fromEntries(
    Object.entries(shown).filter(([name]) => fields[name]?.tag === undefined || defaults[name] !== undefined)
  )

const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString("base64")

/** Without the size, which is checked. */
const payloadOf = (fixture: Fixture): Uint8Array => {
  const { frames, invalid } = FrameSplitter.push(FrameSplitter.make(), frameOf(fixture))
  assert.strictEqual(invalid, undefined)
  assert.strictEqual(frames.length, 1)
  return frames[0]!
}

for (const api of Messages.apis as ReadonlyArray<Definition.Api>) {
  describe(`frames of ${api.name} that Kafka sends`, () => {
    const of = ({ name }: Definition.Definition): ReadonlyArray<Fixture> =>
      fixtures.filter(({ message }) => message === name)

    it("are of every version, each twice", () => {
      for (const definition of [api.request, api.response]) {
        const [first, last] = definition.versions
        const versions = Array.from({ length: last - first + 1 }, (_, index) => first + index)
        assert.deepStrictEqual(of(definition).map(({ version }) => version), versions.flatMap((one) => [one, one]))
      }
    })

    it("are read as requests, and written the same", () => {
      for (const [index, fixture] of of(api.request).entries()) {
        const { version } = fixture
        const request = Result.getOrThrow(Frame.decodeRequest(payloadOf(fixture)))
        const { _tag, clientId, correlationId } = request
        const message = request.message as Definition.Message<Definition.Fields>

        assert.strictEqual(_tag, api.name)
        assert.strictEqual(correlationId, fixture.correlationId)
        assert.strictEqual(clientId, index % 2 === 0 ? CLIENT_ID : null)
        assert.deepStrictEqual(
          withoutDefaults(shownMessage(message, api.request.fields, version), fixture.value, api.request.fields),
          fixture.value
        )
        const again = Frame.encodeRequest(api, version, { correlationId, clientId }, message)
        assert.strictEqual(base64(Result.getOrThrow(again)), fixture.bytes)
      }
    })

    it("are read as responses, and written the same", () => {
      for (const fixture of of(api.response)) {
        const { version } = fixture
        const { correlationId, message } = Result.getOrThrow(Frame.decodeResponse(api, version, payloadOf(fixture)))

        assert.strictEqual(correlationId, fixture.correlationId)
        assert.deepStrictEqual(
          withoutDefaults(shownMessage(message, api.response.fields, version), fixture.value, api.response.fields),
          fixture.value
        )
        const again = Frame.encodeResponse(api, version, correlationId, message)
        assert.strictEqual(base64(Result.getOrThrow(again)), fixture.bytes)
      }
    })
  })
}
