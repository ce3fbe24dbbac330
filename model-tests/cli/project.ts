/**
 * Copies of the project in which files can be spoiled, and its command line as a process.
 */
import { spawn } from "node:child_process"
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join, resolve } from "node:path"

export const root = resolve(import.meta.dirname, "../..")

export interface Finished {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

export interface Project {
  readonly folder: string
  /** What the commands leave in the folder for temporary files. */
  readonly leftOver: () => ReadonlyArray<string>
  readonly edit: (path: string, change: (text: string) => string) => void
  readonly run: (args: ReadonlyArray<string>, options?: RunOptions) => Promise<Finished>
  readonly remove: () => void
}

export interface RunOptions {
  readonly environment?: Readonly<Record<string, string>>
  /** What standard input has. */
  readonly input?: string
  /** Sends SIGINT once stderr or stdout has this text. */
  readonly interruptAt?: string
}

const execute = (
  folder: string,
  temporary: string,
  args: ReadonlyArray<string>,
  options: RunOptions
): Promise<Finished> =>
  new Promise((done, failed) => {
    const compiled = join(temporary, "..", "compiled")
    const env = {
      ...process.env,
      TMPDIR: temporary,
      NODE_COMPILE_CACHE: compiled,
      NO_COLOR: "1",
      ...options.environment
    }
    const child = spawn(process.execPath, [join(folder, "src/cli/main.ts"), ...args], { cwd: folder, env })
    child.stdin.end(options.input ?? "")
    let stdout = ""
    let stderr = ""
    let interrupted = false
    const look = (): void => {
      if (interrupted || options.interruptAt === undefined || !(stdout + stderr).includes(options.interruptAt)) return
      interrupted = true
      setTimeout(() => child.kill("SIGINT"), 1_500)
    }
    child.stdout.on("data", (chunk: Buffer) => {
      stdout += chunk.toString()
      look()
    })
    child.stderr.on("data", (chunk: Buffer) => {
      stderr += chunk.toString()
      look()
    })
    child.on("error", failed)
    child.on("close", (code) => done({ code, stdout, stderr }))
  })

/** A copy; the packages that it needs are those of the original. */
export const copy = (): Project => {
  const temporary = mkdtempSync(join(tmpdir(), "keos-cli-"))
  const folder = join(temporary, "project")
  const own = join(temporary, "temporary")
  mkdirSync(own)
  for (const part of ["src", "spec", "traces", "package.json"]) {
    cpSync(join(root, part), join(folder, part), { recursive: true })
  }
  symlinkSync(join(root, "node_modules"), join(folder, "node_modules"))
  return {
    folder,
    leftOver: () => readdirSync(own),
    edit: (path, change) => {
      const before = readFileSync(join(folder, path), "utf8")
      const after = change(before)
      if (after === before) throw new Error(`nothing to change in ${path}`)
      mkdirSync(dirname(join(folder, path)), { recursive: true })
      writeFileSync(join(folder, path), after)
    },
    run: (args, options = {}) => execute(folder, own, args, options),
    remove: () => rmSync(temporary, { recursive: true, force: true })
  }
}

/** Process ids of all Java processes whose command line names a path. */
export const javaProcesses = (naming: string): ReadonlyArray<string> =>
  readdirSync("/proc").filter((entry) => /^\d+$/.test(entry)).filter((entry) => {
    try {
      const command = readFileSync(`/proc/${entry}/cmdline`, "utf8")
      return command.includes("tlc2.TLC") && command.includes(naming)
    } catch {
      return false
    }
  })
