import { assert, describe, it } from "@effect/vitest"
import { Errors, Limits, Museum, Producer, Rules, type Sender, Sequence } from "../../src/core/index.ts"
import {
  after,
  answer,
  bump,
  config,
  disconnect,
  expire,
  maxSequence,
  producer,
  resend,
  resolve,
  send,
  warm
} from "./support.ts"

const outOfOrder = (batch: number, partition = 0): Producer.Input =>
  answer(batch, "OUT_OF_ORDER_SEQUENCE_NUMBER", Sequence.none, partition)
const lost = (batch: number, partition = 0): Producer.Input =>
  answer(batch, "NETWORK_EXCEPTION", Sequence.none, partition)
const denied = (batch: number, partition = 0): Producer.Input =>
  answer(batch, "TOPIC_AUTHORIZATION_FAILED", Sequence.none, partition)

const plain = config({ acks: "1", idempotence: false })
const eager = config({ rules: { ...Rules.base, ...Museum.overrides["KAFKA-14034"] } })

const decided = (outputs: ReadonlyArray<Producer.Output>): ReadonlyArray<Sender.Outcome> =>
  outputs.flatMap((output) => output._tag === "Decided" ? [output.outcome] : [])

const requests = (outputs: ReadonlyArray<Producer.Output>): ReadonlyArray<Producer.Request> =>
  outputs.flatMap((output) => output._tag === "Request" ? [output.request] : [])

const sequences = (sender: Sender.Sender): Record<number, number> =>
  Object.fromEntries(Array.from(sender.batches, ([id, { sequence }]) => [id, sequence]))

describe("what is possible", () => {
  type Row = readonly [
    what: string,
    possible: boolean,
    input: Producer.Input,
    before: ReadonlyArray<Producer.Input>,
    settings?: Sender.Config,
    partitions?: ReadonlyArray<ReadonlyArray<number>>
  ]
  const oneInFlight = config({ maxInFlight: 1 })
  const two = [[1], [1]]
  const table: ReadonlyArray<Row> = [
    ["to send what is queued", true, send(), []],
    ["to send a second batch behind one in flight", true, send(), [send()]],
    ["to send at the limit of requests in flight", false, send(), [send()], oneInFlight],
    ["to send on another partition at that limit", true, send(1), [send()], oneInFlight, two],
    ["to send what was sent before", false, send(), [send(), lost(1)]],
    ["to send what was sent before, without idempotence", false, send(), [send(), lost(1)], plain],
    ["to send while the partition wants a new epoch", false, send(), [send(), send(), denied(1)]],
    ["to send while another partition's new epoch is due", false, send(1), [send(), denied(1)], config(), two],
    ["to send while another partition still waits for it", true, send(1), [send(), send(), denied(1)], config(), [
      [1, 1],
      [1]
    ]],
    ["to send while an expired batch is unresolved", false, send(), [send(), lost(1), expire(1)]],
    ["to send after that without idempotence", true, send(), [send(), lost(1), expire(1)], plain],
    ["to send after a batch expired that was never retried", true, send(), [send(), expire(1)]],

    ["to send again what was never sent", false, resend(), []],
    ["to send again what came back", true, resend(), [send(), lost(1)]],
    ["to send again what came back without idempotence", true, resend(), [send(), lost(1)], plain],
    ["to send again while a lower sequence is in flight", false, resend(), [send(), send(), disconnect(), resend()]],
    ["to send again whatever else is in flight, without idempotence", true, resend(), [
      send(),
      send(),
      disconnect(),
      resend()
    ], plain],
    ["to send again while the partition's new epoch is due", false, resend(), [send(), outOfOrder(1)]],
    ["to send again while it waits for batches that may be written", true, resend(), [
      send(),
      send(),
      denied(1),
      lost(2)
    ]],

    ["to take the answer to the oldest request", true, answer(1), [send(), send()]],
    ["to take an answer to a younger one", false, answer(2), [send(), send()]],
    ["to take an answer to nothing", false, answer(1), []],

    ["to expire the oldest queued batch", true, expire(1), []],
    ["to expire a younger queued batch", false, expire(2), []],
    ["to expire the oldest batch in flight", true, expire(1), [send(), send()]],
    ["to expire a younger batch in flight", false, expire(2), [send(), send()]],
    ["to expire the oldest queued one behind those in flight", true, expire(3), [send(), send()]],
    ["to expire a batch twice", false, expire(1), [send(), expire(1)]],
    ["to expire a batch that is decided", false, expire(1), [send(), answer(1)]],

    ["to resolve sequences when none is open", false, resolve(), []],
    ["to resolve sequences when none is open after an expiry", false, resolve(), [send(), expire(1)]],
    ["to resolve sequences when one is open", true, resolve(), [send(), lost(1), expire(1)]],
    ["to resolve sequences while a batch is undecided", false, resolve(), [send(), send(), lost(1), expire(1)]],
    ["to resolve sequences once it is decided", true, resolve(), [send(), send(), lost(1), expire(1), answer(2)]],

    ["to raise an epoch that nobody wants raised", false, bump, [send(), answer(1)]],
    ["to raise the epoch after a failure", true, bump, [send(), denied(1)]],
    ["to raise the epoch while a batch is in flight", false, bump, [send(), send(), denied(1)]],
    ["to raise the epoch while a batch may be written", false, bump, [send(), send(), denied(1), lost(2)]],
    ["to raise the epoch when a queued batch is known not to be written", true, bump, [
      send(),
      send(),
      denied(1),
      outOfOrder(2)
    ]],
    ["to raise the epoch while a batch is in flight, with KAFKA-14034", true, bump, [send(), send(), denied(1)], eager],
    ["to raise the epoch while a batch may be written, with KAFKA-14034", true, bump, [
      send(),
      send(),
      denied(1),
      lost(2)
    ], eager],
    [
      "to raise the epoch while another partition that wants it too cannot",
      false,
      bump,
      [
        send(),
        send(1),
        send(1),
        denied(1),
        denied(1, 1)
      ],
      config(),
      [[1], [1, 1]]
    ],
    [
      "to raise the epoch while a partition that does not want it has batches in flight",
      true,
      bump,
      [
        send(),
        send(1),
        denied(1)
      ],
      config(),
      two
    ],

    ["to lose a connection with nothing on it", true, disconnect(), []]
  ]
  for (const [what, possible, input, before, settings = config(), partitions = [[1, 1, 1]]] of table) {
    it(`it is ${possible ? "" : "not "}possible ${what}`, () => {
      const [state] = after(settings, producer(...partitions), ...before)

      assert.strictEqual(Producer.step(settings, state, input) !== undefined, possible)
    })
  }
})

