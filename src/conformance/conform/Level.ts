/**
 * How much hangs on a rule, in the words of RFC 2119.
 *
 * MUST is what delivery guarantees rest on: data, fencing, sequences, the ends of transactions, what readers get. SHOULD is
 * what a broker says of itself, and by which error it refuses where another refusal would be as safe.
 */
export const levels = ["MUST", "SHOULD"] as const
export type Level = typeof levels[number]

/** The level of what several rules decide. */
export const strictest = (all: ReadonlyArray<Level>): Level => all.includes("MUST") ? "MUST" : "SHOULD"

const errorOf = (answer: unknown): unknown =>
  typeof answer === "object" && answer !== null && "error" in answer ? answer.error : undefined

/**
 * The level of one divergence from a rule: that something is refused must be so, even where only the error is a matter of
 * SHOULD.
 */
export const ofDivergence = (level: Level, expected: unknown, actual: unknown): Level => {
  const isAccepted = errorOf(expected) !== undefined && errorOf(expected) !== "NONE" && errorOf(actual) === "NONE"
  return isAccepted ? "MUST" : level
}
