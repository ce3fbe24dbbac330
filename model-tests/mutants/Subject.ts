/**
 * What a sweep is about: a specification and the code that implements it, and the configurations that judge mutants of
 * either.
 */

/** A constant: a number, a boolean, a string, or a set of numbers or strings. */
export type Constant = number | boolean | string | ReadonlyArray<number | string>

export interface SweepConfiguration {
  /** Unique among all subjects. */
  readonly name: string
  /** Which mutants survive the others. */
  readonly why: string
  /** The module that TLC starts from. */
  readonly module: string
  /** The text of the `.cfg` file. */
  readonly text: string
  /** Properties in which the code's own explorer must find no violation. */
  readonly watched: ReadonlyArray<string>
}

export interface Subject {
  /** The specification of the model. */
  readonly specification: string
  /** Modules of `spec/` that are mutated where `Next` reaches them, the one with `Next` first. */
  readonly modules: ReadonlyArray<string>
  /** Files of `src/` that are mutated. */
  readonly code: ReadonlyArray<string>
  /** Cheapest first. Together they must reach every condition. */
  readonly configurations: ReadonlyArray<SweepConfiguration>
}

const print = (constant: Constant): string => {
  if (typeof constant === "boolean") return constant ? "TRUE" : "FALSE"
  if (typeof constant === "number" || typeof constant === "string") return JSON.stringify(constant)
  return `{${constant.map((element) => JSON.stringify(element)).join(", ")}}`
}

/**
 * The text of a `.cfg` file. `behaviour`: the operator that is the specification; `rules`: the suffix that the operators of
 * overriding rules have.
 */
export const config = ({ behaviour = "Spec", constants, invariants, rules }: {
  readonly behaviour?: string
  readonly constants: Readonly<Record<string, Constant>>
  readonly rules: Readonly<Record<string, string>>
  readonly invariants: ReadonlyArray<string>
}): string =>
  [
    `SPECIFICATION ${behaviour}`,
    "CONSTANTS",
    ...Object.entries(constants).map(([constant, value]) => `  ${constant} = ${print(value)}`),
    ...Object.entries(rules).map(([rule, suffix]) => `  ${rule} <- ${rule}_${suffix}`),
    ...(invariants.length === 0 ? [] : ["INVARIANTS", ...invariants.map((invariant) => `  ${invariant}`)]),
    "CHECK_DEADLOCK FALSE",
    ""
  ].join("\n")
