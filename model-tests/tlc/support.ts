/** What the tests of this room share: the toolchain, and configurations written where they are used. */
import { describe } from "@effect/vitest"
import { Effect, Result } from "effect"
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { afterAll } from "vitest"
import { check, type CheckOptions, type Outcome, type TlcFailure, Toolchain } from "../../src/tlc/index.ts"

const located = await Effect.runPromise(Effect.result(Toolchain.locate()))

// Absent tools are a reason to skip and to say so. Tools that are there and do not work are a failure.
if (Result.isFailure(located) && located.failure._tag === "WrongJar") throw located.failure

/** The tools; reading it without them throws. */
export const toolchain = (): Toolchain.Toolchain => Result.getOrThrow(located)

/** `describe` for tests that run TLC. */
export const describeTlc = (name: string, body: () => void): void => {
  if (Result.isSuccess(located)) describe(name, body)
  else describe.skip(`${name} (skipped: ${located.failure.message})`, body)
}

const fixtures = fileURLToPath(new URL("./fixtures/", import.meta.url))

/** Path of a module of the fixtures. */
export const spec = (name: string): string => join(fixtures, `${name}.tla`)

const folder = mkdtempSync(join(tmpdir(), "keos-test-"))
let files = 0
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** Path of a configuration file with these lines. */
export const config = (...lines: ReadonlyArray<string>): string => {
  const file = join(folder, `model-${++files}.cfg`)
  writeFileSync(file, `${lines.join("\n")}\n`)
  return file
}

/** Path of a module with this text, in a folder of its own. */
export const module = (name: string, text: string): string => {
  const file = join(mkdtempSync(join(folder, "spec-")), `${name}.tla`)
  writeFileSync(file, text)
  return file
}

/** Runs a fixture. */
export const runModel = (
  name: string,
  lines: ReadonlyArray<string>,
  options: Partial<CheckOptions> = {}
): Promise<Result.Result<Outcome, TlcFailure>> =>
  Effect.runPromise(
    Effect.result(check(toolchain(), { spec: spec(name), config: config(...lines), quick: true, ...options }))
  )

/** Folders of runs that this process has not removed. */
export const leftFolders = (): ReadonlyArray<string> =>
  ownFolders().filter((name) => existsSync(join(tmpdir(), name, "meta")))

/** Folders with compiled classes, which this process keeps as long as it lives. */
export const classFolders = (): ReadonlyArray<string> =>
  ownFolders().filter((name) => !existsSync(join(tmpdir(), name, "meta")))

const ownFolders = (): ReadonlyArray<string> =>
  readdirSync(tmpdir()).filter((name) => {
    if (!name.startsWith("keos-tlc-")) return false
    try {
      return readFileSync(join(tmpdir(), name, "owner"), "utf8").split("\n")[1] === String(process.pid)
    } catch {
      return false
    }
  })

/** Command lines of living JVMs whose folders match, where the system shows them. */
export const livingJvms = (pattern: string): ReadonlyArray<string> =>
  readdirSync("/proc").filter((name) => /^\d+$/.test(name)).flatMap((pid) => {
    try {
      const line = readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ")
      return line.includes("-Djava.io.tmpdir") && line.includes(pattern) ? [line] : []
    } catch {
      return []
    }
  })
