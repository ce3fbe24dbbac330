import * as fc from "fast-check"
import { assert, describe, it } from "vitest"
import type * as History from "../../src/conformance/History.ts"
import * as HistoryChecker from "../../src/conformance/HistoryChecker.ts"
import { generate } from "../bench/historyChecker.ts"

type Value = HistoryChecker.PropertyVerdict["value"]
type Values = Readonly<Record<HistoryChecker.Property, Value>>

const send = (record: number, session = 0, partition = "p"): History.Event => (
  { _tag: "Send", record, partition, session }
)
const acknowledged = (record: number, offset: number): History.Event => ({ _tag: "Acknowledged", record, offset })
const failed = (record: number): History.Event => ({ _tag: "Failed", record })
const unknown = (record: number): History.Event => ({ _tag: "Unknown", record })
const read = (record: number, offset: number, consumer = 0, partition = "p"): History.Event => (
  { _tag: "Read", consumer, partition, offset, record }
)
const end = (offset: number, consumer = 0, partition = "p"): History.Event => (
  { _tag: "End", consumer, partition, offset }
)

const allHold: Values = { NoLoss: "holds", NoDuplicate: "holds", NoGap: "holds", InOrder: "holds" }
const cutShort: Values = {
  NoLoss: "holds",
  NoDuplicate: "undetermined",
  NoGap: "undetermined",
  InOrder: "undetermined"
}
const nothingSent: Values = { ...cutShort, NoLoss: "undetermined" }

const judged = (events: Iterable<History.Event>): HistoryChecker.Judged => {
  const verdict = HistoryChecker.check(events)
  if (verdict._tag === "Malformed") return assert.fail(HistoryChecker.summarize(verdict))
  return verdict
}

const valuesOf = (verdict: HistoryChecker.Judged): Values => ({
  NoLoss: verdict.NoLoss.value,
  NoDuplicate: verdict.NoDuplicate.value,
  NoGap: verdict.NoGap.value,
  InOrder: verdict.InOrder.value
})

interface Row {
  readonly history: ReadonlyArray<History.Event>
  readonly expected: Values
  /** Index, records and offsets of the witness of the property under test, when it is violated. */
  readonly witness?: readonly [index: number, records: ReadonlyArray<number>, offsets: ReadonlyArray<number>]
}

const table = (property: HistoryChecker.Property, rows: Readonly<Record<string, Row>>): void => {
  for (const [name, { expected, history, witness }] of Object.entries(rows)) {
    it(`${name}: ${expected[property]}`, () => {
      const verdict = judged(history)

      assert.deepStrictEqual(valuesOf(verdict), expected)
      const own = verdict[property]
      if (own.value === "violated") {
        assert.deepStrictEqual([own.index, own.witness.records, own.witness.offsets], witness)
        assert.strictEqual(own.witness.partition, "p")
        assert.match(own.witness.sentence, /^[A-Z].* partition p\b.*\.$/)
      } else {
        assert.isUndefined(witness)
      }
    })
  }
}

describe("a history without a send", () => {
  it("is undetermined when empty", () => {
    assert.deepStrictEqual(valuesOf(judged([])), nothingSent)
  })

  it("is undetermined when consumers reach the End of empty partitions", () => {
    assert.deepStrictEqual(valuesOf(judged([end(0), end(0, 1), end(4, 0, "q")])), nothingSent)
  })
})

