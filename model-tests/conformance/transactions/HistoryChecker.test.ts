import * as fc from "fast-check"
import { assert, describe, it } from "vitest"
import type * as History from "../../../src/conformance/transactions/History.ts"
import * as HistoryChecker from "../../../src/conformance/transactions/HistoryChecker.ts"
import type { Transactions } from "../../../src/runtime/index.ts"
import { generate } from "../../bench/transactionalHistoryChecker.ts"

type Property = HistoryChecker.Property
type Value = HistoryChecker.PropertyVerdict["value"]
type Values = Readonly<Record<Property, Value>>
type Events = ReadonlyArray<History.Event>

const initializing = (client: number): History.Event => ({ _tag: "Initializing", client })
const initialized = (client: number, transactionalId = 1): History.Event => (
  { _tag: "Initialized", client, transactionalId }
)

/** What one transaction is about; by default the first of client 1. */
const transaction = (number = 1, client = 1) => {
  const name = { client, number }
  return {
    began: (input = -1): History.Event => ({ _tag: "Began", transaction: name, input }),
    handedOver: (record: number, partition = "p"): History.Event => (
      { _tag: "HandedOver", transaction: name, partition, record }
    ),
    offset: (offset: number): History.Event => ({ _tag: "OffsetHandedOver", transaction: name, offset }),
    commitCalled: { _tag: "CommitCalled", transaction: name },
    abortCalled: { _tag: "AbortCalled", transaction: name },
    committed: { _tag: "Committed", transaction: name },
    aborted: { _tag: "Aborted", transaction: name },
    lost: { _tag: "Lost", transaction: name, reason: "crash" }
  } as const
}

const joined = (offset: number, client = 1, generation = 1): History.Event => (
  { _tag: "Joined", client, generation, offset }
)
const offsetCommitted = (offset: number, client = 1): History.Event => ({ _tag: "OffsetCommitted", client, offset })
const groupEnd = (offset: number): History.Event => ({ _tag: "GroupEnd", offset })

/** The consumers: two that read committed records, and two that read all. */
const read = (record: number, offset: number, partition = "p", consumer = 0): History.Event => (
  { _tag: "Read", consumer, isolation: consumer < 2 ? "read_committed" : "read_uncommitted", partition, offset, record }
)
const peek = (record: number, offset: number, partition = "p", consumer = 2) =>
  read(record, offset, partition, consumer)
const end = (offset: number, partition = "p", consumer = 0): History.Event => (
  { _tag: "End", consumer, isolation: consumer < 2 ? "read_committed" : "read_uncommitted", partition, offset }
)
const peekEnd = (offset: number, partition = "p", consumer = 2) => end(offset, partition, consumer)

const t = transaction()
const second = transaction(2)
/** Of another instance with the same id. */
const other = transaction(1, 2)

/** Transaction 1 with these records, and what becomes of it. */
const begun = (...records: ReadonlyArray<number>): Events => [
  initialized(1),
  t.began(),
  ...records.map((record) => t.handedOver(record))
]
const committed = (...records: ReadonlyArray<number>): Events => [...begun(...records), t.commitCalled, t.committed]
const aborted = (...records: ReadonlyArray<number>): Events => [...begun(...records), t.abortCalled, t.aborted]

/** Transaction 1 with a record on each of two partitions. */
const onTwo: Events = [...begun(1), t.handedOver(2, "q")]

/** Transaction 1 with an output of input 0, and the offset behind it. */
const worked: Events = [initialized(1), joined(0), t.began(0), t.handedOver(1), t.offset(1)]

const allHold: Values = {
  NoLostCommit: "holds",
  Atomicity: "holds",
  SingleOutcome: "holds",
  NoAbortedRead: "holds",
  NoUncommittedRead: "holds",
  NoDuplicate: "holds",
  InOrder: "holds",
  StableReads: "holds",
  OffsetsAgreeWithOutputs: "holds",
  ZombieFenced: "holds",
  NoHangingTransaction: "holds"
}
const all = (value: Value): Values =>
  Object.fromEntries(HistoryChecker.properties.map((property) => [property, value])) as Values

const judged = (events: Iterable<History.Event>): HistoryChecker.Judged => {
  const verdict = HistoryChecker.check(events)
  if (verdict._tag === "Malformed") return assert.fail(HistoryChecker.summarize(verdict))
  return verdict
}

const valuesOf = (verdict: HistoryChecker.Judged): Values =>
  Object.fromEntries(HistoryChecker.properties.map((property) => [property, verdict[property].value])) as Values

/** Everything is read to its end, by both isolations; the group says where it is if that is known. */
const atRest = (end1: number, end2?: number): Events => [
  peekEnd(end1),
  end(end1),
  ...(end2 === undefined ? [] : [peekEnd(end2, "q"), end(end2, "q")])
]

interface Row {
  readonly history: Events
  /** What is not held. */
  readonly expected?: Partial<Values>
  /** Index, records and offsets of the witness of the property under test, when it is violated. */
  readonly witness?: readonly [index: number, records: ReadonlyArray<number>, offsets: ReadonlyArray<number>]
}

const table = (property: Property, rows: Readonly<Record<string, Row>>): void => {
  for (const [name, { expected = {}, history, witness }] of Object.entries(rows)) {
    it(`${name}: ${expected[property] ?? "holds"}`, () => {
      const verdict = judged(history)

      assert.deepStrictEqual(valuesOf(verdict), { ...allHold, ...expected })
      const own = verdict[property]
      if (own.value === "violated") {
        const { offsets, partition, records, sentence, transactions } = own.witness
        assert.deepStrictEqual([own.index, records, offsets], witness)
        assert.match(sentence, /^[A-Z].*\.$/)
        if (partition !== undefined) assert.include(sentence, `partition ${partition}`)
        for (const { client, number } of transactions) {
          assert.include(sentence.toLowerCase(), `transaction ${number} of client ${client}`)
        }
        for (const one of [...records, ...offsets]) assert.match(sentence, new RegExp(`\\b${one}\\b`))
      } else {
        assert.isUndefined(witness)
      }
    })
  }
}

it("what the runtime observes is a history", () => {
  const observed: ReadonlyArray<Transactions.Events.Observation> = [
    { _tag: "Initialized", client: 1, transactionalId: 1 },
    { _tag: "Lost", transaction: { client: 1, number: 1 }, reason: "fatal error" }
  ]
  const history: Events = observed

  assert.strictEqual(HistoryChecker.check(history)._tag, "Malformed")
})

describe("a history without a record", () => {
  it("is undetermined", () => {
    assert.deepStrictEqual(valuesOf(judged([])), all("undetermined"))
    assert.deepStrictEqual(valuesOf(judged([initialized(1), t.began(), ...atRest(0)])), all("undetermined"))
  })
})

describe("a run that goes well", () => {
  table("NoLostCommit", {
    "one transaction": { history: [...committed(1), peek(1, 0), read(1, 0), ...atRest(2)] },
    "one transaction on two partitions": {
      history: [
        ...onTwo,
        t.commitCalled,
        t.committed,
        read(1, 0),
        read(2, 5, "q"),
        peek(1, 0),
        peek(2, 5, "q"),
        ...atRest(2, 7)
      ]
    },
    "a transaction that is aborted, and one that is committed": {
      history: [
        ...aborted(1),
        second.began(),
        second.handedOver(2),
        second.commitCalled,
        second.committed,
        peek(1, 0),
        peek(2, 2),
        read(2, 2),
        ...atRest(4)
      ]
    },
    "a read before the commit is reported": {
      history: [...begun(1), t.commitCalled, read(1, 0), t.committed, peek(1, 0), ...atRest(2)]
    },
    "two inputs, two outputs": {
      history: [
        ...worked,
        t.commitCalled,
        t.committed,
        second.began(1),
        second.handedOver(2),
        second.offset(2),
        second.commitCalled,
        second.committed,
        peek(1, 0),
        peek(2, 2),
        read(1, 0),
        read(2, 2),
        ...atRest(4),
        groupEnd(2)
      ]
    },
    "an instance that takes over": {
      history: [
        ...begun(1),
        initialized(2),
        t.commitCalled,
        t.lost,
        other.began(),
        other.handedOver(2),
        other.commitCalled,
        other.committed,
        peek(1, 0),
        peek(2, 2),
        read(2, 2),
        ...atRest(4)
      ]
    }
  })
})

