/**
 * The partitions that walks take place on. Making one costs a broker more than a walk, so each is used again when a walk has
 * left nothing open on it: the next one begins at its end, and knows which producers were there before.
 */
import { Clock, Effect, Semaphore } from "effect"
import type { Remote } from "../../runtime/index.ts"
import { Messages } from "../../wire/index.ts"
import * as Asking from "./Asking.ts"
import type { Dialect } from "./Dialect.ts"
import { NoTarget } from "./NoTarget.ts"
import type { Place } from "./Subject.ts"

type Connection = Remote.Connection.Connection
type Unexpected = Remote.Connection.ConnectionError

export interface Places {
  /** A partition for one walk alone. */
  readonly take: Effect.Effect<Place, NoTarget | Unexpected>
  /** Removes all of them, as far as the broker does what it is asked. */
  readonly remove: Effect.Effect<void>
  /** Gives it back, if the walk left nothing open on it. */
  readonly giveBack: (place: Place) => Effect.Effect<void, Unexpected>
}

/** How many partitions are made at a time. */
const batchSize = 40
const servedWithinMs = 30_000
/** Nobody waits longer for what is only tidiness. */
const removedWithinMs = 2_000
/** How long markers may take that the end of a walk has led to. */
const closedWithinMs = 1_000
const pauseMs = 20

type Answered = { readonly name: string; readonly partitions: ReadonlyArray<number> }

const endsOf = Effect.fnUntraced(function*(
  connection: Connection,
  dialect: Dialect,
  { name, partitions }: Answered,
  isolationLevel: 0 | 1
) {
  const answer = yield* connection.request(Messages.ListOffsets, dialect.ListOffsets, {
    replicaId: -1,
    isolationLevel,
    topics: [{ name, partitions: partitions.map((partitionIndex) => ({ partitionIndex, timestamp: -1 })) }]
  })
  return (answer.topics[0]?.partitions ?? []).map(({ errorCode, offset }) => errorCode === 0 ? offset : undefined)
})

/** Makes a topic, and waits until the broker serves all of it. */
const create = Effect.fnUntraced(function*(connection: Connection, dialect: Dialect, name: string) {
  const answer = yield* connection.request(Messages.CreateTopics, dialect.CreateTopics, {
    topics: [{ name, numPartitions: batchSize, replicationFactor: 1, assignments: [], configs: [] }],
    timeoutMs: servedWithinMs
  }, { answerTimeoutMillis: servedWithinMs })
  const refused = answer.topics.find(({ errorCode }) => errorCode !== 0)
  if (refused !== undefined) {
    const error = Asking.errorOf(refused.errorCode)
    return yield* new NoTarget({ message: `the broker does not make topic ${name}: ${error}` })
  }
  const partitions = Array.from({ length: batchSize }, (_, partition) => partition)
  const deadline = (yield* Clock.currentTimeMillis) + servedWithinMs
  for (;;) {
    const ends = yield* endsOf(connection, dialect, { name, partitions }, 0)
    if (ends.length === batchSize && !ends.includes(undefined)) break
    if ((yield* Clock.currentTimeMillis) > deadline) {
      return yield* new NoTarget({ message: `the broker has made topic ${name}, and does not serve it` })
    }
    yield* Effect.sleep(pauseMs)
  }
  return partitions.map((partition) => ({ topic: name, partition }))
})

/** A broker that has more to do than it can may be out of its own cluster for a while. */
const endOf = Effect.fnUntraced(function*(
  connection: Connection,
  dialect: Dialect,
  { partition, topic: name }: Pick<Place, "topic" | "partition">
) {
  const deadline = (yield* Clock.currentTimeMillis) + servedWithinMs
  for (;;) {
    const [end] = yield* endsOf(connection, dialect, { name, partitions: [partition] }, 0)
    if (end !== undefined) return end
    if ((yield* Clock.currentTimeMillis) > deadline) {
      return yield* new NoTarget({ message: `the broker does not serve ${name}-${partition} any more` })
    }
    yield* Effect.sleep(pauseMs)
  }
})

const producersOn = Effect.fnUntraced(function*(
  connection: Connection,
  dialect: Dialect,
  { partition, topic }: Pick<Place, "topic" | "partition">
) {
  const answer = yield* connection.request(Messages.DescribeProducers, dialect.DescribeProducers, {
    topics: [{ name: topic, partitionIndexes: [partition] }]
  })
  return (answer.topics[0]?.partitions[0]?.activeProducers ?? []).map(({ producerId }) => producerId)
})

/** Topics are named by the run, so that several can be judged on one broker. */
export const make = Effect.fnUntraced(function*(
  connection: Connection,
  dialect: Dialect,
  run: string
): Effect.fn.Return<Places> {
  let topics = 0
  const free: Array<Pick<Place, "topic" | "partition">> = []
  const making = yield* Semaphore.make(1)
  return {
    remove: Effect.suspend(() =>
      connection.request(Messages.DeleteTopics, dialect.DeleteTopics, {
        topicNames: Array.from({ length: topics }, (_, i) => `keos-${run}-${i}`),
        timeoutMs: removedWithinMs
      }, { answerTimeoutMillis: removedWithinMs })
    ).pipe(Effect.ignore),
    take: Effect.gen(function*() {
      const found = yield* making.withPermit(Effect.gen(function*() {
        if (free.length === 0) free.push(...yield* create(connection, dialect, `keos-${run}-${topics++}`))
        return free.pop()!
      }))
      const end = yield* endOf(connection, dialect, found)
      const strangers = end === 0 ? [] : yield* producersOn(connection, dialect, found)
      return { ...found, start: end, strangers: new Set(strangers) }
    }),
    giveBack: Effect.fnUntraced(function*({ partition, topic }) {
      const asked = { name: topic, partitions: [partition] }
      const deadline = (yield* Clock.currentTimeMillis) + closedWithinMs
      for (;;) {
        const [end] = yield* endsOf(connection, dialect, asked, 0)
        const [stable] = yield* endsOf(connection, dialect, asked, 1)
        if (end !== undefined && end === stable) {
          free.push({ topic, partition })
          return
        }
        if ((yield* Clock.currentTimeMillis) > deadline) return
        yield* Effect.sleep(pauseMs)
      }
    })
  }
})