describe("NoLoss", () => {
  const violated: Values = { ...allHold, NoLoss: "violated" }
  table("NoLoss", {
    "acknowledged records read at their offsets": {
      history: [send(1), send(2), acknowledged(1, 0), read(1, 0), read(2, 1), acknowledged(2, 1), end(2)],
      expected: allHold
    },
    "a record acknowledged without an offset, read anywhere": {
      history: [send(1), acknowledged(1, -1), read(1, 7), end(9)],
      expected: allHold
    },
    "a record acknowledged without an offset after it was read": {
      history: [send(1), read(1, 7), acknowledged(1, -1), end(9)],
      expected: allHold
    },
    "an acknowledged record nobody reads": {
      history: [send(1), acknowledged(1, 0), end(1)],
      expected: violated,
      witness: [2, [1], [0]]
    },
    "a record acknowledged without an offset nobody reads": {
      history: [send(1), acknowledged(1, -1), end(1)],
      expected: violated,
      witness: [2, [1], []]
    },
    "a record acknowledged beyond the End": {
      history: [send(1), acknowledged(1, 5), end(1)],
      expected: violated,
      witness: [2, [1], [5]]
    },
    "a record read only before its acknowledged offset": {
      history: [send(1), acknowledged(1, 4), read(1, 3), end(5)],
      expected: violated,
      witness: [3, [1], [4, 3]]
    },
    "a record acknowledged at a free offset after it was read elsewhere": {
      history: [send(1), read(1, 3), acknowledged(1, 2), end(5)],
      expected: violated,
      witness: [3, [1], [2, 3]]
    },
    "another record read at the acknowledged offset": {
      history: [send(1), send(2), acknowledged(1, 0), read(2, 0)],
      expected: { ...cutShort, NoLoss: "violated" },
      witness: [3, [1, 2], [0]]
    },
    "a record acknowledged where another was read before": {
      history: [send(1), send(2), read(2, 0), acknowledged(1, 0)],
      expected: { ...cutShort, NoLoss: "violated" },
      witness: [3, [1, 2], [0]]
    },
    "two records acknowledged at one offset": {
      history: [send(1), send(2), acknowledged(1, 0), acknowledged(2, 0)],
      expected: { ...cutShort, NoLoss: "violated" },
      witness: [3, [2, 1], [0]]
    },
    "a record acknowledged twice at one offset, the second time after a resend": {
      history: [send(1), acknowledged(1, 0), send(1, 1), acknowledged(1, 0), read(1, 0), end(1)],
      expected: allHold
    },
    "a record acknowledged at two offsets and read at one": {
      history: [send(1), acknowledged(1, 0), send(1, 1), acknowledged(1, 1), read(1, 0), end(2)],
      expected: violated,
      witness: [5, [1], [1, 0]]
    },
    "an acknowledged record not yet read when the history is cut short": {
      history: [send(1), send(2), acknowledged(1, 0), acknowledged(2, 1), read(1, 0)],
      expected: nothingSent
    },
    "a record acknowledged without an offset not yet read when the history is cut short": {
      history: [send(1), acknowledged(1, -1)],
      expected: nothingSent
    },
    "an acknowledged record passed over when the history is cut short": {
      history: [send(1), send(2), acknowledged(1, 0), acknowledged(2, 1), read(2, 1)],
      expected: nothingSent
    },
    "a history cut short with every acknowledged record read": {
      history: [send(1), send(2), acknowledged(1, 0), read(1, 0)],
      expected: cutShort
    },
    "two consumers that agree, one of which stops early": {
      history: [send(1), send(2), acknowledged(1, 0), read(1, 0), read(2, 1), read(1, 0, 1), end(2)],
      expected: allHold
    },
    "a consumer that passes over what another has read": {
      history: [send(1), send(2), read(1, 0), read(2, 1), read(2, 1, 1)],
      expected: { ...cutShort, NoLoss: "violated" },
      witness: [4, [1], [0]]
    },
    "a consumer that reads what another has passed over": {
      history: [send(1), send(2), read(2, 1), read(1, 0, 1)],
      expected: { ...cutShort, NoLoss: "violated" },
      witness: [3, [1], [0]]
    },
    "two consumers that read different records at one offset": {
      history: [send(1), send(2), read(1, 0), read(2, 0, 1)],
      expected: { ...cutShort, NoLoss: "violated" },
      witness: [3, [1, 2], [0]]
    },
    "a consumer that ends before what another has read": {
      history: [send(1), read(1, 0), end(1, 1)],
      expected: violated,
      witness: [2, [1], [0]]
    },
    "a consumer that reads on after what another found at the End": {
      history: [send(1), end(1), read(1, 0, 1)],
      expected: violated,
      witness: [2, [1], [0]]
    },
    "no loss besides a duplicate that came first": {
      history: [send(1), read(1, 0), read(1, 1), send(2), read(2, 2), acknowledged(2, -1), end(3)],
      expected: { ...allHold, NoDuplicate: "violated" }
    }
  })
})

describe("NoDuplicate", () => {
  const violated: Values = { ...allHold, NoDuplicate: "violated" }
  table("NoDuplicate", {
    "one record read at two offsets": {
      history: [send(1), read(1, 0), read(1, 1), end(2)],
      expected: violated,
      witness: [2, [1], [0, 1]]
    },
    "a record sent in two sessions and read at two offsets": {
      history: [send(1), unknown(1), send(1, 1), acknowledged(1, 1), read(1, 0), read(1, 1), end(2)],
      expected: violated,
      witness: [5, [1], [0, 1]]
    },
    "one record read at two offsets by two consumers": {
      history: [send(1), read(1, 0), read(1, 1, 1), end(2)],
      expected: { ...violated, NoLoss: "violated" },
      witness: [2, [1], [0, 1]]
    },
    "a duplicate in a history cut short": {
      history: [send(1), read(1, 0), read(1, 1)],
      expected: { ...cutShort, NoDuplicate: "violated" },
      witness: [2, [1], [0, 1]]
    },
    "one offset read by two consumers": {
      history: [send(1), read(1, 0), read(1, 0, 1), end(1), end(1, 1)],
      expected: allHold
    },
    "another partition cut short": {
      history: [send(1), read(1, 0), end(1), send(2, 0, "q")],
      expected: cutShort
    },
    "another partition without sends": {
      history: [send(1), read(1, 0), end(1), end(0, 0, "q")],
      expected: allHold
    }
  })
})

