/** Small configurations, and all worlds of one. */
import { Actions, Configuration, model, type World } from "../../../src/model/externalSink/index.ts"
import * as Interner from "../../../src/model/Interner.ts"
import type { Value } from "../../../src/model/TlaValue.ts"

/** What a configuration file says. */
export const constants = (over: Readonly<Record<string, Value>> = {}): Readonly<Record<string, Value>> => ({
  Members: 2,
  Inputs: 2,
  MaxGeneration: 2,
  MaxConnections: 2,
  ...over
})

/** With the operators of `SinkVariants.tla` in place: the rule, and the variant it is of. */
export const configuration = (
  over: Readonly<Record<string, Value>> = {},
  variants: Readonly<Record<string, string>> = {}
): Configuration.Configuration =>
  Configuration.fromConstants(
    constants(over),
    Object.fromEntries(Object.entries(variants).map(([rule, variant]) => [rule, `${rule}_${variant}`]))
  )

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
