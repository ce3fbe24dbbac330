/** A small world for tests of consumers: brokers in the process, records put there without a producer, passing time. */
import { Effect, Fiber, Layer } from "effect"
import { TestClock } from "effect/testing"
import type { Transaction } from "../../../src/core/index.ts"
import { Cluster } from "../../../src/runtime/brokers/index.ts"
import * as Consumer from "../../../src/runtime/client/Consumer.ts"
import type * as ConsumerConfig from "../../../src/runtime/client/ConsumerConfig.ts"
import type { ConsumerRecord } from "../../../src/runtime/client/ConsumerRecord.ts"
import {
  type Api,
  type ApiKey,
  Connections,
  Disconnected,
  type Identity
} from "../../../src/runtime/client/Requests.ts"
import { RecordBatch } from "../../../src/wire/index.ts"

const encoder = new TextEncoder()
const decoder = new TextDecoder()

/** Topic `t` with three partitions, and `u` with one. */
export const brokers = Cluster.Cluster.layer({ topics: { t: 3, u: 1 } })

export const t = (partition: number) => ({ topic: "t", partition })

/** Lets the time go by until the effect is done, in steps of so many milliseconds. */
export const passing = Effect.fnUntraced(function*<A, E, R>(effect: Effect.Effect<A, E, R>, step = 50) {
  const fiber = yield* Effect.forkChild(effect)
  for (let waited = 0; fiber.pollUnsafe() === undefined; waited += step) {
    if (waited > 3_600_000) return yield* Effect.die(new Error("an hour, and it is not done"))
    yield* TestClock.adjust(step)
  }
  return yield* Fiber.join(fiber)
})

/** Asks one broker after the other until one does what was asked. */
const ask = Effect.fnUntraced(function*<Key extends ApiKey>(
  api: Key,
  request: Api[Key]["request"],
  isDone: (response: Api[Key]["response"]) => boolean
) {
  const { bootstrap, send } = yield* Connections
  for (const node of bootstrap) {
    const response = yield* Effect.option(send(node, api, request))
    if (response._tag === "Some" && isDone(response.value)) return response.value
  }
  return yield* Effect.die(new Error(`no broker does ${api}`))
})

const isDone = (response: { readonly error: string }): boolean => response.error === "NONE"

const nobody: Identity = { producerId: -1, producerEpoch: -1 }

export const batch = (values: ReadonlyArray<string>, identity = nobody, sequence = -1, isTransactional = false) =>
  RecordBatch.encode({
    compression: "none",
    ...identity,
    baseSequence: sequence,
    isTransactional,
    isControl: false,
    records: values.map((value) => ({ timestamp: 0, key: null, value: encoder.encode(value), headers: [] }))
  })

const produce = (partition: number, bytes: Uint8Array, transactionalId?: string) =>
  ask(
    "Produce",
    { acks: -1, transactionalId, version: 2, batches: [{ ...t(partition), batch: bytes }] },
    ({ results }) => results.every(isDone)
  )

/** Puts one batch into a partition of `t`. */
export const put = (partition: number, ...values: ReadonlyArray<string>) => produce(partition, batch(values))

/** A transaction of this id, one batch in each partition that has values, that stays open. */
export const begin = Effect.fnUntraced(function*(
  transactionalId: string,
  values: Readonly<Record<number, ReadonlyArray<string>>>
) {
  const { error: _, ...identity } = yield* ask(
    "InitProducerId",
    { ...nobody, transactionalId, transactionTimeoutMs: 600_000, version: 2 },
    isDone
  )
  for (const [partition, of] of Object.entries(values)) {
    yield* produce(Number(partition), batch(of, identity, 0, true), transactionalId)
  }
  return {
    commitOffset: (group: string, partition: number, offset: number) =>
      ask("TxnOffsetCommit", {
        ...identity,
        transactionalId,
        version: 2,
        group,
        generation: -1,
        member: "",
        offsets: [{ ...t(partition), offset }]
      }, ({ results }) => results.every(isDone)),
    end: (result: Transaction.Result) => ask("EndTxn", { ...identity, transactionalId, version: 2, result }, isDone)
  }
})

export const transaction = Effect.fnUntraced(function*(
  transactionalId: string,
  result: Transaction.Result,
  values: Readonly<Record<number, ReadonlyArray<string>>>
) {
  const { end } = yield* begin(transactionalId, values)
  yield* end(result)
})

/** A consumer that ends with the scope. It begins at the start and commits when told to, if not told otherwise. */
export const consumer = (given: ConsumerConfig.Given) =>
  Consumer.make({ "auto.offset.reset": "earliest", "enable.auto.commit": false, ...given })

export const text = ({ value }: ConsumerRecord): string => decoder.decode(value!)

/** Polls until so many records were given; their values. */
export const polled = Effect.fnUntraced(function*(from: Consumer.Consumer["Service"], count: number) {
  const found: Array<string> = []
  while (found.length < count) for (const record of yield* from.poll) found.push(text(record))
  return found
})

type Answers = {
  readonly [Key in ApiKey]?: (
    request: Api[Key]["request"]
  ) => Api[Key]["response"] | "disconnect" | Effect.Effect<Api[Key]["response"]>
}

export interface Sent {
  readonly api: ApiKey
  readonly request: Api[ApiKey]["request"]
}

/**
 * One broker, of which each request is answered by a function; what it has no answer for ends the connection. The requests
 * go into `sent`.
 */
export const scripted = (answers: Answers, sent: Array<Sent> = []): Layer.Layer<Connections> =>
  Layer.succeed(Connections, {
    bootstrap: [1],
    send: (node, api, request) =>
      Effect.suspend(() => {
        sent.push({ api, request })
        const answer = answers[api]?.(request) ?? "disconnect"
        if (answer === "disconnect") return Effect.fail(new Disconnected({ node, api }))
        return Effect.isEffect(answer) ? answer : Effect.succeed(answer)
      })
  })
