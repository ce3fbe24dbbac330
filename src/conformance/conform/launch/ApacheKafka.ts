/**
 * A real broker of Apache Kafka, of any release that Maven has: one node with KRaft, on this machine, that ends with its
 * scope.
 *
 * Java must be there, and Maven the first time that a release is wanted. Everything is in real time.
 */
import { Effect, Ref, Result, Schema, type Scope, Semaphore } from "effect"
import { writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { nearest } from "../../../runtime/client/Properties.ts"
import { type Address, Connection } from "../../../runtime/remote/index.ts"
import { Messages } from "../../../wire/index.ts"
import * as Jars from "./Jars.ts"
import { attempt, essence, LaunchFailed } from "./LaunchFailed.ts"
import * as Ports from "./Ports.ts"
import * as Programs from "./Programs.ts"
import * as Readiness from "./Readiness.ts"
import * as Release from "./Release.ts"
import * as ServerProperties from "./ServerProperties.ts"
import * as Storage from "./Storage.ts"
import * as Workplace from "./Workplace.ts"

export { LaunchFailed } from "./LaunchFailed.ts"

// ---------------------------------------------------------------------------------------------------------------------
// What to launch
// ---------------------------------------------------------------------------------------------------------------------

export interface LaunchSpecification {
  /** Three numbers, as in `4.4.0`. */
  readonly release: string
  /** The level of the feature `transaction.version`; 0 where the release does not have it. */
  readonly transactionVersion: Release.TransactionVersion
}

export class InvalidLaunch extends Schema.TaggedError<InvalidLaunch>()("InvalidLaunch", {
  text: Schema.String,
  message: Schema.String
}) {}

const product = "apache-kafka"
const setting = "transaction.version"
const example = `${product}@4.4.0 or ${product}@4.4.0,${setting}=1`
const levels: ReadonlyArray<Release.TransactionVersion> = [0, 1, 2]

type Checked<A> = Result.Result<A, string>

/** KIP-890: the feature is there, and at its highest level, since 4.0. */
const hasFeature = (release: string): boolean => Number(release.split(".")[0]) >= 4

const noFeature = (release: string): string =>
  `Apache Kafka ${release} has no ${setting}, and does what later releases do at 0. There is no other`

const checkRelease = (release: string): Checked<string> => {
  const [, major, minor] = /^(\d+)\.(\d+)\.\d+$/.exec(release) ?? []
  if (major === undefined) return Result.fail(`a release has three numbers, as in 4.4.0, and is not "${release}"`)
  return Number(major) < 3 || (major === "3" && Number(minor) < 9)
    ? Result.fail(`Apache Kafka ${release} is too old: there are rules for ${Release.lines[0]} and later`)
    : Result.succeed(release)
}

const checkSetting = (release: string, text: string): Checked<Release.TransactionVersion> => {
  const [name = "", ...values] = text.split("=")
  const value = values.join("=")
  if (name !== setting) {
    const meant = nearest(name, [setting])
    return Result.fail(
      `there is no setting "${name}". ${meant === undefined ? `There is ${setting}` : `Did you mean ${meant}?`}`
    )
  }
  const level = levels.find((one) => String(one) === value)
  if (level === undefined) return Result.fail(`${setting} is ${levels.join(", ")}, and not "${value}"`)
  return level !== 0 && !hasFeature(release) ? Result.fail(noFeature(release)) : Result.succeed(level)
}

const check = (text: string): Checked<LaunchSpecification> => {
  const [target = "", ...settings] = text.split(",")
  const [name = "", release, ...rest] = target.split("@")
  if (name !== product || rest.length > 0) {
    const [, meant] = /^(?:apache[-_ ]?)?kafka[@:=_ -]?(?:v?(\d+\.\d+\.\d+))?$/i.exec(target) ?? []
    return Result.fail(
      meant === undefined ? `it begins with ${product}@, as in ${example}` : `did you mean ${product}@${meant}?`
    )
  }
  if (release === undefined || release === "") return Result.fail(`the release is missing, as in ${example}`)
  return Result.flatMap(checkRelease(release), () => {
    const [first, ...others] = settings
    if (others.length > 0) return Result.fail(`there is more than one setting; write ${example}`)
    const level: Checked<Release.TransactionVersion> = first === undefined
      ? Result.succeed(hasFeature(release) ? 2 : 0)
      : checkSetting(release, first)
    return Result.map(level, (transactionVersion) => ({ release, transactionVersion }))
  })
}

/** Reads `apache-kafka@4.4.0[,transaction.version=1]`. Without a level, it is what the release has by default. */
export const parse = (text: string): Result.Result<LaunchSpecification, InvalidLaunch> =>
  Result.mapError(
    check(text),
    (problem) => new InvalidLaunch({ text, message: `cannot launch "${text}": ${problem}` })
  )

export const format = ({ release, transactionVersion }: LaunchSpecification): string =>
  `${product}@${release},${setting}=${transactionVersion}`

// ---------------------------------------------------------------------------------------------------------------------
// A broker
// ---------------------------------------------------------------------------------------------------------------------

export interface LaunchOptions {
  /** Of the broker, besides and instead of those that it is given here. They do not reach the formatting of its storage. */
  readonly properties?: ServerProperties.Properties
  readonly onProgress?: (what: string) => void
  /** Where to look for Java, Maven and the cache; by default the environment of this process. */
  readonly environment?: Programs.Environment
  /** Do not ask Maven; a release that is not in the cache is then missing. */
  readonly offline?: boolean
}

/** What can be done to it is done one after the other, whoever asks. */
export interface Broker {
  readonly address: Address.Address
  readonly release: string
  readonly transactionVersion: Effect.Effect<Release.TransactionVersion>
  /** Of the process; undefined while there is none. */
  readonly pid: Effect.Effect<number | undefined>
  /** The end of what the process has written, in which are warnings and errors. */
  readonly output: Effect.Effect<string>
  /** Ends it at once with SIGKILL, and waits until it is gone. */
  readonly kill: Effect.Effect<void>
  /** Asks it to end with SIGTERM, and waits until it has. */
  readonly stop: Effect.Effect<void>
  /** Starts it with what it has stored, at the same address, and waits until it serves. It is stopped before. */
  readonly restart: Effect.Effect<void, LaunchFailed>
  /** UpdateFeatures, up or down; waits until the broker says that it is so. */
  readonly setTransactionVersion: (level: Release.TransactionVersion) => Effect.Effect<void, LaunchFailed>
}

/** Until a broker serves. It takes two seconds, or twenty on a machine that has better to do. */
const bootLimitMillis = 90_000
const stopLimitMillis = 30_000
const levelLimitMillis = 15_000
/** To find a port that nobody takes in the meantime. */
const bootRetries = 3

const host = "127.0.0.1"

const kill = Effect.fnUntraced(function*({ worker }: Workplace.Workplace) {
  if (worker === undefined) return
  yield* worker.signal("SIGKILL")
  yield* worker.gone
})

const stop = Effect.fnUntraced(function*(workplace: Workplace.Workplace) {
  const { worker } = workplace
  if (worker === undefined) return
  yield* worker.signal("SIGTERM")
  yield* Effect.timeoutOrElse(worker.gone, { duration: stopLimitMillis, orElse: () => kill(workplace) })
})

interface Site {
  readonly installation: Storage.Installation
  readonly workplace: Workplace.Workplace
  readonly logs: string
  readonly properties: ServerProperties.Properties
}

const isPortTaken = ({ output }: LaunchFailed): boolean => output.includes("Address already in use")

/** Starts the broker of a site and waits until it serves. One that does not is killed. */
const boot = Effect.fnUntraced(function*(
  { installation, logs, properties, workplace }: Site,
  port: number
): Effect.fn.Return<void, LaunchFailed> {
  const { classPath, java, release } = installation
  const { folder } = workplace
  const file = join(folder, "server.properties")
  const text = ServerProperties.text({ logs, port, controllerPort: port + 1 }, properties)
  yield* attempt(`write ${file}`, () => writeFileSync(file, text))
  const arguments_ = [...Storage.jvmArguments(folder), "-Xmx256m", "-cp", classPath, "kafka.Kafka", file]
  const worker = yield* Workplace.start(workplace, java, arguments_)
  let obstacle = "nothing was asked"
  const ready = Readiness.wait({ host, port }, (what) => {
    obstacle = what
  })
  yield* Effect.timeoutOrElse(ready, {
    duration: bootLimitMillis,
    orElse: () =>
      Effect.fail(
        new LaunchFailed({
          reason: "NotReady",
          message: `Apache Kafka ${release} does not serve ${bootLimitMillis / 1_000} s after its start: ${obstacle}. ${
            essence(worker.output())
          }`,
          output: worker.output()
        })
      )
  }).pipe(
    Effect.raceFirst(Effect.flatMap(worker.gone, (how) =>
      Effect.fail(
        new LaunchFailed({
          reason: "Boot",
          message: `Apache Kafka ${release} ended while it started (${how}). ${essence(worker.output())}`,
          output: worker.output()
        })
      ))),
    Effect.onError(() => kill(workplace))
  )
})

const setLevel = Effect.fnUntraced(function*(
  address: Address.Address,
  release: string,
  from: Release.TransactionVersion,
  to: Release.TransactionVersion
) {
  const failure = (message: string): LaunchFailed =>
    new LaunchFailed({
      reason: "TransactionVersion",
      message: `Apache Kafka ${release} has not set ${setting} to ${to}: ${message}`,
      output: ""
    })
  const update = {
    feature: setting,
    maxVersionLevel: to,
    // FeatureUpdate.UpgradeType: UPGRADE or SAFE_DOWNGRADE.
    upgradeType: to > from ? 1 : 2
  }
  const answer = yield* Connection.connect(address).pipe(
    Effect.flatMap((connection) =>
      connection.request(Messages.UpdateFeatures, 1, { timeoutMs: 10_000, featureUpdates: [update] })
    ),
    Effect.scoped,
    Effect.mapError(({ message }) => failure(message))
  )
  for (const { errorCode, errorMessage } of [answer, ...answer.results]) {
    if (errorCode !== 0) return yield* failure(`error ${errorCode}, ${errorMessage ?? "without a message"}`)
  }
  const isSet = Effect.map(
    Readiness.apiVersions(address),
    (response) => Release.identify(response).transactionVersion === to
  )
  yield* isSet.pipe(
    Effect.repeat({ until: (done) => done, schedule: Readiness.pauses }),
    Effect.mapError(({ message }) => failure(message)),
    Effect.timeoutOrElse({
      duration: levelLimitMillis,
      orElse: () => Effect.fail(failure(`the broker does not show it after ${levelLimitMillis / 1_000} s`))
    })
  )
})

/** Starts a broker, and waits until it and both of its coordinators serve. */
export const launch = Effect.fnUntraced(function*(
  { release, transactionVersion }: LaunchSpecification,
  { environment = process.env, offline = false, onProgress = () => {}, properties = {} }: LaunchOptions = {}
): Effect.fn.Return<Broker, LaunchFailed, Scope.Scope> {
  const problem = ServerProperties.problemOf(properties)
  if (problem !== undefined) return yield* new LaunchFailed({ reason: "InvalidProperty", message: problem, output: "" })
  const isFeature = hasFeature(release)
  const unknownLevel = (): LaunchFailed =>
    new LaunchFailed({ reason: "TransactionVersion", message: noFeature(release), output: "" })
  if (transactionVersion !== 0 && !isFeature) return yield* unknownLevel()

  // KIP-1013: brokers since 4.0 need Java 17.
  const java = yield* Programs.java(isFeature ? 17 : 11, environment)
  const jars = yield* Jars.fetch(release, { environment, offline, onProgress })
  const installation: Storage.Installation = {
    release,
    java,
    cache: Jars.cacheOf(release, environment),
    classPath: join(jars, "*")
  }
  const workplace = yield* Workplace.acquire(tmpdir())
  const site: Site = { installation, workplace, properties, logs: join(workplace.folder, "logs") }
  onProgress(`starting Apache Kafka ${release}`)
  yield* Storage.prepare(installation, { transactionVersion, isFeature }, site.logs)
  const port = yield* Ports.pair.pipe(
    Effect.tap((port) => boot(site, port)),
    Effect.retry({ times: bootRetries, while: isPortTaken })
  )

  const address: Address.Address = { host, port }
  const level = yield* Ref.make(transactionVersion)
  const lock = yield* Semaphore.make(1)
  return {
    address,
    release,
    transactionVersion: Ref.get(level),
    pid: Effect.sync(() => workplace.worker?.isAlive() === true ? workplace.worker.pid : undefined),
    output: Effect.sync(() => workplace.worker?.output() ?? ""),
    kill: lock.withPermit(kill(workplace)),
    stop: lock.withPermit(stop(workplace)),
    restart: stop(workplace).pipe(
      Effect.andThen(boot(site, port).pipe(Effect.retry({ times: bootRetries, while: isPortTaken }))),
      (restarted) => lock.withPermit(restarted)
    ),
    setTransactionVersion: (wanted) =>
      lock.withPermit(Effect.gen(function*() {
        const current = yield* Ref.get(level)
        if (wanted === current) return
        if (!isFeature) return yield* unknownLevel()
        yield* setLevel(address, release, current, wanted)
        yield* Ref.set(level, wanted)
      }))
  }
})
