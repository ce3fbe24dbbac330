/**
 * What brokers do with the requests of transactional producers, up to the coordinator of the transactional id: its arguments
 * are checked, and partitions are added all or none. `KafkaApis`, `TransactionCoordinator`.
 */
import { Effect } from "effect"
import { type Errors, type Partition, Sequence, Transaction } from "../../core/index.ts"
import type { Api, Identity } from "../client/Requests.ts"
import * as Topics from "./Topics.ts"
import type * as TransactionCoordinators from "./TransactionCoordinators.ts"

type Broker = Partition.Broker

export interface Options {
  readonly topics: Topics.Topics
  readonly transactions: TransactionCoordinators.TransactionCoordinators
  /** `transaction.max.timeout.ms`. */
  readonly maxTimeoutMs: number
}

const noName = { transaction: Transaction.noName } as const

const identified = ({ producerEpoch: epoch, producerId }: Identity) => ({ producerId, epoch, ...noName })

const refused = (error: Errors.Error) => ({ error, producerId: Sequence.none, producerEpoch: Sequence.none })

/** Both halves of an identity are given, or none. */
const isWhole = ({ producerEpoch, producerId }: Identity): boolean =>
  (producerId === Sequence.none) === (producerEpoch === Sequence.none)

export const make = ({ maxTimeoutMs, topics, transactions }: Options) => {
  const initProducerId = Effect.fnUntraced(function*(
    broker: Broker,
    request: Api["InitProducerId"]["request"]
  ): Effect.fn.Return<Api["InitProducerId"]["response"]> {
    const { transactionTimeoutMs, transactionalId, version } = request
    if (!isWhole(request)) return refused("INVALID_REQUEST")
    if (transactionalId === undefined) {
      return { error: "NONE", producerId: transactions.allocate(), producerEpoch: 0 }
    }
    if (transactionalId === "") return refused("INVALID_REQUEST")
    if (transactionTimeoutMs <= 0 || transactionTimeoutMs > maxTimeoutMs) return refused("INVALID_TRANSACTION_TIMEOUT")
    const { epoch: producerEpoch, error, producerId } = yield* transactions.handle(transactionalId, broker, {
      kind: "InitProducerId",
      version,
      ...identified(request)
    })
    if (error !== "NONE") return refused(error)
    transactions.limit(transactionalId, transactionTimeoutMs)
    return { error, producerId, producerEpoch }
  })

  const addPartition = (
    broker: Broker,
    request: Omit<Api["AddPartitionsToTxn"]["request"], "partitions">,
    partition: string
  ): Effect.Effect<Errors.Error> =>
    request.transactionalId === ""
      ? Effect.succeed("INVALID_REQUEST")
      : Effect.map(
        transactions.handle(request.transactionalId, broker, {
          kind: "AddPartitionsToTxn",
          version: request.version,
          partition,
          ...identified(request)
        }),
        ({ error }) => error
      )

  /** Where one of the partitions is not there, none is added. */
  const addPartitions = Effect.fnUntraced(function*(
    broker: Broker,
    request: Api["AddPartitionsToTxn"]["request"]
  ): Effect.fn.Return<Api["AddPartitionsToTxn"]["response"]> {
    const unknown = request.partitions.filter((partition) => topics.leader(partition) === undefined)
    const results = yield* Effect.forEach(request.partitions, (given) => {
      const { partition, topic } = given
      const error: Effect.Effect<Errors.Error> = unknown.length === 0
        ? addPartition(broker, request, Topics.nameOf(given))
        : Effect.succeed(unknown.includes(given) ? "UNKNOWN_TOPIC_OR_PARTITION" : "OPERATION_NOT_ATTEMPTED")
      return Effect.map(error, (error) => ({ topic, partition, error }))
    })
    return { results }
  })

  return {
    initProducerId,
    addPartitions,
    addOffsets: (
      broker: Broker,
      request: Api["AddOffsetsToTxn"]["request"]
    ): Effect.Effect<Api["AddOffsetsToTxn"]["response"]> =>
      Effect.map(addPartition(broker, request, Transaction.groupPartition), (error) => ({ error })),
    endTxn: (broker: Broker, request: Api["EndTxn"]["request"]): Effect.Effect<Api["EndTxn"]["response"]> =>
      request.transactionalId === ""
        ? Effect.succeed(refused("INVALID_REQUEST"))
        : Effect.map(
          transactions.handle(request.transactionalId, broker, {
            kind: "EndTxn",
            version: request.version,
            result: request.result,
            ...identified(request)
          }),
          ({ epoch: producerEpoch, error, producerId }) => ({ error, producerId, producerEpoch })
        )
  }
}