describe("Send", () => {
  it("gives a batch its identity and the counter's sequence", () => {
    const [state, outputs] = after(config(), producer([2, 1]), send(), { _tag: "Send", partition: 0, leader: 2 })

    assert.deepStrictEqual(requests(outputs), [
      { connection: 0, broker: 2, batch: 2, producerId: 7, epoch: 0, sequence: 2, records: [2] }
    ])
    assert.strictEqual(state.senders[0]!.nextSequence, 3)
    assert.deepStrictEqual(state.senders[0]!.inFlight, [1, 2])
    assert.deepStrictEqual(state.senders[0]!.queue, [])
    assert.strictEqual(state.senders[0]!.batches.get(2)?.status, "inflight")
  })

  it("counts on over the wrap", () => {
    const [{ senders: [sender] }] = after(config(), warm(producer([2, 1]), maxSequence), send(), send())

    assert.deepStrictEqual(sequences(sender!), { 1: maxSequence, 2: 1 })
    assert.strictEqual(sender!.nextSequence, 2)
  })

  it("has no identity without idempotence", () => {
    const [state, outputs] = after(plain, producer([1]), send())

    const [request] = requests(outputs)
    assert.deepInclude(request, { producerId: Sequence.none, epoch: Sequence.none, sequence: Sequence.none })
    assert.strictEqual(state.senders[0]!.nextSequence, 0)
  })

  it("with acks=0 decides the batch, which nobody will answer", () => {
    const [{ senders: [sender] }, outputs] = after(config({ acks: "0", idempotence: false }), producer([1, 1]), send())

    assert.deepStrictEqual(decided(outputs), [{ _tag: "Acknowledged", batch: 1, offset: Sequence.none }])
    assert.strictEqual(requests(outputs).length, 1)
    assert.deepStrictEqual(sender!.inFlight, [])
    assert.deepStrictEqual([...sender!.batches.keys()], [2])
  })
})

