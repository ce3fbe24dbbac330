/**
 * Which cases a pattern means. Names of cases have segments with slashes between; in a pattern, `*` is anything within a
 * segment and `**` any number of segments. A pattern that ends early means all that follows, so `EndTxn-v2/Ongoing` is
 * whatever is asked to end a transaction that is open.
 */
import { closestMatch } from "leven"

const escaped = (text: string): string => text.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`)

const segmentOf = (segment: string): string => segment === "**" ? ".*" : segment.split("*").map(escaped).join("[^/]*")

const expressionOf = (pattern: string): RegExp => {
  const segments = pattern.split("/").filter((segment) => segment !== "").map(segmentOf)
  // Any number of segments is none, too.
  return new RegExp(`^${segments.join("/").replaceAll(".*/", "(?:.*/)?")}(?:/.*)?$`, "i")
}

/** Whether a case is meant by one of the patterns; upper and lower case are the same. */
export const matcher = (patterns: ReadonlyArray<string>): (id: string) => boolean => {
  const expressions = patterns.map(expressionOf)
  return (id) => expressions.some((expression) => expression.test(id))
}

/** The name that was probably meant by a pattern that means none, unless they are all far away. */
export const nearest = (pattern: string, ids: ReadonlyArray<string>): string | undefined => {
  const names = ids.map((id) => id.toLowerCase())
  const maxDistance = Math.max(2, Math.floor(pattern.length / 4))
  const found = closestMatch(pattern.toLowerCase(), names, { maxDistance })
  return found === undefined ? undefined : ids[names.indexOf(found)]
}