describe("NoLostCommit", () => {
  const violated: Partial<Values> = { NoLostCommit: "violated" }
  table("NoLostCommit", {
    "a committed record that nobody reads": {
      history: [...committed(1), ...atRest(2)],
      expected: violated,
      witness: [5, [1], [2]]
    },
    "a committed record that only the consumer of all records reads": {
      history: [...committed(1), peek(1, 0), ...atRest(2)],
      expected: violated,
      witness: [7, [1], [2]]
    },
    "the only record of a partition": {
      history: [...onTwo, t.commitCalled, t.committed, peekEnd(0), peekEnd(0, "q"), end(0)],
      expected: { ...all("undetermined"), NoLostCommit: "violated" },
      witness: [6, [1], [0]]
    },
    "a committed record that the second consumer does not read": {
      history: [...committed(1), peek(1, 0), read(1, 0), ...atRest(2), end(2, "p", 1)],
      expected: { ...violated, Atomicity: "violated", StableReads: "violated" },
      witness: [9, [1], [2]]
    },
    "an aborted record that nobody reads": { history: [...aborted(1), peek(1, 0), ...atRest(2)] },
    "a record whose commit was not called": { history: [...begun(1), peek(1, 0), ...atRest(2)] },
    "a record whose commit did not return": { history: [...begun(1), t.commitCalled, peek(1, 0), ...atRest(2)] },
    "a record whose commit was lost in a crash": { history: [...begun(1), t.commitCalled, t.lost, ...atRest(2)] },
    "a record whose commit was lost in a crash, and is read": {
      history: [...begun(1), t.commitCalled, t.lost, peek(1, 0), read(1, 0), ...atRest(2)]
    },
    "a record of a producer that crashed before it called commit": { history: [...begun(1), t.lost, ...atRest(2)] },
    "a committed record not yet read": {
      history: [...committed(1)],
      expected: all("undetermined")
    },
    "a committed record read before the end": {
      history: [...committed(1), read(1, 0)],
      expected: { ...all("undetermined"), NoLostCommit: "holds" }
    },
    "a committed record that hangs behind another transaction": {
      history: [...committed(1), peek(1, 1), peekEnd(3), end(0)],
      expected: { NoHangingTransaction: "violated" }
    },
    "a committed record that hangs, as far as anybody tells": {
      history: [...committed(1), end(0)],
      expected: { NoLostCommit: "violated", NoHangingTransaction: "undetermined" },
      witness: [5, [1], [0]]
    },
    "the offset of a committed transaction": {
      history: [
        ...worked,
        t.commitCalled,
        t.committed,
        peek(1, 0),
        read(1, 0),
        joined(0, 2, 2),
        ...atRest(2),
        groupEnd(1)
      ],
      expected: violated,
      witness: [9, [], [1, 0]]
    },
    "the offset of a committed transaction, in the end": {
      history: [...worked, t.commitCalled, t.committed, peek(1, 0), read(1, 0), ...atRest(2), groupEnd(0)],
      expected: { ...violated, Atomicity: "violated" },
      witness: [11, [], [1, 0]]
    },
    "the offset of a committed transaction that nobody asked for since": {
      history: [...worked, t.commitCalled, t.committed, peek(1, 0), read(1, 0), ...atRest(2)],
      expected: { NoLostCommit: "undetermined", Atomicity: "undetermined", OffsetsAgreeWithOutputs: "undetermined" }
    },
    "the offset of a committed transaction, after which one with an older offset may have come": {
      history: [
        ...worked,
        t.offset(2),
        initialized(2, 2),
        other.began(),
        other.offset(1),
        other.commitCalled,
        t.commitCalled,
        t.committed,
        other.lost,
        peek(1, 0),
        read(1, 0),
        ...atRest(2),
        groupEnd(1)
      ]
    }
  })
})

describe("Atomicity", () => {
  const violated: Partial<Values> = { Atomicity: "violated" }
  const unknown: Events = [...onTwo, t.commitCalled, t.lost]
  table("Atomicity", {
    "one record read and one not, of a transaction with an unknown end": {
      history: [...unknown, peek(1, 0), peek(2, 0, "q"), read(1, 0), ...atRest(2, 2)],
      expected: { ...violated, SingleOutcome: "violated" },
      witness: [12, [2, 1], [0]]
    },
    "one record read after the end of the other's partition": {
      history: [...unknown, peek(1, 0), peekEnd(2), peekEnd(0, "q"), end(0, "q"), read(1, 0), end(2)],
      expected: violated,
      witness: [10, [2, 1], [0]]
    },
    "one record of two on the same partition": {
      history: [...begun(1, 2), t.commitCalled, t.lost, peek(1, 0), peek(2, 1), read(2, 1), ...atRest(3)],
      expected: { ...violated, SingleOutcome: "violated" },
      witness: [10, [1, 2], [1]]
    },
    "a record that the log does not have": {
      history: [...unknown, read(1, 0), peek(1, 0), peekEnd(0, "q"), peekEnd(2), end(2), end(0, "q")],
      expected: violated,
      witness: [8, [2, 1], [0]]
    },
    "a record that hangs behind another transaction": {
      history: [...unknown, peek(1, 0), peek(2, 4, "q"), read(1, 0), peekEnd(2), peekEnd(6, "q"), end(2), end(3, "q")],
      expected: { NoHangingTransaction: "violated" }
    },
    "no record of a transaction with an unknown end": {
      history: [...unknown, peek(1, 0), peek(2, 0, "q"), ...atRest(2, 2)]
    },
    "all records of a transaction with an unknown end": {
      history: [...unknown, peek(1, 0), peek(2, 0, "q"), read(1, 0), read(2, 0, "q"), ...atRest(2, 2)]
    },
    "one record read, and the other partition not to its end": {
      history: [...unknown, peek(1, 0), read(1, 0), ...atRest(2)],
      expected: { ...all("undetermined"), NoLostCommit: "holds" }
    },
    "a record without the group's offset": {
      history: [...worked, t.commitCalled, t.lost, peek(1, 0), read(1, 0), ...atRest(2), groupEnd(0)],
      expected: violated,
      witness: [11, [1], [1, 0]]
    },
    "a record without the group's offset, read after it was told": {
      history: [...worked, t.commitCalled, t.lost, groupEnd(0), peek(1, 0), peekEnd(2), read(1, 0), end(2)],
      expected: violated,
      witness: [10, [1], [1, 0]]
    },
    "a record with the group's offset": {
      history: [...worked, t.commitCalled, t.lost, peek(1, 0), read(1, 0), ...atRest(2), groupEnd(1)]
    },
    "a record without the group's offset, which another transaction with an unknown end may have taken back": {
      history: [
        ...worked,
        initialized(2, 2),
        other.began(),
        other.offset(0),
        other.commitCalled,
        other.lost,
        t.commitCalled,
        t.lost,
        peek(1, 0),
        read(1, 0),
        ...atRest(2),
        groupEnd(0)
      ]
    },
    "a record without the group's offset, which a transaction that was never to be committed cannot take back": {
      history: [
        ...worked,
        initialized(2, 2),
        other.began(),
        other.offset(0),
        other.lost,
        t.commitCalled,
        t.lost,
        peek(1, 0),
        read(1, 0),
        ...atRest(2),
        groupEnd(0)
      ],
      expected: violated,
      witness: [15, [1], [1, 0]]
    }
  })
})

