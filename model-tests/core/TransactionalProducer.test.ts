import { assert, describe, it } from "@effect/vitest"
import { type Errors, Transaction, TransactionalProducer } from "../../src/core/index.ts"
import {
  addPartitionsToTxn,
  after,
  config,
  endTxn,
  first,
  initProducerId,
  offsets,
  produce,
  ready,
  second
} from "./transactions.ts"

type Producer = TransactionalProducer.Producer
type Input = TransactionalProducer.Input

const { groupPartition } = Transaction

const init: Input = { _tag: "InitTransactions" }
const add = (partition = "A"): Input => ({ _tag: "AddPartitionsToTxn", partition })
const send = (partition = "A"): Input => ({ _tag: "SendProduce", partition })
const commit: Input = { _tag: "Commit" }
const abort: Input = { _tag: "Abort" }
const receive = (
  request: TransactionalProducer.Request,
  error: Errors.Error = "NONE",
  producerId = 7,
  epoch = 5
): Input => ({ _tag: "ReceiveAnswer", request, answer: { error, producerId, epoch } })
const receiveProduce = (sent: TransactionalProducer.Produce, error: Errors.Error = "NONE"): Input => ({
  _tag: "ReceiveProduceAnswer",
  produce: sent,
  error
})
const acknowledge = (partition = "A"): Input => receiveProduce(produce({ partition }))
const ended = (result: Transaction.Result): TransactionalProducer.Output => ({ _tag: "Ended", result })
const request = (sent: TransactionalProducer.Request): TransactionalProducer.Output => ({
  _tag: "Request",
  request: sent
})

const isPossible = (settings: TransactionalProducer.Config, producer: Producer, input: Input): boolean =>
  TransactionalProducer.step(settings, producer, input) !== undefined

const states: ReadonlyArray<TransactionalProducer.State> = [
  "UNINITIALIZED",
  "INITIALIZING",
  "READY",
  "IN_TRANSACTION",
  "COMMITTING",
  "ABORTING",
  "ABORTABLE_ERROR",
  "FATAL_ERROR"
]

describe("calls", () => {
  const acked: TransactionalProducer.Batches = new Map([["A", "acked"]])
  const table: ReadonlyArray<readonly [Input, ReadonlyArray<TransactionalProducer.State>]> = [
    [init, ["UNINITIALIZED"]],
    [send("B"), ["READY", "IN_TRANSACTION"]],
    [commit, ["IN_TRANSACTION"]],
    [abort, ["IN_TRANSACTION", "ABORTABLE_ERROR"]],
    [{ _tag: "JoinGroup", generation: 1, position: 0 }, ["READY"]],
    [{ _tag: "Crash" }, states.filter((state) => state !== "UNINITIALIZED")]
  ]
  for (const [input, legal] of table) {
    it(`${input._tag} is possible in ${legal.join(", ")}`, () => {
      const found = states.filter((state) => isPossible(config(), { ...ready, state, batches: acked }, input))

      assert.deepStrictEqual(found, [...legal])
    })
  }

  it("AddPartitionsToTxn is possible in READY, IN_TRANSACTION, under version 1", () => {
    const found = (version: Transaction.Version) =>
      states.filter((state) => isPossible(config(version), { ...ready, state }, add()))

    assert.deepStrictEqual(found(1), ["READY", "IN_TRANSACTION"])
    assert.deepStrictEqual(found(2), [])
  })

  it("one transactional request is in flight at most", () => {
    const busy: Producer = { ...ready, state: "IN_TRANSACTION", batches: acked, waiting: true }

    assert.isFalse(isPossible(config(), busy, commit))
    assert.isFalse(isPossible(config(), busy, abort))
    assert.isFalse(isPossible(config(1), busy, add("B")))
    assert.isTrue(isPossible(config(), busy, send("B")))
  })
})

describe("initTransactions", () => {
  it("asks for an identity and gets one", () => {
    const asked = after(config(), TransactionalProducer.initial, init)
    const sent = initProducerId({ producerId: -1, epoch: -1, transaction: { client: 1, number: 0 } })

    assert.deepStrictEqual(asked, [
      { ...TransactionalProducer.initial, state: "INITIALIZING", waiting: true },
      [request(sent)]
    ])
    assert.deepStrictEqual(after(config(), asked[0], receive(sent)), [ready, []])
  })

  it("begins all sequences at 0", () => {
    const before: Producer = { ...ready, state: "INITIALIZING", waiting: true, sequences: new Map([["A", 3]]) }

    assert.deepStrictEqual(after(config(), before, receive(initProducerId()))[0], ready)
  })
})

