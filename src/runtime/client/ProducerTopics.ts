/**
 * The topics that a producer writes to: their partitions and leaders, asked for when a topic is first written to, when they
 * have changed, and when they are old. Kafka's `ProducerMetadata`.
 *
 * A partition that was known stays known. One fiber asks; whoever needs to know something new waits for its answers.
 */
import { Clock, Effect, Latch, type Scope } from "effect"
import { TopicPartition } from "../../core/index.ts"
import * as Backoff from "./Backoff.ts"
import type { ClusterMetadata } from "./ClusterMetadata.ts"
import type { NodeId } from "./Requests.ts"

/** A partition that the producer knows. */
export interface Partition extends TopicPartition.TopicPartition {
  /** Of all partitions of the producer, from 0. */
  readonly index: number
  readonly key: string
  leader: NodeId | undefined
}

export interface Topic {
  readonly name: string
  readonly partitions: Array<Partition>
  /** The numbers of those that have a leader. */
  available: ReadonlyArray<number>
}

export interface ProducerTopics {
  /** A topic that has partitions; asks for one that is not known. */
  readonly find: (name: string) => Topic | undefined
  /** Waits for the next answer about topics. */
  readonly answer: Effect.Effect<void>
  /** What is known may be wrong: asks soon. */
  readonly invalidate: () => void
}

export interface Options {
  readonly cluster: ClusterMetadata
  readonly backoff: Backoff.Backoff
  /** `metadata.max.age.ms`. */
  readonly maxAge: number
  /** A partition is new; they come in the order of their indices. */
  readonly added: (partition: Partition) => void
  /** Something is known now that was not before. */
  readonly changed: () => void
}

/** Starts to keep topics up to date, until the scope ends. */
export const make = Effect.fnUntraced(function*(
  { added, backoff, changed, cluster, maxAge }: Options
): Effect.fn.Return<ProducerTopics, never, Scope.Scope> {
  const topics = new Map<string, Topic>()
  const wanted = Latch.makeUnsafe(false)
  let count = 0
  let listeners: Array<() => void> = []
  /** Asks in a row without an answer, and one more. */
  let attempts = 1
  let askedAt = -Infinity
  /** A topic is new, so that asking for it repeats nothing. */
  let isUrgent = false

  const refresh = (topic: Topic): void => {
    const { name, partitions } = topic
    for (let partition = partitions.length; partition < cluster.partitionCount(name); partition++) {
      const key = TopicPartition.key({ topic: name, partition })
      const found: Partition = { topic: name, partition, key, index: count++, leader: undefined }
      partitions.push(found)
      added(found)
    }
    for (const partition of partitions) partition.leader = cluster.leader(partition)
    topic.available = partitions.filter(({ leader }) => leader !== undefined).map(({ partition }) => partition)
  }

  const answered = (): void => {
    for (const topic of topics.values()) refresh(topic)
    const hearing = listeners
    listeners = []
    changed()
    for (const hear of hearing) hear()
  }

  /** How long to wait until it is polite to ask again. */
  const pause = Effect.gen(function*() {
    const delay = yield* Backoff.delay(backoff, attempts)
    return Math.max(0, askedAt + Math.ceil(delay) - (yield* Clock.currentTimeMillis))
  })

  const loop = Effect.gen(function*() {
    while (true) {
      yield* Effect.timeoutOrElse(wanted.await, { duration: maxAge, orElse: () => Effect.void })
      if (topics.size === 0) continue
      if (!isUrgent) yield* Effect.sleep(yield* pause)
      isUrgent = false
      wanted.closeUnsafe()
      askedAt = yield* Clock.currentTimeMillis
      const isAnswered = yield* Effect.match(cluster.update([...topics.keys()]), {
        onSuccess: () => true,
        onFailure: () => false
      })
      attempts = isAnswered ? 1 : attempts + 1
      if (isAnswered) answered()
      else wanted.openUnsafe()
    }
  })
  yield* Effect.forkScoped(loop)

  return {
    find: (name) => {
      const known = topics.get(name)
      if (known !== undefined && known.partitions.length > 0) return known
      if (known === undefined) {
        topics.set(name, { name, partitions: [], available: [] })
        isUrgent = true
      }
      wanted.openUnsafe()
      return undefined
    },
    answer: Effect.callback<void>((resume) => {
      const hear = (): void => resume(Effect.void)
      listeners.push(hear)
      return Effect.sync(() => {
        listeners = listeners.filter((listener) => listener !== hear)
      })
    }),
    invalidate: () => {
      wanted.openUnsafe()
    }
  }
})