describe("SingleOutcome", () => {
  const violated: Partial<Values> = { SingleOutcome: "violated", Atomicity: "violated" }
  const unknown: Events = [...onTwo, t.commitCalled, t.lost]
  table("SingleOutcome", {
    "a record that is in the log and not given, when another is": {
      history: [...unknown, peek(1, 0), peek(2, 3, "q"), read(1, 0), ...atRest(2, 5)],
      expected: violated,
      witness: [12, [2, 1], [3, 0]]
    },
    "a record that is in the log and not given, before another is": {
      history: [...unknown, peek(1, 0), peek(2, 3, "q"), peekEnd(2), peekEnd(5, "q"), end(5, "q"), read(1, 0), end(2)],
      expected: violated,
      witness: [11, [2, 1], [3, 0]]
    },
    "a record that is not in the log, when another is given": {
      history: [...unknown, peek(1, 0), read(1, 0), ...atRest(2, 5)],
      expected: { Atomicity: "violated" }
    },
    "a record of which the log has an aborted copy too": {
      history: [...begun(1), t.commitCalled, t.lost, peek(1, 0), peek(1, 3), read(1, 0), ...atRest(5)]
    },
    "records of a transaction of which none is given": {
      history: [...unknown, peek(1, 0), peek(2, 3, "q"), ...atRest(2, 5)]
    }
  })
})

describe("NoAbortedRead", () => {
  table("NoAbortedRead", {
    "a record of a transaction that was reported as aborted": {
      history: [...begun(1), t.commitCalled, t.aborted, peek(1, 0), read(1, 0), ...atRest(2)],
      expected: { NoAbortedRead: "violated" },
      witness: [6, [1], [0]]
    },
    "a record of a transaction that is reported as aborted afterwards": {
      history: [...begun(1), t.commitCalled, peek(1, 0), read(1, 0), t.aborted, ...atRest(2)],
      expected: { NoAbortedRead: "violated" },
      witness: [6, [1], [0]]
    },
    "a record of a transaction that the application aborts": {
      history: [...aborted(1), peek(1, 0), read(1, 0), ...atRest(2)],
      expected: { NoAbortedRead: "violated", NoUncommittedRead: "violated" },
      witness: [6, [1], [0]]
    },
    "an aborted record that only the consumer of all records reads": {
      history: [...aborted(1), peek(1, 0), ...atRest(2)]
    },
    "a record of a transaction whose abort was lost in a crash": {
      history: [...begun(1), t.abortCalled, t.lost, peek(1, 0), ...atRest(2)]
    }
  })
})

describe("NoUncommittedRead", () => {
  const violated: Partial<Values> = { NoUncommittedRead: "violated" }
  table("NoUncommittedRead", {
    "a record before commit is called": {
      history: [...begun(1), peek(1, 0), read(1, 0), t.commitCalled, t.committed, ...atRest(2)],
      expected: violated,
      witness: [4, [1], [0]]
    },
    "a record of a producer that crashed before it called commit": {
      history: [...begun(1), t.lost, peek(1, 0), read(1, 0), ...atRest(2)],
      expected: violated,
      witness: [5, [1], [0]]
    },
    "a record of a transaction whose abort was called": {
      history: [...begun(1), t.abortCalled, t.lost, peek(1, 0), read(1, 0), ...atRest(2)],
      expected: violated,
      witness: [6, [1], [0]]
    },
    "a record that was read when its transaction is aborted after all": {
      history: [...begun(1), t.commitCalled, peek(1, 0), read(1, 0), t.abortCalled, t.lost, ...atRest(2)],
      expected: violated,
      witness: [6, [1], [0]]
    },
    "a record that the consumer of all records reads before commit is called": {
      history: [...begun(1), peek(1, 0), t.commitCalled, t.committed, read(1, 0), ...atRest(2)]
    }
  })
})

describe("NoDuplicate", () => {
  const violated: Partial<Values> = { NoDuplicate: "violated" }
  const again: Events = [second.began(0), second.handedOver(2), second.offset(1), second.commitCalled, second.committed]
  table("NoDuplicate", {
    "one record at two offsets": {
      history: [...committed(1), peek(1, 0), peek(1, 1), read(1, 0), read(1, 1), ...atRest(3)],
      expected: violated,
      witness: [8, [1], [0, 1]]
    },
    "one record at two offsets, by two consumers": {
      history: [...committed(1), read(1, 0), read(1, 1, "p", 1), ...atRest(3)],
      expected: { ...violated, NoLostCommit: "violated", Atomicity: "violated", StableReads: "violated" },
      witness: [6, [1], [0, 1]]
    },
    "one record at two offsets of which only one is given to read_committed consumers": {
      history: [...committed(1), peek(1, 0), peek(1, 3), read(1, 0), ...atRest(5)]
    },
    "two outputs of one input": {
      history: [
        ...worked,
        t.commitCalled,
        t.committed,
        ...again,
        peek(1, 0),
        peek(2, 2),
        read(1, 0),
        read(2, 2),
        ...atRest(4),
        groupEnd(1)
      ],
      expected: violated,
      witness: [15, [2, 1], [2, 0]]
    },
    "two outputs of one input on two partitions, both with an unknown end": {
      history: [
        ...worked,
        t.commitCalled,
        t.lost,
        second.began(0),
        second.handedOver(2, "q"),
        second.commitCalled,
        second.lost,
        peek(1, 0),
        peek(2, 0, "q"),
        read(1, 0),
        read(2, 0, "q"),
        ...atRest(2, 2),
        groupEnd(1)
      ],
      expected: violated,
      witness: [14, [2, 1], [0, 0]]
    },
    "two outputs of one input of which one is aborted": {
      history: [
        ...worked,
        t.abortCalled,
        t.aborted,
        ...again,
        peek(1, 0),
        peek(2, 2),
        read(2, 2),
        ...atRest(4),
        groupEnd(1)
      ]
    },
    "two outputs of one input in one transaction": {
      history: [
        ...worked,
        t.handedOver(2, "q"),
        t.commitCalled,
        t.committed,
        peek(1, 0),
        peek(2, 0, "q"),
        read(1, 0),
        read(2, 0, "q"),
        ...atRest(2, 2),
        groupEnd(1)
      ]
    },
    "two transactions without an input": {
      history: [
        ...committed(1),
        second.began(),
        second.handedOver(2),
        second.commitCalled,
        second.committed,
        peek(1, 0),
        peek(2, 2),
        read(1, 0),
        read(2, 2),
        ...atRest(4)
      ]
    }
  })
})

describe("InOrder", () => {
  const violated: Partial<Values> = { InOrder: "violated" }
  const following: Events = [second.began(), second.handedOver(2), second.commitCalled, second.committed]
  table("InOrder", {
    "two records of one transaction the other way round": {
      history: [...committed(1, 2), peek(2, 0), peek(1, 1), read(2, 0), read(1, 1), ...atRest(3)],
      expected: violated,
      witness: [9, [1, 2], [1]]
    },
    "two transactions of one client the other way round": {
      history: [...committed(1), ...following, peek(2, 0), peek(1, 2), read(2, 0), read(1, 2), ...atRest(4)],
      expected: violated,
      witness: [12, [1, 2], [2]]
    },
    "two records the other way round, of which one is aborted": {
      history: [...aborted(1), ...following, peek(2, 0), peek(1, 1), read(2, 0), ...atRest(4)]
    },
    "records of two clients the other way round": {
      history: [
        ...begun(1),
        initialized(2, 2),
        other.began(),
        other.handedOver(2),
        other.commitCalled,
        other.committed,
        t.commitCalled,
        t.committed,
        peek(2, 0),
        peek(1, 1),
        read(2, 0),
        read(1, 1),
        ...atRest(4)
      ]
    },
    "each partition for itself": {
      history: [
        ...onTwo,
        t.commitCalled,
        t.committed,
        read(2, 0, "q"),
        read(1, 0),
        peek(2, 0, "q"),
        peek(1, 0),
        ...atRest(2, 2)
      ]
    }
  })
})