describe("ReceiveResponse", () => {
  it("a success tells the application the offset and moves the last acknowledged sequence", () => {
    const [{ senders: [sender] }, outputs] = after(config(), producer([2, 1]), send(), send(), answer(1, "NONE", 40))

    assert.deepStrictEqual(outputs, [
      { _tag: "Decided", partition: 0, outcome: { _tag: "Acknowledged", batch: 1, offset: 40 } }
    ])
    assert.strictEqual(sender!.lastAcked, 1)
    assert.deepStrictEqual(sender!.inFlight, [2])
    assert.isFalse(sender!.batches.has(1))
  })

  it("the last acknowledged sequence of a batch over the wrap is behind it", () => {
    const [{ senders: [sender] }] = after(config(), warm(producer([2]), maxSequence), send(), answer(1))

    assert.strictEqual(sender!.lastAcked, 0)
  })

  it("an old sequence does not move the last acknowledged one back", () => {
    const state = after(config(), producer([1]), send())[0]
    const ahead = { ...state, senders: state.senders.map((sender) => ({ ...sender, lastAcked: 5 })) }

    const [{ senders: [sender] }] = after(config(), ahead, answer(1))

    assert.strictEqual(sender!.lastAcked, 5)
  })

  for (const error of Object.keys(Errors.codes) as ReadonlyArray<Errors.Error>) {
    if (error === "NONE" || error === "DUPLICATE_SEQUENCE_NUMBER") continue
    const retriable = Rules.base.IsRetriable(error)
    it(`${error} ${retriable ? "puts the batch back" : "fails the batch"}`, () => {
      const [{ senders: [sender] }, outputs] = after(config(), producer([1, 1]), send(), answer(1, error))

      const batch = sender!.batches.get(1)
      if (retriable) {
        assert.deepStrictEqual(outputs, [])
        assert.deepStrictEqual(sender!.queue, [1, 2])
        assert.strictEqual(batch?.status, "queued")
        assert.strictEqual(batch?.attempts, 1)
        assert.strictEqual(batch?.maybeWritten, !Rules.base.ProvesNotWritten(error))
        assert.strictEqual(batch?.sequence, 0)
      } else {
        assert.deepStrictEqual(decided(outputs), [{ _tag: "Failed", batch: 1, error }])
        assert.isUndefined(batch)
        assert.isTrue(sender!.epochBump)
      }
    })
  }

  it("DUPLICATE_SEQUENCE_NUMBER acknowledges the batch, at no offset", () => {
    const [{ senders: [sender] }, outputs] = after(
      config(),
      producer([1]),
      send(),
      answer(1, "DUPLICATE_SEQUENCE_NUMBER")
    )

    assert.deepStrictEqual(decided(outputs), [{ _tag: "Acknowledged", batch: 1, offset: Sequence.none }])
    assert.strictEqual(sender!.lastAcked, 0)
  })

  it("UNKNOWN_PRODUCER_ID asks for a new epoch", () => {
    const [{ senders: [sender] }] = after(config(), warm(producer([1]), 5), send(), answer(1, "UNKNOWN_PRODUCER_ID"))

    assert.isTrue(sender!.epochBump)
  })

  it("what may be written stays so, whatever a later answer says", () => {
    const [{ senders: [sender] }] = after(config(), producer([1]), send(), lost(1), resend(), outOfOrder(1))

    assert.isTrue(sender!.batches.get(1)?.maybeWritten)
  })

  for (const error of ["NETWORK_EXCEPTION", "OUT_OF_ORDER_SEQUENCE_NUMBER"] as const) {
    it(`with retries=0 even ${error} fails the batch`, () => {
      const settings = config({ retries: 0, acks: "1", idempotence: false })

      const [{ senders: [sender] }, outputs] = after(settings, producer([1]), send(), answer(1, error))

      assert.deepStrictEqual(decided(outputs), [{ _tag: "Failed", batch: 1, error }])
      assert.deepStrictEqual(sender!.queue, [])
    })
  }

  it("with retries=1 the second refusal fails the batch", () => {
    const [, outputs] = after(config({ retries: 1 }), producer([1]), send(), lost(1), resend(), lost(1))

    assert.deepStrictEqual(decided(outputs), [{ _tag: "Failed", batch: 1, error: "NETWORK_EXCEPTION" }])
  })

  it("without idempotence a failure wants no new epoch", () => {
    const [{ senders: [sender] }] = after(plain, producer([1]), send(), denied(1))

    assert.isFalse(sender!.epochBump)
  })

  it("counts retries no further than it is told", () => {
    const settings = config({ limits: { ...Limits.kafka, maxAttempts: 2 } })
    const inputs = [send(), lost(1), resend(), lost(1), resend(), lost(1)]

    const [{ senders: [sender] }] = after(settings, producer([1]), ...inputs)

    assert.strictEqual(sender!.batches.get(1)?.attempts, 2)
  })

  it("an out-of-order batch that is the next one expected wants a new epoch", () => {
    assert.isTrue(after(config(), producer([1, 1]), send(), outOfOrder(1))[0].senders[0]!.epochBump)
    assert.isTrue(after(config(), producer([1, 1]), send(), send(), answer(1), outOfOrder(2))[0].senders[0]!.epochBump)
  })

  it("an out-of-order batch behind one that is undecided does not", () => {
    const [{ senders: [sender] }] = after(config(), producer([1, 1]), send(), send(), lost(1), outOfOrder(2))

    assert.isFalse(sender!.epochBump)
  })

  it("without idempotence batches come back to the front, so two swap", () => {
    const [{ senders: [sender] }] = after(plain, producer([1, 1, 1]), send(), send(), lost(1), lost(2))

    assert.deepStrictEqual(sender!.queue, [2, 1, 3])
  })

  for (const start of [0, maxSequence]) {
    it(`with idempotence they come back in the order of sequences from ${start} on`, () => {
      const before = start === 0 ? producer([1, 1, 1]) : warm(producer([1, 1, 1]), start)

      const [{ senders: [sender] }] = after(config(), before, send(), send(), lost(1), lost(2))

      assert.deepStrictEqual(sender!.queue, [1, 2, 3])
      assert.deepStrictEqual(sequences(sender!), { 1: start, 2: start === 0 ? 1 : 0, 3: Sequence.none })
    })
  }

  it("a batch that is retried before its elder is put behind it when that comes back too", () => {
    const state = after(config(), producer([1, 1]), send(), send())[0]
    const swapped = { ...state, senders: state.senders.map((sender) => ({ ...sender, inFlight: [2, 1] })) }

    const [{ senders: [sender] }] = after(config(), swapped, lost(2), lost(1))

    assert.deepStrictEqual(sender!.queue, [1, 2])
  })
})

