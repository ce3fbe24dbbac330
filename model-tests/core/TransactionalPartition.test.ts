import { assert, describe, it } from "@effect/vitest"
import { type Errors, Transaction, TransactionalPartition, type TransactionalProducer } from "../../src/core/index.ts"
import {
  context,
  control,
  data,
  first,
  handle,
  mark,
  marker,
  offsets,
  partition,
  produce,
  second,
  served,
  verified
} from "./transactions.ts"

const answered = (error: Errors.Error, offset = -1): TransactionalPartition.Output => ({
  _tag: "Answer",
  error,
  offset
})

describe("validate", () => {
  // Probes 1, 2, 3, 4, 29, 30, 32 and 33, as far as they do not need a second batch in flight.
  const two = [data(), data({ sequence: 1 })]
  const ended = [data({ epoch: 4 }), control("COMMIT")]
  type Judged = Parameters<typeof TransactionalPartition.validate>[2]
  const table: ReadonlyArray<
    readonly [what: string, log: Parameters<typeof partition>[0], judged: Judged, expected: string | number]
  > = [
    ["an unknown producer id begins with 0", [], verified(produce()), "Append"],
    ["and not elsewhere", [], verified(produce({ sequence: 5 })), "OUT_OF_ORDER_SEQUENCE_NUMBER"],
    ["the next sequence joins", two, handle(produce({ sequence: 2 })), "Append"],
    ["a gap does not", two, handle(produce({ sequence: 3 })), "OUT_OF_ORDER_SEQUENCE_NUMBER"],
    ["what is there already is found", two, handle(produce({ sequence: 1 })), 1],
    ["also without a guard", two, verified(produce(), false), 0],
    ["also when its transaction has ended", [data(), control("ABORT")], verified(produce(), false), 0],
    ["but not after a marker with a new epoch", ended, verified(produce({ epoch: 4 })), "INVALID_PRODUCER_EPOCH"],
    ["a new epoch begins with 0", ended, verified(produce()), "Append"],
    ["and not where the old one ended", ended, verified(produce({ sequence: 1 })), "OUT_OF_ORDER_SEQUENCE_NUMBER"],
    ["the next epoch too", ended, verified(produce({ epoch: 6, sequence: 1 })), "OUT_OF_ORDER_SEQUENCE_NUMBER"],
    ["under version 1 the sequence goes on", [data(), control("COMMIT")], verified(produce({ sequence: 1 })), "Append"],
    ["without its guard it is in no transaction", [], verified(produce(), false), "INVALID_TXN_STATE"],
    ["which it needs not to join an open one", [data()], verified(produce({ sequence: 1 }), false), "Append"],
    [
      "an old epoch is refused before that",
      ended,
      verified(produce({ epoch: 4, sequence: 1 }), false),
      "INVALID_PRODUCER_EPOCH"
    ],
    ["offsets have no sequence", [], verified(offsets()), "Append"],
    ["but a generation", [], verified(offsets({ generation: 2 })), "ILLEGAL_GENERATION"],
    ["and an epoch", [control("ABORT", { epoch: 6 })], verified(offsets()), "INVALID_PRODUCER_EPOCH"],
    ["and a guard", [], verified(offsets(), false), "INVALID_TXN_STATE"],
    ["and are never found", [data({ sequence: -1 })], handle(offsets()), "Append"]
  ]
  for (const [what, log, judged, expected] of table) {
    it(what, () => {
      const found = TransactionalPartition.validate(context(), partition(log), judged)

      const told = found._tag === "Refuse" ? found.error : found._tag === "Duplicate" ? found.offset : found._tag
      assert.strictEqual(told, expected)
    })
  }

  it("looks at the guard first where the rule says so", () => {
    const old = context({ rules: { AsksEpochFirst: () => false } })
    const judge = (guard: boolean) =>
      TransactionalPartition.validate(old, partition(ended), verified(produce({ epoch: 4, sequence: 1 }), guard))

    assert.deepStrictEqual(judge(false), { _tag: "Refuse", error: "INVALID_TXN_STATE" })
    assert.deepStrictEqual(judge(true), { _tag: "Refuse", error: "INVALID_PRODUCER_EPOCH" })
  })

  it("asks the rule whether an unknown producer id may begin, with the version that was verified first", () => {
    const kafka = context({ rules: { IsFirstSequence: (sequence, version) => version === 1 || sequence === 0 } })
    const judge = (first: Transaction.Version, version: Transaction.Version) => {
      const [verifying] = served(kafka, partition(), handle(produce({ sequence: 5, version: first })))
      return TransactionalPartition.validate(kafka, verifying, verified(produce({ sequence: 5, version })))._tag
    }

    assert.strictEqual(judge(1, 1), "Append")
    assert.strictEqual(judge(2, 2), "Refuse")
    assert.strictEqual(judge(1, 2), "Append")
    assert.strictEqual(judge(2, 1), "Refuse")
  })

  it("lets a higher sequence wait for the one that is being verified", () => {
    const [verifying] = served(context(), partition(), handle(produce({ sequence: 0 })))

    assert.deepStrictEqual(
      TransactionalPartition.validate(context(), verifying, verified(produce({ sequence: 1 }))),
      { _tag: "Refuse", error: "OUT_OF_ORDER_SEQUENCE_NUMBER" }
    )
  })
})