describe("StableReads", () => {
  const violated: Partial<Values> = { StableReads: "violated" }
  /** Both are read by whoever reads them; nobody was told that they must be. */
  const two: Events = [...begun(1, 2), t.commitCalled]
  table("StableReads", {
    "a consumer that passes over what another of its isolation read": {
      history: [...two, peek(1, 0), peek(2, 1), peek(2, 1, "p", 3), ...atRest(3)],
      expected: violated,
      witness: [7, [1], [0]]
    },
    "a consumer that reads what another of its isolation passed over": {
      history: [...two, peek(2, 1), peek(1, 0, "p", 3), ...atRest(3)],
      expected: violated,
      witness: [6, [1], [0]]
    },
    "two records at one offset": {
      history: [...two, peek(1, 0), peek(2, 0, "p", 3), ...atRest(3)],
      expected: violated,
      witness: [6, [1, 2], [0]]
    },
    "a consumer that ends before what another has read": {
      history: [...two, peek(1, 0), peek(2, 1), peek(1, 0, "p", 3), end(3, "p", 3), peekEnd(3), end(3)],
      expected: violated,
      witness: [8, [2], [1]]
    },
    "a consumer that reads on after what another found at the end": {
      history: [...two, peekEnd(3), peek(1, 0, "p", 3), end(3)],
      expected: violated,
      witness: [6, [1], [0]]
    },
    "a read_committed consumer that reads what is not in the log": {
      history: [...begun(1), t.commitCalled, peekEnd(3), read(1, 0), end(3)],
      expected: { ...violated, Atomicity: "violated" },
      witness: [5, [1], [0]]
    },
    "a read_committed consumer that reads what is not in the log, as is seen later": {
      history: [...committed(1), second.began(), second.handedOver(2), read(1, 0), peek(2, 1), ...atRest(3)],
      expected: { ...violated, NoLostCommit: "violated", Atomicity: "violated" },
      witness: [8, [1], [0]]
    },
    "a read_committed consumer that reads what is not in the log, as is seen at its end": {
      history: [...committed(1), read(1, 0), ...atRest(3)],
      expected: { ...violated, NoLostCommit: "violated", Atomicity: "violated" },
      witness: [6, [1], [0]]
    },
    "a read_committed consumer that reads another record than the log has": {
      history: [...two, peek(1, 0), peek(2, 1), read(2, 0), read(1, 1), ...atRest(3)],
      expected: { ...violated, InOrder: "violated" },
      witness: [7, [1, 2], [0]]
    },
    "a read_committed consumer that reads another record than the log has, as is seen later": {
      history: [...two, read(1, 0), peek(2, 0), ...atRest(3)],
      expected: { ...violated, Atomicity: "violated", SingleOutcome: "violated" },
      witness: [6, [1, 2], [0]]
    },
    "a read_committed consumer that passes over what is not committed": {
      history: [...two, t.aborted, peek(1, 0), peek(2, 1), ...atRest(3)]
    },
    "consumers of which one reads behind the other": {
      history: [
        ...two,
        t.committed,
        read(1, 0),
        peek(1, 0),
        read(1, 0, "p", 1),
        peek(2, 1),
        read(2, 1),
        read(2, 1, "p", 1),
        ...atRest(3)
      ]
    }
  })
})

describe("OffsetsAgreeWithOutputs", () => {
  const violated: Partial<Values> = { OffsetsAgreeWithOutputs: "violated" }
  table("OffsetsAgreeWithOutputs", {
    "an offset behind an input whose output is aborted": {
      history: [...worked, t.abortCalled, t.aborted, peek(1, 0), ...atRest(2), groupEnd(1)],
      expected: violated,
      witness: [10, [], [1]]
    },
    "an offset behind an input whose output is aborted, told before everything is read": {
      history: [...worked, t.abortCalled, t.lost, joined(1, 2, 2), groupEnd(1), peek(1, 0), ...atRest(2)],
      expected: violated,
      witness: [11, [], [1]]
    },
    "an offset behind an input whose output hangs": {
      history: [...worked, t.commitCalled, t.lost, peek(1, 4), peekEnd(6), end(2), groupEnd(1)],
      expected: { NoHangingTransaction: "violated" }
    },
    "an offset that nobody handed over": {
      history: [...worked, t.commitCalled, t.lost, joined(4, 2, 2), peek(1, 0), read(1, 0), ...atRest(2), groupEnd(4)],
      expected: violated,
      witness: [7, [], [4]]
    },
    "an offset that the group had before": {
      history: [
        initialized(1),
        joined(7),
        t.began(7),
        t.handedOver(1),
        t.abortCalled,
        t.aborted,
        ...atRest(2),
        groupEnd(7)
      ]
    },
    "an offset that was committed outside of transactions, behind an output that was": {
      history: [
        initialized(1),
        joined(0),
        t.began(0),
        t.handedOver(1),
        t.commitCalled,
        t.committed,
        offsetCommitted(1),
        peek(1, 0),
        read(1, 0),
        ...atRest(2),
        groupEnd(1)
      ]
    },
    "an offset that was committed outside of transactions, behind an output that was not": {
      history: [
        initialized(1),
        joined(0),
        t.began(0),
        t.handedOver(1),
        t.commitCalled,
        t.lost,
        offsetCommitted(1),
        peek(1, 0),
        ...atRest(2),
        groupEnd(1)
      ],
      expected: violated,
      witness: [10, [], [1]]
    },
    "an offset behind an input of which nothing was made": {
      history: [
        initialized(1),
        joined(0),
        t.began(0),
        t.offset(1),
        t.commitCalled,
        t.committed,
        second.began(1),
        second.handedOver(2),
        second.abortCalled,
        second.aborted,
        ...atRest(2),
        groupEnd(1)
      ]
    },
    "an offset behind an input whose first output is aborted, and the second is not": {
      history: [
        ...worked,
        t.abortCalled,
        t.aborted,
        second.began(0),
        second.handedOver(2),
        second.offset(1),
        second.commitCalled,
        second.committed,
        peek(1, 0),
        peek(2, 2),
        read(2, 2),
        ...atRest(4),
        groupEnd(1)
      ]
    },
    "an offset before an input whose output has an unknown end": {
      history: [...worked, t.commitCalled, t.lost, peek(1, 0), ...atRest(2), groupEnd(0)]
    },
    "an offset that is not told in the end": {
      history: [...worked, t.abortCalled, t.aborted, ...atRest(2)],
      expected: { Atomicity: "undetermined", OffsetsAgreeWithOutputs: "undetermined" }
    }
  })
})

