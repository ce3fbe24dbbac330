/**
 * The configuration of a producer, by Kafka's property names and with Kafka's defaults: `ProducerConfig` of 4.x.
 *
 * Some properties depend on others. What contradicts is refused where it was asked for, and put right where it was only
 * the default; that is why it matters which properties are given. Connections, their security and the serializers are
 * not properties here but services and arguments.
 */
import { Result, Schema, SchemaTransformation } from "effect"
import { codecs } from "../../wire/Compression.ts"
import * as Partitioner from "./Partitioner.ts"
import * as Properties from "./Properties.ts"
import { refuse } from "./Properties.ts"

const { boolean, integer, isGiven, maxInt, maxLong, oneOf } = Properties

const acks: Properties.Property<"0" | "1" | "all"> = {
  schema: Schema.Union([
    Schema.Literals([-1, 0, 1]),
    Schema.Trim.pipe(Schema.decodeTo(Schema.Literals(["all", "-1", "0", "1"])))
  ]).pipe(
    Schema.decodeTo(
      Schema.Literals(["0", "1", "all"]),
      SchemaTransformation.transform({
        decode: (given) =>
          given === -1 || given === "-1" || given === "all" ? "all" : given === 0 || given === "0" ? "0" : "1",
        encode: (decoded) => decoded
      })
    )
  ),
  expected: "all, -1, 0 or 1",
  default: "all"
}

const text = (options: { readonly default: string }): Properties.Property<string> => ({
  schema: Schema.String,
  expected: "a string",
  default: options.default
})

const transactionalId: Properties.Property<string | undefined> = {
  schema: Schema.NonEmptyString,
  expected: "a string that is not empty; leave it out for a producer without transactions",
  default: undefined
}

const roundRobin = ["RoundRobinPartitioner", "org.apache.kafka.clients.producer.RoundRobinPartitioner"]

const isPartitioner = (value: unknown): value is Partitioner.Partitioner =>
  typeof value === "object" && value !== null && "make" in value && "usesKeys" in value

const partitioner: Properties.Property<Partitioner.Partitioner> = {
  schema: Schema.Union([
    Schema.declare(isPartitioner),
    Schema.Trim.pipe(
      Schema.decodeTo(Schema.Literals(roundRobin)),
      Schema.decodeTo(
        Schema.declare(isPartitioner),
        SchemaTransformation.transform({ decode: () => Partitioner.roundRobin, encode: () => "RoundRobinPartitioner" })
      )
    )
  ]),
  expected:
    "RoundRobinPartitioner, or a Partitioner (sticky and custom ones are); leave it out for Kafka's own (KIP-794)",
  default: Partitioner.uniform
}

const duration = (defaultMs: number) => integer({ default: defaultMs, minimum: 0, maximum: maxInt })
const longDuration = (defaultMs: number) => integer({ default: defaultMs, minimum: 0, maximum: maxLong })
const bytes = duration

const table = {
  acks,
  "enable.idempotence": boolean({ default: true }),
  retries: integer({ default: maxInt, minimum: 0, maximum: maxInt }),
  "max.in.flight.requests.per.connection": integer({ default: 5, minimum: 1, maximum: maxInt }),
  "transactional.id": transactionalId,
  "transaction.timeout.ms": integer({ default: 60_000, minimum: 1, maximum: maxInt }),
  "transaction.two.phase.commit.enable": boolean({ default: false }),
  "linger.ms": longDuration(5),
  "batch.size": bytes(16_384),
  "buffer.memory": integer({ default: 33_554_432, minimum: 0, maximum: maxLong }),
  "max.block.ms": longDuration(60_000),
  "max.request.size": bytes(1_048_576),
  "compression.type": oneOf(codecs, { default: "none" }),
  "delivery.timeout.ms": duration(120_000),
  "request.timeout.ms": duration(30_000),
  "retry.backoff.ms": longDuration(100),
  "retry.backoff.max.ms": longDuration(1000),
  "metadata.max.age.ms": longDuration(300_000),
  "partitioner.class": partitioner,
  "partitioner.ignore.keys": boolean({ default: false }),
  "partitioner.adaptive.partitioning.enable": boolean({ default: true }),
  "partitioner.availability.timeout.ms": longDuration(0),
  "client.id": text({ default: "" })
}

/** Every property by its name, decoded. */
export type ProducerConfig = Properties.Values<typeof table>

/** What can be given: any of the properties, typed or as a string. */
export type Given = Properties.Given<typeof table>

const called = (name: keyof typeof table): string => `there is no such property. It is called "${name}"`
const connections = "connections are the service Connections. Leave it out"
const serializers = "serializers are arguments of the producer. Leave it out"
const metrics = "metrics are those of Effect. Leave it out"
const levels = "codecs have their usual level. Leave it out"
const missing = "Kafka's producer has it, this one has not. Leave it out"

