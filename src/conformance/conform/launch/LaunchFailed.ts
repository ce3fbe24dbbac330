/** Why there is no running broker. */
import { Effect, Schema } from "effect"

export const Reason = Schema.Literals([
  "JavaMissing",
  "MavenMissing",
  /** Maven knows no such release. */
  "UnknownRelease",
  /** Maven did not deliver the jars. */
  "Fetch",
  /** The storage could not be formatted. */
  "Format",
  /** A property that is decided here. */
  "InvalidProperty",
  /** This machine: no folder, no ports. */
  "Machine",
  /** The broker ended, or does not answer. */
  "Boot",
  /** The broker answers, but its coordinators do not. */
  "NotReady",
  /** The release does not have the level, or the broker refused it. */
  "TransactionVersion"
])
export type Reason = typeof Reason.Type

export class LaunchFailed extends Schema.TaggedError<LaunchFailed>()("LaunchFailed", {
  reason: Reason,
  message: Schema.String,
  /** What the program that failed has written, cut to its end; empty where there was none. */
  output: Schema.String
}) {}

/** Lines of a stack, and what Maven says of every error. */
const noise = /^\s+at |^\s+\.\.\. |^\s*$|^\[ERROR\]\s*(?:$|To see the full|Re-run Maven|For more information|\[Help )/
const essentialLines = 12

/** What a program of Java has to say: no more than can be read. */
export const essence = (output: string): string => {
  const lines = output.split("\n").filter((line) => !noise.test(line))
  return lines.length === 0 ? "It said nothing" : `It said:\n${lines.slice(-essentialLines).join("\n")}`
}

/** Does something with files. */
export const attempt = <A>(what: string, body: () => A): Effect.Effect<A, LaunchFailed> =>
  Effect.try({
    try: body,
    catch: (error) =>
      new LaunchFailed({
        reason: "Machine",
        message: `cannot ${what}: ${error instanceof Error ? error.message : String(error)}`,
        output: ""
      })
  })
