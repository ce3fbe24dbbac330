/**
 * Whether the log of a run is a behaviour of a model: from the initial world, every line must be an action that is enabled
 * with these arguments, and must lead to what was observed.
 *
 * It is strict and linear: no line is skipped, none is guessed, and each costs one action. It says that the run did nothing
 * that the specification forbids; what the run should have done and did not, it cannot see.
 */
import type { Model, Step } from "../model/Model.ts"
import { hasProperty, render, worldAfter } from "../model/Model.ts"
import * as Value from "../tlc/Value.ts"
import * as EventLog from "./EventLog.ts"
import type { Focus } from "./Focus.ts"
import { everything } from "./Focus.ts"
import type { Label } from "./Graph.ts"
import * as StateDiff from "./StateDiff.ts"

type Line = EventLog.Line

/** Why a step that is not enabled is not: what it would take, as far as it was found. */
export type Obstacle =
  /** The same action is enabled with other arguments. */
  | { readonly _tag: "OtherArguments"; readonly possible: ReadonlyArray<Label> }
  /**
   * It would be enabled after these steps, which may have been lost. `differences` are between what they lead to and what
   * there is.
   */
  | {
    readonly _tag: "Early"
    readonly after: ReadonlyArray<Label>
    readonly differences: ReadonlyArray<StateDiff.Difference>
  }
  /** It was enabled before this line, and no more after it. `differences` are between then and now. */
  | {
    readonly _tag: "Late"
    readonly line: number
    readonly step: Label
    readonly differences: ReadonlyArray<StateDiff.Difference>
  }
  /** The specification has no action of this name. */
  | { readonly _tag: "NoSuchAction" }

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
  /** What keeps the step from being taken, where it is not enabled and something was found. */
  readonly obstacle: Obstacle | undefined
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
  /** What of the run the properties are asked of, by default of everything. */
  readonly focus?: Focus<Configuration, World>
  /** Hears of every line that is accepted, and of the world that it leads to. */
  readonly stepped?: (line: Line, world: World) => void
}

/** Validates one log while it is being written. */
export interface Validator<World> {
  /** Takes the next line; `false` when it is rejected or violates a property, after which all others are ignored. */
  readonly observe: (line: Line) => boolean
  /** The verdict on the lines so far; a log without lines is rejected. */
  readonly verdict: () => Verdict<World>
}

/** How many lines back an obstacle is looked for, how many steps ahead, and in how many worlds. */
const back = 32
const ahead = 3
const horizon = 400

