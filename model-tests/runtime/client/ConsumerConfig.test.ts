import { assert, describe, it } from "@effect/vitest"
import { Result } from "effect"
import { Assignor } from "../../../src/core/index.ts"
import * as ConsumerConfig from "../../../src/runtime/client/ConsumerConfig.ts"

const decoded = (given: Readonly<Record<string, unknown>>): ConsumerConfig.ConsumerConfig =>
  Result.getOrThrow(ConsumerConfig.decode(given))

const refusal = (given: Readonly<Record<string, unknown>>): string => {
  const found = ConsumerConfig.decode(given)
  return Result.isFailure(found) ? found.failure.message : "taken"
}

describe("decode", () => {
  it("puts in Kafka's defaults", () => {
    assert.deepStrictEqual(decoded({ "group.id": "g" }), {
      "group.id": "g",
      "isolation.level": "read_uncommitted",
      "auto.offset.reset": "latest",
      "enable.auto.commit": true,
      "auto.commit.interval.ms": 5000,
      "session.timeout.ms": 45000,
      "heartbeat.interval.ms": 3000,
      "max.poll.records": 500,
      "max.poll.interval.ms": 300000,
      "fetch.min.bytes": 1,
      "fetch.max.bytes": 52428800,
      "fetch.max.wait.ms": 500,
      "partition.assignment.strategy": "range",
      "metadata.max.age.ms": 300000,
      "request.timeout.ms": 30000,
      "default.api.timeout.ms": 60000,
      "retry.backoff.ms": 100,
      "retry.backoff.max.ms": 1000,
      "client.id": ""
    })
  })

  it("reads what is written in a file", () => {
    const config = decoded({
      "group.id": "g",
      "enable.auto.commit": "false",
      "max.poll.records": "7",
      "isolation.level": "read_committed"
    })

    assert.isFalse(config["enable.auto.commit"])
    assert.strictEqual(config["max.poll.records"], 7)
    assert.strictEqual(config["isolation.level"], "read_committed")
  })

  it("turns automatic commits off where there is no group", () => {
    assert.isFalse(decoded({})["enable.auto.commit"])
    assert.include(refusal({ "enable.auto.commit": true }), "without a group.id")
    assert.strictEqual(refusal({ "enable.auto.commit": false }), "taken")
  })

  const refused: ReadonlyArray<readonly [what: string, Readonly<Record<string, unknown>>, part: string]> = [
    ["an unknown name", { "isolation.levle": "read_committed" }, "Did you mean \"isolation.level\"?"],
    ["a word that it does not know", { "auto.offset.reset": "smallest" }, "expected one of latest, earliest, none"],
    ["a group without a name", { "group.id": "" }, "expected a name"],
    [
      "heartbeats that are too far apart",
      { "session.timeout.ms": 3000 },
      "less than session.timeout.ms, which is 3000"
    ],
    ["a number that is too small", { "max.poll.records": 0 }, "expected an integer from 1"],
    ["what is elsewhere here", { "group.protocol": "consumer" }, "always classic"]
  ]
  for (const [what, given, part] of refused) {
    it(`refuses ${what}`, () => {
      assert.include(refusal(given), part)
    })
  }
})

describe("assignor", () => {
  it("goes by either name", () => {
    const named = (name: string) => ConsumerConfig.assignor(decoded({ "partition.assignment.strategy": name }))

    assert.strictEqual(named("range"), Assignor.range)
    assert.strictEqual(named("org.apache.kafka.clients.consumer.RangeAssignor"), Assignor.range)
    assert.strictEqual(named("roundrobin"), Assignor.roundRobin)
    assert.strictEqual(named("org.apache.kafka.clients.consumer.RoundRobinAssignor"), Assignor.roundRobin)
  })
})
