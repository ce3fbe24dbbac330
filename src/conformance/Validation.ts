/**
 * Whether the log of a run is a behaviour of a model: from the initial world, every line must be an action that is enabled
 * with these arguments, and must lead to what was observed.
 *
 * It is strict and linear: no line is skipped, none is guessed, and each costs one action. It says that the run did nothing
 * that the specification forbids; what the run should have done and did not, it cannot see.
 */
import type { Model } from "../model/Model.ts"
import { hasProperty, render, worldAfter } from "../model/Model.ts"
import type * as Value from "../tlc/Value.ts"
import type { Line } from "./EventLog.ts"
import type { Label } from "./Graph.ts"
import * as StateDiff from "./StateDiff.ts"

/** Why a log is none of the model. */
export interface Rejected<World> {
  readonly _tag: "Rejected"
  /** From 1; 0 for a log without lines. */
  readonly line: number
  /** The action that was logged; absent for a log without lines. */
  readonly step: Label | undefined
  readonly reason: "empty log" | "unknown action" | "not enabled" | "unknown variable" | "other state"
  /** What could have been taken instead. */
  readonly allowed: ReadonlyArray<Label>
  /**
   * What the log observed and the model has otherwise: after the step; or, where it is not enabled, after that step of those
   * allowed which comes closest.
   */
  readonly differences: ReadonlyArray<StateDiff.Difference>
  /** The step after which `differences` are what they are, if there are any. */
  readonly closest: Label | undefined
  /** The world before the line. */
  readonly world: World
}

/** The log is a behaviour of the model, and violates a property that was to be watched. */
export interface Violating<World> {
  readonly _tag: "Violating"
  readonly line: number
  readonly step: Label
  readonly property: string
  /** The world after the line. */
  readonly world: World
}

/** The log is a behaviour of the model. */
export interface Accepted<World> {
  readonly _tag: "Accepted"
  readonly lines: number
  /** How often each action was taken, those never taken included. */
  readonly actions: Readonly<Record<string, number>>
  /** The world at the end. */
  readonly world: World
}

export type Verdict<World> = Accepted<World> | Rejected<World> | Violating<World>

export interface Options<Configuration, World> {
  readonly model: Model<Configuration, World>
  readonly configuration: Configuration
  /** Where the log begins, by default in the initial world. */
  readonly from?: World
  /** Properties of the model to watch at every line, by default none. Throws for one that the code does not have. */
  readonly properties?: ReadonlyArray<string>
}

/** Validates one log while it is being written. */
export interface Validator<World> {
  /** Takes the next line; `false` when it is rejected or violates a property, after which all others are ignored. */
  readonly observe: (line: Line) => boolean
  /** The verdict on the lines so far; a log without lines is rejected. */
  readonly verdict: () => Verdict<World>
}

/** Starts a validator that has seen no line. */
export const make = <Configuration, World>(
  { configuration, from, model, properties = [] }: Options<Configuration, World>
): Validator<World> => {
  const unknown = properties.filter((name) => !hasProperty(model, name))
  if (unknown.length > 0) throw new Error(`${model.specification} has no ${unknown.join(", ")} in code`)
  const actions: Record<string, number> = Object.fromEntries(model.actionNames.map((name) => [name, 0]))
  let world = from ?? model.initial(configuration)
  let lines = 0
  let final: Rejected<World> | Violating<World> | undefined

  /** What was observed otherwise than in this world. */
  const differencesFrom = (
    observed: Readonly<Record<string, Value.Value>>,
    actual: World
  ): ReadonlyArray<StateDiff.Difference> => {
    const state = model.encode(configuration, actual)
    const seen = Object.fromEntries(Object.keys(observed).map((name) => [name, state[name]!]))
    return StateDiff.between(observed, seen)
  }

  const rejected = (
    reason: Rejected<World>["reason"],
    line?: Line,
    differences: ReadonlyArray<StateDiff.Difference> = [],
    closest?: Label
  ): Rejected<World> => ({
    _tag: "Rejected",
    line: lines,
    step: line && render(line),
    reason,
    allowed: model.successors(configuration, world).map(render),
    differences,
    closest,
    world
  })

  /** Looks for the step that comes closest to what the line observed. */
  const rejectedAsDisabled = (line: Line): Rejected<World> => {
    if (line.observed === undefined) return rejected("not enabled", line)
    let closest: Label | undefined
    let fewest: ReadonlyArray<StateDiff.Difference> = []
    for (const step of model.successors(configuration, world)) {
      const differences = differencesFrom(line.observed, step.world)
      if (closest !== undefined && differences.length >= fewest.length) continue
      closest = render(step)
      fewest = differences
    }
    return rejected("not enabled", line, fewest, closest)
  }

  const violated = (before: World, after: World): string | undefined =>
    properties.find((name) => {
      const invariant = model.invariants[name]
      return invariant === undefined
        ? !model.stepProperties[name]!(configuration, before, after)
        : !invariant(configuration, after)
    })

  /** Moves on, and answers with what ends the log, if something does. */
  const take = (line: Line): Rejected<World> | Violating<World> | undefined => {
    const { action, observed } = line
    lines++
    if (!Object.hasOwn(actions, action)) return rejected("unknown action", line)
    if (observed !== undefined && Object.keys(observed).some((name) => !model.variables.includes(name))) {
      return rejected("unknown variable", line)
    }
    const after = worldAfter(model, configuration, world, line)
    if (after === undefined) return rejectedAsDisabled(line)
    if (observed !== undefined) {
      const differences = differencesFrom(observed, after)
      if (differences.length > 0) return rejected("other state", line, differences, render(line))
    }
    actions[action]!++
    const property = violated(world, after)
    world = after
    return property === undefined ? undefined : { _tag: "Violating", line: lines, step: render(line), property, world }
  }

  return {
    observe: (line) => {
      final ??= take(line)
      return final === undefined
    },
    verdict: () => {
      if (lines === 0) return rejected("empty log")
      return final ?? { _tag: "Accepted", lines, actions: { ...actions }, world }
    }
  }
}

/** Validates a whole log. */
export const validate = <Configuration, World>(
  options: Options<Configuration, World>,
  log: Iterable<Line>
): Verdict<World> => {
  const validator = make(options)
  for (const line of log) if (!validator.observe(line)) break
  return validator.verdict()
}

/** How many of the steps allowed are told. */
const told = 12

/** The verdict as text. */
export const summarize = (verdict: Verdict<unknown>): string => {
  switch (verdict._tag) {
    case "Accepted":
      return `${verdict.lines} lines accepted`
    case "Violating":
      return `line ${verdict.line}: ${verdict.step} violates ${verdict.property}`
    case "Rejected":
      return summarizeRejected(verdict)
  }
}

const summarizeRejected = ({ allowed, closest, differences, line, reason, step }: Rejected<unknown>): string => {
  const others = allowed.length - told
  const choices = allowed.length === 0 ? "nothing" : allowed.slice(0, told).join(", ")
  return [
    line === 0 ? "the log is empty" : `line ${line}: ${step} is rejected: ${reason}`,
    `  allowed here: ${choices}${others > 0 ? ` and ${others} more` : ""}`,
    ...(closest === undefined ? [] : [
      differences.length === 0
        ? `  what was observed is what ${closest} leads to`
        : `  after ${closest} the log and the model differ:`
    ]),
    ...differences.map(({ actual, expected, path }) => `    ${path}: log ${expected}, model ${actual}`)
  ].join("\n")
}
