import { assert, describe, it } from "@effect/vitest"
import { TransactionRules } from "../../src/core/index.ts"
import { context, control, data, marker, metadata, ongoing, partition, produce, verified } from "./transactions.ts"

const { base } = TransactionRules

describe("the epoch of a transaction that the coordinator aborts by itself", () => {
  for (const rule of ["FenceEpoch", "TimeoutEpoch"] as const) {
    it(`${rule} is the next one, and is not raised twice`, () => {
      assert.strictEqual(base[rule](context(), ongoing({ epoch: 5 })), 6)
      assert.strictEqual(base[rule](context(), ongoing({ epoch: 6, failedEpochFence: true })), 6)
    })
  }

  it("is that of a fence for a timeout too, whatever rule that has", () => {
    const replaced = context({ rules: { FenceEpoch: () => 42 } })

    assert.strictEqual(base.TimeoutEpoch(replaced, ongoing()), 42)
  })

  it("ends the producer id under version 2, after its last epoch", () => {
    assert.isTrue(base.RotatesWhenFenced(context(), 32766))
    assert.isFalse(base.RotatesWhenFenced(context(), 32765))
    assert.isFalse(base.RotatesWhenFenced(context({ transactionVersion: 1 }), 32766))
  })
})

describe("the coordinator", () => {
  it("has a partition registered only while the transaction is open", () => {
    assert.isTrue(base.IsRegistered(ongoing({ partitions: ["A", "B"] }), "B"))
    assert.isFalse(base.IsRegistered(ongoing({ partitions: ["A"] }), "B"))
    assert.isFalse(base.IsRegistered(metadata({ state: "CompleteCommit", partitions: ["B"] }), "B"))
  })

  it("keeps nothing of a completed transaction, and completes it once", () => {
    assert.deepStrictEqual(base.PartitionsAfterCompletion(["A"]), [])
    assert.strictEqual(base.Completions(["A", "B"]), 1)
    assert.isTrue(base.MayComplete("PrepareAbort"))
    assert.isFalse(base.MayComplete("CompleteAbort"))
    assert.isFalse(base.MayComplete("Ongoing"))
  })

  it("gives up a transition that could not be written", () => {
    assert.strictEqual(base.PendingAfterFailedAppend("Ongoing"), "None")
  })

  it("has no last epoch and no failed fence in its log", () => {
    const known = ongoing({ lastEpoch: 4, failedEpochFence: true, previousProducerId: 3, nextProducerId: 9 })

    assert.deepStrictEqual(base.Persisted(known), { ...known, lastEpoch: -1, failedEpochFence: false })
    for (const partly of [ongoing({ lastEpoch: 4 }), ongoing({ lastEpoch: -1, failedEpochFence: true })]) {
      assert.deepStrictEqual(base.Persisted(partly), { ...partly, lastEpoch: -1, failedEpochFence: false })
    }
  })

  it("looks at a pending transition first", () => {
    assert.isTrue(base.AsksPendingFirst())
  })
})

