/** Small configurations, and all worlds of one. */
import * as Interner from "../../../src/model/Interner.ts"
import type { Value } from "../../../src/model/TlaValue.ts"
import { Actions, Configuration, model, type World } from "../../../src/model/transactions/index.ts"

export const setOf = (...elements: ReadonlyArray<Value>): Value => ({ kind: "set", elements })

/** What a configuration file says: version 2, one client, one partition, one fault of any kind. */
export const constants = (over: Readonly<Record<string, Value>> = {}): Readonly<Record<string, Value>> => ({
  TransactionVersion: 2,
  Verification: true,
  MaxEpoch: 32767,
  DedupWindow: 2,
  Clients: 1,
  TransactionalIds: 1,
  TransactionsPerClient: 2,
  Partitions: setOf("A"),
  Group: false,
  Version1Clients: setOf(),
  ReplicationLag: false,
  FaultBudget: 1,
  FaultKinds: setOf(...Configuration.faultKinds),
  ...over
})

export const configuration = (
  over: Readonly<Record<string, Value>> = {},
  substitutions: Readonly<Record<string, string>> = {}
): Configuration.Configuration => Configuration.fromConstants(constants(over), substitutions)

/** Every world that can be reached. */
export const reachable = (of: Configuration.Configuration): ReadonlyArray<World.World> => {
  const { number } = Interner.make(model.packing(of))
  const worlds = [model.initial(of)]
  worlds.forEach(number)
  for (const world of worlds) {
    for (const step of Actions.successors(of, world)) if (number(step.world) === worlds.length) worlds.push(step.world)
  }
  return worlds
}
