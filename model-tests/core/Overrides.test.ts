import { assert, describe, it } from "@effect/vitest"
import { Limits, Museum, Releases, type Replica, Rules, type Sender } from "../../src/core/index.ts"
import { after, answer, config, context, producer, send } from "./support.ts"

type Rule = keyof Rules.Rules

const limits = Limits.kafka
const max = limits.maxSequence
const remembered = [0, 1].map((sequence) => ({ sequence, last: sequence, offset: sequence }))
const known: Replica.Producers = new Map([[7, { epoch: 0, batches: remembered }]])
const newestOnly: Replica.Producers = new Map([[7, { epoch: 0, batches: remembered.slice(-1) }]])
const entry: Replica.Entry = { producerId: 7, epoch: 0, sequence: 2, records: ["r"], offset: 2 }
const withEntry: Replica.Producers = new Map([[7, {
  epoch: 0,
  batches: [...remembered, { sequence: 2, last: 2, offset: 2 }]
}]])

/** One batch acknowledged, the next one in flight. */
const sender: Sender.Sender = after(config(), producer([2, 1]), send(), answer(1), send())[0].senders[0]!

/** An input for a rule on which the override and the base disagree, and what each makes of it. */
interface Witness {
  readonly of: (rules: Rules.Rules) => unknown
  readonly base: unknown
  readonly override: unknown
}

const bumpsAnyway: Witness = { of: (rules) => rules.MayBumpEpoch(sender), base: false, override: true }
const beginsAnywhere: Witness = { of: (rules) => rules.IsFirstSequence(1), base: false, override: true }
const newestBatch: Witness = { of: (rules) => rules.RestoreProducers(known), base: known, override: newestOnly }

const museum: Readonly<Record<Museum.Name, Partial<Record<Rule, Witness>>>> = {
  "kafkajs-1005": {
    SequenceAfterSend: { of: (rules) => rules.SequenceAfterSend(limits, 5, 2), base: 7, override: 5 },
    SequenceAfterAcknowledgement: {
      of: (rules) => rules.SequenceAfterAcknowledgement(limits, max, 2),
      base: max,
      override: 1
    }
  },
  "franz-go-1217": {
    IsRetriable: { of: (rules) => rules.IsRetriable("REQUEST_TIMED_OUT"), base: true, override: false },
    AfterFailure: {
      of: (rules) => {
        const { epochBump, nextSequence } = rules.AfterFailure(sender, sender.batches.get(2)!)
        return { epochBump, nextSequence }
      },
      base: { epochBump: true, nextSequence: 3 },
      override: { epochBump: false, nextSequence: 2 }
    }
  },
  "KAFKA-14034": { MayBumpEpoch: bumpsAnyway },
  "KAFKA-7693": {
    SequenceAfterSend: { of: (rules) => rules.SequenceAfterSend(limits, max, 2), base: 1, override: -2147483647 }
  },
  "redpanda-3038": {
    RememberedBatches: {
      of: (rules) => rules.RememberedBatches(limits, remembered),
      base: remembered,
      override: remembered.slice(-1)
    }
  },
  "KAFKA-15591": { IsFirstSequence: beginsAnywhere },
  "KAFKA-6683": {
    ProducersAfterFailedAppend: {
      of: (rules) => rules.ProducersAfterFailedAppend(context(), known, entry),
      base: known,
      override: withEntry
    }
  },
  "AutoMQ-437": {
    RestoreProducers: { of: (rules) => rules.RestoreProducers(known), base: known, override: new Map() }
  }
}

const kafka: Partial<Record<Rule, Witness>> = {
  MayBumpEpoch: bumpsAnyway,
  IsFirstSequence: beginsAnywhere,
  RestoreProducers: newestBatch,
  SequencePrecedes: { of: (rules) => rules.SequencePrecedes(limits, max, 0), base: true, override: false },
  IsNextSequence: { of: (rules) => rules.IsNextSequence(limits, 0, max), base: true, override: false }
}

const releases: Readonly<Record<Releases.Name, Partial<Record<Rule, Witness>>>> = {
  "2.5": kafka,
  "3.9": kafka,
  "4.4": kafka,
  snapshot: { RestoreProducers: newestBatch }
}

const overriding = (
  overrides: Readonly<Record<string, Museum.Override>>,
  witnesses: Readonly<Record<string, Partial<Record<Rule, Witness>>>>
): void => {
  it("has a row here for every set of rules", () => {
    assert.deepStrictEqual(Object.keys(overrides).toSorted(), Object.keys(witnesses).toSorted())
  })

  for (const [name, rules] of Object.entries(witnesses)) {
    it(`${name} puts exactly the rules it names in place of others`, () => {
      assert.deepStrictEqual(Object.keys(overrides[name]!).toSorted(), Object.keys(rules).toSorted())
    })

    for (const [rule, witness] of Object.entries(rules)) {
      it(`${name} differs from the base in ${rule}`, () => {
        assert.deepStrictEqual(witness.of(Rules.base), witness.base)
        assert.deepStrictEqual(witness.of({ ...Rules.base, ...overrides[name] }), witness.override)
      })
    }
  }
}

describe("Museum", () => {
  overriding(Museum.overrides, museum)

  it("franz-go-1217 retries what else is retriable", () => {
    const { IsRetriable } = Museum.overrides["franz-go-1217"]

    assert.isTrue(IsRetriable("NETWORK_EXCEPTION"))
    assert.isFalse(IsRetriable("INVALID_RECORD"))
  })

  it("KAFKA-7693 adds as Java's int does", () => {
    const { SequenceAfterSend } = Museum.overrides["KAFKA-7693"]

    assert.strictEqual(SequenceAfterSend(limits, max - 1, 1), max)
    assert.strictEqual(SequenceAfterSend(limits, max, 1), -2147483648)
  })
})

describe("Releases", () => {
  overriding(Releases.overrides, releases)

  it("a snapshot of a producer without batches stays one", () => {
    const empty: Replica.Producers = new Map([[7, { epoch: 3, batches: [] }]])

    assert.deepStrictEqual(Releases.overrides.snapshot.RestoreProducers(empty), empty)
  })
})