describe("Resend", () => {
  it("keeps to the limit of requests in flight", () => {
    const [state] = after(plain, producer([1, 1]), send(), send(), lost(1))

    assert.isUndefined(Producer.step({ ...plain, maxInFlight: 1 }, state, resend()))
    assert.isDefined(Producer.step({ ...plain, maxInFlight: 2 }, state, resend()))
  })

  it("sends the batch as it was, on the connection of today", () => {
    const [, outputs] = after(config(), producer([2, 1]), send(), disconnect(), {
      _tag: "Resend",
      partition: 0,
      leader: 2
    })

    assert.deepStrictEqual(requests(outputs), [
      { connection: 1, broker: 2, batch: 1, producerId: 7, epoch: 0, sequence: 0, records: [1, 1] }
    ])
  })

  it("sends the lowest sequence in flight, over the wrap too", () => {
    const state = after(config(), warm(producer([1, 1]), maxSequence), send(), send(), disconnect())[0]

    const [, outputs] = after(config(), state, resend())

    assert.deepStrictEqual(requests(outputs).map(({ sequence }) => sequence), [maxSequence])
    assert.isUndefined(Producer.step(config(), after(config(), state, resend())[0], resend()))
  })

  it("without idempotence sends whatever is first", () => {
    const [, outputs] = after(plain, producer([1, 1]), send(), send(), disconnect(), resend(), resend())

    assert.deepStrictEqual(requests(outputs).map(({ batch }) => batch), [1])
  })
})

