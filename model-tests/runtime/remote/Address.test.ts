import { assert, describe, it } from "@effect/vitest"
import { Result } from "effect"
import { Address } from "../../../src/runtime/remote/index.ts"

const messageOf = (text: string): string => {
  const parsed = Address.parse(text)
  if (Result.isSuccess(parsed)) throw new Error(`${text} is an address`)
  assert.strictEqual(parsed.failure.text, text)
  return parsed.failure.message
}

describe("an address", () => {
  for (
    const [text, host, port] of [
      ["localhost:9092", "localhost", 9092],
      ["127.0.0.1:1", "127.0.0.1", 1],
      ["broker-1.example.org:65535", "broker-1.example.org", 65_535],
      ["[::1]:9092", "::1", 9092],
      ["[fe80::1%eth0]:9092", "fe80::1%eth0", 9092]
    ] as const
  ) {
    it(`is ${text}, and is written like that`, () => {
      const parsed = Address.parse(text)

      assert.deepStrictEqual(parsed, Result.succeed({ host, port }))
      assert.strictEqual(Address.format({ host, port }), text)
    })
  }

  for (
    const [text, problem] of [
      ["", /An address is HOST:PORT/],
      ["localhost", /the port is missing/],
      ["localhost:", /the port is a number from 1 to 65535/],
      ["localhost:kafka", /the port is a number from 1 to 65535/],
      ["localhost:0", /the port is a number from 1 to 65535/],
      ["localhost:65536", /the port is a number from 1 to 65535/],
      ["localhost:9092x", /the port is a number from 1 to 65535/],
      ["[::1]:-1", /the port is a number from 1 to 65535/],
      ["[::1]", /the port is missing/],
      [":9092", /the host is missing/],
      ["::1:9092", /an IPv6 address has brackets around it/],
      ["PLAINTEXT://localhost:9092", /leave out PLAINTEXT:\/\//],
      ["a:9092,b:9092", /one address is enough/],
      ["localhost: 9092", /there are spaces in it/]
    ] as const
  ) {
    it(`is not ${JSON.stringify(text)}`, () => {
      const message = messageOf(text)

      assert.include(message, `"${text}" is no address of a broker`)
      assert.match(message, problem)
      assert.include(message, "localhost:9092")
    })
  }
})
