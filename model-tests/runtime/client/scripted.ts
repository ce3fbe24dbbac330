/**
 * A broker that answers by a script: what a test does not say is answered as a healthy cluster of one broker would. It
 * keeps every request, and every record that it has taken.
 */
import { Effect, Layer, Result } from "effect"
import type { Errors } from "../../../src/core/index.ts"
import { type Api, type ApiKey, Connections, Disconnected } from "../../../src/runtime/client/Requests.ts"
import { type BatchHeader, RecordBatch } from "../../../src/wire/index.ts"

type Response<Key extends ApiKey> = Effect.Effect<Api[Key]["response"], "disconnected">
type Handler<Key extends ApiKey> = (request: Api[Key]["request"]) => Response<Key>

export interface Taken {
  readonly partition: string
  readonly header: BatchHeader.BatchHeader
  readonly values: ReadonlyArray<string>
}

export interface Request<Key extends ApiKey = ApiKey> {
  readonly node: number
  readonly api: Key
  readonly request: Api[Key]["request"]
}

export interface Broker {
  readonly layer: Layer.Layer<Connections>
  /** Answers the next request of the API like this; more calls answer the ones after it. */
  readonly next: <Key extends ApiKey>(api: Key, handler: Handler<Key>) => void
  /** Answers all requests of the API like this that nothing else is said about. */
  readonly always: <Key extends ApiKey>(api: Key, handler: Handler<Key>) => void
  readonly requests: ReadonlyArray<Request>
  readonly of: <Key extends ApiKey>(api: Key) => ReadonlyArray<Request<Key>>
  /** Batches in the order in which they were taken. */
  readonly taken: ReadonlyArray<Taken>
  /** What is healthy, for handlers that want it later. */
  readonly healthy: { readonly [Key in ApiKey]?: Handler<Key> }
}

export const never: Response<never> = Effect.never
export const disconnected: Response<never> = Effect.fail("disconnected")

/** Every batch of the request is refused. */
export const refuse = (error: Errors.Error): Handler<"Produce"> => ({ batches }) =>
  Effect.succeed({ results: batches.map(({ partition, topic }) => ({ topic, partition, error, baseOffset: -1 })) })

export const valuesOf = (bytes: Uint8Array): ReadonlyArray<string> =>
  Result.getOrThrow(RecordBatch.decode(bytes)).records.map(({ value }) => Buffer.from(value!).toString())

/** A broker with these topics, and how many partitions each has. */
export const make = (topics: Readonly<Record<string, number>> = { t: 1 }): Broker => {
  const requests: Array<Request> = []
  const taken: Array<Taken> = []
  const ends = new Map<string, number>()
  const scripts = new Map<ApiKey, Array<unknown>>()
  const overrides = new Map<ApiKey, unknown>()
  const identity = { producerId: 7, producerEpoch: -1 }

  const healthy: { readonly [Key in ApiKey]?: Handler<Key> } = {
    Metadata: () =>
      Effect.succeed({
        brokers: [1],
        partitions: Object.entries(topics).flatMap(([topic, count]) =>
          Array.from({ length: count }, (_, partition) => ({ topic, partition, leader: 1, error: "NONE" as const }))
        )
      }),
    FindCoordinator: () => Effect.succeed({ error: "NONE", node: 1 }),
    InitProducerId: () => {
      identity.producerEpoch += 1
      return Effect.succeed({ error: "NONE", ...identity })
    },
    AddPartitionsToTxn: ({ partitions }) =>
      Effect.succeed({ results: partitions.map((partition) => ({ ...partition, error: "NONE" as const })) }),
    AddOffsetsToTxn: () => Effect.succeed({ error: "NONE" }),
    TxnOffsetCommit: ({ offsets }) =>
      Effect.succeed({
        results: offsets.map(({ partition, topic }) => ({ topic, partition, error: "NONE" as const }))
      }),
    EndTxn: ({ producerId, version }) => {
      if (version === 1) return Effect.succeed({ error: "NONE", producerId: -1, producerEpoch: -1 })
      identity.producerEpoch += 1
      return Effect.succeed({ error: "NONE", producerId, producerEpoch: identity.producerEpoch })
    },
    Produce: ({ acks, batches }) =>
      Effect.sync(() => {
        const results = batches.map(({ batch, partition, topic }) => {
          const { header, records } = Result.getOrThrow(RecordBatch.decode(batch))
          const key = `${topic}-${partition}`
          const baseOffset = ends.get(key) ?? 0
          ends.set(key, baseOffset + records.length)
          taken.push({ partition: key, header, values: valuesOf(batch) })
          return { topic, partition, error: "NONE" as const, baseOffset }
        })
        return { results: acks === 0 ? [] : results }
      })
  }

  const send: Connections["Service"]["send"] = (node, api, request) =>
    Effect.suspend(() => {
      requests.push({ node, api, request } as Request)
      const handler = scripts.get(api)?.shift() ?? overrides.get(api) ?? healthy[api]
      if (handler === undefined) return Effect.die(new Error(`${api} is not in the script`))
      return (handler as Handler<typeof api>)(request).pipe(Effect.mapError(() => new Disconnected({ node, api })))
    })

  return {
    layer: Layer.succeed(Connections, { bootstrap: [1], send }),
    next: (api, handler) => {
      const script = scripts.get(api) ?? []
      scripts.set(api, script)
      script.push(handler)
    },
    always: (api, handler) => {
      overrides.set(api, handler)
    },
    requests,
    of: <Key extends ApiKey>(api: Key) =>
      requests.filter((request): request is Request<Key> & Request => request.api === api),
    taken,
    healthy
  }
}
