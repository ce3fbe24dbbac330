import { isDeepStrictEqual } from "node:util"
import { assert, describe, it } from "vitest"
import { driver, setupOf } from "../../../src/conformance/transactions/Driver.ts"
import { TransactionMuseum, TransactionReleases, TransactionRules } from "../../../src/core/index.ts"
import * as Interner from "../../../src/model/Interner.ts"
import { isRefusal, isRequest, render, type Step } from "../../../src/model/Model.ts"
import { type Configuration, faultKinds } from "../../../src/model/transactions/Configuration.ts"
import { model } from "../../../src/model/transactions/Model.ts"
import type { World } from "../../../src/model/transactions/World.ts"
import { Simulation, Transactions } from "../../../src/runtime/index.ts"
import * as Value from "../../../src/tlc/Value.ts"

type Shape = Readonly<Record<string, Value.Value>>

const shapes: ReadonlyArray<Shape> = [
  { Clients: 1, TransactionalIds: 1, Partitions: Value.set(["A", "B"]) },
  { Clients: 2, TransactionalIds: 1, Partitions: Value.set(["A"]) },
  { Clients: 3, TransactionalIds: 2, Partitions: Value.set(["A", "B"]), Version1Clients: Value.set([2]) },
  { Clients: 2, TransactionalIds: 1, Partitions: Value.set(["A"]), Group: true },
  { Clients: 2, TransactionalIds: 2, Partitions: Value.set(["A"]), Group: true }
]

const configurationOf = (
  shape: Shape,
  version: number,
  overridden: Partial<TransactionRules.Rules>,
  walk: number
): Configuration => {
  const configuration = model.configuration({
    TransactionVersion: version,
    Verification: walk % 5 !== 0,
    MaxEpoch: walk % 3 === 0 ? 3 : 32767,
    DedupWindow: 2,
    TransactionsPerClient: 3,
    Group: false,
    Version1Clients: Value.set([]),
    ReplicationLag: walk % 2 === 0,
    FaultBudget: 6,
    FaultKinds: Value.set([...faultKinds]),
    ...shape
  }, {})
  const { context } = configuration
  return { ...configuration, context: { ...context, rules: { ...TransactionRules.base, ...overridden } } }
}

const overrides: ReadonlyArray<Partial<TransactionRules.Rules>> = [
  {},
  {},
  ...Object.values(TransactionMuseum.overrides),
  ...Object.values(TransactionReleases.overrides)
]

/** A configuration for each walk, so that many walks have every combination. */
const configurationFor = (walk: number): Configuration =>
  configurationOf(
    shapes[walk % shapes.length]!,
    Math.floor(walk / shapes.length) % 2 === 0 ? 2 : 1,
    overrides[Math.floor(walk / (2 * shapes.length)) % overrides.length]!,
    walk
  )

/** The steps whose label says which they are. */
const unambiguous = (steps: ReadonlyArray<Step<World>>): ReadonlyArray<Step<World>> => {
  const counts = new Map<string, number>()
  for (const step of steps) counts.set(render(step), (counts.get(render(step)) ?? 0) + 1)
  return steps.filter((step) => counts.get(render(step)) === 1)
}

/** A step to go on with. Faults are rare, so that the budget lasts. */
const choose = (steps: ReadonlyArray<Step<World>>, world: World, next: () => number): Step<World> | undefined => {
  const orderly = steps.filter((step) => step.world.faults === world.faults)
  const chosen = next() < 0.8 && orderly.length > 0 ? orderly : steps
  return chosen[Math.floor(next() * chosen.length)]
}

const callOf = ({ action, arguments: instance }: Step<World>) => ({ action, arguments: instance.map(String) })

/** Every instance of every action but refusals, possible or not. */
const instances = ({ clients, faultBudget, partitions, transactionalIds }: Configuration) => {
  const numbers = (most: number, from: number) => Array.from({ length: most - from + 1 }, (_, i) => i + from)
  const values: Readonly<Record<string, ReadonlyArray<string | number>>> = {
    client: numbers(clients, 1),
    id: numbers(transactionalIds, 1),
    copy: numbers(faultBudget, 0),
    partition: partitions,
    isWritten: ["TRUE", "FALSE"]
  }
  return Object.entries(Transactions.Action.parameters).filter(([action]) => !isRefusal(action)).flatMap(
    ([action, parameters]) =>
      parameters
        .reduce<ReadonlyArray<ReadonlyArray<string | number>>>(
          (before, parameter) => before.flatMap((some) => values[parameter]!.map((value) => [...some, value])),
          [[]]
        )
        .map((instance) => ({ action, arguments: instance }))
  )
}

