import { assert, describe, it } from "@effect/vitest"
import { Result } from "effect"
import * as fc from "fast-check"
import { type Definition, InvalidMessage, Message, Messages } from "../../src/wire/index.ts"
import { message, versionsOf } from "./messages/support.ts"

const definitions: ReadonlyArray<Definition.Definition> = [
  Messages.RequestHeader,
  Messages.ResponseHeader,
  ...(Messages.apis as ReadonlyArray<Definition.Api>).flatMap(({ request, response }) => [request, response])
]

const reason = <A>(result: Result.Result<A, InvalidMessage.InvalidMessage>): string =>
  InvalidMessage.describe(Result.getOrThrow(Result.flip(result)))

/** A definition of one version, in the form of flexible versions or not. */
const only = <const F extends Definition.Fields>(fields: F, flexible = false): Definition.Definition<F> => ({
  name: "Test",
  versions: [0, 0],
  flexible: flexible ? 0 : 1,
  fields
})

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex")
const unhex = (text: string): Uint8Array => new Uint8Array(Buffer.from(text.replaceAll(" ", ""), "hex"))

describe("what is written is read again", () => {
  for (const definition of definitions) {
    it(definition.name, () => {
      for (const version of versionsOf(definition)) {
        fc.assert(
          fc.property(message(definition.fields, version), ({ input, output }) => {
            const bytes = Result.getOrThrow(
              Message.encode(definition, version, input as Definition.Input<Definition.Fields>)
            )
            const read = Result.getOrThrow(Message.decode(definition, version, bytes))
            assert.deepStrictEqual(read, output)

            // What is read can be written, to the same bytes.
            assert.deepStrictEqual(Result.getOrThrow(Message.encode(definition, version, read)), bytes)
          }),
          { numRuns: 15 }
        )
      }
    })
  }
})

