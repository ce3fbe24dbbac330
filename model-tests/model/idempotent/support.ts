/** Small configurations, and all worlds of one. */
import { Actions, Configuration, model, type World } from "../../../src/model/idempotent/index.ts"
import * as Interner from "../../../src/model/Interner.ts"
import type { Value } from "../../../src/model/TlaValue.ts"

export const setOf = (...elements: ReadonlyArray<Value>): Value => ({ kind: "set", elements })

/** What a configuration file says, with one partition and two batches. */
export const constants = (over: Readonly<Record<string, Value>> = {}): Readonly<Record<string, Value>> => ({
  Partitions: setOf("p1"),
  BatchesPerPartition: 2,
  TwoRecordBatches: setOf(),
  Acks: "all",
  Idempotence: true,
  Retries: 2147483647,
  MaxInFlight: 2,
  DedupWindow: 2,
  MaxSequence: 2147483647,
  MaxEpoch: 3,
  MaxAttempts: 2,
  StartSequence: 0,
  FaultBudget: 1,
  FaultKinds: setOf("Disconnect", "ExpireBatch", "LeaderChange", "TimeOutProduce", "KAFKA_STORAGE_ERROR"),
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