describe("ZombieFenced", () => {
  const violated: Partial<Values> = { ZombieFenced: "violated" }
  /** Client 2 takes over while client 1 has transaction 1 open. */
  const takenOver: Events = [...begun(1), initialized(2)]
  const successor: Events = [other.began(), other.handedOver(2), other.commitCalled, other.committed]
  table("ZombieFenced", {
    "a record handed over by a fenced instance is read": {
      history: [...takenOver, t.handedOver(3), t.commitCalled, t.lost, peek(3, 0), ...atRest(2)],
      expected: violated,
      witness: [7, [3], [0]]
    },
    "a record of a fenced instance stands behind one of its successor": {
      history: [...takenOver, ...successor, t.lost, peek(2, 0), peek(1, 2), read(2, 0), ...atRest(4)],
      expected: violated,
      witness: [10, [1, 2], [2]]
    },
    "a commit that a fenced instance called is reported": {
      history: [...takenOver, t.commitCalled, t.committed, peek(1, 0), read(1, 0), ...atRest(2)],
      expected: violated,
      witness: [5, [], []]
    },
    "a commit called before it was fenced is reported": {
      history: [...begun(1), t.commitCalled, initialized(2), t.committed, peek(1, 0), read(1, 0), ...atRest(2)]
    },
    "a commit of nothing by a fenced instance is reported": {
      history: [
        initialized(1),
        t.began(),
        initialized(2),
        t.commitCalled,
        t.committed,
        ...successor,
        peek(2, 0),
        read(2, 0),
        ...atRest(2)
      ]
    },
    "a record of a fenced instance stands before those of its successor": {
      history: [...takenOver, ...successor, t.lost, peek(1, 0), peek(2, 2), read(2, 2), ...atRest(4)]
    },
    "a record that nobody reads": { history: [...takenOver, t.handedOver(3), t.lost, ...atRest(0)] },
    "a record of an instance with another transactional id": {
      history: [
        ...begun(1),
        initialized(2, 2),
        t.handedOver(3),
        t.commitCalled,
        t.committed,
        peek(1, 0),
        peek(3, 1),
        read(1, 0),
        read(3, 1),
        ...atRest(3)
      ]
    },
    "a record of an instance whose call overlapped with the other's": {
      history: [
        initializing(1),
        initializing(2),
        initialized(1),
        t.began(),
        initialized(2),
        t.handedOver(1),
        t.commitCalled,
        t.committed,
        peek(1, 0),
        read(1, 0),
        ...atRest(2)
      ]
    },
    "a record of an instance that was initialised before the other called again": {
      history: [
        initializing(2),
        initialized(1),
        initializing(2),
        t.began(),
        initialized(2),
        t.handedOver(1),
        t.commitCalled,
        t.committed,
        peek(1, 0),
        read(1, 0),
        ...atRest(2)
      ],
      expected: violated,
      witness: [7, [], []]
    },
    "a record of an instance that was initialised before the other called": {
      history: [
        initializing(1),
        initialized(1),
        initializing(2),
        t.began(),
        initialized(2),
        t.handedOver(1),
        t.commitCalled,
        t.committed,
        peek(1, 0),
        read(1, 0),
        ...atRest(2)
      ],
      expected: violated,
      witness: [7, [], []]
    },
    "a record of a client that took over again": {
      history: [
        ...takenOver,
        ...successor,
        t.lost,
        initialized(1),
        second.began(),
        second.handedOver(3),
        second.commitCalled,
        second.committed,
        peek(2, 0),
        peek(3, 2),
        read(2, 0),
        read(3, 2),
        ...atRest(4)
      ]
    },
    "a record of a client from before the other's turn, after it took over again": {
      history: [
        ...takenOver,
        ...successor,
        t.lost,
        initialized(1),
        second.began(),
        second.handedOver(3),
        second.commitCalled,
        second.committed,
        peek(2, 0),
        peek(3, 2),
        peek(1, 4),
        read(2, 0),
        read(3, 2),
        ...atRest(6)
      ],
      expected: violated,
      witness: [16, [1, 2], [4]]
    },
    "a record of a client from before it started again": {
      history: [
        ...begun(1),
        t.lost,
        initialized(1),
        second.began(),
        second.handedOver(3),
        second.commitCalled,
        second.committed,
        peek(3, 0),
        peek(1, 2),
        read(3, 0),
        ...atRest(4)
      ]
    }
  })
})

describe("NoHangingTransaction", () => {
  table("NoHangingTransaction", {
    "read_committed consumers that wait before the end of the log": {
      history: [...begun(1), t.lost, peek(1, 0), peekEnd(1), end(0)],
      expected: { NoHangingTransaction: "violated" },
      witness: [6, [], [0, 1]]
    },
    "a log whose end nobody looks for": {
      history: [...begun(1), t.lost, end(0)],
      expected: { NoHangingTransaction: "undetermined" }
    }
  })
})

