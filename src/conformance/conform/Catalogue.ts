/**
 * Every case that there is by the newest release, on clusters of version 1 and of version 2, with where it is asked.
 *
 * Targets of other releases are asked nearly the same: their rules differ, and so do the states that walks come to.
 */
import { Effect } from "effect"
import type * as Campaign from "./Campaign.ts"
import type * as Case from "./Case.ts"
import { Release } from "./launch/index.ts"
import * as Level from "./Level.ts"
import * as Parts from "./Parts.ts"
import * as Report from "./Report.ts"
import * as Rules from "./Rules.ts"
import * as Walking from "./Walking.ts"
import type { Step } from "./Walks.ts"

/** Where a case is asked. */
export interface Asked {
  readonly part: string
  /** Of the cluster. */
  readonly transactionVersion: number
  /** How many walks of the part ask it. */
  walks: number
}

/** One way to a case: that with the fewest requests that change something. */
export interface Example {
  readonly walk: Campaign.WalkName
  readonly transactionVersion: number
  readonly steps: ReadonlyArray<Step>
  readonly changes: number
}

export interface Entry extends Pick<Case.Case, "id" | "topic"> {
  /** Answers, `NONE` for success. */
  readonly errors: Set<string>
  readonly asked: Array<Asked>
  example: Example
}

const newest = Release.lines.at(-1)!
const transactionVersions = [2, 1] as const

const isChange = (step: Step): boolean => step._tag === "Ask" && step.before !== step.after

/** By name. */
export const make = Effect.fn("Catalogue.make")(function*() {
  const entries = new Map<string, Entry>()
  for (const transactionVersion of transactionVersions) {
    const { parts } = yield* Parts.of({ line: newest, transactionVersion, writeTxnMarkers: 2 }, "full")
    for (const { configuration, graph, name: part } of parts) {
      for (const { number, steps } of graph.walks) {
        const here = new Set<string>()
        let changes = 0
        for (const [place, step] of steps.entries()) {
          if (isChange(step)) changes++
          for (const { error, id, topic } of Walking.casesOf(configuration, step)) {
            const example = (): Example => ({
              walk: { part, number },
              transactionVersion,
              steps: steps.slice(0, place + 1),
              changes
            })
            let entry = entries.get(id)
            if (entry === undefined) {
              entries.set(id, entry = { id, topic, errors: new Set(), asked: [], example: example() })
            }
            entry.errors.add(error)
            if (changes < entry.example.changes) entry.example = example()
            if (here.has(id)) continue
            here.add(id)
            const last = entry.asked.at(-1)
            if (last?.part === part && last.transactionVersion === transactionVersion) last.walks++
            else entry.asked.push({ part, transactionVersion, walks: 1 })
          }
        }
      }
    }
  }
  return [...entries.values()].toSorted((a, b) => a.id < b.id ? -1 : 1)
})

export const rulesOf = ({ errors, topic }: Entry): ReadonlyArray<Rules.Rule & { readonly error: string }> =>
  Array.from(errors, (error) => ({ error, ...Rules.of({ topic, error }) }))

export const levelOf = (entry: Entry): Level.Level => Level.strictest(rulesOf(entry).map(({ level }) => level))

export const exampleOf = ({ example }: Entry) => Report.exchangesOf(example.steps)
