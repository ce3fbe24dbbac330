import { assert, describe, it } from "@effect/vitest"
import { Partition, type Replica, Sender } from "../../../src/core/index.ts"
import { Properties, World } from "../../../src/model/idempotent/index.ts"
import { configuration, setOf } from "./support.ts"

const idempotent = configuration()

const entry = (batch: number, offset: number, over: Partial<Replica.Entry> = {}): Replica.Entry => ({
  producerId: 1,
  epoch: 0,
  sequence: offset,
  records: [batch],
  offset,
  ...over
})

const acknowledged = (offset: number): World.Outcome => ({ _tag: "Acknowledged", offset })
const failed: World.Outcome = { _tag: "Failed" }

interface Parts {
  readonly outcomes?: Readonly<Record<number, World.Outcome>>
  /** The leader's log, and how many of its batches the follower has. */
  readonly log?: ReadonlyArray<Replica.Entry>
  readonly replicated?: number
  readonly faults?: number
}

/** A world after a fault, with these parts; what has no outcome is queued. */
const world = (
  { faults = 0, log = [], outcomes = {}, replicated = log.length }: Parts,
  of = idempotent
): World.World => {
  const initial = World.initial(of)
  const followed = Partition.make(of.replica, log.slice(0, replicated))
  const led = Partition.make(of.replica, log).replicas[0]
  const decided = new Map(Object.entries(outcomes).map(([batch, outcome]) => [Number(batch), outcome]))
  const [sender] = initial.producer.senders
  const left = [...decided.keys()].reduce(Sender.forget, sender!)
  return {
    ...initial,
    faults,
    producer: { ...initial.producer, senders: [{ ...left, queue: left.queue.filter((id) => !decided.has(id)) }] },
    outcomes: [decided],
    partitions: [{ ...followed, replicas: [led, followed.replicas[1]] }]
  }
}

const withPartition = (base: World.World, over: Partial<Partition.Partition>): World.World => ({
  ...base,
  partitions: [{ ...base.partitions[0]!, ...over }]
})

const withSender = (base: World.World, edit: (sender: Sender.Sender) => Sender.Sender): World.World => ({
  ...base,
  producer: { ...base.producer, senders: [edit(base.producer.senders[0]!)] }
})

const withBatch = (base: World.World, id: number, over: Partial<Sender.Batch>): World.World =>
  withSender(base, (sender) => Sender.withBatch(sender, { ...sender.batches.get(id)!, ...over }))

const violated = <A extends ReadonlyArray<unknown>>(
  properties: Readonly<Record<string, (...input: A) => boolean>>,
  ...input: A
): ReadonlyArray<string> => Object.entries(properties).flatMap(([name, holds]) => holds(...input) ? [] : [name])

const calm = world({ outcomes: { 1: acknowledged(0), 2: acknowledged(1) }, log: [entry(1, 0), entry(2, 1)] })

const acks1 = configuration({ Acks: "1", Idempotence: false })
const acks0 = configuration({ Acks: "0", Idempotence: false })
const request = (batch: number) => ({ ...entry(batch, 0), connection: 0, broker: 1, batch })

