/**
 * Checks of a model before TLC sees it, for mistakes that TLC turns into success.
 *
 * - A constant that no module declares: TLC ignores it, so a misspelt override checks the wrong model.
 * - A state predicate under `PROPERTY`: TLC checks it in initial states only. SANY knows the level of every definition, so
 *   it is asked; that takes a short-lived JVM, once per specification and process, and only where there is a `PROPERTY`.
 *
 * Empty sections and constants that are given twice are refused by `Config.ts`; liveness over reduced graphs is refused by
 * `Verdict.ts`, because only TLC knows whether a property has a liveness part.
 */
import { Effect } from "effect"
import { statSync } from "node:fs"
import { basename, delimiter, dirname, resolve } from "node:path"
import type { Config } from "./Config.ts"
import type { Modules } from "./Modules.ts"
import { run } from "./Process.ts"
import type { Toolchain } from "./Toolchain.ts"
import { TlcFailure } from "./Verdict.ts"

/** Levels of TLA+: constant, state predicate, action, temporal formula. */
export type Level = 0 | 1 | 2 | 3

const levelNames = ["a constant formula", "a state predicate", "an action", "a temporal formula"] as const

/** What the guard looks at. */
export interface Model {
  readonly spec: string
  readonly config: Config
  readonly configFile: string
  readonly modules: Modules
  readonly modulePath: ReadonlyArray<string>
  /** Folder for the files SANY unpacks; must exist. */
  readonly temporary: string
}

const refuse = (model: Model, name: string, message: string) => {
  const line = model.config.lines[name]
  return new TlcFailure({
    reason: "Guard",
    message: `${basename(model.configFile)}${line === undefined ? "" : `, line ${line}`}: ${message}`,
    file: model.configFile,
    ...(line === undefined ? {} : { line })
  })
}

/** Refuses `name = value` for a name that no module knows. */
export const checkConstants = (model: Model): TlcFailure | undefined => {
  const stranger = Object.keys(model.config.constants).find((name) => !model.modules.names.has(name))
  if (stranger === undefined) return undefined
  const files = model.modules.files.map((file) => basename(file)).join(", ")
  return refuse(
    model,
    stranger,
    `the constant ${stranger} is neither declared nor defined in ${files}; TLC would silently ignore it`
  )
}

// ---------------------------------------------------------------------------------------------------------------------
// Levels
// ---------------------------------------------------------------------------------------------------------------------

const definition = /<level>([0-3])<\/level><uniquename>([^<]+)<\/uniquename><arity>/g
/** No match of `definition` is longer; so much of a chunk is kept for the next one. */
const overlap = 1_000

const known = new Map<string, ReadonlyMap<string, Level>>()

const fingerprint = (toolchain: Toolchain, model: Model): string =>
  [
    toolchain.sha256,
    ...model.modulePath.map((folder) => resolve(folder)),
    ...model.modules.files.map((file) => {
      const { mtimeMs, size } = statSync(file)
      return `${file}:${mtimeMs}:${size}`
    })
  ].join("\n")

/**
 * The level of every definition of a specification, by name, as SANY computes it. Remembered for this process until a
 * module file changes.
 */
export const levels = Effect.fnUntraced(function*(toolchain: Toolchain, model: Model) {
  const key = fingerprint(toolchain, model)
  const cached = known.get(key)
  if (cached !== undefined) return cached

  const found = new Map<string, Level>()
  let text = ""
  let stderr = ""
  const ending = yield* run(toolchain.java, [
    "-XX:+UseSerialGC",
    "-XX:TieredStopAtLevel=1",
    "-Xss16m",
    `-Djava.io.tmpdir=${model.temporary}`,
    "-cp",
    [toolchain.jar, ...model.modulePath.map((folder) => resolve(folder))].join(delimiter),
    "tla2sany.xml.XMLExporter",
    "-o",
    "-I",
    ".",
    ...model.modulePath.flatMap((folder) => ["-I", resolve(folder)]),
    basename(model.spec)
  ], {
    cwd: dirname(resolve(model.spec)),
    timeLimitMillis: 120_000,
    onStdout: (chunk) => {
      // The tags sought are plain ASCII, so a character that is cut between two chunks does no harm.
      text += chunk.toString("latin1")
      for (const match of text.matchAll(definition)) found.set(match[2]!, Number(match[1]) as Level)
      text = text.slice(-overlap)
    },
    onStderr: (chunk) => {
      stderr = (stderr + chunk.toString("utf8")).slice(-4_000)
    }
  }).pipe(Effect.catchTag("SpawnFailed", () => Effect.undefined))
  // A module that SANY refuses is left to TLC, which says what is wrong with it.
  if (ending === undefined || ending.code !== 0) return undefined
  known.set(key, found)
  return found
})

/**
 * Refuses a `PROPERTY` that is not a temporal formula. Returns the properties whose level could not be found out; a run
 * with such properties must not be believed when it succeeds.
 */
export const checkProperties = Effect.fnUntraced(function*(toolchain: Toolchain, model: Model) {
  const { properties, substitutions } = model.config
  if (properties.length === 0) return []
  const found = yield* levels(toolchain, model)
  if (found === undefined) return properties
  const unknown: Array<string> = []
  for (const name of properties) {
    const level = found.get(Object.hasOwn(substitutions, name) ? substitutions[name]!.definition : name)
    if (level === 3) continue
    if (level === undefined) {
      // Most likely it is not defined, which TLC says best.
      unknown.push(name)
      continue
    }
    return yield* refuse(
      model,
      name,
      `PROPERTY ${name} is ${levelNames[level]}, which TLC checks in initial states only. `
        + `Make it an INVARIANT, or write []${name}`
    )
  }
  return unknown
})
