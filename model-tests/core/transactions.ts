/** Short ways to say which cluster, which producer and which request a test of transactions is about. */
import {
  Limits,
  Rules,
  Transaction,
  TransactionalPartition,
  TransactionalProducer,
  TransactionCoordinator,
  TransactionMetadata,
  TransactionRules
} from "../../src/core/index.ts"

interface Cluster {
  readonly transactionVersion?: Transaction.Version
  readonly verification?: boolean
  readonly limits?: Partial<Limits.Limits>
  readonly rules?: Partial<TransactionRules.Rules>
}

/** A cluster of version 2 that verifies, with Kafka's limits. */
export const context = (
  { limits = {}, rules = {}, transactionVersion = 2, verification = true }: Cluster = {}
): Transaction.Context => ({
  transactionVersion,
  verification,
  rules: { ...TransactionRules.base, ...rules },
  replica: { limits: { ...Limits.kafka, ...limits }, rules: Rules.base }
})

export const first: Transaction.Name = { client: 1, number: 1 }
export const second: Transaction.Name = { client: 1, number: 2 }

/** What a coordinator knows of producer 7, which had epoch 4 and has epoch 5. */
export const metadata = (over: Partial<TransactionMetadata.Metadata> = {}): TransactionMetadata.Metadata => ({
  ...TransactionMetadata.unknown,
  producerId: 7,
  previousProducerId: 7,
  epoch: 5,
  lastEpoch: 4,
  state: "Empty",
  ...over
})

/** The same in a transaction with partition A. */
export const ongoing = (over: Partial<TransactionMetadata.Metadata> = {}): TransactionMetadata.Metadata =>
  metadata({ state: "Ongoing", partitions: ["A"], version: 2, transaction: first, ...over })

export const coordinator = (
  over: Partial<TransactionCoordinator.Coordinator> = {}
): TransactionCoordinator.Coordinator => ({ ...TransactionCoordinator.initial, metadata: metadata(), ...over })

/** Producer 7 with epoch 5, and its first transaction. */
const envelope = { producerId: 7, epoch: 5, version: 2, transaction: first } as const

export const initProducerId = (
  over: Partial<TransactionalProducer.InitProducerId> = {}
): TransactionalProducer.InitProducerId => ({ ...envelope, kind: "InitProducerId", ...over })

export const addPartitionsToTxn = (
  over: Partial<TransactionalProducer.AddPartitionsToTxn> = {}
): TransactionalProducer.AddPartitionsToTxn => ({ ...envelope, kind: "AddPartitionsToTxn", partition: "A", ...over })

export const endTxn = (over: Partial<TransactionalProducer.EndTxn> = {}): TransactionalProducer.EndTxn => ({
  ...envelope,
  kind: "EndTxn",
  result: "COMMIT",
  ...over
})

export const produce = (over: Partial<TransactionalProducer.Produce> = {}): TransactionalProducer.Produce => ({
  ...envelope,
  partition: "A",
  sequence: 0,
  records: 1,
  isTransactional: true,
  generation: -1,
  input: -1,
  ...over
})

/** An offset that producer 7 commits in generation 3. */
export const offsets = (over: Partial<TransactionalProducer.Produce> = {}): TransactionalProducer.Produce =>
  produce({ partition: Transaction.groupPartition, sequence: -1, generation: 3, input: 0, ...over })

export const marker = (over: Partial<TransactionCoordinator.Marker> = {}): TransactionCoordinator.Marker => ({
  ...envelope,
  partition: "A",
  coordinatorEpoch: 0,
  result: "COMMIT",
  ...over
})

export const data = (over: Partial<TransactionalPartition.Entry> = {}): TransactionalPartition.Entry => ({
  offset: 0,
  records: 1,
  kind: "DATA",
  producerId: 7,
  epoch: 5,
  sequence: 0,
  isTransactional: true,
  coordinatorEpoch: -1,
  transaction: first,
  input: -1,
  ...over
})

export const control = (
  kind: Transaction.Result,
  over: Partial<TransactionalPartition.Entry> = {}
): TransactionalPartition.Entry => data({ kind, sequence: -1, coordinatorEpoch: 0, ...over })

/** A partition with these entries behind each other; all of it is replicated. */
export const partition = (
  entries: ReadonlyArray<TransactionalPartition.Entry> = [],
  over: Partial<TransactionalPartition.Partition> = {}
): TransactionalPartition.Partition => {
  const log = entries.map((entry, offset) => ({ ...entry, offset }))
  const highWatermark = over.highWatermark ?? log.length
  const written = { ...TransactionalPartition.initial, log, highWatermark: log.length }
  const [{ producers }] = TransactionalPartition.step(context(), written, { _tag: "LeaderChange" })!
  return { ...TransactionalPartition.initial, log, producers, highWatermark, ...over }
}

/** Takes the inputs in turn; each must be possible. The outputs are those of the last. */
export const served = (
  cluster: Transaction.Context,
  before: TransactionalPartition.Partition,
  ...inputs: ReadonlyArray<TransactionalPartition.Input>
): TransactionalPartition.Step =>
  inputs.reduce<TransactionalPartition.Step>(([state], input) => {
    const step = TransactionalPartition.step(cluster, state, input)
    if (step === undefined) throw new Error(`${input._tag} is not possible here`)
    return step
  }, [before, []])

export const handle = (sent: TransactionalProducer.Produce): TransactionalPartition.Input & {
  readonly _tag: "HandleProduce"
} => ({ _tag: "HandleProduce", produce: sent, broker: 1, generation: 3 })

export const verified = (sent: TransactionalProducer.Produce, guard = true): TransactionalPartition.Input & {
  readonly _tag: "AppendVerified"
} => ({ _tag: "AppendVerified", produce: sent, broker: 1, generation: 3, guard })

export const mark = (sent: TransactionCoordinator.Marker): TransactionalPartition.Input => ({
  _tag: "HandleMarker",
  marker: sent,
  broker: 1
})

/** The same for coordinators. */
export const coordinated = (
  cluster: Transaction.Context,
  before: TransactionCoordinator.Coordinator,
  ...inputs: ReadonlyArray<TransactionCoordinator.Input>
): TransactionCoordinator.Step =>
  inputs.reduce<TransactionCoordinator.Step>(([state], input) => {
    const step = TransactionCoordinator.step(cluster, state, input)
    if (step === undefined) throw new Error(`${input._tag} is not possible here`)
    return step
  }, [before, []])

/** A client of version 2 unless told otherwise. */
export const config = (
  version: Transaction.Version = 2,
  rules: Partial<TransactionRules.Rules> = {}
): TransactionalProducer.Config => ({ ...context({ rules }), version, client: 1 })

/** The same for producers. */
export const after = (
  settings: TransactionalProducer.Config,
  before: TransactionalProducer.Producer,
  ...inputs: ReadonlyArray<TransactionalProducer.Input>
): TransactionalProducer.Step =>
  inputs.reduce<TransactionalProducer.Step>(([state], input) => {
    const step = TransactionalProducer.step(settings, state, input)
    if (step === undefined) throw new Error(`${input._tag} is not possible here`)
    return step
  }, [before, []])

/** A producer that has just got id 7 and epoch 5. */
export const ready: TransactionalProducer.Producer = {
  ...TransactionalProducer.initial,
  state: "READY",
  producerId: 7,
  epoch: 5
}