describe("invariants", () => {
  const holding: ReadonlyArray<readonly [what: string, world: World.World, configuration?: typeof idempotent]> = [
    ["a world in which all went well", calm],
    ["the initial world", World.initial(idempotent)],
    [
      "an acknowledgement with acks=1 of what only the leader has",
      world({
        outcomes: { 1: acknowledged(0) },
        log: [entry(1, 0)],
        replicated: 0
      }),
      acks1
    ],
    ["an acknowledgement with acks=0 of what is on its way", {
      ...world({ outcomes: { 1: acknowledged(-1), 2: acknowledged(-1) } }),
      requests: [[request(1), request(2)]]
    }, acks0],
    [
      "a gap where a batch was reported as failed",
      world({ outcomes: { 1: failed, 2: acknowledged(0) }, log: [entry(2, 0)] })
    ],
    ["a failed batch that can be read", world({ outcomes: { 1: failed }, log: [entry(1, 0)] })]
  ]
  for (const [what, found, of = idempotent] of holding) {
    it(`hold in ${what}`, () => {
      assert.deepStrictEqual(violated(Properties.invariants, of, found), [])
    })
  }

  type Row = readonly [
    property: keyof typeof Properties.invariants,
    what: string,
    world: World.World,
    configuration?: typeof idempotent
  ]
  const fresh = world({ faults: 1 })
  const table: ReadonlyArray<Row> = [
    ["NoLoss", "an acknowledged batch is nowhere", world({ outcomes: { 1: acknowledged(0) } })],
    ["NoLoss", "it is at another offset", world({ outcomes: { 1: acknowledged(1) }, log: [entry(1, 0)] })],
    [
      "NoLoss",
      "another batch is at its offset",
      world({
        outcomes: { 1: acknowledged(0), 2: acknowledged(0) },
        log: [entry(1, 0)]
      })
    ],
    [
      "NoLoss",
      "with acks=all only the leader has it",
      world({
        outcomes: { 1: acknowledged(0) },
        log: [entry(1, 0)],
        replicated: 0
      })
    ],
    ["NoLoss", "with acks=1 the leader does not have it", world({ outcomes: { 1: acknowledged(0) } }), acks1],
    ["NoLoss", "with acks=0 it is neither written nor on its way", world({ outcomes: { 1: acknowledged(-1) } }), acks0],
    ["NoDuplicate", "a batch can be read twice", world({ log: [entry(1, 0), entry(1, 1)] })],
    [
      "NoGap",
      "the batch before an acknowledged one is missing",
      world({
        outcomes: { 2: acknowledged(0) },
        log: [entry(2, 0)]
      })
    ],
    ["NoGap", "with acks=0 it is on its way with another configuration", {
      ...world({ outcomes: { 2: acknowledged(0) }, log: [entry(2, 0)] }),
      requests: [[request(1)]]
    }, acks1],
    ["InOrder", "batches are read in another order", world({ log: [entry(2, 0), entry(1, 1)] })],
    ["NoErrorWithoutFault", "an error is on its way", {
      ...fresh,
      responses: [[{ batch: 1, error: "REQUEST_TIMED_OUT", offset: -1 }]]
    }],
    ["NoErrorWithoutFault", "a batch was retried", withBatch(fresh, 1, { attempts: 1 })],
    ["NoErrorWithoutFault", "a batch expired in flight", withBatch(fresh, 1, { status: "expired" })],
    ["NoErrorWithoutFault", "a batch failed", world({ faults: 1, outcomes: { 1: failed } })],
    ["NoErrorWithoutFault", "a new epoch is wanted", withSender(fresh, (sender) => ({ ...sender, epochBump: true }))],
    ["NoErrorWithoutFault", "a sequence is open", withSender(fresh, (sender) => ({ ...sender, unresolved: 0 }))],
    [
      "ReplicasAgree",
      "the follower has more",
      withPartition(world({ log: [entry(1, 0)], replicated: 0 }), { leader: 2, highWatermark: 1 })
    ],
    [
      "ReplicasAgree",
      "the follower has another batch",
      withPartition(calm, {
        replicas: [calm.partitions[0]!.replicas[0], {
          ...calm.partitions[0]!.replicas[1],
          log: [entry(1, 0), entry(2, 1, { sequence: 7 })]
        }]
      })
    ],
    [
      "ReplicasAgree",
      "the high watermark is not where the follower ends",
      withPartition(
        world({ log: [entry(1, 0)], replicated: 0 }),
        { highWatermark: 1 }
      )
    ]
  ]
  it("each has a world here that violates it", () => {
    const shown = new Set(table.map(([property]) => property))

    assert.deepStrictEqual(Object.keys(Properties.invariants).toSorted(), [...shown].toSorted())
  })
  for (const [property, what, found, of = idempotent] of table) {
    it(`${property} alone is violated when ${what}`, () => {
      assert.deepStrictEqual(violated(Properties.invariants, of, found), [property])
    })
  }

  it("NoErrorWithoutFault says nothing once a fault has happened", () => {
    const found = withSender(
      world({ faults: 0, outcomes: { 1: failed } }),
      (sender) => ({ ...sender, epochBump: true })
    )

    assert.deepStrictEqual(violated(Properties.invariants, idempotent, found), [])
  })
})