describe("the controlled transactional cluster", () => {
  it("ends where the model ends, on random walks through every action", () => {
    const taken = new Map<string, number>()
    for (let walk = 0; walk < 700; walk++) {
      const configuration = configurationFor(walk)
      const worlds = Interner.make(model.packing(configuration))
      const next = Simulation.randomNumbers(walk)
      const controlled = driver.start(configuration)
      const trail: Array<string> = []
      let world = model.initial(configuration)
      assert.deepStrictEqual(controlled.project(world), world)
      for (let step = 0; step < 100; step++) {
        const chosen = choose(unambiguous(model.successors(configuration, world)), world, next)
        if (chosen === undefined) break
        trail.push(render(chosen))
        taken.set(chosen.action, (taken.get(chosen.action) ?? 0) + 1)
        const path = `walk ${walk}: ${trail.join(" ")}`

        assert.isTrue(controlled.perform(callOf(chosen)), path)
        const reached = controlled.project(chosen.world)
        if (worlds.number(reached) !== worlds.number(chosen.world)) {
          assert.deepStrictEqual(
            model.encode(configuration, reached),
            model.encode(configuration, chosen.world),
            path
          )
        }
        world = chosen.world
      }
      controlled.close()
    }

    assert.sameMembers([...taken.keys()], model.actionNames.filter((name) => !isRefusal(name) && !isRequest(name)))
  })

  it("does nothing when told to do what the model cannot do", () => {
    const refused = new Set<string>()
    for (let walk = 0; walk < 40; walk++) {
      const configuration = { ...configurationFor(walk), faultBudget: 3 }
      const next = Simulation.randomNumbers(walk)
      const controlled = driver.start(configuration)
      const all = instances(configuration)
      let world = model.initial(configuration)
      // Without a budget the model has no faults, which is nothing that the runtime could know.
      for (let step = 0; step < 40 && world.faults > 0; step++) {
        const successors = model.successors(configuration, world)
        const enabled = new Set(successors.map(render))
        const before = controlled.project(world)
        for (const instance of all) {
          if (enabled.has(render(instance))) continue
          refused.add(instance.action)
          const call = { action: instance.action, arguments: instance.arguments.map(String) }
          assert.isFalse(controlled.perform(call), `walk ${walk}: ${render(instance)}`)
        }
        assert.isTrue(isDeepStrictEqual(controlled.project(world), before), `walk ${walk}, step ${step}`)
        const chosen = choose(unambiguous(successors), world, next)
        if (chosen === undefined) break
        controlled.perform(callOf(chosen))
        world = chosen.world
      }
      controlled.close()
    }

    // A leader can always change.
    const refusable = model.actionNames.filter((name) =>
      !isRefusal(name) && !isRequest(name) && name !== "LeaderChange"
    )
    assert.sameMembers([...refused], refusable)
  })

  it("refuses what the model refuses, with the same error, and nothing changes", () => {
    const errors = new Set<string>()
    for (let walk = 0; walk < 40; walk++) {
      const probes = { producerIds: [1, 2], epochs: [0, 1, 2, 3], sequences: [0, 1, 2] }
      const configuration = { ...configurationFor(walk), probes }
      const next = Simulation.randomNumbers(walk)
      const controlled = driver.start(configuration)
      let world = model.initial(configuration)
      for (let step = 0; step < 60; step++) {
        const successors = model.successors(configuration, world)
        const before = controlled.project(world)
        for (const refusal of successors) {
          if (!isRefusal(refusal.action)) continue
          errors.add(`${refusal.action} ${refusal.arguments.at(-1)}`)
          assert.isTrue(controlled.perform(callOf(refusal)), `walk ${walk}: ${render(refusal)}`)
        }
        assert.isTrue(isDeepStrictEqual(controlled.project(world), before), `walk ${walk}, step ${step}`)
        const chosen = choose(unambiguous(successors.filter(({ action }) => !isRefusal(action))), world, next)
        if (chosen === undefined) break
        controlled.perform(callOf(chosen))
        world = chosen.world
      }
      controlled.close()
    }

    assert.isAtLeast(errors.size, 19)
  })

  it("does not pass for refused what is accepted", () => {
    const configuration = configurationFor(0)
    const controlled = driver.start(configuration)

    // An id that nobody used before takes whoever comes.
    const call = { action: "RefuseInitProducerId", arguments: ["1", "-1", "-1", "CONCURRENT_TRANSACTIONS"] }
    assert.isFalse(controlled.perform(call))
    assert.notDeepEqual(controlled.project(model.initial(configuration)), model.initial(configuration))
    controlled.close()
  })

  it("ends in the same state whichever of the ready fibers continues first", () => {
    for (let walk = 0; walk < 40; walk++) {
      const configuration = configurationFor(walk)
      const next = Simulation.randomNumbers(walk)
      const clusters = [0, 1, 2].map((seed) => Transactions.Controlled.make({ ...setupOf(configuration), seed }))
      let world = model.initial(configuration)
      for (let step = 0; step < 40; step++) {
        const chosen = choose(unambiguous(model.successors(configuration, world)), world, next)
        if (chosen === undefined) break
        for (const cluster of clusters) {
          cluster.perform(Transactions.Action.named(chosen.action, chosen.arguments), world.faults)
        }
        world = chosen.world
      }
      const [first, ...others] = clusters.map(({ snapshot }) => snapshot())

      for (const other of others) assert.deepStrictEqual(other, first)
      for (const { close } of clusters) close()
    }
  })

  it("shares the parts of its snapshots that did not change", () => {
    const configuration = configurationFor(2)
    const controlled = driver.start(configuration)
    const world = model.initial(configuration)
    const before = controlled.project(world)
    controlled.perform({ action: "InitTransactions", arguments: ["1"] })
    const after = controlled.project(world)

    assert.strictEqual(after.clients[1], before.clients[1])
    assert.strictEqual(after.produces, before.produces)
    assert.strictEqual(after.markers, before.markers)
    assert.strictEqual(after.coordinators[0], before.coordinators[0])
    assert.strictEqual(after.partitions[0], before.partitions[0])
    assert.notStrictEqual(after.requests, before.requests)
  })
})
