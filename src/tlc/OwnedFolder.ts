/**
 * Temporary folders that say whose they are, so that what a killed Node left behind is known from what is in use.
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs"
import { hostname } from "node:os"
import { join } from "node:path"

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

/** Removes a folder with all that is in it, also where somebody still writes to it. */
export const remove = (folder: string): void =>
  rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 })

/** Clears away the folders in `base` whose names begin with `prefix` and whose owner is dead. */
export const sweep = (base: string, prefix: string, clear: (folder: string) => void = remove): void => {
  for (const name of readdirSync(base)) {
    if (!name.startsWith(prefix)) continue
    const folder = join(base, name)
    try {
      if (isStale(folder)) clear(folder)
    } catch {
      // Somebody else removed it, or may and we may not.
    }
  }
}

const swept = new Set<string>()

/** A fresh folder in `base` that is this process's; the first time, dead owners' are cleared away. Throws what Node throws. */
export const claim = (base: string, prefix: string, clear: (folder: string) => void = remove): string => {
  const beginning = join(base, prefix)
  if (!swept.has(beginning)) {
    swept.add(beginning)
    sweep(base, prefix, clear)
  }
  const folder = mkdtempSync(beginning)
  writeFileSync(join(folder, "owner"), `${hostname()}\n${process.pid}\n`)
  return folder
}
