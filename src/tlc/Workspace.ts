/**
 * The folder of one run of TLC: `meta/` for its queue and fingerprints, `io/` for the standard modules it unpacks.
 *
 * Runs must share neither. TLC deletes unpacked modules when it ends, also those of another run, and two runs with one
 * metadir that start in the same second collide. TLC cleans up after itself unless it is killed or out of memory, so the
 * folder is removed here in any case, and what a killed Node left behind is removed by the next run.
 */
import { Effect } from "effect"
import { mkdirSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import * as OwnedFolder from "./OwnedFolder.ts"
import { TlcFailure } from "./Verdict.ts"

/** Paths of one run. */
export interface Workspace {
  readonly root: string
  readonly meta: string
  readonly io: string
}

const prefix = "keos-tlc-"

const claim = (): string => OwnedFolder.claim(tmpdir(), prefix)

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
  process.once("exit", () => OwnedFolder.remove(root))
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
    (workspace) => Effect.sync(() => OwnedFolder.remove(workspace.root))
  )
