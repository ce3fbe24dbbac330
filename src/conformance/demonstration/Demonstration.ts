/**
 * The whole story on a file of records: a producer writes them, an application turns them into others, a sink delivers
 * those into a database, and clients, brokers and sessions die on the way. Once for each delivery guarantee, which is then
 * read off the database.
 *
 * Everything happens in a simulation: the same seed tells the same story, in virtual time.
 */
import { Clock, Effect, References } from "effect"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import * as Cluster from "../../runtime/brokers/Cluster.ts"
import * as Faults from "../../runtime/brokers/Faults.ts"
import type { Guarantee } from "../../runtime/client/Processing.ts"
import * as Producer from "../../runtime/client/Producer.ts"
import type { TopicPartition } from "../../runtime/client/Requests.ts"
import { Connections } from "../../runtime/client/Requests.ts"
import * as Serde from "../../runtime/client/Serde.ts"
import * as Simulation from "../../runtime/Simulation.ts"
import { SqliteClient } from "../../runtime/sinks/index.ts"
import { Progress } from "../Progress.ts"
import * as Application from "./Application.ts"
import * as Delivery from "./Delivery.ts"
import * as Input from "./Input.ts"

/** What the producer sent. */
export interface Loaded {
  readonly records: number
  /** Of keys and values. */
  readonly bytes: number
  readonly batches: number
  readonly batchBytes: number
}

/** What became of the records under one guarantee. */
export interface Outcome {
  readonly guarantee: Guarantee
  readonly lost: number
  readonly duplicated: number
  /** How often the application was started again. */
  readonly restarts: number
  /** Stops of brokers while it ran. */
  readonly stops: number
  /** Sessions with the database that ended. */
  readonly sessions: number
  /** Of virtual time. */
  readonly seconds: number
}

export interface Report {
  readonly loaded: Loaded
  readonly outcomes: ReadonlyArray<Outcome>
}

/** Whether what was claimed is what came of it. */
export const isKept = ({ duplicated, guarantee, lost }: Outcome): boolean =>
  (guarantee === "at-least-once" || duplicated === 0) && (guarantee === "at-most-once" || lost === 0)

const guarantees: ReadonlyArray<Guarantee> = ["at-most-once", "at-least-once", "exactly-once"]
const source = "input"
const outputOf = (guarantee: Guarantee): string => `output-${guarantee}`
const partitionCount = 4
const deaths = 6

/** Which record of the file it is: what a record says may not be unique. */
const recordHeader = "record"

const decoder = new TextDecoder()
const textOf = (bytes: Uint8Array): string => decoder.decode(bytes)

const partitionsOf = (topic: string): ReadonlyArray<TopicPartition> =>
  Array.from({ length: partitionCount }, (_, partition) => ({ topic, partition }))

/** Everything that clients retry by themselves. */
const network: Faults.Faults = { lostRequest: 0.02, lostAnswer: 0.02, lateCopy: 0.02, lateMs: 30 }

/**
 * The network of the story. Offsets that are committed by themselves do not arrive late: a group coordinator takes the late
 * copy of an OffsetCommit for a new one, and the group goes back to it, in Kafka too. In a transaction it cannot happen.
 */
const unreliable = Effect.fnUntraced(function*(connections: Connections["Service"]) {
  const lossy = yield* Faults.lossy(connections, network)
  const punctual = yield* Faults.lossy(connections, { ...network, lateCopy: 0 })
  const chosen: Connections["Service"] = {
    bootstrap: connections.bootstrap,
    send: (node, api, request) => (api === "OffsetCommit" ? punctual : lossy).send(node, api, request)
  }
  return chosen
})

/** The same connections, which count the batches that are sent. */
const counted = (
  { bootstrap, send }: Connections["Service"],
  count: (bytes: number) => void
): Connections["Service"] => ({
  bootstrap,
  send: (node, api, request) => {
    if (api === "Produce" && "batches" in request) { for (const { batch } of request.batches) count(batch.length) }
    return send(node, api, request)
  }
})