describe("values lie in the bytes as Kafka has them", () => {
  for (
    const [type, value, classic, flexible] of [
      ["bool", true, "01", "01 00"],
      ["int8", -2, "fe", "fe 00"],
      ["int16", -2, "fffe", "fffe 00"],
      ["uint16", 0xfffe, "fffe", "fffe 00"],
      ["int32", -2, "fffffffe", "fffffffe 00"],
      ["int64", -2, "fffffffffffffffe", "fffffffffffffffe 00"],
      ["int64", 2 ** 53 - 1, "001fffffffffffff", "001fffffffffffff 00"],
      ["float64", -1.5, "bff8000000000000", "bff8000000000000 00"],
      ["float64", Infinity, "7ff0000000000000", "7ff0000000000000 00"],
      ["string", "é", "0002 c3a9", "03 c3a9 00"],
      ["string", "\ufeff", "0003 efbbbf", "04 efbbbf 00"],
      ["string", "", "0000", "01 00"],
      ["string", null, "ffff", "00 00"],
      ["uuid", "AAECAwQFBgcICQoLDA0ODw", "000102030405060708090a0b0c0d0e0f", "000102030405060708090a0b0c0d0e0f 00"],
      ["bytes", unhex("0708"), "00000002 0708", "03 0708 00"],
      ["bytes", null, "ffffffff", "00 00"],
      ["records", unhex("0708"), "00000002 0708", "03 0708 00"],
      ["[]int16", [1, 2], "00000002 0001 0002", "03 0001 0002 00"],
      ["[]int16", null, "ffffffff", "00 00"],
      ["[]string", ["a"], "00000001 0001 61", "02 02 61 00"]
    ] as const
  ) {
    it(`${type} ${value === null || typeof value === "object" ? JSON.stringify(value) : value}`, () => {
      for (const [isFlexible, expected] of [[false, classic], [true, flexible]] as const) {
        const definition: Definition.Definition = only({ it: { type, nullable: true } }, isFlexible)
        const bytes = Result.getOrThrow(Message.encode(definition, 0, { it: value } as never))
        assert.strictEqual(hex(bytes), expected.replaceAll(" ", ""))
        assert.deepStrictEqual(Result.getOrThrow(Message.decode(definition, 0, bytes)), { it: value } as never)
      }
    })
  }

  it("structs that may be null have a byte before them", () => {
    const definition = only({ it: { type: "Inner", nullable: true, fields: { a: { type: "int8" } } } }, true)

    assert.strictEqual(hex(Result.getOrThrow(Message.encode(definition, 0, { it: { a: 7 } }))), "01070000")
    assert.strictEqual(hex(Result.getOrThrow(Message.encode(definition, 0, { it: null }))), "ff00")
  })

  it("tagged fields come last, in the order of their tags, where they differ from their defaults", () => {
    const definition = only({
      late: { type: "string", tag: 200 },
      early: { type: "Inner", tag: 0, fields: { a: { type: "int8", default: -1 }, b: { type: "int8", default: 3 } } },
      same: { type: "int32", tag: 1, default: 9 },
      first: { type: "int8" }
    }, true)
    const bytes = Result.getOrThrow(
      Message.encode(definition, 0, { late: "é", early: { a: 2 }, same: 9, first: 5 })
    )

    assert.strictEqual(hex(bytes), "05 02 00 03 020300 c801 03 03c3a9".replaceAll(" ", ""))
    assert.deepStrictEqual(Result.getOrThrow(Message.decode(definition, 0, bytes)), {
      late: "é",
      early: { a: 2, b: 3 },
      same: 9,
      first: 5
    })
    assert.strictEqual(
      hex(Result.getOrThrow(Message.encode(definition, 0, { first: 5, late: "", early: { a: -1, b: 3 } }))),
      "0500"
    )
  })

  it("no elements are not the same as null", () => {
    const definition = only({ it: { type: "[]int8", tag: 0, nullable: true, default: null } }, true)

    assert.strictEqual(hex(Result.getOrThrow(Message.encode(definition, 0, { it: [] }))), "01000101")
    assert.strictEqual(hex(Result.getOrThrow(Message.encode(definition, 0, { it: null }))), "00")
  })

  it("a struct with defaults only is not the same as null", () => {
    const definition = only({
      it: { type: "Inner", tag: 0, nullable: true, default: null, fields: { a: { type: "int8", default: 7 } } }
    }, true)

    assert.strictEqual(hex(Result.getOrThrow(Message.encode(definition, 0, { it: {} }))), "01000301" + "0700")
    assert.strictEqual(hex(Result.getOrThrow(Message.encode(definition, 0, { it: null }))), "00")
  })

  it("unknown tagged fields are passed over", () => {
    const definition = only({ first: { type: "int8" }, known: { type: "int8", tag: 4 } }, true)

    assert.deepStrictEqual(
      Result.getOrThrow(Message.decode(definition, 0, unhex("05 03 02 03 aabbcc 04 01 08 09 00"))),
      { first: 5, known: 8 }
    )
  })
})

