/**
 * Counterexamples as data: a behaviour that violates a property, as an ITF trace that names the action and arguments of
 * every step, and its replay on the code.
 *
 * TLC's traces name actions without their arguments, which are recovered by looking for the step of the code that leads to
 * TLC's next state. The replay believes nothing of that: every state is decoded into a world, every step must be there
 * under its name, and the property must fail in the last state and in no other.
 */
import { Effect, Result } from "effect"
import * as Codec from "../model/Codec.ts"
import type { TraceStep } from "../model/Explorer.ts"
import * as Interner from "../model/Interner.ts"
import type { Model } from "../model/Model.ts"
import { hasProperty, render, worldAfter } from "../model/Model.ts"
import type { TraceState } from "../tlc/index.ts"
import * as Itf from "../tlc/Itf.ts"
import * as Value from "../tlc/Value.ts"
import type { Label } from "./Graph.ts"
import * as Specification from "./Specification.ts"
import * as StateDiff from "./StateDiff.ts"

type Values = Readonly<Record<string, Value.Value>>

/** What a counterexample is one of. */
export interface Origin {
  /** The module that defines `Next`. */
  readonly specification: string
  /** The module that was checked and its configuration, relative to the folder of the specification. */
  readonly module: string
  readonly config: string
  /** The property that is violated. */
  readonly property: string
  /** Who found it: the banner of TLC, or the explorer. */
  readonly foundBy: string
}

/** One state, with the step that led to it; the first has none. */
export interface State {
  readonly action: string | undefined
  readonly arguments: ReadonlyArray<string | number>
  readonly variables: Values
}

/** A behaviour from the initial state to the first one that violates the property. */
export interface Counterexample {
  readonly origin: Origin
  readonly states: ReadonlyArray<State>
}

/** Something that is no counterexample; the message says in one sentence why. */
export class CounterexampleError extends Error {}

const fail = (message: string): never => {
  throw new CounterexampleError(message)
}

// ---------------------------------------------------------------------------------------------------------------------
// Making
// ---------------------------------------------------------------------------------------------------------------------

/** The counterexample that an explorer's trace is. */
export const fromExplorer = <Configuration, World>(
  model: Model<Configuration, World>,
  configuration: Configuration,
  origin: Origin,
  trace: ReadonlyArray<TraceStep<World>>
): Counterexample => ({
  origin,
  states: trace.map(({ action, arguments: instance, world }) => ({
    action,
    arguments: instance,
    variables: model.encode(configuration, world)
  }))
})

/** The worlds of states. Throws `CounterexampleError` for a state that is none of the specification. */
const worldsOf = <Configuration, World>(
  model: Model<Configuration, World>,
  configuration: Configuration,
  states: ReadonlyArray<{ readonly variables: Values }>
): ReadonlyArray<World> =>
  states.map(({ variables }, index) => {
    const missing = model.variables.find((name) => !Object.hasOwn(variables, name))
    const unknown = Object.keys(variables).find((name) => !model.variables.includes(name))
    if (missing !== undefined) return fail(`state ${index + 1} has no ${missing}, which ${model.specification} has`)
    if (unknown !== undefined) return fail(`state ${index + 1} has ${unknown}, which ${model.specification} has not`)
    try {
      return Codec.decode(model, configuration, variables)
    } catch (error) {
      return error instanceof Codec.CodecError
        ? fail(`state ${index + 1} is none of ${model.specification}: ${error.message}`)
        : fail(`state ${index + 1} cannot be read: ${String(error)}`)
    }
  })

/**
 * The counterexample that TLC's trace is. Throws `CounterexampleError` where the code has no step that leads to TLC's next
 * state.
 */
export const fromTlc = <Configuration, World>(
  model: Model<Configuration, World>,
  configuration: Configuration,
  origin: Origin,
  trace: ReadonlyArray<TraceState>
): Counterexample => {
  const states = trace.map(({ action, variables }) => ({
    action,
    variables: Object.fromEntries(Object.entries(variables).map(([name, text]) => [name, Value.parseUnsafe(text)]))
  }))
  const worlds = worldsOf(model, configuration, states)
  const { number } = Interner.make(model.packing(configuration))
  return {
    origin,
    states: states.map(({ action, variables }, i): State => {
      if (i === 0) return { action: undefined, arguments: [], variables }
      const step = model.successors(configuration, worlds[i - 1]!).find((candidate) =>
        (action === undefined || candidate.action === action) && number(candidate.world) === number(worlds[i]!)
      )
      if (step === undefined) {
        return fail(`the code has no ${action ?? "step"} from state ${i} to state ${i + 1} of TLC`)
      }
      return { action: step.action, arguments: step.arguments, variables }
    })
  }
}

// ---------------------------------------------------------------------------------------------------------------------
// The file
// ---------------------------------------------------------------------------------------------------------------------

const schemaVersion = 1

const format = {
  format: "ITF",
  "format-description": "https://apalache.informal.systems/docs/adr/015adr-trace.html"
}

/** The text of the file. */
export const print = ({ origin, states }: Counterexample): string => {
  const { config, foundBy, module, property, specification } = origin
  return Itf.print({
    meta: { ...format, schemaVersion, specification, source: module, config, property, foundBy },
    variables: Object.keys(states[0]!.variables),
    states: states.map(({ action, arguments: instance, variables }, index) => ({
      meta: { index, ...(action === undefined ? {} : { action, arguments: instance }) },
      variables
    }))
  })
}