const load = Effect.fnUntraced(function*({ records }: Input.Input) {
  let batches = 0
  let batchBytes = 0
  let bytes = 0
  const connections = counted(yield* Connections, (size) => {
    batches++
    batchBytes += size
  })
  yield* Effect.gen(function*() {
    const producer = yield* Producer.make(
      { "compression.type": "zstd", "retry.backoff.ms": 5, "retry.backoff.max.ms": 50 },
      { key: Serde.string, value: Serde.string }
    )
    const acknowledgements = yield* Effect.forEach(records, ({ key, value }, index) => {
      bytes += Buffer.byteLength(key) + Buffer.byteLength(value)
      const headers = [{ key: recordHeader, value: Buffer.from(String(index + 1)) }]
      return producer.enqueue({ topic: source, key, value, headers })
    })
    yield* producer.flush
    for (const acknowledgement of acknowledgements) yield* acknowledgement
  }).pipe(Effect.scoped, Effect.provideService(Connections, connections))
  return { records: records.length, bytes, batches, batchBytes }
})

/** Stops one broker after the other, again and again; how often, by `stops`. */
const stopping = (stops: { count: number }) =>
  Effect.gen(function*() {
    const cluster = yield* Cluster.Cluster
    for (let node = 1;; node = 3 - node) {
      yield* Effect.sleep(300)
      stops.count++
      yield* Effect.acquireUseRelease(cluster.stop(node), () => Effect.sleep(60), () => cluster.start(node))
    }
  })

/** What is in the database of what should be there. */
const count = (file: string, records: number): Pick<Outcome, "lost" | "duplicated"> => {
  const database = SqliteClient.open(file)
  try {
    const { distinct, total } = database.prepare(
      "SELECT count(*) AS total, count(DISTINCT json_extract(value, '$.record')) AS \"distinct\" FROM outputs"
    ).get() as { readonly total: number; readonly distinct: number }
    return { lost: records - distinct, duplicated: total - distinct }
  } finally {
    database.close()
  }
}

const run = Effect.fnUntraced(function*(
  { columns, records }: Input.Input,
  guarantee: Guarantee,
  folder: string
) {
  const began = yield* Clock.currentTimeMillis
  const stops = { count: 0 }
  const output = outputOf(guarantee)
  const application = Application.run({
    guarantee,
    input: partitionsOf(source),
    expected: records.length,
    output,
    transform: ({ headers, value }) => {
      const record = headers.find(({ key }) => key === recordHeader)
      return Input.transform(columns, Number(textOf(record!.value!)), textOf(value!))
    },
    deaths
  })
  const restarts = yield* Effect.raceFirst(application, stopping(stops))
  const file = join(folder, `${guarantee}.sqlite`)
  const sessions = yield* Delivery.run({ guarantee, topic: output, partitions: partitionsOf(output), file, deaths })
  const seconds = ((yield* Clock.currentTimeMillis) - began) / 1000
  return { guarantee, ...count(file, records.length), restarts, stops: stops.count, sessions, seconds }
})

const folder = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "keos-demo-"))),
  (path) => Effect.sync(() => rmSync(path, { recursive: true, force: true }))
)

const told = Effect.fnUntraced(function*(input: Input.Input) {
  const { report } = yield* Progress
  const files = yield* folder
  const brokers = Cluster.Cluster.layer({
    topics: Object.fromEntries([source, ...guarantees.map(outputOf)].map((topic) => [topic, partitionCount]))
  })
  return yield* Effect.gen(function*() {
    const connections = yield* unreliable(yield* Connections)
    return yield* Effect.gen(function*() {
      report("records written", 0, input.records.length)
      const loaded = yield* load(input)
      const outcomes: Array<Outcome> = []
      for (const guarantee of guarantees) {
        report(`${guarantee}: guarantees`, outcomes.length, guarantees.length)
        outcomes.push(yield* run(input, guarantee, files))
      }
      return { loaded, outcomes }
    }).pipe(Effect.provideService(Connections, connections))
  }).pipe(Effect.provide(brokers))
})

/** Tells the story of the seed. What clients log of the deaths around them is not part of it. */
export const tell = Effect.fnUntraced(function*(input: Input.Input, seed: number) {
  const progress = yield* Progress
  const story = told(input).pipe(
    Effect.scoped,
    Effect.provideService(Progress, progress),
    Effect.provideService(References.MinimumLogLevel, "None")
  )
  const report: Report = yield* Simulation.make({ seed }).run(story)
  return report
})
