/**
 * How a verdict command says what it found and ends by it.
 */
import { Effect } from "effect"
import type { Check } from "../conformance/Check.ts"
import * as Checks from "../conformance/Check.ts"
import type { Toolchain } from "../tlc/index.ts"
import * as Ending from "./Ending.ts"
import * as Output from "./Output.ts"
import { finish } from "./ProgressLine.ts"

export interface Verdict {
  readonly json: boolean
  readonly checks: ReadonlyArray<Check>
  /** The lines for people, above the failures and the closing line. */
  readonly lines: ReadonlyArray<string>
  /** What the JSON document has besides the counts and the failures. */
  readonly document: Readonly<Record<string, unknown>>
}

/** The model checker as documents name it. */
export const engineOf = (toolchain: Toolchain.Toolchain | undefined) =>
  toolchain === undefined ? null : { name: "TLC", version: toolchain.version }

/** Says what was found. */
export const report = ({ checks, document, json, lines }: Verdict): Effect.Effect<void> =>
  Effect.suspend(() => {
    finish()
    const failures = checks.filter(({ status }) => status === "failed")
    return json
      ? Output.json({ schemaVersion: 1, ...document, failures, ...Checks.tally(checks) })
      : Output.print([...lines, "", ...Output.checks(checks)])
  })

/** Says what was found, and ends by it. */
export const conclude = Effect.fnUntraced(function*(verdict: Verdict) {
  yield* report(verdict)
  yield* Ending.byChecks(verdict.checks)
})
