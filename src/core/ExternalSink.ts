/**
 * The database that a consumer group writes its outputs into, as a pure state machine: a fence, the offset of the first
 * input that is not done, and the rows of outputs. One `step` is one database transaction.
 *
 * The inputs are one partition. What the members of the group do is another subject (`SinkMember.ts`).
 */
import type { Rules } from "./SinkRules.ts"

/**
 * What a transaction does. FENCE: it is refused unless its generation is the fence. SKIP: it does nothing when its input is
 * below the stored offset. OUTPUT: it writes the output. OFFSET: it stores the offset of the next input.
 */
export type Part = "FENCE" | "SKIP" | "OUTPUT" | "OFFSET"

/** An output, by the offset of its input and the generation that wrote it. */
export interface Row {
  readonly offset: number
  readonly generation: number
}

export interface Storage {
  /** The newest generation that has opened the database; 0 before the first. */
  readonly fence: number
  /** The offset of the first input that is not done. */
  readonly stored: number
  /** In the order in which they were inserted. */
  readonly outputs: ReadonlyArray<Row>
}

/** A transaction on its way: `step` counts those of a delivery from 1, `connection` those of the member. */
export interface Transaction {
  readonly generation: number
  readonly connection: number
  /** The offset of the input. */
  readonly batch: number
  readonly step: number
}

export type Input =
  | { readonly _tag: "Fence"; readonly generation: number }
  | { readonly _tag: "Execute"; readonly transaction: Transaction }

/** FENCED: refused, because a newer generation has opened the database. */
export type Answer = "DONE" | "FENCED"

export type Step = readonly [Storage, Answer]

export const initial: Storage = { fence: 0, stored: 0, outputs: [] }

/** A member makes its generation the fence. */
const fence = (rules: Rules, storage: Storage, generation: number): Step =>
  rules.MayFence(storage.fence, generation) ? [{ ...storage, fence: generation }, "DONE"] : [storage, "FENCED"]

const withOutput = (rules: Rules, outputs: Storage["outputs"], row: Row): Storage["outputs"] => {
  const place = rules.HasKeys ? outputs.findIndex(({ offset }) => offset === row.offset) : -1
  return place < 0 ? [...outputs, row] : outputs.with(place, row)
}

/** A transaction of a delivery is committed or refused. */
const execute = (rules: Rules, storage: Storage, { batch, generation, step }: Transaction): Step => {
  const parts = rules.Delivery[step - 1]!
  if (parts.has("FENCE") && generation !== storage.fence) return [storage, "FENCED"]
  if (parts.has("SKIP") && batch < storage.stored) return [storage, "DONE"]
  return [
    {
      fence: storage.fence,
      stored: parts.has("OFFSET") ? batch + 1 : storage.stored,
      outputs: parts.has("OUTPUT")
        ? withOutput(rules, storage.outputs, { offset: batch, generation })
        : storage.outputs
    },
    "DONE"
  ]
}

/** One transaction. */
export const step = (rules: Rules, storage: Storage, input: Input): Step => {
  switch (input._tag) {
    case "Fence":
      return fence(rules, storage, input.generation)
    case "Execute":
      return execute(rules, storage, input.transaction)
  }
}
