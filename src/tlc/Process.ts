/**
 * Child processes that never outlive their reason: a run of Java ends when it is done, when its time is up, when its
 * fiber is interrupted, or when Node itself ends. The JVM does not die with its parent by itself.
 *
 * This module uses Node's `child_process` and real timers directly: a real process cannot live in virtual time.
 */
import { Effect, Schema } from "effect"
import { type ChildProcess, spawn } from "node:child_process"

/** The program could not be started at all. */
export class SpawnFailed extends Schema.TaggedError<SpawnFailed>()("SpawnFailed", {
  command: Schema.String,
  message: Schema.String
}) {}

/** How a process ended. Exactly one of `code` and `signal` is set. */
export interface Ending {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly timedOut: boolean
  readonly seconds: number
}

/** Where and how to run. The callbacks are synchronous, so a slow reader slows the writer down. */
export interface RunOptions {
  readonly cwd?: string
  readonly timeLimitMillis?: number
  readonly onStdout?: (chunk: Buffer) => void
  readonly onStderr?: (chunk: Buffer) => void
}

/** Time between a request to end and the order to. */
const graceMillis = 3_000

// ---------------------------------------------------------------------------------------------------------------------
// Nothing survives Node
// ---------------------------------------------------------------------------------------------------------------------

const alive = new Set<ChildProcess>()
const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const

const killAll = () => {
  for (const child of alive) child.kill("SIGKILL")
}

const onSignal = (signal: NodeJS.Signals) => {
  killAll()
  // A listener switches Node's own reaction off. Where somebody else listens too, how to end is theirs to say.
  if (process.listenerCount(signal) > 1) return
  unguard()
  process.kill(process.pid, signal)
}

const guard = () => {
  process.on("exit", killAll)
  for (const signal of signals) process.on(signal, onSignal)
}

const unguard = () => {
  process.off("exit", killAll)
  for (const signal of signals) process.off(signal, onSignal)
}

const remember = (child: ChildProcess) => {
  if (alive.size === 0) guard()
  alive.add(child)
}

const forget = (child: ChildProcess) => {
  if (alive.delete(child) && alive.size === 0) unguard()
}

// ---------------------------------------------------------------------------------------------------------------------
// Running
// ---------------------------------------------------------------------------------------------------------------------

/**
 * Runs a program to its end. Interruption and the time limit send SIGTERM and, three seconds later, SIGKILL; the effect
 * completes only when the process is gone. A callback that throws ends the process and becomes a defect.
 */
export const run = (
  command: string,
  args: ReadonlyArray<string>,
  options: RunOptions = {}
): Effect.Effect<Ending, SpawnFailed> =>
  Effect.callback<Ending, SpawnFailed>((resume) => {
    const start = performance.now()
    const child = spawn(command, args, { cwd: options.cwd, stdio: ["ignore", "pipe", "pipe"] })
    let timedOut = false
    let defect: { readonly error: unknown } | undefined
    let killer: NodeJS.Timeout | undefined
    let limit: NodeJS.Timeout | undefined
    let onGone = () => {}
    let gone = false
    remember(child)

    const stop = () => {
      if (killer !== undefined || gone) return
      child.kill("SIGTERM")
      killer = setTimeout(() => child.kill("SIGKILL"), graceMillis)
    }
    const finish = (result: Effect.Effect<Ending, SpawnFailed>) => {
      if (gone) return
      gone = true
      clearTimeout(killer)
      clearTimeout(limit)
      forget(child)
      resume(result)
      onGone()
    }
    const guarded = (callback: ((chunk: Buffer) => void) | undefined) => (chunk: Buffer) => {
      if (defect !== undefined || callback === undefined) return
      try {
        callback(chunk)
      } catch (error) {
        defect = { error }
        stop()
      }
    }

    if (options.timeLimitMillis !== undefined) {
      limit = setTimeout(() => {
        timedOut = true
        stop()
      }, options.timeLimitMillis)
    }
    child.stdout.on("data", guarded(options.onStdout))
    child.stderr.on("data", guarded(options.onStderr))
    child.on("error", (error) => {
      // An error after the start (a signal that could not be sent) is followed by `close`.
      if (child.pid === undefined) finish(Effect.fail(new SpawnFailed({ command, message: error.message })))
    })
    child.on("close", (code, signal) => {
      const seconds = (performance.now() - start) / 1000
      finish(defect === undefined ? Effect.succeed({ code, signal, timedOut, seconds }) : Effect.die(defect.error))
    })

    return Effect.callback<void>((done) => {
      if (gone) return done(Effect.void)
      onGone = () => done(Effect.void)
      stop()
    })
  })

/** What a short program wrote, cut to a bounded length. */
export interface Captured extends Ending {
  readonly stdout: string
  readonly stderr: string
}

/** Runs a short program and keeps what it writes, at most `limit` characters of each stream. */
export const capture = (
  command: string,
  args: ReadonlyArray<string>,
  options: { readonly cwd?: string; readonly timeLimitMillis?: number; readonly limit?: number } = {}
): Effect.Effect<Captured, SpawnFailed> =>
  Effect.suspend(() => {
    const limit = options.limit ?? 1_000_000
    let stdout = ""
    let stderr = ""
    return run(command, args, {
      ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
      timeLimitMillis: options.timeLimitMillis ?? 120_000,
      onStdout: (chunk) => {
        if (stdout.length < limit) stdout += chunk.toString("utf8")
      },
      onStderr: (chunk) => {
        if (stderr.length < limit) stderr += chunk.toString("utf8")
      }
    }).pipe(Effect.map((ending) => ({ ...ending, stdout, stderr })))
  })
