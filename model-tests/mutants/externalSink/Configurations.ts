/**
 * The configurations that judge mutants of delivery into external storage; each exists because some mutant survives the
 * others, which `why` says.
 */
import type { Constant, SweepConfiguration } from "../Subject.ts"
import { config } from "../Subject.ts"

const properties = ["NoLoss", "NoDuplicate", "OffsetsAgreeWithOutputs"]

interface Choice {
  readonly constants: Readonly<Record<string, Constant>>
  /** The suffix that the operators of the overriding rules have. */
  readonly rules?: Readonly<Record<string, string>>
  /** The properties that hold. */
  readonly watched?: ReadonlyArray<string>
}

const make = (
  name: string,
  why: string,
  { constants, rules = {}, watched = properties }: Choice
): SweepConfiguration => ({
  name,
  why,
  module: "SinkVariants",
  text: config({ constants, rules, invariants: ["TypeOK", ...watched] }),
  watched
})

export const configurations: ReadonlyArray<SweepConfiguration> = [
  make("sink-transactional", "zombies and late copies meet the whole transaction", {
    constants: { Members: 2, Inputs: 2, MaxGeneration: 2, MaxConnections: 2 }
  }),
  make("sink-upsert", "outputs with keys, one of which is the second, and a delivery of two transactions", {
    constants: { Members: 2, Inputs: 2, MaxGeneration: 2, MaxConnections: 1 },
    rules: { Delivery: "Upsert", HasKeys: "Upsert" },
    watched: ["NoLoss", "NoDuplicate"]
  }),
  make("sink-output-first", "outputs without keys, of which an input has two", {
    constants: { Members: 2, Inputs: 1, MaxGeneration: 2, MaxConnections: 1 },
    rules: { Delivery: "OutputFirst" },
    watched: ["NoLoss"]
  }),
  make("sink-restore-before-fence", "the guards that hold whatever MayRestore says", {
    constants: { Members: 2, Inputs: 1, MaxGeneration: 2, MaxConnections: 1 },
    rules: { Delivery: "FenceOnly", MayRestore: "BeforeFence" },
    watched: ["NoLoss"]
  })
]