describe("records", () => {
  it("the first one begins the transaction", () => {
    const [producer, outputs] = after(config(), ready, send())

    assert.deepStrictEqual(producer, {
      ...ready,
      state: "IN_TRANSACTION",
      number: 1,
      batches: new Map<string, TransactionalProducer.Batch>([["A", "inflight"]]),
      sequences: new Map([["A", 1]])
    })
    assert.deepStrictEqual(outputs, [{ _tag: "Produce", produce: produce() }])
  })

  it("one for each partition, with sequences of its own", () => {
    const [producer, outputs] = after(config(), ready, send(), send("B"))

    assert.isFalse(isPossible(config(), producer, send("A")))
    assert.strictEqual(producer.number, 1)
    assert.deepStrictEqual(outputs, [{ _tag: "Produce", produce: produce({ partition: "B" }) }])
  })

  it("a later one goes on in the sequence", () => {
    const before: Producer = { ...ready, number: 1, sequences: new Map([["A", 4]]) }

    const [, outputs] = after(config(), before, send())

    assert.deepStrictEqual(outputs, [{ _tag: "Produce", produce: produce({ sequence: 4, transaction: second }) }])
  })

  it("offsets have a generation and a position, and no sequence", () => {
    const joined: Producer = { ...ready, generation: 3, position: 2 }

    const [, outputs] = after(config(), joined, send(groupPartition))

    assert.deepStrictEqual(outputs, [{ _tag: "Produce", produce: offsets({ input: 2 }) }])
  })

  it("version 1 adds the partition first", () => {
    const settings = config(1)
    const sent = addPartitionsToTxn({ version: 1 })
    const adding = after(settings, ready, add())
    const [added] = after(settings, adding[0], receive(sent))
    const [, outputs] = after(settings, added, send())

    assert.deepStrictEqual(adding[1], [request(sent)])
    assert.deepStrictEqual([adding[0].state, adding[0].number, adding[0].waiting], ["IN_TRANSACTION", 1, true])
    assert.isFalse(isPossible(settings, ready, send()))
    assert.isFalse(isPossible(settings, adding[0], send()))
    assert.deepStrictEqual(added.batches, new Map([["A", "added"]]))
    assert.isFalse(added.waiting)
    assert.isFalse(isPossible(settings, added, add()))
    assert.deepStrictEqual(outputs, [{ _tag: "Produce", produce: produce({ version: 1 }) }])
  })
})

