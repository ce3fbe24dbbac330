import { assert, describe, it } from "@effect/vitest"
import * as Codec from "../../../src/model/Codec.ts"
import { type Configuration, model, type World } from "../../../src/model/idempotent/index.ts"
import * as Interner from "../../../src/model/Interner.ts"
import type { Value } from "../../../src/model/TlaValue.ts"
import { print } from "../../../src/tlc/Value.ts"
import { configuration, reachable, setOf } from "./support.ts"

const decode = (of: Configuration.Configuration, encoded: Readonly<Record<string, Value>>): World.World =>
  Codec.decode(model, of, encoded)

const isExpiredInFlight = (world: World.World): boolean =>
  world.producer.senders.some((sender) => sender.inFlight.some((id) => sender.batches.get(id)?.status === "expired"))

const isWaiting = (world: World.World): boolean => world.partitions.some(({ delayed }) => delayed !== undefined)

describe("every world survives the way to TLA+ and back", () => {
  const table: ReadonlyArray<
    readonly [
      what: string,
      configuration: Configuration.Configuration,
      shows: ReadonlyArray<(world: World.World) => boolean>
    ]
  > = [
    ["idempotent", configuration({ FaultBudget: 2 }), [isExpiredInFlight, isWaiting]],
    [
      "idempotent over the wrap, with batches of two records",
      configuration({ StartSequence: 2147483647, TwoRecordBatches: setOf(1) }),
      [isExpiredInFlight]
    ],
    ["acks=1 without idempotence", configuration({ Acks: "1", Idempotence: false }), [isExpiredInFlight]],
    ["acks=all without idempotence", configuration({ Idempotence: false, StartSequence: 3 }), [
      isExpiredInFlight,
      isWaiting
    ]],
    ["acks=0", configuration({ Acks: "0", Idempotence: false, Retries: 0 }), []],
    [
      "two partitions and a restarted producer",
      configuration({
        Partitions: setOf("p2", "p1"),
        BatchesPerPartition: 1,
        FaultKinds: setOf("RestartProducer", "ExpireProducerState", "TOPIC_AUTHORIZATION_FAILED")
      }),
      [(world) => world.producer.identity.id > 1]
    ]
  ]
  for (const [what, of, shows] of table) {
    it(what, () => {
      const worlds = reachable(of)
      const { number } = Interner.make(model.packing(of))
      const texts = new Set<string>()

      for (const world of worlds) {
        const encoded = model.encode(of, world)
        assert.deepStrictEqual(Object.keys(encoded).toSorted(), [...model.variables].toSorted())
        assert.strictEqual(number(decode(of, encoded)), number(world))
        texts.add(model.variables.map((name) => print(encoded[name]!)).join("\n"))
      }

      assert.isAbove(worlds.length, 10)
      assert.strictEqual(texts.size, worlds.length)
      for (const show of shows) assert.isTrue(worlds.some(show))
    })
  }
})

/** The value with what is at the path replaced; a place of a sequence is its number from 1. */
const edited = (value: Value, path: ReadonlyArray<string | number>, edit: (value: Value) => Value): Value => {
  const [key, ...rest] = path
  if (key === undefined) return edit(value)
  if (typeof value !== "object" || value.kind !== "function" || !value.entries.some(([name]) => name === key)) {
    throw new Error(`nothing at ${path.join(".")}`)
  }
  return {
    kind: "function",
    entries: value.entries.map(([name, found]) => [name, name === key ? edited(found, rest, edit) : found] as const)
  }
}

const without = (field: string) => (value: Value): Value =>
  typeof value === "object" && value.kind === "function"
    ? { kind: "function", entries: value.entries.filter(([name]) => name !== field) }
    : value

