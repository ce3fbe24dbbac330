/** Logs as short texts: `1 2 A1 C2` are a record of producer 1, one of producer 2, an abort of 1 and a commit of 2. */
import { Fetch, FetchRules } from "../../src/core/index.ts"

const kinds = { A: "ABORT", C: "COMMIT" } as const

export const entries = (text: string): ReadonlyArray<Fetch.Entry> =>
  Array.from(text.matchAll(/([AC]?)(\d+)/g), ([, kind, producerId]) => ({
    kind: kind === "A" || kind === "C" ? kinds[kind] : "DATA",
    producerId: Number(producerId)
  }))

export type Write = Extract<Fetch.Input, { readonly _tag: "WriteRecord" | "WriteMarker" }>

/** The inputs that write such a log. */
export const writes = (text: string): ReadonlyArray<Write> =>
  entries(text).map(({ kind, producerId }) =>
    kind === "DATA" ? { _tag: "WriteRecord", producerId } : { _tag: "WriteMarker", producerId, result: kind }
  )

/** Takes the inputs in turn; each must be possible. The outputs are those of the last. */
export const after = (
  rules: FetchRules.Rules,
  before: Fetch.Partition,
  ...inputs: ReadonlyArray<Fetch.Input>
): Fetch.Step =>
  inputs.reduce<Fetch.Step>(([partition], input) => {
    const step = Fetch.step(rules, partition, input)
    if (step === undefined) throw new Error(`${input._tag} is not possible here`)
    return step
  }, [before, []])

/** The partition with such a log. */
export const log = (text: string): Fetch.Step => after(FetchRules.base, Fetch.initial, ...writes(text))

/** What a fetch returns, `undefined` when it may not return so much. */
export const fetched = (
  partition: Fetch.Partition,
  offset: number,
  count: number,
  rules = FetchRules.base
): Fetch.Fetched | undefined => Fetch.step(rules, partition, { _tag: "FetchRecords", offset, count })?.[1][0]
