import { assert, describe, it } from "@effect/vitest"
import { Museum, Partition, Releases, Replica, type Rules, Sequence } from "../../src/core/index.ts"
import { arrival, batch, context, served } from "./support.ts"

const rules = context()
const empty = Partition.make(rules, [])

const handle = (over: Partition.Arrival): Partition.Input => ({ _tag: "HandleProduce", arrival: over })
const replicate: Partition.Input = { _tag: "Replicate" }
const leaderChange: Partition.Input = { _tag: "LeaderChange" }
const timeOut: Partition.Input = { _tag: "TimeOutProduce" }

const first = arrival(batch(0, ["a", "b"]))
const second = arrival(batch(2), { batch: 2 })

const responded = (number: number, error: string, offset: number) => [
  { _tag: "Response", response: { batch: number, error, offset } }
]
const close = [{ _tag: "CloseConnection" }]

const offsets = (partition: Partition.Partition, broker: Partition.Broker): ReadonlyArray<number> =>
  Partition.replicaOf(partition, broker).log.map(({ offset }) => offset)

describe("make", () => {
  it("starts with the log on both replicas, and all of it readable", () => {
    const log: ReadonlyArray<Replica.Entry> = [{ ...batch(4, ["a", "b"]), offset: 0 }]

    const partition = Partition.make(rules, log)

    assert.strictEqual(partition.leader, 1)
    assert.strictEqual(partition.highWatermark, 2)
    assert.deepStrictEqual(Partition.readable(partition), log)
    assert.strictEqual(partition.replicas[0], partition.replicas[1])
    assert.deepStrictEqual(partition.replicas[0].producers.get(7)?.batches, [{ sequence: 4, last: 5, offset: 0 }])
  })
})

describe("HandleProduce", () => {
  type Row = readonly [
    what: string,
    before: ReadonlyArray<Partition.Input>,
    over: Partition.Arrival,
    outputs: ReadonlyArray<unknown>,
    logged: number
  ]
  const one = (sent: Replica.ProducerBatch) => arrival(sent, { acks: "1" })
  const zero = (sent: Replica.ProducerBatch) => arrival(sent, { acks: "0" })
  const left = (sent: Replica.ProducerBatch) => arrival(sent, { open: false })
  const anonymous = batch(-1, ["r"], { producerId: -1, epoch: -1 })
  const table: ReadonlyArray<Row> = [
    ["acks=all waits for the follower", [], first, [], 1],
    ["acks=1 is answered at once", [], one(batch(0)), responded(1, "NONE", 0), 1],
    ["acks=0 has no answer", [], zero(anonymous), [], 1],
    ["a connection that the producer left has no answer", [], left(batch(0)), [], 1],
    ["nor has it one with acks=1", [], { ...left(batch(0)), acks: "1" }, [], 1],
    ["a copy of a replicated batch is answered at once, with its offset", [handle(first), replicate], first, [
      { _tag: "Response", response: { batch: 1, error: "NONE", offset: 0 } }
    ], 1],
    [
      "a copy with acks=1 is answered with its offset",
      [handle(one(batch(0)))],
      one(batch(0)),
      responded(1, "NONE", 0),
      1
    ],
    [
      "without idempotence a copy is written again",
      [handle(one(anonymous))],
      one(anonymous),
      responded(1, "NONE", 1),
      2
    ],
    ["an out-of-order batch is refused", [], one(batch(1)), responded(1, "OUT_OF_ORDER_SEQUENCE_NUMBER", -1), 0],
    ["acks=0 learns of a refusal by losing its connection", [], zero(batch(1)), close, 0],
    ["nobody learns of a refusal on a connection that was left", [], left(batch(1)), [], 0],
    [
      "a request for another broker is refused",
      [],
      arrival(batch(0), { broker: 2 }),
      responded(1, "NOT_LEADER_OR_FOLLOWER", -1),
      0
    ],
    [
      "a request for the old leader is refused",
      [leaderChange],
      arrival(batch(0), { broker: 1 }),
      responded(1, "NOT_LEADER_OR_FOLLOWER", -1),
      0
    ],
    ["a request for the new leader is judged", [leaderChange], arrival(batch(0), { broker: 2, acks: "1" }), [
      { _tag: "Response", response: { batch: 1, error: "NONE", offset: 0 } }
    ], 1],
    ["a connection that was left is read although a request waits", [handle(first)], left(batch(2)), [], 2]
  ]
  for (const [what, before, over, outputs, logged] of table) {
    it(what, () => {
      const [partition, found] = served(rules, empty, ...before, handle(over))

      assert.deepStrictEqual<unknown>(found, outputs)
      assert.strictEqual(Partition.leaderReplica(partition).log.length, logged)
    })
  }

  it("a connection on which a request waits is muted", () => {
    const [partition] = served(rules, empty, handle(first))

    assert.deepStrictEqual(partition.delayed, { batch: 1, offset: 0, count: 2 })
    assert.isUndefined(Partition.step(rules, partition, handle(second)))
  })

  it("nothing waits for a connection that the producer left", () => {
    const [partition] = served(rules, empty, handle({ ...first, open: false }))

    assert.isUndefined(partition.delayed)
  })

  it("a copy of a batch that is not replicated waits as the batch did", () => {
    const [partition, outputs] = served(rules, empty, handle(first), { _tag: "Disconnect" }, handle(first))

    assert.deepStrictEqual(outputs, [])
    assert.deepStrictEqual(partition.delayed, { batch: 1, offset: 0, count: 2 })
    assert.deepStrictEqual(offsets(partition, 1), [0])
  })

  it("appends behind what is there and remembers the producer", () => {
    const [partition] = served(rules, empty, handle(first), replicate, handle(second))

    assert.deepStrictEqual(Partition.leaderReplica(partition).log, [
      { ...batch(0, ["a", "b"]), offset: 0 },
      { ...batch(2), offset: 2 }
    ])
    assert.deepStrictEqual(Partition.leaderReplica(partition).producers.get(7)?.batches, [
      { sequence: 0, last: 1, offset: 0 },
      { sequence: 2, last: 2, offset: 2 }
    ])
  })
})