// kafka-rules §1.6, as far as such answers can come.
describe("the answer to a record", () => {
  const table: Readonly<Partial<Record<Errors.Error, readonly [record: string, offset: string]>>> = {
    NONE: ["acked", "acked"],
    NOT_LEADER_OR_FOLLOWER: ["again", "again"],
    NETWORK_EXCEPTION: ["again", "again"],
    NOT_ENOUGH_REPLICAS: ["again", "again"],
    CONCURRENT_TRANSACTIONS: ["again", "again"],
    COORDINATOR_NOT_AVAILABLE: ["again", "again"],
    NOT_COORDINATOR: ["again", "again"],
    OUT_OF_ORDER_SEQUENCE_NUMBER: ["ABORTABLE_ERROR", "ABORTABLE_ERROR"],
    TRANSACTION_ABORTABLE: ["ABORTABLE_ERROR", "ABORTABLE_ERROR"],
    ILLEGAL_GENERATION: ["ABORTABLE_ERROR", "ABORTABLE_ERROR"],
    INVALID_RECORD: ["ABORTABLE_ERROR", "ABORTABLE_ERROR"],
    INVALID_PRODUCER_EPOCH: ["ABORTABLE_ERROR", "FATAL_ERROR"],
    INVALID_TXN_STATE: ["ABORTABLE_ERROR", "FATAL_ERROR"],
    PRODUCER_FENCED: ["FATAL_ERROR", "FATAL_ERROR"],
    INVALID_PRODUCER_ID_MAPPING: ["FATAL_ERROR", "FATAL_ERROR"],
    TRANSACTIONAL_ID_AUTHORIZATION_FAILED: ["FATAL_ERROR", "FATAL_ERROR"],
    CLUSTER_AUTHORIZATION_FAILED: ["FATAL_ERROR", "FATAL_ERROR"],
    UNSUPPORTED_VERSION: ["FATAL_ERROR", "FATAL_ERROR"],
    UNKNOWN_PRODUCER_ID: ["ABORTABLE_ERROR", "FATAL_ERROR"],
    UNKNOWN_MEMBER_ID: ["ABORTABLE_ERROR", "ABORTABLE_ERROR"],
    FENCED_INSTANCE_ID: ["ABORTABLE_ERROR", "ABORTABLE_ERROR"],
    GROUP_AUTHORIZATION_FAILED: ["ABORTABLE_ERROR", "ABORTABLE_ERROR"],
    MESSAGE_TOO_LARGE: ["ABORTABLE_ERROR", "ABORTABLE_ERROR"],
    TOPIC_AUTHORIZATION_FAILED: ["ABORTABLE_ERROR", "ABORTABLE_ERROR"]
  }
  for (const [error, expected] of Object.entries(table) as ReadonlyArray<[Errors.Error, readonly [string, string]]>) {
    for (const [i, sent] of [produce(), offsets()].entries()) {
      it(`${error} for ${i === 0 ? "a record" : "an offset"}: ${expected[i]}`, () => {
        const [before] = after(config(), { ...ready, generation: 3, position: 0 }, send(sent.partition))

        const [producer, outputs] = after(config(), before, receiveProduce(sent, error))

        const isFailed = producer.batches.get(sent.partition) === "failed"
        const told = outputs.length > 0 ? "again" : isFailed ? producer.state : producer.batches.get(sent.partition)
        assert.strictEqual(told, expected[i])
        assert.strictEqual(producer.epochBump, told === "ABORTABLE_ERROR")
        if (outputs.length > 0) {
          assert.deepStrictEqual(outputs, [{ _tag: "Produce", produce: sent }])
          assert.deepStrictEqual(producer, before)
        }
      })
    }
  }

  it("does not come in time: the batch fails, and may be written", () => {
    const [producer] = after(config(), ready, send(), { _tag: "ExpireBatch", partition: "A" })

    assert.deepStrictEqual([producer.state, producer.epochBump], ["ABORTABLE_ERROR", true])
    assert.strictEqual(producer.batches.get("A"), "failed")
  })

  it("leaves a producer that is at its end where it is", () => {
    const [dead] = after(config(), ready, send(), send("B"), receiveProduce(produce(), "PRODUCER_FENCED"))

    assert.strictEqual(
      after(config(), dead, receiveProduce(produce({ partition: "B" }), "INVALID_RECORD"))[0].state,
      "FATAL_ERROR"
    )
  })
})

