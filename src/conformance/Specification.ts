/**
 * The specification on disk: its folder, the manifest of what every configuration must yield, and configurations
 * derived from a file by watching other properties or lifting overrides.
 *
 * Reads files and decides nothing.
 */
import { Effect, Result, Schema } from "effect"
import { existsSync, readFileSync } from "node:fs"
import { basename, dirname, join, relative, resolve } from "node:path"
import { fileURLToPath } from "node:url"
import type { Configured } from "../model/Model.ts"
import { hasProperty } from "../model/Model.ts"
import * as Models from "../model/Models.ts"
import * as Config from "../tlc/Config.ts"
import * as Value from "../tlc/Value.ts"
import { fingerprint } from "./Graph.ts"

/** A file of the specification that is missing or wrong. The message names it, and the line where there is one. */
export class SpecificationError extends Schema.TaggedError<SpecificationError>()("SpecificationError", {
  message: Schema.String
}) {}

/** The project's folder: beside the sources, or above the bundle that ships with them. */
export const home = ["../..", ".."]
  .map((up) => fileURLToPath(new URL(up, import.meta.url)))
  .find((folder) => existsSync(join(folder, "spec", "IdempotentProducer.tla"))) ?? process.cwd()

export const folder = join(home, "spec")

/** A path as messages show it. */
export const shown = (path: string): string => relative(process.cwd(), path) || "."

export const readText = (path: string): Effect.Effect<string, SpecificationError> =>
  Effect.try({
    try: () => readFileSync(path, "utf8"),
    catch: () => new SpecificationError({ message: `${shown(path)} cannot be read; is the checkout complete?` })
  })

const Verdict = Schema.Literals(["holds", "violated"])

const Tier = Schema.Literals(["default", "nightly"])
/** When something is checked: always, or at night too. */
export type Tier = typeof Tier.Type

/** Whether a run of this tier has it. */
export const isIn = (tier: Tier) => (one: { readonly tier?: Tier }): boolean =>
  tier === "nightly" || one.tier !== "nightly"

/** Sizes of a state graph; the counts by action are of edges. */
const Counts = Schema.Struct({
  distinct: Schema.Int,
  generated: Schema.Int,
  depth: Schema.Int,
  actions: Schema.Record(Schema.String, Schema.Int),
  /** Distinct pairs of a request and the error that refuses it; none where nothing is refused. */
  refusals: Schema.optionalKey(Schema.Int)
})
export type Counts = typeof Counts.Type

/** A constant as JSON has it; a list is a set. */
export const Constant = Schema.Union([
  Schema.Boolean,
  Schema.Int,
  Schema.String,
  Schema.Array(Schema.Union([Schema.Int, Schema.String]))
])
export type Constant = typeof Constant.Type

const Model = Schema.Struct({
  name: Schema.String,
  /** Relative to the folder of the specification, as all paths here. */
  module: Schema.String,
  config: Schema.String,
  tier: Tier,
  /** A graph too large for TLC: the code's explorer is alone with it. */
  explorerAlone: Schema.optionalKey(Schema.Literal(true)),
  /** Which engines replay the graph. */
  replay: Schema.Array(Schema.Literals(["core", "runtime"])),
  /** Whether the graph is under `traces/graphs`. */
  committed: Schema.Boolean,
  verdict: Verdict,
  /** What is checked, as the configuration lists it. */
  properties: Schema.Array(Schema.String),
  /**
   * The property that must be violated, and the states of the shortest counterexample. A lasso has no length: TLC does not
   * look for a shortest one. Nor does TLC name what a lasso violates, so it must be the only property.
   */
  property: Schema.optionalKey(Schema.String),
  length: Schema.optionalKey(Schema.Int),
  counts: Schema.optionalKey(Counts)
})
export type Model = typeof Model.Type

const Cell = Schema.Struct({ verdict: Verdict, length: Schema.optionalKey(Schema.Int) })
export type Cell = typeof Cell.Type

const Witness = Schema.Literals(["spec", "explorer", "histories"])
/** Who says whether a guarantee holds: TLC on the specification, the code's explorer, histories of the runtime. */
export type Witness = typeof Witness.Type

const Row = Schema.Struct({
  configuration: Schema.String,
  /** What the rows beside it have in common; `producer` by default. Heads their column. */
  group: Schema.optionalKey(Schema.String),
  title: Schema.String,
  /** What the configuration promises; empty where that has no name. */
  label: Schema.String,
  module: Schema.String,
  config: Schema.String,
  tier: Schema.optionalKey(Tier),
  /** Who is asked; all by default. */
  witnesses: Schema.optionalKey(Schema.NonEmptyArray(Witness)),
  /** How many of the histories it gets that a row gets otherwise, as a part of 1. */
  share: Schema.optionalKey(Schema.Finite),
  /** What is asked of the configuration, by property. Rows that ask the same stand in one table. */
  cells: Schema.Record(Schema.String, Cell)
})
export type Row = typeof Row.Type

export const groupOf = ({ group = "producer" }: Pick<Row, "group">): string => group