/** Starts a validator that has seen no line. */
export const make = <Configuration, World>(
  { configuration, focus = everything(configuration), from, model, properties = [], stepped }: Options<
    Configuration,
    World
  >
): Validator<World> => {
  const unknown = properties.filter((name) => !hasProperty(model, name))
  if (unknown.length > 0) throw new Error(`${model.specification} has no ${unknown.join(", ")} in code`)
  const actions: Record<string, number> = Object.fromEntries(model.actionNames.map((name) => [name, 0]))
  const judges = properties.map((name) => ({
    name,
    invariant: model.invariants[name],
    stepProperty: model.stepProperties[name]
  }))
  const encoders = model.encoders(configuration)
  let world = from ?? model.initial(configuration)
  let lines = 0
  let final: Rejected<World> | Violating<World> | undefined
  /** The last worlds before a line, each with what was done there. */
  const recent: Array<{ readonly world: World; readonly step: Omit<Step<World>, "world"> }> = []

  /** What was observed otherwise than in this world. */
  const differencesFrom = (
    { observed = {}, places = [] }: Line,
    actual: World
  ): ReadonlyArray<StateDiff.Difference> => {
    const seen = Object.fromEntries(Object.keys(observed).map((name) => [name, encoders[name]!(actual)]))
    const differences = [...StateDiff.between(observed, seen)]
    for (const { path, value } of places) {
      const found = EventLog.valueAt({ [path[0]]: encoders[path[0]]!(actual) }, path)
      if (found === undefined || !Value.equals(value, found)) {
        differences.push(...StateDiff.at(StateDiff.pathOf(path), value, found))
      }
    }
    return differences
  }

  const stateDifferences = (expected: World, actual: World): ReadonlyArray<StateDiff.Difference> =>
    StateDiff.between(model.encode(configuration, expected), model.encode(configuration, actual))

  /** The fewest steps from this world after which the line is enabled. */
  const missing = (line: Line): Obstacle | undefined => {
    let level: ReadonlyArray<{ readonly world: World; readonly after: ReadonlyArray<Label> }> = [{ world, after: [] }]
    let looked = 0
    for (let depth = 0; depth < ahead; depth++) {
      const next: Array<typeof level[number]> = []
      for (const { after, world: reached } of level) {
        for (const step of model.successors(configuration, reached)) {
          if (++looked > horizon) return undefined
          const found = { world: step.world, after: [...after, render(step)] }
          if (worldAfter(model, configuration, found.world, line) !== undefined) {
            return { _tag: "Early", after: found.after, differences: stateDifferences(found.world, world) }
          }
          next.push(found)
        }
      }
      level = next
    }
    return undefined
  }

  const obstacleOf = (line: Line): Obstacle | undefined => {
    const steps = model.successors(configuration, world)
    const possible = steps.filter(({ action }) => action === line.action).map(render)
    if (possible.length > 0) return { _tag: "OtherArguments", possible }
    const before = recent.findLastIndex((one) => worldAfter(model, configuration, one.world, line) !== undefined)
    const last = recent[before]
    if (last === undefined) return missing(line)
    return {
      _tag: "Late",
      line: lines - recent.length + before,
      step: render(last.step),
      differences: stateDifferences(last.world, world)
    }
  }

  const rejected = (
    reason: Rejected<World>["reason"],
    line?: Line,
    found: Partial<Pick<Rejected<World>, "differences" | "closest" | "obstacle">> = {}
  ): Rejected<World> => ({
    _tag: "Rejected",
    line: lines,
    step: line && render(line),
    reason,
    allowed: model.successors(configuration, world).map(render),
    differences: [],
    closest: undefined,
    obstacle: undefined,
    world,
    ...found
  })

  /** Looks for the step that comes closest to what the line observed. */
  const rejectedAsDisabled = (line: Line): Rejected<World> => {
    const obstacle = obstacleOf(line)
    if (line.observed === undefined && line.places === undefined) return rejected("not enabled", line, { obstacle })
    let closest: Label | undefined
    let differences: ReadonlyArray<StateDiff.Difference> = []
    for (const step of model.successors(configuration, world)) {
      const others = differencesFrom(line, step.world)
      if (closest !== undefined && others.length >= differences.length) continue
      closest = render(step)
      differences = others
    }
    return rejected("not enabled", line, { obstacle, closest, differences })
  }

  const violated = (before: World, after: World): string | undefined => {
    if (properties.length === 0) return undefined
    const { configuration: focused, from, to } = focus(before, after)
    return judges.find(({ invariant, stepProperty }) =>
      invariant?.(focused, to) === false || stepProperty?.(focused, from, to) === false
    )?.name
  }

  const isVariable = (name: string): boolean => model.variables.includes(name)

  /** Moves on, and answers with what ends the log, if something does. */
  const take = (line: Line): Rejected<World> | Violating<World> | undefined => {
    const { action, observed, places } = line
    lines++
    if (!Object.hasOwn(actions, action)) {
      return rejected("unknown action", line, { obstacle: { _tag: "NoSuchAction" } })
    }
    if (observed !== undefined && !Object.keys(observed).every(isVariable)) return rejected("unknown variable", line)
    if (places !== undefined && !places.every(({ path }) => isVariable(path[0]))) {
      return rejected("unknown variable", line)
    }
    const after = worldAfter(model, configuration, world, line)
    if (after === undefined) return rejectedAsDisabled(line)
    if (observed !== undefined || places !== undefined) {
      const differences = differencesFrom(line, after)
      if (differences.length > 0) return rejected("other state", line, { differences, closest: render(line) })
    }
    actions[action]!++
    stepped?.(line, after)
    const property = violated(world, after)
    recent.push({ world, step: { action, arguments: line.arguments } })
    if (recent.length > back) recent.shift()
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

/** The verdict as text. `numberOf` says what number a line has for the reader, where that is another. */
export const summarize = (
  verdict: Verdict<unknown>,
  numberOf: (line: number) => number = (line) => line
): string => {
  switch (verdict._tag) {
    case "Accepted":
      return `${verdict.lines} lines accepted`
    case "Violating":
      return `line ${numberOf(verdict.line)}: ${verdict.step} violates ${verdict.property}`
    case "Rejected":
      return summarizeRejected(verdict, numberOf)
  }
}

/** How many differences of an obstacle are told; they are those of two whole states. */
const toldOfObstacle = 6

const summarizeDifferences = (differences: ReadonlyArray<StateDiff.Difference>): ReadonlyArray<string> => [
  ...differences.slice(0, toldOfObstacle).map(({ actual, expected, path }) =>
    `    ${path}: ${expected}, now ${actual}`
  ),
  ...(differences.length > toldOfObstacle ? [`    and ${differences.length - toldOfObstacle} more`] : [])
]

const summarizeObstacle = (
  obstacle: Obstacle | undefined,
  numberOf: (line: number) => number
): ReadonlyArray<string> => {
  switch (obstacle?._tag) {
    case undefined:
      return []
    case "NoSuchAction":
      return ["  the specification has no such action"]
    case "OtherArguments":
      return [`  the action is possible with other arguments: ${obstacle.possible.join(", ")}`]
    case "Early":
      return [
        `  it would be possible after ${obstacle.after.join(" ")}, where is`,
        ...summarizeDifferences(obstacle.differences)
      ]
    case "Late":
      return [
        `  it was possible until line ${numberOf(obstacle.line)}, ${obstacle.step}, before which was`,
        ...summarizeDifferences(obstacle.differences)
      ]
  }
}

const summarizeRejected = (
  { allowed, closest, differences, line, obstacle, reason, step }: Rejected<unknown>,
  numberOf: (line: number) => number
): string => {
  const others = allowed.length - told
  const choices = allowed.length === 0 ? "nothing" : allowed.slice(0, told).join(", ")
  return [
    line === 0 ? "the log is empty" : `line ${numberOf(line)}: ${step} is rejected: ${reason}`,
    `  allowed here: ${choices}${others > 0 ? ` and ${others} more` : ""}`,
    ...summarizeObstacle(obstacle, numberOf),
    ...(closest === undefined ? [] : [
      differences.length === 0
        ? `  what was observed is what ${closest} leads to`
        : `  after ${closest} the log and the model differ:`
    ]),
    ...differences.map(({ actual, expected, path }) => `    ${path}: log ${expected}, model ${actual}`)
  ].join("\n")
}
