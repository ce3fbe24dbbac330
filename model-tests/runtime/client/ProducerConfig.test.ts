import { assert, describe, it } from "@effect/vitest"
import { Result } from "effect"
import * as Partitioner from "../../../src/runtime/client/Partitioner.ts"
import * as ProducerConfig from "../../../src/runtime/client/ProducerConfig.ts"

type Given = Readonly<Record<string, unknown>>

const decode = (given: Given) => ProducerConfig.decode(given as ProducerConfig.Given)

const config = (given: Given): ProducerConfig.ProducerConfig => {
  const decoded = decode(given)
  if (Result.isFailure(decoded)) throw decoded.failure
  return decoded.success
}

const refusal = (given: Given): { readonly property: string; readonly value: unknown; readonly message: string } => {
  const decoded = decode(given)
  if (Result.isSuccess(decoded)) throw new Error("was not refused")
  const { message, property, value } = decoded.failure
  return { property, value, message }
}

describe("defaults", () => {
  // Kafka 4.3, ProducerConfig.
  const defaults: Given = {
    acks: "all",
    "enable.idempotence": true,
    retries: 2147483647,
    "max.in.flight.requests.per.connection": 5,
    "linger.ms": 5,
    "batch.size": 16384,
    "buffer.memory": 33554432,
    "max.block.ms": 60000,
    "delivery.timeout.ms": 120000,
    "request.timeout.ms": 30000,
    "retry.backoff.ms": 100,
    "retry.backoff.max.ms": 1000,
    "max.request.size": 1048576,
    "transaction.timeout.ms": 60000,
    "transactional.id": undefined,
    "transaction.two.phase.commit.enable": false,
    "compression.type": "none",
    "metadata.max.age.ms": 300000,
    "partitioner.class": Partitioner.uniform,
    "partitioner.ignore.keys": false,
    "partitioner.adaptive.partitioning.enable": true,
    "partitioner.availability.timeout.ms": 0,
    "client.id": ""
  }
  const empty: Given = { ...config({}) }

  for (const [name, value] of Object.entries(defaults)) {
    it(`of ${name}`, () => assert.strictEqual(empty[name], value))
  }

  it("there are no others", () => assert.sameMembers(Object.keys(empty), Object.keys(defaults)))

  it("stand for null and undefined too", () => {
    assert.deepStrictEqual(config({ "linger.ms": undefined, "transactional.id": null }), config({}))
  })
})

describe("values", () => {
  const accepted: ReadonlyArray<readonly [name: string, given: unknown, value: unknown]> = [
    ["linger.ms", "20", 20],
    ["linger.ms", " 0 ", 0],
    ["retries", "+3", 3],
    ["max.block.ms", 9007199254740991, 9007199254740991],
    ["enable.idempotence", "FALSE", false],
    ["enable.idempotence", " true", true],
    ["enable.idempotence", false, false],
    ["acks", "-1", "all"],
    ["acks", -1, "all"],
    ["acks", " all ", "all"],
    ["acks", 0, "0"],
    ["acks", "1", "1"],
    ["compression.type", "zstd", "zstd"],
    ["compression.type", " lz4", "lz4"],
    ["transactional.id", "payments", "payments"],
    ["client.id", "loader", "loader"],
    ["partitioner.class", "RoundRobinPartitioner", Partitioner.roundRobin],
    ["partitioner.class", "org.apache.kafka.clients.producer.RoundRobinPartitioner", Partitioner.roundRobin],
    ["partitioner.class", Partitioner.sticky, Partitioner.sticky]
  ]
  for (const [name, given, value] of accepted) {
    it(`${name} takes ${typeof given === "object" ? "a partitioner" : JSON.stringify(given)}`, () => {
      assert.strictEqual({ ...config({ [name]: given }) as Given }[name], value)
    })
  }

  const refused: ReadonlyArray<readonly [name: string, given: unknown, message: string]> = [
    ["linger.ms", "soon", "linger.ms = \"soon\": expected an integer from 0"],
    ["linger.ms", "", "linger.ms = \"\": expected an integer from 0"],
    ["linger.ms", -1, "linger.ms = -1: expected an integer from 0"],
    ["linger.ms", true, "linger.ms = true: expected an integer from 0"],
    ["retries", 1.5, "retries = 1.5: expected an integer from 0 to 2147483647"],
    ["retries", "1e3", "retries = \"1e3\": expected an integer from 0 to 2147483647"],
    ["retries", 2147483648, "retries = 2147483648: expected an integer from 0 to 2147483647"],
    ["retries", NaN, "retries = NaN: expected an integer from 0 to 2147483647"],
    [
      "max.in.flight.requests.per.connection",
      0,
      "max.in.flight.requests.per.connection = 0: expected an integer from 1 to 2147483647"
    ],
    ["enable.idempotence", "yes", "enable.idempotence = \"yes\": expected true or false"],
    ["acks", "2", "acks = \"2\": expected all, -1, 0 or 1"],
    ["compression.type", "brotli", "compression.type = \"brotli\": expected one of none, gzip, snappy, lz4, zstd"],
    [
      "partitioner.class",
      "DefaultPartitioner",
      "partitioner.class = \"DefaultPartitioner\": expected RoundRobinPartitioner, or a Partitioner (sticky and custom ones are); "
      + "leave it out for Kafka's own (KIP-794)"
    ],
    [
      "transactional.id",
      "",
      "transactional.id = \"\": expected a string that is not empty; leave it out for a producer without transactions"
    ]
  ]
  for (const [name, given, message] of refused) {
    it(`${message} is what is said of it`, () => {
      assert.deepStrictEqual(refusal({ [name]: given }), { property: name, value: given, message })
    })
  }
})

