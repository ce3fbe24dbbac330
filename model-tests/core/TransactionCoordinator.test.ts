import { assert, describe, it } from "@effect/vitest"
import { type Errors, type Transaction, TransactionCoordinator, TransactionMetadata } from "../../src/core/index.ts"
import {
  addPartitionsToTxn,
  context,
  coordinated,
  coordinator,
  endTxn,
  first,
  initProducerId,
  metadata,
  ongoing,
  second
} from "./transactions.ts"

type Decision = TransactionCoordinator.Decision
type Metadata = TransactionMetadata.Metadata

const refuse = (error: Errors.Error): Decision => ({ _tag: "Refuse", error })
const write = (record: Metadata): Decision => ({ _tag: "Write", record })
const accept: Decision = { _tag: "Accept" }
const free = 9

const answer = (error: Errors.Error, producerId = -1, epoch = -1): TransactionCoordinator.Output => ({
  _tag: "Answer",
  answer: { error, producerId, epoch }
})

// kafka-rules §3.2, by its rows.
describe("InitProducerId", () => {
  const anybody = initProducerId({ producerId: -1, epoch: -1 })
  const owner = initProducerId()
  const empty = (over: Partial<Metadata> = {}): Metadata => metadata({ state: "Empty", ...over })
  const next = (over: Partial<Metadata> = {}): Decision => write(empty({ epoch: 6, ...over }))
  const exhausted = metadata({ state: "CompleteCommit", epoch: 32766, lastEpoch: 32765 })
  const rotated = (lastEpoch: number): Decision => write(empty({ producerId: free, epoch: 0, lastEpoch }))
  const replaced = metadata({ producerId: 8, previousProducerId: 7, epoch: 0, lastEpoch: 32766 })
  const table: ReadonlyArray<
    readonly [
      what: string,
      before: Metadata,
      pending: TransactionCoordinator.Pending,
      request: ReturnType<typeof initProducerId>,
      decision: Decision
    ]
  > = [
    ["8: a pending transition is in the way", empty(), "Ongoing", anybody, refuse("CONCURRENT_TRANSACTIONS")],
    [
      "8: before anything else is looked at",
      empty(),
      "Dead",
      initProducerId({ producerId: 1 }),
      refuse("CONCURRENT_TRANSACTIONS")
    ],
    ["9: another producer id is fenced", empty(), "None", initProducerId({ producerId: 6 }), refuse("PRODUCER_FENCED")],
    [
      "9: so is the previous one with an epoch that could go on",
      replaced,
      "None",
      initProducerId({ epoch: 32765 }),
      refuse("PRODUCER_FENCED")
    ],
    [
      "9: the previous one with its last epoch comes back",
      replaced,
      "None",
      initProducerId({ epoch: 32766 }),
      write({ ...replaced, previousProducerId: 8 })
    ],
    [
      "9: a new id takes whoever comes",
      TransactionMetadata.created(9),
      "None",
      owner,
      write({ ...TransactionMetadata.created(9), previousProducerId: 9, epoch: 0, lastEpoch: -1 })
    ],
    [
      "10: PrepareCommit is waited for",
      metadata({ state: "PrepareCommit" }),
      "None",
      owner,
      refuse("CONCURRENT_TRANSACTIONS")
    ],
    [
      "10: PrepareAbort is waited for",
      metadata({ state: "PrepareAbort" }),
      "None",
      anybody,
      refuse("CONCURRENT_TRANSACTIONS")
    ],
    [
      "10: by the right one only",
      metadata({ state: "PrepareAbort" }),
      "None",
      initProducerId({ producerId: 6 }),
      refuse("PRODUCER_FENCED")
    ],
    [
      "11: a new instance fences",
      ongoing(),
      "None",
      anybody,
      write(ongoing({ state: "PrepareAbort", epoch: 6, lastEpoch: 5 }))
    ],
    [
      "11: so does any epoch of the right id (W10)",
      ongoing(),
      "None",
      initProducerId({ epoch: 1 }),
      write(ongoing({ state: "PrepareAbort", epoch: 6, lastEpoch: 5 }))
    ],
    ["12: after the last epoch a new id begins", exhausted, "None", anybody, rotated(-1)],
    ["12: also for the owner", exhausted, "None", initProducerId({ epoch: 32766 }), rotated(32766)],
    [
      "13: a new instance gets the next epoch",
      metadata({ state: "CompleteAbort" }),
      "None",
      anybody,
      next({ lastEpoch: -1 })
    ],
    ["14: so does the owner", metadata({ state: "CompleteCommit" }), "None", owner, next({ lastEpoch: 5 })],
    [
      "15: the same request again gets the same answer",
      empty(),
      "None",
      initProducerId({ epoch: 4 }),
      next({ epoch: 5 })
    ],
    ["16: any other epoch is fenced", empty(), "None", initProducerId({ epoch: 3 }), refuse("PRODUCER_FENCED")],
    ["16: a newer one too", empty(), "None", initProducerId({ epoch: 6 }), refuse("PRODUCER_FENCED")],
    [
      "16: after the last epoch Kafka throws",
      exhausted,
      "None",
      initProducerId({ epoch: 3 }),
      refuse("UNKNOWN_SERVER_ERROR")
    ],
    [
      "16: even for the same request again",
      exhausted,
      "None",
      initProducerId({ epoch: 32765 }),
      refuse("UNKNOWN_SERVER_ERROR")
    ]
  ]
  for (const [what, before, pending, request, decision] of table) {
    it(what, () => {
      assert.deepStrictEqual(TransactionCoordinator.initProducerId(context(), before, pending, request, free), decision)
    })
  }

  it("what the last transaction had is gone", () => {
    const before = metadata({ state: "CompleteCommit", partitions: ["A"], transaction: first })

    const decision = TransactionCoordinator.initProducerId(context(), before, "None", owner, free)

    assert.deepStrictEqual(decision, next({ lastEpoch: 5 }))
  })
})

