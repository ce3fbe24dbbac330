/**
 * Java and Maven on this machine.
 */
import { Effect } from "effect"
import { accessSync, constants, statSync } from "node:fs"
import { delimiter, join } from "node:path"
import { capture } from "../../../tlc/Process.ts"
import { LaunchFailed } from "./LaunchFailed.ts"

export type Environment = Readonly<Record<string, string | undefined>>

const isProgram = (path: string): boolean => {
  try {
    accessSync(path, constants.X_OK)
    return statSync(path).isFile()
  } catch {
    return false
  }
}

const onPath = (name: string, environment: Environment): ReadonlyArray<string> =>
  (environment["PATH"] ?? "").split(delimiter).filter((folder) => folder !== "").map((folder) => join(folder, name))

/** The major version in what `java -version` says: `1.8.0_412`, `17.0.15`, `25`. */
const majorOf = (said: string): number | undefined => {
  const version = /version "(?:1\.)?(\d+)/.exec(said)
  return version === null ? undefined : Number(version[1])
}

/** A Java of at least this version: that of `JAVA_HOME`, else the first on the search path that does. */
export const java = Effect.fnUntraced(function*(
  needed: number,
  environment: Environment
): Effect.fn.Return<string, LaunchFailed> {
  const home = environment["JAVA_HOME"]
  const candidates = [
    ...(home === undefined || home === "" ? [] : [join(home, "bin", "java")]),
    ...onPath("java", environment)
  ].filter(isProgram)
  const found: Array<string> = []
  for (const path of candidates) {
    const said = yield* Effect.result(capture(path, ["-version"], { timeLimitMillis: 30_000 }))
    const major = said._tag === "Failure" ? undefined : majorOf(said.success.stderr + said.success.stdout)
    if (major !== undefined && major >= needed) return path
    found.push(major === undefined ? `${path} does not work` : `${path} is Java ${major}`)
  }
  return yield* new LaunchFailed({
    reason: "JavaMissing",
    message: `Apache Kafka needs Java ${needed} or later, and ${
      found.length === 0 ? "there is no java in JAVA_HOME or on the PATH" : found.join(", ")
    }. Install one and put it on the PATH or set JAVA_HOME`,
    output: ""
  })
})

/** Maven, if it is on the search path. */
export const maven = (environment: Environment): string | undefined => onPath("mvn", environment).find(isProgram)
