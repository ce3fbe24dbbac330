import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Result } from "effect"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { ApacheKafka, Release } from "../../../../src/conformance/conform/launch/index.ts"
import { Connection } from "../../../../src/runtime/remote/index.ts"
import { Messages } from "../../../../src/wire/index.ts"
import { isAlive } from "./processes.ts"
import { describeBroker, leftFolders, release } from "./support.ts"

describe("what to launch", () => {
  for (
    const [text, release, transactionVersion] of [
      ["apache-kafka@4.4.0", "4.4.0", 2],
      ["apache-kafka@4.0.1", "4.0.1", 2],
      ["apache-kafka@5.1.0", "5.1.0", 2],
      ["apache-kafka@3.9.1", "3.9.1", 0],
      ["apache-kafka@3.9.1,transaction.version=0", "3.9.1", 0],
      ["apache-kafka@4.4.0,transaction.version=0", "4.4.0", 0],
      ["apache-kafka@4.4.0,transaction.version=1", "4.4.0", 1]
    ] as const
  ) {
    it(`is ${text}`, () => {
      const parsed = Result.getOrThrow(ApacheKafka.parse(text))

      assert.deepStrictEqual(parsed, { release, transactionVersion })
      assert.deepStrictEqual(ApacheKafka.parse(ApacheKafka.format(parsed)), Result.succeed(parsed))
    })
  }

  for (
    const [text, problem] of [
      ["", "it begins with apache-kafka@"],
      ["redpanda@24.1.1", "it begins with apache-kafka@"],
      ["kafka@4.4.0", "did you mean apache-kafka@4.4.0?"],
      ["apache-kafka:4.4.0", "did you mean apache-kafka@4.4.0?"],
      ["Apache-Kafka@4.4.0", "did you mean apache-kafka@4.4.0?"],
      ["apache-kafka", "the release is missing"],
      ["apache-kafka@", "the release is missing"],
      ["apache-kafka@4.4", "a release has three numbers, as in 4.4.0, and is not \"4.4\""],
      ["apache-kafka@latest", "and is not \"latest\""],
      ["apache-kafka@3.8.1", "too old: there are rules for 3.9 and later"],
      ["apache-kafka@2.8.0", "too old"],
      ["apache-kafka@4.4.0,transaction.version=3", "transaction.version is 0, 1, 2, and not \"3\""],
      ["apache-kafka@4.4.0,transaction.version", "transaction.version is 0, 1, 2, and not \"\""],
      ["apache-kafka@4.4.0,transactional.version=1", "Did you mean transaction.version?"],
      ["apache-kafka@4.4.0,transaction_version=1", "Did you mean transaction.version?"],
      ["apache-kafka@4.4.0,acks=all", "there is no setting \"acks\". There is transaction.version"],
      ["apache-kafka@4.4.0,", "there is no setting \"\""],
      ["apache-kafka@4.4.0,transaction.version=1,transaction.version=2", "there is more than one setting"],
      ["apache-kafka@3.9.1,transaction.version=1", "Apache Kafka 3.9.1 has no transaction.version"]
    ] as const
  ) {
    it(`is not ${JSON.stringify(text)}`, () => {
      const parsed = ApacheKafka.parse(text)
      if (Result.isSuccess(parsed)) return assert.fail("it is")

      assert.strictEqual(parsed.failure.text, text)
      assert.include(parsed.failure.message, `cannot launch "${text}": `)
      assert.include(parsed.failure.message, problem)
    })
  }
})

const launchFailure = (specification: ApacheKafka.LaunchSpecification, options: ApacheKafka.LaunchOptions) =>
  Effect.flip(Effect.scoped(ApacheKafka.launch(specification, options)))