describe("NoGap", () => {
  const violated: Values = { ...allHold, NoGap: "violated" }
  table("NoGap", {
    "an unreported record missing before one that is read": {
      history: [send(1), send(2), read(2, 0), end(1)],
      expected: violated,
      witness: [3, [1, 2], [0]]
    },
    "an unreported record missing before one that is acknowledged and lost": {
      history: [send(1), send(2), acknowledged(2, 0), end(1)],
      expected: { ...violated, NoLoss: "violated" },
      witness: [3, [1, 2], []]
    },
    "an acknowledged record missing before one that is read": {
      history: [send(1), send(2), acknowledged(1, -1), read(2, 0), end(1)],
      expected: { ...violated, NoLoss: "violated" },
      witness: [4, [1, 2], [0]]
    },
    "a missing record two sends back": {
      history: [send(1), send(2), send(3), unknown(2), read(3, 0), end(1)],
      expected: violated,
      witness: [5, [1, 3], [0]]
    },
    "missing records with nothing after them": {
      history: [send(1), send(2), read(1, 0), end(1)],
      expected: allHold
    },
    "a missing record that was reported failed": {
      history: [send(1), send(2), failed(1), read(2, 0), end(1)],
      expected: allHold
    },
    "a missing record that was reported unknown": {
      history: [send(1), send(2), unknown(1), read(2, 0), end(1)],
      expected: allHold
    },
    "a missing record in another session": {
      history: [send(1), send(2, 1), read(2, 0), end(1)],
      expected: allHold
    },
    "a missing record on another partition": {
      history: [send(1, 0, "q"), send(2), read(2, 0), end(1), end(0, 0, "q")],
      expected: allHold
    },
    "a late record that is read after its successor": {
      history: [send(1), send(2), read(2, 0), read(1, 1), end(2)],
      expected: { ...allHold, InOrder: "violated" }
    },
    "a missing record resent and reported in a later session": {
      history: [send(1), send(2), read(2, 0), send(1, 1), failed(1), end(1)],
      expected: allHold
    },
    "a resent record reported only in the earlier session": {
      history: [send(1), unknown(1), send(1, 1), send(2, 1), read(2, 0), end(1)],
      expected: violated,
      witness: [5, [1, 2], [0]]
    },
    "a read that a later session without a gap explains": {
      history: [send(1), send(2), send(2, 1), read(2, 0), end(1)],
      expected: allHold
    },
    "a read behind a gap in every session": {
      history: [send(1), send(2), send(3, 1), send(2, 1), read(2, 0), end(1)],
      expected: violated,
      witness: [5, [3, 2], [0]]
    },
    "a read behind a gap, whose send in the other session failed": {
      history: [send(2), failed(2), send(1, 1), send(2, 1), read(2, 0), end(1)],
      expected: violated,
      witness: [5, [1, 2], [0]]
    },
    "a read behind a gap, whose own send failed": {
      history: [send(1), send(2), failed(2), send(2, 1), read(2, 0), end(1)],
      expected: allHold
    },
    "a refused record read behind a gap": {
      history: [send(1), send(2), failed(2), read(2, 0), end(1)],
      expected: violated,
      witness: [4, [1, 2], [0]]
    },
    "an acknowledgement behind a gap, although another session explains the read": {
      history: [send(1), send(2), acknowledged(2, 0), send(2, 1), read(2, 0), end(1)],
      expected: violated,
      witness: [5, [1, 2], [0]]
    },
    "a gap seen by the second consumer only": {
      history: [send(1), send(2), read(1, 0), read(2, 1), end(2), read(2, 1, 1), end(2, 1)],
      expected: { ...violated, NoLoss: "violated" },
      witness: [6, [1, 2], [1]]
    },
    "a gap when the history is cut short": {
      history: [send(1), send(2), read(2, 0)],
      expected: cutShort
    }
  })
})

