/**
 * The jars of a release of Apache Kafka, which Maven fetches: it knows the user's mirrors, proxies and credentials. They
 * are kept in a cache, one folder per release, and then nobody is asked any more.
 */
import { Effect, Result } from "effect"
import { existsSync, mkdirSync, renameSync, writeFileSync } from "node:fs"
import { homedir } from "node:os"
import { dirname, join, resolve } from "node:path"
import { capture } from "../../../tlc/Process.ts"
import { attempt, essence, LaunchFailed } from "./LaunchFailed.ts"
import * as Programs from "./Programs.ts"
import * as Workplace from "./Workplace.ts"

const mavenLimitMillis = 300_000
const outputLimit = 16_000

/** What is kept of a release, whether it is there or not. */
export const cacheOf = (release: string, environment: Programs.Environment): string =>
  join(resolve(environment["XDG_CACHE_HOME"] || join(homedir(), ".cache")), "keos", "apache-kafka", release)

/**
 * Kafka logs to SLF4J 1.7 and brings nothing that would write it anywhere; with the simplest of all providers a broker
 * that dies says why.
 */
const pom = (release: string): string =>
  `<project>
  <modelVersion>4.0.0</modelVersion>
  <groupId>keos</groupId>
  <artifactId>apache-kafka</artifactId>
  <version>1</version>
  <packaging>pom</packaging>
  <dependencies>
    <dependency>
      <groupId>org.apache.kafka</groupId>
      <artifactId>kafka_2.13</artifactId>
      <version>${release}</version>
    </dependency>
    <dependency>
      <groupId>org.slf4j</groupId>
      <artifactId>slf4j-simple</artifactId>
      <version>1.7.36</version>
    </dependency>
  </dependencies>
</project>
`

/** Puts a finished folder in its place, unless another run was faster. */
export const publish = (folder: string, place: string): Effect.Effect<void, LaunchFailed> =>
  attempt(`make ${place}`, () => {
    mkdirSync(dirname(place), { recursive: true })
    renameSync(folder, place)
  }).pipe(Effect.catch((error) => existsSync(place) ? Effect.void : Effect.fail(error)))

const failure = (reason: LaunchFailed["reason"], message: string, output = ""): LaunchFailed =>
  new LaunchFailed({ reason, message, output })

const askMaven = Effect.fnUntraced(function*(maven: string, release: string, cache: string) {
  const { folder } = yield* Workplace.acquire(dirname(cache))
  const jars = join(folder, "jars")
  yield* attempt(`write to ${folder}`, () => writeFileSync(join(folder, "pom.xml"), pom(release)))
  const args = ["-q", "-B", "-f", "pom.xml", "dependency:copy-dependencies", `-DoutputDirectory=${jars}`]
  const asked = yield* Effect.result(capture(maven, args, { cwd: folder, timeLimitMillis: mavenLimitMillis }))
  if (Result.isFailure(asked)) return yield* failure("MavenMissing", `cannot start ${maven}: ${asked.failure.message}`)
  const { code, stderr, stdout, timedOut } = asked.success
  if (code === 0 && existsSync(jars)) return yield* publish(jars, join(cache, "jars"))
  // oxlint-disable-next-line no-control-regex
  const output = `${stdout}${stderr}`.replaceAll(/\u001b\[[0-9;]*m/g, "").slice(-outputLimit)
  if (/could not find artifact org\.apache\.kafka:kafka_2\.13/i.test(output)) {
    return yield* failure("UnknownRelease", `Maven knows no release ${release} of Apache Kafka`, output)
  }
  const how = timedOut ? `no end within ${mavenLimitMillis / 1_000} s` : `exit code ${code}`
  return yield* failure("Fetch", `Maven did not fetch Apache Kafka ${release} (${how}). ${essence(output)}`, output)
}, Effect.scoped)

export interface Options {
  readonly environment: Programs.Environment
  readonly offline: boolean
  readonly onProgress: (what: string) => void
}

/** The folder with the jars of a release. */
export const fetch = Effect.fnUntraced(function*(
  release: string,
  { environment, offline, onProgress }: Options
): Effect.fn.Return<string, LaunchFailed> {
  const cache = cacheOf(release, environment)
  const jars = join(cache, "jars")
  if (existsSync(jars)) return jars
  if (offline) {
    return yield* failure("Fetch", `no Apache Kafka ${release} in ${cache}. Fetch it once without the offline option`)
  }
  const maven = Programs.maven(environment)
  if (maven === undefined) {
    return yield* failure(
      "MavenMissing",
      `no Apache Kafka ${release} in ${cache}, and there is no Maven (mvn) on the PATH to fetch it. Install it`
    )
  }
  onProgress(`fetching Apache Kafka ${release}`)
  yield* askMaven(maven, release, cache)
  return jars
})
