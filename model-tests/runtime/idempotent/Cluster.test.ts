import { Deferred, Effect, Exit } from "effect"
import { assert, describe, it } from "vitest"
import { Limits, Rules } from "../../../src/core/index.ts"
import { Broker, Cluster, Consumer, type Producer } from "../../../src/runtime/idempotent/index.ts"
import { Simulation } from "../../../src/runtime/index.ts"

const replica = { rules: Rules.base, limits: Limits.kafka }

const options: Cluster.Options = {
  sender: { ...replica, acks: "all", idempotence: true, retries: Limits.kafka.maxSequence, maxInFlight: 5 },
  replica,
  partitions: 2,
  startSequence: 0,
  delays: { request: [1, 5], response: [1, 5], late: 50, lateness: 0.5, loss: 0.5 },
  fetch: [1, 5],
  batchSize: 3,
  linger: 2,
  timing: { retryBackoff: 5, retryBackoffMax: 50, requestTimeout: 100, deliveryTimeout: 2_000 }
}

/** Sends ten records to each partition while something goes wrong, awaits the outcomes, and reads. */
const workload = Effect.fnUntraced(function*(faults: ReadonlyArray<Cluster.Fault>) {
  const cluster = yield* Cluster.make(options)
  const outcomes: Array<Deferred.Deferred<Producer.Outcome>> = []
  for (let record = 0; record < 10; record++) {
    for (let partition = 0; partition < options.partitions; partition++) {
      outcomes.push(yield* cluster.producer.send(partition, `${partition}/${record}`))
    }
    const fault = faults[record]
    if (fault !== undefined) yield* cluster.fault(fault)
    yield* Effect.sleep(1)
  }
  const told = yield* Effect.forEach(outcomes, Deferred.await)
  while (!cluster.isAtRest()) yield* Effect.sleep(1)
  const read: Array<string> = []
  const consumer = yield* Consumer.make({
    offsets: [0, 0],
    reported: (_partition, { offset, record }) => read.push(`${record}@${offset}`)
  }).pipe(Effect.provideService(Broker.Broker, cluster.broker))
  yield* consumer.poll
  return { told, read }
}, Effect.scoped)

const inOrder = [0, 1].flatMap((partition) =>
  Array.from({ length: 10 }, (_, record) => `${partition}/${record}@${record}`)
)

const faults: ReadonlyArray<Cluster.Fault> = [
  { _tag: "Disconnect", partition: 0 },
  { _tag: "NOT_LEADER_OR_FOLLOWER", partition: 1 },
  { _tag: "LeaderChange", partition: 0 },
  { _tag: "RestartLeader", partition: 1 },
  { _tag: "KAFKA_STORAGE_ERROR", partition: 0 },
  { _tag: "TimeOutProduce", partition: 1 },
  { _tag: "Disconnect", partition: 1 }
]

const run = (seed: number, happening: ReadonlyArray<Cluster.Fault>) => {
  const exit = Simulation.run(workload(happening), { seed })
  return Exit.isSuccess(exit) ? exit.value : assert.fail(String(exit))
}

describe("a cluster", () => {
  it("acknowledges every record at its offset when nothing goes wrong", () => {
    const { read, told } = run(1, [])

    assert.deepStrictEqual(read, inOrder)
    assert.deepStrictEqual(
      told,
      Array.from({ length: 20 }, (_, index) => ({ _tag: "Acknowledged", offset: Math.floor(index / 2) }))
    )
  })

  it("delivers once and in order whatever goes wrong, within the delivery timeout", () => {
    for (let seed = 0; seed < 50; seed++) {
      const { read, told } = run(seed, faults)

      assert.deepStrictEqual(read, inOrder, `seed ${seed}`)
      assert.isTrue(told.every((outcome) => outcome._tag === "Acknowledged"), `seed ${seed}`)
    }
  })

  it("does the same for the same seed", () => {
    assert.deepStrictEqual(run(7, faults), run(7, faults))
  })

  it("works in real time as well", async () => {
    const { read, told } = await Effect.runPromise(workload(faults))

    assert.deepStrictEqual(read, inOrder)
    assert.isTrue(told.every((outcome) => outcome._tag === "Acknowledged"))
  })

  it("is a layer", async () => {
    const program = Cluster.Cluster.use(({ producer }) => Effect.flatMap(producer.send(1, "only"), Deferred.await))

    const outcome = await Effect.runPromise(Effect.provide(program, Cluster.Cluster.layer(options)))

    assert.deepStrictEqual(outcome, { _tag: "Acknowledged", offset: 0 })
  })

  it("fails a record that cannot be delivered in time", () => {
    const program = Effect.gen(function*() {
      const cluster = yield* Cluster.make({ ...options, fetch: [60_000, 60_000] })
      return yield* Deferred.await(yield* cluster.producer.send(0, "late"))
    })

    const exit = Simulation.run(Effect.scoped(program), { seed: 1 })

    assert.deepStrictEqual(exit, Exit.succeed({ _tag: "Failed", error: "REQUEST_TIMED_OUT" } as const))
  })

  it("hands over again after a restart what has no outcome, and keeps the outcomes awaited", () => {
    const again: Array<string> = []
    const program = Effect.gen(function*() {
      const cluster = yield* Cluster.make({
        ...options,
        listener: {
          reported: () => {},
          restarted: () => again.push("restarted"),
          sentAgain: (partition, record) => again.push(`${partition}: ${record}`)
        }
      })
      const first = yield* cluster.producer.send(0, "first")
      yield* Deferred.await(first)
      const outcomes = [yield* cluster.producer.send(0, "second"), yield* cluster.producer.send(1, "third")]
      yield* cluster.fault({ _tag: "RestartProducer" })
      return yield* Effect.forEach(outcomes, Deferred.await)
    })

    const exit = Simulation.run(Effect.scoped(program), { seed: 1 })

    assert.deepStrictEqual(
      exit,
      Exit.succeed([{ _tag: "Acknowledged", offset: 1 } as const, { _tag: "Acknowledged", offset: 0 } as const])
    )
    assert.deepStrictEqual(again, ["restarted", "0: second", "1: third"])
  })

  it("sends nothing more when the application has stopped", () => {
    const program = Effect.gen(function*() {
      const cluster = yield* Cluster.make(options)
      yield* Deferred.await(yield* cluster.producer.send(0, "kept"))
      yield* cluster.producer.send(0, "lingering")
      yield* cluster.producer.stop
      yield* Effect.sleep(10_000)
      return [cluster.isAtRest(), (yield* cluster.broker.read(0, 0)).map(({ record }) => record)]
    })

    assert.deepStrictEqual(Simulation.run(Effect.scoped(program), { seed: 1 }), Exit.succeed([true, ["kept"]]))
  })
})
