/**
 * What a member of a consumer group does with a sink, in the order on which the promise rests: it raises the fence, reads
 * where to go on, and then delivers what it polls, again when the outcome is unknown.
 *
 * A consumer that has callbacks of its own uses `assigned` and `deliver`; `run` is the loop around them.
 */
import { Effect, Schedule } from "effect"
import type { TopicPartition } from "../../core/index.ts"
import type { Position, SinkRecord } from "./Sink.ts"
import { Sink, type SinkFailure, type SinkFenced } from "./Sink.ts"

/** Attempts go on until the storage answers, first after 100 ms and at most 10 s apart. */
export const backoff: Schedule.Schedule<unknown> = Schedule.min([
  Schedule.exponential("100 millis"),
  Schedule.spaced("10 seconds")
]).pipe(Schedule.jittered)

/** How failures that may pass are repeated. */
export interface Retrying {
  /** `backoff`, unless it is given. */
  readonly schedule?: Schedule.Schedule<unknown>
}

const again = <A>(
  effect: Effect.Effect<A, SinkFenced | SinkFailure>,
  { schedule = backoff }: Retrying
): Effect.Effect<A, SinkFenced | SinkFailure> =>
  Effect.retry(effect, { schedule, while: (error) => error._tag === "SinkFailure" && error.retryable })

/** The partitions were assigned in this generation: shuts older members out, and says where to seek to. */
export const assigned = Effect.fn("SinkMember.assigned")(function*(
  generation: number,
  partitions: ReadonlyArray<TopicPartition.TopicPartition>,
  retrying: Retrying = {}
): Effect.fn.Return<ReadonlyArray<Position>, SinkFenced | SinkFailure, Sink> {
  const sink = yield* Sink
  yield* again(sink.fence(generation), retrying)
  return yield* again(sink.positions(partitions), retrying)
})

/** Delivers records that come next, until it is known that they were written. */
export const deliver = Effect.fn("SinkMember.deliver")(function*(
  records: ReadonlyArray<SinkRecord>,
  generation: number,
  retrying: Retrying = {}
): Effect.fn.Return<void, SinkFenced | SinkFailure, Sink> {
  const sink = yield* Sink
  yield* again(sink.deliver(records, generation), retrying)
})

export interface Options<E, R> extends Retrying {
  readonly generation: number
  readonly partitions: ReadonlyArray<TopicPartition.TopicPartition>
  /** Told once where to go on. A partition that is absent has no stored offset: it begins where the consumer likes. */
  readonly seek: (positions: ReadonlyArray<Position>) => Effect.Effect<void, E, R>
  /** The outputs of the inputs that come next, in the order of their offsets. */
  readonly poll: Effect.Effect<ReadonlyArray<SinkRecord>, E, R>
}

/** Delivers for ever: it ends with an error, which is `SinkFenced` when the partitions have gone to another member. */
export const run = Effect.fn("SinkMember.run")(function*<E, R>(
  { generation, partitions, poll, seek, ...retrying }: Options<E, R>
): Effect.fn.Return<never, E | SinkFenced | SinkFailure, R | Sink> {
  yield* seek(yield* assigned(generation, partitions, retrying))
  return yield* Effect.forever(Effect.flatMap(poll, (records) => deliver(records, generation, retrying)))
})