// kafka-rules §3.3.
describe("AddPartitionsToTxn", () => {
  const known = ongoing({ partitions: ["A"] })
  const table: ReadonlyArray<
    readonly [
      what: string,
      before: Metadata,
      pending: TransactionCoordinator.Pending,
      asked: TransactionCoordinator.Verification,
      decision: Decision
    ]
  > = [
    ["an unknown id", TransactionMetadata.unknown, "None", addPartitionsToTxn(), refuse("INVALID_PRODUCER_ID_MAPPING")],
    ["a pending transition", known, "Ongoing", addPartitionsToTxn(), refuse("CONCURRENT_TRANSACTIONS")],
    ["… before who asks", known, "Ongoing", addPartitionsToTxn({ producerId: 6 }), refuse("CONCURRENT_TRANSACTIONS")],
    [
      "another producer id",
      known,
      "None",
      addPartitionsToTxn({ producerId: 6 }),
      refuse("INVALID_PRODUCER_ID_MAPPING")
    ],
    ["an older epoch", known, "None", addPartitionsToTxn({ epoch: 4 }), refuse("PRODUCER_FENCED")],
    ["a newer epoch", known, "None", addPartitionsToTxn({ epoch: 6 }), refuse("PRODUCER_FENCED")],
    [
      "PrepareCommit",
      ongoing({ state: "PrepareCommit" }),
      "None",
      addPartitionsToTxn(),
      refuse("CONCURRENT_TRANSACTIONS")
    ],
    [
      "PrepareAbort",
      ongoing({ state: "PrepareAbort" }),
      "None",
      addPartitionsToTxn(),
      refuse("CONCURRENT_TRANSACTIONS")
    ],
    ["a partition that is in", known, "None", addPartitionsToTxn(), accept],
    [
      "one that is not",
      known,
      "None",
      addPartitionsToTxn({ partition: "B" }),
      write(ongoing({ partitions: ["A", "B"] }))
    ],
    ["the first one", metadata(), "None", addPartitionsToTxn(), write(ongoing())],
    [
      "the first one of the next transaction",
      metadata({ state: "CompleteCommit", transaction: first }),
      "None",
      addPartitionsToTxn({ transaction: second }),
      write(ongoing({ transaction: second }))
    ]
  ]
  for (const [what, before, pending, asked, decision] of table) {
    it(`${what}: ${decision._tag === "Refuse" ? decision.error : decision._tag}`, () => {
      assert.deepStrictEqual(TransactionCoordinator.addPartitions(context(), before, pending, asked), decision)
    })
  }

  it("looks at who asks first where the rule says so (W6)", () => {
    const old = context({ rules: { AsksPendingFirst: () => false } })
    const decide = (over: Parameters<typeof addPartitionsToTxn>[0]): Decision =>
      TransactionCoordinator.addPartitions(old, known, "Ongoing", addPartitionsToTxn(over))

    assert.deepStrictEqual(decide({ producerId: 6 }), refuse("INVALID_PRODUCER_ID_MAPPING"))
    assert.deepStrictEqual(decide({ epoch: 4 }), refuse("PRODUCER_FENCED"))
    assert.deepStrictEqual(decide({}), refuse("CONCURRENT_TRANSACTIONS"))
  })
})

