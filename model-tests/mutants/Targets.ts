/**
 * What a sweep mutates: modules of the specification, and files of the code.
 */
import * as fs from "node:fs"
import * as path from "node:path"
import * as CoreMutants from "./CoreMutants.ts"
import type { Mutant } from "./Mutant.ts"
import * as SpecMutants from "./SpecMutants.ts"
import type { Subject } from "./Subject.ts"
import * as Tlc from "./Tlc.ts"

export type Side = "spec" | "core"

export interface Target {
  readonly side: Side
  /** From the project's folder. */
  readonly file: string
  readonly mutants: ReadonlyArray<Mutant>
}

const home = path.join(import.meta.dirname, "../..")

export const spec = ({ modules }: Subject): ReadonlyArray<Target> =>
  modules.map((module) => ({
    side: "spec",
    file: `spec/${module}.tla`,
    mutants: SpecMutants.of(Tlc.textOf(module), modules.filter((other) => other !== module).map(Tlc.textOf))
  }))

export const core = ({ code }: Subject): ReadonlyArray<Target> =>
  code.map((file) => ({
    side: "core",
    file: `src/${file}`,
    mutants: CoreMutants.of(path.basename(file, ".ts"), fs.readFileSync(path.join(home, "src", file), "utf8"))
  }))

/** A mutant that no configuration can kill, and why. */
export interface Equivalent {
  readonly file: string
  readonly name: string
  readonly reason: string
}

export const equivalents = (): ReadonlyArray<Equivalent> =>
  JSON.parse(fs.readFileSync(path.join(import.meta.dirname, "equivalent.json"), "utf8")) as ReadonlyArray<Equivalent>
