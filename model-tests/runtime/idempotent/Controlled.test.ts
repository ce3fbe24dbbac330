import { isDeepStrictEqual } from "node:util"
import { assert, describe, it } from "vitest"
import { Limits, Museum, Partition, Releases, Rules } from "../../../src/core/index.ts"
import * as Actions from "../../../src/model/idempotent/Actions.ts"
import * as Configurations from "../../../src/model/idempotent/Configuration.ts"
import * as World from "../../../src/model/idempotent/World.ts"
import * as Model from "../../../src/model/Model.ts"
import { Controlled } from "../../../src/runtime/idempotent/index.ts"
import { Simulation } from "../../../src/runtime/index.ts"

type Sending = Pick<Configurations.Configuration["sender"], "acks" | "idempotence" | "retries" | "maxInFlight">

const sendings: ReadonlyArray<Sending> = [
  { acks: "all", idempotence: true, retries: 9, maxInFlight: 2 },
  { acks: "all", idempotence: false, retries: 9, maxInFlight: 2 },
  { acks: "1", idempotence: false, retries: 9, maxInFlight: 2 },
  { acks: "0", idempotence: false, retries: 9, maxInFlight: 2 },
  { acks: "1", idempotence: false, retries: 0, maxInFlight: 1 }
]

const overrides: ReadonlyArray<Museum.Override> = [{}, Releases.overrides["4.4"], ...Object.values(Museum.overrides)]

const configurations: ReadonlyArray<Configurations.Configuration> = overrides.flatMap((override) =>
  [0, 8].flatMap((startSequence) =>
    sendings.map((sending) => {
      const rules = { ...Rules.base, ...override }
      const limits = { maxSequence: 9, maxEpoch: 1, dedupWindow: 2, maxAttempts: 2 }
      return {
        partitions: ["p1", "p2"],
        batchesPerPartition: 3,
        twoRecordBatches: new Set([2]),
        startSequence,
        faultBudget: 6,
        faultKinds: new Set(Configurations.faultKinds),
        sender: { ...sending, limits, rules },
        replica: { limits, rules }
      }
    })
  )
)

const start = (configuration: Configurations.Configuration, seed: number): Controlled.Controlled => {
  const controlled = Controlled.make({
    sender: configuration.sender,
    replica: configuration.replica,
    partitions: configuration.partitions.length,
    startSequence: configuration.startSequence,
    seed
  })
  configuration.partitions.forEach((_, partition) => {
    for (let batch = 1; batch <= configuration.batchesPerPartition; batch++) {
      controlled.enqueue(partition, batch, Configurations.records(configuration, batch))
    }
  })
  return controlled
}

const actionOf = (
  configuration: Configurations.Configuration,
  step: Omit<Model.Step<unknown>, "world">
): Controlled.Action => {
  const [name, second, third] = step.arguments
  return {
    _tag: step.action,
    partition: configuration.partitions.indexOf(String(name)),
    ...(step.action === "ExpireBatch" ? { batch: second } : { connection: second, error: third })
  } as Controlled.Action
}

const withoutFaults = (world: World.World): Controlled.Snapshot => {
  const { outcomes, partitions, producer, requests, responses } = world
  return { outcomes, partitions, producer, requests, responses }
}