// Probe 20.
describe("verification", () => {
  const table: ReadonlyArray<readonly [what: string, before: Metadata, over: object, decision: Decision]> = [
    ["a partition that is in", ongoing(), {}, accept],
    ["one that is not", ongoing(), { partition: "B" }, refuse("TRANSACTION_ABORTABLE")],
    ["no transaction", metadata(), {}, refuse("TRANSACTION_ABORTABLE")],
    ["an unknown id", TransactionMetadata.unknown, {}, refuse("INVALID_PRODUCER_ID_MAPPING")],
    ["another producer id", ongoing(), { producerId: 6 }, refuse("INVALID_PRODUCER_ID_MAPPING")],
    ["an older epoch", ongoing(), { epoch: 4 }, refuse("PRODUCER_FENCED")],
    ["PrepareAbort", ongoing({ state: "PrepareAbort" }), {}, refuse("CONCURRENT_TRANSACTIONS")],
    ["PrepareAbort, an older epoch", ongoing({ state: "PrepareAbort" }), { epoch: 4 }, refuse("PRODUCER_FENCED")]
  ]
  for (const [what, before, over, decision] of table) {
    it(`${what}: ${decision._tag === "Refuse" ? decision.error : decision._tag}`, () => {
      assert.deepStrictEqual(TransactionCoordinator.verifyPartition(before, addPartitionsToTxn(over)), decision)
    })
  }

  it("only asks under version 1, also during a transition", () => {
    const before = coordinator({ metadata: ongoing(), pending: "Ongoing" })

    const [after, outputs] = coordinated(context(), before, {
      _tag: "HandleVerification",
      verification: addPartitionsToTxn({ version: 1 })
    })

    assert.deepStrictEqual(after, before)
    assert.deepStrictEqual(outputs, [answer("NONE", 7, 5)])
  })

  it("adds under version 2", () => {
    const [after] = coordinated(context(), coordinator(), {
      _tag: "HandleVerification",
      verification: addPartitionsToTxn()
    })

    assert.deepStrictEqual(after.appending, ongoing())
    assert.strictEqual(after.pending, "Ongoing")
  })
})

const states = ["Empty", "Ongoing", "PrepareCommit", "PrepareAbort", "CompleteCommit", "CompleteAbort"] as const
type Ended = typeof states[number]
const inState = (state: Ended): Metadata =>
  state === "Empty" ? metadata() : ongoing({ state, partitions: state.startsWith("Complete") ? [] : ["A"] })

// kafka-rules §3.4, both tables, without the pending state that Kafka nearly always has there too.
describe("EndTxn of version 1", () => {
  const table: Readonly<Record<Ended, readonly [commit: string, abort: string]>> = {
    Empty: ["INVALID_TXN_STATE", "INVALID_TXN_STATE"],
    Ongoing: ["PrepareCommit", "PrepareAbort"],
    PrepareCommit: ["CONCURRENT_TRANSACTIONS", "INVALID_TXN_STATE"],
    PrepareAbort: ["INVALID_TXN_STATE", "CONCURRENT_TRANSACTIONS"],
    CompleteCommit: ["accepted", "INVALID_TXN_STATE"],
    CompleteAbort: ["INVALID_TXN_STATE", "accepted"]
  }
  for (const state of states) {
    for (const [i, result] of (["COMMIT", "ABORT"] as const).entries()) {
      const expected = table[state][i]!
      it(`${result} in ${state}: ${expected}`, () => {
        const request = endTxn({ version: 1, result })

        const decision = TransactionCoordinator.endTxn(context(), inState(state), "None", request, free)

        assert.strictEqual(told(decision), expected)
        if (decision._tag === "Write") assert.strictEqual(decision.record.epoch, 5)
      })
    }
  }

  it("looks at who asks before a pending transition", () => {
    const decide = (over: Parameters<typeof endTxn>[0], known = ongoing()): string =>
      told(TransactionCoordinator.endTxn(context(), known, "PrepareAbort", endTxn({ version: 1, ...over }), free))

    assert.strictEqual(decide({}, TransactionMetadata.unknown), "INVALID_PRODUCER_ID_MAPPING")
    assert.strictEqual(decide({ producerId: 6 }), "INVALID_PRODUCER_ID_MAPPING")
    assert.strictEqual(decide({ epoch: 4 }), "PRODUCER_FENCED")
    assert.strictEqual(decide({ epoch: 6 }), "PRODUCER_FENCED")
    assert.strictEqual(decide({}), "CONCURRENT_TRANSACTIONS")
  })
})