describe("the first batch of a transaction", () => {
  const verification = (before: TransactionalPartition.Partition, ...sent: ReadonlyArray<Partial<typeof only>>) =>
    served(context(), before, ...sent.map((over) => handle(produce(over))))[0].verification.get(7)
  const only = produce()

  it("is verified", () => {
    const [verifying, outputs] = served(context(), partition(), handle(produce()))

    assert.deepStrictEqual(outputs, [{ _tag: "Verify" }])
    assert.deepStrictEqual(verifying, partition([], { verification: verifying.verification }))
    assert.deepStrictEqual(verifying.verification.get(7), { epoch: 5, lowestSequence: 0, version: 2 })
    assert.isTrue(TransactionalPartition.isGuarded(verifying, 7))
    assert.isFalse(TransactionalPartition.isGuarded(verifying, 8))
  })

  it("is not when its transaction is open, with its epoch", () => {
    const open = partition([data()])

    assert.notDeepInclude(served(context(), open, handle(produce({ sequence: 1 })))[1], { _tag: "Verify" })
    assert.deepInclude(served(context(), open, handle(produce({ epoch: 6 })))[1], { _tag: "Verify" })
    assert.deepInclude(served(context(), open, handle(produce({ producerId: 8 })))[1], { _tag: "Verify" })
  })

  it("is not where version 1 does without verification", () => {
    const off = context({ verification: false })
    const verifies = (version: Transaction.Version): boolean =>
      served(off, partition(), handle(produce({ version })))[1].some(({ _tag }) => _tag === "Verify")

    assert.isFalse(verifies(1))
    assert.isTrue(verifies(2))
  })

  it("is refused first when its epoch is old", () => {
    const later = partition([control("ABORT", { epoch: 6 })])
    const patient = context({ rules: { IsStaleOnArrival: () => false } })

    assert.deepStrictEqual(served(context(), later, handle(produce())), [later, [answered("INVALID_PRODUCER_EPOCH")]])
    assert.deepStrictEqual(served(patient, later, handle(produce()))[1], [{ _tag: "Verify" }])
  })

  it("lowers the sequence that others wait for, and an epoch replaces it", () => {
    assert.strictEqual(verification(partition(), { sequence: 2 }, { sequence: 1 })?.lowestSequence, 1)
    assert.strictEqual(verification(partition(), { sequence: 1 }, { sequence: 2 })?.lowestSequence, 1)
    assert.deepStrictEqual(verification(partition(), { sequence: 0 }, { epoch: 6, sequence: 3 }), {
      epoch: 6,
      lowestSequence: 3,
      version: 2
    })
  })

  it("of an older epoch leaves the verification of the newer one alone", () => {
    assert.deepStrictEqual(
      verification(partition(), { epoch: 6, sequence: 3 }, { epoch: 5, sequence: 0, version: 1 }),
      {
        epoch: 6,
        lowestSequence: 3,
        version: 2
      }
    )
  })

  it("keeps the version with which its verification began", () => {
    assert.strictEqual(verification(partition(), { version: 1 }, { epoch: 6, version: 2 })?.version, 1)
  })
})

