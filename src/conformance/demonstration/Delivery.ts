/**
 * The outputs of the demonstration on their way into a database, by a sink that is started again whenever its session
 * ended in the midst of a delivery.
 */
import { Deferred, Effect, Fiber, Random } from "effect"
import { Reactivity } from "effect/reactivity"
import { SqlClient } from "effect/sql"
import * as Consumer from "../../runtime/client/Consumer.ts"
import type { Guarantee } from "../../runtime/client/Processing.ts"
import type { TopicPartition } from "../../runtime/client/Requests.ts"
import { Connections } from "../../runtime/client/Requests.ts"
import { NaiveSink, type Sink, SinkMember, SqliteClient, TransactionalSink } from "../../runtime/sinks/index.ts"
import * as Mortal from "./Mortal.ts"

export interface Job {
  readonly guarantee: Guarantee
  readonly topic: TopicPartition["topic"]
  readonly partitions: ReadonlyArray<TopicPartition>
  /** The database file. */
  readonly file: string
  /** How often its session ends. */
  readonly deaths: number
}

const layers = {
  "exactly-once": TransactionalSink.layer,
  "at-least-once": NaiveSink.layerOutputFirst,
  "at-most-once": NaiveSink.layerOffsetFirst
} as const satisfies Record<Guarantee, unknown>

const decoder = new TextDecoder()
const textOf = (bytes: Uint8Array | null): string | null => bytes === null ? null : decoder.decode(bytes)

/** Where the partitions end for those who read what is committed; whoever does not lead one is not asked about it. */
const ends = Effect.fnUntraced(function*(partitions: ReadonlyArray<TopicPartition>) {
  const { bootstrap, send } = yield* Connections
  const ask = { isolationLevel: "read_committed", at: "latest", partitions } as const
  const answers = yield* Effect.forEach(
    bootstrap,
    (node) => Effect.retry(send(node, "ListOffsets", ask), { times: 20 })
  )
  return answers.flatMap(({ results }) => results.filter(({ error }) => error === "NONE"))
})

const started = Effect.fnUntraced(function*({ partitions }: Job, generation: number) {
  const consumer = yield* Consumer.make({
    "isolation.level": "read_committed",
    "auto.offset.reset": "earliest",
    "enable.auto.commit": false,
    "fetch.max.wait.ms": 50,
    "retry.backoff.ms": 5
  })
  yield* consumer.assign(partitions)
  const positions = yield* SinkMember.assigned(generation, partitions)
  for (const position of positions) yield* consumer.seek(position, position.offset)
  while (true) {
    const records = yield* consumer.poll
    if (records.length > 0) {
      const outputs = records.map(({ key, value, ...place }): Sink.SinkRecord => ({
        ...place,
        key: textOf(key),
        value: textOf(value)
      }))
      yield* SinkMember.deliver(outputs, generation)
      continue
    }
    let isAtEnd = true
    for (const end of yield* ends(partitions)) isAtEnd &&= (yield* consumer.position(end)) >= end.offset
    if (isAtEnd) return
  }
})

const lifetime = Random.nextIntBetween(8, 30)

/** Delivers everything; how often the session ended. */
export const run = Effect.fnUntraced(function*(job: Job) {
  for (let died = 0;; died++) {
    const database = SqliteClient.open(job.file, { flush: false })
    const mortal = yield* Mortal.database(database, died < job.deaths ? yield* lifetime : 0)
    const client = yield* SqliteClient.fromDatabase(mortal.value).pipe(Effect.provide(Reactivity.layer))
    const life = started(job, died + 1).pipe(
      Effect.scoped,
      Effect.provide(layers[job.guarantee]({ group: job.topic })),
      Effect.provideService(SqlClient.SqlClient, client)
    )
    const fiber = yield* Effect.forkChild(life)
    const ended = Effect.as(Fiber.join(fiber), true)
    const isDone = yield* Effect.raceFirst(ended, Effect.as(Deferred.await(mortal.death), false))
    yield* Fiber.interrupt(fiber)
    if (database.isOpen) database.close()
    if (isDone) return died
  }
})