describe("InOrder", () => {
  const violated: Values = { ...allHold, InOrder: "violated" }
  table("InOrder", {
    "two records read against their send order": {
      history: [send(2), send(1), read(1, 0), read(2, 1), end(2)],
      expected: violated,
      witness: [3, [2, 1], [1, 0]]
    },
    "x y x": {
      history: [send(1), send(2), read(1, 0), read(2, 1), read(1, 2), end(3)],
      expected: { ...violated, NoDuplicate: "violated" },
      witness: [4, [1, 2], [2, 1]]
    },
    "x x y": {
      history: [send(1), send(2), read(1, 0), read(1, 1), read(2, 2), end(3)],
      expected: { ...allHold, NoDuplicate: "violated" }
    },
    "records of two sessions read against their send order": {
      history: [send(1), send(2, 1), read(2, 0), read(1, 1), end(2)],
      expected: violated,
      witness: [3, [1, 2], [1, 0]]
    },
    "a resent record in the place of its first send": {
      history: [send(1), send(2, 1), send(1, 1), read(1, 0), read(2, 1), end(2)],
      expected: allHold
    },
    "a resent record in the place of its second send": {
      history: [send(1), send(2, 1), send(1, 1), read(2, 0), read(1, 1), end(2)],
      expected: violated,
      witness: [4, [1, 2], [1, 0]]
    },
    "each consumer for itself": {
      history: [send(1), send(2), read(1, 0), read(2, 1), read(1, 0, 1), read(2, 1, 1), end(2)],
      expected: allHold
    },
    "each partition for itself": {
      history: [send(1, 0, "q"), send(2), read(2, 0), read(1, 0, 0, "q"), end(1), end(1, 0, "q")],
      expected: allHold
    },
    "a reordering in a history cut short": {
      history: [send(1), send(2), read(2, 0), read(1, 1)],
      expected: { ...cutShort, InOrder: "violated" },
      witness: [3, [1, 2], [1, 0]]
    }
  })
})

describe("a malformed history", () => {
  const rows: Readonly<Record<string, readonly [RegExp, ...ReadonlyArray<History.Event>]>> = {
    "acknowledged before sent": [/before it was sent/, acknowledged(1, 0), send(1)],
    "failed before sent": [/before it was sent/, failed(1)],
    "unknown before sent": [/before it was sent/, unknown(1)],
    "two reports for one send": [/reported already/, send(1), acknowledged(1, 0), failed(1)],
    "reported after the End": [/after the End/, send(1), end(1), acknowledged(1, 0)],
    "sent after the End": [/after the End/, send(1), end(0), send(2)],
    "sent twice in one session": [/sent twice/, send(1), send(1)],
    "sent again in an earlier session": [/after session/, send(1, 1), send(1, 0)],
    "sent to two partitions": [/second partition/, send(1), send(1, 1, "q")],
    "read but never sent": [/never sent/, send(1), read(2, 0)],
    "read from a partition it was not sent to": [/never sent/, send(1), send(2, 0, "q"), read(1, 0, 0, "q")],
    "read from a partition nobody knows": [/never sent/, send(1), read(1, 0, 0, "q")],
    "an offset going backwards": [/after offset 1/, send(1), send(2), read(1, 1), read(2, 0)],
    "an offset read twice by one consumer": [/after offset 1/, send(1), read(1, 1), read(1, 1)],
    "a read after the consumer's End": [/after its End/, send(1), end(1), read(1, 0)],
    "a read above the End": [/End is at/, send(1), end(1), read(1, 1, 1)],
    "an End below what was read": [/was read/, send(1), read(1, 1, 1), end(1)],
    "an End below what another consumer read": [/was read/, send(1), send(2), read(2, 3, 1), read(1, 1), end(3)],
    "two Ends of one consumer": [/twice/, send(1), end(1), end(1)],
    "Ends at two offsets": [/ends at offset/, send(1), end(1), end(2, 1)],
    "a negative record": [/no record/, send(-1)],
    "a fractional record": [/no record/, send(0.5)],
    "a negative session": [/no session/, send(1, -1)],
    "a negative consumer": [/no consumer/, send(1), read(1, 0, -1)],
    "a negative consumer at the End": [/no consumer/, send(1), end(1, -1)],
    "a negative offset": [/no offset/, send(1), read(1, -1)],
    "a negative End": [/no offset/, send(1), end(-1)],
    "an acknowledged offset below -1": [/no offset/, send(1), acknowledged(1, -2)],
    "an event of no known kind": [/no event/, send(1), { _tag: "Crash" } as unknown as History.Event]
  }
  for (const [name, [sentence, ...events]] of Object.entries(rows)) {
    it(`is refused: ${name}`, () => {
      const index = name === "acknowledged before sent" ? 0 : events.length - 1

      const verdict = HistoryChecker.check([...events, send(9)])

      if (verdict._tag === "Judged") return assert.fail(HistoryChecker.summarize(verdict))
      assert.strictEqual(verdict.index, index)
      assert.match(verdict.sentence, sentence)
    })
  }
})