describe("ExpireBatch", () => {
  const timedOut = (batch: number): ReadonlyArray<Sender.Outcome> => [
    { _tag: "Failed", batch, error: "REQUEST_TIMED_OUT" }
  ]

  it("fails a queued batch, which is gone then", () => {
    const [{ senders: [sender] }, outputs] = after(config(), producer([1, 1]), expire(1))

    assert.deepStrictEqual(decided(outputs), timedOut(1))
    assert.deepStrictEqual(sender!.queue, [2])
    assert.isFalse(sender!.batches.has(1))
  })

  it("fails a batch in flight, whose answer then only tells which sequence the leader has", () => {
    const expired = after(config(), producer([1]), send(), expire(1))
    assert.deepStrictEqual(decided(expired[1]), timedOut(1))

    const [{ senders: [acknowledged] }, told] = after(config(), expired[0], answer(1, "NONE", 4))
    assert.deepStrictEqual(told, [])
    assert.strictEqual(acknowledged!.lastAcked, 0)
    assert.strictEqual(acknowledged!.batches.size, 0)

    const [{ senders: [refused] }, untold] = after(config(), expired[0], denied(1))
    assert.deepStrictEqual(untold, [])
    assert.strictEqual(refused!.lastAcked, Sequence.none)
    assert.isFalse(refused!.epochBump)
    assert.strictEqual(refused!.batches.size, 0)
  })

  it("a lost connection forgets an expired batch without a word", () => {
    const [{ senders: [sender] }, outputs] = after(config(), producer([1]), send(), expire(1), disconnect())

    assert.deepStrictEqual(outputs, [])
    assert.deepStrictEqual(sender!.queue, [])
    assert.strictEqual(sender!.batches.size, 0)
  })

  it("the sequence after a retried batch is open then", () => {
    const [{ senders: [sender] }] = after(config(), warm(producer([2]), maxSequence), send(), lost(1), expire(1))

    assert.strictEqual(sender!.unresolved, 1)
  })

  it("the later of two such sequences is the open one", () => {
    const inputs = [send(), send(), disconnect(), expire(1), expire(2)]

    assert.strictEqual(after(config(), producer([1, 1]), ...inputs)[0].senders[0]!.unresolved, 2)
    assert.strictEqual(after(config(), warm(producer([1, 1]), maxSequence), ...inputs)[0].senders[0]!.unresolved, 1)
  })

  it("the batch that would follow the expired one wants a new epoch when it is out of order", () => {
    const before = [send(), send(), send(), disconnect(), expire(1), resend()]

    const [{ senders: [sender] }] = after(config(), producer([1, 1, 1]), ...before, outOfOrder(2))

    assert.isTrue(sender!.epochBump)
  })

  it("another batch behind an expired one does not", () => {
    const before = [send(), send(), send(), disconnect(), resend(), answer(1), resend(), expire(2)]
    const state = after(config(), producer([1, 1, 1]), ...before)[0]
    const unresolved = { ...state, senders: state.senders.map((sender) => ({ ...sender, unresolved: 9 })) }

    const [{ senders: [sender] }] = after(config(), unresolved, answer(2), resend(), outOfOrder(3))

    assert.isFalse(sender!.epochBump)
  })
})

describe("ResolveSequences", () => {
  it("does not take back a new epoch that is wanted already", () => {
    const [state] = after(config(), producer([1, 1]), send(), lost(1), resend(), expire(1), answer(1))
    const wanting = { ...state, senders: state.senders.map((sender) => ({ ...sender, epochBump: true })) }

    const [{ senders: [sender] }] = after(config(), wanting, resolve())

    assert.deepInclude(sender, { unresolved: Sequence.none, epochBump: true })
  })

  it("wants a new epoch when the expired batch left a hole", () => {
    const [{ senders: [sender] }, outputs] = after(config(), producer([1]), send(), lost(1), expire(1), resolve())

    assert.strictEqual(sender!.unresolved, Sequence.none)
    assert.isTrue(sender!.epochBump)
    assert.deepStrictEqual(outputs, [])
  })

  it("goes on when it turned out to be written", () => {
    const before = [send(), lost(1), resend(), expire(1), answer(1)]

    const [{ senders: [sender] }] = after(config(), producer([1, 1]), ...before, resolve())

    assert.strictEqual(sender!.unresolved, Sequence.none)
    assert.isFalse(sender!.epochBump)
  })
})