/** Whether this witness is asked. */
export const isAsked = ({ witnesses }: Pick<Row, "witnesses">, witness: Witness): boolean =>
  witnesses?.includes(witness) ?? true

/** What a row asks, in its order. */
export const guaranteesOf = ({ cells }: Pick<Row, "cells">): ReadonlyArray<string> => Object.keys(cells)

const Exhibit = Schema.Struct({
  name: Schema.String,
  title: Schema.String,
  /** Where it was reported. */
  reference: Schema.String,
  /** Which releases of which system had it. */
  releases: Schema.optionalKey(Schema.String),
  module: Schema.String,
  config: Schema.String,
  /** The rules that are the bug; other overrides of the configuration are its precondition. */
  rules: Schema.Array(Schema.String),
  /** Constants that are the bug, with the values that they have without it. */
  constants: Schema.optionalKey(Schema.Record(Schema.String, Constant)),
  property: Schema.String,
  length: Schema.Int
})
export type Exhibit = typeof Exhibit.Type

const Manifest = Schema.Struct({
  schemaVersion: Schema.Literal(1),
  models: Schema.Array(Model),
  guarantees: Schema.Array(Row),
  exhibits: Schema.Array(Exhibit)
})
export type Manifest = typeof Manifest.Type

export const manifestPath = join(folder, "models", "manifest.json")

const decodeManifest = Schema.decodeUnknownResult(Schema.fromJsonString(Manifest), {
  errors: "all",
  onExcessProperty: "error"
})

export const manifest: Effect.Effect<Manifest, SpecificationError> = Effect.gen(function*() {
  const decoded = decodeManifest(yield* readText(manifestPath))
  if (Result.isSuccess(decoded)) return decoded.success
  return yield* new SpecificationError({ message: `${shown(manifestPath)}: ${decoded.failure.message}` })
})

/** A configuration as it is checked: for TLC as text, for the code as data of a model. */
export interface Checked extends Configured {
  readonly module: string
  /** Where the text comes from. */
  readonly origin: string
  readonly config: Config.Config
}

/** What to change in a configuration file before it is checked. */
export interface Changes {
  /** Watch these of the properties, which the file must list, and no others. */
  readonly only?: ReadonlyArray<string>
  /** Put the rules of the base back in the place of these overrides, which the file must have. */
  readonly without?: ReadonlyArray<string>
  /** Give these constants, which the file must have, other values. */
  readonly constants?: Readonly<Record<string, Constant>>
}

const valueOf = (constant: Constant): Value.Value => typeof constant === "object" ? Value.set([...constant]) : constant

/** What changes speak of and the file does not have. */
const strangers = (
  { constants, invariants, properties, substitutions }: Config.Config,
  changes: Changes
): ReadonlyArray<string> => [
  ...(changes.only ?? []).filter((name) => !invariants.includes(name) && !properties.includes(name)),
  ...(changes.without ?? []).filter((rule) => !Object.hasOwn(substitutions, rule)),
  ...Object.keys(changes.constants ?? {}).filter((name) => !Object.hasOwn(constants, name))
]

const reference = /^\s*EXTENDS\s+(.*)$|\bINSTANCE\s+(\w+)/gm

/** A module and the modules of ours that it reads, itself first. */
const modulesOf = Effect.fnUntraced(
  function*(module: string): Effect.fn.Return<ReadonlyArray<string>, SpecificationError> {
    const found = [module]
    for (const path of found) {
      const text = yield* readText(path)
      for (const [, extended, instance] of text.matchAll(reference)) {
        for (const name of (extended ?? instance ?? "").split(",").map((part) => part.trim())) {
          const local = [dirname(path), folder].map((place) => resolve(place, `${name}.tla`)).find((file) =>
            existsSync(file)
          )
          if (local !== undefined && !found.includes(local)) found.push(local)
        }
      }
    }
    return found
  }
)

/** The configuration as data of the one model whose specification the module reads. */
const configured = Effect.fnUntraced(function*(
  module: string,
  config: Config.Config,
  origin: string
): Effect.fn.Return<Configured, SpecificationError> {
  const modules = (yield* modulesOf(module)).map((path) => basename(path, ".tla"))
  const [model, ...others] = Models.among(modules)
  if (model === undefined || others.length > 0) {
    const known = Models.models.map(({ specification }) => specification).join(", ")
    return yield* new SpecificationError({ message: `${shown(module)} must extend one of ${known}` })
  }
  return yield* Effect.try({
    try: () => {
      const substitutions = Object.entries(config.substitutions).map(([name, { definition }]) => [name, definition])
      return { model, configuration: model.configuration(config.constants, Object.fromEntries(substitutions)) }
    },
    catch: (error) => new SpecificationError({ message: `${shown(origin)}: ${String(error)}` })
  })
})

