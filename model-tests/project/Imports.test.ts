import { afterAll, assert, describe, it } from "@effect/vitest"
import { spawnSync } from "node:child_process"
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"

const home = join(import.meta.dirname, "../..")

/** Each case becomes a file of its own in a copy of the folder layout; one run of oxlint judges them all. */
interface Case {
  readonly room: string
  readonly line: string
  readonly allowed: boolean
}

const forbidden = (room: string, ...lines: ReadonlyArray<string>): ReadonlyArray<Case> =>
  lines.map((line) => ({ room, line, allowed: false }))
const allowed = (room: string, ...lines: ReadonlyArray<string>): ReadonlyArray<Case> =>
  lines.map((line) => ({ room, line, allowed: true }))

const cases: ReadonlyArray<Case> = [
  ...forbidden(
    "core",
    "export { readFileSync } from \"node:fs\"",
    "import * as path from \"node:path\"\nexport const join = path.join",
    "export * from \"../model.ts\"",
    "export const fs = import(\"node:fs\")",
    "export { Effect } from \"effect\"",
    "import * as Everything from \"effect\"\nexport const it = Everything",
    "export { Array } from \"effect/Array\"",
    "export { NodeRuntime } from \"@effect/platform-node\"",
    "export * from \"fast-check\""
  ),
  ...allowed(
    "core",
    "export { increment } from \"./Sequence.ts\"",
    "export { Result } from \"effect\"",
    "export { Brand, Option } from \"effect\""
  ),
  ...forbidden(
    "tlc",
    "export { Sequence } from \"../core/index.ts\"",
    "import type { Rules } from \"../core/Rules.ts\"\nexport type It = Rules",
    "export { World } from \"../model/index.ts\"",
    "export { Network } from \"../runtime/index.ts\"",
    "export { Graph } from \"../conformance/index.ts\"",
    "export { run } from \"../cli/main.ts\"",
    "export const core = import(\"../core/index.ts\")"
  ),
  ...allowed("tlc", "export { Effect } from \"effect\"", "export { spawn } from \"node:child_process\""),
  ...forbidden(
    "model",
    "export { Value } from \"../tlc/index.ts\"",
    "import type { Value } from \"../tlc/Value.ts\"\nexport type It = Value",
    "export { Network } from \"../runtime/index.ts\"",
    "export { Graph } from \"../conformance/index.ts\"",
    "export { run } from \"../cli/main.ts\""
  ),
  ...allowed("model", "export { Sequence } from \"../core/index.ts\"", "export { World } from \"./World.ts\""),
  ...forbidden(
    "runtime",
    "export { World } from \"../model/index.ts\"",
    "import type { World } from \"../model/World.ts\"\nexport type It = World",
    "export { Value } from \"../tlc/index.ts\"",
    "export { Graph } from \"../conformance/index.ts\"",
    "export { run } from \"../cli/main.ts\""
  ),
  ...allowed(
    "runtime",
    "export { Sequence } from \"../core/index.ts\"",
    "export { RecordBatch } from \"../wire/index.ts\"",
    "export { Effect } from \"effect\""
  ),
  ...forbidden(
    "wire",
    "export { World } from \"../model/index.ts\"",
    "export { Value } from \"../tlc/index.ts\"",
    "export { Network } from \"../runtime/index.ts\"",
    "export { Graph } from \"../conformance/index.ts\"",
    "export { run } from \"../cli/main.ts\""
  ),
  ...allowed("wire", "export { Transaction } from \"../core/index.ts\"", "export { Result } from \"effect\""),
  ...forbidden("conformance", "export { run } from \"../cli/main.ts\"", "export * from \"../cli/Output.ts\""),
  ...allowed(
    "conformance",
    "export { Sequence } from \"../core/index.ts\"",
    "export { World } from \"../model/index.ts\"",
    "export { Value } from \"../tlc/index.ts\"",
    "export { Network } from \"../runtime/index.ts\""
  ),
  ...allowed("cli", "export { Graph } from \"../conformance/index.ts\""),
  ...forbidden(
    "core",
    "export { World } from \"../model/index.ts\"",
    "import type { World } from \"../model/World.ts\"\nexport type It = World",
    "export * from \"../tlc/index.ts\"",
    "export { Network } from \"../runtime/index.ts\"",
    "export { Graph } from \"../conformance/index.ts\"",
    "export { World } from \"keos/model\"",
    "export { readFileSync } from \"fs\"",
    "export * from \"typescript\""
  ),
  ...forbidden("tlc", "export { Sequence } from \"keos/core\""),
  ...forbidden("model", "export { Value } from \"keos/tlc\""),
  ...forbidden("runtime", "export { World } from \"keos/model\""),
  ...forbidden("conformance", "export * from \"../../model-tests/core/support.ts\"")
]