describe("BumpEpoch", () => {
  it("leaves open sequences behind in the old epoch", () => {
    const before = [send(), send(), lost(1), outOfOrder(2), expire(1), resend(), outOfOrder(2)]
    const [waiting] = after(config(), producer([1, 1]), ...before)

    const [bumped] = after(config(), waiting, bump)

    assert.deepInclude(waiting.senders[0], { unresolved: 1, epochBump: true })
    assert.deepInclude(bumped.senders[0], { unresolved: Sequence.none, epochBump: false })
  })

  it("raises the epoch and numbers what was sent from 0 in its old order", () => {
    const before = [send(), send(), send(), denied(1), outOfOrder(2), outOfOrder(3), bump]

    const [{ identity, senders: [sender] }] = after(config(), warm(producer([1, 2, 1, 1]), maxSequence), ...before)

    assert.deepStrictEqual(identity, { id: 7, epoch: 1 })
    assert.deepInclude(sender, { producerId: 7, epoch: 1, nextSequence: 3, lastAcked: Sequence.none, epochBump: false })
    assert.deepStrictEqual(sequences(sender!), { 2: 0, 3: 2, 4: Sequence.none })
    assert.deepStrictEqual([2, 3, 4].map((id) => sender!.batches.get(id)?.reset), [true, true, false])
  })

  it("with KAFKA-14034 it renames a batch that is in flight", () => {
    const [{ senders: [sender] }] = after(eager, producer([1, 1]), send(), send(), denied(1), bump)

    assert.deepInclude(sender!.batches.get(2), { status: "inflight", sequence: 0 })
  })

  it("takes a new producer id after the last epoch", () => {
    const settings = config({ limits: { ...Limits.kafka, maxEpoch: 1 } })

    const [last] = after(settings, producer([1, 1]), send(), denied(1), bump)
    const [next, outputs] = after(settings, last, send(), denied(2), bump)

    assert.deepStrictEqual(last.identity, { id: 7, epoch: 1 })
    assert.deepStrictEqual(next.identity, { id: 8, epoch: 0 })
    assert.deepStrictEqual(outputs, [])
  })

  it("takes the producer id that it is given then, and only then", () => {
    const settings = config({ limits: { ...Limits.kafka, maxEpoch: 1 } })
    const given: Producer.Input = { _tag: "BumpEpoch", id: 40 }

    const [last] = after(settings, producer([1, 1]), send(), denied(1), given)
    const [next] = after(settings, last, send(), denied(2), given)

    assert.deepStrictEqual(last.identity, { id: 7, epoch: 1 })
    assert.isFalse(Producer.isExhausted(settings, producer([1])))
    assert.isTrue(Producer.isExhausted(settings, last))
    assert.deepStrictEqual(next.identity, { id: 40, epoch: 0 })
  })

  it("leaves partitions alone that did not ask for it, until they next send with nothing undecided", () => {
    const two = producer([1], [1, 1, 1])
    const [bumped] = after(config(), two, send(1), answer(1, "NONE", 0, 1), send(1), send(), denied(1), bump)

    assert.deepInclude(bumped.senders[1], { epoch: 0, nextSequence: 2 })
    assert.isUndefined(Producer.step(config(), bumped, send(1)))

    const [state, outputs] = after(config(), bumped, answer(2, "NONE", 1, 1), send(1))
    assert.deepInclude(requests(outputs)[0], { batch: 3, epoch: 1, sequence: 0 })
    assert.deepInclude(state.senders[1], { epoch: 1, nextSequence: 1, lastAcked: Sequence.none })
  })

  it("a stale partition still sends again under its old identity", () => {
    const two = producer([1], [1])
    const [bumped] = after(config(), two, send(1), lost(1, 1), send(), denied(1), bump)

    const [, outputs] = after(config(), bumped, resend(1))

    assert.deepInclude(requests(outputs)[0], { epoch: 0, sequence: 0 })
  })

  it("a renamed batch that is out of order before it was sent anew wants no second epoch", () => {
    const before = [send(), send(), denied(1), bump]
    const renamed = after(eager, producer([1, 1]), ...before)[0]

    const [{ senders: [sender] }] = after(eager, renamed, outOfOrder(2))

    assert.isFalse(sender!.epochBump)
    assert.isTrue(sender!.batches.get(2)?.reset)
  })

  it("sending a renamed batch makes it one like others", () => {
    const before = [send(), send(), denied(1), outOfOrder(2), bump, resend()]

    const [{ senders: [sender] }, outputs] = after(config(), producer([1, 1]), ...before)

    assert.deepInclude(requests(outputs)[0], { epoch: 1, sequence: 0 })
    assert.isFalse(sender!.batches.get(2)?.reset)
  })
})