describe("the leader", () => {
  it("lets a batch join the transaction with its epoch that is open, and no other", () => {
    const { producers } = partition([data()])

    assert.isTrue(base.JoinsOpenTransaction(producers, 7, 5))
    assert.isFalse(base.JoinsOpenTransaction(producers, 7, 6))
    assert.isFalse(base.JoinsOpenTransaction(producers, 8, 5))
    assert.isFalse(base.JoinsOpenTransaction(partition([data(), control("ABORT")]).producers, 7, 5))
  })

  it("looks at the epoch before it verifies, and before it looks at the guard", () => {
    assert.isTrue(base.IsStaleOnArrival(5, 4))
    assert.isFalse(base.IsStaleOnArrival(5, 5))
    assert.isTrue(base.AsksEpochFirst())
  })

  it("believes the guard that the batch was given", () => {
    assert.isTrue(base.HasGuard(partition(), verified(produce(), true)))
    assert.isFalse(base.HasGuard(partition(), verified(produce(), false)))
  })

  it("lets an unknown producer id begin with 0, whatever the version", () => {
    for (const version of [1, 2] as const) {
      assert.isTrue(base.IsFirstSequence(0, version))
      assert.isFalse(base.IsFirstSequence(5, version))
    }
  })

  // kafka-rules §4 and the probes 56, 60 and 61: what the leader knows is epoch 5.
  const markers: ReadonlyArray<readonly [version: 1 | 2, epoch: number, open: boolean, accepted: boolean]> = [
    [1, 4, true, false],
    [1, 4, false, false],
    [1, 5, true, true],
    [1, 5, false, true],
    [1, 6, true, true],
    [1, 8, false, true],
    [2, 4, true, false],
    [2, 4, false, false],
    [2, 5, true, false],
    [2, 5, false, true],
    [2, 6, true, true],
    [2, 8, false, true]
  ]
  for (const [version, epoch, open, accepted] of markers) {
    it(`${accepted ? "takes" : "refuses"} a marker of version ${version} with epoch ${epoch} ${open ? "on" : "without"} an open transaction`, () => {
      assert.strictEqual(base.AcceptsMarker(5, open, marker({ version, epoch })), accepted)
    })
  }
})

describe("LastStableOffset and IsUnstable", () => {
  const other = { producerId: 8 }
  const table: ReadonlyArray<
    readonly [
      what: string,
      log: Parameters<typeof partition>[0],
      highWatermark: number,
      lastStableOffset: number,
      unstable: boolean
    ]
  > = [
    ["an empty log", [], 0, 0, false],
    ["everything decided", [data(), control("COMMIT")], 2, 2, false],
    ["an open transaction", [control("COMMIT"), data()], 2, 1, true],
    ["one open transaction before one that is committed", [data(other), data(), control("COMMIT")], 3, 0, true],
    ["one open transaction behind one that is committed", [data(), control("COMMIT"), data(other)], 3, 2, true],
    ["two open ones", [data(), data(other)], 2, 0, true],
    ["an open transaction of two records", [data(), data()], 2, 0, true],
    ["a second transaction of the same producer", [data(), control("ABORT"), data()], 3, 2, true],
    ["a marker that is not replicated", [data(), control("COMMIT")], 1, 0, true],
    ["data that is not replicated", [control("COMMIT"), data()], 1, 1, true],
    ["a marker without a transaction", [control("ABORT")], 0, 0, false],
    ["the marker of another", [data(), control("COMMIT", other)], 2, 0, true],
    ["a replicated end before one that is not", [data(), control("ABORT"), data(), control("COMMIT")], 3, 2, true]
  ]
  for (const [what, log, highWatermark, lastStableOffset, unstable] of table) {
    it(`${what}: ${lastStableOffset}, ${unstable ? "unstable" : "stable"}`, () => {
      const read = partition(log, { highWatermark })

      assert.strictEqual(base.LastStableOffset(read), lastStableOffset)
      assert.strictEqual(base.IsUnstable(read), unstable)
    })
  }
})

describe("the client", () => {
  it("commits when every record is acknowledged, and there is one", () => {
    assert.isTrue(base.MayCommit(new Map([["A", "acked"], ["B", "acked"]])))
    assert.isFalse(base.MayCommit(new Map()))
    for (const batch of ["adding", "added", "inflight", "failed"] as const) {
      assert.isFalse(base.MayCommit(new Map([["A", "acked"], ["B", batch]])), batch)
    }
  })

  it("asks for a new epoch under version 1 only, when it wants one", () => {
    assert.isTrue(base.BumpsEpochAfterAbort(true, 1))
    assert.isFalse(base.BumpsEpochAfterAbort(false, 1))
    assert.isFalse(base.BumpsEpochAfterAbort(true, 2))
  })
})