describe("an append", () => {
  it("opens the transaction, and is answered when the follower has it", () => {
    const [appended, outputs] = served(context(), partition(), verified(produce()))
    const [replicated, told] = served(context(), appended, { _tag: "Replicate" })

    assert.deepStrictEqual(appended.log, [data()])
    assert.deepStrictEqual(appended.producers.get(7), {
      epoch: 5,
      coordinatorEpoch: -1,
      batches: [{ sequence: 0, last: 0, offset: 0 }],
      firstOffset: 0
    })
    assert.deepStrictEqual(outputs, [{ _tag: "Wait", offset: 0 }])
    assert.strictEqual(replicated.highWatermark, 1)
    assert.deepStrictEqual(told, [{ _tag: "Replicated", highWatermark: 1 }])
    assert.isUndefined(TransactionalPartition.step(context(), replicated, { _tag: "Replicate" }))
  })

  it("of a second batch stays in it", () => {
    const [appended] = served(context(), partition([data()]), handle(produce({ sequence: 1 })))

    assert.strictEqual(appended.producers.get(7)?.firstOffset, 0)
  })

  it("of a batch that is there already is none", () => {
    const written = partition([data()])
    const waiting = partition([data()], { highWatermark: 0 })

    assert.deepStrictEqual(served(context(), written, handle(produce())), [written, [answered("NONE", 0)]])
    assert.deepStrictEqual(served(context(), waiting, handle(produce())), [waiting, [{ _tag: "Wait", offset: 0 }]])
  })

  it("remembers as many batches as the window has", () => {
    const small = context({ limits: { dedupWindow: 2 } })
    const [appended] = served(
      small,
      partition(),
      verified(produce()),
      handle(produce({ sequence: 1 })),
      handle(produce({ sequence: 2 }))
    )

    assert.deepStrictEqual(appended.producers.get(7)?.batches.map(({ sequence }) => sequence), [1, 2])
  })

  it("of offsets remembers no batch, and keeps those of its epoch", () => {
    const [appended] = served(context(), partition([data()]), handle(offsets()))

    assert.deepStrictEqual(appended.producers.get(7)?.batches, [{ sequence: 0, last: 0, offset: 0 }])
    const [later] = served(
      context(),
      partition([data(), control("COMMIT", { epoch: 6 })]),
      verified(offsets({ epoch: 7 }))
    )
    assert.deepStrictEqual(later.producers.get(7), { epoch: 7, coordinatorEpoch: 0, batches: [], firstOffset: 2 })
  })

  it("ends the verification", () => {
    const [appended] = served(context(), partition(), handle(produce()), verified(produce()))

    assert.isFalse(TransactionalPartition.isGuarded(appended, 7))
  })

  it("that is refused changes nothing", () => {
    const before = partition([data()])

    assert.deepStrictEqual(served(context(), before, handle(produce({ sequence: 3 }))), [
      before,
      [answered("OUT_OF_ORDER_SEQUENCE_NUMBER")]
    ])
  })

  it("is for the leader", () => {
    const led = partition([], { leader: 2 })
    for (const input of [handle(produce()), verified(produce()), mark(marker())]) {
      assert.deepStrictEqual(served(context(), led, input), [led, [answered("NOT_LEADER_OR_FOLLOWER")]])
    }
  })
})