const told = (decision: Decision): string =>
  decision._tag === "Refuse" ? decision.error : decision._tag === "Write" ? decision.record.state : "accepted"

describe("EndTxn of version 2", () => {
  type Cells = readonly [commit: string, commitAgain: string, abort: string, abortAgain: string]
  const table: Readonly<Record<Ended, Cells>> = {
    Empty: ["INVALID_TXN_STATE", "PRODUCER_FENCED", "PrepareAbort", "PRODUCER_FENCED"],
    Ongoing: ["PrepareCommit", "PRODUCER_FENCED", "PrepareAbort", "PRODUCER_FENCED"],
    PrepareCommit: ["PRODUCER_FENCED", "CONCURRENT_TRANSACTIONS", "PRODUCER_FENCED", "INVALID_TXN_STATE"],
    PrepareAbort: ["PRODUCER_FENCED", "INVALID_TXN_STATE", "PRODUCER_FENCED", "CONCURRENT_TRANSACTIONS"],
    CompleteCommit: ["INVALID_TXN_STATE", "accepted", "PrepareAbort", "INVALID_TXN_STATE"],
    CompleteAbort: ["INVALID_TXN_STATE", "INVALID_TXN_STATE", "PrepareAbort", "accepted"]
  }
  const columns = [["COMMIT", 5], ["COMMIT", 4], ["ABORT", 5], ["ABORT", 4]] as const
  for (const state of states) {
    for (const [i, [result, epoch]] of columns.entries()) {
      const expected = table[state][i]!
      it(`${result} in ${state} with ${epoch === 5 ? "the present" : "the last"} epoch: ${expected}`, () => {
        const request = endTxn({ result, epoch })

        const decision = TransactionCoordinator.endTxn(context(), inState(state), "None", request, free)

        assert.strictEqual(told(decision), expected)
        if (decision._tag === "Write") {
          assert.strictEqual(decision.record.epoch, 6)
          assert.deepStrictEqual(decision.record.partitions, state === "Ongoing" ? ["A"] : [])
        }
      })
    }
  }

  it("looks at a pending transition before who asks", () => {
    const decide = (
      over: Parameters<typeof endTxn>[0],
      pending: TransactionCoordinator.Pending = "None",
      known = ongoing()
    ): string => told(TransactionCoordinator.endTxn(context(), known, pending, endTxn(over), free))

    assert.strictEqual(decide({}, "Empty", TransactionMetadata.unknown), "INVALID_PRODUCER_ID_MAPPING")
    assert.strictEqual(decide({ producerId: 6 }, "PrepareAbort"), "CONCURRENT_TRANSACTIONS")
    assert.strictEqual(decide({ producerId: 6 }), "INVALID_PRODUCER_ID_MAPPING")
    assert.strictEqual(decide({ epoch: 3 }), "PRODUCER_FENCED")
    assert.strictEqual(decide({ epoch: 6 }), "PRODUCER_FENCED")
  })

  // Probe 53, W18.
  const rotated = metadata({ producerId: 8, previousProducerId: 7, epoch: 0, lastEpoch: 32766 })
  const overflow: ReadonlyArray<readonly [what: string, known: Metadata, over: object, expected: string]> = [
    ["again with the last epoch of the old id", { ...rotated, state: "CompleteCommit" }, { epoch: 32766 }, "accepted"],
    ["the other result", { ...rotated, state: "CompleteAbort" }, { epoch: 32766 }, "INVALID_TXN_STATE"],
    [
      "an epoch that no client had",
      { ...rotated, state: "CompleteCommit" },
      { epoch: 32767 },
      "INVALID_PRODUCER_ID_MAPPING"
    ],
    [
      "when the new id has gone on",
      { ...rotated, state: "CompleteCommit", epoch: 1 },
      { epoch: 32766 },
      "INVALID_PRODUCER_ID_MAPPING"
    ],
    [
      "when the old id is forgotten",
      { ...rotated, state: "Ongoing", previousProducerId: 8 },
      { epoch: 32766 },
      "INVALID_PRODUCER_ID_MAPPING"
    ]
  ]
  for (const [what, known, over, expected] of overflow) {
    it(`after the last epoch, ${what}: ${expected}`, () => {
      assert.strictEqual(
        told(TransactionCoordinator.endTxn(context(), known, "None", endTxn({ ...over }), free)),
        expected
      )
    })
  }
})

