/**
 * The application of the demonstration: it reads records of one topic, turns each into one of another, and is started
 * again whenever it was killed, until the group has committed all there is.
 */
import { Deferred, Effect, Fiber, Random } from "effect"
import * as Consumer from "../../runtime/client/Consumer.ts"
import type { ConsumerRecord } from "../../runtime/client/ConsumerRecord.ts"
import * as Processing from "../../runtime/client/Processing.ts"
import * as Producer from "../../runtime/client/Producer.ts"
import type { TopicPartition } from "../../runtime/client/Requests.ts"
import { Connections } from "../../runtime/client/Requests.ts"
import * as Serde from "../../runtime/client/Serde.ts"
import * as Mortal from "./Mortal.ts"

export interface Job {
  readonly guarantee: Processing.Guarantee
  /** The partitions that are read, and how many records they have. */
  readonly input: ReadonlyArray<TopicPartition>
  readonly expected: number
  readonly output: string
  readonly transform: (record: ConsumerRecord) => string
  /** How often it is killed. */
  readonly deaths: number
}

/** Short, since everything is in one process: a member that died holds up its group for a session. */
const impatient = { "retry.backoff.ms": 5, "retry.backoff.max.ms": 50 } as const

const started = Effect.fnUntraced(function*({ expected, guarantee, input, output, transform }: Job) {
  const consumer = yield* Consumer.make({
    "group.id": output,
    "isolation.level": "read_committed",
    "auto.offset.reset": "earliest",
    "enable.auto.commit": false,
    "session.timeout.ms": 500,
    "heartbeat.interval.ms": 100,
    "max.poll.interval.ms": 5000,
    "fetch.max.wait.ms": 50,
    ...impatient
  })
  const producer = yield* Producer.make({
    "compression.type": "lz4",
    ...(guarantee === "exactly-once" ? { "transactional.id": output } : {}),
    ...impatient
  }, { key: Serde.bytes, value: Serde.string })
  if (guarantee === "exactly-once") yield* producer.initTransactions
  yield* consumer.subscribe([...new Set(input.map(({ topic }) => topic))])
  const options: Processing.Options<Uint8Array, string, never, never> = {
    guarantee,
    consumer,
    producer,
    transform: (records) =>
      Effect.succeed(
        records.map((record) => ({ topic: output, key: record.key, value: transform(record) }))
      )
  }
  while (true) {
    const records = yield* Processing.persist(options)
    if (records > 0) continue
    const committed = yield* consumer.committed(input)
    if (committed.reduce((sum, { offset }) => sum + Math.max(0, offset), 0) === expected) return
  }
})

/** A life of a fraction of the work, in requests that change something. */
const lifetime = Random.nextIntBetween(3, 15)

/** Runs the job to its end; how often it had to be started again. */
export const run = Effect.fnUntraced(function*(job: Job): Effect.fn.Return<number, never, Connections> {
  const connections = yield* Connections
  for (let died = 0;; died++) {
    const mortal = yield* Mortal.connections(connections, died < job.deaths ? yield* lifetime : 0)
    const life = started(job).pipe(Effect.scoped, Effect.provideService(Connections, mortal.value))
    const fiber = yield* Effect.forkDetach(life)
    // What it could not get over ends a process as a kill does.
    const ended = Effect.orElseSucceed(Effect.as(Fiber.join(fiber), true), () => false)
    if (yield* Effect.raceFirst(ended, Effect.as(Deferred.await(mortal.death), false))) return died
    // What it does to clean up comes to nothing, and nobody waits for it.
    yield* Effect.forkDetach(Fiber.interrupt(fiber))
  }
})