describe("a marker", () => {
  // Probes 56, 57, 60 and 62; the epoch of the leader is 5, that of the coordinator 3.
  const known = { coordinatorEpoch: 3 }
  const open = partition([control("COMMIT", { epoch: 5, ...known }), data()])
  const closed = partition([control("COMMIT", { epoch: 5, ...known })])
  const table: ReadonlyArray<
    readonly [what: string, TransactionalPartition.Partition, over: Parameters<typeof marker>[0], Errors.Error]
  > = [
    ["ends the transaction under version 2", open, { epoch: 6, coordinatorEpoch: 3 }, "NONE"],
    ["does not with the epoch of the data", open, { epoch: 5, coordinatorEpoch: 3 }, "INVALID_PRODUCER_EPOCH"],
    ["does under version 1", open, { epoch: 5, coordinatorEpoch: 3, version: 1 }, "NONE"],
    ["may come again", closed, { epoch: 5, coordinatorEpoch: 3 }, "NONE"],
    ["even with the other result (W13)", closed, { epoch: 5, coordinatorEpoch: 3, result: "ABORT" }, "NONE"],
    ["is refused with an old epoch", closed, { epoch: 4, coordinatorEpoch: 3 }, "INVALID_PRODUCER_EPOCH"],
    ["is refused from an old coordinator", open, { epoch: 6, coordinatorEpoch: 2 }, "TRANSACTION_COORDINATOR_FENCED"],
    ["is refused for its own epoch first", open, { epoch: 4, coordinatorEpoch: 2 }, "INVALID_PRODUCER_EPOCH"],
    ["of an unknown producer id is taken", open, { producerId: 8, epoch: 0 }, "NONE"]
  ]
  for (const [what, before, over, error] of table) {
    it(what, () => {
      assert.strictEqual(TransactionalPartition.validateMarker(context(), before, marker(over)), error)

      const [after] = served(context(), before, mark(marker(over)))
      assert.strictEqual(after.log.length, before.log.length + (error === "NONE" ? 1 : 0))
    })
  }

  it("ends the transaction, empties the window with a new epoch, and leaves its coordinator's epoch", () => {
    const [ended, outputs] = served(context(), open, mark(marker({ epoch: 6, coordinatorEpoch: 4, result: "ABORT" })))

    assert.deepStrictEqual(ended.log.at(-1), control("ABORT", { offset: 2, epoch: 6, coordinatorEpoch: 4 }))
    assert.deepStrictEqual(ended.producers.get(7), { epoch: 6, coordinatorEpoch: 4, batches: [], firstOffset: -1 })
    assert.deepStrictEqual(outputs, [{ _tag: "Wait", offset: 2 }])
  })

  it("keeps the window with the same epoch", () => {
    const [ended] = served(context(), partition([data()]), mark(marker({ version: 1 })))

    assert.deepStrictEqual(ended.producers.get(7)?.batches, [{ sequence: 0, last: 0, offset: 0 }])
  })

  it("ends the verification of a batch that comes too late", () => {
    const [ended] = served(context(), partition(), handle(produce()), mark(marker({ epoch: 6 })))

    assert.isFalse(TransactionalPartition.isGuarded(ended, 7))
  })

  it("leaves the verification of the next transaction alone under version 2", () => {
    const guarded = (version: Transaction.Version): boolean => {
      const next = produce({ epoch: 6, version })
      const [ended] = served(context(), partition(), handle(next), mark(marker({ epoch: 6, version })))
      return TransactionalPartition.isGuarded(ended, 7)
    }

    assert.isTrue(guarded(2))
    assert.isFalse(guarded(1))
  })

  it("of another leaves all verifications alone", () => {
    const [ended] = served(context(), partition(), handle(produce()), mark(marker({ producerId: 8 })))

    assert.isTrue(TransactionalPartition.isGuarded(ended, 7))
  })
})

describe("the next leader", () => {
  it("has what was replicated, and what follows from it", () => {
    const before = partition([data(), control("COMMIT"), data({ epoch: 6, transaction: second })], { highWatermark: 2 })

    const [after] = served(context(), before, { _tag: "LeaderChange" })

    assert.deepStrictEqual(after, { ...partition([data(), control("COMMIT")]), leader: 2 })
  })

  it("knows nothing of verifications", () => {
    const [after] = served(context(), partition(), handle(produce()), { _tag: "LeaderChange" })

    assert.strictEqual(after.verification.size, 0)
  })

  it("is the other broker again", () => {
    assert.strictEqual(served(context(), partition([], { leader: 2 }), { _tag: "LeaderChange" })[0].leader, 1)
  })
})

// kafka-rules §2.4.
describe("what a leader answers when the coordinator has refused", () => {
  const table: ReadonlyArray<
    readonly [refusal: Errors.Error, produce11: Errors.Error, produce12: Errors.Error, offsets: Errors.Error]
  > = [
    ["PRODUCER_FENCED", "INVALID_PRODUCER_EPOCH", "INVALID_PRODUCER_EPOCH", "INVALID_PRODUCER_EPOCH"],
    ["TRANSACTION_ABORTABLE", "TRANSACTION_ABORTABLE", "TRANSACTION_ABORTABLE", "TRANSACTION_ABORTABLE"],
    ["CONCURRENT_TRANSACTIONS", "NOT_ENOUGH_REPLICAS", "CONCURRENT_TRANSACTIONS", "CONCURRENT_TRANSACTIONS"],
    ["COORDINATOR_NOT_AVAILABLE", "NOT_ENOUGH_REPLICAS", "NOT_ENOUGH_REPLICAS", "COORDINATOR_NOT_AVAILABLE"],
    ["NOT_COORDINATOR", "NOT_ENOUGH_REPLICAS", "NOT_ENOUGH_REPLICAS", "NOT_COORDINATOR"],
    [
      "INVALID_PRODUCER_ID_MAPPING",
      "INVALID_PRODUCER_ID_MAPPING",
      "INVALID_PRODUCER_ID_MAPPING",
      "INVALID_PRODUCER_ID_MAPPING"
    ]
  ]
  for (const [refusal, produce11, produce12, committed] of table) {
    it(refusal, () => {
      assert.strictEqual(TransactionalPartition.verificationError("A", 1, refusal), produce11)
      assert.strictEqual(TransactionalPartition.verificationError("A", 2, refusal), produce12)
      for (const version of [1, 2] as const) {
        assert.strictEqual(
          TransactionalPartition.verificationError(Transaction.groupPartition, version, refusal),
          committed
        )
      }
    })
  }
})

