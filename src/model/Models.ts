/**
 * The models there are, by the specification that they implement.
 */
import * as ExternalSink from "./externalSink/index.ts"
import * as Idempotent from "./idempotent/index.ts"
import type { AnyModel } from "./Model.ts"
import { erase } from "./Model.ts"
import * as ReadCommitted from "./readCommitted/index.ts"
import * as Transactions from "./transactions/index.ts"

export const models: ReadonlyArray<AnyModel> = [
  erase(Idempotent.model),
  erase(Transactions.model),
  erase(ReadCommitted.model),
  erase(ExternalSink.model)
]

/** The model of a specification. Throws where there is none. */
export const named = (specification: string): AnyModel => {
  const model = models.find((candidate) => candidate.specification === specification)
  if (model === undefined) throw new Error(`no model implements ${specification}`)
  return model
}

/** The models whose specification is among these modules; a module that TLC starts from must read exactly one. */
export const among = (modules: ReadonlyArray<string>): ReadonlyArray<AnyModel> =>
  models.filter(({ specification }) => modules.includes(specification))
