/**
 * The races that brokers are put to. Their ids are permanent.
 */
import { Transaction } from "../../../core/index.ts"
import type { Transactions } from "../../../model/index.ts"
import type { Ask, Plan, Race, Request, Round } from "./Race.ts"

type Version = Transaction.Version

// Requests.

interface Whose {
  readonly id?: number
  readonly identity?: Transactions.Requests.Identity
}

const initProducerId = (id = 1): Request => ({ _tag: "InitProducerId", id, identity: "none" })

const addPartition = (partition: string): Request => ({
  _tag: "AddPartitionsToTxn",
  id: 1,
  identity: "current",
  partition
})

const produce = (
  version: Version,
  partition: string,
  { id = 1, identity = "current", position = "next" }: Whose & { readonly position?: "next" | "gap" } = {}
): Request => ({ _tag: "Produce", id, identity, partition, position, records: 1, version })

const commitOffset = (version: Version): Request => ({
  _tag: "Produce",
  id: 1,
  identity: "current",
  partition: Transaction.groupPartition,
  position: "none",
  records: 1,
  version
})

const endTxn = (version: Version, result: Transaction.Result, id = 1): Request => ({
  _tag: "EndTxn",
  id,
  identity: "current",
  result,
  version
})

const addedBy = (version: Version, partition: string, id = 1): ReadonlyArray<Request> =>
  version === 1 ? [{ ...addPartition(partition), id }] : []

/** Version 2 adds partitions with the first batch. */
const write = (version: Version, partition: string, id = 1): ReadonlyArray<Request> => [
  ...addedBy(version, partition, id),
  produce(version, partition, { id })
]

const commitOffsets = (version: Version): ReadonlyArray<Request> => [
  ...addedBy(version, Transaction.groupPartition),
  commitOffset(version)
]

// Plans.

const plan = (preparation: ReadonlyArray<Request>, rounds: ReadonlyArray<Round>, others: Partial<Plan> = {}): Plan => ({
  partitions: ["A"],
  transactionalIds: 1,
  group: false,
  idempotent: false,
  preparation,
  rounds,
  ...others
})

const ask = (request: Request): Ask => ({ request })

/** At the same time: each list on a connection of its own. */
const together = (...connections: ReadonlyArray<ReadonlyArray<Request>>): Round => ({
  connections: connections.map((requests) => requests.map(ask))
})

/** A transaction with a batch on each partition. */
const open = (version: Version, ...partitions: ReadonlyArray<string>): ReadonlyArray<Request> => [
  initProducerId(),
  ...partitions.flatMap((partition) => write(version, partition))
]

/** The first requests of the transaction that follows; version 2 has an epoch for it. */
const following = (version: Version): ReadonlyArray<Request> =>
  version === 1
    ? [addPartition("A"), produce(1, "A")]
    : [produce(2, "A", { identity: "next" })]

type Scenario = Omit<Race, "needsRestart" | "level"> & Partial<Pick<Race, "level">>

const race = ({ level = "MUST", ...scenario }: Scenario): Race => ({
  ...scenario,
  level,
  needsRestart: [1, 2].some((version) =>
    scenario.plan(version as Version).rounds.some(({ restart }) => restart !== undefined)
  )
})

// One transaction after the other.

const endTransaction = "TransactionCoordinator.endTransaction"

const nextTransactions: ReadonlyArray<Race> = [
  race({
    id: "race/next-transaction/same-connection",
    sentence:
      "What follows the end of a transaction at once must be refused until all its markers are written, or be part "
      + "of the next transaction; only in version 1 may a batch still fall into the one before.",
    source: `${endTransaction}, ReplicaManager.maybeSendPartitionsToTransactionCoordinator, KIP-890`,
    plan: (version) => plan(open(version, "A"), [together([endTxn(version, "COMMIT"), ...following(version)])])
  }),
  race({
    id: "race/next-transaction/other-connection",
    sentence:
      "Requests of the next transaction that overtake the end of the one before must be part of one of the two, or "
      + "be refused, and each batch must end as the transaction does that it is part of.",
    source: `${endTransaction}, ProducerStateManager, KIP-890, KAFKA-14884`,
    plan: (version) =>
      plan(
        open(version, "A", "B"),
        [together([endTxn(version, "COMMIT")], following(version))],
        { partitions: ["A", "B"] }
      )
  }),
  race({
    id: "race/next-transaction/last-batch",
    sentence: "A batch that arrives with the end of its transaction must be before the marker or be refused.",
    source: `${endTransaction}, ProducerAppendInfo.checkProducerEpoch`,
    plan: (version) => plan(open(version, "A"), [together([produce(version, "A")], [endTxn(version, "COMMIT")])])
  })
]

