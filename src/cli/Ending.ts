/**
 * How commands end: exit codes, and one message on stderr for whatever went wrong.
 */
import { Cause, Data, Effect, Exit } from "effect"
import { CliError } from "effect/cli"
import leven from "leven"
import type { Check } from "../conformance/Check.ts"
import * as Checks from "../conformance/Check.ts"
import * as Specification from "../conformance/Specification.ts"
import { TlcFailure, Toolchain } from "../tlc/index.ts"

/** What the exit code of the process says. */
export const codes = { positive: 0, negative: 1, usage: 2, noVerdict: 3, internal: 70, interrupted: 130 } as const

/** The command line asks for something that does not exist. */
export class UsageError extends Data.TaggedError("UsageError")<{ readonly message: string }> {}

/** The command cannot come to a verdict on this machine. */
export class NoVerdict extends Data.TaggedError("NoVerdict")<{ readonly message: string }> {}

/** The command came to a negative verdict and has said all there is to say. */
export class Negative extends Data.TaggedError("Negative") {}

const isToolchainError = (error: unknown): error is Toolchain.ToolchainError =>
  error instanceof Toolchain.JavaMissing || error instanceof Toolchain.JarMissing
  || error instanceof Toolchain.WrongJar || error instanceof Toolchain.MavenFailed

const locatedMessage = ({ file, line, message }: TlcFailure): string =>
  file === undefined ? message : `${Specification.shown(file)}${line === undefined ? "" : `:${line}`}: ${message}`

const say = (message: string): Effect.Effect<void> => Effect.sync(() => process.stderr.write(`keos: ${message}\n`))

/** The exit code of a finished command, after its message. */
export const conclude = (exit: Exit.Exit<unknown, unknown>): Effect.Effect<number> => {
  if (Exit.isSuccess(exit)) return Effect.succeed(codes.positive)
  if (Cause.hasInterruptsOnly(exit.cause)) return Effect.succeed(codes.interrupted)
  const error = Cause.squash(exit.cause)
  if (error instanceof Negative) return Effect.succeed(codes.negative)
  if (error instanceof UsageError) return Effect.as(say(error.message), codes.usage)
  if (CliError.isCliError(error)) return Effect.succeed(codes.usage)
  if (error instanceof TlcFailure) return Effect.as(say(locatedMessage(error)), codes.noVerdict)
  if (error instanceof NoVerdict || error instanceof Specification.SpecificationError || isToolchainError(error)) {
    return Effect.as(say(error.message), codes.noVerdict)
  }
  const report = `this is a bug in keos; please report it with the command line\n${Cause.pretty(exit.cause)}`
  return Effect.as(say(report), codes.internal)
}

/** Ends a verdict command by its checks: negative with a failure, no verdict when nothing passed. */
export const byChecks = (checks: ReadonlyArray<Check>): Effect.Effect<void, Negative | NoVerdict> => {
  const { failed, passed } = Checks.tally(checks)
  if (failed > 0) return Effect.fail(new Negative())
  if (passed > 0) return Effect.void
  return Effect.fail(new NoVerdict({ message: "nothing could be checked; 'keos doctor' says what is missing" }))
}

/** The named items in the order asked for; all when none is named. Unknown names are a usage error with near misses. */
export const select = <A>(
  what: string,
  all: ReadonlyArray<A>,
  nameOf: (item: A) => string,
  names: ReadonlyArray<string>
): Effect.Effect<ReadonlyArray<A>, UsageError> => {
  if (names.length === 0) return Effect.succeed(all)
  return Effect.forEach(names, (name) => {
    const found = all.find((item) => nameOf(item).toLowerCase() === name.toLowerCase())
    if (found !== undefined) return Effect.succeed(found)
    const near = all.map(nameOf).toSorted((a, b) => leven(a, name) - leven(b, name)).slice(0, 3)
    return Effect.fail(new UsageError({ message: `there is no ${what} ${name}; did you mean ${near.join(", ")}?` }))
  })
}