describe("readers", () => {
  const other = { producerId: 8 }

  it("the fate of a record is that of the next marker of its producer", () => {
    const log = [
      data(),
      data(other),
      control("ABORT"),
      data(),
      control("COMMIT", other),
      control("COMMIT"),
      data(other),
      control("ABORT")
    ]

    assert.deepStrictEqual(TransactionalPartition.fates(log), [
      "ABORT",
      "COMMIT",
      undefined,
      "COMMIT",
      undefined,
      undefined,
      "OPEN",
      undefined
    ])
  })

  // Probe 64: x open at 1, y committed behind it.
  it("nothing is read behind an open transaction, and everything when it has ended", () => {
    const log = [data(other), control("COMMIT", other), data(), data(other), control("COMMIT", other)]

    assert.deepStrictEqual(TransactionalPartition.readCommitted(context(), partition(log)), [0])
    assert.deepStrictEqual(TransactionalPartition.readCommitted(context(), partition([...log, control("COMMIT")])), [
      0,
      2,
      3
    ])
    assert.deepStrictEqual(TransactionalPartition.readCommitted(context(), partition([...log, control("ABORT")])), [
      0,
      3
    ])
  })

  it("open records are read where the rule lets them", () => {
    const all = context({ rules: { LastStableOffset: ({ highWatermark }) => highWatermark } })

    assert.deepStrictEqual(TransactionalPartition.readCommitted(all, partition([data()])), [0])
  })

  const commit = (input: number, over: Partial<TransactionalPartition.Entry> = {}): TransactionalPartition.Entry =>
    data({ sequence: -1, input, ...over })

  // Probes 69, 70 and 71.
  const table: ReadonlyArray<
    readonly [what: string, log: Parameters<typeof partition>[0], highWatermark: number, offset: number | undefined]
  > = [
    ["no commit", [], 0, 0],
    ["a pending one", [commit(0)], 1, undefined],
    ["one that is committed", [commit(0), control("COMMIT")], 2, 1],
    ["one whose marker is not replicated", [commit(0), control("COMMIT")], 1, undefined],
    ["one that is aborted", [commit(0), control("COMMIT"), commit(1), control("ABORT")], 4, 1],
    ["a later one that is lower", [commit(4), control("COMMIT"), commit(1), control("COMMIT")], 4, 2],
    [
      "two at once, the earlier of which ends later",
      [commit(4), commit(1, other), control("COMMIT", other), control("COMMIT")],
      4,
      2
    ]
  ]
  for (const [what, log, highWatermark, offset] of table) {
    it(`the group's offset with ${what}: ${offset ?? "unstable"}`, () => {
      assert.deepStrictEqual(
        TransactionalPartition.fetchOffset(context(), partition(log, { highWatermark })),
        offset === undefined ? { error: "UNSTABLE_OFFSET_COMMIT" } : { error: "NONE", offset }
      )
    })
  }

  it("the group's offset is the last stable one where the rule lets it", () => {
    const hasty = context({ rules: { IsUnstable: () => false } })
    const pending = partition([commit(0), control("COMMIT"), commit(1)])

    assert.deepStrictEqual(TransactionalPartition.fetchOffset(hasty, pending), { error: "NONE", offset: 1 })
  })
})

it("a transaction's records and markers carry its name", () => {
  const [after] = served(
    context(),
    partition(),
    verified(produce({ transaction: second })),
    mark(marker({ epoch: 6, transaction: first }))
  )

  assert.deepStrictEqual(after.log.map(({ transaction }) => transaction), [second, first])
})

