/**
 * The configuration of a consumer, by Kafka's property names and with Kafka's defaults: `ConsumerConfig` of 4.x.
 *
 * This is a member by the classic protocol. Connections, their security and the deserializers are no properties here:
 * they are services and arguments.
 */
import { Result, Schema } from "effect"
import { Assignor } from "../../core/index.ts"
import * as Properties from "./Properties.ts"

const { boolean, integer, maxInt, oneOf, refuse } = Properties

const groupId: Properties.Property<string | undefined> = {
  schema: Schema.NonEmptyString,
  expected: "a name that is not empty",
  default: undefined
}

const clientId: Properties.Property<string> = { schema: Schema.String, expected: "a name", default: "" }

const strategies = {
  range: Assignor.range,
  roundrobin: Assignor.roundRobin,
  "org.apache.kafka.clients.consumer.RangeAssignor": Assignor.range,
  "org.apache.kafka.clients.consumer.RoundRobinAssignor": Assignor.roundRobin
} as const

const table = {
  "group.id": groupId,
  "isolation.level": oneOf(["read_uncommitted", "read_committed"], { default: "read_uncommitted" }),
  "auto.offset.reset": oneOf(["latest", "earliest", "none"], { default: "latest" }),
  "enable.auto.commit": boolean({ default: true }),
  "auto.commit.interval.ms": integer({ minimum: 0, maximum: maxInt, default: 5000 }),
  "session.timeout.ms": integer({ minimum: 1, maximum: maxInt, default: 45_000 }),
  "heartbeat.interval.ms": integer({ minimum: 1, maximum: maxInt, default: 3000 }),
  "max.poll.records": integer({ minimum: 1, maximum: maxInt, default: 500 }),
  "max.poll.interval.ms": integer({ minimum: 1, maximum: maxInt, default: 300_000 }),
  "fetch.min.bytes": integer({ minimum: 0, maximum: maxInt, default: 1 }),
  "fetch.max.bytes": integer({ minimum: 0, maximum: maxInt, default: 52_428_800 }),
  "fetch.max.wait.ms": integer({ minimum: 0, maximum: maxInt, default: 500 }),
  "partition.assignment.strategy": oneOf(Object.keys(strategies) as ReadonlyArray<keyof typeof strategies>, {
    default: "range"
  }),
  "metadata.max.age.ms": integer({ minimum: 0, maximum: maxInt, default: 300_000 }),
  "request.timeout.ms": integer({ minimum: 1, maximum: maxInt, default: 30_000 }),
  "default.api.timeout.ms": integer({ minimum: 1, maximum: maxInt, default: 60_000 }),
  "retry.backoff.ms": integer({ minimum: 0, maximum: maxInt, default: 100 }),
  "retry.backoff.max.ms": integer({ minimum: 0, maximum: maxInt, default: 1000 }),
  "client.id": clientId
} satisfies Properties.Table

const absent: Properties.Absent = {
  "bootstrap.servers": "the service Connections knows the brokers",
  "key.deserializer": "deserializers are arguments: ConsumerRecord.deserialize",
  "value.deserializer": "deserializers are arguments: ConsumerRecord.deserialize",
  "group.protocol": "the protocol is always classic",
  "group.instance.id": "static membership (KIP-345) is not supported",
  "check.crcs": "the checksums of batches are always checked",
  "max.partition.fetch.bytes": "fetch.max.bytes is the only limit of a fetch"
}

/** Decoded, with the defaults put in. */
export type ConsumerConfig = Properties.Values<typeof table>

export type Given = Properties.Given<typeof table>

/**
 * Decodes properties. Automatic commits need a group: without one they are off, unless they were asked for.
 * `ConsumerConfig.maybeOverrideEnableAutoCommit`, `Heartbeat`.
 */
export const decode = (
  given: Given | Readonly<Record<string, unknown>>
): Result.Result<ConsumerConfig, Properties.ConfigException> =>
  Result.gen(function*() {
    const config = yield* Properties.decode(table, absent, given)
    const { "heartbeat.interval.ms": interval, "session.timeout.ms": session } = config
    if (interval >= session) {
      return yield* Result.fail(
        refuse("heartbeat.interval.ms", interval, `it must be less than session.timeout.ms, which is ${session}`)
      )
    }
    if (config["group.id"] !== undefined || !config["enable.auto.commit"]) return config
    if (Properties.isGiven(given, "enable.auto.commit")) {
      return yield* Result.fail(refuse("enable.auto.commit", true, "it cannot be true without a group.id"))
    }
    return { ...config, "enable.auto.commit": false }
  })

/** The strategy by which this member shares partitions out when it leads. */
export const assignor = (config: ConsumerConfig): Assignor.Assignor =>
  strategies[config["partition.assignment.strategy"]]