describe("Disconnect", () => {
  it("answers everything in flight with NETWORK_EXCEPTION, in order", () => {
    const settings = config({ retries: 1 })
    const [state] = after(settings, producer([1, 1]), send(), send(), disconnect(), resend())

    const [{ senders: [sender] }, outputs] = after(settings, state, disconnect())

    assert.deepStrictEqual(decided(outputs), [{ _tag: "Failed", batch: 1, error: "NETWORK_EXCEPTION" }])
    assert.deepStrictEqual(sender!.queue, [2])
    assert.deepStrictEqual(sender!.inFlight, [])
    assert.strictEqual(sender!.connection, 2)
  })

  it("is a matter of one partition", () => {
    const [state] = after(config(), producer([1], [1]), send(), send(1), disconnect())

    assert.deepStrictEqual(state.senders.map(({ connection }) => connection), [1, 0])
    assert.deepStrictEqual(state.senders.map(({ inFlight }) => inFlight), [[], [1]])
  })
})

describe("addPartition", () => {
  it("has nothing to send, under the identity of today", () => {
    const [before] = after(config(), producer([1]), send(), denied(1), bump)

    const { identity, senders } = Producer.addPartition(before)

    assert.deepStrictEqual(identity, { id: 7, epoch: 1 })
    assert.deepStrictEqual(senders[0], before.senders[0]!)
    assert.deepStrictEqual(senders[1], Producer.make({ id: 7, epoch: 1 }, 1).senders[0]!)
  })
})

describe("abandon", () => {
  it("forgets what is queued, and waits for what is in flight", () => {
    const [before] = after(config(), producer([1, 1, 1], [1]), send(), send(), lost(1))

    const [{ senders: [sender, other] }, batches] = Producer.abandon(before, 0)

    assert.deepStrictEqual(batches, [1, 3])
    assert.deepStrictEqual(sender!.queue, [])
    assert.deepStrictEqual(sender!.inFlight, [2])
    assert.deepStrictEqual([...sender!.batches.keys()], [2])
    assert.deepStrictEqual(other, before.senders[1]!)
  })
})

describe("renew", () => {
  it("starts at 0 under the new identity with nothing to send", () => {
    const [before] = after(config(), producer([1, 1], [1]), send(), send(1), disconnect())

    const renewed = Producer.renew(before, { id: 9, epoch: 3 })

    assert.deepStrictEqual(renewed.identity, { id: 9, epoch: 3 })
    const [fresh] = Producer.make({ id: 9, epoch: 3 }, 1).senders
    assert.deepStrictEqual(renewed.senders, [{ ...fresh!, connection: 2 }, { ...fresh!, connection: 1 }])
  })
})

describe("restart", () => {
  it("is a new producer with nothing to send, and connections that count on", () => {
    const [before] = after(config(), producer([1, 1], [1]), send(), disconnect(), resend(), send(1))

    const restarted = Producer.restart(before, 8)

    assert.deepStrictEqual(restarted.identity, { id: 8, epoch: 0 })
    assert.deepStrictEqual(restarted.senders.map(({ connection }) => connection), [2, 1])
    for (const sender of restarted.senders) {
      assert.deepInclude(sender, { producerId: 8, epoch: 0, nextSequence: 0, queue: [], inFlight: [] })
      assert.strictEqual(sender.batches.size, 0)
    }
  })
})

it("a step leaves the state that it starts from as it was", () => {
  const [state] = after(config(), producer([1, 1]), send(), send(), denied(1), outOfOrder(2))
  const copy = structuredClone(state)

  for (const input of [send(), resend(), expire(2), bump, disconnect()]) Producer.step(config(), state, input)

  assert.deepStrictEqual(state, copy)
})