describe("the answer to a transactional request", () => {
  const requests: ReadonlyArray<readonly [string, TransactionalProducer.Request]> = [
    ["InitProducerId", initProducerId()],
    ["AddPartitionsToTxn", addPartitionsToTxn()],
    ["COMMIT", endTxn()],
    ["ABORT", endTxn({ result: "ABORT" })]
  ]
  const before: Producer = { ...ready, state: "IN_TRANSACTION", number: 1, waiting: true }
  for (const [name, sent] of requests) {
    for (
      const error of [
        "NOT_COORDINATOR",
        "COORDINATOR_NOT_AVAILABLE",
        "CONCURRENT_TRANSACTIONS",
        "NETWORK_EXCEPTION"
      ] as const
    ) {
      it(`${error} for ${name} sends it again`, () => {
        assert.deepStrictEqual(after(config(), before, receive(sent, error)), [before, [request(sent)]])
      })
    }

    for (
      const error of [
        "PRODUCER_FENCED",
        "INVALID_PRODUCER_EPOCH",
        "INVALID_TXN_STATE",
        "INVALID_PRODUCER_ID_MAPPING"
      ] as const
    ) {
      it(`${error} for ${name} is the end`, () => {
        assert.deepStrictEqual(after(config(), before, receive(sent, error)), [
          { ...before, state: "FATAL_ERROR", waiting: false },
          []
        ])
      })
    }

    const expected = name === "ABORT" ? "FATAL_ERROR" : "ABORTABLE_ERROR"
    it(`TRANSACTION_ABORTABLE for ${name}: ${expected}`, () => {
      assert.deepStrictEqual(after(config(), before, receive(sent, "TRANSACTION_ABORTABLE")), [
        { ...before, state: expected, waiting: false },
        []
      ])
    })
  }

  const told = (sent: TransactionalProducer.Request, error: Errors.Error): TransactionalProducer.State =>
    after(config(), before, receive(sent, error))[0].state
  const abortable: Readonly<Partial<Record<Errors.Error, ReadonlyArray<string>>>> = {
    UNKNOWN_PRODUCER_ID: ["AddPartitionsToTxn", "COMMIT"],
    TOPIC_AUTHORIZATION_FAILED: ["AddPartitionsToTxn"],
    GROUP_AUTHORIZATION_FAILED: ["AddPartitionsToTxn"],
    OPERATION_NOT_ATTEMPTED: ["AddPartitionsToTxn"]
  }
  for (const [error, names] of Object.entries(abortable) as ReadonlyArray<[Errors.Error, ReadonlyArray<string>]>) {
    it(`${error} can be aborted for ${names.join(", ")}, and is the end otherwise`, () => {
      const found = requests.filter(([, sent]) => told(sent, error) === "ABORTABLE_ERROR").map(([name]) => name)

      assert.deepStrictEqual(found, [...names])
      for (const [name, sent] of requests) {
        if (!names.includes(name)) assert.strictEqual(told(sent, error), "FATAL_ERROR")
      }
    })
  }

  it("TRANSACTIONAL_ID_AUTHORIZATION_FAILED leaves a producer without an identity, which may ask again", () => {
    const asked: Producer = { ...TransactionalProducer.initial, state: "INITIALIZING", waiting: true }

    const [denied] = after(config(), asked, receive(initProducerId(), "TRANSACTIONAL_ID_AUTHORIZATION_FAILED"))

    assert.deepStrictEqual(denied, TransactionalProducer.initial)
    for (const sent of [addPartitionsToTxn(), endTxn(), endTxn({ result: "ABORT" })]) {
      assert.strictEqual(told(sent, "TRANSACTIONAL_ID_AUTHORIZATION_FAILED"), "FATAL_ERROR")
    }
  })
})

describe("refuseRecord", () => {
  it("leaves nothing but to abort, and the coordinator hears nothing of it", () => {
    const refused = TransactionalProducer.refuseRecord(ready)

    assert.deepStrictEqual(refused, { ...ready, state: "ABORTABLE_ERROR", number: 1 })
    assert.deepStrictEqual(after(config(), refused, abort), [{ ...ready, number: 1 }, [ended("ABORT")]])
  })

  it("keeps what was sent of the transaction", () => {
    const [written] = after(config(), ready, send(), acknowledge())

    assert.deepStrictEqual(TransactionalProducer.refuseRecord(written), { ...written, state: "ABORTABLE_ERROR" })
  })

  it("changes nothing for a producer that can write no record", () => {
    const dead: Producer = { ...ready, state: "FATAL_ERROR" }

    assert.strictEqual(TransactionalProducer.refuseRecord(dead), dead)
  })
})

describe("commitTransaction", () => {
  const [written] = after(config(), ready, send(), acknowledge())

  it("waits for every record", () => {
    const [inFlight] = after(config(), ready, send())

    assert.isFalse(isPossible(config(), inFlight, commit))
    assert.isTrue(isPossible(config(2, { MayCommit: () => true }), inFlight, commit))
    assert.deepStrictEqual(after(config(), written, commit), [
      { ...written, state: "COMMITTING", waiting: true },
      [request(endTxn())]
    ])
  })

  it("under version 2 the next transaction has a new identity, and sequences begin again", () => {
    const end = after(config(), written, commit, receive(endTxn(), "NONE", 8, 0))

    assert.deepStrictEqual(end, [{ ...ready, number: 1, producerId: 8, epoch: 0 }, [ended("COMMIT")]])
  })

  it("under version 1 both go on", () => {
    const [producer] = after(config(1), written, commit, receive(endTxn({ version: 1 })))

    assert.deepStrictEqual(producer, { ...ready, number: 1, sequences: new Map([["A", 1]]) })
  })

  it("moves the position when the offset was committed with it", () => {
    const joined: Producer = { ...ready, generation: 3, position: 2 }
    const position = (...inputs: ReadonlyArray<Input>): number =>
      after(config(), joined, send(), acknowledge(), ...inputs)[0].position
    const withOffset = [send(groupPartition), receiveProduce(offsets({ input: 2 }))]

    assert.strictEqual(position(...withOffset, commit, receive(endTxn())), 3)
    assert.strictEqual(position(commit, receive(endTxn())), 2)
    assert.strictEqual(position(...withOffset, abort, receive(endTxn({ result: "ABORT" }))), 2)
  })
})