describe("RefuseProduce", () => {
  const refuse = (over: Partition.Arrival, error: Partition.Refusal): Partition.Input => ({
    _tag: "RefuseProduce",
    arrival: over,
    error
  })

  for (const error of ["NOT_LEADER_OR_FOLLOWER", "KAFKA_STORAGE_ERROR", "TOPIC_AUTHORIZATION_FAILED"] as const) {
    it(`${error} goes back, and nothing is written`, () => {
      const [partition, outputs] = served(rules, empty, refuse(first, error))

      assert.deepStrictEqual<unknown>(outputs, responded(1, error, Sequence.none))
      assert.deepStrictEqual(partition, empty)
    })

    it(`${error} closes the connection of acks=0`, () => {
      const [, outputs] = served(rules, empty, refuse({ ...first, acks: "0" }, error))

      assert.deepStrictEqual<unknown>(outputs, close)
    })
  }

  type Row = readonly [
    what: string,
    before: ReadonlyArray<Partition.Input>,
    over: Partition.Arrival,
    error: Partition.Refusal,
    possible: boolean
  ]
  const table: ReadonlyArray<Row> = [
    ["a request on a connection that was left", [], { ...first, open: false }, "TOPIC_AUTHORIZATION_FAILED", false],
    ["a request on a muted connection", [handle(first)], second, "TOPIC_AUTHORIZATION_FAILED", false],
    ["a request for another broker", [], arrival(batch(0), { broker: 2 }), "NOT_LEADER_OR_FOLLOWER", false],
    ["a request it would refuse anyway, for lack of permission", [], second, "TOPIC_AUTHORIZATION_FAILED", true],
    ["a request it would refuse anyway, for its disk", [], second, "KAFKA_STORAGE_ERROR", false],
    ["a copy, for its disk", [handle(first), replicate], first, "KAFKA_STORAGE_ERROR", false],
    ["the next batch, for its disk", [handle(first), replicate], second, "KAFKA_STORAGE_ERROR", true]
  ]
  for (const [what, before, over, error, possible] of table) {
    it(`a leader ${possible ? "can" : "cannot"} refuse ${what}`, () => {
      const [partition] = served(rules, empty, ...before)

      assert.strictEqual(Partition.step(rules, partition, refuse(over, error)) !== undefined, possible)
    })
  }

  it("with KAFKA-6683 a batch that was never written looks like a copy", () => {
    const bug = context({ rules: Museum.overrides["KAFKA-6683"] })

    const [partition, outputs] = served(bug, empty, refuse(first, "KAFKA_STORAGE_ERROR"), handle(first))

    assert.deepStrictEqual(offsets(partition, 1), [])
    assert.deepStrictEqual(outputs, [])
    assert.deepStrictEqual(partition.delayed, { batch: 1, offset: 0, count: 2 })
  })

  it("with KAFKA-6683 a batch without an identity leaves no trace", () => {
    const bug = context({ rules: Museum.overrides["KAFKA-6683"] })
    const anonymous = arrival(batch(-1, ["r"], { producerId: -1, epoch: -1 }))

    const [partition] = served(bug, empty, refuse(anonymous, "KAFKA_STORAGE_ERROR"))

    assert.strictEqual(partition.replicas[0].producers.size, 0)
  })
})