describe("names", () => {
  const known = Object.keys(config({})).join(", ")
  const table: ReadonlyArray<readonly [name: string, problem: string]> = [
    ["liner.ms", "there is no such property. Did you mean \"linger.ms\"?"],
    ["lingerMs", "there is no such property. Did you mean \"linger.ms\"?"],
    ["LINGER_MS_CONFIG", "there is no such property. Did you mean \"linger.ms\"?"],
    [
      "max.inflight.requests.per.connection",
      "there is no such property. Did you mean \"max.in.flight.requests.per.connection\"?"
    ],
    ["enable.idempotent", "there is no such property. Did you mean \"enable.idempotence\"?"],
    ["ack", "there is no such property. Did you mean \"acks\"?"],
    ["metadata.max.age", "there is no such property. Did you mean \"metadata.max.age.ms\"?"],
    ["colour", `there is no such property. There are ${known}`],
    ["toString", `there is no such property. There are ${known}`],
    ["block.on.buffer.full", "there is no such property. It is called \"max.block.ms\""],
    ["message.timeout.ms", "there is no such property. It is called \"delivery.timeout.ms\""],
    ["bootstrap.servers", "connections are the service Connections. Leave it out"],
    ["ssl.truststore.location", "connections are the service Connections. Leave it out"],
    ["key.serializer", "serializers are arguments of the producer. Leave it out"],
    ["metrics.num.samples", "metrics are those of Effect. Leave it out"],
    ["interceptor.classes", "Kafka's producer has it, this one has not. Leave it out"]
  ]
  for (const [name, problem] of table) {
    it(`${name}: ${problem.slice(0, 60)}`, () => {
      assert.deepStrictEqual(refusal({ [name]: "x" }), {
        property: name,
        value: "x",
        message: `${name} = "x": ${problem}`
      })
    })
  }

  it("are looked at before values", () => {
    assert.strictEqual(refusal({ "linger.ms": "soon", "liner.ms": 1 }).property, "liner.ms")
  })
})

