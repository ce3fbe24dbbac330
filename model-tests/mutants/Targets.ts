/**
 * What is mutated: the main module of the specification, the rules and machines of the core, and the guards of the
 * model's actions.
 */
import * as fs from "node:fs"
import * as path from "node:path"
import * as CoreMutants from "./CoreMutants.ts"
import type { Mutant } from "./Mutant.ts"
import * as SpecMutants from "./SpecMutants.ts"
import * as Tlc from "./Tlc.ts"

export type Side = "spec" | "core"

export interface Target {
  readonly side: Side
  /** From the project's folder. */
  readonly file: string
  readonly mutants: ReadonlyArray<Mutant>
}

const home = path.join(import.meta.dirname, "../..")

/** Files of the core that hold no rule of their own: names, sizes, and rules that replace others. */
const left = new Set(["Errors.ts", "Limits.ts", "index.ts", "Museum.ts", "Releases.ts"])

const coreFiles = (): ReadonlyArray<string> => [
  ...fs.readdirSync(path.join(home, "src/core")).filter((file) => !left.has(file)).toSorted().map((file) =>
    `src/core/${file}`
  ),
  "src/model/Actions.ts"
]

export const spec = (): Target => ({
  side: "spec",
  file: `spec/${Tlc.mainModule}.tla`,
  mutants: SpecMutants.of(Tlc.mainText())
})

export const core = (): ReadonlyArray<Target> =>
  coreFiles().map((file) => ({
    side: "core",
    file,
    mutants: CoreMutants.of(path.basename(file, ".ts"), fs.readFileSync(path.join(home, file), "utf8"))
  }))

/** A mutant that no configuration can kill, and why. */
export interface Equivalent {
  readonly file: string
  readonly name: string
  readonly reason: string
}

export const equivalents = (): ReadonlyArray<Equivalent> =>
  JSON.parse(fs.readFileSync(path.join(import.meta.dirname, "equivalent.json"), "utf8")) as ReadonlyArray<Equivalent>