describe("TimeOutProduce", () => {
  it("answers a request that waits, although its batch is written", () => {
    const [partition, outputs] = served(rules, empty, handle(first), timeOut)

    assert.deepStrictEqual<unknown>(outputs, responded(1, "REQUEST_TIMED_OUT", Sequence.none))
    assert.isUndefined(partition.delayed)
    assert.deepStrictEqual(offsets(partition, 1), [0])
  })

  it("is not possible when none waits", () => {
    assert.isUndefined(Partition.step(rules, empty, timeOut))
  })
})

describe("Replicate", () => {
  it("copies one batch, moves the high watermark past it, and answers the request that waited", () => {
    const [partition, outputs] = served(rules, empty, handle(first), replicate)

    assert.deepStrictEqual<unknown>(outputs, responded(1, "NONE", 0))
    assert.strictEqual(partition.highWatermark, 2)
    assert.isUndefined(partition.delayed)
    assert.deepStrictEqual(partition.replicas[1], partition.replicas[0])
  })

  it("answers nobody before the batch that is waited for is copied", () => {
    const waiting = served(rules, empty, handle({ ...first, acks: "1" }), handle(second))[0]

    const [behind, none] = served(rules, waiting, replicate)
    const [, outputs] = served(rules, behind, replicate)

    assert.deepStrictEqual(none, [])
    assert.deepStrictEqual(behind.delayed, { batch: 2, offset: 2, count: 1 })
    assert.deepStrictEqual<unknown>(outputs, responded(2, "NONE", 2))
  })

  it("answers nobody when nobody waits", () => {
    const [, outputs] = served(rules, empty, handle({ ...first, acks: "1" }), replicate)

    assert.deepStrictEqual(outputs, [])
  })

  it("is not possible when the follower has everything", () => {
    assert.isUndefined(Partition.step(rules, empty, replicate))
    assert.isUndefined(Partition.step(rules, served(rules, empty, handle(first), replicate)[0], replicate))
  })

  it("copies from the leader of today", () => {
    const request = handle(arrival(batch(0), { broker: 2 }))

    const [partition] = served(rules, empty, leaderChange, request, replicate)

    assert.deepStrictEqual(offsets(partition, 1), [0])
  })
})