const textIn = (meta: Itf.JsonObject, name: string): string => {
  const value = meta[name]
  return typeof value === "string" ? value : fail(`#meta has no ${name}; is it a counterexample of ours?`)
}

const readState = ({ meta, variables }: Itf.State, index: number): State => {
  const { action, arguments: instance } = meta
  if (meta["index"] !== index) return fail(`state ${index + 1} is not numbered ${index}: some are missing or moved`)
  if (index === 0) return { action: undefined, arguments: [], variables }
  if (typeof action !== "string") return fail(`state ${index + 1} does not say which action led to it`)
  if (!Array.isArray(instance)) return fail(`state ${index + 1} does not say with which arguments`)
  const read = (instance as ReadonlyArray<Itf.Json>).map((argument) =>
    typeof argument === "string" || typeof argument === "number"
      ? argument
      : fail(`state ${index + 1} has an argument that is neither text nor number`)
  )
  return { action, arguments: read, variables }
}

/** Reads the text of a file. Throws `CounterexampleError`. */
export const parse = (text: string): Counterexample => {
  const trace = Itf.parse(text)
  if (Result.isFailure(trace)) return fail(trace.failure.message)
  const { meta, states } = trace.success
  if (meta["format"] !== format.format || meta["schemaVersion"] !== schemaVersion) {
    return fail("the trace is none of ours, or of another version")
  }
  return {
    origin: {
      specification: textIn(meta, "specification"),
      module: textIn(meta, "source"),
      config: textIn(meta, "config"),
      property: textIn(meta, "property"),
      foundBy: textIn(meta, "foundBy")
    },
    states: states.map(readState)
  }
}

/** Reads a file, and the configuration that it is a counterexample of. */
export const read = Effect.fn("Counterexample.read")(function*(
  path: string
): Effect.fn.Return<
  { readonly counterexample: Counterexample; readonly checked: Specification.Checked },
  Specification.SpecificationError
> {
  const text = yield* Specification.readText(path)
  const counterexample = yield* Effect.try({
    try: () => parse(text),
    catch: (error) =>
      new Specification.SpecificationError({
        message: `${Specification.shown(path)}: ${error instanceof CounterexampleError ? error.message : String(error)}`
      })
  })
  const { config, module, specification } = counterexample.origin
  const checked = yield* Specification.load(module, config)
  if (checked.model.specification !== specification) {
    return yield* new Specification.SpecificationError({
      message: `${Specification.shown(path)}: ${module} is no longer about ${specification}`
    })
  }
  return { counterexample, checked }
})

// ---------------------------------------------------------------------------------------------------------------------
// Replay
// ---------------------------------------------------------------------------------------------------------------------

/** The code behaves as the counterexample says, and violates the property. */
export interface Shown {
  readonly _tag: "Shown"
  readonly steps: ReadonlyArray<Label>
}

/** The code does not. */
export interface NotShown {
  readonly _tag: "NotShown"
  /** The state at which code and counterexample part, from 1. */
  readonly state: number
  readonly sentence: string
  /** What the counterexample has and the code has otherwise. */
  readonly differences: ReadonlyArray<StateDiff.Difference>
  /** What the code can do in the state before. */
  readonly allowed: ReadonlyArray<Label>
}

/** Replays a counterexample on the code of its model. Throws `CounterexampleError` where it is none of the model. */
export const replay = <Configuration, World>(
  model: Model<Configuration, World>,
  configuration: Configuration,
  { origin: { property }, states }: Counterexample
): Shown | NotShown => {
  if (!hasProperty(model, property)) return fail(`the code of ${model.specification} does not have ${property}`)
  if (states.length === 0) return fail("there is no state")
  const worlds = worldsOf(model, configuration, states)
  const { number } = Interner.make(model.packing(configuration))
  const steps: Array<Label> = []

  const part = (index: number, sentence: string, actual?: World): NotShown => ({
    _tag: "NotShown",
    state: index + 1,
    sentence,
    differences: actual === undefined
      ? []
      : StateDiff.between(states[index]!.variables, model.encode(configuration, actual)),
    allowed: index === 0 ? [] : model.successors(configuration, worlds[index - 1]!).map(render)
  })

  const isViolated = (index: number): boolean => {
    const invariant = model.invariants[property]
    if (invariant !== undefined) return !invariant(configuration, worlds[index]!)
    return index > 0 && !model.stepProperties[property]!(configuration, worlds[index - 1]!, worlds[index]!)
  }

  for (const [index, world] of worlds.entries()) {
    const { action, arguments: instance } = states[index]!
    if (index === 0) {
      const initial = model.initial(configuration)
      if (number(initial) !== number(world)) return part(0, "the code begins in another state", initial)
    } else {
      const call = { action: action!, arguments: instance }
      const reached = worldAfter(model, configuration, worlds[index - 1]!, call)
      if (reached === undefined) return part(index, `the code cannot take ${render(call)}`)
      if (number(reached) !== number(world)) return part(index, `${render(call)} leads the code elsewhere`, reached)
      steps.push(render(call))
    }
    const isLast = index === worlds.length - 1
    if (isViolated(index) !== isLast) {
      return part(
        index,
        isLast ? `${property} holds in the last state` : `${property} is violated before the last state`
      )
    }
  }
  return { _tag: "Shown", steps }
}
