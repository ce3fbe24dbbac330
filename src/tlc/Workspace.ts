/**
 * The folder of one run of TLC: `meta/` for its queue and fingerprints, `io/` for the standard modules it unpacks.
 *
 * Runs must share neither. TLC deletes unpacked modules when it ends, also those of another run, and two runs with one
 * metadir that start in the same second collide. TLC cleans up after itself unless it is killed or out of memory, so the
 * folder is removed here in any case, and what a killed Node left behind is removed by the next run.
 */
import { Effect } from "effect"
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs"
import { hostname, tmpdir } from "node:os"
import { join } from "node:path"
import { TlcFailure } from "./Verdict.ts"

/** Paths of one run. */
export interface Workspace {
  readonly root: string
  readonly meta: string
  readonly io: string
}

const prefix = "keos-tlc-"
const day = 24 * 60 * 60 * 1000

const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== "ESRCH"
  }
}

const isStale = (folder: string): boolean => {
  try {
    const [host, pid] = readFileSync(join(folder, "owner"), "utf8").split("\n")
    // Processes of another host, or container, cannot be seen from here; their folders are not ours to judge.
    return host === hostname() && !isAlive(Number(pid))
  } catch {
    // Without an owner the folder is either a second old or damaged.
    return Date.now() - statSync(folder).mtimeMs > day
  }
}

let swept = false

/** Removes folders whose owner is dead; once per process. */
export const sweep = (base: string = tmpdir()): void => {
  for (const name of readdirSync(base)) {
    if (!name.startsWith(prefix)) continue
    const folder = join(base, name)
    try {
      if (isStale(folder)) rmSync(folder, { recursive: true, force: true })
    } catch {
      // Somebody else removed it, or may and we may not.
    }
  }
}

const remove = (root: string) => rmSync(root, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 })

/** A folder that says whose it is. */
const claim = (): string => {
  if (!swept) {
    swept = true
    sweep()
  }
  const root = mkdtempSync(join(tmpdir(), prefix))
  writeFileSync(join(root, "owner"), `${hostname()}\n${process.pid}\n`)
  return root
}

const make = (): Workspace => {
  const root = claim()
  const workspace = { root, meta: join(root, "meta"), io: join(root, "io") }
  mkdirSync(workspace.meta)
  mkdirSync(workspace.io)
  return workspace
}

/** A folder that is kept until this process ends. */
export const lasting = (): string => {
  const root = claim()
  process.once("exit", () => remove(root))
  return root
}

/** Runs `use` with a fresh folder and removes the folder whatever happens. */
export const withWorkspace = <A, E, R>(
  use: (workspace: Workspace) => Effect.Effect<A, E, R>
): Effect.Effect<A, E | TlcFailure, R> =>
  Effect.acquireUseRelease(
    Effect.try({
      try: make,
      catch: (error) =>
        new TlcFailure({
          reason: "Start",
          message: `cannot make a folder in ${tmpdir()}: ${error instanceof Error ? error.message : String(error)}`
        })
    }),
    use,
    (workspace) => Effect.sync(() => remove(workspace.root))
  )