describe("decode", () => {
  const of = configuration()
  const world = reachable(of).find(({ partitions, requests, responses }) =>
    requests[0]!.length > 0 && responses[0]!.length > 0 && partitions[0]!.replicas[1].log.length > 0
  )!
  const encoded = model.encode(of, world)
  const sequenceOf = (...values: ReadonlyArray<Value>): Value => ({
    kind: "function",
    entries: values.map((value, i) => [i + 1, value] as const)
  })

  type Row = readonly [
    variable: string,
    path: ReadonlyArray<string | number>,
    edit: (value: Value) => Value,
    message: RegExp
  ]
  const table: ReadonlyArray<Row> = [
    ["producer", [], () => 1, /^expected a function, found 1$/],
    ["producer", [], without("epoch"), /expected a record with epoch/],
    ["producer", ["id"], () => "1", /expected a number, found "1"/],
    ["sender", [], () => sequenceOf(), /expected a function on the partitions/],
    ["sender", [], () => ({ kind: "function", entries: [["p9", 1]] }), /expected a record with p1/],
    ["sender", ["p1"], without("queue"), /expected a record with queue/],
    ["sender", ["p1", "epochBump"], () => 0, /expected a boolean, found 0/],
    ["sender", ["p1", "unresolved"], () => true, /expected a number, found true/],
    ["sender", ["p1", "queue"], () => ({ kind: "function", entries: [[2, 1]] }), /expected a sequence/],
    ["sender", ["p1", "batches", 1, "status"], () => 3, /expected a string, found 3/],
    ["sender", ["p1", "batches", 1, "status"], () => "lost", /"lost"/],
    ["requests", ["p1"], () => setOf(), /expected a function, found .*"set"/],
    ["requests", ["p1", 1], without("broker"), /expected a record with broker/],
    ["requests", ["p1", 1, "sequence"], () => false, /expected a number, found false/],
    ["responses", ["p1", 1, "error"], () => 0, /expected a string, found 0/],
    ["leader", ["p1"], () => 3, /expected a broker, found 3/],
    ["leader", [], () => ({ kind: "model", name: "p1" }), /expected a function, found .*"model"/],
    ["highWatermark", ["p1"], () => "0", /expected a number, found "0"/],
    ["delayedProduce", ["p1"], () => sequenceOf(sequenceOf()), /expected a record with batch/],
    ["replica", ["p1", 1], without("producers"), /expected a record with producers/],
    ["replica", ["p1", 1, "log", 1], without("offset"), /expected a record with offset/],
    ["replica", ["p1", 1, "producers"], () => ({ kind: "function", entries: [["x", sequenceOf()]] }), /a number/],
    ["faults", [], () => true, /expected a number, found true/]
  ]
  for (const [variable, path, edit, message] of table) {
    it(`refuses ${[variable, ...path].join(".")} that is not of this specification: ${message.source}`, () => {
      const foreign = { ...encoded, [variable]: edited(encoded[variable]!, path, edit) }

      assert.throws(() => decode(of, foreign), Codec.CodecError, message)
    })
  }

  const delayed: Value = { kind: "function", entries: [["batch", 1], ["count", 1], ["offset", 0]] }
  const malformed: ReadonlyArray<
    readonly [
      what: string,
      variable: string,
      path: ReadonlyArray<string | number>,
      edit: (value: Value) => Value
    ]
  > = [
    ["an error that Kafka does not have", "responses", ["p1", 1, "error"], () => "NO_SUCH_ERROR"],
    ["a single replica", "replica", ["p1"], (value) => sequenceOf(...items(value).slice(0, 1))],
    ["a third replica", "replica", ["p1"], (value) => sequenceOf(...items(value), items(value)[0]!)],
    ["two delayed requests", "delayedProduce", ["p1"], () => sequenceOf(delayed, delayed)],
    ["too few batches", "sender", ["p1", "batches"], (value) => sequenceOf(...items(value).slice(0, 1))]
  ]
  for (const [what, variable, path, edit] of malformed) {
    it(`refuses ${what}`, () => {
      const foreign = { ...encoded, [variable]: edited(encoded[variable]!, path, edit) }

      assert.throws(() => decode(of, foreign), Codec.CodecError)
    })
  }
})

const items = (value: Value): ReadonlyArray<Value> =>
  typeof value === "object" && value.kind === "function" ? value.entries.map(([, item]) => item) : []
