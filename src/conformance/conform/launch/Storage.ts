/**
 * Formatted storage. It is the same for every broker of a release and a level of `transaction.version`, so it is made
 * once, kept in the cache, and copied.
 */
import { Effect, Result } from "effect"
import { cpSync, existsSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { capture } from "../../../tlc/Process.ts"
import * as Jars from "./Jars.ts"
import { attempt, essence, LaunchFailed } from "./LaunchFailed.ts"
import type { TransactionVersion } from "./Release.ts"
import * as ServerProperties from "./ServerProperties.ts"
import * as Workplace from "./Workplace.ts"

const clusterId = "AAAAAAAAAAAAAAAAAAAAAQ"

export interface Installation {
  readonly release: string
  readonly cache: string
  readonly java: string
  readonly classPath: string
}

/** For short lives. Nothing is to be left behind outside of `folder`. */
export const jvmArguments = (folder: string): ReadonlyArray<string> => [
  "-XX:TieredStopAtLevel=1",
  "-XX:+UseSerialGC",
  "-XX:-UsePerfData",
  "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
  `-Djava.io.tmpdir=${folder}`
]

export interface Level {
  /** That the storage is to have. */
  readonly transactionVersion: TransactionVersion
  /** Whether the release knows the feature at all. */
  readonly isFeature: boolean
}

const format = Effect.fnUntraced(function*(
  { cache, classPath, java, release }: Installation,
  { isFeature, transactionVersion }: Level,
  place: string
) {
  const { folder } = yield* Workplace.acquire(cache)
  const logs = join(folder, "logs")
  const file = join(folder, "server.properties")
  const properties = ServerProperties.text({ logs, port: 9092, controllerPort: 9093 }, {})
  yield* attempt(`write ${file}`, () => writeFileSync(file, properties))
  const args = [
    ...jvmArguments(folder),
    "-cp",
    classPath,
    "kafka.tools.StorageTool",
    "format",
    "-t",
    clusterId,
    "-c",
    file,
    ...(isFeature ? ["--feature", `transaction.version=${transactionVersion}`] : [])
  ]
  const ran = yield* Effect.result(capture(java, args, { cwd: folder, timeLimitMillis: 120_000 }))
  if (Result.isSuccess(ran) && ran.success.code === 0) return yield* Jars.publish(logs, place)
  const output = Result.isSuccess(ran) ? `${ran.success.stdout}${ran.success.stderr}` : ran.failure.message
  return yield* new LaunchFailed({
    reason: "Format",
    message: `the storage of Apache Kafka ${release} was not formatted. If jars are damaged, delete ${cache}. ${
      essence(output)
    }`,
    output
  })
}, Effect.scoped)

/** Puts formatted storage at `logs`, where nothing is yet. */
export const prepare = Effect.fnUntraced(function*(
  installation: Installation,
  level: Level,
  logs: string
): Effect.fn.Return<void, LaunchFailed> {
  const template = join(installation.cache, `transaction.version-${level.transactionVersion}`)
  if (!existsSync(template)) yield* format(installation, level, template)
  yield* attempt(`copy ${template} to ${logs}`, () => cpSync(template, logs, { recursive: true }))
})
