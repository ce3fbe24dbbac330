/**
 * The transactional half of a producer: the core's `TransactionalProducer`, the calls of the application, and the requests
 * to the coordinators. Kafka's `TransactionManager`.
 *
 * The core knows one batch for each partition and transaction. All batches of a partition in a transaction are that one: it
 * is sent when the first of them is, it failed when the first of them has, and it is acknowledged when the transaction is
 * to end and nothing of it is outstanding. The batches themselves are numbered and sent again by the core's `Producer`,
 * which begins again at 0 whenever the identity here has changed. The same holds for a group's offsets: all calls of
 * `sendOffsetsToTransaction` are one batch.
 *
 * Turns are synchronous, so that they do not overlap. What is to be done after a turn is left to fibers.
 */
import { Deferred, Effect } from "effect"
import {
  Errors,
  Limits,
  Rules,
  Sequence,
  Transaction,
  TransactionalProducer,
  TransactionRules
} from "../../core/index.ts"
import * as Backoff from "./Backoff.ts"
import type { ClusterMetadata } from "./ClusterMetadata.ts"
import { BrokerRefused } from "./ConsumerErrors.ts"
import * as ProducerErrors from "./ProducerErrors.ts"
import { type FatalError, IllegalState, ProducerTimeout, TransactionAbortable } from "./ProducerErrors.ts"
import type { Api, CommittedOffset, Member, NodeId, TopicPartition } from "./Requests.ts"

const { groupPartition } = Transaction

/** What keeps a transaction from going on. */
export type TransactionFailure = TransactionAbortable | FatalError

export type CallError = TransactionFailure | ProducerTimeout | IllegalState

type Call = "initTransactions" | "commitTransaction" | "abortTransaction"

/** A partition that the producer knows, and the string that it is found by. */
export type Partition = TopicPartition & { readonly key: string }

export interface TransactionManager {
  /** What batches are to be stamped with; `undefined` without one. */
  readonly identity: () => { readonly id: number; readonly epoch: number } | undefined
  /** Why the application cannot write now, if it cannot. */
  readonly refusal: (call: string) => TransactionFailure | IllegalState | undefined
  /** What keeps the transaction from being committed, if anything does. */
  readonly failure: () => TransactionFailure | undefined
  /** Whether a transaction was begun and has not ended. */
  readonly isOpen: () => boolean
  /** Whether the transaction is to end, so that nothing waits for more records. */
  readonly isEnding: () => boolean
  /** Whether what is not sent yet is to be dropped. */
  readonly isDoomed: () => boolean
  /** Whether a batch of the partition has failed, so that the sequences of those behind it are of no use. */
  readonly isBroken: (partition: Partition) => boolean
  /** A record for the partition was appended. */
  readonly appended: (partition: Partition) => void
  /** Whether a batch of the partition may be sent for the first time; if it may, it counts as sent. */
  readonly sending: (partition: Partition) => boolean
  /** A batch that was sent has failed. */
  readonly failed: (partition: Partition, error: Errors.Error) => void
  /** A record has failed that was not sent. */
  readonly refused: (error: Errors.Error) => void
  /** Goes on as far as it can, with so many batches of the transaction outstanding. */
  readonly advance: (outstanding: number) => void

  readonly initTransactions: Effect.Effect<void, CallError | BrokerRefused>
  readonly beginTransaction: Effect.Effect<void, TransactionFailure | IllegalState>
  readonly commitTransaction: Effect.Effect<void, CallError>
  readonly abortTransaction: Effect.Effect<void, CallError>
  readonly sendOffsetsToTransaction: (
    offsets: ReadonlyArray<CommittedOffset>,
    member: Member
  ) => Effect.Effect<void, CallError>
}

export interface Options {
  readonly transactionalId: string
  /** `transaction.timeout.ms`. */
  readonly transactionTimeout: number
  /** `max.block.ms`. */
  readonly maxBlock: number
  /** The protocol of transactions that the client speaks. */
  readonly version: Transaction.Version
  readonly cluster: ClusterMetadata
  readonly backoff: Backoff.Backoff
  /** Runs something beside the turn that begins it. */
  readonly start: (effect: Effect.Effect<void>) => void
  /** There may be something to do for the sender. */
  readonly wake: () => void
}

/** A call of the application that has not come to its end. */
interface Pending {
  readonly call: Call
  readonly result: Deferred.Deferred<void, CallError | BrokerRefused>
  isSettled: boolean
}