describe("the checker", () => {
  it("gives a verdict after every event, and a violation stays", () => {
    const checker = HistoryChecker.make()
    const seen = [send(1), read(1, 0), read(1, 1), end(2)].map((event) => {
      checker.observe(event)
      const verdict = checker.verdict()
      return verdict._tag === "Judged" ? valuesOf(verdict).NoDuplicate : "malformed"
    })

    assert.deepStrictEqual(seen, ["undetermined", "undetermined", "violated", "violated"])
  })

  it("keeps the first witness of every property", () => {
    const sends = [1, 2, 3, 4, 5].map((record) => send(record))
    const verdict = judged([
      ...sends,
      acknowledged(2, 0),
      acknowledged(4, 1),
      read(3, 0),
      read(3, 1),
      read(2, 2),
      read(2, 3),
      acknowledged(5, 1),
      end(4),
      end(4, 1)
    ])

    const witnesses = HistoryChecker.properties.map((property) => {
      const own = verdict[property]
      return own.value === "violated" ? [property, own.index, own.witness.records, own.witness.offsets] : own
    })
    assert.deepStrictEqual(witnesses, [
      ["NoLoss", 7, [2, 3], [0]],
      ["NoDuplicate", 8, [3], [0, 1]],
      ["NoGap", 12, [1, 2], [2]],
      ["InOrder", 9, [2, 3], [2, 1]]
    ])
  })

  it("explains a violation in a sentence", () => {
    const verdict = judged([send(1), send(2), read(2, 0), end(1)])

    assert.deepStrictEqual(verdict.NoGap, {
      value: "violated",
      index: 3,
      witness: {
        records: [1, 2],
        partition: "p",
        offsets: [0],
        sentence: "Record 2, sent to partition p in session 0, was read, but record 1, sent before it, "
          + "was neither read by consumer 0 nor reported as failed or unknown."
      }
    })
  })

  it("takes records whose numbers are far apart", () => {
    const far = Number.MAX_SAFE_INTEGER

    const verdict = judged([send(far), send(1_500), send(3), read(far, 0), read(1_500, 1), read(far, 2), end(3)])

    assert.deepStrictEqual(valuesOf(verdict), { ...allHold, NoDuplicate: "violated", InOrder: "violated" })
    assert.deepStrictEqual(verdict.InOrder.value === "violated" && verdict.InOrder.witness.records, [far, 1_500])
  })

  it("summarizes a verdict in one line per property", () => {
    const text = HistoryChecker.summarize(
      HistoryChecker.check([send(1), acknowledged(1, 0), read(1, 0), send(2), read(2, 1), read(1, 2)])
    )

    assert.deepStrictEqual(text.split("\n"), [
      "NoLoss: holds",
      "NoDuplicate: violated at event 5. Record 1 was read at offset 0 and at offset 2 of partition p.",
      "NoGap: undetermined. No consumer reached the End of partition p.",
      "InOrder: violated at event 5. Consumer 0 read record 1 at offset 2 of partition p, after record 2 at offset 1, "
      + "which was sent later."
    ])
  })

  it("summarizes a malformed history in one line", () => {
    assert.strictEqual(
      HistoryChecker.summarize(HistoryChecker.check([failed(4)])),
      "malformed at event 0: record 4 is reported Failed before it was sent"
    )
  })
})

/** How the producer's business with one record ends in a correct run. */
const fates = ["acknowledged", "failed", "unknownWritten", "unknownLost", "unreportedWritten"] as const
type Fate = (typeof fates)[number]

interface Step {
  readonly fate: Fate
  readonly partition: string
  /** The producer restarts before this record. */
  readonly restart: boolean
  /** Offsets skipped after the record, as transaction markers do. */
  readonly skipped: number
  /** Events by which the report and the reads lag behind. */
  readonly lag: number
}

const stepArbitrary: fc.Arbitrary<Step> = fc.record({
  fate: fc.constantFrom(...fates),
  partition: fc.constantFrom("p", "q"),
  restart: fc.nat(4).map((roll) => roll === 0),
  skipped: fc.nat(1),
  lag: fc.nat(3)
})