describe("a message that cannot be written is refused, and the field is named", () => {
  const produce = (index: unknown, rest: object = {}): string =>
    reason(Message.encode(Messages.Produce.request, 9, {
      acks: -1,
      timeoutMs: 0,
      topicData: [{ name: "a", partitionData: [] }, { name: "b", partitionData: [{ index, records: null, ...rest }] }]
    } as never))
  const at = "ProduceRequest version 9, topicData[1].partitionData[0]"
  const of = (type: string, it: unknown): string => reason(Message.encode(only({ it: { type } }), 0, { it } as never))

  it("for a value of another type", () => {
    assert.strictEqual(produce("1"), `${at}.index: an int32 expected, "1" found`)
    assert.strictEqual(of("bool", 0), "Test version 0, it: a bool expected, 0 found")
    assert.strictEqual(of("string", unhex("00")), "Test version 0, it: a string expected, 1 bytes found")
    assert.strictEqual(of("bytes", [1, 2]), "Test version 0, it: a Uint8Array expected, an array of 2 found")
    assert.strictEqual(of("[]int8", {}), "Test version 0, it: an array expected, an object found")
    assert.strictEqual(of("[]int8", [1, "a"]), "Test version 0, it[1]: an int8 expected, \"a\" found")
    assert.strictEqual(of("float64", 1n), "Test version 0, it: a float64 expected, 1 found")
    assert.strictEqual(
      reason(Message.encode(Messages.Produce.request, 9, [] as never)),
      "ProduceRequest version 9: an object expected, an array of 0 found"
    )
  })

  it("for a number out of range", () => {
    for (
      const [type, name, value] of [
        ["int8", "an int8", 128],
        ["int16", "an int16", -32_769],
        ["uint16", "a uint16", -1],
        ["int32", "an int32", 2 ** 31],
        ["int32", "an int32", 0.5],
        ["int32", "an int32", NaN],
        ["int64", "an int64 below 2^53", 2 ** 53]
      ] as const
    ) assert.strictEqual(of(type, value), `Test version 0, it: ${name} expected, ${value} found`)
  })

  it("for a text that is none", () => {
    assert.strictEqual(of("string", "\ud800"), "Test version 0, it: a string with half of a surrogate pair")
    assert.strictEqual(
      of("string", "é".repeat(16_384)),
      "Test version 0, it: a string of 32768 bytes, and 32767 are the most"
    )
    for (const text of ["", "AAAAAAAAAAAAAAAAAAAAA", "AAAAAAAAAAAAAAAAAAAAAB", "AAAAAAAAAAAAAAAAAAAAAA==", "a b"]) {
      assert.strictEqual(
        of("uuid", text),
        `Test version 0, it: a uuid in base64 expected, ${JSON.stringify(text)} found`
      )
    }
  })

  it("for null where that is not allowed", () => {
    assert.strictEqual(produce(null), `${at}.index: an int32 expected, null found`)
    assert.strictEqual(of("string", null), "Test version 0, it: null is not allowed here")
    assert.strictEqual(
      reason(Message.encode(Messages.Produce.request, 9, { acks: 0, timeoutMs: 0, topicData: [null] } as never)),
      "ProduceRequest version 9, topicData[0]: null is not allowed here"
    )
  })

  it("for a field that is missing, or that there is not", () => {
    assert.strictEqual(produce(undefined), `${at}.index: missing, and has no default`)
    assert.strictEqual(produce(1, { indexx: 2 }), `${at}.indexx: there is no such field`)
    const leader = { type: "Leader", tag: 0, fields: { id: { type: "int8", default: -1 } } } as const
    const led = (it: unknown): string => reason(Message.encode(only({ it: leader }, true), 0, { it } as never))
    assert.strictEqual(led({ id: -1, epoch: 2 }), "Test version 0, it.epoch: there is no such field")
    assert.strictEqual(led(new Uint8Array()), "Test version 0, it: an object expected, 0 bytes found")
    assert.strictEqual(led(null), "Test version 0, it: null is not allowed here")
    assert.strictEqual(led([]), "Test version 0, it: an object expected, an array of 0 found")
    assert.strictEqual(produce(1, { toString: 2 }), `${at}.toString: there is no such field`)
  })

  it("but not for a field that some versions do not have", () => {
    const bytes = Result.getOrThrow(Message.encode(Messages.Metadata.request, 12, { topics: [{ name: "a" }] }))

    assert.deepStrictEqual(Result.getOrThrow(Message.decode(Messages.Metadata.request, 12, bytes)).topics, [
      { topicId: "AAAAAAAAAAAAAAAAAAAAAA", name: "a" }
    ])
  })

  it("for a field that the version does not have, unless it may be dropped", () => {
    const request = { transactionalId: "id", transactionTimeoutMs: 1 }
    const encode = (version: number, rest: object): Result.Result<Uint8Array, InvalidMessage.InvalidMessage> =>
      Message.encode(Messages.InitProducerId.request, version, { ...request, ...rest })

    assert.strictEqual(
      reason(encode(2, { producerEpoch: 3 })),
      "InitProducerIdRequest version 2, producerEpoch: not in this version, only in 3+, and not its default"
    )
    assert.deepStrictEqual(encode(2, { producerEpoch: -1 }), encode(2, {}))
    assert.isTrue(Result.isSuccess(encode(3, { producerEpoch: 3 })))
    const named = {
      acks: 0,
      timeoutMs: 0,
      topicData: [{ name: "a", topicId: "AAECAwQFBgcICQoLDA0ODw", partitionData: [] }]
    }
    assert.deepStrictEqual(
      Result.getOrThrow(
        Message.decode(
          Messages.Produce.request,
          12,
          Result.getOrThrow(Message.encode(Messages.Produce.request, 12, named))
        )
      ).topicData,
      [{ name: "a", topicId: "AAAAAAAAAAAAAAAAAAAAAA", partitionData: [] }]
    )
  })

  it("for a version that there is not", () => {
    for (const version of [-1, 14, 0.5, NaN]) {
      assert.strictEqual(
        reason(Message.encode(Messages.Produce.request, version, { acks: 0, timeoutMs: 0, topicData: [] })),
        `ProduceRequest version ${version}: ProduceRequest has versions 0 to 13`
      )
    }
  })
})

