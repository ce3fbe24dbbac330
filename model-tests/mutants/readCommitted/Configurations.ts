/**
 * The configurations that judge mutants of reading committed records; each exists because some mutant survives the
 * others, which `why` says.
 */
import type { Constant, SweepConfiguration } from "../Subject.ts"
import { config } from "../Subject.ts"

const properties = ["NoAbortedRead", "NoUncommittedRead", "NoLoss", "InOrder"]

const make = (name: string, why: string, constants: Readonly<Record<string, Constant>>): SweepConfiguration => ({
  name,
  why,
  module: "ReadCommitted",
  text: config({ constants, rules: {}, invariants: ["TypeOK", ...properties] }),
  watched: properties
})

export const configurations: ReadonlyArray<SweepConfiguration> = [
  make("one-producer", "transactions of one producer, one after the other", {
    Producers: 1,
    MaxEntries: 4,
    FetchSize: 3
  }),
  make("two-producers", "transactions within each other", { Producers: 2, MaxEntries: 4, FetchSize: 3 })
]