export const load = Effect.fn("Specification.load")(function*(
  module: string,
  configFile: string,
  changes: Changes = {}
): Effect.fn.Return<Checked, SpecificationError> {
  const origin = join(folder, configFile)
  const parsed = Config.parse(yield* readText(origin))
  if (Result.isFailure(parsed)) {
    const { line, message } = parsed.failure
    return yield* new SpecificationError({ message: `${shown(origin)}:${line ?? 1}: ${message}` })
  }
  const [stranger] = strangers(parsed.success, changes)
  if (stranger !== undefined) {
    return yield* new SpecificationError({ message: `${shown(origin)} does not have ${stranger}` })
  }
  const substitutions = Object.fromEntries(
    Object.entries(parsed.success.substitutions).filter(([rule]) => changes.without?.includes(rule) !== true)
  )
  const isWatched = (name: string): boolean => changes.only?.includes(name) ?? true
  const config: Config.Config = {
    ...parsed.success,
    substitutions,
    constants: {
      ...parsed.success.constants,
      ...Object.fromEntries(Object.entries(changes.constants ?? {}).map(([name, value]) => [name, valueOf(value)]))
    },
    invariants: parsed.success.invariants.filter(isWatched),
    properties: parsed.success.properties.filter(isWatched)
  }
  const path = join(folder, module)
  return { module: path, origin, config, ...(yield* configured(path, config, origin)) }
})

/** A configuration in full, of a module that need not stand in the manifest. */
export interface Given {
  /** Relative to the folder of the specification. */
  readonly module: string
  readonly constants: Readonly<Record<string, Constant>>
  readonly substitutions: Readonly<Record<string, string>>
}

/** A configuration that no file has; `origin` is where it comes from, for messages. It watches nothing. */
export const given = Effect.fn("Specification.given")(function*(
  { constants, module, substitutions }: Given,
  origin: string
): Effect.fn.Return<Checked, SpecificationError> {
  const config: Config.Config = {
    specification: "Spec",
    checkDeadlock: false,
    constants: Object.fromEntries(Object.entries(constants).map(([name, value]) => [name, valueOf(value)])),
    substitutions: Object.fromEntries(
      Object.entries(substitutions).map(([name, definition]) => [name, { definition }])
    ),
    invariants: [],
    properties: [],
    constraints: [],
    actionConstraints: [],
    lines: {}
  }
  const path = join(folder, module)
  return { module: path, origin, config, ...(yield* configured(path, config, origin)) }
})

/** The text that TLC reads. */
export const print = (config: Config.Config): string =>
  [
    `SPECIFICATION ${config.specification}`,
    "CONSTANTS",
    ...Object.entries(config.constants).map(([name, value]) => `  ${name} = ${Value.print(value)}`),
    ...Object.entries(config.substitutions).map(([name, { definition }]) => `  ${name} <- ${definition}`),
    ...(config.invariants.length === 0 ? [] : ["INVARIANTS", ...config.invariants.map((name) => `  ${name}`)]),
    ...(config.properties.length === 0 ? [] : ["PROPERTIES", ...config.properties.map((name) => `  ${name}`)]),
    `CHECK_DEADLOCK ${config.checkDeadlock === false ? "FALSE" : "TRUE"}`,
    ""
  ].join("\n")

/** What the configuration checks, in its order. */
export const propertiesOf = ({ config }: Checked): ReadonlyArray<string> => [
  ...config.invariants,
  ...config.properties
]

/** Who judges what a configuration checks: TLC all of it, the code what its model does not leave to TLC. */
export interface Judges {
  readonly judged: ReadonlyArray<string>
  /** The others, each with the reason. */
  readonly leftToTlc: Readonly<Record<string, string>>
}

/** Refuses a property that the code neither has nor leaves to TLC: it would pass for one that holds. */
export const judgesOf = Effect.fnUntraced(function*(
  checked: Checked
): Effect.fn.Return<Judges, SpecificationError> {
  const { model, origin } = checked
  const judged: Array<string> = []
  const leftToTlc: Record<string, string> = {}
  for (const name of propertiesOf(checked)) {
    const reason = model.leftToTlc?.[name]
    if (hasProperty(model, name)) judged.push(name)
    else if (reason !== undefined) leftToTlc[name] = reason
    else {
      return yield* new SpecificationError({
        message: `${shown(origin)}: the model of ${model.specification} has no ${name}, and does not leave it to TLC`
      })
    }
  }
  return { judged, leftToTlc }
})

/** The names of the rules and constants in which two configurations of one module differ. */
export const differences = (a: Checked, b: Checked): ReadonlyArray<string> => {
  const rulesOf = ({ config }: Checked) =>
    Object.entries(config.substitutions).map(([name, { definition }]) => [name, `<- ${definition}`] as const)
  const constantsOf = ({ config }: Checked) =>
    Object.entries(config.constants).map(([name, value]) => [name, `= ${Value.print(value)}`] as const)
  const [left, right] = [a, b].map((checked) => new Map([...rulesOf(checked), ...constantsOf(checked)]))
  return [...new Set([...left!.keys(), ...right!.keys()])].filter((name) => left!.get(name) !== right!.get(name))
}

/** SHA-256 over the modules and the configuration that a graph comes from. */
export const fingerprintOf = Effect.fnUntraced(function*(
  checked: Checked
): Effect.fn.Return<string, SpecificationError> {
  const texts: Array<string> = []
  for (const module of yield* modulesOf(checked.module)) texts.push(yield* readText(module))
  return fingerprint([...texts, print(checked.config)])
})
