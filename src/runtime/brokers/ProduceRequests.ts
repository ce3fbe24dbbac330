/**
 * What brokers do with Produce: whole requests are judged first, then every batch by the leader of its partition, who may
 * have to ask a coordinator. `KafkaApis.handleProduceRequest`, `ReplicaManager.handleProduceAppend`.
 */
import { Clock, Effect, Result as Outcome } from "effect"
import { type Errors, type Partition, Sequence } from "../../core/index.ts"
import { BatchHeader } from "../../wire/index.ts"
import type { Api, ProduceResult } from "../client/Requests.ts"
import type * as Leader from "./Leader.ts"
import type * as Topics from "./Topics.ts"
import type * as TransactionCoordinators from "./TransactionCoordinators.ts"

/** A client's request, which may ask for any acknowledgement. */
export interface Request extends Omit<Api["Produce"]["request"], "acks"> {
  readonly acks: number
}

/** As clients have it, with the time of a batch that was there already; else -1. */
export interface Result extends ProduceResult {
  readonly timestamp: number
}

export type Produce = (
  broker: Partition.Broker,
  request: Request
) => Effect.Effect<{ readonly results: ReadonlyArray<Result> }>

/** `add.partitions.to.txn.retry.backoff.ms`. */
const retryBackoffMs = 20

/** `add.partitions.to.txn.retry.backoff.max.ms`. */
const retryBackoffMaxMs = 100

/** The outcome with the coordinator's answer, where it has to be asked. */
export const settle = (
  transactions: TransactionCoordinators.TransactionCoordinators,
  transactionalId: string | undefined,
  outcome: Leader.Produced | Leader.Verifying
): Effect.Effect<Leader.Produced & { readonly asked: Errors.Error }> => {
  if ("error" in outcome) return Effect.succeed({ ...outcome, asked: "NONE" })
  return Effect.map(
    transactionalId === undefined
      ? Effect.succeed("INVALID_TXN_STATE" as const)
      : transactions.verify(transactionalId, outcome.verification),
    (asked) => ({ ...outcome.verified(asked), asked })
  )
}

const transactionalHeaders = ({ batches }: Request): ReadonlyArray<BatchHeader.BatchHeader> =>
  batches.flatMap(({ batch }) => {
    const read = BatchHeader.read(batch)
    return Outcome.isSuccess(read) && read.success.isTransactional ? [read.success] : []
  })

/** Why no batch of the request is looked at, if so. */
const requestError = ({ acks }: Request, headers: ReadonlyArray<BatchHeader.BatchHeader>): Errors.Error => {
  const known = headers.filter(({ producerId }) => producerId !== Sequence.none)
  const producers = new Set(known.map(({ producerEpoch, producerId }) => `${producerId} ${producerEpoch}`))
  if (producers.size > 1) return "INVALID_PRODUCER_ID_MAPPING"
  return acks === 0 || acks === 1 || acks === -1 ? "NONE" : "INVALID_REQUIRED_ACKS"
}

export const make = (
  topics: Topics.Topics,
  transactions: TransactionCoordinators.TransactionCoordinators
): Produce => {
  /** Under version 2 a leader waits a little for the transaction before to be over. */
  const append = Effect.fnUntraced(function*(
    leader: Leader.Leader,
    batch: Uint8Array,
    transactionalId: string | undefined,
    arrival: Leader.Arrival,
    deadline: number
  ) {
    for (;;) {
      const { asked, ...produced } = yield* settle(transactions, transactionalId, leader.produce(batch, arrival))
      const isEarly = asked === "CONCURRENT_TRANSACTIONS" && arrival.version === 2
      if (!isEarly || (yield* Clock.currentTimeMillis) >= deadline) return produced
      yield* Effect.sleep(retryBackoffMs)
    }
  })

  return Effect.fnUntraced(function*(broker, request) {
    const { acks, batches, transactionalId, version } = request
    const headers = transactionalHeaders(request)
    const isUnauthorized = headers.length > 0 && transactionalId === undefined
    const refusal = requestError(request, headers)
    const deadline = (yield* Clock.currentTimeMillis) + retryBackoffMaxMs
    const results: Array<Result> = []
    for (const { batch, partition, topic } of batches) {
      const refuse = (error: Errors.Error) =>
        results.push({ topic, partition, error, baseOffset: Sequence.none, timestamp: Sequence.none })
      const leader = topics.leader({ topic, partition })
      if (isUnauthorized) refuse("TRANSACTIONAL_ID_AUTHORIZATION_FAILED")
      else if (leader === undefined) refuse("UNKNOWN_TOPIC_OR_PARTITION")
      else if (refusal !== "NONE") refuse(refusal)
      else if (topics.named(topic)!.isInternal) refuse("INVALID_TOPIC_EXCEPTION")
      else {
        const { error, offset: baseOffset, timestamp } = yield* append(
          leader,
          batch,
          transactionalId,
          { broker, version },
          deadline
        )
        results.push({ topic, partition, error, baseOffset, timestamp })
      }
    }
    return { results: acks === 0 ? [] : results }
  })
}