describe("a request", () => {
  it("is for the broker that is coordinator", () => {
    const before = coordinator({ broker: 2 })
    for (
      const input of [
        { _tag: "HandleInitProducerId", request: initProducerId(), broker: 1, nextProducerId: free },
        { _tag: "HandleAddPartitionsToTxn", request: addPartitionsToTxn(), broker: 1 },
        { _tag: "HandleEndTxn", request: endTxn(), broker: 1, nextProducerId: free }
      ] as const
    ) assert.deepStrictEqual(coordinated(context(), before, input), [before, [answer("NOT_COORDINATOR")]])
  })

  it("waits for the append of its record, and is answered when that is replicated", () => {
    const handled = coordinated(context(), coordinator(), {
      _tag: "HandleAddPartitionsToTxn",
      request: addPartitionsToTxn(),
      broker: 1
    })
    const applied = coordinated(context(), handled[0], { _tag: "AppendOk", waiting: "AddPartitionsToTxn" })

    assert.deepStrictEqual(handled, [
      coordinator({ pending: "Ongoing", appending: ongoing() }),
      [{ _tag: "Append", record: ongoing({ lastEpoch: -1 }) }]
    ])
    assert.deepStrictEqual(applied, [coordinator({ metadata: ongoing() }), [answer("NONE", 7, 5)]])
  })

  it("is answered at once where nothing needs writing, and is refused without a trace", () => {
    const before = coordinator({ metadata: ongoing() })
    const input = (epoch: number) =>
      ({ _tag: "HandleAddPartitionsToTxn", request: addPartitionsToTxn({ epoch }), broker: 1 }) as const

    assert.deepStrictEqual(coordinated(context(), before, input(5)), [before, [answer("NONE", 7, 5)]])
    assert.deepStrictEqual(coordinated(context(), before, input(4)), [before, [answer("PRODUCER_FENCED")]])
  })

  it("of a new id takes the free producer id", () => {
    const input = {
      _tag: "HandleInitProducerId",
      request: initProducerId({ producerId: -1, epoch: -1 }),
      broker: 1,
      nextProducerId: free
    } as const

    const [after, outputs] = coordinated(context(), TransactionCoordinator.initial, input)

    assert.deepStrictEqual(after.metadata, TransactionMetadata.created(free))
    assert.deepStrictEqual([after.appending?.producerId, after.appending?.epoch], [free, 0])
    assert.deepStrictEqual(outputs.map(({ _tag }) => _tag), ["ProducerIdTaken", "Append"])
  })

  it("that ends a producer id takes the free one, others do not", () => {
    const taken = (epoch: number) =>
      coordinated(context(), coordinator({ metadata: ongoing({ epoch }) }), {
        _tag: "HandleEndTxn",
        request: endTxn({ epoch }),
        broker: 1,
        nextProducerId: free
      })[1].some(({ _tag }) => _tag === "ProducerIdTaken")

    assert.isTrue(taken(32766))
    assert.isFalse(taken(32765))
  })

  it("of a new instance waits for the end of the transaction that it fenced", () => {
    const [, outputs] = coordinated(
      context(),
      coordinator({ metadata: ongoing() }),
      { _tag: "HandleInitProducerId", request: initProducerId(), broker: 1, nextProducerId: free },
      { _tag: "AppendOk", waiting: "InitProducerId" }
    )

    assert.deepStrictEqual(outputs[0], answer("CONCURRENT_TRANSACTIONS", 7, 6))
  })

  it("that ends a transaction is answered before any marker, with the identity to go on with", () => {
    const end = (epoch: number): TransactionCoordinator.Step =>
      coordinated(
        context(),
        coordinator({ metadata: ongoing({ epoch }) }),
        { _tag: "HandleEndTxn", request: endTxn({ epoch }), broker: 1, nextProducerId: free },
        { _tag: "AppendOk", waiting: "EndTxn" }
      )

    const [after, outputs] = end(5)

    assert.strictEqual(after.pending, "CompleteCommit")
    assert.deepStrictEqual(after.outstanding, ["A"])
    assert.deepStrictEqual(outputs, [
      answer("NONE", 7, 6),
      {
        _tag: "WriteTxnMarker",
        marker: {
          partition: "A",
          producerId: 7,
          epoch: 6,
          coordinatorEpoch: 0,
          result: "COMMIT",
          version: 2,
          transaction: first
        }
      }
    ])
    assert.deepStrictEqual(end(32766)[1][0], answer("NONE", free, 0))
  })

  it("that aborts nothing leads straight to the completion", () => {
    const [after, outputs] = coordinated(
      context(),
      coordinator(),
      { _tag: "HandleEndTxn", request: endTxn({ result: "ABORT" }), broker: 1, nextProducerId: free },
      { _tag: "AppendOk", waiting: "EndTxn" }
    )

    assert.deepStrictEqual(outputs, [answer("NONE", 7, 6)])
    assert.deepStrictEqual(after.completing.map(({ epoch, state }) => [state, epoch]), [["CompleteAbort", 6]])
    assert.strictEqual(after.pending, "CompleteAbort")
  })
})