// A new instance.

const init = "TransactionCoordinator.handleInitProducerId, TransactionMetadata.prepareFenceProducerEpoch"

const newInstances: ReadonlyArray<Race> = [
  race({
    id: "race/new-instance/Produce",
    sentence: "When a new instance begins while the owner of an open transaction writes, what the owner wrote must be "
      + "aborted, and nothing of it be appended behind the marker.",
    source: `${init}, ProducerAppendInfo.checkProducerEpoch`,
    plan: (version) => plan(open(version, "A"), [together([produce(version, "A")], [initProducerId()])])
  }),
  race({
    id: "race/new-instance/new-partition",
    sentence: "When a new instance begins while the owner of an open transaction writes to another partition, that "
      + "partition must be part of what is aborted, or nothing be appended there.",
    source: `${init}, AddPartitionsToTxnManager, KIP-890`,
    plan: (version) =>
      plan(open(version, "A"), [together(write(version, "B"), [initProducerId()])], { partitions: ["A", "B"] })
  }),
  race({
    id: "race/new-instance/EndTxn",
    sentence:
      "When a new instance begins while the owner commits, the transaction must be committed as a whole and the "
      + "owner be told so, or be aborted as a whole and the owner be refused.",
    source: `${init}, ${endTransaction}`,
    plan: (version) =>
      plan(
        open(version, "A", "B"),
        [together([endTxn(version, "COMMIT")], [initProducerId()])],
        { partitions: ["A", "B"] }
      )
  }),
  race({
    id: "race/new-instance/abort",
    sentence:
      "When a new instance begins while the owner aborts, the transaction must be aborted everywhere, and the owner "
      + "must not be told that it goes on.",
    source: `${init}, ${endTransaction}`,
    plan: (version) =>
      plan(
        open(version, "A", "B"),
        [together([endTxn(version, "ABORT")], [initProducerId()])],
        { partitions: ["A", "B"] }
      )
  }),
  race({
    id: "race/new-instance/everything",
    sentence:
      "When a new instance begins while the owner writes here, writes there and commits, the owner's transaction "
      + "must end everywhere in the same way, with every batch that was acknowledged in it.",
    source: `${init}, ${endTransaction}, AddPartitionsToTxnManager`,
    plan: (version) =>
      plan(
        open(version, "A"),
        [together([produce(version, "A")], write(version, "B"), [endTxn(version, "COMMIT")], [initProducerId()])],
        { partitions: ["A", "B"] }
      )
  }),
  race({
    id: "race/new-instance/two",
    sentence: "Two instances that begin at the same time must not get the same epoch.",
    source: "TransactionCoordinator.handleInitProducerId, TransactionMetadata.prepareIncrementProducerEpoch",
    plan: () => plan([initProducerId()], [together([initProducerId()], [initProducerId()])])
  }),
  race({
    id: "race/new-instance/two-first",
    sentence:
      "Two instances that are the first to begin with a transactional id, at the same time, must not get the same "
      + "producer id with the same epoch.",
    source: "TransactionCoordinator.handleInitProducerId, TransactionStateManager.putTransactionStateIfNotExists",
    plan: () => plan([], [together([initProducerId()], [initProducerId()])])
  })
]

// The end of transactions.