describe("idempotence and transactions, in the order of the checks", () => {
  const explicit = { "enable.idempotence": true }
  const transactional = { "transactional.id": "t" }
  const inFlight = "max.in.flight.requests.per.connection"

  const refused: ReadonlyArray<readonly [what: string, given: Given, property: string, message: string]> = [
    [
      "retries=0 with explicit idempotence",
      { ...explicit, retries: 0 },
      "retries",
      "retries = 0: the idempotent producer must retry. Raise it, or set enable.idempotence to false"
    ],
    [
      "the retries first, before acks",
      { ...explicit, retries: 0, acks: "1", [inFlight]: 6 },
      "retries",
      "retries = 0: the idempotent producer must retry. Raise it, or set enable.idempotence to false"
    ],
    [
      "acks=1 with explicit idempotence",
      { ...explicit, acks: "1", [inFlight]: 6 },
      "acks",
      "acks = \"1\": the idempotent producer needs acks=all. Set that, or set enable.idempotence to false"
    ],
    [
      "acks=0 with explicit idempotence",
      { ...explicit, acks: 0 },
      "acks",
      "acks = \"0\": the idempotent producer needs acks=all. Set that, or set enable.idempotence to false"
    ],
    ...[
      ["explicit idempotence", explicit],
      ["implicit idempotence", {}],
      ["implicit idempotence that acks=1 turns off", { acks: "1" }],
      ["implicit idempotence that retries=0 turns off, and a transactional id", { retries: 0, ...transactional }]
    ].map(([what, given]) =>
      [
        `six requests in flight with ${what as string}`,
        { ...given as Given, [inFlight]: 6 },
        inFlight,
        `${inFlight} = 6: the idempotent producer can have at most 5 requests in flight, since brokers remember no more `
        + "batches. Lower it, or set enable.idempotence to false"
      ] as const
    ),
    [
      "a transactional id with idempotence off",
      { ...transactional, "enable.idempotence": false },
      "transactional.id",
      "transactional.id = \"t\": transactions need idempotence, and enable.idempotence is false. Leave out one of the two"
    ],
    [
      "a transactional id with idempotence turned off by retries=0",
      { ...transactional, retries: 0, acks: "1" },
      "transactional.id",
      "transactional.id = \"t\": transactions need idempotence, and retries is 0. Leave out one of the two"
    ],
    [
      "a transactional id with idempotence turned off by acks",
      { ...transactional, acks: "1" },
      "transactional.id",
      "transactional.id = \"t\": transactions need idempotence, and acks is 1. Leave out one of the two"
    ],
    [
      "a timeout of transactions of two-phase commit",
      { ...transactional, "transaction.two.phase.commit.enable": true, "transaction.timeout.ms": 60000 },
      "transaction.timeout.ms",
      "transaction.timeout.ms = 60000: transactions of two-phase commit have no timeout. Leave it out, or "
      + "transaction.two.phase.commit.enable"
    ],
    [
      "two-phase commit, which brokers do not have",
      { ...transactional, "transaction.two.phase.commit.enable": true },
      "transaction.two.phase.commit.enable",
      "transaction.two.phase.commit.enable = true: no broker offers it (KIP-939). Leave it out"
    ],
    [
      "an explicit delivery timeout that is too short",
      { "delivery.timeout.ms": 30004 },
      "delivery.timeout.ms",
      "delivery.timeout.ms = 30004: must be at least linger.ms + request.timeout.ms, which is 30005"
    ]
  ]
  for (const [what, given, property, message] of refused) {
    it(`refuses ${what}`, () => {
      const found = refusal(given)

      assert.deepStrictEqual({ property: found.property, message: found.message }, { property, message })
    })
  }

  const adjusted: ReadonlyArray<readonly [what: string, given: Given, name: string, value: unknown]> = [
    ["keeps idempotence that nothing contradicts", {}, "enable.idempotence", true],
    ["keeps it with transactions", transactional, "enable.idempotence", true],
    ["turns implicit idempotence off with retries=0", { retries: 0 }, "enable.idempotence", false],
    ["turns implicit idempotence off with acks=1", { acks: "1" }, "enable.idempotence", false],
    ["turns implicit idempotence off with acks=0", { acks: "0" }, "enable.idempotence", false],
    [
      "lets more requests be in flight without idempotence",
      { "enable.idempotence": false, [inFlight]: 100 },
      inFlight,
      100
    ],
    ["takes a delivery timeout that just suffices", { "delivery.timeout.ms": 30005 }, "delivery.timeout.ms", 30005],
    ["raises an implicit delivery timeout", { "request.timeout.ms": 200_000 }, "delivery.timeout.ms", 200_005],
    ["raises it to the largest integer at most", { "linger.ms": 3_000_000_000 }, "delivery.timeout.ms", 2147483647]
  ]
  for (const [what, given, name, value] of adjusted) {
    it(what, () => assert.strictEqual({ ...config(given) as Given }[name], value))
  }
})
