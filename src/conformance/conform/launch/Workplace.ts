/**
 * A temporary folder and the process that works in it. Neither remains: they end with their scope, with Node, however it
 * ends, or, where Node was killed, at the latest with the next run.
 *
 * The process is killed and not asked: nobody needs what it would still write. This module uses Node's `child_process`
 * directly, since a real process cannot live in virtual time.
 */
import { Deferred, Effect, type Scope } from "effect"
import { type ChildProcess, spawn } from "node:child_process"
import { mkdirSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import * as OwnedFolder from "../../../tlc/OwnedFolder.ts"
import { attempt, LaunchFailed } from "./LaunchFailed.ts"

/** A process that was started in a workplace. */
export interface Worker {
  readonly pid: number
  /** Whether it runs, as far as Node has heard. */
  readonly isAlive: () => boolean
  /** The end of what it has written so far, on both streams. */
  readonly output: () => string
  /** Waits until it is gone, and says how it ended. */
  readonly gone: Effect.Effect<string>
  /** Sends a signal, which is in vain if it is gone. */
  readonly signal: (signal: NodeJS.Signals) => Effect.Effect<void>
}

export interface Workplace {
  readonly folder: string
  /** The last one that was started. */
  worker: Worker | undefined
  child: ChildProcess | undefined
}

const { remove } = OwnedFolder

const prefix = "keos-kafka-"
/** Characters of output that are kept. */
const outputLimit = 16_000

// ---------------------------------------------------------------------------------------------------------------------
// What a killed Node has left behind
// ---------------------------------------------------------------------------------------------------------------------

/** Kills the process that works in a folder, where the system shows that its number has not gone to another. */
const killWorker = (folder: string): void => {
  try {
    const pid = Number(readFileSync(join(folder, "worker"), "utf8"))
    if (readFileSync(`/proc/${pid}/cmdline`, "utf8").includes(folder)) process.kill(pid, "SIGKILL")
  } catch {
    // None was started, or it is gone.
  }
}

const clearAway = (folder: string): void => {
  killWorker(folder)
  remove(folder)
}

/** Removes the folders in `base` whose owner is dead, and ends who works in them. */
export const sweep = (base: string): void => OwnedFolder.sweep(base, prefix, clearAway)

// ---------------------------------------------------------------------------------------------------------------------
// Nothing survives Node
// ---------------------------------------------------------------------------------------------------------------------

const workplaces = new Set<Workplace>()
const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const
let guarded = false

const clear = (): void => {
  for (const { child } of workplaces) child?.kill("SIGKILL")
  for (const { folder } of workplaces) remove(folder)
}

const onSignal = (signal: NodeJS.Signals): void => {
  clear()
  unguard()
  // A listener switches Node's own reaction off. Where somebody else listens too, how to end is theirs to say.
  if (process.listenerCount(signal) === 0) process.kill(process.pid, signal)
}

const guard = (): void => {
  if (guarded) return
  guarded = true
  process.on("exit", clear)
  // Before the others, who may ask in their turn whether anybody else listens.
  for (const signal of signals) process.prependListener(signal, onSignal)
}

const unguard = (): void => {
  guarded = false
  process.off("exit", clear)
  for (const signal of signals) process.off(signal, onSignal)
}

// ---------------------------------------------------------------------------------------------------------------------
// Workplaces
// ---------------------------------------------------------------------------------------------------------------------

const claim = (base: string): Workplace => {
  mkdirSync(base, { recursive: true })
  guard()
  const folder = OwnedFolder.claim(base, prefix, clearAway)
  const workplace: Workplace = { folder, worker: undefined, child: undefined }
  workplaces.add(workplace)
  return workplace
}

const release = Effect.fnUntraced(function*(workplace: Workplace) {
  const { worker } = workplace
  if (worker !== undefined) {
    yield* worker.signal("SIGKILL")
    yield* worker.gone
  }
  remove(workplace.folder)
  workplaces.delete(workplace)
  if (workplaces.size === 0) unguard()
})

/** A fresh folder in `base`. */
export const acquire = (base: string): Effect.Effect<Workplace, LaunchFailed, Scope.Scope> =>
  Effect.acquireRelease(
    attempt(`make a folder in ${base}`, () => claim(base)),
    release
  )

/** Starts a process in a workplace whose last one is gone. Its command line must have the folder in it. */
export const start = (
  workplace: Workplace,
  command: string,
  args: ReadonlyArray<string>
): Effect.Effect<Worker, LaunchFailed> =>
  Effect.callback((resume) => {
    const child = spawn(command, args, { cwd: workplace.folder, stdio: ["ignore", "pipe", "pipe"] })
    const gone = Deferred.makeUnsafe<string>()
    let output = ""
    let ended = false
    const end = (how: string): void => {
      ended = true
      Deferred.doneUnsafe(gone, Effect.succeed(how))
    }
    const keep = (chunk: Buffer): void => {
      output = (output + chunk.toString("utf8")).slice(-outputLimit)
    }
    child.stdout.on("data", keep)
    child.stderr.on("data", keep)
    child.on("close", (code, signal) => end(signal === null ? `exit code ${code}` : `signal ${signal}`))
    child.on("error", (error) => {
      // An error after the start (a signal that could not be sent) is followed by `close`.
      if (child.pid !== undefined) return
      end(error.message)
      resume(Effect.fail(
        new LaunchFailed({ reason: "Boot", message: `cannot start ${command}: ${error.message}`, output: "" })
      ))
    })
    const { pid } = child
    if (pid === undefined) return
    const worker: Worker = {
      pid,
      isAlive: () => !ended,
      output: () => output,
      gone: Deferred.await(gone),
      signal: (signal) => Effect.sync(() => void child.kill(signal))
    }
    workplace.child = child
    workplace.worker = worker
    writeFileSync(join(workplace.folder, "worker"), String(pid))
    resume(Effect.succeed(worker))
  })
