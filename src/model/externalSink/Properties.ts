/**
 * What the specification promises of delivery into external storage, by the same names, each with the sentence that
 * reports use.
 */
import type { ExternalSink } from "../../core/index.ts"
import type * as Model from "../Model.ts"
import type { Configuration } from "./Configuration.ts"
import type { World } from "./World.ts"

type Invariant = Model.Invariant<Configuration, World>
type StepProperty = Model.StepProperty<Configuration, World>

const hasOutput = ({ outputs }: ExternalSink.Storage, input: number): boolean =>
  outputs.some(({ offset }) => offset === input)

const offsets = (count: number): ReadonlyArray<number> => Array.from({ length: count }, (_, offset) => offset)

const NoLoss: Invariant = (_, { storage }) => offsets(storage.stored).every((offset) => hasOutput(storage, offset))

const NoDuplicate: Invariant = (_, { storage: { outputs } }) =>
  new Set(outputs.map(({ offset }) => offset)).size === outputs.length

const OffsetsAgreeWithOutputs: Invariant = ({ inputs }, { storage }) =>
  offsets(inputs).every((offset) => hasOutput(storage, offset) === offset < storage.stored)

const ZombieFenced: StepProperty = (_, { storage: { fence, outputs } }, to) =>
  to.storage.outputs.every((row, i) => {
    const before = outputs[i]
    return row.generation >= fence || (before?.offset === row.offset && before.generation === row.generation)
  })

const FenceMonotone: StepProperty = (_, from, to) => to.storage.fence >= from.storage.fence

/** Properties of a world. */
export const invariants = { NoLoss, NoDuplicate, OffsetsAgreeWithOutputs } as const

/** Properties of a step. */
export const stepProperties = { ZombieFenced, FenceMonotone } as const

export type PropertyName = keyof typeof invariants | keyof typeof stepProperties

/** One sentence for each, for people. */
export const sentences: Readonly<Record<PropertyName, string>> = {
  NoLoss: "every input before the stored offset has an output",
  NoDuplicate: "no input has two outputs",
  OffsetsAgreeWithOutputs: "there are outputs of the inputs before the stored offset, and of no others",
  ZombieFenced: "once a generation has opened the database, no older one writes outputs",
  FenceMonotone: "the fence never goes back to an older generation"
}

/** What only TLC judges, and why. */
export const leftToTlc = { TypeOK: "the types of the code say as much" } as const
