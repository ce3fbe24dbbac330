/**
 * The choice between the named actions of a specification: what a model's `Actions.ts` is made of, and what `successors`
 * and `apply` of a model are made from.
 */
import * as Model from "./Model.ts"

/** Told of a world that an action leads to, and of the arguments with which it does. */
export type Found<World> = (world: World, instance: Model.Step<World>["arguments"]) => void

export interface Action<Configuration, World> {
  /**
   * Calls `found` for every enabled instance, with the arguments in the order of the specification's parameters. Where only
   * one instance is `wanted`, others may be left out.
   */
  readonly forEach: (configuration: Configuration, world: World, found: Found<World>, wanted?: Instance) => void
}

type Instance = Model.Step<unknown>["arguments"]

/** Whether an instance is of interest, so that its world is worth making. */
export const isWanted = (wanted: Instance | undefined, instance: Instance): boolean =>
  wanted === undefined || Model.areSameArguments(wanted, instance)

/** `list.with(index, value)`, which is several times slower on lists as short as those of a world. */
export const replaced = <A>(list: ReadonlyArray<A>, index: number, value: A): ReadonlyArray<A> => {
  const copy = list.slice()
  copy[index] = value
  return copy
}

/** The steps of a model whose actions are these, in this order. */
export const of = <Configuration, World>(
  actions: Readonly<Record<string, Action<Configuration, World>>>
): Required<Pick<Model.Model<Configuration, World>, "successors" | "apply">> => {
  const entries = Object.entries(actions)
  const known: ReadonlyMap<string, Action<Configuration, World>> = new Map(entries)
  return {
    successors: (configuration, world) => {
      const steps: Array<Model.Step<World>> = []
      for (const [action, { forEach }] of entries) {
        forEach(configuration, world, (next, instance) => steps.push({ action, arguments: instance, world: next }))
      }
      return steps
    },
    apply: (configuration, world, { action, arguments: called }) => {
      let found: World | undefined
      known.get(action)?.forEach(configuration, world, (next, instance) => {
        if (Model.areSameArguments(instance, called)) found = next
      }, called)
      return found
    }
  }
}
