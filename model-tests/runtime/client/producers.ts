/** Short ways to have a producer of strings before a scripted broker, and to look at what it sent. */
import { Effect, Exit, type Fiber, Result, Scope } from "effect"
import { TestClock } from "effect/testing"
import type { Transaction } from "../../../src/core/index.ts"
import * as Producer from "../../../src/runtime/client/Producer.ts"
import type * as ProducerConfig from "../../../src/runtime/client/ProducerConfig.ts"
import * as Serde from "../../../src/runtime/client/Serde.ts"
import { type BatchHeader, RecordBatch } from "../../../src/wire/index.ts"
import type * as Scripted from "./scripted.ts"

export type StringProducer = Producer.Producer<string, string>

const serializers = { key: Serde.string, value: Serde.string }

/** A producer that ends with the test as in a crash: it does not wait for what is outstanding. */
export const make = Effect.fnUntraced(function*(
  broker: Scripted.Broker,
  config: ProducerConfig.Given = {},
  transactionVersion: Transaction.Version = 2
) {
  const scope = yield* Effect.acquireRelease(Scope.make(), (made) => Scope.close(made, Exit.die("the test is over")))
  return yield* Producer.make(config, { ...serializers, transactionVersion }).pipe(
    Effect.provide(broker.layer),
    Scope.provide(scope)
  )
})

/** Begins something, and lets everything happen that takes no time. */
export const begin = Effect.fnUntraced(function*<A, E>(effect: Effect.Effect<A, E>) {
  const fiber = yield* Effect.forkChild(effect, { startImmediately: true })
  yield* TestClock.adjust(0)
  return fiber
})

/** What came of it; `undefined` while nothing has. */
export const outcomeOf = <A, E>(fiber: Fiber.Fiber<A, E>): A | E | undefined => {
  const exit = fiber.pollUnsafe()
  return exit === undefined ? undefined : Exit.match(exit, {
    onSuccess: (value): A | E => value,
    onFailure: (cause) => {
      const [reason] = cause.reasons
      if (reason?._tag !== "Fail") throw new Error("neither a success nor a failure", { cause })
      return reason.error
    }
  })
}

/** The tag of a failure, or what it is in Kafka's terms. */
export const errorOf = (outcome: unknown): string | undefined =>
  typeof outcome === "object" && outcome !== null && "_tag" in outcome
    ? `${String(outcome._tag)}${"error" in outcome ? ` ${String(outcome.error)}` : ""}`
    : undefined

export interface SentBatch {
  readonly partition: string
  readonly values: ReadonlyArray<string>
  readonly header: BatchHeader.BatchHeader
}

/** Every batch of every Produce request, in order, whatever was answered. */
export const sentBy = (broker: Scripted.Broker): ReadonlyArray<SentBatch> =>
  broker.of("Produce").flatMap(({ request }) =>
    request.batches.map(({ batch, partition, topic }) => {
      const { header, records } = Result.getOrThrow(RecordBatch.decode(batch))
      return {
        partition: `${topic}-${partition}`,
        header,
        values: records.map(({ value }) => value === null ? "null" : Buffer.from(value).toString())
      }
    })
  )

/** Producer id, epoch and sequence of every batch that was sent. */
export const stamps = (broker: Scripted.Broker): ReadonlyArray<string> =>
  sentBy(broker).map(({ header, values }) =>
    `${values.join(",")}: ${header.producerId}/${header.producerEpoch}/${header.baseSequence}`
  )