describe("an append that fails", () => {
  const adding = coordinator({ pending: "Ongoing", appending: ongoing() })
  const completing = coordinator({
    metadata: ongoing({ state: "PrepareCommit" }),
    pending: "CompleteCommit",
    appending: ongoing({ state: "CompleteCommit", partitions: [] })
  })

  it("is the end of the transition", () => {
    assert.deepStrictEqual(
      coordinated(context(), adding, { _tag: "AppendFail", waiting: "AddPartitionsToTxn" }),
      [coordinator(), [answer("COORDINATOR_NOT_AVAILABLE")]]
    )
  })

  it("leaves pending what the rule says", () => {
    const stuck = context({ rules: { PendingAfterFailedAppend: (pending) => pending } })

    assert.strictEqual(
      coordinated(stuck, adding, { _tag: "AppendFail", waiting: undefined })[0].pending,
      "Ongoing"
    )
  })

  it("is tried again for a completion", () => {
    const [failed, outputs] = coordinated(context(), completing, { _tag: "AppendFail", waiting: undefined })
    const [again] = coordinated(context(), failed, { _tag: "CompleteTransaction" })

    assert.deepStrictEqual(outputs, [])
    assert.deepStrictEqual(failed, { ...completing, appending: undefined, completing: [completing.appending!] })
    assert.deepStrictEqual(again, completing)
  })

  it("keeps the raised epoch of a fence in memory under version 1, and does not raise it again", () => {
    const old = context({ transactionVersion: 1 })
    const fence = {
      _tag: "HandleInitProducerId",
      request: initProducerId({ producerId: -1, epoch: -1 }),
      broker: 1,
      nextProducerId: free
    } as const

    const [failed] = coordinated(old, coordinator({ metadata: ongoing() }), fence, {
      _tag: "AppendFail",
      waiting: "InitProducerId"
    })
    const [again] = coordinated(old, failed, fence)

    assert.deepStrictEqual(failed.metadata, ongoing({ epoch: 6, failedEpochFence: true }))
    assert.strictEqual(again.appending?.epoch, 6)
  })

  it("keeps nothing of it under version 2", () => {
    const [failed] = coordinated(
      context(),
      coordinator({ metadata: ongoing() }),
      { _tag: "TransactionTimeout", nextProducerId: free },
      { _tag: "AppendFail", waiting: undefined }
    )

    assert.deepStrictEqual(failed, coordinator({ metadata: ongoing() }))
  })
})