describe("a controlled cluster", () => {
  it("delivers a batch once although its answer is lost", () => {
    const replica = { rules: Rules.base, limits: Limits.kafka }
    const controlled = Controlled.make({
      sender: { ...replica, acks: "all", idempotence: true, retries: Limits.kafka.maxSequence, maxInFlight: 5 },
      replica,
      partitions: 1,
      startSequence: 0
    })
    const partition = 0
    controlled.enqueue(partition, 1, ["a", "b"])

    assert.isTrue(controlled.perform({ _tag: "Send", partition }))
    assert.isFalse(controlled.perform({ _tag: "Send", partition }))
    assert.isTrue(controlled.perform({ _tag: "HandleProduce", partition, connection: 0 }))
    assert.isFalse(controlled.perform({ _tag: "ReceiveResponse", partition }))
    assert.isTrue(controlled.perform({ _tag: "Replicate", partition }))
    assert.strictEqual(controlled.snapshot().responses[0]!.length, 1)
    assert.isTrue(controlled.perform({ _tag: "Disconnect", partition }))
    assert.strictEqual(controlled.snapshot().responses[0]!.length, 0)
    assert.isFalse(controlled.perform({ _tag: "Disconnect", partition }))
    assert.isTrue(controlled.perform({ _tag: "Resend", partition }))
    assert.isFalse(controlled.perform({ _tag: "HandleProduce", partition, connection: 0 }))
    assert.isTrue(controlled.perform({ _tag: "HandleProduce", partition, connection: 1 }))
    assert.isTrue(controlled.perform({ _tag: "ReceiveResponse", partition }))

    const { outcomes, partitions, requests } = controlled.snapshot()
    assert.deepStrictEqual(outcomes, [new Map([[1, { _tag: "Acknowledged", offset: 0 } as const]])])
    assert.deepStrictEqual(requests, [[]])
    assert.deepStrictEqual(Partition.readable(partitions[0]!).map(({ offset, records }) => [offset, ...records]), [
      [0, "a", "b"]
    ])
    controlled.close()
  })

  it("ends where the model ends, on random walks through every action", () => {
    const taken = new Map<string, number>()
    for (let walk = 0; walk < 600; walk++) {
      const configuration = configurations[walk % configurations.length]!
      const next = Simulation.randomNumbers(walk)
      const controlled = start(configuration, walk)
      const trail: Array<string> = []
      let world = World.initial(configuration)
      assert.deepStrictEqual(controlled.snapshot(), withoutFaults(world))
      for (let step = 0; step < 60; step++) {
        const successors = Actions.successors(configuration, world)
        const chosen = successors[Math.floor(next() * successors.length)]
        if (chosen === undefined) break
        trail.push(Model.render(chosen))
        taken.set(chosen.action, (taken.get(chosen.action) ?? 0) + 1)
        const path = `walk ${walk}: ${trail.join(" ")}`

        assert.isTrue(controlled.perform(actionOf(configuration, chosen)), path)
        const snapshot = controlled.snapshot()
        // Much faster than the assertion, which then says what differs.
        if (!isDeepStrictEqual(snapshot, withoutFaults(chosen.world))) {
          assert.deepStrictEqual(snapshot, withoutFaults(chosen.world), path)
        }
        world = chosen.world
      }
      controlled.close()
    }

    assert.sameMembers([...taken.keys()], Object.keys(Actions.actions))
  })

  it("does nothing when told to do what the model cannot do", () => {
    const free = ["Send", "Resend", "ReceiveResponse", "ResolveSequences", "HandleProduce", "Replicate"] as const
    let refused = 0
    for (let walk = 0; walk < 60; walk++) {
      const configuration = configurations[walk % configurations.length]!
      const next = Simulation.randomNumbers(walk)
      const controlled = start(configuration, walk)
      let world = World.initial(configuration)
      for (let step = 0; step < 40; step++) {
        const successors = Actions.successors(configuration, world)
        const enabled = new Set(successors.map(Model.render))
        const before = controlled.snapshot()
        for (const action of free) {
          for (const name of configuration.partitions) {
            const instance = { action, arguments: action === "HandleProduce" ? [name, 0] : [name] }
            if (enabled.has(Model.render(instance))) continue
            refused++
            assert.isFalse(controlled.perform(actionOf(configuration, instance)), Model.render(instance))
          }
        }
        assert.deepStrictEqual(controlled.snapshot(), before)
        const chosen = successors[Math.floor(next() * successors.length)]
        if (chosen === undefined) break
        controlled.perform(actionOf(configuration, chosen))
        world = chosen.world
      }
    }

    assert.isAbove(refused, 1_000)
  })

  it("shares the parts of its snapshots that did not change", () => {
    const controlled = start(configurations[0]!, 0)
    const before = controlled.snapshot()
    controlled.perform({ _tag: "Send", partition: 0 })
    const after = controlled.snapshot()

    assert.strictEqual(after.producer.senders[1], before.producer.senders[1])
    assert.strictEqual(after.requests[1], before.requests[1])
    assert.strictEqual(after.outcomes[0], before.outcomes[0])
    assert.strictEqual(after.partitions[0], before.partitions[0])
    assert.notStrictEqual(after.requests[0], before.requests[0])
  })
})