describe("abortTransaction", () => {
  it("waits for what was sent", () => {
    const [inFlight] = after(config(), ready, send())

    assert.isFalse(isPossible(config(), inFlight, abort))
  })

  it("tells the coordinator, which may know of the transaction", () => {
    for (const batch of ["added", "acked", "failed"] as const) {
      const before: Producer = { ...ready, state: "ABORTABLE_ERROR", number: 1, batches: new Map([["A", batch]]) }

      assert.deepStrictEqual(after(config(), before, abort), [
        { ...before, state: "ABORTING", waiting: true },
        [request(endTxn({ result: "ABORT" }))]
      ])
    }
  })

  it("leaves a producer without an identity as it was", () => {
    const before: Producer = { ...TransactionalProducer.initial, state: "ABORTABLE_ERROR" }

    assert.deepStrictEqual(after(config(), before, abort), [TransactionalProducer.initial, [ended("ABORT")]])
  })

  it("does without the coordinator where nothing was sent to it", () => {
    for (const batches of [new Map(), new Map([["A", "adding"]])] as ReadonlyArray<TransactionalProducer.Batches>) {
      const before: Producer = { ...ready, state: "ABORTABLE_ERROR", number: 1, batches }

      assert.deepStrictEqual(after(config(), before, abort), [{ ...ready, number: 1 }, [ended("ABORT")]])
    }
  })

  const failed: Producer = {
    ...ready,
    state: "ABORTABLE_ERROR",
    number: 1,
    batches: new Map([["A", "failed"]]),
    epochBump: true
  }

  it("under version 2 a new epoch comes with it", () => {
    const [producer, outputs] = after(config(), failed, abort, receive(endTxn({ result: "ABORT" }), "NONE", 7, 6))

    assert.deepStrictEqual(producer, { ...ready, number: 1, epoch: 6, epochBump: true })
    assert.deepStrictEqual(outputs, [ended("ABORT")])
  })

  it("under version 1 the producer asks for one when it wants it", () => {
    const settings = config(1)
    const answer = receive(endTxn({ result: "ABORT", version: 1 }))

    const [bumping, outputs] = after(settings, failed, abort, answer)
    const [without] = after(settings, { ...failed, epochBump: false }, abort, answer)

    assert.deepStrictEqual(bumping, { ...ready, state: "INITIALIZING", number: 1, waiting: true })
    assert.deepStrictEqual(outputs, [ended("ABORT"), request(initProducerId({ version: 1 }))])
    assert.deepStrictEqual(without, { ...ready, number: 1 })
  })

  it("so it does where the coordinator is not told", () => {
    const [bumping, outputs] = after(config(1), { ...failed, batches: new Map() }, abort)

    assert.deepStrictEqual(bumping, { ...ready, state: "INITIALIZING", number: 1, waiting: true })
    assert.deepStrictEqual(outputs, [ended("ABORT"), request(initProducerId({ version: 1 }))])
  })

  it("asks for no new epoch after a commit", () => {
    const before: Producer = { ...failed, state: "COMMITTING", waiting: true }

    assert.strictEqual(after(config(1), before, receive(endTxn({ version: 1 })))[0].state, "READY")
  })
})

describe("the application", () => {
  it("joins its group once", () => {
    const join: Input = { _tag: "JoinGroup", generation: 4, position: 2 }
    const [joined, outputs] = after(config(), ready, join)

    assert.deepStrictEqual(joined, { ...ready, generation: 4, position: 2 })
    assert.deepStrictEqual(outputs, [])
    assert.isFalse(isPossible(config(), joined, join))
  })

  it("remembers nothing when it starts again, but how its transactions are called", () => {
    const [working] = after(config(), ready, send())

    assert.deepStrictEqual(after(config(), working, { _tag: "Crash" }), [
      { ...TransactionalProducer.initial, number: 1 },
      []
    ])
  })

  it("has its transactions named", () => {
    const [, outputs] = after(config(), ready, send(), acknowledge(), commit)

    assert.deepStrictEqual(outputs, [request(endTxn({ transaction: first }))])
  })
})