/** Acts out a correct run. A record whose send was lost without a report comes back in the next session. */
const correctRun = (
  steps: ReadonlyArray<Step>,
  { consumers, tellsOffset, spacing }: {
    readonly consumers: number
    readonly tellsOffset: boolean
    readonly spacing: number
  }
): Array<History.Event> => {
  const delayed: Array<{ readonly due: number; readonly event: History.Event }> = []
  const events: Array<History.Event> = []
  const nextOffset = new Map<string, number>()
  let session = 0
  const release = (now: number): void => {
    for (let index = 0; index < delayed.length; index++) {
      const { due, event } = delayed[index]!
      const blocked = event._tag === "Read" && delayed.slice(0, index).some((other) => other.event._tag === "Read")
      if (due > now || blocked) continue
      events.push(event)
      delayed.splice(index--, 1)
    }
  }
  for (const [record, { fate, lag, partition, restart, skipped }] of steps.entries()) {
    if (restart) {
      // The crash takes one more record along: it is never written, and sent again first in the new session.
      events.push(send(1_000 + record, session, partition))
      session += 1
      events.push(send(1_000 + record, session, partition))
      delayed.push({ due: record, event: failed(1_000 + record) })
    }
    events.push(send(record, session, partition))
    const offset = nextOffset.get(partition) ?? 0
    const due = record + lag
    if (fate !== "failed" && fate !== "unknownLost") {
      nextOffset.set(partition, offset + spacing + skipped)
      for (let consumer = 0; consumer < consumers; consumer++) {
        delayed.push({ due, event: read(record, offset, consumer, partition) })
      }
    }
    if (fate === "acknowledged") delayed.push({ due, event: acknowledged(record, tellsOffset ? offset : -1) })
    else if (fate === "failed") delayed.push({ due, event: failed(record) })
    else if (fate !== "unreportedWritten") delayed.push({ due, event: unknown(record) })
    release(record)
  }
  release(Infinity)
  for (const partition of new Set(steps.map((step) => step.partition))) {
    for (let consumer = 0; consumer < consumers; consumer++) {
      events.push(end(nextOffset.get(partition) ?? 0, consumer, partition))
    }
  }
  return events
}

const stepsArbitrary = fc.array(stepArbitrary, { minLength: 1, maxLength: 24 })
const isRead = (event: History.Event): event is History.Read => event._tag === "Read"