describe("batches of several records", () => {
  const three = produce({ records: 3 })
  const [written] = served(context(), partition(), verified(three), { _tag: "Replicate" })

  it("take as many offsets and sequences", () => {
    const [after, outputs] = served(context(), written, handle(produce({ sequence: 3, records: 2 })))

    assert.strictEqual(written.highWatermark, 3)
    assert.deepStrictEqual(outputs, [{ _tag: "Wait", offset: 3 }])
    assert.strictEqual(TransactionalPartition.logEndOffset(after.log), 5)
    assert.deepStrictEqual(after.producers.get(7)?.batches, [
      { sequence: 0, last: 2, offset: 0 },
      { sequence: 3, last: 4, offset: 3 }
    ])
  })

  it("are found again as a whole only", () => {
    assert.deepStrictEqual(served(context(), written, handle(three)), [written, [answered("NONE", 0)]])
    assert.deepStrictEqual(served(context(), written, handle(produce({ records: 2 }))), [
      written,
      [answered("OUT_OF_ORDER_SEQUENCE_NUMBER")]
    ])
  })

  it("are read or held back as a whole", () => {
    const [ended] = served(context(), written, mark(marker({ epoch: 6 })), { _tag: "Replicate" })

    assert.deepStrictEqual(TransactionalPartition.readCommitted(context(), written), [])
    assert.deepStrictEqual(TransactionalPartition.readCommitted(context(), ended), [0, 1, 2])
  })

  it("that are not replicated are lost as a whole", () => {
    const [ahead] = served(context(), written, handle(produce({ sequence: 3, records: 2 })))
    const [next] = served(context(), ahead, { _tag: "LeaderChange" })

    assert.deepStrictEqual(next.log, written.log)
    assert.deepStrictEqual(next.producers, written.producers)
  })
})

describe("batches outside of transactions", () => {
  const idempotent = (over: Partial<TransactionalProducer.Produce> = {}) =>
    produce({ isTransactional: false, version: 1, ...over })
  const nobody = idempotent({ producerId: -1, epoch: -1, sequence: -1 })

  it("need no verification, and open nothing", () => {
    const [after, outputs] = served(context(), partition(), handle(idempotent()))

    assert.deepStrictEqual(outputs, [{ _tag: "Wait", offset: 0 }])
    assert.strictEqual(TransactionalPartition.firstUnstableOffset(after), undefined)
    assert.strictEqual(after.producers.get(7)?.batches.length, 1)
  })

  it("are deduplicated and numbered all the same", () => {
    const [after] = served(context(), partition(), handle(idempotent()), { _tag: "Replicate" })

    assert.deepStrictEqual(served(context(), after, handle(idempotent())), [after, [answered("NONE", 0)]])
    assert.deepStrictEqual(served(context(), after, handle(idempotent({ sequence: 2 }))), [
      after,
      [answered("OUT_OF_ORDER_SEQUENCE_NUMBER")]
    ])
  })

  it("are refused where the producer id has an open transaction", () => {
    const open = partition([data()])

    assert.deepStrictEqual(served(context(), open, handle(idempotent({ sequence: 1 }))), [
      open,
      [answered("INVALID_TXN_STATE")]
    ])
  })

  it("without a producer id are appended, and leave no trace of one", () => {
    const [after] = served(context(), partition(), handle(nobody), handle(nobody))

    assert.strictEqual(after.log.length, 2)
    assert.strictEqual(after.producers.size, 0)
  })
})

it("entries in front that are decided may be dropped", () => {
  const whole = partition([data(), control("COMMIT", { epoch: 6 }), data({ epoch: 6 })])
  const short = { ...whole, log: whole.log.slice(2) }

  const [after, outputs] = served(context(), short, handle(produce({ epoch: 6, sequence: 1 })))
  assert.deepStrictEqual(outputs, [{ _tag: "Wait", offset: 3 }])
  assert.strictEqual(TransactionalPartition.firstUnstableOffset(after), 2)
})

describe("the first unstable offset, where a marker is not replicated yet", () => {
  const other = { producerId: 8 }
  const first = (log: Parameters<typeof partition>[0], highWatermark: number): number | undefined =>
    TransactionalPartition.firstUnstableOffset(partition(log, { highWatermark }))

  it("is where its transaction began, whatever others did since", () => {
    assert.strictEqual(first([data(other), data(), control("COMMIT", other), control("COMMIT")], 3), 1)
    assert.strictEqual(first([data(), control("COMMIT"), data(), data({ sequence: 1 }), control("COMMIT")], 4), 2)
  })

  it("is not where the producer wrote outside of the transaction", () => {
    assert.strictEqual(first([data({ isTransactional: false }), data({ sequence: 1 }), control("COMMIT")], 2), 1)
  })
})
