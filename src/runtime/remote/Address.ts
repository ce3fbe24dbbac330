/**
 * Where a broker listens, as a person writes it: `HOST:PORT`.
 */
import { Result, Schema } from "effect"

export interface Address {
  /** A name or an IP address; one of version 6 without brackets. */
  readonly host: string
  readonly port: number
}

export class InvalidAddress extends Schema.TaggedError<InvalidAddress>()("InvalidAddress", {
  text: Schema.String,
  message: Schema.String
}) {}

const example = "An address is HOST:PORT, as in localhost:9092"

const problemOf = (text: string): string => {
  const scheme = /^[A-Za-z_]+:\/\//.exec(text)
  if (text === "") return example
  if (scheme !== null) return `leave out ${scheme[0]}. ${example}`
  if (text.includes(",")) return `one address is enough, the others are found through it. ${example}`
  if (/\s/.test(text)) return `there are spaces in it. ${example}`
  const port = /^(?:\[[^\]]+\]|[^:]+):([^:]*)$/.exec(text)?.[1]
  if (port !== undefined) return `the port is a number from 1 to 65535. ${example}`
  if (/^:[^:]*$/.test(text)) return `the host is missing. ${example}`
  if (text.includes(":") && !text.startsWith("[")) {
    return `an IPv6 address has brackets around it, as in [::1]:9092. ${example}`
  }
  return `the port is missing. ${example}`
}

/** Reads `HOST:PORT` and `[IPv6]:PORT`. */
export const parse = (text: string): Result.Result<Address, InvalidAddress> => {
  const parts = /^(?:\[([0-9A-Fa-f:.%\w]+)\]|([^:/,\s[\]]+)):(\d{1,5})$/.exec(text)
  const host = parts?.[1] ?? parts?.[2]
  const port = Number(parts?.[3])
  return host !== undefined && port >= 1 && port <= 65_535
    ? Result.succeed({ host, port })
    : Result.fail(new InvalidAddress({ text, message: `"${text}" is no address of a broker: ${problemOf(text)}` }))
}

export const format = ({ host, port }: Address): string => host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`