/** `TransactionManager.ADD_PARTITIONS_RETRY_BACKOFF_MS`: the transaction before is ending, which takes little time. */
const ADD_PARTITIONS_RETRY_BACKOFF = 20

/** A producer without identity; what it asks runs by `start`. */
export const make = (options: Options): TransactionManager => {
  const { backoff, cluster, maxBlock, start, transactionalId, transactionTimeout, version, wake } = options
  const config: TransactionalProducer.Config = {
    transactionVersion: version,
    verification: true,
    rules: TransactionRules.base,
    replica: { rules: Rules.base, limits: Limits.kafka },
    version,
    client: 0
  }
  const coordinators = new Map<string, NodeId>()
  /** The partitions of the transaction, by key. */
  const partitions = new Map<string, Partition>()
  /** Those of them that version 1 has to add still. */
  const unadded = new Set<string>()
  const produces = new Map<string, TransactionalProducer.Produce>()
  let producer = TransactionalProducer.initial
  /** `beginTransaction` was called. The core's transaction begins with the first batch. */
  let isBegun = false
  let hasEnded = false
  let group: string | undefined
  /** Calls of `sendOffsetsToTransaction` that are under way. */
  let offsetCommits = 0
  let pending: Pending | undefined
  /** Why the state is what it is. */
  let cause: Errors.Error = "NONE"
  let listeners: Array<() => void> = []

  const failure = (): TransactionFailure | undefined => {
    switch (producer.state) {
      case "ABORTABLE_ERROR":
        return new TransactionAbortable({ error: cause })
      case "FATAL_ERROR":
        return ProducerErrors.fatal(cause)
      default:
        return undefined
    }
  }

  /** Takes a turn for this reason, whose requests are still to be made; `undefined` if it is not possible. */
  const turn = (
    input: TransactionalProducer.Input,
    reason: Errors.Error = "NONE"
  ): ReadonlyArray<TransactionalProducer.Request> | undefined => {
    const next = TransactionalProducer.step(config, producer, input)
    if (next === undefined) return undefined
    if (next[0].state !== producer.state) cause = reason
    producer = next[0]
    const requests: Array<TransactionalProducer.Request> = []
    for (const output of next[1]) {
      switch (output._tag) {
        case "Request":
          requests.push(output.request)
          break
        case "Produce":
          produces.set(output.produce.partition, output.produce)
          break
        case "Ended":
          hasEnded = true
      }
    }
    return requests
  }

  /** Takes a turn and begins what it asks for; whether it was possible. */
  const take = (input: TransactionalProducer.Input, reason?: Errors.Error): boolean => {
    const requests = turn(input, reason)
    for (const request of requests ?? []) start(perform(request))
    settle()
    return requests !== undefined
  }

  /** What the pending call comes to, if that is known. */
  const resultOf = (call: Call): Effect.Effect<void, CallError | BrokerRefused> | undefined => {
    const { state, waiting } = producer
    const failed = failure()
    if (call === "initTransactions") {
      if (failed !== undefined) return Effect.fail(failed)
      if (state === "READY") return Effect.void
      return state === "UNINITIALIZED" && !waiting
        ? Effect.fail(new BrokerRefused({ api: "InitProducerId", error: cause }))
        : undefined
    }
    if (failed !== undefined && (failed._tag !== "TransactionAbortable" || call === "commitTransaction")) {
      return Effect.fail(failed)
    }
    return hasEnded && !waiting ? Effect.void : undefined
  }

  const forgetTransaction = (): void => {
    isBegun = false
    hasEnded = false
    group = undefined
    partitions.clear()
    unadded.clear()
    produces.clear()
  }

  /** Tells who waits for it what the last turn came to. Nobody goes on before this one is over. */
  const settle = (): void => {
    const result = pending === undefined || pending.isSettled ? undefined : resultOf(pending.call)
    if (pending !== undefined && result !== undefined) {
      pending.isSettled = true
      if (hasEnded) forgetTransaction()
      const { result: told } = pending
      start(Effect.asVoid(Deferred.complete(told, result)))
    }
    const hearing = listeners
    listeners = []
    for (const hear of hearing) start(Effect.sync(hear))
    wake()
  }

  const isCoordinatorLost = (error: Errors.Error): boolean =>
    error === "NOT_COORDINATOR" || error === "COORDINATOR_NOT_AVAILABLE" || error === "NETWORK_EXCEPTION"

  /** Asks the coordinator, which is found first; fails with an error where there is no answer. */
  const askCoordinator = <
    Key extends "InitProducerId" | "AddPartitionsToTxn" | "AddOffsetsToTxn" | "EndTxn" | "TxnOffsetCommit"
  >(
    keyType: "group" | "transaction",
    key: string,
    api: Key,
    request: Api[Key]["request"]
  ): Effect.Effect<Api[Key]["response"], Errors.Error> =>
    Effect.gen(function*() {
      let node = coordinators.get(`${keyType} ${key}`)
      if (node === undefined) {
        const found = yield* cluster.askAny("FindCoordinator", { key, keyType })
        if (found.error !== "NONE") return yield* Effect.fail(found.error)
        node = found.node
        coordinators.set(`${keyType} ${key}`, node)
      }
      return yield* cluster.ask(node, api, request)
    }).pipe(
      Effect.mapError((error) => typeof error === "string" ? error : "NETWORK_EXCEPTION")
    )

  const forgetCoordinator = (keyType: "group" | "transaction", key: string, error: Errors.Error): void => {
    if (isCoordinatorLost(error)) coordinators.delete(`${keyType} ${key}`)
  }

  /** A request to the transaction coordinator, and its answer in the core's terms. */
  const ask = (request: TransactionalProducer.Request): Effect.Effect<TransactionalProducer.Answer> => {
    const { epoch, producerId } = request
    const from = { transactionalId, producerId, producerEpoch: epoch, version }
    const kept = (error: Errors.Error): TransactionalProducer.Answer => ({ error, producerId, epoch })
    const given = (answer: Api["EndTxn"]["response"]): TransactionalProducer.Answer =>
      answer.error === "NONE"
        ? { error: "NONE", producerId: answer.producerId, epoch: answer.producerEpoch }
        : kept(answer.error)
    const answer = ((): Effect.Effect<TransactionalProducer.Answer, Errors.Error> => {
      switch (request.kind) {
        case "InitProducerId":
          return Effect.map(
            askCoordinator("transaction", transactionalId, "InitProducerId", {
              ...from,
              transactionTimeoutMs: transactionTimeout
            }),
            given
          )
        case "AddPartitionsToTxn":
          return request.partition === groupPartition
            ? Effect.map(
              askCoordinator("transaction", transactionalId, "AddOffsetsToTxn", { ...from, group: group ?? "" }),
              ({ error }) => kept(error)
            )
            : Effect.map(
              askCoordinator("transaction", transactionalId, "AddPartitionsToTxn", {
                ...from,
                partitions: [partitions.get(request.partition)!]
              }),
              ({ results }) => kept(results[0]!.error)
            )
        case "EndTxn":
          return Effect.map(
            askCoordinator("transaction", transactionalId, "EndTxn", { ...from, result: request.result }),
            // Only version 2 has an identity in the answer.
            (answered) => version === 2 ? given(answered) : kept(answered.error)
          )
      }
    })()
    return Effect.match(answer, { onSuccess: (told) => told, onFailure: kept })
  }

  const delayOf = Effect.fnUntraced(
    function*(request: TransactionalProducer.Request, error: Errors.Error, attempts: number) {
      const delay = yield* Backoff.delay(backoff, attempts)
      return request.kind === "AddPartitionsToTxn" && error === "CONCURRENT_TRANSACTIONS" && producer.batches.size === 1
        ? Math.min(delay, ADD_PARTITIONS_RETRY_BACKOFF)
        : delay
    }
  )

  /** Makes a request, again and again as long as the core wants to. */
  const perform = Effect.fnUntraced(function*(request: TransactionalProducer.Request): Effect.fn.Return<void> {
    for (let attempts = 1;; attempts++) {
      const answer = yield* ask(request)
      const { error } = answer
      forgetCoordinator("transaction", transactionalId, error)
      const requests = turn({ _tag: "ReceiveAnswer", request, answer }, error) ?? []
      if (!requests.includes(request)) {
        for (const next of requests) start(perform(next))
        return settle()
      }
      yield* Effect.sleep(yield* delayOf(request, error, attempts))
    }
  })

  /** With nothing outstanding, what was sent of the transaction is acknowledged. */
  const acknowledge = (): void => {
    for (const [partition, batch] of producer.batches) {
      if (batch === "inflight") turn({ _tag: "ReceiveProduceAnswer", produce: produces.get(partition)!, error: "NONE" })
    }
  }

  /** A transaction of which nothing was sent ends without the coordinator. */
  const end = (input: TransactionalProducer.Input): void => {
    acknowledge()
    if (producer.state === "READY") {
      hasEnded = true
      settle()
    } else {
      take(input)
    }
  }

  const addNext = (): boolean => {
    for (const partition of unadded) {
      unadded.delete(partition)
      if (take({ _tag: "AddPartitionsToTxn", partition })) return true
    }
    return false
  }

  const failed = (partition: { readonly key: string }, error: Errors.Error): void => {
    // What passes by itself has not passed, or has run out of attempts: nobody knows whether it is written.
    const produce = produces.get(partition.key)
    if (Errors.isRetriable(error) || produce === undefined) {
      take({ _tag: "ExpireBatch", partition: partition.key }, error)
    } else take({ _tag: "ReceiveProduceAnswer", produce, error }, error)
  }

  const refused = (error: Errors.Error): void => {
    const next = TransactionalProducer.refuseRecord(producer)
    if (next.state !== producer.state) cause = error
    producer = next
    settle()
  }

  const illegal = (call: string, reason: string): IllegalState => new IllegalState({ call, reason })

  const refusal = (call: string): TransactionFailure | IllegalState | undefined => {
    if (pending !== undefined) return illegal(call, `${pending.call} has not come to its end`)
    return failure() ?? (isBegun ? undefined : illegal(call, "no transaction was begun"))
  }

  const timeout = (operation: string): ProducerTimeout =>
    new ProducerTimeout({ operation, property: "max.block.ms", limit: maxBlock })

  /** A call that may take longer than the application waits for it; it is repeated then. */
  const call = <E extends CallError | BrokerRefused>(
    name: Call,
    begin: () => TransactionFailure | IllegalState | undefined
  ): Effect.Effect<void, E | CallError> =>
    Effect.suspend(() => {
      if (pending !== undefined && pending.call !== name) {
        return Effect.fail(illegal(name, `${pending.call} has not come to its end: repeat it`))
      }
      if (pending === undefined) {
        const refusedWith = begin()
        if (refusedWith !== undefined) return Effect.fail(refusedWith)
        pending = { call: name, result: Deferred.makeUnsafe<void, CallError | BrokerRefused>(), isSettled: false }
        settle()
      }
      const current = pending
      const consume = Effect.sync(() => {
        if (current.isSettled && pending === current) pending = undefined
      })
      // Only initTransactions is ever refused.
      return (Deferred.await(current.result) as Effect.Effect<void, E | CallError>).pipe(
        Effect.ensuring(consume),
        Effect.timeoutOrElse({ duration: maxBlock, orElse: () => Effect.fail(timeout(name)) })
      )
    })

  /** Waits for a turn after which it holds. */
  const until = (holds: () => boolean): Effect.Effect<void> =>
    Effect.gen(function*() {
      while (!holds()) {
        yield* Effect.callback<void>((resume) => {
          listeners.push(() => resume(Effect.void))
        })
      }
    })

  const isGroupAdded = (): boolean => {
    const batch = producer.batches.get(groupPartition)
    return batch === "added" || batch === "inflight"
  }

  const commitOffsets = Effect.fnUntraced(function*(offsets: ReadonlyArray<CommittedOffset>, member: Member) {
    if (version === 1 && !isGroupAdded()) {
      if (!producer.batches.has(groupPartition)) unadded.add(groupPartition)
      wake()
      yield* until(() => isGroupAdded() || failure() !== undefined)
    }
    if (failure() === undefined && producer.batches.get(groupPartition) !== "inflight") {
      take({ _tag: "SendProduce", partition: groupPartition })
    }
    let left = offsets
    for (let attempts = 1;; attempts++) {
      const stopped = failure()
      if (stopped !== undefined) return yield* stopped
      const { epoch, producerId } = producer
      const request = { transactionalId, producerId, producerEpoch: epoch, version, ...member, offsets: left }
      const results = yield* askCoordinator("group", member.group, "TxnOffsetCommit", request).pipe(
        Effect.match({
          onSuccess: (response) => response.results,
          onFailure: (error) => left.map(({ partition, topic }) => ({ topic, partition, error }))
        })
      )
      const failures = results.filter(({ error }) => error !== "NONE")
      if (failures.length === 0) return
      for (const { error } of failures) {
        forgetCoordinator("group", member.group, error === "REQUEST_TIMED_OUT" ? "NOT_COORDINATOR" : error)
      }
      const definite = failures.find(({ error }) => !Errors.isRetriable(error))
      if (definite !== undefined) failed({ key: groupPartition }, definite.error)
      left = left.filter((offset) =>
        failures.some(({ partition, topic }) => partition === offset.partition && topic === offset.topic)
      )
      if (definite === undefined) yield* Effect.sleep(yield* Backoff.delay(backoff, attempts))
    }
  })

  /** Nobody waits for the offsets any more, and nobody knows whether they are committed. */
  const abandonOffsets = Effect.sync(() => {
    if (producer.batches.get(groupPartition) === "inflight") failed({ key: groupPartition }, "REQUEST_TIMED_OUT")
    else refused("REQUEST_TIMED_OUT")
  })

  const { none } = Sequence
  return {
    identity: () => producer.producerId === none ? undefined : { id: producer.producerId, epoch: producer.epoch },
    refusal,
    failure,
    isOpen: () => isBegun && producer.state !== "FATAL_ERROR",
    isEnding: () => pending !== undefined && !pending.isSettled,
    isDoomed: () =>
      failure() !== undefined || (pending !== undefined && pending.call === "abortTransaction" && !pending.isSettled),
    isBroken: ({ key }) => producer.batches.get(key) === "failed",
    appended: (partition) => {
      if (partitions.has(partition.key)) return
      partitions.set(partition.key, partition)
      if (version === 1) unadded.add(partition.key)
    },
    sending: ({ key }) => {
      const batch = producer.batches.get(key)
      return batch === "inflight"
        ? producer.state === "IN_TRANSACTION"
        : turn({ _tag: "SendProduce", partition: key }) !== undefined
    },
    failed,
    refused,
    advance: (outstanding) => {
      if (producer.waiting || addNext()) return
      if (pending === undefined || pending.isSettled || outstanding + offsetCommits > 0) return
      if (pending.call === "commitTransaction") end({ _tag: "Commit" })
      else if (pending.call === "abortTransaction") end({ _tag: "Abort" })
    },

    initTransactions: call<CallError | BrokerRefused>("initTransactions", () => {
      const stopped = failure()
      if (stopped !== undefined) return stopped
      return take({ _tag: "InitTransactions" }) ? undefined : illegal("initTransactions", "it was called before")
    }),
    beginTransaction: Effect.suspend((): Effect.Effect<void, TransactionFailure | IllegalState> => {
      const stopped = failure()
      if (stopped !== undefined) return Effect.fail(stopped)
      if (pending !== undefined) {
        return Effect.fail(illegal("beginTransaction", `${pending.call} has not come to its end`))
      }
      if (isBegun) return Effect.fail(illegal("beginTransaction", "a transaction was begun before and has not ended"))
      if (producer.state !== "READY") return Effect.fail(illegal("beginTransaction", "initTransactions was not called"))
      isBegun = true
      return Effect.void
    }),
    commitTransaction: call<CallError>("commitTransaction", () => refusal("commitTransaction")),
    abortTransaction: call<CallError>("abortTransaction", () => {
      const stopped = failure()
      if (stopped !== undefined && stopped._tag !== "TransactionAbortable") return stopped
      if (stopped === undefined && !isBegun) return illegal("abortTransaction", "no transaction was begun")
      unadded.clear()
      return undefined
    }),
    sendOffsetsToTransaction: (offsets, member) =>
      Effect.suspend((): Effect.Effect<void, CallError> => {
        const refusedWith = refusal("sendOffsetsToTransaction")
        if (refusedWith !== undefined) return Effect.fail(refusedWith)
        if (offsets.length === 0) return Effect.void
        if (group !== undefined && group !== member.group) {
          return Effect.fail(
            illegal("sendOffsetsToTransaction", `the transaction has offsets of group ${group} already`)
          )
        }
        group = member.group
        offsetCommits += 1
        return commitOffsets(offsets, member).pipe(
          Effect.onInterrupt(() => abandonOffsets),
          Effect.ensuring(Effect.sync(() => {
            offsetCommits -= 1
            wake()
          })),
          Effect.timeoutOrElse({ duration: maxBlock, orElse: () => Effect.fail(timeout("sendOffsetsToTransaction")) })
        )
      })
  }
}