/** Runs `use` with a folder in which there are programs that say and do what is asked for. */
const withPrograms = <A, E>(
  programs: Readonly<Record<string, string>>,
  use: (environment: Readonly<Record<string, string>>) => Effect.Effect<A, E>
) =>
  Effect.acquireUseRelease(
    Effect.sync(() => {
      const folder = mkdtempSync(join(tmpdir(), "keos-test-"))
      for (const [name, script] of Object.entries(programs)) {
        writeFileSync(join(folder, name), `#!/bin/sh\n${script}\n`, { mode: 0o755 })
      }
      return folder
    }),
    (folder) => use({ PATH: folder, XDG_CACHE_HOME: join(folder, "cache") }),
    (folder) => Effect.sync(() => rmSync(folder, { recursive: true }))
  )

const java17 = "echo 'openjdk version \"17.0.15\" 2025-04-15' >&2"

describe("a launch fails", () => {
  for (
    const [why, programs, reason, message] of [
      ["without Java", {}, "JavaMissing", "there is no java in JAVA_HOME or on the PATH"],
      [
        "with a Java that is too old",
        { java: "echo 'openjdk version \"11.0.2\" 2019-01-15' >&2" },
        "JavaMissing",
        "Apache Kafka needs Java 17 or later, and "
      ],
      ["with a Java that does not work", { java: "exit 1" }, "JavaMissing", "java does not work"],
      ["without Maven", { java: java17 }, "MavenMissing", "there is no Maven (mvn) on the PATH"],
      [
        "for a release that Maven does not know",
        { java: java17, mvn: "echo '[ERROR] Could not find artifact org.apache.kafka:kafka_2.13:jar:4.4.0'; exit 1" },
        "UnknownRelease",
        "Maven knows no release 4.4.0 of Apache Kafka"
      ],
      [
        "when Maven does",
        { java: java17, mvn: "echo '[ERROR] no route to host'; echo '[ERROR] Re-run Maven using -X'; exit 1" },
        "Fetch",
        "Maven did not fetch Apache Kafka 4.4.0 (exit code 1). It said:\n[ERROR] no route to host"
      ],
      [
        "when the storage cannot be formatted",
        {
          java: `if [ "$1" = -version ]; then ${java17}; else echo 'bad jar'; exit 1; fi`,
          mvn: "/bin/mkdir -p \"${6#-DoutputDirectory=}\""
        },
        "Format",
        "the storage of Apache Kafka 4.4.0 was not formatted"
      ]
    ] as const
  ) {
    it.live(why, () =>
      withPrograms(programs, (environment) =>
        Effect.gen(function*() {
          const failure = yield* launchFailure({ release: "4.4.0", transactionVersion: 2 }, { environment })

          assert.strictEqual(failure.reason, reason)
          assert.include(failure.message, message)
          assert.notInclude(failure.message, "Re-run Maven")
          assert.deepStrictEqual(leftFolders(), [])
        })))
  }

  it.live("offline, for a release that is not in the cache", () =>
    withPrograms({ java: java17, mvn: "exit 0" }, (environment) =>
      Effect.gen(function*() {
        const specification = { release: "4.4.0", transactionVersion: 2 } as const
        const failure = yield* launchFailure(specification, { environment, offline: true })

        assert.strictEqual(failure.reason, "Fetch")
        assert.include(failure.message, "no Apache Kafka 4.4.0 in ")
      })))

  it.live("for a level that the release does not have", () =>
    Effect.gen(function*() {
      const failure = yield* launchFailure({ release: "3.9.1", transactionVersion: 1 }, {})

      assert.strictEqual(failure.reason, "TransactionVersion")
      assert.include(failure.message, "Apache Kafka 3.9.1 has no transaction.version")
    }))

  for (
    const [name, value, message] of [
      ["listeners", "PLAINTEXT://:9092", "listeners cannot be set"],
      ["log.dir", "/data", "log.dir cannot be set"],
      ["log dirs", "/data", "\"log dirs\" is no name of a property"],
      ["num.partitions", "1\nlog.dirs=/data", "num.partitions has more than one line"]
    ] as const
  ) {
    it.live(`with the property ${JSON.stringify(name)}`, () =>
      Effect.gen(function*() {
        const specification = { release: "4.4.0", transactionVersion: 2 } as const
        const failure = yield* launchFailure(specification, { properties: { [name]: value } })

        assert.strictEqual(failure.reason, "InvalidProperty")
        assert.include(failure.message, message)
      }))
  }
})