describe("markers", () => {
  const prepared = ongoing({ state: "PrepareCommit", epoch: 6, lastEpoch: 5, partitions: ["A", "B"] })
  const waiting = coordinator({ metadata: prepared, pending: "CompleteCommit", outstanding: ["A", "B"] })
  const answered = (partition: string, error: Errors.Error = "NONE") => ({
    _tag: "ReceiveMarkerAnswer",
    error,
    marker: {
      partition,
      producerId: 7,
      epoch: 6,
      coordinatorEpoch: 0,
      result: "COMMIT",
      version: 2,
      transaction: first
    }
  } as const)

  it("the completion is due after the last acknowledgement", () => {
    const [one] = coordinated(context(), waiting, answered("A"))
    const [both] = coordinated(context(), one, answered("B"))

    assert.deepStrictEqual([one.outstanding, one.completing], [["B"], []])
    assert.deepStrictEqual(both.outstanding, [])
    assert.deepStrictEqual(both.completing, [
      { ...prepared, state: "CompleteCommit", partitions: [], previousProducerId: 7 }
    ])
  })

  it("one that was acknowledged before changes nothing", () => {
    const [both] = coordinated(context(), waiting, answered("A"), answered("B"))

    assert.deepStrictEqual(coordinated(context(), both, answered("B"))[0], both)
    assert.deepStrictEqual(coordinated(context(), waiting, answered("C"))[0], waiting)
  })

  it("as many completions are due as the rule says, and are dropped when one was written", () => {
    const twice = context({ rules: { Completions: (partitions) => partitions.length } })
    const [due] = coordinated(twice, waiting, answered("A"), answered("B"))

    const [written] = coordinated(twice, due, { _tag: "CompleteTransaction" }, { _tag: "AppendOk", waiting: undefined })
    const dropped = coordinated(twice, written, { _tag: "CompleteTransaction" })

    assert.strictEqual(due.completing.length, 2)
    assert.strictEqual(written.completing.length, 1)
    assert.deepStrictEqual(dropped, [{ ...written, completing: [] }, []])
  })

  for (const error of ["NOT_LEADER_OR_FOLLOWER", "NETWORK_EXCEPTION"] as const) {
    it(`are sent again after ${error}`, () => {
      const input = answered("A", error)

      assert.deepStrictEqual(coordinated(context(), waiting, input), [
        waiting,
        [{ _tag: "WriteTxnMarker", marker: input.marker }]
      ])
    })
  }

  for (const error of ["INVALID_PRODUCER_EPOCH", "TRANSACTION_COORDINATOR_FENCED"] as const) {
    it(`are given up after ${error}`, () => {
      assert.deepStrictEqual(coordinated(context(), waiting, answered("A", error)), [waiting, []])
    })
  }

  it("the completion waits for an append under way, and ends the transition", () => {
    const [due] = coordinated(context(), waiting, answered("A"), answered("B"))

    assert.isUndefined(
      TransactionCoordinator.step(context(), { ...due, appending: prepared }, { _tag: "CompleteTransaction" })
    )
    assert.isUndefined(TransactionCoordinator.step(context(), waiting, { _tag: "CompleteTransaction" }))

    const [done, outputs] = coordinated(
      context(),
      due,
      { _tag: "CompleteTransaction" },
      { _tag: "AppendOk", waiting: undefined }
    )
    assert.deepStrictEqual(outputs, [])
    assert.deepStrictEqual(done, coordinator({ metadata: due.completing[0]! }))
  })
})

describe("time", () => {
  it("aborts an open transaction with the next epoch, and nothing else", () => {
    const timeout = { _tag: "TransactionTimeout", nextProducerId: free } as const
    const [after, outputs] = coordinated(context(), coordinator({ metadata: ongoing() }), timeout)

    assert.deepStrictEqual(after.appending, ongoing({ state: "PrepareAbort", epoch: 6, lastEpoch: 5 }))
    assert.strictEqual(after.pending, "PrepareAbort")
    assert.deepStrictEqual(outputs.map(({ _tag }) => _tag), ["Append"])
    for (
      const other of [
        coordinator(),
        coordinator({ metadata: ongoing(), pending: "Ongoing" }),
        coordinator({ metadata: ongoing({ state: "PrepareAbort" }) })
      ]
    ) assert.isUndefined(TransactionCoordinator.step(context(), other, timeout))
  })

  it("asks the rule for the epoch", () => {
    const same = context({ rules: { TimeoutEpoch: (_context, { epoch }) => epoch } })
    const [after] = coordinated(same, coordinator({ metadata: ongoing() }), {
      _tag: "TransactionTimeout",
      nextProducerId: free
    })

    assert.strictEqual(after.appending?.epoch, 5)
  })

  it("forgets an id that has nothing to end", () => {
    const expire = { _tag: "ExpireTransactionalId" } as const
    for (const state of ["Empty", "CompleteCommit", "CompleteAbort"] as const) {
      const before = coordinator({ metadata: metadata({ state }) })

      const [expiring] = coordinated(context(), before, expire)
      const [gone] = coordinated(context(), expiring, { _tag: "AppendOk", waiting: undefined })

      assert.deepStrictEqual(expiring, { ...before, pending: "Dead", appending: TransactionMetadata.unknown })
      assert.deepStrictEqual(gone, TransactionCoordinator.initial)
    }
    for (
      const other of [
        TransactionCoordinator.initial,
        coordinator({ metadata: TransactionMetadata.created(7) }),
        coordinator({ pending: "Ongoing" }),
        coordinator({ metadata: ongoing() }),
        coordinator({ metadata: ongoing({ state: "PrepareCommit" }) })
      ]
    ) assert.isUndefined(TransactionCoordinator.step(context(), other, expire))
  })
})

