/**
 * What models reach together, for people: a line for each specification, and a table of the witnesses.
 */
import type { Coverage } from "../conformance/Coverage.ts"
import * as Output from "./Output.ts"

const share = (of: ReadonlyArray<{ readonly models: number }>): string => {
  const met = of.filter(({ models }) => models > 0).length
  return met === of.length ? `all ${of.length}` : `${met} of ${of.length}`
}

export const summary = ({ actions, refusals, witnesses }: Coverage): ReadonlyArray<string> =>
  refusals.map(({ pairs, specification }) => {
    const own = <A extends { readonly specification: string }>(all: ReadonlyArray<A>): ReadonlyArray<A> =>
      all.filter((one) => one.specification === specification)
    return [
      `${specification}: ${share(own(actions))} actions taken`,
      `${share(own(witnesses))} witnesses reached`,
      `${pairs.length} distinct pairs of request and error refused`
    ].join(", ")
  })

export const table = ({ witnesses }: Coverage): ReadonlyArray<string> =>
  Output.table([
    ["witness", "states", "models", ""],
    ...witnesses.map(({ models, name, sentence, states }) => [
      name,
      Output.count(states),
      Output.count(models),
      sentence
    ])
  ], ["left", "right", "right", "left"])