describe("LeaderChange", () => {
  it("the follower leads with what it has, and the old leader drops the rest", () => {
    const before = served(rules, empty, handle({ ...first, acks: "1" }), replicate, handle(second))[0]

    const [partition, outputs] = served(rules, before, leaderChange)

    assert.strictEqual(partition.leader, 2)
    assert.strictEqual(partition.highWatermark, 2)
    assert.isUndefined(partition.delayed)
    assert.deepStrictEqual(offsets(partition, 1), [0])
    assert.deepStrictEqual(partition.replicas[0].producers.get(7)?.batches, [{ sequence: 0, last: 1, offset: 0 }])
    assert.deepStrictEqual<unknown>(outputs, close)
  })

  it("a batch that was dropped can be written again", () => {
    const again = arrival(batch(0, ["a", "b"]), { broker: 2, acks: "1" })

    const [partition, outputs] = served(rules, empty, handle(first), leaderChange, handle(again))

    assert.deepStrictEqual<unknown>(outputs, responded(1, "NONE", 0))
    assert.deepStrictEqual(offsets(partition, 2), [0])
  })

  it("a batch that the new leader has is a copy", () => {
    const again = arrival(batch(0, ["a", "b"]), { broker: 2 })

    const [partition, outputs] = served(rules, empty, handle(first), replicate, leaderChange, handle(again))

    assert.deepStrictEqual<unknown>(outputs, responded(1, "NONE", 0))
    assert.deepStrictEqual(offsets(partition, 2), [0])
  })

  it("twice leads back", () => {
    const [partition] = served(rules, empty, leaderChange, leaderChange)

    assert.strictEqual(partition.leader, 1)
  })
})

describe("RestartLeader", () => {
  const restart: Partition.Input = { _tag: "RestartLeader" }
  const before = served(rules, empty, handle({ ...first, acks: "1" }), handle(second))[0]
  const known = before.replicas[0].producers.get(7)!
  const table: ReadonlyArray<readonly [what: string, rules: Partial<Rules.Rules>, batches: typeof known | undefined]> =
    [
      ["all of its producers under the base rules", {}, known],
      ["nothing with AutoMQ-437", Museum.overrides["AutoMQ-437"], undefined],
      ["the newest batch with Kafka's snapshot", Releases.overrides.snapshot, {
        ...known,
        batches: known.batches.slice(-1)
      }]
    ]
  for (const [what, over, expected] of table) {
    it(`the leader knows ${what}`, () => {
      const [partition, outputs] = served(context({ rules: over }), before, restart)

      assert.deepStrictEqual(partition.replicas[0].producers.get(7), expected)
      assert.deepStrictEqual(partition.replicas[0].log, before.replicas[0].log)
      assert.strictEqual(partition.replicas[1], before.replicas[1])
      assert.strictEqual(partition.leader, 1)
      assert.isUndefined(partition.delayed)
      assert.deepStrictEqual<unknown>(outputs, close)
    })
  }
})

describe("ExpireProducerState", () => {
  const expire: Partition.Input = { _tag: "ExpireProducerState" }

  it("both replicas forget all producers and keep their logs", () => {
    const before = served(rules, empty, handle(first), replicate)[0]

    const [partition, outputs] = served(rules, before, expire)

    assert.deepStrictEqual(partition.replicas.map(({ producers }) => producers.size), [0, 0])
    assert.deepStrictEqual(partition.replicas.map(({ log }) => log), before.replicas.map(({ log }) => log))
    assert.deepStrictEqual(outputs, [])
  })

  it("is possible when only one replica knows a producer, and not when none does", () => {
    const before = served(rules, empty, handle(first))[0]
    const forgotten = served(rules, before, expire)[0]

    assert.strictEqual(forgotten.replicas[0].producers, Replica.noProducers)
    assert.isUndefined(Partition.step(rules, forgotten, expire))
    assert.isUndefined(Partition.step(rules, empty, expire))
  })

  it("keeps a request waiting", () => {
    const [partition] = served(rules, empty, handle(first), expire)

    assert.isDefined(partition.delayed)
  })
})

it("a lost connection makes the request that waits on it forgotten", () => {
  const [partition, outputs] = served(rules, empty, handle(first), { _tag: "Disconnect" })

  assert.isUndefined(partition.delayed)
  assert.deepStrictEqual(offsets(partition, 1), [0])
  assert.deepStrictEqual(outputs, [])
})
