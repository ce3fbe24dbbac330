import { assert, describe, it } from "@effect/vitest"
import { TransactionalPartition } from "../../../src/core/index.ts"
import { Actions, type Configuration, Properties, type World } from "../../../src/model/transactions/index.ts"
import { configuration, reachable, setOf } from "./support.ts"

type Worlds = ReadonlyArray<World.World>
type Partition = TransactionalPartition.Partition

const two = configuration({ Partitions: setOf("A", "B"), TransactionsPerClient: 1, FaultBudget: 0 })
const one = configuration()
const old = configuration({ TransactionVersion: 1, TransactionsPerClient: 1 })
const group = configuration({ Group: true, TransactionsPerClient: 1, FaultBudget: 0 })
const rivals = configuration({ Clients: 2, TransactionsPerClient: 1, FaultBudget: 0 })

const all = new Map([two, one, old, group, rivals].map((of) => [of, reachable(of)] as const))

const find = (of: Configuration.Configuration, is: (world: World.World) => boolean): World.World => {
  const found = all.get(of)!.find(is)
  if (found === undefined) throw new Error("no world is like this")
  return found
}

const visible = (of: Configuration.Configuration, { partitions }: World.World): ReadonlyArray<number> =>
  partitions.map((partition) => TransactionalPartition.readCommitted(of.context, partition).length)

const withPartition = (world: World.World, place: number, over: Partial<Partition>): World.World => ({
  ...world,
  partitions: world.partitions.map((partition, i) => i === place ? { ...partition, ...over } : partition)
})

const withEntries = (
  world: World.World,
  place: number,
  edit: (entry: TransactionalPartition.Entry) => Partial<TransactionalPartition.Entry>
): World.World =>
  withPartition(world, place, {
    log: world.partitions[place]!.log.map((entry) => ({ ...entry, ...edit(entry) }))
  })

const withCoordinator = (world: World.World, over: Partial<World.World["coordinators"][number]>): World.World => ({
  ...world,
  coordinators: world.coordinators.map((coordinator) => ({ ...coordinator, ...over }))
})

const withMetadata = (
  world: World.World,
  over: Partial<World.World["coordinators"][number]["metadata"]>
): World.World => withCoordinator(world, { metadata: { ...world.coordinators[0]!.metadata, ...over } })

const withClient = (world: World.World, over: Partial<World.World["clients"][number]>): World.World => ({
  ...world,
  clients: world.clients.map((client, i) => i === 0 ? { ...client, ...over } : client)
})

const withMemory = (world: World.World, over: Partial<World.Memory>): World.World => ({
  ...world,
  history: world.history.map((memories) => memories.map((memory, i) => i === 0 ? { ...memory, ...over } : memory))
})

const emptied: Partial<Partition> = { log: [], highWatermark: 0, producers: new Map() }

describe("the rules keep", () => {
  const worlds: ReadonlyArray<readonly [string, Configuration.Configuration]> = [
    ["two partitions", two],
    ["version 2", one],
    ["a group", group],
    ["two instances", rivals]
  ]
  for (const [name, holds] of Object.entries(Properties.invariants)) {
    it(`${name} everywhere`, () => {
      for (const [what, of] of worlds) for (const world of all.get(of)!) assert.isTrue(holds(of, world), what)
    })
  }
  for (const [name, holds] of Object.entries(Properties.stepProperties)) {
    it(`${name} in every step`, () => {
      for (const [what, of] of worlds) {
        for (const world of all.get(of)!) {
          for (const step of Actions.successors(of, world)) assert.isTrue(holds(of, world, step.world), what)
        }
      }
    })
  }
})