describe("a correct run", () => {
  it("is judged to hold in everything", () => {
    fc.assert(
      fc.property(stepsArbitrary, fc.integer({ min: 1, max: 3 }), fc.boolean(), (steps, consumers, tellsOffset) => {
        assert.deepStrictEqual(valuesOf(judged(correctRun(steps, { consumers, tellsOffset, spacing: 1 }))), allHold)
      })
    )
  })

  it("with a read dropped has lost it if it was acknowledged, and gaps if one after it was written", () => {
    fc.assert(
      fc.property(stepsArbitrary, fc.nat(), fc.boolean(), (steps, choice, tellsOffset) => {
        const run = correctRun(steps, { consumers: 1, tellsOffset, spacing: 1 })
        const reads = run.filter(isRead)
        fc.pre(reads.length > 0)
        const dropped = reads[choice % reads.length]!
        const { fate, partition } = steps[dropped.record]!
        const restart = steps.findIndex((step, record) => record > dropped.record && step.restart)
        const followed = steps
          .slice(dropped.record + 1, restart === -1 ? undefined : restart)
          .some((step) => step.partition === partition && step.fate !== "failed" && step.fate !== "unknownLost")

        const verdict = judged(run.filter((event) => event !== dropped))

        assert.deepStrictEqual(valuesOf(verdict), {
          ...allHold,
          NoLoss: fate === "acknowledged" ? "violated" : "holds",
          NoGap: followed && fate !== "unknownWritten" ? "violated" : "holds"
        })
      })
    )
  })

  it("with a read dropped by one of two consumers has lost it", () => {
    fc.assert(
      fc.property(stepsArbitrary, fc.nat(), (steps, choice) => {
        const run = correctRun(steps, { consumers: 2, tellsOffset: true, spacing: 1 })
        const reads = run.filter(isRead)
        fc.pre(reads.length > 0)
        const dropped = reads[choice % reads.length]!

        const verdict = judged(run.filter((event) => event !== dropped))

        assert.deepStrictEqual(valuesOf(verdict), { ...allHold, NoLoss: "violated", NoGap: verdict.NoGap.value })
      })
    )
  })

  it("with a read repeated at the next offset has a duplicate and nothing else", () => {
    fc.assert(
      fc.property(stepsArbitrary, fc.nat(), fc.boolean(), (steps, choice, tellsOffset) => {
        const run = correctRun(steps, { consumers: 1, tellsOffset, spacing: 2 })
        const reads = run.filter(isRead)
        fc.pre(reads.length > 0)
        const original = reads[choice % reads.length]!
        const copy = { ...original, offset: original.offset + 1 }

        const verdict = judged(run.flatMap((event) => event === original ? [original, copy] : [event]))

        assert.deepStrictEqual(valuesOf(verdict), { ...allHold, NoDuplicate: "violated" })
      })
    )
  })

  it("with two reads swapped is out of order, and has lost them if they were acknowledged at their offsets", () => {
    fc.assert(
      fc.property(stepsArbitrary, fc.nat(), fc.nat(), fc.boolean(), (steps, one, two, tellsOffset) => {
        const run = correctRun(steps, { consumers: 1, tellsOffset, spacing: 1 })
        const reads = run.filter(isRead)
        fc.pre(reads.length > 0)
        const left = reads[one % reads.length]!
        const right = reads[two % reads.length]!
        // Reads of records not sent yet would make the history malformed: all sends first.
        const swapped = [
          ...run.filter((event) => event._tag === "Send"),
          ...run.filter((event) => event._tag !== "Send")
        ]
          .map((event) =>
            event === left
              ? { ...left, record: right.record }
              : event === right
              ? { ...right, record: left.record }
              : event
          )
        fc.pre(left !== right && left.partition === right.partition)
        const acknowledgedAt = [left, right].some((event) => steps[event.record]!.fate === "acknowledged")

        assert.deepStrictEqual(valuesOf(judged(swapped)), {
          ...allHold,
          NoLoss: tellsOffset && acknowledgedAt ? "violated" : "holds",
          InOrder: "violated"
        })
      })
    )
  })

  it("with an End dropped leaves undetermined what a later read could break", () => {
    fc.assert(
      fc.property(stepsArbitrary, fc.boolean(), (steps, tellsOffset) => {
        const run = correctRun(steps, { consumers: 1, tellsOffset, spacing: 1 })

        assert.deepStrictEqual(valuesOf(judged(run.slice(0, -1))), cutShort)
      })
    )
  })

  it("with an End and its last acknowledged read dropped leaves everything undetermined", () => {
    fc.assert(
      fc.property(stepsArbitrary, (steps) => {
        const run = correctRun(steps, { consumers: 1, tellsOffset: true, spacing: 1 })
        const last = run.findLast((event) => isRead(event) && steps[event.record]!.fate === "acknowledged")
        fc.pre(last !== undefined)

        const verdict = judged(run.filter((event) => event !== last && event._tag !== "End"))

        assert.deepStrictEqual(valuesOf(verdict), nothingSent)
      })
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

    assert.deepStrictEqual(
      [...new Set(run.map((event) => event._tag))].toSorted(),
      ["Acknowledged", "End", "Failed", "Read", "Send", "Unknown"]
    )
    assert.strictEqual(new Set(run.flatMap((event) => event._tag === "Send" ? [event.record] : [])).size, 5_000)
    assert.isAbove(run.filter((event) => event._tag === "Send").length, 5_000)
    assert.deepStrictEqual([...generate(5_000, 1)], run)
    assert.notDeepEqual([...generate(5_000, 2)], run)
  })
})

/** The four properties once more, straight from their definitions, in any order of cost. */
const valuesByDefinition = (events: ReadonlyArray<History.Event>): Values => {
  const sends = events.filter((event) => event._tag === "Send")
  const ends = events.filter((event) => event._tag === "End")
  const reads = events.filter(isRead)
  const reports = events.flatMap((event, index) => {
    if (event._tag !== "Acknowledged" && event._tag !== "Failed" && event._tag !== "Unknown") return []
    const reported = sends.findLast((other) => other.record === event.record && events.indexOf(other) < index)!
    return [{ event, send: reported }]
  })
  const outcome = (sent: History.Send) => reports.find((report) => report.send === sent)?.event
  const readsOf = (partition: string, consumer: number) =>
    reads.filter((event) => event.partition === partition && event.consumer === consumer)
  const hasEnd = (partition: string) => ends.some((event) => event.partition === partition)

  const claims = [
    ...reads.map(({ offset, partition, record }) => ({ offset, partition, record })),
    ...reports.flatMap(({ event, send: { partition, record } }) =>
      event._tag === "Acknowledged" ? [{ offset: event.offset, partition, record }] : []
    )
  ]
  const met = ({ offset, partition, record }: (typeof claims)[number], among: ReadonlyArray<History.Read>) =>
    among.some((event) =>
      event.partition === partition && event.record === record && (offset === -1 || event.offset === offset)
    )
  const lost =
    claims.some((claim) =>
      claims.some((other) =>
        other.partition === claim.partition && other.offset === claim.offset && claim.offset !== -1
        && other.record !== claim.record
      )
      || ends.some((event) =>
        event.partition === claim.partition && !met(claim, readsOf(event.partition, event.consumer))
      )
    ) || reads.some((event) =>
      reads.some((further) =>
        further.partition === event.partition && further.offset > event.offset
        && !met(event, readsOf(event.partition, further.consumer))
      )
    )
  const awaited = claims.some((claim) => !hasEnd(claim.partition) && !met(claim, reads))

  const duplicated = reads.some((event) =>
    reads.some((other) => other.record === event.record && other.offset !== event.offset)
  )
  const firstSend = (record: number) => sends.findIndex((event) => event.record === record)
  const reordered = reads.some((event) =>
    readsOf(event.partition, event.consumer).some((other) =>
      other.offset > event.offset && firstSend(other.record) < firstSend(event.record)
    )
  )
  const gap = ends.some(({ consumer, partition }) => {
    const found = (record: number) => readsOf(partition, consumer).some((event) => event.record === record)
    const told = (sent: History.Send) =>
      sends.some((later) =>
        later.record === sent.record && later.session >= sent.session
        && (outcome(later)?._tag === "Failed" || outcome(later)?._tag === "Unknown")
      )
    const behindGap = (sent: History.Send) =>
      sends.slice(0, sends.indexOf(sent)).some((earlier) =>
        earlier.partition === partition && earlier.session === sent.session && !found(earlier.record) && !told(earlier)
      )
    return sends.filter((event) => event.partition === partition).some((sent) => {
      if (outcome(sent)?._tag === "Acknowledged") return behindGap(sent)
      const all = sends.filter((event) => event.record === sent.record)
      const possible = all.filter((event) => outcome(event)?._tag !== "Failed")
      return found(sent.record) && (possible.length > 0 ? possible.every(behindGap) : all.some(behindGap))
    })
  })

  const open = sends.length === 0 || sends.some((event) => !hasEnd(event.partition))
  const value = (violated: boolean, undetermined: boolean): Value =>
    violated ? "violated" : undetermined ? "undetermined" : "holds"
  return {
    NoLoss: value(lost, awaited || sends.length === 0),
    NoDuplicate: value(duplicated, open),
    NoGap: value(gap, open),
    InOrder: value(reordered, open)
  }
}

/** Any well-formed history of a few records: candidate events, of which those that would be malformed are left out. */
const anyHistory: fc.Arbitrary<ReadonlyArray<History.Event>> = fc
  .tuple(
    fc.array(fc.tuple(fc.nat(4), fc.nat(2)).map((_) => send(..._)), { minLength: 2, maxLength: 8, size: "max" }),
    fc.array(
      fc.oneof(
        { weight: 4, arbitrary: fc.tuple(fc.nat(4), fc.nat(2)).map((_) => send(..._)) },
        { weight: 4, arbitrary: fc.tuple(fc.nat(4), fc.integer({ min: -1, max: 5 })).map((_) => acknowledged(..._)) },
        { weight: 2, arbitrary: fc.nat(4).map(failed) },
        { weight: 2, arbitrary: fc.nat(4).map(unknown) },
        { weight: 8, arbitrary: fc.tuple(fc.nat(4), fc.nat(5), fc.nat(1)).map((_) => read(..._)) },
        { weight: 1, arbitrary: fc.tuple(fc.nat(1), fc.constantFrom("p", "q")).map((_) => end(6, ..._)) }
      ),
      { maxLength: 30, size: "max" }
    ),
    fc.subarray([end(6, 0), end(6, 1), end(6, 0, "q"), end(6, 1, "q")])
  )
  .map(([sends, events, ends]) => {
    const kept: Array<History.Event> = []
    for (const event of [...sends, ...events, ...ends]) {
      // Record 4 lives alone on the second partition.
      const placed = "record" in event && "partition" in event
        ? { ...event, partition: event.record < 4 ? "p" : "q" }
        : event
      if (HistoryChecker.check([...kept, placed])._tag === "Judged") kept.push(placed)
    }
    return kept
  })

describe("any history", () => {
  it("is judged as the definitions say", () => {
    fc.assert(
      fc.property(anyHistory, (history) => {
        assert.deepStrictEqual(valuesOf(judged(history)), valuesByDefinition(history))
      }),
      { numRuns: 3_000 }
    )
  })
})
