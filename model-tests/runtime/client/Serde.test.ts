import { assert, describe, it } from "@effect/vitest"
import { Result, Schema } from "effect"
import * as fc from "fast-check"
import * as Serde from "../../../src/runtime/client/Serde.ts"

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex")

const roundTrip = <A>(serde: Serde.Serde<A>, value: A): Result.Result<A, unknown> =>
  Result.flatMap(serde.serialize(value, "t"), (bytes) => serde.deserialize(bytes, "t"))

class Payment extends Schema.Class<Payment>("Payment")({ id: Schema.Int, amount: Schema.BigInt, at: Schema.Date }) {}

describe("string", () => {
  it("is UTF-8", () => {
    assert.strictEqual(hex(Result.getOrThrow(Serde.string.serialize("é€", "t"))), "c3a9e282ac")
  })

  it("comes back as it was", () => {
    fc.assert(fc.property(fc.string({ unit: "grapheme" }), (text) => {
      assert.deepStrictEqual(roundTrip(Serde.string, text), Result.succeed(text))
    }))
    assert.deepStrictEqual(roundTrip(Serde.string, "\uFEFFmarked"), Result.succeed("\uFEFFmarked"))
  })

  it("bytes that are no UTF-8 are an error", () => {
    assert.isTrue(Result.isFailure(Serde.string.deserialize(Uint8Array.of(0xff), "t")))
  })
})

describe("bytes", () => {
  it("are themselves", () => {
    const bytes = Uint8Array.of(1, 2)

    assert.strictEqual(Result.getOrThrow(Serde.bytes.serialize(bytes, "t")), bytes)
    assert.strictEqual(Result.getOrThrow(Serde.bytes.deserialize(bytes, "t")), bytes)
  })
})

describe("json", () => {
  const payment = Serde.json(Payment)

  it("is what the Schema encodes", () => {
    const bytes = Result.getOrThrow(
      payment.serialize(new Payment({ id: 1, amount: 5n, at: new Date("2026-01-02T03:04:05Z") }), "t")
    )

    assert.strictEqual(Buffer.from(bytes).toString(), `{"id":1,"amount":"5","at":"2026-01-02T03:04:05.000Z"}`)
  })

  it("comes back as an instance", () => {
    const value = new Payment({ id: 1, amount: 5n, at: new Date(7) })

    const back = Result.getOrThrow(roundTrip(payment, value))

    assert.instanceOf(back, Payment)
    assert.deepStrictEqual(back, value)
  })

  it("what does not fit the Schema is an error", () => {
    const from = (text: string) => payment.deserialize(new TextEncoder().encode(text), "t")

    assert.isTrue(Result.isFailure(from("{")))
    assert.isTrue(Result.isFailure(from(`{"id":1.5,"amount":"5","at":"2026-01-02T03:04:05.000Z"}`)))
  })
})

describe("serialize and deserialize", () => {
  const failing = Serde.serializer<string>(() => {
    throw new Error("no")
  })

  it("leave null alone", () => {
    assert.deepStrictEqual(Serde.serialize(failing, "t", "key", null), Result.succeed(null))
    assert.deepStrictEqual(Serde.deserialize(Serde.string, "t", "value", null), Result.succeed(null))
  })

  it("say which part of which topic's record it was", () => {
    const failed = Serde.serialize(failing, "orders", "key", "k")
    assert.isTrue(Result.isFailure(failed))
    if (Result.isFailure(failed)) {
      assert.strictEqual(failed.failure.message, "the key of a record for orders: no")
      assert.strictEqual(failed.failure._tag, "SerializationError")
    }

    const undone = Serde.deserialize(
      Serde.deserializer(() => Schema.decodeSync(Schema.Int)(1.5)),
      "orders",
      "value",
      Uint8Array.of(1)
    )
    assert.isTrue(Result.isFailure(undone) && undone.failure.part === "value")
  })

  it("give the topic to a function", () => {
    const named = Serde.serializer<string>((value, topic) => new TextEncoder().encode(`${topic}/${value}`))

    assert.strictEqual(
      Buffer.from(Result.getOrThrow(Serde.serialize(named, "orders", "value", "v"))!).toString(),
      "orders/v"
    )
  })
})