const ends: ReadonlyArray<Race> = [
  race({
    id: "race/end/COMMIT-COMMIT",
    sentence:
      "A commit that is asked for twice at the same time must be one: both are answered with success, or one is "
      + "told to ask again.",
    source: endTransaction,
    plan: (version) => plan(open(version, "A"), [together([endTxn(version, "COMMIT")], [endTxn(version, "COMMIT")])])
  }),
  race({
    id: "race/end/COMMIT-ABORT",
    sentence:
      "When commit and abort of one transaction are asked for at the same time, one of them must be refused, and "
      + "all partitions must have the marker of the other.",
    source: endTransaction,
    plan: (version) =>
      plan(
        open(version, "A", "B"),
        [together([endTxn(version, "COMMIT")], [endTxn(version, "ABORT")])],
        { partitions: ["A", "B"] }
      )
  }),
  race({
    id: "race/end/three-on-one-partition",
    sentence: "When several transactions on one partition end at the same time, each must have one marker with its own "
      + "result, all must be readable afterwards, and the aborted one be known as such.",
    source:
      "TransactionMarkerChannelManager, ProducerStateManager.completeTxn, UnifiedLog.maybeIncrementFirstUnstableOffset",
    plan: (version) =>
      plan(
        [1, 2, 3].flatMap((id) => [initProducerId(id), ...write(version, "A", id)]),
        [together([endTxn(version, "COMMIT", 1)], [endTxn(version, "ABORT", 2)], [endTxn(version, "COMMIT", 3)])],
        { transactionalIds: 3 }
      )
  }),
  race({
    id: "race/end/new-partition",
    sentence:
      "The first batch on a partition that arrives with the end of its transaction must be before a marker or be "
      + "refused, also where the coordinator had agreed to it.",
    source: `${endTransaction}, UnifiedLog.analyzeAndValidateProducerState, KAFKA-14884`,
    plan: (version) =>
      plan(
        [...open(version, "A"), ...addedBy(version, "B")],
        [together([produce(version, "B")], [endTxn(version, "COMMIT")])],
        { partitions: ["A", "B"] }
      )
  }),
  race({
    id: "race/end/offsets",
    sentence: "Offsets that are committed with the end of their transaction must be part of it or be refused.",
    source: `${endTransaction}, GroupCoordinatorService.commitTransactionalOffsets, KIP-447`,
    plan: (version) =>
      plan(
        [...open(version, "A"), ...addedBy(version, Transaction.groupPartition)],
        [together([commitOffset(version)], [endTxn(version, "COMMIT")])],
        { group: true }
      )
  })
]

// The same batch, and batches at the same time.

const dedup = "ProducerStateEntry.findDuplicateBatch, UnifiedLog.analyzeAndValidateProducerState, KIP-98"

const batches: ReadonlyArray<Race> = [
  race({
    id: "race/batch/twice",
    sentence:
      "A batch of an idempotent producer that arrives on several connections at once must be appended once, and "
      + "each copy be answered with its offset.",
    source: dedup,
    plan: (version) =>
      plan(
        [initProducerId(), produce(version, "A")],
        [together([produce(version, "A")], [produce(version, "A")], [produce(version, "A")])],
        { idempotent: true }
      )
  }),
  race({
    id: "race/batch/first-twice",
    sentence:
      "The first batch of a transaction that arrives on two connections at once must be appended once; each copy "
      + "is answered with its offset, or told to be sent again.",
    source: `${dedup}, AddPartitionsToTxnManager.addTxnData`,
    plan: (version) =>
      plan(
        [initProducerId(), ...addedBy(version, "A")],
        [together([produce(version, "A")], [produce(version, "A")])]
      )
  }),
  race({
    id: "race/batch/two-in-no-order",
    sentence:
      "Two batches of an idempotent producer that arrive in any order must be appended in that of their sequences, "
      + "or the later one be refused.",
    source: "ProducerAppendInfo.checkSequence, KIP-98",
    plan: (version) =>
      plan(
        [initProducerId(), produce(version, "A")],
        [together([produce(version, "A")], [produce(version, "A", { position: "gap" })])],
        { idempotent: true }
      )
  }),
  race({
    id: "race/batch/two-first-in-no-order",
    sentence: "Two batches of a transaction that are its first on a partition must be appended in the order of their "
      + "sequences, whichever is verified first, or the later one be refused.",
    level: "SHOULD",
    source: "VerificationStateEntry.maybeUpdateLowestSequenceAndEpoch, ProducerAppendInfo.checkSequence, KIP-890",
    plan: (version) =>
      plan(
        [initProducerId(), ...addedBy(version, "A")],
        [together([produce(version, "A")], [produce(version, "A", { position: "gap" })])]
      )
  }),
  race({
    id: "race/batch/several-partitions",
    sentence:
      "The first batches of a transaction that go to several partitions at once must each be appended in it, or be "
      + "refused as one to send again.",
    source: "AddPartitionsToTxnManager.addTxnData, KIP-890",
    plan: (version) =>
      plan(
        [initProducerId(), ...["A", "B", "C"].flatMap((partition) => addedBy(version, partition))],
        [together(...["A", "B", "C"].map((partition) => [produce(version, partition)]))],
        { partitions: ["A", "B", "C"] }
      )
  }),
  race({
    id: "race/batch/with-offsets",
    sentence: "The first batch and the offsets of a transaction that are sent at once must both be part of it, or be "
      + "refused as something to send again.",
    source: "TransactionCoordinator.handleAddPartitionsToTransaction, AddPartitionsToTxnManager.addTxnData, KIP-447",
    plan: (version) =>
      plan([initProducerId()], [together(write(version, "A"), commitOffsets(version))], { group: true })
  })
]