describe("stepProperties", () => {
  const warm = configuration({ StartSequence: 5 })
  const start = World.initial(idempotent)
  const written = world({ log: [entry(1, 0)] })
  const unreplicated = world({ log: [entry(1, 0)], replicated: 0 })
  const sent = withBatch(start, 1, { status: "inflight", sequence: 0 })
  const identified = (base: World.World, id: number, epoch: number): World.World => ({
    ...base,
    producer: { ...base.producer, identity: { id, epoch } }
  })
  const told = (base: World.World, outcomes: Readonly<Record<number, World.Outcome>>): World.World => ({
    ...base,
    outcomes: [new Map(Object.entries(outcomes).map(([batch, outcome]) => [Number(batch), outcome]))]
  })
  const known = (base: World.World, epoch: number): World.World => {
    const [led, followed] = base.partitions[0]!.replicas
    return withPartition(base, { replicas: [{ ...led, producers: new Map([[1, { epoch, batches: [] }]]) }, followed] })
  }
  const unread = (base: World.World): World.World => withPartition(base, { highWatermark: 0 })

  const holding: ReadonlyArray<
    readonly [what: string, from: World.World, to: World.World, configuration?: typeof idempotent]
  > = [
    ["nothing happens", calm, calm],
    ["a batch is sent", start, sent],
    ["a batch is acknowledged", withBatch(written, 1, { status: "inflight" }), told(written, { 1: acknowledged(0) })],
    ["a batch becomes readable", start, written],
    ["a new producer id is taken", identified(start, 1, 3), identified(start, 2, 0)],
    [
      "a batch of another epoch is renumbered",
      sent,
      withSender(
        withBatch(sent, 1, { sequence: 4 }),
        (sender) => ({ ...sender, epoch: 1 })
      )
    ],
    ["another leader has less", unreplicated, withPartition(unreplicated, { leader: 2 })],
    ["with acks=0 what was queued is acknowledged", start, told(start, { 1: acknowledged(-1) }), acks0]
  ]
  for (const [what, from, to, of = idempotent] of holding) {
    it(`hold when ${what}`, () => {
      const found = violated(Properties.stepProperties, of, from, to)

      // Only acks=all promises what ExactlyOnce says.
      assert.deepStrictEqual(found.filter((name) => name !== "Refines" || of === idempotent), [])
    })
  }

  type Row = readonly [
    property: keyof typeof Properties.stepProperties,
    what: string,
    from: World.World,
    to: World.World,
    configuration?: typeof idempotent
  ]
  const table: ReadonlyArray<Row> = [
    ["LegalProducerSteps", "the epoch skips one", start, identified(start, 1, 2)],
    ["LegalProducerSteps", "the epoch goes back", identified(start, 1, 2), identified(start, 1, 1)],
    ["LegalProducerSteps", "the producer id skips one", start, identified(start, 3, 0)],
    ["LegalProducerSteps", "a new producer id begins with an old epoch", start, identified(start, 2, 1)],
    ["LegalProducerSteps", "a queued batch is acknowledged", written, told(written, { 1: acknowledged(0) })],
    ["KeepsIdentities", "a sent batch is renumbered", sent, withBatch(sent, 1, { sequence: 1 })],
    [
      "KeepsIdentities",
      "a queued one that was sent before",
      withBatch(sent, 1, { status: "queued" }),
      withBatch(sent, 1, {
        status: "queued",
        sequence: 1
      })
    ],
    ["LegalLeaderSteps", "the leader drops a batch", unreplicated, world({})],
    [
      "LegalLeaderSteps",
      "it has another batch in its place",
      unreplicated,
      world({
        log: [entry(1, 0, { epoch: 1 })],
        replicated: 0
      })
    ],
    ["LegalLeaderSteps", "it goes back to an older epoch", known(start, 2), known(start, 1)],
    [
      "StableReads",
      "what was there before the run is not readable any more",
      World.initial(warm),
      unread(
        World.initial(warm)
      ),
      warm
    ],
    [
      "StableReads",
      "a new leader has the batch under another sequence",
      written,
      withPartition(
        world({ log: [entry(1, 0, { sequence: 9 })] }),
        { leader: 2 }
      )
    ],
    ["Refines", "a batch is readable before its elder is decided", start, world({ log: [entry(2, 0)] })],
    ["Refines", "a batch is acknowledged that cannot be read", sent, told(sent, { 1: acknowledged(0) })],
    ["Refines", "two batches become readable at once", start, world({ log: [entry(1, 0), entry(2, 1)] })],
    ["Refines", "two batches fail at once", start, told(start, { 1: failed, 2: failed })],
    ["Refines", "a batch fails as another becomes readable", start, told(written, { 2: failed })],
    ["Refines", "a batch becomes readable twice", written, world({ log: [entry(1, 0), entry(1, 1)] })]
  ]
  it("each has a step here that violates it", () => {
    const shown = new Set(table.map(([property]) => property))

    assert.deepStrictEqual(Object.keys(Properties.stepProperties).toSorted(), [...shown].toSorted())
  })
  for (const [property, what, from, to, of = idempotent] of table) {
    it(`${property} alone is violated when ${what}`, () => {
      assert.deepStrictEqual(violated(Properties.stepProperties, of, from, to), [property])
    })
  }

  for (const [was, is] of [[acknowledged(0), failed], [failed, acknowledged(0)]] as const) {
    it(`what was ${was._tag} does not become ${is._tag}`, () => {
      const found = violated(Properties.stepProperties, idempotent, told(written, { 1: was }), told(written, { 1: is }))

      assert.deepStrictEqual(found, ["LegalProducerSteps", "Refines"])
    })
  }

  it("no partition is overlooked", () => {
    const two = configuration({ Partitions: setOf("p1", "p2") })
    const initial = World.initial(two)
    const { outcomes, partitions, producer } = told(written, { 1: acknowledged(9) })
    const second: World.World = {
      ...initial,
      faults: 0,
      outcomes: [initial.outcomes[0]!, ...outcomes],
      partitions: [initial.partitions[0]!, ...partitions],
      producer: { ...producer, senders: [initial.producer.senders[0]!, ...producer.senders] }
    }

    assert.deepStrictEqual(violated(Properties.invariants, two, second), ["NoLoss"])
  })
})

it("there is a sentence for every property, and each is its own", () => {
  const names = [...Object.keys(Properties.invariants), ...Object.keys(Properties.stepProperties)]

  assert.deepStrictEqual(Object.keys(Properties.sentences).toSorted(), names.toSorted())
  assert.strictEqual(new Set(Object.values(Properties.sentences)).size, names.length)
})
