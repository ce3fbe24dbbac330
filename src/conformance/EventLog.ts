/**
 * The log of a run as a file: one action a line, as JSON.
 *
 *     {"action":"Send","arguments":["p1"]}
 *     {"action":"HandleProduce","arguments":["p1",0],"observed":{"faults":1}}
 *
 * Values are those of traces (`tlc/Itf.ts`). The log does not say which specification it is a log of.
 */
import { Result } from "effect"
import * as Itf from "../tlc/Itf.ts"
import type * as Value from "../tlc/Value.ts"

/** One action that was taken. */
export interface Line {
  readonly action: string
  /** In the order of the specification's parameters. */
  readonly arguments: ReadonlyArray<string | number>
  /** What variables were seen to be after it, where that was looked at. */
  readonly observed?: Readonly<Record<string, Value.Value>>
}

/** A line that is none of a log; the message says which, counted from 1, and why. */
export class EventLogError extends Error {}

const fields: ReadonlyArray<string> = ["action", "arguments", "observed"]

const isArgument = (json: unknown): json is string | number =>
  typeof json === "string" || (typeof json === "number" && Number.isSafeInteger(json))

const read = (text: string, fail: (why: string) => never): Line => {
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch {
    return fail("not JSON: cut off or damaged")
  }
  if (typeof json !== "object" || json === null || Array.isArray(json)) return fail("not an object")
  const { action, arguments: instance, observed } = json as Readonly<Record<string, unknown>>
  const unknown = Object.keys(json).find((name) => !fields.includes(name))
  if (unknown !== undefined) return fail(`there is no field ${unknown}`)
  if (typeof action !== "string") return fail("no action")
  if (!Array.isArray(instance) || !instance.every(isArgument)) {
    return fail("no list of strings and integers as arguments")
  }
  if (observed === undefined) return { action, arguments: instance }
  if (typeof observed !== "object" || observed === null || Array.isArray(observed)) return fail("observed is no object")
  const values = Object.entries(observed as Itf.JsonObject).map(([name, value]) => {
    const decoded = Itf.decodeValue(value)
    return [name, Result.isSuccess(decoded) ? decoded.success : fail(`${name}: ${decoded.failure.message}`)] as const
  })
  return { action, arguments: instance, observed: Object.fromEntries(values) }
}

/** Reads lines one by one; one that is empty ends the log or is skipped. Throws `EventLogError`. */
export function* parse(lines: Iterable<string>): Generator<Line, void> {
  let number = 0
  for (const text of lines) {
    number++
    if (text.trim() === "") continue
    yield read(text, (why) => {
      throw new EventLogError(`line ${number}: ${why}`)
    })
  }
}

/** The text of a line, without its end. */
export const print = ({ action, arguments: instance, observed }: Line): string =>
  JSON.stringify({
    action,
    arguments: instance,
    ...(observed === undefined ? {} : {
      observed: Object.fromEntries(Object.entries(observed).map(([name, value]) => [name, Itf.encodeValue(value)]))
    })
  })