describe("a malformed history", () => {
  const rows: Readonly<Record<string, readonly [RegExp, ...Events]>> = {
    "begun after the group's end": [/Began after an End or GroupEnd/, initialized(1), groupEnd(0), t.began()],
    "begun before initialised": [/before it is initialised/, t.began()],
    "begun before the call has returned": [/before it is initialised/, initializing(1), t.began()],
    "begun while another is open": [/is open/, ...begun(1), second.began()],
    "begun again": [/after transaction 1/, ...committed(1), t.began()],
    "initialised while a transaction is open": [/is open/, ...begun(1), initialized(1)],
    "initialised under another id": [/after 1/, initialized(1), initialized(1, 2)],
    "handed over outside of a transaction": [/not the client's latest/, initialized(1), t.handedOver(1)],
    "handed over in another transaction": [/not the client's latest/, ...begun(1), second.handedOver(2)],
    "handed over by another client": [/not the client's latest/, ...begun(1), other.handedOver(2)],
    "handed over after the end": [/has ended/, ...committed(1), t.handedOver(2)],
    "handed over after commit was called": [/was called/, ...begun(1), t.commitCalled, t.handedOver(2)],
    "handed over twice": [/handed over twice/, ...begun(1), t.handedOver(1)],
    "an offset handed over after commit was called": [/was called/, ...begun(1), t.commitCalled, t.offset(2)],
    "an offset handed over outside of a transaction": [/not the client's latest/, initialized(1), t.offset(2)],
    "commit called twice": [/commit is called after/, ...begun(1), t.commitCalled, t.commitCalled],
    "commit called after abort": [/commit is called after/, ...begun(1), t.abortCalled, t.commitCalled],
    "abort called twice": [/abort is called twice/, ...begun(1), t.abortCalled, t.abortCalled],
    "commit called without a transaction": [/not the client's latest/, initialized(1), t.commitCalled],
    "committed without a call": [/nobody asked for/, ...begun(1), t.committed],
    "committed after abort was called": [/nobody asked for/, ...begun(1), t.commitCalled, t.abortCalled, t.committed],
    "aborted without a call": [/nobody asked for/, ...begun(1), t.aborted],
    "two reports": [/has ended/, ...committed(1), t.lost],
    "read but never handed over": [/never handed over/, ...committed(1), read(2, 0)],
    "read from another partition": [/never handed over/, ...onTwo, read(1, 0, "q")],
    "read from a partition nobody knows": [/never handed over/, ...committed(1), read(1, 0, "z")],
    "an offset going backwards": [/after offset 1/, ...committed(1, 2), read(1, 1), read(2, 0)],
    "an offset read twice by one consumer": [/after offset 1/, ...committed(1, 2), read(1, 1), read(2, 1)],
    "one consumer with two isolations": [
      /two isolations/,
      ...committed(1),
      read(1, 0),
      { ...read(1, 1), isolation: "read_uncommitted" } as History.Event
    ],
    "one consumer with two isolations on two partitions": [
      /two isolations/,
      ...onTwo,
      read(1, 0),
      { ...read(2, 0, "q"), isolation: "read_uncommitted" } as History.Event
    ],
    "one consumer that ends with another isolation": [
      /two isolations/,
      ...committed(1),
      read(1, 0),
      { ...end(1), isolation: "read_uncommitted" } as History.Event
    ],
    "a read after the consumer's End": [/after its End/, ...committed(1), end(1), read(1, 0)],
    "a read above the End": [/End is at/, ...committed(1), end(1), read(1, 1, "p", 1)],
    "a committed read above the high watermark": [/End is at/, ...committed(1), peekEnd(1), read(1, 1)],
    "an End below what was read": [/was read/, ...committed(1), read(1, 1, "p", 1), end(1)],
    "two Ends of one consumer": [/twice/, ...committed(1), end(1), end(1)],
    "Ends at two offsets": [/ends at offset/, ...committed(1), end(1), end(2, "p", 1)],
    "a last stable offset above the high watermark": [/above its high watermark/, ...committed(1), peekEnd(1), end(2)],
    "the high watermark after the last stable offset": [
      /after read_committed ones/,
      ...committed(1),
      end(1),
      peekEnd(1)
    ],
    "anything of a transaction after an End": [/CommitCalled after an End/, ...begun(1), end(1), t.commitCalled],
    "joined after an End": [/Joined after an End/, ...begun(1), end(1), joined(0)],
    "initialised after an End": [/Initialized after an End/, ...begun(1), end(1), initialized(2)],
    "joined after the group's end": [/after an End or GroupEnd/, initialized(1), groupEnd(0), joined(0)],
    "two ends of the group": [/ends twice/, initialized(1), groupEnd(0), groupEnd(0)],
    "a negative client": [/no client/, initialized(-1)],
    "a negative client that calls": [/no client/, initializing(-1)],
    "a negative client that joins": [/no client/, joined(0, -1)],
    "a fractional transactional id": [/no transactional id/, initialized(1, 0.5)],
    "a negative transaction": [/no number of a transaction/, initialized(1), transaction(-1).began()],
    "a negative input": [/no input/, initialized(1), t.began(-2)],
    "a negative record": [/no record/, ...begun(-1)],
    "a negative generation": [/no generation/, joined(0, 1, -1)],
    "a negative group offset": [/no offset/, joined(-1)],
    "a negative group offset in the end": [/no offset/, groupEnd(-1)],
    "a negative group offset handed over": [/no offset/, ...begun(1), t.offset(-1)],
    "a negative group offset committed": [/no offset/, offsetCommitted(-1)],
    "a group offset committed by a negative client": [/no client/, offsetCommitted(0, -1)],
    "a negative consumer": [/no consumer/, ...committed(1), read(1, 0, "p", -1)],
    "a negative consumer at the End": [/no consumer/, ...committed(1), end(1, "p", -1)],
    "a negative offset": [/no offset/, ...committed(1), read(1, -1)],
    "a negative End": [/no offset/, ...committed(1), end(-1)],
    "an event of no known kind": [/no event/, ...begun(1), { _tag: "Crash" } as unknown as History.Event]
  }
  for (const [name, [sentence, ...events]] of Object.entries(rows)) {
    it(`is refused: ${name}`, () => {
      const verdict = HistoryChecker.check([...events, initialized(9, 9)])

      if (verdict._tag === "Judged") return assert.fail(HistoryChecker.summarize(verdict))
      assert.strictEqual(verdict.index, events.length - 1)
      assert.match(verdict.sentence, sentence)
    })
  }
})

describe("the checker", () => {
  it("gives a verdict after every event, and a violation stays", () => {
    const checker = HistoryChecker.make()
    const seen = [...begun(1), read(1, 0), t.commitCalled, t.committed, peekEnd(2), end(2)].map((event) => {
      checker.observe(event)
      const verdict = checker.verdict()
      return verdict._tag === "Judged" ? valuesOf(verdict).NoUncommittedRead : "malformed"
    })

    assert.deepStrictEqual(seen, [
      "undetermined",
      "undetermined",
      "undetermined",
      "violated",
      "violated",
      "violated",
      "violated",
      "violated"
    ])
  })

  it("keeps the first witness of every property", () => {
    const verdict = judged([
      ...begun(1, 2, 3),
      read(1, 0),
      read(1, 1),
      read(3, 2),
      read(2, 3),
      read(1, 4),
      initialized(2),
      t.handedOver(4),
      t.handedOver(5, "q"),
      t.commitCalled,
      read(4, 5),
      read(5, 0, "q"),
      t.aborted
    ])

    const witnesses = HistoryChecker.properties.flatMap((property) => {
      const own = verdict[property]
      return own.value === "violated" ? [[property, own.index, own.witness.records, own.witness.offsets]] : []
    })
    assert.deepStrictEqual(witnesses, [
      ["NoAbortedRead", 16, [1], [0]],
      ["NoUncommittedRead", 5, [1], [0]],
      ["NoDuplicate", 6, [1], [0, 1]],
      ["InOrder", 8, [2, 3], [3]],
      ["ZombieFenced", 14, [4], [5]]
    ])
  })

  it("explains a violation in a sentence", () => {
    const verdict = judged([...onTwo, t.commitCalled, t.lost, read(1, 3), end(0, "q")])

    assert.deepStrictEqual(verdict.Atomicity, {
      value: "violated",
      index: 7,
      witness: {
        transactions: [{ client: 1, number: 1 }],
        records: [2, 1],
        partition: "q",
        offsets: [3],
        sentence: "Record 2 of transaction 1 of client 1 is not read, although everything of partition q is, "
          + "but record 1 of the same transaction is, at offset 3 of partition p."
      }
    })
  })

  it("takes records whose numbers are far apart", () => {
    const far = Number.MAX_SAFE_INTEGER

    const verdict = judged([...committed(far, 1_500, 3), read(far, 0), read(3, 1), read(1_500, 2), end(3)])

    assert.strictEqual(verdict.NoLostCommit.value, "holds")
    assert.deepStrictEqual(verdict.InOrder.value === "violated" && verdict.InOrder.witness.records, [1_500, 3])
  })

  it("summarizes a verdict in one line per property", () => {
    const text = HistoryChecker.summarize(HistoryChecker.check([...begun(1), read(1, 0)]))

    assert.deepStrictEqual(text.split("\n"), [
      "NoLostCommit: holds",
      "Atomicity: undetermined. No read_committed consumer reached the End of partition p.",
      "SingleOutcome: undetermined. No read_committed consumer reached the End of partition p.",
      "NoAbortedRead: undetermined. No read_committed consumer reached the End of partition p.",
      "NoUncommittedRead: violated at event 3. Record 1 of transaction 1 of client 1 was read at offset 0 of partition p, "
      + "but its application had not called commit.",
      "NoDuplicate: undetermined. No read_committed consumer reached the End of partition p.",
      "InOrder: undetermined. No read_committed consumer reached the End of partition p.",
      "StableReads: undetermined. No read_committed consumer reached the End of partition p.",
      "OffsetsAgreeWithOutputs: undetermined. No read_committed consumer reached the End of partition p.",
      "ZombieFenced: undetermined. No read_committed consumer reached the End of partition p.",
      "NoHangingTransaction: undetermined. No read_committed consumer reached the End of partition p."
    ])
  })

  it("summarizes a malformed history in one line", () => {
    assert.strictEqual(
      HistoryChecker.summarize(HistoryChecker.check([t.began()])),
      "malformed at event 0: client 1 begins a transaction before it is initialised"
    )
  })
})

describe("the generated run of the benchmark", () => {
  it("holds in everything, at any size and seed", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 2_000 }), fc.integer(), (operations, seed) => {
        assert.deepStrictEqual(valuesOf(judged(generate(operations, seed))), allHold)
      }),
      { numRuns: 50 }
    )
  })

  it("has every kind of event and depends on the seed alone", () => {
    const run = [...generate(5_000, 1)]

    assert.deepStrictEqual([...new Set(run.map((event) => event._tag))].toSorted(), [
      "AbortCalled",
      "Aborted",
      "Began",
      "CommitCalled",
      "Committed",
      "End",
      "GroupEnd",
      "HandedOver",
      "Initialized",
      "Initializing",
      "Joined",
      "Lost",
      "OffsetHandedOver",
      "Read"
    ])
    assert.deepStrictEqual(
      [...new Set(run.flatMap((event) => event._tag === "Lost" ? [event.reason] : []))].toSorted(),
      ["crash", "fatal error", "timeout"]
    )
    assert.strictEqual(run.filter((event) => event._tag === "HandedOver").length, 5_000)
    assert.deepStrictEqual([...generate(5_000, 1)], run)
    assert.notDeepEqual([...generate(5_000, 2)], run)
  })
})

type Of<Tag extends History.Event["_tag"]> = Extract<History.Event, { readonly _tag: Tag }>