const folder = mkdtempSync(join(tmpdir(), "keos-lint-"))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const fileOf = (index: number, { room }: Case): string => join("src", room, `Case${index}.ts`)

/** The files in which oxlint finds a forbidden import. */
const refused = ((): ReadonlySet<string> => {
  cpSync(join(home, ".oxlintrc.json"), join(folder, ".oxlintrc.json"))
  symlinkSync(join(home, "node_modules"), join(folder, "node_modules"))
  cases.forEach((one, index) => {
    const path = join(folder, fileOf(index, one))
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, `${one.line}\n`)
  })
  const { error, stderr, stdout } = spawnSync(
    process.execPath,
    [join(home, "node_modules/oxlint/bin/oxlint"), "--format", "json", "src"],
    { cwd: folder, encoding: "utf8" }
  )
  if (error !== undefined) throw error
  const start = stdout.indexOf("{")
  if (start < 0) throw new Error(`oxlint says no JSON: ${stdout}${stderr}`)
  const { diagnostics, number_of_files } = JSON.parse(stdout.slice(start)) as {
    readonly diagnostics: ReadonlyArray<{ readonly code?: string; readonly filename: string }>
    readonly number_of_files: number
  }
  if (number_of_files !== cases.length) throw new Error(`oxlint read ${number_of_files} of ${cases.length} files`)
  return new Set(diagnostics.flatMap(({ code, filename }) => code?.includes("no-restricted-imports") ? [filename] : []))
})()

describe("the lint rules", () => {
  cases.forEach((one, index) => {
    it(`${one.allowed ? "let" : "do not let"} ${one.room} say ${one.line.replace("\n", "; ")}`, () => {
      assert.strictEqual(refused.has(fileOf(index, one)), !one.allowed)
    })
  })
})

describe("the sources", () => {
  const sources = readdirSync(join(home, "src"), { recursive: true, encoding: "utf8" }).filter((name) =>
    name.endsWith(".ts")
  )
  const specifiers = (name: string): ReadonlyArray<string> =>
    Array.from(
      readFileSync(join(home, "src", name), "utf8").matchAll(/\b(?:from|import|import\()\s*\(?\s*"([^"]+)"/g),
      ([, specifier]) => specifier!
    )
  /** What each room may import besides itself; the same as the lint rules, by other means. */
  const rooms: Readonly<Record<string, ReadonlyArray<string>>> = {
    core: [],
    tlc: [],
    model: ["core"],
    wire: ["core"],
    runtime: ["core", "wire"],
    conformance: ["core", "model", "tlc", "runtime", "wire"],
    cli: ["core", "model", "tlc", "runtime", "wire", "conformance"]
  }
  const found = sources.flatMap((name) => specifiers(name).map((specifier) => [name, specifier] as const))

  it("are found, and their imports too", () => {
    assert.isAbove(sources.length, 40)
    assert.isAbove(found.length, 150)
    assert.sameMembers([...new Set(sources.map((name) => name.split("/")[0]!))], Object.keys(rooms))
  })

  it("do not import tests", () => {
    assert.deepStrictEqual(found.filter(([, specifier]) => specifier.includes("model-tests")), [])
  })

  it("import only the rooms that are open to them", () => {
    const wrong = found.filter(([name, specifier]) => {
      const room = name.split("/")[0]!
      if (specifier.startsWith("keos")) return true
      if (!specifier.startsWith(".")) return false
      const into = join(dirname(name), specifier).split("/")[0]!
      return into !== room && !rooms[room]!.includes(into)
    })

    assert.deepStrictEqual(wrong, [])
  })

  it("of the core import nothing from outside but what is pure", () => {
    const outside = found.filter(([name, specifier]) => name.startsWith("core/") && !specifier.startsWith("./"))

    assert.deepStrictEqual(outside.filter(([, specifier]) => specifier !== "effect"), [])
  })
})
