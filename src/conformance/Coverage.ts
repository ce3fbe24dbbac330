/**
 * What the models of a specification reach together. A property says nothing where nothing happens, so every action must
 * be taken and every witness seen, in some model.
 */
import * as Models from "../model/Models.ts"
import type { Check } from "./Check.ts"
import { judged } from "./Models.ts"
import type { Explored } from "./Task.ts"

/** How often something was met, and in how many models. */
export interface Met {
  readonly specification: string
  readonly name: string
  readonly models: number
}

export interface ReachedWitness extends Met {
  readonly sentence: string
  /** Distinct states of each model, added up. */
  readonly states: number
}

export interface TakenAction extends Met {
  /** Steps of each model, added up. */
  readonly steps: number
}

export interface Coverage {
  readonly witnesses: ReadonlyArray<ReachedWitness>
  readonly actions: ReadonlyArray<TakenAction>
  /** The distinct pairs of a request and the error that refuses it. */
  readonly refusals: ReadonlyArray<{ readonly specification: string; readonly pairs: ReadonlyArray<string> }>
}

/** The counts of one name in each model, added up. */
const total = (counts: ReadonlyArray<number>) => ({
  sum: counts.reduce((sum, count) => sum + count, 0),
  models: counts.filter((count) => count > 0).length
})

/** What these explorations reached; of each specification that one of them is of, all that there is to reach. */
export const of = (explorations: ReadonlyArray<Explored>): Coverage => {
  const bySpecification = Map.groupBy(explorations, ({ specification }) => specification)
  const witnesses: Array<ReachedWitness> = []
  const actions: Array<TakenAction> = []
  const refusals: Array<Coverage["refusals"][number]> = []
  for (const [specification, found] of bySpecification) {
    const model = Models.named(specification)
    for (const name of Object.keys(model.witnesses ?? {})) {
      const { models, sum: states } = total(found.map((explored) => explored.witnesses[name] ?? 0))
      witnesses.push({ specification, name, sentence: model.sentences[name]!, states, models })
    }
    for (const name of model.actionNames) {
      const { models, sum: steps } = total(found.map((explored) => explored.actions[name] ?? 0))
      actions.push({ specification, name, steps, models })
    }
    const pairs = new Set(found.flatMap((explored) => explored.refusals))
    refusals.push({ specification, pairs: [...pairs].toSorted() })
  }
  return { witnesses, actions, refusals }
}

/** Red for every action that no model takes, and every witness that none reaches. */
export const checksOf = ({ actions, witnesses }: Coverage): ReadonlyArray<Check> => {
  const command = "npm run -s keos -- check --witnesses"
  const check = (what: string, all: ReadonlyArray<Met>): ReadonlyArray<Check> =>
    Array.from(Map.groupBy(all, ({ specification }) => specification), ([specification, of]) =>
      judged(
        `${specification}: ${what}`,
        of.filter(({ models }) => models === 0).map(({ name }) => `${name} in no model`),
        command
      ))
  return [...check("every action is taken", actions), ...check("every witness is reached", witnesses)]
}