// The end of a broker.

const loading = "TransactionStateManager.loadTransactionMetadata, TransactionMarkerChannelManager.addTxnMarkersToSend"

const killedWhileEnding = (result: Transaction.Result): Race =>
  race({
    id: `race/kill/${result}`,
    sentence: `A transaction whose ${result} was answered must end with it on every partition although the broker is `
      + "killed at once; one that was not answered must be open or ended as a whole, and ending it again must succeed.",
    source: `${endTransaction}, ${loading}`,
    plan: (version) =>
      plan(
        open(version, "A", "B"),
        [{ ...together([endTxn(version, result)]), restart: "kill" }, together([endTxn(version, result)])],
        { partitions: ["A", "B"] }
      )
  })

/** Each batch of the preparation again, on one connection. */
const again = (preparation: ReadonlyArray<Request>): ReadonlyArray<Ask> =>
  preparation.flatMap((request, at) => request._tag === "Produce" ? [{ request, at }] : [])

const windowOf = (restart: "kill" | "stop"): Race =>
  race({
    id: `race/${restart}/window`,
    sentence: "Of batches that are sent again the last five must be known as such and answered with their offsets, and "
      + "after a restart at least the last one; others must be refused.",
    source: `${dedup}, ProducerStateManager.takeSnapshot`,
    plan: (version) => {
      const preparation = [initProducerId(), ...Array.from({ length: 6 }, () => produce(version, "A"))]
      const resent: Round = { connections: [again(preparation)] }
      return plan(preparation, [resent, { connections: [], restart }, resent], { idempotent: true })
    }
  })

const openAcross = (restart: "kill" | "stop"): Race =>
  race({
    id: `race/${restart}/open-transaction`,
    sentence:
      "A transaction that is open when the broker ends must be open when it is back, hold up readers at the same "
      + "offset, take more batches, and be committed as a whole.",
    source: `${loading}, ProducerStateManager.loadSnapshot`,
    plan: (version) =>
      plan(
        [...open(version, "A"), produce(version, "A")],
        [{ connections: [], restart }, together([produce(version, "A"), endTxn(version, "COMMIT")])]
      )
  })

const offsetsAcross = (restart: "kill" | "stop"): Race =>
  race({
    id: `race/${restart}/pending-offsets`,
    sentence: "Offsets of a transaction that is open when the broker ends must be pending when it is back, and be "
      + "committed with the transaction.",
    source: `${loading}, OffsetMetadataManager.replay, KIP-447`,
    plan: (version) =>
      plan(
        [initProducerId(), ...commitOffsets(version)],
        [{ connections: [], restart }, together([endTxn(version, "COMMIT")])],
        { group: true }
      )
  })

const restarts: ReadonlyArray<Race> = [
  killedWhileEnding("COMMIT"),
  killedWhileEnding("ABORT"),
  race({
    id: "race/kill/Produce",
    sentence:
      "A batch that was acknowledged must be in the log after the broker was killed, and a batch that was not must be "
      + "there once after it is sent again.",
    source: `${dedup}, LogManager.loadLogs`,
    plan: (version) =>
      plan(
        [initProducerId(), produce(version, "A")],
        [{ ...together([produce(version, "A")]), restart: "kill" }, together([produce(version, "A")])],
        { idempotent: true }
      )
  }),
  ...(["kill", "stop"] as const).flatMap((restart) => [windowOf(restart), openAcross(restart), offsetsAcross(restart)])
]

/** Those that restart the broker come last. */
export const all: ReadonlyArray<Race> = [...nextTransactions, ...newInstances, ...ends, ...batches, ...restarts]
