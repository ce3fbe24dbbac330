/** Small configurations, and all worlds of one. */
import * as Interner from "../../../src/model/Interner.ts"
import { Actions, Configuration, model, type World } from "../../../src/model/readCommitted/index.ts"
import type { Value } from "../../../src/model/TlaValue.ts"

/** What a configuration file says. */
export const constants = (over: Readonly<Record<string, Value>> = {}): Readonly<Record<string, Value>> => ({
  Producers: 2,
  MaxEntries: 4,
  FetchSize: 2,
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