const initProducerId = (connection: Connection.Connection) =>
  connection.request(Messages.InitProducerId, 4, { transactionalId: "survivor", transactionTimeoutMs: 60_000 })

const onConnection = <A, E>(
  { address }: ApacheKafka.Broker,
  use: (connection: Connection.Connection) => Effect.Effect<A, E>
) => Effect.scoped(Effect.flatMap(Connection.connect(address), use))

const identify = (broker: ApacheKafka.Broker) =>
  onConnection(broker, (connection) =>
    connection.request(Messages.ApiVersions, 4, {
      clientSoftwareName: "keos",
      clientSoftwareVersion: "0"
    })).pipe(Effect.map(Release.identify))

/** For machines that have better to do. */
const patience = { timeout: 300_000 }

describeBroker(`Apache Kafka ${release}`, () => {
  const specification: ApacheKafka.LaunchSpecification = { release, transactionVersion: 2 }

  it.live(
    "serves, survives a kill, changes its transaction.version, and leaves nothing behind",
    () =>
      Effect.gen(function*() {
        const pid = yield* Effect.scoped(Effect.gen(function*() {
          const broker = yield* ApacheKafka.launch(specification, { properties: { "num.partitions": 3 } })
          assert.strictEqual(broker.release, release)
          assert.deepStrictEqual(yield* identify(broker), { line: "4.4", transactionVersion: 2, guess: undefined })
          assert.strictEqual(leftFolders().length, 1)

          // No warm-up of anybody's own.
          const first = yield* onConnection(broker, initProducerId)
          assert.strictEqual(first.errorCode, 0)

          const killed = (yield* broker.pid)!
          yield* onConnection(broker, (connection) =>
            Effect.gen(function*() {
              yield* broker.kill
              assert.strictEqual((yield* Effect.flip(initProducerId(connection))).reason, "Lost")
            }))
          assert.isFalse(isAlive(killed))
          assert.strictEqual(yield* broker.pid, undefined)
          assert.strictEqual((yield* Effect.flip(onConnection(broker, initProducerId))).reason, "Connect")

          yield* broker.restart
          const second = yield* onConnection(broker, initProducerId)
          assert.strictEqual(second.errorCode, 0)
          assert.strictEqual(second.producerId, first.producerId)
          assert.isAbove(second.producerEpoch, first.producerEpoch)
          assert.notStrictEqual(yield* broker.pid, killed)

          for (const level of [0, 1, 2] as const) {
            yield* broker.setTransactionVersion(level)
            assert.strictEqual((yield* identify(broker)).transactionVersion, level)
            assert.strictEqual(yield* broker.transactionVersion, level)
          }

          return (yield* broker.pid)!
        }))

        assert.isFalse(isAlive(pid))
        assert.deepStrictEqual(leftFolders(), [])
      }),
    patience
  )

  it.live("that cannot start says why, and leaves nothing behind", () =>
    Effect.gen(function*() {
      const failure = yield* launchFailure(specification, { properties: { "num.io.threads": "many" } })

      assert.strictEqual(failure.reason, "Boot")
      assert.include(failure.message, "ended while it started (exit code 1). It said:")
      assert.include(failure.message, "Invalid value many for configuration num.io.threads")
      assert.deepStrictEqual(leftFolders(), [])
    }), patience)

  it.live("that is interrupted while it starts leaves nothing behind", () =>
    Effect.gen(function*() {
      const fiber = yield* Effect.forkChild(Effect.scoped(ApacheKafka.launch(specification)))
      while (leftFolders().length === 0) yield* Effect.sleep(5)

      yield* Fiber.interrupt(fiber)

      assert.deepStrictEqual(leftFolders(), [])
    }))
})