const absent: Properties.Absent = {
  "block.on.buffer.full": called("max.block.ms"),
  "metadata.fetch.timeout.ms": called("max.block.ms"),
  "timeout.ms": called("request.timeout.ms"),
  "request.required.acks": called("acks"),
  "compression.codec": called("compression.type"),
  "max.in.flight": called("max.in.flight.requests.per.connection"),
  "message.max.bytes": called("max.request.size"),
  "message.send.max.retries": called("retries"),
  "message.timeout.ms": called("delivery.timeout.ms"),
  "queue.buffering.max.ms": called("linger.ms"),
  "key.serializer": serializers,
  "value.serializer": serializers,
  "bootstrap.": connections,
  "client.dns.lookup": connections,
  "connections.": connections,
  "receive.buffer.bytes": connections,
  "reconnect.": connections,
  "sasl.": connections,
  "security.": connections,
  "send.buffer.bytes": connections,
  "socket.": connections,
  "ssl.": connections,
  "auto.include.jmx.reporter": metrics,
  "enable.metrics.push": metrics,
  "metric.reporters": metrics,
  "metrics.": metrics,
  "compression.gzip.level": levels,
  "compression.lz4.level": levels,
  "compression.zstd.level": levels,
  "config.providers": missing,
  "interceptor.classes": missing,
  "metadata.max.idle.ms": missing,
  "metadata.recovery.strategy": missing,
  "metadata.recovery.rebootstrap.trigger.ms": missing,
  "partitioner.rack.aware": missing
}

/** The most requests in flight over which a broker can tell what it has already. */
const MAX_IN_FLIGHT_FOR_IDEMPOTENCE = 5

const idempotenceOf = (
  config: ProducerConfig,
  isExplicit: boolean
): Result.Result<boolean, Properties.ConfigException> => {
  if (!config["enable.idempotence"]) return Result.succeed(false)
  const isPossible = config.retries > 0 && config.acks === "all"
  if (isExplicit && config.retries === 0) {
    return Result.fail(
      refuse("retries", 0, "the idempotent producer must retry. Raise it, or set enable.idempotence to false")
    )
  }
  if (isExplicit && config.acks !== "all") {
    return Result.fail(
      refuse(
        "acks",
        config.acks,
        "the idempotent producer needs acks=all. Set that, or set enable.idempotence to false"
      )
    )
  }
  const inFlight = config["max.in.flight.requests.per.connection"]
  if (inFlight > MAX_IN_FLIGHT_FOR_IDEMPOTENCE) {
    return Result.fail(
      refuse(
        "max.in.flight.requests.per.connection",
        inFlight,
        `the idempotent producer can have at most ${MAX_IN_FLIGHT_FOR_IDEMPOTENCE} requests in flight, since brokers `
          + "remember no more batches. Lower it, or set enable.idempotence to false"
      )
    )
  }
  return Result.succeed(isPossible)
}

/** Why a producer that is to have transactions has no idempotence. */
const reasonAgainstIdempotence = (config: ProducerConfig): string => {
  if (!config["enable.idempotence"]) return "enable.idempotence is false"
  return config.retries === 0 ? "retries is 0" : `acks is ${config.acks}`
}

const deliveryTimeoutOf = (
  config: ProducerConfig,
  isExplicit: boolean
): Result.Result<number, Properties.ConfigException> => {
  const least = Math.min(maxInt, config["linger.ms"] + config["request.timeout.ms"])
  const timeout = config["delivery.timeout.ms"]
  return timeout >= least || !isExplicit
    ? Result.succeed(Math.max(timeout, least))
    : Result.fail(
      refuse("delivery.timeout.ms", timeout, `must be at least linger.ms + request.timeout.ms, which is ${least}`)
    )
}

/**
 * Decodes what is given. Idempotence that is on only by default is turned off without a word by `retries=0` and by
 * `acks` other than `all`, and a delivery timeout that is only the default is raised to what the other times need.
 * `ProducerConfig.postProcessAndValidateIdempotenceConfigs`, `KafkaProducer.configureDeliveryTimeout`.
 */
export const decode = (given: Given): Result.Result<ProducerConfig, Properties.ConfigException> =>
  Result.gen(function*() {
    const config = yield* Properties.decode(table, absent, given)
    const idempotence = yield* idempotenceOf(config, isGiven(given, "enable.idempotence"))
    const id = config["transactional.id"]
    if (id !== undefined && !idempotence) {
      const reason = reasonAgainstIdempotence(config)
      return yield* Result.fail(
        refuse("transactional.id", id, `transactions need idempotence, and ${reason}. Leave out one of the two`)
      )
    }
    if (config["transaction.two.phase.commit.enable"]) {
      return yield* Result.fail(
        isGiven(given, "transaction.timeout.ms")
          ? refuse(
            "transaction.timeout.ms",
            config["transaction.timeout.ms"],
            "transactions of two-phase commit have no timeout. Leave it out, or transaction.two.phase.commit.enable"
          )
          : refuse("transaction.two.phase.commit.enable", true, "no broker offers it (KIP-939). Leave it out")
      )
    }
    const deliveryTimeout = yield* deliveryTimeoutOf(config, isGiven(given, "delivery.timeout.ms"))
    return { ...config, "enable.idempotence": idempotence, "delivery.timeout.ms": deliveryTimeout }
  })