/** The properties once more, straight from their definitions, in any order of cost. */
const valuesByDefinition = (events: Events): Values => {
  const of = <Tag extends History.Event["_tag"]>(...tags: ReadonlyArray<Tag>) =>
    events.flatMap((event, index) => tags.includes(event._tag as Tag) ? [{ event: event as Of<Tag>, index }] : [])
  const key = ({ client, number }: History.Name) => `${client}.${number}`
  const about = (name: string) =>
    of("Began", "OffsetHandedOver", "CommitCalled", "AbortCalled", "Committed", "Aborted", "Lost")
      .filter(({ event }) => key(event.transaction) === name)

  const handings = of("HandedOver").map(({ event, index }) => ({ ...event, index, name: key(event.transaction) }))
  const handing = (record: number) => handings.find((one) => one.record === record)!
  const order = (record: number) => handings.indexOf(handing(record))
  const reads = of("Read").map(({ event, index }) => ({ ...event, index, name: handing(event.record).name }))
  const committedReads = reads.filter(({ isolation }) => isolation === "read_committed")
  const ends = of("End").map(({ event, index }) => ({ ...event, index }))
  const names = of("Began").map(({ event }) => key(event.transaction))
  const inputOf = (name: string) => of("Began").find(({ event }) => key(event.transaction) === name)!.event.input
  const indexOf = (name: string, ...tags: ReadonlyArray<string>) =>
    about(name).find(({ event }) => tags.includes(event._tag))?.index
  const intentAt = (name: string, index: number) =>
    about(name).findLast((one) => one.index <= index && one.event._tag.endsWith("Called"))?.event._tag
  const visible = (name: string, before = Infinity) =>
    committedReads.some((one) => one.name === name && one.index < before)

  // Reads that must not be.
  const uncommitted = committedReads.some(({ index, name }) =>
    events.some((_, at) => at >= index && intentAt(name, at) !== "CommitCalled")
  )
  const aborted = committedReads.some(({ name }) => indexOf(name, "Aborted") !== undefined)
  const duplicated = committedReads.some((one) =>
    committedReads.some((other) =>
      (other.record === one.record && other.offset !== one.offset)
      || (other.name !== one.name && inputOf(one.name) >= 0 && inputOf(other.name) === inputOf(one.name))
    )
  )
  const reordered = committedReads.some((one) =>
    committedReads.some((other) =>
      other.consumer === one.consumer && other.partition === one.partition && other.offset > one.offset
      && handing(other.record).transaction.client === handing(one.record).transaction.client
      && order(other.record) < order(one.record)
    )
  )

  // One log.
  const passes = (consumer: number, partition: string, offset: number) =>
    [...reads.filter((one) => one.offset > offset), ...ends].some((one) =>
      one.consumer === consumer && one.partition === partition
    ) && !reads.some((one) => one.consumer === consumer && one.partition === partition && one.offset === offset)
  const unstable = reads.some((one) =>
    reads.some((other) =>
      other.partition === one.partition && other.offset === one.offset && other.record !== one.record
    )
    || [...reads, ...ends].some((other) =>
      (other.isolation === one.isolation || other.isolation === "read_uncommitted")
      && passes(other.consumer, one.partition, one.offset)
    )
  )

  // What must be read.
  const missing = ends.flatMap((end) =>
    handings.filter(({ partition, record }) => {
      if (partition !== end.partition) return false
      const own = reads.filter((one) => one.record === record && one.index < end.index)
      const seen = own.find(({ isolation }) => isolation === "read_uncommitted")
      return !own.some(({ consumer }) => consumer === end.consumer) && (seen === undefined || seen.offset < end.offset)
    })
  )
  const split = ends.some((end) =>
    end.isolation === "read_committed" && handings.some(({ name, partition, record }) => {
      const first = committedReads.find((one) => one.name === name)?.index ?? Infinity
      const seen = reads.find((one) =>
        one.record === record && one.isolation === "read_uncommitted" && one.index < end.index
      )
      return partition === end.partition && seen !== undefined && seen.offset < end.offset && visible(name)
        && !committedReads.some((one) => one.record === record && one.index <= Math.max(first, end.index))
    })
  )
  const blocked = (name: string, index: number) =>
    ends.some((end) =>
      end.index <= index && handings.some((one) => {
        const seen = reads.find(({ index: at, isolation, record }) =>
          record === one.record && isolation === "read_uncommitted" && at < end.index
        )
        return one.name === name && one.partition === end.partition && seen !== undefined && seen.offset >= end.offset
          && !reads.some(({ consumer, record }) => record === one.record && consumer === end.consumer)
      })
    )

  // The group.
  const told = of("Joined", "GroupEnd").map(({ event, index }) => ({ offset: event.offset, index }))
  const groupEnd = of("GroupEnd")[0]
  const offsetAt = (name: string, index: number) =>
    about(name).findLast((one) => one.event._tag === "OffsetHandedOver" && one.index < index) as
      | { readonly event: Of<"OffsetHandedOver">; readonly index: number }
      | undefined
  const isTakenBack = (name: string, { index, offset }: (typeof told)[number]) =>
    names.some((other) => {
      if (offsetAt(other, index)?.event.offset !== offset) return false
      const ended = about(other).find((one) => /^(Committed|Aborted|Lost)$/.test(one.event._tag) && one.index < index)
      if (ended === undefined) return true
      if (ended.event._tag === "Committed") return ended.index > offsetAt(name, index)!.index
      return ended.event._tag === "Lost" && intentAt(other, ended.index) === "CommitCalled"
    })
    || of("OffsetCommitted").some((one) =>
      one.event.offset === offset && one.index > offsetAt(name, index)!.index && one.index < index
    )
  const withHighestOffset = (among: ReadonlyArray<string>, index: number) =>
    among.filter((name) => offsetAt(name, index) !== undefined)
      .reduce<string | undefined>(
        (best, name) =>
          best !== undefined && offsetAt(best, index)!.event.offset >= offsetAt(name, index)!.event.offset
            ? best
            : name,
        undefined
      )
  const isLost = (name: string | undefined, at: (typeof told)[number]) =>
    name !== undefined && offsetAt(name, at.index)!.event.offset > at.offset && !isTakenBack(name, at)
  const committedBefore = (index: number) =>
    of("Committed").filter((one) => one.index < index).map(({ event }) => key(event.transaction))
  const inTheEnd = groupEnd && { offset: groupEnd.event.offset, index: groupEnd.index }

  const lost = missing.some(({ name }) => indexOf(name, "Committed") !== undefined)
    || told.some((at) => isLost(withHighestOffset(committedBefore(at.index), at.index), at))
  const torn = missing.some(({ name }) => visible(name))
    || (inTheEnd !== undefined
      && names.some((name) => visible(name) && offsetAt(name, inTheEnd.index) !== undefined && isLost(name, inTheEnd)))

  const partitions = [...new Set([...handings, ...ends].map(({ partition }) => partition))]
  const hasEnd = (partition: string, isolation: History.Isolation) =>
    ends.some((one) => one.partition === partition && one.isolation === isolation)
  const written = [...new Set(handings.map(({ partition }) => partition))]
  const complete = groupEnd !== undefined && written.every((partition) => hasEnd(partition, "read_committed"))
  const completeAt = Math.max(
    groupEnd?.index ?? Infinity,
    ...written.map((partition) =>
      ends.find((one) => one.partition === partition && one.isolation === "read_committed")?.index ?? Infinity
    )
  )
  const highestTold = Math.max(-1, ...told.map(({ offset }) => offset))
  const disagreeing = told.some(({ index, offset }, at) => {
    const known = of("OffsetHandedOver", "OffsetCommitted").filter((one) => one.index < index).map(({ event }) =>
      event.offset
    )
    return known.length > 0 && offset > Math.max(...known, ...told.slice(0, at).map((one) => one.offset))
  }) || (complete && names.some((name) => {
    const same = names.filter((other) => inputOf(other) === inputOf(name))
    return inputOf(name) >= 0 && inputOf(name) < highestTold && handings.some((one) => same.includes(one.name))
      && !same.some((other) => visible(other, completeAt) || blocked(other, completeAt))
  }))

  // Instances.
  const instances = of("Initialized").map(({ event: { client, transactionalId }, index }) => {
    const before = of("Initialized").findLast((one) => one.event.client === client && one.index < index)?.index ?? -1
    const called = of("Initializing").findLast((one) =>
      one.event.client === client && one.index < index && one.index > before
    )
    return { client, transactionalId, called: called?.index ?? index, index }
  })
  const instanceOf = (name: string) => {
    const { event: { transaction }, index } = of("Began").find(({ event }) => key(event.transaction) === name)!
    return instances.findLast((one) => one.client === transaction.client && one.index < index)!
  }
  type Instance = (typeof instances)[number]
  const fences = (one: Instance, other: Instance) =>
    one.client !== other.client && one.transactionalId === other.transactionalId && one.called > other.index
  const isFencedAt = (name: string, index: number) =>
    instances.some((one) => one.index < index && fences(one, instanceOf(name)))
  const zombie = reads.some(({ record, name }) => isFencedAt(name, handing(record).index))
    || reads.some((one) =>
      reads.some((other) =>
        other.consumer === one.consumer && other.partition === one.partition && other.offset > one.offset
        && fences(instanceOf(one.name), instanceOf(other.name))
      )
    )
    || of("Committed").some(({ event }) => {
      const name = key(event.transaction)
      return handings.some((one) => one.name === name) && isFencedAt(name, indexOf(name, "CommitCalled")!)
    })

  const hanging = ends.some((one) =>
    ends.some((other) =>
      other.partition === one.partition && one.isolation === "read_committed" && other.isolation === "read_uncommitted"
      && one.offset < other.offset
    )
  )

  const nothing = handings.length === 0
  const open = nothing || written.some((partition) => !hasEnd(partition, "read_committed"))
  const unseen = open || written.some((partition) => !hasEnd(partition, "read_uncommitted"))
  const awaited = handings.some(({ name, partition, record }) =>
    !hasEnd(partition, "read_committed") && indexOf(name, "Committed") !== undefined
    && !committedReads.some((one) => one.record === record)
  )
  const lastCommitted = of("Committed").findLast(({ event, index }) =>
    offsetAt(key(event.transaction), index) !== undefined
  )
  const untold = lastCommitted !== undefined && !told.some(({ index }) => index > lastCommitted.index)
  const withoutGroup = groupEnd === undefined && of("OffsetHandedOver", "OffsetCommitted").length > 0
  const value = (violated: boolean, undetermined = open): Value =>
    violated ? "violated" : undetermined ? "undetermined" : "holds"
  assert.isAtLeast(partitions.length, written.length)
  return {
    NoLostCommit: value(lost, nothing || awaited || untold),
    Atomicity: value(torn, open || withoutGroup),
    SingleOutcome: value(split),
    NoAbortedRead: value(aborted),
    NoUncommittedRead: value(uncommitted),
    NoDuplicate: value(duplicated),
    InOrder: value(reordered),
    StableReads: value(unstable),
    OffsetsAgreeWithOutputs: value(disagreeing, open || withoutGroup),
    ZombieFenced: value(zombie),
    NoHangingTransaction: value(hanging, unseen)
  }
}

