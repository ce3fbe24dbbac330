/**
 * What a specification is to the code: the world that it describes, the actions that change it, the properties that
 * must hold, and the way between a world and a TLC state.
 *
 * Explorer, replays and reports know worlds only through this; they hold no rule of any of them.
 */
import type { Codec } from "./Codec.ts"
import type { Packing } from "./Interner.ts"
import type { Value } from "./TlaValue.ts"

/** An action with its arguments, in the order of the specification's parameters, and the world it leads to. */
export interface Step<World> {
  readonly action: string
  readonly arguments: ReadonlyArray<string | number>
  readonly world: World
}

export type Invariant<Configuration, World> = (configuration: Configuration, world: World) => boolean
export type StepProperty<Configuration, World> = (configuration: Configuration, from: World, to: World) => boolean

/** The code's side of one specification. Names are those of the specification. */
export interface Model<Configuration, World> extends Codec<Configuration, World> {
  /** The name of the module that defines `Next`. */
  readonly specification: string
  /**
   * Reads the constants of a `.cfg` file and the operators that it replaces. Throws `ConfigurationError` where a constant
   * is missing, has the wrong shape or is not known, and where no rule of the code stands for an operator.
   */
  readonly configuration: (
    constants: Readonly<Record<string, Value>>,
    substitutions: Readonly<Record<string, string>>
  ) => Configuration
  readonly initial: (configuration: Configuration) => World
  /** Every step that the world can take, with the action and arguments that name it. */
  readonly successors: (configuration: Configuration, world: World) => ReadonlyArray<Step<World>>
  /**
   * The world that an action leads to with these arguments; `undefined` where it is not enabled. It says what `successors`
   * says, without a look at the other actions.
   */
  readonly apply?: (configuration: Configuration, world: World, call: Omit<Step<World>, "world">) => World | undefined
  /** In the order of the specification's `Next`. */
  readonly actionNames: ReadonlyArray<string>
  /** Properties of a world. */
  readonly invariants: Readonly<Record<string, Invariant<Configuration, World>>>
  /** Properties of a step. */
  readonly stepProperties: Readonly<Record<string, StepProperty<Configuration, World>>>
  /**
   * Worlds that some configuration must reach, so that what holds does not hold of nothing: a case that a property speaks
   * of, a fault at the worst moment.
   */
  readonly witnesses?: Readonly<Record<string, Invariant<Configuration, World>>>
  /** One sentence for each property and witness, for people. */
  readonly sentences: Readonly<Record<string, string>>
  /** The properties that the code cannot judge and leaves to TLC alone, each with the reason. */
  readonly leftToTlc?: Readonly<Record<string, string>>
  /** How a world is taken apart, so that it can be known by a number. */
  readonly packing: (configuration: Configuration) => Packing<World>
}

/** Whether the code has this property; TLC may know others. */
export const hasProperty = <Configuration, World>(
  { invariants, stepProperties }: Model<Configuration, World>,
  name: string
): boolean => Object.hasOwn(invariants, name) || Object.hasOwn(stepProperties, name)

/** `Send(p1)`. */
export const render = ({ action, arguments: instance }: Omit<Step<unknown>, "world">): string =>
  instance.length === 0 ? action : `${action}(${instance.join(", ")})`

const refusing = "Refuse"

/** Whether the action only puts a request to a role to be refused; it says so by its name. */
export const isRefusal = (action: string): boolean => action.startsWith(refusing)

const requesting = "Request"

/**
 * Whether the action is the request of a raw client with all that follows from it. Such clients have a world for themselves,
 * in which no other action is taken.
 */
export const isRequest = (action: string): boolean => action.startsWith(requesting)

/** `EndTxn PRODUCER_FENCED`: the request that a step refuses, and the error, which is the last argument. */
export const refusalOf = ({ action, arguments: instance }: Omit<Step<unknown>, "world">): string | undefined =>
  isRefusal(action) && instance.length > 0 ? `${action.slice(refusing.length)} ${instance.at(-1)}` : undefined

/** Whether two lists of arguments are the same; one that was read from a text is a text. */
export const areSameArguments = (a: Step<unknown>["arguments"], b: Step<unknown>["arguments"]): boolean =>
  a.length === b.length && a.every((argument, i) => argument === b[i] || String(argument) === String(b[i]))

/** The world that an action leads to with these arguments; `undefined` where it is not enabled. */
export const worldAfter = <Configuration, World>(
  { apply, successors }: Pick<Model<Configuration, World>, "apply" | "successors">,
  configuration: Configuration,
  world: World,
  call: Omit<Step<World>, "world">
): World | undefined => {
  if (apply !== undefined) return apply(configuration, world, call)
  const isCalled = (step: Step<World>): boolean =>
    step.action === call.action && areSameArguments(step.arguments, call.arguments)
  return successors(configuration, world).find(isCalled)?.world
}

declare const opaque: unique symbol

/** A configuration of some model. Only that model can tell what it is. */
export interface AnyConfiguration {
  readonly [opaque]: "configuration"
}

/** A world of some model. Only that model can tell what it is. */
export interface AnyWorld {
  readonly [opaque]: "world"
}

/**
 * A model with its types forgotten, as a registry of several holds it. What comes out of one goes back into the same one,
 * which the types do not tell but `Configured` does.
 */
export type AnyModel = Model<AnyConfiguration, AnyWorld>

/** A configuration and the model that it belongs to. */
export interface Configured {
  readonly model: AnyModel
  readonly configuration: AnyConfiguration
}

/** Forgets the types of a model. */
export const erase = <Configuration, World>(model: Model<Configuration, World>): AnyModel =>
  model as unknown as AnyModel

/** The configuration with its type, if it belongs to `model`. */
export const configurationOf = <Configuration, World>(
  model: Model<Configuration, World>,
  configured: Configured
): Configuration | undefined =>
  configured.model === erase(model) ? configured.configuration as unknown as Configuration : undefined