describe("is noticed", () => {
  const committed = find(two, (world) => visible(two, world).every((count) => count === 1))
  const told = find(
    two,
    ({ history }) => history[0]![0]!.outcome === "committed" && history[0]![0]!.partitions.length === 2
  )
  const inGroup = find(group, (world) => visible(group, world).every((count) => count === 1))
  const twice = find(one, (world) => visible(one, world)[0] === 2)
  const acked = find(two, ({ clients }) => clients[0]!.batches.get("A") === "acked")
  const open = find(
    two,
    ({ coordinators, partitions }) => partitions[0]!.log.length === 1 && coordinators[0]!.metadata.state === "Ongoing"
  )
  const prepared = find(two, ({ markers }) => markers.length === 2)
  const bothReady = find(rivals, ({ clients }) => clients.every(({ state }) => state === "READY"))

  type Row = readonly [
    property: keyof typeof Properties.invariants,
    what: string,
    of: Configuration.Configuration,
    world: World.World
  ]
  const table: ReadonlyArray<Row> = [
    ["NoLoss", "an acknowledged record that is gone", two, withPartition(acked, 0, emptied)],
    ["NoLoss", "one that is not replicated", two, withPartition(acked, 0, { highWatermark: 0 })],
    [
      "NoLoss",
      "one of another transaction",
      two,
      withEntries(acked, 0, () => ({ transaction: { client: 1, number: 2 } }))
    ],
    ["Atomicity", "a record that is missing", two, withPartition(committed, 1, emptied)],
    [
      "Atomicity",
      "a record that is aborted",
      two,
      withEntries(committed, 1, ({ kind }) => kind === "DATA" ? {} : { kind: "ABORT" })
    ],
    [
      "SingleOutcome",
      "two results",
      two,
      withEntries(committed, 1, ({ kind }) => kind === "DATA" ? {} : { kind: "ABORT" })
    ],
    ["NoAbortedRead", "a record of an aborted transaction", two, withMemory(committed, { outcome: "aborted" })],
    ["NoUncommittedRead", "a record that nobody committed", two, withMemory(committed, { intent: "abort" })],
    ["NoLostCommit", "a record that is gone", two, withPartition(told, 0, emptied)],
    ["NoLostCommit", "one whose marker is not on the way", two, withCoordinator(told, { outstanding: [] })],
    ["NoLostCommit", "one of another commit", two, withMetadata(told, { transaction: { client: 1, number: 2 } })],
    ["NoLostCommit", "one that the coordinator aborts", two, withMetadata(told, { state: "PrepareAbort" })],
    ["NoDuplicate", "a record twice", one, withEntries(twice, 0, () => ({ transaction: { client: 1, number: 1 } }))],
    [
      "NoDuplicate",
      "two outputs of one input",
      group,
      withPartition(inGroup, group.partitions.indexOf("A"), twice.partitions[0]!)
    ],
    [
      "OffsetsAgreeWithOutputs",
      "an offset without output",
      group,
      withPartition(inGroup, group.partitions.indexOf("A"), emptied)
    ],
    [
      "NoHangingTransaction",
      "a transaction that its coordinator has forgotten",
      two,
      withMetadata(open, { state: "Empty" })
    ],
    ["NoHangingTransaction", "one without the partition", two, withMetadata(open, { partitions: ["B"] })],
    ["NoHangingTransaction", "one of another producer id", two, withMetadata(open, { producerId: 2 })],
    ["NoHangingTransaction", "one an epoch ahead", two, withMetadata(open, { epoch: 1 })],
    [
      "NoHangingTransaction",
      "one whose marker is not on the way",
      two,
      withCoordinator(prepared, { outstanding: ["B"] })
    ],
    [
      "NoForeignMarker",
      "the marker of another transaction",
      two,
      withEntries(committed, 0, ({ kind }) => kind === "DATA" ? {} : { transaction: { client: 1, number: 2 } })
    ],
    ["NoErrorWithoutFault", "an error", two, withClient(acked, { state: "ABORTABLE_ERROR" })],
    ["NoErrorWithoutFault", "the end", two, withClient(acked, { state: "FATAL_ERROR" })],
    [
      "NoFatalError",
      "the end of a producer",
      { ...two, faultKinds: new Set(["LeaderChange"]) },
      withClient(acked, { state: "FATAL_ERROR" })
    ],
    ["UniqueIdentity", "one epoch for two", rivals, withClient(bothReady, { epoch: bothReady.clients[1]!.epoch })],
    ["NoLastEpoch", "a client with the last epoch", two, withClient(acked, { epoch: 32767 })],
    [
      "NoStuckTransition",
      "a transition without append",
      two,
      withCoordinator(acked, { pending: "Ongoing", appending: undefined })
    ],
    ["NoStuckTransition", "markers that are lost", two, { ...prepared, markers: [] }],
    [
      "NoStuckTransition",
      "markers nobody waits for",
      two,
      { ...prepared, markers: prepared.markers.map((sent) => ({ ...sent, copy: 1 })) }
    ],
    ["MarkerOnlyAfterPrepare", "a marker that is not in the log", two, {
      ...prepared,
      transactionStates: open.transactionStates
    }],
    [
      "MarkerOnlyAfterPrepare",
      "a marker with the other result",
      two,
      {
        ...prepared,
        markers: prepared.markers.map((sent) => ({ ...sent, marker: { ...sent.marker, result: "ABORT" as const } }))
      }
    ]
  ]
  for (const [property, what, of, world] of table) {
    it(`${property}: ${what}`, () => {
      assert.isFalse(Properties.invariants[property](of, world))
    })
  }

  const hasty = configuration({ TransactionsPerClient: 1 }, { LastStableOffset: "LastStableOffset_redpanda_3036" })
  it("NoReadBeyondLastStableOffset: an open record", () => {
    assert.isFalse(Properties.invariants.NoReadBeyondLastStableOffset(hasty, open))
  })

  const unstable = configuration({ Group: true }, { IsUnstable: "IsUnstable_KAFKA_8587" })
  it("StableOffsets: an offset that may change", () => {
    const pending = find(
      group,
      ({ partitions }) =>
        TransactionalPartition.firstUnstableOffset(partitions[group.partitions.indexOf("__consumer_offsets")]!)
          !== undefined
    )

    assert.isFalse(Properties.invariants.StableOffsets(unstable, pending))
    assert.isTrue(Properties.invariants.StableOffsets(group, pending))
  })

  type StepRow = readonly [
    property: keyof typeof Properties.stepProperties,
    what: string,
    of: Configuration.Configuration,
    from: World.World,
    to: World.World
  ]
  const aborting = withMemory(withMetadata(prepared, { state: "PrepareAbort" }), { outcome: "none" })
  const complete = find(two, ({ transactionStates }) => transactionStates[0]!.state === "CompleteCommit")
  const steps: ReadonlyArray<StepRow> = [
    [
      "ZombieFenced",
      "a record of the older instance",
      rivals,
      bothReady,
      withPartition(bothReady, 0, {
        log: [{
          offset: 0,
          records: 1,
          kind: "DATA",
          producerId: 1,
          epoch: 0,
          sequence: 0,
          isTransactional: true,
          coordinatorEpoch: -1,
          transaction: {
            client: bothReady.clients.findIndex(({ epoch }) => epoch === 0) + 1,
            number: 1
          },
          input: -1
        }]
      })
    ],
    ["StableReads", "a record that is gone", two, committed, withPartition(committed, 0, emptied)],
    ["StableReads", "another record", two, committed, withEntries(committed, 0, () => ({ sequence: 7 }))],
    [
      "CompleteOnlyAfterMarkers",
      "a completion without markers",
      two,
      prepared,
      { ...prepared, transactionStates: complete.transactionStates }
    ],
    ["MonotoneEpochs", "an older epoch of the coordinator", two, withMetadata(acked, { epoch: 3 }), acked],
    ["MonotoneEpochs", "an older producer id", two, withMetadata(acked, { producerId: 3 }), acked],
    [
      "MonotoneEpochs",
      "an older epoch of the leader",
      two,
      committed,
      withPartition(committed, 0, {
        producers: new Map([[1, { ...committed.partitions[0]!.producers.get(1)!, epoch: 0 }]])
      })
    ],
    [
      "MonotoneEpochs",
      "an older coordinator",
      two,
      committed,
      withPartition(committed, 0, {
        producers: new Map([[1, { ...committed.partitions[0]!.producers.get(1)!, coordinatorEpoch: -1 }]])
      })
    ],
    [
      "MonotoneEpochs",
      "a producer that is forgotten",
      two,
      committed,
      withPartition(committed, 0, { producers: new Map() })
    ],
    [
      "LegalTransitions",
      "a transaction that was completed unprepared",
      two,
      open,
      withMetadata(open, { state: "CompleteCommit" })
    ],
    [
      "LegalTransitions",
      "an abort of nothing under version 1",
      old,
      withMetadata(acked, { state: "Empty" }),
      withMetadata(acked, { state: "PrepareAbort" })
    ],
    [
      "LegalTransitions",
      "a producer that commits from nowhere",
      two,
      bothReady,
      withClient(bothReady, { state: "COMMITTING" })
    ],
    [
      "LegalTransitions",
      "a producer that comes back",
      two,
      withClient(acked, { state: "FATAL_ERROR" }),
      withClient(acked, { state: "READY" })
    ],
    [
      "Refines",
      "a commit where an abort is decided",
      two,
      aborting,
      withMemory(aborting, { outcome: "committed" })
    ],
    ["Refines", "another outcome", two, told, withMemory(told, { outcome: "aborted" })],
    ["Refines", "an outcome that is taken back", two, told, withMemory(told, { outcome: "none" })],
    ["Refines", "another decision", two, prepared, withMetadata(prepared, { state: "PrepareAbort" })],
    ["Refines", "a record after the decision", two, withMemory(told, { partitions: ["A"] }), told],
    ["Refines", "a record that is forgotten", two, told, withMemory(told, { partitions: ["A"] })],
    ["Refines", "a record that can be read no more", two, committed, withPartition(committed, 0, emptied)],
    [
      "Refines",
      "a record that can be read before the decision",
      { ...two, context: hasty.context },
      find(two, ({ partitions }) => partitions[0]!.log.length === 0),
      open
    ]
  ]
  for (const [property, what, of, from, to] of steps) {
    it(`${property}: ${what}`, () => {
      assert.isFalse(Properties.stepProperties[property](of, from, to))
    })
  }

  it("under version 2 an abort of nothing is legal", () => {
    const [from, to] = [withMetadata(acked, { state: "Empty" }), withMetadata(acked, { state: "PrepareAbort" })]

    assert.isTrue(Properties.stepProperties.LegalTransitions(two, from, to))
  })

  it("a fence may be an epoch ahead while it is written, and when that has failed", () => {
    const { NoHangingTransaction } = Properties.invariants
    const ahead = withMetadata(open, { epoch: 1 })

    assert.isTrue(NoHangingTransaction(two, withCoordinator(ahead, { pending: "PrepareAbort" })))
    assert.isTrue(NoHangingTransaction(two, withMetadata(open, { epoch: 1, failedEpochFence: true })))
    assert.isFalse(NoHangingTransaction(two, withMetadata(open, { epoch: 2, failedEpochFence: true })))
  })
})

it("some worlds of every configuration have something to read", () => {
  const shown: ReadonlyArray<readonly [Configuration.Configuration, Worlds]> = [...all]
  for (const [of, worlds] of shown) assert.isTrue(worlds.some((world) => visible(of, world).some((count) => count > 0)))
})