describe("bytes that are no message are refused, and the field is named", () => {
  const of = (field: Definition.Field, bytes: string, flexible = false): string =>
    reason(Message.decode(only({ it: field }, flexible), 0, unhex(bytes)))

  for (
    const [what, field, flexible, bytes, expected] of [
      ["an end too early", { type: "int32" }, false, "000000", ", it: at byte 0, 4 bytes expected, 3 there"],
      ["more after the end", { type: "int8" }, false, "0101", ": 1 bytes remain after it"],
      [
        "an int64 that no number is",
        { type: "int64" },
        false,
        "7fffffffffffffff",
        ", it: at byte 0, an int64 beyond 2^53: 9223372036854775807"
      ],
      [
        "a length beyond the end",
        { type: "string" },
        false,
        "0003 6161",
        ", it: at byte 0, length 3, and 2 bytes there"
      ],
      [
        "a compact length beyond the end",
        { type: "bytes" },
        true,
        "ffffffff0f",
        ", it: at byte 0, length 4294967294, and 0 bytes there"
      ],
      [
        "null where it is not allowed",
        { type: "[]int8" },
        true,
        "00",
        ", it: at byte 0, null, which is not allowed here"
      ],
      ["a text that is no UTF-8", { type: "string" }, false, "0001 ff", ", it: a string that is no UTF-8"],
      [
        "a text too long",
        { type: "string" },
        true,
        `818002${"61".repeat(32_768)}00`,
        ", it: a string of 32768 bytes, and 32767 are the most"
      ],
      [
        "an element",
        { type: "[]string" },
        false,
        "00000002 0000 0001",
        ", it[1]: at byte 6, length 1, and 0 bytes there"
      ],
      [
        "a tagged field longer than it says",
        { type: "int16", tag: 3 },
        true,
        "01 03 01 0000",
        ", it: a tagged field of 1 bytes with 2 in it"
      ],
      [
        "a tagged field shorter than it says",
        { type: "int8", tag: 3 },
        true,
        "01 03 02 0000",
        ", it: a tagged field of 2 bytes with 1 in it"
      ],
      [
        "no tagged fields where there must be",
        { type: "int8" },
        true,
        "00",
        ": at byte 1, the bytes end within an integer of variable length"
      ]
    ] as const
  ) it(`for ${what}`, () => assert.strictEqual(of(field, bytes, flexible), `Test version 0${expected}`))
})

// The types say the same: these lines are judged by the compiler.
void (() => {
  const encode = (message: Definition.Input<typeof Messages.EndTxn.response.fields>): void => {
    void Message.encode(Messages.EndTxn.response, 5, message)
  }
  encode({ throttleTimeMs: 0, errorCode: 0, producerId: 1, producerEpoch: 0 })
  encode({ throttleTimeMs: 0, errorCode: 0 })
  // @ts-expect-error a field without a default must be given
  encode({ throttleTimeMs: 0 })
  // @ts-expect-error there is no such field
  encode({ throttleTimeMs: 0, errorCode: 0, transactionalId: "" })
  // @ts-expect-error of another type
  encode({ throttleTimeMs: 0, errorCode: "0" })
  const { topics } = Result.getOrThrow(Message.decode(Messages.Metadata.response, 12, unhex("")))
  const name: string | null = topics[0]!.name
  // @ts-expect-error null in some versions
  const always: string = topics[0]!.name
  return [name, always]
})