describe("the next coordinator", () => {
  const failover = (loaded: Metadata): TransactionCoordinator.Step =>
    coordinated(context(), coordinator({ pending: "Ongoing", appending: ongoing() }), {
      _tag: "CoordinatorFailover",
      loaded,
      waiting: "AddPartitionsToTxn"
    })

  it("knows what the log says, and no more", () => {
    const loaded = metadata({ lastEpoch: -1 })

    assert.deepStrictEqual(failover(loaded), [
      coordinator({ broker: 2, epoch: 1, metadata: loaded }),
      [answer("NOT_COORDINATOR")]
    ])
  })

  it("sends all markers of a prepared transaction again, with its own epoch", () => {
    const loaded = ongoing({ state: "PrepareAbort", epoch: 6, lastEpoch: -1, partitions: ["A", "B"] })

    const [after, outputs] = failover(loaded)

    assert.deepStrictEqual(after, {
      ...coordinator({ broker: 2, epoch: 1, metadata: loaded }),
      pending: "CompleteAbort",
      outstanding: ["A", "B"]
    })
    assert.deepStrictEqual(
      outputs.flatMap((output) => output._tag === "WriteTxnMarker" ? [output.marker] : []).map((marker) => [
        marker.partition,
        marker.epoch,
        marker.coordinatorEpoch,
        marker.result
      ]),
      [["A", 6, 1, "ABORT"], ["B", 6, 1, "ABORT"]]
    )
  })

  it("goes on with the completion where there are no markers", () => {
    const [after] = failover(ongoing({ state: "PrepareAbort", partitions: [] }))

    assert.deepStrictEqual(after.completing.map(({ state }) => state), ["CompleteAbort"])
  })

  it("is the other broker again", () => {
    const [after] = coordinated(context(), coordinator({ broker: 2, epoch: 1 }), {
      _tag: "CoordinatorFailover",
      loaded: metadata(),
      waiting: undefined
    })

    assert.deepStrictEqual([after.broker, after.epoch], [1, 2])
  })
})

it("no append ends that did not begin", () => {
  const end = (_tag: "AppendOk" | "AppendFail"): unknown =>
    TransactionCoordinator.step(context(), coordinator(), { _tag, waiting: undefined })

  assert.isUndefined(end("AppendOk"))
  assert.isUndefined(end("AppendFail"))
  assert.isUndefined(TransactionCoordinator.persisted(context(), coordinator()))
})

it("the epochs of one producer's transactions (the traces of kafka-rules §3.5)", () => {
  const run = (version: Transaction.Version): ReadonlyArray<number> => {
    const rules = context({ transactionVersion: version })
    const seen: Array<number> = []
    let state = coordinator({ metadata: metadata({ epoch: 0 }) })
    for (let transaction = 0; transaction < 2; transaction++) {
      const { epoch } = state.metadata
      const [after, outputs] = coordinated(
        rules,
        state,
        { _tag: "HandleVerification", verification: addPartitionsToTxn({ epoch, version: 2 }) },
        { _tag: "AppendOk", waiting: "AddPartitionsToTxn" },
        { _tag: "HandleEndTxn", request: endTxn({ epoch, version }), broker: 1, nextProducerId: free },
        { _tag: "AppendOk", waiting: "EndTxn" }
      )
      const sent = outputs.flatMap((output) => output._tag === "WriteTxnMarker" ? [output.marker] : [])[0]!
      seen.push(epoch, sent.epoch)
      state = coordinated(
        rules,
        after,
        { _tag: "ReceiveMarkerAnswer", marker: sent, error: "NONE" },
        { _tag: "CompleteTransaction" },
        { _tag: "AppendOk", waiting: undefined }
      )[0]
    }
    return seen
  }

  assert.deepStrictEqual(run(1), [0, 0, 0, 0])
  assert.deepStrictEqual(run(2), [0, 1, 1, 2])
})