const idOf = (client: number) => client === 3 ? 2 : 1

/** Record 4 and those above live on the second partition. */
const partitionOf = (record: number) => record < 4 ? "p" : "q"

const anyTransaction = fc.tuple(fc.constantFrom(1, 1, 2), fc.constantFrom(1, 1, 2, 3)).map((_) => transaction(..._))
const anyRecord = fc.nat(5)
const anyOffset = fc.nat(5)
const anyConsumer = fc.constantFrom(0, 0, 0, 1, 2, 2, 3)

const anyClientEvent: fc.Arbitrary<History.Event> = fc.oneof(
  { weight: 1, arbitrary: fc.integer({ min: 1, max: 3 }).map(initializing) },
  { weight: 3, arbitrary: fc.integer({ min: 1, max: 3 }).map((client) => initialized(client, idOf(client))) },
  {
    weight: 6,
    arbitrary: fc.tuple(anyTransaction, fc.integer({ min: -1, max: 1 })).map(([one, input]) => one.began(input))
  },
  {
    weight: 9,
    arbitrary: fc.tuple(anyTransaction, anyRecord).map(([one, record]) => one.handedOver(record, partitionOf(record)))
  },
  { weight: 3, arbitrary: fc.tuple(anyTransaction, fc.nat(2)).map(([one, offset]) => one.offset(offset)) },
  { weight: 6, arbitrary: anyTransaction.map((one) => one.commitCalled) },
  { weight: 2, arbitrary: anyTransaction.map((one) => one.abortCalled) },
  { weight: 4, arbitrary: anyTransaction.map((one) => one.committed) },
  { weight: 2, arbitrary: anyTransaction.map((one) => one.aborted) },
  { weight: 2, arbitrary: anyTransaction.map((one) => one.lost) },
  { weight: 2, arbitrary: fc.nat(2).map((offset) => joined(offset)) },
  { weight: 1, arbitrary: fc.nat(2).map((offset) => offsetCommitted(offset)) },
  {
    weight: 9,
    arbitrary: fc.tuple(anyRecord, anyOffset, anyConsumer).map(([record, offset, consumer]) =>
      read(record, offset, partitionOf(record), consumer)
    )
  }
)

const anyReading: fc.Arbitrary<History.Event> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.tuple(anyRecord, anyOffset, anyConsumer).map(([record, offset, consumer]) =>
      read(record, offset, partitionOf(record), consumer)
    )
  },
  { weight: 3, arbitrary: fc.tuple(fc.constantFrom(4, 6), fc.constantFrom("p", "q"), fc.nat(3)).map((_) => end(..._)) },
  { weight: 1, arbitrary: fc.nat(2).map(groupEnd) }
)

/** Any well-formed history: candidate events, of which those that would be malformed are left out. */
const anyHistory: fc.Arbitrary<Events> = fc
  .tuple(
    fc.subarray([1, 2, 3], { minLength: 1 }),
    fc.array(anyClientEvent, { minLength: 10, maxLength: 80, size: "max" }),
    fc.array(anyReading, { minLength: 10, maxLength: 30, size: "max" }),
    fc.subarray([peekEnd(6), peekEnd(6, "q"), end(6), end(6, "q"), groupEnd(1)])
  )
  .map(([first, events, readings, ends]) => {
    const kept: Array<History.Event> = []
    for (
      const event of [...first.map((client) => initialized(client, idOf(client))), ...events, ...readings, ...ends]
    ) {
      if (HistoryChecker.check([...kept, event])._tag === "Judged") kept.push(event)
    }
    return kept
  })

describe("any history", () => {
  it("is judged as the definitions say", () => {
    const seen = new Map<string, number>()
    fc.assert(
      fc.property(anyHistory, (history) => {
        const values = valuesOf(judged(history))

        assert.deepStrictEqual(values, valuesByDefinition(history))
        for (const [property, value] of Object.entries(values)) {
          const what = `${property} ${value}`
          seen.set(what, (seen.get(what) ?? 0) + 1)
        }
      }),
      { numRuns: 1_000, seed: 20_261_125 }
    )
    for (const property of HistoryChecker.properties) {
      for (const value of ["holds", "violated", "undetermined"]) {
        assert.isAbove(seen.get(`${property} ${value}`) ?? 0, 3, `${property} ${value}`)
      }
    }
  })
})

describe("a violation", () => {
  for (const property of HistoryChecker.properties) {
    it(`of ${property} is shrunk to a few events`, () => {
      const holds = (history: Events): boolean => valuesOf(judged(history))[property] !== "violated"

      const found = fc.check(fc.property(anyHistory, holds), { seed: 7, numRuns: 1_000 })

      const history = found.counterexample?.[0] ?? assert.fail("nothing is found")
      assert.isFalse(holds(history))
      assert.isAtMost(history.length, 12)
    })
  }
})
